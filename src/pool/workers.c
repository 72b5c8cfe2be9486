/* The workers of a pool, of both kinds: their births, and what is done at their deaths. */
#include "pool/workers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "arena/park.h"
#include "base/log.h"
#include "pool/bell.h"
#include "pool/tasks.h"
#include "process/family.h"

/*
 * So many workers in a row that end before they are ready are no accident. Those that are killed from
 * outside can be: a storm of kills, or a system short of memory, may pass.
 */
#define FAILED_STARTS_MAX 96
#define FAILED_START_WEIGHT 12 /* of one that ended by itself; one that was killed weighs 1 */

/*
 * The same of workers that are lost with what they do, one after the other, while nothing is finished. Whoever gives
 * the pool more work has it try again: at once first, and then after a rest that doubles.
 */
#define CRASHES_MAX (100 * FAILED_START_WEIGHT)
#define REST_NS ((int64_t)10000000)
#define REST_DOUBLINGS 7

static uint32_t greater(uint32_t left, uint32_t right)
{
    return left > right ? left : right;
}

static bool is_there(const struct worker_record *record)
{
    return record->process || (record->thread && !record->ended);
}

static bool any_is_there(const mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (is_there(&pool->records[i])) return true;
    return false;
}

static void note_reason(mproc_pool *pool, mproc_status status, const char *text)
{
    pool->start_status = status;
    snprintf(pool->start_text, sizeof pool->start_text, "%s", text);
}

/* So many workers there is work for. */
static uint32_t workers_wanted(mproc_pool *pool, uint32_t limit)
{
    uint64_t waiting;
    uint32_t wanted = tasks_pending(pool, limit, &waiting);

    wanted += (uint32_t)waiting;
    for (uint32_t i = 0; i < POOL_JOBS && wanted < limit; i++)
        if (pool->jobs[i]) wanted += pool->jobs[i]->wanted;
    return wanted;
}

/* `before` was in its place, or "". Of a process it is said as of all. */
static void say_start(const struct worker_record *record, const char *before)
{
    if (!log_on(MPROC_LOG_INFO)) return;
    if (*before) log_owe(MPROC_LOG_INFO, "worker '%s' takes the place of '%s'", record->name, before);
    else if (record->thread) log_owe(MPROC_LOG_INFO, "worker '%s' (a thread) was started", record->name);
}

mproc_status workers_start(mproc_pool *pool, uint32_t least)
{
    struct pool_shared *shared = pool->shared;
    uint32_t limit = atomic_load(&shared->limit), wanted = greater(least, shared->kept), there = 0;

    if (pool_check_alive(pool) != MPROC_OK) return MPROC_TERMINATED;
    atomic_store(&pool->complete, false);
    if (wanted < limit) wanted = greater(wanted, workers_wanted(pool, limit));
    for (uint32_t i = 0; i < limit; i++)
        if (is_there(&pool->records[i]) && !atomic_load(&pool_worker_at(shared, i)->leaves)) there++;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct worker_record *record = &pool->records[i];
        char before[sizeof record->name];
        mproc_status status;
        if (is_there(record)) continue;
        /* What a dead one has reserved is for a successor: others come to it last of all. */
        if ((i >= limit || there >= wanted) && !atomic_load(&pool_worker_at(shared, i)->range_job)) continue;
        if (pool->broken) return mproc_error(pool->start_status, "%s", pool->start_text);
        there++;
        memcpy(before, record->name, sizeof before);
        snprintf(record->name, sizeof record->name, "PoolWorker-%lu", (unsigned long)++pool->names);
        record->successor = pool->created;
        record->removed = false;
        record->asks = 0;
        record->ready_before = atomic_load(&pool_worker_at(pool->shared, i)->ready);
        atomic_store(&pool_worker_at(pool->shared, i)->init_status, MPROC_OK);
        atomic_store(&pool_worker_at(pool->shared, i)->over, 0);
        record->started_ns = plat_clock_now_ns();
        atomic_fetch_add(&pool->shared->running, 1);
        if ((status = pool->kind->start(record)) == MPROC_OK) {
            record->starts++;
            say_start(record, before);
            atomic_store(&pool->shared->stranded, 0);
            continue;
        }
        note_reason(pool, status, mproc_last_error_text());
        workers_count_out(pool->shared);
        return status;
    }
    atomic_store(&pool->complete, there >= limit);
    if (!pool->broken) pool->start_status = MPROC_OK;
    return MPROC_OK;
}

