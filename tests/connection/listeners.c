/* Listeners: addresses, who is accepted, limits, closing; by each kind of address that the system has. */
#include "connection/listening.h"

#include <stdio.h>

/* ---- addresses ---------------------------------------------------------------------------------- */

static void case_same_address_twice_is_refused_until_the_first_is_closed(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *first = listening_create(kind), *second = NULL;
        char address[MPROC_ADDRESS_BYTES];
        if (!first) continue;
        snprintf(address, sizeof address, "%s", mproc_listener_address(first));
        CHECK_SAYS(mproc_listener_create(address, NULL, &second), MPROC_EXISTS, "cannot listen");
        CHECK(second == NULL);
        mproc_listener_close(first);
        if (kind != LISTENING_PRIVATE) { /* its folder is gone */
            CHECK_OK(mproc_listener_create(address, NULL, &second));
            mproc_listener_free(second);
        }
        mproc_listener_free(first);
    }
}

static void case_text_that_is_no_address_is_refused(void)
{
    static const char *const listeners[] = {"",
                                            "tcp",
                                            "tcp:",
                                            "tcp::1",
                                            "tcp:1.2.3.4",
                                            "tcp:1.2.3.4:",
                                            "tcp:1.2.3.4:65536",
                                            "tcp:1.2.3.4:123456",
                                            "tcp:1.2.3.4:-1",
                                            "tcp:1.2.3.4: 1",
                                            "tcp:::1:1",
                                            "tcp:[::1:1",
                                            "tcp:[]:1",
                                            "tcp:[:1",
                                            "tcp:]:1x",
                                            "unix:",
                                            "unix:@",
                                            "\\\\.\\pipe\\",
                                            "/tmp/x",
                                            "127.0.0.1:5000",
                                            "udp:127.0.0.1:1",
                                            "TCP:127.0.0.1:1"};
    static const char *const clients[] = {"tcp:127.0.0.1:0", "", "nothing"};
    char longest[MPROC_ADDRESS_BYTES + 100];
    mproc_listener *listener = NULL;
    mproc_connection *client = NULL;

    for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++)
        CHECK_SAYS(mproc_listener_create(listeners[i], NULL, &listener), MPROC_INVALID, "is no address");
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        CHECK_SAYS(mproc_client(clients[i], NULL, &client, MPROC_FOREVER), MPROC_INVALID, "is no address");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "unix:", 5);
    CHECK_SAYS(mproc_listener_create(longest, NULL, &listener), MPROC_INVALID, "too long");
    memcpy(longest, "tcp:x", 5);
    memcpy(longest + sizeof longest - 4, ":80", 4);
    CHECK_SAYS(mproc_client(longest, NULL, &client, 0), MPROC_INVALID, "too long");
    CHECK_STATUS(mproc_listener_create(NULL, NULL, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_listener_create(NULL, &(mproc_listener_options){.backlog = -1}, &listener), MPROC_INVALID);
    CHECK_STATUS(mproc_client(NULL, NULL, &client, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_client("tcp:127.0.0.1:1", NULL, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_client("tcp:127.0.0.1:1", NULL, &client, -1), MPROC_INVALID);
}

/* A system has all kinds but one, or two. */
static void case_addresses_of_another_system_are_refused(void)
{
    static const char *const addresses[] = {"unix:/tmp/mproc-is-not-here/x", "\\\\.\\pipe\\mproc-is-not-here"};
    mproc_listener *listener = NULL;
    mproc_connection *client = NULL;
    int refused = 0;

    for (int i = 0; i < 2; i++) {
        if (mproc_client(addresses[i], NULL, &client, 100) != MPROC_NOT_SUPPORTED) continue;
        CHECK_SAYS(mproc_listener_create(addresses[i], NULL, &listener), MPROC_NOT_SUPPORTED, "use");
        CHECK_SAYS(mproc_client(addresses[i], NULL, &client, 100), MPROC_NOT_SUPPORTED, "use");
        refused++;
    }
    CHECK_EQ(refused, 1);
}

static void case_address_says_what_clients_connect_to(void)
{
    static const char *const begins[] = {"", "tcp:127.0.0.1:", "tcp:[::1]:", "unix:@mproc-test-",
                                         "\\\\.\\pipe\\mproc-test-"};

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        const char *address;
        char from[MPROC_ADDRESS_BYTES] = "x";
        ends pair;
        if (!listener) continue;
        address = mproc_listener_address(listener);
        CHECK(strncmp(address, begins[kind], strlen(begins[kind])) == 0);
        CHECK(strcmp(address + strlen(address) - 2, ":0") != 0);
        mproc_listener_last_accepted(listener, from);
        CHECK_STRING(from, "");
        pair = listening_pair(listener);
        mproc_listener_last_accepted(listener, from);
        if (!listening_is_tcp(kind)) CHECK_STRING(from, "");
        else CHECK(strncmp(from, begins[kind], strlen(begins[kind])) == 0 && strcmp(from, address) != 0);
        connections_free(&pair);
        mproc_listener_close(listener);
        CHECK(strncmp(mproc_listener_address(listener), begins[kind], strlen(begins[kind])) == 0);
        mproc_listener_free(listener);
    }
}

static void case_host_may_be_a_name(void)
{
    mproc_listener *listener = NULL;
    mproc_connection *client = NULL;
    ends pair;

    CHECK_OK(mproc_listener_create("tcp:localhost:0", NULL, &listener));
    CHECK_CONTAINS(mproc_listener_address(listener), "tcp:127.0.0.1:");
    pair = listening_pair(listener);
    connections_free(&pair);
    mproc_listener_free(listener);
    CHECK_STATUS(mproc_client("tcp:this.host.is.invalid:80", NULL, &client, check_limit_ms()), MPROC_NOT_FOUND);
}

/* Its address is one to connect to. */
static void case_listener_at_all_networks_is_reached_by_its_address(void)
{
    static const char *const addresses[] = {"tcp:0.0.0.0:0", "tcp:[::]:0"};

    for (int i = 0; i < 2; i++) {
        mproc_listener *listener = NULL;
        mproc_status status = mproc_listener_create(addresses[i], NULL, &listener);
        ends pair;
        if (i > 0 && status == MPROC_NOT_FOUND) continue; /* there is no IPv6 */
        CHECK_OK(status);
        pair = listening_pair(listener);
        connections_free(&pair);
        mproc_listener_free(listener);
    }
}

static void case_nobody_listens(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        char address[MPROC_ADDRESS_BYTES];
        mproc_connection *client = NULL;
        if (!listener) continue;
        snprintf(address, sizeof address, "%s", mproc_listener_address(listener));
        mproc_listener_free(listener);
        CHECK_SAYS(mproc_client(address, NULL, &client, check_limit_ms()), MPROC_NOT_FOUND, "cannot connect to");
        CHECK(client == NULL);
    }
}

