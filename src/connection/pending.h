/*
 * Clients of a listener with a key that have not proved yet that they have it. Their handshakes go on beside each
 * other, driven by whoever accepts: none of them waits for another, and one that is silent is dropped in the end.
 */
#ifndef MPROC_CONNECTION_PENDING_H
#define MPROC_CONNECTION_PENDING_H

#include "connection/handshake.h"
#include "platform_socket.h"
#include "process/carried.h"

/* Of more than so many the one that came first is dropped: who has the key needs moments. */
#define PENDING_MAX 64

/* Zeroed memory is an empty one without a key. All is guarded by the listener's mutex. */
struct pending_clients {
    struct handshake_key key;
    int64_t limit_ns; /* for each */
    struct pending_client *first;
    int count;
    uint64_t refused; /* how many have not proved it */
    bool moved;       /* something was sent or received at the last look: an answer may be on its way */
};

/*
 * As plat_listener_accept(), of those who have proved that they have the key. Takes in all who have connected, and
 * goes on with all handshakes as far as they go without waiting.
 */
mproc_status pending_accept(struct pending_clients *clients, plat_listener *os, plat_channel *channel,
                            plat_address *peer);

/* When the first of them is out of time; PLAT_FOREVER: there is none. */
int64_t pending_deadline(const struct pending_clients *clients);

/* The listener is closed: drops them all. */
void pending_clear(struct pending_clients *clients, plat_listener *os);

#endif
