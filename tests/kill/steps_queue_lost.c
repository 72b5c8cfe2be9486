/*
 * Items that a call had taken, and that ended with it. Promised: they are counted as lost, once; what was not taken
 * is not, nor what the call had brought to its end.
 */
#include "steps_queue.h"

#include "object/recovery.h"

#include <stdlib.h>

/* What the dead one's call said of itself. */
enum { UNKNOWN, HAS_TAKEN, HAS_NOT };

struct lost_family {
    struct test_family family;
    _Atomic uint32_t was;
};

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void begin_two(void *state)
{
    test_queue_begin_empty(state);
    for (int i = 0; i < 2; i++) test_queue_put_before(SMALL);
}

static void begin_bounded(void *state)
{
    test_queue_begin(state, &(mproc_queue_options){.maxsize = BATCH, .max_bytes = BATCH * SMALL});
    for (int i = 0; i < BATCH; i++) test_queue_put_before(SMALL);
}

static void begin_large(void *state)
{
    test_queue_begin_empty(state);
    for (int i = 0; i < 2; i++) test_queue_put_before(LARGE);
}

static void get_many(void *state)
{
    size_t got;

    must(mproc_queue_get_many(test_queue_mine, &test_queue_buffer, SMALL, BATCH, &got, MPROC_FOREVER));
    if (got != BATCH) abort();
    test_queue_say(state, BATCH);
}

/* ---- recovery ------------------------------------------------------------------------------------ */

/* Before anybody recovers it: whoever comes second finds what the first has seen. */
static void remember(struct lost_family *lost)
{
    const struct thread_slot *slot = thread_slot_at(lost->family.owner_ids[0] & SLOT_INDEX_MAX);

    if (lost->family.owner_ids[0] && atomic_load(&lost->was) == UNKNOWN)
        atomic_store(&lost->was, atomic_load(&slot->taken) ? HAS_TAKEN : HAS_NOT);
}

static void recover(void *state)
{
    remember(state);
    test_family_recover(state);
}

/* Somebody wants the queue's locks before the dead one is recovered. */
static void ask_and_recover(void *state)
{
    int64_t bytes;

    remember(state);
    if (thread_self.process == test_family_root) test_queue_counted(&bytes);
    test_family_recover(state);
}

/* ---- judging ------------------------------------------------------------------------------------- */

/*
 * Of `most` items that the call takes: each is there, or received, or lost. One that is none of these was on its way
 * from the call to the victim.
 */
static const char *check_lost(void *state, uint32_t most)
{
    struct lost_family *lost = state;
    uint32_t said = atomic_load(&lost->family.victim_said), was = atomic_load(&lost->was);
    mproc_queue_counts counts;

    must(mproc_queue_counters(test_queue, &counts));
    if (counts.put != counts.got + mproc_queue_size(test_queue))
        return step_says("%lld were put, %lld got, and %lld are there", (long long)counts.put, (long long)counts.got,
                         (long long)mproc_queue_size(test_queue));
    if (counts.got != 0 && counts.got != most) return step_says("%lld were got", (long long)counts.got);
    if (counts.lost != (was == HAS_TAKEN ? counts.got : 0) || counts.lost + said > counts.got)
        return step_says("%lld were got, %u received, and %lld lost", (long long)counts.got, said,
                         (long long)counts.lost);
    return test_queue_check_end(state, false);
}

static const char *check_one(void *state, bool completed)
{
    (void)completed;
    return check_lost(state, 1);
}

static const char *check_many(void *state, bool completed)
{
    (void)completed;
    return check_lost(state, BATCH);
}

#define LOSES                                                                                             \
    .enter = test_queue_enter, .recover_enter = test_family_enter_recoverer, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "queue.lost_item",
     .setup = begin_two,
     .operation = test_queue_get_one,
     .recover = ask_and_recover,
     .check = check_one,
     LOSES},
    {.name = "queue.lost_block",
     .setup = begin_large,
     .operation = test_queue_get_one,
     .recover = recover,
     .check = check_one,
     LOSES},
    {.name = "queue.lost_items",
     .setup = begin_bounded,
     .operation = get_many,
     .recover = ask_and_recover,
     .check = check_many,
     LOSES},
};

const steps_table steps_queue_lost = STEPS_TABLE(scenarios);
