/* Getting: the first records. */
#include "queue/get.h"

#include "queue/segment.h"
#include "queue/turn.h"

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* How far an operation has come: where the next record is, and what it has taken. */
struct progress {
    uint64_t place;
    uint64_t bytes;
    uint32_t items;
    bool crossed; /* from one segment into another */
};

static uint32_t kind_of(const struct queue_record *record)
{
    return record->kind_size >> 30;
}

static uint64_t size_of(const struct queue_record *record)
{
    return kind_of(record) == QUEUE_BLOCK ? record->size : record->kind_size & 0x3FFFFFFFu;
}

/* How many there are, looked up where fewer are known than are wanted. */
static uint32_t items_there(struct queue_ends *ends, uint64_t at, uint32_t wanted)
{
    if (ends->get.known - queue_count(at) < wanted)
        ends->get.known = queue_count(atomic_load_explicit(&ends->put.at, memory_order_acquire));
    return ends->get.known - queue_count(at);
}

/*
 * The next record that is an item; there is one. A link may lead to another: whoever began the segment in between was
 * killed before it put anything there, and the next item had no room.
 */
static struct queue_record *next_record(const struct queue *queue, struct progress *progress)
{
    struct queue_record *record;

    if (progress->place == 0) progress->place = get(&queue->begin);
    while (kind_of(record = queue_record_at(progress->place)) == QUEUE_LINK) {
        progress->place = record->form_link;
        progress->crossed = true;
    }
    return record;
}

/* Several are taken of one size only, as they come one behind the other. */
static enum queue_outcome fits(struct queue_wish *wish, const struct queue_record *record)
{
    uint64_t size = size_of(record);

    wish->size = size;
    wish->form = (enum queue_form)record->form_link;
    if (!wish->any) {
        if (wish->form != QUEUE_OF_BYTES) return QUEUE_OTHER;
        return size == wish->room || (size < wish->room && !wish->exact) ? QUEUE_DONE : QUEUE_TOO_LARGE;
    }
    if (wish->form == QUEUE_OF_PLAIN) return QUEUE_DONE;
    return wish->bytes && wish->form == wish->ready && size <= wish->room ? QUEUE_DONE : QUEUE_TOO_LARGE;
}

static void copy_out(struct queue_wish *wish, const struct queue_record *record, uint64_t before)
{
    if (wish->form == QUEUE_OF_PLAIN) memcpy(&wish->plain, queue_data(record), sizeof wish->plain);
    else if (wish->size > 0) queue_copy((unsigned char *)wish->bytes + before, queue_data(record), wish->size);
}

static void announce(struct intent *intent, const struct queue *queue, struct queue_end *end,
                     const struct progress *progress)
{
    queue_account(end, progress->items, progress->bytes);
    if (queue_is_bounded(queue)) intent_will_wake(intent, turn_wakes(end));
    atomic_signal_fence(memory_order_seq_cst);
}

/* Data alone, and nobody counts bytes: one store publishes. */
static void take(struct intent *intent, const struct queue *queue, struct queue_ends *ends, uint64_t at,
                 const struct progress *progress, _Atomic uint64_t *owned, uint64_t block)
{
    uint64_t next = (uint64_t)(queue_count(at) + progress->items) << 32 | progress->place;

    announce(intent, queue, &ends->get, progress);
    if (!block && queue->most_bytes == 0) {
        atomic_store_explicit(&ends->get.at, next, memory_order_release);
    } else {
        intent_store(intent, &ends->get.at, next);
        if (block) intent_store(intent, owned, block);
        if (queue->most_bytes) intent_store(intent, &ends->got_bytes, get(&ends->got_bytes) + progress->bytes);
        intent_commit(intent);
    }
    atomic_signal_fence(memory_order_seq_cst);
}

/* Under the lock. A block is taken alone, or waits until it is the first. */
static enum queue_outcome get_locked(struct intent *intent, struct queue *queue, struct queue_wish *wish,
                                     struct progress *progress)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t at = get(&ends->get.at), block = 0;
    enum queue_outcome outcome = QUEUE_DONE;
    uint32_t count;

    queue_settle(&ends->get, at);
    if ((count = items_there(ends, at, wish->count)) == 0) return QUEUE_BLOCKED;
    if (count > wish->count) count = wish->count;
    progress->place = queue_place(at);
    do {
        struct queue_record *record = next_record(queue, progress);
        bool is_block = kind_of(record) == QUEUE_BLOCK;
        if ((is_block && progress->items > 0) || (outcome = fits(wish, record)) != QUEUE_DONE) break;
        if (is_block) block = get(&record->block);
        else copy_out(wish, record, progress->bytes);
        progress->place += is_block ? QUEUE_BLOCK_UNITS : queue_units(size_of(record));
        progress->bytes += size_of(record);
        progress->items++;
    } while (!block && progress->items < count);
    if (progress->items == 0) return outcome;
    take(intent, queue, ends, at, progress, wish->owned, block);
    return QUEUE_DONE;
}

enum queue_outcome queue_try_get(struct queue *queue, struct queue_wish *wish)
{
    struct queue_end *end = &queue_ends(queue)->get;
    struct progress progress = {0, 0, 0, false};
    struct intent *intent = work_intent();
    enum queue_outcome outcome;

    queue_lock(intent, queue, end);
    outcome = get_locked(intent, queue, wish, &progress);
    lock_release(intent, &end->lock);
    if (outcome != QUEUE_DONE) return outcome;
    if (queue_is_bounded(queue)) {
        turn_wake(end, queue->most_bytes ? UINT32_MAX : progress.items);
        intent_has_woken(intent);
    }
    if (progress.crossed) segment_trim(queue);
    wish->got = progress.items;
    return QUEUE_DONE;
}

/* The item's block, if it has one, leaves the record before the record is passed. */
bool queue_drop_first(struct intent *intent, struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t at = get(&ends->get.at);
    struct progress progress = {queue_place(at), 0, 0, false};
    struct queue_record *record;
    bool is_block;

    if (queue_count(at) == queue_count(get(&ends->put.at))) return false;
    record = next_record(queue, &progress);
    is_block = kind_of(record) == QUEUE_BLOCK;
    if (is_block) object_drop(intent, &record->block);
    progress.place += is_block ? QUEUE_BLOCK_UNITS : queue_units(size_of(record));
    atomic_store(&ends->get.at, (uint64_t)(queue_count(at) + 1) << 32 | progress.place);
    return true;
}
