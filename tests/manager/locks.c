/* Locks of a manager: whose they are, and that whoever waits for one holds up nobody. */
#include "manager/serving.h"

/* Of those who wait for the system the manager's own thread is one. */
#define SERVER_SLEEPS 1

/* A manager that serves a dict, a lock and an rlock, which the case has, too. */
typedef struct locks {
    serving both;
    mproc_lock *own, *lock; /* the same, here and by the client */
    mproc_rlock *rlock;
    mproc_dict *dict;
} locks;

static mproc_value got(mproc_manager *client, const char *name)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_get(client, name, &value));
    return value;
}

static mproc_lock *got_lock(mproc_manager *client)
{
    mproc_value value = got(client, "lock");
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_value_to(value, &lock));
    mproc_value_clear(&value);
    return lock;
}

static locks locks_create(const mproc_manager_options *options)
{
    locks all = {.both = serving_create(LISTENING_TCP, options)};
    mproc_rlock *rlock = NULL;
    mproc_value value;

    CHECK_OK(mproc_lock_create(NULL, &all.own));
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    CHECK_OK(mproc_manager_serve(all.both.manager, "lock", MPROC_VALUE(all.own)));
    CHECK_OK(mproc_manager_serve(all.both.manager, "rlock", MPROC_VALUE(rlock)));
    mproc_rlock_free(rlock);
    serving_put(all.both.manager, "dict", MPROC_MAP("n", 0));
    all.lock = got_lock(all.both.client);
    value = got(all.both.client, "rlock");
    CHECK_OK(mproc_value_to(value, &all.rlock));
    mproc_value_clear(&value);
    all.dict = serving_dict(all.both.client, "dict");
    return all;
}

static void locks_free(locks *all)
{
    mproc_dict_free(all->dict);
    mproc_rlock_free(all->rlock);
    mproc_lock_free(all->lock);
    mproc_lock_free(all->own);
    serving_free(&all->both);
}

/* What another thread of the client does: `acquires`, and `releases` after that. */
typedef struct other {
    locks *all;
    bool acquires, releases, of_rlock;
    int64_t timeout_ms;
    mproc_status acquired, released;
    plat_thread *thread;
} other;

static void other_main(void *argument)
{
    other *self = argument;
    mproc_lock *lock = self->all->lock;
    mproc_rlock *rlock = self->all->rlock;

    if (self->acquires)
        self->acquired = self->of_rlock ? mproc_rlock_acquire(rlock, self->timeout_ms)
                                        : mproc_lock_acquire(lock, self->timeout_ms);
    if (self->releases && self->acquired == MPROC_OK)
        self->released = self->of_rlock ? mproc_rlock_release(rlock) : mproc_lock_release(lock);
}

static void other_start(other *self)
{
    CHECK_OK(plat_thread_start(other_main, self, &self->thread));
}

static void other_run(other *self)
{
    other_start(self);
    plat_thread_join(self->thread);
}

/* ---- whose it is ---------------------------------------------------------------------------------------- */

