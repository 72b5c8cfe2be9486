/* Tasks: their way into a pool. */
#include <stdlib.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/options.h"
#include "object/parcel.h"
#include "object/wait.h"
#include "pool/keeper.h"
#include "pool/limits.h"
#include "pool/outcome.h"
#include "pool/result.h"
#include "pool/segments.h"
#include "pool/worker.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

/* Workers that end before they are ready are started again so often for one task. */
#define ROUNDS_MAX 3

#define MS ((int64_t)1000000)
#define LIMIT_MS_MAX (INT64_MAX / MS / 4)

/* ---- functions ------------------------------------------------------------------------------------ */

/*
 * Makes a function known to all workers, under the next index. It is known by its address: so its module stays, and
 * no other comes to lie there.
 */
static mproc_status add_function(struct tasks *tasks, function_pointer function)
{
    struct pool_shared *shared = tasks->shared;
    uint32_t index = tasks->functions_count;
    _Atomic uint64_t *owned = NULL;
    struct pool_function *at;
    function_ref ref = {.main = true};
    mproc_status status;

    if (index == POOL_FUNCTIONS)
        return mproc_error(MPROC_LIMIT, "the tasks of one pool call at most %d functions: let one of them choose",
                           POOL_FUNCTIONS);
    if (!shared->threads && (status = function_encode(function, &ref)) != MPROC_OK) return status;
    if ((status = resource_take(sizeof *at, sizeof *at, &owned)) != MPROC_OK) return status;
    at = (struct pool_function *)arena_at(atomic_load(owned));
    atomic_store(&at->address, (uint64_t)(uintptr_t)function);
    if (!shared->threads) at->ref = ref;
    if (!shared->threads && !ref.main) plat_module_pin((uintptr_t)function);
    tasks->function_blocks[index] = owned;
    tasks->functions_count++;
    atomic_store(&shared->functions[index], arena_offset(at));
    return MPROC_OK;
}

mproc_status tasks_function(struct tasks *tasks, mproc_function *function, uint32_t *index)
{
    function_pointer wanted = (function_pointer)function;
    size_t bucket = ((uintptr_t)wanted >> 4) % FUNCTION_BUCKETS;
    mproc_status status;

    while (tasks->functions[bucket].function && tasks->functions[bucket].function != wanted)
        bucket = (bucket + 1) % FUNCTION_BUCKETS;
    if (!tasks->functions[bucket].function) {
        if ((status = add_function(tasks, wanted)) != MPROC_OK) return status;
        tasks->functions[bucket].function = wanted;
        tasks->functions[bucket].index = tasks->functions_count - 1;
    }
    *index = tasks->functions[bucket].index;
    return MPROC_OK;
}

/* ---- submitting ----------------------------------------------------------------------------------- */

/* As encoding_write(). Most arguments are numbers and short texts, in no view: each is a cell, and nothing else. */
static size_t write_arguments(const mproc_args *args, uint64_t *buffer, size_t room)
{
    struct cell *cells = (struct cell *)(void *)((unsigned char *)buffer + ENCODING_ROOT);
    uint32_t count = 0, objects;
    size_t size;

    if (args->type == MPROC_TYPE_LIST && !(args->form & VALUE_IS_VIEW) && args->as.items)
        while (count < args->count && cell_write_small(&cells[1 + count], &args->as.items[count])) count++;
    if (count == args->count) {
        cell_set(cells, value_head(args), sizeof *cells);
        return ENCODING_PAYLOAD + count * sizeof *cells;
    }
    return encoding_write(args, buffer, room, &size, &objects) == MPROC_OK && objects == 0 ? size : 0;
}

/* Small arguments go as cells. False: they go as a parcel; those that cannot be are refused on that way. */
static bool prepare_cells(struct submission *submission, const mproc_args *args, uint64_t *buffer, size_t room)
{
    size_t size;

    *submission = (struct submission){.form = TASK_NOTHING};
    if ((args->type != MPROC_TYPE_LIST && args->type != MPROC_TYPE_MAP) || args->count == 0 || args->count > 2)
        return false;
    if ((size = write_arguments(args, buffer, room)) == 0) return false;
    submission->form = TASK_CELLS;
    submission->cells = (const unsigned char *)buffer + ENCODING_ROOT;
    submission->size = (uint32_t)(size - ENCODING_ROOT);
    return true;
}

