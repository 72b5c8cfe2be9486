/* The ends of connections: closed, freed, and what the other side then receives. */
#include "connection/connections.h"

#include <stdlib.h>

static void check_end(mproc_connection *connection)
{
    mproc_value value = mproc_int(7);
    size_t size = 7;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_connection_poll(connection, MPROC_FOREVER));
        CHECK_SAYS(mproc_connection_recv(connection, &value, MPROC_FOREVER), MPROC_END, "other end");
        CHECK_STATUS(mproc_connection_recv_bytes(connection, SIZE_MAX, &value, 0), MPROC_END);
        CHECK_STATUS(mproc_connection_recv_bytes_into(connection, NULL, 0, &size, 0), MPROC_END);
    }
    CHECK(size == 7 && mproc_value_int(value) == 7);
}

/* Of either end, as a named pipe has two different ones. */
static void check_closed_end(bool second, bool freed)
{
    ends pipe = connections_create(false);
    mproc_connection *gone = second ? pipe.second : pipe.first, *left = second ? pipe.first : pipe.second;

    connections_send_int(gone, 1);
    CHECK_OK(mproc_connection_send_bytes(gone, "two", 3, 0));
    connections_send_int(left, 3); /* nobody receives it */
    if (freed) mproc_connection_free(gone);
    else mproc_connection_close(gone);
    CHECK_EQ(connections_recv_int(left), 1);
    connections_check_text(left, "two");
    check_end(left);
    CHECK_SAYS(mproc_connection_send(left, mproc_int(1), MPROC_FOREVER), MPROC_PEER_DIED, "other end");
    CHECK_STATUS(mproc_connection_send_bytes(left, "x", 1, 0), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_connection_send_bytes(left, NULL, 0, 0), MPROC_PEER_DIED);
    check_end(left);
    mproc_connection_free(left);
    if (!freed) mproc_connection_free(gone);
}

static void case_other_side_receives_what_was_sent_and_then_the_end(void)
{
    for (int i = 0; i < 4; i++) check_closed_end(i & 1, i & 2);
}

static void case_one_way_ends_at_both_sides(void)
{
    ends pipe = connections_create(true);

    connections_send_int(pipe.second, 1);
    mproc_connection_close(pipe.second);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    check_end(pipe.first);
    connections_free(&pipe);
    pipe = connections_create(true);
    mproc_connection_close(pipe.first);
    CHECK_STATUS(mproc_connection_send(pipe.second, mproc_int(1), MPROC_FOREVER), MPROC_PEER_DIED);
    connections_free(&pipe);
}

static void case_closed_connection_says_so(void)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();
    intptr_t handle = 7;

    CHECK(!mproc_connection_closed(pipe.first));
    CHECK_OK(mproc_connection_handle(pipe.first, &handle));
    CHECK(handle > 2);
    mproc_connection_close(pipe.first);
    mproc_connection_close(pipe.first);
    CHECK(mproc_connection_closed(pipe.first) && !mproc_connection_closed(pipe.second));
    CHECK(mproc_connection_readable(pipe.first) && mproc_connection_writable(pipe.first));
    CHECK_SAYS(mproc_connection_send(pipe.first, mproc_int(1), MPROC_FOREVER), MPROC_CLOSED, "closed");
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_CLOSED);
    CHECK_STATUS(mproc_connection_recv_bytes_into(pipe.first, NULL, 0, NULL, MPROC_FOREVER), MPROC_CLOSED);
    CHECK_STATUS(mproc_connection_poll(pipe.first, MPROC_FOREVER), MPROC_CLOSED);
    CHECK_STATUS(mproc_connection_handle(pipe.first, &handle), MPROC_CLOSED);
    connections_free(&pipe);
}

/* ---- in the middle of a message ----------------------------------------------------------------- */

static void check_torn(const char *bytes, size_t size)
{
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_send_bytes(pipe.first, "whole", 5, 0));
    connections_write_raw(pipe.first, bytes, size);
    mproc_connection_close(pipe.first);
    connections_check_text(pipe.second, "whole");
    CHECK_OK(mproc_connection_poll(pipe.second, MPROC_FOREVER));
    CHECK_SAYS(mproc_connection_recv(pipe.second, &value, MPROC_FOREVER), MPROC_BROKEN, "in the middle");
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0), MPROC_BROKEN);
    CHECK_OK(mproc_connection_poll(pipe.second, MPROC_FOREVER));
    connections_free(&pipe);
}