mproc_status workers_restart(mproc_pool *pool, uint32_t least)
{
    /* Those of a program without a guard, or with another copy of the library, never begin. */
    bool hopeless = (pool->start_status == MPROC_NO_GUARD || pool->start_status == MPROC_MISMATCH) &&
                    !workers_any_was_ready(pool->shared);

    if (pool->broken && !hopeless && plat_clock_now_ns() >= pool->rest_until_ns) {
        pool->broken = false;
        pool->failed_starts = pool->failed_starts_weight = 0;
    }
    return workers_start(pool, least);
}

bool workers_provide(mproc_pool *pool)
{
    if (atomic_load(&pool->shared->state) == POOL_TERMINATED) return true;
    return workers_restart(pool, 0) == MPROC_OK || !workers_stranded(pool, STRANDED_TOLD);
}

mproc_status workers_missing(mproc_pool *pool)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&pool->mutex);
    if (!any_is_there(pool) && atomic_load(&pool->shared->state) != POOL_TERMINATED && pool->start_status != MPROC_OK)
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
    if (log_on(MPROC_LOG_WARNING) && !atomic_load(&family.leaving))
        log_owe(MPROC_LOG_WARNING, "no worker of a pool is started any more: %s", text);
}

/*
 * What the dead worker had claimed of a map is lost; the map reports the lowest of such items. If it was removed, the
 * map was given up, and its owner knows why.
 */
static void fail_lost_chunks(struct worker_record *record, struct job *job, mproc_status status, const char *end)
{
    mproc_pool *pool = record->pool;
    int32_t outcome = status == MPROC_WORKER_LOST ? CHUNK_LOST : (int32_t)status;
    uint64_t number = atomic_load(&job->shared->map.number), posted = atomic_load(&job->shared->map.posted);

    if (record->removed) outcome = CHUNK_GIVEN_UP;
    for (uint64_t window = posted > 1 ? posted - 1 : 1; window <= posted; window++) {
        struct window_view view;
        uint64_t item;
        if (!window_view(pool->shared, job->shared, window, &view)) continue;
        item = window_fail_lost(&view, record->index, outcome, &pool->finished_chunks);
        if (item == UINT64_MAX || record->removed) continue;
        if (atomic_load(&job->shared->map.stops) && !job->again) {
            atomic_store(&job->shared->map.failed, number);
            window_alarm(job->shared);
        }
        if (job->lost.job == number && job->lost.item <= item) continue;
        job->lost.job = number;
        job->lost.item = item;
        snprintf(job->lost.text, sizeof job->lost.text, "%.400s while it computed the chunk of item %llu", end,
                 (unsigned long long)item);
        if (log_on(MPROC_LOG_WARNING) && status == MPROC_WORKER_LOST)
            log_owe(MPROC_LOG_WARNING, "%s%s", job->lost.text, job->again ? ", which is begun again" : "");
    }
}

/* It may have said that a job has no work any more, and not have looked once more. */
static void restore_active(mproc_pool *pool)
{
    for (uint32_t i = 0; i < POOL_JOBS; i++)
        if (pool->jobs[i] && pool->jobs[i]->used) atomic_fetch_or(&pool->shared->active, (uint64_t)1 << i);
}

static void say_end(const struct worker_record *record, mproc_status status, uint32_t over, const char *end)
{
    bool asked = status == MPROC_TERMINATED || atomic_load(&family.leaving);
    bool bad = !asked && (record->removed || over == 0 || over == WORKER_NOT_READY + 1);
    int level = bad ? MPROC_LOG_WARNING : MPROC_LOG_INFO;
    const char *why = "its work is done";

    if (!log_on(level)) return;
    if (asked) why = "the pool has ended";
    else if (record->removed) why = "it did not leave what was given up";
    else if (over == 0) why = "its work was not done";
    else if (over == WORKER_NOT_READY + 1) why = "its initializer failed";
    else if (over == WORKER_RETIRES + 1) why = "it has done as much as one worker may, or is one too many";
    log_owe(level, "%s: %s", end, why);
}

