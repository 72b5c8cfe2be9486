/* Putting. */
#ifndef MPROC_QUEUE_PUT_H
#define MPROC_QUEUE_PUT_H

#include "queue/queue.h"

/* What is put: `count` items of `size` bytes each, one behind the other, or the parcel in an owned slot. */
struct queue_item {
    const void *bytes;
    uint64_t size;
    uint32_t count;
    enum queue_form form;
    _Atomic uint64_t *owned; /* or NULL; empty when the item was put */
};

/*
 * Puts as many as there is room for and counts up `*done`, or does nothing: QUEUE_BLOCKED; QUEUE_NO_SEGMENT: one with
 * room for queue_item_units() has to be added.
 */
enum queue_outcome queue_try_put(struct queue *queue, const struct queue_item *item, uint32_t *done);

/*
 * Puts all of the items, or fails as the public functions do; `*done` says how many are in. May be called between
 * queue_begin() and what comes next.
 */
mproc_status queue_put(mproc_queue *queue, struct queue_item *item, uint32_t *done, int64_t timeout_ms);

/* MPROC_INVALID: an item of so many bytes has no place in the queue. */
mproc_status queue_check_size(const mproc_queue *queue, uint64_t size);

static inline uint32_t queue_item_units(const struct queue_item *item)
{
    return item->owned ? QUEUE_PARCEL_UNITS : queue_units(item->size);
}

#endif
