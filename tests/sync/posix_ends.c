/*
 * Threads that end otherwise than by returning, in the middle of what the library does for them: for the others it is
 * as if a process of one thread had died.
 */
#include "sync/lockable.h"
#include "sync/peers.h"

#include <pthread.h>

#include "arena/slot.h"
#include "object/reference.h"
#include "object/wait_queue.h"

static uint64_t offset_of(const void *object)
{
    return ((const struct reference *)object)->ref.offset;
}

static void end_a_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, body, argument), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* ---- in the action of a barrier ----------------------------------------------------------------- */

static mproc_status exits(mproc_call *call)
{
    (void)call;
    pthread_exit(NULL);
}

static void *waits_and_exits(void *barrier)
{
    CHECK_OK(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL));
    check_fail(__FILE__, __LINE__, "it came back from the action");
    return NULL;
}

static void is_let_down(peer *self)
{
    atomic_fetch_add(&self->board->ready, 1);
    CHECK_STATUS(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL), MPROC_BROKEN);
}

static void case_thread_that_exits_in_the_action_breaks_the_barrier(void)
{
    mproc_barrier_options options = {.action = exits};
    mproc_barrier *barrier = NULL;
    peer_crowd crowd = {.board = NULL};

    CHECK_OK(mproc_barrier_create(3, &options, &barrier));
    crowd_init(&crowd);
    crowd_add(&crowd, 2, is_let_down, barrier);
    peers_await_sleepers(barrier, 2);
    end_a_thread(waits_and_exits, barrier);
    crowd_fini(&crowd);
    mproc_barrier_free(barrier); /* and nobody is taken to be still inside */
}

/* The action of one barrier comes last at another, whose action ends the thread after it has waited once more. */
static mproc_barrier *between, *third;

static mproc_status waits_and_ends(mproc_call *call)
{
    CHECK_OK(mproc_barrier_wait(third, MPROC_FOREVER, NULL));
    return exits(call);
}

static mproc_status waits_between(mproc_call *call)
{
    (void)call;
    return mproc_barrier_wait(between, MPROC_FOREVER, NULL);
}

static void case_thread_that_exits_in_an_action_within_an_action_breaks_both(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd = {.board = NULL};

    CHECK_OK(mproc_barrier_create(2, &(mproc_barrier_options){.action = waits_between}, &barrier));
    CHECK_OK(mproc_barrier_create(2, &(mproc_barrier_options){.action = waits_and_ends}, &between));
    CHECK_OK(mproc_barrier_create(1, NULL, &third));
    crowd_init(&crowd);
    crowd_add(&crowd, 1, is_let_down, barrier);
    crowd_add(&crowd, 1, is_let_down, between);
    peers_await_sleepers(barrier, 1);
    peers_await_sleepers(between, 1);
    end_a_thread(waits_and_exits, barrier);
    crowd_fini(&crowd);
    mproc_barrier_free(barrier);
    mproc_barrier_free(between);
    mproc_barrier_free(third);
}

/* Deeper than a slot has places for what its thread owns. */
enum { DEEP = 12 };

static mproc_barrier *deep[DEEP];
static int depth;

static mproc_status goes_deeper(mproc_call *call)
{
    (void)call;
    return ++depth < DEEP ? mproc_barrier_wait(deep[depth], MPROC_FOREVER, NULL) : MPROC_OK;
}

static void case_actions_run_within_others_as_deep_as_one_likes(void)
{
    int i;

    for (i = 0; i < DEEP; i++)
        CHECK_OK(mproc_barrier_create(1, &(mproc_barrier_options){.action = goes_deeper}, &deep[i]));
    CHECK_OK(mproc_barrier_wait(deep[0], MPROC_FOREVER, NULL));
    CHECK_EQ(depth, DEEP);
    for (i = 0; i < DEEP; i++) mproc_barrier_free(deep[i]);
}

/* ---- while it waits ------------------------------------------------------------------------------ */

static _Atomic uint32_t entered;

