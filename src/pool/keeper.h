/*
 * The keeper of a pool: a thread that asks workers to stop what was given up or takes too long, and ends those that
 * do not. It sleeps until the next time that matters, or until its bell rings.
 */
#ifndef MPROC_POOL_KEEPER_H
#define MPROC_POOL_KEEPER_H

#include "pool/tasks.h"

/* Has it run, before anything that needs it. No mutex of the pool may be held. MPROC_LIMIT. */
mproc_status keeper_start(mproc_pool *pool);

/* There is something new for it. */
void keeper_ring(mproc_pool *pool);

/*
 * What it does each time. For the caller of a map as well, where no keeper could be started. Returns when it is to be
 * done again.
 */
int64_t keeper_look(mproc_pool *pool);

/* Before the records of the workers go. */
void keeper_end(mproc_pool *pool);

#endif
