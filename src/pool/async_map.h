/*
 * Maps that nobody waits for: each is run by a thread of the pool's owner, in the way in which a map is that somebody
 * waits for. As many run at the same time as a pool has places for.
 */
#ifndef MPROC_POOL_ASYNC_MAP_H
#define MPROC_POOL_ASYNC_MAP_H

#include <mproc/iterator.h>

#include "object/interrupt.h"
#include "pool/map.h"
#include "pool/tasks.h"

/* A map over values: what is asked, and what came of it. */
struct values_map {
    mproc_pool *pool;
    mproc_function *function;
    mproc_value items;   /* a list */
    mproc_value *values; /* one for each item, or NULL: nobody wants them */
    mproc_values_options options;
    bool admitted;            /* as in struct map */
    _Atomic int64_t grace_ms; /* likewise */
    struct progress progress;
    uint64_t done;
};

/* Runs it, and waits for it: mproc_pool_map_values() with its checks made. */
mproc_status values_map_run(struct values_map *map);

/* MPROC_INVALID: there are callbacks, and the caller itself waits for the map. */
mproc_status async_map_refuse_callbacks(void);

/* MPROC_CANCELLED: somebody has stopped the map that the calling thread runs. */
mproc_status async_map_stopped(void);

/* The rest is for who has its result. False: a thread runs it, or it is finished. */
bool async_map_cancel(mproc_result *result, mproc_status status, const char *text);

/* mproc_result_stop() of a map that is not cancelled. */
mproc_status async_map_stop(mproc_result *result, int64_t grace_ms);

/* MPROC_BAD_STATE: the calling thread runs it, in a progress callback, and is about to wait for it. */
mproc_status async_map_check_waiter(const struct async_map *map);

/* What it has returned: the values, if it was over such. */
mproc_value async_map_view(const struct async_map *map);

/* With its result. NULL is fine. */
void async_map_free(struct async_map *map);

/* Waits until all are finished. MPROC_TIMEOUT, MPROC_INTERRUPTED. */
mproc_status async_maps_wait(mproc_pool *pool, int64_t deadline_ns);

/* When the pool is terminated: ends the threads, and with them all maps. */
void async_maps_end(mproc_pool *pool);

#endif
