/*
 * The lock of the arena: one word, 0 or its owner's id, plus a mark that somebody waits. The owner id
 * says who must be dead for the lock to be stuck, so no kernel object has to remember it.
 *
 * These locks guard the library's own critical sections, which are short and call no user code. An
 * owner that is killed is noticed by its parent's reaper, or by whoever waits here, and recovered.
 *
 * Lock order: a size class or the heap is the last lock taken; the recovery lock comes before them.
 */
#ifndef MPROC_ARENA_LOCK_H
#define MPROC_ARENA_LOCK_H

#include "arena/park.h"

/* Tries for as long as a critical section of the library usually takes, without sleeping. */
bool lock_spin(arena_lock *lock);

/*
 * Waits for a lock that was not free, as long as `*word` is `value`; NULL: always. Asks from time to time whether the
 * owner lives. Returns whether this thread has the lock.
 */
bool lock_acquire_slow(arena_lock *lock, const _Atomic uint64_t *word, uint64_t value);

/*
 * In recovery: releases a lock that the dead thread with this owner id owns, and wakes whoever waits, also if it
 * is not the owner: it may have been killed on its way to wake or to take it.
 */
void lock_revoke(arena_lock *lock, uint32_t owner_id);

/* The owner's id, or 0. */
static inline uint32_t lock_owner(const arena_lock *lock)
{
    return atomic_load(&lock->word) & ~LOCK_WAITERS;
}

/* Whether the thread with this owner id owns the lock. */
static inline bool lock_owned(const arena_lock *lock, uint32_t owner_id)
{
    return lock_owner(lock) == owner_id;
}

/*
 * Blocks until the calling thread, which has a slot, has the lock. `intent` is one of its slot's, with no lock in it;
 * the lock stays written there until it is released. The lock is one that always is one; for the lock of an object
 * see object_lock().
 */
static inline void lock_acquire(struct intent *intent, arena_lock *lock)
{
    uint32_t expected = 0;

    intent_begin(intent, lock, 0, 0);
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &expected, thread_self.owner_id, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_acquire_slow(lock, NULL, 0);
}

/* Releases the lock that the intent holds, and wakes a waiter. */
static inline void lock_release(struct intent *intent, arena_lock *lock)
{
    if (atomic_exchange(&lock->word, 0) & LOCK_WAITERS) park_wake(&lock->word, 1);
    intent_end(intent);
}

#endif
