/* Interrupts, and the waits that they end. */
#include "object/interrupt.h"

#include <limits.h>

#include "arena/park.h"

#define POLL_NS ((int64_t)200000000)

static THREAD_LOCAL const _Atomic bool *deserted_by;

/*
 * A thread that is just about to sleep may miss the wake-up, as its word has not changed; no sleep is
 * longer than some seconds, so it is late then, but not lost.
 */
void interrupt_process(uint32_t process)
{
    struct process_slot *slot = process_slot_at(process);

    atomic_fetch_add(&slot->interrupts, 1);
    park_wake(&slot->interrupts, INT_MAX);
    park_alarm(process);
    interrupt_wake(process);
}

void interrupt_wake(uint32_t process)
{
    uint32_t high = atomic_load(&arena_header->threads_high);

    for (uint32_t i = 1; i < high; i++) {
        struct thread_slot *thread = thread_slot_at(i);
        uint64_t parked = atomic_load(&thread->parked);
        if (atomic_load(&thread->owner) == process + 1 && parked)
            park_wake((_Atomic uint32_t *)arena_at(parked), INT_MAX);
    }
}

bool interrupt_take(void)
{
    uint32_t count = atomic_load_explicit(&process_slot_at(thread_self.process)->interrupts, memory_order_relaxed);

    if (interrupt_is_requested() && thread_self.request_seen != atomic_load(&thread_self.request->asked)) {
        thread_self.request_seen = atomic_load(&thread_self.request->asked);
        return true;
    }
    if (count == thread_self.interrupts_seen) return false;
    thread_self.interrupts_seen = count;
    return !thread_self.requests_alone;
}

/* Of either kind: it does not matter which one comes again. */
void interrupt_give_back(void)
{
    if (interrupt_is_requested() && thread_self.request_seen == atomic_load(&thread_self.request->asked))
        thread_self.request_seen = 0;
    else thread_self.interrupts_seen--;
}

void interrupt_deserted_by(const _Atomic bool *deserted)
{
    deserted_by = deserted;
}

bool interrupt_deserted(void)
{
    return deserted_by && atomic_load(deserted_by);
}

mproc_status interrupt_status(void)
{
    if (interrupt_is_requested())
        return mproc_error(MPROC_INTERRUPTED, "the task is to stop: its time limit has passed, or it was given up");
    return mproc_error(MPROC_INTERRUPTED, "process %lld was interrupted while it waited",
                       (long long)plat_process_id());
}

mproc_status interrupt_wait_handle(plat_handle handle, int64_t deadline_ns)
{
    int ready;

    for (;;) {
        int64_t poll_ns = plat_clock_now_ns() + POLL_NS;
        mproc_status status;
        if (interrupt_take()) return interrupt_status();
        status = plat_handle_wait(&handle, 1, deadline_ns < poll_ns ? deadline_ns : poll_ns, &ready);
        if (status != MPROC_TIMEOUT || deadline_ns <= poll_ns) return status;
    }
}
