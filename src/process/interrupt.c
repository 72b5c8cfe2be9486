/* What a program does with interrupts. */
#include "object/interrupt.h"

#include "object/wait.h"
#include "process/family.h"

void mproc_interrupt(void)
{
    if (atomic_load(&family.state) == FAMILY_MEMBER) interrupt_process(family.process);
}

bool mproc_interrupted(void)
{
    return family_enter() == MPROC_OK && interrupt_take();
}

mproc_status mproc_catch_interrupts(void)
{
    mproc_status status = family_enter();
    return status == MPROC_OK ? plat_process_catch_interrupts(mproc_interrupt) : status;
}

mproc_status mproc_sleep_ms(int64_t ms)
{
    int64_t deadline_ns = interrupt_deadline(ms);
    mproc_status status;

    if ((status = family_enter()) != MPROC_OK) return status;
    for (;;) {
        if (interrupt_take()) return interrupt_status();
        if (plat_clock_now_ns() >= deadline_ns) return MPROC_OK;
        wait_on(&family_slot()->interrupts, thread_self.interrupts_seen, deadline_ns);
    }
}
