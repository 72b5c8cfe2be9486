/*
 * Queues, while nobody waits. Promised: what a put that returned has put is there once and in order, whoever is
 * killed; a killed getter takes along what it was about to take, and no more; and of a queue that all have dropped
 * nothing is left.
 */
#include "steps_queue.h"

#include <stdlib.h>
#include <string.h>

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- what the root makes ----------------------------------------------------------------------- */

static void begin_two(void *state)
{
    test_queue_begin_empty(state);
    test_queue_put_before(SMALL);
    test_queue_put_before(SMALL);
}

static void begin_two_of_bytes(void *state)
{
    test_queue_begin(state, &(mproc_queue_options){.max_bytes = (2 + BATCH) * SMALL + BIG});
    test_queue_put_before(SMALL);
    test_queue_put_before(SMALL);
}

static bool has_room(size_t size)
{
    const struct queue_ends *ends = queue_ends(((const struct reference *)(const void *)test_queue)->at);

    return queue_place(atomic_load(&ends->put.at)) + queue_units(size) <= atomic_load(&ends->limit);
}

/* The next item of that size does not fit the segment that is written. */
static void fill_segment(size_t size)
{
    do test_queue_put_before(size);
    while (has_room(size));
}

static void begin_at_limit(void *state)
{
    test_queue_begin_empty(state);
    fill_segment(SMALL);
}

static void empty(void)
{
    while (test_queue_taken < test_queue_had) test_queue_get_before();
}

/* Of two segments the other one is free. */
static void begin_at_limit_beside_free(void *state)
{
    begin_at_limit(state);
    fill_segment(SMALL);
    empty();
}

/* Not even a block's record fits. */
static void begin_at_limit_of_blocks(void *state)
{
    begin_at_limit(state);
    while (has_room(8)) test_queue_put_before(8);
}

/* The first record of the last segment is the next that is got; all others are free then. */
static void begin_before_last(void *state)
{
    test_queue_begin_empty(state);
    for (int i = 0; i < 5; i++) fill_segment(MIDDLE);
    test_queue_put_before(MIDDLE);
    while (test_queue_taken + 1 < test_queue_had) test_queue_get_before();
    test_queue_put_before(SMALL);
}

/* Nobody has found it empty yet. */
static void begin_emptied(void *state)
{
    test_queue_begin_empty(state);
    for (int i = 0; i < 3; i++) fill_segment(MIDDLE);
    test_queue_put_before(MIDDLE);
    empty();
}

static void try_to_get(void *state)
{
    (void)state;
    if (mproc_queue_get_bytes(test_queue_mine, &test_queue_buffer, sizeof test_queue_buffer, NULL, 0) !=
        MPROC_TIMEOUT)
        abort();
}

static void begin_large(void *state)
{
    test_queue_begin_empty(state);
    test_queue_put_before(LARGE);
    test_queue_put_before(LARGE);
}

static void put_large(void *state)
{
    test_queue_put(test_queue_mine, VICTIMS, LARGE);
    test_queue_say(state, 1);
}

static void reserve_and_release(void *state)
{
    mproc_queue_buffer buffer;

    (void)state;
    must(mproc_queue_reserve(test_queue_mine, MIDDLE, &buffer));
    mproc_queue_release(&buffer);
}

/* ---- judging ------------------------------------------------------------------------------------ */

/*
 * Takes all that is there, with an item behind it for which a segment has to be added: the root's items in order, the
 * first ones perhaps missing, and then the victim's. `*missing` and `*victims` say how many of each.
 */
static const char *take_all(uint64_t *missing, uint64_t *victims)
{
    int64_t bytes, items = test_queue_counted(&bytes), taken = 0, taken_bytes = 0;
    uint64_t next = ROOTS + test_queue_taken, number;
    bool first = true;
    size_t size;

    if (items != mproc_queue_size(test_queue))
        return step_says("%lld items are counted of %lld", (long long)items, (long long)mproc_queue_size(test_queue));
    *missing = *victims = 0;
    test_queue_put(test_queue, LATER, BIG);
    while ((number = mproc_queue_size(test_queue) ? test_queue_get(test_queue, &size) : 1) != LATER) {
        if (first && number > next && number <= ROOTS + test_queue_had) *missing = number - next, next = number;
        first = false;
        if (number == VICTIMS + *victims) ++*victims;
        else if (number != next++ || *victims)
            return step_says("item %llu comes after %lld", (unsigned long long)number, (long long)taken);
        taken++;
        taken_bytes += (int64_t)size;
    }
    if (next == ROOTS + test_queue_taken) *missing = test_queue_had - test_queue_taken;
    else if (next != ROOTS + test_queue_had) return step_says("the last item is %llu", (unsigned long long)next - 1);
    if (taken != items || taken_bytes != bytes)
        return step_says("%lld items of %lld bytes were counted, %lld of %lld were there", (long long)items,
                         (long long)bytes, (long long)taken, (long long)taken_bytes);
    return mproc_queue_size(test_queue) ? step_says("there is an item too many") : test_queue_check_counted(0, 0);
}

