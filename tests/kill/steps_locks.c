/*
 * The locks of the program. Promised: a lock whose owner was killed is abandoned, which everybody learns who wants
 * it, until somebody recovers it; and nobody sleeps on.
 */
#include "test_family.h"
#include "steps.h"

#include "object/recovery.h"
#include "object/robust_list.h"
#include "object/reference.h"

#include <mproc/lock.h>

#include <stdlib.h>

/* More than have their place in the slot. */
#define MANY (SLOT_ROBUST + 1)

static mproc_lock *lock;
static mproc_rlock *rlock;
static mproc_lock *many[MANY];

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void begin(void *state)
{
    test_family_begin(state);
    must(mproc_lock_create(NULL, &lock));
    must(mproc_rlock_create(NULL, &rlock));
}

/* ---- judging ---------------------------------------------------------------------------------- */

/* Free, or abandoned in the full sense. `may_be`: the victim may have had it. */
static const char *check_usable(mproc_lock *which, bool may_be)
{
    mproc_status status = mproc_lock_acquire(which, 0);

    if (status == MPROC_OWNER_DIED && may_be) {
        if (mproc_lock_acquire(which, MPROC_FOREVER) != MPROC_OWNER_DIED || !mproc_lock_locked(which))
            return step_says("not everybody learns that the lock is abandoned");
        if (mproc_lock_release(which) != MPROC_OWNER_DIED) return step_says("an abandoned lock was released");
        status = mproc_lock_recover(which, 0);
    }
    if (status != MPROC_OK) return step_says("the lock cannot be had: status %d", (int)status);
    if (mproc_lock_release(which) != MPROC_OK || mproc_lock_locked(which)) return step_says("it was not released");
    return NULL;
}

static const char *check_rlock(void)
{
    mproc_status status = mproc_rlock_acquire(rlock, 0);

    if (status == MPROC_OWNER_DIED) status = mproc_rlock_recover(rlock, 0);
    if (status != MPROC_OK) return step_says("the rlock cannot be had: status %d", (int)status);
    if (mproc_rlock_release(rlock) != MPROC_OK || mproc_rlock_locked(rlock))
        return step_says("the rlock was acquired twice before");
    return NULL;
}

static const char *check_all(void *state, bool completed)
{
    const char *wrong = check_usable(lock, !completed);

    if (wrong == NULL) wrong = check_rlock();
    if (wrong != NULL) return wrong;
    test_family_disband(state);
    mproc_lock_free(lock);
    mproc_rlock_free(rlock);
    return test_family_check(state, completed);
}

/* ---- free ------------------------------------------------------------------------------------- */

static void acquire_and_release(void *state)
{
    (void)state;
    must(mproc_lock_acquire(lock, MPROC_FOREVER));
    must(mproc_lock_release(lock));
}

static void acquire_twice(void *state)
{
    (void)state;
    must(mproc_rlock_acquire(rlock, MPROC_FOREVER));
    must(mproc_rlock_acquire(rlock, 0));
    must(mproc_rlock_release(rlock));
    must(mproc_rlock_release(rlock));
}

/* ---- abandoned -------------------------------------------------------------------------------- */

/* As if this thread had ended. */
static void abandon(void)
{
    robust_list_abandon(test_family_intent(), thread_self.slot, thread_self.owner_id);
}

static void begin_abandoned(void *state)
{
    begin(state);
    must(mproc_lock_acquire(lock, 0));
    abandon();
}

static void recover_and_release(void *state)
{
    (void)state;
    must(mproc_lock_recover(lock, MPROC_FOREVER));
    must(mproc_lock_release(lock));
}

static const char *check_abandoned(void *state, bool completed)
{
    if (completed && mproc_lock_locked(lock)) return step_says("the lock was not recovered");
    return check_all(state, completed);
}

static void begin_abandoned_rlock(void *state)
{
    begin(state);
    must(mproc_rlock_acquire(rlock, 0));
    must(mproc_rlock_acquire(rlock, 0));
    abandon();
}

/* It is held once, however often its last owner had it. */
static void recover_rlock_and_release(void *state)
{
    (void)state;
    must(mproc_rlock_recover(rlock, MPROC_FOREVER));
    must(mproc_rlock_release(rlock));
}

static const char *check_abandoned_rlock(void *state, bool completed)
{
    if (completed && mproc_rlock_locked(rlock)) return step_says("the rlock was not recovered");
    return check_all(state, completed);
}

/* ---- held by the root until the victim sleeps ------------------------------------------------- */

static bool root_holds;

static void begin_held(void *state)
{
    begin(state);
    must(mproc_lock_acquire(lock, 0));
    root_holds = true;
}

static void let_go(void *state)
{
    (void)state;
    must(mproc_lock_release(lock));
    root_holds = false;
}

static const char *check_contended(void *state, bool completed)
{
    if (root_holds) let_go(state);
    return check_all(state, completed);
}

/* ---- peers that wait -------------------------------------------------------------------------- */

static void wait_for_lock(struct test_family *tested, int number)
{
    mproc_status status;

    atomic_store(&tested->begun[number], 1);
    status = mproc_lock_acquire(lock, MPROC_FOREVER);
    if (status == MPROC_OK) must(mproc_lock_release(lock));
    atomic_store(&tested->said[number], (uint32_t)status + 1);
    atomic_store(&tested->went_on[number], 1);
}

static void wait_to_recover(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    must(mproc_lock_recover(lock, MPROC_FOREVER));
    must(mproc_lock_release(lock));
    atomic_store(&tested->went_on[number], 1);
}