/* A worker that could not begin before may try again. Otherwise: why none is there. */
static mproc_status check_workers(mproc_pool *pool)
{
    mproc_status status;

    if ((atomic_load(&pool->complete) || workers_come_and_go(pool)) && !atomic_load(&pool->shared->stranded))
        return MPROC_OK;
    plat_mutex_lock(&pool->mutex);
    status = atomic_load(&pool->shared->state) == POOL_OPEN ? workers_restart(pool, 1) : MPROC_OK;
    plat_mutex_unlock(&pool->mutex);
    log_speak();
    return atomic_load(&pool->shared->stranded) ? status : MPROC_OK;
}

/*
 * Under the mutex of the tasks, without which the pool is not closed: whether it takes a task. `*gone`: the last
 * worker has ended since the look at them, and all tasks with it.
 */
static mproc_status check_submission(struct tasks *tasks, bool admitted, bool *gone)
{
    mproc_status status = admitted ? pool_check_alive(tasks->pool) : pool_check_open(tasks->pool);

    *gone = status == MPROC_OK && atomic_load(&tasks->shared->stranded);
    return status;
}

static bool has_time_limits(const mproc_task_options *options)
{
    return options->soft_limit_ms > 0 || options->hard_limit_ms > 0;
}

static bool has_limits(const mproc_task_options *options)
{
    return has_time_limits(options) || options->retries > 0;
}

static mproc_status check_options(const mproc_task_options *options)
{
    if (options->soft_limit_ms >= 0 && options->hard_limit_ms >= 0 && options->soft_limit_ms <= LIMIT_MS_MAX &&
        options->hard_limit_ms <= LIMIT_MS_MAX)
        return pool_check_retries(options->retries);
    return mproc_error(MPROC_INVALID, "time limits of %lld and %lld ms for a task: 0 is none, and %lld the longest",
                       (long long)options->soft_limit_ms, (long long)options->hard_limit_ms, (long long)LIMIT_MS_MAX);
}

static bool has_callback(const mproc_task_options *options)
{
    return options->callback || options->error_callback;
}

/* The threads that such a task needs in this process. */
static mproc_status start_threads(mproc_pool *pool, struct tasks *tasks, const mproc_task_options *options)
{
    mproc_status status = has_callback(options) ? callbacks_start(tasks) : MPROC_OK;

    return status == MPROC_OK && has_time_limits(options) ? keeper_start(pool) : status;
}

/* Held by the caller. */
static mproc_status create_result(struct tasks *tasks, const mproc_task_options *options, mproc_result **out)
{
    mproc_result *result = outcome_create(tasks);

    if (!result) return mproc_error(MPROC_NO_MEMORY, "no memory for a result");
    *out = result;
    result->holders = 1;
    result->callback = options->callback;
    result->error_callback = options->error_callback;
    result->context = options->context;
    if (!has_limits(options)) return MPROC_OK;
    if (limits_create(result) != MPROC_OK) return MPROC_NO_MEMORY;
    result->limits->soft_ns = options->soft_limit_ms * MS;
    result->limits->hard_ns = options->hard_limit_ms * MS;
    result->limits->retries = (uint32_t)options->retries;
    return MPROC_OK;
}

/* Under the mutex of the tasks: with a result, if one is wanted, or if there is a callback or a limit. */
static mproc_status put_in(struct tasks *tasks, const struct submission *submission,
                           const mproc_task_options *options, mproc_result **out)
{
    mproc_result *result = NULL;
    mproc_status status = MPROC_OK;

    if (out || has_callback(options) || has_limits(options)) status = create_result(tasks, options, &result);
    if (status == MPROC_OK && tasks->tail % TASK_SEGMENT == 0) status = segment_begin(tasks);
    if (status == MPROC_OK) tasks_append(tasks, submission, result);
    if (status == MPROC_OK && result && !out) result->unwanted = !has_callback(options);
    if (status == MPROC_OK && out) *out = result;
    else if (result) outcome_put(result);
    return status;
}