/* ---- who is accepted ------------------------------------------------------------------------------ */

static void case_connections_go_both_ways(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        mproc_value value = mproc_nil();
        if (!pair.first) continue;
        CHECK(mproc_connection_readable(pair.first) && mproc_connection_writable(pair.second));
        for (int i = 0; i < 3; i++) {
            connections_send_int(pair.first, i);
            connections_send_int(pair.second, i + 10);
            CHECK_EQ(connections_recv_int(pair.second), i);
            CHECK_EQ(connections_recv_int(pair.first), i + 10);
        }
        CHECK_OK(mproc_connection_send_bytes(pair.first, "", 0, check_limit_ms()));
        CHECK_OK(mproc_connection_poll(pair.second, check_limit_ms()));
        connections_check_text(pair.second, "");
        mproc_connection_close(pair.first);
        CHECK_STATUS(mproc_connection_recv(pair.second, &value, check_limit_ms()), MPROC_END);
        connections_free(&pair);
    }
}

static void case_what_a_client_sent_and_left_is_received(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *client, *accepted;
        mproc_value value = mproc_nil();
        if (!listener) continue;
        client = listening_connect(listener);
        CHECK_OK(mproc_connection_send_bytes(client, "early", 5, check_limit_ms()));
        mproc_connection_free(client);
        accepted = listening_accept(listener);
        CHECK_OK(mproc_connection_poll(accepted, check_limit_ms()));
        connections_check_text(accepted, "early");
        CHECK_STATUS(mproc_connection_recv(accepted, &value, check_limit_ms()), MPROC_END);
        mproc_connection_free(accepted);
        mproc_listener_free(listener);
    }
}

static void case_clients_wait_for_who_accepts_them(void)
{
    enum { CLIENTS = 5 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *clients[CLIENTS];
        int64_t all = 0;
        if (!listener) continue;
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = listening_connect(listener);
            connections_send_int(clients[i], 1 << i);
        }
        for (int i = 0; i < CLIENTS; i++) {
            mproc_connection *accepted = listening_accept(listener);
            all += connections_recv_int(accepted);
            mproc_connection_free(accepted);
        }
        CHECK_EQ(all, (1 << CLIENTS) - 1);
        for (int i = 0; i < CLIENTS; i++) mproc_connection_free(clients[i]);
        mproc_listener_free(listener);
    }
}

