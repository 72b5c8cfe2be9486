/* mproc/condition.h: who is notified, in what order, and with which lock. Deaths: condition_death.c. */
#include "sync/peers.h"

/* Waits once, and notes its place among those who were notified. */
static void waits(peer *self)
{
    board *shared = self->board;
    mproc_status status;

    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    atomic_fetch_add(&shared->ready, 1);
    status = mproc_condition_wait(self->object, self->extra ? self->extra : MPROC_FOREVER);
    atomic_store(&shared->statuses[self->number], (int32_t)status);
    atomic_store(&shared->values[self->number], (int32_t)atomic_fetch_add(&shared->done, 1));
    CHECK_OK(mproc_condition_release(self->object));
}

static void notify(mproc_condition *condition, int count)
{
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, count));
    CHECK_OK(mproc_condition_release(condition));
}

static void notify_all(mproc_condition *condition)
{
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify_all(condition));
    CHECK_OK(mproc_condition_release(condition));
}

/* Adds peers one after the other, so that it is known who has waited longest. */
static void add_waiters(peer_crowd *crowd, mproc_condition *condition, int members)
{
    int i, waiting = crowd->peers - (int)atomic_load(&crowd->board->done);

    for (i = 0; i < members; i++) {
        crowd_add(crowd, 1, waits, condition);
        waiting += crowd->threads;
        peers_await_sleepers(condition, waiting);
    }
}

static void check_all_ok(const peer_crowd *crowd)
{
    int i;

    for (i = 0; i < crowd->peers; i++) CHECK_EQ(atomic_load(&crowd->board->statuses[i]), MPROC_OK);
}

/* ---- notify ------------------------------------------------------------------------------------- */

static void case_each_notify_wakes_the_one_who_has_waited_longest(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    add_waiters(&crowd, condition, 5);
    for (i = 0; i < 5; i++) {
        CHECK_EQ(atomic_load(&crowd.board->done), i);
        notify(condition, 1);
        board_await(&crowd.board->done, (uint32_t)i + 1);
        peers_await_sleepers(condition, 4 - i);
    }
    crowd_join(&crowd);
    for (i = 0; i < 5; i++) CHECK_EQ(atomic_load(&crowd.board->values[i]), i);
    check_all_ok(&crowd);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

static void case_notify_wakes_exactly_as_many_as_it_says(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    notify(condition, 3);
    add_waiters(&crowd, condition, 6);
    notify(condition, 0);
    peers_await_sleepers(condition, 6);
    notify(condition, 2);
    board_await(&crowd.board->done, 2);
    peers_await_sleepers(condition, 4);
    for (i = 0; i < 2; i++) CHECK(atomic_load(&crowd.board->values[i]) < 2);
    check_pause_ms(20);
    CHECK_EQ(atomic_load(&crowd.board->done), 2);
    notify(condition, 4);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 6);
    notify(condition, 3);
    check_all_ok(&crowd);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

static void case_notify_all_wakes_all_who_wait_and_nobody_later(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 3, waits, condition);
    peers_await_sleepers(condition, 6);
    notify_all(condition);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 6);
    add_waiters(&crowd, condition, 1);
    check_pause_ms(20);
    peers_await_sleepers(condition, 2);
    CHECK_EQ(atomic_load(&crowd.board->done), 6);
    notify_all(condition);
    crowd_join(&crowd);
    check_all_ok(&crowd);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

