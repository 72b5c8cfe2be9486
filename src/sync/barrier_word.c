/* The barrier's word. */
#include "sync/barrier_word.h"

#include <limits.h>

#include "arena/park.h"

/* The turn is in the intent before it is changed: if we end before the wake, recovery wakes. */
bool barrier_turn_over(struct intent *intent, struct barrier *barrier, uint64_t *seen, bool passed, bool broken)
{
    uint64_t before = atomic_load_explicit(&intent->wake, memory_order_relaxed), now = *seen;
    bool over;

    atomic_store_explicit(&intent->wake, arena_offset(barrier_turn(barrier)), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    over = atomic_compare_exchange_strong(&barrier->word, &now, barrier_next(now, passed, broken));
    *seen = now;
    if (over) park_wake(barrier_turn(barrier), INT_MAX);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, before, memory_order_relaxed);
    return over;
}

void barrier_break(struct intent *intent, struct barrier *barrier, uint32_t generation)
{
    uint64_t seen = atomic_load(&barrier->word);

    while (barrier_generation(seen) == generation && !(seen & BARRIER_BROKEN))
        if (barrier_turn_over(intent, barrier, &seen, false, true)) return;
}
