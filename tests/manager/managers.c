/* Managers: what is served, and what becomes of it. */
#include "manager/serving.h"

#include <stdio.h>

#define KEY(x) MPROC_VALUE(x)

static void case_values_are_copies(void)
{
    const mproc_value values[] = {mproc_nil(),
                                  mproc_bool(true),
                                  mproc_int(-1),
                                  mproc_uint(UINT64_MAX),
                                  mproc_double(2.25),
                                  MPROC_VALUE("hello"),
                                  MPROC_VALUE("a longer text, \xc3\xa9"),
                                  mproc_bytes("\0\xff", 2),
                                  MPROC_LIST(1, "two", MPROC_MAP("three", 3.0))};
    serving both = serving_create(LISTENING_PRIVATE, NULL);

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_manager_serve(both.manager, "value", values[i]));
        CHECK_OK(mproc_manager_get(both.client, "value", &value));
        CHECK(mproc_value_equal(value, values[i]));
        mproc_value_clear(&value);
    }
    serving_free(&both);
}

static void case_what_is_not_served_is_told(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_value value = mproc_int(7);

    CHECK_OK(mproc_manager_serve(both.manager, "n", mproc_int(1)));
    CHECK_OK(mproc_manager_withdraw(both.manager, "n"));
    CHECK_SAYS(mproc_manager_withdraw(both.manager, "n"), MPROC_NOT_FOUND, "nothing named 'n'");
    CHECK_SAYS(mproc_manager_get(both.client, "n", &value), MPROC_NOT_FOUND, "nothing named 'n'");
    CHECK_SAYS(mproc_manager_get(both.manager, "n", &value), MPROC_NOT_FOUND, "nothing named 'n'");
    CHECK_SAYS(mproc_manager_get(both.client, NULL, &value), MPROC_INVALID, "NULL");
    CHECK_SAYS(mproc_manager_get(both.client, "n", NULL), MPROC_INVALID, "NULL");
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_SAYS(mproc_manager_serve(both.client, "n", value), MPROC_BAD_STATE, "its own program does");
    serving_free(&both);
}

static mproc_status does_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static void case_what_cannot_be_served_is_refused(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_shared_memory *memory = NULL;
    mproc_dict *dict = NULL, *proxy;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_shared_memory_create(8, NULL, &memory));
    CHECK_OK(mproc_dict_create(MPROC_MAP("memory", memory, "does", does_nothing), &dict));
    CHECK_SAYS(mproc_manager_serve(both.manager, "x", MPROC_LIST(1, memory)), MPROC_NOT_SUPPORTED, "shared memory");
    CHECK_SAYS(mproc_manager_serve(both.manager, "x", MPROC_LIST(MPROC_MAP(1, does_nothing))), MPROC_NOT_SUPPORTED,
               "a function");
    CHECK_SAYS(mproc_manager_serve(both.manager, "x", mproc_string_from("\xff", 1)), MPROC_INVALID, "UTF-8");
    CHECK_OK(mproc_manager_serve(both.manager, "dict", MPROC_VALUE(dict)));
    proxy = serving_dict(both.client, "dict");
    CHECK_SAYS(mproc_dict_get(proxy, KEY("memory"), &value), MPROC_NOT_SUPPORTED, "shared memory");
    CHECK_SAYS(mproc_dict_copy(proxy, &value), MPROC_NOT_SUPPORTED, "a function");
    CHECK_SAYS(mproc_dict_set(proxy, KEY("x"), MPROC_VALUE(memory)), MPROC_NOT_SUPPORTED, "not of the manager");
    CHECK_SAYS(mproc_dict_set(proxy, KEY("x"), MPROC_VALUE(does_nothing)), MPROC_NOT_SUPPORTED, "a function");
    CHECK_EQ(mproc_dict_count(proxy), 2);
    mproc_dict_free(proxy);
    mproc_dict_free(dict);
    mproc_shared_memory_free(memory);
    serving_free(&both);
}

