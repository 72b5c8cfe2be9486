/*
 * What is done after each function of the program that has run as a task, in a process or for a pool: before anything
 * else of the library happens in that thread.
 *
 *   - A fork() copy of the process that returns from the task ends there: the work, and all that follows it, is the
 *     original's.
 *   - Locks of the program that the task has left held are abandoned: the thread goes on, and nobody else could ever
 *     have them.
 *   - A thread that ends inside the task (pthread_exit(), ExitThread()) tells whoever has given it the task.
 */
#ifndef MPROC_PROCESS_TASK_H
#define MPROC_PROCESS_TASK_H

#include "object/robust_list.h"

/* Called in a thread that ends inside a task, when what was on its stack is gone already. */
typedef void task_thread_ended(void *context);

/* A thread that runs tasks; the thread's own. `outer` is there while a task runs another function as one. */
struct task {
    const struct thread_self *self;
    struct task *outer;
    bool forked; /* this is a fork() copy, made by the task */
};

/* From here on, until task_leave(), the calling thread runs tasks. */
void task_enter(struct task *task);
void task_leave(void);

/* Has `ended` called if the calling thread ends; NULL: no longer. */
void task_on_thread_end(task_thread_ended *ended, void *context);

/* Not 0: a function that has returned may have left something behind. */
static inline uint64_t task_left(const struct thread_self *self)
{
    return atomic_load_explicit(self->left, memory_order_relaxed);
}

/* Then: does what is to be done. Returns the status that the function has returned; its text may say more. */
mproc_status task_clean(const struct task *task, mproc_status status);

/* Of a function whose thread goes on with what it holds: a fork() copy that the function has made ends. */
void task_end_copy(const struct task *task, mproc_status status);

static inline mproc_status task_returned(const struct task *task, mproc_status status)
{
    return task_left(task->self) ? task_clean(task, status) : status;
}

/*
 * Writes out what the program has in the buffers of its standard streams, with its own C runtime. For processes whose
 * end writes nothing: a pool's workers are killed.
 */
void task_flush(void);

/* By the main guard: how the program does that. */
void task_set_flush(void (*flush)(void));

/* By the family: a fork() copy is there; the calling thread ends. */
void task_forked(void);
void task_thread_ends(void);

#endif
