/* Creates, closes, joins and frees pools. */
#include <stdlib.h>
#include <string.h>

#include "arena/park.h"
#include "base/log.h"
#include "base/options.h"
#include "object/resource_owner.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/job.h"
#include "pool/keeper.h"
#include "pool/tasks.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

/* Longer ones are no limit. */
#define IDLE_MS_MAX (INT64_MAX / 1000000 / 2)

/* How soon threads that are to end are asked once more; and then ever later. */
#define ASK_AGAIN_NS ((int64_t)5000000)

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
    if (options->max_memory_bytes < 0)
        return mproc_error(MPROC_INVALID, "a worker of at most %lld bytes: 0 stands for no limit",
                           (long long)options->max_memory_bytes);
    if (options->max_memory_bytes > 0 && options->kind == MPROC_THREADS)
        return mproc_error(MPROC_INVALID,
                           "max_memory_bytes is for workers that are processes: threads have the memory "
                           "of this one");
    if (options->idle_timeout_ms < 0)
        return mproc_error(MPROC_INVALID, "workers that end after %lld ms without work: 0 stands for never",
                           (long long)options->idle_timeout_ms);
    if (options->workers_max < 0 || options->workers_max > POOL_WORKERS_MAX ||
        (options->workers_max > 0 && options->workers_max < options->workers))
        return mproc_error(MPROC_INVALID, "at most %d workers of a pool of %d, which can be up to %d",
                           options->workers_max, options->workers, POOL_WORKERS_MAX);
    if (options->workers_min < 0 || (options->workers > 0 && options->workers_min > options->workers))
        return mproc_error(MPROC_INVALID, "at least %d workers of a pool of %d", options->workers_min,
                           options->workers);
    if (options->grace_ms < 0)
        return mproc_error(MPROC_INVALID,
                           "a grace of %lld ms: 0 stands for the usual one, and MPROC_FOREVER for none "
                           "that ends",
                           (long long)options->grace_ms);
    if (!options->initializer && options->initializer_args.count > 0)
        return mproc_error(MPROC_INVALID, "there are arguments for the initializer, and no initializer");
    return MPROC_OK;
}

static mproc_status set_hook(const mproc_pool *pool, struct pool_function *hook, mproc_function *function)
{
    atomic_store(&hook->address, (uint64_t)(uintptr_t)function);
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

/* How many workers there are to be, and room for how many. */
static uint32_t count_workers(const mproc_pool_options *options, uint32_t *room)
{
    uint32_t count = (uint32_t)(options->workers > 0 ? options->workers : plat_system_cpu_count());
    uint32_t most = options->workers_max > 0 ? (uint32_t)options->workers_max : POOL_WORKERS_MAX;

    if (count > most) count = most;
    *room = options->workers_max > 0 ? most : count;
    return count;
}

static mproc_status create_shared(mproc_pool *pool, const mproc_pool_options *options, uint32_t count)
{
    uint64_t size = sizeof(struct pool_shared) + 2 * ARENA_LINE + pool->count * sizeof(struct pool_worker);
    mproc_status status;

    if ((status = resource_take(size, size, &pool->owned)) != MPROC_OK) return status;
    pool->shared = (struct pool_shared *)line_after((uintptr_t)arena_at(atomic_load(pool->owned)));
    atomic_store(&pool->shared->workers, count);
    atomic_store(&pool->shared->limit, count);
    pool->shared->max_memory = (uint64_t)options->max_memory_bytes;
    pool->shared->pinned = options->pinned;
    pool->shared->kept = options->lazy || options->idle_timeout_ms ? (uint32_t)options->workers_min : UINT32_MAX;
    if (options->idle_timeout_ms < IDLE_MS_MAX) pool->shared->idle_ns = options->idle_timeout_ms * 1000000;
    pool->grace_ms = options->grace_ms;
    pool->shared->threads = options->kind == MPROC_THREADS;
    pool->kind = options->kind == MPROC_THREADS ? &worker_thread : &worker_process;
    plat_thread_schedule(&pool->shared->schedule);
    return MPROC_OK;
}

static mproc_status start_workers(mproc_pool *pool, uint32_t least)
{
    mproc_status status;

    for (uint32_t i = 0; i < pool->count; i++) {
        pool->records[i].pool = pool;
        pool->records[i].index = i;
    }
    plat_mutex_lock(&pool->mutex);
    status = workers_start(pool, least);
    pool->created = true;
    plat_mutex_unlock(&pool->mutex);
    return status;
}

mproc_status pool_check_open(const mproc_pool *pool)
{
    uint32_t state = atomic_load(&pool->shared->state);

    if (state == POOL_OPEN) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "the pool was %s: it takes no more work",
                       state == POOL_TERMINATED ? "terminated" : "closed");
}

