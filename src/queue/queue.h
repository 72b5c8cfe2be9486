/*
 * Queues: a log of records between two ends, the put end and the get end, each with a lock of its own.
 *
 * Records lie in segments, blocks that form a ring. Whoever puts writes behind the last record and then publishes it
 * by one store, of the end's `at`: the place of the next record and the number of all so far. Whoever gets reads the
 * first record and takes it by the same store at the other end. So nothing is lost or doubled by whoever is killed,
 * and the difference of the two numbers is the number of items, at any time.
 *
 * A large item, one that refers to objects, and each of a joinable queue is a parcel (object/parcel.h). It goes by
 * the list of changes from the giver's owned slot into the record, and from there into the taker's, or, as a lease,
 * into the account of the taker's process (lease.h).
 */
#ifndef MPROC_QUEUE_QUEUE_H
#define MPROC_QUEUE_QUEUE_H

#include <mproc/queue.h>

#include <string.h>

#include "arena/lock.h"
#include "object/reference.h"
#include "object/waitable.h"

extern const struct object_type queue_type, leases_type;
extern const struct waitable queue_waitable;

/* A place is an offset / QUEUE_UNIT, so that 32 bits reach as far as an arena can. */
#define QUEUE_UNIT ((uint64_t)16)
/* Larger items are parcels, each a block whose memory can go back to the system. */
#define QUEUE_INLINE_MAX 32768u
/* The number of items of a queue that has no limit. */
#define QUEUE_UNBOUNDED ((uint32_t)INT32_MAX)

/*
 * What both ends have; all but the atomics is for the owner of the lock alone.
 *
 *   at         place | count << 32: where the next record is written or read, and how many were before it; its store
 *              publishes
 *   turn       wakes | sleepers << 32 | watched << 63: so many sleep until this end moves, or did, and somebody
 *              watches for that; whoever moves it takes their registrations and counts `wakes` up, which they sleep
 *              on
 *   known      the other end's count, as last seen
 *   total      items and bytes so far, as of `at` if `next` is not; the account of an operation is written to `next`
 *              before it is published, and settled by the next one
 *   fewer      pauses than the most that one makes who waits for the other end to move, and
 *   step       how many it makes between two looks
 */
struct queue_total {
    _Atomic uint64_t items;
    _Atomic uint64_t bytes;
};

struct queue_end {
    arena_lock lock;
    uint32_t known;
    _Atomic uint64_t at;
    _Atomic uint64_t turn;
    struct queue_total next;
    struct queue_total total;
    _Atomic uint32_t fewer;
    _Atomic uint32_t step;
};

static_assert(sizeof(struct queue_end) == ARENA_LINE, "whoever looks at the other end takes one line from it");

/*
 * `written` is the segment that is written, `limit` the place behind the last record that fits there; up to `owned`,
 * from `owned_from` on, its lines have been taken into the cache of who puts. `put_bytes` and `got_bytes` are kept
 * only where the bytes have a limit, as part of what is published. There are `segments` in the ring; `segment_bytes`
 * is the size of the segment that was added last.
 */
struct queue_ends {
    struct queue_end put;
    _Atomic uint64_t written;
    _Atomic uint64_t limit;
    _Atomic uint64_t put_bytes;
    uint32_t owned_from;
    uint32_t owned;
    _Atomic uint64_t segments;
    _Atomic uint64_t segment_bytes;
    uint64_t line[2];
    struct queue_end get;
    _Atomic uint64_t got_bytes;
    uint64_t get_line[7];
};

static_assert(offsetof(struct queue_ends, get) % ARENA_LINE == 0, "the ends share no cache line");