/* It may have left its traces in the words of others, and have been about to wake somebody. */
void workers_lost(struct worker_record *record, const char *end)
{
    mproc_pool *pool = record->pool;
    struct pool_shared *shared = pool->shared;
    /* One that terminate() has ended was not lost. */
    mproc_status status = atomic_load(&shared->state) == POOL_TERMINATED ? MPROC_TERMINATED : MPROC_WORKER_LOST;
    uint32_t over = atomic_load(&pool_worker_at(shared, record->index)->over);

    record->lost += status == MPROC_WORKER_LOST && (over == 0 || over == WORKER_NOT_READY + 1);
    record->retired += over == WORKER_RETIRES + 1;
    record->crashed = status == MPROC_WORKER_LOST && over == 0 && !record->removed;
    say_end(record, status, over, end);
    for (int i = 0; i < POOL_SPINNERS_MAX; i++) {
        uint32_t expected = record->index + 1;
        atomic_compare_exchange_strong(&shared->spinners[i], &expected, 0);
    }
    bell_end_watch(shared, record->index);
    atomic_store(&pool_worker_at(shared, record->index)->asleep, 0);
    atomic_store(&pool_worker_at(shared, record->index)->cpu, 0);
    atomic_store(&pool_worker_at(shared, record->index)->leaves, 0);
    for (uint32_t i = 0; i < POOL_JOBS; i++)
        if (pool->jobs[i] && atomic_load(&pool->jobs[i]->shared->kind) == JOB_MAP)
            fail_lost_chunks(record, pool->jobs[i], status, end);
    tasks_bury(pool, record->index, status, end);
    restore_active(pool);
    bell_ring_all(shared);
}

bool workers_stranded(mproc_pool *pool, enum pool_stranded how)
{
    if (any_is_there(pool)) return false;
    atomic_store(&pool->shared->stranded, how); /* before the tasks are ended: who submits one after that sees it */
    return true;
}

void workers_replace(mproc_pool *pool)
{
    uint32_t state = atomic_load(&pool->shared->state);
    const char *leaving = atomic_load(&family.leaving);
    char text[100];

    if (state == POOL_TERMINATED) return;
    if (state == POOL_CLOSED && !atomic_load(&pool->shared->busy) && !tasks_waiting(pool)) return;
    if (leaving) {
        snprintf(text, sizeof text, "no worker is left, and none is started: %s", leaving);
        workers_break(pool, MPROC_BAD_STATE, text);
    }
    if (workers_start(pool, 0) == MPROC_OK || !workers_stranded(pool, STRANDED_TOLD)) return;
    tasks_end_all(pool->tasks, pool->start_status, pool->start_text);
}

void workers_count_out(struct pool_shared *shared)
{
    pool_alarm(shared);
    if (atomic_fetch_sub(&shared->running, 1) == 1) park_wake(&shared->running, INT_MAX);
}

bool workers_was_ready(const struct worker_record *record)
{
    return atomic_load(&pool_worker_at(record->pool->shared, record->index)->ready) != record->ready_before;
}

/* Tasks and chunks that are finished. Those of maps are counted when workers leave these. */
static uint64_t count_finished(const mproc_pool *pool)
{
    uint64_t sum = pool->finished_chunks;

    for (uint32_t i = 0; i < pool->count; i++) {
        const struct pool_worker *worker = pool_worker_at(pool->shared, i);
        sum += atomic_load(&worker->tasks) + atomic_load(&worker->chunks);
    }
    return sum;
}

static void judge_crash(mproc_pool *pool, bool killed, const char *end)
{
    uint64_t sum = count_finished(pool);
    uint32_t doublings = pool->crash_breaks > REST_DOUBLINGS ? REST_DOUBLINGS : pool->crash_breaks;
    char text[POOL_TEXT_BYTES];

    if (sum != pool->finished) {
        pool->crashes = pool->crashes_weight = pool->crash_breaks = doublings = 0;
        pool->rest_until_ns = 0;
    }
    pool->finished = sum;
    pool->crashes++;
    pool->crashes_weight += killed ? 1 : FAILED_START_WEIGHT;
    if (pool->crashes_weight < CRASHES_MAX || pool->broken) return;
    snprintf(text, sizeof text,
             "%lu workers in a row were lost, and nothing was finished meanwhile; the last: %.300s",
             (unsigned long)pool->crashes, end);
    workers_break(pool, MPROC_WORKER_LOST, text);
    if (pool->crash_breaks > 0) pool->rest_until_ns = plat_clock_now_ns() + (REST_NS << (doublings - 1));
    pool->crash_breaks++;
    pool->crashes = pool->crashes_weight = 0;
}

void workers_judge_start(const struct worker_record *record, bool killed, const char *end)
{
    mproc_pool *pool = record->pool;
    const struct pool_worker *worker = pool_worker_at(pool->shared, record->index);
    mproc_status status = (mproc_status)atomic_load(&worker->init_status);
    char text[POOL_TEXT_BYTES];

    if (workers_was_ready(record)) {
        pool->failed_starts = pool->failed_starts_weight = 0;
        if (record->crashed) judge_crash(pool, killed, end);
    } else if (status != MPROC_OK) {
        workers_break(pool, status, worker->init_text);
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
