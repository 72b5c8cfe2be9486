/*
 * Maps: one function for each item of an array, by the workers of a pool (Python: map()).
 *
 *     mproc_check(mproc_map(pool, square, inputs, squares, 100, NULL));
 *
 * Maps over values of any kind, and over items that come one after the other, are in <mproc/iterator.h>.
 */
#ifndef MPROC_MAP_H
#define MPROC_MAP_H

#include <mproc/pool.h>
#include <mproc/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Computes one item: reads `*item`, writes `*result`. Both lie in memory of the worker, aligned to
 * the largest power of two that divides their size, up to 64 bytes (worker threads: they are the
 * caller's own arrays, with their alignment); they are valid until it returns.
 * Any status but MPROC_OK fails the item and skips the rest of its chunk.
 *
 * What it prints has left the worker's process before the map returns. A thread that ends in it (pthread_exit(),
 * ExitThread()) is a lost worker. What <mproc/call.h> says of functions that return holds here, too.
 */
typedef mproc_status mproc_item_function(const void *item, void *result, mproc_call *call);

/*
 * Computes `count` items, of which the first has the number `first` in the whole array: `items` and
 * `results` point to that first item and its result. For loops that the compiler should see whole.
 * Any status but MPROC_OK fails all of them.
 */
typedef mproc_status mproc_range_function(size_t first, size_t count, const void *items, void *results,
                                          mproc_call *call);

/* Zero in a field is its default. */
typedef struct mproc_map_options {
    /*
     * How many items a worker takes at a time, and how many fail together when a worker is lost.
     * Default: count / (32 * workers), rounded up (Python: 4). Private items reach worker processes through
     * windows of 2 MiB, or of two items for each worker if that is more and at most 64 MiB; there a chunk is at
     * most a window's items / (2 * workers), but at least 1 item. Arrays in shared memory (<mproc/shared.h>) are used
     * in place, by worker processes and threads alike.
     */
    size_t chunk_size;
    /*
     * If not NULL: the caller's array of `count` statuses, one for each item. MPROC_OK means that the item was done
     * and its result is there, whatever the map returns: a map that is refused writes its status to all of them,
     * unless the count cannot be, with which nothing is written. Ours.
     */
    mproc_status *statuses;
    /*
     * Arguments for every call of the function, which reads them with mproc_unpack(call, ...). Copied once, and read
     * in place by all workers; what a call takes out of them is valid until it returns. When all items are done,
     * nothing is kept of them. Default: none. Ours.
     */
    mproc_args args;
    /*
     * After a failure no further item is begun, those that run are to stop (`grace_ms` in mproc_pool_options), and
     * the map returns as soon as it may. Of the failures that are known then the first in the array's order is
     * returned; items that were not begun have the status MPROC_CANCELLED. One that was lost, and would be begun
     * again (`retries`), has not failed yet. Default: all items are run. Ours.
     */
    bool stop_at_failure;
    /*
     * How often items that were lost with their worker are begun again, up to 100 times: see mproc_task_options. That
     * is done when all others are, the items of a lost chunk one by one, so that at last only the one is lost that
     * ends its workers; of a function for ranges the chunk as it was. What they have written to `results`, or to
     * arrays in shared memory, may be there when they are begun again. Default: 0, an item is begun once at most.
     * Ours.
     */
    int64_t retries;
    /*
     * For mproc_pool_map_async() and mproc_pool_map_range_async() alone: called when the map is finished, the one
     * with the result's value, which is nil here, if all items were done, the other one otherwise. Default: none.
     */
    mproc_value_callback *callback;
    mproc_error_callback *error_callback;
    /* What all of them get as their last argument. */
    void *context;
    /*
     * Called while the map runs, at most `progress_per_second` times a second (default:
     * MPROC_PROGRESS_PER_SECOND_DEFAULT), and when it ends. Default: none. Ours.
     */
    mproc_progress_callback *progress;
    int64_t progress_per_second;
} mproc_map_options;

