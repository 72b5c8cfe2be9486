/* Managers and clients in processes of their own, of which some are killed; and many clients at once. */
#include "manager/crowd.h"
#include "manager/serving.h"

#include <stdlib.h>

#define KEY(x) MPROC_VALUE(x)

/* ---- clients that end ----------------------------------------------------------------------------------- */

/* Has the dict, says so by it, and waits for its end. */
static mproc_status uses(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    const char *address;
    mproc_manager *manager = NULL;
    mproc_dict *dict;
    bool stays;

    MPROC_TRY(mproc_unpack(call, &address, &stays));
    MPROC_TRY(mproc_manager_connect(address, &options, &manager, check_limit_ms()));
    dict = serving_dict(manager, "dict");
    MPROC_TRY(mproc_dict_increment(dict, KEY("n"), 1, NULL));
    while (stays) MPROC_TRY(mproc_sleep_ms(1000));
    mproc_dict_free(dict);
    mproc_manager_free(manager);
    return MPROC_OK;
}

static void case_what_another_process_does_is_seen(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_dict *dict;
    mproc_process *process;
    mproc_value value = mproc_nil();

    serving_put(both.manager, "dict", MPROC_MAP("n", 1));
    process = connections_start(uses, MPROC_ARGS(mproc_manager_address(both.manager), false));
    CHECK_EXITED(process, 0);
    dict = serving_dict(both.client, "dict");
    CHECK_OK(mproc_dict_get(dict, KEY("n"), &value));
    CHECK_EQ(mproc_value_int(value), 2);
    mproc_dict_free(dict);
    serving_free(&both);
}

static void case_a_killed_client_has_nothing_left(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_process *process;

    serving_put(both.manager, "dict", MPROC_MAP("n", 1));
    process = connections_start(uses, MPROC_ARGS(mproc_manager_address(both.manager), true));
    serving_await_objects(both.manager, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    serving_await_objects(both.manager, 0);
    serving_await_clients(both.manager, 1);
    serving_free(&both);
}

/* ---- a manager that ends -------------------------------------------------------------------------------- */

static mproc_status serves(mproc_call *call)
{
    const mproc_manager_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_manager *manager = NULL;
    mproc_queue *queue = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_manager_create(&options, &manager));
    serving_put(manager, "dict", MPROC_MAP("n", 0));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(mproc_manager_address(manager)), 0));
    for (;;) MPROC_TRY(mproc_sleep_ms(1000));
}

typedef struct caller {
    mproc_dict *dict;
    mproc_status status;
    _Atomic uint32_t calls;
} caller;

static void calls(void *argument)
{
    caller *self = argument;

    while ((self->status = mproc_dict_increment(self->dict, KEY("n"), 1, NULL)) == MPROC_OK)
        atomic_fetch_add(&self->calls, 1);
}

/* Its clients are in the middle of calls. */
static void case_a_killed_manager_keeps_nobody_waiting(void)
{
    enum { CALLERS = 4 };
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_manager *manager = NULL;
    mproc_queue *queue = NULL;
    mproc_value address = mproc_nil();
    plat_thread *threads[CALLERS];
    caller callers[CALLERS] = {{0}};
    mproc_process *process;
    mproc_dict *dict;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    process = connections_start(serves, MPROC_ARGS(queue));
    CHECK_OK(mproc_queue_get(queue, &address, check_limit_ms()));
    CHECK_OK(mproc_manager_connect(mproc_value_string(address), &options, &manager, check_limit_ms()));
    dict = serving_dict(manager, "dict");
    for (int i = 0; i < CALLERS; i++) {
        callers[i].dict = dict;
        CHECK_OK(plat_thread_start(calls, &callers[i], &threads[i]));
    }
    for (int i = 0; i < CALLERS; i++) CHECK_AWAIT(&callers[i].calls, 10);
    CHECK_OK(mproc_process_kill(process));
    for (int i = 0; i < CALLERS; i++) {
        plat_thread_join(threads[i]);
        CHECK_EQ(callers[i].status, MPROC_PEER_DIED);
    }
    CHECK_STATUS(mproc_dict_increment(dict, KEY("n"), 1, NULL), MPROC_PEER_DIED);
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    mproc_dict_free(dict);
    mproc_manager_free(manager);
    mproc_value_clear(&address);
    mproc_queue_free(queue);
}

