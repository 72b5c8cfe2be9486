/* The barrier's word. */
#include "sync/barrier_word.h"

#include <limits.h>

#include "arena/park.h"
#include "object/wait_queue.h"

/* Whoever comes meanwhile changes the word, but not the outcome. */
static void notified(struct barrier *barrier, uint32_t generation)
{
    uint64_t seen = atomic_load(&barrier->word);

    while (seen & BARRIER_TELLING && barrier_generation(seen) == generation)
        if (atomic_compare_exchange_weak(&barrier->word, &seen, seen & ~BARRIER_TELLING)) return;
}

uint64_t barrier_notify(struct intent *intent, struct barrier *barrier)
{
    uint64_t seen = atomic_load(&barrier->word);

    if (!(seen & BARRIER_TELLING)) return seen;
    wait_queue_notify_order(intent, arena_offset(barrier), barrier_generation(seen) - 1,
                            seen & BARRIER_PASSED ? WAIT_PASSED : WAIT_FAILED);
    notified(barrier, barrier_generation(seen));
    return atomic_load(&barrier->word);
}

static uint64_t next(uint64_t word, bool passed, bool broken)
{
    uint64_t generation = barrier_generation(word) + 1u;

    return generation << 32 | BARRIER_TELLING | (passed ? BARRIER_PASSED : 0) | (broken ? BARRIER_BROKEN : 0);
}

/* The turn is in the intent before it is changed: if we end before the wake, recovery wakes. */
bool barrier_end(struct intent *intent, struct barrier *barrier, uint64_t *seen, bool passed, bool broken)
{
    uint64_t before = atomic_load_explicit(&intent->wake, memory_order_relaxed);
    bool over;

    if (*seen & BARRIER_TELLING) {
        *seen = barrier_notify(intent, barrier);
        return false;
    }
    atomic_store_explicit(&intent->wake, arena_offset(barrier_turn(barrier)), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    over = atomic_compare_exchange_strong(&barrier->word, seen, next(*seen, passed, broken));
    if (over) park_wake(barrier_turn(barrier), INT_MAX);
    if (over) barrier_notify(intent, barrier);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, before, memory_order_relaxed);
    return over;
}

void barrier_break(struct intent *intent, struct barrier *barrier, uint64_t generation)
{
    uint64_t seen = atomic_load(&barrier->word);

    while (barrier_generation(seen) == generation && !(seen & BARRIER_BROKEN))
        if (barrier_end(intent, barrier, &seen, false, true)) return;
    barrier_notify(intent, barrier);
}
