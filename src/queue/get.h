/* Getting. */
#ifndef MPROC_QUEUE_GET_H
#define MPROC_QUEUE_GET_H

#include "queue/queue.h"

/*
 * What is got: up to `count` items into `bytes`, of which each has `room` bytes, or `exact` exactly so many. Of
 * values `any`, one: a plain one comes into `plain`, another into the bytes if they are `ready` for its form.
 *
 * A block comes into the `owned` slot, not into the bytes, and alone.
 */
struct queue_wish {
    void *bytes;
    void *heap; /* where they are, if they are the value's */
    uint64_t room;
    uint32_t count;
    bool exact;
    bool any;
    enum queue_form ready;
    mproc_value plain;
    _Atomic uint64_t *owned;
    uint64_t size;        /* of the last item, or of the one that does not fit */
    enum queue_form form; /* the same */
    uint32_t got;
};

/*
 * Gets as many as there are, at once, or nothing: QUEUE_BLOCKED: there is none; QUEUE_TOO_LARGE: the next one does
 * not fit, and stays; QUEUE_OTHER: the next one is a value, and stays.
 */
enum queue_outcome queue_try_get(struct queue *queue, struct queue_wish *wish);

/* Of a queue that nobody has any more: drops its first item. False: there is none. Can be repeated from any point. */
bool queue_drop_first(struct intent *intent, struct queue *queue);

#endif
