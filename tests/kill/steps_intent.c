/*
 * Redo lists. Promised: all of a list has happened or nothing of it, whoever is killed; and what was on its way in a
 * stage is in one place.
 */
#include "test_family.h"
#include "steps.h"

#include "arena/block.h"
#include "object/resource_owner.h"
#include "arena/lock.h"

#include <stdlib.h>

#define FULLS 10
#define HALVES (INTENT_ENTRIES - FULLS)
#define OLD 7
#define NEW 0x123456789ABCDEF0
#define NEW_HALF 0x87654321u

/* A block of the root. `place` is where the staged block goes. */
struct words {
    arena_lock lock;
    _Atomic uint32_t halves[HALVES];
    _Atomic uint64_t fulls[FULLS];
    _Atomic uint64_t place;
    arena_lock inner;
    uint32_t unused;
};

static _Atomic uint64_t *words_slot;

static struct words *words(void)
{
    return arena_at(atomic_load(words_slot));
}

static void begin(void *state)
{
    int i;

    if (words_slot == NULL && resource_take(sizeof(struct words), sizeof(struct words), &words_slot) != MPROC_OK)
        abort();
    for (i = 0; i < HALVES; i++) atomic_store(&words()->halves[i], OLD);
    for (i = 0; i < FULLS; i++) atomic_store(&words()->fulls[i], OLD);
    test_family_begin(state);
}

static void change_all(void *state)
{
    struct intent *intent = test_family_intent();
    int i;

    (void)state;
    lock_acquire(intent, &words()->lock);
    for (i = 0; i < FULLS; i++) intent_store(intent, &words()->fulls[i], NEW);
    for (i = 0; i < HALVES; i++) intent_store_half(intent, &words()->halves[i], NEW_HALF);
    intent_commit(intent);
    lock_release(intent, &words()->lock);
}

static const char *check_all(void *state, bool completed)
{
    bool done = atomic_load(&words()->fulls[0]) != OLD;
    int i;

    if (completed && !done) return step_says("it is done, and nothing has changed");
    for (i = 0; i < FULLS; i++) {
        uint64_t expected = done ? NEW : OLD, value = atomic_load(&words()->fulls[i]);
        if (value != expected) return step_says("word %d is 0x%llx", i, (unsigned long long)value);
    }
    for (i = 0; i < HALVES; i++) {
        uint32_t expected = done ? NEW_HALF : OLD, value = atomic_load(&words()->halves[i]);
        if (value != expected) return step_says("half %d is 0x%lx", i, (unsigned long)value);
    }
    if (atomic_load(&words()->lock.word)) return step_says("the lock is held");
    return test_family_check(state, completed);
}

/* A block enters by a stage and leaves by another, under two locks, one inside the other. */
static void bring_and_fetch(void *state)
{
    struct intent *outer = test_family_intent(), *inner = &thread_self.slot->intents[INTENT_NESTED];

    (void)state;
    if (block_take(outer, 100, 100, &outer->stages[0]) != MPROC_OK) abort();
    lock_acquire(outer, &words()->lock);
    lock_acquire(inner, &words()->inner);
    intent_store(inner, &words()->place, atomic_load(&outer->stages[0]));
    intent_store(inner, &outer->stages[0], 0);
    intent_commit(inner);
    lock_release(inner, &words()->inner);
    intent_store(outer, &outer->stages[1], atomic_load(&words()->place));
    intent_store(outer, &words()->place, 0);
    intent_commit(outer);
    lock_release(outer, &words()->lock);
    block_give(outer, &outer->stages[1], 0);
}

/* Where the victim died in between, the block is in its place, and the root gives it back. */
static const char *check_place(void *state, bool completed)
{
    if (completed && atomic_load(&words()->place) != 0) return step_says("the block was not fetched");
    block_give(test_family_intent(), &words()->place, 0);
    if (atomic_load(&words()->inner.word)) return step_says("the inner lock is held");
    return check_all(state, false);
}

#define COMMON                                                                                       \
    .setup = begin, .enter = test_family_enter_victim, .recover_enter = test_family_enter_recoverer, \
    .recover = test_family_recover, .teardown = test_family_end

static const step_scenario scenarios[] = {
    {.name = "intent.list", .operation = change_all, .check = check_all, COMMON},
    {.name = "intent.stages", .operation = bring_and_fetch, .check = check_place, COMMON},
};

const steps_table steps_intent = STEPS_TABLE(scenarios);