mproc_status pool_check_alive(const mproc_pool *pool)
{
    if (atomic_load(&pool->shared->state) != POOL_TERMINATED) return MPROC_OK;
    return mproc_error(MPROC_TERMINATED, "the pool was terminated");
}

mproc_status pool_check_retries(int64_t retries)
{
    if (retries >= 0 && retries <= RETRIES_MAX) return MPROC_OK;
    return mproc_error(MPROC_INVALID,
                       "what is lost with its worker is to be begun again %lld times: 0 is never, and %d the most",
                       (long long)retries, RETRIES_MAX);
}

void pool_alarm(struct pool_shared *shared)
{
    for (uint32_t i = 0; i < POOL_JOBS; i++) {
        struct pool_job *job = pool_job_at(shared, i);
        if (job) window_alarm(job);
    }
    bell_tell(shared, BELL_ALL);
    jobs_alarm(shared);
}

/* Under both mutexes: whoever submits a task does it before, or is refused. */
static void set_state(mproc_pool *pool, enum pool_state state)
{
    struct tasks *tasks = pool->tasks;
    uint32_t open = POOL_OPEN;

    if (tasks) plat_mutex_lock(&tasks->mutex);
    if (state == POOL_CLOSED) atomic_compare_exchange_strong(&pool->shared->state, &open, POOL_CLOSED);
    else atomic_store(&pool->shared->state, POOL_TERMINATED);
    if (tasks) plat_mutex_unlock(&tasks->mutex);
}

/* All who wait for the pool, or for work, look at its state again. */
static void tell_state(mproc_pool *pool)
{
    bell_ring_all(pool->shared);
    pool_alarm(pool->shared);
}

/* Under its mutex. */
static void say(const mproc_pool *pool, const char *what)
{
    if (!log_on(MPROC_LOG_INFO)) return;
    log_owe(MPROC_LOG_INFO, "a pool of %lu worker %s was %s", (unsigned long)atomic_load(&pool->shared->limit),
            pool->shared->threads ? "threads" : "processes", what);
}

void mproc_pool_close(mproc_pool *pool)
{
    assert(pool);
    if (family_enter_with(pool->arena) != MPROC_OK) return;
    plat_mutex_lock(&pool->mutex);
    set_state(pool, POOL_CLOSED);
    say(pool, "closed");
    /* Whoever has submitted a task may still be about to start a worker for it: a join would not wait for that. */
    if (workers_come_and_go(pool)) workers_start(pool, 0);
    plat_mutex_unlock(&pool->mutex);
    tell_state(pool);
    log_speak();
}

void mproc_pool_terminate(mproc_pool *pool)
{
    assert(pool);
    if (family_enter_with(pool->arena) != MPROC_OK) return;
    plat_mutex_lock(&pool->mutex);
    set_state(pool, POOL_TERMINATED);
    say(pool, "terminated");
    tasks_end_all(pool->tasks, MPROC_TERMINATED, "the pool was terminated before a worker began the task");
    workers_kill(pool);
    plat_mutex_unlock(&pool->mutex);
    tell_state(pool);
    log_speak();
}

/* Of a pool that was closed, a map that has begun may not have started its workers yet. */
static mproc_status wait_for_workers(mproc_pool *pool, int64_t deadline_ns, bool interruptible)
{
    struct pool_shared *shared = pool->shared;

    for (;;) {
        uint32_t freed = atomic_load(&shared->jobs_freed);
        bool maps = atomic_load(&shared->busy) > 0 && atomic_load(&shared->state) != POOL_TERMINATED;
        uint32_t left = atomic_load(&shared->running);
        if (left == 0 && !maps) return MPROC_OK;
        if (interruptible && interrupt_take()) return interrupt_status();
        if (wait_on(left > 0 ? &shared->running : &shared->jobs_freed, left > 0 ? left : freed, deadline_ns) !=
            MPROC_TIMEOUT)
            continue;
        if (maps || atomic_load(&shared->running) > 0)
            return mproc_error(MPROC_TIMEOUT, "%lu workers of the pool still run",
                               (unsigned long)atomic_load(&shared->running));
    }
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
    if ((status = worker_check_waiter(pool->shared)) != MPROC_OK) return status;
    if ((status = callbacks_check_waiter(pool->tasks)) != MPROC_OK) return status;
    if ((status = progress_check_waiter(pool)) != MPROC_OK) return status;
    if ((status = async_maps_wait(pool, deadline_ns)) != MPROC_OK) return status;
    if ((status = wait_for_workers(pool, deadline_ns, true)) != MPROC_OK) return status;
    return pool->tasks ? callbacks_wait(pool->tasks, deadline_ns) : MPROC_OK;
}

