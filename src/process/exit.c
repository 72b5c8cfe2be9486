/* The end of a process: daemons are ended, other children joined. */
#include "process/exit.h"

#include "base/log.h"
#include "object/wait.h"
#include "process/alarm.h"
#include "process/children.h"
#include "process/deposit.h"
#include "process/family.h"
#include "process/join.h"
#include "process/reaper.h"

/* A daemon that catches SIGTERM has this long to make use of it. */
#define DAEMON_GRACE_NS ((int64_t)1000000000)

/* Pool workers have nothing of their own to finish, managers have; other daemons may catch SIGTERM. */
static void end_daemons(void)
{
    mproc_process *process = NULL;

    while ((process = children_next(process))) {
        if (process->worker) mproc_process_kill(process);
        else if (process->stoppable) mproc_process_interrupt(process);
        else if (process->daemon) mproc_process_terminate(process);
    }
}

/* A child that is not there any more has ended, and others have closed it. */
static bool has_ended(mproc_status waited)
{
    return waited == MPROC_OK || waited == MPROC_BAD_STATE;
}

/* An interrupt ends the grace of all: they are killed, and the caller learns of it. */
static mproc_status wait_daemons(int64_t deadline_ns)
{
    int64_t grace_ns = plat_clock_now_ns() + DAEMON_GRACE_NS;
    mproc_process *process = NULL;
    mproc_status status = MPROC_OK;

    if (deadline_ns < grace_ns) grace_ns = deadline_ns;
    while ((process = children_next(process))) {
        mproc_status one;
        if (!process->daemon || has_ended(one = process_wait(process, grace_ns))) continue;
        if (one == MPROC_INTERRUPTED) {
            status = one;
            grace_ns = 0;
        }
        mproc_process_kill(process);
        if (process_wait(process, deadline_ns) == MPROC_INTERRUPTED) status = MPROC_INTERRUPTED;
    }
    return status;
}

/* Daemons are among them: what has not ended in its time may have by now. */
static mproc_status wait_all(int64_t deadline_ns)
{
    mproc_process *process = NULL;
    mproc_status status = MPROC_OK;

    while (has_ended(status) && (process = children_next(process))) status = process_wait(process, deadline_ns);
    if (status == MPROC_TIMEOUT)
        mproc_error(status, "process '%s' (pid %lld) has not ended in time", process->name,
                    (long long)process->os.pid);
    children_release(process);
    return has_ended(status) ? MPROC_OK : status;
}

mproc_status mproc_shutdown(int64_t timeout_ms)
{
    int64_t deadline_ns;
    mproc_status status;

    if ((status = deadline_from_timeout(timeout_ms, &deadline_ns)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    children_close("mproc_shutdown() was called");
    end_daemons();
    if ((status = wait_daemons(deadline_ns)) != MPROC_OK) return status;
    return wait_all(deadline_ns);
}

/*
 * Whether exit() was called by a signal handler that has interrupted the library in the middle of something: what the
 * interrupted call has locked stays locked. Not so where it only waits.
 */
static bool is_interrupted(void)
{
    const struct thread_slot *slot = thread_self.slot;

    if (plat_mutex_held()) return true;
    if (!slot) return false;
    for (int i = 0; i < INTENTS; i++) {
        const struct intent *intent = &slot->intents[i];
        if (atomic_load(&intent->lock) || atomic_load(&intent->heap) || atomic_load(&intent->ending)) return true;
    }
    return (atomic_load(&arena_header->recovery) & ~LOCK_WAITERS) == thread_self.owner_id;
}

static void (*_Atomic last)(void);

void exit_set_last(void (*function)(void))
{
    atomic_store(&last, function);
}

/* Most processes have no children, and end sooner if nothing is asked of the system for them. */
static void end_children(void)
{
    if (!reaper_started()) return;
    if (mproc_shutdown(MPROC_FOREVER) != MPROC_OK || !plat_system_checks_leaks()) return;
    reaper_end();
    deposit_end();
}

/* Where it must take no lock, daemons end with the process as they do when it is killed. */
void mproc_main_exit(void)
{
    void (*function)(void);

    if (atomic_load(&family.state) != FAMILY_MEMBER || is_interrupted()) return;
    log_speak();
    children_close("this process is about to exit");
    if (plat_system_checks_leaks()) alarm_end();
    end_children();
    if ((function = atomic_load(&last))) function();
}
