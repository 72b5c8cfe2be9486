/* Listeners and clients of several processes, processes that are killed, and what goes over each kind of stream. */
#include "connection/listening.h"

#include <stdio.h>
#include <stdlib.h>

enum { LARGE = 8 << 20 };

/* ---- as arguments --------------------------------------------------------------------------------- */

static mproc_status echoes_by_an_item(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *connection;

    MPROC_TRY(mproc_unpack(call, &queue));
    connection = connections_get(queue);
    connections_send_int(connection, connections_recv_int(connection));
    mproc_connection_free(connection);
    return MPROC_OK;
}

static void case_connection_of_each_kind_goes_to_a_process_that_runs(void)
{
    mproc_queue *queue = connections_queue();

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        for (int i = 0; i < 2 && pair.first; i++) {
            mproc_process *child = connections_start(echoes_by_an_item, MPROC_ARGS(queue));
            connections_put(queue, MPROC_VALUE(i ? pair.first : pair.second));
            connections_send_int(i ? pair.second : pair.first, 10 * kind + i);
            CHECK_EQ(connections_recv_int(i ? pair.second : pair.first), 10 * kind + i);
            CHECK_EXITED(child, 0);
        }
        connections_free(&pair);
    }
    mproc_queue_free(queue);
}

/* What was connected, and what was accepted. */
static void case_connection_of_each_kind_goes_to_a_child(void)
{
    unsigned char *bytes = malloc(LARGE);
    size_t size = 0;

    CHECK(bytes != NULL);
    connections_fill(bytes, LARGE, 1);
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        for (int i = 0; i < 2; i++) {
            ends pair = listening_pair_of(kind);
            mproc_connection *here = i ? pair.second : pair.first, *there = i ? pair.first : pair.second;
            mproc_process *child;
            if (!pair.first) continue;
            child = connections_start(connections_echo, MPROC_ARGS(there));
            mproc_connection_free(there);
            CHECK_OK(mproc_connection_send_bytes(here, "hello", 5, check_limit_ms()));
            connections_check_text(here, "hello");
            CHECK_OK(mproc_connection_send_bytes(here, bytes, LARGE, check_limit_ms()));
            memset(bytes, 0, LARGE);
            CHECK_OK(mproc_connection_recv_bytes_into(here, bytes, LARGE, &size, check_limit_ms()));
            CHECK(size == LARGE && connections_is_filled(bytes, size, 1));
            mproc_connection_free(here);
            CHECK_EXITED(child, 0);
        }
    }
    free(bytes);
}

/* ---- a client in another process ------------------------------------------------------------------ */

enum { SENDS, SENDS_AND_WAITS, SENDS_HALF_AND_WAITS };

static mproc_status connects(mproc_call *call)
{
    mproc_connection *server = NULL;
    const char *address;
    int64_t what;

    MPROC_TRY(mproc_unpack(call, &address, &what));
    CHECK_OK(mproc_client(address, NULL, &server, check_limit_ms()));
    if (what == SENDS_HALF_AND_WAITS) connections_write_raw(server, "\0\0\1\0half", 8);
    else CHECK_OK(mproc_connection_send_bytes(server, "hello", 5, check_limit_ms()));
    if (what != SENDS) return mproc_sleep_ms(MPROC_FOREVER);
    mproc_connection_free(server);
    return MPROC_OK;
}

static void case_child_connects_and_sends(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *accepted;
        mproc_value value = mproc_nil();
        mproc_process *child;
        if (!listener) continue;
        child = connections_start(connects, MPROC_ARGS(mproc_listener_address(listener), SENDS));
        accepted = listening_accept(listener);
        connections_check_text(accepted, "hello");
        CHECK_STATUS(mproc_connection_recv(accepted, &value, check_limit_ms()), MPROC_END);
        mproc_connection_free(accepted);
        mproc_listener_free(listener);
        CHECK_EXITED(child, 0);
    }
}