static void case_message_that_is_cut_is_broken(void)
{
    check_torn("\0", 1);
    check_torn("\0\0\0", 3);
    check_torn("\0\0\0\5", 4);
    check_torn("\0\0\0\5half", 8);
    check_torn("\0\1\0\0half", 8);
    check_torn("\xFF\xFF\xFF\xFF\0\0", 6);
}

/* What dribbles in is put together, and nothing but it wakes anybody. */
static void case_message_that_comes_byte_by_byte_is_whole(void)
{
    static const char bytes[] = "\0\0\0\5whole\xFF\xFF\xFF\xFF\0\0\0\0\0\0\0\4long";
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();

    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, 10, &value, 0), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_connection_poll(pipe.second, i % 2), MPROC_TIMEOUT);
        connections_write_raw(pipe.first, bytes + i, 1);
        CHECK_OK(mproc_connection_poll(pipe.second, check_limit_ms()));
        if (i == 8) connections_check_text(pipe.second, "whole");
    }
    connections_check_text(pipe.second, "long");
    connections_free(&pipe);
}

static uint32_t dice(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Some call; whatever it answers, nothing else suffers. */
static mproc_status receive_somehow(mproc_connection *connection, uint32_t how)
{
    unsigned char bytes[40];
    mproc_value value = mproc_nil();
    mproc_status status;

    if (how % 4 == 0) return mproc_connection_poll(connection, 0);
    if (how % 4 == 1) return mproc_connection_recv_bytes_into(connection, bytes, how % 41, NULL, 0);
    if (how % 4 == 2) status = mproc_connection_recv_bytes(connection, how % 100, &value, 0);
    else status = mproc_connection_recv(connection, &value, 0);
    mproc_value_clear(&value);
    return status;
}

/* Mostly sizes that could be, and random bytes behind them, in pieces. */
static void case_random_bytes_are_survived(void)
{
    uint32_t state = 5;

    for (int round = 0; round < check_many(300, 50); round++) {
        ends pipe = connections_create(false);
        unsigned char bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)(dice(&state) % 3 ? dice(&state) % 8 == 0 ? 255 : 0 : dice(&state));
        for (size_t sent = 0; sent < sizeof bytes;) {
            size_t size = dice(&state) % 20;
            if (size > sizeof bytes - sent) size = sizeof bytes - sent;
            if (size > 0) connections_write_raw(pipe.first, bytes + sent, size);
            sent += size;
            receive_somehow(pipe.second, dice(&state));
        }
        mproc_connection_free(pipe.first);
        for (int i = 0; i < 10; i++) CHECK(receive_somehow(pipe.second, dice(&state)) != MPROC_TIMEOUT);
        mproc_connection_free(pipe.second);
    }
}

/* Sent to one with no room for all of it, who then ends. */
static void case_sender_of_a_large_message_learns_of_the_end(void)
{
    ends pipe = connections_create(false);
    unsigned char *bytes = calloc(1, 4 << 20);
    one_call sender = {.connection = pipe.first, .data = bytes, .size = 4 << 20, .timeout_ms = MPROC_FOREVER};

    CHECK(bytes != NULL);
    connections_begin(&sender, connections_sends);
    CHECK_OK(mproc_connection_poll(pipe.second, check_limit_ms()));
    mproc_connection_close(pipe.second);
    connections_end(&sender);
    CHECK_EQ(sender.status, MPROC_PEER_DIED);
    CHECK_CONTAINS(sender.text, "other end");
    free(bytes);
    connections_free(&pipe);
}

CHECK_SUITE_SETUP(connection_ends, connections_setup,
    CASE(other_side_receives_what_was_sent_and_then_the_end),
    CASE(one_way_ends_at_both_sides),
    CASE(closed_connection_says_so),
    CASE(message_that_is_cut_is_broken),
    CASE(message_that_comes_byte_by_byte_is_whole),
    CASE(random_bytes_are_survived),
    CASE(sender_of_a_large_message_learns_of_the_end),
);
