/* Collecting a child that has ended, and waiting for that. */
#include "process/join.h"

#include <string.h>

#include "base/log.h"
#include "object/recovery.h"
#include "process/children.h"
#include "process/family.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "process/reaper.h"

#define TRACED_LOOK_NS ((int64_t)1000000)

/* When it is recovered. Until then recovery finds in the slot what has to be given back. */
static void free_slot(const mproc_process *process)
{
    spawn_data_free(process_slot_at(process->slot));
    slot_process_release(process->slot);
}

static bool is_unguarded(const mproc_process *process)
{
    uint32_t flags = atomic_load(&process_slot_at(process->slot)->flags);
    return process->exit.kind == MPROC_EXIT_EXITED && !(flags & PROCESS_ENTERED);
}

/* In the words of the public headers. */
static mproc_exit_status exit_status_of(plat_end end)
{
    static const mproc_exit_kind kinds[] = {[PLAT_END_RUNNING] = MPROC_EXIT_RUNNING,
                                            [PLAT_END_EXITED] = MPROC_EXIT_EXITED,
                                            [PLAT_END_SIGNALLED] = MPROC_EXIT_SIGNALLED,
                                            [PLAT_END_LOST] = MPROC_EXIT_LOST};

    return (mproc_exit_status){kinds[end.kind], end.code, end.signal};
}

/* Before the slot is freed. */
static void read_outcome(mproc_process *process)
{
    struct process_slot *slot = process_slot_at(process->slot);
    struct spawn_data *spawn_data = (struct spawn_data *)arena_at(atomic_load(&slot->spawn_data));
    uint32_t returned = atomic_load(&spawn_data->returned);

    process->refused = (mproc_status)atomic_load(&slot->refused);
    process->returned = returned != 0;
    if (!process->returned) return;
    process->task_status = (mproc_status)(returned - 1);
    memcpy(process->task_text, spawn_data->text, sizeof process->task_text);
    process->task_text[sizeof process->task_text - 1] = 0;
}

/* SIGINT, SIGKILL, SIGTERM. */
static bool is_request(int signal)
{
    return signal == 2 || signal == 9 || signal == 15;
}

/* What this process has asked for is no warning. Of a worker its pool says what became of its work. */
static void say_end(const mproc_process *process)
{
    const mproc_exit_status *end = &process->exit;
    bool wanted = end->signal ? process->asked && is_request(end->signal) : mproc_exit_ok(*end);
    int level = wanted ? MPROC_LOG_INFO : MPROC_LOG_WARNING;
    bool failed = process->returned && process->task_status != MPROC_OK;

    if (process->worker || !log_on(level)) return;
    if (end->kind == MPROC_EXIT_SIGNALLED)
        log_owe(level, "process '%s' (pid %lld) was ended by signal %d", process->name, (long long)process->os.pid,
                end->signal);
    else if (end->kind == MPROC_EXIT_EXITED)
        log_owe(level, "process '%s' (pid %lld) ended with exit code %d%s%s%s", process->name,
                (long long)process->os.pid, end->code,
                process->unguarded ? " before it entered mproc_main_guard()" : "", failed ? ": " : "",
                failed ? process->task_text : "");
    else log_owe(level, "process '%s' (pid %lld) ended, how is unknown", process->name, (long long)process->os.pid);
}

/* Under the mutex: the process has ended just now. */
static void note_end(mproc_process *process, plat_end end)
{
    process->exit = exit_status_of(end);
    process->phase = PROCESS_ENDED;
    process->unguarded = is_unguarded(process);
    read_outcome(process);
    process_close_parent_end(process);
    say_end(process);
}

bool process_collect(mproc_process *process)
{
    plat_end end = {.kind = PLAT_END_RUNNING};
    bool runs, kept = false;

    plat_mutex_lock(&process->mutex);
    if (process->phase == PROCESS_STARTED) end = plat_process_collect(&process->os);
    if (end.kind != PLAT_END_RUNNING) {
        note_end(process, end);
        kept = process->slot_kept = !recovery_process(process->slot);
        if (!kept) free_slot(process);
    }
    runs = process->phase == PROCESS_STARTED;
    plat_mutex_unlock(&process->mutex);
    if (end.kind == PLAT_END_RUNNING) return !runs;
    if (process->ended) process->ended(process->ended_context, process);
    if (kept) reaper_retry();
    else children_remove(process);
    if (recovery_orphans()) reaper_poll();
    log_speak();
    return true;
}

bool process_recover(mproc_process *process)
{
    bool done = false;

    plat_mutex_lock(&process->mutex);
    if (process->slot_kept && recovery_process(process->slot)) {
        free_slot(process);
        process->slot_kept = false;
        done = true;
    }
    plat_mutex_unlock(&process->mutex);
    return done;
}

