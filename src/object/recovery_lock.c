/* The lock of recovery, and what whoever waits for any other lock does with it. */
#include "object/recovery_lock.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/park.h"
#include "object/object.h"

/* A recovery takes microseconds; whoever waits this long for one asks whether the recoverer lives. */
#define RECOVERY_LOOK_NS (20 * (int64_t)1000000)

/* Where its list is published, it has taken. */
static void forget_not_taken(struct thread_slot *slot, uint32_t owner_id)
{
    const struct intent *intent = &slot->intents[INTENT_WORK];
    uint64_t object = atomic_load(&slot->taken_from), lock = atomic_load(&intent->lock);
    const struct object_type *type = object_type_there(object);

    if (atomic_load(&slot->taken) == 0 || !type || !type->taken_lost) return;
    if (!lock || atomic_load(&intent->count) > 0 || !lock_owned((const arena_lock *)arena_at(lock), owner_id)) return;
    type->taken_lost(recovery_intent(), object, &slot->taken, true);
}

void recovery_intents(struct thread_slot *slot, uint32_t owner_id)
{
    forget_not_taken(slot, owner_id);
    intents_recover(slot, owner_id);
}

/*
 * Takes it from a dead recoverer, whom the word names. What that one had published is done before anything else: its
 * list may empty an owned slot, and whoever finds that owned slot empty already goes on, and gives the memory that
 * the owned slot lies in to others. The one that it had taken over from, and may not have settled, is named in its
 * slot.
 */
static bool take_over(_Atomic uint32_t *word, uint32_t seen)
{
    _Atomic uint32_t *settles = &thread_self.slot->settles;
    uint32_t owner_id = seen & ~LOCK_WAITERS;
    bool taken;

    if (!slot_thread_dead(seen)) return false;
    atomic_store(settles, owner_id);
    taken = atomic_compare_exchange_strong(word, &seen, thread_self.owner_id | LOCK_WAITERS);
    if (!taken) owner_id = 0;
    while (owner_id) {
        struct thread_slot *slot = thread_slot_at(owner_id & SLOT_INDEX_MAX);
        recovery_intents(slot, owner_id);
        owner_id = atomic_load(&slot->settles);
    }
    atomic_store(settles, 0);
    return taken;
}

/*
 * Not an arena_lock: that one's waiters call for recovery when its owner is dead, this one's take it over.
 */
bool recovery_lock_acquire(void)
{
    _Atomic uint32_t *word = &arena_header->recovery;

    /* Looks before it sleeps: a recoverer that is dead already must not hold up anybody. */
    for (bool sleep = false;; sleep = true) {
        uint32_t seen = 0;
        if (atomic_compare_exchange_strong(word, &seen, thread_self.owner_id)) return true;
        if ((seen & ~LOCK_WAITERS) == thread_self.owner_id) return false;
        if (!(seen & LOCK_WAITERS) && !atomic_compare_exchange_weak(word, &seen, seen | LOCK_WAITERS)) continue;
        seen |= LOCK_WAITERS;
        if (sleep && park_wait(word, seen, plat_clock_now_ns() + RECOVERY_LOOK_NS) != MPROC_TIMEOUT) continue;
        if (take_over(word, seen)) return true;
    }
}

/* The word is in the intent meanwhile: if we end before the wake, whoever recovers us wakes instead. */
void recovery_lock_release(void)
{
    _Atomic uint32_t *word = &arena_header->recovery;
    struct intent *intent = recovery_intent();

    atomic_store(&intent->wake, arena_offset(word));
    if (atomic_exchange(word, 0) & LOCK_WAITERS) park_wake(word, INT_MAX);
    atomic_store(&intent->wake, 0);
}

void recovery_lock_pass(void)
{
    if (atomic_load(&arena_header->recovery) == 0) return;
    if (recovery_lock_acquire()) recovery_lock_release();
}

/*
 * Under the recovery lock a dead thread keeps its slot, so what is true here stays true. Who recovers already may
 * wait for a lock of another dead thread: then it has the recovery lock.
 */
void recovery_lock_help(uint32_t owner_id)
{
    struct thread_slot *slot = thread_slot_at(owner_id & SLOT_INDEX_MAX);
    bool acquired;

    if (!owner_id || !slot_thread_dead(owner_id)) return;
    acquired = recovery_lock_acquire();
    if (slot_thread_present(owner_id) && slot_thread_dead(owner_id)) recovery_intents(slot, owner_id);
    if (acquired) recovery_lock_release();
}
