/* Workers that are processes. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/worker.h"
#include "pool/workers.h"
#include "process/join.h"
#include "process/process.h"
#include "process/task.h"

/* What a worker process is told. */
struct worker_start {
    uint64_t pool; /* offset of the struct pool_shared */
    uint32_t index;
    uint32_t successor; /* it takes the place of one that has ended */
};

static void end_process(void *unused)
{
    (void)unused;
    plat_thread_take_signals();
    exit(0);
}

/*
 * The first thread has ended inside a task. Others that the program has may never end, and this worker never work. A
 * thread that ends cannot call exit(), which on Windows would wait for a thread that begins, and that for this one.
 */
static void thread_lost(void *unused)
{
    plat_thread *thread = NULL;

    (void)unused;
    if (plat_thread_start(end_process, NULL, &thread) != MPROC_OK) exit(0);
}

/* What the worker process runs. */
static mproc_status worker_main(mproc_call *call)
{
    static struct worker_holdings holdings;
    struct worker_start start;
    struct pool_shared *shared;
    const struct pool_worker *worker;
    enum worker_end end;
    mproc_status status;

    if ((status = mproc_unpack_bytes(call, &start, sizeof start)) != MPROC_OK) return status;
    shared = (struct pool_shared *)arena_at(start.pool);
    if (start.successor) plat_thread_schedule_as(&shared->schedule);
    plat_process_ignore_interrupts();
    task_on_thread_end(thread_lost, NULL);
    end = worker_run(shared, start.index, call->name, &holdings);
    task_on_thread_end(NULL, NULL);
    if (end != WORKER_NOT_READY) return MPROC_OK;
    worker = pool_worker_at(shared, start.index);
    return mproc_error((mproc_status)atomic_load(&worker->init_status), "%s", worker->init_text);
}

/* ---- in the pool's owner ---------------------------------------------------------------------- */

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

/*
 * Without a guard no worker of the program begins. A program of which one worker has been ready has its guard: where
 * an exit code is all that is known of an end, another may have been killed before it came there.
 */
static void judge_start(const struct worker_record *record, const mproc_process *process, const char *end)
{
    bool killed = process->exit.signal == 9 || process->exit.signal == 15;

    if (process->unguarded && !workers_was_ready(record)) {
        mproc_status status = process_tell_unguarded(process);
        end = mproc_last_error_text();
        if (!workers_any_was_ready(record->pool->shared)) {
            workers_break(record->pool, status, end);
            return;
        }
    }
    workers_judge_start(record, killed, end);
}

/* By whoever has collected it: the reaper. */
static void worker_ended(void *context, mproc_process *process)
{
    struct worker_record *record = context;
    mproc_pool *pool = record->pool;
    char end[POOL_TEXT_BYTES];

    plat_mutex_lock(&pool->mutex);
    describe_end(process, end, sizeof end);
    workers_lost(record, end);
    judge_start(record, process, end);
    record->process = NULL;
    workers_replace(pool);
    plat_mutex_unlock(&pool->mutex);
    mproc_process_free(process);
    workers_count_out(pool->shared);
}

static mproc_status start(struct worker_record *record)
{
    struct pool_shared *shared = record->pool->shared;
    struct worker_start start = {arena_offset(shared), record->index, record->successor};
    mproc_process_options options = {.name = record->name, .daemon = MPROC_YES};
    mproc_process *process = NULL;
    mproc_status status;

    status = mproc_process_create(worker_main, mproc_bytes(&start, sizeof start), &options, &process);
    if (status != MPROC_OK) return status;
    process->worker = true;
    process->ended = worker_ended;
    process->ended_context = record;
    record->process = process;
    status = mproc_process_start(process);
    if (status == MPROC_OK) return MPROC_OK;
    record->process = NULL;
    mproc_process_free(process);
    return status;
}

static void kill_worker(struct worker_record *record)
{
    if (record->process) mproc_process_kill(record->process);
}

const struct worker_kind worker_process = {start, kill_worker};
