/* The two locks of the program, as locks and conditions use them: by the object, whatever reference led to it. */
#ifndef MPROC_SYNC_LOCK_IMPL_H
#define MPROC_SYNC_LOCK_IMPL_H

#include "object/robust_list.h"
#include "arena/lock.h"
#include "object/wait.h"

static inline struct robust_lock *robust_lock_at(uint64_t lock)
{
    return (struct robust_lock *)arena_at(lock);
}

/* As docs/manager-protocol.md numbers them, of locks and of conditions. */
enum lock_method { LOCK_RELEASE = 1, LOCK_ACQUIRE = 32, LOCK_RECOVER = 33 };

/* Whether this thread holds it. */
static inline bool robust_lock_mine(uint64_t lock)
{
    return lock_owned(&robust_lock_at(lock)->word, thread_self.owner_id);
}

/*
 * Acquires a lock that is free, if this thread keeps no other: what most acquisitions are. False: nothing has
 * changed.
 */
static inline bool robust_lock_acquire_free(uint64_t lock)
{
    struct robust_lock *at = robust_lock_at(lock);
    uint32_t nobody = 0;

    if (atomic_load_explicit(&at->word.word, memory_order_relaxed) != 0 || !robust_list_enter_first(lock))
        return false;
    if (!atomic_compare_exchange_strong_explicit(&at->word.word, &nobody, thread_self.owner_id, memory_order_acquire,
                                                 memory_order_relaxed)) {
        robust_list_leave_first();
        return false;
    }
    at->depth = 1;
    return true;
}

/*
 * Releases a lock that this thread has acquired once, while nobody sleeps for it: what most releases are. Where there
 * is no mark of a sleeper, and nobody was notified, nobody is to be woken, so nothing is announced. False: nothing
 * has changed.
 */
static inline bool robust_lock_release_alone(uint64_t lock)
{
    struct robust_lock *at = robust_lock_at(lock);
    uint32_t mine = thread_self.owner_id;

    if (atomic_load_explicit(&at->word.word, memory_order_relaxed) != mine || at->depth != 1) return false;
    if (atomic_load_explicit(&at->notified, memory_order_relaxed) != 0) return false;
    if (!robust_list_is_first(lock) || !atomic_compare_exchange_strong(&at->word.word, &mine, 0)) return false;
    robust_list_leave_first();
    return true;
}

mproc_status robust_lock_acquire_slow(uint64_t lock, struct reference *reference, int64_t timeout_ms, bool recover);
mproc_status robust_lock_release_slow(uint64_t lock, const struct reference *reference);

/*
 * Acquires a Lock or an RLock: the latter again, if this thread holds it. `reference` is what led to it, and what the
 * wait goes by; `recover`: also if it is abandoned. The calling thread need not be known to the family yet.
 */
static inline mproc_status robust_lock_acquire(uint64_t lock, struct reference *reference, int64_t timeout_ms,
                                               bool recover)
{
    if (timeout_ms >= 0 && thread_self.arena == reference->arena && robust_lock_acquire_free(lock)) return MPROC_OK;
    return robust_lock_acquire_slow(lock, reference, timeout_ms, recover);
}

/* Releases a Lock, whoever holds it; an RLock once, if this thread holds it. As above. */
static inline mproc_status robust_lock_release(uint64_t lock, const struct reference *reference)
{
    if (thread_self.arena == reference->arena && robust_lock_release_alone(lock)) return MPROC_OK;
    return robust_lock_release_slow(lock, reference);
}

/*
 * Where the owner of this lock enters whom it has notified, to be woken when it lets go. NULL: a Lock may be released
 * by others than its owner, who would not know whether they are too early to wake; so its owner wakes at once.
 */
static inline _Atomic uint32_t *robust_lock_notified(uint64_t lock)
{
    return object_kind(lock) == OBJECT_RLOCK ? &robust_lock_at(lock)->notified : NULL;
}

/*
 * A call of a lock or a condition in another program; `timeout_ms`, unless NULL, is what it is given, and may wait.
 */
mproc_status robust_lock_call(const struct reference *reference, uint32_t method, const int64_t *timeout_ms,
                              mproc_value *result);

/*
 * For a condition or shared items: their link, which is empty, gets the lock that the program gave; NULL: an RLock
 * that nobody else knows. They are objects already, so that the lock goes with them.
 */
mproc_status robust_lock_link(const struct reference *given, _Atomic uint64_t *link);

/*
 * For a condition: lets go of a lock that this thread holds, however often it has acquired it, and takes it back, or
 * gives it up: then it is not held. MPROC_OWNER_DIED, MPROC_CLOSED.
 */
void robust_lock_let_go(uint64_t lock);
mproc_status robust_lock_take_back(uint64_t lock, uint32_t depth, struct reference *reference);
void robust_lock_give_up(uint64_t lock);

#endif
