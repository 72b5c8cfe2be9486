/*
 * Clients of a listener with a key that have not proved yet that they have it. Their handshakes go on beside each
 * other, driven by whoever accepts: none of them waits for another, and one that is silent is dropped in the end.
 */
#ifndef MPROC_CONNECTION_PENDING_H
#define MPROC_CONNECTION_PENDING_H

#include <mproc/listener.h>

#include "connection/handshake.h"
#include "platform_socket.h"
#include "process/carried.h"

/* Zeroed memory is an empty one without a key. All is guarded by the listener's mutex. */
struct pending_clients {
    struct handshake_key key;
    int64_t limit_ns; /* for each */
    int max;          /* of more than so many the one that came first is dropped: who has the key needs moments */
    struct pending_client *first;
    int count;
    uint64_t refused;              /* how many have not proved it */
    char why[MPROC_REFUSED_BYTES]; /* of the last one of them */
    bool moved;                    /* something was sent or received at the last look: an answer may be on its way */
};

/*
 * As plat_listener_accept(), of those who have proved that they have the key. Takes in who has connected, up to `max`
 * of them, and goes on with all handshakes as far as they go without waiting.
 *
 * A client that is out of time is heard before it is dropped, as perhaps nobody has accepted for so long: for each
 * message of the handshake that was there it has all its time once more.
 */
mproc_status pending_accept(struct pending_clients *clients, plat_listener *os, plat_channel *channel,
                            plat_address *peer);

/* When the first of them is out of time; PLAT_FOREVER: there is none. */
int64_t pending_deadline(const struct pending_clients *clients);

/* The listener is closed: drops them all. */
void pending_clear(struct pending_clients *clients, plat_listener *os);

#endif
