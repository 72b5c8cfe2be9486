/* A worker's part in streams of tasks: takes them and runs them. */
#ifndef MPROC_POOL_RUN_TASKS_H
#define MPROC_POOL_RUN_TASKS_H

#include "pool/stream.h"
#include "pool/worker.h"

/* Functions that a worker has found, by their index modulo this. */
#define FUNCTIONS_KNOWN 64

/*
 * A worker's own memory for tasks. It reserves `most` at a time: one, until they have proven to be short. `watched`
 * is another worker that may be stuck in a task, with others reserved: it was at `watched_at` when it was looked at
 * last.
 */
struct task_runner {
    struct worker *worker;
    struct call_result result; /* what the task that runs returns */
    bool fresh;                /* the worker comes from its sleep, or has looked for work in vain */
    uint32_t most;
    uint32_t ranges;  /* counts them */
    int64_t since_ns; /* when it began with the range, or ended the one before; 0: not known */
    uint32_t watched;
    uint64_t watched_at;
    struct {
        uint32_t index; /* + 1 */
        function_pointer function;
    } known[FUNCTIONS_KNOWN];
};

/* Runs a range of tasks, or one that somebody else has reserved. False: there is none. */
bool run_tasks(struct task_runner *runner, uint32_t place, struct pool_job *job);

/* At the beginning of a worker's life: runs what its predecessor has reserved and not begun. */
void run_left_tasks(struct task_runner *runner);

/* Whether there is a task that nobody has begun. */
/* Whether the next task of the stream waits to be begun: one look. */
bool is_task_ready(const struct pool_job *job);

bool has_tasks(const struct task_runner *runner, uint32_t place, struct pool_job *job);

#endif
