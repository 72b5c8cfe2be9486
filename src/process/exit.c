/* The end of a process: daemons are ended, other children joined. */
#include "object/interrupt.h"
#include "object/wait.h"
#include "process/children.h"
#include "process/family.h"
#include "process/join.h"
#include "process/reaper.h"

/* A daemon that catches SIGTERM has this long to make use of it. */
#define DAEMON_GRACE_MS 1000

static int64_t lesser(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

/* Pool workers have nothing of their own to finish; other daemons may catch SIGTERM. */
static void end_daemons(void)
{
    mproc_process *process = NULL;

    while ((process = children_next(process)) != NULL) {
        if (process->worker) mproc_process_kill(process);
        else if (process->daemon) mproc_process_terminate(process);
    }
}

/* An interrupt ends the grace of all: they are killed, and the caller learns of it. */
static mproc_status wait_daemons(int64_t deadline_ns)
{
    int64_t grace_ns = lesser(deadline_ns, interrupt_deadline(DAEMON_GRACE_MS));
    mproc_process *process = NULL;
    mproc_status status = MPROC_OK;

    while ((process = children_next(process)) != NULL) {
        mproc_status one;
        if (!process->daemon || (one = process_wait(process, grace_ns)) == MPROC_OK) continue;
        if (one == MPROC_INTERRUPTED) {
            status = one;
            grace_ns = 0;
        }
        mproc_process_kill(process);
        one = process_wait(process, deadline_ns);
        if (one != MPROC_OK && status == MPROC_OK) status = one;
    }
    return status;
}

static mproc_status wait_others(int64_t deadline_ns)
{
    mproc_process *process = NULL;
    mproc_status status = MPROC_OK;

    while (status == MPROC_OK && (process = children_next(process)) != NULL)
        status = process_wait(process, deadline_ns);
    if (status == MPROC_TIMEOUT)
        mproc_error(status, "process '%s' (pid %lld) has not ended in time", process->name,
                    (long long)process->os.pid);
    children_release(process);
    return status;
}

static mproc_status end_children(int64_t deadline_ns)
{
    mproc_status daemons, others;

    end_daemons();
    daemons = wait_daemons(deadline_ns);
    if (daemons == MPROC_INTERRUPTED) return daemons;
    others = wait_others(deadline_ns);
    return others != MPROC_OK ? others : daemons;
}

mproc_status mproc_shutdown(int64_t timeout_ms)
{
    int64_t deadline_ns;
    mproc_status status;

    if ((status = deadline_from_timeout(timeout_ms, &deadline_ns)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    atomic_store(&family.leaving, true);
    return end_children(deadline_ns);
}

void mproc_main_exit(void)
{
    if (atomic_load(&family.state) != FAMILY_MEMBER) return;
    /* Most processes have no children, and end sooner if nothing is asked of the system for them. */
    if (!reaper_started()) return;
    if (mproc_shutdown(MPROC_FOREVER) == MPROC_OK && plat_system_checks_leaks()) reaper_end();
}
