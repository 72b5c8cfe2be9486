/* Messages: values and bytes of any size, in order, never mixed, and what does not fit stays. */
#include "connection/connections.h"

#include <stdlib.h>

static void case_values_go_both_ways(void)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_send(pipe.first, MPROC_LIST(1, "two", 3.0, MPROC_MAP("four", 4)), 0));
    CHECK_OK(mproc_connection_send(pipe.second, MPROC_VALUE("back"), 0));
    CHECK_OK(mproc_connection_recv(pipe.second, &value, 0));
    CHECK_EQ(mproc_value_count(value), 4);
    CHECK_STRING(mproc_value_string(mproc_value_at(value, 1)), "two");
    CHECK_EQ(mproc_value_int(mproc_value_get(mproc_value_at(value, 3), "four")), 4);
    mproc_value_clear(&value);
    CHECK_OK(mproc_connection_recv(pipe.first, &value, 0));
    CHECK_STRING(mproc_value_string(value), "back");
    mproc_value_clear(&value);
    CHECK_OK(mproc_connection_send(pipe.first, mproc_nil(), 0));
    value = mproc_int(5);
    CHECK_OK(mproc_connection_recv(pipe.second, &value, 0));
    CHECK(mproc_value_is_nil(value));
    mproc_value_clear(&value);
    connections_free(&pipe);
}

static mproc_status a_function(mproc_call *call)
{
    (void)call;
    return MPROC_USER;
}

static void case_functions_are_values(void)
{
    ends pipe = connections_create(false);
    mproc_function *function = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_send(pipe.first, MPROC_VALUE(a_function), 0));
    CHECK_OK(mproc_connection_recv(pipe.second, &value, 0));
    CHECK_OK(mproc_value_to(value, &function));
    CHECK(function == a_function);
    mproc_value_clear(&value);
    connections_free(&pipe);
}

/* The sizes around which the system, the framing and the library change their ways. */
static const size_t sizes[] = {0,     1,     7,     8,     9,     100,   479,    480,    481,     4096,   16371,
                               16372, 16373, 16380, 16384, 32768, 65536, 100000, 212992, 1 << 20, 5000001};
enum { SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 5000001 };

static void case_bytes_of_each_size_arrive(void)
{
    ends pipe = connections_create(false);
    unsigned char *sent = malloc(LARGEST), *received = malloc(LARGEST);

    CHECK(sent && received);
    for (size_t i = 0; i < SIZES; i++) {
        one_call sender = {.connection = pipe.first, .data = sent, .size = sizes[i], .timeout_ms = MPROC_FOREVER};
        size_t size = 1;
        connections_fill(sent, sizes[i], (unsigned)i);
        connections_begin(&sender, connections_sends);
        CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, received, LARGEST, &size, check_limit_ms()));
        CHECK_EQ(size, sizes[i]);
        CHECK(connections_is_filled(received, size, (unsigned)i));
        connections_end(&sender);
        CHECK_OK(sender.status);
    }
    free(sent);
    free(received);
    connections_free(&pipe);
}

static void case_values_of_each_size_arrive(void)
{
    ends pipe = connections_create(true);
    unsigned char *sent = malloc(LARGEST);

    CHECK(sent != NULL);
    for (size_t i = 0; i < SIZES; i++) {
        one_call sender = {.connection = pipe.second, .data = sent, .size = sizes[i], .timeout_ms = MPROC_FOREVER};
        mproc_value value = mproc_nil();
        connections_fill(sent, sizes[i], (unsigned)i);
        connections_begin(&sender, connections_sends);
        CHECK_OK(mproc_connection_recv_bytes(pipe.first, sizes[i], &value, check_limit_ms()));
        CHECK_EQ(mproc_value_size(value), sizes[i]);
        CHECK(connections_is_filled(mproc_value_bytes(value), sizes[i], (unsigned)i));
        mproc_value_clear(&value);
        connections_end(&sender);
        CHECK_OK(sender.status);
    }
    free(sent);
    connections_free(&pipe);
}

static void case_empty_messages_are_messages(void)
{
    ends pipe = connections_create(false);

    CHECK_OK(mproc_connection_send_bytes(pipe.first, NULL, 0, 0));
    CHECK_OK(mproc_connection_poll(pipe.second, 0));
    CHECK_OK(mproc_connection_poll(pipe.second, 0));
    connections_check_text(pipe.second, "");
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    connections_free(&pipe);
}

static void case_messages_stay_apart_however_often_one_asks(void)
{
    static const char *const texts[] = {"hello", "", "goodbye", "!", "world", "", "a", "b", "cd"};
    ends pipe = connections_create(false);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_OK(mproc_connection_send_bytes(pipe.first, texts[i], strlen(texts[i]), 0));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int ask = 0; ask < 3; ask++) CHECK_OK(mproc_connection_poll(pipe.second, MPROC_FOREVER));
        connections_check_text(pipe.second, texts[i]);
    }
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    connections_free(&pipe);
}

