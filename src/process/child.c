/* A started child: whether it lives, how it ended, ending it, giving up its handles. */
#include "process/family.h"
#include "object/interrupt.h"
#include "process/join.h"

static bool parent_alive(const mproc_process *parent)
{
    int ready;
    return plat_handle_wait(&parent->os.handle, 1, 0, &ready) != MPROC_OK;
}

/* Other threads may start, collect and close it meanwhile. */
static bool child_alive(mproc_process *process)
{
    bool alive;

    process_collect(process);
    plat_mutex_lock(&process->mutex);
    alive = process->phase == PROCESS_STARTED;
    plat_mutex_unlock(&process->mutex);
    return alive;
}

bool mproc_process_is_alive(mproc_process *process)
{
    bool alive = false;

    assert(process);
    if (family_enter_with(process->arena) != MPROC_OK) return false;
    switch (process->role) {
    case PROCESS_SELF:
        alive = true;
        break;
    case PROCESS_PARENT:
        alive = parent_alive(process);
        break;
    case PROCESS_CHILD:
        alive = child_alive(process);
        break;
    }
    return alive;
}

static mproc_exit_status status_of_child(mproc_process *process)
{
    mproc_exit_status exit_status;

    if (family_enter_with(process->arena) != MPROC_OK) return (mproc_exit_status){.kind = MPROC_EXIT_LOST};
    process_collect(process);
    plat_mutex_lock(&process->mutex);
    exit_status = process->exit;
    plat_mutex_unlock(&process->mutex);
    return exit_status;
}

mproc_exit_status mproc_process_exit_status(mproc_process *process)
{
    mproc_exit_status exit_status = {.kind = MPROC_EXIT_RUNNING};

    assert(process);
    if (process->role == PROCESS_CHILD) exit_status = status_of_child(process);
    if (process->role == PROCESS_PARENT && !parent_alive(process)) exit_status.kind = MPROC_EXIT_LOST;
    if (exit_status.kind == MPROC_EXIT_SIGNALLED) exit_status.code = -exit_status.signal;
    else if (exit_status.kind != MPROC_EXIT_EXITED) exit_status.code = MPROC_NO_EXIT_CODE;
    return exit_status;
}

/* Whether its task has returned; if so, nothing of what it returned changes any more. */
static bool has_returned(mproc_process *process)
{
    bool returned;

    if (process->role != PROCESS_CHILD || family_enter_with(process->arena) != MPROC_OK) return false;
    process_collect(process);
    plat_mutex_lock(&process->mutex);
    returned = process->returned;
    plat_mutex_unlock(&process->mutex);
    return returned;
}

mproc_status mproc_process_task_status(mproc_process *process, mproc_status *status)
{
    assert(process);
    if (!status)
        return mproc_error(MPROC_INVALID, "what the task of '%s' returned has nowhere to go: status is NULL",
                           process->name);
    if (!has_returned(process))
        return mproc_error(MPROC_BAD_STATE,
                           "the task of process '%s' has returned nothing: the process runs, or ended otherwise",
                           process->name);
    *status = process->task_status;
    return MPROC_OK;
}

const char *mproc_process_error_text(mproc_process *process)
{
    assert(process);
    return has_returned(process) ? process->task_text : "";
}

/* `act` is one of the platform's three ways to reach a process; one that has ended is left alone. */
static mproc_status reach(mproc_process *process, const char *what, mproc_status (*act)(const plat_process *))
{
    mproc_status status;

    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    if (process->role != PROCESS_CHILD)
        return mproc_error(MPROC_NOT_OWNER, "process '%s' is not a child of this one and cannot be %s by it",
                           process->name, what);
    plat_mutex_lock(&process->mutex);
    if (process->phase == PROCESS_CREATED || process->closed)
        status = mproc_error(MPROC_BAD_STATE, "process '%s' %s: it cannot be %s", process->name,
                             process->closed ? "was closed" : "was not started", what);
    else if (process->phase == PROCESS_STARTED && (status = act(&process->os)) == MPROC_OK) process->asked = true;
    plat_mutex_unlock(&process->mutex);
    return status;
}

mproc_status mproc_process_terminate(mproc_process *process)
{
    assert(process);
    return reach(process, "terminated", plat_process_terminate);
}