/*
 * Set at creation: `most`, the largest number of items, and `most_bytes`, of their bytes; 0: any. Under the put end's
 * lock: `begin`, the place of the queue's first record, which is where the get end reads as long as its place is 0;
 * `parcels`, whether there ever was a parcel, set before it is published: only then all items are looked at when the
 * queue is freed; `nests`, the same of a queue as an item. `ending` is used while the queue is freed. The ends
 * follow, at the next but one cache line.
 *
 * Under the get end's lock:
 *   returned     a link, the first parcel of the list of those that came back, and
 *   last         the last of them, and
 *   back         how many they are: they are among the items that were put and not got
 *   done         how many items of a joinable queue are done
 *   redelivered  how many came back
 *   lost         how many items were got by those who were killed in the call
 *
 * `finished` is counted up whenever all items are done; those who join sleep on it.
 */
struct queue {
    struct object object;
    uint32_t most;
    uint32_t joinable;
    uint64_t most_bytes;
    _Atomic uint64_t begin;
    _Atomic uint64_t ending;
    _Atomic uint64_t returned;
    _Atomic uint64_t last;
    _Atomic uint64_t back;
    _Atomic uint64_t done;
    _Atomic uint64_t redelivered;
    _Atomic uint64_t lost;
    _Atomic uint32_t finished;
    _Atomic uint32_t parcels;
    _Atomic uint32_t nests;
    uint32_t unused;
};

#define QUEUE_BYTES (sizeof(struct queue) + 2 * ARENA_LINE + sizeof(struct queue_ends))

/* The places of records lie from `begin` to `limit`; behind the last one there is room for a link. */
struct queue_segment {
    _Atomic uint64_t next; /* in the ring */
    uint32_t begin;
    uint32_t limit;
};

enum queue_kind { QUEUE_DATA, QUEUE_PARCEL, QUEUE_LINK };

/* What an item is: bytes, a value that is the struct itself, or an encoding. */
enum queue_form { QUEUE_OF_BYTES, QUEUE_OF_PLAIN, QUEUE_OF_ENCODING };

/* Data begins at `parcel`. */
struct queue_record {
    uint32_t kind_size; /* enum queue_kind << 30 | size of the data */
    uint32_t form_link; /* of data enum queue_form; the place that follows on a link */
    _Atomic uint64_t parcel;
};

/* What came of a try; QUEUE_BLOCKED: there is no room, or no item. */
enum queue_outcome { QUEUE_DONE, QUEUE_BLOCKED, QUEUE_NO_SEGMENT, QUEUE_TOO_LARGE, QUEUE_OTHER };

/* Whether anybody may have to wait for room. */
static inline bool queue_is_bounded(const struct queue *queue)
{
    return queue->most != QUEUE_UNBOUNDED || queue->most_bytes != 0;
}

struct mproc_queue {
    struct reference reference;
};

/* What a process has done, or tried, by a reference: bits of its `noted`. */
enum queue_noted { QUEUE_HAS_PUT = 1, QUEUE_HAS_GOT = 2 };

static inline struct queue *queue_of(const mproc_queue *queue)
{
    assert(queue && queue->reference.ref.kind == OBJECT_QUEUE);
    return (struct queue *)queue->reference.at;
}

/* What every call does first that may wait: MPROC_INVALID, MPROC_CLOSED. */
mproc_status queue_begin(const mproc_queue *queue, int64_t timeout_ms);

static inline struct queue_ends *queue_ends(const struct queue *queue)
{
    uintptr_t line = 2 * ARENA_LINE;

    return (struct queue_ends *)(((uintptr_t)(queue + 1) + line - 1) & ~(line - 1));
}

static inline struct queue_record *queue_record_at(uint64_t place)
{
    return (struct queue_record *)arena_at(place * QUEUE_UNIT);
}

/* Where a record's data is. */
static inline void *queue_data(const struct queue_record *record)
{
    return (unsigned char *)record + offsetof(struct queue_record, parcel);
}

/* The units of a record with so many bytes of data. */
static inline uint32_t queue_units(uint64_t size)
{
    return (uint32_t)((size + offsetof(struct queue_record, parcel) + QUEUE_UNIT - 1) / QUEUE_UNIT);
}

