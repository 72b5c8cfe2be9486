/* mproc/lock.h: locks whose owner ends - a thread, or a process in any of three ways - without releasing them. */
#include "sync/peers.h"

#include <stdlib.h>

/* How an owner ends. A thread can only return. */
enum { RETURNS, EXITS, IS_KILLED, ENDS };

static int ends(void)
{
    return peers_are_threads() ? EXITS : ENDS;
}

static void end(const peer *self)
{
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    if (self->extra == EXITS) exit(0);
}

/* Lets the first member of the crowd end, which is ready to. */
static void let_end(peer_crowd *crowd)
{
    board_await(&crowd->board->ready, 1);
    if (crowd->extra == IS_KILLED) crowd_kill(crowd, 0);
    atomic_store(&crowd->board->go, 1);
    crowd_join(crowd);
}

static void acquires(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->object, check_limit_ms()));
    end(self);
}

/* ---- abandoned locks ---------------------------------------------------------------------------- */

static void check_abandoned(mproc_lock *lock)
{
    int i;

    CHECK_SAYS(mproc_lock_acquire(lock, MPROC_FOREVER), MPROC_OWNER_DIED, "abandoned");
    for (i = -1; i < 2; i++) CHECK_STATUS(mproc_lock_acquire(lock, i), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_lock_release(lock), MPROC_OWNER_DIED);
    CHECK(mproc_lock_locked(lock));
}

static void check_recovers(mproc_lock *lock)
{
    CHECK_OK(mproc_lock_recover(lock, 0));
    CHECK(mproc_lock_locked(lock));
    CHECK_STATUS(mproc_lock_acquire(lock, 1), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(lock));
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
}

static void case_lock_of_an_ended_owner_is_abandoned_until_it_is_recovered(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    int how;

    for (how = 0; how < ends(); how++) {
        crowd_init(&crowd);
        crowd.extra = how;
        CHECK_OK(mproc_lock_create(NULL, &lock));
        crowd_add(&crowd, 1, acquires, lock);
        let_end(&crowd);
        check_abandoned(lock);
        check_recovers(lock);
        mproc_lock_free(lock);
        crowd_fini(&crowd);
    }
}

static void waits_for_it(peer *self)
{
    mproc_status status;

    atomic_fetch_add(&self->board->count, 1);
    status = mproc_lock_acquire(self->object, MPROC_FOREVER);
    CHECK_STATUS(status, MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_lock_acquire(self->object, 0), MPROC_OWNER_DIED);
    atomic_fetch_add(&self->board->done, 1);
}

static void case_all_who_wait_learn_that_the_owner_ended(void)
{
    mproc_lock *lock = NULL;
    peer_crowd owner, others;
    int how;

    for (how = 0; how < ends(); how++) {
        crowd_init(&owner);
        crowd_init(&others);
        owner.extra = how;
        others.threads = 2;
        CHECK_OK(mproc_lock_create(NULL, &lock));
        crowd_add(&owner, 1, acquires, lock);
        board_await(&owner.board->ready, 1);
        crowd_add(&others, 2, waits_for_it, lock);
        peers_await_sleepers(lock, 4);
        let_end(&owner);
        crowd_join(&others);
        CHECK_EQ(atomic_load(&others.board->done), 4);
        check_recovers(lock);
        mproc_lock_free(lock);
        crowd_fini(&others);
        crowd_fini(&owner);
    }
}

/* ---- recover ------------------------------------------------------------------------------------ */

static void case_recover_acquires_a_lock_that_is_not_abandoned(void)
{
    mproc_lock *lock = NULL;
    mproc_rlock *rlock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_lock_recover(lock, MPROC_FOREVER));
    CHECK_STATUS(mproc_lock_recover(lock, 5), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(lock));
    CHECK_STATUS(mproc_lock_release(lock), MPROC_BAD_STATE);
    mproc_lock_free(lock);
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    CHECK_OK(mproc_rlock_recover(rlock, 0));
    CHECK_OK(mproc_rlock_recover(rlock, 0));
    CHECK_OK(mproc_rlock_release(rlock));
    CHECK_OK(mproc_rlock_release(rlock));
    CHECK_STATUS(mproc_rlock_release(rlock), MPROC_NOT_OWNER);
    mproc_rlock_free(rlock);
}

static void recovers(peer *self)
{
    board_await(&self->board->go, 1);
    CHECK_OK(mproc_lock_recover(self->object, check_limit_ms()));
    CHECK_EQ(atomic_fetch_add(&self->board->inside, 1), 0);
    atomic_fetch_add(&self->board->done, 1);
    CHECK_EQ(atomic_fetch_sub(&self->board->inside, 1), 1);
    CHECK_OK(mproc_lock_release(self->object));
}

