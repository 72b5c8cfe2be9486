/* How far a map is, told to its creator from time to time. */
#ifndef MPROC_POOL_PROGRESS_H
#define MPROC_POOL_PROGRESS_H

#include <stdbool.h>

#include <mproc/pool.h>
#include <mproc/progress.h>

/*
 * Of one map, and of the thread that runs it. Without a callback `next_ns` is PLAT_FOREVER. `outer` is the one whose
 * callback runs this map, while that of this one is called.
 */
struct progress {
    const mproc_pool *pool;
    const struct progress *outer;
    mproc_progress_callback *callback;
    void *context;
    uint64_t done;
    uint64_t total;
    int64_t begin_ns;
    int64_t interval_ns;
    int64_t next_ns;
};

/* Checks what is asked. MPROC_INVALID. */
mproc_status progress_check(int64_t per_second);

/* A map of the pool begins now. `callback` may be NULL. */
void progress_begin(struct progress *progress, const mproc_pool *pool, mproc_progress_callback *callback,
                    int64_t per_second, void *context, uint64_t total);

/* Whether it is time to tell again. */
bool progress_is_due(const struct progress *progress);

/* Tells how much is done, on the way: an interrupt that the callback has taken comes once more, for the map. */
void progress_tell(struct progress *progress, uint64_t done);

/* The map has ended: tells that, if somebody wants to know. */
void progress_end(struct progress *progress, uint64_t done);

/* MPROC_BAD_STATE: the thread is in the callback of a map of the pool, and is about to wait until all have ended. */
mproc_status progress_check_waiter(const mproc_pool *pool);

#endif