mproc_status mproc_process_kill(mproc_process *process)
{
    assert(process);
    return reach(process, "killed", plat_process_kill);
}

static mproc_status leave_alone(const plat_process *process)
{
    (void)process;
    return MPROC_OK;
}

mproc_status mproc_process_interrupt(mproc_process *process)
{
    mproc_status status;

    assert(process);
    if ((status = reach(process, "interrupted", leave_alone)) != MPROC_OK) return status;
    plat_mutex_lock(&process->mutex);
    if (process->phase == PROCESS_STARTED) interrupt_process(process->slot);
    plat_mutex_unlock(&process->mutex);
    return reach(process, "interrupted", plat_process_interrupt);
}

static mproc_status close_locked(mproc_process *process)
{
    if (process->phase == PROCESS_STARTED)
        return mproc_error(MPROC_BAD_STATE, "process '%s' (pid %lld) still runs: join or end it before closing it",
                           process->name, (long long)process->os.pid);
    process->closed = true;
    return MPROC_OK;
}

mproc_status mproc_process_close(mproc_process *process)
{
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK || process->role != PROCESS_CHILD) return status;
    process_collect(process);
    plat_mutex_lock(&process->mutex);
    status = close_locked(process);
    plat_mutex_unlock(&process->mutex);
    if (status != MPROC_OK) return status;
    waitable_ends(process, false);
    plat_mutex_lock(&process->mutex);
    if (process->joiners == 0) process_release_handle(process);
    plat_mutex_unlock(&process->mutex);
    return MPROC_OK;
}

/* Taking it changes nothing that a caller could see. */
static plat_mutex *mutex_of(const mproc_process *process)
{
    return &((mproc_process *)process)->mutex;
}

int64_t mproc_process_pid(const mproc_process *process)
{
    int64_t pid;

    assert(process);
    if (process->role != PROCESS_CHILD) return process->os.pid;
    if (family_enter_with(process->arena) != MPROC_OK) return 0;
    plat_mutex_lock(mutex_of(process));
    pid = process->closed ? 0 : process->os.pid;
    plat_mutex_unlock(mutex_of(process));
    return pid;
}

static mproc_status sentinel_locked(const mproc_process *process, intptr_t *handle)
{
    if (process->closed || process->os.handle == PLAT_NO_HANDLE)
        return mproc_error(MPROC_BAD_STATE, "process '%s' has no sentinel: it %s", process->name,
                           process->role == PROCESS_SELF ? "is the current process"
                           : process->closed             ? "was closed"
                                                         : "was not started");
    *handle = process->os.handle;
    return MPROC_OK;
}

mproc_status mproc_process_sentinel(const mproc_process *process, intptr_t *handle)
{
    mproc_status status;

    assert(process);
    if (!handle)
        return mproc_error(MPROC_INVALID, "the sentinel of '%s' has nowhere to go: handle is NULL", process->name);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    plat_mutex_lock(mutex_of(process));
    status = sentinel_locked(process, handle);
    plat_mutex_unlock(mutex_of(process));
    return status;
}

/* Whether it has ended; the handle stays as long as it is not closed. */
static mproc_status look_locked(const mproc_process *process, plat_handle *handle)
{
    if (process->role == PROCESS_SELF)
        return mproc_error(MPROC_INVALID, "process '%s' (pid %lld) cannot wait for its own end", process->name,
                           (long long)plat_process_id());
    *handle = PLAT_NO_HANDLE;
    if (process->closed || process->phase == PROCESS_ENDED) return MPROC_OK;
    if (process->os.handle == PLAT_NO_HANDLE)
        return mproc_error(MPROC_BAD_STATE, "process '%s' was not started: start it before waiting for its end",
                           process->name);
    *handle = process->os.handle;
    return MPROC_TIMEOUT;
}

static mproc_status look(void *thing, plat_handle *handle)
{
    mproc_process *process = thing;
    mproc_status status;

    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&process->mutex);
    status = look_locked(process, handle);
    plat_mutex_unlock(&process->mutex);
    return status;
}

const struct waitable process_waitable = {.name = "a process", .kind = PLAT_POLLED_OBJECT, .look = look};
