/*
 * Barriers. Promised: when one of the parties is killed while it waits, or while it lets the others go, these pass or
 * learn that the barrier is broken; and nobody sleeps on.
 */
#include "test_family.h"
#include "steps.h"

#include <mproc/barrier.h>

#include <stdlib.h>

static mproc_barrier *barrier;
static mproc_barrier *inner;       /* of one party: nobody sleeps at it */
static struct test_family *acting; /* of whom the action is run */

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static mproc_status act(mproc_call *call)
{
    (void)call;
    atomic_fetch_add(&acting->root_said, 1);
    return MPROC_OK;
}

/* It waits in the same thread. */
static mproc_status act_and_wait(mproc_call *call)
{
    int index;

    if (mproc_barrier_wait(inner, MPROC_FOREVER, &index) != MPROC_OK || index != 0) abort();
    return act(call);
}

static mproc_status fail(mproc_call *call)
{
    act(call);
    return MPROC_USER;
}

static void begin(void *state, int parties, mproc_function *action)
{
    mproc_barrier_options options = {.action = action};

    acting = state;
    test_family_begin(state);
    must(mproc_barrier_create(parties, &options, &barrier));
    must(mproc_barrier_create(1, NULL, &inner));
}

/* ---- parties ---------------------------------------------------------------------------------- */

