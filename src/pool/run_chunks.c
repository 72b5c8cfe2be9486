/*
 * Each worker walks its own region of the chunks forwards, then the others' backwards: so two of
 * them want the same word, or even cache line, only where a region is nearly done.
 */
#include "pool/run_chunks.h"

#include <stdio.h>
#include <string.h>

#include <mproc/map.h>

#include "base/text.h"
#include "object/interrupt.h"
#include "process/arguments.h"

/* How many chunks a worker claims before it publishes how far it is. */
#define PUBLISH_CHUNKS 32

/* One walk through a window. */
struct walk {
    struct chunk_runner *runner;
    struct window_view view;
    struct job_worker *part; /* the worker's, in this job */
    uint32_t place;
    uint64_t finished;
    bool left; /* for another job, or as the worker has done enough */
};

/* Whether somebody has given up what the worker is in. What was asked of it before is none of its business. */
static bool is_given_up(struct stop_request *request)
{
    uint64_t asked = atomic_load(&request->asked);

    if (interrupt_is_requested()) return true;
    if (asked) atomic_compare_exchange_strong(&request->asked, &asked, 0);
    return false;
}

/* What a function has left behind is cleaned up after each item. */
static mproc_status run_items(struct chunk_runner *runner, const struct range *range, uint64_t *done)
{
    struct worker *worker = runner->worker;
    mproc_item_loop *loop =
        runner->loop ? (mproc_item_loop *)((uintptr_t)runner->function + runner->loop) : mproc_items_run;
    struct mproc_item_run run = {.item = (uintptr_t)range->inputs,
                                 .result = (uintptr_t)range->results,
                                 .item_size = runner->item_size,
                                 .result_size = runner->result_size,
                                 .left = (size_t)range->items,
                                 .attention = (const void *const *)&worker->task.self->left,
                                 .asked = (const void *)&worker->part->request.asked,
                                 .call = &worker->call};
    mproc_status status;

    do {
        status = task_returned(&worker->task, loop((mproc_item_function *)runner->function, &run));
        runner->given_up = status == MPROC_OK && run.left > 0 && is_given_up(&worker->part->request);
    } while (status == MPROC_OK && run.left > 0 && !runner->given_up);
    *done = range->items - run.left;
    return status;
}

static mproc_status run_range(struct chunk_runner *runner, const struct range *range, uint64_t *done)
{
    mproc_range_function *function = (mproc_range_function *)runner->function;
    struct worker *worker = runner->worker;

    *done = 0;
    return task_returned(&worker->task, function((size_t)range->first, (size_t)range->items, range->inputs,
                                                 range->results, &worker->call));
}

static void copy_job(struct chunk_runner *runner, struct pool_job *place, uint64_t number)
{
    struct pool_map *job = &place->map;

    runner->place = place;
    runner->job = number;
    runner->run = atomic_load_explicit(&job->is_range, memory_order_relaxed) ? run_range : run_items;
    runner->stops = atomic_load_explicit(&job->stops, memory_order_relaxed) != 0;
    runner->copies = atomic_load_explicit(&job->copies, memory_order_relaxed) != 0;
    runner->loop = (uintptr_t)atomic_load_explicit(&job->loop, memory_order_relaxed);
    runner->item_size = (size_t)atomic_load_explicit(&job->item_size, memory_order_relaxed);
    runner->result_size = (size_t)atomic_load_explicit(&job->result_size, memory_order_relaxed);
    runner->args = atomic_load_explicit(&job->args, memory_order_relaxed);
    runner->args_job = 0;
    if (runner->worker->shared->threads)
        runner->function =
            (function_pointer)(uintptr_t)atomic_load_explicit(&job->function.address, memory_order_relaxed);
    else if (!runner->function || !function_same(&runner->known, &job->function.ref)) {
        runner->function = NULL;
        runner->known = job->function.ref;
    }
    runner->status = MPROC_OK;
}

/*
 * Takes in the window and its job. A job is replaced only when its windows are closed: if the window
 * is still open after the copy, the copy is whole.
 */
