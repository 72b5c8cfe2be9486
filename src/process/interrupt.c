/* What a program does with interrupts. */
#include <mproc/process.h>

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
    mproc_status status;
    struct wait wait;

    if ((status = timeout_check(ms)) != MPROC_OK || (status = family_enter()) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, NULL, ms)) != MPROC_OK) return status;
    while (status == MPROC_OK) status = wait_sleep(&wait, &family_slot()->interrupts, thread_self.interrupts_seen);
    wait_end(&wait);
    return status == MPROC_TIMEOUT ? MPROC_OK : status;
}