static const char *check_put_most(void *state, bool completed, uint64_t most)
{
    uint64_t missing, victims, said = atomic_load(&((struct test_family *)state)->victim_said);
    const char *wrong = take_all(&missing, &victims);

    if (wrong) return wrong;
    if (missing > 0) return step_says("%llu items are lost", (unsigned long long)missing);
    if (victims < said || victims > most || (completed && victims != most))
        return step_says("%llu items of the victim are there", (unsigned long long)victims);
    return test_queue_check_end(state, completed);
}

static const char *check_put(void *state, bool completed)
{
    return check_put_most(state, completed, 1);
}

static const char *check_put_none(void *state, bool completed)
{
    return check_put_most(state, completed, 0);
}

static const char *check_batch(void *state, bool completed)
{
    return check_put_most(state, completed, BATCH);
}

static uint32_t segments(void)
{
    const struct queue_ends *ends = queue_ends(((const struct reference *)(const void *)test_queue)->at);
    uint64_t written = atomic_load(&ends->written), at = written;
    uint32_t count = 0;

    do {
        at = atomic_load(&((const struct queue_segment *)arena_at(at))->next);
        count++;
    } while (at != written);
    return count;
}

static const char *check_got(void *state, bool completed)
{
    uint64_t missing, victims, said = atomic_load(&((struct test_family *)state)->victim_said);
    const char *wrong = take_all(&missing, &victims);
    mproc_queue_counts counts;

    if (wrong) return wrong;
    must(mproc_queue_counters(test_queue, &counts));
    if (missing < said + (uint64_t)counts.lost || missing > 1)
        return step_says("%llu items are missing", (unsigned long long)missing);
    return test_queue_check_end(state, completed);
}

static const char *check_given_back(void *state, bool completed)
{
    if (segments() > 6 || segments() < 5 || (completed && segments() != 5))
        return step_says("there are %u segments", segments());
    return check_got(state, completed);
}

static const char *check_at_rest(void *state, bool completed)
{
    if (segments() > 4 || segments() < 2 || (completed && segments() != 2))
        return step_says("there are %u segments", segments());
    return check_got(state, completed);
}

/* ---- values ------------------------------------------------------------------------------------- */

static const char text[] = "a text that is longer than what a value itself has room for";

static void begin_values(void *state)
{
    test_queue_begin_empty(state);
    must(mproc_queue_put(test_queue, MPROC_VALUE(text), MPROC_FOREVER));
    must(mproc_queue_put(test_queue, MPROC_VALUE(7), MPROC_FOREVER));
}

static void put_value(void *state)
{
    must(mproc_queue_put(test_queue_mine, MPROC_VALUE(text), MPROC_FOREVER));
    test_queue_say(state, 1);
}

static void get_values(void *state)
{
    mproc_value value;

    for (uint32_t i = 1; i <= 2; i++) {
        must(mproc_queue_get(test_queue_mine, &value, MPROC_FOREVER));
        mproc_value_clear(&value);
        test_queue_say(state, i);
    }
}

/* The texts, and then the number. */
static const char *check_values(void *state, bool completed, int64_t least, int64_t most)
{
    int64_t there = mproc_queue_size(test_queue);
    mproc_value value;

    if (there < least || there > most) return step_says("%lld values are there", (long long)there);
    for (int64_t i = 0; i < there; i++) {
        must(mproc_queue_get(test_queue, &value, 0));
        if (value.type == MPROC_TYPE_STRING ? strcmp(mproc_value_string(value), text) != 0
                                            : mproc_value_int(value) != 7)
            return step_says("another value has come");
        mproc_value_clear(&value);
    }
    return test_queue_check_counted(0, 0) ? test_queue_check_counted(0, 0) : test_queue_check_end(state, completed);
}

static const char *check_value_put(void *state, bool completed)
{
    return check_values(state, completed, atomic_load(&((struct test_family *)state)->victim_said), 1);
}

static const char *check_values_got(void *state, bool completed)
{
    int64_t said = atomic_load(&((struct test_family *)state)->victim_said);

    return check_values(state, completed, said < 2 ? 1 - said : 0, 2 - said);
}

