/* Who wakes whom: work for workers that sleep, and news for those who wait for tasks. */
#ifndef MPROC_POOL_BELL_H
#define MPROC_POOL_BELL_H

#include "pool/layout.h"

/*
 * By the pool's owner: wakes all workers, after a change of `state` or `busy`, or after the death of one that may
 * have been about to wake another.
 */
void bell_ring_all(struct pool_shared *shared);

/*
 * There is work in the job of this place: after it was published by a store that is a full fence, or is followed by
 * one. Wakes up to `count` of the workers that sleep.
 */
void bell_ring(struct pool_shared *shared, uint32_t job, uint32_t count);

/* The same for a task: if an idle worker looks for work without sleeping, it sees it, and none is woken. */
bool bell_ring_one(struct pool_shared *shared, uint32_t job);

/* By a worker: more tasks wait than those that are awake come to soon. */
void bell_wake_one(struct pool_shared *shared);

/*
 * By a worker that has said that it sleeps: whether it is now the one that watches the spinners. False: there are
 * none, or another watches.
 */
bool bell_watch(struct pool_shared *shared, uint32_t index);

/* The worker does not watch any more, perhaps as it has ended: whoever has a task to give wakes for it again. */
void bell_end_watch(struct pool_shared *shared, uint32_t index);

/* By one of the spinners, before it runs tasks: if nobody watches it, one that sleeps is woken, and does. */
void bell_have_watch(struct pool_shared *shared);

/* Of the number of a bell in a slot's word: wakes who sleeps on it; the last one is that of all bells. */
void bell_tell(struct pool_shared *shared, uint32_t bell);

/*
 * Waits until there are none any more of what is counted there, under the mutex; the bell rings whenever one is gone.
 * MPROC_TIMEOUT, with how many and `what`; MPROC_INTERRUPTED.
 */
mproc_status bell_wait_for_none(_Atomic uint32_t *bell, plat_mutex *mutex, const uint32_t *count, int64_t deadline_ns,
                                const char *what);

#endif
