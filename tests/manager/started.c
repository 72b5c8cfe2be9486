/* Managers that are processes of their own: how they begin, and how they end. */
#include "manager/serving.h"

#include <stdlib.h>

#include "process/process_fixture.h"

#define KEY(x) MPROC_VALUE(x)
#define ANSWER_PORT "tcp:127.0.0.1:0"

/* ---- serving -------------------------------------------------------------------------------------------- */

static void check_serves(const char *address)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){.address = address}), *client;
    mproc_dict *own, *proxy;
    mproc_value value = mproc_nil();

    serving_put(manager, "dict", MPROC_MAP("n", 1));
    CHECK_OK(mproc_manager_serve(manager, "gone", mproc_int(1)));
    CHECK_OK(mproc_manager_withdraw(manager, "gone"));
    client = serving_connect(manager);
    proxy = serving_dict(client, "dict");
    CHECK_OK(mproc_dict_increment(proxy, KEY("n"), 1, NULL));
    own = serving_dict(manager, "dict");
    CHECK_OK(mproc_dict_get(own, KEY("n"), &value));
    CHECK_EQ(mproc_value_int(value), 2);
    CHECK_STATUS(mproc_manager_get(client, "gone", &value), MPROC_NOT_FOUND);
    serving_await_clients(manager, 1);
    serving_await_objects(manager, 1);
    mproc_dict_free(proxy);
    serving_await_objects(manager, 0);
    mproc_dict_free(own);
    mproc_manager_free(client);
    serving_await_clients(manager, 0);
    mproc_manager_free(manager);
}

static void case_serves_in_a_process_of_its_own(void)
{
    check_serves(NULL);
    check_serves(ANSWER_PORT);
}

static void case_is_a_process(void)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){0}),
                  *named = serving_started(&(mproc_manager_options){.name = "Shop"});
    mproc_process *process = mproc_manager_process(manager);

    CHECK(mproc_process_pid(process) != mproc_getpid());
    CHECK(mproc_process_is_alive(process));
    CHECK(mproc_process_daemon(process));
    CHECK_CONTAINS(mproc_process_name(process), "Manager-");
    CHECK_STRING(mproc_process_name(mproc_manager_process(named)), "Shop");
    CHECK_STATUS(mproc_manager_join(manager, 0), MPROC_TIMEOUT);
    mproc_manager_free(named);
    mproc_manager_free(manager);
}

static void case_has_the_key_of_its_starter(void)
{
    mproc_manager *manager = NULL, *client = NULL;

    CHECK_OK(mproc_manager_start(NULL, &manager, check_limit_ms()));
    CHECK_OK(mproc_manager_connect(mproc_manager_address(manager), NULL, &client, check_limit_ms()));
    mproc_manager_free(client);
    mproc_manager_free(manager);
}

static void case_shuts_down_in_good_order(void)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){0}), *client;
    mproc_value value = mproc_int(7);

    CHECK_OK(mproc_manager_serve(manager, "n", mproc_int(1)));
    client = serving_connect(manager);
    mproc_manager_shutdown(manager);
    CHECK_STATUS(mproc_manager_get(client, "n", &value), MPROC_PEER_DIED);
    CHECK_SAYS(mproc_manager_get(manager, "n", &value), MPROC_CLOSED, "was shut down");
    CHECK_STATUS(mproc_manager_serve(manager, "n", mproc_int(1)), MPROC_CLOSED);
    CHECK_STATUS(mproc_manager_withdraw(manager, "n"), MPROC_CLOSED);
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_EQ(mproc_manager_clients(manager), 0);
    mproc_manager_shutdown(manager);
    serving_check_ended(manager, MPROC_EXIT_EXITED, 0);
    mproc_manager_free(client);
    mproc_manager_free(manager);
}

static void case_is_an_object_of_its_starter(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_manager *manager = NULL;
    mproc_manager_options options = {.initializer = fixture_does_nothing};

    CHECK(mproc_manager_process(both.manager) == NULL);
    CHECK(mproc_manager_process(both.client) == NULL);
    CHECK_SAYS(mproc_manager_join(both.manager, 0), MPROC_BAD_STATE, "not started");
    CHECK_SAYS(mproc_manager_create(&options, &manager), MPROC_INVALID, "mproc_manager_start()");
    options = (mproc_manager_options){.initializer_args = MPROC_VALUE(1)};
    CHECK_SAYS(serving_start(&options, &manager, 0), MPROC_INVALID, "no initializer");
    options = (mproc_manager_options){.shutdown_timeout_ms = -1};
    CHECK_SAYS(serving_start(&options, &manager, 0), MPROC_INVALID, "shut down");
    options = (mproc_manager_options){.name = ""};
    CHECK_SAYS(serving_start(&options, &manager, 0), MPROC_INVALID, "empty name");
    options.name = NULL;
    CHECK_SAYS(serving_start(&options, &manager, -1), MPROC_INVALID, "-1 ms");
    CHECK_SAYS(serving_start(&options, NULL, 0), MPROC_INVALID, "NULL");
    CHECK(manager == NULL);
    serving_free(&both);
}

