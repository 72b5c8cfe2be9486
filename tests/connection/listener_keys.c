/* Listeners with a key: who is accepted, and that those who are not delay nobody and end nothing. */
#include "connection/listening.h"

#include <stdio.h>

#include "logged.h"

#define KEY mproc_bytes("a key of the case", 17)

static mproc_listener *create(int kind)
{
    return listening_create_with(kind, &(mproc_listener_options){.authkey = KEY});
}

/* As listening_setup(); what proves keys is loaded. */
static void keys_setup(void)
{
    mproc_listener *listener;

    listening_setup();
    listener = create(LISTENING_PRIVATE);
    mproc_listener_free(listener);
}

static mproc_status connect_with(const mproc_listener *listener, mproc_value key, int64_t timeout_ms,
                                 mproc_connection **client)
{
    return mproc_client(mproc_listener_address(listener), &(mproc_client_options){.authkey = key}, client,
                        timeout_ms);
}

/* A client that has the key, accepted by the thread; both are closed then. */
static void check_accepts(one_accept *accept)
{
    mproc_connection *client = NULL;

    CHECK_OK(connect_with(accept->listener, KEY, check_limit_ms(), &client));
    connections_send_int(client, 7); /* right behind the proof */
    listening_end(accept);
    CHECK_OK(accept->status);
    CHECK_EQ(connections_recv_int(accept->connection), 7);
    connections_send_int(accept->connection, 8);
    CHECK_EQ(connections_recv_int(client), 8);
    mproc_connection_free(client);
    mproc_connection_free(accept->connection);
}

static bool have_been_refused(void *context)
{
    const void *const *both = context;

    return mproc_listener_refused((mproc_listener *)(uintptr_t)both[0]) >= (uint64_t)(uintptr_t)both[1];
}

static void await_refused(const mproc_listener *listener, int count)
{
    const void *both[2] = {listener, (const void *)(uintptr_t)count};

    CHECK_WAIT_UNTIL(have_been_refused, both);
}

/* The same where nobody else accepts. */
static void await_refused_by_tries(mproc_listener *listener, uint64_t count)
{
    mproc_connection *accepted = NULL;

    while (mproc_listener_refused(listener) < count)
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, 0), MPROC_TIMEOUT);
}

static void check_why(const mproc_listener *listener, int kind, const char *part)
{
    char why[MPROC_REFUSED_BYTES];

    mproc_listener_last_refused((mproc_listener *)(uintptr_t)listener, why);
    CHECK_CONTAINS(why, part);
    if (listening_is_tcp(kind)) CHECK(strncmp(why, "tcp:", 4) == 0);
    else CHECK(strstr(why, "tcp:") == NULL);
}

/* ---- who is accepted ------------------------------------------------------------------------------ */

static void case_client_with_the_key_is_accepted(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = create(kind), .timeout_ms = MPROC_FOREVER};
        if (!accept.listener) continue;
        for (int i = 0; i < 3; i++) {
            accept.begun = accept.ended = 0;
            listening_begin(&accept);
            if (i > 0) connections_await_sleepers(1);
            check_accepts(&accept);
        }
        CHECK_EQ(mproc_listener_refused(accept.listener), 0);
        mproc_listener_free(accept.listener);
    }
}