static void case_client_that_is_killed_costs_its_connection_alone(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_value value = mproc_nil();
        if (!listener) continue;
        for (int what = SENDS_AND_WAITS; what <= SENDS_HALF_AND_WAITS; what++) {
            mproc_process *child = connections_start(connects, MPROC_ARGS(mproc_listener_address(listener), what));
            mproc_connection *accepted = listening_accept(listener);
            CHECK_OK(mproc_connection_poll(accepted, check_limit_ms()));
            CHECK_OK(mproc_process_kill(child));
            CHECK_ENDED_BY(child, 9);
            if (what == SENDS_AND_WAITS) connections_check_text(accepted, "hello");
            CHECK_STATUS(mproc_connection_recv(accepted, &value, check_limit_ms()),
                         what == SENDS_AND_WAITS ? MPROC_END : MPROC_BROKEN);
            mproc_connection_free(accepted);
        }
        mproc_listener_free(listener);
    }
}

/* ---- a listener in another process ---------------------------------------------------------------- */

static mproc_status listens(mproc_call *call)
{
    mproc_connection *tells = NULL, *accepted = NULL;
    mproc_listener *listener;
    int64_t kind;

    MPROC_TRY(mproc_unpack(call, &tells, &kind));
    listener = listening_create((int)kind);
    CHECK(listener != NULL);
    CHECK_OK(mproc_connection_send_bytes(tells, mproc_listener_address(listener),
                                         strlen(mproc_listener_address(listener)), MPROC_FOREVER));
    accepted = listening_accept(listener);
    connections_send_int(accepted, 1);
    return mproc_sleep_ms(MPROC_FOREVER);
}

/* In the middle of an accept, in effect: a client waits to be accepted. */
static void case_listener_that_is_killed_leaves_its_address(void)
{
    for (int kind = LISTENING_TCP; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        ends told = connections_create(true);
        mproc_connection *clients[2] = {NULL, NULL};
        char address[MPROC_ADDRESS_BYTES] = "";
        mproc_value value = mproc_nil();
        mproc_process *child;
        if (listener) {
            mproc_listener_free(listener);
            child = connections_start(listens, MPROC_ARGS(told.second, kind));
            CHECK_OK(
                mproc_connection_recv_bytes_into(told.first, address, sizeof address - 1, NULL, check_limit_ms()));
            CHECK_OK(mproc_client(address, NULL, &clients[0], check_limit_ms()));
            CHECK_EQ(connections_recv_int(clients[0]), 1);
            CHECK_OK(mproc_client(address, NULL, &clients[1], check_limit_ms()));
            CHECK_OK(mproc_process_kill(child));
            CHECK_ENDED_BY(child, 9);
            for (int i = 0; i < 2; i++) {
                CHECK_STATUS(mproc_connection_recv(clients[i], &value, check_limit_ms()), MPROC_END);
                mproc_connection_free(clients[i]);
            }
            listener = NULL;
            CHECK_OK(mproc_listener_create(address, NULL, &listener));
            mproc_listener_free(listener);
        }
        connections_free(&told);
    }
}

/* A child that was started meanwhile has no listener, nor connections that are not its own. */
static void case_children_keep_neither_address_nor_connections(void)
{
    for (int kind = LISTENING_TCP; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        fixture_board *shared = fixture_board_create();
        char address[MPROC_ADDRESS_BYTES];
        mproc_value value = mproc_nil();
        mproc_process *child;
        ends pair;
        if (listener) {
            snprintf(address, sizeof address, "%s", mproc_listener_address(listener));
            pair = listening_pair(listener);
            child = fixture_start(fixture_waits, shared, 0, NULL);
            fixture_await_step(shared, 1);
            mproc_listener_free(listener);
            mproc_connection_free(pair.first);
            CHECK_STATUS(mproc_connection_recv(pair.second, &value, check_limit_ms()), MPROC_END);
            mproc_connection_free(pair.second);
            CHECK_OK(mproc_listener_create(address, NULL, &listener));
            mproc_listener_free(listener);
            CHECK_OK(mproc_process_kill(child));
            CHECK_ENDED_BY(child, 9);
        }
        fixture_board_free(shared);
    }
}

/* ---- streams of each kind ------------------------------------------------------------------------- */