/*
 * Calls `function` for each of the `count` items of `item_size` bytes at `items`, and writes the
 * results of `result_size` bytes, in the same order, to `results` (Python: map()).
 *
 * Blocks until all items are done. The arrays are the caller's and may be any memory - that of a shared array is
 * used in place, without a copy -; neither may change meanwhile. `results` may be NULL if `result_size` is 0, `items`
 * if `item_size` is 0 or `count` is 0. Calls of several threads, up to 63, run
 * beside each other. One that ends early, because it was interrupted or the pool terminated, has its workers stop,
 * see `grace_ms` in mproc_pool_options. It waits for them 50 ms at most, and longer only where they are in the
 * caller's arrays: in shared memory, and in all of them if workers are threads.
 *
 * All chunks are run, whatever others return; results of items that failed are undefined.
 * Returns MPROC_OK, or the status of the first item, in the array's order, that failed, with
 * mproc_last_error_text() as the function left it and the worker's name:
 *   MPROC_WORKER_LOST  the worker ended while it worked on the item's chunk, the last time that this was begun; the
 *                      text says who and how. Or, of no item: no worker is left, and many in a row ended before they
 *                      were ready, or a hundred while nothing was finished; the text says how. The next map tries
 *                      again, if that happens in a row after a rest of 10 to 640 ms
 *   MPROC_TERMINATED   the pool was terminated meanwhile
 *   MPROC_INTERRUPTED  mproc_interrupt() was called; no further items are begun
 *   any other          what the function returned
 * or, with nothing begun:
 *   MPROC_INVALID       a NULL address, a size of 0 for data that is there, an item above 64 MiB, an array that
 *                       is larger than memory can be, `retries` that are not between 0 and 100, a progress callback
 *                       that is called too often, or arguments that cannot be, see mproc_value_copy()
 *   MPROC_CLOSED        the pool was closed or terminated, or an argument is a copied value of an object
 *                       that is gone
 *   MPROC_BAD_FUNCTION  `function` lies in no module that a worker could open
 *   MPROC_BAD_STATE     the calling thread is a worker of this pool, and might wait for itself
 *   MPROC_NO_MEMORY     there is no room for the window through which items pass
 * or, with some items done perhaps:
 *   what the initializer returned, if no worker is left
 *   MPROC_NO_GUARD      no worker is left, and they do not come to mproc_main_guard(): the program's main() does not
 *                       call it
 *   MPROC_MISMATCH      the same: the workers have another version or copy of the library
 *   what mproc_process_start() returns for a worker that takes the place of one that has ended
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_map(mproc_pool *pool, mproc_item_function *function,
                                                          const void *items, size_t item_size, void *results,
                                                          size_t result_size, size_t count,
                                                          const mproc_map_options *options);

/* As mproc_pool_map(), with a function that computes a range of items at a time. Ours. */
MPROC_NODISCARD static inline mproc_status mproc_pool_map_range(mproc_pool *pool, mproc_range_function *function,
                                                                const void *items, size_t item_size, void *results,
                                                                size_t result_size, size_t count,
                                                                const mproc_map_options *options);

/*
 * The same for a caller that does not wait (Python: map_async()). The arrays, `statuses` too, must stay, and not
 * change, until the map is finished, as the result or a callback says; arguments are copied. The result has no value;
 * it is the failure that mproc_pool_map() would return. mproc_result_cancel() takes the map back until a thread runs
 * it, and mproc_result_stop() stops it at any time: it is finished when no worker is in the arrays any more.
 * mproc_interrupt() does not concern it.
 *
 * Does not block. `*out` is the caller's: mproc_result_free(). `out` may be NULL. Up to 63 run beside each other.
 *
 * Returns MPROC_OK, or, with nothing submitted and `*out` unchanged, MPROC_INVALID, MPROC_CLOSED or MPROC_NO_MEMORY
 * as mproc_pool_map(), or MPROC_LIMIT: the system starts no thread that runs the map, or calls its callbacks. All
 * else is said by the result.
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_map_async(mproc_pool *pool, mproc_item_function *function,
                                                                const void *items, size_t item_size, void *results,
                                                                size_t result_size, size_t count,
                                                                const mproc_map_options *options, mproc_result **out);

/* As mproc_pool_map_async(), with a function that computes a range of items at a time. Ours. */
MPROC_NODISCARD static inline mproc_status
mproc_pool_map_range_async(mproc_pool *pool, mproc_range_function *function, const void *items, size_t item_size,
                           void *results, size_t result_size, size_t count, const mproc_map_options *options,
                           mproc_result **out);