static void case_keys_are_text_or_bytes_and_may_be_empty(void)
{
    const mproc_value keys[3][2] = {{mproc_string("same"), mproc_bytes("same", 4)},
                                    {mproc_bytes("same", 4), mproc_string("same")},
                                    {mproc_bytes("", 0), mproc_string("")}};
    mproc_listener *listener = NULL;
    mproc_connection *client = NULL;

    for (int i = 0; i < 3; i++) {
        one_accept accept = {.timeout_ms = MPROC_FOREVER};
        accept.listener = listening_create_with(LISTENING_PRIVATE, &(mproc_listener_options){.authkey = keys[i][0]});
        listening_begin(&accept);
        CHECK_OK(connect_with(accept.listener, keys[i][1], check_limit_ms(), &client));
        listening_end(&accept);
        CHECK_OK(accept.status);
        mproc_connection_free(client);
        mproc_connection_free(accept.connection);
        mproc_listener_free(accept.listener);
    }
    client = NULL;
    CHECK_STATUS(mproc_listener_create(NULL, &(mproc_listener_options){.authkey = mproc_int(1)}, &listener),
                 MPROC_INVALID);
    CHECK_STATUS(mproc_listener_create(NULL, &(mproc_listener_options){.authkey_timeout_ms = -1}, &listener),
                 MPROC_INVALID);
    CHECK_STATUS(mproc_client("tcp:127.0.0.1:1", &(mproc_client_options){.authkey = mproc_int(1)}, &client, 0),
                 MPROC_INVALID);
}

static void case_wrong_key_is_refused_on_both_sides(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = create(kind), .timeout_ms = MPROC_FOREVER};
        mproc_connection *client = NULL;
        if (!accept.listener) continue;
        listening_begin(&accept);
        CHECK_STATUS(connect_with(accept.listener, mproc_string("a wrong key"), check_limit_ms(), &client),
                     MPROC_AUTHENTICATION);
        CHECK(client == NULL);
        await_refused(accept.listener, 1);
        check_why(accept.listener, kind, "another authkey");
        check_accepts(&accept);
        CHECK_EQ(mproc_listener_refused(accept.listener), 1);
        mproc_listener_free(accept.listener);
    }
}

/* The one gets the challenge as a message; the other waits for a challenge that never comes. */
static void case_side_without_a_key_does_not_get_in(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = create(kind);
        mproc_connection *client, *accepted = NULL;
        mproc_value value = mproc_nil();
        if (!listener) continue;
        client = listening_connect(listener);
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, 20), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_connection_recv(client, &value, check_limit_ms()), MPROC_INVALID);
        CHECK_OK(mproc_connection_send(client, mproc_int(1), check_limit_ms()));
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, 20), MPROC_TIMEOUT);
        CHECK_EQ(mproc_listener_refused(listener), 1);
        mproc_connection_free(client);
        mproc_listener_free(listener);

        listener = listening_create(kind);
        client = NULL;
        CHECK_STATUS(connect_with(listener, KEY, 50, &client), MPROC_TIMEOUT);
        CHECK(client == NULL);
        mproc_listener_free(listener);
    }
}

static void case_who_is_refused_is_said_with_the_reason(void)
{
    const mproc_listener_options impatient = {.authkey = KEY, .authkey_timeout_ms = 20};
    one_accept accept = {.listener = create(LISTENING_TCP), .timeout_ms = MPROC_FOREVER};
    mproc_connection *client = NULL;

    logged_begin(MPROC_LOG_WARNING);
    listening_begin(&accept);
    CHECK_STATUS(connect_with(accept.listener, mproc_string("a wrong key"), check_limit_ms(), &client),
                 MPROC_AUTHENTICATION);
    CHECK_LOGGED("[WARNING/MainProcess] a client at tcp:127.0.0.1:");
    CHECK_LOGGED(" was refused: ");
    check_accepts(&accept);
    mproc_listener_free(accept.listener);
    accept =
        (one_accept){.listener = listening_create_with(LISTENING_PRIVATE, &impatient), .timeout_ms = MPROC_FOREVER};
    listening_begin(&accept);
    client = listening_connect(accept.listener);
    CHECK_LOGGED("] a client was refused: the time limit passed in the middle of the handshake");
    mproc_connection_free(client);
    mproc_listener_close(accept.listener);
    listening_end(&accept);
    logged_end();
    mproc_listener_free(accept.listener);
}

/* ---- who says nothing, or nonsense ---------------------------------------------------------------- */

