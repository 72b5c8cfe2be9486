/* The places for jobs, as the pool's owner gives them out. */
#ifndef MPROC_POOL_JOB_H
#define MPROC_POOL_JOB_H

#include "pool/pool.h"

/*
 * Makes the place of this index, for jobs of one kind, while nobody uses it; `directory` is that of its stream, or 0.
 * It is whole when workers see it, who may look for tasks at once. Under `mutex`. MPROC_NO_MEMORY.
 */
mproc_status job_create(mproc_pool *pool, uint32_t index, enum job_kind kind, uint64_t directory);

/*
 * Takes a place for a map of the caller's, which may be admitted already, see pool_submit(). Blocks while all are
 * used. MPROC_CLOSED, MPROC_TERMINATED: the pool takes no more work; MPROC_INTERRUPTED, MPROC_NO_MEMORY.
 */
mproc_status job_take(mproc_pool *pool, bool admitted, struct job **out);

/* Gives it back. A worker may still be in a map that was given up: then it is used again when that has left. */
void job_put(mproc_pool *pool, struct job *job);

/* Has those who wait for a place look at the pool's state again. */
void jobs_alarm(struct pool_shared *shared);

/* When no worker is left. */
void jobs_free(mproc_pool *pool);

#endif
