/*
 * Queues: items that any process and any thread puts, and any gets, each once, in the order in which they were put
 * (Python: Queue and JoinableQueue; SimpleQueue: <mproc/simple_queue.h>).
 *
 *     mproc_queue *queue;
 *     mproc_check(mproc_queue_create(NULL, &queue));
 *     mproc_check(mproc_process_create(consumer, MPROC_ARGS(queue), NULL, &child));
 *     mproc_check(mproc_queue_put(queue, MPROC_VALUE("one"), MPROC_FOREVER));
 *
 * An item is a value or plain bytes. When a put has returned, the item is the queue's: it is there for everybody at
 * once, and stays when the process that put it ends, in whatever way. There is no thread that would have to write it
 * later, so Python's join_thread() and cancel_join_thread() have nothing to do here, and a process may end before
 * anybody has read what it put. A get that returns MPROC_OK has taken the item; what a consumer has taken is gone
 * with it when it is killed. A get or put that fails has taken or put nothing.
 *
 * Whoever is killed in the middle of a call, no item that was put is lost or comes twice, and nobody waits for the
 * dead. Items that one thread puts are got in that order; items of several in any order.
 *
 * A queue is an object as a lock is: it is made at any time, and goes as an argument or as an item of another queue
 * to any process or task, and what <mproc/lock.h> says once for all objects is said for it, too. It takes less than 1
 * KiB while it was never used.
 *
 * The objects that a value refers to - locks, events, other queues - are kept alive by the item, then by the value
 * that was got, until mproc_value_clear(). mproc_value_to() gives the getter a reference of its own; whoever put the
 * item may free his. If a process is killed with such a value, what it kept is dropped. Only memory and lists that
 * have a name go, as always, with the last process that has a reference: no item keeps them (MPROC_NOT_FOUND).
 *
 * A joinable queue keeps a lease on each item that is got, until the getter calls mproc_queue_task_done(). If his
 * process ends before, or frees the queue, the item comes back: it is the next that is got, by anybody. So an item
 * may be worked on twice, but none is lost with a consumer, and mproc_queue_join() does not wait for the dead.
 *
 * Limits: an item has at most MPROC_QUEUE_ITEM_MAX bytes, a value at most MPROC_VALUE_BYTES_MAX; there are at most
 * MPROC_QUEUE_MAX items at once.
 */
#ifndef MPROC_QUEUE_H
#define MPROC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_queue mproc_queue;

#define MPROC_QUEUE_MAX INT32_MAX
#define MPROC_QUEUE_ITEM_MAX (SIZE_MAX / 4)

/* Zero in a field is its default. */
typedef struct mproc_queue_options {
    /*
     * At most so many items at once, up to MPROC_QUEUE_MAX; whoever puts one more waits. Default: only memory is a
     * limit. Unlike in Python a negative number is refused.
     */
    int64_t maxsize;
    /*
     * At most so many bytes in all items together. Of a value these are those of its encoding, and 16 of nil, a bool
     * or a number. Default: only memory is a limit. Ours.
     */
    int64_t max_bytes;
    /* The queue counts what is done (Python: JoinableQueue). Each item has memory of its own then, and costs more. */
    bool joinable;
} mproc_queue_options;

/*
 * Creates a queue (Python: Queue(maxsize), JoinableQueue(maxsize)). Does not block. Returns MPROC_OK, or, with `*out`
 * unchanged:
 *   MPROC_INVALID    `out` is NULL, or an option is negative or too large
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_queue_create(const mproc_queue_options *options, mproc_queue **out);

/*
 * Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. Items that are in the queue are
 * freed with it when nobody has it any more. NULL is fine.
 */
MPROC_API void mproc_queue_free(mproc_queue *queue);

