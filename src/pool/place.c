/* The two windows on the caller's side: filled, opened, waited for and emptied. */
#include <stdio.h>
#include <string.h>

#include "object/cells.h"
#include "object/wait.h"
#include "pool/map.h"
#include "object/interrupt.h"

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
static mproc_status prepare_words(struct pool_place *place, uint64_t chunks)
{
    uint64_t room = WORDS_MIN, bytes;
    _Atomic uint64_t *words;
    mproc_status status;

    assert(chunks <= WORDS_MAX);
    if (chunks <= place->chunks_max) return MPROC_OK;
    while (room < chunks) room *= 2;
    bytes = room * sizeof(uint64_t);
    if ((status = cells_take(bytes + room * sizeof(struct chunk_outcome), bytes, &words)) != MPROC_OK) return status;
    if (place->words) place->outgrown[place->outgrown_count++] = place->words;
    place->words = words;
    place->chunks_max = room;
    return MPROC_OK;
}

static mproc_status prepare_data(struct pool_place *place, uint64_t bytes)
{
    mproc_status status;

    if (place->data && bytes <= place->data_bytes) return MPROC_OK;
    cells_give(place->data);
    place->data = NULL;
    place->data_bytes = 0;
    if ((status = cells_take(bytes + ARENA_LINE, 0, &place->data)) != MPROC_OK) return status;
    place->data_bytes = bytes;
    return MPROC_OK;
}

static unsigned char *data_of(const struct pool_place *place)
{
    uintptr_t at = (uintptr_t)arena_at(atomic_load(place->data));
    return (unsigned char *)((at + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1));
}

