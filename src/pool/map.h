/* One map: what is asked, how it is cut, how far it is. */
#ifndef MPROC_POOL_MAP_H
#define MPROC_POOL_MAP_H

#include "pool/pool.h"
#include "pool/progress.h"

struct item_range {
    size_t first;
    size_t count;
};

/* Items that were lost with their workers, and are to be begun again: chunks, in the array's order. */
struct lost_items {
    struct item_range *ranges;
    size_t count;
    size_t room;
};

struct map {
    mproc_pool *pool;
    struct job *job; /* its place, while it runs */
    mproc_item_function *item_function;
    mproc_item_loop *item_loop;
    mproc_range_function *range_function;
    const unsigned char *items;
    size_t item_size;
    unsigned char *results;
    size_t result_size;
    size_t first; /* of the items that are run now: of all, or of some that were lost */
    size_t count; /* of these */
    mproc_status *statuses;
    mproc_args args;
    bool admitted;            /* nobody waits for it, and it was given to the pool when that was open */
    _Atomic int64_t grace_ms; /* for workers that are to leave it, or GRACE_OF_POOL */
    struct progress progress;
    bool stops_at_failure;
    bool failed; /* it stops for that */

    bool copies_items;   /* they pass through the windows; else workers use them where they lie */
    bool copies_results; /* the same */
    bool in_place;       /* workers use an array of the caller's: it must not go before they have left it */
    size_t chunk;        /* items in a chunk */
    size_t window_items; /* items in a window but the last */
    uint64_t windows;
    uint64_t before; /* number of the last window before this map */
    size_t drained;  /* items whose results the caller has */
    size_t done;     /* of these, without those that were given up */
    uint32_t failures_seen;
    uint32_t retries;
    uint32_t lost_before; /* how often those that are run now were lost */
    struct lost_items lost;
    struct pool_failure failure; /* the first failure, in the array's order */
};

#define GRACE_OF_POOL (-1)

/* Checks what is asked, and cuts it: all that mproc_pool_map() says of a map that is not begun. */
mproc_status map_prepare(struct map *map, const struct mproc_map_request *request, const mproc_map_options *options);

/* Under the pool's mutex, of one that workers are to leave: until when, by its grace. */
void map_leave_by(struct map *map);

/* Runs it, and waits for it. */
mproc_status map_run(struct map *map);

#endif
