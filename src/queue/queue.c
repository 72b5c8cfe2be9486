/* Queues: made, asked, closed and freed. */
#include "queue/queue.h"

#include "base/options.h"
#include "process/family.h"
#include "queue/get.h"
#include "queue/join.h"
#include "queue/segment.h"
#include "queue/turn.h"

/* What is in the queue and in parcels, and then the segments; all of it can be done again from any point. */
static void last_dropped(struct intent *intent, uint64_t object)
{
    struct queue *queue = (struct queue *)arena_at(object);

    while (atomic_load(&queue->parcels) && queue_drop_first(intent, queue)) {
    }
    segment_clear(intent, queue);
}

/* Somebody may wait for items that nobody can put any more, or until items are done that nobody does. */
static _Atomic uint32_t *left(uint64_t object, uint32_t index)
{
    struct queue *queue = (struct queue *)arena_at(object);

    if (index == 0) return turn_wakes(&queue_ends(queue)->put);
    return index == 1 && queue->joinable ? &queue->finished : NULL;
}

static void close_account(struct reference *reference)
{
    resource_release(atomic_load(&reference->own));
}

const struct object_type queue_type = {.name = "a queue",
                                       .links = 1,
                                       .links_at = offsetof(struct queue, returned),
                                       .left = left,
                                       .taken_lost = queue_taken_lost,
                                       .last_dropped = last_dropped,
                                       .closing = close_account};

static_assert(QUEUE_BYTES + sizeof(struct block_header) < 1024, "there may be many of them");

mproc_status queue_begin(const mproc_queue *queue, int64_t timeout_ms)
{
    mproc_status status = timeout_check(timeout_ms);

    if (status == MPROC_OK) status = family_enter_with(queue->reference.arena);
    if (status == MPROC_OK && atomic_load_explicit(&queue->reference.closed, memory_order_relaxed))
        status = mproc_error(MPROC_CLOSED, "this process has closed the queue");
    return status;
}

static mproc_status check(const mproc_queue_options *options)
{
    if (options->maxsize < 0 || options->maxsize > MPROC_QUEUE_MAX)
        return mproc_error(MPROC_INVALID,
                           "a queue of at most %lld items: 1 to %ld are possible, and 0 stands for no limit",
                           (long long)options->maxsize, (long)MPROC_QUEUE_MAX);
    if (options->max_bytes < 0)
        return mproc_error(MPROC_INVALID, "a queue of at most %lld bytes: 0 stands for no limit",
                           (long long)options->max_bytes);
    return MPROC_OK;
}

mproc_status mproc_queue_create_sized(const mproc_queue_options *options, size_t options_size, mproc_queue **out)
{
    mproc_queue_options all;
    struct reference *reference;
    struct queue *queue;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a queue was to be created, and out is NULL");
    options_read(&all, sizeof all, options, options_size);
    if ((status = check(&all)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    assert(arena_header->reserve <= QUEUE_UNIT << 32);
    if ((status = reference_create(OBJECT_QUEUE, QUEUE_BYTES, &reference)) != MPROC_OK) return status;
    queue = (struct queue *)reference->at;
    queue->most = all.maxsize ? (uint32_t)all.maxsize : QUEUE_UNBOUNDED;
    queue->most_bytes = (uint64_t)all.max_bytes;
    queue->joinable = all.joinable;
    reference_publish(reference);
    *out = (mproc_queue *)reference;
    return MPROC_OK;
}

void mproc_queue_free(mproc_queue *queue)
{
    assert(!queue || queue->reference.ref.kind == OBJECT_QUEUE);
    if (queue) family_free(&queue->reference);
}

int64_t mproc_queue_size(const mproc_queue *queue)
{
    return queue_size(queue_of(queue));
}

bool mproc_queue_empty(const mproc_queue *queue)
{
    return queue_size(queue_of(queue)) == 0;
}

bool mproc_queue_full(const mproc_queue *queue)
{
    return queue_size(queue_of(queue)) >= queue_of(queue)->most;
}

/* Whoever is about to sleep has either seen that it is closed, or is among those who are woken. */
void mproc_queue_close(mproc_queue *queue)
{
    struct queue *at = queue_of(queue);
    struct queue_ends *ends;

    if (family_enter_with(queue->reference.arena) != MPROC_OK) return;
    ends = queue_ends(at);
    atomic_store(&queue->reference.closed, 1);
    turn_end_sleep(&ends->put);
    turn_end_sleep(&ends->get);
    join_end_sleep(at);
}

/* Of one end, under its lock, and how many wait for it to move. */
static void read_end(struct queue_end *end, int64_t *items, int64_t *bytes, int64_t *sleepers)
{
    queue_settle(end, atomic_load(&end->at));
    *items = (int64_t)atomic_load(&end->total.items);
    *bytes = (int64_t)atomic_load(&end->total.bytes);
    *sleepers = turn_sleepers(atomic_load(&end->turn));
}

mproc_status mproc_queue_counters(mproc_queue *queue, mproc_queue_counts *counts)
{
    struct queue *at = queue_of(queue);
    struct queue_ends *ends = queue_ends(at);
    struct intent *intent;
    mproc_status status;

    if (!counts) return mproc_error(MPROC_INVALID, "the counters of a queue have nowhere to go: counts is NULL");
    if ((status = family_enter_with(queue->reference.arena)) != MPROC_OK) return status;
    intent = work_intent();
    queue_lock(intent, at, &ends->get);
    read_end(&ends->get, &counts->got, &counts->got_bytes, &counts->putters);
    counts->lost = (int64_t)atomic_load(&at->lost);
    counts->done = (int64_t)atomic_load(&at->done);
    counts->redelivered = (int64_t)atomic_load(&at->redelivered);
    lock_release(intent, &ends->get.lock);
    queue_lock(intent, at, &ends->put);
    read_end(&ends->put, &counts->put, &counts->put_bytes, &counts->getters);
    lock_release(intent, &ends->put.lock);
    return MPROC_OK;
}
