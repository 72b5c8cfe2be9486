/* Objects of all kinds: what create refuses, how many there may be, and that nothing is left of them. */
#include "sync/peers.h"

/* ---- creation ----------------------------------------------------------------------------------- */

static void case_create_needs_a_place_for_the_object(void)
{
    CHECK_SAYS(mproc_lock_create(NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_rlock_create(NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_semaphore_create(1, NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_condition_create(NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_event_create(NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_barrier_create(1, NULL, NULL), MPROC_INVALID, "out is NULL");
}

static void case_free_of_nothing_is_fine(void)
{
    mproc_lock_free(NULL);
    mproc_rlock_free(NULL);
    mproc_semaphore_free(NULL);
    mproc_condition_free(NULL);
    mproc_event_free(NULL);
    mproc_barrier_free(NULL);
}

static void case_values_out_of_range_are_refused(void)
{
    mproc_semaphore *semaphore = NULL;
    mproc_barrier *barrier = NULL;

    CHECK_SAYS(mproc_semaphore_create(-1, NULL, &semaphore), MPROC_INVALID, "-1 permits");
    CHECK_STATUS(mproc_semaphore_create((int64_t)MPROC_SEMAPHORE_MAX + 1, NULL, &semaphore), MPROC_INVALID);
    CHECK_STATUS(mproc_semaphore_create(INT64_MIN, NULL, &semaphore), MPROC_INVALID);
    CHECK(semaphore == NULL);
    CHECK_SAYS(mproc_barrier_create(0, NULL, &barrier), MPROC_INVALID, "0 parties");
    CHECK_STATUS(mproc_barrier_create(-5, NULL, &barrier), MPROC_INVALID);
    CHECK_STATUS(mproc_barrier_create(MPROC_BARRIER_PARTIES_MAX + 1, NULL, &barrier), MPROC_INVALID);
    CHECK_SAYS(mproc_barrier_create(1, &(mproc_barrier_options){.timeout_ms = -1}, &barrier), MPROC_INVALID, "-1 ms");
    CHECK(barrier == NULL);
    CHECK_OK(mproc_barrier_create(MPROC_BARRIER_PARTIES_MAX, NULL, &barrier));
    CHECK_EQ(mproc_barrier_parties(barrier), MPROC_BARRIER_PARTIES_MAX);
    mproc_barrier_free(barrier);
}

static void case_condition_has_one_lock_at_most(void)
{
    mproc_condition *condition = NULL;
    mproc_rlock *rlock = NULL;
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    CHECK_SAYS(mproc_condition_create(&(mproc_condition_options){.lock = lock, .rlock = rlock}, &condition),
               MPROC_INVALID, "one lock");
    CHECK(condition == NULL);
    mproc_rlock_free(rlock);
    mproc_lock_free(lock);
}

static bool is_true(void *context)
{
    (void)context;
    return true;
}

/* Whether the call would have had to wait or not. */
#define CHECK_LIMIT_REFUSED(call) CHECK_SAYS(call, MPROC_INVALID, "MPROC_FOREVER waits without a limit, and 0 tries")

static void check_negative_limit(int64_t ms)
{
    mproc_semaphore *semaphore = NULL;
    mproc_condition *condition = NULL;
    mproc_barrier *barrier = NULL;
    mproc_rlock *rlock = NULL;
    mproc_event *event = NULL;
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_LIMIT_REFUSED(mproc_lock_acquire(lock, ms));
    CHECK_LIMIT_REFUSED(mproc_lock_recover(lock, ms));
    CHECK(!mproc_lock_locked(lock));
    CHECK_OK(mproc_rlock_create(NULL, &rlock));
    CHECK_LIMIT_REFUSED(mproc_rlock_acquire(rlock, ms));
    CHECK_LIMIT_REFUSED(mproc_rlock_recover(rlock, ms));
    CHECK_OK(mproc_semaphore_create(1, NULL, &semaphore));
    CHECK_LIMIT_REFUSED(mproc_semaphore_acquire(semaphore, ms));
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_LIMIT_REFUSED(mproc_condition_acquire(condition, ms));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_LIMIT_REFUSED(mproc_condition_wait(condition, ms));
    CHECK_LIMIT_REFUSED(mproc_condition_wait_for(condition, is_true, NULL, ms));
    CHECK_OK(mproc_condition_release(condition));
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_event_set(event));
    CHECK_LIMIT_REFUSED(mproc_event_wait(event, ms));
    CHECK_OK(mproc_barrier_create(1, NULL, &barrier));
    CHECK_LIMIT_REFUSED(mproc_barrier_wait(barrier, ms, NULL));
    CHECK(!mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
    mproc_event_free(event);
    mproc_condition_free(condition);
    mproc_semaphore_free(semaphore);
    mproc_rlock_free(rlock);
    mproc_lock_free(lock);
}

static void case_negative_time_limits_are_refused(void)
{
    check_negative_limit(-1);
    check_negative_limit(INT64_MIN);
}

/* As a program of an older version: its options end before the last field, which counts as zero. */
static void case_options_of_an_older_program_are_shorter(void)
{
    mproc_semaphore_options semaphore_options = {.bounded = true, .owned = true};
    mproc_barrier_options barrier_options = {.action = NULL, .timeout_ms = -1};
    mproc_semaphore *semaphore = NULL;
    mproc_condition *condition = NULL;
    mproc_barrier *barrier = NULL;
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_semaphore_create_sized(1, &semaphore_options, 1, &semaphore));
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_BAD_STATE);
    mproc_semaphore_free(semaphore);
    CHECK_OK(mproc_barrier_create_sized(1, &barrier_options, sizeof(mproc_function *), &barrier));
    mproc_barrier_free(barrier);
    CHECK_OK(mproc_lock_create_sized(&(mproc_lock_options){.ignore_abandoned = true}, 0, &lock));
    CHECK_OK(mproc_condition_create_sized(&(mproc_condition_options){.lock = lock}, sizeof lock, &condition));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK(mproc_lock_locked(lock));
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
    mproc_lock_free(lock);
}

/* ---- numbers ------------------------------------------------------------------------------------ */

enum { MANY = 10000, KINDS = 6 };

typedef union object {
    mproc_lock *lock;
    mproc_rlock *rlock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
} object;

static void create(int kind, object *new_one)
{
    if (kind == 0) CHECK_OK(mproc_lock_create(NULL, &new_one->lock));
    if (kind == 1) CHECK_OK(mproc_rlock_create(NULL, &new_one->rlock));
    if (kind == 2)
        CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = true}, &new_one->semaphore));
    if (kind == 3) CHECK_OK(mproc_condition_create(NULL, &new_one->condition));
    if (kind == 4) CHECK_OK(mproc_event_create(&new_one->event));
    if (kind == 5)
        CHECK_OK(
            mproc_barrier_create(2, &(mproc_barrier_options){.action = fixture_does_nothing}, &new_one->barrier));
}