static void case_one_has_it_at_a_time(void)
{
    locks all = locks_create(NULL);
    other tries = {.all = &all, .acquires = true};

    CHECK(!mproc_lock_locked(all.lock));
    CHECK_OK(mproc_lock_acquire(all.lock, MPROC_FOREVER));
    CHECK(mproc_lock_locked(all.lock));
    CHECK(mproc_lock_locked(all.own));
    CHECK_STATUS(mproc_lock_acquire(all.own, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_lock_acquire(all.lock, 1), MPROC_TIMEOUT);
    other_run(&tries);
    CHECK_EQ(tries.acquired, MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(all.lock));
    CHECK_STATUS(mproc_lock_release(all.lock), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_lock_acquire(all.lock, -1), MPROC_INVALID);
    locks_free(&all);
}

/* Python: it was acquired in the child, and the parent releases it. */
static void case_others_release_a_lock(void)
{
    locks all = locks_create(NULL);
    other releases = {.all = &all, .releases = true};

    CHECK_OK(mproc_lock_acquire(all.lock, MPROC_FOREVER));
    other_run(&releases);
    CHECK_EQ(releases.released, MPROC_OK);
    CHECK_OK(mproc_lock_acquire(all.own, 0));
    CHECK_OK(mproc_lock_release(all.lock));
    CHECK_STATUS(mproc_lock_release(all.own), MPROC_BAD_STATE);
    locks_free(&all);
}

static void case_an_rlock_is_its_threads(void)
{
    locks all = locks_create(NULL);
    other releases = {.all = &all, .releases = true, .of_rlock = true}, takes = releases;

    for (int i = 0; i < 3; i++) CHECK_OK(mproc_rlock_acquire(all.rlock, MPROC_FOREVER));
    other_run(&releases);
    CHECK_EQ(releases.released, MPROC_NOT_OWNER);
    for (int i = 0; i < 3; i++) {
        CHECK(mproc_rlock_locked(all.rlock));
        CHECK_OK(mproc_rlock_release(all.rlock));
    }
    CHECK(!mproc_rlock_locked(all.rlock));
    CHECK_STATUS(mproc_rlock_release(all.rlock), MPROC_NOT_OWNER);
    takes.acquires = true;
    other_run(&takes);
    CHECK_EQ(takes.acquired, MPROC_OK);
    CHECK_EQ(takes.released, MPROC_OK);
    locks_free(&all);
}

static void case_a_thread_that_ends_abandons_it(void)
{
    locks all = locks_create(NULL);
    other keeps = {.all = &all, .acquires = true};
    mproc_status status;

    other_run(&keeps);
    CHECK_EQ(keeps.acquired, MPROC_OK);
    status = mproc_lock_acquire(all.lock, MPROC_FOREVER);
    CHECK_EQ(status, MPROC_OWNER_DIED);
    CHECK_OK(mproc_lock_recover(all.lock, MPROC_FOREVER));
    CHECK_OK(mproc_lock_release(all.lock));
    locks_free(&all);
}

/* ---- waiting -------------------------------------------------------------------------------------------- */

static void case_who_waits_holds_up_nobody(void)
{
    enum { WAITERS = 6 };
    locks all = locks_create(NULL);
    other waits[WAITERS];

    CHECK_OK(mproc_lock_acquire(all.lock, MPROC_FOREVER));
    for (int i = 0; i < WAITERS; i++) {
        waits[i] = (other){.all = &all, .acquires = true, .releases = true, .timeout_ms = MPROC_FOREVER};
        other_start(&waits[i]);
    }
    connections_await_sleepers(SERVER_SLEEPS + WAITERS);
    for (int i = 0; i < 10; i++) CHECK_OK(mproc_dict_increment(all.dict, MPROC_VALUE("n"), 1, NULL));
    CHECK_EQ(mproc_manager_clients(all.both.manager), 1);
    CHECK_OK(mproc_lock_release(all.lock));
    for (int i = 0; i < WAITERS; i++) {
        plat_thread_join(waits[i].thread);
        CHECK_EQ(waits[i].acquired, MPROC_OK);
        CHECK_EQ(waits[i].released, MPROC_OK);
    }
    locks_free(&all);
}

/* The time that the manager has for calls begins when the call's own is over. */
static void case_a_wait_may_be_longer_than_calls_are(void)
{
    enum { CALL_MS = 300 };
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key"), .call_timeout_ms = CALL_MS};
    locks all = locks_create(NULL), limited = all;
    other waits = {.all = &limited, .acquires = true, .releases = true, .timeout_ms = check_limit_ms()};

    CHECK_OK(mproc_manager_connect(mproc_manager_address(all.both.manager), &options, &limited.both.client,
                                   check_limit_ms()));
    limited.lock = got_lock(limited.both.client);
    CHECK_OK(mproc_lock_acquire(all.own, 0));
    other_start(&waits);
    connections_await_sleepers(SERVER_SLEEPS + 1);
    CHECK_STATUS(mproc_lock_acquire(all.lock, CALL_MS + CALL_MS / 2), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(all.own));
    plat_thread_join(waits.thread);
    CHECK_EQ(waits.acquired, MPROC_OK);
    CHECK_EQ(waits.released, MPROC_OK);
    mproc_lock_free(limited.lock);
    mproc_manager_free(limited.both.client);
    locks_free(&all);
}

/* What it has stays its own, and the manager waits no more for it. */
static void case_interrupt_ends_a_wait_alone(void)
{
    locks all = locks_create(NULL);
    other waits = {.all = &all, .acquires = true, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_lock_acquire(all.own, 0));
    CHECK_OK(mproc_rlock_acquire(all.rlock, 0));
    other_start(&waits);
    connections_await_sleepers(SERVER_SLEEPS + 1);
    mproc_interrupt();
    plat_thread_join(waits.thread);
    CHECK_EQ(waits.acquired, MPROC_INTERRUPTED);
    CHECK_STATUS(mproc_lock_acquire(all.lock, MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_OK(mproc_rlock_acquire(all.rlock, 0));
    CHECK_OK(mproc_rlock_release(all.rlock));
    CHECK_OK(mproc_rlock_release(all.rlock));
    CHECK_OK(mproc_lock_release(all.own));
    CHECK_OK(mproc_lock_acquire(all.own, 0));
    CHECK_OK(mproc_lock_release(all.own));
    locks_free(&all);
}

static void case_a_manager_that_ends_keeps_nobody_waiting(void)
{
    locks all = locks_create(NULL);
    other waits = {.all = &all, .acquires = true, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_lock_acquire(all.own, 0));
    other_start(&waits);
    connections_await_sleepers(SERVER_SLEEPS + 1);
    mproc_manager_shutdown(all.both.manager);
    plat_thread_join(waits.thread);
    CHECK_EQ(waits.acquired, MPROC_PEER_DIED);
    CHECK_STATUS(mproc_lock_acquire(all.lock, 0), MPROC_PEER_DIED);
    CHECK_OK(mproc_lock_release(all.own));
    locks_free(&all);
}

static void case_a_client_that_shuts_down_waits_no_more(void)
{
    locks all = locks_create(NULL);
    other waits = {.all = &all, .acquires = true, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_lock_acquire(all.own, 0));
    other_start(&waits);
    connections_await_sleepers(SERVER_SLEEPS + 1);
    mproc_manager_shutdown(all.both.client);
    plat_thread_join(waits.thread);
    CHECK_EQ(waits.acquired, MPROC_CLOSED);
    serving_await_clients(all.both.manager, 0);
    serving_await_objects(all.both.manager, 0);
    CHECK_OK(mproc_lock_release(all.own));
    CHECK_OK(mproc_lock_acquire(all.own, 0));
    CHECK_OK(mproc_lock_release(all.own));
    locks_free(&all);
}

/* ---- clients that are killed ---------------------------------------------------------------------------- */

/* Says by the dict that it is there. */
static mproc_status acquires(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    const char *address;
    mproc_manager *manager = NULL;
    mproc_lock *lock;
    mproc_dict *dict;
    bool waits;

    MPROC_TRY(mproc_unpack(call, &address, &waits));
    MPROC_TRY(mproc_manager_connect(address, &options, &manager, check_limit_ms()));
    dict = serving_dict(manager, "dict");
    lock = got_lock(manager);
    if (!waits) MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    MPROC_TRY(mproc_dict_increment(dict, MPROC_VALUE("n"), 1, NULL));
    if (waits) MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    for (;;) MPROC_TRY(mproc_sleep_ms(1000));
}

static bool is_there(void *context)
{
    const locks *all = context;
    mproc_value value = mproc_nil();
    bool there;

    CHECK_OK(mproc_dict_get(all->dict, MPROC_VALUE("n"), &value));
    there = mproc_value_int(value) == 1;
    return there;
}

static void kill_one(locks *all, bool waits)
{
    mproc_process *process = connections_start(acquires, MPROC_ARGS(mproc_manager_address(all->both.manager), waits));

    CHECK_WAIT_UNTIL(is_there, all);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
}

static void case_a_killed_client_abandons_it(void)
{
    locks all = locks_create(NULL);

    kill_one(&all, false);
    CHECK_STATUS(mproc_lock_acquire(all.lock, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_OK(mproc_lock_recover(all.own, 0));
    CHECK_OK(mproc_lock_release(all.own));
    serving_await_clients(all.both.manager, 1);
    locks_free(&all);
}

/* Its references are gone though nobody has let go of the lock, and nobody has that for it later. */
static void case_a_killed_client_waits_no_more(void)
{
    locks all = locks_create(NULL);

    CHECK_OK(mproc_lock_acquire(all.own, 0));
    kill_one(&all, true);
    serving_await_clients(all.both.manager, 1);
    serving_await_objects(all.both.manager, 3);
    CHECK_OK(mproc_lock_release(all.own));
    CHECK_OK(mproc_lock_acquire(all.own, 0));
    CHECK_OK(mproc_lock_release(all.own));
    locks_free(&all);
}

/* ---- lines ---------------------------------------------------------------------------------------------- */

static void call(mproc_connection *raw, mproc_value message, mproc_status status)
{
    mproc_value answer = mproc_nil();

    CHECK_OK(mproc_connection_send(raw, message, check_limit_ms()));
    CHECK_OK(mproc_connection_recv(raw, &answer, check_limit_ms()));
    CHECK_EQ(mproc_value_int(mproc_value_at(answer, 1)), status);
    mproc_value_clear(&answer);
}

static void case_wrong_joins_are_refused(void)
{
    locks all = locks_create(NULL);
    mproc_connection *raw = serving_raw(all.both.manager);

    call(raw, MPROC_LIST(1, 0, 4, mproc_bytes("0123456789abcdef", 16)), MPROC_INVALID);
    call(raw, MPROC_LIST(2, 0, 4, mproc_bytes("", 0)), MPROC_INVALID);
    call(raw, MPROC_LIST(3, 0, 4, "0123456789abcdef"), MPROC_INVALID);
    call(raw, MPROC_LIST(4, 0, 4), MPROC_INVALID);
    call(raw, MPROC_LIST(5, 0, 5, 4), MPROC_OK); /* what is over stops no more */
    mproc_connection_free(raw);
    serving_await_clients(all.both.manager, 1);
    CHECK_OK(mproc_lock_acquire(all.lock, 0));
    CHECK_OK(mproc_lock_release(all.lock));
    locks_free(&all);
}

static void case_connections_have_limits(void)
{
    locks all = locks_create(&(mproc_manager_options){.connections_per_client_max = 2});
    other holds = {.all = &all, .acquires = true, .of_rlock = true};

    CHECK_OK(mproc_lock_acquire(all.lock, 0));
    other_run(&holds);
    CHECK_EQ(holds.acquired, MPROC_LIMIT);
    CHECK_OK(mproc_dict_increment(all.dict, MPROC_VALUE("n"), 1, NULL));
    CHECK_OK(mproc_lock_release(all.lock));
    other_run(&holds);
    CHECK_EQ(holds.acquired, MPROC_OK);
    locks_free(&all);
}

CHECK_SUITE_SETUP(manager_locks, serving_setup,
    CASE(one_has_it_at_a_time),
    CASE(others_release_a_lock),
    CASE(an_rlock_is_its_threads),
    CASE(a_thread_that_ends_abandons_it),
    CASE(who_waits_holds_up_nobody),
    CASE(a_wait_may_be_longer_than_calls_are),
    CASE(interrupt_ends_a_wait_alone),
    CASE(a_manager_that_ends_keeps_nobody_waiting),
    CASE(a_client_that_shuts_down_waits_no_more),
    CASE(a_killed_client_abandons_it),
    CASE(a_killed_client_waits_no_more),
    CASE(wrong_joins_are_refused),
    CASE(connections_have_limits)
);
