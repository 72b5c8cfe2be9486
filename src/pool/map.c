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

static mproc_status check_open(const mproc_pool *pool)
{
    uint32_t state = atomic_load(&pool->shared->state);

    if (state == POOL_OPEN) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "the pool was %s: it takes no more work",
                       state == POOL_TERMINATED ? "terminated" : "closed");
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
    struct pool_job *job = &pool->shared->job;
    function_pointer function =
        map->item_function ? (function_pointer)map->item_function : (function_pointer)map->range_function;
    function_ref ref;
    mproc_status status;

    if (!pool->shared->threads && (status = function_encode(function, &ref)) != MPROC_OK) return status;
    drop_args(pool);
    if ((status = arguments_create(&map->args, "map", &pool->args)) != MPROC_OK) return status;
    if (!pool->shared->threads) job->function_ref = ref;
    atomic_store(&job->args, arguments_in(pool->args));
    atomic_store(&job->function, (uint64_t)(uintptr_t)function);
    atomic_store(&job->loop, loop_distance(map, &ref));
    atomic_store(&job->is_range, map->range_function != NULL);
    atomic_store(&job->copies, map->copies_items || map->copies_results);
    atomic_store(&job->item_size, map->item_size);
    atomic_store(&job->result_size, map->result_size);
    atomic_fetch_add(&job->number, 1);
    map->failure.job = atomic_load(&job->number);
    return MPROC_OK;
}

/* Windows of an earlier map that was interrupted may still be computed: they have the buffers until then. */
static mproc_status begin(struct map *map)
{
    mproc_pool *pool = map->pool;
    mproc_status status;

    if ((status = check_open(pool)) != MPROC_OK) return status;
    plat_mutex_lock(&pool->mutex);
    status = workers_restart(pool);
    plat_mutex_unlock(&pool->mutex);
    if (status != MPROC_OK && atomic_load(&pool->shared->running) == 0) return status;
    for (int i = 0; i < 2; i++)
        if ((status = buffer_wait(pool, &pool->buffers[i], false)) != MPROC_OK) return status;
    buffer_close_all(pool);
    if ((status = buffer_prepare(map)) != MPROC_OK) return status;
    return set_job(map);
}

static mproc_status run_windows(struct map *map)
{
    mproc_pool *pool = map->pool;
    uint64_t opened = 0;
    mproc_status status = MPROC_OK;

    map->failures_seen = atomic_load(&pool->shared->failures);
    for (uint64_t i = 0; i < map->windows && status == MPROC_OK; i++) {
        struct pool_buffer *buffer = &pool->buffers[(map->before + 1 + i) % 2];
        for (; opened < map->windows && opened < i + 2; opened++) buffer_open(map, opened, map->before + 1 + opened);
        status = buffer_wait(pool, buffer, false);
        if (status == MPROC_OK) buffer_drain(map, buffer);
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
        if (map->in_place) buffer_wait(map->pool, buffer, true);
        buffer_drain_done(map, buffer);
    }
}

/* Under the pool's `map_mutex`. */
static mproc_status run(struct map *map)
{
    struct pool_shared *shared = map->pool->shared;
    mproc_status status;

    map->before = atomic_load(&shared->posted);
    atomic_store(&shared->busy, 1);
    if ((status = begin(map)) == MPROC_OK) status = run_windows(map);
    if (status == MPROC_OK) drop_args(map->pool);
    else give_up(map, status);
    atomic_store(&shared->busy, 0);
    if (atomic_load(&shared->state) != POOL_OPEN) pool_ring(shared, shared->workers);
    if (status != MPROC_OK || map->failure.status == MPROC_OK) return status;
    return mproc_error(map->failure.status, "%s", map->failure.text);
}

mproc_status mproc_pool_map_sized(mproc_pool *pool, mproc_item_function *item_function, mproc_item_loop *item_loop,
                                  mproc_range_function *range_function, const void *items, size_t item_size,
                                  void *results, size_t result_size, size_t count, const mproc_map_options *options,
                                  size_t options_size)
{
    struct map map = {.pool = pool,
                      .item_function = item_function,
                      .item_loop = item_loop,
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
    if ((status = partition_check_count(&map, &all)) != MPROC_OK) return status;
    if ((status = family_enter_with(pool->arena)) == MPROC_OK) status = partition_map(&map, &all);
    for (size_t i = 0; all.statuses && i < count; i++) all.statuses[i] = status;
    if (status != MPROC_OK) return status;
    if (count == 0) return check_open(pool);
    plat_mutex_lock(&pool->map_mutex);
    status = run(&map);
    plat_mutex_unlock(&pool->map_mutex);
    return status;
}
