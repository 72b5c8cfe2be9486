/* Clients of a manager that have its key, and send what they should not, or do not take what they are sent. */
#include "manager/serving.h"

#include <stdlib.h>

#define KEY(x) MPROC_VALUE(x)

/* The manager goes on for others, as if nothing had been. */
static void check_serves(serving *both)
{
    mproc_dict *dict = serving_dict(both->client, "dict");

    CHECK_OK(mproc_dict_increment(dict, KEY("n"), 1, NULL));
    mproc_dict_free(dict);
    serving_await_clients(both->manager, 1);
}

static serving create(const mproc_manager_options *options)
{
    serving both = serving_create(LISTENING_TCP, options);

    serving_put(both.manager, "dict", MPROC_MAP("n", 0));
    return both;
}

/* What the manager answers: its number, its status, and a part of its text. */
static void check_answer(mproc_connection *raw, int64_t number, mproc_status status, const char *text)
{
    mproc_value answer = mproc_nil();

    CHECK_OK(mproc_connection_recv(raw, &answer, check_limit_ms()));
    CHECK_EQ(mproc_value_count(answer), 4);
    CHECK_EQ(mproc_value_int(mproc_value_at(answer, 0)), number);
    CHECK_EQ(mproc_value_int(mproc_value_at(answer, 1)), status);
    if (text) CHECK_CONTAINS(mproc_value_string(mproc_value_at(answer, 2)), text);
    mproc_value_clear(&answer);
}

static void check_ends(serving *both, mproc_connection *raw, mproc_status status, const char *text)
{
    check_answer(raw, 0, status, text);
    connections_check_end(raw);
    mproc_connection_free(raw);
    check_serves(both);
}

static void send_value(mproc_connection *raw, mproc_value value)
{
    CHECK_OK(mproc_connection_send(raw, value, check_limit_ms()));
}

static void case_what_is_no_call_ends_the_connection(void)
{
    const mproc_value values[] = {
        mproc_nil(),           MPROC_VALUE("text"),   MPROC_LIST(1, 2),           MPROC_LIST("1", 2, 3),
        MPROC_LIST(1, "2", 3), MPROC_LIST(1, 2, 3.0), MPROC_MAP(1, 2, 3, 4, 5, 6)};
    serving both = create(NULL);
    mproc_connection *raw;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        raw = serving_raw(both.manager);
        send_value(raw, values[i]);
        check_ends(&both, raw, MPROC_INVALID, "");
    }
    raw = serving_raw(both.manager);
    CHECK_OK(mproc_connection_send_bytes(raw, "", 0, check_limit_ms()));
    check_ends(&both, raw, MPROC_INVALID, "no message");
    raw = serving_raw(both.manager);
    CHECK_OK(mproc_connection_send_bytes(raw, "0123456789012345678901234567890123456789", 40, check_limit_ms()));
    check_ends(&both, raw, MPROC_INVALID, "encoding");
    serving_free(&both);
}

static void case_what_is_too_long_ends_the_connection(void)
{
    static const unsigned char sizes[][12] = {
        {0, 0, 0x10, 1}, {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff, 0, 0, 1}};
    serving both = create(&(mproc_manager_options){.message_bytes_max = 4096});

    for (int i = 0; i < 3; i++) {
        mproc_connection *raw = serving_raw(both.manager);
        connections_write_raw(raw, sizes[i], i < 2 ? 4 : 12);
        check_ends(&both, raw, MPROC_TOO_LONG, "");
    }
    serving_free(&both);
}

static void case_what_is_no_size_ends_the_connection(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);

    connections_write_raw(raw, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    connections_check_end(raw);
    mproc_connection_free(raw);
    check_serves(&both);
    serving_free(&both);
}

/* They have a number, so the connection stays. */
static void case_wrong_calls_are_answered(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);
    int64_t number = 0;

    send_value(raw, MPROC_LIST(++number, 0, 99));
    check_answer(raw, number, MPROC_INVALID, "no method 99");
    send_value(raw, MPROC_LIST(++number, 0, 1, 5));
    check_answer(raw, number, MPROC_INVALID, "no method 1");
    send_value(raw, MPROC_LIST(++number, 0, 1, "none"));
    check_answer(raw, number, MPROC_NOT_FOUND, "'none'");
    send_value(raw, MPROC_LIST(++number, 0, 2, 1, 1));
    check_answer(raw, number, MPROC_INVALID, "gives back what it has not");
    send_value(raw, MPROC_LIST(++number, 1, MPROC_DICT_COUNT));
    check_answer(raw, number, MPROC_INVALID, "has not the object");
    send_value(raw, MPROC_LIST(++number, -1, MPROC_DICT_COUNT));
    check_answer(raw, number, MPROC_INVALID, "has not the object");
    send_value(raw, MPROC_LIST(INT64_MAX, INT64_MAX, INT64_MAX));
    check_answer(raw, INT64_MAX, MPROC_INVALID, NULL);
    mproc_connection_free(raw);
    check_serves(&both);
    serving_free(&both);
}