static void use(int kind, const object *one)
{
    if (kind == 0) CHECK_OK(mproc_lock_acquire(one->lock, 0));
    if (kind == 1) CHECK_OK(mproc_rlock_acquire(one->rlock, 0));
    if (kind == 2) CHECK_OK(mproc_semaphore_acquire(one->semaphore, 0));
    if (kind == 3) CHECK_OK(mproc_condition_acquire(one->condition, 0));
    if (kind == 4) CHECK_OK(mproc_event_set(one->event));
    if (kind == 5) CHECK_OK(mproc_barrier_abort(one->barrier));
}

/* What was acquired is released, so that it is known as held no longer. */
static void drop(int kind, const object *one)
{
    if (kind == 0) CHECK_OK(mproc_lock_release(one->lock));
    if (kind == 1) CHECK_OK(mproc_rlock_release(one->rlock));
    if (kind == 3) CHECK_OK(mproc_condition_release(one->condition));
    if (kind == 0) mproc_lock_free(one->lock);
    if (kind == 1) mproc_rlock_free(one->rlock);
    if (kind == 2) mproc_semaphore_free(one->semaphore);
    if (kind == 3) mproc_condition_free(one->condition);
    if (kind == 4) mproc_event_free(one->event);
    if (kind == 5) mproc_barrier_free(one->barrier);
}

static void create_many_and_drop_them(void)
{
    static object all[MANY];
    int i;

    for (i = 0; i < MANY; i++) create(i % KINDS, &all[i]);
    for (i = 0; i < MANY; i++) {
        use(i % KINDS, &all[i]);
        drop(i % KINDS, &all[i]);
    }
}

static void case_ten_thousand_objects_leave_nothing(void)
{
    uint64_t blocks, committed;

    create_many_and_drop_them();
    blocks = peers_blocks();
    committed = peers_committed();
    create_many_and_drop_them();
    CHECK_EQ(peers_blocks(), blocks);
    CHECK_EQ(peers_committed(), committed);
    peers_await_blocks(blocks);
}

static void create_and_free(int count)
{
    object one = {NULL};
    int i;

    for (i = 0; i < count; i++) {
        create(i % KINDS, &one);
        use(i % KINDS, &one);
        drop(i % KINDS, &one);
    }
}

static void case_objects_one_after_the_other_do_not_grow_the_arena(void)
{
    uint64_t blocks, committed;

    create_and_free(2 * KINDS);
    blocks = peers_blocks();
    committed = peers_committed();
    create_and_free(100000);
    CHECK_EQ(peers_blocks(), blocks);
    CHECK_EQ(peers_committed(), committed);
}

/* ---- handles ------------------------------------------------------------------------------------ */

static void keeps_an_object(peer *self)
{
    static object own[KINDS];
    int i;

    for (i = 0; i < KINDS; i++) {
        create(i, &own[i]);
        use(i, &own[i]);
    }
    CHECK_OK(mproc_semaphore_acquire(self->object, 0));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
}

/* The object lives on by the child's handle, and ends with the child; so do those that it made itself. */
static void hand_over(bool killed)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_semaphore_create(2, &(mproc_semaphore_options){.owned = true}, &semaphore));
    crowd_add(&crowd, 2, keeps_an_object, semaphore);
    board_await(&crowd.board->ready, 2);
    mproc_semaphore_free(semaphore);
    if (killed) crowd_kill(&crowd, 0);
    if (killed) crowd_kill(&crowd, 1);
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
}

static void case_objects_end_with_the_last_process_that_has_them(void)
{
    uint64_t blocks;
    int i;

    blocks = peers_blocks();
    for (i = 0; i < 4; i++) {
        hand_over(i % 2 == 0);
        peers_await_blocks(blocks);
    }
}

CHECK_SUITE_SETUP(sync_objects, peers_of_processes,
    CASE(create_needs_a_place_for_the_object),
    CASE(free_of_nothing_is_fine),
    CASE(values_out_of_range_are_refused),
    CASE(negative_time_limits_are_refused),
    CASE(condition_has_one_lock_at_most),
    CASE(options_of_an_older_program_are_shorter),
    CASE_LIMIT(ten_thousand_objects_leave_nothing, 60),
    CASE_LIMIT(objects_one_after_the_other_do_not_grow_the_arena, 60),
    CASE(objects_end_with_the_last_process_that_has_them),
);