mproc_status pool_submit(mproc_pool *pool, mproc_function *function, mproc_args args,
                         const mproc_task_options *options, bool admitted, mproc_result **out)
{
    uint64_t buffer[(ENCODING_ROOT + TASK_INLINE) / sizeof(uint64_t)] = {0};
    struct submission submission = {.owned = NULL};
    struct tasks *tasks;
    mproc_status status;
    int rounds = 0;
    bool gone, timed = has_time_limits(options);

    if ((status = check_options(options)) != MPROC_OK) return status;
    if (!function) return mproc_error(MPROC_INVALID, "a task needs a function, and was given NULL");
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    if (!(tasks = atomic_load(&pool->tasks)) && (status = tasks_of(pool, &tasks)) != MPROC_OK) return status;
    if (!prepare_cells(&submission, &args, buffer, sizeof buffer)) {
        if ((status = arguments_create(&args, "a task", false, &submission.owned)) != MPROC_OK) return status;
        if (submission.owned) submission.form = TASK_PARCEL;
    }
    if ((status = start_threads(pool, tasks, options)) != MPROC_OK) goto done;
    do {
        if (atomic_load(&tasks->shared->stranded) == STRANDED_UNTOLD)
            tasks_end_all(tasks, MPROC_LIMIT, tasks_stranded_text);
        if ((status = check_workers(pool)) != MPROC_OK) goto done;
        plat_mutex_lock(&tasks->mutex);
        status = check_submission(tasks, admitted, &gone);
        if (status == MPROC_OK && !gone) status = tasks_function(tasks, function, &submission.function);
        if (status == MPROC_OK && !gone) status = put_in(tasks, &submission, options, out);
        if (submission.owned || tasks_are_many(tasks) || !atomic_load(&pool->complete))
            tasks_collect_next(tasks, false); /* who counts tasks is to find few */
        plat_mutex_unlock(&tasks->mutex);
        if (status == MPROC_OK && !gone && timed) keeper_ring(pool);
    } while (gone && (++rounds < ROUNDS_MAX || (status = workers_missing(pool)) == MPROC_OK));
    if (status == MPROC_OK && !atomic_load(&pool->complete) && workers_come_and_go(pool)) {
        plat_mutex_lock(&pool->mutex);
        if (!workers_provide(pool)) tasks_end_all(tasks, pool->start_status, pool->start_text);
        plat_mutex_unlock(&pool->mutex);
        log_speak();
    }
done:
    resource_release(submission.owned);
    return status;
}

mproc_status mproc_pool_apply_async_sized(mproc_pool *pool, mproc_function *function, mproc_args args,
                                          const mproc_task_options *options, size_t options_size, mproc_result **out)
{
    mproc_task_options all;

    assert(pool);
    options_read(&all, sizeof all, options, options_size);
    return pool_submit(pool, function, args, &all, false, out);
}

mproc_status mproc_pool_apply(mproc_pool *pool, mproc_function *function, mproc_args args, mproc_value *value)
{
    static const mproc_task_options none;
    mproc_result *result = NULL;
    struct wait wait;
    mproc_status status;

    assert(pool);
    if ((status = worker_check_waiter(pool->shared)) != MPROC_OK) return status;
    status = pool_submit(pool, function, args, &none, false, &result);
    if (status != MPROC_OK) return status;
    status = wait_begin(&wait, NULL, MPROC_FOREVER);
    if (status == MPROC_OK) status = result_wait_until_over(result, &wait);
    if (status == MPROC_OK && result_end(result, value)) return MPROC_OK;
    if (status == MPROC_OK) status = mproc_result_get(result, NULL, MPROC_FOREVER);
    if (status == MPROC_OK && value) status = result_take_value(result, value);
    if (status == MPROC_INTERRUPTED && !mproc_result_ready(result)) {
        bool cancelled = mproc_result_cancel(result) == MPROC_OK;
        if (!cancelled) (void)!mproc_result_stop(result, pool_grace(pool));
        status = mproc_error(MPROC_INTERRUPTED, "the wait for a task was interrupted; the task %s",
                             cancelled ? "is not begun any more" : "is to stop");
    }
    mproc_result_free(result);
    return status;
}
