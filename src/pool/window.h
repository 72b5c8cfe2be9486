/* An open window: taking it in, claiming its chunks, and knowing when it is complete. */
#ifndef MPROC_POOL_WINDOW_H
#define MPROC_POOL_WINDOW_H

#include "pool/layout.h"

/* A consistent copy of a window, with addresses of this process. */
struct window_view {
    struct pool_shared *shared;
    struct pool_job *job;
    uint64_t number;
    uint64_t first;
    uint64_t items;
    uint64_t chunk;
    uint64_t chunks;
    uint64_t regions;
    uint64_t lost;
    _Atomic uint64_t *words;
    struct chunk_outcome *outcomes;
    const unsigned char *inputs;
    unsigned char *results;
};

/* False: the window of this place is not open any more. */
bool window_view(struct pool_shared *shared, struct pool_job *job, uint64_t number, struct window_view *view);

/* Claims a chunk. False: somebody has it, or the window is over. */
static inline bool window_claim(const struct window_view *view, uint64_t chunk, uint32_t owner)
{
    uint64_t seen = atomic_load_explicit(&view->words[chunk], memory_order_relaxed);

    return seen >> CHUNK_WINDOW_SHIFT < view->number &&
           atomic_compare_exchange_strong_explicit(&view->words[chunk], &seen,
                                                   chunk_word(view->number, owner, CHUNK_CLAIMED),
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Ends the claim: the results are visible to whoever sees the word. */
static inline void window_finish(const struct window_view *view, uint64_t chunk, uint32_t owner,
                                 enum chunk_state state)
{
    atomic_store_explicit(&view->words[chunk], chunk_word(view->number, owner, state), memory_order_release);
}

/* Where a worker's region begins, and the one before it ends; those of workers that came later are empty. */
static inline uint64_t window_region(const struct window_view *view, uint32_t worker)
{
    return worker < view->regions ? view->chunks * worker / view->regions : view->chunks;
}

/* Publishes how many chunks a worker has finished, and wakes the caller of map if that completes the window. */
void window_leave(const struct window_view *view, uint32_t worker, uint64_t finished);

/* Whether all chunks of the window are finished. */
bool window_complete(const struct window_view *view);

/*
 * Has the caller of map look for reasons to stop. It does not trust the word that says
 * whether the caller sleeps: a worker may have cleared it and have been killed before it could wake.
 */
void window_alarm(struct pool_job *job);

/*
 * By the pool's owner, after a worker's death: its claimed chunks fail with this outcome, and
 * its count is made good from the chunk words. `*done` is raised by what was finished and not counted. Returns the
 * number of the first item that was lost, or UINT64_MAX.
 */
uint64_t window_fail_lost(const struct window_view *view, uint32_t worker, int32_t outcome, uint64_t *done);

/* By the caller of map: claims all that is left, and fails it with `status`. */
void window_give_up(const struct window_view *view, mproc_status status);

#endif
