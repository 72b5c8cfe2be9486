/* mproc/condition.h: predicates, given locks, depth, and a queue that many use. */
#include "sync/peers.h"

/* ---- wait_for ----------------------------------------------------------------------------------- */

static bool is_four(void *context)
{
    const board *shared = context;

    return shared->plain == 4;
}

/* CPython's: the parent waits for 0, the child for 4, which the parent comes to step by step. */
static void waits_for_four(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->ready, 1);
    CHECK_OK(mproc_condition_wait_for(self->object, is_four, self->board, MPROC_FOREVER));
    CHECK_EQ(self->board->plain, 4);
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_wait_for_ends_when_the_predicate_is_true(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 2, waits_for_four, condition);
    board_await(&crowd.board->ready, 2);
    for (i = 0; i < 4; i++) {
        peers_await_sleepers(condition, 2);
        CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
        crowd.board->plain++;
        CHECK_OK(mproc_condition_notify_all(condition));
        CHECK_OK(mproc_condition_release(condition));
    }
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

static bool is_never(void *context)
{
    ++*(int *)context;
    return false;
}

static bool is_always(void *context)
{
    ++*(int *)context;
    return true;
}

static void case_wait_for_gives_up_in_time(void)
{
    mproc_condition *condition = NULL;
    int64_t began_ms;
    int asked = 0;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_OK(mproc_condition_wait_for(condition, is_always, &asked, 0));
    CHECK_OK(mproc_condition_wait_for(condition, is_always, &asked, 1));
    CHECK_EQ(asked, 2);
    CHECK_STATUS(mproc_condition_wait_for(condition, is_never, &asked, 0), MPROC_TIMEOUT);
    began_ms = check_now_ms();
    CHECK_STATUS(mproc_condition_wait_for(condition, is_never, &asked, 50), MPROC_TIMEOUT);
    CHECK(check_now_ms() - began_ms >= 49);
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
}

/* Its limit is that of all its waits, not of each. */
static void notifies_always(peer *self)
{
    while (!atomic_load(&self->board->go)) {
        CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
        CHECK_OK(mproc_condition_notify_all(self->object));
        CHECK_OK(mproc_condition_release(self->object));
        check_pause_ms(1);
    }
}

static void case_notifications_do_not_prolong_wait_for(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int asked = 0;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 1, notifies_always, condition);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_STATUS(mproc_condition_wait_for(condition, is_never, &asked, 100), MPROC_TIMEOUT);
    CHECK_OK(mproc_condition_release(condition));
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

/* ---- locks -------------------------------------------------------------------------------------- */

static void notifies(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_condition_notify(self->object, 1));
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_rlock_has_its_depth_again_after_a_wait(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    for (i = 0; i < 3; i++) CHECK_OK(mproc_condition_acquire(condition, 0));
    crowd_add(&crowd, 1, notifies, condition);
    CHECK_OK(mproc_condition_wait(condition, check_limit_ms()));
    for (i = 0; i < 3; i++) CHECK_OK(mproc_condition_release(condition));
    CHECK_STATUS(mproc_condition_release(condition), MPROC_NOT_OWNER);
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

static void notifies_by_the_lock(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->other, check_limit_ms()));
    CHECK_OK(mproc_condition_notify(self->object, 1));
    CHECK_OK(mproc_lock_release(self->other));
}

static void case_given_lock_is_the_conditions(void)
{
    mproc_condition *condition = NULL;
    mproc_lock *lock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_condition_create(&(mproc_condition_options){.lock = lock}, &condition));
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_STATUS(mproc_condition_acquire(condition, 0), MPROC_TIMEOUT);
    crowd.other = lock;
    crowd_add(&crowd, 1, notifies_by_the_lock, condition);
    CHECK_OK(mproc_condition_wait(condition, check_limit_ms()));
    CHECK(mproc_lock_locked(lock));
    CHECK_OK(mproc_condition_release(condition));
    CHECK(!mproc_lock_locked(lock));
    CHECK_STATUS(mproc_condition_release(condition), MPROC_BAD_STATE);
    crowd_join(&crowd);
    mproc_lock_free(lock);
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_STATUS(mproc_condition_wait(condition, 1), MPROC_TIMEOUT);
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

