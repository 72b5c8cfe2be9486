/* Creates, closes, joins and frees pools. */
#include <stdlib.h>
#include <string.h>

#include "arena/park.h"
#include "base/options.h"
#include "object/resource_owner.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

static mproc_status check_options(const mproc_pool_options *options)
{
    if (options->workers < 0 || options->workers > POOL_WORKERS_MAX)
        return mproc_error(MPROC_INVALID, "a pool of %d workers: 1 to %d are possible, 0 means one for each CPU",
                           options->workers, POOL_WORKERS_MAX);
    if ((unsigned)options->kind > MPROC_THREADS)
        return mproc_error(MPROC_INVALID, "the option kind is %d: use MPROC_PROCESSES or MPROC_THREADS",
                           (int)options->kind);
    if (options->max_tasks < 0)
        return mproc_error(MPROC_INVALID, "a worker of at most %lld tasks: 0 stands for no limit",
                           (long long)options->max_tasks);
    if (!options->initializer && options->initializer_args.count > 0)
        return mproc_error(MPROC_INVALID, "there are arguments for the initializer, and no initializer");
    return MPROC_OK;
}

static mproc_status set_hook(const mproc_pool *pool, struct pool_hook *hook, mproc_function *function)
{
    hook->address = (uint64_t)(uintptr_t)function;
    if (!function || pool->shared->threads) return MPROC_OK;
    return function_encode((function_pointer)function, &hook->ref);
}

static mproc_status set_hooks(mproc_pool *pool, const mproc_pool_options *options)
{
    struct pool_shared *shared = pool->shared;
    mproc_status status;

    shared->max_tasks = options->max_tasks ? (uint64_t)options->max_tasks : UINT64_MAX;
    if ((status = set_hook(pool, &shared->initializer, options->initializer)) != MPROC_OK) return status;
    return set_hook(pool, &shared->finalizer, options->finalizer);
}

static mproc_status create_shared(mproc_pool *pool, const mproc_pool_options *options)
{
    uint64_t size = sizeof(struct pool_shared) + 2 * ARENA_LINE + pool->count * sizeof(struct pool_worker);
    uintptr_t at;
    mproc_status status;

    if ((status = resource_take(size, size, &pool->owned)) != MPROC_OK) return status;
    at = (uintptr_t)arena_at(atomic_load(pool->owned));
    pool->shared = (struct pool_shared *)((at + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1));
    pool->shared->workers = pool->count;
    pool->shared->threads = options->kind == MPROC_THREADS;
    pool->kind = options->kind == MPROC_THREADS ? &worker_thread : &worker_process;
    plat_thread_schedule(&pool->shared->schedule);
    return MPROC_OK;
}

static mproc_status start_workers(mproc_pool *pool)
{
    mproc_status status;

    for (uint32_t i = 0; i < pool->count; i++) {
        pool->records[i].pool = pool;
        pool->records[i].index = i;
    }
    plat_mutex_lock(&pool->mutex);
    status = workers_start(pool);
    plat_mutex_unlock(&pool->mutex);
    return status;
}

mproc_status mproc_pool_create_sized(const mproc_pool_options *options, size_t options_size, mproc_pool **out)
{
    mproc_pool_options all;
    mproc_pool *pool = NULL;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!out) return mproc_error(MPROC_INVALID, "mproc_pool_create() has nowhere to write the pool: out is NULL");
    if ((status = family_enter()) != MPROC_OK) goto done;
    if ((status = check_options(&all)) != MPROC_OK) goto done;
    if (!(pool = calloc(1, sizeof *pool))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for a pool object");
        goto done;
    }
    pool->arena = arena_generation;
    pool->count = (uint32_t)(all.workers > 0 ? all.workers : plat_system_cpu_count());
    if (pool->count > POOL_WORKERS_MAX) pool->count = POOL_WORKERS_MAX;
    if (!(pool->records = calloc(pool->count, sizeof *pool->records))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for %u workers", pool->count);
        goto done;
    }
    if ((status = create_shared(pool, &all)) != MPROC_OK) goto done;
    if ((status = set_hooks(pool, &all)) != MPROC_OK) goto done;
    status = arguments_create(&all.initializer_args, "initializer", &pool->initializer_args);
    if (status != MPROC_OK) goto done;
    pool->shared->initializer_args = arguments_in(pool->initializer_args);
    if ((status = start_workers(pool)) != MPROC_OK) goto done;

    *out = pool;
    pool = NULL;
