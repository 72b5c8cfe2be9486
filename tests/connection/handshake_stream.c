/* connection/handshake.h: the handshake in a stream, in whatever parts that comes and goes. */
#include "connection/handshake.h"

#include "connection/python_peer.h"

static const struct handshake_key key = {"a key", 5, false};

/* Up to `most` bytes go from the one to the other. Returns how many. */
static size_t move(struct handshake_stream *from, struct handshake_stream *to, size_t most)
{
    plat_bytes out = handshake_stream_to_write(from), in = handshake_stream_to_read(to);
    size_t size = out.size < in.size ? out.size : in.size;

    if (size > most) size = most;
    if (size == 0) return 0;
    memcpy(in.data, out.data, size);
    handshake_stream_written(from, size);
    CHECK_OK(handshake_stream_read(to, size));
    return size;
}

static void begin(struct handshake_stream *listener, struct handshake_stream *client)
{
    CHECK_OK(handshake_stream_begin(listener, HANDSHAKE_LISTENER, &key));
    CHECK_OK(handshake_stream_begin(client, HANDSHAKE_CLIENT, &key));
}

static void case_messages_go_in_parts_of_any_size(void)
{
    for (size_t most = 1; most <= HANDSHAKE_FRAME_BYTES + HANDSHAKE_MESSAGE_MAX; most += most < 80 ? 1 : 60) {
        struct handshake_stream listener, client;
        begin(&listener, &client);
        while (!handshake_stream_done(&listener) || !handshake_stream_done(&client))
            CHECK(move(&listener, &client, most) + move(&client, &listener, most) > 0);
        CHECK_EQ(handshake_stream_to_read(&listener).size, 0);
        CHECK_EQ(handshake_stream_to_write(&client).size, 0);
    }
}

/* While it has something to say it asks for nothing. */
static void case_nothing_is_read_before_all_is_written(void)
{
    struct handshake_stream listener, client;

    begin(&listener, &client);
    CHECK_EQ(handshake_stream_to_read(&listener).size, 0);
    handshake_stream_written(&listener, handshake_stream_to_write(&listener).size - 1);
    CHECK_EQ(handshake_stream_to_read(&listener).size, 0);
    handshake_stream_written(&listener, 1);
    CHECK(handshake_stream_to_read(&listener).size > 0);
    CHECK(handshake_stream_to_read(&client).size > 0);
}

/* A listener's last message is a welcome; the program's first may lie right behind it. */
static void case_what_follows_the_handshake_is_not_touched(void)
{
    struct handshake_stream listener, client;

    begin(&listener, &client);
    do {
        move(&listener, &client, SIZE_MAX);
        if (client.handshake.state != HANDSHAKE_DONE) move(&client, &listener, SIZE_MAX);
    } while (client.handshake.state != HANDSHAKE_DONE);
    CHECK_EQ(handshake_stream_to_read(&listener).size, HANDSHAKE_FRAME_BYTES + HANDSHAKE_WELCOME_BYTES);
    CHECK_EQ(move(&client, &listener, SIZE_MAX), HANDSHAKE_FRAME_BYTES + HANDSHAKE_WELCOME_BYTES);
    CHECK(handshake_stream_done(&listener));
    CHECK(handshake_stream_done(&client));
}

static mproc_status read_bytes(struct handshake_stream *stream, const void *bytes, size_t size)
{
    plat_bytes in = handshake_stream_to_read(stream);

    CHECK(in.size >= size);
    memcpy(in.data, bytes, size);
    return handshake_stream_read(stream, size);
}

static void case_sizes_that_no_message_has_are_refused_at_once(void)
{
    static const unsigned char sizes[][4] = {
        {0, 0, 1, 1}, {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}, {'G', 'E', 'T', ' '}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct handshake_stream listener, client;
        begin(&listener, &client);
        CHECK_STATUS(read_bytes(&client, sizes[i], 4), MPROC_AUTHENTICATION);
        CHECK_CONTAINS(mproc_last_error_text(), "no authkey");
        CHECK_EQ(handshake_stream_to_read(&client).size, 0);
        CHECK(!handshake_stream_done(&client));
    }
}

/* Nobody who keeps to the handshake says two things at once. */
static void case_two_messages_at_once_are_refused(void)
{
    static const unsigned char two[] = {0, 0, 0, 2, 'h', 'i', 0, 0, 0, 2, 'h', 'o'};
    struct handshake_stream listener, client;

    begin(&listener, &client);
    CHECK_STATUS(read_bytes(&client, two, sizeof two), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "8 bytes");
}

static void case_other_side_is_told_that_it_is_refused(void)
{
    static const unsigned char said[] = {0, 0, 0, 2, 'h', 'i'};
    struct handshake_stream listener, client;
    plat_bytes out;

    begin(&listener, &client);
    handshake_stream_written(&listener, handshake_stream_to_write(&listener).size);
    CHECK_STATUS(read_bytes(&listener, said, sizeof said), MPROC_AUTHENTICATION);
    out = handshake_stream_to_write(&listener);
    CHECK_EQ(out.size, 4 + 9);
    CHECK(memcmp(out.data, "\0\0\0\x9#FAILURE#", out.size) == 0);
    CHECK(!handshake_stream_done(&listener));
    CHECK_EQ(handshake_stream_to_read(&listener).size, 0);
}

static void case_text_says_what_was_awaited(void)
{
    struct handshake_stream listener, client;

    begin(&listener, &client);
    CHECK_STATUS(handshake_cut(&client.handshake, MPROC_TIMEOUT), MPROC_TIMEOUT);
    CHECK_CONTAINS(mproc_last_error_text(), "no challenge came");
    CHECK_STATUS(handshake_cut(&listener.handshake, MPROC_END), MPROC_END);
    CHECK_CONTAINS(mproc_last_error_text(), "did not prove");
    move(&listener, &client, SIZE_MAX);
    CHECK_STATUS(handshake_cut(&client.handshake, MPROC_END), MPROC_END);
    CHECK_CONTAINS(mproc_last_error_text(), "was not told");
}

CHECK_SUITE(connection_handshake_stream,
    CASE(messages_go_in_parts_of_any_size),
    CASE(nothing_is_read_before_all_is_written),
    CASE(what_follows_the_handshake_is_not_touched),
    CASE(sizes_that_no_message_has_are_refused_at_once),
    CASE(two_messages_at_once_are_refused),
    CASE(other_side_is_told_that_it_is_refused),
    CASE(text_says_what_was_awaited),
);