/* ---- many ----------------------------------------------------------------------------------------------- */

static void case_many_clients_at_once(void)
{
    enum { CLIENTS = 100 };
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_manager **clients = calloc(CLIENTS, sizeof(mproc_manager *));
    mproc_dict **dicts = calloc(CLIENTS, sizeof(mproc_dict *));
    int count = check_many(CLIENTS, 20);
    mproc_value value = mproc_nil();

    CHECK(clients && dicts);
    serving_put(both.manager, "dict", MPROC_MAP("n", 0));
    for (int i = 0; i < count; i++) {
        clients[i] = serving_connect(both.manager);
        dicts[i] = serving_dict(clients[i], "dict");
    }
    CHECK_EQ(mproc_manager_clients(both.manager), (size_t)count + 1);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < count; i++) CHECK_OK(mproc_dict_increment(dicts[i], KEY("n"), 1, NULL));
    for (int i = 0; i < count; i++) {
        CHECK_OK(mproc_dict_copy(dicts[i], &value));
        CHECK_EQ(mproc_value_int(mproc_value_get(value, "n")), 3 * count);
        mproc_value_clear(&value);
    }
    for (int i = 0; i < count; i++) {
        mproc_dict_free(dicts[i]);
        mproc_manager_free(clients[i]);
    }
    serving_await_clients(both.manager, 1);
    serving_await_objects(both.manager, 0);
    free(dicts);
    free(clients);
    serving_free(&both);
}

static void case_clients_of_several_processes_leave_nothing(void)
{
    crowd_uses_a_manager(check_many(100, 20));
}

/* Threads that call by one connection take turns; of what is large each makes work for a worker. */
static void copies(void *argument)
{
    caller *self = argument;
    mproc_value copy = mproc_nil();

    for (int i = 0; i < 50 && self->status == MPROC_OK; i++) {
        self->status = mproc_dict_copy(self->dict, &copy);
        if (self->status == MPROC_OK) self->status = mproc_dict_increment(self->dict, KEY("n"), 1, NULL);
        mproc_value_clear(&copy);
    }
}

static void case_clients_with_long_calls_do_not_wait_for_each_other(void)
{
    enum { CLIENTS = 4 };
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_manager *clients[CLIENTS];
    plat_thread *threads[2 * CLIENTS];
    caller callers[2 * CLIENTS] = {{0}};
    mproc_value value = mproc_nil();
    char *text = calloc(1, 30000);

    CHECK(text != NULL);
    serving_put(both.manager, "dict", MPROC_MAP("n", 0, "text", mproc_bytes(text, 30000)));
    for (int i = 0; i < CLIENTS; i++) clients[i] = serving_connect(both.manager);
    for (int i = 0; i < 2 * CLIENTS; i++) {
        callers[i].dict = serving_dict(clients[i % CLIENTS], "dict");
        CHECK_OK(plat_thread_start(copies, &callers[i], &threads[i]));
    }
    for (int i = 0; i < 2 * CLIENTS; i++) {
        plat_thread_join(threads[i]);
        CHECK_EQ(callers[i].status, MPROC_OK);
    }
    CHECK_OK(mproc_dict_get(callers[0].dict, KEY("n"), &value));
    CHECK_EQ(mproc_value_int(value), 2 * CLIENTS * 50);
    for (int i = 0; i < 2 * CLIENTS; i++) mproc_dict_free(callers[i].dict);
    for (int i = 0; i < CLIENTS; i++) mproc_manager_free(clients[i]);
    free(text);
    serving_free(&both);
}

CHECK_SUITE_SETUP(manager_programs, serving_setup,
    CASE(what_another_process_does_is_seen),
    CASE(a_killed_client_has_nothing_left),
    CASE(a_killed_manager_keeps_nobody_waiting),
    CASE_LIMIT(many_clients_at_once, 60),
    CASE_LIMIT(clients_of_several_processes_leave_nothing, 60),
    CASE_LIMIT(clients_with_long_calls_do_not_wait_for_each_other, 60)
);
