/* The thread that calls the callbacks of tasks, one after the other. */
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/bell.h"
#include "pool/result.h"
#include "process/family.h"

/* How often its start is looked for: it takes some tens of microseconds. */
#define BEGIN_NS ((int64_t)20000)

enum { CALLER_BEGINS, CALLER_RUNS, CALLER_FAILED };

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
    tasks_put_result(result);
    bell_tell(tasks->shared, BELL_CALLED);
}

static void call_all(void *context)
{
    struct tasks *tasks = context;
    _Atomic uint32_t *bell = &tasks->shared->bells[BELL_CALLBACKS];
    bool ends = false;

    if (family_enter() != MPROC_OK) {
        atomic_store(&tasks->caller_state, CALLER_FAILED);
        return;
    }
    caller_of = tasks;
    atomic_store(&tasks->caller_state, CALLER_RUNS);
    while (!ends) {
        uint32_t seen = atomic_load(bell);
        if (atomic_load(&tasks->shared->stranded) == STRANDED_UNTOLD)
            tasks_end_all(tasks, MPROC_LIMIT, tasks_stranded_text);
        plat_mutex_lock(&tasks->mutex);
        ends = tasks->caller_ends; /* what was finished when that was set is called */
        tasks_collect_next(tasks, true);
        while (tasks->called) call_first(tasks);
        plat_mutex_unlock(&tasks->mutex);
        if (!ends) wait_on(bell, seen, PLAT_FOREVER);
    }
}

/* Waits until it is a thread of the family: one that could not become so would call nobody. */
mproc_status callbacks_start(struct tasks *tasks)
{
    mproc_status status;

    if (tasks->caller) return MPROC_OK;
    atomic_store(&tasks->caller_state, CALLER_BEGINS);
    if ((status = plat_thread_start(call_all, tasks, &tasks->caller)) != MPROC_OK) return status;
    while (atomic_load(&tasks->caller_state) == CALLER_BEGINS) plat_clock_sleep_until(plat_clock_now_ns() + BEGIN_NS);
    if (atomic_load(&tasks->caller_state) == CALLER_RUNS) return MPROC_OK;
    plat_thread_join(tasks->caller);
    tasks->caller = NULL;
    return mproc_error(MPROC_LIMIT, "the thread that calls callbacks cannot enter the family: there is no slot for "
                                    "one more thread, or no memory");
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
    _Atomic uint32_t *bell = &tasks->shared->bells[BELL_CALLED];

    for (;;) {
        uint32_t seen = atomic_load(bell), due;
        plat_mutex_lock(&tasks->mutex);
        due = tasks->callbacks_due;
        plat_mutex_unlock(&tasks->mutex);
        if (due == 0) return MPROC_OK;
        if (interrupt_take()) return interrupt_status();
        if (wait_on(bell, seen, deadline_ns) == MPROC_TIMEOUT && atomic_load(bell) == seen)
            return mproc_error(MPROC_TIMEOUT, "%lu callbacks of the pool are still to be called", (unsigned long)due);
    }
}

void callbacks_end(struct tasks *tasks)
{
    if (!tasks->caller) return;
    plat_mutex_lock(&tasks->mutex);
    tasks->caller_ends = true;
    plat_mutex_unlock(&tasks->mutex);
    bell_tell(tasks->shared, BELL_CALLBACKS);
    plat_thread_join(tasks->caller);
    tasks->caller = NULL;
}
