/* Waiting to be notified. The slots of all threads are looked through: there are few, and each is one cache line. */
#include "object/wait_queue.h"

#include <limits.h>

#include "arena/park.h"

#define STATE_MASK ((uint64_t)7)

static enum wait_state state_of(uint64_t word)
{
    return (enum wait_state)(word & STATE_MASK);
}

/* The object and the order are there before the word says that they hold. */
void wait_queue_enter(uint64_t object, uint64_t order)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    /* Released: whoever sees this object also sees that the wait before is over. */
    atomic_store_explicit(&slot->wait_object, object, memory_order_release);
    atomic_store_explicit(&slot->wait_order, order, memory_order_relaxed);
    atomic_store(&slot->wait, (serial + STATE_MASK + 1) | WAIT_PENDING);
}

enum wait_state wait_queue_give_up(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t seen = atomic_load(&slot->wait);

    if (state_of(seen) != WAIT_PENDING) return state_of(seen);
    if (atomic_compare_exchange_strong(&slot->wait, &seen, seen & ~STATE_MASK)) return WAIT_NONE;
    return state_of(seen);
}

enum wait_state wait_queue_state(uint32_t *word)
{
    uint64_t seen = atomic_load(&thread_self.slot->wait);

    *word = (uint32_t)seen;
    return state_of(seen);
}

void wait_queue_leave(void)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t serial = atomic_load_explicit(&slot->wait, memory_order_relaxed) & ~STATE_MASK;

    atomic_store_explicit(&slot->wait, serial, memory_order_relaxed);
}

/* Whether that thread waits for the object; `word` is then what a notifier must find unchanged. */
static bool waits(struct thread_slot *slot, uint64_t object, uint64_t *word)
{
    *word = atomic_load(&slot->wait);
    return state_of(*word) == WAIT_PENDING &&
           atomic_load_explicit(&slot->wait_object, memory_order_relaxed) == object;
}

static bool put_off(uint32_t thread, _Atomic uint32_t *deferred)
{
    uint32_t nobody = 0;

    return deferred && atomic_compare_exchange_strong(deferred, &nobody, thread);
}

/*
 * The word is in the intent before it is changed: if we end before the wake, or before that is put off, recovery
 * wakes.
 */
static bool notify(struct intent *intent, uint32_t thread, uint64_t word, enum wait_state what,
                   _Atomic uint32_t *deferred)
{
    struct thread_slot *slot = thread_slot_at(thread);
    uint64_t before = atomic_load_explicit(&intent->wake, memory_order_relaxed);
    bool notified;

    atomic_store_explicit(&intent->wake, arena_offset(wait_queue_word(slot)), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    notified = atomic_compare_exchange_strong(&slot->wait, &word, (word & ~STATE_MASK) | (uint64_t)what);
    if (notified && thread != thread_self.index && !put_off(thread, deferred)) park_wake(wait_queue_word(slot), 1);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, before, memory_order_relaxed);
    return notified;
}

/* The slot of who has waited longest; 0: nobody waits. */
static uint32_t oldest(uint64_t object, uint64_t *word)
{
    uint32_t high = atomic_load(&arena_header->threads_high), found = 0;
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
static uint32_t notify_all(struct intent *intent, uint64_t object, _Atomic uint32_t *deferred)
{
    uint32_t high = atomic_load(&arena_header->threads_high), notified = 0;
    uint64_t word;

    for (uint32_t i = 1; i < high; i++) {
        if (waits(thread_slot_at(i), object, &word)) notified += notify(intent, i, word, WAIT_NOTIFIED, deferred);
    }
    return notified;
}

uint32_t wait_queue_notify(struct intent *intent, uint64_t object, uint32_t count, _Atomic uint32_t *deferred)
{
    uint32_t notified = 0, thread;
    uint64_t word = 0;

    if (count == UINT_MAX) return notify_all(intent, object, deferred);
    while (notified < count && (thread = oldest(object, &word)) != 0)
        notified += notify(intent, thread, word, WAIT_NOTIFIED, deferred);
    return notified;
}

void wait_queue_notify_order(struct intent *intent, uint64_t object, uint64_t order, enum wait_state outcome)
{
    uint32_t high = atomic_load(&arena_header->threads_high);
    uint64_t word;

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *slot = thread_slot_at(i);
        if (waits(slot, object, &word) && atomic_load_explicit(&slot->wait_order, memory_order_relaxed) == order)
            notify(intent, i, word, outcome, NULL);
    }
}

/*
 * A recoverer that is killed here notifies one more than needed: who waits looks at what it waits for anyway, and is
 * notified without need only when processes are killed.
 */
void wait_queue_recover(struct intent *intent, struct thread_slot *slot)
{
    uint64_t word = atomic_load(&slot->wait);

    /* Somebody who does not know that it is dead may notify it meanwhile. */
    if (state_of(word) == WAIT_PENDING && atomic_compare_exchange_strong(&slot->wait, &word, word & ~STATE_MASK))
        return;
    if (state_of(word) == WAIT_NOTIFIED) wait_queue_notify(intent, atomic_load(&slot->wait_object), 1, NULL);
    atomic_store(&slot->wait, word & ~STATE_MASK);
}

uint64_t wait_queue_object(const struct thread_slot *slot)
{
    return state_of(atomic_load(&slot->wait)) == WAIT_NONE ? 0 : atomic_load(&slot->wait_object);
}