static void case_wrong_calls_of_objects_are_answered(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);
    const int64_t none[] = {-1, 0, MPROC_DICT_UPDATE, 9, 31, 99, INT64_MAX};

    serving_raw_get(raw, "dict");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        send_value(raw, MPROC_LIST(2, 1, none[i]));
        check_answer(raw, 2, none[i] < 0 || none[i] > UINT32_MAX ? MPROC_INVALID : MPROC_NOT_SUPPORTED, "no method");
    }
    send_value(raw, MPROC_LIST(3, 1, MPROC_DICT_SET));
    check_answer(raw, 3, MPROC_INVALID, "was given 0 values");
    send_value(raw, MPROC_LIST(3, 1, MPROC_DICT_CLEAR, 1));
    check_answer(raw, 3, MPROC_INVALID, "was given 1 values");
    send_value(raw, MPROC_LIST(3, 1, MPROC_DICT_INCREMENT, "n", "1"));
    check_answer(raw, 3, MPROC_INVALID, "is a string: only an int64");
    send_value(raw, MPROC_LIST(3, 1, MPROC_DICT_SET, 1.5, 1));
    check_answer(raw, 3, MPROC_INVALID, "a key is a double");
    send_value(raw, MPROC_LIST(3, 1, MPROC_DICT_COUNT, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    check_answer(raw, 3, MPROC_INVALID, "12 values");
    send_value(raw, MPROC_LIST(4, 1, MPROC_DICT_COUNT));
    check_answer(raw, 4, MPROC_OK, NULL);
    send_value(raw, MPROC_LIST(0, 0, 2, 1, 2));
    check_ends(&both, raw, MPROC_INVALID, "gives back what it has not");
    serving_await_objects(both.manager, 0);
    serving_free(&both);
}

struct wrong_call {
    mproc_value call;
    mproc_status status;
    const char *says;
};

static void check_wrong_calls(serving *both, mproc_value object, const struct wrong_call *calls, size_t count)
{
    mproc_connection *raw = serving_raw(both->manager);

    CHECK_OK(mproc_manager_serve(both->manager, "dict", object));
    serving_raw_get(raw, "dict");
    for (size_t i = 0; i < count; i++) {
        send_value(raw, calls[i].call);
        check_answer(raw, 2, calls[i].status, calls[i].says);
    }
    mproc_connection_free(raw);
}

static void case_wrong_calls_of_lists_are_answered(void)
{
    const struct wrong_call calls[] = {
        {MPROC_LIST(2, 1, 0), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_LIST_UPDATE, 0), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_LIST_COUNT + 1), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_LIST_APPEND), MPROC_INVALID, "given 0 values, and takes 1"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET, "0"), MPROC_INVALID, "is a string: only an int64"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET, mproc_nil()), MPROC_INVALID, "only an int64"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET, UINT64_MAX), MPROC_INVALID, "only an int64"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET, INT64_MIN), MPROC_NOT_FOUND, "no element"},
        {MPROC_LIST(2, 1, MPROC_LIST_SET, 0, MPROC_LIST(1), 2), MPROC_INVALID, "given 3 values"},
        {MPROC_LIST(2, 1, MPROC_LIST_INCREMENT, 0, 1.5), MPROC_INVALID, "value 2"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET_SLICE, mproc_nil(), "1", 1), MPROC_INVALID, "only an int64 or nil"},
        {MPROC_LIST(2, 1, MPROC_LIST_GET_SLICE, mproc_nil(), 1, mproc_nil()), MPROC_INVALID, "only an int64 can"},
        {MPROC_LIST(2, 1, MPROC_LIST_DELETE_SLICE, 0, 1, 0), MPROC_INVALID, "a step of 0"},
        {MPROC_LIST(2, 1, MPROC_LIST_SET_SLICE, 0, 1, INT64_MIN, MPROC_LIST(1, 2, 3)), MPROC_INVALID, "a slice of"},
        {MPROC_LIST(2, 1, MPROC_LIST_EXTEND, "text"), MPROC_INVALID, "a list of values"},
        {MPROC_LIST(2, 1, MPROC_LIST_REPEAT, INT64_MAX), MPROC_NO_MEMORY, NULL},
        {MPROC_LIST(2, 1, MPROC_LIST_SORT, 1), MPROC_INVALID, "only a bool"},
    };
    serving both = create(NULL);
    mproc_list *list = NULL;

    CHECK_OK(mproc_list_create(MPROC_LIST(1), &list));
    check_wrong_calls(&both, MPROC_VALUE(list), calls, sizeof calls / sizeof calls[0]);
    CHECK_EQ(mproc_list_count(list), 1);
    mproc_list_free(list);
    serving_free(&both);
}

