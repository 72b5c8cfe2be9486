/* Objects that are freed while threads of this process wait by them, and other processes do. */
#include "sync/peers.h"

/* ---- every kind of wait ------------------------------------------------------------------------- */

enum kind { LOCK, RLOCK, SEMAPHORE, OWNED, CONDITION, EVENT, BARRIER, KINDS };

/* Makes an object that is waited for; what holds it up is undone by let_go(). */
static void *create(enum kind kind)
{
    mproc_semaphore_options owned = {.owned = true};
    void *object = NULL;

    switch (kind) {
    case LOCK:
        CHECK_OK(mproc_lock_create(NULL, (mproc_lock **)&object));
        CHECK_OK(mproc_lock_acquire(object, 0));
        break;
    case RLOCK:
        CHECK_OK(mproc_rlock_create(NULL, (mproc_rlock **)&object));
        CHECK_OK(mproc_rlock_acquire(object, 0));
        break;
    case SEMAPHORE:
    case OWNED:
        CHECK_OK(mproc_semaphore_create(0, kind == OWNED ? &owned : NULL, (mproc_semaphore **)&object));
        break;
    case CONDITION:
        CHECK_OK(mproc_condition_create(NULL, (mproc_condition **)&object));
        break;
    case EVENT:
        CHECK_OK(mproc_event_create((mproc_event **)&object));
        break;
    case BARRIER:
    case KINDS:
        CHECK_OK(mproc_barrier_create(9, NULL, (mproc_barrier **)&object));
        break;
    }
    return object;
}

static mproc_status wait_for_condition(mproc_condition *condition)
{
    mproc_status status;

    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    status = mproc_condition_wait(condition, MPROC_FOREVER);
    if (status == MPROC_OK || status == MPROC_INTERRUPTED) CHECK_OK(mproc_condition_release(condition));
    return status;
}

static mproc_status wait_for(enum kind kind, void *object)
{
    switch (kind) {
    case LOCK:
        return mproc_lock_acquire(object, MPROC_FOREVER);
    case RLOCK:
        return mproc_rlock_acquire(object, MPROC_FOREVER);
    case SEMAPHORE:
    case OWNED:
        return mproc_semaphore_acquire(object, MPROC_FOREVER);
    case CONDITION:
        return wait_for_condition(object);
    case EVENT:
        return mproc_event_wait(object, MPROC_FOREVER);
    case BARRIER:
    case KINDS:
        break;
    }
    return mproc_barrier_wait(object, MPROC_FOREVER, NULL);
}

static void free_object(enum kind kind, void *object)
{
    switch (kind) {
    case LOCK:
        mproc_lock_free(object);
        break;
    case RLOCK:
        mproc_rlock_free(object);
        break;
    case SEMAPHORE:
    case OWNED:
        mproc_semaphore_free(object);
        break;
    case CONDITION:
        mproc_condition_free(object);
        break;
    case EVENT:
        mproc_event_free(object);
        break;
    case BARRIER:
    case KINDS:
        mproc_barrier_free(object);
        break;
    }
}

/* ---- freed -------------------------------------------------------------------------------------- */

typedef struct waiter {
    void *object;
    enum kind kind;
    mproc_status status;
    plat_thread *thread;
} waiter;

static void waits_here(void *argument)
{
    waiter *self = argument;

    self->status = wait_for(self->kind, self->object);
}

static void waits_there(peer *self)
{
    mproc_status status = wait_for((enum kind)self->extra, self->object);

    atomic_store(&self->board->statuses[self->number], (int32_t)status);
}

/* What was freed here goes on there: the second reference is the case's own. */
static void end_there(enum kind kind, void *object)
{
    switch (kind) {
    case LOCK:
        CHECK_OK(mproc_lock_release(object));
        break;
    case RLOCK:
        CHECK_OK(mproc_rlock_release(object));
        break;
    case SEMAPHORE:
        CHECK_OK(mproc_semaphore_release(object));
        break;
    case CONDITION:
        CHECK_OK(mproc_condition_acquire(object, MPROC_FOREVER));
        CHECK_OK(mproc_condition_notify_all(object));
        CHECK_OK(mproc_condition_release(object));
        break;
    case EVENT:
        CHECK_OK(mproc_event_set(object));
        break;
    case OWNED:
    case BARRIER:
    case KINDS:
        break;
    }
}

/* A barrier of which a party was sent away is broken; permits that nobody owned would never come. */
static bool goes_on(enum kind kind)
{
    return kind != BARRIER && kind != OWNED;
}

static void check_freed(enum kind kind)
{
    void *object = create(kind);
    void *again = peers_second(object);
    waiter waiters[3];
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    crowd.extra = kind;
    for (i = 0; i < 3; i++) {
        waiters[i] = (waiter){.object = object, .kind = kind};
        CHECK_OK(plat_thread_start(waits_here, &waiters[i], &waiters[i].thread));
    }
    if (goes_on(kind)) crowd_add(&crowd, 1, waits_there, again);
    peers_await_sleepers(again, goes_on(kind) ? 4 : 3);
    free_object(kind, object);
    for (i = 0; i < 3; i++) plat_thread_join(waiters[i].thread);
    for (i = 0; i < 3; i++) {
        if (kind != BARRIER || waiters[i].status != MPROC_BROKEN) CHECK_STATUS(waiters[i].status, MPROC_CLOSED);
    }
    if (goes_on(kind)) peers_await_sleepers(again, 1);
    end_there(kind, again);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->statuses[0]), MPROC_OK);
    free_object(kind, again);
    crowd_fini(&crowd);
}

