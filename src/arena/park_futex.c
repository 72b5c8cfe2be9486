/* Parking on a futex that crosses processes. */
#include "arena/park.h"

mproc_status park_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    struct thread_slot *slot = thread_self.slot;
    mproc_status status;

    /* Whoever interrupts this process wakes the words that its threads have written here. */
    atomic_store_explicit(&slot->parked, arena_offset(word), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    status = plat_futex_wait(word, expected, deadline_ns);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&slot->parked, 0, memory_order_relaxed);
    return status;
}

int park_wake(_Atomic uint32_t *word, int count)
{
    park_ring(word);
    return count > 0 ? plat_futex_wake(word, count) : 0;
}

int park_wake_sleepers(_Atomic uint32_t *word, int count)
{
    return plat_futex_wake(word, count);
}

/* The kernel forgets a dead sleeper by itself. */
void park_recover(uint32_t thread)
{
    (void)thread;
}