/* More than the system takes at once. */
static void case_large_messages_go_over_each_kind(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        one_call sender = {.connection = pair.first, .size = LARGE, .timeout_ms = MPROC_FOREVER};
        mproc_value value = mproc_nil();
        if (!pair.first) continue;
        sender.data = malloc(LARGE);
        CHECK(sender.data != NULL);
        connections_fill(sender.data, LARGE, 3);
        for (int i = 0; i < 2; i++) {
            sender.ended = sender.begun = 0;
            connections_begin(&sender, connections_sends);
            connections_await_sleepers(1);
            CHECK_OK(mproc_connection_recv_bytes(i ? pair.first : pair.second, LARGE, &value, check_limit_ms()));
            CHECK(mproc_value_size(value) == LARGE && connections_is_filled(mproc_value_bytes(value), LARGE, 3));
            mproc_value_clear(&value);
            connections_end(&sender);
            CHECK_OK(sender.status);
            sender.connection = pair.second;
        }
        free(sender.data);
        connections_free(&pair);
    }
}

static void case_waits_of_each_kind_end(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        one_call poller = {.connection = pair.first, .timeout_ms = MPROC_FOREVER};
        mproc_value value = mproc_nil();
        if (!pair.first) continue;
        CHECK_STATUS(mproc_connection_recv(pair.first, &value, 0), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_connection_recv(pair.first, &value, 30), MPROC_TIMEOUT);
        connections_begin(&poller, connections_polls);
        connections_await_sleepers(1);
        mproc_interrupt();
        connections_end(&poller);
        CHECK_EQ(poller.status, MPROC_INTERRUPTED);
        CHECK(mproc_interrupted());
        poller.begun = poller.ended = 0;
        connections_begin(&poller, connections_polls);
        connections_await_sleepers(1);
        connections_send_int(pair.second, 1);
        connections_end(&poller);
        CHECK_OK(poller.status);
        CHECK_EQ(connections_recv_int(pair.first), 1);
        poller.begun = poller.ended = 0;
        connections_begin(&poller, connections_polls);
        connections_await_sleepers(1);
        mproc_connection_close(pair.first);
        connections_end(&poller);
        CHECK_EQ(poller.status, MPROC_CLOSED);
        connections_free(&pair);
    }
}

/* Until there is no room: the limit ends it, and so does closing; nothing of it is lost before. */
static void case_sends_without_room_end(void)
{
    enum { SIZE = 1 << 16 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        unsigned char *bytes = calloc(1, SIZE);
        mproc_value value = mproc_nil();
        mproc_status status;
        int sent = 0;
        CHECK(bytes != NULL);
        if (pair.first) {
            while ((status = mproc_connection_send_bytes(pair.first, bytes, SIZE, 50)) == MPROC_OK) sent++;
            CHECK(status == MPROC_TIMEOUT || status == MPROC_BROKEN);
            mproc_connection_close(pair.first);
            for (int i = 0; i < sent; i++) {
                CHECK_OK(mproc_connection_recv_bytes(pair.second, SIZE, &value, check_limit_ms()));
                mproc_value_clear(&value);
            }
            CHECK_STATUS(mproc_connection_recv_bytes(pair.second, SIZE, &value, check_limit_ms()),
                         status == MPROC_BROKEN ? MPROC_BROKEN : MPROC_END);
            connections_free(&pair);
        }
        free(bytes);
    }
}

CHECK_SUITE_SETUP(listening_peers, listening_setup,
    CASE(connection_of_each_kind_goes_to_a_child),
    /* What deposits need in a first process stays. */
    CASE_WITH(connection_of_each_kind_goes_to_a_process_that_runs, .leaves = CHECK_HANDLES | CHECK_THREADS),
    CASE(child_connects_and_sends),
    CASE(client_that_is_killed_costs_its_connection_alone),
    CASE(listener_that_is_killed_leaves_its_address),
    CASE(children_keep_neither_address_nor_connections),
    CASE(large_messages_go_over_each_kind),
    CASE(waits_of_each_kind_end),
    CASE(sends_without_room_end),
);
