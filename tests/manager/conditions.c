/* Conditions of a manager: a client's threads wait in their lock, notify, and are notified. */
#include "manager/serving.h"

/* A manager that serves a condition, which the case has, too, and a dict. */
typedef struct conditions {
    serving both;
    mproc_condition *own, *condition; /* the same, here and by the client */
    mproc_dict *dict;
} conditions;

static mproc_condition *got_condition(mproc_manager *client)
{
    mproc_condition *condition = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_get(client, "condition", &value));
    CHECK_OK(mproc_value_to(value, &condition));
    mproc_value_clear(&value);
    return condition;
}

static conditions conditions_create(void)
{
    conditions all = {.both = serving_create(LISTENING_TCP, NULL)};

    CHECK_OK(mproc_condition_create(NULL, &all.own));
    CHECK_OK(mproc_manager_serve(all.both.manager, "condition", MPROC_VALUE(all.own)));
    serving_put(all.both.manager, "dict", MPROC_MAP("n", 0));
    all.condition = got_condition(all.both.client);
    all.dict = serving_dict(all.both.client, "dict");
    return all;
}

static void conditions_free(conditions *all)
{
    mproc_dict_free(all->dict);
    mproc_condition_free(all->condition);
    mproc_condition_free(all->own);
    serving_free(&all->both);
}

/* A thread that acquires the lock and waits. */
typedef struct waiter {
    mproc_condition *condition;
    mproc_predicate *predicate;
    _Atomic bool has;
    mproc_status acquired, waited, released;
    plat_thread *thread;
} waiter;

static _Atomic bool ready;

static bool is_ready(void *context)
{
    (void)context;
    return atomic_load(&ready);
}

static void waiter_main(void *argument)
{
    waiter *self = argument;

    self->acquired = mproc_condition_acquire(self->condition, MPROC_FOREVER);
    atomic_store(&self->has, true);
    self->waited = self->predicate ? mproc_condition_wait_for(self->condition, self->predicate, NULL, MPROC_FOREVER)
                                   : mproc_condition_wait(self->condition, MPROC_FOREVER);
    self->released = mproc_condition_release(self->condition);
}

static bool has_it(void *context)
{
    waiter *self = context;

    return atomic_load(&self->has);
}

/* Whoever has the lock from here on knows that it waits. */
static void waiter_start(waiter *self)
{
    CHECK_OK(plat_thread_start(waiter_main, self, &self->thread));
    CHECK_WAIT_UNTIL(has_it, self);
}

static void check_waited(waiter *self, mproc_status waited)
{
    plat_thread_join(self->thread);
    CHECK_EQ(self->acquired, MPROC_OK);
    CHECK_EQ(self->waited, waited);
    CHECK_EQ(self->released, MPROC_OK);
}

