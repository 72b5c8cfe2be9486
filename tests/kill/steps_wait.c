/*
 * Waits for several things. Promised: who watches a thing is told of it, whoever is killed, and a killed one who has
 * watched takes no wake-up with it.
 */
#include "test_family.h"
#include "steps.h"

#include <mproc/event.h>
#include <mproc/queue.h>
#include <mproc/semaphore.h>
#include <mproc/wait.h>

#include <stdlib.h>

static mproc_event *event;
static mproc_queue *queue;
static mproc_semaphore *semaphore;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void begin(void *state)
{
    test_family_begin(state);
    must(mproc_event_create(&event));
    must(mproc_queue_create(NULL, &queue));
    must(mproc_semaphore_create(0, NULL, &semaphore));
}

static void watch(void)
{
    mproc_waitable things[3];

    things[0] = MPROC_WAITABLE(event);
    things[1] = MPROC_WAITABLE(queue);
    things[2] = MPROC_WAITABLE(semaphore);
    must(mproc_wait(things, 3, MPROC_FOREVER, NULL));
}

static void watch_as_peer(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    watch();
    atomic_store(&tested->went_on[number], 1);
}

static void get_as_peer(struct test_family *tested, int number)
{
    mproc_value value;

    atomic_store(&tested->begun[number], 1);
    must(mproc_queue_get(queue, &value, MPROC_FOREVER));
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_watchers(void *state)
{
    begin(state);
    test_family_peer_asleep(state, test_family_peer(state, watch_as_peer));
    test_family_peer_asleep(state, test_family_peer(state, watch_as_peer));
}

static const char *check_end(void *state, bool completed)
{
    mproc_value value;

    test_family_disband(state);
    if (mproc_queue_size(queue) > 0) must(mproc_queue_get(queue, &value, 0));
    must(mproc_queue_put(queue, mproc_int(1), 0));
    must(mproc_queue_get(queue, &value, 0));
    mproc_queue_free(queue);
    mproc_event_free(event);
    mproc_semaphore_free(semaphore);
    return test_family_check(state, completed);
}

static bool is_ready(void)
{
    return mproc_event_is_set(event) || mproc_queue_size(queue) > 0 || mproc_semaphore_value(semaphore) > 0;
}

/* Where the victim died before its change, they sleep rightly. */
static const char *check_watchers(void *state, bool completed)
{
    int left = test_family_left_asleep(state);

    if (completed && !is_ready()) return step_says("the change is lost");
    if (left >= 0 && is_ready()) return step_says("watcher %d was left asleep", left);
    must(mproc_event_set(event));
    left = test_family_left_asleep(state);
    if (left >= 0) return step_says("watcher %d was left asleep by the root", left);
    return check_end(state, completed);
}

static void set(void *state)
{
    (void)state;
    must(mproc_event_set(event));
}

static void put(void *state)
{
    (void)state;
    must(mproc_queue_put(queue, mproc_int(1), 0));
}

static void release(void *state)
{
    (void)state;
    must(mproc_semaphore_release(semaphore));
}

/* ---- the one who watches is killed --------------------------------------------------------------- */

static void begin_with_getter(void *state)
{
    begin(state);
    test_family_peer_asleep(state, test_family_peer(state, get_as_peer));
    test_family_peer_asleep(state, test_family_peer(state, watch_as_peer));
}

static void watch_as_victim(void *state)
{
    (void)state;
    watch();
}

/* The item of the release may have been got before the watchers look. */
static const char *check_getter(void *state, bool completed)
{
    struct test_family *tested = state;

    if (atomic_load(&tested->went_on[0]) == 0 && mproc_queue_size(queue) == 0) put(state);
    if (!test_family_went_on(state, 0)) return step_says("who waits for an item was left asleep over it");
    set(state);
    if (test_family_left_asleep(state) >= 0) return step_says("the other watcher was left asleep");
    return check_end(state, completed);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "wait.event_set",
     .setup = begin_with_watchers,
     .enter = test_family_enter_victim,
     .operation = set,
     .check = check_watchers,
     RECOVERED},
    {.name = "wait.queue_put",
     .setup = begin_with_watchers,
     .enter = test_family_enter_victim,
     .operation = put,
     .check = check_watchers,
     RECOVERED},
    {.name = "wait.semaphore_release",
     .setup = begin_with_watchers,
     .enter = test_family_enter_victim,
     .operation = release,
     .check = check_watchers,
     RECOVERED},
    {.name = "wait.watcher_asleep",
     .slow = true,
     .setup = begin_with_getter,
     .enter = test_family_enter_victim,
     .operation = watch_as_victim,
     .release = set,
     .check = check_getter,
     RECOVERED},
};

const steps_table steps_wait = STEPS_TABLE(scenarios);
