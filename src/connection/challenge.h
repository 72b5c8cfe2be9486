/* The handshake over a connection, for a caller that waits. */
#ifndef MPROC_CONNECTION_CHALLENGE_H
#define MPROC_CONNECTION_CHALLENGE_H

#include "connection/connection.h"
#include "connection/handshake.h"

/*
 * Does the handshake, or a half of it, in what is left of the wait's time. The key was checked (handshake_check()).
 * Whoever does not get MPROC_OK closes the connection.
 *
 *   MPROC_AUTHENTICATION  refused
 *   MPROC_TIMEOUT         the other side did not do its part in time
 *   MPROC_END             it ended
 * and what else mproc_connection_send_bytes() and mproc_connection_recv_bytes_into() return, handshake_take().
 */
mproc_status challenge_run(mproc_connection *connection, enum handshake_role role, enum handshake_halves halves,
                           const struct handshake_key *key, const struct wait *wait);

#endif
