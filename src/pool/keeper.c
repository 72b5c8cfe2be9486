/* The keeper of a pool. */
#include "pool/keeper.h"

#include "base/log.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/bell.h"
#include "pool/limits.h"
#include "pool/window.h"
#include "pool/workers.h"
#include "process/family.h"
#include "process/process.h"

/* A thread that was just about to sleep when it was asked sleeps on: it is woken a few times more, ever later. */
#define ASK_NS ((int64_t)2000000)
#define ASK_SHIFT 2
#define ASKS_MAX 6

/* One look at all. */
struct look {
    mproc_pool *pool;
    int64_t now_ns;
    int64_t next_ns; /* when it is time for another */
};

static void look_again(struct look *look, int64_t at_ns)
{
    if (at_ns < look->next_ns) look->next_ns = at_ns;
}

/* Asks the worker to stop what it is at: `at`. */
static void ask(struct look *look, struct worker_record *record, uint64_t at)
{
    struct stop_request *request = &pool_worker_at(look->pool->shared, record->index)->request;
    int64_t due_ns;

    if (atomic_load(&request->asked) != at) {
        atomic_store(&request->asked, at);
        record->asks = 0;
        record->asked_ns = look->now_ns;
    }
    for (; record->asks < ASKS_MAX; record->asks++) {
        due_ns = record->asks == 0 ? 0 : record->asked_ns + (ASK_NS << (record->asks - 1) * ASK_SHIFT);
        if (due_ns > look->now_ns) {
            look_again(look, due_ns);
            return;
        }
        interrupt_wake(record->process ? record->process->slot : family.process);
    }
}

/* It is killed, and replaced: it has not left what was given up. */
static void condemn(struct look *look, struct worker_record *record, const char *why)
{
    record->removed = true;
    if (log_on(MPROC_LOG_WARNING)) log_owe(MPROC_LOG_WARNING, "worker '%s' is killed: %s", record->name, why);
    look->pool->kind->kill(record);
}

/* ---- tasks ---------------------------------------------------------------------------------------- */

/* Under the mutex of the tasks as well. */
static void look_at_task(struct look *look, struct worker_record *record, uint64_t at)
{
    struct pool_worker *worker = pool_worker_at(look->pool->shared, record->index);
    struct running_task task;
    struct task_verdict verdict;
    int64_t since_ns;

    if (!limits_find(look->pool->tasks, record->index, at_number(at), &task)) return;
    since_ns = atomic_load(&worker->since_ns);
    verdict = limits_judge(&task, since_ns, look->now_ns);
    look_again(look, verdict.next_ns);
    if (verdict.ask) ask(look, record, at);
    /* A thread was asked to stop that task alone: it may be in the next one by now. */
    if (!verdict.end || !limits_end(&task, since_ns) || look->pool->shared->threads) return;
    condemn(look, record, "the task that it runs has had its time, and has not stopped");
}

static void look_at_tasks(struct look *look)
{
    struct tasks *tasks = look->pool->tasks;

    if (!tasks) return;
    plat_mutex_lock(&tasks->mutex);
    /* Those that are finished have no limits any more. */
    if (tasks->timed > 0) tasks_collect_next(tasks, true);
    for (uint32_t i = 0; i < look->pool->count; i++) {
        uint64_t at = atomic_load(&pool_worker_at(look->pool->shared, i)->request.at);
        if (at_place(at) == POOL_TASKS) look_at_task(look, &look->pool->records[i], at);
    }
    look_again(look, limits_next(tasks, look->now_ns));
    plat_mutex_unlock(&tasks->mutex);
}

/* ---- maps that were given up ----------------------------------------------------------------------- */

/*
 * The worker is still in the window. Only while it says so itself is it killed: if it leaves the window meanwhile, it
 * begins nothing else.
 */
static void look_at_claim(struct look *look, const struct job *job, struct worker_record *record, uint64_t at)
{
    _Atomic uint64_t *now_at = &pool_worker_at(look->pool->shared, record->index)->request.at;
    uint64_t expected = at;

    ask(look, record, at);
    if (look->now_ns < job->leave_by_ns || look->pool->shared->threads) return;
    if (!atomic_compare_exchange_strong(now_at, &expected, at | REQUEST_CONDEMNED) &&
        expected != (at | REQUEST_CONDEMNED))
        return;
    condemn(look, record, "the map that it works for was given up, and it has not left that");
}

/* Who says that he is in it, whatever keeps him: perhaps what an item has printed, and nobody reads. */
static void look_at_window(struct look *look, const struct job *job, const struct window_view *view)
{
    uint64_t at = at_work(job->index, view->number);

    for (uint32_t i = 0; i < look->pool->count; i++)
        if ((atomic_load(&pool_worker_at(look->pool->shared, i)->request.at) & ~REQUEST_CONDEMNED) == at)
            look_at_claim(look, job, &look->pool->records[i], at);
}

static void look_at_job(struct look *look, struct job *job)
{
    bool complete = true;

    for (int i = 0; i < 2; i++) {
        const struct window_view *view = &job->buffers[i].view;
        if (view->number == 0 || window_complete(view)) continue;
        complete = false;
        look_at_window(look, job, view);
    }
    if (complete) job->leaves = false;
    else if (job->leave_by_ns > look->now_ns) look_again(look, job->leave_by_ns);
}

int64_t keeper_look(mproc_pool *pool)
{
    struct look look = {pool, plat_clock_now_ns(), PLAT_FOREVER};

    plat_mutex_lock(&pool->mutex);
    look_at_tasks(&look);
    for (uint32_t i = 0; i < POOL_JOBS; i++)
        if (pool->jobs[i] && pool->jobs[i]->leaves) look_at_job(&look, pool->jobs[i]);
    plat_mutex_unlock(&pool->mutex);
    return look.next_ns;
}

/* ---- the thread ------------------------------------------------------------------------------------- */

static void keep(void *context)
{
    mproc_pool *pool = context;
    _Atomic uint32_t *bell = &pool->shared->bells[BELL_KEEPER];
    int64_t look_ns;

    for (;;) {
        uint32_t seen = atomic_load(bell);
        if (atomic_load(&pool->keeper.ends)) return;
        look_ns = keeper_look(pool);
        log_speak();
        wait_on(bell, seen, look_ns);
    }
}

mproc_status keeper_start(mproc_pool *pool)
{
    return pool_thread_start(&pool->keeper, keep, pool, "the keeper of a pool");
}

void keeper_ring(mproc_pool *pool)
{
    bell_tell(pool->shared, BELL_KEEPER);
}

static void ring(void *context)
{
    keeper_ring(context);
}

void keeper_end(mproc_pool *pool)
{
    pool_thread_end(&pool->keeper, ring);
}