static void case_wrong_calls_of_sets_are_answered(void)
{
    const struct wrong_call calls[] = {
        {MPROC_LIST(2, 1, 5), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, 68, mproc_nil()), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_SET_EQUAL + 1, mproc_nil()), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_SET_ADD, MPROC_LIST(1)), MPROC_INVALID, "a key is a list"},
        {MPROC_LIST(2, 1, MPROC_SET_UNION), MPROC_INVALID, "given 0 values"},
        {MPROC_LIST(2, 1, MPROC_SET_UNION, 1), MPROC_INVALID, "and not in an int64"},
        {MPROC_LIST(2, 1, MPROC_SET_EQUAL, MPROC_LIST(mproc_nil())), MPROC_INVALID, "a key is nil"},
    };
    serving both = create(NULL);
    mproc_set *set = NULL;

    CHECK_OK(mproc_set_create(MPROC_LIST(1), &set));
    check_wrong_calls(&both, MPROC_VALUE(set), calls, sizeof calls / sizeof calls[0]);
    CHECK_EQ(mproc_set_count(set), 1);
    mproc_set_free(set);
    serving_free(&both);
}

static void case_wrong_calls_of_namespaces_are_answered(void)
{
    const struct wrong_call calls[] = {
        {MPROC_LIST(2, 1, MPROC_DICT_POP, "n"), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_NAMESPACE_UPDATE, "n"), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_DICT_MERGE, MPROC_MAP("_x", 1)), MPROC_NOT_SUPPORTED, "no method"},
        {MPROC_LIST(2, 1, MPROC_NAMESPACE_SET, "_x", 1), MPROC_INVALID, "names are text"},
        {MPROC_LIST(2, 1, MPROC_NAMESPACE_GET, 1), MPROC_INVALID, "names are text"},
        {MPROC_LIST(2, 1, MPROC_NAMESPACE_INCREMENT, "n", mproc_nil()), MPROC_INVALID, "only an int64"},
    };
    serving both = create(NULL);
    mproc_namespace *space = NULL;

    CHECK_OK(mproc_namespace_create(MPROC_MAP("n", 1), &space));
    check_wrong_calls(&both, MPROC_VALUE(space), calls, sizeof calls / sizeof calls[0]);
    CHECK_EQ(mproc_namespace_count(space), 1);
    mproc_namespace_free(space);
    serving_free(&both);
}

/* An object that is in a call is one that the client has, of the kind that it has. */
static void case_objects_of_others_cannot_be_named(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);
    mproc_dict *dict = serving_dict(both.client, "dict");
    const struct {
        uint32_t kind, generation;
        uint64_t number;
    } wrong[] = {{MPROC_KIND_DICT, 0, 2}, {MPROC_KIND_DICT, 1, 1},          {MPROC_KIND_LOCK, 0, 1},
                 {MPROC_KIND_DICT, 0, 0}, {MPROC_KIND_DICT, 0, UINT64_MAX}, {MPROC_KIND_DICT, 0, 0x1000}};
    uint64_t message[64];
    size_t size = 0;

    serving_raw_get(raw, "dict");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        /* Bytes of 16 take as much room as an object's reference and its padding: those are put in its place. */
        CHECK_OK(mproc_value_encode(MPROC_LIST(2, 1, MPROC_DICT_SET, 1, MPROC_LIST(mproc_bytes("0123456", 7))),
                                    message, sizeof message, &size));
        message[size / 8 - 2] = 9 | (uint64_t)16 << 32;
        message[size / 8 - 1] = 16;
        memcpy(message + size / 8, &wrong[i], 16);
        size += 16;
        message[1] = size;
        CHECK_OK(mproc_connection_send_bytes(raw, message, size, check_limit_ms()));
        check_answer(raw, 2, MPROC_INVALID, "has no object");
    }
    mproc_connection_free(raw);
    CHECK_EQ(mproc_dict_count(dict), 1);
    mproc_dict_free(dict);
    check_serves(&both);
    serving_free(&both);
}