/*
 * mproc_pool_map() and mproc_pool_map_range() with the sizes of what `items` and `results` point to:
 *
 *     mproc_map(pool, square, inputs, squares, 100, NULL)
 *
 * Either may be NULL (in C++: nullptr), with nothing to read or to write. A pointer to void has no size: name it with
 * mproc_pool_map(). Ours.
 */
#ifndef __cplusplus
#define mproc_map(pool, function, items, results, ...) \
    mproc_pool_map((pool), (function), (items), MPROC_SIZE_AT(items), (results), MPROC_SIZE_AT(results), __VA_ARGS__)
#define mproc_map_range(pool, function, items, results, ...)                                                   \
    mproc_pool_map_range((pool), (function), (items), MPROC_SIZE_AT(items), (results), MPROC_SIZE_AT(results), \
                         __VA_ARGS__)
#define mproc_map_async(pool, function, items, results, ...)                                                   \
    mproc_pool_map_async((pool), (function), (items), MPROC_SIZE_AT(items), (results), MPROC_SIZE_AT(results), \
                         __VA_ARGS__)
#endif

/* ---- what the inline functions above call; not for direct use ------------------------------ */

#ifndef __cplusplus
/* The size of what `pointer` points to; 0 if that is void, as of NULL. */
#define MPROC_SIZE_AT(pointer) \
    (sizeof *_Generic((pointer), void *: (char *)0, const void *: (const char *)0, default: (pointer)) * \
     _Generic((pointer), void *: (size_t)0, const void *: (size_t)0, default: (size_t)1))
#endif

/*
 * A number of items that a worker computes in a row: from `item` on, with the result at `result`; these are numbers,
 * as nothing may lie there. `*attention` points to a word that is not 0 when the library has something to do, and so
 * does `asked`.
 */
struct mproc_item_run {
    uintptr_t item;
    size_t item_size;
    size_t left; /* not done yet */
    uintptr_t result;
    size_t result_size;
    const void *const *attention;
    const void *asked;
    mproc_call *call;
};

typedef mproc_status mproc_item_loop(mproc_item_function *function, struct mproc_item_run *run);

/*
 * Calls the function for one item after the other, until one fails or the library has something to do, and returns
 * the status of the last. Called by workers. Here, and not in the library, because some processors need twice as long
 * for a short function when it is called from another module.
 */
static inline mproc_status mproc_items_run(mproc_item_function *function, struct mproc_item_run *run)
{
    uintptr_t item = run->item, result = run->result;
    size_t left = run->left;
    mproc_status status;

    do {
        status = function(MPROC_POINTER_(const void *, item), MPROC_POINTER_(void *, result), run->call);
        if (status != MPROC_OK) break;
        item += run->item_size;
        result += run->result_size;
    } while (--left > 0 && (*MPROC_CAST_(const volatile uint64_t *, *run->attention) |
                            *MPROC_CAST_(const volatile uint64_t *, run->asked)) == 0);
    run->item = item;
    run->result = result;
    run->left = left;
    return status;
}

/* A map. One of `item_function` and `range_function` is NULL; with the first `item_loop` is mproc_items_run(). */
struct mproc_map_request {
    mproc_item_function *item_function;
    mproc_item_loop *item_loop;
    mproc_range_function *range_function;
    const void *items;
    size_t item_size;
    void *results;
    size_t result_size;
    size_t count;
};

MPROC_API mproc_status mproc_pool_map_sized(mproc_pool *pool, const struct mproc_map_request *request,
                                            const mproc_map_options *options, size_t options_size);

