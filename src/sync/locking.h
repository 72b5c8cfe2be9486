/* The two locks of the program, as locks and conditions use them: by the object, whatever reference led to it. */
#ifndef MPROC_SYNC_LOCKING_H
#define MPROC_SYNC_LOCKING_H

#include "object/held.h"
#include "arena/lock.h"
#include "object/wait.h"

static inline struct held_lock *locking_at(uint64_t lock)
{
    return (struct held_lock *)arena_at(lock);
}

/* Whether this thread holds it. */
static inline bool locking_mine(uint64_t lock)
{
    return lock_owned(&locking_at(lock)->word, thread_self.tag);
}

/*
 * Acquires a lock that is free, if this thread keeps no other: what most acquisitions are. False: nothing has
 * changed.
 */
static inline bool locking_acquire_free(uint64_t lock)
{
    struct held_lock *at = locking_at(lock);
    uint32_t nobody = 0;

    if (atomic_load_explicit(&at->word.word, memory_order_relaxed) != 0 || !held_enter_first(lock)) return false;
    if (!atomic_compare_exchange_strong_explicit(&at->word.word, &nobody, thread_self.tag, memory_order_acquire,
                                                 memory_order_relaxed)) {
        held_leave_first();
        return false;
    }
    at->depth = 1;
    return true;
}

/*
 * Releases a lock that this thread has acquired once, while nobody sleeps for it: what most releases are. Where there
 * is no mark of a sleeper, and nobody was told, nobody is to be woken, so nothing is announced. False: nothing has
 * changed.
 */
static inline bool locking_release_alone(uint64_t lock)
{
    struct held_lock *at = locking_at(lock);
    uint32_t mine = thread_self.tag;

    if (atomic_load_explicit(&at->word.word, memory_order_relaxed) != mine || at->depth != 1) return false;
    if (atomic_load_explicit(&at->told, memory_order_relaxed) != 0) return false;
    if (!held_is_first(lock) || !atomic_compare_exchange_strong(&at->word.word, &mine, 0)) return false;
    held_leave_first();
    return true;
}

mproc_status locking_acquire_slow(uint64_t lock, struct reference *reference, int64_t timeout_ms, bool recover);
mproc_status locking_release_slow(uint64_t lock);

/*
 * Acquires a Lock or an RLock: the latter again, if this thread holds it. `reference` is what the wait goes by;
 * `recover`: also if it is abandoned. The calling thread need not be known to the family yet.
 */
static inline mproc_status locking_acquire(uint64_t lock, struct reference *reference, int64_t timeout_ms,
                                           bool recover)
{
    if (timeout_ms >= 0 && thread_self.slot && locking_acquire_free(lock)) return MPROC_OK;
    return locking_acquire_slow(lock, reference, timeout_ms, recover);
}

/* Releases a Lock, whoever holds it; an RLock once, if this thread holds it. As above. */
static inline mproc_status locking_release(uint64_t lock)
{
    return thread_self.slot && locking_release_alone(lock) ? MPROC_OK : locking_release_slow(lock);
}

/*
 * Where the owner of this lock enters whom it has told, to be woken when it lets go. NULL: a Lock may be released by
 * others than its owner, who would not know whether they are too early to wake; so its owner wakes at once.
 */
static inline _Atomic uint32_t *locking_told(uint64_t lock)
{
    return object_kind(lock) == OBJECT_RLOCK ? &locking_at(lock)->told : NULL;
}

/*
 * For a condition: lets go of a lock that this thread holds, however often it has acquired it, and takes it back, or
 * gives it up: then it is not held. MPROC_OWNER_DIED, MPROC_CLOSED.
 */
void locking_let_go(uint64_t lock);
mproc_status locking_take_back(uint64_t lock, uint32_t depth, struct reference *reference);
void locking_give_up(uint64_t lock);

#endif
