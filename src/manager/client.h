/*
 * A connection to a manager, and what this process has by it. Proxies are references without an object in the arena:
 * their handle_ref says by which connection the object is known, and by which number there.
 *
 *     bit 39   HANDLE_REMOTE
 *     20..30   the connection's place in the table of this process
 *      0..19   the object's number
 *
 * The generation of the handle_ref tells it from those that had the place and the number before. The client lives
 * until nobody refers to it: the program by its mproc_manager, proxies, and values with proxies in them.
 */
#ifndef MPROC_MANAGER_CLIENT_H
#define MPROC_MANAGER_CLIENT_H

#include <mproc/manager.h>

#include "object/reference.h"

struct client;

/* The row of proxies. */
extern const struct object_type remote_type;

mproc_status client_create(const char *address, const mproc_manager_connect_options *options, int64_t timeout_ms,
                           struct client **out);

/* Gives up one reference to the client. */
void client_release(struct client *client);

/*
 * One call, of which the method itself may wait for `waits_ms`. `*result`, unless it is NULL, is the caller's.
 * Returns what the manager has answered, or why it has not; see <mproc/manager.h>.
 */
mproc_status client_call(struct client *client, uint32_t object, uint32_t method, const mproc_value *values,
                         size_t count, mproc_value *result, int64_t waits_ms);

#endif
