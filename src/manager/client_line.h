/*
 * The further connections of a client. Calls that take moments take turns on its first one. One that may wait for
 * others has a line of its own meanwhile, so that it holds up nobody; and what a thread of this process acquires at
 * the manager is acquired by one thread there, as long as it holds anything: by a line that is its own.
 */
#ifndef MPROC_MANAGER_CLIENT_LINE_H
#define MPROC_MANAGER_CLIENT_LINE_H

#include "manager/connections.h"

enum line_need {
    NEED_NONE,  /* the first connection will do */
    NEED_HELD,  /* so it will, if this thread has no line of its own */
    NEED_OWN,   /* the call may wait */
    NEED_THREAD /* it may wait, and is to be by this thread's own line, if there is one */
};

/* One that is there already, for the caller's call, or NULL. */
struct client_line *client_line_find(struct client *client, enum line_need need);

/* The line is the client's, and at the caller's call. MPROC_CLOSED: the client was shut down; MPROC_NO_MEMORY. */
mproc_status client_line_add(struct client *client, mproc_connection *connection, struct client_line **out);

/* The call is over. `holds`: its thread holds something there. */
void client_line_put(struct client *client, struct client_line *line, bool holds);

/* It is of no further use, or is not to be used. */
void client_line_drop(struct client *client, struct client_line *line);

/* Calls by lines, also those that wait, return MPROC_CLOSED. */
void client_lines_close(struct client *client);

void client_lines_free(struct client *client);

/* The calling thread ends: so does what it holds. */
void client_lines_thread_ends(void);

#endif
