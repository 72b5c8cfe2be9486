/*
 * The worker's loop. An idle worker spins for a moment before it sleeps, but never all of them: with
 * as many spinners as CPUs, whoever has work to give could not run. Nor does anybody spin where the caller copies
 * meanwhile and has no CPU for itself.
 *
 * Where there is a CPU for each worker, no two work on one: when the caller of map wakes them from the CPU that is
 * about to become free, the system may put two on the other, and leave them there for many maps.
 */
#include "pool/worker.h"

#include <stdio.h>

#include "base/text.h"
#include "object/wait.h"
#include "pool/run_chunks.h"
#include "process/arguments.h"

/* Longer than it takes to wake the caller, who may have the next map ready. */
#define SPIN_NS ((int64_t)50000)
#define SPIN_PAUSES 16

/* What is new for a worker that has done everything up to window `next` - 1. */
static bool has_news(struct pool_shared *shared, uint64_t next)
{
    return atomic_load(&shared->posted) >= next || atomic_load(&shared->state) != POOL_OPEN;
}

static bool may_end(struct pool_shared *shared, uint64_t next)
{
    uint32_t state = atomic_load(&shared->state);

    if (state == POOL_TERMINATED) return true;
    return state == POOL_CLOSED && !atomic_load(&shared->busy) && atomic_load(&shared->posted) < next;
}

/* A spinner's token carries its index, so that the pool's owner can take it from a dead one. */
static _Atomic uint32_t *take_spinner(struct pool_shared *shared, uint32_t index)
{
    uint32_t spinners = arena_header->cpus - 1;

    for (uint32_t i = 0; i < spinners && i < POOL_SPINNERS_MAX; i++) {
        uint32_t expected = 0;
        if (atomic_compare_exchange_strong(&shared->spinners[i], &expected, index + 1)) return &shared->spinners[i];
    }
    return NULL;
}

static bool spin(const struct chunk_runner *runner, uint64_t next)
{
    struct pool_shared *shared = runner->shared;
    _Atomic uint32_t *token;
    int64_t until_ns;
    bool news = false;

    if (runner->copies && shared->workers >= arena_header->cpus) return false;
    if (!(token = take_spinner(shared, runner->index))) return false;
    until_ns = plat_clock_now_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPIN_PAUSES && !(news = has_news(shared, next)); i++) plat_thread_pause();
    } while (!news && plat_clock_now_ns() < until_ns);
    atomic_store(token, 0);
    return news;
}

static bool is_taken(const struct pool_shared *shared, uint32_t index, uint32_t cpu)
{
    for (uint32_t i = 0; i < shared->workers; i++)
        if (i != index && atomic_load_explicit(&pool_worker_at(shared, i)->cpu, memory_order_relaxed) == cpu + 1)
            return true;
    return false;
}

/* One of those that the pool's creator may use: Windows names none, and spreads its threads by itself. */
static void leave_taken_cpu(const struct pool_shared *shared, struct pool_worker *worker, uint32_t index)
{
    const uint64_t *cpus = shared->schedule.cpus;
    uint32_t cpu = (uint32_t)plat_thread_cpu();

    if (shared->workers > arena_header->cpus) return;
    if (is_taken(shared, index, cpu)) {
        for (uint32_t i = 0; i < 64 * sizeof shared->schedule.cpus / sizeof cpus[0]; i++) {
            if (!(cpus[i / 64] >> i % 64 & 1) || is_taken(shared, index, i)) continue;
            plat_thread_move((int)i);
            break;
        }
        cpu = (uint32_t)plat_thread_cpu();
    }
    atomic_store_explicit(&worker->cpu, cpu + 1, memory_order_relaxed);
}

/* Registers, looks once more, and sleeps; whoever rings takes the registration away. */
static void sleep_for_news(struct pool_shared *shared, struct pool_worker *worker, uint64_t next)
{
    atomic_store_explicit(&worker->cpu, 0, memory_order_relaxed);
    while (!has_news(shared, next)) {
        atomic_store(&worker->asleep, 1);
        if (!has_news(shared, next)) wait_on(&worker->asleep, 1, PLAT_FOREVER);
        atomic_store(&worker->asleep, 0);
    }
}

