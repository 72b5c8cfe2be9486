/* The main guard: where a child's main() ends and its task begins. */
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "process/arguments.h"
#include "process/call.h"
#include "process/family.h"
#include "process/process.h"
#include "process/task.h"

/* Runs the function that the spawn data names. */
static mproc_status run_spawn_data(const struct spawn_data *spawn_data)
{
    static struct reference_scope scope; /* to the end of the process, which drops all */
    mproc_call call = {arguments_view(atomic_load(&spawn_data->args)), spawn_data->name, &scope, NULL, NULL, 0};
    function_pointer function;
    struct task task;
    mproc_status status;

    error_text_clear(); /* what was said on the way here is not the task's */
    if ((status = function_decode(&spawn_data->function, &function)) != MPROC_OK) return status;
    reference_scope_enter(&scope);
    task_enter(&task);
    status = task_returned(&task, ((mproc_function *)function)(&call));
    task_leave();
    return status;
}

static int report(const char *name, mproc_status status)
{
    if (status == MPROC_OK) return 0;
    fprintf(stderr, "Process %s (pid %lld): %s (%d): %s\n", name, (long long)plat_process_id(),
            mproc_status_name(status), (int)status, mproc_error_text(status));
    return 1;
}

/* Whoever joins the process reads it in the spawn data, which lives longer than the process. */
static int tell(mproc_status status)
{
    struct spawn_data *spawn_data = (struct spawn_data *)arena_at(atomic_load(&family_slot()->spawn_data));

    spawn_data_return(spawn_data, status, status == MPROC_OK ? "" : mproc_error_text(status));
    return report(spawn_data->name, status);
}

bool mproc_main_guard_run(int *code, void (*flush)(void))
{
    mproc_status status = family_enter();

    task_set_flush(flush);
    if (status == MPROC_OK) family.main_thread = thread_self.index;
    if (!family.child || atomic_load(&family.entered)) {
        atomic_store(&family.entered, true);
        return false;
    }
    if (status != MPROC_OK) {
        *code = report("that was to be a child", status);
        return true;
    }
    atomic_store(&family.entered, true);
    atomic_fetch_or(&family_slot()->flags, PROCESS_ENTERED);
    if (log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "process %lld, a child of '%s', begins its task", (long long)plat_process_id(),
                family.spawn_data->parent_name);
    log_speak();
    *code = tell(run_spawn_data(family.spawn_data));
    if (log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "process %lld ends with exit code %d", (long long)plat_process_id(), *code);
    log_speak();
    return true;
}
