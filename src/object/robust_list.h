/*
 * The locks that a thread keeps for longer than one critical section of the library: those of the program, and
 * barriers whose action it runs. They are written into the thread's slot before they are taken and cleared after they
 * were released, so that recovery, or the end of the thread, finds what has to be abandoned.
 *
 * A lock that somebody else has released stays written here until the place is needed. That does no harm: an
 * entry only says where to look, and the lock's word says whose it is.
 */
#ifndef MPROC_OBJECT_ROBUST_LIST_H
#define MPROC_OBJECT_ROBUST_LIST_H

#include "object/object.h"

/* The word of a lock whose owner ended without releasing it: no owner id, as no thread has slot 0. */
#define LOCK_ABANDONED 0x00100000u

/*
 * What a lock of the program begins with. `word` is as an arena_lock's, or LOCK_ABANDONED; `depth` is its owner's.
 *
 * `notified` is the slot of a thread that its owner has notified (wait_queue.h) and that needs this lock to go on, or
 * 0: it is woken when the owner has let go, as it would only have to wait for that. The owner enters it where none is
 * entered, and takes it away before it lets go: afterwards the lock may be gone with its last reference.
 */
struct robust_lock {
    struct object object;
    arena_lock word;
    uint32_t depth;
    uint32_t ignore_abandoned; /* an abandoned lock is acquired as if it were free */
    _Atomic uint32_t notified;
    _Atomic int64_t asked_ns; /* when one of those who wait has last asked whether the owner lives */
};

/* Enters the lock at this offset. MPROC_NO_MEMORY: the thread keeps many, and there is no room for one more. */
mproc_status robust_list_enter_slow(uint64_t lock);
void robust_list_leave_slow(uint64_t lock);

/* Enters the lock at the first place. False: another lock is there. */
static inline bool robust_list_enter_first(uint64_t lock)
{
    _Atomic uint64_t *first = &thread_self.slot->robust[0];

    if (atomic_load_explicit(first, memory_order_relaxed) != 0) return false;
    atomic_store_explicit(first, lock, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

/* Whether the lock is entered at the first place. */
static inline bool robust_list_is_first(uint64_t lock)
{
    return atomic_load_explicit(&thread_self.slot->robust[0], memory_order_relaxed) == lock;
}

static inline void robust_list_leave_first(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&thread_self.slot->robust[0], 0, memory_order_relaxed);
}

static inline mproc_status robust_list_enter(uint64_t lock)
{
    return robust_list_enter_first(lock) ? MPROC_OK : robust_list_enter_slow(lock);
}

static inline void robust_list_leave(uint64_t lock)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (robust_list_is_first(lock)) robust_list_leave_first();
    else robust_list_leave_slow(lock);
}

/*
 * By the owner, before it lets go of the lock: takes away whom it has notified, and announces what it is about to
 * wake. Returns the word that this one sleeps on, to be woken then; NULL: nobody was notified, and the lock's word is
 * announced.
 */
_Atomic uint32_t *robust_lock_take_notified(struct robust_lock *lock);

/* Of the types of such locks. */
void robust_lock_abandon(struct intent *intent, uint64_t object, uint32_t owner_id);
bool robust_lock_owned(uint64_t object, uint32_t owner_id);

/*
 * At the end of a thread, or in its recovery: the locks that it owns are abandoned, and all that wait for those
 * that it wanted or had look again. Returns how many it owned.
 */
uint32_t robust_list_abandon(struct intent *intent, struct thread_slot *slot, uint32_t owner_id);

/* Whether the calling thread owns one. */
bool robust_list_owns(void);

/* The same as robust_list_abandon() of the calling thread, which goes on. Returns whether it had a lock. */
bool robust_list_abandon_own(void);

#endif