/* Closed, but a map is in progress: its next window, or its end, rings. */
static void sleep_for_end(struct pool_shared *shared, struct pool_worker *worker, uint64_t next)
{
    atomic_store(&worker->asleep, 1);
    if (!may_end(shared, next) && atomic_load(&shared->posted) < next) wait_on(&worker->asleep, 1, PLAT_FOREVER);
    atomic_store(&worker->asleep, 0);
}

/* Calls a function of the pool's creator, if there is one, which keeps what it unpacks for the worker's life. */
static mproc_status call_hook(struct chunk_runner *runner, const struct pool_hook *hook, mproc_args args,
                              struct reference_scope *scope)
{
    mproc_call call = {args, runner->call.name, scope, runner->call.state};
    function_pointer function = (function_pointer)(uintptr_t)hook->address;
    struct reference_scope *before;
    mproc_status status = MPROC_OK;

    if (!hook->address) return MPROC_OK;
    error_text_clear();
    if (!runner->shared->threads) status = function_decode(&hook->ref, &function);
    if (status != MPROC_OK) return status;
    before = reference_scope_enter(scope);
    status = task_returned(&runner->task, ((mproc_function *)function)(&call));
    reference_scope_enter(before);
    runner->call.state = call.state;
    return status;
}

static mproc_status initialize(struct chunk_runner *runner, struct reference_scope *scope)
{
    struct pool_shared *shared = runner->shared;
    struct pool_worker *worker = runner->worker;
    mproc_status status;

    atomic_store(&worker->init_status, MPROC_OK);
    status = call_hook(runner, &shared->initializer, arguments_view(shared->initializer_args), scope);
    if (status == MPROC_OK) {
        atomic_fetch_add(&worker->ready, 1);
        return MPROC_OK;
    }
    atomic_store(&worker->failed_job, 0);
    snprintf(worker->failed_text, sizeof worker->failed_text, "%s: its initializer failed: %s", runner->call.name,
             mproc_error_text(status));
    atomic_store(&worker->init_status, (int32_t)status);
    return status;
}

/* Until the pool ends, or the worker has run as many tasks as one may. */
static void work(struct chunk_runner *runner)
{
    struct pool_shared *shared = runner->shared;
    uint64_t posted, next = atomic_load(&shared->posted);

    if (next == 0) next = 1; /* else: the last window, and the one before it, may not be complete */
    else if (next > 1) next--;
    while (!may_end(shared, next) && runner->tasks_left > 0) {
        if ((posted = atomic_load(&shared->posted)) >= next) {
            if (posted > next + 1) next = posted - 1;
            leave_taken_cpu(shared, runner->worker, runner->index);
            run_chunks(runner, next++);
            continue;
        }
        if (atomic_load(&shared->state) != POOL_OPEN) sleep_for_end(shared, runner->worker, next);
        else if (!spin(runner, next)) sleep_for_news(shared, runner->worker, next);
    }
}

enum worker_end worker_run(struct pool_shared *shared, uint32_t index, const char *name, struct worker_scopes *scopes)
{
    struct reference_scope *before = reference_scope_enter(&scopes->tasks);
    struct chunk_runner runner = {.shared = shared,
                                  .worker = pool_worker_at(shared, index),
                                  .index = index,
                                  .call = {mproc_no_args(), name, &scopes->tasks, NULL},
                                  .tasks_left = shared->max_tasks};
    enum worker_end end = WORKER_NOT_READY;

    task_enter(&runner.task);
    if (initialize(&runner, &scopes->worker) == MPROC_OK) {
        work(&runner);
        end = runner.tasks_left > 0 ? WORKER_DONE : WORKER_RETIRES;
        if (call_hook(&runner, &shared->finalizer, mproc_no_args(), &scopes->worker) == MPROC_OK && !shared->threads)
            task_flush();
    }
    task_leave();
    reference_scope_enter(before);
    reference_scope_clear(&scopes->tasks);
    reference_scope_clear(&scopes->worker);
    return end;
}
