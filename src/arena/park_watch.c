/* Watching words. */
#include "arena/park.h"

#include <limits.h>

/* Several words share a bit. */
static uint64_t bit_of(const _Atomic uint32_t *word)
{
    return (uint64_t)1 << (arena_offset(word) * 0x9E3779B97F4A7C15u >> 58);
}

/* Words are watched again after each ring, so mostly the bits are there no more. */
void park_watch(const _Atomic uint32_t *word)
{
    uint64_t bit = bit_of(word);
    _Atomic uint64_t *watched = &process_slot_at(thread_self.process)->watched;

    if (!(atomic_load(watched) & bit)) atomic_fetch_or(watched, bit);
    if (!(atomic_load(&arena_header->watched) & bit)) atomic_fetch_or(&arena_header->watched, bit);
}

void park_alarm(uint32_t process)
{
    _Atomic uint32_t *alarms = &process_slot_at(process)->alarms;

    atomic_fetch_add(alarms, 1);
    park_wake_sleepers(alarms, INT_MAX);
}

/* Rings those that watch one of the words with these bits. */
static void ring(uint64_t bits)
{
    uint32_t high = atomic_load(&arena_header->processes_high);

    for (uint32_t i = 0; i < high; i++) {
        _Atomic uint64_t *watched = &process_slot_at(i)->watched;
        if (!(atomic_load(watched) & bits)) continue;
        if (atomic_fetch_and(watched, ~bits) & bits) park_alarm(i);
    }
}

/*
 * Who finds the bit gone leaves it to whoever has taken it: that one has not told yet, or those who were told have
 * yet to look. If it is stopped meanwhile they look again by themselves, as no sleep is longer than two seconds.
 *
 * The slot says it before the first bit is gone. What was there comes back, as this may run in a signal handler in
 * the middle of itself.
 */
static void ring_watchers(const _Atomic uint32_t *word)
{
    struct thread_slot *slot = thread_self.slot;
    uint64_t bit = bit_of(word);
    uint32_t before = 0;

    if (!(atomic_load(&arena_header->watched) & bit)) return;
    if (slot) {
        before = atomic_load_explicit(&slot->rings, memory_order_relaxed);
        atomic_store_explicit(&slot->rings, 1, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
    }
    if (atomic_fetch_and(&arena_header->watched, ~bit) & bit) ring(bit);
    if (!slot) return;
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&slot->rings, before, memory_order_relaxed);
}

void (*const park_ring_watchers)(const _Atomic uint32_t *word) = ring_watchers;

/* Whose bits it had taken away is not known. */
void park_ring_recover(const struct thread_slot *slot)
{
    uint32_t high = atomic_load(&arena_header->processes_high);

    if (!atomic_load(&slot->rings)) return;
    for (uint32_t i = 0; i < high; i++) park_alarm(i);
}
