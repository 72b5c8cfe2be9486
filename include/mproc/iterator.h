/*
 * Iterators: the results of tasks for items that come one after the other (Python: imap(), imap_unordered()), and
 * maps over values (Python: map() and starmap() with any arguments).
 *
 *     mproc_iterator *iterator;
 *     mproc_value word;
 *     mproc_check(mproc_pool_imap(pool, translate, next_line, file, NULL, &iterator));
 *     while ((status = mproc_iterator_next(iterator, &word, MPROC_FOREVER)) == MPROC_OK) {
 *         puts(mproc_value_string(word));
 *         mproc_value_clear(&word);
 *     }
 *     if (status != MPROC_END) ...
 *     mproc_iterator_free(iterator);
 */
#ifndef MPROC_ITERATOR_H
#define MPROC_ITERATOR_H

#include <mproc/pool.h>
#include <mproc/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_iterator mproc_iterator;

/*
 * Where items come from: called by mproc_iterator_next(), in its thread, for the next one. It writes that to `*item`,
 * of which a copy is made before it is called again, and returns MPROC_OK; or MPROC_END: there are no more. Any other
 * status comes out of the iterator, with its text, in the item's place, and is the last: the source is not called
 * again. In C++ no exception may leave it.
 */
typedef mproc_status mproc_source_function(void *context, mproc_value *item);

/* Zero in a field is its default. */
typedef struct mproc_iterator_options {
    /* Results come as they are finished, and not in the order of the items (Python: imap_unordered()). */
    bool unordered;
    /*
     * Each item is a list, or a map, of the arguments of the function (Python: starmap()), and not its one argument.
     */
    bool unpack;
    /*
     * So many items are given to the pool before the first of them is taken out of the iterator; the source is never
     * asked for more. Default: 64, or four for each worker if that is more. (Python's takes all at once, up to 3.14.)
     */
    size_t in_flight;
    /* How often an item is begun again that was lost with its worker: see mproc_task_options. Ours. */
    int64_t retries;
} mproc_iterator_options;

/*
 * Makes an iterator over what `function` returns for the items of a source (Python: imap()). Nothing is begun before
 * the first mproc_iterator_next().
 *
 * Does not block. `*out` is the caller's: mproc_iterator_free(), before the pool is freed.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    an address is NULL, more than 1,048,576 items are to be in flight, or `retries` is not between 0
 *                    and 100
 *   MPROC_NO_MEMORY  there is none for the iterator
 *   MPROC_FORKED     this process is a fork() copy
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_imap(mproc_pool *pool, mproc_function *function,
                                                           mproc_source_function *source, void *context,
                                                           const mproc_iterator_options *options,
                                                           mproc_iterator **out);

/*
 * Gives items to the pool until enough are in flight, and waits for the next result (Python: next(),
 * IMapIterator.next()). Blocks at most `timeout_ms` milliseconds, not counting the source. `*value` is the caller's:
 * mproc_value_clear(). `value` may be NULL.
 *
 * Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_END          there are no more
 *   MPROC_TIMEOUT      the next result is not there; it comes with a later call
 *   MPROC_INTERRUPTED  mproc_interrupt() was called; likewise
 *   MPROC_INVALID      `timeout_ms` is negative: MPROC_FOREVER is no limit, and 0 only looks
 *   MPROC_BAD_STATE    the calling thread is a worker of the pool, and might wait for itself
 * or what became of the item whose turn it is; those that follow come all the same:
 *   what mproc_pool_apply_async() and mproc_result_get() return of it, or, as the last one, what the source has
 *   returned
 *
 * A task that returns MPROC_END itself comes out as MPROC_BAD_STATE, with a text that says so, as nobody could tell.
 *
 * One thread at a time may call this, and not the source; it may be another each time.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_iterator_next(mproc_iterator *iterator, mproc_value *value,
                                                           int64_t timeout_ms);

/*
 * Returns how many results came out so far, failures too, and that of the source. If it grows, what
 * mproc_iterator_next() has returned was an item's; else it was the call's own: so a task that returns MPROC_TIMEOUT
 * is told from a wait that was too short. Does not block. By the thread that calls mproc_iterator_next(). Ours.
 */
MPROC_API uint64_t mproc_iterator_taken(const mproc_iterator *iterator);

/*
 * Frees the iterator. Items in flight that no worker has begun are cancelled, and the others are to stop: see
 * `grace_ms` in mproc_pool_options. NULL is fine. Does not block.
 */
MPROC_API void mproc_iterator_free(mproc_iterator *iterator);

/* Zero in a field is its default. */
typedef struct mproc_values_options {
    /* As in mproc_iterator_options: with it, mproc_pool_map_values() is Python's starmap(). */
    bool unpack;
    /*
     * If not NULL: the caller's array of `count` statuses, one for each item. MPROC_OK means that the item was done
     * and its value is there, whatever the map returns. Ours.
     */
    mproc_status *statuses;
    /*
     * After a failure no further item is begun, and those that run are to stop: see mproc_map_options. Default: all
     * items are run. Ours.
     */
    bool stop_at_failure;
    /* How often an item is begun again that was lost with its worker: see mproc_task_options. Ours. */
    int64_t retries;
    /* For mproc_pool_map_values_async() alone: see mproc_map_options. */
    mproc_value_callback *callback;
    mproc_error_callback *error_callback;
    void *context;
    /* Likewise; an item is done here when the map has taken out what became of it. Ours. */
    mproc_progress_callback *progress;
    int64_t progress_per_second;
} mproc_values_options;

