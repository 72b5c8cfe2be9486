/* mproc_pool_map(): the caller fills the next window and empties the last one while workers compute. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/buffer.h"
#include "pool/job.h"
#include "pool/keeper.h"
#include "pool/partition.h"
#include "pool/tasks.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

#define MS_NS ((int64_t)1000000)

/* How often the caller looks whether workers have left, where no keeper does. */
#define LOOK_NS ((int64_t)1000000)

/* When all windows are complete: no worker has a chunk in hand, and none can get one any more. */
static void drop_args(struct job *job)
{
    resource_release(job->args);
    job->args = NULL;
}

/*
 * Each program that maps has a loop over items of its own: a short function is called faster from its own module than
 * from far away. Workers find it by its distance from the function, which is the same in all processes.
 */
static uint64_t loop_distance(const struct map *map, const function_ref *ref)
{
    if (!map->item_function) return 0;
    if (!map->pool->shared->threads &&
        !function_is_beside((function_pointer)map->item_function, ref, (function_pointer)map->item_loop))
        return 0;
    return (uint64_t)((uintptr_t)map->item_loop - (uintptr_t)map->item_function);
}

/*
 * Puts the arguments into the arena: those of a map that was given up may still be there. Among threads the address
 * of the function is good as it is; for processes it must be found again.
 */
static mproc_status set_job(struct map *map)
{
    mproc_pool *pool = map->pool;
    struct pool_map *job = &map->job->shared->map;
    function_pointer function =
        map->item_function ? (function_pointer)map->item_function : (function_pointer)map->range_function;
    function_ref ref;
    mproc_status status;

    if (!pool->shared->threads && (status = function_encode(function, &ref)) != MPROC_OK) return status;
    drop_args(map->job);
    if ((status = arguments_create(&map->args, "map", false, &map->job->args)) != MPROC_OK) return status;
    if (!pool->shared->threads) job->function.ref = ref;
    atomic_store(&job->function.address, (uint64_t)(uintptr_t)function);
    atomic_store(&job->args, arguments_in(map->job->args));
    atomic_store(&job->loop, loop_distance(map, &ref));
    atomic_store(&job->stops, map->stops_at_failure);
    atomic_store(&job->is_range, map->range_function != NULL);
    atomic_store(&job->copies, map->copies_items || map->copies_results);
    atomic_store(&job->item_size, map->item_size);
    atomic_store(&job->result_size, map->result_size);
    atomic_fetch_add(&job->number, 1);
    map->failure.job = atomic_load(&job->number);
    return MPROC_OK;
}

static mproc_status begin(struct map *map)
{
    mproc_pool *pool = map->pool;
    size_t chunks = map->count / map->chunk + (map->count % map->chunk != 0);
    mproc_status status;

    if (atomic_load(&pool->shared->stranded) == STRANDED_UNTOLD)
        tasks_end_all(pool->tasks, MPROC_LIMIT, tasks_stranded_text);
    plat_mutex_lock(&pool->mutex);
    map->job->wanted = chunks < pool->count ? (uint32_t)chunks : pool->count;
    map->job->again = map->retries > 0;
    status = workers_restart(pool, 0);
    plat_mutex_unlock(&pool->mutex);
    log_speak();
    if (status != MPROC_OK && atomic_load(&pool->shared->running) == 0) return status;
    buffer_close_all(map->job);
    if ((status = buffer_prepare(map)) != MPROC_OK) return status;
    return set_job(map);
}

static mproc_status run_windows(struct map *map)
{
    struct job *job = map->job;
    uint64_t opened = 0;
    mproc_status status = MPROC_OK;

    map->failures_seen = atomic_load(&job->shared->map.failures);
    for (uint64_t i = 0; i < map->windows && status == MPROC_OK; i++) {
        struct pool_buffer *buffer = &job->buffers[(map->before + 1 + i) % 2];
        for (; opened < map->windows && opened < i + 2; opened++) buffer_open(map, opened, map->before + 1 + opened);
        status = buffer_wait(map, buffer);
        if (status == MPROC_OK) buffer_drain(map, buffer);
        if (status == MPROC_OK && progress_is_due(&map->progress))
            progress_tell(&map->progress, buffer_count_done(map));
        if (map->stops_at_failure && map->failure.status != MPROC_OK) status = buffer_stop_for_failure(map);
    }
    return status;
}