/* ---- initializers --------------------------------------------------------------------------------------- */

static mproc_status fills(mproc_call *call)
{
    mproc_dict *dict;
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &dict, &number));
    return mproc_dict_set(dict, KEY("pid"), mproc_int(mproc_getpid() + number));
}

static void case_initializer_runs_there_before(void)
{
    mproc_manager *manager;
    mproc_dict *dict = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_create(mproc_nil(), &dict));
    manager =
        serving_started(&(mproc_manager_options){.initializer = fills, .initializer_args = MPROC_ARGS(dict, 1)});
    CHECK_OK(mproc_dict_get(dict, KEY("pid"), &value));
    CHECK_EQ(mproc_value_int(value), mproc_process_pid(mproc_manager_process(manager)) + 1);
    mproc_manager_free(manager);
    mproc_dict_free(dict);
}

static mproc_status fails(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 3, "no stock");
}

static mproc_status ends_by_itself(mproc_call *call)
{
    int64_t how;

    MPROC_TRY(mproc_unpack(call, &how));
    if (how < 0) fixture_kill(mproc_getpid());
    exit((int)how);
}

/* Says that it is there, and then does nothing any more. */
static mproc_status hangs(mproc_call *call)
{
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_put(queue, mproc_int(mproc_getpid()), 0));
    for (;;) MPROC_TRY(mproc_sleep_ms(1000));
}

static void case_initializer_that_fails_is_told(void)
{
    mproc_manager *manager = NULL;

    CHECK_SAYS(serving_start(&(mproc_manager_options){.initializer = fails}, &manager, check_limit_ms()),
               MPROC_USER + 3, "its initializer failed: no stock");
    CHECK(manager == NULL);
}

static void case_initializer_that_ends_the_process_is_told(void)
{
    mproc_manager_options options = {.initializer = ends_by_itself, .initializer_args = MPROC_ARGS(3)};
    mproc_manager *manager = NULL;

    CHECK_SAYS(serving_start(&options, &manager, check_limit_ms()), MPROC_PEER_DIED, "exit code 3");
    options.initializer_args = MPROC_ARGS(-1);
    CHECK_SAYS(serving_start(&options, &manager, check_limit_ms()), MPROC_PEER_DIED, "9");
    CHECK(manager == NULL);
}

static void case_initializer_that_hangs_is_ended(void)
{
    mproc_queue *queue = connections_queue();
    mproc_manager_options options = {.initializer = hangs, .initializer_args = MPROC_ARGS(queue)};
    mproc_manager *manager = NULL;
    mproc_value pid = mproc_nil();
    mproc_status status;
    int64_t timeout_ms = 100;

    /* Until it has come so far. */
    do {
        status = serving_start(&options, &manager, timeout_ms);
        CHECK_STATUS(status, MPROC_TIMEOUT);
        CHECK_CONTAINS(mproc_last_error_text(), "does not serve after");
        timeout_ms *= 2;
    } while (mproc_queue_get(queue, &pid, 0) != MPROC_OK);
    fixture_await_gone(mproc_value_int(pid));
    mproc_queue_free(queue);
}

/* When the initializer has begun. */
static void interrupts(void *argument)
{
    mproc_value pid = mproc_nil();

    CHECK_OK(mproc_queue_get(argument, &pid, check_limit_ms()));
    mproc_interrupt();
}

static void case_interrupt_ends_the_start(void)
{
    mproc_queue *queue = connections_queue();
    mproc_manager_options options = {.initializer = hangs, .initializer_args = MPROC_ARGS(queue)};
    mproc_manager *manager = NULL;
    plat_thread *thread;

    CHECK_OK(plat_thread_start(interrupts, queue, &thread));
    CHECK_STATUS(serving_start(&options, &manager, check_limit_ms()), MPROC_INTERRUPTED);
    plat_thread_join(thread);
    CHECK(manager == NULL);
    mproc_queue_free(queue);
}

/* ---- addresses ------------------------------------------------------------------------------------------ */

static void case_address_in_use_is_told(void)
{
    mproc_manager *first = serving_started(&(mproc_manager_options){.address = ANSWER_PORT}), *second = NULL;
    mproc_manager_options options = {.address = mproc_manager_address(first)};

    CHECK_SAYS(serving_start(&options, &second, check_limit_ms()), MPROC_EXISTS, "cannot listen");
    options.address = "nowhere:";
    CHECK_STATUS(serving_start(&options, &second, check_limit_ms()), MPROC_INVALID);
    CHECK(second == NULL);
    mproc_manager_free(first);
}

static void check_restarts(const char *address, bool kill)
{
    mproc_manager *first = serving_started(&(mproc_manager_options){.address = address}), *second, *client;
    mproc_value value = mproc_nil();

    if (kill) {
        CHECK_OK(mproc_process_kill(mproc_manager_process(first)));
        CHECK_OK(mproc_manager_join(first, check_limit_ms()));
    } else {
        mproc_manager_shutdown(first);
    }
    second = serving_started(&(mproc_manager_options){.address = mproc_manager_address(first)});
    CHECK_STRING(mproc_manager_address(second), mproc_manager_address(first));
    CHECK_OK(mproc_manager_serve(second, "n", mproc_int(2)));
    client = serving_connect(second);
    CHECK_OK(mproc_manager_get(client, "n", &value));
    CHECK_EQ(mproc_value_int(value), 2);
    mproc_manager_free(client);
    mproc_manager_free(first);
    mproc_manager_free(second);
}