static void case_many_who_recover_hold_it_one_after_the_other(void)
{
    mproc_lock *lock = NULL;
    peer_crowd owner, others;

    crowd_init(&owner);
    crowd_init(&others);
    others.threads = 2;
    CHECK_OK(mproc_lock_create(NULL, &lock));
    crowd_add(&owner, 1, acquires, lock);
    crowd_add(&others, 3, recovers, lock);
    let_end(&owner);
    atomic_store(&others.board->go, 1);
    crowd_join(&others);
    CHECK_EQ(atomic_load(&others.board->done), 6);
    CHECK(!mproc_lock_locked(lock));
    mproc_lock_free(lock);
    crowd_fini(&others);
    crowd_fini(&owner);
}

static void case_lock_with_the_option_is_acquired_as_if_it_were_free(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    int how;

    for (how = 0; how < ends(); how++) {
        crowd_init(&crowd);
        crowd.extra = how;
        CHECK_OK(mproc_lock_create(&(mproc_lock_options){.recover = true}, &lock));
        crowd_add(&crowd, 1, acquires, lock);
        let_end(&crowd);
        CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
        CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_TIMEOUT);
        CHECK_OK(mproc_lock_release(lock));
        CHECK(!mproc_lock_locked(lock));
        mproc_lock_free(lock);
        crowd_fini(&crowd);
    }
}

static void waits_and_gets_it(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_lock_release(self->object));
}

static void case_who_waits_for_a_lock_with_the_option_gets_it(void)
{
    mproc_lock *lock = NULL;
    peer_crowd owner, others;

    crowd_init(&owner);
    crowd_init(&others);
    CHECK_OK(mproc_lock_create(&(mproc_lock_options){.recover = true}, &lock));
    crowd_add(&owner, 1, acquires, lock);
    board_await(&owner.board->ready, 1);
    crowd_add(&others, 2, waits_and_gets_it, lock);
    peers_await_sleepers(lock, 2);
    let_end(&owner);
    crowd_join(&others);
    CHECK(!mproc_lock_locked(lock));
    mproc_lock_free(lock);
    crowd_fini(&others);
    crowd_fini(&owner);
}

/* ---- rlocks ------------------------------------------------------------------------------------- */

static void acquires_thrice(peer *self)
{
    int i;

    for (i = 0; i < 3; i++) CHECK_OK(mproc_rlock_acquire(self->object, check_limit_ms()));
    end(self);
}

static void case_rlock_of_an_ended_owner_is_abandoned_at_once(void)
{
    mproc_rlock *rlock = NULL;
    peer_crowd crowd;
    int how;

    for (how = 0; how < ends(); how++) {
        crowd_init(&crowd);
        crowd.extra = how;
        CHECK_OK(mproc_rlock_create(NULL, &rlock));
        crowd_add(&crowd, 1, acquires_thrice, rlock);
        let_end(&crowd);
        CHECK_STATUS(mproc_rlock_acquire(rlock, MPROC_FOREVER), MPROC_OWNER_DIED);
        CHECK_STATUS(mproc_rlock_release(rlock), MPROC_OWNER_DIED);
        CHECK(mproc_rlock_locked(rlock));
        CHECK_OK(mproc_rlock_recover(rlock, 0));
        CHECK_OK(mproc_rlock_acquire(rlock, 0));
        CHECK_OK(mproc_rlock_release(rlock));
        CHECK_OK(mproc_rlock_release(rlock));
        CHECK(!mproc_rlock_locked(rlock));
        mproc_rlock_free(rlock);
        crowd_fini(&crowd);
    }
}

/* ---- many locks --------------------------------------------------------------------------------- */

enum { MANY = 200 };

/* A peer that makes its locks has them all; those of the case are told as many peers' objects. */
static void hold_all(mproc_lock *const *locks, int count)
{
    int i;

    for (i = 0; i < count; i++) CHECK_OK(mproc_lock_acquire(locks[i], check_limit_ms()));
    for (i = 1; i < count; i += 7) CHECK_OK(mproc_lock_release(locks[i]));
    for (i = 1; i < count; i += 7) CHECK_OK(mproc_lock_acquire(locks[i], 0));
}

