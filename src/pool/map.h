/* One map: what is asked, how it is cut, how far it is. */
#ifndef MPROC_POOL_MAP_H
#define MPROC_POOL_MAP_H

#include "pool/pool.h"

struct map {
    mproc_pool *pool;
    mproc_item_function *item_function;
    mproc_range_function *range_function;
    const unsigned char *items;
    size_t item_size;
    unsigned char *results;
    size_t result_size;
    size_t count;
    mproc_status *statuses;
    mproc_args args;

    bool copies_items;   /* they pass through the windows; else workers use them where they lie */
    bool copies_results; /* the same */
    bool in_place;       /* workers use an array of the caller's: it must not go before they have left it */
    size_t chunk;        /* items in a chunk */
    size_t window_items; /* items in a window but the last */
    uint64_t windows;
    uint64_t before; /* number of the last window before this map */
    size_t drained;  /* items whose results the caller has */
    uint32_t failures_seen;
    struct pool_failure failure; /* the first failure, in the array's order */
};

/* Checks what is asked and decides on chunks and windows. MPROC_INVALID. */
mproc_status plan_map(struct map *map, const mproc_map_options *options);

/* Makes the two places large enough. MPROC_NO_MEMORY. */
mproc_status place_prepare(struct map *map);

/* Fills a place with the map's window `index` (from 0), and opens it under the number `number`. */
void place_open(struct map *map, uint64_t index, uint64_t number);

/*
 * Waits until the window in the place is complete. MPROC_INTERRUPTED or MPROC_TERMINATED, or why the
 * pool is broken: then it may or may not be complete.
 */
mproc_status place_wait(mproc_pool *pool, struct pool_place *place);

/* Nothing of what is open is begun any more; what was not begun fails with this status. */
void place_give_up(mproc_pool *pool, mproc_status status);

/* Waits, whatever happens, until workers have done with the window that was given up. */
void place_wait_until_left(mproc_pool *pool, struct pool_place *place);

/* Takes the results out of a complete window, and notes its failures. */
void place_drain(struct map *map, struct pool_place *place);

/* The same of a window that was given up: takes out what is done. Workers may still be in some of its chunks. */
void place_drain_done(struct map *map, struct pool_place *place);

/* Closes both windows, so that nobody is looking at the job while it is replaced. */
void place_close_all(struct mproc_pool *pool);

#endif
