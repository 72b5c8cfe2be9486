/*
 * Waits: time limits, interrupts, closing meanwhile, several threads; and what becomes of messages that are under
 * way.
 */
#include "connection/connections.h"

#include <stdlib.h>

enum { LARGE = 8 << 20 };

static unsigned char *large_bytes(void)
{
    unsigned char *bytes = malloc(LARGE);

    CHECK(bytes != NULL);
    connections_fill(bytes, LARGE, 5);
    return bytes;
}

static void check_large(mproc_connection *connection)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_recv_bytes(connection, LARGE, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_size(value), LARGE);
    CHECK(connections_is_filled(mproc_value_bytes(value), LARGE, 5));
    mproc_value_clear(&value);
}

/* Messages of this size until the system takes no more; returns how many. */
static int fill_up(mproc_connection *connection, size_t size)
{
    unsigned char *bytes = calloc(1, size);
    int count = 0;
    mproc_status status;

    CHECK(bytes != NULL);
    while ((status = mproc_connection_send_bytes(connection, bytes, size, 0)) == MPROC_OK) count++;
    CHECK_EQ(status, MPROC_TIMEOUT);
    free(bytes);
    return count;
}

/* ---- limits ------------------------------------------------------------------------------------- */

static void case_nothing_comes_within_the_limit(void)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();
    static const int64_t limits[] = {0, 1, 30};

    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(mproc_connection_poll(pipe.first, limits[i]), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_connection_recv(pipe.first, &value, limits[i]), MPROC_TIMEOUT);
        CHECK_SAYS(mproc_connection_recv_bytes(pipe.first, 5, &value, limits[i]), MPROC_TIMEOUT, "no message");
    }
    connections_send_int(pipe.second, 1);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    connections_free(&pipe);
}

static void case_what_does_not_fit_in_time_was_not_sent(void)
{
    static const size_t sizes[] = {100, 1000, 16000};
    mproc_value value = mproc_nil();

    for (int i = 0; i < 3; i++) {
        ends pipe = connections_create(true);
        int count = fill_up(pipe.second, sizes[i]);
        unsigned char *bytes = calloc(1, sizes[i]);
        CHECK(count > 1 && bytes != NULL);
        CHECK_SAYS(mproc_connection_send_bytes(pipe.second, bytes, sizes[i], 20), MPROC_TIMEOUT, "took nothing");
        for (int received = 0; received < count; received++) {
            CHECK_OK(mproc_connection_recv_bytes(pipe.first, sizes[i], &value, 0));
            CHECK_EQ(mproc_value_size(value), sizes[i]);
            mproc_value_clear(&value);
        }
        CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
        connections_send_int(pipe.second, 4);
        CHECK_EQ(connections_recv_int(pipe.first), 4);
        free(bytes);
        connections_free(&pipe);
    }
}

static void case_large_message_out_of_time_breaks_sending(void)
{
    ends pipe = connections_create(false);
    unsigned char *bytes = large_bytes();
    mproc_value value = mproc_nil();

    CHECK_SAYS(mproc_connection_send_bytes(pipe.first, bytes, LARGE, 20), MPROC_BROKEN, "out of time");
    CHECK_SAYS(mproc_connection_send(pipe.first, mproc_int(1), MPROC_FOREVER), MPROC_BROKEN, "before");
    connections_send_int(pipe.second, 2);
    CHECK_EQ(connections_recv_int(pipe.first), 2);
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, LARGE, &value, 20), MPROC_TIMEOUT);
    mproc_connection_close(pipe.first);
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, LARGE, &value, MPROC_FOREVER), MPROC_BROKEN);
    free(bytes);
    connections_free(&pipe);
}

static void case_large_message_that_only_tries_is_sent_whole(void)
{
    ends pipe = connections_create(false);
    one_call sender = {.connection = pipe.first, .data = large_bytes(), .size = LARGE, .timeout_ms = 0};

    connections_begin(&sender, connections_sends);
    check_large(pipe.second);
    connections_end(&sender);
    CHECK_OK(sender.status);
    free(sender.data);
    connections_free(&pipe);
}

