/* The connections to managers that this process has, as references and values know them. */
#ifndef MPROC_MANAGER_CONNECTIONS_H
#define MPROC_MANAGER_CONNECTIONS_H

#include <mproc/listener.h>
#include <mproc/lock.h>

#include "manager/client.h"
#include "manager/proxies.h"

/*
 * A further connection of a client (client_line.h). It is its `owner`'s, by the id of that thread, for which the
 * manager holds something by it; or whoever's call is at it; or `idle`, and then anybody's.
 */
struct client_line {
    mproc_connection *connection;
    struct client_line *next;
    uint32_t owner;
    bool idle;
};

#define CLIENT_TOKEN_BYTES_MAX 64

/*
 * `references` is guarded by the mutex of the table, in which the client is at `slot` as long as there are any. Who
 * has `turn` sends a call by `connection`, the first one, and receives its answer. `mutex` guards the lines, of which
 * so many are idle, and `closed`: there are to be no more. The rest is set before anybody else knows it; without a
 * token the manager knows no lines.
 */
struct client {
    uint32_t references;
    uint32_t slot;
    mproc_connection *connection;
    mproc_lock *turn;
    plat_mutex mutex;
    struct client_line *lines;
    uint32_t idle;
    bool closed;
    mproc_value authkey;
    unsigned char token[CLIENT_TOKEN_BYTES_MAX];
    size_t token_bytes;
    _Atomic int64_t number; /* of the last call */
    size_t message_bytes_max;
    int64_t call_timeout_ms;
    struct proxies proxies;
    char address[MPROC_ADDRESS_BYTES];
};

#define CLIENT_SLOTS_MAX 2048

static inline uint32_t proxy_number(const struct handle_ref *ref)
{
    return (uint32_t)ref->offset & (MESSAGE_OBJECTS_MAX - 1);
}

static inline uint32_t proxy_slot(const struct handle_ref *ref)
{
    return (uint32_t)(ref->offset / MESSAGE_OBJECTS_MAX) & (CLIENT_SLOTS_MAX - 1);
}

/* With one reference, the caller's. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status connections_add(struct client *client);

/* Gives a reference back. True: it was the last one. */
bool connections_release(struct client *client);

/* The connection by which this process knows a proxy, with a reference. MPROC_CLOSED: it is gone. */
mproc_status connections_find(const struct handle_ref *ref, struct client **client);

/*
 * Writes into a message the numbers by which the client's manager knows the objects. MPROC_NOT_SUPPORTED: one is of
 * this family, or of another manager. MPROC_CLOSED: it was given back.
 */
mproc_status connections_name_objects(struct client *client, const struct message *message);

/* Calls the function with each client, under the mutex of the table. */
void connections_visit(void (*visit)(struct client *client));

void connections_forked(void);

#endif
