/* The end of a task. */
#include "process/task.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define TEXT_BYTES 900

/* Of the calling thread. */
static THREAD_LOCAL struct task *running;
static THREAD_LOCAL struct {
    task_thread_ended *ended;
    void *context;
} listener;

static void (*_Atomic flush_streams)(void);

void task_enter(struct task *task)
{
    *task = (struct task){&thread_self, running, false};
    running = task;
}

void task_leave(void)
{
    running = running->outer;
}

void task_on_thread_end(task_thread_ended *ended, void *context)
{
    listener.ended = ended;
    listener.context = context;
}

/* It ends at once, and writes nothing: what is in the buffers of its streams is the original's. */
void task_end_copy(const struct task *task, mproc_status status)
{
    if (task->forked) _Exit(status == MPROC_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}

mproc_status task_clean(const struct task *task, mproc_status status)
{
    char text[TEXT_BYTES];

    task_end_copy(task, status);
    if (!robust_list_abandon_own()) return status;
    if (log_on(MPROC_LOG_WARNING)) log_owe(MPROC_LOG_WARNING, "a lock that a task has left held is abandoned");
    log_speak();
    if (status == MPROC_OK) return status;
    snprintf(text, sizeof text, "%s", mproc_error_text(status));
    return mproc_error(status, "%s; a lock that the task has left held is abandoned", text);
}

void task_flush(void)
{
    void (*flush)(void) = atomic_load(&flush_streams);

    if (flush && plat_process_has_printed()) flush();
}

void task_set_flush(void (*flush)(void))
{
    atomic_store(&flush_streams, flush);
}

void task_forked(void)
{
    listener.ended = NULL;
    if (!running) return;
    running->forked = true;
    thread_self.left = &slot_always_left;
}

void task_thread_ends(void)
{
    task_thread_ended *ended = listener.ended;

    listener.ended = NULL;
    running = NULL; /* it is gone */
    if (ended) ended(listener.context);
}
