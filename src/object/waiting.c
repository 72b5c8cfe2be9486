/* Waiting to be told. The slots of all threads are looked through: there are few, and each is one cache line. */
#include "object/waiting.h"

#include <limits.h>

#include "arena/park.h"

#define STATE_MASK ((uint64_t)7)

static enum waiting_state state_of(uint64_t word)
{
    return (enum waiting_state)(word & STATE_MASK);
}

/* The object and the order are there before the word says that they hold. */
void waiting_enter(uint64_t object, uint64_t order)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    /* Released: whoever sees this object also sees that the wait before is over. */
    atomic_store_explicit(&slot->wait_object, object, memory_order_release);
    atomic_store_explicit(&slot->wait_order, order, memory_order_relaxed);
    atomic_store(&slot->wait, (serial + STATE_MASK + 1) | WAITING_STILL);
}

enum waiting_state waiting_give_up(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t seen = atomic_load(&slot->wait);

    if (state_of(seen) != WAITING_STILL) return state_of(seen);
    if (atomic_compare_exchange_strong(&slot->wait, &seen, seen & ~STATE_MASK)) return WAITING_NOT;
    return state_of(seen);
}

enum waiting_state waiting_state(uint32_t *word)
{
    uint64_t seen = atomic_load(&thread_self.slot->wait);

    *word = (uint32_t)seen;
    return state_of(seen);
}

void waiting_leave(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    atomic_store_explicit(&slot->wait, serial, memory_order_relaxed);
}

/* Whether that thread waits for the object; `word` is then what a teller must find unchanged. */
static bool waits(struct thread_slot *slot, uint64_t object, uint64_t *word)
{
    *word = atomic_load(&slot->wait);
    return state_of(*word) == WAITING_STILL &&
           atomic_load_explicit(&slot->wait_object, memory_order_relaxed) == object;
}

static bool put_off(uint32_t thread, _Atomic uint32_t *later)
{
    uint32_t nobody = 0;

    return later && atomic_compare_exchange_strong(later, &nobody, thread);
}

/*
 * The word is in the intent before it is changed: if we end before the wake, or before that is put off, recovery
 * wakes.
 */
static bool tell(struct intent *intent, uint32_t thread, uint64_t word, enum waiting_state what,
                 _Atomic uint32_t *later)
{
    struct thread_slot *slot = thread_slot_at(thread);
    uint64_t before = atomic_load_explicit(&intent->wake, memory_order_relaxed);
    bool told;

    atomic_store_explicit(&intent->wake, arena_offset(waiting_word(slot)), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    told = atomic_compare_exchange_strong(&slot->wait, &word, (word & ~STATE_MASK) | (uint64_t)what);
    if (told && thread != thread_self.index && !put_off(thread, later)) park_wake(waiting_word(slot), 1);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, before, memory_order_relaxed);
    return told;
}

/* The slot of who has waited longest; 0: nobody waits. */
static uint32_t oldest(uint64_t object, uint64_t *word)
{
    uint32_t high = atomic_load(&arena_header()->threads_high), found = 0;
    uint64_t order = 0;

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *slot = thread_slot_at(i);
        uint64_t seen, its_order;
        if (!waits(slot, object, &seen)) continue;
        its_order = atomic_load_explicit(&slot->wait_order, memory_order_relaxed);
        if (found && its_order >= order) continue;
        found = i;
        order = its_order;
        *word = seen;
    }
    return found;
}

/* One pass, for who comes meanwhile is not meant. */
static uint32_t tell_all(struct intent *intent, uint64_t object, _Atomic uint32_t *later)
{
    uint32_t high = atomic_load(&arena_header()->threads_high), told = 0;
    uint64_t word;

    for (uint32_t i = 1; i < high; i++) {
        if (waits(thread_slot_at(i), object, &word)) told += tell(intent, i, word, WAITING_TOLD, later);
    }
    return told;
}

uint32_t waiting_tell(struct intent *intent, uint64_t object, uint32_t count, _Atomic uint32_t *later)
{
    uint32_t told = 0, thread;
    uint64_t word = 0;

    if (count == UINT_MAX) return tell_all(intent, object, later);
    while (told < count && (thread = oldest(object, &word)) != 0)
        told += tell(intent, thread, word, WAITING_TOLD, later);
    return told;
}

void waiting_tell_order(struct intent *intent, uint64_t object, uint64_t order, enum waiting_state outcome)
{
    uint32_t high = atomic_load(&arena_header()->threads_high);
    uint64_t word;

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *slot = thread_slot_at(i);
        if (waits(slot, object, &word) && atomic_load_explicit(&slot->wait_order, memory_order_relaxed) == order)
            tell(intent, i, word, outcome, NULL);
    }
}

/*
 * A recoverer that is killed here tells one more than needed: who waits looks at what it waits for anyway, and is
 * told without need only when processes are killed.
 */
void waiting_recover(struct intent *intent, struct thread_slot *slot)
{
    uint64_t word = atomic_load(&slot->wait);

    /* Somebody who does not know that it is dead may tell it meanwhile. */
    if (state_of(word) == WAITING_STILL && atomic_compare_exchange_strong(&slot->wait, &word, word & ~STATE_MASK))
        return;
    if (state_of(word) == WAITING_TOLD) waiting_tell(intent, atomic_load(&slot->wait_object), 1, NULL);
    atomic_store(&slot->wait, word & ~STATE_MASK);
}

uint64_t waiting_object(const struct thread_slot *slot)
{
    return state_of(atomic_load(&slot->wait)) == WAITING_NOT ? 0 : atomic_load(&slot->wait_object);
}
