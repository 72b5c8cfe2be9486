/*
 * Locks whose owner ends - a thread, or a process in any of three ways - without releasing them: mproc/lock.h, and
 * the locks of shared values and arrays.
 */
#include "sync/lockable.h"
#include "sync/peers.h"

#include "object/recovery_lock.h"
#include "object/robust_list.h"

/* Holds it, as often as it can be held. */
static void acquires(peer *self)
{
    int i;

    for (i = 0; i < (lockable_nests(self->object) ? 3 : 1); i++)
        CHECK_OK(lockable_acquire(self->object, check_limit_ms()));
    peer_end(self);
}

/* The object, and a peer that is to acquire it and then to end so. */
static void *create_owned(int kind, bool recover, int how, peer_crowd *owner)
{
    void *object = lockable_create(lockables[kind], recover);

    crowd_init(owner);
    owner->extra = how;
    crowd_add(owner, 1, acquires, object);
    board_await(&owner->board->ready, 1);
    return object;
}

static void free_owned(void *object, peer_crowd *owner)
{
    lockable_free(object);
    crowd_fini(owner);
}

/* ---- abandoned locks ---------------------------------------------------------------------------- */

static void check_abandoned(int kind, int how)
{
    peer_crowd owner;
    void *object = create_owned(kind, false, how, &owner);

    crowd_let_end(&owner);
    lockable_check_abandoned(object);
    lockable_check_recovers(object);
    free_owned(object, &owner);
}

static void case_lock_of_an_ended_owner_is_abandoned_until_it_is_recovered(void)
{
    int kind, how;

    for (kind = 0; kind < LOCKABLES; kind++)
        for (how = 0; how < peers_ends(); how++) check_abandoned(kind, how);
}