/*
 * Puts a copy of a value (Python: put()). Blocks while the queue is full, at most `timeout_ms` milliseconds
 * (MPROC_FOREVER: no limit; 0: only tries, as Python's put_nowait()).
 *
 * Returns MPROC_OK, or, with nothing put:
 *   MPROC_TIMEOUT        it was full all the time
 *   MPROC_CLOSED         this process has closed or freed the queue, or freed an object in the value
 *   MPROC_INTERRUPTED    mproc_interrupt() was called
 *   MPROC_INVALID        `timeout_ms` is negative, the value cannot be one (see mproc_value_copy()), it has more
 *                        bytes than the queue may ever have, or the queue itself is in it, or a queue that has this
 *                        one among its items: both would keep each other for ever. Not seen, and kept until the
 *                        family ends, are two that are put into each other at the same moment, and a queue in an
 *                        item that is leased meanwhile and comes back
 *   MPROC_BAD_FUNCTION   a function in the value lies in no module of this process
 *   MPROC_NO_MEMORY      the family's shared memory has no room for it
 *   MPROC_LIMIT          there are MPROC_QUEUE_MAX items, and the queue has no limit for which it could wait
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_put(mproc_queue *queue, mproc_value value, int64_t timeout_ms);

/*
 * Gets the first item (Python: get()). Blocks until there is one, at most `timeout_ms` milliseconds (MPROC_FOREVER:
 * no limit; 0: only tries, as Python's get_nowait()). `*value` is the caller's: mproc_value_clear(). An item that was
 * put as bytes is a value of these.
 *
 * Returns MPROC_OK, or, with nothing taken and `*value` unchanged:
 *   MPROC_TIMEOUT      it was empty all the time
 *   MPROC_CLOSED       this process has closed or freed the queue
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_PEER_DIED    it is empty, and all other processes that had it have ended or freed it, and this process has
 *                      never put anything by this reference, nor tried to: nobody is left who could. Whoever was
 *                      started with it as an argument has it until its end; an item of another queue, or a value
 *                      that was got, in which it is, has it, too. It is not asked what the others do with it: two
 *                      consumers wait for each other. Ours; a call that only tries returns MPROC_TIMEOUT instead
 *   MPROC_INVALID      `timeout_ms` is negative, or `value` is NULL
 *   MPROC_NO_MEMORY    this process has no room for the item, which stays; also for bytes above
 *                      MPROC_VALUE_BYTES_MAX, which mproc_queue_get_bytes() takes
 *
 * Of a joinable queue the item is this thread's lease then; MPROC_NO_MEMORY: also without room to keep account of it.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_get(mproc_queue *queue, mproc_value *value, int64_t timeout_ms);

/*
 * Puts a copy of `size` bytes, which may be 0. Ours; otherwise as mproc_queue_put(). MPROC_INVALID: also if `data` is
 * NULL with a size, or the size is above MPROC_QUEUE_ITEM_MAX.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_put_bytes(mproc_queue *queue, const void *data, size_t size,
                                                             int64_t timeout_ms);

/*
 * Gets the first item, which was put as bytes, into the `capacity` bytes at `data`, and its number of bytes into
 * `*size` (unless that is NULL). Ours; otherwise as mproc_queue_get().
 *
 * MPROC_INVALID: also if the item is a value, or has more than `capacity` bytes: then it stays, and `*size` says how
 * many it has.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_get_bytes(mproc_queue *queue, void *data, size_t capacity,
                                                             size_t *size, int64_t timeout_ms);

/*
 * Puts `count` items of `size` bytes each, which lie one behind the other at `items`, as many calls of
 * mproc_queue_put_bytes() would, but faster. Blocks until all are in, at most `timeout_ms`. `*put` (unless it is
 * NULL) says how many are, also if it fails; 0 with a status that says why none could be tried. Ours.
 *
 * Returns as mproc_queue_put_bytes().
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_put_many(mproc_queue *queue, const void *items, size_t size,
                                                            size_t count, size_t *put, int64_t timeout_ms);

/*
 * Gets up to `count` items of exactly `size` bytes each into the array at `items`: as many as there are, at least
 * one, for which it blocks as mproc_queue_get_bytes() does. `*got` says how many. Ours.
 *
 * Returns as mproc_queue_get_bytes(). MPROC_INVALID: also if `got` is NULL or `count` is 0, and if the first item is
 * a value or has another size. Large items and those of a joinable queue come one at a time.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_get_many(mproc_queue *queue, void *items, size_t size,
                                                            size_t count, size_t *got, int64_t timeout_ms);

/* ---- without copies: ours ------------------------------------------------------------------------ */

/* An item that is written or read where it lies. The caller changes `data`'s bytes and, to less, `size`. */
typedef struct mproc_queue_buffer {
    void *data; /* aligned to 16 bytes */
    size_t size;
    void *owned;       /* the library's */
    uint32_t arena;    /* the same */
    uint32_t reserved; /* the same */
} mproc_queue_buffer;

/*
 * Takes memory for an item of `size` bytes, whose content is undefined, in the family's shared memory. `*buffer` is
 * the caller's, on whatever thread: mproc_queue_commit() or mproc_queue_release(). Does not block.
 *
 * Returns MPROC_OK, or, with `*buffer` unchanged:
 *   MPROC_INVALID    `buffer` is NULL, or the size is above MPROC_QUEUE_ITEM_MAX or what the queue may ever have
 *   MPROC_CLOSED     this process has closed or freed the queue
 *   MPROC_NO_MEMORY  the family's shared memory has no room
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_reserve(mproc_queue *queue, size_t size,
                                                           mproc_queue_buffer *buffer);

/*
 * Puts what is in a buffer that was reserved for this queue or another, as bytes: its first `size`, which may be
 * fewer than were reserved. The memory itself is the item. `*buffer` is empty then; if it fails, the buffer stays.
 *
 * Blocks and returns as mproc_queue_put_bytes(). MPROC_INVALID: also if `buffer` is NULL or empty, was not reserved,
 * or its size has grown. MPROC_FORKED: it is of another family.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_commit(mproc_queue *queue, mproc_queue_buffer *buffer,
                                                          int64_t timeout_ms);

/*
 * Gets the first item, which was put as bytes, as the memory in which it lies: nobody else gets it. `*buffer` is the
 * caller's, on whatever thread: mproc_queue_release(). Items of up to some KiB, which lie side by side, are copied
 * into memory of their own first.
 *
 * Blocks and returns as mproc_queue_get_bytes(). MPROC_INVALID: also if `buffer` is NULL. MPROC_NO_MEMORY: there is
 * no room; the item stays.
 *
 * Of a joinable queue the item is this thread's lease; the bytes stay until mproc_queue_release(), also if it is
 * done before. If the item comes back, it does with the bytes that were changed meanwhile.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_peek(mproc_queue *queue, mproc_queue_buffer *buffer,
                                                        int64_t timeout_ms);

/*
 * Gives back what was reserved and not put, or what was got by mproc_queue_peek(). Does not block. The queue may be
 * freed before. NULL and an empty buffer are fine. In a fork() copy of the process it only empties the buffer.
 */