static bool load_job(struct chunk_runner *runner, struct pool_job *place, uint64_t number, struct window_view *view)
{
    struct pool_shared *shared = runner->worker->shared;
    uint64_t job = atomic_load_explicit(&place->map.number, memory_order_acquire);

    if (!window_view(shared, place, number, view)) return false;
    if (job == runner->job && place == runner->place) return true;
    copy_job(runner, place, job);
    if (!window_view(shared, place, number, view)) {
        runner->job = 0;
        runner->function = NULL;
        return false;
    }
    return true;
}

/* The caller reports the failure of the lowest item, so a worker keeps the lowest of its own. */
static void note_failure(const struct walk *walk, uint64_t item, mproc_status status)
{
    uint64_t job = walk->runner->job;
    struct job_worker *part = walk->part;

    if (atomic_load(&part->failed_job) == job && atomic_load(&part->failed_item) <= item) return;
    atomic_store(&part->failed_job, 0);
    atomic_store(&part->failed_item, item);
    snprintf(part->failed_text, sizeof part->failed_text, "%s (pid %lld): %s", walk->runner->worker->call.name,
             (long long)plat_process_id(), mproc_error_text(status));
    atomic_store(&part->failed_job, job);
}

/*
 * Only with a chunk in hand: a module that ends the worker while it is opened costs a chunk each time, so a
 * map comes to its end. The text of a failure stays until a function is called.
 */
static mproc_status find_function(struct chunk_runner *runner)
{
    if (!runner->function && runner->status == MPROC_OK)
        runner->status = function_decode(&runner->known, &runner->function);
    return runner->status;
}

/* Only with a chunk in hand: until it is finished the arguments stay where they are. */
static void find_args(struct chunk_runner *runner)
{
    if (runner->args_job == runner->job) return;
    runner->worker->call.args = arguments_view(runner->args);
    runner->args_job = runner->job;
}

static mproc_status call_function(struct walk *walk, uint64_t at, uint64_t items, uint64_t *done)
{
    const struct window_view *view = &walk->view;
    struct chunk_runner *runner = walk->runner;
    struct range range = {view->first + at, items, NULL, NULL};

    *done = 0;
    runner->given_up = false;
    if (find_function(runner) != MPROC_OK) return runner->status;
    find_args(runner);
    error_text_clear(); /* what an earlier chunk has left is not this one's */
    if (view->inputs) range.inputs = view->inputs + at * runner->item_size;
    if (view->results) range.results = view->results + at * runner->result_size;
    return runner->run(runner, &range, done);
}

static void end_failed(const struct walk *walk, uint64_t chunk, uint64_t done, int32_t status)
{
    struct chunk_outcome *outcome = &walk->view.outcomes[chunk];

    atomic_fetch_add(&walk->view.job->map.failures, 1);
    atomic_store_explicit(&outcome->status, status, memory_order_relaxed);
    atomic_store_explicit(&outcome->done, (uint32_t)done, memory_order_relaxed);
    window_finish(&walk->view, chunk, walk->runner->worker->index, CHUNK_FAILED);
}

static void fail_chunk(struct walk *walk, uint64_t chunk, uint64_t done, mproc_status status)
{
    if ((int32_t)status <= CHUNK_LOST) status = (mproc_status)(CHUNK_LOST + 1); /* no status either */
    note_failure(walk, walk->view.first + chunk * walk->view.chunk + done, status);
    end_failed(walk, chunk, done, (int32_t)status);
    if (!walk->runner->stops) return;
    atomic_store(&walk->view.job->map.failed, walk->runner->job);
    window_alarm(walk->view.job);
}

/* Whether an item of the map has failed, and it was to stop then. */
static bool has_stopped(const struct walk *walk)
{
    return walk->runner->stops && atomic_load(&walk->view.job->map.failed) == walk->runner->job;
}

