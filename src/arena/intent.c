/* What recovery does with the intents of a dead thread. */
#include "arena/intent.h"

#include <limits.h>

#include "arena/block.h"
#include "arena/lock.h"
#include "arena/park.h"

/*
 * The lock may be gone with its object, and so may a word to count up: the thread had released the lock, and others
 * have dropped the last handle since. What lies there now is somebody's data, in which the thread's owner id is a
 * small number like many.
 */
static bool has_object(const struct intent *intent)
{
    uint64_t object = atomic_load(&intent->object);

    return !object || block_kind(object) == atomic_load(&intent->kind);
}

/*
 * The lock's word tells whether the list has to be done again, so the lock is revoked after that; and forgotten after
 * it was revoked. Whoever ends the object then waits, before its memory is used again, until recovery is over.
 */
static void recover(struct intent *intent, uint32_t owner_id)
{
    uint64_t wake = atomic_load(&intent->wake);
    bool there = has_object(intent);

    if (there && atomic_load(&intent->lock)) {
        arena_lock *lock = (arena_lock *)arena_at(atomic_load(&intent->lock));
        if (lock_owned(lock, owner_id)) intent_apply(intent, atomic_load(&intent->count));
        lock_revoke(lock, owner_id);
    }
    if (there && wake & INTENT_COUNTS) atomic_fetch_add((_Atomic uint32_t *)arena_at(wake - INTENT_COUNTS), 1);
    if (wake) park_wake((_Atomic uint32_t *)arena_at(wake & ~INTENT_COUNTS), INT_MAX);
    atomic_store(&intent->lock, 0);
    atomic_store(&intent->wake, 0);
}

/* The innermost lock first. */
void intents_recover(struct thread_slot *slot, uint32_t owner_id)
{
    for (int i = INTENTS - 1; i >= 0; i--) recover(&slot->intents[i], owner_id);
}
