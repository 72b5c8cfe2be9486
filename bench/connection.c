#include "mproc.h"

#include <mproc/mproc.h>
#include <string.h>

/* Answers each byte with one. */
static mproc_status answer(mproc_call *call)
{
    mproc_connection *connection;
    size_t repeats;
    char byte;

    MPROC_TRY(mproc_unpack(call, &connection, &repeats));
    measure_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        MPROC_TRY(mproc_connection_recv_bytes_into(connection, &byte, 1, NULL, MPROC_FOREVER));
        MPROC_TRY(mproc_connection_send_bytes(connection, &byte, 1, MPROC_FOREVER));
    }
    return MPROC_OK;
}

/* Receives so many messages, and then says so. */
static mproc_status receive(mproc_call *call)
{
    mproc_connection *connection;
    size_t repeats, size;
    void *message;

    MPROC_TRY(mproc_unpack(call, &connection, &repeats, &size));
    measure_bind(1);
    measure_require((message = malloc(size)) != NULL, "there is memory for a message");
    memset(message, 1, size);
    MPROC_TRY(mproc_connection_send_bytes(connection, message, 1, MPROC_FOREVER));
    for (size_t i = 0; i < repeats; i++)
        MPROC_TRY(mproc_connection_recv_bytes_into(connection, message, size, NULL, MPROC_FOREVER));
    return mproc_connection_send_bytes(connection, message, 1, MPROC_FOREVER);
}

static mproc_process *begin(mproc_function *function, mproc_args args)
{
    mproc_process *other;

    mproc_check(mproc_process_create(function, args, NULL, &other));
    mproc_check(mproc_process_start(other));
    measure_bind(0);
    return other;
}

static void end(mproc_process *other)
{
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(other).code == 0, "the other process ends with 0");
}

static void await_byte(mproc_connection *connection)
{
    char byte;

    mproc_check(mproc_connection_recv_bytes_into(connection, &byte, 1, NULL, MPROC_FOREVER));
}

static void go_and_come(void *connection)
{
    mproc_check(mproc_connection_send_bytes(connection, "x", 1, MPROC_FOREVER));
    await_byte(connection);
}

void connection_trip(const struct order *order, double values[2])
{
    mproc_connection *here, *there;
    mproc_process *other;

    mproc_check(mproc_pipe(NULL, &here, &there));
    other = begin(answer, MPROC_ARGS(there, order->repeats));
    measure_rested(go_and_come, here, order->repeats, order->items, values);
    end(other);
}

void connection_stream(const struct order *order, double values[2])
{
    mproc_connection *here, *there;
    mproc_process *other;
    void *message = malloc(order->items);
    int64_t begun;

    measure_require(message != NULL, "there is memory for a message");
    memset(message, 1, order->items);
    mproc_check(mproc_pipe(NULL, &here, &there));
    other = begin(receive, MPROC_ARGS(there, order->repeats, order->items));
    await_byte(here);
    begun = measure_now_ns();
    for (size_t i = 0; i < order->repeats; i++)
        mproc_check(mproc_connection_send_bytes(here, message, order->items, MPROC_FOREVER));
    await_byte(here);
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    end(other);
    free(message);
}

static void connect_and_accept(void *context, size_t repeats)
{
    mproc_listener *listener = context;
    mproc_connection *client, *accepted;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_client(mproc_listener_address(listener), NULL, &client, MPROC_FOREVER));
        mproc_check(mproc_listener_accept(listener, &accepted, MPROC_FOREVER));
        mproc_connection_free(client);
        mproc_connection_free(accepted);
    }
}

#define KEY mproc_bytes("32 bytes that only the bench has", 32)

/* Connects that often, and proves the key. */
static mproc_status connect_often(mproc_call *call)
{
    mproc_connection *server;
    const char *address;
    size_t repeats;

    MPROC_TRY(mproc_unpack(call, &address, &repeats));
    measure_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        MPROC_TRY(mproc_client(address, &(mproc_client_options){.authkey = KEY}, &server, MPROC_FOREVER));
        mproc_connection_free(server);
    }
    return MPROC_OK;
}

static void accept_one(mproc_listener *listener)
{
    mproc_connection *accepted;

    mproc_check(mproc_listener_accept(listener, &accepted, MPROC_FOREVER));
    mproc_connection_free(accepted);
}

/* The first is not timed: libraries are loaded. */
void connection_authenticate(const struct order *order, double values[2])
{
    const mproc_listener_options options = {.authkey = KEY};
    mproc_listener *listener;
    mproc_process *other;
    int64_t begun;

    mproc_check(mproc_listener_create(order->items ? "tcp:127.0.0.1:0" : NULL, &options, &listener));
    other = begin(connect_often, MPROC_ARGS(mproc_listener_address(listener), order->repeats + 1));
    accept_one(listener);
    begun = measure_now_ns();
    for (size_t i = 0; i < order->repeats; i++) accept_one(listener);
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    end(other);
    mproc_listener_free(listener);
}

void connection_accept(const struct order *order, double values[2])
{
    mproc_listener *listener;

    mproc_check(mproc_listener_create(order->items ? "tcp:127.0.0.1:0" : NULL, NULL, &listener));
    measure_bind(0);
    values[0] = measure_mean(connect_and_accept, listener, order->repeats);
    mproc_listener_free(listener);
}
