/* Clients that have a key: many at once, and what ends one that waits. */
#include "connection/listening.h"

#define KEY mproc_bytes("a key of the case", 17)

typedef struct one_client {
    const mproc_listener *listener;
    mproc_connection *connection;
    mproc_status status;
    plat_thread *thread;
} one_client;

static void proves_it(void *argument)
{
    one_client *self = argument;

    self->status = mproc_client(mproc_listener_address(self->listener), &(mproc_client_options){.authkey = KEY},
                                &self->connection, check_limit_ms());
}

/* Nobody accepts until all are there: then each is heard. */
static void case_all_who_have_come_at_once_are_accepted(void)
{
    enum { ALL = 100 };
    int many = check_many(ALL, 80);

    for (int kind = LISTENING_PRIVATE; kind <= LISTENING_TCP; kind++) {
        mproc_listener *listener = listening_create_with(kind, &(mproc_listener_options){.authkey = KEY});
        one_client clients[ALL];
        mproc_connection *accepted[ALL];
        for (int i = 0; i < many; i++) {
            clients[i] = (one_client){.listener = listener};
            CHECK_OK(plat_thread_start(proves_it, &clients[i], &clients[i].thread));
        }
        connections_await_sleepers(many);
        for (int i = 0; i < many; i++) accepted[i] = listening_accept(listener);
        for (int i = 0; i < many; i++) {
            plat_thread_join(clients[i].thread);
            CHECK_OK(clients[i].status);
        }
        CHECK_EQ(mproc_listener_refused(listener), 0);
        for (int i = 0; i < many; i++) {
            mproc_connection_free(clients[i].connection);
            mproc_connection_free(accepted[i]);
        }
        mproc_listener_free(listener);
    }
}

/* An interrupt ends a client that waits for the other side's part. */
static void case_interrupt_ends_a_client(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_client client = {.listener = listening_create(kind)};
        if (!client.listener) continue;
        CHECK_OK(plat_thread_start(proves_it, &client, &client.thread));
        connections_await_sleepers(1);
        mproc_interrupt();
        plat_thread_join(client.thread);
        CHECK_EQ(client.status, MPROC_INTERRUPTED);
        CHECK(client.connection == NULL && mproc_interrupted());
        mproc_listener_free((mproc_listener *)(uintptr_t)client.listener);
    }
}

/* Also one that says something first. */
static void case_listener_that_ends_ends_a_client(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        if (!listener) continue;
        for (int i = 0; i < 2; i++) {
            one_client client = {.listener = listener};
            mproc_connection *accepted;
            CHECK_OK(plat_thread_start(proves_it, &client, &client.thread));
            accepted = listening_accept(listener);
            if (i > 0) connections_write_raw(accepted, "\xff\xff\xff\xfe", 4);
            mproc_connection_free(accepted);
            plat_thread_join(client.thread);
            CHECK_EQ(client.status, i > 0 ? MPROC_AUTHENTICATION : MPROC_END);
        }
        mproc_listener_free(listener);
    }
}

/* As listening_setup(); what proves keys is loaded. */
static void keys_setup(void)
{
    mproc_listener *listener;

    listening_setup();
    listener = listening_create_with(LISTENING_PRIVATE, &(mproc_listener_options){.authkey = KEY});
    mproc_listener_free(listener);
}

CHECK_SUITE_SETUP(clients, keys_setup,
    /* What they have waited by stays for others. */
    CASE_WITH(all_who_have_come_at_once_are_accepted, .leaves = CHECK_HANDLES),
    CASE(interrupt_ends_a_client),
    CASE(listener_that_ends_ends_a_client),
);
