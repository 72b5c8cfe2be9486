/*
 * Results: what becomes of a task that was given to a pool (Python: AsyncResult).
 *
 *     mproc_result *result;
 *     mproc_value value;
 *     mproc_check(mproc_pool_apply_async(pool, power, MPROC_ARGS(7), NULL, &result));
 *     if (mproc_result_get(result, &value, 1000) == MPROC_OK) printf("%lld\n", (long long)mproc_value_int(value));
 *     mproc_result_free(result);
 *
 * A result belongs to whoever has submitted the task, and is freed by mproc_result_free(), before its task is
 * finished or after, and before its pool is freed or after: what is known then stays. Results are of this process: a
 * fork() copy gets MPROC_FORKED. Any thread may call these functions, but none while another frees the result; and
 * what they return is the result's own until it is freed.
 */
#ifndef MPROC_RESULT_H
#define MPROC_RESULT_H

#include <mproc/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_result mproc_result;

/*
 * Called with what a task has returned; the value is the library's, until this returns. Callbacks of a pool are
 * called one after the other, by a thread of its own. They may do everything that other threads may, submit to the
 * same pool too, but neither join it, which is refused, nor free it, which waits for them, nor end their thread: no
 * others would be called.
 */
typedef void mproc_value_callback(mproc_value value, void *context);

/* Called with the status and the text of a task that did not return MPROC_OK; the same holds. */
typedef void mproc_error_callback(mproc_status status, const char *text, void *context);

/*
 * Waits until the task is finished, whatever became of it (Python: AsyncResult.wait()). Blocks at most `timeout_ms`
 * milliseconds.
 *
 * Returns MPROC_OK, or:
 *   MPROC_TIMEOUT      it is not
 *   MPROC_INVALID      `timeout_ms` is negative: MPROC_FOREVER is no limit, and 0 only looks
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_BAD_STATE    the task is not finished, and the calling thread is a worker of the same pool, all of which
 *                      could come to wait so; or it runs the map that this is the result of
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_result_wait(mproc_result *result, int64_t timeout_ms);

/* What is waited for, of several results. */
typedef enum mproc_wait_mode {
    MPROC_WAIT_ALL = 0,          /* all tasks are finished */
    MPROC_WAIT_ANY = 1,          /* one is */
    MPROC_WAIT_FIRST_FAILURE = 2 /* one has failed, or all are finished */
} mproc_wait_mode;

/*
 * Waits for several results (Python: concurrent.futures.wait()). Blocks at most `timeout_ms` milliseconds. Then
 * mproc_result_ready() and mproc_result_successful() tell which are finished, and what became of them. With a count
 * of 0 all are.
 *
 * Returns MPROC_OK, or:
 *   MPROC_INVALID  `timeout_ms` is negative, the mode is none, or `results` is NULL and the count is not 0; or,
 *                  unless all are waited for, the results are not all of one pool
 *   MPROC_TIMEOUT, MPROC_INTERRUPTED, MPROC_BAD_STATE  as mproc_result_wait()
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_result_wait_many(mproc_result *const *results, size_t count,
                                                              mproc_wait_mode mode, int64_t timeout_ms);

/* Several results, one after the other as their tasks are finished. */
typedef struct mproc_completed mproc_completed;

/*
 * Makes what gives out these results as their tasks are finished (Python: concurrent.futures.as_completed()):
 *
 *     mproc_check(mproc_completed_create(results, 100, &completed));
 *     while ((status = mproc_completed_next(completed, &i, MPROC_FOREVER)) == MPROC_OK) use(results[i]);
 *     mproc_completed_free(completed);
 *
 * The results are of one pool, and none is freed before it came out, or this is freed. `results` itself is not needed
 * any more. Does not block. `*out` is the caller's: mproc_completed_free().
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    the results are not all of one pool, `results` is NULL and the count is not 0, or `out` is NULL
 *   MPROC_NO_MEMORY
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_completed_create(mproc_result *const *results, size_t count,
                                                              mproc_completed **out);

/*
 * Waits until one more is finished, and writes its index in the array to `*index`; `index` may be NULL. Each index
 * comes out once, whatever became of the task. Blocks at most `timeout_ms` milliseconds. One thread at a time may
 * call this.
 *
 * Returns MPROC_OK, or, with `*index` unchanged:
 *   MPROC_END      all came out
 *   MPROC_TIMEOUT  no other one is finished; it comes out of a later call
 *   MPROC_INVALID, MPROC_INTERRUPTED, MPROC_BAD_STATE  as mproc_result_wait()
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_completed_next(mproc_completed *completed, size_t *index,
                                                            int64_t timeout_ms);

/* Frees it; the results are the caller's still. NULL is fine. Does not block. */
MPROC_API void mproc_completed_free(mproc_completed *completed);

