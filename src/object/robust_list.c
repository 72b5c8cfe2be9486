/* Which locks a thread has: the places in its slot, and a chain of blocks behind them. */
#include "object/robust_list.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/park.h"
#include "object/recovery_lock.h"
#include "object/wait_queue.h"

#define MORE_PLACES 61

/* As a table of owned slots, but of offsets that own nothing. */
struct robust_table {
    _Atomic uint64_t next;
    _Atomic uint64_t places[MORE_PLACES];
};

static bool owned(uint64_t object, uint32_t owner_id)
{
    const struct object_type *type = object_type_there(object);

    return type && type->owned_by && type->owned_by(object, owner_id);
}

/* Calls `visit` for each place of the slot, until it returns true. */
typedef bool visit_place(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id);

static bool visit_all(struct thread_slot *slot, visit_place *visit, uint64_t lock, uint32_t owner_id)
{
    uint64_t more = atomic_load(&slot->robust_more);

    for (int i = 0; i < SLOT_ROBUST; i++)
        if (visit(&slot->robust[i], lock, owner_id)) return true;
    while (more) {
        struct robust_table *table = (struct robust_table *)arena_at(more);
        for (int i = 0; i < MORE_PLACES; i++)
            if (visit(&table->places[i], lock, owner_id)) return true;
        more = atomic_load(&table->next);
    }
    return false;
}

static bool fill(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id)
{
    (void)owner_id;
    if (atomic_load_explicit(place, memory_order_relaxed) != 0) return false;
    atomic_store_explicit(place, lock, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

/* A lock that others have released. */
static bool sweep(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id)
{
    uint64_t kept = atomic_load_explicit(place, memory_order_relaxed);

    (void)lock;
    if (kept && !owned(kept, owner_id)) atomic_store_explicit(place, 0, memory_order_relaxed);
    return false;
}

mproc_status robust_list_enter_slow(uint64_t lock)
{
    struct thread_slot *slot = thread_self.slot;
    _Atomic uint64_t *last = &slot->robust_more;
    mproc_status status;

    thread_self.left = &slot_always_left;
    if (visit_all(slot, fill, lock, thread_self.owner_id)) return MPROC_OK;
    visit_all(slot, sweep, 0, thread_self.owner_id);
    if (visit_all(slot, fill, lock, thread_self.owner_id)) return MPROC_OK;
    while (atomic_load(last)) last = &((struct robust_table *)arena_at(atomic_load(last)))->next;
    status = block_take_small(work_intent(), sizeof(struct robust_table), sizeof(struct robust_table), last);
    if (status == MPROC_OK) visit_all(slot, fill, lock, thread_self.owner_id);
    return status;
}

static bool clear(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id)
{
    (void)owner_id;
    if (atomic_load_explicit(place, memory_order_relaxed) != lock) return false;
    atomic_store_explicit(place, 0, memory_order_relaxed);
    return true;
}

/* It is not there if another thread has acquired it and this one has released it. */
void robust_list_leave_slow(uint64_t lock)
{
    visit_all(thread_self.slot, clear, lock, thread_self.owner_id);
}

/*
 * It is in the intent before it is taken away: if we end before the wake, recovery wakes it; and those who sleep for
 * the lock, because that is still entered.
 */
_Atomic uint32_t *robust_lock_take_notified(struct robust_lock *lock)
{
    uint32_t notified = atomic_load_explicit(&lock->notified, memory_order_relaxed);
    _Atomic uint32_t *word = notified ? wait_queue_word(thread_slot_at(notified)) : NULL;

    park_announce(notified ? word : &lock->word.word);
    if (notified) atomic_store_explicit(&lock->notified, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return word;
}

/*
 * Wakes also where the thread was not the owner: it may have been the one of several sleepers whom a wake-up chose,
 * or have been about to wake whom it had notified. Who is woken without need looks and sleeps on.
 */
void robust_lock_abandon(struct intent *intent, uint64_t object, uint32_t owner_id)
{
    struct robust_lock *lock = (struct robust_lock *)arena_at(object);
    _Atomic uint32_t *word = &lock->word.word;
    uint32_t seen = atomic_load(word), notified = atomic_load(&lock->notified);

    while ((seen & ~LOCK_WAITERS) == owner_id && !atomic_compare_exchange_weak(word, &seen, LOCK_ABANDONED)) {
    }
    park_wake(word, INT_MAX);
    if (notified) park_wake(wait_queue_word(thread_slot_at(notified)), INT_MAX);
    (void)intent;
}

bool robust_lock_owned(uint64_t object, uint32_t owner_id)
{
    return lock_owned(&((struct robust_lock *)arena_at(object))->word, owner_id);
}

static void owner_died(uint64_t object, uint32_t owner_id)
{
    const struct object_type *type = object_type_there(object);

    if (type && type->owner_died) type->owner_died(recovery_intent(), object, owner_id);
}

/* How many locks had an owner that is gone; guarded by the lock of recovery. */
static uint32_t abandoned;

static bool abandon(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id)
{
    uint64_t kept = atomic_load(place);

    (void)lock;
    if (!kept) return false;
    if (owned(kept, owner_id)) abandoned++;
    owner_died(kept, owner_id);
    atomic_store(place, 0);
    return false;
}

uint32_t robust_list_abandon(struct intent *intent, struct thread_slot *slot, uint32_t owner_id)
{
    uint32_t before = abandoned;
    uint64_t more;

    visit_all(slot, abandon, 0, owner_id);
    while ((more = atomic_load(&slot->robust_more)) != 0)
        block_give(intent, &slot->robust_more, atomic_load(&((struct robust_table *)arena_at(more))->next));
    return abandoned - before;
}

static bool is_owned(_Atomic uint64_t *place, uint64_t lock, uint32_t owner_id)
{
    uint64_t kept = atomic_load(place);

    (void)lock;
    return kept && owned(kept, owner_id);
}

/* Under the recovery lock, as in recovery: what is entered may be gone, and others get no object at its place yet. */
bool robust_list_owns(void)
{
    bool any;

    if (atomic_load_explicit(thread_self.left, memory_order_relaxed) == 0) return false;
    recovery_lock_acquire();
    any = visit_all(thread_self.slot, is_owned, 0, thread_self.owner_id);
    recovery_lock_release();
    return any;
}

/* As above. */
bool robust_list_abandon_own(void)
{
    struct thread_slot *slot = thread_self.slot;
    bool any;

    recovery_lock_acquire();
    any = visit_all(slot, is_owned, 0, thread_self.owner_id);
    robust_list_abandon(recovery_intent(), slot, thread_self.owner_id);
    recovery_lock_release();
    thread_self.left = &slot->robust[0];
    return any;
}