/* More of them than are kept: those that came first are dropped, though nobody is out of time. */
static void case_silent_clients_delay_nobody(void)
{
    enum { BACKLOG = 128, SILENT = 64 + BACKLOG + 6 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        const mproc_listener_options options = {.authkey = KEY, .backlog = BACKLOG};
        one_accept accept = {.listener = listening_create_with(kind, &options), .timeout_ms = MPROC_FOREVER};
        mproc_connection *silent[SILENT];
        if (!accept.listener) continue;
        listening_begin(&accept);
        for (int i = 0; i < SILENT; i++) silent[i] = listening_connect(accept.listener);
        check_accepts(&accept);
        CHECK(mproc_listener_refused(accept.listener) >= SILENT - 64 - BACKLOG);
        for (int i = 0; i < SILENT; i++) mproc_connection_free(silent[i]);
        mproc_listener_free(accept.listener);
    }
}

static void case_silent_client_is_dropped_after_its_time(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        const mproc_listener_options options = {.authkey = KEY, .authkey_timeout_ms = 20};
        one_accept accept = {.listener = listening_create_with(kind, &options), .timeout_ms = MPROC_FOREVER};
        mproc_connection *silent;
        mproc_value value = mproc_nil();
        if (!accept.listener) continue;
        listening_begin(&accept);
        silent = listening_connect(accept.listener);
        await_refused(accept.listener, 1);
        CHECK_OK(mproc_connection_recv_bytes(silent, SIZE_MAX, &value, check_limit_ms())); /* the challenge */
        mproc_value_clear(&value);
        CHECK_STATUS(mproc_connection_recv(silent, &value, check_limit_ms()), MPROC_END);
        mproc_connection_free(silent);
        mproc_listener_close(accept.listener);
        listening_end(&accept);
        CHECK_EQ(accept.status, MPROC_CLOSED);
        mproc_listener_free(accept.listener);
    }
}

/* Nothing of it is a handshake; each costs its connection alone, and those that are not whole cost their time. */
static void case_nonsense_ends_nothing(void)
{
    static const char *const sent[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                       "GET / HTTP/1.0\r\n\r\n",
                                       "\0\0\1\1",
                                       "\0\0\0\7nothing",
                                       "\0\0\0\0",
                                       "\0\0\0\52{sha256}abcdefghijklmnopqrstuvwxyz01234567"};
    static const size_t sizes[] = {12, 18, 4, 11, 4, 46};
    enum { ALL = 6 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = create(kind), .timeout_ms = MPROC_FOREVER};
        mproc_connection *clients[ALL], *halves[2];
        if (!accept.listener) continue;
        listening_begin(&accept);
        for (int i = 0; i < ALL; i++) {
            clients[i] = listening_connect(accept.listener);
            connections_write_raw(clients[i], sent[i], sizes[i]);
        }
        for (int i = 0; i < 2; i++) {
            halves[i] = listening_connect(accept.listener);
            connections_write_raw(halves[i], "\0\0\0\7half", i ? 2 : 8);
        }
        for (int i = 0; i < 10; i++) mproc_connection_free(listening_connect(accept.listener));
        await_refused(accept.listener, ALL + 10);
        CHECK_EQ(mproc_listener_refused(accept.listener), ALL + 10);
        check_accepts(&accept);
        for (int i = 0; i < ALL; i++) mproc_connection_free(clients[i]);
        for (int i = 0; i < 2; i++) mproc_connection_free(halves[i]);
        mproc_listener_free(accept.listener);
    }
}

static void connects_and_goes(void *argument)
{
    one_accept *other = argument;

    while (atomic_load(&other->ended) == 0) mproc_connection_free(listening_connect(other->listener));
}

/* Whoever comes and goes all the time keeps no accept beyond its limit. */
static void case_flood_of_clients_does_not_outlast_the_limit(void)
{
    one_accept accept = {.listener = create(LISTENING_PRIVATE), .timeout_ms = 30};
    plat_thread *flood[2];

    for (int i = 0; i < 2; i++) CHECK_OK(plat_thread_start(connects_and_goes, &accept, &flood[i]));
    await_refused_by_tries(accept.listener, 10);
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(mproc_listener_accept(accept.listener, &accept.connection, 30), MPROC_TIMEOUT);
    atomic_store(&accept.ended, 1);
    for (int i = 0; i < 2; i++) {
        while (mproc_listener_accept(accept.listener, &accept.connection, 0) == MPROC_OK) {
        }
        plat_thread_join(flood[i]);
    }
    mproc_listener_free(accept.listener);
}

