/* The two windows on the caller's side: filled, opened, waited for and emptied. */
#include "pool/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/resource_owner.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/workers.h"

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) & ~(step - 1);
}

static uint64_t chunks_of(const struct map *map, uint64_t items)
{
    return items / map->chunk + (items % map->chunk != 0);
}

/* The bytes of a window's inputs; its results follow on the next cache line. */
static uint64_t inputs_bytes(const struct map *map)
{
    return map->copies_items ? round_up((uint64_t)map->window_items * map->item_size, ARENA_LINE) : 0;
}

/* New words are clear: 0 is an older window's number than any. */
static mproc_status prepare_words(struct pool_buffer *buffer, uint64_t chunks)
{
    uint64_t room = WORDS_MIN, bytes;
    _Atomic uint64_t *words;
    mproc_status status;

    assert(chunks <= WORDS_MAX);
    if (chunks <= buffer->chunks_max) return MPROC_OK;
    while (room < chunks) room *= 2;
    bytes = room * sizeof(uint64_t);
    if ((status = resource_take(bytes + room * sizeof(struct chunk_outcome), bytes, &words)) != MPROC_OK)
        return status;
    if (buffer->words) buffer->outgrown[buffer->outgrown_count++] = buffer->words;
    buffer->words = words;
    buffer->chunks_max = room;
    return MPROC_OK;
}

static mproc_status prepare_data(struct pool_buffer *buffer, uint64_t bytes)
{
    mproc_status status;

    if (buffer->data && bytes <= buffer->data_bytes) return MPROC_OK;
    resource_release(buffer->data);
    buffer->data = NULL;
    buffer->data_bytes = 0;
    if ((status = resource_take(bytes + ARENA_LINE, 0, &buffer->data)) != MPROC_OK) return status;
    buffer->data_bytes = bytes;
    return MPROC_OK;
}

static unsigned char *data_of(const struct pool_buffer *buffer)
{
    uintptr_t at = (uintptr_t)arena_at(atomic_load(buffer->data));
    return (unsigned char *)((at + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1));
}

