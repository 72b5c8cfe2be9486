/* What the tests of listeners and clients share, besides connections.h. */
#ifndef LISTENING_H
#define LISTENING_H

#include "connection/connections.h"

/* For CHECK_SUITE_SETUP: as connections_setup(), and what stays with a process that has used sockets is there. */
void listening_setup(void);

/*
 * Each kind of address: a private one; TCP of IPv4 and of IPv6; and one with a name of the case's own, an abstract
 * Unix socket or a named pipe. One of them is not on the other system, and IPv6 is not everywhere.
 */
enum { LISTENING_PRIVATE, LISTENING_TCP, LISTENING_TCP6, LISTENING_ABSTRACT, LISTENING_PIPE, LISTENING_KINDS };

/* A listener at such an address, or NULL if this system has none of the kind. */
mproc_listener *listening_create(int kind);
mproc_listener *listening_create_with(int kind, const mproc_listener_options *options);
bool listening_is_tcp(int kind);

/* Connects a client, accepts it, within the case's limit; first: the client. */
mproc_connection *listening_connect(const mproc_listener *listener);
mproc_connection *listening_accept(mproc_listener *listener);
ends listening_pair(mproc_listener *listener);

/* Such a pair by a listener of its own, which is closed. The connections are NULL if there is no such kind. */
ends listening_pair_of(int kind);

/* A call in a thread of its own: accepts. */
typedef struct one_accept {
    mproc_listener *listener;
    int64_t timeout_ms;
    mproc_connection *connection;
    mproc_status status;
    char text[256];
    _Atomic uint32_t begun, ended;
    plat_thread *thread;
} one_accept;

void listening_begin(one_accept *call);
void listening_end(one_accept *call);

#endif
