/*
 * A barrier's word, and what recovery does to it. The word is
 *
 *     failures << 56 | turn << 32 | since << 24 | outcomes << 18 | broken << 17 | tripping << 16 | count
 *
 * `count` parties stand at it. The upper half is the generation: each change of it lets those go who came before it,
 * because all had come, or because the barrier broke or was reset: then `failures` is counted up, too. Tripping: all
 * have come, and the last of them runs the action.
 *
 * One who is slow to look still learns how it was with his generation. The lowest bit of `outcomes` says of the last
 * one that is over whether its parties passed (1) or not, the next bit of the one before, and so on. Of older ones,
 * `failures` tells whether any failed since, and, if it was one, `since` which: the one that so many passes followed.
 * If several failed, or this one so long ago that `since` has not counted on, it is taken for one of them.
 *
 * Who waits sleeps on the generation, the upper half of the word, which is changed by compare-and-swap alone; and
 * has entered the barrier and the generation as what it waits for (waiting.h), so that its death breaks the barrier.
 */
#ifndef MPROC_SYNC_BARRIER_WORD_H
#define MPROC_SYNC_BARRIER_WORD_H

#include "object/object.h"

#define BARRIER_PARTIES_MAX 0xFFFFu
#define BARRIER_TRIPPING ((uint64_t)1 << 16)
#define BARRIER_BROKEN ((uint64_t)1 << 17)
#define BARRIER_OUTCOMES_SHIFT 18
#define BARRIER_OUTCOMES 6
#define BARRIER_OUTCOMES_MASK ((1u << BARRIER_OUTCOMES) - 1)
#define BARRIER_SINCE_SHIFT 24
#define BARRIER_SINCE_MAX 255u
#define BARRIER_TURN_MASK 0x00FFFFFFu
#define BARRIER_FAILURE (BARRIER_TURN_MASK + 1)

/* `parties`, `timeout_ms` and `action` are set at creation. */
struct barrier {
    struct object object;
    uint32_t parties;
    uint32_t unused;
    int64_t timeout_ms;
    _Atomic uint64_t word;
    _Atomic uint64_t action; /* a link: a block with a function_ref, or nothing */
};

static inline uint32_t barrier_generation(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint32_t barrier_count(uint64_t word)
{
    return (uint32_t)word & BARRIER_PARTIES_MAX;
}

/* Nobody stands at it, and none of its parties of this generation ever did. */
static inline bool barrier_empty(uint64_t word)
{
    return barrier_count(word) == 0 && !(word & BARRIER_TRIPPING);
}

static inline uint32_t barrier_since(uint64_t word)
{
    return (uint32_t)(word >> BARRIER_SINCE_SHIFT) & BARRIER_SINCE_MAX;
}

/* Whether the parties of a generation that is over passed. */
static inline bool barrier_passed(uint64_t word, uint32_t generation)
{
    uint32_t now = barrier_generation(word), age = (now - generation - 1) & BARRIER_TURN_MASK;
    uint32_t failures = (now & ~BARRIER_TURN_MASK) - (generation & ~BARRIER_TURN_MASK);
    uint32_t since = barrier_since(word);

    if (age < BARRIER_OUTCOMES) return word >> BARRIER_OUTCOMES_SHIFT >> age & 1u;
    return failures == 0 || (failures == BARRIER_FAILURE && since < BARRIER_SINCE_MAX && since != age);
}

/* The word after the generation of `word` is over, with nobody there. */
static inline uint64_t barrier_next(uint64_t word, bool passed, bool broken)
{
    uint64_t outcomes = ((word >> BARRIER_OUTCOMES_SHIFT << 1) | (passed ? 1u : 0u)) & BARRIER_OUTCOMES_MASK;
    uint32_t now = barrier_generation(word), since = barrier_since(word);
    uint32_t turn = (now + 1) & BARRIER_TURN_MASK,
             failures = (now & ~BARRIER_TURN_MASK) + (passed ? 0 : BARRIER_FAILURE);

    if (!passed) since = 0;
    else if (since < BARRIER_SINCE_MAX) since++;
    return (uint64_t)(failures | turn) << 32 | (uint64_t)since << BARRIER_SINCE_SHIFT |
           outcomes << BARRIER_OUTCOMES_SHIFT | (broken ? BARRIER_BROKEN : 0);
}

/* The generation, as a word to sleep on: every system that the library knows stores the lower half first. */
static inline _Atomic uint32_t *barrier_turn(struct barrier *barrier)
{
    return (_Atomic uint32_t *)(void *)&barrier->word + 1;
}

/*
 * Ends the generation that `*seen` has, if the word is still `*seen`, and lets its parties go. Returns false, with
 * the new word in `*seen`, if it is not. The intent is the caller's.
 */
bool barrier_turn_over(struct intent *intent, struct barrier *barrier, uint64_t *seen, bool passed, bool broken);

/* Breaks the barrier if this generation still waits. */
void barrier_break(struct intent *intent, struct barrier *barrier, uint32_t generation);

#endif