/* ---- why somebody was refused --------------------------------------------------------------------- */

static void case_last_one_who_was_refused_is_told_of(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        const mproc_listener_options impatient = {.authkey = KEY, .authkey_timeout_ms = 20};
        one_accept accepts[2] = {{.listener = listening_create_with(kind, &impatient), .timeout_ms = MPROC_FOREVER}};
        mproc_connection *client = NULL;
        char why[MPROC_REFUSED_BYTES] = "x";
        if (!accepts[0].listener) continue;
        mproc_listener_last_refused(accepts[0].listener, why);
        CHECK_STRING(why, "");
        listening_begin(&accepts[0]);
        client = listening_connect(accepts[0].listener);
        await_refused(accepts[0].listener, 1);
        check_why(accepts[0].listener, kind, "time limit");
        mproc_connection_free(client);
        mproc_listener_close(accepts[0].listener);
        accepts[1] = (one_accept){.listener = create(kind), .timeout_ms = MPROC_FOREVER};
        listening_begin(&accepts[1]);
        mproc_connection_free(listening_connect(accepts[1].listener));
        await_refused(accepts[1].listener, 1);
        check_why(accepts[1].listener, kind, "ended");
        client = listening_connect(accepts[1].listener);
        connections_write_raw(client, "\0\0\0\5hello", 9);
        await_refused(accepts[1].listener, 2);
        check_why(accepts[1].listener, kind, "something else than a proof");
        mproc_connection_free(client);
        mproc_listener_close(accepts[1].listener);
        for (int i = 0; i < 2; i++) {
            listening_end(&accepts[i]);
            mproc_listener_free(accepts[i].listener);
        }
    }
}

static void closes_the_listener(const mproc_log_line *line, void *context) MPROC_NOEXCEPT_
{
    (void)line;
    mproc_listener_close(context);
}

/* A server that gives up when somebody tries a key. */
static void case_log_handler_may_close_the_listener(void)
{
    one_accept accept = {.listener = create(LISTENING_PRIVATE), .timeout_ms = MPROC_FOREVER};

    mproc_log_set_level(MPROC_LOG_WARNING);
    mproc_log_set_handler(closes_the_listener, accept.listener);
    listening_begin(&accept);
    mproc_connection_free(listening_connect(accept.listener));
    listening_end(&accept);
    CHECK_EQ(accept.status, MPROC_CLOSED);
    mproc_log_set_handler(NULL, NULL);
    mproc_listener_free(accept.listener);
}

/* ---- several at once ------------------------------------------------------------------------------ */

static mproc_status connects(mproc_call *call)
{
    mproc_connection *server = NULL;
    const char *address;
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &address, &number));
    CHECK_OK(mproc_client(address, &(mproc_client_options){.authkey = KEY}, &server, check_limit_ms()));
    connections_send_int(server, number);
    CHECK_EQ(connections_recv_int(server), number + 1);
    mproc_connection_free(server);
    return MPROC_OK;
}

static void case_several_processes_are_accepted_by_several_threads(void)
{
    enum { CLIENTS = 4 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = create(kind);
        mproc_process *children[CLIENTS];
        one_accept accepts[CLIENTS];
        int64_t all = 0;
        if (!listener) continue;
        for (int i = 0; i < CLIENTS; i++) {
            children[i] = connections_start(connects, MPROC_ARGS(mproc_listener_address(listener), 1 << i));
            accepts[i] = (one_accept){.listener = listener, .timeout_ms = MPROC_FOREVER};
            listening_begin(&accepts[i]);
        }
        for (int i = 0; i < CLIENTS; i++) {
            int64_t number;
            listening_end(&accepts[i]);
            CHECK_OK(accepts[i].status);
            all += number = connections_recv_int(accepts[i].connection);
            connections_send_int(accepts[i].connection, number + 1);
            mproc_connection_free(accepts[i].connection);
        }
        CHECK_EQ(all, (1 << CLIENTS) - 1);
        for (int i = 0; i < CLIENTS; i++) CHECK_EXITED(children[i], 0);
        mproc_listener_free(listener);
    }
}