MPROC_API void mproc_queue_release(mproc_queue_buffer *buffer);

/* ---- joinable queues ----------------------------------------------------------------------------- */

/*
 * Says that an item which this process has got is done (Python: task_done()): of those that the calling thread has
 * got and not done, the oldest; if there is none, the oldest of those that other threads got by the same reference.
 * Does not block. It may be called when the queue is closed.
 *
 * Returns MPROC_OK, or, with nothing changed:
 *   MPROC_BAD_STATE  this process has no item that is not done: one call too many (Python: ValueError; there any
 *                    process may say that an item is done which another has got); or the queue is not joinable
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_task_done(mproc_queue *queue);

/*
 * Waits until all items that were put are done (Python: join()), at most `timeout_ms` (Python has no limit).
 *
 * Returns MPROC_OK, or:
 *   MPROC_TIMEOUT      some were not done all the time
 *   MPROC_CLOSED       this process has closed or freed the queue
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_PEER_DIED    some are not done, all other processes that had the queue have ended or freed it, and this
 *                      process has never got anything by this reference, nor tried to: nobody is left who could do
 *                      them. They are in the queue. Ours; a call that only tries returns MPROC_TIMEOUT instead
 *   MPROC_INVALID      `timeout_ms` is negative
 *   MPROC_BAD_STATE    the queue is not joinable
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_queue_join(mproc_queue *queue, int64_t timeout_ms);

/*
 * Returns how often the item that the calling thread has got last, and not done, was given before to consumers that
 * ended over it: 0 for an item that comes for the first time, and without such an item. Does not block. Ours.
 */
MPROC_API int64_t mproc_queue_redelivered(mproc_queue *queue);

/* ---- what can be asked --------------------------------------------------------------------------- */

/*
 * Returns the number of items (Python: qsize()): exact at the moment when it looks, so that an item whose put has
 * returned is counted until a get takes it. An item of a joinable queue that came back is counted again, so that
 * there may be more than `maxsize`. Does not block. Unlike in Python this and the two below answer also for a queue
 * that this process has closed.
 */
MPROC_API int64_t mproc_queue_size(const mproc_queue *queue);

/* Returns whether there is no item (Python: empty()); as mproc_queue_size(). */
MPROC_API bool mproc_queue_empty(const mproc_queue *queue);

/* Returns whether there are `maxsize` items (Python: full()); as mproc_queue_size(). Never without a maxsize. */
MPROC_API bool mproc_queue_full(const mproc_queue *queue);

/*
 * This process puts and gets no more (Python: close()): its calls, also those that wait, return MPROC_CLOSED. Others
 * go on, and items stay. To close again does nothing. mproc_queue_free() is still to be called. Does not block.
 */
MPROC_API void mproc_queue_close(mproc_queue *queue);

/*
 * What has happened to a queue so far, in all processes. What is said of putting was read a moment later than the
 * rest, so that no number is above one that it is a part of: got of put, done of got.
 */
typedef struct mproc_queue_counts {
    int64_t put;       /* items */
    int64_t got;       /* items, but for those that came back */
    int64_t put_bytes; /* their bytes, as `max_bytes` counts them */
    int64_t got_bytes;
    int64_t putters;     /* threads that sleep until there is room; also some that have given up */
    int64_t getters;     /* the same for items */
    int64_t lost;        /* items that were got by calls which did not return, as their process was killed */
    int64_t done;        /* items of a joinable queue; put - done are unfinished */
    int64_t redelivered; /* how often an item of a joinable queue came back */
} mproc_queue_counts;

/*
 * Reads the counters into `*counts`. Blocks for moments only. Ours.
 *
 * Returns MPROC_OK; MPROC_INVALID: `counts` is NULL.
 */
MPROC_API mproc_status mproc_queue_counters(mproc_queue *queue, mproc_queue_counts *counts);

/* ---- what the inline functions above call; not for direct use --------------------------------- */

MPROC_API mproc_status mproc_queue_create_sized(const mproc_queue_options *options, size_t options_size,
                                                mproc_queue **out);

static inline mproc_status mproc_queue_create(const mproc_queue_options *options, mproc_queue **out)
{
    return mproc_queue_create_sized(options, sizeof(mproc_queue_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_queue_create(const mproc_queue_options &options, mproc_queue **out)
{
    return mproc_queue_create_sized(&options, sizeof options, out);
}
#endif

#endif