static void case_thread_may_hold_many_locks(void)
{
    static mproc_lock *locks[MANY];
    uint64_t blocks;
    int i;

    CHECK_OK(mproc_lock_create(NULL, &locks[0]));
    mproc_lock_free(locks[0]);
    for (i = 0; i < MANY; i++) CHECK_OK(mproc_lock_create(NULL, &locks[i]));
    hold_all(locks, MANY);
    for (i = 0; i < MANY; i++) CHECK_STATUS(mproc_lock_acquire(locks[i], 0), MPROC_TIMEOUT);
    for (i = 0; i < MANY; i++) CHECK_OK(mproc_lock_release(locks[i]));
    blocks = peers_blocks();
    hold_all(locks, MANY);
    CHECK_EQ(peers_blocks(), blocks);
    for (i = MANY; i-- > 0;) CHECK_OK(mproc_lock_release(locks[i]));
    for (i = 0; i < MANY; i++) mproc_lock_free(locks[i]);
}

static void acquires_all(peer *self)
{
    mproc_lock *locks[MANY];

    peer_open_many(self, (void **)locks);
    hold_all(locks, (int)self->extra);
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    peer_drop_many(self, (void **)locks);
}

static void check_all_abandoned(int count, bool killed)
{
    mproc_lock *locks[MANY];
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    for (i = 0; i < count; i++) CHECK_OK(mproc_lock_create(NULL, &locks[i]));
    crowd_tell_many(&crowd, (void *const *)locks, count);
    crowd_add(&crowd, 1, acquires_all, NULL);
    board_await(&crowd.board->ready, 1);
    if (killed) crowd_kill(&crowd, 0);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    for (i = 0; i < count; i++) CHECK_STATUS(mproc_lock_acquire(locks[i], check_limit_ms()), MPROC_OWNER_DIED);
    for (i = 0; i < count; i++) CHECK_OK(mproc_lock_recover(locks[i], 0));
    for (i = 0; i < count; i++) CHECK_OK(mproc_lock_release(locks[i]));
    for (i = 0; i < count; i++) mproc_lock_free(locks[i]);
    crowd_fini(&crowd);
}

static void case_all_locks_of_an_ended_owner_are_abandoned(void)
{
    check_all_abandoned(10, false);
    check_all_abandoned(MANY, false);
    if (!peers_are_threads()) check_all_abandoned(MANY, true);
}

/* ---- released by others ------------------------------------------------------------------------- */

static void case_lock_that_others_released_is_not_the_deads(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    int how;

    for (how = 0; how < ends(); how++) {
        crowd_init(&crowd);
        crowd.extra = how;
        CHECK_OK(mproc_lock_create(NULL, &lock));
        crowd_add(&crowd, 1, acquires, lock);
        board_await(&crowd.board->ready, 1);
        CHECK_OK(mproc_lock_release(lock));
        CHECK_OK(mproc_lock_acquire(lock, 0));
        let_end(&crowd);
        crowd_fini(&crowd);
        CHECK_STATUS(mproc_lock_acquire(lock, 20), MPROC_TIMEOUT);
        CHECK_OK(mproc_lock_release(lock));
        CHECK_OK(mproc_lock_acquire(lock, 0));
        CHECK_OK(mproc_lock_release(lock));
        mproc_lock_free(lock);
    }
}

/* What is written down of a lock outlives it: at its place may lie another object by then. */
static void case_lock_that_was_freed_while_held_does_no_harm(void)
{
    mproc_lock *lock = NULL;
    mproc_event *event = NULL;
    int i;

    for (i = 0; i < 300; i++) {
        CHECK_OK(mproc_lock_create(NULL, &lock));
        CHECK_OK(mproc_lock_acquire(lock, 0));
        mproc_lock_free(lock);
        CHECK_OK(mproc_event_create(&event));
        CHECK_OK(mproc_event_set(event));
        CHECK(mproc_event_is_set(event));
        mproc_event_free(event);
    }
}

CHECK_TWINS(sync_owner, peers_of_processes, sync_owner_threads, peers_of_threads,
    CASE(lock_of_an_ended_owner_is_abandoned_until_it_is_recovered),
    CASE(all_who_wait_learn_that_the_owner_ended),
    CASE(recover_acquires_a_lock_that_is_not_abandoned),
    CASE(many_who_recover_hold_it_one_after_the_other),
    CASE(lock_with_the_option_is_acquired_as_if_it_were_free),
    CASE(who_waits_for_a_lock_with_the_option_gets_it),
    CASE(rlock_of_an_ended_owner_is_abandoned_at_once),
    CASE(thread_may_hold_many_locks),
    CASE(all_locks_of_an_ended_owner_are_abandoned),
    CASE(lock_that_others_released_is_not_the_deads),
    CASE(lock_that_was_freed_while_held_does_no_harm),
);
