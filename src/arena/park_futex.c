/* Parking on a futex that crosses processes. */
#include "arena/park.h"

#include "arena/recovery.h"

mproc_status park_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    int64_t look_ns = plat_clock_now_ns() + PARK_SLEEP_MAX_NS;
    struct thread_slot *slot = thread_self.slot;
    mproc_status status;

    /* Whoever interrupts this process wakes the words that its threads have written here. */
    atomic_store_explicit(&slot->parked, arena_offset(word), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    status = plat_futex_wait(word, expected, deadline_ns < look_ns ? deadline_ns : look_ns);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&slot->parked, 0, memory_order_relaxed);
    if (status != MPROC_TIMEOUT) return status;
    recovery_look();
    return look_ns < deadline_ns ? MPROC_OK : MPROC_TIMEOUT;
}

int park_wake(_Atomic uint32_t *word, int count)
{
    return plat_futex_wake(word, count);
}

/* The kernel forgets a dead sleeper by itself. */
void park_recover(uint32_t thread)
{
    (void)thread;
}
