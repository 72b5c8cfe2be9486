/* The rivals of connections: a bare pair of sockets between two processes. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

/* Reads so many bytes, in as many parts as they come in. */
static void read_all(int descriptor, char *bytes, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t part = read(descriptor, bytes + got, size - got);
        measure_require(part > 0, "a socket can be read");
        got += (size_t)part;
    }
}

static void write_all(int descriptor, const char *bytes, size_t size)
{
    for (size_t put = 0; put < size;) {
        ssize_t part = write(descriptor, bytes + put, size - put);
        measure_require(part > 0, "a socket can be written");
        put += (size_t)part;
    }
}

static void write_and_read(void *socket)
{
    char byte = 'x';

    write_all(*(int *)socket, &byte, 1);
    read_all(*(int *)socket, &byte, 1);
}

/* A fork() child that has the second of them. */
static pid_t fork_with(int sockets[2])
{
    pid_t child;

    measure_require(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "there are sockets");
    child = fork();
    measure_bind(child == 0);
    close(sockets[child > 0]);
    return child;
}

static void socket_trip(const struct order *order, double values[2])
{
    int sockets[2], status = -1;
    pid_t child = fork_with(sockets);
    char byte;

    for (size_t i = 0; child == 0 && i < order->repeats; i++) {
        read_all(sockets[1], &byte, 1);
        write_all(sockets[1], &byte, 1);
    }
    if (child == 0) _exit(0);
    measure_rested(write_and_read, &sockets[0], order->repeats, order->items, values);
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
}

static void socket_stream(const struct order *order, double values[2])
{
    int sockets[2], status = -1;
    pid_t child = fork_with(sockets);
    char *bytes = malloc(order->items), byte = 'x';
    int64_t begun;

    measure_require(bytes != NULL, "there is memory for a message");
    memset(bytes, 1, order->items);
    if (child == 0) write_all(sockets[1], &byte, 1);
    for (size_t i = 0; child == 0 && i < order->repeats; i++) read_all(sockets[1], bytes, order->items);
    if (child == 0) write_all(sockets[1], &byte, 1);
    if (child == 0) _exit(0);
    read_all(sockets[0], &byte, 1);
    begun = measure_now_ns();
    for (size_t i = 0; i < order->repeats; i++) write_all(sockets[0], bytes, order->items);
    read_all(sockets[0], &byte, 1);
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
    free(bytes);
}

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un local;
};

struct place {
    union address address;
    socklen_t size;
    int listener;
};

static void connect_and_accept(void *context, size_t repeats)
{
    const struct place *place = context;

    for (size_t i = 0; i < repeats; i++) {
        int client = socket(place->address.any.sa_family, SOCK_STREAM, 0), accepted;
        measure_require(connect(client, &place->address.any, place->size) == 0, "a client can connect");
        measure_require((accepted = accept(place->listener, NULL, NULL)) >= 0, "a client is accepted");
        close(client);
        close(accepted);
    }
}

static void listen_somewhere(const struct order *order, struct place *place)
{
    place->size = sizeof place->address.tcp;
    memset(&place->address, 0, sizeof place->address);
    place->address.any.sa_family = order->items ? AF_INET : AF_UNIX;
    place->address.tcp.sin_addr.s_addr = order->items ? htonl(INADDR_LOOPBACK) : 0;
    if (!order->items) place->size = sizeof place->address.any.sa_family; /* the system chooses an abstract name */
    place->listener = socket(place->address.any.sa_family, SOCK_STREAM, 0);
    measure_require(bind(place->listener, &place->address.any, place->size) == 0, "an address is free");
    measure_require(listen(place->listener, 128) == 0, "one can listen there");
    place->size = sizeof place->address;
    measure_require(getsockname(place->listener, &place->address.any, &place->size) == 0, "the address is told");
}

static void socket_accept(const struct order *order, double values[2])
{
    struct place place;

    listen_somewhere(order, &place);
    measure_bind(0);
    values[0] = measure_mean(connect_and_accept, &place, order->repeats);
    close(place.listener);
}

/* The sizes of the messages by which two sides prove a key to each other, with their frames; a listener begins. */
static const size_t proof[] = {73, 44, 13, 71, 44, 13};
enum { PROOF = sizeof proof / sizeof proof[0] };

static void exchange(int descriptor, int writes)
{
    char bytes[128] = "";
    const int on = 1;

    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (int i = 0; i < PROOF; i++) {
        int listener_says = i == 0 || i == 2 || i == 4; /* a challenge, a welcome, an answer */
        if (listener_says == writes) write_all(descriptor, bytes, proof[i]);
        else read_all(descriptor, bytes, proof[i]);
    }
    close(descriptor);
}