MPROC_API mproc_status mproc_pool_map_async_sized(mproc_pool *pool, const struct mproc_map_request *request,
                                                  const mproc_map_options *options, size_t options_size,
                                                  mproc_result **out);

static inline mproc_status mproc_pool_map(mproc_pool *pool, mproc_item_function *function, const void *items,
                                          size_t item_size, void *results, size_t result_size, size_t count,
                                          const mproc_map_options *options)
{
    struct mproc_map_request request = {function,  mproc_items_run, NULL,        items,
                                        item_size, results,         result_size, count};

    return mproc_pool_map_sized(pool, &request, options, sizeof(mproc_map_options));
}

static inline mproc_status mproc_pool_map_range(mproc_pool *pool, mproc_range_function *function, const void *items,
                                                size_t item_size, void *results, size_t result_size, size_t count,
                                                const mproc_map_options *options)
{
    struct mproc_map_request request = {NULL, NULL, function, items, item_size, results, result_size, count};

    return mproc_pool_map_sized(pool, &request, options, sizeof(mproc_map_options));
}

static inline mproc_status mproc_pool_map_async(mproc_pool *pool, mproc_item_function *function, const void *items,
                                                size_t item_size, void *results, size_t result_size, size_t count,
                                                const mproc_map_options *options, mproc_result **out)
{
    struct mproc_map_request request = {function,  mproc_items_run, NULL,        items,
                                        item_size, results,         result_size, count};

    return mproc_pool_map_async_sized(pool, &request, options, sizeof(mproc_map_options), out);
}

static inline mproc_status mproc_pool_map_range_async(mproc_pool *pool, mproc_range_function *function,
                                                      const void *items, size_t item_size, void *results,
                                                      size_t result_size, size_t count,
                                                      const mproc_map_options *options, mproc_result **out)
{
    struct mproc_map_request request = {NULL, NULL, function, items, item_size, results, result_size, count};

    return mproc_pool_map_async_sized(pool, &request, options, sizeof(mproc_map_options), out);
}

#ifdef __cplusplus
}

/* Returns the size of what an address points to; of nullptr it is 0. */
template <class Item> constexpr size_t mproc_size_at(const Item *)
{
    return sizeof(Item);
}

constexpr size_t mproc_size_at(decltype(nullptr))
{
    return 0;
}

/* A map that takes the sizes from the types: as the macro of this name in C, with options of either form. */
template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map(mproc_pool *pool, mproc_item_function *function, const Items &items,
                                       Results &&results, size_t count, const mproc_map_options *options)
{
    return mproc_pool_map(pool, function, items, mproc_size_at(items), results, mproc_size_at(results), count,
                          options);
}

template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map(mproc_pool *pool, mproc_item_function *function, const Items &items,
                                       Results &&results, size_t count, const mproc_map_options &options)
{
    return mproc_map(pool, function, items, results, count, &options);
}

/* For a caller that does not wait. */
template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map_async(mproc_pool *pool, mproc_item_function *function, const Items &items,
                                             Results &&results, size_t count, const mproc_map_options *options,
                                             mproc_result **out)
{
    return mproc_pool_map_async(pool, function, items, mproc_size_at(items), results, mproc_size_at(results), count,
                                options, out);
}

template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map_async(mproc_pool *pool, mproc_item_function *function, const Items &items,
                                             Results &&results, size_t count, const mproc_map_options &options,
                                             mproc_result **out)
{
    return mproc_map_async(pool, function, items, results, count, &options, out);
}

/* The same for a function of a range of items: as the macro of this name in C. */
template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map_range(mproc_pool *pool, mproc_range_function *function, const Items &items,
                                             Results &&results, size_t count, const mproc_map_options *options)
{
    return mproc_pool_map_range(pool, function, items, mproc_size_at(items), results, mproc_size_at(results), count,
                                options);
}

template <class Items, class Results>
MPROC_NODISCARD mproc_status mproc_map_range(mproc_pool *pool, mproc_range_function *function, const Items &items,
                                             Results &&results, size_t count, const mproc_map_options &options)
{
    return mproc_map_range(pool, function, items, results, count, &options);
}
#endif

#endif
