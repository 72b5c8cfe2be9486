/* A worker's life: wait for a window, claim chunks, compute them. The same for processes and threads. */
#ifndef MPROC_POOL_WORKER_H
#define MPROC_POOL_WORKER_H

#include "pool/layout.h"
#include "process/call.h"

/* What a worker process is told. */
struct worker_start {
    uint64_t pool; /* offset of the struct pool_shared */
    uint32_t index;
    uint32_t successor; /* it takes the place of one that has ended */
};

/* The function of worker processes. */
mproc_status worker_main(mproc_call *call);

/* Works until the pool is closed or terminated. What tasks take from values is in `scope`, which is empty then. */
void worker_run(struct pool_shared *shared, uint32_t index, const char *name, struct reference_scope *scope);

#endif
