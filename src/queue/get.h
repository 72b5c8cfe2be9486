/* Getting. */
#ifndef MPROC_QUEUE_GET_H
#define MPROC_QUEUE_GET_H

#include "queue/lease.h"

enum queue_want { QUEUE_WANT_BYTES, QUEUE_WANT_VALUE, QUEUE_WANT_BUFFER };

/*
 * What is got: up to `count` items of bytes into `bytes`, of which each has `room` bytes, or `exact` exactly so many;
 * or one value: a plain one comes into `plain`, another into the bytes if they are `ready` for its form, which are in
 * memory of its own, `heap`; it begins with the keeper if the value has objects. Or one item of bytes as a parcel in
 * the `owned` slot: its own, or one that is there and is large enough.
 *
 * A parcel comes alone: into the owned slot, or into the leases, if there are any.
 */
struct queue_wish {
    enum queue_want want;
    bool exact;
    enum queue_form ready;
    uint32_t count;
    void *bytes;
    void *heap;
    struct parcel_keeper *keeper;
    uint64_t room;
    _Atomic uint64_t *owned;
    struct leases *leases;
    mproc_value plain;
    /* Of the last item, or of the one that does not fit. */
    uint64_t size;
    enum queue_form form;
    uint32_t objects;
    struct parcel *parcel; /* or NULL */
    uint32_t got;
};

/* What comes of it is not cleared: that would cost as much as a fifth of a get. */
static inline void queue_wish_init(struct queue_wish *wish, enum queue_want want, uint32_t count, void *bytes,
                                   uint64_t room)
{
    wish->want = want;
    wish->exact = false;
    wish->count = count;
    wish->bytes = bytes;
    wish->heap = NULL;
    wish->keeper = NULL;
    wish->room = room;
    wish->owned = &work_intent()->stages[0];
    wish->leases = NULL;
    wish->parcel = NULL;
}

/*
 * Gets as many as there are, at once, or nothing: QUEUE_BLOCKED: there is none; QUEUE_TOO_LARGE: the wish is not
 * ready for the next one, which stays; QUEUE_OTHER: the next one is a value, and stays.
 */
enum queue_outcome queue_try_get(struct queue *queue, struct queue_wish *wish);

/*
 * Gets what the wish says, or why not, as the public functions do; `ready` makes it ready for the next item before
 * that is taken, or NULL: then QUEUE_TOO_LARGE and QUEUE_OTHER are MPROC_INVALID, without a text. After MPROC_OK,
 * which is QUEUE_DONE, what came in a parcel is where it was wanted.
 */
mproc_status queue_get(mproc_queue *queue, struct queue_wish *wish, mproc_status (*ready)(struct queue_wish *wish),
                       enum queue_outcome *outcome, int64_t timeout_ms);

/* MPROC_INVALID with the text why. */
mproc_status queue_refuse(const struct queue_wish *wish, enum queue_outcome outcome);

/* Recovery: see object/type.h. */
void queue_taken_lost(struct intent *intent, uint64_t object, _Atomic uint64_t *taken, bool locked);

/* Of a queue that nobody has any more: drops its first item. False: there is none. Can be repeated from any point. */
bool queue_drop_first(struct intent *intent, struct queue *queue);

#endif
