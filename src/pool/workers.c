/* The workers of a pool, of both kinds: their births, and what is done at their deaths. */
#include "pool/workers.h"

#include <limits.h>
#include <stdio.h>

#include "arena/park.h"
#include "process/family.h"

/*
 * So many workers in a row that end before they are ready are no accident. Those that are killed from
 * outside can be: a storm of kills, or a system short of memory, may pass.
 */
#define FAILED_STARTS_MAX 96
#define FAILED_START_WEIGHT 12 /* of one that ended by itself; one that was killed weighs 1 */

static bool is_there(const struct worker_record *record)
{
    return record->process || (record->thread && !record->ended);
}

static void note_reason(mproc_pool *pool, mproc_status status, const char *text)
{
    pool->start_status = status;
    snprintf(pool->start_text, sizeof pool->start_text, "%s", text);
}

mproc_status workers_start(mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        struct worker_record *record = &pool->records[i];
        mproc_status status;
        if (is_there(record)) continue;
        if (pool->broken) return mproc_error(pool->start_status, "%s", pool->start_text);
        snprintf(record->name, sizeof record->name, "PoolWorker-%lu", (unsigned long)++pool->names);
        record->successor = pool->names > pool->count;
        record->ready_before = atomic_load(&pool_worker_at(pool->shared, i)->ready);
        atomic_fetch_add(&pool->shared->running, 1);
        if ((status = pool->kind->start(record)) == MPROC_OK) continue;
        note_reason(pool, status, mproc_last_error_text());
        workers_count_out(pool->shared);
        return status;
    }
    if (!pool->broken) pool->start_status = MPROC_OK;
    return MPROC_OK;
}

mproc_status workers_restart(mproc_pool *pool)
{
    /* Those of a program without a guard, or with another copy of the library, never begin. */
    bool hopeless = (pool->start_status == MPROC_NO_GUARD || pool->start_status == MPROC_MISMATCH) &&
                    !workers_any_was_ready(pool->shared);

    if (pool->broken && !hopeless) {
        pool->broken = false;
        pool->failed_starts = pool->failed_starts_weight = 0;
    }
    return workers_start(pool);
}

mproc_status workers_missing(mproc_pool *pool)
{
    mproc_status status = MPROC_OK;
    bool any = false;

    plat_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < pool->count && !any; i++) any = is_there(&pool->records[i]);
    if (!any && atomic_load(&pool->shared->state) != POOL_TERMINATED && pool->start_status != MPROC_OK)
        status = mproc_error(pool->start_status, "%s", pool->start_text);
    plat_mutex_unlock(&pool->mutex);
    return status;
}

void workers_kill(mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) pool->kind->kill(&pool->records[i]);
}

void workers_join(mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->records[i].thread) plat_thread_join(pool->records[i].thread);
}

void workers_break(mproc_pool *pool, mproc_status status, const char *text)
{
    if (pool->broken) return;
    pool->broken = true;
    note_reason(pool, status, text);
}

/* What the dead worker had claimed is lost; the map reports the lowest of such items. */
static void fail_lost_chunks(mproc_pool *pool, uint32_t index, const char *end)
{
    uint64_t job = atomic_load(&pool->shared->job.number), posted = atomic_load(&pool->shared->posted);
    /* One that terminate() has ended was not lost. */
    mproc_status status = atomic_load(&pool->shared->state) == POOL_TERMINATED ? MPROC_TERMINATED : MPROC_WORKER_LOST;

    for (uint64_t number = posted > 1 ? posted - 1 : 1; number <= posted; number++) {
        struct window_view view;
        uint64_t item;
        if (!window_view(pool->shared, number, &view)) continue;
        item = window_fail_lost(&view, index, status);
        if (item == UINT64_MAX || (pool->lost.job == job && pool->lost.item <= item)) continue;
        pool->lost.job = job;
        pool->lost.item = item;
        snprintf(pool->lost.text, sizeof pool->lost.text, "%.400s while it computed the chunk of item %llu", end,
                 (unsigned long long)item);
    }
}

/* It may have left its traces in the words of others. */
void workers_lost(struct worker_record *record, const char *end)
{
    struct pool_shared *shared = record->pool->shared;

    for (int i = 0; i < POOL_SPINNERS_MAX; i++) {
        uint32_t expected = record->index + 1;
        atomic_compare_exchange_strong(&shared->spinners[i], &expected, 0);
    }
    atomic_store(&pool_worker_at(shared, record->index)->asleep, 0);
    atomic_store(&pool_worker_at(shared, record->index)->cpu, 0);
    fail_lost_chunks(record->pool, record->index, end);
}

void workers_replace(mproc_pool *pool)
{
    uint32_t state = atomic_load(&pool->shared->state);
    const char *leaving = atomic_load(&family.leaving);
    char text[100];

    if (state == POOL_TERMINATED || (state == POOL_CLOSED && !atomic_load(&pool->shared->busy))) return;
    if (leaving) {
        snprintf(text, sizeof text, "no worker is left, and none is started: %s", leaving);
        workers_break(pool, MPROC_BAD_STATE, text);
    }
    workers_start(pool);
}

void workers_count_out(struct pool_shared *shared)
{
    window_alarm(shared);
    if (atomic_fetch_sub(&shared->running, 1) == 1) park_wake(&shared->running, INT_MAX);
}

bool workers_was_ready(const struct worker_record *record)
{
    return atomic_load(&pool_worker_at(record->pool->shared, record->index)->ready) != record->ready_before;
}

void workers_judge_start(const struct worker_record *record, bool killed, const char *end)
{
    mproc_pool *pool = record->pool;
    const struct pool_worker *worker = pool_worker_at(pool->shared, record->index);
    mproc_status status = (mproc_status)atomic_load(&worker->init_status);
    char text[POOL_TEXT_BYTES];

    if (workers_was_ready(record)) {
        pool->failed_starts = pool->failed_starts_weight = 0;
    } else if (status != MPROC_OK) {
        workers_break(pool, status, worker->failed_text);
    } else {
        pool->failed_starts++;
        pool->failed_starts_weight += killed ? 1 : FAILED_START_WEIGHT;
        if (pool->failed_starts_weight < FAILED_STARTS_MAX) return;
        snprintf(text, sizeof text, "%lu workers in a row ended before they were ready, the last: %.300s",
                 (unsigned long)pool->failed_starts, end);
        workers_break(pool, MPROC_WORKER_LOST, text);
    }
}

bool workers_any_was_ready(const struct pool_shared *shared)
{
    for (uint32_t i = 0; i < shared->workers; i++)
        if (atomic_load(&pool_worker_at(shared, i)->ready) > 0) return true;
    return false;
}
