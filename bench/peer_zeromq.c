/* ZeroMQ over `ipc`, which is a UNIX socket: items of 64 bytes, one process pushes and another pulls. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zmq.h>

#include "measure.h"

struct message {
    uint64_t number;
    char rest[56];
};

/* Each child's own, made at its first pass: a context must not come from before a fork(). */
static void *open_socket(const char *name, int type, int (*attach)(void *socket, const char *name))
{
    static void *socket;

    if (!socket) {
        socket = zmq_socket(zmq_ctx_new(), type);
        measure_require(socket && attach(socket, name) == 0, "there is a socket");
    }
    return socket;
}

static void put(void *name, size_t repeats)
{
    void *socket = open_socket(name, ZMQ_PUSH, zmq_connect);
    struct message item = {0, "item"};

    for (item.number = 0; item.number < repeats; item.number++)
        measure_require(zmq_send(socket, &item, sizeof item, 0) == sizeof item, "an item is sent");
}

static void get(void *name, size_t repeats)
{
    void *socket = open_socket(name, ZMQ_PULL, zmq_bind);
    struct message item;

    for (uint64_t i = 0; i < repeats; i++) {
        measure_require(zmq_recv(socket, &item, sizeof item, 0) == sizeof item, "an item comes");
        if (item.number != i) abort();
    }
}

static void measure(const struct order *order, double values[2])
{
    char name[64];

    snprintf(name, sizeof name, "ipc://@bench-%ld", (long)getpid());
    values[0] = measure_forked(get, put, name, order->repeats);
}

static const struct task tasks[] = {{"queue", measure}, {NULL, NULL}};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
