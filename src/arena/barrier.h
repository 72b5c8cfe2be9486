/*
 * A barrier's word, and what recovery does to it. The word is
 *
 *     generation << 32 | outcomes << 18 | broken << 17 | tripping << 16 | count
 *
 * `count` parties stand at it. Each change of the generation lets those go who came before it: because all had
 * come, because the barrier broke, or because it was reset. The lowest bit of `outcomes` says of the last
 * generation that is over whether its parties passed (1) or not, the next bit of the one before, and so on: so one
 * who is slow to look still learns how it was with his. `BARRIER_TRIPPING`: all have come, and the last of them
 * runs the action.
 *
 * Who waits sleeps on the generation, the upper half of the word, which is changed by compare-and-swap alone; and
 * has entered the barrier and the generation as what it waits for (waiting.h), so that its death breaks the barrier.
 */
#ifndef MPROC_ARENA_BARRIER_H
#define MPROC_ARENA_BARRIER_H

#include "arena/object.h"

#define BARRIER_PARTIES_MAX 0xFFFFu
#define BARRIER_TRIPPING ((uint64_t)1 << 16)
#define BARRIER_BROKEN ((uint64_t)1 << 17)
#define BARRIER_OUTCOMES_SHIFT 18
#define BARRIER_OUTCOMES_MASK 0x3FFFu

/* `parties`, `timeout_ms` and `action` are set at creation. */
struct barrier {
    struct object object;
    uint32_t parties;
    uint32_t unused;
    int64_t timeout_ms;
    _Atomic uint64_t word;
    _Atomic uint64_t action; /* an inner cell: a block with a function_ref, or nothing */
};

static inline uint32_t barrier_generation(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint32_t barrier_count(uint64_t word)
{
    return (uint32_t)word & BARRIER_PARTIES_MAX;
}

/* Whether the parties of a generation that is over passed. One that is very long over did. */
static inline bool barrier_passed(uint64_t word, uint32_t generation)
{
    uint32_t age = barrier_generation(word) - generation - 1;
    uint32_t outcomes = (uint32_t)(word >> BARRIER_OUTCOMES_SHIFT) & BARRIER_OUTCOMES_MASK;

    return age > 13 || (outcomes >> age & 1u);
}

/* The word after the generation of `word` is over, with nobody there. */
static inline uint64_t barrier_next(uint64_t word, bool passed, bool broken)
{
    uint64_t outcomes = (word >> BARRIER_OUTCOMES_SHIFT & BARRIER_OUTCOMES_MASK) << 1 | (passed ? 1u : 0u);

    return ((word >> 32) + 1) << 32 | (outcomes & BARRIER_OUTCOMES_MASK) << BARRIER_OUTCOMES_SHIFT |
           (broken ? BARRIER_BROKEN : 0);
}

/* The generation, as a word to sleep on: every system that the library knows stores the lower half first. */
static inline _Atomic uint32_t *barrier_turn(struct barrier *barrier)
{
    return (_Atomic uint32_t *)(void *)&barrier->word + 1;
}

/*
 * Ends the generation that `*seen` has, if the word is still `*seen`, and lets its parties go. Returns false, with
 * the new word in `*seen`, if it is not. The hand is the caller's.
 */
bool barrier_turn_over(struct hand *hand, struct barrier *barrier, uint64_t *seen, bool passed, bool broken);

/* Breaks the barrier if this generation still waits. */
void barrier_break(struct hand *hand, struct barrier *barrier, uint32_t generation);

#endif
