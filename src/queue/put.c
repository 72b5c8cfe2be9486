/* Putting: records behind the last one. */
#include "queue/put.h"

#include "queue/segment.h"
#include "queue/turn.h"

/* So many bytes ahead of the record that is written. */
#define OWN_AHEAD 512

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/*
 * Takes the lines that are written next from the caches of those who read there last, several at a time: the lock
 * would wait for each of them alone.
 */
static void own_ahead(struct queue_ends *ends, uint64_t place, uint32_t units)
{
    uint64_t end = place + (units > OWN_AHEAD / QUEUE_UNIT ? units : OWN_AHEAD / QUEUE_UNIT);

    if (end > get(&ends->limit)) end = get(&ends->limit);
    ends->owned_from = (uint32_t)place;
    ends->owned = (uint32_t)end;
    for (; place < end; place += ARENA_LINE / QUEUE_UNIT)
        atomic_store_explicit(&queue_record_at(place)->parcel, 0, memory_order_relaxed);
}

/*
 * Under the lock: for how many of the items there is room now. Items of a joinable queue come back: then there are
 * more than the end knows of, and perhaps more than the limits say.
 */
static uint32_t room_for(const struct queue *queue, struct queue_ends *ends, uint64_t at,
                         const struct queue_item *item)
{
    uint32_t there = queue_count(at) - ends->put.known, count = item->count;
    uint64_t bytes, fit;

    if (there + count > queue->most || (queue->joinable && queue->most != QUEUE_UNBOUNDED)) {
        ends->put.known = queue_count(atomic_load_explicit(&ends->get.at, memory_order_acquire));
        there = queue_count(at) - ends->put.known;
        if (there >= queue->most) return 0;
        if (there + count > queue->most) count = queue->most - there;
    }
    if (queue->most_bytes == 0 || item->size == 0) return count;
    bytes = get(&ends->put_bytes) - atomic_load_explicit(&ends->got_bytes, memory_order_acquire);
    fit = bytes < queue->most_bytes ? (queue->most_bytes - bytes) / item->size : 0;
    return fit < count ? (uint32_t)fit : count;
}

/* One or several records of data, up to the end of the segment; returns how many. */
static uint32_t write_data(const struct queue_ends *ends, uint64_t *place, const struct queue_item *item,
                           uint32_t count)
{
    uint64_t limit = get(&ends->limit);
    uint32_t units = queue_units(item->size), n = 0;

    do {
        struct queue_record *record = queue_record_at(*place);
        record->kind_size = (uint32_t)QUEUE_DATA << 30 | (uint32_t)item->size;
        record->form_link = item->form;
        queue_copy(queue_data(record), (const unsigned char *)item->bytes + n * item->size, item->size);
        *place += units;
    } while (++n < count && *place + units <= limit);
    return n;
}

/* The record has the parcel before the owned slot is empty, but nobody reads it yet. */
static uint32_t write_parcel(uint64_t *place, const struct queue_item *item)
{
    struct queue_record *record = queue_record_at(*place);

    record->kind_size = (uint32_t)QUEUE_PARCEL << 30;
    atomic_store_explicit(&record->parcel, get(item->owned), memory_order_relaxed);
    *place += QUEUE_PARCEL_UNITS;
    return 1;
}

/*
 * Data alone, and nobody counts bytes: one store publishes. The bytes come first: who looks for room without the lock
 * sees no more of them got than put, and so does not sleep over room that there is.
 */
static void publish(struct intent *intent, const struct queue *queue, const struct queue_item *item, uint64_t at,
                    uint32_t count)
{
    struct queue_ends *ends = queue_ends(queue);

    queue_account(&ends->put, count, count * item->size);
    atomic_signal_fence(memory_order_seq_cst);
    if (!item->owned && queue->most_bytes == 0) {
        atomic_store_explicit(&ends->put.at, at, memory_order_release);
    } else {
        if (queue->most_bytes) intent_store(intent, &ends->put_bytes, get(&ends->put_bytes) + count * item->size);
        intent_store(intent, &ends->put.at, at);
        if (item->owned) intent_store(intent, item->owned, 0);
        intent_commit(intent);
    }
    atomic_signal_fence(memory_order_seq_cst);
}

/* Under the lock. What is put is announced first: if we end before we have woken, recovery does. */
static enum queue_outcome put_locked(struct intent *intent, struct queue *queue, const struct queue_item *item,
                                     uint32_t *put)
{
    struct queue_ends *ends = queue_ends(queue);
    uint32_t units = queue_item_units(item), count;
    uint64_t at = get(&ends->put.at), place;

    assert(item->owned || item->bytes);
    queue_settle(&ends->put, at);
    if ((count = room_for(queue, ends, at, item)) == 0) return QUEUE_BLOCKED;
    if (queue_place(at) + units > get(&ends->limit)) {
        if (!segment_next(intent, queue, ends, units)) return QUEUE_NO_SEGMENT;
        at = get(&ends->put.at);
    }
    place = queue_place(at);
    if (place + units > ends->owned || place < ends->owned_from) own_ahead(ends, place, units);
    if (item->owned) atomic_store_explicit(&queue->parcels, 1, memory_order_relaxed);
    *put = item->owned ? write_parcel(&place, item) : write_data(ends, &place, item, count);
    intent_will_wake(intent, turn_wakes(&ends->put));
    publish(intent, queue, item, (uint64_t)(queue_count(at) + *put) << 32 | place, *put);
    return QUEUE_DONE;
}

enum queue_outcome queue_try_put(struct queue *queue, const struct queue_item *item, uint32_t *done)
{
    struct queue_end *end = &queue_ends(queue)->put;
    struct intent *intent = work_intent();
    enum queue_outcome outcome;
    uint32_t put = 0;

    queue_lock(intent, queue, end);
    outcome = put_locked(intent, queue, item, &put);
    lock_release(intent, &end->lock);
    if (outcome != QUEUE_DONE) return outcome;
    turn_wake(end, put);
    intent_has_woken(intent);
    *done += put;
    return QUEUE_DONE;
}

/* Whoever fails though there is room may have been woken for that, so another is. */
mproc_status queue_put(mproc_queue *queue, struct queue_item *item, uint32_t *done, int64_t timeout_ms)
{
    struct queue *at = queue_of(queue);
    struct turn turn;
    enum queue_outcome outcome = QUEUE_DONE;
    mproc_status status = MPROC_OK;
    uint32_t count = item->count;
    const unsigned char *bytes = item->bytes;

    turn_init(&turn, at, item->size, false);
    reference_note(&queue->reference, QUEUE_HAS_PUT);
    while (status == MPROC_OK && *done < count) {
        outcome = queue_try_put(at, item, done);
        if (outcome == QUEUE_NO_SEGMENT) status = segment_add(at, queue_item_units(item));
        else if (outcome == QUEUE_BLOCKED) status = turn_wait(&turn, &queue->reference, timeout_ms);
        if (bytes) item->bytes = bytes + *done * item->size;
        item->count = count - *done;
    }
    turn_end(&turn, status != MPROC_OK && outcome != QUEUE_BLOCKED);
    return status;
}

mproc_status queue_check_size(const mproc_queue *queue, uint64_t size)
{
    uint64_t most = queue_of(queue)->most_bytes;

    if (most == 0 || size <= most) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "an item of %llu bytes for a queue of at most %llu bytes",
                       (unsigned long long)size, (unsigned long long)most);
}