static void case_clients_are_notified(void)
{
    enum { WAITERS = 4 };
    conditions all = conditions_create();
    waiter waits[WAITERS];

    for (int i = 0; i < WAITERS; i++) {
        waits[i] = (waiter){.condition = all.condition};
        waiter_start(&waits[i]);
    }
    CHECK_OK(mproc_condition_acquire(all.own, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(all.own, 1));
    CHECK_OK(mproc_condition_release(all.own));
    check_waited(&waits[0], MPROC_OK); /* the one that has waited longest */
    CHECK_OK(mproc_condition_acquire(all.condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify_all(all.condition));
    CHECK_OK(mproc_condition_release(all.condition));
    for (int i = 1; i < WAITERS; i++) check_waited(&waits[i], MPROC_OK);
    conditions_free(&all);
}

static void case_clients_notify(void)
{
    conditions all = conditions_create();
    waiter waits = {.condition = all.own};

    waiter_start(&waits);
    CHECK_OK(mproc_condition_acquire(all.condition, MPROC_FOREVER));
    CHECK_STATUS(mproc_condition_notify(all.condition, -1), MPROC_INVALID);
    CHECK_OK(mproc_condition_notify(all.condition, 0));
    CHECK_STATUS(mproc_condition_wait(all.condition, 1), MPROC_TIMEOUT); /* and has the lock again */
    CHECK_OK(mproc_condition_notify(all.condition, 1));
    CHECK_OK(mproc_condition_release(all.condition));
    check_waited(&waits, MPROC_OK);
    conditions_free(&all);
}

static void case_predicates_are_asked_where_they_are(void)
{
    conditions all = conditions_create();
    waiter waits = {.condition = all.condition, .predicate = is_ready};

    atomic_store(&ready, false);
    waiter_start(&waits);
    CHECK_OK(mproc_condition_acquire(all.own, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(all.own, 1));
    CHECK_OK(mproc_condition_release(all.own));
    CHECK_OK(mproc_condition_acquire(all.condition, MPROC_FOREVER));
    CHECK_STATUS(mproc_condition_wait_for(all.condition, is_ready, NULL, 1), MPROC_TIMEOUT);
    atomic_store(&ready, true);
    CHECK_OK(mproc_condition_wait_for(all.condition, is_ready, NULL, 0));
    CHECK_OK(mproc_condition_notify(all.condition, 1));
    CHECK_OK(mproc_condition_release(all.condition));
    check_waited(&waits, MPROC_OK);
    conditions_free(&all);
}

static void case_nothing_is_done_without_the_lock(void)
{
    conditions all = conditions_create();

    atomic_store(&ready, true);
    CHECK_STATUS(mproc_condition_wait(all.condition, 0), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_condition_wait_for(all.condition, is_ready, NULL, 0), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_condition_notify(all.condition, 1), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_condition_release(all.condition), MPROC_NOT_OWNER);
    CHECK_OK(mproc_condition_acquire(all.own, 0));
    CHECK_STATUS(mproc_condition_acquire(all.condition, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_condition_notify_all(all.condition), MPROC_NOT_OWNER);
    CHECK_OK(mproc_condition_release(all.own));
    conditions_free(&all);
}

static void case_interrupted_it_has_the_lock(void)
{
    conditions all = conditions_create();
    waiter waits = {.condition = all.condition};

    waiter_start(&waits);
    CHECK_OK(mproc_condition_acquire(all.own, MPROC_FOREVER)); /* it waits */
    CHECK_OK(mproc_condition_release(all.own));
    mproc_interrupt();
    check_waited(&waits, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted()); /* this thread's own news */
    conditions_free(&all);
}

/* ---- clients that are killed ---------------------------------------------------------------------------- */

/* Says by the dict that it has the lock. */
static mproc_status waits_for_ever(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    const char *address;
    mproc_manager *manager = NULL;
    mproc_condition *condition;
    mproc_dict *dict;

    MPROC_TRY(mproc_unpack(call, &address));
    MPROC_TRY(mproc_manager_connect(address, &options, &manager, check_limit_ms()));
    dict = serving_dict(manager, "dict");
    condition = got_condition(manager);
    MPROC_TRY(mproc_condition_acquire(condition, MPROC_FOREVER));
    MPROC_TRY(mproc_dict_increment(dict, MPROC_VALUE("n"), 1, NULL));
    return mproc_condition_wait(condition, MPROC_FOREVER);
}

static bool is_there(void *context)
{
    const conditions *all = context;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_get(all->dict, MPROC_VALUE("n"), &value));
    return mproc_value_int(value) == 1;
}

/* Killed while another has the lock, which is not abandoned for that; who waits behind it is notified. */
static void case_a_killed_client_waits_no_more(void)
{
    conditions all = conditions_create();
    mproc_process *process = connections_start(waits_for_ever, MPROC_ARGS(mproc_manager_address(all.both.manager)));
    waiter waits = {.condition = all.condition};

    CHECK_WAIT_UNTIL(is_there, &all);
    waiter_start(&waits);
    CHECK_OK(mproc_condition_acquire(all.own, MPROC_FOREVER));
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    serving_await_clients(all.both.manager, 1);
    CHECK_OK(mproc_condition_notify(all.own, 1));
    CHECK_OK(mproc_condition_release(all.own));
    check_waited(&waits, MPROC_OK);
    CHECK_OK(mproc_condition_acquire(all.own, MPROC_FOREVER));
    CHECK_OK(mproc_condition_release(all.own));
    conditions_free(&all);
}

CHECK_SUITE_SETUP(manager_conditions, serving_setup,
    CASE(clients_are_notified),
    CASE(clients_notify),
    CASE(predicates_are_asked_where_they_are),
    CASE(nothing_is_done_without_the_lock),
    CASE(interrupted_it_has_the_lock),
    CASE(a_killed_client_waits_no_more)
);
