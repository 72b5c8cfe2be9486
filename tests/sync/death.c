/* Processes that are killed while they wait, right after they were notified, or with something in their hands. */
#include "sync/peers.h"

#include <stdlib.h>

/* ---- conditions --------------------------------------------------------------------------------- */

static void waits_notified(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_condition_wait(self->object, MPROC_FOREVER));
    atomic_store(&self->board->values[self->number], (int32_t)atomic_fetch_add(&self->board->done, 1) + 1);
    CHECK_OK(mproc_condition_release(self->object));
}

static void add_waiters(peer_crowd *crowd, mproc_condition *condition, int members)
{
    int i;

    for (i = 1; i <= members; i++) {
        crowd_add(crowd, 1, waits_notified, condition);
        peers_await_sleepers(condition, i);
    }
}

static void notify(mproc_condition *condition, int count)
{
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, count));
    CHECK_OK(mproc_condition_release(condition));
}

static void case_notification_of_a_killed_waiter_goes_to_the_next(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    add_waiters(&crowd, condition, 3);
    crowd_kill(&crowd, 0);
    notify(condition, 1);
    board_await(&crowd.board->done, 1);
    CHECK_EQ(atomic_load(&crowd.board->values[1]), 1);
    peers_await_sleepers(condition, 1);
    notify(condition, 1);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 2);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

/* Both threads of a process die with it: nobody is told in their place who need not be. */
static void case_notify_all_does_not_wait_for_killed_waiters(void)
{
    mproc_condition *condition = NULL;
    peer_crowd dead, alive;

    crowd_init(&dead);
    crowd_init(&alive);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    dead.threads = 2;
    crowd_add(&dead, 1, waits_notified, condition);
    peers_await_sleepers(condition, 2);
    crowd_add(&alive, 2, waits_notified, condition);
    peers_await_sleepers(condition, 4);
    crowd_kill(&dead, 0);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify_all(condition));
    CHECK_OK(mproc_condition_release(condition));
    crowd_join(&alive);
    CHECK_EQ(atomic_load(&alive.board->done), 2);
    mproc_condition_free(condition);
    crowd_fini(&alive);
    crowd_fini(&dead);
}

/* It is notified, and cannot go on, as the notifier still holds the lock. */
static void case_waiter_killed_after_notify_passes_it_on(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    add_waiters(&crowd, condition, 3);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, 1));
    crowd_kill(&crowd, 0);
    CHECK_OK(mproc_condition_release(condition));
    board_await(&crowd.board->done, 1);
    peers_await_sleepers(condition, 1);
    CHECK_EQ(atomic_load(&crowd.board->values[1]), 1);
    notify(condition, 1);
    crowd_join(&crowd);
    mproc_condition_free(condition);
    crowd_fini(&crowd);
}

/* The notifier dies with the lock: who was notified learns that, and the next one, too. */
static void notifies_and_sits(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_condition_notify(self->object, 1));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1000);
}

static void finds_it_abandoned(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, check_limit_ms()));
    CHECK_STATUS(mproc_condition_wait(self->object, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_condition_release(self->object), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_condition_wait(self->object, 0), MPROC_NOT_OWNER);
    atomic_fetch_add(&self->board->done, 1);
}

static void case_notifier_killed_with_the_lock_leaves_it_abandoned(void)
{
    mproc_condition *condition = NULL;
    peer_crowd waiting, notifier;

    crowd_init(&waiting);
    crowd_init(&notifier);
    CHECK_OK(mproc_condition_create(NULL, &condition));
    crowd_add(&waiting, 2, finds_it_abandoned, condition);
    peers_await_sleepers(condition, 2);
    crowd_add(&notifier, 1, notifies_and_sits, condition);
    board_await(&notifier.board->ready, 1);
    crowd_kill(&notifier, 0);
    crowd_join(&waiting);
    CHECK_EQ(atomic_load(&waiting.board->done), 2);
    CHECK_STATUS(mproc_condition_acquire(condition, 0), MPROC_OWNER_DIED);
    CHECK_OK(mproc_condition_recover(condition, 0));
    CHECK_OK(mproc_condition_notify_all(condition));
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
    crowd_fini(&notifier);
    crowd_fini(&waiting);
}

/* ---- locks, semaphores, events ------------------------------------------------------------------ */

