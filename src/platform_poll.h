/*
 * The part of src/platform.h for waits for many handles; what is said there of all functions holds here.
 */
#ifndef MPROC_PLATFORM_POLL_H
#define MPROC_PLATFORM_POLL_H

#include "platform.h"

/* ---- poll.c ----------------------------------------------------------------------------------- */

/*
 * What is ready when there is something to read, or an end: an end of a stream (platform_channel.h); or when
 * plat_handle_wait() says so: an event, the end of a process, and on POSIX any file descriptor. Windows: an object
 * that stays signalled until somebody does something about it.
 */
enum plat_polled_kind { PLAT_POLLED_OBJECT, PLAT_POLLED_STREAM };

/* `index` is the caller's. */
typedef struct plat_polled {
    plat_handle handle;
    uint32_t index;
    uint16_t kind;
    bool ready;
} plat_polled;

/*
 * Waits until some of `count` handles are ready, and marks all that are. Any number; the same one may be there
 * several times. Nothing is read.
 *
 *   MPROC_TIMEOUT      the deadline has passed
 *   MPROC_INTERRUPTED  none is ready, but the event `wake` (unless it is PLAT_NO_HANDLE) is set. Without a text
 *   MPROC_INVALID      one is no handle that can be waited for; `*bad` is its `index`
 *   MPROC_NO_MEMORY, MPROC_LIMIT
 */
mproc_status plat_poll(plat_polled *polled, size_t count, plat_handle wake, int64_t deadline_ns, uint32_t *bad);

/*
 * The same, kept from wait to wait. Linux: what a wait costs does not depend on how many there are. Any thread adds,
 * removes and waits at any time; who waits sees what is added.
 */
typedef struct plat_poller plat_poller;

mproc_status plat_poller_create(plat_poller **poller);

/* Nobody waits in it. NULL is fine. */
void plat_poller_free(plat_poller *poller);

/*
 * `token` names it from now on. MPROC_END, without a text: it is always ready, such as a file, and was not added;
 * MPROC_INVALID: it is nothing that can be waited for.
 */
mproc_status plat_poller_add(plat_poller *poller, plat_handle handle, enum plat_polled_kind kind, uint64_t token);

/* Before the handle is closed. Afterwards nobody waits for it; a wait that is about to return may still name it. */
void plat_poller_remove(plat_poller *poller, plat_handle handle, uint64_t token);

/* Writes the tokens of up to `room` (1 at least) that are ready, and how many. Otherwise as plat_poll(). */
mproc_status plat_poller_wait(plat_poller *poller, plat_handle wake, int64_t deadline_ns, uint64_t *tokens,
                              size_t room, size_t *count);

#endif
