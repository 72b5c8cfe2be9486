/*
 * Leases: what a process has got from a joinable queue and not done. They are parcels in a list in the account of its
 * reference, an object that only this process has. When it dies, or frees the reference, the list comes back: all of
 * it goes to the end of the queue's own, and the count of what was got is as if it had not been.
 *
 * All of that happens under the lock of the get end.
 */
#ifndef MPROC_QUEUE_LEASE_H
#define MPROC_QUEUE_LEASE_H

#include "object/parcel.h"
#include "queue/queue.h"

/* `queue` and `first` are links; `last` is meaningless while `first` is 0. `bytes` are those of all `count`. */
struct leases {
    struct object object;
    _Atomic uint64_t queue;
    _Atomic uint64_t first;
    _Atomic uint64_t last;
    _Atomic uint64_t count;
    _Atomic uint64_t bytes;
};

/*
 * Writes into the list of changes that the parcel, which is the queue's first, comes into the account; it was in a
 * record, or had come back. Its holder is the calling thread, which reads it until it clears `in_use`.
 */
void lease_take(struct intent *intent, const struct queue *queue, const struct leases *leases, struct parcel *parcel);

/* The parcel of the calling thread that came last, or NULL. */
struct parcel *lease_last(const struct leases *leases);

/*
 * Takes the parcel that is done next (mproc_queue_task_done()) out of the account into the empty owned slot, and
 * counts it. False: there is none. `*finished`: all items of the queue are done; then the intent announces that those
 * who wait for that are woken.
 */
bool lease_finish(struct intent *intent, struct queue *queue, struct leases *leases, const _Atomic uint64_t *owned,
                  bool *finished);

#endif