/* The items of a chunk that was lost, one by one: so those beside the one that ends workers are done. Ranges stay. */
static mproc_status run_range_again(struct map *map, const struct item_range *range)
{
    mproc_status status;

    map->before = atomic_load(&map->job->shared->map.posted);
    map->first = map->drained = range->first;
    map->count = map->window_items = range->count;
    map->windows = 1;
    map->chunk = map->range_function ? range->count : range->count / WORDS_MAX + 1;
    for (size_t i = range->first; map->statuses && i < range->first + range->count; i++) map->statuses[i] = MPROC_OK;
    if ((status = buffer_prepare(map)) != MPROC_OK) return status;
    return run_windows(map);
}

/* What is lost once more is then begun once more, as long as that is wanted. */
static mproc_status run_lost(struct map *map)
{
    struct lost_items lost;
    mproc_status status = MPROC_OK;

    while (status == MPROC_OK && map->lost.count > 0) {
        lost = map->lost;
        map->lost = (struct lost_items){.ranges = NULL};
        map->lost_before++;
        plat_mutex_lock(&map->pool->mutex);
        map->job->again = map->lost_before < map->retries;
        map->job->lost.job = 0; /* its text is of an item that is not lost any more */
        plat_mutex_unlock(&map->pool->mutex);
        for (size_t i = 0; i < lost.count && status == MPROC_OK; i++) status = run_range_again(map, &lost.ranges[i]);
        free(lost.ranges);
    }
    return status;
}

/* Whether no worker is in a window of the job any more. */
static bool is_left(struct job *job)
{
    return buffer_is_complete(&job->buffers[0]) && buffer_is_complete(&job->buffers[1]);
}

void map_leave_by(struct map *map)
{
    int64_t usual_ms = map->in_place ? POOL_GRACE_WAIT_MS : POOL_GRACE_MS, grace_ms = atomic_load(&map->grace_ms);

    if (grace_ms == GRACE_OF_POOL) grace_ms = map->pool->grace_ms ? map->pool->grace_ms : usual_ms;
    (void)!deadline_from_timeout(grace_ms, &map->job->leave_by_ns);
}

/* Workers that are still in it are to leave. Where no keeper can be had they get no time for that. */
static void have_workers_leave(struct map *map)
{
    bool kept = keeper_start(map->pool) == MPROC_OK;

    plat_mutex_lock(&map->pool->mutex);
    map->job->leaves = true;
    map_leave_by(map);
    if (!kept && map->job->leave_by_ns != PLAT_FOREVER) map->job->leave_by_ns = 0;
    plat_mutex_unlock(&map->pool->mutex);
    if (kept) keeper_ring(map->pool);
    else keeper_look(map->pool);
    while (!kept && map->in_place && !is_left(map->job)) {
        plat_clock_sleep_until(plat_clock_now_ns() + LOOK_NS);
        keeper_look(map->pool);
    }
}

/*
 * The map was given up, perhaps before it began: nothing of what is open is begun any more, and, in the caller's
 * arrays, nothing goes on. What was done is the caller's all the same: workers are given a moment to say so.
 */
static void give_up(struct map *map, mproc_status status)
{
    int64_t until_ns = PLAT_FOREVER;

    buffer_give_up(map->job, status);
    if (!map->in_place) until_ns = plat_clock_now_ns() + POOL_GRACE_WAIT_MS * MS_NS;
    if (!is_left(map->job)) have_workers_leave(map);
    for (size_t i = map->drained; map->statuses && i < map->first + map->count; i++) map->statuses[i] = status;
    for (int i = 0; i < 2; i++) {
        struct pool_buffer *buffer = &map->job->buffers[i];
        if (buffer->view.number <= map->before || buffer->view.first < map->drained) continue;
        buffer_wait_until(map, buffer, until_ns);
        buffer_drain_done(map, buffer);
    }
}

