/*
 * The one way to sleep: on a 32-bit word of the arena until somebody changes it and wakes.
 *
 * park_futex.c stands on the system's futex. park_table.c serves systems without one that crosses
 * processes: a table in the arena says who sleeps where, and each thread has a semaphore.
 */
#ifndef MPROC_ARENA_PARK_H
#define MPROC_ARENA_PARK_H

#include "arena/slot.h"

/*
 * Sleeps while `*word` is `expected`, until park_wake(). May return MPROC_OK for no reason: callers
 * loop. MPROC_TIMEOUT: the deadline has passed. Sets no error text. The calling thread has a slot. Who waits for
 * others uses wait_on() of object/wait.h, which looks for those that died.
 */
mproc_status park_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/*
 * Wakes up to `count` threads that sleep on the word, and returns how many; call it after changing the word.
 * Async-signal-safe.
 *
 * A caller that may be killed between its change and this call announces the word in its intent first.
 */
int park_wake(_Atomic uint32_t *word, int count);

/* In recovery of a thread: whatever it has done to the sleep of others, they wake. */
void park_recover(uint32_t thread);

/* Writes the word into the calling thread's intent, so that recovery wakes its sleepers; 0 clears it. */
static inline void park_announce(const _Atomic uint32_t *word)
{
    atomic_store_explicit(&work_intent()->wake, word ? arena_offset(word) : 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
