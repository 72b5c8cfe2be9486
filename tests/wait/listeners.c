/* Listeners, and the connections of each kind that they accept, in waits and in sets. */
#include "connection/listening.h"
#include "wait/waiting.h"

/* Whoever is ready: clients are accepted into the set, and leave it when they have gone. */
static void serve(mproc_listener *listener, mproc_wait_set *set, int *accepted, int *served)
{
    mproc_waitable ready[8];
    size_t count = 0;

    CHECK_OK(mproc_wait_set_wait(set, ready, 8, check_limit_ms(), &count));
    for (size_t i = 0; i < count; i++) {
        mproc_connection *connection = NULL;
        mproc_value value = mproc_nil();
        mproc_status status;
        if (ready[i].kind == MPROC_WAITABLE_LISTENER) {
            CHECK(ready[i].object == listener);
            if ((status = mproc_listener_accept(listener, &connection, 0)) == MPROC_TIMEOUT) continue;
            CHECK_OK(status);
            CHECK_OK(mproc_wait_set_add(set, MPROC_WAITABLE(connection)));
            ++*accepted;
        } else if ((status = mproc_connection_recv(ready[i].object, &value, 0)) == MPROC_OK) {
            ++*served;
        } else {
            CHECK_EQ(status, MPROC_END);
            mproc_connection_free(ready[i].object);
        }
    }
}

static mproc_status connects_and_sends(mproc_call *call)
{
    mproc_connection *connection = NULL;
    const char *address = NULL;

    MPROC_TRY(mproc_unpack(call, &address));
    MPROC_TRY(mproc_client(address, NULL, &connection, MPROC_FOREVER));
    for (int i = 0; i < 5; i++) connections_send_int(connection, i);
    mproc_connection_free(connection);
    return MPROC_OK;
}

/* As far as the system knows somebody may be there at first. */
static void check_nobody(mproc_listener *listener)
{
    mproc_connection *connection = NULL;

    CHECK_STATUS(mproc_listener_accept(listener, &connection, 0), MPROC_TIMEOUT);
}

/* A server of one thread: clients come, send, and go. */
static void case_server_waits_for_clients_and_their_messages(void)
{
    enum { CLIENTS = 3 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_process *clients[CLIENTS];
        mproc_wait_set *set = NULL;
        int accepted = 0, served = 0;
        if (!listener) continue;
        CHECK_OK(mproc_wait_set_create(&set));
        CHECK_OK(mproc_wait_set_add(set, MPROC_WAITABLE(listener)));
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = connections_start(connects_and_sends, MPROC_ARGS(mproc_listener_address(listener)));
        while (accepted < CLIENTS || mproc_wait_set_count(set) > 1) serve(listener, set, &accepted, &served);
        CHECK_EQ(accepted, CLIENTS);
        CHECK_EQ(served, 5 * CLIENTS);
        for (int i = 0; i < CLIENTS; i++) CHECK_EXITED(clients[i], 0);
        mproc_wait_set_free(set);
        mproc_listener_free(listener);
    }
}

static void case_each_kind_of_connection_wakes_who_sleeps(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pipe = listening_pair_of(kind);
        mproc_waitable thing = mproc_waitable_connection(pipe.first);
        waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};
        if (!pipe.first) continue;
        CHECK_STATUS(mproc_wait(&thing, 1, 0, NULL), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_wait(&thing, 1, 10, NULL), MPROC_TIMEOUT);
        for (int i = 0; i < 2; i++) {
            waiting_begin(&waiting);
            waiting_await_asleep(1);
            if (i == 0) connections_send_int(pipe.second, 7);
            else mproc_connection_close(pipe.second);
            waiting_end(&waiting);
            CHECK_OK(waiting.status);
            CHECK(thing.ready);
            if (i == 0) CHECK_EQ(connections_recv_int(pipe.first), 7);
        }
        connections_free(&pipe);
    }
}

static void case_client_wakes_who_waits_for_the_listener(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_waitable thing = mproc_waitable_listener(listener);
        waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};
        mproc_connection *client, *accepted;
        if (!listener) continue;
        check_nobody(listener);
        waiting_begin(&waiting);
        waiting_await_asleep(1);
        client = listening_connect(listener);
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        accepted = listening_accept(listener);
        mproc_connection_free(client);
        mproc_connection_free(accepted);
        mproc_listener_free(listener);
    }
}

static void case_listener_that_is_closed_or_freed_is_ready(void)
{
    for (int freed = 0; freed < 2; freed++) {
        mproc_listener *listener = listening_create(LISTENING_PRIVATE);
        mproc_waitable thing = MPROC_WAITABLE(listener);
        waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};
        check_nobody(listener);
        waiting_begin(&waiting);
        waiting_await_asleep(1);
        if (freed) mproc_listener_free(listener);
        else mproc_listener_close(listener);
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        CHECK(thing.ready);
        if (freed) continue;
        CHECK_OK(mproc_wait(&thing, 1, 0, NULL));
        mproc_listener_free(listener);
    }
}

CHECK_SUITE_SETUP(wait_listeners, listening_setup,
    CASE(server_waits_for_clients_and_their_messages),
    CASE(each_kind_of_connection_wakes_who_sleeps),
    CASE(client_wakes_who_waits_for_the_listener),
    CASE(listener_that_is_closed_or_freed_is_ready),
);