/*
 * Waits for what the task returns (Python: AsyncResult.get()). `*value` is a view of it, which is the result's until
 * mproc_result_free(): nothing is to be cleared. `value` may be NULL. Any number of threads may get it, any number of
 * times.
 *
 * Returns MPROC_OK, or, with `*value` unchanged, what mproc_result_wait() returns, or, with the text that the task
 * has left and the name and the process id of its worker, what became of it:
 *   MPROC_WORKER_LOST   its worker ended while it ran, the last time that it was begun; the text says who and how
 *   MPROC_CANCELLED     mproc_result_cancel(), or mproc_result_stop() and it did not stop in time
 *   MPROC_TIMEOUT       it was not finished within its hard time limit
 *   MPROC_TERMINATED    the pool was terminated
 *   MPROC_NO_MEMORY     there is none for the value here
 *   what mproc_pool_map() says if no worker is left
 *   any other           what the function returned
 * mproc_result_ready() tells a time limit that has passed from a task that has returned MPROC_TIMEOUT itself.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_result_get(mproc_result *result, mproc_value *value, int64_t timeout_ms);

/* Returns whether the task is finished, whatever became of it (Python: AsyncResult.ready()). Does not block. */
MPROC_API bool mproc_result_ready(mproc_result *result);

/*
 * Returns whether the task is finished and returned MPROC_OK (Python: AsyncResult.successful(), which is an error as
 * long as it is not finished). Does not block.
 */
MPROC_API bool mproc_result_successful(mproc_result *result);

/* Returns whether a worker has begun the task and not finished it (Python: Future.running()). Does not block. */
MPROC_API bool mproc_result_running(mproc_result *result);

/*
 * Returns whether the task was cancelled before a worker began it, or began it again (Python: Future.cancelled()).
 * Does not block.
 */
MPROC_API bool mproc_result_cancelled(mproc_result *result);

/*
 * Returns how often a worker has begun the task, or the map: 0, 1, or more if workers were lost with it (`retries` in
 * mproc_task_options). 0 in a fork() copy. Does not block. Ours.
 */
MPROC_API int mproc_result_attempts(mproc_result *result);

/*
 * Cancels the task, if no worker has begun it, or it waits to be begun again: it never will be, and the result says
 * MPROC_CANCELLED (Python: concurrent.futures.Future.cancel(); its Pool has none). Does not block. If it is of a map,
 * the pool must not be freed meanwhile.
 *
 * Returns MPROC_OK, also when it was cancelled before, or:
 *   MPROC_BAD_STATE   a worker has begun it, or it is finished
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_result_cancel(mproc_result *result);

/*
 * Has the task stop: one that no worker has begun is cancelled; one that runs is asked to stop, with
 * mproc_call_stop_requested(), mproc_interrupted(), and waits that end with MPROC_INTERRUPTED, and what it returns
 * counts. If it has not returned after `grace_ms` milliseconds, the result says MPROC_CANCELLED, and its worker, if
 * that is a process, is killed and replaced; a thread does nothing else until the function returns. A grace of 0
 * kills without asking first; MPROC_FOREVER only asks. Of several calls the shortest grace counts. Does not block.
 * Ours.
 *
 * Returns MPROC_OK, or:
 *   MPROC_BAD_STATE   the task is finished
 *   MPROC_INVALID     `grace_ms` is negative
 *   MPROC_LIMIT       the system starts no thread that would see to it
 *   MPROC_NO_MEMORY
 * The pool must not be freed meanwhile.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_result_stop(mproc_result *result, int64_t grace_ms);

/*
 * Frees the result. The task is not cancelled: without a result nobody learns what became of it, but for its
 * callback. NULL is fine. Does not block.
 */
MPROC_API void mproc_result_free(mproc_result *result);

#ifdef __cplusplus
}
#endif

#endif
