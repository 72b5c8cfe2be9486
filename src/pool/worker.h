/* A worker's life: choose a job, claim what is in it, compute it. The same for processes and threads. */
#ifndef MPROC_POOL_WORKER_H
#define MPROC_POOL_WORKER_H

#include "pool/layout.h"
#include "process/call.h"
#include "process/task.h"

/* A worker's own memory, as far as all kinds of jobs need it. */
struct worker {
    struct pool_shared *shared;
    struct pool_worker *part; /* its part of the pool */
    uint32_t index;
    struct task task;
    mproc_call call;
    uint64_t tasks_left;  /* that it may run, and chunks */
    int64_t now_ns;       /* when it had nothing to do, or has left a job for another */
    int64_t memory_ns;    /* when it looks next how much memory it has */
    int64_t slice_end_ns; /* when the job that it is in is to be left for others that have work; 0: not asked yet */
};

/*
 * Whether the worker is to leave its job, of that place: another has work, and this one has had it for long enough,
 * or the pool has become smaller.
 */
bool worker_is_wanted(struct worker *worker, uint32_t place);

/* How a worker's work has ended: the pool is closed or terminated; its tasks are enough; its initializer failed. */
enum worker_end { WORKER_DONE, WORKER_RETIRES, WORKER_NOT_READY };

/*
 * What a worker has that its end does not give back by itself, if it is a thread and ends inside a task: what the
 * initializer takes from values, which stays until the worker ends, what tasks take, which stays until their end or
 * that of the window, and an owned slot for what they return.
 */
struct worker_holdings {
    struct reference_scope worker;
    struct reference_scope tasks;
    _Atomic uint64_t *returned;
};

/*
 * MPROC_BAD_STATE: the calling thread is a worker of the pool, and is about to wait for what its workers do. All of
 * them could come to wait so.
 */
mproc_status worker_check_waiter(const struct pool_shared *shared);

void worker_holdings_clear(struct worker_holdings *holdings);

/* Works, as long as it can. The holdings, which are empty before, are empty afterwards. */
enum worker_end worker_run(struct pool_shared *shared, uint32_t index, const char *name,
                           struct worker_holdings *holdings);

#endif
