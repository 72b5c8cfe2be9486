#include "manager/serving.h"

#define KEY_TEXT "a key"

void serving_setup(void)
{
    serving both;
    mproc_dict *dict;
    mproc_value copy;

    listening_setup();
    both = serving_create(LISTENING_PRIVATE, NULL);
    serving_put(both.manager, "dict", mproc_nil());
    dict = serving_dict(both.client, "dict");
    CHECK_OK(mproc_dict_copy(dict, &copy));
    mproc_value_clear(&copy);
    mproc_dict_free(dict);
    serving_free(&both);
}

static const char *address_of(int kind)
{
    if (kind == LISTENING_TCP) return "tcp:127.0.0.1:0";
    return kind == LISTENING_TCP6 ? "tcp:[::1]:0" : NULL;
}

serving serving_create(int kind, const mproc_manager_options *options)
{
    mproc_manager_options all = {0};
    serving both = {NULL, NULL};
    mproc_status status;

    if (options) all = *options;
    if (!all.address) all.address = address_of(kind);
    all.authkey = MPROC_VALUE(KEY_TEXT);
    status = mproc_manager_create(&all, &both.manager);
    if (status == MPROC_NOT_SUPPORTED) CHECK_SKIP("this system has nothing to prove a key by");
    CHECK_OK(status);
    both.client = serving_connect(both.manager);
    return both;
}

void serving_free(serving *both)
{
    mproc_manager_free(both->client);
    mproc_manager_free(both->manager);
}

mproc_manager *serving_connect(const mproc_manager *manager)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE(KEY_TEXT)};
    mproc_manager *client = NULL;

    CHECK_OK(mproc_manager_connect(mproc_manager_address(manager), &options, &client, check_limit_ms()));
    return client;
}

mproc_dict *serving_dict(mproc_manager *client, const char *name)
{
    mproc_value value = mproc_nil();
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_manager_get(client, name, &value));
    CHECK_OK(mproc_value_to(value, &dict));
    mproc_value_clear(&value);
    return dict;
}

void serving_put(mproc_manager *manager, const char *name, mproc_value items)
{
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(items, &dict));
    CHECK_OK(mproc_manager_serve(manager, name, MPROC_VALUE(dict)));
    mproc_dict_free(dict);
}

mproc_connection *serving_raw(const mproc_manager *manager)
{
    const mproc_client_options options = {.authkey = MPROC_VALUE(KEY_TEXT)};
    mproc_connection *connection = NULL;
    mproc_value greeting = mproc_nil();

    CHECK_OK(mproc_client(mproc_manager_address(manager), &options, &connection, check_limit_ms()));
    CHECK_OK(mproc_connection_recv(connection, &greeting, check_limit_ms()));
    CHECK_EQ(mproc_value_int(mproc_value_at(greeting, 1)), MPROC_OK);
    mproc_value_clear(&greeting);
    return connection;
}

/* An object in an answer is no value of this process, so it is not decoded. */
void serving_raw_get(mproc_connection *raw, const char *name)
{
    mproc_value bytes = mproc_nil();

    CHECK_OK(mproc_connection_send(raw, MPROC_LIST(1, 0, 1, name), check_limit_ms()));
    CHECK_OK(mproc_connection_recv_bytes(raw, SIZE_MAX, &bytes, check_limit_ms()));
    mproc_value_clear(&bytes);
}

void serving_raw_call(mproc_connection *raw, mproc_value call, mproc_status status, const char *text)
{
    mproc_value answer = mproc_nil();

    CHECK_OK(mproc_connection_send(raw, call, check_limit_ms()));
    CHECK_OK(mproc_connection_recv(raw, &answer, check_limit_ms()));
    CHECK_EQ(mproc_value_count(answer), 4);
    CHECK_EQ(mproc_value_int(mproc_value_at(answer, 0)), mproc_value_int(mproc_value_at(call, 0)));
    CHECK_EQ(mproc_value_int(mproc_value_at(answer, 1)), status);
    if (text) CHECK_CONTAINS(mproc_value_string(mproc_value_at(answer, 2)), text);
    mproc_value_clear(&answer);
}

typedef struct count {
    const mproc_manager *manager;
    size_t clients, objects;
} count;

static bool has_clients(void *context)
{
    const count *wanted = context;

    return mproc_manager_clients(wanted->manager) == wanted->clients;
}

static bool has_objects(void *context)
{
    const count *wanted = context;

    return mproc_manager_objects(wanted->manager) == wanted->objects;
}

void serving_await_clients(const mproc_manager *manager, size_t clients)
{
    count wanted = {manager, clients, 0};

    CHECK_WAIT_UNTIL(has_clients, &wanted);
}

void serving_await_objects(const mproc_manager *manager, size_t objects)
{
    count wanted = {manager, 0, objects};

    CHECK_WAIT_UNTIL(has_objects, &wanted);
}

/* ---- managers that are processes ------------------------------------------------------------------------ */

mproc_status serving_start(const mproc_manager_options *options, mproc_manager **manager, int64_t timeout_ms)
{
    mproc_manager_options all = *options;

    if (mproc_value_is_nil(all.authkey)) all.authkey = MPROC_VALUE("a key");
    return mproc_manager_start(&all, manager, timeout_ms);
}

mproc_manager *serving_started(const mproc_manager_options *options)
{
    mproc_manager *manager = NULL;

    CHECK_OK(serving_start(options, &manager, check_limit_ms()));
    return manager;
}

void serving_check_ended(mproc_manager *manager, mproc_exit_kind kind, int number)
{
    mproc_exit_status status;

    CHECK_OK(mproc_manager_join(manager, check_limit_ms()));
    status = mproc_process_exit_status(mproc_manager_process(manager));
    CHECK_EQ(status.kind, kind);
    CHECK_EQ(kind == MPROC_EXIT_EXITED ? status.code : status.signal, number);
}
