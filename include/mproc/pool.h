/*
 * Pools: a number of workers that run tasks, and share out the items of arrays (Python: Pool, and on threads
 * multiprocessing.dummy.Pool).
 *
 *     mproc_pool *pool;
 *     mproc_check(mproc_pool_create(&(mproc_pool_options){ .workers = 4 }, &pool));
 *     mproc_check(mproc_map(pool, square, inputs, squares, 100, NULL));
 *     mproc_pool_free(pool);
 *
 * What <mproc/process.h> says once for all functions is said for these, too. Any thread of the process that created
 * a pool may use it. A worker thread must neither join nor free its own pool, as it would wait for itself for ever,
 * and is refused when it maps on it or waits for its tasks. A task may have a pool of its own.
 */
#ifndef MPROC_POOL_H
#define MPROC_POOL_H

#include <mproc/process.h>
#include <mproc/result.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_pool mproc_pool;

/* What a pool's workers are. */
typedef enum mproc_worker_kind {
    MPROC_PROCESSES = 0, /* daemon processes, "PoolWorker-1" and so on */
    /*
     * Threads of this process: no copies, no isolation. They have the signal mask of the thread that has created the
     * pool (those that are started when work comes: of the one that has given it), and what a task starts by itself
     * (fork(), system()) inherits that.
     */
    MPROC_THREADS = 1
} mproc_worker_kind;

/* Zero in a field is its default. */
typedef struct mproc_pool_options {
    /* Number of workers, at most 4,096. Default: mproc_cpu_count(). */
    int workers;
    /* Default: MPROC_PROCESSES. */
    mproc_worker_kind kind;
    /*
     * Runs in each worker before its first task, with these arguments (Python: initializer, initargs). The objects
     * that it unpacks, and what it keeps with mproc_call_set_state(), are there for all tasks of the worker. If it
     * fails, the worker ends, and no other is started until the next map or task; those that run go on. Without
     * any, maps and tasks return its status and its text.
     */
    mproc_function *initializer;
    mproc_args initializer_args;
    /*
     * Runs in each worker after its last task, with no arguments, to give back what the initializer has made; not in
     * one that is lost, nor in a process that is terminated. Its status is of no consequence. Ours.
     */
    mproc_function *finalizer;
    /*
     * A worker that has run so many tasks ends, and another takes its place, with a new initializer (Python:
     * maxtasksperchild). A chunk of a map is one task. Default: no limit.
     */
    int64_t max_tasks;
    /*
     * Workers are not started with the pool, but when there is work for them: one for each task that finds none
     * without work, and as many for a map as it has chunks (Python: ProcessPoolExecutor). Whoever gives the work
     * starts them, which takes as long as mproc_process_start(); if none can be, the task or the map fails. Ours.
     */
    bool lazy;
    /*
     * A worker that has had nothing to do for so many milliseconds ends, after its finalizer; when there is work
     * again, another one is started. None ends while a map runs. Default: no limit. Ours.
     */
    int64_t idle_timeout_ms;
    /*
     * With one of the last two: so many workers are there whether there is work or not. Default: 0, so that a pool
     * without work costs nothing. Ours.
     */
    int workers_min;
    /* So many workers mproc_pool_resize() may ask for; each takes 2 KiB. Default: `workers`. Ours. */
    int workers_max;
    /*
     * A worker process that has more bytes of memory for itself ends after its task or chunk, and another takes its
     * place, as with max_tasks: for tasks that leak. What it shares with others does not count. It looks after its
     * first task, and then at most every 10 ms. Default: no limit. Ours.
     */
    int64_t max_memory_bytes;
    /*
     * Each worker stays on one CPU: worker number 0 on the first of those that the thread that creates the pool may
     * use (Windows: the process), and so on, counted round. On Linux that goes for what its tasks start, too. Ours.
     */
    bool pinned;
    /*
     * How many milliseconds workers have to come back from what was given up: a map or mproc_pool_apply() that was
     * interrupted, a map that stops at a failure, an iterator that was freed. They are asked to stop at once
     * (mproc_call_stop_requested()), no further item is begun, and a process that is still in one then is killed and
     * replaced. Threads cannot be ended: they are asked alone. MPROC_FOREVER: so are processes. Default: 1,000, and
     * 50 for maps in arrays in shared memory, whose caller waits until no worker is in them any more. Ours.
     */
    int64_t grace_ms;
} mproc_pool_options;

