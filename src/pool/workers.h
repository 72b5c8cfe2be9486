/* The workers of a pool, as its owner sees them: their births, and what is done at their deaths. */
#ifndef MPROC_POOL_WORKERS_H
#define MPROC_POOL_WORKERS_H

#include "pool/pool.h"

/* What is different between processes and threads; under the pool's mutex. */
struct worker_kind {
    /* Starts the worker of the record, which has none. */
    mproc_status (*start)(struct worker_record *record);
    /* Ends it as far as that can be done; does not wait. */
    void (*kill)(struct worker_record *record);
};

extern const struct worker_kind worker_process, worker_thread;

/* Whether not all workers are started at once: some come when there is work for them. */
static inline bool workers_come_and_go(const mproc_pool *pool)
{
    return pool->shared->kept < atomic_load(&pool->shared->limit);
}

/* Starts workers: as many as there is work for, and at least so many, as far as they may run. Under `mutex`. */
mproc_status workers_start(mproc_pool *pool, uint32_t least);

/* As workers_start(), for a new map: workers that could not begin in the last one may try again. Under `mutex`. */
mproc_status workers_restart(mproc_pool *pool, uint32_t least);

/* There is a new task, of a pool whose workers come and go. False: no worker is there, and none can be started. */
bool workers_provide(mproc_pool *pool);

/* Why there is no worker at all, or MPROC_OK: there is one, or soon will be. */
mproc_status workers_missing(mproc_pool *pool);

/* Ends all workers that are processes. Under `mutex`. */
void workers_kill(mproc_pool *pool);

/* Waits for worker threads, of which none runs the loop any more. A process worker is freed when it has ended. */
void workers_join(mproc_pool *pool);

/* ---- for the two kinds ------------------------------------------------------------------------ */

/* No worker is started any more, until the next map. Under `mutex`. */
void workers_break(mproc_pool *pool, mproc_status status, const char *text);

/* A worker has ended, as the text says, before its work was done: fails what it had claimed. Under `mutex`. */
void workers_lost(struct worker_record *record, const char *end);

/*
 * Starts successors, where they are wanted. If that fails, those that run go on; without any the map that runs ends
 * and says why, and the next one tries again. Under `mutex`.
 */
void workers_replace(mproc_pool *pool);

/*
 * Whether no worker is left, and none could be started. Says so to who submits tasks, or waits for them: `how`. Under
 * `mutex`.
 */
bool workers_stranded(mproc_pool *pool, enum pool_stranded how);

/*
 * The worker is no more: the caller of map looks at the pool's state again. The last touch of the pool: whoever frees
 * it waits for this, as may any number of joins.
 */
void workers_count_out(struct pool_shared *shared);

/* Whether the worker of the record has been ready. Under `mutex`. */
bool workers_was_ready(const struct worker_record *record);

/*
 * A worker has ended, as the text says; `killed`, by somebody outside. Those that cannot even begin would be replaced
 * for ever: not after one whose initializer has failed, nor after many in a row. Under `mutex`.
 */
void workers_judge_start(const struct worker_record *record, bool killed, const char *end);

/* Whether any worker of the pool has ever been ready. */
bool workers_any_was_ready(const struct pool_shared *shared);

#endif