static void case_free_sends_away_threads_that_wait_by_it_and_no_others(void)
{
    int kind;

    for (kind = 0; kind < KINDS; kind++) check_freed((enum kind)kind);
}

/* The wait does not want a lock back that nobody could release. */
static void case_condition_may_be_freed_by_who_holds_its_lock(void)
{
    mproc_condition *condition = NULL;
    waiter told, asleep;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    told = asleep = (waiter){.object = condition, .kind = CONDITION};
    CHECK_OK(plat_thread_start(waits_here, &told, &told.thread));
    peers_await_sleepers(condition, 1);
    CHECK_OK(plat_thread_start(waits_here, &asleep, &asleep.thread));
    peers_await_sleepers(condition, 2);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, 1));
    mproc_condition_free(condition);
    plat_thread_join(told.thread);
    plat_thread_join(asleep.thread);
    CHECK_STATUS(told.status, MPROC_CLOSED);
    CHECK_STATUS(asleep.status, MPROC_CLOSED);
}

/* ---- interrupted -------------------------------------------------------------------------------- */

static void case_interrupt_ends_each_wait_of_each_thread(void)
{
    waiter waiters[2];
    void *object;
    int kind, i;

    for (kind = 0; kind < KINDS; kind++) {
        object = create((enum kind)kind);
        for (i = 0; i < 2; i++) {
            waiters[i] = (waiter){.object = object, .kind = (enum kind)kind};
            CHECK_OK(plat_thread_start(waits_here, &waiters[i], &waiters[i].thread));
        }
        peers_await_sleepers(object, 2);
        mproc_interrupt();
        for (i = 0; i < 2; i++) plat_thread_join(waiters[i].thread);
        for (i = 0; i < 2; i++) {
            if (kind == BARRIER && waiters[i].status == MPROC_BROKEN) continue;
            CHECK_STATUS(waiters[i].status, MPROC_INTERRUPTED);
        }
        CHECK(mproc_interrupted());
        free_object((enum kind)kind, object);
    }
}

/* Only of what this thread can wait for itself. */
static void case_interrupt_from_before_ends_the_wait_at_once(void)
{
    int64_t began_ms = check_now_ms();
    void *object;
    int kind;

    for (kind = SEMAPHORE; kind < KINDS; kind++) {
        object = create((enum kind)kind);
        mproc_interrupt();
        CHECK_SAYS(wait_for((enum kind)kind, object), MPROC_INTERRUPTED, "was interrupted");
        CHECK(!mproc_interrupted());
        if (kind == BARRIER) CHECK(mproc_barrier_broken(object));
        free_object((enum kind)kind, object);
    }
    object = create(LOCK);
    mproc_interrupt();
    CHECK_STATUS(mproc_lock_acquire(object, MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_OK(mproc_lock_release(object));
    mproc_lock_free(object);
    CHECK(check_now_ms() - began_ms < 1500 * check_slow());
}

static void is_interrupted(peer *self)
{
    CHECK_OK(mproc_catch_interrupts());
    atomic_fetch_add(&self->board->ready, 1);
    CHECK_STATUS(wait_for((enum kind)self->extra, self->object), MPROC_INTERRUPTED);
    mproc_interrupted(); /* the signal that comes with the request may be one more */
}

static void case_wait_of_another_process_can_be_interrupted(void)
{
    peer_crowd crowd;
    void *object;
    int kind;

    for (kind = 0; kind < KINDS; kind++) {
        object = create((enum kind)kind);
        crowd_init(&crowd);
        crowd.extra = kind;
        crowd_add(&crowd, 1, is_interrupted, object);
        peers_await_sleepers(object, 1);
        CHECK_OK(mproc_process_interrupt(crowd.all[0].process));
        crowd_fini(&crowd);
        free_object((enum kind)kind, object);
    }
}

/* ---- what outlives a reference -------------------------------------------------------------------- */

static void frees_what_it_holds(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->object, 0));
    mproc_lock_free(self->object);
    self->object = NULL;
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
}

static void case_free_of_a_held_lock_leaves_it_locked(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    crowd_add(&crowd, 1, frees_what_it_holds, lock);
    board_await(&crowd.board->ready, 1);
    CHECK_STATUS(mproc_lock_acquire(lock, 10), MPROC_TIMEOUT);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    CHECK_STATUS(mproc_lock_acquire(lock, MPROC_FOREVER), MPROC_OWNER_DIED);
    mproc_lock_free(lock);
    crowd_fini(&crowd);
}

CHECK_SUITE_SETUP(sync_free, peers_of_processes,
    CASE_LIMIT(free_sends_away_threads_that_wait_by_it_and_no_others, 40),
    CASE(condition_may_be_freed_by_who_holds_its_lock),
    CASE_LIMIT(interrupt_ends_each_wait_of_each_thread, 40),
    CASE(interrupt_from_before_ends_the_wait_at_once),
    CASE_LIMIT(wait_of_another_process_can_be_interrupted, 40),
    CASE(free_of_a_held_lock_leaves_it_locked),
);