/* Half of it, then a call without patience, into one place and another; the last gets all of it. */
static void case_message_that_was_received_in_part_goes_on(void)
{
    ends pipe = connections_create(false);
    unsigned char bytes[5] = "";
    mproc_value value = mproc_nil();
    size_t size = 7;

    connections_write_raw(pipe.first, "\0\0\0\5ab", 6);
    CHECK_SAYS(mproc_connection_recv_bytes_into(pipe.second, bytes, 5, &size, 20), MPROC_TIMEOUT, "in part");
    CHECK_EQ(size, 7);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.second, bytes, 4, &size, 0), MPROC_TOO_LONG);
    CHECK_EQ(size, 5);
    connections_write_raw(pipe.first, "c", 1);
    CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, 5, &value, 0), MPROC_TIMEOUT);
    connections_write_raw(pipe.first, "de\0\0\0\2fg", 8);
    connections_check_text(pipe.second, "abcde");
    CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, bytes, 5, &size, 0));
    CHECK(size == 2 && memcmp(bytes, "fg", 2) == 0);
    connections_write_raw(pipe.first, "\0\0\0\3x", 5);
    CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_TIMEOUT);
    connections_write_raw(pipe.first, "yz", 2);
    CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, bytes, 5, &size, 0));
    CHECK(size == 3 && memcmp(bytes, "xyz", 3) == 0);
    connections_free(&pipe);
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void check_interrupted(one_call *waiter, void (*run)(one_call *call), mproc_status status)
{
    connections_begin(waiter, run);
    connections_await_sleepers(1);
    mproc_interrupt();
    connections_end(waiter);
    CHECK_EQ(waiter->status, status);
    CHECK(mproc_interrupted()); /* this thread's own news */
}

static void case_interrupt_ends_who_waits_for_a_message(void)
{
    ends pipe = connections_create(false);
    char byte = 0;
    one_call receiver = {.connection = pipe.first, .data = &byte, .size = 1, .timeout_ms = MPROC_FOREVER};
    one_call poller = {.connection = pipe.first, .timeout_ms = MPROC_FOREVER};

    check_interrupted(&receiver, connections_receives, MPROC_INTERRUPTED);
    check_interrupted(&poller, connections_polls, MPROC_INTERRUPTED);
    CHECK_OK(mproc_connection_send_bytes(pipe.second, "x", 1, 0));
    connections_check_text(pipe.first, "x");
    connections_free(&pipe);
}

static void case_interrupt_leaves_a_message_in_part_for_the_next_call(void)
{
    ends pipe = connections_create(false);
    char bytes[5];
    one_call receiver = {.connection = pipe.first, .data = bytes, .size = 5, .timeout_ms = MPROC_FOREVER};

    connections_write_raw(pipe.second, "\0\0\0\5ab", 6);
    check_interrupted(&receiver, connections_receives, MPROC_INTERRUPTED);
    connections_write_raw(pipe.second, "cde", 3);
    connections_check_text(pipe.first, "abcde");
    connections_free(&pipe);
}

static void case_interrupt_of_who_waits_for_room_sends_nothing(void)
{
    ends pipe = connections_create(true);
    unsigned char bytes[1000] = "";
    one_call sender = {.connection = pipe.second, .data = bytes, .size = 1000, .timeout_ms = MPROC_FOREVER};
    int count = fill_up(pipe.second, 1000);
    mproc_value value = mproc_nil();

    check_interrupted(&sender, connections_sends, MPROC_INTERRUPTED);
    for (int i = 0; i < count; i++) {
        CHECK_OK(mproc_connection_recv_bytes(pipe.first, 1000, &value, 0));
        mproc_value_clear(&value);
    }
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    connections_send_int(pipe.second, 4);
    CHECK_EQ(connections_recv_int(pipe.first), 4);
    connections_free(&pipe);
}

static void case_interrupt_in_the_middle_of_sending_breaks_it(void)
{
    ends pipe = connections_create(true);
    one_call sender = {.connection = pipe.second, .data = large_bytes(), .size = LARGE, .timeout_ms = MPROC_FOREVER};

    check_interrupted(&sender, connections_sends, MPROC_BROKEN);
    CHECK_CONTAINS(sender.text, "interrupted");
    CHECK_STATUS(mproc_connection_send_bytes(pipe.second, "x", 1, 0), MPROC_BROKEN);
    free(sender.data);
    connections_free(&pipe);
}

