/* What a thread does for objects. */
#include "object/act.h"

bool act_begin(uint64_t object, uint32_t number)
{
    for (int i = 0; i < SLOT_ACTS; i++) {
        struct thread_act *act = &thread_self.slot->acts[i];
        if (atomic_load_explicit(&act->object, memory_order_relaxed) != 0) continue;
        atomic_store_explicit(&act->number, number, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        atomic_store_explicit(&act->object, object, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        return true;
    }
    return false;
}

void act_end(void)
{
    int last = SLOT_ACTS - 1;

    while (last > 0 && atomic_load_explicit(&thread_self.slot->acts[last].object, memory_order_relaxed) == 0) last--;
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&thread_self.slot->acts[last].object, 0, memory_order_relaxed);
}