/* ---- what does not fit -------------------------------------------------------------------------- */

static void check_long_message_stays(size_t large)
{
    ends pipe = connections_create(false);
    unsigned char *sent = malloc(large), *received = malloc(large);
    one_call sender = {.connection = pipe.first, .data = sent, .size = large, .timeout_ms = MPROC_FOREVER};
    mproc_value value = mproc_nil();
    size_t size = 0;

    CHECK(sent && received);
    connections_fill(sent, large, 3);
    connections_begin(&sender, connections_sends);
    CHECK_OK(mproc_connection_poll(pipe.second, check_limit_ms()));
    CHECK_SAYS(mproc_connection_recv_bytes_into(pipe.second, received, large - 1, &size, MPROC_FOREVER),
               MPROC_TOO_LONG, "it stays");
    CHECK_EQ(size, large);
    CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.second, NULL, 0, NULL, 0), MPROC_TOO_LONG);
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, large - 1, &value, 0), MPROC_TOO_LONG);
    CHECK_OK(mproc_connection_poll(pipe.second, 0));
    size = 0;
    CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, received, large, &size, check_limit_ms()));
    CHECK_EQ(size, large);
    CHECK(connections_is_filled(received, size, 3));
    connections_end(&sender);
    free(sent);
    free(received);
    connections_free(&pipe);
}

static void case_message_without_room_stays_for_the_next_call_with_room(void)
{
    check_long_message_stays(1);
    check_long_message_stays(100);
    check_long_message_stays(1 << 20);
}

static void case_bytes_that_are_no_value_stay_for_a_call_that_takes_bytes(void)
{
    ends pipe = connections_create(false);
    char text[8] = "";
    size_t size;

    for (int into = 0; into < 2; into++) {
        mproc_value value = mproc_int(7);
        CHECK_OK(mproc_connection_send_bytes(pipe.first, "no value", 8, 0));
        CHECK_OK(mproc_connection_send_bytes(pipe.first, "", 0, 0));
        connections_send_int(pipe.first, 1);
        CHECK_SAYS(mproc_connection_recv(pipe.second, &value, 0), MPROC_INVALID, "stays");
        CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_INVALID);
        CHECK_OK(mproc_connection_poll(pipe.second, 0));
        CHECK_EQ(mproc_value_int(value), 7);
        if (into) {
            CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.second, text, 7, &size, 0), MPROC_TOO_LONG);
            CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, text, 8, &size, 0));
            CHECK(memcmp(text, "no value", 8) == 0);
        } else {
            connections_check_text(pipe.second, "no value");
        }
        CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_INVALID);
        connections_check_text(pipe.second, "");
        CHECK_EQ(connections_recv_int(pipe.second), 1);
    }
    connections_free(&pipe);
}

static void case_values_can_be_received_as_bytes(void)
{
    ends pipe = connections_create(false);
    mproc_value bytes = mproc_nil(), value = mproc_nil();

    CHECK_OK(mproc_connection_send(pipe.first, MPROC_LIST(1, "two"), 0));
    CHECK_OK(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &bytes, 0));
    CHECK_OK(mproc_value_decode(mproc_value_bytes(bytes), mproc_value_size(bytes), &value));
    CHECK_STRING(mproc_value_string(mproc_value_at(value, 1)), "two");
    mproc_value_clear(&value);
    mproc_value_clear(&bytes);
    connections_free(&pipe);
}

/* ---- what is refused ---------------------------------------------------------------------------- */

static void case_one_way_goes_one_way(void)
{
    ends pipe = connections_create(true);
    mproc_value value = mproc_nil();

    CHECK(mproc_connection_readable(pipe.first) && !mproc_connection_writable(pipe.first));
    CHECK(!mproc_connection_readable(pipe.second) && mproc_connection_writable(pipe.second));
    CHECK_SAYS(mproc_connection_send(pipe.first, mproc_int(1), 0), MPROC_BAD_STATE, "only receives");
    CHECK_STATUS(mproc_connection_send_bytes(pipe.first, "x", 1, 0), MPROC_BAD_STATE);
    CHECK_SAYS(mproc_connection_recv(pipe.second, &value, 0), MPROC_BAD_STATE, "only sends");
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, 1, &value, 0), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_BAD_STATE);
    connections_send_int(pipe.second, 1);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    connections_free(&pipe);
    pipe = connections_create(false);
    CHECK(mproc_connection_readable(pipe.second) && mproc_connection_writable(pipe.second));
    connections_free(&pipe);
}