/* Its lock is an rlock: whoever is notified is woken when the last release comes. */
static void case_notifications_before_the_last_release_wake_as_many(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    add_waiters(&crowd, condition, 4);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    notify(condition, 1);
    notify(condition, 2);
    CHECK_EQ(atomic_load(&crowd.board->done), 0);
    CHECK_OK(mproc_condition_release(condition));
    board_await(&crowd.board->done, 3);
    peers_await_sleepers(condition, 1);
    notify(condition, 1);
    crowd_join(&crowd);
    check_all_ok(&crowd);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

static void waits_and_answers(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    CHECK_OK(mproc_condition_wait(self->object, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(self->object, 1));
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_whom_a_waiter_has_notified_before_can_answer_it(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 1, waits_and_answers, condition);
    peers_await_sleepers(condition, 1);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, 1));
    CHECK_OK(mproc_condition_wait(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

static void case_who_gave_up_is_not_notified_in_vain(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    crowd.extra = 10;
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 3, waits, condition);
    crowd_join(&crowd);
    for (i = 0; i < 3; i++) CHECK_EQ(atomic_load(&crowd.board->statuses[i]), MPROC_TIMEOUT);
    crowd.extra = 0;
    add_waiters(&crowd, condition, 1);
    notify(condition, 1);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->statuses[3]), MPROC_OK);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

/* ---- what is an error --------------------------------------------------------------------------- */

static void check_not_held(mproc_condition *condition)
{
    CHECK_SAYS(mproc_condition_wait(condition, 0), MPROC_NOT_OWNER, "acquire it before waiting");
    CHECK_SAYS(mproc_condition_notify(condition, 1), MPROC_NOT_OWNER, "acquire it before notifying");
    CHECK_STATUS(mproc_condition_notify_all(condition), MPROC_NOT_OWNER);
}

static bool is_true(void *context)
{
    (void)context;
    return true;
}

static void case_waiting_and_notifying_need_the_lock(void)
{
    mproc_condition *condition = NULL;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    check_not_held(condition);
    CHECK_STATUS(mproc_condition_wait_for(condition, is_true, NULL, 0), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_condition_release(condition), MPROC_NOT_OWNER);
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_OK(mproc_condition_notify(condition, 1));
    CHECK_STATUS(mproc_condition_notify(condition, -1), MPROC_INVALID);
    CHECK_STATUS(mproc_condition_wait_for(condition, NULL, NULL, 0), MPROC_INVALID);
    CHECK_OK(mproc_condition_notify_all(condition));
    CHECK_OK(mproc_condition_release(condition));
    check_not_held(condition);
    mproc_condition_free(condition);
}

static void holds(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_lock_of_another_does_not_serve(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&crowd, 1, holds, condition);
    board_await(&crowd.board->ready, 1);
    check_not_held(condition);
    CHECK_STATUS(mproc_condition_release(condition), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_condition_acquire(condition, 5), MPROC_TIMEOUT);
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

/* ---- time --------------------------------------------------------------------------------------- */

static void case_wait_gives_up_in_time_and_holds_the_lock_then(void)
{
    mproc_condition *condition = NULL;
    int64_t began_ms;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_STATUS(mproc_condition_wait(condition, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_condition_wait(condition, 0), MPROC_TIMEOUT);
    began_ms = check_now_ms();
    CHECK_SAYS(mproc_condition_wait(condition, 30), MPROC_TIMEOUT, "not notified within 30 ms");
    CHECK(check_now_ms() - began_ms >= 29);
    CHECK_OK(mproc_condition_release(condition));
    CHECK_STATUS(mproc_condition_release(condition), MPROC_NOT_OWNER);
    mproc_condition_free(condition);
}

/* A wait of no time lets the lock go, and others may have it. */
static void takes_turns(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, check_limit_ms()));
    atomic_store(&self->board->go, 1);
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_wait_of_no_time_lets_others_have_the_lock(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    crowd_add(&crowd, 1, takes_turns, condition);
    while (!atomic_load(&crowd.board->go)) CHECK_STATUS(mproc_condition_wait(condition, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_condition_release(condition));
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

CHECK_TWINS(sync_condition, peers_of_processes, sync_condition_threads, peers_of_threads,
    CASE(each_notify_wakes_the_one_who_has_waited_longest),
    CASE(notify_wakes_exactly_as_many_as_it_says),
    CASE(notify_all_wakes_all_who_wait_and_nobody_later),
    CASE(notifications_before_the_last_release_wake_as_many),
    CASE(whom_a_waiter_has_notified_before_can_answer_it),
    CASE(who_gave_up_is_not_notified_in_vain),
    CASE(waiting_and_notifying_need_the_lock),
    CASE(lock_of_another_does_not_serve),
    CASE(wait_gives_up_in_time_and_holds_the_lock_then),
    CASE(wait_of_no_time_lets_others_have_the_lock),
);