/* Whoever waits by the handle alone, and only tries when that is ready, gets the client in the end. */
static void case_handle_is_ready_for_each_step(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = create(kind);
        mproc_connection *accepted = NULL, *silent;
        mproc_process *child;
        plat_handle handle;
        intptr_t number;
        mproc_status status;
        int ready;
        if (!listener) continue;
        silent = listening_connect(listener);
        CHECK_OK(mproc_listener_handle(listener, &number));
        handle = (plat_handle)number;
        child = connections_start(connects, MPROC_ARGS(mproc_listener_address(listener), 1));
        do {
            CHECK_OK(plat_handle_wait(&handle, 1, PLAT_FOREVER, &ready));
            status = mproc_listener_accept(listener, &accepted, 0);
        } while (status == MPROC_TIMEOUT);
        CHECK_OK(status);
        connections_send_int(accepted, connections_recv_int(accepted) + 1);
        CHECK_EXITED(child, 0);
        mproc_connection_free(accepted);
        mproc_connection_free(silent);
        mproc_listener_free(listener);
    }
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void case_closing_drops_who_has_not_proved_it(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = create(kind), .timeout_ms = MPROC_FOREVER};
        mproc_connection *silent;
        mproc_value value = mproc_nil();
        if (!accept.listener) continue;
        listening_begin(&accept);
        silent = listening_connect(accept.listener);
        CHECK_OK(mproc_connection_recv_bytes(silent, SIZE_MAX, &value, check_limit_ms()));
        mproc_value_clear(&value);
        mproc_interrupt();
        listening_end(&accept);
        CHECK_EQ(accept.status, MPROC_INTERRUPTED);
        CHECK(mproc_interrupted());
        CHECK_STATUS(mproc_connection_poll(silent, 0), MPROC_TIMEOUT); /* it is kept */
        mproc_listener_free(accept.listener);
        CHECK_STATUS(mproc_connection_recv(silent, &value, check_limit_ms()), MPROC_END);
        mproc_connection_free(silent);
    }
}

static void case_client_that_is_killed_meanwhile_is_dropped(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = create(kind);
        one_accept accept = {.listener = listener, .timeout_ms = MPROC_FOREVER};
        mproc_process *child;
        if (!listener) continue;
        child = connections_start(connects, MPROC_ARGS(mproc_listener_address(listener), 1));
        CHECK_OK(mproc_process_kill(child)); /* anywhere on its way */
        CHECK_ENDED_BY(child, 9);
        listening_begin(&accept);
        check_accepts(&accept);
        mproc_listener_free(listener);
    }
}

CHECK_SUITE_SETUP(listener_keys, keys_setup,
    CASE(client_with_the_key_is_accepted),
    CASE(keys_are_text_or_bytes_and_may_be_empty),
    CASE(wrong_key_is_refused_on_both_sides),
    CASE(side_without_a_key_does_not_get_in),
    CASE(who_is_refused_is_said_with_the_reason),
    CASE(silent_clients_delay_nobody),
    CASE(silent_client_is_dropped_after_its_time),
    CASE(nonsense_ends_nothing),
    CASE(flood_of_clients_does_not_outlast_the_limit),
    CASE(last_one_who_was_refused_is_told_of),
    CASE(log_handler_may_close_the_listener),
    CASE(several_processes_are_accepted_by_several_threads),
    CASE(handle_is_ready_for_each_step),
    CASE(closing_drops_who_has_not_proved_it),
    CASE(client_that_is_killed_meanwhile_is_dropped),
);
