/* mproc/lock.h: locks and rlocks among processes, and among threads. What becomes of the dead's: owner.c. */
#include "sync/peers.h"

/* ---- alone -------------------------------------------------------------------------------------- */

static void case_lock_is_acquired_once_and_released_once(void)
{
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK(!mproc_lock_locked(lock));
    CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
    CHECK(mproc_lock_locked(lock));
    CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(lock));
    CHECK(!mproc_lock_locked(lock));
    CHECK_SAYS(mproc_lock_release(lock), MPROC_BAD_STATE, "nobody holds the lock");
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
    mproc_lock_free(lock);
}

static void case_rlock_is_released_as_often_as_it_was_acquired(void)
{
    mproc_rlock *rlock = NULL;
    int i;

    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    for (i = 0; i < 3; i++) CHECK_OK(mproc_rlock_acquire(rlock, i));
    for (i = 0; i < 3; i++) {
        CHECK(mproc_rlock_locked(rlock));
        CHECK_OK(mproc_rlock_release(rlock));
    }
    CHECK(!mproc_rlock_locked(rlock));
    CHECK_SAYS(mproc_rlock_release(rlock), MPROC_NOT_OWNER, "does not hold the rlock");
    mproc_rlock_free(rlock);
}

/* ---- two ---------------------------------------------------------------------------------------- */

/* Holds the lock until it is told to go on. */
static void holds(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->object, check_limit_ms()));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    CHECK_OK(mproc_lock_release(self->object));
}

static void holds_rlock(peer *self)
{
    CHECK_OK(mproc_rlock_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_rlock_acquire(self->object, 0));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    CHECK_OK(mproc_rlock_release(self->object));
    CHECK_OK(mproc_rlock_release(self->object));
}

static void check_gives_up(mproc_lock *lock)
{
    int64_t began_ms = check_now_ms();

    CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_lock_recover(lock, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_lock_acquire(lock, 30), MPROC_TIMEOUT, "was not free within 30 ms");
    CHECK_STATUS(mproc_lock_recover(lock, 10), MPROC_TIMEOUT);
    CHECK(check_now_ms() - began_ms >= 39);
}

static void case_acquire_gives_up_in_time(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    crowd_add(&crowd, 1, holds, lock);
    board_await(&crowd.board->ready, 1);
    CHECK(mproc_lock_locked(lock));
    check_gives_up(lock);
    atomic_store(&crowd.board->go, 1);
    CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
    CHECK_OK(mproc_lock_release(lock));
    crowd_fini(&crowd);
    mproc_lock_free(lock);
}

