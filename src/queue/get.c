/* Getting: the first records. */
#include "queue/get.h"

#include "object/parcel.h"
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
    while (queue_kind_of(record = queue_record_at(progress->place)) == QUEUE_LINK) {
        progress->place = record->form_link;
        progress->crossed = true;
    }
    return record;
}

static void look_at_parcel(struct queue_wish *wish, struct parcel *parcel)
{
    wish->parcel = parcel;
    wish->size = parcel->size;
    wish->form = (enum queue_form)parcel->form;
    wish->objects = parcel->links - 1;
}

/* What the next item is: one that came back, or that of the next record, which is returned. There is one. */
static struct queue_record *look(const struct queue *queue, struct queue_wish *wish, struct progress *progress)
{
    struct queue_record *record;

    if (wish->leases && get(&queue->returned)) {
        look_at_parcel(wish, parcel_at(get(&queue->returned)));
        return NULL;
    }
    record = next_record(queue, progress);
    if (queue_kind_of(record) == QUEUE_PARCEL) {
        look_at_parcel(wish, parcel_at(get(&record->parcel)));
    } else {
        wish->parcel = NULL;
        wish->size = queue_data_size(record);
        wish->form = (enum queue_form)record->form_link;
        wish->objects = 0;
    }
    return record;
}

/* Several are taken of one size only, as they come one behind the other. */
static inline enum queue_outcome fits_bytes(const struct queue_wish *wish)
{
    if (wish->form != QUEUE_OF_BYTES) return QUEUE_OTHER;
    return wish->size == wish->room || (wish->size < wish->room && !wish->exact) ? QUEUE_DONE : QUEUE_TOO_LARGE;
}

static inline enum queue_outcome fits(const struct queue_wish *wish)
{
    bool ready = wish->bytes && wish->size <= wish->room;

    if (wish->want == QUEUE_WANT_BYTES) return fits_bytes(wish);
    if (wish->want == QUEUE_WANT_VALUE) {
        if (wish->form == QUEUE_OF_PLAIN) return QUEUE_DONE;
        return ready && wish->form == wish->ready && (wish->keeper || !wish->objects) ? QUEUE_DONE : QUEUE_TOO_LARGE;
    }
    if (wish->form != QUEUE_OF_BYTES) return QUEUE_OTHER;
    if (wish->parcel) return wish->bytes ? QUEUE_TOO_LARGE : QUEUE_DONE;
    return ready ? QUEUE_DONE : QUEUE_TOO_LARGE;
}

static inline void copy_out(struct queue_wish *wish, const void *data, uint64_t before)
{
    bool plain = wish->form == QUEUE_OF_PLAIN;

    if (wish->size > 0)
        queue_copy(plain ? (unsigned char *)&wish->plain : (unsigned char *)wish->bytes + before, data, wish->size);
}

/*
 * Who waits for room is announced, and what is about to be taken: until the call has come to its end, it would be
 * lost with it.
 */
static void announce(struct intent *intent, const struct queue *queue, const struct queue_wish *wish, uint64_t next,
                     const struct progress *progress)
{
    struct queue_end *end = &queue_ends(queue)->get;
    struct thread_slot *slot = thread_self.slot;

    queue_account(end, progress->items, progress->bytes);
    if (queue_is_bounded(queue)) intent_will_wake(intent, turn_wakes(end));
    if (!wish->leases) {
        atomic_store_explicit(&slot->taken_from, arena_offset(queue), memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        atomic_store_explicit(&slot->taken, next >> 32 << 32 | progress->items, memory_order_relaxed);
    }
    atomic_signal_fence(memory_order_seq_cst);
}

/* Data alone, and nobody counts bytes: one store publishes. */
static void take(struct intent *intent, const struct queue *queue, struct queue_wish *wish, uint64_t at,
                 const struct progress *progress)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t next = (uint64_t)(queue_count(at) + progress->items) << 32 | progress->place;

    announce(intent, queue, wish, next, progress);
    if (!wish->parcel && queue->most_bytes == 0) {
        atomic_store_explicit(&ends->get.at, next, memory_order_release);
    } else {
        intent_store(intent, &ends->get.at, next);
        if (wish->parcel && wish->leases) lease_take(intent, queue, wish->leases, wish->parcel);
        else if (wish->parcel) intent_store(intent, wish->owned, arena_offset(wish->parcel));
        if (queue->most_bytes) intent_store(intent, &ends->got_bytes, get(&ends->got_bytes) + progress->bytes);
        intent_commit(intent);
    }
    atomic_signal_fence(memory_order_seq_cst);
}

