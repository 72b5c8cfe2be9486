/* What a pool and its workers have done. */
#include <string.h>

#include <mproc/pool_statistics.h>

#include "pool/tasks.h"
#include "pool/workers.h"
#include "process/family.h"

/* Of the worker of the record, 0: none. Under `mutex`. */
static int64_t pid_of(const struct worker_record *record)
{
    if (record->process) return mproc_process_pid(record->process);
    return record->thread && !record->ended ? plat_process_id() : 0;
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
        int64_t pid = pid_of(&pool->records[i]);
        if (pid == 0) continue;
        if (count < capacity) pids[count] = pid;
        count++;
    }
    plat_mutex_unlock(&self->mutex);
    return count;
}

/* Under `mutex`. */
static void read_worker(const struct worker_record *record, mproc_worker_statistics *out)
{
    const struct pool_worker *part = pool_worker_at(record->pool->shared, record->index);
    uint64_t at = atomic_load(&part->request.at);

    *out = (mproc_worker_statistics){.pid = pid_of(record),
                                     .starts = record->starts,
                                     .tasks = atomic_load(&part->tasks),
                                     .chunks = atomic_load(&part->chunks),
                                     .lost = record->lost,
                                     .retired = record->retired};
    if (record->starts > 0 && workers_was_ready(record))
        out->start_up_ns = atomic_load(&part->ready_ns) - record->started_ns;
    if (at_place(at) != POOL_JOBS) {
        out->work = at_place(at) == POOL_TASKS ? MPROC_AT_TASK : MPROC_AT_MAP;
        out->work_ns = plat_clock_now_ns() - atomic_load(&part->since_ns);
    }
    memcpy(out->name, record->name, sizeof out->name);
}

mproc_status mproc_pool_worker_statistics(const mproc_pool *pool, int worker, mproc_worker_statistics *out)
{
    mproc_pool *self = (mproc_pool *)pool;
    mproc_status status;

    assert(pool);
    if (worker < 0 || (uint32_t)worker >= pool->count || !out)
        return mproc_error(MPROC_INVALID, "the statistics of worker %d of %lu are to go to %p", worker,
                           (unsigned long)pool->count, (void *)out);
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&self->mutex);
    read_worker(&pool->records[worker], out);
    plat_mutex_unlock(&self->mutex);
    return MPROC_OK;
}

mproc_status mproc_pool_statistics(const mproc_pool *pool, mproc_pool_totals *out)
{
    mproc_pool *self = (mproc_pool *)pool;
    mproc_status status;

    assert(pool);
    if (!out) return mproc_error(MPROC_INVALID, "the statistics of a pool are to go to NULL");
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    *out = (mproc_pool_totals){.workers = (int)atomic_load(&pool->shared->limit)};
    plat_mutex_lock(&self->mutex);
    for (uint32_t i = 0; i < pool->count; i++) {
        mproc_worker_statistics one;
        read_worker(&pool->records[i], &one);
        out->running += one.pid != 0;
        out->ready += one.pid != 0 && one.start_up_ns != 0;
        out->starts += one.starts;
        out->tasks += one.tasks;
        out->chunks += one.chunks;
        out->lost += one.lost;
        out->retired += one.retired;
    }
    out->maps = (int)atomic_load(&pool->shared->busy);
    out->tasks_begun = tasks_pending(self, UINT32_MAX, &out->tasks_waiting);
    plat_mutex_unlock(&self->mutex);
    return MPROC_OK;
}
