/* Segments: the next is used, added, and given back. */
#include "queue/segment.h"

/*
 * The first one is small, as there may be many queues with few items; each is twice as large as the one before, as
 * they are added while items pile up. A ring of some MiB is more than a processor's own cache: what is written has
 * left it when others read it, which is several times as fast as if they had to ask for each line.
 */
#define BYTES_MIN ((uint64_t)1024)
#define BYTES_MAX ((uint64_t)1024 * 1024)
/* So many that are free stay in the ring while items pass; of a queue at rest one, and none that is larger. */
#define KEPT 4
#define KEPT_AT_REST 1
#define BYTES_AT_REST ((uint64_t)64 * 1024)

static struct queue_segment *segment_at(uint64_t offset)
{
    return (struct queue_segment *)arena_at(offset);
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/*
 * Under the put end's lock: whether nobody reads there any more, and it is not the one that is written. What is seen
 * of the get end may be out of date: then the segment looks as if it were still in use.
 */
static bool is_free(const struct queue *queue, const struct queue_ends *ends, uint64_t segment)
{
    uint32_t read = queue_place(atomic_load_explicit(&ends->get.at, memory_order_acquire));

    if (segment == get(&ends->written)) return false;
    if (read == 0) read = (uint32_t)get(&queue->begin);
    return read < segment_at(segment)->begin || read > segment_at(segment)->limit;
}

/* The list of changes that makes the segment the one that is written. */
static void write_there(struct intent *intent, const struct queue_ends *ends, uint64_t segment)
{
    uint64_t count = get(&ends->put.at) >> 32 << 32;

    intent_store(intent, &ends->put.at, count | segment_at(segment)->begin);
    intent_store(intent, &ends->written, segment);
    intent_store(intent, &ends->limit, segment_at(segment)->limit);
}

/*
 * The link is what is written instead of a record. It is no item: the number of those is as it was, and nobody reads
 * it before there is another.
 */
bool segment_next(struct intent *intent, const struct queue *queue, struct queue_ends *ends, uint32_t units)
{
    uint64_t written = get(&ends->written), next;
    struct queue_record *link;

    if (!written) return false;
    next = get(&segment_at(written)->next);
    if (!is_free(queue, ends, next) || segment_at(next)->begin + units > segment_at(next)->limit) return false;
    link = queue_record_at(queue_place(get(&ends->put.at)));
    link->kind_size = (uint32_t)QUEUE_LINK << 30;
    link->form_link = segment_at(next)->begin;
    write_there(intent, ends, next);
    intent_commit(intent);
    intent_restart(intent);
    return true;
}

/* In an owned slot, where nobody sees it yet. */
static void prepare(uint64_t segment)
{
    uint64_t begin = (segment + sizeof(struct queue_segment) + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE;

    segment_at(segment)->begin = (uint32_t)(begin / QUEUE_UNIT);
    segment_at(segment)->limit = (uint32_t)((segment + block_size(segment)) / QUEUE_UNIT) - 1;
    atomic_store_explicit(&segment_at(segment)->next, segment, memory_order_relaxed);
}

static uint64_t bytes_wanted(const struct queue_ends *ends, uint32_t units)
{
    uint64_t bytes = 2 * get(&ends->segment_bytes);

    if (bytes < BYTES_MIN) bytes = BYTES_MIN;
    if (bytes > BYTES_MAX) bytes = BYTES_MAX;
    if (bytes < (units + 1) * QUEUE_UNIT + 2 * ARENA_LINE) bytes = (units + 1) * QUEUE_UNIT + 2 * ARENA_LINE;
    return bytes - sizeof(struct block_header);
}

/*
 * Under the put end's lock: the first one is where both ends begin; the others come behind the one that is written.
 */
static void enter(struct intent *intent, struct queue *queue, struct queue_ends *ends, _Atomic uint64_t *owned)
{
    uint64_t segment = get(owned), written = get(&ends->written), bytes = block_size(segment);

    if (!written) {
        write_there(intent, ends, segment);
        intent_store(intent, &queue->begin, segment_at(segment)->begin);
    } else {
        atomic_store_explicit(&segment_at(segment)->next, get(&segment_at(written)->next), memory_order_relaxed);
        intent_store(intent, &segment_at(written)->next, segment);
    }
    intent_store(intent, &ends->segments, get(&ends->segments) + 1);
    intent_store(intent, owned, 0);
    intent_commit(intent);
    atomic_store_explicit(&ends->segment_bytes, bytes, memory_order_relaxed);
}

/* Whether nobody else has added one meanwhile. */
static bool is_needed(const struct queue *queue, const struct queue_ends *ends, uint32_t units)
{
    uint64_t written = get(&ends->written), next;

    if (!written) return true;
    if (queue_place(get(&ends->put.at)) + units <= get(&ends->limit)) return false;
    next = get(&segment_at(written)->next);
    return !is_free(queue, ends, next) || segment_at(next)->begin + units > segment_at(next)->limit;
}

mproc_status segment_add(struct queue *queue, uint32_t units)
{
    struct queue_ends *ends = queue_ends(queue);
    struct intent *intent = work_intent();
    _Atomic uint64_t *owned = &intent->stages[1];
    mproc_status status;

    if ((status = block_take(intent, bytes_wanted(ends, units), 0, owned)) != MPROC_OK) return status;
    prepare(get(owned));
    queue_lock(intent, queue, &ends->put);
    if (is_needed(queue, ends, units)) enter(intent, queue, ends, owned);
    lock_release(intent, &ends->put.lock);
    block_give(intent, owned, 0);
    return MPROC_OK;
}

/* Under the put end's lock: whether more are free, from this one on, than stay. */
static bool are_spare(const struct queue *queue, const struct queue_ends *ends, uint64_t segment, int kept)
{
    for (int i = 0; i <= kept; i++) {
        if (!is_free(queue, ends, segment)) return false;
        segment = get(&segment_at(segment)->next);
    }
    return true;
}

/* Gives the next one back if it is free, and larger than `most` or one of more than `kept`. */
static bool trim_one(struct queue *queue, struct queue_ends *ends, int kept, uint64_t most)
{
    struct intent *intent = work_intent();
    _Atomic uint64_t *link;
    uint64_t next;
    bool spare;

    queue_lock(intent, queue, &ends->put);
    link = &segment_at(get(&ends->written))->next;
    next = get(link);
    spare = are_spare(queue, ends, next, block_size(next) > most ? 0 : kept);
    if (spare) {
        intent_store(intent, &intent->stages[1], next);
        intent_store(intent, link, get(&segment_at(next)->next));
        intent_store(intent, &ends->segments, get(&ends->segments) - 1);
        intent_commit(intent);
    }
    lock_release(intent, &ends->put.lock);
    block_give(intent, &intent->stages[1], 0);
    return spare;
}

void segment_trim(struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);

    while (get(&ends->segments) > KEPT + 1 && trim_one(queue, ends, KEPT, UINT64_MAX)) {
    }
}

/* The next one that is added is small again. */
void segment_rest(struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);

    while (get(&ends->segments) > KEPT_AT_REST + 1 || get(&ends->segment_bytes) > BYTES_AT_REST) {
        if (trim_one(queue, ends, KEPT_AT_REST, BYTES_AT_REST)) continue;
        if (get(&ends->segment_bytes) > BYTES_AT_REST)
            atomic_store_explicit(&ends->segment_bytes, BYTES_AT_REST / 2, memory_order_relaxed);
        return;
    }
}

/* One after the other leaves the ring for `ending`, the one that was written as the last. */
void segment_clear(struct intent *intent, struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t written, ending;

    while ((written = get(&ends->written)) | (ending = get(&queue->ending))) {
        if (!ending) {
            atomic_store(&queue->ending, get(&segment_at(written)->next));
            continue;
        }
        if (written == ending) atomic_store(&ends->written, 0);
        else if (written && get(&segment_at(written)->next) == ending)
            atomic_store(&segment_at(written)->next, get(&segment_at(ending)->next));
        block_give(intent, &queue->ending, 0);
    }
}
