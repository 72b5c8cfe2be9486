/*
 * Objects as items of queues. Promised: an object counts those who have it and the items that refer to it, whoever is
 * killed while it is put, got, kept or cleared; and of queues in queues nothing is left with the last who had them.
 */
#include "steps_queue.h"

#include "object/reference.h"

#include <mproc/event.h>
#include <mproc/lock.h>

#include <stdlib.h>

static mproc_lock *lock;
static mproc_event *event;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

/* ---- a lock and an event ------------------------------------------------------------------------- */

static void begin(void *state, bool joinable)
{
    test_family_pass_objects();
    test_queue_begin(state, &(mproc_queue_options){.joinable = joinable});
    must(mproc_lock_create(NULL, &lock));
    must(mproc_event_create(&event));
}

static void begin_empty(void *state)
{
    begin(state, false);
}

/* The event is in it twice. */
static void put_both(mproc_queue *to)
{
    must(mproc_queue_put(to, MPROC_LIST(lock, MPROC_LIST(event, 7), event), MPROC_FOREVER));
}

static void begin_with_item(void *state)
{
    begin(state, false);
    put_both(test_queue);
}

static void begin_joinable_with_item(void *state)
{
    begin(state, true);
    put_both(test_queue);
}

static void put(void *state)
{
    put_both(test_queue_mine);
    test_queue_say(state, 1);
}

static void get_and_clear(void *state)
{
    mproc_value value;

    must(mproc_queue_get(test_queue_mine, &value, MPROC_FOREVER));
    test_queue_say(state, 1);
    mproc_value_clear(&value);
}

/* Done before it is cleared: the value goes on keeping what is in it. */
static void get_done_and_clear(void *state)
{
    mproc_value value;

    must(mproc_queue_get(test_queue_mine, &value, MPROC_FOREVER));
    must(mproc_queue_task_done(test_queue_mine));
    test_queue_say(state, 1);
    if (handles_of(lock) != 2 || handles_of(event) != 3) abort();
    mproc_value_clear(&value);
}

static const char *check_handles(uint32_t items)
{
    if (handles_of(lock) == 1 + items && handles_of(event) == 1 + 2 * items) return NULL;
    return step_says("%u items have the lock and the event, which count %u and %u handles", items, handles_of(lock),
                     handles_of(event));
}

/* Whoever gets it has references of his own. */
static const char *check_item(void)
{
    mproc_lock *its_lock;
    mproc_event *its_event;
    mproc_value value;

    must(mproc_queue_get(test_queue, &value, 0));
    must(mproc_value_to(mproc_value_at(value, 0), &its_lock));
    must(mproc_value_to(mproc_value_at(value, 2), &its_event));
    mproc_value_clear(&value);
    (void)!mproc_queue_task_done(test_queue); /* where it is joinable */
    must(mproc_lock_acquire(its_lock, 0));
    must(mproc_lock_release(its_lock));
    must(mproc_event_set(its_event));
    if (!mproc_event_is_set(event)) return step_says("it is another event");
    mproc_lock_free(its_lock);
    mproc_event_free(its_event);
    return NULL;
}

static const char *check_both(void *state, bool completed, uint32_t least, uint32_t most)
{
    uint32_t items = (uint32_t)mproc_queue_size(test_queue);
    const char *wrong = check_handles(items);

    if (wrong) return wrong;
    if (items < least || items > most) return step_says("%u items are there", items);
    if (items > 0 && (wrong = check_item())) return wrong;
    if ((wrong = check_handles(0))) return wrong;
    mproc_lock_free(lock);
    mproc_event_free(event);
    return test_queue_check_end(state, completed);
}

static const char *check_put(void *state, bool completed)
{
    return check_both(state, completed, atomic_load(&((struct test_family *)state)->victim_said), 1);
}

static const char *check_got(void *state, bool completed)
{
    return check_both(state, completed, 0, 1 - atomic_load(&((struct test_family *)state)->victim_said));
}

/* It is done, or comes back and says so. */
static const char *check_done(void *state, bool completed)
{
    mproc_queue_counts counts;

    must(mproc_queue_counters(test_queue, &counts));
    if (counts.done != counts.got || mproc_queue_size(test_queue) != 1 - counts.done || counts.lost)
        return step_says("%lld are done, %lld got, and %lld there", (long long)counts.done, (long long)counts.got,
                         (long long)mproc_queue_size(test_queue));
    return check_got(state, completed);
}

/* ---- queues in queues ---------------------------------------------------------------------------- */

static mproc_queue *create(bool joinable)
{
    mproc_queue *queue;

    must(mproc_queue_create(&(mproc_queue_options){.joinable = joinable}, &queue));
    return queue;
}

/* The item comes back. */
static void put_back(mproc_queue *queue)
{
    struct reference *other;
    mproc_value value;

    must(reference_open(&((const struct reference *)(const void *)queue)->ref, &other));
    must(mproc_queue_get((mproc_queue *)(void *)other, &value, 0));
    mproc_value_clear(&value);
    reference_free(other);
}

static void put_queue(mproc_queue *to, mproc_queue *queue)
{
    must(mproc_queue_put(to, MPROC_VALUE(queue), 0));
    mproc_queue_free(queue);
}

/*
 * Three, each in the next: the innermost has items of all kinds, in the next one it has come back, and the victim has
 * the last alone.
 */
static void enter_with_chain(void *state)
{
    mproc_queue *inner, *middle;

    test_family_enter_victim(state);
    inner = create(false);
    middle = create(true);
    test_queue_mine = create(false);
    put_both(inner);
    test_queue_put(inner, VICTIMS, SMALL);
    test_queue_put(inner, VICTIMS, LARGE);
    put_queue(middle, inner);
    put_back(middle);
    test_queue_put(middle, VICTIMS, SMALL);
    put_queue(test_queue_mine, middle);
}

static const char *check_chain(void *state, bool completed)
{
    return check_both(state, completed, 0, 0);
}

static const step_scenario scenarios[] = {
    {.name = "queue.object_put",
     .setup = begin_empty,
     .enter = test_queue_enter,
     .operation = put,
     .check = check_put,
     RECOVERED},
    {.name = "queue.object_got",
     .setup = begin_with_item,
     .enter = test_queue_enter,
     .operation = get_and_clear,
     .check = check_got,
     RECOVERED},
    {.name = "queue.object_done",
     .setup = begin_joinable_with_item,
     .enter = test_queue_enter,
     .operation = get_done_and_clear,
     .check = check_done,
     RECOVERED},
    {.name = "queue.object_chain_dropped",
     .setup = begin_empty,
     .enter = enter_with_chain,
     .operation = test_queue_free_mine,
     .check = check_chain,
     RECOVERED},
};

const steps_table steps_queue_object = STEPS_TABLE(scenarios);
