/* The workers of a pool: their births, and what is done at their deaths. */
#include "pool/workers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "arena/park.h"
#include "pool/worker.h"
#include "process/family.h"
#include "process/process.h"
#include "process/start.h"
#include "process/task.h"

/*
 * So many workers in a row that end before they are ready are no accident. Those that are killed from
 * outside can be: a storm of kills, or a system short of memory, may pass.
 */
#define FAILED_STARTS_MAX 96
#define FAILED_START_WEIGHT 12 /* of one that ended by itself; one that was killed weighs 1 */

static void break_pool(mproc_pool *pool, mproc_status status, const char *text)
{
    if (pool->broken != MPROC_OK) return;
    pool->broken = status;
    snprintf(pool->broken_text, sizeof pool->broken_text, "%s", text);
}

static void describe_end(const mproc_process *process, char *text, size_t size)
{
    const mproc_exit_status *end = &process->exit;

    if (end->kind == MPROC_EXIT_SIGNALLED)
        snprintf(text, size, "worker '%s' (pid %lld) was ended by signal %d", process->name,
                 (long long)process->os.pid, end->signal);
    else if (end->kind == MPROC_EXIT_EXITED)
        snprintf(text, size, "worker '%s' (pid %lld) ended with exit code %d", process->name,
                 (long long)process->os.pid, end->code);
    else
        snprintf(text, size, "worker '%s' (pid %lld) ended, how is unknown", process->name,
                 (long long)process->os.pid);
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

/* What a dead worker leaves in the words of others. */
static void clear_traces(struct pool_shared *shared, uint32_t index)
{
    for (int i = 0; i < POOL_SPINNERS_MAX; i++) {
        uint32_t expected = index + 1;
        atomic_compare_exchange_strong(&shared->spinners[i], &expected, 0);
    }
    atomic_store(&pool_worker_at(shared, index)->asleep, 0);
}

static bool any_was_ready(const struct pool_shared *shared)
{
    for (uint32_t i = 0; i < shared->workers; i++)
        if (atomic_load(&pool_worker_at(shared, i)->ready) > 0) return true;
    return false;
}

/*
 * A worker that cannot even begin would be replaced for ever. A program of which one worker has been ready has
 * its guard: where an exit code is all that is known of an end, another may have been killed before it came there.
 */
static void count_failed_start(mproc_pool *pool, const struct worker_record *record, const mproc_process *process,
                               const char *end)
{
    char text[POOL_TEXT_BYTES];
    bool killed = process->exit.signal == 9 || process->exit.signal == 15;

    if (atomic_load(&pool_worker_at(pool->shared, record->index)->ready) != record->ready_before) {
        pool->failed_starts = pool->failed_starts_weight = 0;
        return;
    }
    if (process->unguarded && !any_was_ready(pool->shared)) {
        snprintf(text, sizeof text, "%.300s before it entered mproc_main_guard(): does the program's main() call it?",
                 end);
        break_pool(pool, MPROC_NO_GUARD, text);
        return;
    }
    pool->failed_starts++;
    pool->failed_starts_weight += killed ? 1 : FAILED_START_WEIGHT;
    if (pool->failed_starts_weight >= FAILED_STARTS_MAX) {
        snprintf(text, sizeof text, "%lu workers in a row ended before they were ready, the last: %.300s",
                 (unsigned long)pool->failed_starts, end);
        break_pool(pool, MPROC_WORKER_LOST, text);
    }
}

static bool is_wanted(const mproc_pool *pool)
{
    uint32_t state = atomic_load(&pool->shared->state);

    if (pool->broken != MPROC_OK || atomic_load(&family.leaving)) return false;
    return state == POOL_OPEN || (state == POOL_CLOSED && atomic_load(&pool->shared->busy));
}

/* The last touch of the pool: whoever frees it waits for this, as may any number of joins. */
static void count_out(struct pool_shared *shared)
{
    if (atomic_fetch_sub(&shared->running, 1) == 1) park_wake(&shared->running, INT_MAX);
}

static void worker_ended(void *context, mproc_process *process)
{
    struct worker_record *record = context;
    mproc_pool *pool = record->pool;
    struct pool_shared *shared = pool->shared;
    char end[POOL_TEXT_BYTES];

    plat_mutex_lock(&pool->mutex);
    describe_end(process, end, sizeof end);
    clear_traces(shared, record->index);
    fail_lost_chunks(pool, record->index, end);
    count_failed_start(pool, record, process, end);
    record->process = NULL;
    if (is_wanted(pool)) workers_start(pool); /* if that fails, the next map tries again, and says why */
    plat_mutex_unlock(&pool->mutex);
    window_alarm(shared);
    mproc_process_free(process);
    count_out(shared);
}

static mproc_status start_process(mproc_pool *pool, struct worker_record *record)
{
    struct worker_start start = {arena_offset(pool->shared), record->index, record->successor};
    mproc_process_options options = {.name = record->name, .daemon = MPROC_YES};
    mproc_process *process = NULL;
    mproc_status status;

    status = mproc_process_create(worker_main, mproc_bytes(&start, sizeof start), &options, &process);
    if (status != MPROC_OK) return status;
    process->worker = true;
    process->ended = worker_ended;
    process->ended_context = record;
    record->ready_before = atomic_load(&pool_worker_at(pool->shared, record->index)->ready);
    record->process = process;
    status = process_start(process);
    if (status == MPROC_OK) return MPROC_OK;
    record->process = NULL;
    mproc_process_free(process);
    return status;
}

/* There is no slot for it, or no memory: maps report that. */
static void thread_failed(struct worker_record *record)
{
    mproc_pool *pool = record->pool;

    plat_mutex_lock(&pool->mutex);
    record->ended = true;
    break_pool(pool, MPROC_LIMIT, mproc_last_error_text());
    plat_mutex_unlock(&pool->mutex);
}

/* It has ended inside a task: what it had is lost, and another takes its place. Called in the thread itself. */
static void thread_lost(void *context)
{
    struct worker_record *record = context;
    mproc_pool *pool = record->pool;
    char end[POOL_TEXT_BYTES];

    reference_scope_clear(&record->scope);
    plat_mutex_lock(&pool->mutex);
    snprintf(end, sizeof end, "worker '%s' (a thread) ended inside its task", record->name);
    clear_traces(pool->shared, record->index);
    fail_lost_chunks(pool, record->index, end);
    record->ended = true;
    if (is_wanted(pool)) workers_start(pool);
    plat_mutex_unlock(&pool->mutex);
    window_alarm(pool->shared);
    count_out(pool->shared);
}

static void thread_main(void *context)
{
    struct worker_record *record = context;
    struct pool_shared *shared = record->pool->shared;

    if (record->predecessor) plat_thread_join(record->predecessor);
    if (record->successor) plat_thread_schedule_as(&shared->schedule);
    if (family_enter() == MPROC_OK) {
        task_on_thread_end(thread_lost, record);
        worker_run(shared, record->index, record->name, &record->scope);
        task_on_thread_end(NULL, NULL);
    } else {
        thread_failed(record);
    }
    window_alarm(shared);
    count_out(shared);
}

/* The thread that is in its place may be the calling one. */
static mproc_status start_thread(struct worker_record *record)
{
    plat_thread *predecessor = record->thread;
    mproc_status status;

    record->predecessor = predecessor;
    record->thread = NULL;
    record->ended = false;
    status = plat_thread_start(thread_main, record, &record->thread);
    if (status == MPROC_OK) return MPROC_OK;
    record->thread = predecessor;
    record->ended = predecessor != NULL;
    return status;
}

static mproc_status start_worker(mproc_pool *pool, struct worker_record *record)
{
    mproc_status status;

    snprintf(record->name, sizeof record->name, "PoolWorker-%lu", (unsigned long)++pool->names);
    record->successor = pool->names > pool->count;
    atomic_fetch_add(&pool->shared->running, 1);
    if (pool->shared->threads) status = start_thread(record);
    else status = start_process(pool, record);
    if (status != MPROC_OK) count_out(pool->shared);
    return status;
}

static bool is_there(const struct worker_record *record)
{
    return record->process || (record->thread && !record->ended);
}

bool workers_any(const mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (is_there(&pool->records[i])) return true;
    return false;
}

mproc_status workers_start(mproc_pool *pool)
{
    mproc_status status = MPROC_OK;

    if (pool->broken != MPROC_OK) return mproc_error(pool->broken, "%s", pool->broken_text);
    for (uint32_t i = 0; i < pool->count && status == MPROC_OK; i++)
        if (!is_there(&pool->records[i])) status = start_worker(pool, &pool->records[i]);
    return status;
}

mproc_status workers_restart(mproc_pool *pool)
{
    if (pool->broken != MPROC_NO_GUARD || any_was_ready(pool->shared)) {
        pool->broken = MPROC_OK;
        pool->failed_starts = pool->failed_starts_weight = 0;
    }
    return workers_start(pool);
}

void workers_kill(mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->records[i].process) mproc_process_kill(pool->records[i].process);
}

void workers_join(mproc_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->records[i].thread) plat_thread_join(pool->records[i].thread);
}
