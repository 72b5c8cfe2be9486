/*
 * A barrier's word, and how one of its generations ends. The word is
 *
 *     generation << 32 | notifying << 19 | passed << 18 | broken << 17 | tripping << 16 | count
 *
 * `count` parties stand at it. Tripping: all have come, and the last of them runs the action. A generation is over
 * when the upper half changes: because all had come, or because the barrier broke or was reset.
 *
 * Each party has entered the barrier and its generation into its slot as what it waits for (wait_queue.h), and sleeps
 * there. Whoever ends a generation notifies all its parties, each in its own slot, of whether they have passed; so
 * nobody must remember outcomes for those who are slow to look. Until all are notified, the word says that they are
 * being notified, and in `passed` what: then anybody can do it in the place of one who was killed, and whoever wants
 * to end the next generation does it first. To notify is to change a waiting party's word once, so it may be done by
 * many at once.
 *
 * Others who find all places taken sleep on the generation, until the next begins.
 */
#ifndef MPROC_SYNC_BARRIER_WORD_H
#define MPROC_SYNC_BARRIER_WORD_H

#include "object/object.h"

#define BARRIER_PARTIES_MAX 0xFFFFu
#define BARRIER_TRIPPING ((uint64_t)1 << 16)
#define BARRIER_BROKEN ((uint64_t)1 << 17)
#define BARRIER_PASSED ((uint64_t)1 << 18)
#define BARRIER_TELLING ((uint64_t)1 << 19)

/*
 * `parties`, `timeout_ms` and `action` are set at creation. `actor` is generation << 32 | the owner id of the thread
 * that runs the action of that generation; only this thread writes it, before it calls the action.
 */
struct barrier {
    struct object object;
    uint32_t parties;
    uint32_t unused;
    int64_t timeout_ms;
    _Atomic uint64_t word;
    _Atomic uint64_t actor;
    _Atomic uint64_t action; /* a link: a block with a function_ref, or nothing */
};

static inline uint32_t barrier_generation(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* What enters no generation into its slot enters this: its end breaks nothing. */
#define BARRIER_NO_GENERATION UINT64_MAX

static inline uint32_t barrier_count(uint64_t word)
{
    return (uint32_t)word & BARRIER_PARTIES_MAX;
}

/* Nobody stands at it, and none of its parties of this generation ever did. */
static inline bool barrier_empty(uint64_t word)
{
    return barrier_count(word) == 0 && !(word & BARRIER_TRIPPING);
}

/* The generation, as a word to sleep on: every system that the library knows stores the lower half first. */
static inline _Atomic uint32_t *barrier_turn(struct barrier *barrier)
{
    return (_Atomic uint32_t *)(void *)&barrier->word + 1;
}

/*
 * Ends the generation that `*seen` has, if the word is still `*seen`, and notifies its parties. Returns false, with
 * the new word in `*seen`, if it is not. The intent is the caller's, and the barrier is entered in the caller's slot,
 * so that who recovers the caller notifies those whom it has not notified.
 */
bool barrier_end(struct intent *intent, struct barrier *barrier, uint64_t *seen, bool passed, bool broken);

/* Notifies those parties of the last generation that have not been yet. Returns the word as it is then. */
uint64_t barrier_notify(struct intent *intent, struct barrier *barrier);

/* Breaks the barrier if this generation still waits; afterwards its parties are notified, however it ended. */
void barrier_break(struct intent *intent, struct barrier *barrier, uint64_t generation);

#endif
