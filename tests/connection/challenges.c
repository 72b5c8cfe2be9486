/* Challenges over connections: both sides of this library, and sides that speak as Python does. */
#include "connection/connections.h"

#include "connection/handshake.h"
#include "connection/python_peer.h"

/* An end that is used by its handle alone, by a thread. */
typedef struct raw_side {
    mproc_connection *end;
    python_peer peer;
    bool listens;
    bool accepted;
    plat_thread *thread;
} raw_side;

static void speak(void *argument)
{
    raw_side *side = argument;
    const python_peer *python = &side->peer;

    if (side->listens) side->accepted = python_deliver_challenge(python) && python_answer_challenge(python);
    else side->accepted = python_answer_challenge(python) && python_deliver_challenge(python);
}

static void raw_open(raw_side *side, mproc_connection *end)
{
    intptr_t handle;

    CHECK_OK(mproc_connection_handle(end, &handle));
    CHECK_OK(plat_channel_open(handle, &side->peer.channel));
}

/* The handle stays the connection's. */
static void raw_close(raw_side *side)
{
    plat_handle_close(side->peer.channel.input);
    plat_handle_close(side->peer.channel.output);
}

static mproc_status authenticate(mproc_connection *connection, bool listens, mproc_value key, bool allow_md5)
{
    mproc_challenge_options options = {.allow_md5 = allow_md5};
    mproc_status status = MPROC_OK;

    for (int half = 0; half < 2 && status == MPROC_OK; half++)
        status = (half == 0) == listens
                     ? mproc_connection_deliver_challenge(connection, key, &options, check_limit_ms())
                     : mproc_connection_answer_challenge(connection, key, &options, check_limit_ms());
    return status;
}

/* One side is Python's. Refused: the other side is told by the end. Returns whether Python's was content. */
static bool meet(bool python_listens, bool old, const char *python_key, mproc_value key, bool allow_md5,
                 mproc_status expected)
{
    ends pipe = connections_create(false);
    raw_side side = {.peer = {.old = old, .key = python_key}, .listens = python_listens};

    raw_open(&side, pipe.second);
    CHECK_OK(plat_thread_start(speak, &side, &side.thread));
    CHECK_STATUS(authenticate(pipe.first, !python_listens, key, allow_md5), expected);
    mproc_connection_free(pipe.first);
    plat_thread_join(side.thread);
    raw_close(&side);
    mproc_connection_free(pipe.second);
    return side.accepted;
}

static void case_python_of_today_has_the_same_key(void)
{
    CHECK(meet(true, false, "a key", MPROC_VALUE("a key"), false, MPROC_OK));
    CHECK(meet(false, false, "a key", mproc_bytes("a key", 5), false, MPROC_OK));
    CHECK(meet(true, false, "", MPROC_VALUE(""), false, MPROC_OK));
    CHECK(meet(false, false, "", mproc_bytes(NULL, 0), true, MPROC_OK));
}

static void case_python_of_today_has_another_key(void)
{
    CHECK(!meet(true, false, "another", MPROC_VALUE("a key"), false, MPROC_AUTHENTICATION));
    CHECK(!meet(false, false, "another", MPROC_VALUE("a key"), false, MPROC_AUTHENTICATION));
    CHECK(!meet(false, false, "", MPROC_VALUE("a key"), true, MPROC_AUTHENTICATION));
}

static void case_old_python_has_the_same_key(void)
{
    CHECK(meet(true, true, "a key", MPROC_VALUE("a key"), true, MPROC_OK));
    CHECK(meet(false, true, "a key", MPROC_VALUE("a key"), true, MPROC_OK));
}

static void case_old_python_is_refused_unless_md5_is_allowed(void)
{
    CHECK(!meet(true, true, "a key", MPROC_VALUE("a key"), false, MPROC_AUTHENTICATION));
    CHECK(!meet(false, true, "a key", MPROC_VALUE("a key"), false, MPROC_AUTHENTICATION));
    CHECK_CONTAINS(mproc_last_error_text(), "allow_md5");
    CHECK(!meet(false, true, "another", MPROC_VALUE("a key"), true, MPROC_AUTHENTICATION));
}

/* ---- between two of this library ---------------------------------------------------------------- */