/* Of one that was not made wholly, too: it has had no work. */
static void end_workers(mproc_pool *pool)
{
    int64_t pause_ns = ASK_AGAIN_NS, until_ns;

    plat_mutex_lock(&pool->mutex);
    set_state(pool, POOL_TERMINATED);
    plat_mutex_unlock(&pool->mutex);
    do { /* again, where a thread was just about to sleep when it was asked to stop */
        plat_mutex_lock(&pool->mutex);
        workers_kill(pool);
        plat_mutex_unlock(&pool->mutex);
        tell_state(pool);
        until_ns = pool->shared->threads ? plat_clock_now_ns() + pause_ns : PLAT_FOREVER;
        pause_ns *= 2;
    } while (wait_for_workers(pool, until_ns, false) != MPROC_OK);
    workers_join(pool);
}

static void free_memory(mproc_pool *pool)
{
    free(pool->records);
    free(pool);
}

mproc_status mproc_pool_create_sized(const mproc_pool_options *options, size_t options_size, mproc_pool **out)
{
    mproc_pool_options all;
    mproc_pool *pool = NULL;
    uint32_t count;
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
    count = count_workers(&all, &pool->count);
    if (!(pool->records = calloc(pool->count, sizeof *pool->records))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for %u workers", pool->count);
        goto done;
    }
    if ((status = create_shared(pool, &all, count)) != MPROC_OK) goto done;
    if ((status = set_hooks(pool, &all)) != MPROC_OK) goto done;
    status = arguments_create(&all.initializer_args, "initializer", false, &pool->initializer_args);
    if (status != MPROC_OK) goto done;
    pool->shared->initializer_args = arguments_in(pool->initializer_args);
    if ((status = start_workers(pool, all.lazy ? 0 : count)) != MPROC_OK) goto done;
    say(pool, "created");

    *out = pool;
    pool = NULL;
done:
    if (pool && pool->shared) end_workers(pool);
    if (pool) resource_release(pool->initializer_args);
    if (pool) resource_release(pool->owned);
    if (pool) free_memory(pool);
    log_speak();
    return status;
}

/* A worker, or a callback, that frees its pool: a mistake of the program. */
static bool waits_for_itself(const mproc_pool *pool)
{
    bool waits = worker_check_waiter(pool->shared) != MPROC_OK || callbacks_check_waiter(pool->tasks) != MPROC_OK ||
                 progress_check_waiter(pool) != MPROC_OK;

    assert(!waits);
    return waits;
}

void mproc_pool_free(mproc_pool *pool)
{
    if (!pool) return;
    if (family_enter_with(pool->arena) == MPROC_OK) {
        if (waits_for_itself(pool)) return; /* what it still needs stays */
        end_workers(pool);
        tasks_end_all(pool->tasks, MPROC_TERMINATED, "the pool was freed before a worker began the task");
        async_maps_end(pool);
        if (pool->tasks) callbacks_end(pool->tasks);
        async_maps_end(pool); /* a callback may have started one that has nothing to do */
        keeper_end(pool);
        tasks_free(pool);
        jobs_free(pool);
        say(pool, "freed");
        resource_release(pool->initializer_args);
        if (pool->tasks) tasks_let_go(pool->tasks, pool->owned);
        else resource_release(pool->owned);
    }
    free_memory(pool);
    log_speak();
}

int mproc_pool_workers(const mproc_pool *pool)
{
    assert(pool);
    return (int)atomic_load(&pool->shared->limit);
}

mproc_status mproc_pool_resize(mproc_pool *pool, int workers)
{
    struct pool_shared *shared;
    uint32_t before;
    mproc_status status;

    assert(pool);
    shared = pool->shared;
    if (workers < 1 || (uint32_t)workers > pool->count)
        return mproc_error(MPROC_INVALID,
                           "a pool of %d workers: 1 to %lu are possible, the option workers_max is for more", workers,
                           (unsigned long)pool->count);
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&pool->mutex);
    before = atomic_load(&shared->limit);
    if ((status = pool_check_open(pool)) == MPROC_OK) {
        if ((uint32_t)workers > atomic_load(&shared->workers)) atomic_store(&shared->workers, (uint32_t)workers);
        atomic_store(&shared->limit, (uint32_t)workers);
        status = workers_restart(pool, 0);
        if (status != MPROC_OK) atomic_store(&shared->limit, before);
    }
    plat_mutex_unlock(&pool->mutex);
    bell_ring_all(shared); /* those above the number end */
    log_speak();
    return status;
}
