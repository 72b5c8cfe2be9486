/*
 * Events. Promised: an event that was set lets all go on who waited for it, whoever is killed, and also if it is
 * cleared at once.
 */
#include "test_family.h"
#include "steps.h"

#include <mproc/event.h>

#include <stdlib.h>

static mproc_event *event;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void begin(void *state)
{
    test_family_begin(state);
    must(mproc_event_create(&event));
}

static void wait_for_event(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    must(mproc_event_wait(event, MPROC_FOREVER));
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_peers(void *state)
{
    begin(state);
    test_family_peer_asleep(state, test_family_peer(state, wait_for_event));
    test_family_peer_asleep(state, test_family_peer(state, wait_for_event));
}

static const char *check_end(void *state, bool completed)
{
    struct test_family *tested = state;

    test_family_disband(tested);
    must(mproc_event_clear(event));
    if (mproc_event_wait(event, 0) != MPROC_TIMEOUT) return step_says("the event was not cleared");
    must(mproc_event_set(event));
    if (mproc_event_wait(event, 0) != MPROC_OK) return step_says("the event was not set");
    mproc_event_free(event);
    return test_family_check(state, completed);
}

/* `must_go_on`: the event was set, now or before. Else the peers sleep rightly. */
static const char *check_peers(void *state, bool completed, bool must_go_on)
{
    struct test_family *tested = state;
    int left = test_family_left_asleep(tested);

    if (left >= 0 && must_go_on) return step_says("sleeper %d was left asleep", left);
    if (left >= 0 && atomic_load(&tested->went_on[1 - left])) return step_says("only one of the sleepers went on");
    must(mproc_event_set(event));
    left = test_family_left_asleep(tested);
    if (left >= 0) return step_says("sleeper %d was left asleep by the root", left);
    return check_end(state, completed);
}

static void set(void *state)
{
    (void)state;
    must(mproc_event_set(event));
}

static const char *check_set(void *state, bool completed)
{
    return check_peers(state, completed, completed || mproc_event_is_set(event));
}

static void set_and_clear(void *state)
{
    must(mproc_event_set(event));
    atomic_store(&((struct test_family *)state)->victim_said, 1);
    must(mproc_event_clear(event));
}

static const char *check_set_and_cleared(void *state, bool completed)
{
    bool was_set = atomic_load(&((struct test_family *)state)->victim_said) != 0 || mproc_event_is_set(event);

    if (completed && mproc_event_is_set(event)) return step_says("the event was not cleared");
    return check_peers(state, completed, was_set);
}

static void wait(void *state)
{
    (void)state;
    must(mproc_event_wait(event, MPROC_FOREVER));
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_event.set",
     .setup = begin_with_peers,
     .enter = test_family_enter_victim,
     .operation = set,
     .check = check_set,
     RECOVERED},
    {.name = "sync_event.set_and_clear",
     .setup = begin_with_peers,
     .enter = test_family_enter_victim,
     .operation = set_and_clear,
     .check = check_set_and_cleared,
     RECOVERED},
    {.name = "sync_event.wait",
     .slow = true,
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = wait,
     .release = set,
     .check = check_end,
     RECOVERED},
};

const steps_table steps_event = STEPS_TABLE(scenarios);