typedef struct one_side {
    mproc_connection *connection;
    mproc_value key;
    bool listens;
    mproc_status status;
} one_side;

static void authenticate_half(void *argument)
{
    one_side *half = argument;

    half->status = authenticate(half->connection, half->listens, half->key, false);
}

static void case_both_sides_prove_themselves_and_messages_follow(void)
{
    ends pipe = connections_create(false);
    one_side client = {pipe.second, mproc_bytes("k\0y", 3), false, MPROC_OK};
    plat_thread *thread;

    CHECK_OK(plat_thread_start(authenticate_half, &client, &thread));
    CHECK_OK(authenticate(pipe.first, true, mproc_bytes("k\0y", 3), false));
    plat_thread_join(thread);
    CHECK_OK(client.status);
    connections_send_int(pipe.second, 7);
    CHECK_EQ(connections_recv_int(pipe.first), 7);
    connections_free(&pipe);
}

/* The key of the family is there for it. */
static mproc_status child_answers(mproc_call *call)
{
    mproc_connection *connection;
    const void *key;
    size_t size;

    MPROC_TRY(mproc_unpack(call, &connection));
    key = mproc_process_authkey(mproc_current_process(), &size);
    MPROC_TRY(mproc_connection_answer_challenge(connection, mproc_bytes(key, size), NULL, MPROC_FOREVER));
    return mproc_connection_deliver_challenge(connection, mproc_bytes(key, size), NULL, MPROC_FOREVER);
}

static void case_child_has_the_key_of_its_family(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(child_answers, MPROC_ARGS(pipe.second));
    size_t size = 0;
    const void *key = mproc_process_authkey(mproc_current_process(), &size);

    CHECK_EQ(size, 32);
    CHECK_OK(authenticate(pipe.first, true, mproc_bytes(key, size), false));
    CHECK_EXITED(child, 0);
    connections_free(&pipe);
}

static void case_wrong_answer_is_refused(void)
{
    ends pipe = connections_create(false);

    CHECK_OK(mproc_connection_send_bytes(pipe.second, "bogus", 5, 0));
    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "something else than a proof");
    connections_free(&pipe);
}

static void case_wrong_welcome_is_refused(void)
{
    ends pipe = connections_create(false);
    python_peer python = {.key = "abc"};
    python_message asked = python_challenge(&python);

    CHECK_OK(mproc_connection_send_bytes(pipe.second, asked.bytes, asked.size, 0));
    CHECK_OK(mproc_connection_send_bytes(pipe.second, "something bogus", 15, 0));
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "neither accepted");
    connections_free(&pipe);
}

/* It is an end, also where this side had something to say to it. */
static void case_side_that_ends_in_the_middle_is_an_end(void)
{
    ends pipe = connections_create(false);
    python_peer python = {.key = "abc"};
    python_message asked = python_challenge(&python);

    CHECK_OK(mproc_connection_send_bytes(pipe.second, asked.bytes, asked.size, 0));
    mproc_connection_close(pipe.second);
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_END);
    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_END);
    connections_free(&pipe);
}

static void case_what_is_no_message_is_refused(void)
{
    static const char *const sent[] = {"\xff\xff\xff\xfe", "\x80\0\0\0", "\0\0\0\7half"};

    for (int i = 0; i < 3; i++) {
        ends pipe = connections_create(false);
        connections_write_raw(pipe.second, sent[i], i < 2 ? 4 : 8);
        mproc_connection_close(pipe.second);
        CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, check_limit_ms()),
                     MPROC_AUTHENTICATION);
        connections_free(&pipe);
    }
}

static void case_refused_side_is_told(void)
{
    ends pipe = connections_create(false);
    unsigned char bytes[HANDSHAKE_MESSAGE_MAX];
    size_t size = 0;

    CHECK_OK(mproc_connection_send_bytes(pipe.second, "bogus", 5, 0));
    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_OK(mproc_connection_recv_bytes_into(pipe.second, bytes, sizeof bytes, &size, 0));
    CHECK(memcmp(bytes, "#CHALLENGE#", 11) == 0);
    connections_check_text(pipe.second, "#FAILURE#");
    connections_free(&pipe);
}

