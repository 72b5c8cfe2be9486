/* Messages with objects in them: locks, queues, connections, files of the program's own, by a pipe. */
#include "connection/listening.h"

#include "platform/platform_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "process/deposit.h"

static mproc_value recv_value(mproc_connection *connection)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_recv(connection, &value, check_limit_ms()));
    return value;
}

/* Uses what it receives: sets the event, answers by the connection, writes to the file, puts the number. */
static mproc_status uses_what_it_receives(mproc_call *call)
{
    mproc_connection *from = NULL, *connection = NULL;
    mproc_event *event = NULL;
    mproc_queue *queue = NULL;
    mproc_os_handle *file = NULL;
    mproc_value value;
    intptr_t handle = -1;
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &from));
    value = recv_value(from);
    MPROC_TRY(mproc_value_to(mproc_value_at(value, 0), &event));
    MPROC_TRY(mproc_value_to(mproc_value_at(value, 1), &connection));
    MPROC_TRY(mproc_value_to(mproc_value_at(value, 2), &queue));
    MPROC_TRY(mproc_value_to(mproc_value_at(value, 3), &file));
    MPROC_TRY(mproc_value_to(mproc_value_at(value, 4), &number));
    mproc_value_clear(&value);
    connections_send_int(connection, 2 * number);
    MPROC_TRY(mproc_os_handle_duplicate(file, &handle));
    os_write(handle, "from afar");
    plat_handle_close(handle);
    MPROC_TRY(mproc_event_set(event));
    MPROC_TRY(mproc_queue_put(queue, mproc_int(3 * number), MPROC_FOREVER));
    mproc_connection_free(connection);
    mproc_event_free(event);
    mproc_queue_free(queue);
    mproc_os_handle_free(file);
    return MPROC_OK;
}

static void case_objects_of_all_kinds_go_in_a_message(void)
{
    char directory[1024], path[1100], text[64];
    ends carrier = connections_create(false), pipe = connections_create(false);
    mproc_process *child = connections_start(uses_what_it_receives, MPROC_ARGS(carrier.second));
    mproc_queue *queue = connections_queue();
    mproc_event *event = NULL;
    mproc_os_handle *file = NULL;
    plat_handle handle;
    mproc_value item = mproc_nil();

    mproc_connection_free(carrier.second);
    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/file", directory);
    handle = os_open_output(path);
    CHECK_OK(mproc_os_handle_create(handle, &file));
    plat_handle_close(handle);
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_connection_send(carrier.first, MPROC_LIST(event, pipe.second, queue, file, 21), check_limit_ms()));
    mproc_connection_free(pipe.second);
    mproc_os_handle_free(file);
    CHECK_EQ(connections_recv_int(pipe.first), 42);
    connections_check_end(pipe.first);
    CHECK_OK(mproc_event_wait(event, check_limit_ms()));
    CHECK_OK(mproc_queue_get(queue, &item, check_limit_ms()));
    CHECK_EQ(mproc_value_int(item), 63);
    CHECK_EXITED(child, 0);
    os_read_file(path, text, sizeof text);
    CHECK_STRING(text, "from afar");
    os_remove_directory(directory);
    mproc_connection_free(pipe.first);
    mproc_connection_free(carrier.first);
    mproc_queue_free(queue);
    mproc_event_free(event);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

/* Both ways, with others in between, in order. */
static void case_messages_with_objects_stay_in_order(void)
{
    ends pipe = connections_create(false);
    mproc_event *event = NULL;
    uint64_t blocks;

    CHECK_OK(mproc_event_create(&event));
    blocks = peers_blocks();
    for (int i = 0; i < 5; i++) {
        connections_send_int(pipe.first, 10 * i);
        CHECK_OK(mproc_connection_send(pipe.first, MPROC_LIST(event, i), 0));
        CHECK_OK(mproc_connection_send(pipe.second, MPROC_LIST(i, event), 0));
    }
    for (int i = 0; i < 5; i++) {
        mproc_value value;
        mproc_event *its = NULL;
        CHECK_EQ(connections_recv_int(pipe.second), 10 * i);
        value = recv_value(pipe.second);
        CHECK_EQ(mproc_value_int(mproc_value_at(value, 1)), i);
        CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &its));
        mproc_value_clear(&value);
        mproc_event_free(its);
        value = recv_value(pipe.first);
        CHECK_EQ(mproc_value_int(mproc_value_at(value, 0)), i);
        mproc_value_clear(&value);
    }
    CHECK_EQ(peers_blocks(), blocks);
    connections_free(&pipe);
    mproc_event_free(event);
}

/* With the connection goes what nobody has received. */
static void case_message_that_nobody_receives_is_dropped(void)
{
    ends carrier = connections_create(false), pipe = connections_create(false);
    uint64_t blocks = peers_blocks();

    CHECK_OK(mproc_connection_send(carrier.first, MPROC_VALUE(pipe.second), 0));
    mproc_connection_free(pipe.second);
    mproc_connection_free(carrier.first);
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    mproc_connection_free(carrier.second);
    connections_check_end(pipe.first);
    CHECK(peers_blocks() < blocks);
    mproc_connection_free(pipe.first);
    CHECK_EQ(deposit_count(), 0);
}

