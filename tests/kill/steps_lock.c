/*
 * The lock of the arena. Promised: a lock whose owner was killed is free again, and whoever waited for it
 * gets it.
 */
#include "test_family.h"
#include "steps.h"

#include "arena/lock.h"

static arena_lock *lock(void)
{
    return &test_family_objects->lock;
}

static void hold(void)
{
    lock_acquire(test_family_intent(), lock());
}

static void let_go(void)
{
    lock_release(test_family_intent(), lock());
}

/* Nobody may have it, and everybody can. */
static const char *check_free(void *state, bool completed)
{
    if (atomic_load(&lock()->word)) return step_says("the lock word is 0x%x", (unsigned)atomic_load(&lock()->word));
    hold();
    let_go();
    return test_family_check(state, completed);
}

static bool root_holds(void)
{
    return lock_owned(lock(), thread_self.owner_id);
}

/* ---- free ------------------------------------------------------------------------------------- */

static void acquire_and_release(void *state)
{
    (void)state;
    hold();
    let_go();
}

/* ---- held by the root until the victim sleeps ----------------------------------------------------- */

static void begin_held(void *state)
{
    test_family_begin(state);
    hold();
}

static void let_go_for_victim(void *state)
{
    (void)state;
    let_go();
}

static const char *check_contended(void *state, bool completed)
{
    if (root_holds()) let_go();
    return check_free(state, completed);
}

/* ---- peers that wait ----------------------------------------------------------------------------- */

static void wait_for_lock(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    hold();
    let_go();
    atomic_store(&tested->went_on[number], 1);
}

static const char *check_peer(void *state, bool completed)
{
    if (!test_family_went_on(state, 0)) return step_says("the waiter was left asleep");
    return check_free(state, completed);
}

static void begin_with_peer(void *state)
{
    test_family_begin(state);
    test_family_peer(state, wait_for_lock);
}

/* The victim has the lock and a peer sleeps for it before the stepping begins. */
static void enter_holding(void *state)
{
    test_family_enter_victim(state);
    hold();
    test_family_peer_asleep(state, 0);
}

static void release(void *state)
{
    (void)state;
    let_go();
}

/* ---- the victim is the waiter that is chosen, while another sleeps ---------------------------------- */

static void begin_held_with_peer(void *state)
{
    begin_with_peer(state);
    hold();
}

static void let_go_for_two(void *state)
{
    test_family_peer_asleep(state, 0);
    let_go();
}

/* Where the victim died before it slept, nobody has let the peer go yet. */
static const char *check_two(void *state, bool completed)
{
    struct test_family *tested = state;

    if (root_holds()) {
        if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
        let_go();
    }
    return check_peer(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "lock.free",
     .setup = test_family_begin,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_free,
     .teardown = test_family_end},
    {.name = "lock.contended",
     .setup = begin_held,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .release = let_go_for_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_contended,
     .teardown = test_family_end,
     .slow = true}, /* its spins make the path long */
    {.name = "lock.waiter_asleep",
     .setup = begin_with_peer,
     .enter = enter_holding,
     .operation = release,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_peer,
     .teardown = test_family_end},
    {.name = "lock.chosen_waiter",
     .slow = true, /* its spins make the path long */
     .setup = begin_held_with_peer,
     .enter = test_family_enter_victim,
     .operation = acquire_and_release,
     .release = let_go_for_two,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_two,
     .teardown = test_family_end},
};

const steps_table steps_lock = STEPS_TABLE(scenarios);
