/* Which locks a thread has: the places in its slot, and a chain of blocks behind them. */
#include "object/held.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/park.h"
#include "object/waiting.h"

#define MORE_PLACES 61

/* As a table of cells, but of offsets that own nothing. */
struct held_table {
    _Atomic uint64_t next;
    _Atomic uint64_t places[MORE_PLACES];
};

static bool owned(uint64_t object, uint32_t tag)
{
    const struct object_type *type = object_type_there(object);

    return type && type->owned_by && type->owned_by(object, tag);
}

/* Calls `visit` for each place of the slot, until it returns true. */
typedef bool visit_place(_Atomic uint64_t *place, uint64_t lock, uint32_t tag);

static bool visit_all(struct thread_slot *slot, visit_place *visit, uint64_t lock, uint32_t tag)
{
    uint64_t more = atomic_load(&slot->held_more);

    for (int i = 0; i < SLOT_HELD; i++)
        if (visit(&slot->held[i], lock, tag)) return true;
    while (more) {
        struct held_table *table = (struct held_table *)arena_at(more);
        for (int i = 0; i < MORE_PLACES; i++)
            if (visit(&table->places[i], lock, tag)) return true;
        more = atomic_load(&table->next);
    }
    return false;
}

static bool fill(_Atomic uint64_t *place, uint64_t lock, uint32_t tag)
{
    (void)tag;
    if (atomic_load_explicit(place, memory_order_relaxed) != 0) return false;
    atomic_store_explicit(place, lock, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

/* A lock that others have released. */
static bool sweep(_Atomic uint64_t *place, uint64_t lock, uint32_t tag)
{
    uint64_t kept = atomic_load_explicit(place, memory_order_relaxed);

    (void)lock;
    if (kept && !owned(kept, tag)) atomic_store_explicit(place, 0, memory_order_relaxed);
    return false;
}

static mproc_status add_table(struct thread_slot *slot)
{
    _Atomic uint64_t *last = &slot->held_more;

    while (atomic_load(last)) last = &((struct held_table *)arena_at(atomic_load(last)))->next;
    return block_take(work_intent(), sizeof(struct held_table), sizeof(struct held_table), last);
}

mproc_status held_enter_slow(uint64_t lock)
{
    struct thread_slot *slot = thread_self.slot;
    mproc_status status;

    thread_self.left = &slot_always_left;
    if (visit_all(slot, fill, lock, thread_self.tag)) return MPROC_OK;
    visit_all(slot, sweep, 0, thread_self.tag);
    if (visit_all(slot, fill, lock, thread_self.tag)) return MPROC_OK;
    if ((status = add_table(slot)) != MPROC_OK) return status;
    visit_all(slot, fill, lock, thread_self.tag);
    return MPROC_OK;
}

static bool clear(_Atomic uint64_t *place, uint64_t lock, uint32_t tag)
{
    (void)tag;
    if (atomic_load_explicit(place, memory_order_relaxed) != lock) return false;
    atomic_store_explicit(place, 0, memory_order_relaxed);
    return true;
}

/* It is not there if another thread has acquired it and this one has released it. */
void held_leave_slow(uint64_t lock)
{
    visit_all(thread_self.slot, clear, lock, thread_self.tag);
}

/*
 * It is in the intent before it is taken away: if we end before the wake, recovery wakes it; and those who sleep for
 * the lock, because that is still entered.
 */
_Atomic uint32_t *held_take_told(struct held_lock *lock)
{
    uint32_t told = atomic_load_explicit(&lock->told, memory_order_relaxed);
    _Atomic uint32_t *word = told ? waiting_word(thread_slot_at(told)) : NULL;

    park_announce(told ? word : &lock->word.word);
    if (told) atomic_store_explicit(&lock->told, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return word;
}

/*
 * Wakes also where the thread was not the owner: it may have been the one of several sleepers whom a wake-up chose,
 * or have been about to wake whom it had told. Who is woken without need looks and sleeps on.
 */
void held_lock_abandon(struct intent *intent, uint64_t object, uint32_t tag)
{
    struct held_lock *lock = (struct held_lock *)arena_at(object);
    _Atomic uint32_t *word = &lock->word.word;
    uint32_t seen = atomic_load(word), told = atomic_load(&lock->told);

    while ((seen & ~LOCK_WAITERS) == tag && !atomic_compare_exchange_weak(word, &seen, LOCK_ABANDONED)) {
    }
    park_wake(word, INT_MAX);
    if (told) park_wake(waiting_word(thread_slot_at(told)), INT_MAX);
    (void)intent;
}

bool held_lock_owned(uint64_t object, uint32_t tag)
{
    return lock_owned(&((struct held_lock *)arena_at(object))->word, tag);
}

static void owner_died(uint64_t object, uint32_t tag)
{
    const struct object_type *type = object_type_there(object);

    if (type && type->owner_died) type->owner_died(recovery_intent(), object, tag);
}

static bool abandon(_Atomic uint64_t *place, uint64_t lock, uint32_t tag)
{
    uint64_t kept = atomic_load(place);

    (void)lock;
    if (!kept) return false;
    owner_died(kept, tag);
    atomic_store(place, 0);
    return false;
}

void held_abandon(struct intent *intent, struct thread_slot *slot, uint32_t tag)
{
    uint64_t more;

    visit_all(slot, abandon, 0, tag);
    while ((more = atomic_load(&slot->held_more)) != 0)
        block_give_leaving(intent, &slot->held_more, atomic_load(&((struct held_table *)arena_at(more))->next));
}

static bool is_owned(_Atomic uint64_t *place, uint64_t lock, uint32_t tag)
{
    uint64_t kept = atomic_load(place);

    (void)lock;
    return kept && owned(kept, tag);
}

bool held_abandon_own(void)
{
    bool any = visit_all(thread_self.slot, is_owned, 0, thread_self.tag);

    held_abandon(work_intent(), thread_self.slot, thread_self.tag);
    thread_self.left = &thread_self.slot->held[0];
    return any;
}
