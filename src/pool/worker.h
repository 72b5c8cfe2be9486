/* A worker's life: wait for a window, claim chunks, compute them. The same for processes and threads. */
#ifndef MPROC_POOL_WORKER_H
#define MPROC_POOL_WORKER_H

#include "pool/layout.h"
#include "process/call.h"

/* Works until the pool is closed or terminated. What tasks take from values is in `scope`, which is empty then. */
void worker_run(struct pool_shared *shared, uint32_t index, const char *name, struct reference_scope *scope);

#endif