/* An item that was told to stop, and says no more than that it did so, has not failed. */
static void run_chunk(struct walk *walk, uint64_t chunk)
{
    uint64_t at = chunk * walk->view.chunk, left = walk->view.items - at, done = 0;
    mproc_status status = MPROC_INTERRUPTED;

    walk->runner->given_up = has_stopped(walk);
    if (!walk->runner->given_up)
        status = call_function(walk, at, left < walk->view.chunk ? left : walk->view.chunk, &done);
    if (status == MPROC_INTERRUPTED && interrupt_is_requested()) walk->runner->given_up = true;
    if (walk->runner->given_up) end_failed(walk, chunk, done, CHUNK_GIVEN_UP);
    else if (status == MPROC_OK) window_finish(&walk->view, chunk, walk->runner->worker->index, CHUNK_DONE);
    else fail_chunk(walk, chunk, done, status);
    walk->finished++;
    walk->left = --walk->runner->worker->tasks_left == 0 || worker_is_wanted(walk->runner->worker, walk->place);
}

static uint64_t bound(const _Atomic uint64_t *word, uint64_t window, uint64_t otherwise)
{
    return tagged_value(atomic_load_explicit(word, memory_order_relaxed), window, otherwise);
}

/* `position` only says what is true already, so it may be published late. */
static void walk_own_region(struct walk *walk)
{
    struct job_worker *part = walk->part;
    uint32_t buffer = walk->view.number % 2, index = walk->runner->worker->index;
    uint64_t at = bound(&part->position[buffer], walk->view.number, window_region(&walk->view, index));
    uint64_t end = window_region(&walk->view, index + 1), published = at;

    for (; at < end && !walk->left; at++) {
        if (at - published == PUBLISH_CHUNKS) {
            atomic_store_explicit(&part->position[buffer], tagged(walk->view.number, at), memory_order_relaxed);
            end = bound(&part->limit[buffer], walk->view.number, end);
            published = at;
        }
        if (window_claim(&walk->view, at, index)) run_chunk(walk, at);
    }
    atomic_store_explicit(&part->position[buffer], tagged(walk->view.number, at), memory_order_relaxed);
}

/*
 * From the region's end down to where its owner is. Helpers that overwrite each other's limit only
 * make it less tight: whatever it was said to be, all from there on was claimed.
 */
static void help_region(struct walk *walk, uint32_t other)
{
    struct job_worker *part = job_worker_at(walk->view.job, other);
    uint32_t buffer = walk->view.number % 2;
    uint64_t begin = window_region(&walk->view, other), number = walk->view.number;
    uint64_t at = bound(&part->limit[buffer], number, window_region(&walk->view, other + 1));

    if (other == walk->runner->worker->index) return;
    while (!walk->left && at > begin && at > bound(&part->position[buffer], number, begin)) {
        at--;
        if (!window_claim(&walk->view, at, walk->runner->worker->index)) continue;
        atomic_store_explicit(&part->limit[buffer], tagged(number, at), memory_order_relaxed);
        run_chunk(walk, at);
    }
}

bool run_chunks(struct chunk_runner *runner, uint32_t place, uint64_t number)
{
    struct worker *worker = runner->worker;
    struct walk walk = {.runner = runner, .place = place};
    uint64_t before;
    struct pool_job *job = pool_job_at(worker->shared, place);

    if (!load_job(runner, job, number, &walk.view)) return true;
    atomic_store(&worker->part->since_ns, plat_clock_now_ns());
    atomic_store(&worker->part->request.at, at_work(place, number));
    walk.part = job_worker_at(job, worker->index);
    worker->call.lost = (uint32_t)walk.view.lost;
    /* What it has done here before, or a predecessor, whose count was made good after its death, is gone on with. */
    walk.finished = before = bound(&walk.part->finished[number % 2], number, 0);
    walk_own_region(&walk);
    for (uint64_t i = 0; i < walk.view.regions && !walk.left; i++)
        help_region(&walk, (uint32_t)((worker->index + i) % walk.view.regions));
    reference_scope_clear(worker->call.scope); /* before the map can end, whose objects these are */
    runner->args_job = 0;
    if (!worker->shared->threads) task_flush();
    atomic_fetch_add(&worker->part->chunks, walk.finished - before);
    window_leave(&walk.view, worker->index, walk.finished);
    /* It is about to be killed, for this window alone. */
    if (atomic_exchange(&worker->part->request.at, 0) & REQUEST_CONDEMNED) worker->tasks_left = 0;
    return !walk.left;
}
