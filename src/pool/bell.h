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

/* Of the number of a bell in a slot's word: wakes who sleeps on it. */
void bell_tell(struct pool_shared *shared, uint32_t bell);

/* Has all who wait for tasks look again. */
void bell_tell_all(struct pool_shared *shared);

#endif
