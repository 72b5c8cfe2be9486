/* What the tests of connections share, besides peers.h. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "sync/peers.h"

#include "platform_channel.h"

/* For CHECK_SUITE_SETUP: what stays with a process that has waited for the system is there. */
void connections_setup(void);

/* The same, and what stays with a first process that keeps handles for others. */
void connections_setup_deposits(void);

typedef struct ends {
    mproc_connection *first, *second;
} ends;

ends connections_create(bool one_way);
void connections_free(const ends *pipe);

/* Sends a number, which fits; receives one, within the case's limit. */
void connections_send_int(mproc_connection *connection, int64_t number);
int64_t connections_recv_int(mproc_connection *connection);

/* Receives the end, within the case's limit. */
void connections_check_end(mproc_connection *connection);

/* A queue; puts an item that has room; gets one that is a connection, and clears it. */
mproc_queue *connections_queue(void);
void connections_put(mproc_queue *queue, mproc_value item);
mproc_connection *connections_get(mproc_queue *queue);

/* Whether this process keeps no handle for others; a predicate for CHECK_WAIT_UNTIL. */
bool connections_none_is_kept(void *unused);

/* Receives bytes, which must be these. */
void connections_check_text(mproc_connection *connection, const char *text);

/* `size` bytes that only this seed makes; whether they are those. */
void connections_fill(unsigned char *bytes, size_t size, unsigned seed);
bool connections_is_filled(const unsigned char *bytes, size_t size, unsigned seed);

/* Bytes that are no message, by the handle alone: all of them go. */
void connections_write_raw(mproc_connection *connection, const void *bytes, size_t size);

/* Reads up to `size` bytes by the handle alone, at least one. Returns how many. */
size_t connections_read_raw(mproc_connection *connection, void *bytes, size_t size);

/* A call in a thread of its own. */
typedef struct one_call {
    mproc_connection *connection;
    void *data;
    size_t size;
    int64_t timeout_ms;
    mproc_status status;
    char text[256]; /* of the status */
    _Atomic uint32_t begun, ended;
    plat_thread *thread;
    void (*run)(struct one_call *call);
} one_call;

/* To be run: fill in what they need. */
void connections_sends(one_call *call);
void connections_receives(one_call *call);
void connections_polls(one_call *call);
void connections_begin(one_call *call, void (*run)(struct one_call *call));
void connections_end(one_call *call);

/* Waits until a thread waits for the system; `count` of them in all. */
void connections_await_sleepers(int count);

mproc_process *connections_start(mproc_function *function, mproc_args args);

/* A task with a connection: sends back what it receives, until the end of it. */
mproc_status connections_echo(mproc_call *call);

#endif