/* The same messages as connection-authenticate, which nobody computes. */
static void socket_authenticate(const struct order *order, double values[2])
{
    struct place place;
    int status = -1;
    int64_t begun = 0;
    pid_t child;

    listen_somewhere(order, &place);
    child = fork();
    measure_bind(child == 0);
    for (size_t i = 0; i <= order->repeats; i++) {
        int descriptor = child == 0 ? socket(place.address.any.sa_family, SOCK_STREAM, 0) : -1;
        if (child == 0) measure_require(connect(descriptor, &place.address.any, place.size) == 0, "it can connect");
        else measure_require((descriptor = accept(place.listener, NULL, NULL)) >= 0, "a client is accepted");
        exchange(descriptor, child != 0);
        if (i == 0) begun = measure_now_ns();
    }
    if (child == 0) _exit(0);
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
    close(place.listener);
}

/* The sizes of a call of manager-increment and of its answer, with their frames. */
enum { CALL_BYTES = 116, ANSWER_BYTES = 100 };

static void call_and_get_answer(void *socket)
{
    char bytes[CALL_BYTES + ANSWER_BYTES] = "";

    write_all(*(int *)socket, bytes, CALL_BYTES);
    read_all(*(int *)socket, bytes, ANSWER_BYTES);
}

static void answer_calls(const struct place *place, size_t count)
{
    int descriptor = socket(place->address.any.sa_family, SOCK_STREAM, 0);
    char bytes[CALL_BYTES + ANSWER_BYTES] = "";
    const int on = 1;

    measure_require(connect(descriptor, &place->address.any, place->size) == 0, "it can connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (size_t i = 0; i < count; i++) {
        read_all(descriptor, bytes, CALL_BYTES);
        write_all(descriptor, bytes, ANSWER_BYTES);
    }
    _exit(0);
}

/* As many bytes go and come as in manager-increment, of which nobody makes anything. */
static void socket_call(const struct order *order, double values[2])
{
    const struct order where = {.items = order->chunk};
    const int on = 1;
    struct place place;
    int status = -1, descriptor;
    pid_t child;

    listen_somewhere(&where, &place);
    child = fork();
    measure_bind(child == 0);
    if (child == 0) answer_calls(&place, order->repeats);
    measure_require((descriptor = accept(place.listener, NULL, NULL)) >= 0, "a client is accepted");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    measure_rested(call_and_get_answer, &descriptor, order->repeats, order->items, values);
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
    close(descriptor);
    close(place.listener);
}

/* As many pairs; the one in the middle can be read. */
static struct pollfd *make_readers(size_t count)
{
    struct pollfd *readers = calloc(count, sizeof *readers);

    measure_require(readers != NULL, "there is memory for sockets");
    for (size_t i = 0; i < count; i++) {
        int sockets[2];
        measure_require(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "there are sockets");
        readers[i] = (struct pollfd){.fd = sockets[0], .events = POLLIN};
        if (i == count / 2) write_all(sockets[1], "x", 1);
    }
    measure_bind(0);
    return readers;
}

static void wait_poll(const struct order *order, double values[2])
{
    struct pollfd *readers = make_readers(order->items);
    int64_t begun = measure_now_ns();

    for (size_t i = 0; i < order->repeats; i++)
        measure_require(poll(readers, order->items, -1) == 1 && readers[order->items / 2].revents != 0,
                        "one is ready");
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    free(readers);
}

static void wait_epoll(const struct order *order, double values[2])
{
    struct pollfd *readers = make_readers(order->items);
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[16];
    int64_t begun;

    for (size_t i = 0; i < order->items; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        measure_require(epoll_ctl(set, EPOLL_CTL_ADD, readers[i].fd, &event) == 0, "a socket can be added");
    }
    begun = measure_now_ns();
    for (size_t i = 0; i < order->repeats; i++)
        measure_require(epoll_wait(set, ready, 16, -1) == 1 && ready[0].data.u64 == order->items / 2, "one is ready");
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    close(set);
    free(readers);
}

static const struct task tasks[] = {{"socket-trip", socket_trip},     {"socket-stream", socket_stream},
                                    {"socket-accept", socket_accept}, {"socket-authenticate", socket_authenticate},
                                    {"socket-call", socket_call},     {"wait-poll", wait_poll},
                                    {"wait-epoll", wait_epoll},       {NULL, NULL}};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