static void case_objects_are_shared(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_dict *dict = NULL, *proxy, *own = NULL;
    mproc_value value = mproc_nil();
    int64_t number = 0;

    CHECK_OK(mproc_dict_create(MPROC_MAP("n", 1), &dict));
    CHECK_OK(mproc_manager_serve(both.manager, "dict", MPROC_LIST("it", dict)));
    CHECK_OK(mproc_manager_get(both.client, "dict", &value));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &proxy));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_increment(proxy, KEY("n"), 4, &number));
    CHECK_EQ(number, 5);
    CHECK_OK(mproc_dict_increment(dict, KEY("n"), 1, &number));
    CHECK_OK(mproc_dict_increment(proxy, KEY("n"), 1, &number));
    CHECK_EQ(number, 7);
    CHECK_OK(mproc_manager_get(both.manager, "dict", &value));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &own));
    CHECK_OK(mproc_dict_set(own, KEY("own"), mproc_nil()));
    CHECK(mproc_dict_has(proxy, KEY("own")));
    mproc_value_clear(&value);
    mproc_dict_free(own);
    mproc_dict_free(proxy);
    mproc_dict_free(dict);
    serving_free(&both);
}

/* The outer dict is all that has the inner one, then a client alone. */
static void case_nested_dicts_live_as_long_as_a_client_has_them(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_dict *inner = NULL, *outer, *proxy = NULL, *again = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_create(MPROC_MAP("n", 1), &inner));
    serving_put(both.manager, "outer", MPROC_MAP("inner", inner));
    mproc_dict_free(inner);
    outer = serving_dict(both.client, "outer");
    CHECK_OK(mproc_dict_pop(outer, KEY("inner"), &value));
    CHECK_OK(mproc_value_to(value, &proxy));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_increment(proxy, KEY("n"), 1, NULL));
    CHECK_OK(mproc_dict_set(outer, KEY("back"), MPROC_LIST(proxy, proxy)));
    CHECK_OK(mproc_dict_get(outer, KEY("back"), &value));
    CHECK_EQ(mproc_manager_objects(both.client), 2);
    CHECK(mproc_value_equal(mproc_value_at(value, 0), MPROC_VALUE(proxy)));
    mproc_dict_free(proxy);
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &again));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_clear(outer));
    CHECK_OK(mproc_dict_increment(again, KEY("n"), 1, NULL));
    CHECK_OK(mproc_dict_get(again, KEY("n"), &value));
    CHECK_EQ(mproc_value_int(value), 3);
    serving_await_objects(both.manager, 2);
    mproc_dict_free(again);
    mproc_dict_free(outer);
    serving_await_objects(both.manager, 0);
    CHECK_EQ(mproc_manager_objects(both.client), 0);
    serving_free(&both);
}

static void case_copies_of_values_keep_no_proxies(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_value value = mproc_nil(), copy = mproc_nil();
    mproc_dict *dict = NULL;

    serving_put(both.manager, "dict", mproc_nil());
    CHECK_OK(mproc_manager_get(both.client, "dict", &value));
    CHECK_OK(mproc_value_copy(value, &copy));
    CHECK_OK(mproc_value_to(copy, &dict));
    mproc_dict_free(dict);
    mproc_value_clear(&value);
    CHECK_STATUS(mproc_value_to(copy, &dict), MPROC_CLOSED);
    CHECK_OK(mproc_manager_get(both.client, "dict", &value));
    CHECK_STATUS(mproc_value_to(copy, &dict), MPROC_CLOSED);
    mproc_value_clear(&value);
    mproc_manager_free(both.client);
    CHECK_STATUS(mproc_value_to(copy, &dict), MPROC_CLOSED);
    mproc_value_clear(&copy);
    mproc_manager_free(both.manager);
}

static void case_a_proxy_outlives_its_manager_handle(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_dict *dict;

    serving_put(both.manager, "dict", mproc_nil());
    dict = serving_dict(both.client, "dict");
    mproc_manager_free(both.client);
    CHECK_OK(mproc_dict_set(dict, KEY(1), mproc_int(1)));
    mproc_dict_free(dict);
    serving_await_clients(both.manager, 0);
    mproc_manager_free(both.manager);
}

static void case_a_proxy_goes_nowhere_else(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL), other = serving_create(LISTENING_PRIVATE, NULL);
    mproc_queue *queue = NULL;
    mproc_process *process = NULL;
    mproc_dict *dict, *others;

    serving_put(both.manager, "dict", mproc_nil());
    serving_put(other.manager, "dict", mproc_nil());
    dict = serving_dict(both.client, "dict");
    others = serving_dict(other.client, "dict");
    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_SAYS(mproc_queue_put(queue, MPROC_VALUE(dict), 0), MPROC_NOT_SUPPORTED, "connects to that manager");
    CHECK_SAYS(mproc_process_create(does_nothing, MPROC_ARGS(dict), NULL, &process), MPROC_NOT_SUPPORTED,
               "connects to that manager");
    CHECK_SAYS(mproc_dict_set(others, KEY(1), MPROC_VALUE(dict)), MPROC_NOT_SUPPORTED, "not of the manager");
    CHECK_SAYS(mproc_manager_serve(both.manager, "x", MPROC_VALUE(dict)), MPROC_NOT_SUPPORTED,
               "connects to that manager");
    CHECK_EQ(mproc_queue_size(queue), 0);
    mproc_queue_free(queue);
    mproc_dict_free(others);
    mproc_dict_free(dict);
    serving_free(&other);
    serving_free(&both);
}

