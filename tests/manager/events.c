/* Events of a manager, as its clients have them. */
#include "manager/serving.h"

#include <mproc/event.h>
#include <mproc/wait.h>

static mproc_event *event_of(mproc_manager *client)
{
    mproc_value value = mproc_nil();
    mproc_event *event = NULL;

    CHECK_OK(mproc_manager_get(client, "event", &value));
    CHECK_OK(mproc_value_to(value, &event));
    mproc_value_clear(&value);
    return event;
}

static mproc_event *serve(const serving *both)
{
    mproc_event *event = NULL;

    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_manager_serve(both->manager, "event", MPROC_VALUE(event)));
    return event;
}

static void case_an_event_is_what_the_manager_has(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_event *event = serve(&both), *proxy = event_of(both.client);

    CHECK(!mproc_event_is_set(proxy));
    CHECK_SAYS(mproc_event_wait(proxy, 0), MPROC_TIMEOUT, "the event is not set");
    CHECK_SAYS(mproc_event_wait(proxy, 20), MPROC_TIMEOUT, "not set within 20 ms");
    CHECK_STATUS(mproc_event_wait(proxy, -1), MPROC_INVALID);
    CHECK_OK(mproc_event_set(proxy));
    CHECK(mproc_event_is_set(event) && mproc_event_is_set(proxy));
    CHECK_OK(mproc_event_wait(proxy, MPROC_FOREVER));
    CHECK_OK(mproc_event_clear(proxy));
    CHECK(!mproc_event_is_set(event) && !mproc_event_is_set(proxy));
    mproc_event_free(proxy);
    mproc_event_free(event);
    serving_free(&both);
}

static void case_it_is_waited_for_alone(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_event *event = serve(&both), *proxy = event_of(both.client);
    mproc_waitable thing = mproc_waitable_event(proxy);
    mproc_wait_set *set = NULL;
    size_t ready = 0;

    CHECK_OK(mproc_wait_set_create(&set));
    CHECK_SAYS(mproc_wait(&thing, 1, 0, &ready), MPROC_NOT_SUPPORTED, "an event that is in another program");
    CHECK_SAYS(mproc_wait_set_add(set, thing), MPROC_NOT_SUPPORTED, "an event that is in another program");
    mproc_wait_set_free(set);
    mproc_event_free(proxy);
    mproc_event_free(event);
    serving_free(&both);
}

typedef struct waiting {
    mproc_event *event;
    _Atomic uint32_t ready;
    mproc_status status;
} waiting;

static void waits(void *argument)
{
    waiting *self = argument;

    atomic_store(&self->ready, 1);
    self->status = mproc_event_wait(self->event, MPROC_FOREVER);
}

static void case_who_waits_goes_on_when_it_is_set(void)
{
    enum { CLIENTS = 3 };
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_event *event = serve(&both), *proxy = event_of(both.client);
    mproc_manager *clients[CLIENTS];
    waiting all[CLIENTS] = {{0}};
    plat_thread *threads[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = serving_connect(both.manager);
        all[i].event = event_of(clients[i]);
        CHECK_OK(plat_thread_start(waits, &all[i], &threads[i]));
        CHECK_AWAIT(&all[i].ready, 1);
    }
    CHECK_OK(mproc_event_set(proxy));
    for (int i = 0; i < CLIENTS; i++) {
        plat_thread_join(threads[i]);
        CHECK_EQ(all[i].status, MPROC_OK);
        mproc_event_free(all[i].event);
        mproc_manager_free(clients[i]);
    }
    mproc_event_free(proxy);
    mproc_event_free(event);
    serving_free(&both);
}

/* What the wait itself may take is not the manager's time. */
static void case_the_limit_of_calls_begins_when_that_of_the_wait_is_over(void)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key"), .call_timeout_ms = 1000};
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_event *event = serve(&both), *proxy;
    mproc_manager *client = NULL;

    CHECK_OK(mproc_manager_connect(mproc_manager_address(both.manager), &options, &client, check_limit_ms()));
    proxy = event_of(client);
    CHECK_SAYS(mproc_event_wait(proxy, 1100), MPROC_TIMEOUT, "the event was not set within 1100 ms");
    mproc_event_free(proxy);
    mproc_manager_free(client);
    mproc_event_free(event);
    serving_free(&both);
}

