/*
 * How far a map is, for whoever wants to show it: see `progress` in mproc_map_options and mproc_values_options, and
 * examples/progress.c. Ours.
 */
#ifndef MPROC_PROGRESS_H
#define MPROC_PROGRESS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Callbacks are called at most so often a second. */
#define MPROC_PROGRESS_PER_SECOND_DEFAULT 10
#define MPROC_PROGRESS_PER_SECOND_MAX 1000

typedef struct mproc_progress {
    uint64_t done; /* items that are done, or have failed: it grows by whole chunks, and never falls */
    uint64_t total;
    int64_t elapsed_ms; /* since the map began */
    double rate;        /* items per second, since the map began */
    int64_t left_ms;    /* what the rest takes at this rate, INT64_MAX at most; -1: nothing is done yet */
} mproc_progress;

/*
 * Called while a map runs, in the thread that runs it: the caller of one that waits, a thread of the pool for others.
 * While it runs, items that pass through windows wait for that thread, so it should not take long. It may do
 * everything, map on the same pool too, but neither join the pool nor wait for its own map, which is refused with
 * MPROC_BAD_STATE, nor free the pool, nor end its thread. In C++ no exception may leave it. An interrupt that ends a
 * wait of the callback ends the map, too, and so does mproc_result_stop().
 *
 * A map that was begun calls it a last time when it ends, with what was done; one that is refused, or ends before it
 * is begun, does not.
 */
typedef void mproc_progress_callback(const mproc_progress *progress, void *context);

#ifdef __cplusplus
}
#endif

#endif
