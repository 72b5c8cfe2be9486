/* What a task may cost: its time limits, how often it is begun again, and when it is to stop. */
#ifndef MPROC_POOL_LIMITS_H
#define MPROC_POOL_LIMITS_H

#include "pool/tasks.h"

/* Of a result whose task has any. Times are 0 where there is none. Guarded by the mutex of the tasks. */
struct task_limits {
    int64_t soft_ns;
    int64_t hard_ns;
    bool stops;         /* whoever wants the task has asked it to stop */
    int64_t stop_by_ns; /* when it is to have done so */
    uint32_t retries;   /* so often it is begun again, if it is lost with its worker */
    struct {            /* what it was given then; cells are in the result, until that is known */
        uint32_t function;
        uint8_t form;
        uint8_t size;
    } kept;
};

/* A task that a worker is in, and whose result has limits. */
struct running_task {
    struct tasks *tasks;
    struct owned_segment *segment;
    uint64_t position;
    mproc_result *result;
};

/* What is to be done about it now, and when to look again. */
struct task_verdict {
    bool ask;
    bool end;
    int64_t next_ns;
};

/* Gives the result limits, all of them none, if it has none. MPROC_NO_MEMORY. */
mproc_status limits_create(mproc_result *result);

/* The rest under the mutex of the tasks. */

/* A task with limits comes, with what it is given: that is kept, as it may be begun again. */
void limits_begin(mproc_result *result, const struct submission *submission);

/* A task goes, with limits or without. */
void limits_done(struct tasks *tasks, const struct task_limits *limits);

/*
 * The worker that was in the task is dead: has it begun again, with what it was given. False: it is not to be. Nobody
 * knows yet where it is, as the head is behind it.
 */
bool limits_retry(struct owned_segment *segment, uint64_t position);

/* False: the worker is not in that task, or it has no limits. */
bool limits_find(struct tasks *tasks, uint32_t worker, uint64_t position, struct running_task *task);

/* Of one that has begun then. */
struct task_verdict limits_judge(const struct running_task *task, int64_t since_ns, int64_t now_ns);

/* Its time is up: the result says so from now on. False: it is just finished. */
bool limits_end(const struct running_task *task, int64_t since_ns);

/* No task that begins from now on is over its limit before. */
int64_t limits_next(const struct tasks *tasks, int64_t now_ns);

#endif