static void case_a_client_that_shuts_down_waits_no_more(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_event *event = serve(&both);
    plat_thread *thread = NULL;
    waiting one = {.event = event_of(both.client)};

    CHECK_OK(plat_thread_start(waits, &one, &thread));
    connections_await_sleepers(2); /* with the manager's thread */
    mproc_manager_shutdown(both.client);
    plat_thread_join(thread);
    CHECK_EQ(one.status, MPROC_CLOSED);
    serving_await_clients(both.manager, 0);
    mproc_event_free(one.event);
    mproc_event_free(event);
    serving_free(&both);
}

static mproc_status waits_and_clears(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    const char *address;
    mproc_manager *manager = NULL;
    mproc_event *event;

    MPROC_TRY(mproc_unpack(call, &address));
    MPROC_TRY(mproc_manager_connect(address, &options, &manager, check_limit_ms()));
    event = event_of(manager);
    MPROC_TRY(mproc_event_wait(event, MPROC_FOREVER));
    MPROC_TRY(mproc_event_clear(event));
    mproc_event_free(event);
    mproc_manager_free(manager);
    return MPROC_OK;
}

static void case_another_program_waits_and_clears(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_event *event = serve(&both);
    mproc_process *process;

    process = connections_start(waits_and_clears, MPROC_ARGS(mproc_manager_address(both.manager)));
    serving_await_objects(both.manager, 1);
    CHECK_OK(mproc_event_set(event));
    CHECK_EXITED(process, 0);
    CHECK(!mproc_event_is_set(event));
    mproc_event_free(event);
    serving_free(&both);
}

/* The client is told, and stays. */
static void case_wrong_calls_are_answered(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_event *event = serve(&both);
    mproc_connection *raw = serving_raw(both.manager);

    serving_raw_get(raw, "event");
    serving_raw_call(raw, MPROC_LIST(2, 1, 0), MPROC_NOT_SUPPORTED, "an event in another program has no method 0");
    serving_raw_call(raw, MPROC_LIST(3, 1, 33), MPROC_NOT_SUPPORTED, "no method 33");
    serving_raw_call(raw, MPROC_LIST(4, 1, 31), MPROC_NOT_SUPPORTED, "no method 31");
    serving_raw_call(raw, MPROC_LIST(5, 1, 1, 1), MPROC_INVALID, "was given 1 values, and takes 0");
    serving_raw_call(raw, MPROC_LIST(6, 1, 32), MPROC_INVALID, "was given 0 values, and takes 1");
    serving_raw_call(raw, MPROC_LIST(7, 1, 32, "1"), MPROC_INVALID, "is a string: only an int64 can be");
    serving_raw_call(raw, MPROC_LIST(8, 1, 32, UINT64_MAX), MPROC_INVALID, "only an int64 can be");
    serving_raw_call(raw, MPROC_LIST(9, 1, 32, -1), MPROC_INVALID, "a time limit of -1 ms");
    serving_raw_call(raw, MPROC_LIST(10, 1, 1), MPROC_OK, NULL);
    CHECK(mproc_event_is_set(event));
    mproc_connection_free(raw);
    serving_await_objects(both.manager, 0);
    mproc_event_free(event);
    serving_free(&both);
}

CHECK_SUITE_SETUP(manager_events, serving_setup,
    CASE(an_event_is_what_the_manager_has),
    CASE(it_is_waited_for_alone),
    CASE(who_waits_goes_on_when_it_is_set),
    CASE(the_limit_of_calls_begins_when_that_of_the_wait_is_over),
    CASE(a_client_that_shuts_down_waits_no_more),
    CASE(another_program_waits_and_clears),
    CASE(wrong_calls_are_answered)
);