static void case_a_function_updates_no_dict_elsewhere(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_dict *dict;

    serving_put(both.manager, "dict", MPROC_MAP("n", 1));
    dict = serving_dict(both.client, "dict");
    CHECK_SAYS(mproc_dict_update_with(dict, KEY("n"), does_nothing, mproc_no_args()), MPROC_NOT_SUPPORTED,
               "mproc_dict_increment()");
    mproc_dict_free(dict);
    serving_free(&both);
}

/* ---- the end -------------------------------------------------------------------------------------------- */

static void case_calls_of_a_closed_manager_say_so_at_once(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_dict *dict;
    mproc_value value = mproc_int(7);

    serving_put(both.manager, "dict", MPROC_MAP("n", 1));
    dict = serving_dict(both.client, "dict");
    mproc_manager_shutdown(both.manager);
    mproc_manager_shutdown(both.manager);
    CHECK_SAYS(mproc_dict_get(dict, KEY("n"), &value), MPROC_PEER_DIED, "has ended");
    CHECK_STATUS(mproc_dict_set(dict, KEY("n"), value), MPROC_PEER_DIED);
    CHECK_EQ(mproc_dict_count(dict), 0);
    CHECK(!mproc_dict_has(dict, KEY("n")));
    CHECK_STATUS(mproc_manager_get(both.client, "dict", &value), MPROC_PEER_DIED);
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_EQ(mproc_manager_clients(both.manager), 0);
    CHECK_EQ(mproc_manager_objects(both.manager), 0);
    mproc_dict_free(dict);
    serving_free(&both);
}

static void case_a_connection_that_was_shut_down_says_so(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_dict *dict;
    mproc_value value = mproc_nil();

    serving_put(both.manager, "dict", MPROC_MAP("n", 1));
    dict = serving_dict(both.client, "dict");
    mproc_manager_shutdown(both.client);
    CHECK_STATUS(mproc_dict_get(dict, KEY("n"), &value), MPROC_CLOSED);
    serving_await_clients(both.manager, 0);
    serving_await_objects(both.manager, 0);
    mproc_dict_free(dict);
    serving_free(&both);
}

static void case_the_address_is_free_at_once(void)
{
    char address[MPROC_ADDRESS_BYTES];
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_manager *first = both.client;

    snprintf(address, sizeof address, "%s", mproc_manager_address(both.manager));
    for (int i = 0; i < 3; i++) {
        mproc_manager_free(both.manager);
        both = serving_create(LISTENING_TCP, &(mproc_manager_options){.address = address});
        serving_put(both.manager, "dict", MPROC_MAP("n", i));
        mproc_dict_free(serving_dict(both.client, "dict"));
        mproc_manager_free(both.client);
    }
    mproc_manager_free(first);
    mproc_manager_free(both.manager);
}

/* ---- limits --------------------------------------------------------------------------------------------- */