done:
    mproc_pool_free(pool);
    return status;
}

void pool_ring(struct pool_shared *shared, uint32_t count)
{
    uint32_t sleepers = 0;

    for (uint32_t i = 0; i < shared->workers && sleepers < count; i++) {
        _Atomic uint32_t *asleep = &pool_worker_at(shared, i)->asleep;
        if (!atomic_load(asleep) || !atomic_exchange(asleep, 0)) continue;
        park_wake(asleep, 1);
        sleepers++;
    }
}

static void end_work(mproc_pool *pool, enum pool_state state)
{
    uint32_t open = POOL_OPEN;

    if (family_enter_with(pool->arena) != MPROC_OK) return;
    plat_mutex_lock(&pool->mutex);
    if (state == POOL_CLOSED) atomic_compare_exchange_strong(&pool->shared->state, &open, POOL_CLOSED);
    else atomic_store(&pool->shared->state, POOL_TERMINATED);
    if (state == POOL_TERMINATED) workers_kill(pool);
    plat_mutex_unlock(&pool->mutex);
    pool_ring(pool->shared, pool->count);
    window_alarm(pool->shared);
}

void mproc_pool_close(mproc_pool *pool)
{
    assert(pool);
    end_work(pool, POOL_CLOSED);
}

void mproc_pool_terminate(mproc_pool *pool)
{
    assert(pool);
    end_work(pool, POOL_TERMINATED);
}

static mproc_status wait_for_workers(mproc_pool *pool, int64_t deadline_ns, bool interruptible)
{
    _Atomic uint32_t *running = &pool->shared->running;
    uint32_t left;

    while ((left = atomic_load(running)) > 0) {
        if (interruptible && interrupt_take()) return interrupt_status();
        if (wait_on(running, left, deadline_ns) == MPROC_TIMEOUT && atomic_load(running) > 0)
            return mproc_error(MPROC_TIMEOUT, "%lu workers of the pool still run",
                               (unsigned long)atomic_load(running));
    }
    return MPROC_OK;
}

mproc_status mproc_pool_join(mproc_pool *pool, int64_t timeout_ms)
{
    int64_t deadline_ns;
    mproc_status status;

    assert(pool);
    if ((status = deadline_from_timeout(timeout_ms, &deadline_ns)) != MPROC_OK) return status;
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    if (atomic_load(&pool->shared->state) == POOL_OPEN)
        return mproc_error(MPROC_BAD_STATE, "the pool takes work: close or terminate it before joining it");
    return wait_for_workers(pool, deadline_ns, true);
}

static void free_memory(mproc_pool *pool)
{
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < pool->buffers[i].outgrown_count; k++) resource_release(pool->buffers[i].outgrown[k]);
        resource_release(pool->buffers[i].words);
        resource_release(pool->buffers[i].data);
    }
    resource_release(pool->args);
    resource_release(pool->initializer_args);
    resource_release(pool->owned);
}

void mproc_pool_free(mproc_pool *pool)
{
    if (!pool) return;
    if (pool->shared && family_enter_with(pool->arena) == MPROC_OK) {
        mproc_pool_terminate(pool);
        wait_for_workers(pool, PLAT_FOREVER, false);
        workers_join(pool);
        free_memory(pool);
    }
    free(pool->records);
    free(pool);
}

int mproc_pool_workers(const mproc_pool *pool)
{
    assert(pool);
    return (int)pool->count;
}

size_t mproc_pool_pids(const mproc_pool *pool, int64_t *pids, size_t capacity)
{
    mproc_pool *self = (mproc_pool *)pool; /* the mutex changes, what it guards does not */
    size_t count = 0;

    assert(pool && (pids || capacity == 0));
    /* In a fork() copy another thread may have had the mutex at the fork. */
    if (family_enter_with(pool->arena) != MPROC_OK) return 0;
    plat_mutex_lock(&self->mutex);
    for (uint32_t i = 0; i < pool->count; i++) {
        const struct worker_record *record = &pool->records[i];
        if (!record->process && (!record->thread || record->ended)) continue;
        if (count < capacity) pids[count] = record->thread ? plat_process_id() : mproc_process_pid(record->process);
        count++;
    }
    plat_mutex_unlock(&self->mutex);
    return count;
}