static mproc_status check_joinable(const mproc_process *process)
{
    if (process->role == PROCESS_SELF)
        return mproc_error(MPROC_INVALID, "process '%s' (pid %lld) cannot wait for its own end", process->name,
                           (long long)plat_process_id());
    if (process->closed) return mproc_error(MPROC_BAD_STATE, "process '%s' was closed", process->name);
    if (process->phase == PROCESS_CREATED)
        return mproc_error(MPROC_BAD_STATE, "process '%s' was not started: start it before joining it",
                           process->name);
    return MPROC_OK;
}

/* Under the mutex. The first who waits takes the process from the reaper, the last gives it back. */
static mproc_status joiner_enters(mproc_process *process)
{
    mproc_status status = check_joinable(process);

    if (status == MPROC_OK && process->joiners++ == 0 && process->role == PROCESS_CHILD) reaper_unwatch(process);
    return status;
}

static mproc_status joiner_leaves(mproc_process *process)
{
    if (--process->joiners > 0 || process->role != PROCESS_CHILD) return MPROC_OK;
    if (process->phase == PROCESS_STARTED) return reaper_watch(process);
    if (process->closed) process_release_handle(process);
    return MPROC_OK;
}

/*
 * A process that ends while a debugger traces it is not to be collected before that lets it go. MPROC_INVALID: the
 * program has closed what it could be waited for by, so it is looked at again and again.
 */
static mproc_status wait_and_collect(mproc_process *process, int64_t deadline_ns)
{
    mproc_status status;

    while (!process_collect(process)) {
        status = interrupt_wait_handle(process->os.handle, deadline_ns);
        if (status != MPROC_OK && status != MPROC_INVALID) return status;
        if (process_collect(process)) break;
        if (plat_clock_now_ns() >= deadline_ns) return MPROC_TIMEOUT;
        plat_clock_sleep_until(plat_clock_now_ns() + TRACED_LOOK_NS);
    }
    return MPROC_OK;
}

/* While somebody waits on the handle it stays open, whatever the others do. */
mproc_status process_wait(mproc_process *process, int64_t deadline_ns)
{
    mproc_status status = MPROC_OK, left;
    bool ended;

    plat_mutex_lock(&process->mutex);
    ended = process->phase == PROCESS_ENDED && !process->closed;
    if (!ended) status = joiner_enters(process);
    plat_mutex_unlock(&process->mutex);
    if (ended || status != MPROC_OK) return status;
    if (process->role == PROCESS_PARENT) status = interrupt_wait_handle(process->os.handle, deadline_ns);
    else status = wait_and_collect(process, deadline_ns);
    plat_mutex_lock(&process->mutex);
    left = joiner_leaves(process);
    plat_mutex_unlock(&process->mutex);
    return left != MPROC_OK ? left : status;
}

/*
 * A child that could not have the memory of the family cannot tell its parent either. Only MPROC_MISMATCH is returned
 * as it is: other statuses would say something about the call.
 */
mproc_status process_tell_unguarded(const mproc_process *process)
{
    if (process->refused == MPROC_MISMATCH)
        return mproc_error(MPROC_MISMATCH,
                           "process '%s' (pid %lld) could not join its family, and ended with exit code %d: it has "
                           "another version or copy of the library, or was built anew; link both programs with one "
                           "shared library",
                           process->name, (long long)process->os.pid, process->exit.code);
    if (process->refused != MPROC_OK)
        return mproc_error(MPROC_NO_GUARD,
                           "process '%s' (pid %lld) could not join its family, and ended with exit code %d: %s (%s); "
                           "its main guard says more on stderr",
                           process->name, (long long)process->os.pid, process->exit.code,
                           mproc_status_name(process->refused), mproc_status_text(process->refused));
    return mproc_error(MPROC_NO_GUARD,
                       "process '%s' (pid %lld) ended with exit code %d before it entered mproc_main_guard(): "
                       "does the program's main() call it? A child that could not join has said why on stderr",
                       process->name, (long long)process->os.pid, process->exit.code);
}

mproc_status mproc_process_join(mproc_process *process, int64_t timeout_ms)
{
    int64_t deadline_ns;
    mproc_status status;

    assert(process);
    if ((status = deadline_from_timeout(timeout_ms, &deadline_ns)) != MPROC_OK) return status;
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    status = process_wait(process, deadline_ns);
    if (status == MPROC_TIMEOUT)
        return mproc_error(MPROC_TIMEOUT, "process '%s' (pid %lld) still runs after %lld ms", process->name,
                           (long long)process->os.pid, (long long)timeout_ms);
    if (status != MPROC_OK || process->role != PROCESS_CHILD) return status;
    return process->unguarded ? process_tell_unguarded(process) : MPROC_OK;
}
