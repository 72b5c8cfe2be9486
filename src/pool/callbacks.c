/* The thread that calls the callbacks of tasks, one after the other. */
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/bell.h"
#include "pool/outcome.h"
#include "pool/result.h"
#include "process/family.h"

/* The tasks whose callbacks the calling thread calls. */
static THREAD_LOCAL const struct tasks *caller_of;

mproc_status callbacks_check_waiter(const struct tasks *tasks)
{
    if (!tasks || caller_of != tasks) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE,
                       "a callback of the pool is about to wait until all its callbacks have been called: "
                       "it can close the pool, and another thread joins it");
}

/* Under the mutex, which the callback runs without. */
static void call_first(struct tasks *tasks)
{
    mproc_result *result = tasks->called;

    if (!(tasks->called = result->next)) tasks->called_end = &tasks->called;
    plat_mutex_unlock(&tasks->mutex);
    if (result->status == MPROC_OK && result->callback) {
        result->callback(result_view(result), result->context);
    } else if (result->status != MPROC_OK && result->error_callback) {
        const char *text = result->text ? result->text : mproc_status_text(result->status);
        result->error_callback(result->status, text, result->context);
    }
    plat_mutex_lock(&tasks->mutex);
    tasks->callbacks_due--;
    outcome_put(result);
    bell_tell(tasks->shared, BELL_CALLED);
}

static void call_all(void *context)
{
    struct tasks *tasks = context;
    _Atomic uint32_t *bell = &tasks->shared->bells[BELL_CALLBACKS];
    bool ends = false;

    caller_of = tasks;
    while (!ends) {
        uint32_t seen = atomic_load(bell);
        if (atomic_load(&tasks->shared->stranded) == STRANDED_UNTOLD)
            tasks_end_all(tasks, MPROC_LIMIT, tasks_stranded_text);
        plat_mutex_lock(&tasks->mutex);
        ends = atomic_load(&tasks->caller.ends); /* what was finished when that was set is called */
        tasks_collect_next(tasks, true);
        while (tasks->called) call_first(tasks);
        plat_mutex_unlock(&tasks->mutex);
        if (!ends) wait_on(bell, seen, PLAT_FOREVER);
    }
}

mproc_status callbacks_start(struct tasks *tasks)
{
    return pool_thread_start(&tasks->caller, call_all, tasks, "the thread that calls callbacks");
}

void callbacks_add(mproc_result *result)
{
    struct tasks *tasks = result->tasks;

    result->next = NULL;
    *tasks->called_end = result;
    tasks->called_end = &result->next;
    bell_tell(tasks->shared, BELL_CALLBACKS);
}

mproc_status callbacks_wait(struct tasks *tasks, int64_t deadline_ns)
{
    return bell_wait_for_none(&tasks->shared->bells[BELL_CALLED], &tasks->mutex, &tasks->callbacks_due, deadline_ns,
                              "callbacks of the pool are still to be called");
}

static void ring(void *context)
{
    const struct tasks *tasks = context;

    bell_tell(tasks->shared, BELL_CALLBACKS);
}

void callbacks_end(struct tasks *tasks)
{
    pool_thread_end(&tasks->caller, ring);
}