/* Its bytes say nothing to anybody: so nobody can have what was in it. */
static void case_message_received_as_bytes_drops_what_was_in_it(void)
{
    ends carrier = connections_create(false);
    unsigned char bytes[64];
    mproc_value value = mproc_nil();

    for (int into = 0; into < 2; into++) {
        ends pipe = connections_create(false);
        CHECK_OK(mproc_connection_send(carrier.first, MPROC_VALUE(pipe.second), 0));
        mproc_connection_free(pipe.second);
        CHECK_STATUS(mproc_connection_recv_bytes_into(carrier.second, NULL, 0, NULL, 0), MPROC_TOO_LONG);
        CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
        if (into) CHECK_OK(mproc_connection_recv_bytes_into(carrier.second, bytes, sizeof bytes, NULL, 0));
        else CHECK_OK(mproc_connection_recv_bytes(carrier.second, SIZE_MAX, &value, 0));
        connections_check_end(pipe.first);
        mproc_connection_free(pipe.first);
    }
    mproc_value_clear(&value);
    connections_free(&carrier);
    CHECK_EQ(deposit_count(), 0);
}

/* Nothing of a message stays that was not sent; and what has come stays that is no value. */
static void case_message_that_is_not_sent_is_dropped(void)
{
    ends pipe = connections_create(false);
    mproc_event *event = NULL;
    mproc_value value = mproc_nil();
    uint64_t blocks;

    CHECK_OK(mproc_event_create(&event));
    blocks = peers_blocks();
    mproc_connection_close(pipe.second);
    CHECK_STATUS(mproc_connection_send(pipe.first, MPROC_VALUE(event), 0), MPROC_PEER_DIED);
    CHECK_EQ(peers_blocks(), blocks);
    connections_free(&pipe);
    pipe = connections_create(false);
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "\xFFobjects\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, 0));
    CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_INVALID);
    CHECK_OK(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0));
    CHECK_EQ(mproc_value_size(value), 24);
    mproc_value_clear(&value);
    connections_free(&pipe);
    mproc_event_free(event);
}

static void case_end_does_not_go_by_its_own_connection(void)
{
    ends pipe = connections_create(false);
    uint64_t blocks = peers_blocks();

    CHECK_SAYS(mproc_connection_send(pipe.first, MPROC_VALUE(pipe.second), 0), MPROC_INVALID, "itself");
    CHECK_SAYS(mproc_connection_send(pipe.first, MPROC_LIST(1, pipe.first), 0), MPROC_INVALID, "itself");
    CHECK_EQ(peers_blocks(), blocks);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    connections_free(&pipe);
    CHECK_EQ(deposit_count(), 0);
}

/* Whose other end may be anywhere. */
static void case_objects_go_by_pipes_alone(void)
{
    ends pair = listening_pair_of(LISTENING_TCP), pipe = connections_create(false);

    CHECK_SAYS(mproc_connection_send(pair.first, MPROC_VALUE(pipe.first), 0), MPROC_NOT_SUPPORTED, "queue");
    CHECK_STATUS(mproc_connection_poll(pair.second, 0), MPROC_TIMEOUT);
    connections_free(&pair);
    connections_free(&pipe);
}

static mproc_status sends_an_end_and_waits(mproc_call *call)
{
    mproc_connection *by = NULL, *first = NULL, *second = NULL;

    MPROC_TRY(mproc_unpack(call, &by));
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    connections_send_int(first, 17);
    MPROC_TRY(mproc_connection_send(by, MPROC_VALUE(second), MPROC_FOREVER));
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_whoever_sent_it_is_killed(void)
{
    ends carrier = connections_create(false);
    mproc_process *child = connections_start(sends_an_end_and_waits, MPROC_ARGS(carrier.second));
    mproc_connection *got = NULL;
    mproc_value value;

    mproc_connection_free(carrier.second);
    CHECK_OK(mproc_connection_poll(carrier.first, check_limit_ms()));
    CHECK_OK(mproc_process_kill(child));
    CHECK_ENDED_BY(child, 9);
    value = recv_value(carrier.first);
    CHECK_OK(mproc_value_to(value, &got));
    mproc_value_clear(&value);
    CHECK_EQ(connections_recv_int(got), 17);
    connections_check_end(got);
    mproc_connection_free(got);
    connections_check_end(carrier.first);
    mproc_connection_free(carrier.first);
    CHECK_EQ(deposit_count(), 0);
}

CHECK_SUITE_SETUP(connection_objects, connections_setup_deposits,
    CASE(objects_of_all_kinds_go_in_a_message),
    CASE(messages_with_objects_stay_in_order),
    CASE(message_that_nobody_receives_is_dropped),
    CASE(message_received_as_bytes_drops_what_was_in_it),
    CASE(message_that_is_not_sent_is_dropped),
    CASE(end_does_not_go_by_its_own_connection),
    CASE(whoever_sent_it_is_killed),
    CASE_WITH(objects_go_by_pipes_alone, .leaves = CHECK_HANDLES | CHECK_THREADS), /* what sockets need */
);