/* As a thread that is ended in a wait: it stands in its slot as one who waits, and it was there first. */
static void *waits_until_told(void *condition)
{
    uint32_t word;

    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    wait_queue_enter(offset_of(condition), 0);
    CHECK_OK(mproc_condition_release(condition));
    atomic_store(&entered, 1);
    while (wait_queue_state(&word) == WAIT_PENDING) plat_thread_yield();
    pthread_exit(NULL);
}

static void is_notified(peer *self)
{
    CHECK_OK(mproc_condition_acquire(self->object, MPROC_FOREVER));
    CHECK_OK(mproc_condition_wait(self->object, MPROC_FOREVER));
    CHECK_OK(mproc_condition_release(self->object));
}

static void case_notification_of_a_thread_that_exits_goes_to_the_next(void)
{
    mproc_condition *condition = NULL;
    peer_crowd crowd = {.board = NULL};
    pthread_t thread;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_EQ(pthread_create(&thread, NULL, waits_until_told, condition), 0);
    board_await(&entered, 1);
    crowd_init(&crowd);
    crowd_add(&crowd, 1, is_notified, condition);
    peers_await_sleepers(condition, 2);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, 1));
    CHECK_OK(mproc_condition_release(condition));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    crowd_fini(&crowd);
    mproc_condition_free(condition);
}

static bool exits_when_asked(void *context)
{
    (void)context;
    pthread_exit(NULL);
}

static void *asks_and_exits(void *condition)
{
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_wait_for(condition, exits_when_asked, NULL, MPROC_FOREVER));
    return NULL;
}

static void case_thread_that_exits_in_a_predicate_leaves_the_condition(void)
{
    mproc_condition *condition = NULL;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    end_a_thread(asks_and_exits, condition);
    CHECK_STATUS(mproc_condition_acquire(condition, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_OK(mproc_condition_recover(condition, 0));
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition); /* and it is not taken for one who waits */
}

/* ---- with a lock ---------------------------------------------------------------------------------- */

static void *exits_with_it(void *object)
{
    for (int i = 0; i < (lockable_nests(object) ? 2 : 1); i++) CHECK_OK(lockable_acquire(object, 0));
    pthread_exit(NULL);
}

static void case_lock_of_a_thread_that_exits_is_abandoned(void)
{
    for (int kind = 0; kind < LOCKABLES; kind++) {
        void *object = lockable_create(lockables[kind], false);
        end_a_thread(exits_with_it, object);
        lockable_check_abandoned(object);
        lockable_check_recovers(object);
        lockable_free(object);
    }
}

/* ---- after the library's own end of the thread ---------------------------------------------------- */

static pthread_key_t late;
static int late_rounds;

/* The first round of destructors is the library's as well; in the second it has ended the thread. */
static void uses_it_late(void *lock)
{
    if (++late_rounds == 1) {
        CHECK_EQ(pthread_setspecific(late, lock), 0);
        return;
    }
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
}

static void *uses_it_early(void *lock)
{
    CHECK_EQ(pthread_setspecific(late, lock), 0);
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
    return NULL;
}

static void case_thread_that_has_ended_may_use_a_lock_again(void)
{
    mproc_lock *lock = NULL;

    CHECK_EQ(pthread_key_create(&late, uses_it_late), 0);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    end_a_thread(uses_it_early, lock);
    CHECK_EQ(late_rounds, 2);
    CHECK(!mproc_lock_locked(lock));
    mproc_lock_free(lock);
    CHECK_EQ(pthread_key_delete(late), 0);
}

CHECK_SUITE_SETUP(posix_ends, peers_of_threads,
    CASE(thread_that_exits_in_the_action_breaks_the_barrier),
    CASE(thread_that_exits_in_an_action_within_an_action_breaks_both),
    CASE(actions_run_within_others_as_deep_as_one_likes),
    CASE(notification_of_a_thread_that_exits_goes_to_the_next),
    CASE(thread_that_exits_in_a_predicate_leaves_the_condition),
    CASE(lock_of_a_thread_that_exits_is_abandoned),
    CASE(thread_that_has_ended_may_use_a_lock_again),
);