static void case_another_starts_at_the_same_address_at_once(void)
{
    check_restarts(ANSWER_PORT, false);
    check_restarts(ANSWER_PORT, true);
}

/* ---- ends ----------------------------------------------------------------------------------------------- */

static void case_killed_is_told_at_once(void)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){0}), *client;
    mproc_dict *own, *proxy;
    mproc_value value = mproc_int(7);

    serving_put(manager, "dict", MPROC_MAP("n", 1));
    client = serving_connect(manager);
    proxy = serving_dict(client, "dict");
    own = serving_dict(manager, "dict");
    CHECK_OK(mproc_process_kill(mproc_manager_process(manager)));
    serving_check_ended(manager, MPROC_EXIT_SIGNALLED, 9);
    CHECK_STATUS(mproc_dict_increment(proxy, KEY("n"), 1, NULL), MPROC_PEER_DIED);
    CHECK_SAYS(mproc_manager_get(manager, "dict", &value), MPROC_PEER_DIED, "exit code -9");
    CHECK_STATUS(mproc_manager_serve(manager, "dict", value), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_manager_withdraw(manager, "dict"), MPROC_PEER_DIED);
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_EQ(mproc_manager_clients(manager), 0);
    CHECK_EQ(mproc_manager_objects(manager), 0);
    CHECK_OK(mproc_dict_increment(own, KEY("n"), 1, NULL));
    mproc_manager_shutdown(manager);
    mproc_dict_free(proxy);
    mproc_dict_free(own);
    mproc_manager_free(client);
    mproc_manager_free(manager);
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

/* Its client is in the middle of calls. */
static void case_killed_in_a_call_keeps_nobody_waiting(void)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){.address = ANSWER_PORT}), *client;
    caller self = {.dict = NULL};
    plat_thread *thread;

    serving_put(manager, "dict", MPROC_MAP("n", 1));
    client = serving_connect(manager);
    self.dict = serving_dict(client, "dict");
    CHECK_OK(plat_thread_start(calls, &self, &thread));
    CHECK_AWAIT(&self.calls, 10);
    CHECK_OK(mproc_process_kill(mproc_manager_process(manager)));
    plat_thread_join(thread);
    CHECK_EQ(self.status, MPROC_PEER_DIED);
    mproc_dict_free(self.dict);
    mproc_manager_free(client);
    mproc_manager_free(manager);
}

static void sleeps_for_ever(void)
{
    for (;;) check_pause_ms(1000);
}

static mproc_status never_exits(mproc_call *call)
{
    (void)call;
    atexit(sleeps_for_ever);
    return MPROC_OK;
}

static void case_is_terminated_if_it_does_not_end(void)
{
    mproc_manager *manager =
        serving_started(&(mproc_manager_options){.initializer = never_exits, .shutdown_timeout_ms = 1});

    mproc_manager_shutdown(manager);
    serving_check_ended(manager, MPROC_EXIT_SIGNALLED, 15);
    mproc_manager_free(manager);
}

static void shuts_down(void *argument)
{
    mproc_manager_shutdown(argument);
}

/* The client sees when the shutdown has begun. */
static void case_killed_while_it_shuts_down(void)
{
    mproc_manager *manager = serving_started(
                      &(mproc_manager_options){.initializer = never_exits, .shutdown_timeout_ms = MPROC_FOREVER}),
                  *client;
    plat_thread *thread;
    mproc_value value = mproc_nil();

    client = serving_connect(manager);
    CHECK_OK(plat_thread_start(shuts_down, manager, &thread));
    while (mproc_manager_get(client, "n", &value) == MPROC_NOT_FOUND) {
    }
    CHECK_OK(mproc_process_kill(mproc_manager_process(manager)));
    plat_thread_join(thread);
    serving_check_ended(manager, MPROC_EXIT_SIGNALLED, 9);
    mproc_manager_free(client);
    mproc_manager_free(manager);
}

CHECK_SUITE_SETUP(manager_started, serving_setup,
    CASE(serves_in_a_process_of_its_own),
    CASE(is_a_process),
    CASE(has_the_key_of_its_starter),
    CASE(shuts_down_in_good_order),
    CASE(is_an_object_of_its_starter),
    CASE(initializer_runs_there_before),
    CASE(initializer_that_fails_is_told),
    CASE(initializer_that_ends_the_process_is_told),
    CASE(initializer_that_hangs_is_ended),
    CASE(interrupt_ends_the_start),
    CASE(address_in_use_is_told),
    CASE(another_starts_at_the_same_address_at_once),
    CASE(killed_is_told_at_once),
    CASE(killed_in_a_call_keeps_nobody_waiting),
    CASE(is_terminated_if_it_does_not_end),
    CASE(killed_while_it_shuts_down)
);