mproc_status buffer_prepare(struct map *map)
{
    uint64_t chunks = chunks_of(map, map->window_items);
    uint64_t bytes = inputs_bytes(map) + (map->copies_results ? (uint64_t)map->window_items * map->result_size : 0);
    mproc_status status;

    for (int i = 0; i < 2; i++) {
        struct pool_buffer *buffer = &map->job->buffers[i];
        if ((status = prepare_words(buffer, chunks)) != MPROC_OK) return status;
        if (!map->copies_items && !map->copies_results) continue;
        if ((status = prepare_data(buffer, bytes)) != MPROC_OK) return status;
        buffer->inputs = data_of(buffer);
        buffer->results = buffer->inputs + inputs_bytes(map);
    }
    return MPROC_OK;
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

/* How a worker finds an address: see data_at() in window.c. Nothing is 0. */
static uint64_t worker_address(const struct map *map, const void *address)
{
    if (!address) return 0;
    return map->pool->shared->threads ? (uint64_t)(uintptr_t)address : arena_offset(address);
}

/* Where a worker finds the window's data. */
static void put_data(struct map *map, struct pool_window *window, struct pool_buffer *buffer, uint64_t first)
{
    const unsigned char *inputs = map->items ? map->items + first * map->item_size : NULL;
    unsigned char *results = map->results ? map->results + first * map->result_size : NULL;

    if (inputs && map->copies_items) {
        memcpy(buffer->inputs, inputs, (size_t)atomic_load(&window->items) * map->item_size);
        inputs = buffer->inputs;
    }
    put(&window->inputs, worker_address(map, inputs));
    put(&window->results, worker_address(map, map->copies_results ? buffer->results : results));
}

void buffer_open(struct map *map, uint64_t index, uint64_t number)
{
    struct pool_shared *shared = map->pool->shared;
    struct pool_job *job = map->job->shared;
    struct pool_window *window = &job->map.windows[number % 2];
    struct pool_buffer *buffer = &map->job->buffers[number % 2];
    uint64_t before = index * map->window_items, first = map->first + before, left = map->count - before;
    uint64_t items = left < map->window_items ? left : map->window_items;
    uint64_t words = atomic_load(buffer->words);

    atomic_store(&window->number, 0);
    atomic_thread_fence(memory_order_release);
    put(&window->first, first);
    put(&window->items, items);
    put(&window->chunk, map->chunk);
    put(&window->chunks, chunks_of(map, items));
    put(&window->regions, atomic_load(&shared->limit));
    put(&window->lost, map->lost_before);
    put(&window->words, words);
    put(&window->outcomes, words + buffer->chunks_max * sizeof(uint64_t));
    put_data(map, window, buffer, first);
    atomic_store(&window->number, number);
    window_view(shared, job, number, &buffer->view);
    buffer->open = true;
    atomic_store(&job->map.posted, number);
    bell_ring(shared, map->job->index,
              chunks_of(map, items) < shared->workers ? (uint32_t)chunks_of(map, items) : shared->workers);
}

void buffer_close_all(struct job *job)
{
    for (int i = 0; i < 2; i++) atomic_store(&job->shared->map.windows[i].number, 0);
    /* Whoever sees the next job already sees that these are closed. */
    atomic_thread_fence(memory_order_release);
}

mproc_status buffer_stop_for_failure(struct map *map)
{
    map->failed = true;
    return mproc_error(MPROC_CANCELLED, "another item of the map has failed, and it was to stop then");
}

/* Why no more of the map is to be begun, or MPROC_OK. As long as there is a worker, it can do all of it. */
static mproc_status reason_to_stop(struct map *map)
{
    if (atomic_load(&map->pool->shared->state) == POOL_TERMINATED)
        return mproc_error(MPROC_TERMINATED, "the pool was terminated while it computed a map");
    if (atomic_load(&map->job->shared->map.failed) == map->failure.job) return buffer_stop_for_failure(map);
    if (interrupt_take()) return map->admitted ? async_map_stopped() : interrupt_status();
    return workers_missing(map->pool);
}

bool buffer_is_complete(struct pool_buffer *buffer)
{
    if (buffer->open && window_complete(&buffer->view)) buffer->open = false;
    return !buffer->open;
}

/*
 * Registers as asleep before it looks for reasons to stop, and once more at the window: the worker that completes it
 * wakes the caller, and so does whoever has made a reason.
 */
mproc_status buffer_wait(struct map *map, struct pool_buffer *buffer)
{
    _Atomic uint32_t *caller_asleep = &map->job->shared->map.caller_asleep;
    mproc_status status = MPROC_OK;

    while (!buffer_is_complete(buffer)) {
        if (progress_is_due(&map->progress)) progress_tell(&map->progress, buffer_count_done(map));
        atomic_store(caller_asleep, 1);
        if ((status = reason_to_stop(map)) != MPROC_OK) break;
        if (!buffer_is_complete(buffer)) wait_on(caller_asleep, 1, map->progress.next_ns);
    }
    atomic_store(caller_asleep, 0);
    return status;
}

void buffer_wait_until(struct map *map, struct pool_buffer *buffer, int64_t deadline_ns)
{
    _Atomic uint32_t *caller_asleep = &map->job->shared->map.caller_asleep;

    while (!buffer_is_complete(buffer)) {
        atomic_store(caller_asleep, 1);
        if (!buffer_is_complete(buffer) && wait_on(caller_asleep, 1, deadline_ns) == MPROC_TIMEOUT) break;
    }
    atomic_store(caller_asleep, 0);
}

void buffer_give_up(struct job *job, mproc_status status)
{
    for (int i = 0; i < 2; i++)
        if (job->buffers[i].open) window_give_up(&job->buffers[i].view, status);
}

/* What the worker has said about the item, or who has looked after its end; or else the text of the status. */
static void note_text(struct map *map, uint32_t owner)
{
    struct pool_failure *failure = &map->failure;
    struct pool_failure *lost = &map->job->lost;
    struct job_worker *worker = job_worker_at(map->job->shared, owner);
    const char *text = mproc_status_text(failure->status);

    plat_mutex_lock(&map->pool->mutex);
    if (failure->status == MPROC_WORKER_LOST && lost->job == failure->job && lost->item == failure->item)
        text = lost->text;
    else if (atomic_load(&worker->failed_job) == failure->job && atomic_load(&worker->failed_item) == failure->item)
        text = worker->failed_text;
    snprintf(failure->text, sizeof failure->text, "%s", text);
    plat_mutex_unlock(&map->pool->mutex);
}

/* Of a chunk that failed: the first of them is what the map reports. */
static void note_failure(struct map *map, const struct window_view *view, uint64_t chunk, mproc_status status)
{
    uint64_t item = view->first + chunk * view->chunk + atomic_load(&view->outcomes[chunk].done);

    if (map->failure.status != MPROC_OK && map->failure.item <= item) return;
    map->failure.status = status;
    map->failure.item = item;
    note_text(map, chunk_owner(atomic_load(&view->words[chunk])));
}

/* Of a window that has come to its end before the caller knew: workers were told by others. */
static mproc_status why_given_up(const struct map *map)
{
    return atomic_load(&map->pool->shared->state) == POOL_TERMINATED ? MPROC_TERMINATED : MPROC_CANCELLED;
}

/* What has become of the items of a failed chunk that are not done. */
static mproc_status status_of(const struct window_view *view, uint64_t chunk)
{
    int32_t outcome = atomic_load(&view->outcomes[chunk].status);

    return outcome == CHUNK_LOST ? MPROC_WORKER_LOST : (mproc_status)outcome;
}

/* Whether a chunk that failed is to be begun again, as it was lost. */
static bool comes_again(const struct map *map, const struct window_view *view, uint64_t chunk)
{
    return map->lost_before < map->retries && atomic_load(&view->outcomes[chunk].status) == CHUNK_LOST;
}

/* False: there is no memory for that. */
static bool keep_lost(struct map *map, const struct window_view *view, uint64_t chunk, uint64_t end)
{
    struct lost_items *lost = &map->lost;
    uint64_t begin = view->first + chunk * view->chunk, room = lost->room ? 2 * lost->room : 16;
    struct item_range *grown;

    if (lost->count == lost->room) {
        if (!(grown = realloc(lost->ranges, (size_t)room * sizeof *grown))) return false;
        lost->ranges = grown;
        lost->room = (size_t)room;
    }
    lost->ranges[lost->count++] = (struct item_range){(size_t)begin, (size_t)(end - begin)};
    return true;
}

static void note_chunk(struct map *map, const struct window_view *view, uint64_t chunk)
{
    mproc_status status = status_of(view, chunk);
    uint64_t begin = view->first + chunk * view->chunk, end = begin + view->chunk;
    uint64_t item = begin + atomic_load(&view->outcomes[chunk].done);
    bool given_up = (int)status == CHUNK_GIVEN_UP;

    if (end > view->first + view->items) end = view->first + view->items;
    if (given_up) status = why_given_up(map);
    for (uint64_t i = item; map->statuses && i < end; i++) map->statuses[i] = status;
    if (comes_again(map, view, chunk) && keep_lost(map, view, chunk, end)) return;
    if (!given_up || status == MPROC_TERMINATED) note_failure(map, view, chunk, status);
}

static size_t chunk_end(const struct window_view *view, uint64_t chunk)
{
    uint64_t end = (chunk + 1) * view->chunk;
    return (size_t)(view->first + (end < view->items ? end : view->items));
}

/* How many items of a window are over, and were not given up. */
static size_t count_done(const struct map *map, const struct window_view *view)
{
    size_t done = 0;

    for (uint64_t i = 0; i < view->chunks; i++) {
        uint64_t word = atomic_load_explicit(&view->words[i], memory_order_acquire);
        if (word >> CHUNK_WINDOW_SHIFT != view->number || chunk_state(word) == CHUNK_CLAIMED) continue;
        if (chunk_owner(word) == CHUNK_OWNER_CALLER) continue;
        if (chunk_state(word) == CHUNK_FAILED &&
            (atomic_load(&view->outcomes[i].status) == CHUNK_GIVEN_UP || comes_again(map, view, i)))
            done += (size_t)atomic_load(&view->outcomes[i].done);
        else done += chunk_end(view, i) - (size_t)(view->first + i * view->chunk);
    }
    return done;
}

void buffer_drain(struct map *map, struct pool_buffer *buffer)
{
    const struct window_view *view = &buffer->view;
    uint32_t failures = atomic_load(&map->job->shared->map.failures);

    map->drained = (size_t)(view->first + view->items);
    if (map->copies_results)
        memcpy(map->results + view->first * map->result_size, buffer->results,
               (size_t)view->items * map->result_size);
    map->done += failures == map->failures_seen ? (size_t)view->items : count_done(map, view);
    if (failures == map->failures_seen) return;
    for (uint64_t i = 0; i < view->chunks; i++)
        if (chunk_state(atomic_load(&view->words[i])) == CHUNK_FAILED) note_chunk(map, view, i);
}

/* The number of the first item of the chunk that is not done. */
static size_t chunk_done_end(const struct window_view *view, uint64_t chunk)
{
    enum chunk_state state = chunk_state(atomic_load_explicit(&view->words[chunk], memory_order_acquire));

    if (state == CHUNK_DONE) return chunk_end(view, chunk);
    return (size_t)(view->first + chunk * view->chunk +
                    (state == CHUNK_FAILED ? atomic_load(&view->outcomes[chunk].done) : 0));
}

static void drain_chunk(struct map *map, const struct pool_buffer *buffer, uint64_t chunk)
{
    const struct window_view *view = &buffer->view;
    size_t begin = (size_t)(view->first + chunk * view->chunk), end = chunk_done_end(view, chunk);
    size_t from = (size_t)(begin - view->first) * map->result_size;

    if (map->copies_results)
        memcpy(map->results + begin * map->result_size, buffer->results + from, (end - begin) * map->result_size);
    if (!map->statuses) return;
    for (size_t i = begin; i < end; i++) map->statuses[i] = MPROC_OK;
    if (chunk_state(atomic_load(&view->words[chunk])) != CHUNK_FAILED) return;
    if (atomic_load(&view->outcomes[chunk].status) == CHUNK_GIVEN_UP) return; /* these have the map's status */
    for (size_t i = end; i < chunk_end(view, chunk); i++) map->statuses[i] = status_of(view, chunk);
}

/* Whether an item of the chunk has failed, and was not given up. */
static bool has_failed(const struct window_view *view, uint64_t chunk)
{
    uint64_t word = atomic_load(&view->words[chunk]);

    return chunk_state(word) == CHUNK_FAILED && chunk_owner(word) != CHUNK_OWNER_CALLER &&
           atomic_load(&view->outcomes[chunk].status) != CHUNK_GIVEN_UP;
}

void buffer_drain_done(struct map *map, struct pool_buffer *buffer)
{
    for (uint64_t i = 0; i < buffer->view.chunks; i++) {
        drain_chunk(map, buffer, i);
        if (map->failed && has_failed(&buffer->view, i) && !comes_again(map, &buffer->view, i))
            note_failure(map, &buffer->view, i, status_of(&buffer->view, i));
    }
}

size_t buffer_count_done(const struct map *map)
{
    size_t done = map->done;

    for (int i = 0; i < 2; i++) {
        const struct window_view *view = &map->job->buffers[i].view;
        if (view->number > map->before && view->first >= map->drained) done += count_done(map, view);
    }
    return done;
}