static void waits_for_it(peer *self)
{
    CHECK_STATUS(lockable_acquire(self->object, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(lockable_acquire(self->object, 0), MPROC_OWNER_DIED);
    atomic_fetch_add(&self->board->done, 1);
}

static void check_all_learn(int kind, int how)
{
    peer_crowd owner, others;
    void *object = create_owned(kind, false, how, &owner);

    crowd_init(&others);
    others.threads = 2;
    crowd_add(&others, 2, waits_for_it, object);
    peers_await_sleepers(object, 4);
    crowd_let_end(&owner);
    crowd_join(&others);
    CHECK_EQ(atomic_load(&others.board->done), 4);
    lockable_check_recovers(object);
    crowd_fini(&others);
    free_owned(object, &owner);
}

static void case_all_who_wait_learn_that_the_owner_ended(void)
{
    int kind, how;

    for (kind = 0; kind < LOCKABLES; kind++)
        for (how = 0; how < peers_ends(); how++) check_all_learn(kind, how);
}

/* ---- recover ------------------------------------------------------------------------------------ */

static void check_recovers_free(int kind)
{
    void *object = lockable_create(lockables[kind], false);
    bool nests = lockable_nests(object);

    CHECK_OK(lockable_recover(object, MPROC_FOREVER));
    CHECK_STATUS(lockable_recover(object, 5), nests ? MPROC_OK : MPROC_TIMEOUT);
    if (nests) CHECK_OK(lockable_release(object));
    CHECK_OK(lockable_release(object));
    lockable_check_free(object);
    lockable_free(object);
}

static void case_recover_acquires_a_lock_that_is_not_abandoned(void)
{
    int kind;

    for (kind = 0; kind < LOCKABLES; kind++) check_recovers_free(kind);
}

static void recovers(peer *self)
{
    board_await(&self->board->go, 1);
    CHECK_OK(lockable_recover(self->object, check_limit_ms()));
    CHECK_EQ(atomic_fetch_add(&self->board->inside, 1), 0);
    atomic_fetch_add(&self->board->done, 1);
    CHECK_EQ(atomic_fetch_sub(&self->board->inside, 1), 1);
    CHECK_OK(lockable_release(self->object));
}

static void check_many_recover(int kind)
{
    peer_crowd owner, others;
    void *object = create_owned(kind, false, PEER_RETURNS, &owner);

    crowd_init(&others);
    others.threads = 2;
    crowd_add(&others, 3, recovers, object);
    crowd_let_end(&owner);
    atomic_store(&others.board->go, 1);
    crowd_join(&others);
    CHECK_EQ(atomic_load(&others.board->done), 6);
    lockable_check_free(object);
    crowd_fini(&others);
    free_owned(object, &owner);
}

static void case_many_who_recover_hold_it_one_after_the_other(void)
{
    int kind;

    for (kind = 0; kind < LOCKABLES; kind++) check_many_recover(kind);
}

static void check_is_as_if_free(int kind, int how)
{
    peer_crowd owner;
    void *object = create_owned(kind, true, how, &owner);

    crowd_let_end(&owner);
    CHECK_OK(lockable_acquire(object, MPROC_FOREVER));
    CHECK_OK(lockable_release(object));
    lockable_check_free(object);
    free_owned(object, &owner);
}

static void case_lock_with_the_option_is_acquired_as_if_it_were_free(void)
{
    int kind, how;

    for (kind = 0; kind < LOCKABLES; kind++)
        for (how = 0; how < peers_ends(); how++) check_is_as_if_free(kind, how);
}

static void waits_and_gets_it(peer *self)
{
    CHECK_OK(lockable_acquire(self->object, check_limit_ms()));
    CHECK_OK(lockable_release(self->object));
}

static void check_waiter_gets_it(int kind)
{
    peer_crowd owner, others;
    void *object = create_owned(kind, true, PEER_RETURNS, &owner);

    crowd_init(&others);
    crowd_add(&others, 2, waits_and_gets_it, object);
    peers_await_sleepers(object, 2);
    crowd_let_end(&owner);
    crowd_join(&others);
    lockable_check_free(object);
    crowd_fini(&others);
    free_owned(object, &owner);
}

static void case_who_waits_for_a_lock_with_the_option_gets_it(void)
{
    int kind;

    for (kind = 0; kind < LOCKABLES; kind++) check_waiter_gets_it(kind);
}

/* ---- many locks --------------------------------------------------------------------------------- */

enum { MANY = 200 };

static void create_many(void **objects, int count)
{
    int i;

    for (i = 0; i < count; i++) objects[i] = lockable_create(lockables[i % LOCKABLES], false);
}

static void free_many(void **objects, int count)
{
    int i;

    for (i = 0; i < count; i++) lockable_free(objects[i]);
}

static void hold_all(void *const *objects, int count)
{
    int i;

    for (i = 0; i < count; i++) CHECK_OK(lockable_acquire(objects[i], check_limit_ms()));
    for (i = 1; i < count; i += 7) CHECK_OK(lockable_release(objects[i]));
    for (i = 1; i < count; i += 7) CHECK_OK(lockable_acquire(objects[i], 0));
}

static void case_thread_may_hold_many_locks(void)
{
    static void *objects[MANY];
    uint64_t blocks;
    int i;

    lockable_free(lockable_create(MPROC_KIND_LOCK, false));
    create_many(objects, MANY);
    hold_all(objects, MANY);
    for (i = 0; i < MANY; i += LOCKABLES) CHECK_STATUS(lockable_acquire(objects[i], 0), MPROC_TIMEOUT);
    for (i = 0; i < MANY; i++) CHECK_OK(lockable_release(objects[i]));
    blocks = peers_blocks();
    hold_all(objects, MANY);
    CHECK_EQ(peers_blocks(), blocks);
    for (i = MANY; i-- > 0;) CHECK_OK(lockable_release(objects[i]));
    for (i = 0; i < MANY; i++) lockable_check_free(objects[i]);
    free_many(objects, MANY);
}

static void acquires_all(peer *self)
{
    void *objects[MANY];

    peer_open_many(self, objects);
    hold_all(objects, (int)self->extra);
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    peer_drop_many(self, objects);
}

static void check_all_abandoned(int count, bool killed)
{
    void *objects[MANY];
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    create_many(objects, count);
    crowd_tell_many(&crowd, objects, count);
    crowd_add(&crowd, 1, acquires_all, NULL);
    board_await(&crowd.board->ready, 1);
    if (killed) crowd_kill(&crowd, 0);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    for (i = 0; i < count; i++) CHECK_STATUS(lockable_acquire(objects[i], check_limit_ms()), MPROC_OWNER_DIED);
    for (i = 0; i < count; i++) CHECK_OK(lockable_recover(objects[i], 0));
    for (i = 0; i < count; i++) CHECK_OK(lockable_release(objects[i]));
    free_many(objects, count);
    crowd_fini(&crowd);
}

static void case_all_locks_of_an_ended_owner_are_abandoned(void)
{
    check_all_abandoned(10, false);
    check_all_abandoned(MANY, false);
    if (!peers_are_threads()) check_all_abandoned(MANY, true);
}

/* ---- released by others ------------------------------------------------------------------------- */

static void check_not_the_deads(int how)
{
    peer_crowd owner;
    void *lock = create_owned(0, false, how, &owner);

    CHECK_OK(lockable_release(lock));
    CHECK_OK(lockable_acquire(lock, 0));
    crowd_let_end(&owner);
    CHECK_STATUS(lockable_acquire(lock, 20), MPROC_TIMEOUT);
    CHECK_OK(lockable_release(lock));
    lockable_check_free(lock);
    free_owned(lock, &owner);
}

/* A lock alone: everything else is released by its owner. */
static void case_lock_that_others_released_is_not_the_deads(void)
{
    int how;

    for (how = 0; how < peers_ends(); how++) check_not_the_deads(how);
}

/* What is written down of a lock outlives it: at its place may lie another object by then. */
static void case_lock_that_was_freed_while_held_does_no_harm(void)
{
    mproc_event *event = NULL;
    void *object;
    int i;

    for (i = 0; i < 400; i++) {
        object = lockable_create(lockables[i % LOCKABLES], false);
        CHECK_OK(lockable_acquire(object, 0));
        lockable_free(object);
        CHECK_OK(mproc_event_create(&event));
        CHECK_OK(mproc_event_set(event));
        CHECK(mproc_event_is_set(event));
        mproc_event_free(event);
    }
}

/* ---- left by a task ----------------------------------------------------------------------------- */

static _Atomic bool abandoned;

/* As after a task that has left the lock held. */
static void leaves_lock(void *lock)
{
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK(robust_list_abandon_own());
    atomic_store(&abandoned, true);
}

static bool waits_for_recovery(void *unused)
{
    uint64_t word = arena_offset(&arena_header->recovery);
    uint32_t high = atomic_load(&arena_header->threads_high), i;

    (void)unused;
    CHECK(!atomic_load(&abandoned));
    for (i = 1; i < high; i++)
        if (atomic_load(&thread_slot_at(i)->parked) == word) return true;
    return false;
}

/* What is entered as held may be gone: recovery and the end of objects wait for each other, so this does, too. */
static void case_locks_that_a_task_left_are_abandoned_under_the_lock_of_recovery(void)
{
    mproc_lock *lock = NULL;
    plat_thread *thread;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK(recovery_lock_acquire());
    CHECK_OK(plat_thread_start(leaves_lock, lock, &thread));
    CHECK_WAIT_UNTIL(waits_for_recovery, NULL);
    recovery_lock_release();
    plat_thread_join(thread);
    CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_OWNER_DIED);
    mproc_lock_free(lock);
}

CHECK_TWINS(sync_owner, peers_of_processes, sync_owner_threads, peers_of_threads,
    CASE(lock_of_an_ended_owner_is_abandoned_until_it_is_recovered),
    CASE_LIMIT(all_who_wait_learn_that_the_owner_ended, 40),
    CASE(recover_acquires_a_lock_that_is_not_abandoned),
    CASE(many_who_recover_hold_it_one_after_the_other),
    CASE(lock_with_the_option_is_acquired_as_if_it_were_free),
    CASE(who_waits_for_a_lock_with_the_option_gets_it),
    CASE(thread_may_hold_many_locks),
    CASE(all_locks_of_an_ended_owner_are_abandoned),
    CASE(lock_that_others_released_is_not_the_deads),
    CASE(lock_that_was_freed_while_held_does_no_harm),
    CASE(locks_that_a_task_left_are_abandoned_under_the_lock_of_recovery),
);
