/* mproc_pool_map(): the caller fills the next window and empties the last one while workers compute. */
#include <string.h>

#include "pool/buffer.h"
#include "base/options.h"
#include "pool/partition.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

/* When all windows are complete: no worker has a chunk in hand, and none can get one any more. */
static void drop_args(mproc_pool *pool)
{
    resource_release(pool->args);
    pool->args = NULL;
}

/* Puts the arguments into the arena. Those of a map that was given up may still be there. */
static mproc_status set_args(struct map *map)
{
    mproc_status status;

    drop_args(map->pool);
    if ((status = arguments_create(&map->args, "map", &map->pool->args)) != MPROC_OK) return status;
    atomic_store(&map->pool->shared->job.args, arguments_in(map->pool->args));
    return MPROC_OK;
}

/* Among threads the address is good as it is; for processes the function must be found again. */
static mproc_status set_job(struct map *map)
{
    struct pool_job *job = &map->pool->shared->job;
    function_pointer function =
        map->item_function ? (function_pointer)map->item_function : (function_pointer)map->range_function;
    function_ref ref;
    mproc_status status;

    if (!map->pool->shared->threads && (status = function_encode(function, &ref)) != MPROC_OK) return status;
    if ((status = set_args(map)) != MPROC_OK) return status;
    if (!map->pool->shared->threads) job->function_ref = ref;
    atomic_store(&job->function, (uint64_t)(uintptr_t)function);
    atomic_store(&job->is_range, map->range_function != NULL);
    atomic_store(&job->copies, map->copies_items || map->copies_results);
    atomic_store(&job->item_size, map->item_size);
    atomic_store(&job->result_size, map->result_size);
    atomic_fetch_add(&job->number, 1);
    map->failure.job = atomic_load(&job->number);
    return MPROC_OK;
}

/* Windows of an earlier map that was interrupted may still be computed: they have the buffers until then. */
static mproc_status wait_for_buffers(struct map *map)
{
    mproc_status status;

    for (int i = 0; i < 2; i++)
        if ((status = buffer_wait(map->pool, &map->pool->buffers[i])) != MPROC_OK) return status;
    buffer_close_all(map->pool);
    return MPROC_OK;
}

static mproc_status run_windows(struct map *map)
{
    mproc_pool *pool = map->pool;
    uint64_t opened = 0;
    mproc_status status = MPROC_OK;

    map->failures_seen = atomic_load(&pool->shared->failures);
    for (uint64_t i = 0; i < map->windows && status == MPROC_OK; i++) {
        for (; opened < map->windows && opened < i + 2; opened++) buffer_open(map, opened, map->before + 1 + opened);
        status = buffer_wait(pool, &pool->buffers[(map->before + 1 + i) % 2]);
        if (status == MPROC_OK) buffer_drain(map, &pool->buffers[(map->before + 1 + i) % 2]);
    }
    return status;
}

/*
 * The map was given up, perhaps before it began: nothing of what is open is begun any more, and, in the caller's
 * arrays, nothing goes on. What was done is the caller's all the same.
 */
static void give_up(struct map *map, mproc_status status)
{
    buffer_give_up(map->pool, status);
    for (size_t i = map->drained; map->statuses && i < map->count; i++) map->statuses[i] = status;
    for (int i = 0; i < 2; i++) {
        struct pool_buffer *buffer = &map->pool->buffers[i];
        if (buffer->view.number <= map->before || buffer->view.first < map->drained) continue;
        if (map->in_place) buffer_wait_until_left(map->pool, buffer);
        buffer_drain_done(map, buffer);
    }
}

static mproc_status check_open(const mproc_pool *pool)
{
    if (atomic_load(&pool->shared->state) == POOL_OPEN) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "the pool was closed: it takes no more work");
}

static mproc_status begin(struct map *map)
{
    mproc_status status;

    if ((status = check_open(map->pool)) != MPROC_OK) return status;
    plat_mutex_lock(&map->pool->mutex);
    status = workers_restart(map->pool);
    plat_mutex_unlock(&map->pool->mutex);
    if (status != MPROC_OK && atomic_load(&map->pool->shared->running) == 0) return status;
    if ((status = wait_for_buffers(map)) != MPROC_OK) return status;
    if ((status = buffer_prepare(map)) != MPROC_OK) return status;
    return set_job(map);
}

static mproc_status run_locked(struct map *map)
{
    mproc_status status;

    map->before = atomic_load(&map->pool->shared->posted);
    if ((status = begin(map)) == MPROC_OK) status = run_windows(map);
    if (status != MPROC_OK) {
        give_up(map, status);
        return status;
    }
    drop_args(map->pool);
    if (map->failure.status != MPROC_OK) return mproc_error(map->failure.status, "%s", map->failure.text);
    return MPROC_OK;
}

static mproc_status run(struct map *map)
{
    struct pool_shared *shared = map->pool->shared;
    mproc_status status;

    plat_mutex_lock(&map->pool->map_mutex);
    atomic_store(&shared->busy, 1);
    status = run_locked(map);
    atomic_store(&shared->busy, 0);
    if (atomic_load(&shared->state) != POOL_OPEN) pool_ring(shared, shared->workers);
    plat_mutex_unlock(&map->pool->map_mutex);
    return status;
}

mproc_status mproc_pool_map_sized(mproc_pool *pool, mproc_item_function *item_function,
                                  mproc_range_function *range_function, const void *items, size_t item_size,
                                  void *results, size_t result_size, size_t count, const mproc_map_options *options,
                                  size_t options_size)
{
    struct map map = {.pool = pool,
                      .item_function = item_function,
                      .range_function = range_function,
                      .items = items,
                      .item_size = item_size,
                      .results = results,
                      .result_size = result_size,
                      .count = count};
    mproc_map_options all;
    mproc_status status;

    assert(pool);
    options_read(&all, sizeof all, options, options_size);
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = partition_map(&map, &all)) != MPROC_OK) return status;
    if (count == 0) return check_open(pool);
    for (size_t i = 0; map.statuses && i < count; i++) map.statuses[i] = MPROC_OK;
    return run(&map);
}