static void case_bad_arguments_are_refused(void)
{
    ends pipe = connections_create(false);
    mproc_connection *none = NULL;
    mproc_function *function;
    void *address = &function; /* in no module */
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_pipe(NULL, NULL, &none), MPROC_INVALID);
    CHECK_STATUS(mproc_pipe(NULL, &none, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_send_bytes(pipe.first, NULL, 1, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_send_bytes(pipe.first, "x", MPROC_CONNECTION_MESSAGE_MAX + 1, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_send_bytes(pipe.first, "x", 1, -1), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_recv(pipe.first, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, -1), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.first, 1, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.first, NULL, 1, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_poll(pipe.first, -1), MPROC_INVALID);
    memcpy(&function, &address, sizeof function);
    CHECK_STATUS(mproc_connection_send(pipe.first, mproc_function_from(function), 0), MPROC_BAD_FUNCTION);
    CHECK_STATUS(mproc_connection_handle(pipe.first, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    mproc_connection_free(NULL);
    connections_free(&pipe);
}

/* What a peer writes that is none of ours. */
static void check_broken_by(const void *bytes, size_t size)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();

    connections_write_raw(pipe.first, bytes, size);
    CHECK_SAYS(mproc_connection_recv(pipe.second, &value, check_limit_ms()), MPROC_BROKEN, "no message");
    CHECK_SAYS(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, MPROC_FOREVER), MPROC_BROKEN, "before");
    CHECK_OK(mproc_connection_poll(pipe.second, MPROC_FOREVER));
    connections_send_int(pipe.second, 3); /* the other way goes on */
    CHECK_EQ(connections_recv_int(pipe.first), 3);
    connections_free(&pipe);
}

static void case_sizes_that_no_message_has_break_the_connection(void)
{
    check_broken_by("\x80\x00\x00\x00", 4);
    check_broken_by("\xFF\xFF\xFF\xFE", 4);
    check_broken_by("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
    check_broken_by("\xFF\xFF\xFF\xFF\x40\x00\x00\x00\x00\x00\x00\x00", 12);
}

/* Nothing is taken, and no memory asked for, before one knows that there is room. */
static void case_huge_sizes_ask_for_no_memory(void)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();
    char byte;
    size_t size = 0;

    connections_write_raw(pipe.first, "\xFF\xFF\xFF\xFF\x00\x00\x00\x01\x40\x00\x00\x00", 12);
    CHECK_SAYS(mproc_connection_recv(pipe.second, &value, check_limit_ms()), MPROC_TOO_LONG, "5368709120");
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0), MPROC_TOO_LONG);
    CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.second, &byte, 1, &size, 0), MPROC_TOO_LONG);
    CHECK(size == 5368709120);
    connections_free(&pipe);
}

/* Memory that was never touched costs nothing to send. All of it where that is quick; elsewhere it is cut short. */
static void case_message_above_4_gib_is_sent(void)
{
    static unsigned char bytes[1 << 20];
    const size_t size = ((size_t)1 << 32) + 5;
    ends pipe = connections_create(true);
    one_call sender = {.connection = pipe.second, .size = size, .timeout_ms = MPROC_FOREVER};
    size_t all = size + 12, got = 0;

    if (FIXTURE_SANITIZED) CHECK_SKIP("sanitizers keep account of each byte, whether it was touched or not");
    CHECK((sender.data = calloc(1, size)) != NULL);
    connections_begin(&sender, connections_sends);
    while (got < 12) got += connections_read_raw(pipe.first, bytes + got, 12 - got);
    CHECK(memcmp(bytes, "\xFF\xFF\xFF\xFF\0\0\0\1\0\0\0\5", 12) == 0);
    while (got < (check_many(1, 0) ? all : 3 << 20)) got += connections_read_raw(pipe.first, bytes, sizeof bytes);
    if (got < all) mproc_connection_close(pipe.first);
    connections_end(&sender);
    CHECK_EQ(sender.status, got == all ? MPROC_OK : MPROC_PEER_DIED);
    free(sender.data);
    connections_free(&pipe);
}

CHECK_SUITE_SETUP(connection_messages, connections_setup,
    CASE(values_go_both_ways),
    CASE(functions_are_values),
    CASE(bytes_of_each_size_arrive),
    CASE(values_of_each_size_arrive),
    CASE(empty_messages_are_messages),
    CASE(messages_stay_apart_however_often_one_asks),
    CASE(message_without_room_stays_for_the_next_call_with_room),
    CASE(bytes_that_are_no_value_stay_for_a_call_that_takes_bytes),
    CASE(values_can_be_received_as_bytes),
    CASE(one_way_goes_one_way),
    CASE(bad_arguments_are_refused),
    CASE(sizes_that_no_message_has_break_the_connection),
    CASE(huge_sizes_ask_for_no_memory),
    CASE_LIMIT(message_above_4_gib_is_sent, 60),
);