static void case_longer_message_is_refused_and_not_received(void)
{
    static const unsigned char long_message[1000] = "#CHALLENGE#";
    ends pipe = connections_create(false);

    CHECK_OK(mproc_connection_send_bytes(pipe.second, long_message, sizeof long_message, 0));
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "1000 bytes");
    connections_free(&pipe);
}

/* It says what it has waited for. */
static void case_silent_side_is_given_up(void)
{
    ends pipe = connections_create(false);

    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 1), MPROC_TIMEOUT);
    CHECK_CONTAINS(mproc_last_error_text(), "did not prove");
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_TIMEOUT);
    CHECK_CONTAINS(mproc_last_error_text(), "no challenge came");
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, -1), MPROC_INVALID);
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, MPROC_FOREVER), MPROC_END);
    CHECK_CONTAINS(mproc_last_error_text(), "no challenge came");
    mproc_connection_free(pipe.first);
}

static void case_key_is_bytes_or_text(void)
{
    ends pipe = connections_create(false);

    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, mproc_nil(), NULL, 0), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "nil");
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, mproc_int(7), NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_connection_poll(pipe.second, 0), MPROC_TIMEOUT);
    connections_free(&pipe);
}

/* Passes the next message of the one on to the other. */
static void pass_on(mproc_connection *from, mproc_connection *to)
{
    unsigned char bytes[HANDSHAKE_MESSAGE_MAX];
    size_t size = 0;

    CHECK_OK(mproc_connection_recv_bytes_into(from, bytes, sizeof bytes, &size, check_limit_ms()));
    CHECK_OK(mproc_connection_send_bytes(to, bytes, size, check_limit_ms()));
}

/* Who has not the key sends a side's own challenge back to it. */
static void case_own_challenge_is_not_answered(void)
{
    ends pipe = connections_create(false);

    CHECK_STATUS(mproc_connection_deliver_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_TIMEOUT);
    pass_on(pipe.second, pipe.second);
    CHECK_STATUS(mproc_connection_answer_challenge(pipe.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "back");
    connections_free(&pipe);
}

/* He has two clients, and lets the one prove for him what the other asks. */
static void case_challenge_of_one_client_is_not_answered_by_another(void)
{
    ends one = connections_create(false), other = connections_create(false);
    python_peer thief = {.key = "unknown"};
    python_message asked = python_challenge(&thief), answer;
    one_side client = {one.first, MPROC_VALUE("abc"), false, MPROC_OK};
    plat_thread *thread;

    CHECK_OK(mproc_connection_send_bytes(one.second, asked.bytes, asked.size, 0));
    CHECK_OK(plat_thread_start(authenticate_half, &client, &thread));
    CHECK_OK(mproc_connection_recv_bytes_into(one.second, answer.bytes, sizeof answer.bytes, &answer.size,
                                              check_limit_ms()));
    CHECK_OK(mproc_connection_send_bytes(one.second, "#WELCOME#", 9, 0));
    pass_on(one.second, other.second);
    CHECK_STATUS(mproc_connection_answer_challenge(other.first, MPROC_VALUE("abc"), NULL, 0), MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), "of a client back to a client");
    mproc_connection_free(one.second);
    plat_thread_join(thread);
    CHECK_EQ(client.status, MPROC_END);
    mproc_connection_free(one.first);
    connections_free(&other);
}

CHECK_SUITE_SETUP(connection_challenges, connections_setup,
    CASE(python_of_today_has_the_same_key),
    CASE(python_of_today_has_another_key),
    CASE(old_python_has_the_same_key),
    CASE(old_python_is_refused_unless_md5_is_allowed),
    CASE(both_sides_prove_themselves_and_messages_follow),
    CASE(child_has_the_key_of_its_family),
    CASE(wrong_answer_is_refused),
    CASE(wrong_welcome_is_refused),
    CASE(side_that_ends_in_the_middle_is_an_end),
    CASE(what_is_no_message_is_refused),
    CASE(refused_side_is_told),
    CASE(longer_message_is_refused_and_not_received),
    CASE(silent_side_is_given_up),
    CASE(key_is_bytes_or_text),
    CASE(own_challenge_is_not_answered),
    CASE(challenge_of_one_client_is_not_answered_by_another),
);