/* A process that looks whether something listens, and says nothing. */
static void case_probes_do_not_end_the_listener(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_value value = mproc_nil();
        ends pair;
        if (!listener) continue;
        for (int i = 0; i < 10; i++) mproc_connection_free(listening_connect(listener));
        for (int i = 0; i < 10; i++) {
            mproc_connection *accepted = listening_accept(listener);
            CHECK_STATUS(mproc_connection_recv(accepted, &value, check_limit_ms()), MPROC_END);
            mproc_connection_free(accepted);
        }
        pair = listening_pair(listener);
        connections_send_int(pair.first, 3);
        CHECK_EQ(connections_recv_int(pair.second), 3);
        connections_free(&pair);
        mproc_listener_free(listener);
    }
}

/* What is no message costs its connection alone. */
static void case_garbage_breaks_its_connection_alone(void)
{
    static const char *const sent[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "GET / HTTP/1.0\r\n\r\n",
                                       "\x80\0\0\0\0\0\0\0\0\0\0\0", "\0\0\0\7half"};
    static const size_t sizes[] = {12, 18, 12, 8};

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_value value = mproc_nil();
        ends pair;
        if (!listener) continue;
        for (int i = 0; i < 4; i++) {
            pair = listening_pair(listener);
            connections_write_raw(pair.first, sent[i], sizes[i]);
            mproc_connection_close(pair.first);
            CHECK_STATUS(mproc_connection_recv_bytes(pair.second, 1000, &value, check_limit_ms()),
                         i == 1 ? MPROC_TOO_LONG : MPROC_BROKEN);
            connections_free(&pair);
        }
        pair = listening_pair(listener);
        connections_send_int(pair.first, 3);
        CHECK_EQ(connections_recv_int(pair.second), 3);
        connections_free(&pair);
        mproc_listener_free(listener);
    }
}

static void case_thousands_are_accepted_and_dropped_in_a_row(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        int many = check_many(kind == LISTENING_PRIVATE ? 10000 : 1000, 100); /* ports of TCP rest for a minute */
        if (!listener) continue;
        for (int i = 0; i < many; i++) {
            ends pair = listening_pair(listener);
            connections_free(&pair);
        }
        mproc_listener_free(listener);
    }
}

/* ---- limits, interrupts, closing ------------------------------------------------------------------ */

static void case_no_client_comes_within_the_limit(void)
{
    static const int64_t limits[] = {0, 1, 30};

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *accepted = NULL;
        if (!listener) continue;
        for (int i = 0; i < 3; i++)
            CHECK_SAYS(mproc_listener_accept(listener, &accepted, limits[i]), MPROC_TIMEOUT, "no client came");
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, -1), MPROC_INVALID);
        CHECK_STATUS(mproc_listener_accept(listener, NULL, 0), MPROC_INVALID);
        CHECK(accepted == NULL);
        mproc_listener_free(listener);
    }
}

static void case_accept_that_waits_gets_the_client(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = listening_create(kind), .timeout_ms = MPROC_FOREVER};
        mproc_connection *client;
        if (!accept.listener) continue;
        listening_begin(&accept);
        connections_await_sleepers(1);
        client = listening_connect(accept.listener);
        listening_end(&accept);
        CHECK_OK(accept.status);
        connections_send_int(client, 4);
        CHECK_EQ(connections_recv_int(accept.connection), 4);
        mproc_connection_free(client);
        mproc_connection_free(accept.connection);
        mproc_listener_free(accept.listener);
    }
}

static void case_threads_that_accept_get_one_client_each(void)
{
    enum { THREADS = 4 };

    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        one_accept accepts[THREADS];
        mproc_connection *clients[THREADS];
        int64_t all = 0;
        if (!listener) continue;
        for (int i = 0; i < THREADS; i++) {
            accepts[i] = (one_accept){.listener = listener, .timeout_ms = MPROC_FOREVER};
            listening_begin(&accepts[i]);
        }
        connections_await_sleepers(THREADS);
        for (int i = 0; i < THREADS; i++) {
            clients[i] = listening_connect(listener);
            connections_send_int(clients[i], 1 << i);
        }
        for (int i = 0; i < THREADS; i++) {
            listening_end(&accepts[i]);
            CHECK_OK(accepts[i].status);
            all += connections_recv_int(accepts[i].connection);
            mproc_connection_free(accepts[i].connection);
        }
        CHECK_EQ(all, (1 << THREADS) - 1);
        for (int i = 0; i < THREADS; i++) mproc_connection_free(clients[i]);
        mproc_listener_free(listener);
    }
}

