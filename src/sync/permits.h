/*
 * A semaphore's words, and the permits that come back when their owner dies.
 *
 * `value` is the number of permits | SEMAPHORE_WAITERS while somebody may sleep for one. Without `owned` it changes
 * by compare-and-swap, and permits belong to nobody, as Python's do. With it, it changes under the object's lock
 * alone, together with the count in the account of the process: an object of its own, which only that process has;
 * dropping it gives the permits back.
 */
#ifndef MPROC_SYNC_PERMITS_H
#define MPROC_SYNC_PERMITS_H

#include "object/object.h"

#define SEMAPHORE_WAITERS 0x80000000u
#define SEMAPHORE_VALUE_MAX 0x7FFFFFFFu

/* `bound` and `owned` are set at creation. */
struct semaphore {
    struct object object;
    uint32_t bound;
    uint32_t owned;
    _Atomic uint32_t value;
    uint32_t unused;
};

/* `semaphore` is a link. */
struct permits {
    struct object object;
    _Atomic uint64_t semaphore;
    _Atomic uint64_t count;
};

/*
 * Moves `change` permits (1, 0 or -1) between an owned semaphore and the account. False: there is none to be had, in
 * the one or in the other; or, with `change` 0, there is none and the mark for waiters is set.
 */
bool permits_move(struct intent *intent, struct permits *permits, int change);

/*
 * For a caller that has announced the value, and has found nobody asleep: takes away the mark for waiters if there
 * are permits. Until it is gone others may have come to sleep: they are woken, as nobody else would know of them.
 */
void permits_unmark(struct intent *intent, const struct permits *permits);

/* All permits of the account go back. */
void permits_return(struct intent *intent, struct permits *permits);

#endif