static void case_limits_are_told(void)
{
    const mproc_manager_options options = {.clients_max = 2, .message_bytes_max = 1000, .objects_per_client_max = 2};
    const mproc_manager_connect_options key = {.authkey = MPROC_VALUE("a key")},
                                        wrong = {.authkey = MPROC_VALUE("b")};
    serving both = serving_create(LISTENING_PRIVATE, &options);
    mproc_manager *second = serving_connect(both.manager), *third = NULL;
    const char *address = mproc_manager_address(both.manager);
    static const char large[1000] = {0};
    mproc_dict *a = NULL, *b = NULL, *c, *dict;
    mproc_value value = mproc_nil();

    CHECK_SAYS(mproc_manager_connect(address, &key, &third, check_limit_ms()), MPROC_LIMIT, "clients_max");
    CHECK_STATUS(mproc_manager_connect(address, &wrong, &third, check_limit_ms()), MPROC_AUTHENTICATION);
    mproc_manager_free(second);
    serving_await_clients(both.manager, 1);
    second = serving_connect(both.manager);

    CHECK_OK(mproc_dict_create(mproc_nil(), &a));
    CHECK_OK(mproc_dict_create(mproc_nil(), &b));
    CHECK_OK(mproc_dict_create(MPROC_MAP("a", a, "b", b, "large", mproc_bytes(large, 900)), &c));
    CHECK_OK(mproc_manager_serve(both.manager, "dict", MPROC_VALUE(c)));
    dict = serving_dict(both.client, "dict");
    CHECK_SAYS(mproc_dict_set(dict, KEY(1), mproc_bytes(large, sizeof large)), MPROC_TOO_LONG, "message_bytes_max");
    CHECK_OK(mproc_dict_get(dict, KEY("large"), &value));
    CHECK_EQ(mproc_value_size(value), 900);
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_increment(c, KEY("n"), 1, NULL));
    CHECK_OK(mproc_dict_set(c, KEY("large"), mproc_bytes(large, sizeof large)));
    CHECK_SAYS(mproc_dict_get(dict, KEY("large"), &value), MPROC_TOO_LONG, "message_bytes_max");
    CHECK_OK(mproc_dict_delete(dict, KEY("large")));
    CHECK_SAYS(mproc_dict_copy(dict, &value), MPROC_LIMIT, "objects_per_client_max");
    CHECK_OK(mproc_dict_get(dict, KEY("b"), &value));
    CHECK_EQ(mproc_manager_objects(both.manager), 2);
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_get(dict, KEY("a"), &value));
    mproc_value_clear(&value);
    mproc_dict_free(a);
    mproc_dict_free(b);
    mproc_dict_free(c);
    mproc_dict_free(dict);
    mproc_manager_free(second);
    serving_free(&both);
}

static void case_wrong_options_are_refused(void)
{
    mproc_manager *manager = NULL;

    CHECK_SAYS(mproc_manager_create(NULL, NULL), MPROC_INVALID, "NULL");
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.address = "nowhere"}, &manager), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.answer_timeout_ms = -1}, &manager), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.authkey_timeout_ms = -1}, &manager), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.message_bytes_max = SIZE_MAX}, &manager),
                 MPROC_INVALID);
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.objects_per_client_max = 1 << 20}, &manager),
                 MPROC_INVALID);
    CHECK_STATUS(mproc_manager_create(&(mproc_manager_options){.authkey = mproc_int(1)}, &manager), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_connect(NULL, NULL, &manager, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_connect("tcp:127.0.0.1:1", NULL, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_connect("tcp:127.0.0.1:1", NULL, &manager, -1), MPROC_INVALID);
    CHECK_STATUS(mproc_manager_connect("tcp:127.0.0.1:1", &(mproc_manager_connect_options){.call_timeout_ms = -1},
                                       &manager, 0),
                 MPROC_INVALID);
    CHECK(!manager);
    mproc_manager_free(NULL);
}

/* Its own key, which this process need not name. */
static void case_the_key_of_the_process_is_the_default(void)
{
    mproc_manager *manager = NULL, *client = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_create(NULL, &manager));
    CHECK_OK(mproc_manager_serve(manager, "n", mproc_int(1)));
    CHECK_OK(mproc_manager_connect(mproc_manager_address(manager), NULL, &client, check_limit_ms()));
    CHECK_OK(mproc_manager_get(client, "n", &value));
    CHECK_EQ(mproc_value_int(value), 1);
    mproc_manager_free(client);
    mproc_manager_free(manager);
}

CHECK_SUITE_SETUP(managers, serving_setup,
    CASE(values_are_copies),
    CASE(what_is_not_served_is_told),
    CASE(what_cannot_be_served_is_refused),
    CASE(objects_are_shared),
    CASE(nested_dicts_live_as_long_as_a_client_has_them),
    CASE(copies_of_values_keep_no_proxies),
    CASE(a_proxy_outlives_its_manager_handle),
    CASE(a_proxy_goes_nowhere_else),
    CASE(a_function_updates_no_dict_elsewhere),
    CASE(calls_of_a_closed_manager_say_so_at_once),
    CASE(a_connection_that_was_shut_down_says_so),
    CASE(the_address_is_free_at_once),
    CASE(limits_are_told),
    CASE(wrong_options_are_refused),
    CASE(the_key_of_the_process_is_the_default)
);