/* A last time; the text of what has ended the map stays. */
static mproc_status tell_end(struct map *map, mproc_status status)
{
    char text[POOL_TEXT_BYTES];

    if (!map->progress.callback) return status;
    snprintf(text, sizeof text, "%s", status == MPROC_OK ? "" : mproc_error_text(status));
    progress_end(&map->progress, buffer_count_done(map));
    return status == MPROC_OK ? status : mproc_error(status, "%s", text);
}

/* In a place of its own. */
static mproc_status run(struct map *map)
{
    mproc_status status;
    bool begun;

    map->before = atomic_load(&map->job->shared->map.posted);
    begun = (status = begin(map)) == MPROC_OK;
    if (status == MPROC_OK) status = run_windows(map);
    if (status == MPROC_OK) status = run_lost(map);
    if (status == MPROC_OK) drop_args(map->job);
    else give_up(map, status);
    if (begun) status = tell_end(map, status);
    free(map->lost.ranges);
    if ((status != MPROC_OK && !map->failed) || map->failure.status == MPROC_OK) return status;
    return mproc_error(map->failure.status, "%s", map->failure.text);
}

static void set_statuses(const struct map *map, mproc_status status)
{
    for (size_t i = 0; map->statuses && i < map->count; i++) map->statuses[i] = status;
}

mproc_status map_prepare(struct map *map, const struct mproc_map_request *request, const mproc_map_options *options)
{
    mproc_status status;

    map->item_function = request->item_function;
    map->item_loop = request->item_loop;
    map->range_function = request->range_function;
    map->items = request->items;
    map->item_size = request->item_size;
    map->results = request->results;
    map->result_size = request->result_size;
    map->count = request->count;
    atomic_store(&map->grace_ms, GRACE_OF_POOL);
    progress_begin(&map->progress, map->pool, options->progress, options->progress_per_second, options->context,
                   request->count);
    if ((status = partition_check_count(map, options)) != MPROC_OK) return status;
    map->statuses = options->statuses;
    if ((status = family_enter_with(map->pool->arena)) == MPROC_OK) status = partition_map(map, options);
    if (status == MPROC_OK) status = progress_check(options->progress_per_second);
    set_statuses(map, status);
    return status;
}

mproc_status map_run(struct map *map)
{
    mproc_pool *pool = map->pool;
    struct job *job;
    mproc_status status;

    if (map->count == 0) {
        status = map->admitted ? MPROC_OK : pool_check_open(pool);
        if (status == MPROC_OK) progress_end(&map->progress, 0);
        return status;
    }
    if ((status = job_take(pool, map->admitted, &map->job)) != MPROC_OK) {
        set_statuses(map, status);
        return status;
    }
    status = run(map);
    job = map->job;
    plat_mutex_lock(&pool->mutex);
    map->job = NULL; /* who stops it finds no other one's */
    plat_mutex_unlock(&pool->mutex);
    job_put(pool, job);
    return status;
}

mproc_status mproc_pool_map_sized(mproc_pool *pool, const struct mproc_map_request *request,
                                  const mproc_map_options *options, size_t options_size)
{
    struct map map = {.pool = pool};
    mproc_map_options all;
    mproc_status status;

    assert(pool);
    options_read(&all, sizeof all, options, options_size);
    if ((status = map_prepare(&map, request, &all)) != MPROC_OK) return status;
    if (all.callback || all.error_callback) status = async_map_refuse_callbacks();
    else status = worker_check_waiter(pool->shared);
    if (status != MPROC_OK) {
        set_statuses(&map, status);
        return status;
    }
    return map_run(&map);
}
