/* Waiting to be told. The slots of all threads are looked through: there are few, and each is one cache line. */
#include "arena/waiting.h"

#include <limits.h>

#include "arena/park.h"

#define STATE_MASK 3u

static enum waiting_state state_of(uint32_t word)
{
    return (enum waiting_state)(word & STATE_MASK);
}

/* The object and the order are there before the word says that they hold. */
void waiting_enter(uint64_t object, uint32_t order)
{
    struct thread_slot *slot = thread_self.slot;
    uint32_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    atomic_store_explicit(&slot->wait_object, object, memory_order_relaxed);
    atomic_store_explicit(&slot->wait_order, order, memory_order_relaxed);
    atomic_store(&slot->wait, (serial + STATE_MASK + 1) | WAITING_STILL);
}

enum waiting_state waiting_give_up(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint32_t seen = atomic_load(&slot->wait);

    if (state_of(seen) != WAITING_STILL) return state_of(seen);
    if (atomic_compare_exchange_strong(&slot->wait, &seen, seen & ~STATE_MASK)) return WAITING_NOT;
    return state_of(seen);
}

enum waiting_state waiting_sleep(int64_t deadline_ns)
{
    struct thread_slot *slot = thread_self.slot;
    uint32_t seen = atomic_load(&slot->wait);

    if (state_of(seen) != WAITING_STILL) return state_of(seen);
    if (park_wait(&slot->wait, seen, deadline_ns) == MPROC_TIMEOUT) return waiting_give_up();
    return state_of(atomic_load(&slot->wait));
}

void waiting_leave(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint32_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    atomic_store_explicit(&slot->wait, serial, memory_order_relaxed);
}

/* Whether that thread waits for the object; `word` is then what a teller must find unchanged. */
static bool waits(struct thread_slot *slot, uint64_t object, uint32_t *word)
{
    *word = atomic_load(&slot->wait);
    return state_of(*word) == WAITING_STILL &&
           atomic_load_explicit(&slot->wait_object, memory_order_relaxed) == object;
}

/* The word is in the hand before it is changed: if we end before the wake, recovery wakes. */
static bool tell(struct hand *hand, struct thread_slot *slot, uint32_t word)
{
    uint64_t before = atomic_load_explicit(&hand->word, memory_order_relaxed);
    bool told;

    atomic_store_explicit(&hand->word, arena_offset(&slot->wait), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    told = atomic_compare_exchange_strong(&slot->wait, &word, (word & ~STATE_MASK) | (uint32_t)WAITING_TOLD);
    if (told) park_wake(&slot->wait, 1);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&hand->word, before, memory_order_relaxed);
    return told;
}

static struct thread_slot *oldest(uint64_t object, uint32_t *word)
{
    uint32_t high = atomic_load(&arena_header()->threads_high), order = 0;
    struct thread_slot *found = NULL;

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *slot = thread_slot_at(i);
        uint32_t seen, its_order;
        if (!waits(slot, object, &seen)) continue;
        its_order = atomic_load_explicit(&slot->wait_order, memory_order_relaxed);
        if (found && (int32_t)(its_order - order) >= 0) continue;
        found = slot;
        order = its_order;
        *word = seen;
    }
    return found;
}

/* One pass, for who comes meanwhile is not meant. */
static uint32_t tell_all(struct hand *hand, uint64_t object)
{
    uint32_t high = atomic_load(&arena_header()->threads_high), told = 0, word;

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *slot = thread_slot_at(i);
        if (waits(slot, object, &word)) told += tell(hand, slot, word);
    }
    return told;
}

uint32_t waiting_tell(struct hand *hand, uint64_t object, uint32_t count)
{
    uint32_t told = 0, word = 0;
    struct thread_slot *slot;

    if (count == UINT_MAX) return tell_all(hand, object);
    while (told < count && (slot = oldest(object, &word)) != NULL) told += tell(hand, slot, word);
    return told;
}

/*
 * A recoverer that is killed here tells one more than needed: who waits looks at what it waits for anyway, and is
 * told without need only when processes are killed.
 */
void waiting_recover(struct hand *hand, struct thread_slot *slot)
{
    uint32_t word = atomic_load(&slot->wait);

    /* By compare-and-swap, for others may tell it until it waits no longer, and what they told must not be lost. */
    while (state_of(word) == WAITING_STILL)
        if (atomic_compare_exchange_strong(&slot->wait, &word, word & ~STATE_MASK)) return;
    if (state_of(word) == WAITING_TOLD) waiting_tell(hand, atomic_load(&slot->wait_object), 1);
    atomic_store(&slot->wait, word & ~STATE_MASK);
}

uint64_t waiting_object(struct thread_slot *slot)
{
    return state_of(atomic_load(&slot->wait)) == WAITING_STILL ? atomic_load(&slot->wait_object) : 0;
}