static void case_conditions_share_a_given_rlock(void)
{
    mproc_condition *first = NULL;
    mproc_condition *second = NULL;
    mproc_rlock *rlock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    CHECK_OK(mproc_condition_create(&(mproc_condition_options){.rlock = rlock}, &first));
    CHECK_OK(mproc_condition_create(&(mproc_condition_options){.rlock = rlock}, &second));
    CHECK_OK(mproc_condition_acquire(first, 0));
    CHECK_OK(mproc_rlock_acquire(rlock, 0));
    crowd_add(&crowd, 1, notifies, second);
    CHECK_STATUS(mproc_condition_wait(first, 30), MPROC_TIMEOUT);
    crowd_add(&crowd, 1, notifies, second);
    CHECK_OK(mproc_condition_notify_all(first));
    CHECK_OK(mproc_condition_release(second));
    CHECK_OK(mproc_condition_release(second));
    crowd_join(&crowd);
    CHECK(!mproc_rlock_locked(rlock));
    crowd_fini(&crowd);
    mproc_condition_free(second);
    mproc_condition_free(first);
    mproc_rlock_free(rlock);
}

/* ---- many --------------------------------------------------------------------------------------- */

enum { ITEMS = 1500 };

/* A store with one place, at the board: makers wait while it is full, takers while it is empty. */
static bool is_full(void *context)
{
    return ((board *)context)->plain != 0;
}

static bool is_empty(void *context)
{
    return ((board *)context)->plain == 0;
}

static void makes(peer *self)
{
    int i;

    for (i = 0; i < ITEMS; i++) {
        CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
        CHECK_OK(mproc_condition_wait_for(self->object, is_empty, self->board, check_limit_ms()));
        self->board->plain = 1;
        CHECK_OK(mproc_condition_notify_all(self->object));
        CHECK_OK(mproc_condition_release(self->object));
    }
}

static void takes(peer *self)
{
    int i;

    for (i = 0; i < ITEMS; i++) {
        CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
        CHECK_OK(mproc_condition_wait_for(self->object, is_full, self->board, check_limit_ms()));
        self->board->plain = 0;
        atomic_fetch_add(&self->board->count, 1);
        CHECK_OK(mproc_condition_notify_all(self->object));
        CHECK_OK(mproc_condition_release(self->object));
    }
}

static void case_store_of_one_place_passes_everything(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd.threads = 2;
    crowd_add(&crowd, 1, makes, condition);
    crowd_add(&crowd, 1, takes, condition);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->count), 2 * ITEMS);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

/* Those who wait give up at any time: whoever was notified says so, and nobody else. */
static void waits_in_a_hurry(peer *self)
{
    mproc_status status;
    int i;

    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    for (i = 0; i < 100; i++) {
        status = mproc_condition_wait(self->object, i % 3);
        if (status == MPROC_OK) atomic_fetch_add(&self->board->count, 1);
        else CHECK_STATUS(status, MPROC_TIMEOUT);
    }
    CHECK_OK(mproc_condition_release(self->object));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_no_more_are_notified_than_there_were_notifications(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    uint32_t notified = 0;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 2, waits_in_a_hurry, condition);
    while (atomic_load(&crowd.board->done) < 4) {
        CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
        CHECK_OK(mproc_condition_notify(condition, 1));
        CHECK_OK(mproc_condition_release(condition));
        notified++;
    }
    crowd_join(&crowd);
    CHECK(atomic_load(&crowd.board->count) <= notified);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

CHECK_TWINS(sync_condition_use, peers_of_processes, sync_condition_use_threads, peers_of_threads,
    CASE(wait_for_ends_when_the_predicate_is_true),
    CASE(wait_for_gives_up_in_time),
    CASE(notifications_do_not_prolong_wait_for),
    CASE(rlock_has_its_depth_again_after_a_wait),
    CASE(given_lock_is_the_conditions),
    CASE(conditions_share_a_given_rlock),
    CASE(store_of_one_place_passes_everything),
    CASE(no_more_are_notified_than_there_were_notifications),
);
