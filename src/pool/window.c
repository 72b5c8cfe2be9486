/* Windows: see layout.h for their words. */
#include "pool/window.h"

#include "arena/park.h"

/* Offsets in the arena; among threads the data's addresses are given as they are. */
static unsigned char *data_at(const struct pool_shared *shared, uint64_t buffer)
{
    if (buffer == 0) return NULL;
    return shared->threads ? (unsigned char *)(uintptr_t)buffer : (unsigned char *)arena_at(buffer);
}

static uint64_t get(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

bool window_view(struct pool_shared *shared, struct pool_job *job, uint64_t number, struct window_view *view)
{
    struct pool_window *window = &job->map.windows[number % 2];

    if (atomic_load_explicit(&window->number, memory_order_acquire) != number) return false;
    *view = (struct window_view){.shared = shared,
                                 .job = job,
                                 .number = number,
                                 .first = get(&window->first),
                                 .items = get(&window->items),
                                 .chunk = get(&window->chunk),
                                 .chunks = get(&window->chunks),
                                 .regions = get(&window->regions),
                                 .lost = get(&window->lost),
                                 .inputs = data_at(shared, get(&window->inputs)),
                                 .results = data_at(shared, get(&window->results))};
    uint64_t words = get(&window->words), outcomes = get(&window->outcomes);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&window->number, memory_order_relaxed) != number) return false;
    view->words = (_Atomic uint64_t *)arena_at(words);
    view->outcomes = (struct chunk_outcome *)arena_at(outcomes);
    return true;
}

bool window_complete(const struct window_view *view)
{
    uint64_t finished = tagged_value(atomic_load(&view->job->map.given_up[view->number % 2]), view->number, 0);

    for (uint32_t i = 0; i < view->shared->workers; i++) {
        uint64_t word = atomic_load(&job_worker_at(view->job, i)->finished[view->number % 2]);
        finished += tagged_value(word, view->number, 0);
    }
    return finished >= view->chunks;
}

void window_alarm(struct pool_job *job)
{
    atomic_store(&job->map.caller_asleep, 0);
    park_wake(&job->map.caller_asleep, 1);
}

void window_leave(const struct window_view *view, uint32_t worker, uint64_t finished)
{
    _Atomic uint32_t *caller_asleep = &view->job->map.caller_asleep;

    atomic_store(&job_worker_at(view->job, worker)->finished[view->number % 2], tagged(view->number, finished));
    if (window_complete(view) && atomic_exchange(caller_asleep, 0)) park_wake(caller_asleep, 1);
}

static void fail(const struct window_view *view, uint64_t chunk, uint32_t owner, int32_t outcome)
{
    atomic_store_explicit(&view->outcomes[chunk].status, outcome, memory_order_relaxed);
    atomic_store_explicit(&view->outcomes[chunk].done, 0, memory_order_relaxed);
    atomic_fetch_add(&view->job->map.failures, 1);
    window_finish(view, chunk, owner, CHUNK_FAILED);
}

uint64_t window_fail_lost(const struct window_view *view, uint32_t worker, int32_t outcome, uint64_t *done)
{
    uint64_t counted = atomic_load(&job_worker_at(view->job, worker)->finished[view->number % 2]);
    uint64_t finished = 0, lost = UINT64_MAX, lost_count = 0;

    for (uint64_t i = 0; i < view->chunks; i++) {
        uint64_t word = atomic_load_explicit(&view->words[i], memory_order_acquire);
        if (word >> CHUNK_WINDOW_SHIFT != view->number || chunk_owner(word) != worker) continue;
        finished++;
        if (chunk_state(word) != CHUNK_CLAIMED) continue;
        fail(view, i, worker, outcome);
        lost_count++;
        if (lost == UINT64_MAX) lost = view->first + i * view->chunk;
    }
    window_leave(view, worker, finished);
    *done += finished - lost_count - tagged_value(counted, view->number, 0);
    return lost;
}

void window_give_up(const struct window_view *view, mproc_status status)
{
    _Atomic uint64_t *given_up = &view->job->map.given_up[view->number % 2];
    uint64_t taken = tagged_value(atomic_load(given_up), view->number, 0);

    for (uint64_t i = 0; i < view->chunks; i++) {
        if (!window_claim(view, i, CHUNK_OWNER_CALLER)) continue;
        fail(view, i, CHUNK_OWNER_CALLER, (int32_t)status);
        taken++;
    }
    atomic_store(given_up, tagged(view->number, taken));
}
