#include "platform.h"

#include <unistd.h>

/* With a futex a semaphore is its word; the other fields say the same as where it is more. */
mproc_status plat_semaphore_open(plat_semaphore *semaphore)
{
    atomic_store(&semaphore->handle, 0);
    atomic_store(&semaphore->pid, getpid());
    atomic_fetch_add(&semaphore->serial, 1);
    return MPROC_OK;
}

void plat_semaphore_close(plat_semaphore *semaphore)
{
    atomic_store(&semaphore->pid, 0);
    atomic_store(&semaphore->value, 0);
}

mproc_status plat_semaphore_wait(plat_semaphore *semaphore, int64_t deadline_ns)
{
    mproc_status status = MPROC_OK;

    while (atomic_exchange(&semaphore->value, 0) == 0) {
        if (status == MPROC_TIMEOUT) return MPROC_TIMEOUT;
        status = plat_futex_wait(&semaphore->value, 0, deadline_ns);
    }
    return MPROC_OK;
}

void plat_semaphore_post(plat_semaphore *semaphore)
{
    /* Also when it was posted already: whoever posted may have been killed before the wake. */
    atomic_store(&semaphore->value, 1);
    plat_futex_wake(&semaphore->value, 1);
}
