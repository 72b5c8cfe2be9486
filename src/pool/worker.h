/* A worker's life: wait for a window, claim chunks, compute them. The same for processes and threads. */
#ifndef MPROC_POOL_WORKER_H
#define MPROC_POOL_WORKER_H

#include "pool/layout.h"
#include "process/call.h"

/* How a worker's work has ended: the pool is closed or terminated; its tasks are enough; its initializer failed. */
enum worker_end { WORKER_DONE, WORKER_RETIRES, WORKER_NOT_READY };

/*
 * What the worker and its tasks take from values: those of the initializer stay until the worker ends, those of tasks
 * until the window ends that they are of.
 */
struct worker_scopes {
    struct reference_scope worker;
    struct reference_scope tasks;
};

/* Works, as long as it can. The scopes, which are empty before, are empty afterwards. */
enum worker_end worker_run(struct pool_shared *shared, uint32_t index, const char *name,
                           struct worker_scopes *scopes);

#endif