static void case_interrupt_ends_an_accept(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        one_accept accept = {.listener = listening_create(kind), .timeout_ms = MPROC_FOREVER};
        ends pair;
        if (!accept.listener) continue;
        listening_begin(&accept);
        connections_await_sleepers(1);
        mproc_interrupt();
        listening_end(&accept);
        CHECK_EQ(accept.status, MPROC_INTERRUPTED);
        CHECK(mproc_interrupted()); /* it is this thread's as well */
        pair = listening_pair(accept.listener);
        connections_free(&pair);
        mproc_listener_free(accept.listener);
    }
}

static void case_closing_ends_all_that_accept(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        one_accept accepts[2];
        mproc_connection *accepted = NULL;
        intptr_t handle = 0;
        if (!listener) continue;
        for (int i = 0; i < 2; i++) {
            accepts[i] = (one_accept){.listener = listener, .timeout_ms = MPROC_FOREVER};
            listening_begin(&accepts[i]);
        }
        connections_await_sleepers(2);
        CHECK(!mproc_listener_closed(listener));
        mproc_listener_close(listener);
        for (int i = 0; i < 2; i++) {
            listening_end(&accepts[i]);
            CHECK_EQ(accepts[i].status, MPROC_CLOSED);
        }
        mproc_listener_close(listener);
        CHECK(mproc_listener_closed(listener));
        CHECK_SAYS(mproc_listener_accept(listener, &accepted, MPROC_FOREVER), MPROC_CLOSED,
                   "has closed the listener");
        CHECK_STATUS(mproc_listener_handle(listener, &handle), MPROC_CLOSED);
        mproc_listener_free(listener);
    }
    mproc_listener_free(NULL);
}

/* A client that nobody accepts is told, and connections that were accepted stay. */
static void case_closing_turns_away_who_was_not_accepted(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *client;
        mproc_value value = mproc_nil();
        ends pair;
        if (!listener) continue;
        pair = listening_pair(listener);
        client = listening_connect(listener);
        mproc_listener_free(listener);
        CHECK_STATUS(mproc_connection_recv(client, &value, check_limit_ms()), MPROC_END);
        mproc_connection_free(client);
        connections_send_int(pair.second, 8);
        CHECK_EQ(connections_recv_int(pair.first), 8);
        connections_free(&pair);
    }
}

static void case_handle_is_ready_when_a_client_is_there(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        mproc_listener *listener = listening_create(kind);
        intptr_t number = 0;
        plat_handle handle;
        int ready;
        mproc_connection *accepted = NULL;
        ends pair;
        if (!listener) continue;
        CHECK_OK(mproc_listener_handle(listener, &number));
        CHECK_STATUS(mproc_listener_handle(listener, NULL), MPROC_INVALID);
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, 0), MPROC_TIMEOUT); /* what may be set is looked at */
        handle = (plat_handle)number;
        CHECK_STATUS(plat_handle_wait(&handle, 1, 0, &ready), MPROC_TIMEOUT);
        for (int i = 0; i < 3; i++) {
            mproc_connection *clients[2] = {listening_connect(listener), listening_connect(listener)};
            for (int k = 0; k < 2; k++) {
                CHECK_OK(plat_handle_wait(&handle, 1, PLAT_FOREVER, &ready));
                pair = (ends){clients[k], listening_accept(listener)};
                connections_free(&pair);
            }
            CHECK_STATUS(mproc_listener_accept(listener, &accepted, 0), MPROC_TIMEOUT);
            CHECK_STATUS(plat_handle_wait(&handle, 1, 0, &ready), MPROC_TIMEOUT);
        }
        mproc_listener_free(listener);
    }
}

CHECK_SUITE_SETUP(listeners, listening_setup,
    CASE(same_address_twice_is_refused_until_the_first_is_closed),
    CASE(text_that_is_no_address_is_refused),
    CASE(addresses_of_another_system_are_refused),
    CASE(address_says_what_clients_connect_to),
    CASE(host_may_be_a_name),
    CASE(listener_at_all_networks_is_reached_by_its_address),
    CASE(nobody_listens),
    CASE(connections_go_both_ways),
    CASE(what_a_client_sent_and_left_is_received),
    CASE(clients_wait_for_who_accepts_them),
    CASE(probes_do_not_end_the_listener),
    CASE(garbage_breaks_its_connection_alone),
    CASE_LIMIT(thousands_are_accepted_and_dropped_in_a_row, 60),
    CASE(no_client_comes_within_the_limit),
    CASE(accept_that_waits_gets_the_client),
    CASE(threads_that_accept_get_one_client_each),
    CASE(interrupt_ends_an_accept),
    CASE(closing_ends_all_that_accept),
    CASE(closing_turns_away_who_was_not_accepted),
    CASE(handle_is_ready_when_a_client_is_there),
);
