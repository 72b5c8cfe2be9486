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

#include "base/log.h"
#include "base/text.h"
#include "object/resource_owner.h"
#include "object/wait.h"
#include "pool/bell.h"
#include "pool/run_chunks.h"
#include "pool/run_tasks.h"
#include "process/arguments.h"

/* Longer than it takes to wake the caller, who may have the next map ready. */
#define SPIN_NS ((int64_t)50000)
#define SPIN_PAUSES 16

/* So often who watches the others looks whether tasks go on. */
#define WATCH_NS ((int64_t)1000000)

/* A job leaves the worker to another that has work after so long. */
#define SLICE_NS ((int64_t)100000)

/* How long a worker does not look at how much memory it has. */
#define MEMORY_NS ((int64_t)10000000)

/* A worker's own memory. `next` is, of each place with a map, the window that it comes to next; 0: not known yet. */
struct life {
    struct worker worker;
    struct chunk_runner chunks;
    struct task_runner tasks;
    uint64_t next[POOL_JOBS];
    uint32_t turn;             /* the place that it looks at first */
    int64_t idle_end_ns;       /* when it has had nothing to do for long enough; 0: it has just had */
    _Atomic uint32_t *spinner; /* its place among the spinners, or NULL; the watcher may have taken it */
};

/* The pool that the calling thread works for. */
static THREAD_LOCAL const struct pool_shared *employer;

mproc_status worker_check_waiter(const struct pool_shared *shared)
{
    if (employer != shared) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE, "a worker of the pool is about to wait for what its workers do, perhaps for "
                                        "ever: mproc_pool_apply_async() does not wait, and a task may have a pool "
                                        "of its own");
}

/* The pool has become smaller. */
static bool is_surplus(const struct worker *worker)
{
    return worker->index >= atomic_load_explicit(&worker->shared->limit, memory_order_relaxed);
}

/* It has more memory than it may: what it has leaked, or keeps, goes with it. */
static bool has_grown(struct worker *worker)
{
    uint64_t most = worker->shared->max_memory, own;
    int64_t now_ns;

    if (most == 0) return false;
    if ((now_ns = plat_clock_now_ns()) < worker->memory_ns) return false;
    worker->memory_ns = now_ns + MEMORY_NS;
    if ((own = plat_memory_own()) <= most) return false;
    if (worker->tasks_left > 0 && log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "this worker ends, as it has %llu bytes of memory, and may have %llu",
                (unsigned long long)own, (unsigned long long)most);
    worker->tasks_left = 0;
    return true;
}

bool worker_is_wanted(struct worker *worker, uint32_t place)
{
    uint64_t others = atomic_load_explicit(&worker->shared->active, memory_order_relaxed) & ~((uint64_t)1 << place);
    int64_t now_ns;

    if (is_surplus(worker) || has_grown(worker)) return true;
    if (!others) return false;
    now_ns = plat_clock_now_ns();
    /* Since it was last without work, or has left a job for another. */
    if (worker->slice_end_ns == 0) worker->slice_end_ns = worker->now_ns + SLICE_NS;
    if (now_ns < worker->slice_end_ns) return false;
    worker->now_ns = now_ns;
    return true;
}

/* Whether there is a window that the worker has not walked through. */
static bool has_window(struct life *life, uint32_t place, const struct pool_map *map)
{
    uint64_t posted = atomic_load(&map->posted), *next = &life->next[place];

    if (*next == 0) *next = 1; /* the last window, and the one before it, may not be complete */
    if (posted > *next + 1) *next = posted - 1;
    return posted >= *next;
}

static bool serve(struct life *life, uint32_t place)
{
    struct pool_job *job = pool_job_at(life->worker.shared, place);

    life->worker.slice_end_ns = 0;
    if (!job) return false;
    if (atomic_load_explicit(&job->kind, memory_order_acquire) == JOB_TASKS)
        return run_tasks(&life->tasks, place, job);
    if (!has_window(life, place, &job->map)) return false;
    if (run_chunks(&life->chunks, place, life->next[place])) life->next[place]++;
    return true;
}

static bool has_work(struct life *life, uint32_t place)
{
    struct pool_job *job = pool_job_at(life->worker.shared, place);

    if (!job) return false;
    if (atomic_load(&job->kind) == JOB_TASKS) return has_tasks(&life->tasks, place, job);
    return has_window(life, place, &job->map);
}