static void case_interrupt_ends_all_who_wait(void)
{
    enum { WAITERS = 6 };
    ends pipes[WAITERS];
    one_call waiters[WAITERS];

    for (int i = 0; i < WAITERS; i++) {
        pipes[i] = connections_create(false);
        waiters[i] = (one_call){.connection = pipes[i].first, .timeout_ms = MPROC_FOREVER};
        connections_begin(&waiters[i], connections_polls);
    }
    connections_await_sleepers(WAITERS);
    mproc_interrupt();
    for (int i = 0; i < WAITERS; i++) {
        connections_end(&waiters[i]);
        CHECK_EQ(waiters[i].status, MPROC_INTERRUPTED);
        connections_free(&pipes[i]);
    }
}

static mproc_status tells_how_its_wait_ended(mproc_call *call)
{
    mproc_connection *connection = NULL;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &connection));
    plat_process_ignore_interrupts();
    connections_send_int(connection, 0);
    status = mproc_connection_poll(connection, MPROC_FOREVER);
    connections_send_int(connection, status);
    return MPROC_OK;
}

/* It may not wait yet; it learns of it all the same. */
static void case_parent_interrupts_a_child_that_waits(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(tells_how_its_wait_ended, MPROC_ARGS(pipe.second));

    CHECK_EQ(connections_recv_int(pipe.first), 0);
    CHECK_OK(mproc_process_interrupt(child));
    CHECK_EQ(connections_recv_int(pipe.first), MPROC_INTERRUPTED);
    CHECK_EXITED(child, 0);
    connections_free(&pipe);
}

/* In a task, by a pipe of its own. */
static mproc_status waits_for_itself(mproc_call *call)
{
    ends pipe = connections_create(false);
    mproc_status status = mproc_connection_poll(pipe.first, MPROC_FOREVER);

    (void)call;
    connections_free(&pipe);
    return status;
}

static bool is_running(void *result)
{
    return mproc_result_running(result);
}

static void check_stopped(mproc_worker_kind kind)
{
    mproc_pool *pool = NULL;
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = kind}, &pool));
    CHECK_OK(mproc_pool_apply_async(pool, waits_for_itself, mproc_no_args(), NULL, &result));
    CHECK_WAIT_UNTIL(is_running, result);
    check_pause_ms(20); /* most often it waits by now */
    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    CHECK_STATUS(mproc_result_get(result, NULL, check_limit_ms()), MPROC_INTERRUPTED);
    mproc_result_free(result);
    mproc_pool_free(pool);
}

static void case_task_that_is_to_stop_leaves_its_wait(void)
{
    check_stopped(MPROC_PROCESSES);
    check_stopped(MPROC_THREADS);
}

/* ---- closing ------------------------------------------------------------------------------------ */

static void check_closed_meanwhile(void (*run)(one_call *call), bool freed)
{
    ends pipe = connections_create(false);
    one_call waiter = {.connection = pipe.first, .timeout_ms = MPROC_FOREVER};

    waiter.data = large_bytes();
    waiter.size = LARGE;
    connections_begin(&waiter, run);
    connections_await_sleepers(1);
    if (freed) mproc_connection_free(pipe.first);
    else mproc_connection_close(pipe.first);
    connections_end(&waiter);
    if (waiter.status != MPROC_PEER_DIED) CHECK_EQ(waiter.status, MPROC_CLOSED);
    mproc_connection_free(pipe.second);
    if (!freed) mproc_connection_free(pipe.first);
    free(waiter.data);
}

static void case_closing_sends_away_who_waits(void)
{
    for (int freed = 0; freed < 2; freed++) {
        check_closed_meanwhile(connections_receives, freed);
        check_closed_meanwhile(connections_polls, freed);
        check_closed_meanwhile(connections_sends, freed);
    }
}

/* ---- several threads ---------------------------------------------------------------------------- */

