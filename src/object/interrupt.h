/*
 * Interrupts: a count in each process' slot, which anybody raises, and in each thread the count that
 * it has seen. A wait compares the two, so every thread learns of an interrupt once, and none is lost.
 */
#ifndef MPROC_OBJECT_INTERRUPT_H
#define MPROC_OBJECT_INTERRUPT_H

#include "arena/slot.h"

/* Raises the count of that process and wakes its threads that are parked. Async-signal-safe. */
void interrupt_process(uint32_t process);

/* Wakes the threads of that process that are parked, to look why. Async-signal-safe. */
void interrupt_wake(uint32_t process);

/* Whether this thread has an interrupt that it has not seen; it has then. */
bool interrupt_take(void);

/* The thread takes it again later: what it waited for has come after all. */
static inline void interrupt_give_back(void)
{
    thread_self.interrupts_seen--;
}

/* MPROC_INTERRUPTED with its text. */
mproc_status interrupt_status(void);

/*
 * Waits for a handle: MPROC_TIMEOUT, MPROC_INTERRUPTED. A handle cannot be woken by an interrupt, so
 * the wait looks at the count five times a second.
 */
mproc_status interrupt_wait_handle(plat_handle handle, int64_t deadline_ns);

#endif
