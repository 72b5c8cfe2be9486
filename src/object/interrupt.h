/*
 * Interrupts: a count in each process' slot, which anybody raises, and in each thread the count that
 * it has seen. A wait compares the two, so every thread learns of an interrupt once, and none is lost.
 *
 * A thread that works for others is interrupted for the work that it is at, and for no other: whoever has given that
 * up writes its number. If it is a thread of the same process, the count does not concern it: others wait for it, and
 * learn of that, and it may be in the work of somebody else by then.
 */
#ifndef MPROC_OBJECT_INTERRUPT_H
#define MPROC_OBJECT_INTERRUPT_H

#include "arena/slot.h"

/*
 * In the arena. `at` is the number of what the thread is at, which no other work ever has, and 0 in between; it is
 * written by the thread alone, but for REQUEST_CONDEMNED. `asked` is the number of what it is to stop: written by
 * whoever has given that up, and cleared by the thread, if that was something older.
 */
struct stop_request {
    _Atomic uint64_t at;
    _Atomic uint64_t asked;
};

/* In `at`: the process is to be killed for what it is at. If that ends meanwhile, it begins nothing else. */
#define REQUEST_CONDEMNED ((uint64_t)1 << 63)

/* Whether the calling thread is to stop what it is at. It stays so until that ends. */
static inline bool interrupt_is_requested(void)
{
    const struct stop_request *request = thread_self.request;
    uint64_t asked = request ? atomic_load_explicit(&request->asked, memory_order_relaxed) : 0;

    return asked && asked == (atomic_load_explicit(&request->at, memory_order_relaxed) & ~REQUEST_CONDEMNED);
}

/*
 * Where it is said, to the calling thread, that whoever it works for is gone; NULL: it works for nobody. Then nobody
 * goes on with what it is at, and it acquires nothing by it.
 */
void interrupt_deserted_by(const _Atomic bool *deserted);
bool interrupt_deserted(void);

/* Raises the count of that process and wakes its threads that are parked. Async-signal-safe. */
void interrupt_process(uint32_t process);

/* Wakes the threads of that process that are parked, to look why. Async-signal-safe. */
void interrupt_wake(uint32_t process);

/* Whether this thread has an interrupt that it has not seen; it has then. */
bool interrupt_take(void);

/* The thread takes it again later: what it waited for has come after all. */
void interrupt_give_back(void);

/* MPROC_INTERRUPTED with its text. */
mproc_status interrupt_status(void);

/*
 * Waits for a handle: MPROC_TIMEOUT, MPROC_INTERRUPTED. A handle cannot be woken by an interrupt, so
 * the wait looks at the count five times a second.
 */
mproc_status interrupt_wait_handle(plat_handle handle, int64_t deadline_ns);

#endif