/* Under the lock. A parcel is taken alone, or waits until it is the first. */
static enum queue_outcome get_locked(struct intent *intent, struct queue *queue, struct queue_wish *wish,
                                     struct progress *progress)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t at = get(&ends->get.at);
    enum queue_outcome outcome = QUEUE_DONE;
    uint32_t count;

    queue_settle(&ends->get, at);
    if ((count = items_there(ends, at, wish->count)) == 0) return QUEUE_BLOCKED;
    if (count > wish->count) count = wish->count;
    progress->place = queue_place(at);
    do {
        struct queue_record *record = look(queue, wish, progress);
        if ((wish->parcel && progress->items > 0) || (outcome = fits(wish)) != QUEUE_DONE) {
            if (progress->items > 0) wish->parcel = NULL;
            break;
        }
        if (!wish->parcel) copy_out(wish, queue_data(record), progress->bytes);
        if (record) progress->place += wish->parcel ? QUEUE_PARCEL_UNITS : queue_units(wish->size);
        progress->bytes += wish->size;
        progress->items++;
    } while (!wish->parcel && progress->items < count);
    if (progress->items == 0) return outcome;
    take(intent, queue, wish, at, progress);
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

/* What came in a parcel is where it was wanted. */
static void fetch(struct queue_wish *wish)
{
    struct parcel *parcel = wish->parcel;
    bool keeps = wish->objects > 0 || wish->want == QUEUE_WANT_BUFFER;

    if (wish->want != QUEUE_WANT_BUFFER) copy_out(wish, parcel_data(parcel), 0);
    if (wish->leases) {
        if (keeps) object_refer(work_intent(), arena_offset(parcel), wish->owned, OBJECT_GIVEN);
        atomic_store(&parcel->in_use, 0);
    } else if (!keeps) {
        object_drop(work_intent(), wish->owned);
    }
}

/* The call has come to its end: from here on nothing is lost with it. */
static void has_taken(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&thread_self.slot->taken, 0, memory_order_relaxed);
}

/*
 * Whoever leaves an item there may have been woken for it, so another is. As soon as the turn has ended, another
 * thread that frees the queue goes on, and with the account what is leased goes back: so it is fetched before.
 */
mproc_status queue_get(mproc_queue *queue, struct queue_wish *wish, mproc_status (*ready)(struct queue_wish *wish),
                       enum queue_outcome *outcome, int64_t timeout_ms)
{
    struct queue *at = queue_of(queue);
    struct turn turn;
    mproc_status status = MPROC_OK;
    void *leases = NULL;

    turn_init(&turn, at, 0, true);
    *outcome = QUEUE_BLOCKED;
    if (at->joinable) {
        reference_note(&queue->reference, QUEUE_HAS_GOT);
        status = reference_account(&queue->reference, OBJECT_LEASES, sizeof *wish->leases, &leases);
        wish->leases = leases;
    }
    while (status == MPROC_OK && (*outcome = queue_try_get(at, wish)) != QUEUE_DONE) {
        if (*outcome == QUEUE_BLOCKED) status = turn_wait(&turn, &queue->reference, timeout_ms);
        else status = ready && *outcome == QUEUE_TOO_LARGE ? ready(wish) : MPROC_INVALID;
    }
    if (status == MPROC_OK && wish->parcel) fetch(wish);
    turn_end(&turn, status != MPROC_OK && *outcome != QUEUE_BLOCKED);
    if (status == MPROC_OK) has_taken();
    return status;
}

mproc_status queue_refuse(const struct queue_wish *wish, enum queue_outcome outcome)
{
    if (outcome == QUEUE_OTHER)
        return mproc_error(MPROC_INVALID, "the next item is a value, not bytes: mproc_queue_get() takes it");
    if (wish->count > 1)
        return mproc_error(MPROC_INVALID, "the next item has %llu bytes, and items of %llu are wanted",
                           (unsigned long long)wish->size, (unsigned long long)wish->room);
    return mproc_error(MPROC_INVALID, "the next item has %llu bytes, and there is room for %llu",
                       (unsigned long long)wish->size, (unsigned long long)wish->room);
}

/* ---- recovery ------------------------------------------------------------------------------------ */

/* The item's parcel, if it has one, leaves the record before the record is passed. */
bool queue_drop_first(struct intent *intent, struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t at = get(&ends->get.at);
    struct progress progress = {queue_place(at), 0, 0, false};
    struct queue_record *record;

    if (queue_count(get(&ends->put.at)) - queue_count(at) == (uint32_t)get(&queue->back)) return false;
    record = next_record(queue, &progress);
    if (queue_kind_of(record) == QUEUE_PARCEL) object_drop_link(intent, arena_offset(queue), &record->parcel);
    progress.place += queue_units_of(record);
    atomic_store(&ends->get.at, (uint64_t)(queue_count(at) + 1) << 32 | progress.place);
    return true;
}

/* `*taken` is the count of what was got once these were, and how many these are. */
void queue_taken_lost(struct intent *intent, uint64_t object, _Atomic uint64_t *taken, bool locked)
{
    struct queue *queue = (struct queue *)arena_at(object);
    struct queue_end *end = &queue_ends(queue)->get;
    uint64_t seen = atomic_load(taken);

    if (locked) {
        if ((int32_t)(queue_count(atomic_load(&end->at)) - queue_count(seen)) < 0) atomic_store(taken, 0);
        return;
    }
    queue_lock(intent, queue, end);
    intent_store(intent, &queue->lost, get(&queue->lost) + (uint32_t)seen);
    intent_store(intent, taken, 0);
    intent_commit(intent);
    lock_release(intent, &end->lock);
}