#define QUEUE_PARCEL_UNITS 1u

static inline enum queue_kind queue_kind_of(const struct queue_record *record)
{
    return (enum queue_kind)(record->kind_size >> 30);
}

/* Of a record of data. */
static inline uint32_t queue_data_size(const struct queue_record *record)
{
    return record->kind_size & 0x3FFFFFFFu;
}

/* How far behind a record that is an item the next one lies. */
static inline uint32_t queue_units_of(const struct queue_record *record)
{
    return queue_kind_of(record) == QUEUE_PARCEL ? QUEUE_PARCEL_UNITS : queue_units(queue_data_size(record));
}

static inline uint32_t queue_place(uint64_t at)
{
    return (uint32_t)at;
}

static inline uint32_t queue_count(uint64_t at)
{
    return (uint32_t)(at >> 32);
}

/* The number of items, at a moment at which nobody has got one. */
static inline uint32_t queue_size(const struct queue *queue)
{
    const struct queue_ends *ends = queue_ends(queue);
    uint64_t got, put;

    do {
        got = atomic_load(&ends->get.at);
        put = atomic_load(&ends->put.at);
    } while (atomic_load(&ends->get.at) != got);
    return queue_count(put) - queue_count(got);
}

/* How many items of a joinable queue are not done. What is put later counts. */
static inline uint32_t queue_unfinished(const struct queue *queue)
{
    uint64_t done = atomic_load(&queue->done);

    return queue_count(atomic_load(&queue_ends(queue)->put.at)) - (uint32_t)done;
}

/* As object_lock(), of one of the queue's ends. */
static inline void queue_lock(struct intent *intent, const struct queue *queue, struct queue_end *end)
{
    uint64_t object = arena_offset(queue);
    uint32_t kind = atomic_load_explicit(&block_header_of(object)->kind, memory_order_relaxed), expected = 0;

    intent_begin(intent, &end->lock, object, kind);
    if (!atomic_compare_exchange_strong_explicit(&end->lock.word, &expected, thread_self.owner_id,
                                                 memory_order_acquire, memory_order_relaxed))
        lock_acquire_slow(&end->lock, NULL, 0);
}

/* Word by word: a processor that reads as one what was written as two waits until both are in its cache. */
static inline void queue_total_set(struct queue_total *total, uint64_t items, uint64_t bytes)
{
    atomic_store_explicit(&total->items, items, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&total->bytes, bytes, memory_order_relaxed);
}

/* Under the end's lock: what the last operation has published, also if it was killed then, is in the total. */
static inline void queue_settle(struct queue_end *end, uint64_t at)
{
    uint64_t items = atomic_load_explicit(&end->next.items, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&end->next.bytes, memory_order_relaxed);

    if ((uint32_t)items == queue_count(at)) queue_total_set(&end->total, items, bytes);
}

/* Under the end's lock, settled: says what the total is once `items` more are published. */
static inline void queue_account(struct queue_end *end, uint64_t items, uint64_t bytes)
{
    queue_total_set(&end->next, atomic_load_explicit(&end->total.items, memory_order_relaxed) + items,
                    atomic_load_explicit(&end->total.bytes, memory_order_relaxed) + bytes);
}

/* As memcpy(), which costs more than all the rest where there is little to copy. */
static inline void queue_copy(void *to, const void *from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    size_t at = 0;

    if (size > 256) {
        memcpy(to, from, size);
    } else if (size >= 16) {
        for (; at + 16 <= size; at += 16) memcpy(target + at, source + at, 16);
        memcpy(target + size - 16, source + size - 16, 16);
    } else if (size >= 8) {
        memcpy(target, source, 8);
        memcpy(target + size - 8, source + size - 8, 8);
    } else {
        for (; at < size; at++) target[at] = source[at];
    }
}

#endif
