/* The connections to managers that this process has, as references and values know them. */
#ifndef MPROC_MANAGER_CONNECTIONS_H
#define MPROC_MANAGER_CONNECTIONS_H

#include <mproc/listener.h>
#include <mproc/lock.h>

#include "manager/client.h"
#include "manager/proxies.h"

/*
 * `references` is guarded by the mutex of the table, in which the client is at `slot` as long as there are any. Who
 * has `turn` sends a call and receives its answer. The rest is set before anybody else knows it.
 */
struct client {
    uint32_t references;
    uint32_t slot;
    mproc_connection *connection;
    mproc_lock *turn;
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

void connections_forked(void);

#endif
