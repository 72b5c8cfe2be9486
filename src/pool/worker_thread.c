/* Workers that are threads of the pool's owner. */
#include <stdio.h>

#include "base/log.h"
#include "pool/worker.h"
#include "pool/workers.h"
#include "process/family.h"
#include "process/task.h"

/* There is no slot for it, or no memory: maps report which. */
static void not_entered(struct worker_record *record, mproc_status status)
{
    mproc_pool *pool = record->pool;

    plat_mutex_lock(&pool->mutex);
    record->ended = true;
    atomic_store(&pool->complete, false);
    workers_break(pool, status, mproc_last_error_text());
    workers_stranded(pool,
                     STRANDED_UNTOLD); /* those who want its tasks end them: this thread is none of the family */
    plat_mutex_unlock(&pool->mutex);
}

/* It has ended inside a task: what it had is lost, and another takes its place. Called in the thread itself. */
static void thread_lost(void *context)
{
    struct worker_record *record = context;
    mproc_pool *pool = record->pool;
    char end[POOL_TEXT_BYTES];

    log_set_thread_name(NULL);
    worker_holdings_clear(&record->holdings);
    plat_mutex_lock(&pool->mutex);
    snprintf(end, sizeof end, "worker '%s' (a thread) ended inside its task", record->name);
    workers_lost(record, end);
    workers_judge_start(record, false, end);
    record->ended = true;
    workers_replace(pool);
    plat_mutex_unlock(&pool->mutex);
    workers_count_out(pool->shared);
}

/* Its work is not done: another takes its place. */
static void leave(struct worker_record *record)
{
    mproc_pool *pool = record->pool;

    plat_mutex_lock(&pool->mutex);
    workers_lost(record, record->name);
    workers_judge_start(record, false, record->name);
    record->ended = true;
    workers_replace(pool);
    plat_mutex_unlock(&pool->mutex);
    log_speak();
}

/* All is done. If others are lost yet, and it is not, it is started again. */
static void note_end(struct worker_record *record)
{
    plat_mutex_lock(&record->pool->mutex);
    record->ended = true;
    plat_mutex_unlock(&record->pool->mutex);
}

static void thread_main(void *context)
{
    struct worker_record *record = context;
    struct pool_shared *shared = record->pool->shared;
    enum worker_end end;
    mproc_status status;

    if (record->predecessor) plat_thread_join(record->predecessor);
    if (record->successor) plat_thread_schedule_as(&shared->schedule);
    plat_thread_take_signals();
    if ((status = family_enter()) == MPROC_OK) {
        log_set_thread_name(record->name);
        task_on_thread_end(thread_lost, record);
        end = worker_run(shared, record->index, record->name, &record->holdings);
        task_on_thread_end(NULL, NULL);
        log_set_thread_name(NULL); /* its place may get another name */
        if (end == WORKER_DONE) note_end(record);
        else leave(record);
    } else {
        not_entered(record, status);
    }
    workers_count_out(shared);
}

/* The thread that is in its place may be the calling one. */
static mproc_status start(struct worker_record *record)
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

/* A thread cannot be ended: it is asked to stop what it is at, and finishes it. */
static void kill_worker(struct worker_record *record)
{
    struct stop_request *request = &pool_worker_at(record->pool->shared, record->index)->request;
    uint64_t at = atomic_load(&request->at);

    if (!at) return;
    atomic_store(&request->asked, at);
    interrupt_wake(family.process);
}

const struct worker_kind worker_thread = {start, kill_worker};