mproc_status place_prepare(struct map *map)
{
    uint64_t chunks = chunks_of(map, map->window_items);
    uint64_t bytes = inputs_bytes(map) + (map->copies_results ? (uint64_t)map->window_items * map->result_size : 0);
    mproc_status status;

    for (int i = 0; i < 2; i++) {
        struct pool_place *place = &map->pool->places[i];
        if ((status = prepare_words(place, chunks)) != MPROC_OK) return status;
        if (!map->copies_items && !map->copies_results) continue;
        if ((status = prepare_data(place, bytes)) != MPROC_OK) return status;
        place->inputs = data_of(place);
        place->results = place->inputs + inputs_bytes(map);
    }
    return MPROC_OK;
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

/* How a worker is told of an address: see data_at() in window.c. Nothing is 0. */
static uint64_t told(const struct map *map, const void *address)
{
    if (!address) return 0;
    return map->pool->shared->threads ? (uint64_t)(uintptr_t)address : arena_offset(address);
}

/* Where a worker finds the window's data. */
static void put_data(struct map *map, struct pool_window *window, struct pool_place *place, uint64_t first)
{
    const unsigned char *inputs = map->items ? map->items + first * map->item_size : NULL;
    unsigned char *results = map->results ? map->results + first * map->result_size : NULL;

    if (inputs && map->copies_items) {
        memcpy(place->inputs, inputs, (size_t)atomic_load(&window->items) * map->item_size);
        inputs = place->inputs;
    }
    put(&window->inputs, told(map, inputs));
    put(&window->results, told(map, map->copies_results ? place->results : results));
}

void place_open(struct map *map, uint64_t index, uint64_t number)
{
    struct pool_shared *shared = map->pool->shared;
    struct pool_window *window = &shared->windows[number % 2];
    struct pool_place *place = &map->pool->places[number % 2];
    uint64_t first = index * map->window_items, left = map->count - first;
    uint64_t items = left < map->window_items ? left : map->window_items;
    uint64_t words = atomic_load(place->words);

    atomic_store(&window->number, 0);
    atomic_thread_fence(memory_order_release);
    put(&window->first, first);
    put(&window->items, items);
    put(&window->chunk, map->chunk);
    put(&window->chunks, chunks_of(map, items));
    put(&window->words, words);
    put(&window->outcomes, words + place->chunks_max * sizeof(uint64_t));
    put_data(map, window, place, first);
    atomic_store(&window->number, number);
    window_view(shared, number, &place->view);
    place->open = true;
    atomic_store(&shared->posted, number);
    pool_ring(shared, chunks_of(map, items) < shared->workers ? (uint32_t)chunks_of(map, items) : shared->workers);
}

void place_close_all(mproc_pool *pool)
{
    for (int i = 0; i < 2; i++) atomic_store(&pool->shared->windows[i].number, 0);
    /* Whoever sees the next job already sees that these are closed. */
    atomic_thread_fence(memory_order_release);
}

/* Why no more of the map is to be begun, or MPROC_OK. As long as there is a worker, it can do all of it. */
static mproc_status reason_to_stop(mproc_pool *pool)
{
    mproc_status status = MPROC_OK;

    if (atomic_load(&pool->shared->state) == POOL_TERMINATED)
        return mproc_error(MPROC_TERMINATED, "the pool was terminated while it computed a map");
    if (interrupt_take()) return interrupt_status();
    plat_mutex_lock(&pool->mutex);
    if (!members_any(pool)) status = members_fill(pool);
    plat_mutex_unlock(&pool->mutex);
    return status;
}

static bool is_complete(struct pool_place *place)
{
    if (place->open && window_complete(&place->view)) place->open = false;
    return !place->open;
}

/*
 * Registers as asleep before it looks for reasons to stop, and once more at the window: the worker that completes it
 * wakes the caller, and so does whoever has made a reason.
 */
static mproc_status wait_for_workers(mproc_pool *pool, struct pool_place *place, bool whatever_happens)
{
    mproc_status status = MPROC_OK;

    while (!is_complete(place)) {
        atomic_store(&pool->shared->caller_asleep, 1);
        if (!whatever_happens && (status = reason_to_stop(pool)) != MPROC_OK) break;
        if (!is_complete(place)) wait_on(&pool->shared->caller_asleep, 1, PLAT_FOREVER);
    }
    atomic_store(&pool->shared->caller_asleep, 0);
    return status;
}

mproc_status place_wait(mproc_pool *pool, struct pool_place *place)
{
    return wait_for_workers(pool, place, false);
}

void place_give_up(mproc_pool *pool, mproc_status status)
{
    for (int i = 0; i < 2; i++)
        if (pool->places[i].open) window_give_up(&pool->places[i].view, status);
}

void place_wait_until_left(mproc_pool *pool, struct pool_place *place)
{
    wait_for_workers(pool, place, true);
}

/* What the worker, or its burial, has said about the item; the status' own text if it could not any more. */
static void note_text(struct map *map, uint32_t owner)
{
    struct pool_failure *failure = &map->failure;
    struct pool_failure *lost = &map->pool->lost;
    struct pool_worker *worker = pool_worker_at(map->pool->shared, owner);
    const char *text = mproc_status_text(failure->status);

    plat_mutex_lock(&map->pool->mutex);
    if (failure->status == MPROC_WORKER_LOST && lost->job == failure->job && lost->item == failure->item)
        text = lost->text;
    else if (atomic_load(&worker->failed_job) == failure->job && atomic_load(&worker->failed_item) == failure->item)
        text = worker->failed_text;
    snprintf(failure->text, sizeof failure->text, "%s", text);
    plat_mutex_unlock(&map->pool->mutex);
}

static void note_chunk(struct map *map, const struct window_view *view, uint64_t chunk)
{
    mproc_status status = (mproc_status)atomic_load(&view->outcomes[chunk].status);
    uint64_t begin = view->first + chunk * view->chunk, end = begin + view->chunk;
    uint64_t item = begin + atomic_load(&view->outcomes[chunk].done);

    if (end > view->first + view->items) end = view->first + view->items;
    for (uint64_t i = item; map->statuses && i < end; i++) map->statuses[i] = status;
    if (map->failure.status != MPROC_OK) return;
    map->failure.status = status;
    map->failure.item = item;
    note_text(map, chunk_owner(atomic_load(&view->words[chunk])));
}

void place_drain(struct map *map, struct pool_place *place)
{
    const struct window_view *view = &place->view;
    uint32_t failures = atomic_load(&map->pool->shared->failures);

    map->drained = (size_t)(view->first + view->items);
    if (map->copies_results)
        memcpy(map->results + view->first * map->result_size, place->results, (size_t)view->items * map->result_size);
    if (failures == map->failures_seen) return;
    for (uint64_t i = 0; i < view->chunks; i++)
        if (chunk_state(atomic_load(&view->words[i])) == CHUNK_FAILED) note_chunk(map, view, i);
}

static size_t chunk_end(const struct window_view *view, uint64_t chunk)
{
    uint64_t end = (chunk + 1) * view->chunk;
    return (size_t)(view->first + (end < view->items ? end : view->items));
}

/* The number of the first item of the chunk that is not done. */
static size_t chunk_done_end(const struct window_view *view, uint64_t chunk)
{
    enum chunk_state state = chunk_state(atomic_load_explicit(&view->words[chunk], memory_order_acquire));

    if (state == CHUNK_DONE) return chunk_end(view, chunk);
    return (size_t)(view->first + chunk * view->chunk +
                    (state == CHUNK_FAILED ? atomic_load(&view->outcomes[chunk].done) : 0));
}

static void drain_chunk(struct map *map, const struct pool_place *place, uint64_t chunk)
{
    const struct window_view *view = &place->view;
    size_t begin = (size_t)(view->first + chunk * view->chunk), end = chunk_done_end(view, chunk);
    size_t from = (size_t)(begin - view->first) * map->result_size;

    if (map->copies_results)
        memcpy(map->results + begin * map->result_size, place->results + from, (end - begin) * map->result_size);
    if (!map->statuses) return;
    for (size_t i = begin; i < end; i++) map->statuses[i] = MPROC_OK;
    if (chunk_state(atomic_load(&view->words[chunk])) != CHUNK_FAILED) return;
    for (size_t i = end; i < chunk_end(view, chunk); i++)
        map->statuses[i] = (mproc_status)atomic_load(&view->outcomes[chunk].status);
}

void place_drain_done(struct map *map, struct pool_place *place)
{
    for (uint64_t i = 0; i < place->view.chunks; i++) drain_chunk(map, place, i);
}