/*
 * Calls `function` for each of the `count` values at `items`, as a task of its own, and writes what they return to
 * `values`, in the same order (Python: map(), starmap()). `values` may be NULL. Those of items that failed are nil.
 *
 * Blocks until all items are done, of which all are run, whatever others return. The values are the caller's:
 * mproc_value_clear() each.
 *
 * Returns MPROC_OK, or the status of the first item, in the array's order, that failed, with its text, as
 * mproc_result_get(); or, with the values of what was done before the caller's:
 *   MPROC_INVALID      an address is NULL and `count` is not 0, or a progress callback is to be called too often
 *   MPROC_INTERRUPTED  mproc_interrupt() was called; items that no worker has begun are cancelled
 *   MPROC_BAD_STATE    the calling thread is a worker of this pool, and might wait for itself
 *   what mproc_pool_imap() returns
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_map_values(mproc_pool *pool, mproc_function *function,
                                                                 const mproc_value *items, size_t count,
                                                                 mproc_value *values,
                                                                 const mproc_values_options *options);

/*
 * The same for a caller that does not wait (Python: map_async(), starmap_async()). The items are copied. The result's
 * value is the list of all values, those of items that failed nil; if one has failed, the result is that failure
 * instead. It is of no worker: mproc_result_cancel() takes the map back until a thread runs it, and
 * mproc_result_stop() stops it at any time.
 *
 * Does not block. `*out` is the caller's: mproc_result_free(). `out` may be NULL. `statuses` must stay until the map
 * is finished.
 *
 * Returns MPROC_OK, or, with nothing submitted and `*out` unchanged:
 *   MPROC_INVALID    `function` is NULL, `items` is NULL and the count is not 0, `retries` is not between 0 and 100,
 *                    an item cannot be copied, see mproc_value_copy(), or a progress callback is to be called too
 *                    often
 *   MPROC_CLOSED     the pool was closed or terminated, or an item is an object that has been freed
 *   MPROC_LIMIT      the system starts no thread that runs the map, or calls its callbacks
 *   MPROC_NO_MEMORY
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_map_values_async(mproc_pool *pool, mproc_function *function,
                                                                       const mproc_value *items, size_t count,
                                                                       const mproc_values_options *options,
                                                                       mproc_result **out);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_pool_map_values_async_sized(mproc_pool *pool, mproc_function *function,
                                                         const mproc_value *items, size_t count,
                                                         const mproc_values_options *options, size_t options_size,
                                                         mproc_result **out);

static inline mproc_status mproc_pool_map_values_async(mproc_pool *pool, mproc_function *function,
                                                       const mproc_value *items, size_t count,
                                                       const mproc_values_options *options, mproc_result **out)
{
    return mproc_pool_map_values_async_sized(pool, function, items, count, options, sizeof(mproc_values_options),
                                             out);
}

MPROC_API mproc_status mproc_pool_imap_sized(mproc_pool *pool, mproc_function *function,
                                             mproc_source_function *source, void *context,
                                             const mproc_iterator_options *options, size_t options_size,
                                             mproc_iterator **out);

MPROC_API mproc_status mproc_pool_map_values_sized(mproc_pool *pool, mproc_function *function,
                                                   const mproc_value *items, size_t count, mproc_value *values,
                                                   const mproc_values_options *options, size_t options_size);

static inline mproc_status mproc_pool_map_values(mproc_pool *pool, mproc_function *function, const mproc_value *items,
                                                 size_t count, mproc_value *values,
                                                 const mproc_values_options *options)
{
    return mproc_pool_map_values_sized(pool, function, items, count, values, options, sizeof(mproc_values_options));
}

static inline mproc_status mproc_pool_imap(mproc_pool *pool, mproc_function *function, mproc_source_function *source,
                                           void *context, const mproc_iterator_options *options, mproc_iterator **out)
{
    return mproc_pool_imap_sized(pool, function, source, context, options, sizeof(mproc_iterator_options), out);
}

#ifdef __cplusplus
}

MPROC_NODISCARD static inline mproc_status mproc_pool_imap(mproc_pool *pool, mproc_function *function,
                                                           mproc_source_function *source, void *context,
                                                           const mproc_iterator_options &options,
                                                           mproc_iterator **out)
{
    return mproc_pool_imap_sized(pool, function, source, context, &options, sizeof options, out);
}

MPROC_NODISCARD static inline mproc_status mproc_pool_map_values(mproc_pool *pool, mproc_function *function,
                                                                 const mproc_value *items, size_t count,
                                                                 mproc_value *values,
                                                                 const mproc_values_options &options)
{
    return mproc_pool_map_values_sized(pool, function, items, count, values, &options, sizeof options);
}

MPROC_NODISCARD static inline mproc_status mproc_pool_map_values_async(mproc_pool *pool, mproc_function *function,
                                                                       const mproc_value *items, size_t count,
                                                                       const mproc_values_options &options,
                                                                       mproc_result **out)
{
    return mproc_pool_map_values_async_sized(pool, function, items, count, &options, sizeof options, out);
}
#endif

#endif
