/* How far a map is, told to its creator from time to time. */
#ifndef MPROC_POOL_PROGRESS_H
#define MPROC_POOL_PROGRESS_H

#include <stdbool.h>

#include <mproc/progress.h>
#include <mproc/status.h>

/* Of one map, and of the thread that runs it. Without a callback `next_ns` is PLAT_FOREVER. */
struct progress {
    mproc_progress_callback *callback;
    void *context;
    uint64_t done;
    uint64_t total;
    int64_t begin_ns;
    int64_t interval_ns;
    int64_t next_ns;
};

/* Checks what is asked. MPROC_INVALID. */
mproc_status progress_check(uint32_t per_second);

/* The map begins now. `callback` may be NULL. */
void progress_begin(struct progress *progress, mproc_progress_callback *callback, uint32_t per_second, void *context,
                    uint64_t total);

/* Whether it is time to tell again. */
bool progress_is_due(const struct progress *progress);

/* Tells how much is done: if somebody wants to know. */
void progress_tell(struct progress *progress, uint64_t done);

#endif