static void case_rlock_is_its_owners_alone(void)
{
    mproc_rlock *rlock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    crowd_add(&crowd, 1, holds_rlock, rlock);
    board_await(&crowd.board->ready, 1);
    CHECK(mproc_rlock_locked(rlock));
    CHECK_STATUS(mproc_rlock_acquire(rlock, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_rlock_acquire(rlock, 10), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_rlock_release(rlock), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_rlock_recover(rlock, 0), MPROC_TIMEOUT);
    atomic_store(&crowd.board->go, 1);
    CHECK_OK(mproc_rlock_acquire(rlock, MPROC_FOREVER));
    CHECK_OK(mproc_rlock_release(rlock));
    crowd_fini(&crowd);
    mproc_rlock_free(rlock);
}

static void releases(peer *self)
{
    CHECK(mproc_lock_locked(self->object));
    CHECK_STATUS(mproc_lock_acquire(self->object, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(self->object));
    CHECK_STATUS(mproc_lock_release(self->object), MPROC_BAD_STATE);
}

static void case_lock_may_be_released_by_another(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    for (i = 0; i < 3; i++) {
        CHECK_OK(mproc_lock_acquire(lock, 0));
        crowd_add(&crowd, 1, releases, lock);
        crowd_join(&crowd);
        CHECK(!mproc_lock_locked(lock));
    }
    crowd_fini(&crowd);
    mproc_lock_free(lock);
}

/* A lock as a signal: one acquires it again and again, the other releases it each time. */
static void follows(peer *self)
{
    uint32_t i;

    for (i = 0; i < 200; i++) {
        CHECK_OK(mproc_lock_acquire(self->object, check_limit_ms()));
        CHECK_EQ(atomic_fetch_add(&self->board->count, 1), i);
    }
    board_await(&self->board->go, 1);
}

static void case_lock_released_by_another_wakes_who_waits(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    uint32_t i;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    crowd_add(&crowd, 1, follows, lock);
    for (i = 1; i <= 200; i++) {
        board_await(&crowd.board->count, i);
        CHECK_OK(mproc_lock_release(lock));
    }
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
    mproc_lock_free(lock);
}

/* ---- many --------------------------------------------------------------------------------------- */

enum { PAIRS = 4 };

static int rounds(void)
{
    return check_slow() > 1 ? 10000 : 100000;
}

static void counts(peer *self)
{
    int i, count = rounds();

    for (i = 0; i < count; i++) {
        CHECK_OK(mproc_lock_acquire(self->object, MPROC_FOREVER));
        self->board->plain++;
        CHECK_OK(mproc_lock_release(self->object));
    }
    atomic_fetch_add(&self->board->done, 1);
}

static void counts_deeply(peer *self)
{
    int i, count = rounds();

    for (i = 0; i < count / 2; i++) {
        CHECK_OK(mproc_rlock_acquire(self->object, MPROC_FOREVER));
        self->board->plain++;
        CHECK_OK(mproc_rlock_acquire(self->object, MPROC_FOREVER));
        self->board->plain++;
        CHECK_OK(mproc_rlock_release(self->object));
        CHECK_OK(mproc_rlock_release(self->object));
    }
    atomic_fetch_add(&self->board->done, 1);
}

static void check_count(peer_body *body, void *object)
{
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, PAIRS, body, object);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), PAIRS * 2);
    CHECK_EQ(crowd.board->plain, PAIRS * 2 * rounds());
    crowd_fini(&crowd);
}

static void case_count_under_a_lock_is_exact(void)
{
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    check_count(counts, lock);
    CHECK(!mproc_lock_locked(lock));
    mproc_lock_free(lock);
}

static void case_count_under_an_rlock_is_exact(void)
{
    mproc_rlock *rlock = NULL;

    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    check_count(counts_deeply, rlock);
    CHECK(!mproc_rlock_locked(rlock));
    mproc_rlock_free(rlock);
}

/* Whatever their limits are, who got the lock was alone, and who did not has nothing to release. */
static void counts_in_a_hurry(peer *self)
{
    mproc_status status;
    uint32_t got = 0;
    int i;

    for (i = 0; i < 2000; i++) {
        status = mproc_lock_acquire(self->object, i % 3);
        if (status != MPROC_OK) {
            CHECK_STATUS(status, MPROC_TIMEOUT);
            continue;
        }
        CHECK_EQ(atomic_fetch_add(&self->board->inside, 1), 0);
        got++;
        CHECK_EQ(atomic_fetch_sub(&self->board->inside, 1), 1);
        CHECK_OK(mproc_lock_release(self->object));
    }
    atomic_fetch_add(&self->board->count, got);
}

static void case_waits_that_end_early_leave_the_lock_whole(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_lock_create(NULL, &lock));
    crowd_add(&crowd, PAIRS, counts_in_a_hurry, lock);
    crowd_join(&crowd);
    CHECK(atomic_load(&crowd.board->count) > 0);
    CHECK(!mproc_lock_locked(lock));
    crowd_fini(&crowd);
    mproc_lock_free(lock);
}

CHECK_TWINS(sync_lock, peers_of_processes, sync_lock_threads, peers_of_threads,
    CASE(lock_is_acquired_once_and_released_once),
    CASE(rlock_is_released_as_often_as_it_was_acquired),
    CASE(acquire_gives_up_in_time),
    CASE(rlock_is_its_owners_alone),
    CASE(lock_may_be_released_by_another),
    CASE(lock_released_by_another_wakes_who_waits),
    CASE_LIMIT(count_under_a_lock_is_exact, 40),
    CASE_LIMIT(count_under_an_rlock_is_exact, 40),
    CASE(waits_that_end_early_leave_the_lock_whole),
);
