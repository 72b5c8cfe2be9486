/* The workers of a pool, as its owner sees them: their births, and what is done at their deaths. */
#ifndef MPROC_POOL_WORKERS_H
#define MPROC_POOL_WORKERS_H

#include "pool/pool.h"

/* Starts a worker for each record that has none. Under `mutex`. */
mproc_status workers_start(mproc_pool *pool);

/* As workers_start(), for a new map: workers that could not begin in the last one may try again. Under `mutex`. */
mproc_status workers_restart(mproc_pool *pool);

/* Ends all workers that are processes. Under `mutex`. */
void workers_kill(mproc_pool *pool);

/* Waits for worker threads, of which none runs the loop any more. A process worker is freed when it has ended. */
void workers_join(mproc_pool *pool);

/* Whether there is a worker at all. Under `mutex`. */
bool workers_any(const mproc_pool *pool);

#endif