static void case_second_receiver_waits_for_its_turn(void)
{
    ends pipe = connections_create(false);
    char bytes[2] = "";
    one_call receivers[2];

    for (int i = 0; i < 2; i++) {
        receivers[i] =
            (one_call){.connection = pipe.first, .data = &bytes[i], .size = 1, .timeout_ms = MPROC_FOREVER};
        connections_begin(&receivers[i], connections_receives);
        connections_await_sleepers(i + 1);
    }
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_connection_poll(pipe.first, 20), MPROC_TIMEOUT, "another thread");
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "s", 1, 0)); /* sending is another turn */
    CHECK_OK(mproc_connection_send_bytes(pipe.second, "1", 1, 0));
    connections_end(&receivers[0]);
    CHECK_EQ(bytes[0], '1');
    CHECK_OK(mproc_connection_send_bytes(pipe.second, "2", 1, 0));
    connections_end(&receivers[1]);
    CHECK_EQ(bytes[1], '2');
    connections_free(&pipe);
}

static void case_who_waits_for_a_turn_is_interrupted_and_sent_away(void)
{
    ends pipe = connections_create(false);
    one_call waiters[2];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++) {
            waiters[i] = (one_call){.connection = pipe.first, .timeout_ms = MPROC_FOREVER};
            connections_begin(&waiters[i], connections_polls);
            connections_await_sleepers(i + 1);
        }
        if (round == 0) mproc_interrupt();
        else mproc_connection_close(pipe.first);
        for (int i = 0; i < 2; i++) {
            connections_end(&waiters[i]);
            CHECK_EQ(waiters[i].status, round == 0 ? MPROC_INTERRUPTED : MPROC_CLOSED);
        }
    }
    connections_free(&pipe);
}

enum { THREADS = 4, MESSAGES = 200, MESSAGE_MAX = 100000 };

/* Sizes of all kinds; each message is filled by its size, so one that is mixed with another is seen. */
static void sends_many(one_call *call)
{
    unsigned char *bytes = malloc(MESSAGE_MAX);

    CHECK(bytes != NULL);
    for (unsigned i = 0; i < MESSAGES; i++) {
        size_t size = i % 8 == 0 ? (i * 7919u) % MESSAGE_MAX : i * 37u;
        connections_fill(bytes, size, (unsigned)size);
        CHECK_OK(mproc_connection_send_bytes(call->connection, bytes, size, MPROC_FOREVER));
    }
    free(bytes);
}

static void receives_many(one_call *call)
{
    unsigned char *bytes = malloc(MESSAGE_MAX);

    CHECK(bytes != NULL);
    for (int i = 0; i < MESSAGES; i++) {
        size_t size = 0;
        CHECK_OK(mproc_connection_recv_bytes_into(call->connection, bytes, MESSAGE_MAX, &size, MPROC_FOREVER));
        CHECK(connections_is_filled(bytes, size, (unsigned)size));
    }
    free(bytes);
}

static void case_messages_of_several_threads_are_never_mixed(void)
{
    ends pipe = connections_create(false);
    one_call calls[2 * THREADS];

    for (int i = 0; i < 2 * THREADS; i++) {
        calls[i] = (one_call){.connection = i % 2 ? pipe.first : pipe.second};
        connections_begin(&calls[i], i % 2 ? sends_many : receives_many);
    }
    for (int i = 0; i < 2 * THREADS; i++) connections_end(&calls[i]);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    connections_free(&pipe);
}

CHECK_SUITE_SETUP(connection_waits, connections_setup,
    CASE(nothing_comes_within_the_limit),
    CASE(what_does_not_fit_in_time_was_not_sent),
    CASE(large_message_out_of_time_breaks_sending),
    CASE(large_message_that_only_tries_is_sent_whole),
    CASE(message_that_was_received_in_part_goes_on),
    CASE(interrupt_ends_who_waits_for_a_message),
    CASE(interrupt_leaves_a_message_in_part_for_the_next_call),
    CASE(interrupt_of_who_waits_for_room_sends_nothing),
    CASE(interrupt_in_the_middle_of_sending_breaks_it),
    CASE(interrupt_ends_all_who_wait),
    CASE(parent_interrupts_a_child_that_waits),
    CASE_WITH(task_that_is_to_stop_leaves_its_wait, .leaves = CHECK_HANDLES | CHECK_THREADS), /* a pool's own */
    CASE(closing_sends_away_who_waits),
    CASE(second_receiver_waits_for_its_turn),
    CASE(who_waits_for_a_turn_is_interrupted_and_sent_away),
    CASE(messages_of_several_threads_are_never_mixed),
);