/* Does some work of the first of these places that has any, from the place `from` on. */
static bool work_from(struct life *life, uint64_t places, uint32_t from)
{
    for (uint32_t place = from; place < POOL_JOBS && places >> place != 0; place++) {
        if (!(places >> place & 1) || !serve(life, place)) continue;
        life->turn = place + 1;
        return true;
    }
    return false;
}

/* All of these places seemed to be empty: says so, and looks once more. True: there is work. */
static bool clear_active(struct life *life, uint64_t places)
{
    _Atomic uint64_t *active = &life->worker.shared->active;
    uint64_t seen = atomic_load(active) & places, back = 0;

    if (!seen) return false;
    atomic_fetch_and(active, ~seen);
    for (uint32_t i = 0; i < POOL_JOBS && seen >> i != 0; i++)
        if (seen >> i & 1 && has_work(life, i)) back |= (uint64_t)1 << i;
    if (back) atomic_fetch_or(active, back);
    return back != 0;
}

/* Of several places those that have nothing are not to call workers away from the others. */
static uint64_t without_empty(struct life *life, uint64_t active)
{
    uint64_t empty = 0;

    for (uint32_t i = 0; i < POOL_JOBS && active >> i != 0; i++)
        if (active >> i & 1 && !has_work(life, i)) empty |= (uint64_t)1 << i;
    clear_active(life, empty);
    return atomic_load(&life->worker.shared->active);
}

/* Places take turns. */
static bool work(struct life *life)
{
    uint64_t active = atomic_load(&life->worker.shared->active), before;

    if (active & (active - 1)) active = without_empty(life, active);
    before = life->turn < POOL_JOBS ? active & (((uint64_t)1 << life->turn) - 1) : active;

    return work_from(life, active, life->turn) || work_from(life, before, 0);
}

/* When all is done that was given to the pool: nothing more comes. */
static bool may_end(const struct pool_shared *shared)
{
    uint32_t state = atomic_load(&shared->state);

    if (state == POOL_TERMINATED) return true;
    return state == POOL_CLOSED && atomic_load(&shared->busy) == 0 && atomic_load(&shared->active) == 0;
}

static bool has_news(const struct pool_shared *shared)
{
    return atomic_load(&shared->active) != 0 || may_end(shared);
}

static bool is_spinner(const struct life *life)
{
    return life->spinner && atomic_load_explicit(life->spinner, memory_order_relaxed) == life->worker.index + 1;
}

/* Each place carries its worker's index, so that the pool's owner can take it from a dead one. */
static bool become_spinner(struct life *life)
{
    struct pool_shared *shared = life->worker.shared;

    for (uint32_t i = 0; i < pool_spinners() && !is_spinner(life); i++) {
        uint32_t nobody = 0;
        life->spinner = &shared->spinners[i];
        if (atomic_load_explicit(life->spinner, memory_order_relaxed) == 0)
            atomic_compare_exchange_strong(life->spinner, &nobody, life->worker.index + 1);
    }
    return is_spinner(life);
}

static void end_spinner(struct life *life)
{
    uint32_t own = life->worker.index + 1;

    if (is_spinner(life)) atomic_compare_exchange_strong(life->spinner, &own, 0);
}

/*
 * Before its next work: it is one of the spinners if it will come back at once, as its tasks have proven to be short,
 * and there is nothing else to do.
 */
static void begin_work(struct life *life)
{
    struct pool_shared *shared = life->worker.shared;
    uint64_t others = ~((uint64_t)1 << POOL_TASKS);

    if (life->tasks.most < TASK_RANGE || atomic_load(&shared->active) & others) end_spinner(life);
    else if (become_spinner(life)) bell_have_watch(shared);
}