/* ---- the end of a queue ------------------------------------------------------------------------- */

static void make_and_fill(void *state)
{
    (void)state;
    must(mproc_queue_create(NULL, &test_queue_mine));
    test_queue_put(test_queue_mine, VICTIMS, MIDDLE);
    test_queue_put(test_queue_mine, VICTIMS, MIDDLE);
    test_queue_put(test_queue_mine, VICTIMS, LARGE);
    test_queue_put(test_queue_mine, VICTIMS, SMALL);
}

static void enter_with_filled(void *state)
{
    test_family_enter_victim(state);
    make_and_fill(state);
}

static void create_fill_free(void *state)
{
    make_and_fill(state);
    test_queue_free_mine(state);
}

/* With a table of owned slots that is there already: to make it is a scenario of blocks. */
static void enter_with_table(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    must(resource_take(1, 0, &owned));
    resource_release(owned);
}

static const step_scenario scenarios[] = {
    {.name = "queue.put_first",
     .setup = test_queue_begin_empty,
     .enter = test_queue_enter,
     .operation = test_queue_put_one,
     .check = check_put,
     RECOVERED},
    {.name = "queue.put_several",
     .setup = begin_two,
     .enter = test_queue_enter,
     .operation = test_queue_put_batch,
     .check = check_batch,
     RECOVERED},
    {.name = "queue.put_of_limited_bytes",
     .setup = begin_two_of_bytes,
     .enter = test_queue_enter,
     .operation = test_queue_put_batch,
     .check = check_batch,
     RECOVERED},
    {.name = "queue.put_adds_a_segment",
     .setup = begin_at_limit,
     .enter = test_queue_enter,
     .operation = test_queue_put_batch,
     .check = check_batch,
     RECOVERED},
    {.name = "queue.put_uses_a_free_segment",
     .setup = begin_at_limit_beside_free,
     .enter = test_queue_enter,
     .operation = test_queue_put_batch,
     .check = check_batch,
     RECOVERED},
    {.name = "queue.put_block",
     .setup = begin_two,
     .enter = test_queue_enter,
     .operation = put_large,
     .check = check_put,
     RECOVERED},
    {.name = "queue.put_block_adds_a_segment",
     .setup = begin_at_limit_of_blocks,
     .enter = test_queue_enter,
     .operation = put_large,
     .check = check_put,
     RECOVERED},
    {.name = "queue.get",
     .setup = begin_two,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .check = check_got,
     RECOVERED},
    {.name = "queue.get_of_limited_bytes",
     .setup = begin_two_of_bytes,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .check = check_got,
     RECOVERED},
    {.name = "queue.get_gives_a_segment_back",
     .setup = begin_before_last,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .check = check_given_back,
     RECOVERED},
    {.name = "queue.try_gives_segments_back",
     .setup = begin_emptied,
     .enter = test_queue_enter,
     .operation = try_to_get,
     .check = check_at_rest,
     RECOVERED},
    {.name = "queue.get_block",
     .setup = begin_large,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .check = check_got,
     RECOVERED},
    {.name = "queue.reserve",
     .setup = begin_two,
     .enter = test_queue_enter,
     .operation = reserve_and_release,
     .check = check_put_none,
     RECOVERED},
    {.name = "queue.commit",
     .setup = test_queue_begin_empty,
     .enter = test_queue_enter,
     .operation = test_queue_commit_one,
     .check = check_put,
     RECOVERED},
    {.name = "queue.peek",
     .setup = begin_two_of_bytes,
     .enter = test_queue_enter,
     .operation = test_queue_peek_one,
     .check = check_got,
     RECOVERED},
    {.name = "queue.peek_block",
     .setup = begin_large,
     .enter = test_queue_enter,
     .operation = test_queue_peek_one,
     .check = check_got,
     RECOVERED},
    {.name = "queue.put_value",
     .setup = test_queue_begin_empty,
     .enter = test_queue_enter,
     .operation = put_value,
     .check = check_value_put,
     RECOVERED},
    {.name = "queue.get_values",
     .setup = begin_values,
     .enter = test_queue_enter,
     .operation = get_values,
     .check = check_values_got,
     RECOVERED},
    {.name = "queue.free_with_items",
     .setup = test_family_begin,
     .enter = enter_with_filled,
     .operation = test_queue_free_mine,
     .check = test_family_check,
     RECOVERED},
    {.name = "queue.create_fill_free",
     .slow = true,
     .setup = test_family_begin,
     .enter = enter_with_table,
     .operation = create_fill_free,
     .check = test_family_check,
     RECOVERED},
};

const steps_table steps_queue = STEPS_TABLE(scenarios);
