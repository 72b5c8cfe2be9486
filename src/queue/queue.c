/* Queues: made, asked, closed and freed. */
#include "queue/queue.h"

#include "base/options.h"
#include "process/family.h"
#include "queue/get.h"
#include "queue/segment.h"
#include "queue/turn.h"

/* What is in the queue and in blocks, and then the segments; all of it can be done again from any point. */
static void last_dropped(struct intent *intent, uint64_t object)
{
    struct queue *queue = (struct queue *)arena_at(object);

    while (atomic_load(&queue->blocks) && queue_drop_first(intent, queue)) {
    }
    segment_clear(intent, queue);
}

/* Somebody may wait for items that nobody can put any more. */
static _Atomic uint32_t *left(uint64_t object)
{
    return turn_wakes(&queue_ends((const struct queue *)arena_at(object))->put);
}

const struct object_type queue_type = {.name = "a queue", .left = left, .last_dropped = last_dropped};

static_assert(QUEUE_BYTES + sizeof(struct block_header) < 1024, "there may be many of them");

static const struct queue *queue_at(const mproc_queue *queue)
{
    assert(queue && queue->reference.ref.kind == OBJECT_QUEUE);
    return (const struct queue *)queue->reference.at;
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
    return queue_size(queue_at(queue));
}

bool mproc_queue_empty(const mproc_queue *queue)
{
    return queue_size(queue_at(queue)) == 0;
}

bool mproc_queue_full(const mproc_queue *queue)
{
    return queue_size(queue_at(queue)) >= queue_at(queue)->most;
}

/* Whoever is about to sleep has either seen that it is closed, or is among those who are woken. */
void mproc_queue_close(mproc_queue *queue)
{
    struct queue_ends *ends;

    assert(queue && queue->reference.ref.kind == OBJECT_QUEUE);
    if (family_enter_with(queue->reference.arena) != MPROC_OK) return;
    ends = queue_ends(queue_at(queue));
    atomic_store(&queue->reference.closed, 1);
    turn_end_sleep(&ends->put);
    turn_end_sleep(&ends->get);
}

/* Of one end, and how many wait for it to move. */
static void read_end(const struct queue *queue, struct queue_end *end, int64_t *items, int64_t *bytes,
                     int64_t *sleepers)
{
    struct intent *intent = work_intent();

    queue_lock(intent, queue, end);
    queue_settle(end, atomic_load(&end->at));
    *items = (int64_t)atomic_load(&end->total.items);
    *bytes = (int64_t)atomic_load(&end->total.bytes);
    *sleepers = (int64_t)(atomic_load(&end->turn) >> 32);
    lock_release(intent, &end->lock);
}

mproc_status mproc_queue_counters(mproc_queue *queue, mproc_queue_counts *counts)
{
    struct queue_ends *ends = queue_ends(queue_at(queue));
    mproc_status status;

    if (!counts) return mproc_error(MPROC_INVALID, "the counters of a queue have nowhere to go: counts is NULL");
    if ((status = family_enter_with(queue->reference.arena)) != MPROC_OK) return status;
    read_end(queue_at(queue), &ends->get, &counts->got, &counts->got_bytes, &counts->putters);
    read_end(queue_at(queue), &ends->put, &counts->put, &counts->put_bytes, &counts->getters);
    return MPROC_OK;
}