/*
 * Creates a pool and starts its workers (Python: Pool()), unless they come with work. Does not wait until they are
 * ready.
 *
 * `*out` is the caller's: mproc_pool_free(). A worker that ends is replaced: a process by this process' reaper
 * thread. Successors have the CPUs, the policy and the nice value of the thread that called this.
 *
 * Returns MPROC_OK, or, with `*out` unchanged and no worker left:
 *   MPROC_INVALID       `out` is NULL, an option is negative or above its limit, or there are arguments for no
 *                       initializer, or such that cannot be, see mproc_value_copy()
 *   MPROC_BAD_FUNCTION  the initializer or the finalizer lies in no module that a worker could open
 *   MPROC_CLOSED        an argument is a copied value of an object that is gone
 *   MPROC_NO_MEMORY     there is no room for the pool
 *   what mproc_process_start() returns for a worker, or MPROC_LIMIT: the system starts no more threads
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_create(const mproc_pool_options *options, mproc_pool **out);

/* Zero in a field is its default. */
typedef struct mproc_task_options {
    /* Called with what the task has returned, or, with the other one, with what it failed for. Default: none. */
    mproc_value_callback *callback;
    mproc_error_callback *error_callback;
    /* What both get as their last argument. */
    void *context;
    /*
     * How many milliseconds the task may take from the moment at which a worker begins it. After the first it is
     * asked to stop, and what it returns counts: mproc_call_stop_requested() says so, mproc_interrupted() once, and
     * what it waits for ends with MPROC_INTERRUPTED. After the second its result is MPROC_TIMEOUT, and its worker, if
     * that is a process, is killed and replaced; a thread is asked to stop, and does nothing else until the function
     * returns. Default: no limits. Ours.
     */
    int64_t soft_limit_ms;
    int64_t hard_limit_ms;
    /*
     * How often the task is begun again, up to 100 times, if its worker is lost with it: killed, crashed, or ended by
     * what the task has called. Then a task has run more than once, in part or but for its end, and is to bear that;
     * mproc_call_attempt() tells it. It is begun as soon as there is a worker, with the arguments as they were and
     * with all of its time limits. What it returns or fails with is never a reason, nor are a hard limit, a stop and
     * the end of the pool. Default: 0, a task is begun once at most. Ours.
     */
    int64_t retries;
} mproc_task_options;

/*
 * Has a worker call `function` with these arguments, which are copied (Python: apply_async()). Tasks are begun
 * nearly in the order in which one thread submits them: a worker reserves some short ones at a time. One that takes
 * long, or for ever, holds up none of the others, as long as another worker is free. With worker processes the module
 * in which the function lies stays in this one for good, too. Maps run beside them.
 *
 * Does not block. `*out` is the caller's: mproc_result_free(). `out` may be NULL: then nobody waits for the task.
 * What is said of the function of a map about output, threads that end and what is left behind holds here, too.
 *
 * Returns MPROC_OK, or, with nothing submitted and `*out` unchanged:
 *   MPROC_INVALID       `function` is NULL, a time limit is negative or above 73 years, `retries` is not between 0
 *                       and 100, or the arguments cannot be copied, see mproc_value_copy()
 *   MPROC_CLOSED        the pool was closed or terminated, or an argument is an object that has been freed
 *   MPROC_BAD_FUNCTION  `function` lies in no module that a worker could open
 *   MPROC_LIMIT         some four million tasks of the pool are not finished, its tasks call more than 1,024
 *                       functions, or the system starts no thread for callbacks or time limits
 *   MPROC_NO_MEMORY
 *   what mproc_pool_map() says if no worker is left
 */
MPROC_NODISCARD static inline mproc_status mproc_pool_apply_async(mproc_pool *pool, mproc_function *function,
                                                                  mproc_args args, const mproc_task_options *options,
                                                                  mproc_result **out);

/*
 * Has a worker call `function` with these arguments, and waits for what it returns (Python: apply()). `*value` is the
 * caller's: mproc_value_clear(). `value` may be NULL.
 *
 * Blocks until the task is finished. Returns what mproc_pool_apply_async() and mproc_result_get() return, with
 * `*value` unchanged if that is not MPROC_OK, or:
 *   MPROC_BAD_STATE    the calling thread is a worker of this pool, and might wait for itself
 *   MPROC_INTERRUPTED  mproc_interrupt() was called; the task is not begun any more, or is to stop: see `grace_ms` in
 *                      mproc_pool_options
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_pool_apply(mproc_pool *pool, mproc_function *function, mproc_args args,
                                                        mproc_value *value);

/*
 * Takes no more work; workers end when what was submitted and begun is done (Python: close()). Does not block.
 */
MPROC_API void mproc_pool_close(mproc_pool *pool);

/*
 * Ends the workers without waiting for their work: processes as by mproc_process_kill(). Worker threads cannot be
 * ended: they finish the chunk or the task that they are in. Maps in progress return MPROC_TERMINATED, and so do the
 * results of all tasks that are not finished (Python's never return). Does not block.
 */