static void peer_waits(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    atomic_store(&tested->said[number], (uint32_t)mproc_barrier_wait(barrier, MPROC_FOREVER, NULL) + 1);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_peer(void *state, int parties, mproc_function *action)
{
    begin(state, parties, action);
    test_family_peer_asleep(state, test_family_peer(state, peer_waits));
}

static void begin_two(void *state)
{
    begin_with_peer(state, 2, NULL);
}

static void begin_two_with_action(void *state)
{
    begin_with_peer(state, 2, act);
}

static void begin_two_with_waiting_action(void *state)
{
    begin_with_peer(state, 2, act_and_wait);
}

static void begin_two_with_failing_action(void *state)
{
    begin_with_peer(state, 2, fail);
}

/*
 * The action comes last at another barrier, whose action waits, too: when the victim dies in it, neither barrier
 * stands in its slot as what it waits for.
 */
static mproc_barrier *middle;

static mproc_status wait_between(mproc_call *call)
{
    (void)call;
    return mproc_barrier_wait(middle, MPROC_FOREVER, NULL);
}

static void peer_waits_between(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    atomic_store(&tested->said[number], (uint32_t)mproc_barrier_wait(middle, MPROC_FOREVER, NULL) + 1);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_nested(void *state)
{
    mproc_barrier_options options = {.action = act_and_wait};

    begin(state, 2, wait_between);
    must(mproc_barrier_create(2, &options, &middle));
    test_family_peer_asleep(state, test_family_peer(state, peer_waits));
    test_family_peer_asleep(state, test_family_peer(state, peer_waits_between));
}

static void begin_three(void *state)
{
    begin_with_peer(state, 3, NULL);
}

static void wait(void *state)
{
    mproc_status status = mproc_barrier_wait(barrier, MPROC_FOREVER, NULL);

    atomic_store(&((struct test_family *)state)->victim_said, (uint32_t)status + 1);
}

static void wait_without_time(void *state)
{
    (void)state;
    if (mproc_barrier_wait(barrier, 0, NULL) != MPROC_BROKEN) abort();
}

static void root_comes_last(void *state)
{
    (void)state;
    must(mproc_barrier_wait(barrier, 0, NULL));
}

static void reset(void *state)
{
    (void)state;
    must(mproc_barrier_reset(barrier));
}

static void break_it(void *state)
{
    (void)state;
    must(mproc_barrier_abort(barrier));
}

/* ---- judging ---------------------------------------------------------------------------------- */

static const char *check_end(void *state, bool completed)
{
    test_family_disband(state);
    must(mproc_barrier_reset(barrier));
    if (mproc_barrier_broken(barrier) || mproc_barrier_waiting(barrier) != 0)
        return step_says("the barrier is not mended");
    if (mproc_barrier_wait(barrier, 0, NULL) != MPROC_BROKEN || !mproc_barrier_broken(barrier))
        return step_says("it does not break when there is no time");
    mproc_barrier_free(barrier);
    mproc_barrier_free(inner);
    return test_family_check(state, completed);
}

/* The peer, if it sleeps, is the only party, and of a barrier that is not broken: so it sleeps rightly. */
static const char *check_peer(void *state, bool completed, mproc_status status)
{
    struct test_family *tested = state;
    bool asleep = test_family_left_asleep(tested) >= 0;
    uint32_t said = atomic_load(&tested->said[0]);
    int waiting = mproc_barrier_waiting(barrier);

    if (!asleep && said != MPROC_OK + 1 && said != MPROC_BROKEN + 1) return step_says("it got %d", (int)said - 1);
    if (completed && (asleep || said != (uint32_t)status + 1))
        return step_says("all is done, and it got %d", (int)said - 1);
    if (asleep && (waiting != 1 || mproc_barrier_broken(barrier)))
        return step_says("it was left asleep; %d wait", waiting);
    if (!asleep && waiting != 0) return step_says("nobody is there, and %d wait", waiting);
    must(mproc_barrier_reset(barrier));
    if (test_family_left_asleep(tested) >= 0) return step_says("it was left asleep by the root");
    return check_end(state, completed);
}

static const char *check_passed(void *state, bool completed)
{
    return check_peer(state, completed, MPROC_OK);
}

static const char *check_broken(void *state, bool completed)
{
    return check_peer(state, completed, MPROC_BROKEN);
}

/* Whoever passes does so after the action; it is run once. */
static const char *check_acted(void *state, bool completed)
{
    const struct test_family *tested = state;
    uint32_t acted = atomic_load(&tested->root_said);

    if (test_family_left_asleep(state) < 0 && atomic_load(&tested->said[0]) == MPROC_OK + 1 && acted != 1)
        return step_says("the peer passed, and the action was run %u times", acted);
    return check_peer(state, completed, MPROC_OK);
}

/* Nobody passes, whether the action has failed or was never run. */
static const char *check_failed(void *state, bool completed)
{
    const struct test_family *tested = state;
    uint32_t said = atomic_load(&tested->victim_said);

    if (test_family_left_asleep(state) < 0 && atomic_load(&tested->said[0]) == MPROC_OK + 1)
        return step_says("the peer passed, and the action fails");
    if (completed && said != MPROC_USER + 1) return step_says("the victim got %d from its action", (int)said - 1);
    if (completed && !mproc_barrier_broken(barrier)) return step_says("the action has failed and broken nothing");
    return check_peer(state, completed, MPROC_BROKEN);
}

/* Each peer that still sleeps is the only party of its barrier, which is whole. */
static const char *check_nested(void *state, bool completed)
{
    mproc_barrier *const barriers[] = {barrier, middle};
    struct test_family *tested = state;
    int i;

    test_family_left_asleep(tested);
    for (i = 0; i < 2; i++) {
        uint32_t said = atomic_load(&tested->said[i]);
        int waiting = mproc_barrier_waiting(barriers[i]);
        bool asleep = atomic_load(&tested->went_on[i]) == 0;
        if (completed && said != MPROC_OK + 1) return step_says("peer %d got %d", i, (int)said - 1);
        if (asleep && (waiting != 1 || mproc_barrier_broken(barriers[i])))
            return step_says("peer %d was left asleep; %d wait", i, waiting);
        if (!asleep && waiting != 0) return step_says("peer %d is gone, and %d wait", i, waiting);
        must(mproc_barrier_reset(barriers[i]));
    }
    if (test_family_left_asleep(tested) >= 0) return step_says("it was left asleep by the root");
    test_family_disband(tested);
    mproc_barrier_free(middle);
    return check_end(state, completed);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_barrier.middle",
     .slow = true,
     .setup = begin_three,
     .enter = test_family_enter_victim,
     .operation = wait,
     .release = root_comes_last,
     .check = check_passed,
     RECOVERED},
    {.name = "sync_barrier.last",
     .slow = true,
     .setup = begin_two,
     .enter = test_family_enter_victim,
     .operation = wait,
     .check = check_passed,
     RECOVERED},
    {.name = "sync_barrier.action",
     .slow = true,
     .setup = begin_two_with_action,
     .enter = test_family_enter_victim,
     .operation = wait,
     .check = check_acted,
     RECOVERED},
    {.name = "sync_barrier.action_that_waits",
     .slow = true,
     .setup = begin_two_with_waiting_action,
     .enter = test_family_enter_victim,
     .operation = wait,
     .check = check_acted,
     RECOVERED},
    {.name = "sync_barrier.action_within_an_action",
     .slow = true,
     .setup = begin_nested,
     .enter = test_family_enter_victim,
     .operation = wait,
     .check = check_nested,
     RECOVERED},
    {.name = "sync_barrier.action_that_fails",
     .slow = true,
     .setup = begin_two_with_failing_action,
     .enter = test_family_enter_victim,
     .operation = wait,
     .check = check_failed,
     RECOVERED},
    {.name = "sync_barrier.time_out",
     .slow = true,
     .setup = begin_three,
     .enter = test_family_enter_victim,
     .operation = wait_without_time,
     .check = check_broken,
     RECOVERED},
    {.name = "sync_barrier.reset",
     .setup = begin_two,
     .enter = test_family_enter_victim,
     .operation = reset,
     .check = check_broken,
     RECOVERED},
    {.name = "sync_barrier.abort",
     .setup = begin_two,
     .enter = test_family_enter_victim,
     .operation = break_it,
     .check = check_broken,
     RECOVERED},
};

const steps_table steps_barrier = STEPS_TABLE(scenarios);
