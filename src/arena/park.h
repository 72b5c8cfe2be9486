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
 * Wakes up to `count` threads that sleep on the word, and returns how many, and tells those who watch it (see below);
 * call it after changing the word. Async-signal-safe.
 *
 * A caller that may be killed between its change and this call announces the word in its intent first.
 */
int park_wake(_Atomic uint32_t *word, int count);

/* The same without those who watch. */
int park_wake_sleepers(_Atomic uint32_t *word, int count);

/* In recovery of a thread: whatever it has done to the sleep of others, they wake. */
void park_recover(uint32_t thread);

/* Writes the word into the calling thread's intent, so that recovery wakes its sleepers; 0 clears it. */
static inline void park_announce(const _Atomic uint32_t *word)
{
    atomic_store_explicit(&work_intent()->wake, word ? arena_offset(word) : 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/* ---- watching words --------------------------------------------------------------------------------- */

/*
 * Who waits for several things at once cannot sleep on the word of each: his process watches them, and he sleeps on
 * the count `alarms` of its slot, or in a wait of the system that another thread ends (process/alarm.h). Watchers are
 * told in addition to sleepers, never instead; so one that is killed takes no wake-up with it.
 *
 * A word is watched by its bit in the slot, and in the header for all slots. Whoever wakes its sleepers takes the
 * bits away and counts up `alarms` in each slot that had one: there the watchers look again, and watch again.
 *
 * The order is: read `alarms`; park_watch(); say at the thing that somebody may sleep for it; look at the thing;
 * sleep.
 */
void park_watch(const _Atomic uint32_t *word);

/* Of one process, of which watchers are to look again. Async-signal-safe. */
void park_alarm(uint32_t process);

/* In recovery of a thread: if it has ended while it told watchers, all are told. */
void park_ring_recover(const struct thread_slot *slot);

/* A pointer, so that to wake reads without those who watch, and they as a chapter of their own. */
extern void (*const park_ring_watchers)(const _Atomic uint32_t *word);

/* Tells those who watch the word. */
static inline void park_ring(const _Atomic uint32_t *word)
{
    if (atomic_load(&arena_header->watched)) park_ring_watchers(word);
}

#endif