MPROC_API void mproc_pool_terminate(mproc_pool *pool);

/*
 * Waits until all workers have ended and all callbacks have been called (Python: join()). Blocks at most `timeout_ms`
 * milliseconds. May be called again, and by several threads at once.
 *
 * Returns MPROC_OK, or:
 *   MPROC_TIMEOUT      some have not
 *   MPROC_INVALID      `timeout_ms` is negative: MPROC_FOREVER is no limit, and 0 only looks
 *   MPROC_BAD_STATE    the pool was neither closed nor terminated, or the calling thread is a worker of it or in a
 *                      callback, of a result or of a map's progress, and would wait for itself
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_pool_join(mproc_pool *pool, int64_t timeout_ms);

/*
 * Frees the pool; one that still runs is terminated (as Python's `with Pool()` does). Blocks until
 * its workers have ended: a worker thread, its chunk. NULL is fine. No other call on this pool may be in progress.
 */
MPROC_API void mproc_pool_free(mproc_pool *pool);

/*
 * Changes the number of workers: more are started at once, or, in a lazy pool, when there is work for them; of fewer
 * those above the number end, with their finalizer, as soon as they have finished the chunk or the short tasks that
 * they are in. Maps and tasks that run go on. Does not block. Any thread may call this, also a worker. Ours.
 *
 * Returns MPROC_OK, or, with the number unchanged:
 *   MPROC_INVALID  `workers` is below 1, or above mproc_pool_options.workers_max
 *   MPROC_CLOSED   the pool was closed or terminated
 *   MPROC_FORKED   this process is a fork() copy
 *   what mproc_pool_create() returns for a worker that cannot be started
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_pool_resize(mproc_pool *pool, int workers);

/*
 * Returns the number of workers that the pool was created for, or that mproc_pool_resize() has made it: it stays,
 * whoever of them ends. mproc_pool_pids() says who runs now. Does not block. Ours.
 */
MPROC_API int mproc_pool_workers(const mproc_pool *pool);

/*
 * Writes the process ids of the workers that run now to `pids`, up to `capacity`, and returns their
 * whole number. Worker threads have this process' id. A fork() copy has no workers: 0. Does not block. Ours.
 */
MPROC_API size_t mproc_pool_pids(const mproc_pool *pool, int64_t *pids, size_t capacity);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_pool_apply_async_sized(mproc_pool *pool, mproc_function *function, mproc_args args,
                                                    const mproc_task_options *options, size_t options_size,
                                                    mproc_result **out);

MPROC_API mproc_status mproc_pool_create_sized(const mproc_pool_options *options, size_t options_size,
                                               mproc_pool **out);

static inline mproc_status mproc_pool_create(const mproc_pool_options *options, mproc_pool **out)
{
    return mproc_pool_create_sized(options, sizeof(mproc_pool_options), out);
}

static inline mproc_status mproc_pool_apply_async(mproc_pool *pool, mproc_function *function, mproc_args args,
                                                  const mproc_task_options *options, mproc_result **out)
{
    return mproc_pool_apply_async_sized(pool, function, args, options, sizeof(mproc_task_options), out);
}

#ifdef __cplusplus
}

/* Options as a named object or a temporary. */
MPROC_NODISCARD static inline mproc_status mproc_pool_create(const mproc_pool_options &options, mproc_pool **out)
{
    return mproc_pool_create_sized(&options, sizeof options, out);
}

MPROC_NODISCARD static inline mproc_status mproc_pool_apply_async(mproc_pool *pool, mproc_function *function,
                                                                  mproc_args args, const mproc_task_options &options,
                                                                  mproc_result **out)
{
    return mproc_pool_apply_async_sized(pool, function, args, &options, sizeof options, out);
}

/* Arguments where they are made, with options of either form: mproc_pool_apply(pool, f, MPROC_ARGS(1), &value). */
template <bool map, class... Kept, class Options>
MPROC_NODISCARD mproc_status mproc_pool_apply_async(mproc_pool *pool, mproc_function *function,
                                                    const mproc_values<map, Kept...> &args, const Options &options,
                                                    mproc_result **out)
{
    return mproc_pool_apply_async(pool, function, args.borrow(), options, out);
}

template <bool map, class... Kept>
MPROC_NODISCARD mproc_status mproc_pool_apply(mproc_pool *pool, mproc_function *function,
                                              const mproc_values<map, Kept...> &args, mproc_value *value)
{
    return mproc_pool_apply(pool, function, args.borrow(), value);
}
#endif

#endif