/* Whoever gives a task writes to nothing but its slot, if the bit of the tasks is set still: so it stays. */
static bool spin(struct life *life)
{
    struct pool_shared *shared = life->worker.shared;
    struct pool_job *tasks = pool_job_at(shared, POOL_TASKS);
    uint64_t others = ~((uint64_t)1 << POOL_TASKS), active;
    int64_t until_ns;
    bool news = false;

    if (life->chunks.copies && atomic_load(&shared->limit) >= arena_header->cpus) return false;
    if (atomic_load(&shared->state) != POOL_OPEN || !become_spinner(life)) return false;
    if (clear_active(life, others)) return true;
    until_ns = plat_clock_now_ns() + SPIN_NS;
    do {
        life->worker.now_ns = plat_clock_now_ns();
        for (int i = 0; i < SPIN_PAUSES && !news; i++) {
            active = atomic_load(&shared->active);
            news = active & others || atomic_load(&shared->state) != POOL_OPEN ||
                   (tasks ? is_task_ready(tasks) : active != 0);
            if (!news) plat_thread_pause();
        }
        if (!news && tasks) news = has_tasks(&life->tasks, POOL_TASKS, tasks);
    } while (!news && life->worker.now_ns < until_ns);
    if (news) begin_work(life);
    else end_spinner(life);
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

    if (atomic_load(&shared->limit) > arena_header->cpus || shared->pinned) return;
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

/* Where it works is looked at after its sleep, and before maps: a task, between two spins, is too short for that. */
static void choose_cpu(const struct worker *worker)
{
    uint64_t active = atomic_load(&worker->shared->active), others = active & ~((uint64_t)1 << POOL_TASKS);
    bool slept = atomic_load_explicit(&worker->part->cpu, memory_order_relaxed) == 0;

    if (others || (active && slept)) leave_taken_cpu(worker->shared, worker->part, worker->index);
}

/* A worker that has had nothing to do for long: says that it leaves, and looks once more. False: it stays. */
static bool decide_to_leave(struct pool_shared *shared, struct pool_worker *part)
{
    atomic_store(&part->leaves, 1);
    if (!atomic_exchange(&part->asleep, 0) || has_news(shared) || atomic_load(&shared->busy)) {
        atomic_store(&part->leaves, 0);
        return false;
    }
    if (log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "this worker ends, as it has had nothing to do for %lld ms",
                (long long)(shared->idle_ns / 1000000));
    return true;
}

/* Sleeps until it is woken, or there is work that those who are awake do not come to. */
static void watch(const struct life *life)
{
    struct pool_shared *shared = life->worker.shared;
    struct pool_worker *part = life->worker.part;
    const struct pool_job *tasks = pool_job_at(shared, POOL_TASKS);
    uint64_t others = ~((uint64_t)1 << POOL_TASKS), head = UINT64_MAX, before;

    do {
        before = head;
        if (may_end(shared) || atomic_load(&shared->active) & others) break;
        wait_on(&part->asleep, 1, plat_clock_now_ns() + WATCH_NS);
        head = tasks ? atomic_load(&tasks->stream.head) : before;
    } while (atomic_load(&part->asleep) && head != before);
    bell_end_watch(shared, life->worker.index);
}

/* Registers, looks once more, and sleeps; whoever rings takes the registration away. */
static void sleep_for_news(struct life *life)
{
    struct pool_shared *shared = life->worker.shared;
    struct pool_worker *part = life->worker.part;
    uint64_t bit = (uint64_t)1 << life->worker.index % 64;
    int64_t until_ns = PLAT_FOREVER;

    if (shared->idle_ns > 0 && life->worker.index >= shared->kept) {
        if (life->idle_end_ns == 0) life->idle_end_ns = plat_clock_now_ns() + shared->idle_ns;
        until_ns = life->idle_end_ns;
    }
    atomic_store_explicit(&part->cpu, 0, memory_order_relaxed);
    atomic_store(&part->asleep, 1);
    if (!(atomic_load(&shared->sleepers) & bit)) atomic_fetch_or(&shared->sleepers, bit);
    if (bell_watch(shared, life->worker.index)) {
        watch(life);
    } else if (!has_news(shared) && wait_on(&part->asleep, 1, until_ns) == MPROC_TIMEOUT) {
        if (decide_to_leave(shared, part)) life->worker.tasks_left = 0;
        life->idle_end_ns = 0;
    }
    atomic_store(&part->asleep, 0);
    life->worker.now_ns = plat_clock_now_ns();
}

/* Until the pool ends, or the worker has run as many tasks as one may. */
static void work_until_end(struct life *life)
{
    struct worker *worker = &life->worker;

    run_left_tasks(&life->tasks);
    while (worker->tasks_left > 0 && atomic_load(&worker->shared->state) != POOL_TERMINATED) {
        if (is_surplus(worker)) {
            worker->tasks_left = 0;
            break;
        }
        if (work(life)) {
            life->idle_end_ns = 0;
            has_grown(worker);
            begin_work(life);
            continue;
        }
        if (!spin(life)) {
            if (clear_active(life, UINT64_MAX)) continue;
            if (may_end(worker->shared)) break;
            sleep_for_news(life);
        }
        life->tasks.fresh = true;
        choose_cpu(worker);
    }
    end_spinner(life);
}

/* Calls a function of the pool's creator, if there is one, which keeps what it unpacks for the worker's life. */
static mproc_status call_hook(struct worker *worker, const struct pool_function *hook, mproc_args args,
                              struct reference_scope *scope)
{
    mproc_call call = {args, worker->call.name, scope, NULL, worker->call.state, 0};
    function_pointer function = (function_pointer)(uintptr_t)atomic_load(&hook->address);
    struct reference_scope *before;
    mproc_status status = MPROC_OK;

    if (!function) return MPROC_OK;
    error_text_clear();
    if (!worker->shared->threads) status = function_decode(&hook->ref, &function);
    if (status != MPROC_OK) return status;
    before = reference_scope_enter(scope);
    status = task_returned(&worker->task, ((mproc_function *)function)(&call));
    reference_scope_enter(before);
    worker->call.state = call.state;
    return status;
}

static mproc_status initialize(struct worker *worker, struct worker_holdings *holdings)
{
    struct pool_shared *shared = worker->shared;
    struct pool_worker *part = worker->part;
    mproc_status status;

    atomic_store(&part->init_status, MPROC_OK);
    status = resource_slot_take(&holdings->returned);
    if (status == MPROC_OK)
        status = call_hook(worker, &shared->initializer, arguments_view(shared->initializer_args), &holdings->worker);
    if (status == MPROC_OK) {
        atomic_store(&part->ready_ns, plat_clock_now_ns());
        atomic_fetch_add(&part->ready, 1);
        return MPROC_OK;
    }
    snprintf(part->init_text, sizeof part->init_text, "%s: its initializer failed: %s", worker->call.name,
             mproc_error_text(status));
    atomic_store(&part->init_status, (int32_t)status);
    return status;
}

void worker_holdings_clear(struct worker_holdings *holdings)
{
    reference_scope_clear(&holdings->tasks);
    reference_scope_clear(&holdings->worker);
    resource_release(holdings->returned);
    holdings->returned = NULL;
}

enum worker_end worker_run(struct pool_shared *shared, uint32_t index, const char *name,
                           struct worker_holdings *holdings)
{
    struct reference_scope *before = reference_scope_enter(&holdings->tasks);
    struct life life = {.worker = {.shared = shared,
                                   .part = pool_worker_at(shared, index),
                                   .index = index,
                                   .tasks_left = shared->max_tasks,
                                   .call = {mproc_no_args(), name, &holdings->tasks, NULL, NULL, 0}}};
    struct worker *worker = &life.worker;
    enum worker_end end = WORKER_NOT_READY;

    employer = shared;
    thread_self.request = &worker->part->request;
    thread_self.requests_alone = shared->threads;
    worker->now_ns = plat_clock_now_ns();
    task_enter(&worker->task);
    if (shared->pinned) plat_thread_pin(&shared->schedule, index);
    if (initialize(worker, holdings) == MPROC_OK) {
        life.chunks.worker = life.tasks.worker = worker;
        life.tasks.result.owned = holdings->returned;
        life.tasks.result.arena = thread_self.arena;
        life.tasks.most = 1;
        work_until_end(&life);
        end = worker->tasks_left > 0 ? WORKER_DONE : WORKER_RETIRES;
        if (!shared->threads && atomic_load(&shared->state) == POOL_TERMINATED) end = WORKER_DONE;
        else if (call_hook(worker, &shared->finalizer, mproc_no_args(), &holdings->worker) == MPROC_OK &&
                 !shared->threads)
            task_flush();
    }
    atomic_store(&worker->part->over, (uint32_t)end + 1);
    employer = NULL;
    thread_self.request = NULL;
    thread_self.requests_alone = false;
    task_leave();
    reference_scope_enter(before);
    worker_holdings_clear(holdings);
    return end;
}
