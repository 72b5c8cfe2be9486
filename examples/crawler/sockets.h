/* Sockets of this machine, 127.0.0.1, the same on both systems. -1 is no socket. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stddef.h>
#include <stdint.h>

/* Once in each process, before all others. */
void sockets_begin(void);

/* Listens at a port that the system chooses, and writes it to `*port`. */
intptr_t socket_listen(int *port);

/* Waits for a client. */
intptr_t socket_accept(intptr_t listener);

intptr_t socket_connect(int port);

/* What cannot be sent is left out. */
void socket_send(intptr_t connection, const char *text);

/* Reads until `end` has come or the other side has closed; NULL: until it has. What has no room is left out. */
void socket_receive(intptr_t connection, char *text, size_t capacity, const char *end);

void socket_close(intptr_t connection);

#endif