static const char *check_peers(void *state, bool completed)
{
    struct test_family *tested = state;
    int left = test_family_left_asleep(tested), i;

    if (left >= 0) return step_says("waiter %d was left asleep", left);
    for (i = 0; i < tested->peers_count; i++) {
        uint32_t said = atomic_load(&tested->said[i]);
        if (said > 1 && (completed || said != MPROC_OWNER_DIED + 1))
            return step_says("waiter %d got status %d", i, (int)said - 1);
    }
    return check_all(state, completed);
}

static void begin_with_peers(void *state)
{
    begin(state);
    test_family_peer(state, wait_for_lock);
    test_family_peer(state, wait_for_lock);
}

static void begin_with_recoverer(void *state)
{
    begin(state);
    test_family_peer(state, wait_to_recover);
}

/* The victim has the lock and the peers sleep for it before the stepping begins. */
static void enter_holding(void *state)
{
    struct test_family *tested = state;
    int i;

    test_family_enter_victim(state);
    must(mproc_lock_acquire(lock, 0));
    for (i = 0; i < tested->peers_count; i++) test_family_peer_asleep(tested, i);
}

static void release(void *state)
{
    (void)state;
    must(mproc_lock_release(lock));
}

/* ---- the victim is the waiter that is chosen, while another sleeps ------------------------------ */

static void begin_held_with_peer(void *state)
{
    begin_held(state);
    test_family_peer(state, wait_for_lock);
}

static void let_go_for_two(void *state)
{
    test_family_peer_asleep(state, 0);
    let_go(state);
}

/* Where the victim died before it slept, nobody has let the peer go yet. */
static const char *check_two(void *state, bool completed)
{
    struct test_family *tested = state;

    if (root_holds) {
        if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
        let_go(state);
    }
    return check_peers(state, completed);
}

/* ---- more locks than have a place in the slot --------------------------------------------------- */

static void begin_many(void *state)
{
    int i;

    begin(state);
    for (i = 0; i < MANY; i++) must(mproc_lock_create(NULL, &many[i]));
}

static void enter_with_many(void *state)
{
    int i;

    test_family_enter_victim(state);
    for (i = 0; i < MANY - 1; i++) must(mproc_lock_acquire(many[i], 0));
}

static void acquire_one_more(void *state)
{
    (void)state;
    must(mproc_lock_acquire(many[MANY - 1], 0));
    must(mproc_lock_release(many[MANY - 1]));
    must(mproc_lock_release(many[0]));
}

static const char *check_many(void *state, bool completed)
{
    const char *wrong = NULL;
    int i;

    for (i = 1; i < MANY - 1; i++)
        if (mproc_lock_acquire(many[i], 0) != MPROC_OWNER_DIED) return step_says("lock %d is not abandoned", i);
    for (i = 0; i < MANY && wrong == NULL; i++) wrong = check_usable(many[i], true);
    for (i = 0; i < MANY; i++) mproc_lock_free(many[i]);
    return wrong != NULL ? wrong : check_all(state, completed);
}

/* ---- left by a task, or by a thread that ends ----------------------------------------------------- */

static void leave_task(void *state)
{
    (void)state;
    if (!robust_list_abandon_own()) abort();
}

static void end_thread(void *state)
{
    (void)state;
    recovery_thread_settles();
    recovery_thread_ends();
}

/* All who wait learn it, whether it was abandoned by the victim or by who recovered that. */
static const char *check_left(void *state, bool completed)
{
    struct test_family *tested = state;
    int left = test_family_left_asleep(tested), i;

    (void)completed;
    if (left >= 0) return step_says("waiter %d was left asleep", left);
    for (i = 0; i < tested->peers_count; i++)
        if (atomic_load(&tested->said[i]) != MPROC_OWNER_DIED + 1) return step_says("waiter %d was not told", i);
    return check_all(state, false);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_lock.free",
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .check = check_all,
     RECOVERED},
    {.name = "sync_lock.contended",
     .slow = true,
     .setup = begin_held,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .release = let_go,
     .check = check_contended,
     RECOVERED},
    {.name = "sync_lock.waiters_asleep",
     .setup = begin_with_peers,
     .enter = enter_holding,
     .operation = release,
     .check = check_peers,
     RECOVERED},
    {.name = "sync_lock.left_by_a_task",
     .slow = true,
     .setup = begin_with_peers,
     .enter = enter_holding,
     .operation = leave_task,
     .check = check_left,
     RECOVERED},
    {.name = "sync_lock.left_by_a_thread",
     .slow = true,
     .setup = begin_with_peers,
     .enter = enter_holding,
     .operation = end_thread,
     .check = check_left,
     RECOVERED},
    {.name = "sync_lock.recoverer_asleep",
     .setup = begin_with_recoverer,
     .enter = enter_holding,
     .operation = release,
     .check = check_peers,
     RECOVERED},
    {.name = "sync_lock.chosen_waiter",
     .slow = true,
     .setup = begin_held_with_peer,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .release = let_go_for_two,
     .check = check_two,
     RECOVERED},
    {.name = "sync_lock.recover",
     .slow = true,
     .setup = begin_abandoned,
     .enter = test_family_enter_victim,
     .operation = recover_and_release,
     .check = check_abandoned,
     RECOVERED},
    {.name = "sync_lock.many",
     .slow = true,
     .setup = begin_many,
     .enter = enter_with_many,
     .operation = acquire_one_more,
     .check = check_many,
     RECOVERED},
    {.name = "sync_rlock.nested",
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = acquire_twice,
     .check = check_all,
     RECOVERED},
    {.name = "sync_rlock.recover",
     .slow = true,
     .setup = begin_abandoned_rlock,
     .enter = test_family_enter_victim,
     .operation = recover_rlock_and_release,
     .check = check_abandoned_rlock,
     RECOVERED},
};

const steps_table steps_locks = STEPS_TABLE(scenarios);