static void case_half_a_call_delays_nobody(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);
    mproc_dict *dict = serving_dict(both.client, "dict");

    connections_write_raw(raw, "\0\0\x10\0half", 8);
    for (int i = 0; i < 100; i++) CHECK_OK(mproc_dict_increment(dict, KEY("n"), 1, NULL));
    mproc_dict_free(dict);
    mproc_connection_free(raw);
    check_serves(&both);
    serving_free(&both);
}

/* It sends calls until its answers have filled all room, and takes none. */
static void case_one_that_takes_no_answers_is_given_up(void)
{
    serving both = create(&(mproc_manager_options){.answer_timeout_ms = 50});
    mproc_connection *raw = serving_raw(both.manager);
    mproc_dict *dict = serving_dict(both.client, "dict");
    char *text = calloc(1, 4000);
    mproc_status status = MPROC_OK;

    CHECK(text != NULL);
    CHECK_OK(mproc_dict_set(dict, KEY("text"), mproc_bytes(text, 4000)));
    serving_raw_get(raw, "dict");
    for (int i = 0; status == MPROC_OK; i++) {
        status = mproc_connection_send(raw, MPROC_LIST(i + 1, 1, MPROC_DICT_GET, "text"), check_limit_ms());
        if (i % 100 == 0) CHECK_OK(mproc_dict_increment(dict, KEY("n"), 1, NULL));
    }
    CHECK(status == MPROC_PEER_DIED || status == MPROC_BROKEN);
    free(text);
    mproc_connection_free(raw);
    mproc_dict_free(dict);
    check_serves(&both);
    serving_free(&both);
}

static void case_one_that_vanishes_has_nothing_left(void)
{
    serving both = create(NULL);
    mproc_connection *raw = serving_raw(both.manager);
    mproc_dict *dict = NULL;

    serving_raw_get(raw, "dict");
    serving_await_objects(both.manager, 1);
    CHECK_OK(mproc_manager_withdraw(both.manager, "dict"));
    mproc_connection_free(raw);
    serving_await_objects(both.manager, 0);
    CHECK_OK(mproc_dict_create(mproc_nil(), &dict));
    CHECK_OK(mproc_dict_set(dict, KEY("n"), mproc_int(0)));
    CHECK_OK(mproc_manager_serve(both.manager, "dict", MPROC_VALUE(dict)));
    mproc_dict_free(dict);
    check_serves(&both);
    serving_free(&both);
}

/* Without the key nothing of what it sends is looked at. */
static void case_one_without_the_key_is_not_heard(void)
{
    serving both = create(&(mproc_manager_options){.authkey_timeout_ms = 100000});
    mproc_connection *raw = NULL;
    mproc_value bytes = mproc_nil();
    mproc_status status = MPROC_OK;

    CHECK_OK(mproc_client(mproc_manager_address(both.manager), NULL, &raw, check_limit_ms()));
    send_value(raw, MPROC_LIST(1, 0, 1, "dict"));
    while (status == MPROC_OK) {
        status = mproc_connection_recv_bytes(raw, SIZE_MAX, &bytes, check_limit_ms());
        if (status == MPROC_OK) CHECK(memcmp(mproc_value_bytes(bytes), "#", 1) == 0);
        mproc_value_clear(&bytes);
    }
    CHECK(status == MPROC_END || status == MPROC_BROKEN);
    mproc_connection_free(raw);
    check_serves(&both);
    serving_free(&both);
}

CHECK_SUITE_SETUP(manager_hostile, serving_setup,
    CASE(what_is_no_call_ends_the_connection),
    CASE(what_is_too_long_ends_the_connection),
    CASE(what_is_no_size_ends_the_connection),
    CASE(wrong_calls_are_answered),
    CASE(wrong_calls_of_objects_are_answered),
    CASE(wrong_calls_of_lists_are_answered),
    CASE(wrong_calls_of_sets_are_answered),
    CASE(wrong_calls_of_namespaces_are_answered),
    CASE(objects_of_others_cannot_be_named),
    CASE(half_a_call_delays_nobody),
    CASE(one_that_takes_no_answers_is_given_up),
    CASE(one_that_vanishes_has_nothing_left),
    CASE(one_without_the_key_is_not_heard)
);