static void acquires_lock(peer *self)
{
    CHECK_OK(mproc_lock_acquire(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
    CHECK_OK(mproc_lock_release(self->object));
}

static void case_killed_waiter_does_not_keep_a_lock_from_others(void)
{
    mproc_lock *lock = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    for (i = 0; i < 3; i++) {
        atomic_store(&crowd.board->done, 0);
        CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
        crowd_add(&crowd, 3, acquires_lock, lock);
        peers_await_sleepers(lock, 3);
        crowd_kill(&crowd, i);
        CHECK_OK(mproc_lock_release(lock));
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 2);
        CHECK(!mproc_lock_locked(lock));
    }
    mproc_lock_free(lock);
    crowd_fini(&crowd);
}

static void takes_one(peer *self)
{
    CHECK_OK(mproc_semaphore_acquire(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
}

/* Of three who wait one is killed, as it is woken or before: the permits go to the others. */
static void case_killed_waiter_does_not_keep_a_permit_from_others(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    for (i = 0; i < 6; i++) {
        atomic_store(&crowd.board->done, 0);
        crowd_add(&crowd, 3, takes_one, semaphore);
        peers_await_sleepers(semaphore, 3);
        crowd_kill(&crowd, i % 3);
        CHECK_OK(mproc_semaphore_release(semaphore));
        CHECK_OK(mproc_semaphore_release(semaphore));
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 2);
        CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    }
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

/* How a process gives up what it owns. */
enum { RETURNS, EXITS, IS_KILLED, FREES, ENDS };

static void takes_two(peer *self)
{
    CHECK_OK(mproc_semaphore_acquire(self->object, 0));
    CHECK_OK(mproc_semaphore_acquire(self->object, 0));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    if (self->extra == EXITS) exit(0);
    if (self->extra == FREES) {
        mproc_semaphore_free(self->object);
        self->object = NULL;
        atomic_fetch_add(&self->board->ready, 1);
        board_await(&self->board->go, 2);
    }
}

static void case_owned_permits_come_back_however_their_owner_ends(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;
    int how;

    for (how = 0; how < ENDS; how++) {
        CHECK_OK(mproc_semaphore_create(3, &(mproc_semaphore_options){.owned = true}, &semaphore));
        crowd_init(&crowd);
        crowd.extra = how;
        crowd_add(&crowd, 1, takes_two, semaphore);
        board_await(&crowd.board->ready, 1);
        CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
        CHECK_EQ(mproc_semaphore_value(semaphore), 0);
        atomic_store(&crowd.board->go, how != IS_KILLED);
        if (how == IS_KILLED) crowd_kill(&crowd, 0);
        CHECK_OK(mproc_semaphore_acquire(semaphore, check_limit_ms()));
        CHECK_OK(mproc_semaphore_acquire(semaphore, check_limit_ms()));
        CHECK_STATUS(mproc_semaphore_acquire(semaphore, 5), MPROC_TIMEOUT);
        atomic_store(&crowd.board->go, 2);
        crowd_fini(&crowd);
        mproc_semaphore_free(semaphore);
    }
}

static void case_permits_without_an_owner_die_with_who_took_them(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_semaphore_create(3, NULL, &semaphore));
    crowd_add(&crowd, 1, takes_two, semaphore);
    board_await(&crowd.board->ready, 1);
    crowd_kill(&crowd, 0);
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    crowd_fini(&crowd);
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    mproc_semaphore_free(semaphore);
}

static void waits_for_event(peer *self)
{
    CHECK_OK(mproc_event_wait(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_set_does_not_wait_for_a_killed_waiter(void)
{
    mproc_event *event = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_event_create(&event));
    crowd_add(&crowd, 3, waits_for_event, event);
    peers_await_sleepers(event, 3);
    crowd_kill(&crowd, 1);
    CHECK_OK(mproc_event_set(event));
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 2);
    mproc_event_free(event);
    crowd_fini(&crowd);
}

/* ---- barriers ----------------------------------------------------------------------------------- */

static void finds_it_broken(peer *self)
{
    CHECK_STATUS(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL), MPROC_BROKEN);
    atomic_fetch_add(&self->board->done, 1);
}

static void case_killed_party_breaks_the_barrier_at_once(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_create(5, NULL, &barrier));
    crowd_add(&crowd, 3, finds_it_broken, barrier);
    peers_await_sleepers(barrier, 3);
    crowd_kill(&crowd, 1);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 2);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_STATUS(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL), MPROC_BROKEN);
    CHECK_OK(mproc_barrier_reset(barrier));
    CHECK_EQ(mproc_barrier_waiting(barrier), 0);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

/* The process ends by itself while one of its threads waits. */
static void waits_or_exits(peer *self)
{
    if (self->number % 2) {
        (void)mproc_barrier_wait(self->object, MPROC_FOREVER, NULL);
        return;
    }
    board_await(&self->board->go, 1);
    exit(0);
}

static void case_party_whose_process_exits_breaks_the_barrier(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd, exiting;

    crowd_init(&crowd);
    crowd_init(&exiting);
    exiting.threads = 2;
    CHECK_OK(mproc_barrier_create(3, NULL, &barrier));
    crowd_add(&crowd, 1, finds_it_broken, barrier);
    crowd_add(&exiting, 1, waits_or_exits, barrier);
    peers_await_sleepers(barrier, 2);
    atomic_store(&exiting.board->go, 1);
    crowd_join(&exiting);
    crowd_join(&crowd);
    CHECK(mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
    crowd_fini(&exiting);
    crowd_fini(&crowd);
}

static mproc_status never_ends(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(MPROC_FOREVER);
}

static bool all_have_come(void *barrier)
{
    return mproc_barrier_waiting(barrier) == mproc_barrier_parties(barrier);
}

static void case_party_killed_in_the_action_breaks_the_barrier(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_create(3, &(mproc_barrier_options){.action = never_ends}, &barrier));
    crowd_add(&crowd, 2, finds_it_broken, barrier);
    peers_await_sleepers(barrier, 2);
    crowd_add(&crowd, 1, finds_it_broken, barrier);
    CHECK_WAIT_UNTIL(all_have_come, barrier);
    crowd_kill(&crowd, 2);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 2);
    CHECK(mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

CHECK_SUITE_SETUP(sync_death, peers_of_processes,
    CASE(notification_of_a_killed_waiter_goes_to_the_next),
    CASE(notify_all_does_not_wait_for_killed_waiters),
    CASE(waiter_killed_after_notify_passes_it_on),
    CASE(notifier_killed_with_the_lock_leaves_it_abandoned),
    CASE(killed_waiter_does_not_keep_a_lock_from_others),
    CASE(killed_waiter_does_not_keep_a_permit_from_others),
    CASE(owned_permits_come_back_however_their_owner_ends),
    CASE(permits_without_an_owner_die_with_who_took_them),
    CASE(set_does_not_wait_for_a_killed_waiter),
    CASE(killed_party_breaks_the_barrier_at_once),
    CASE(party_whose_process_exits_breaks_the_barrier),
    CASE(party_killed_in_the_action_breaks_the_barrier),
);
