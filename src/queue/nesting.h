/* Queues in queues. */
#ifndef MPROC_QUEUE_NESTING_H
#define MPROC_QUEUE_NESTING_H

#include "object/parcel.h"
#include "queue/queue.h"

#define NESTING_DEPTH 16

/*
 * Whether the parcel may be an item of the queue. MPROC_INVALID: it refers to the queue itself, or to one that has it
 * among its items, or that one's, and so on, up to NESTING_DEPTH. What others put and get at the same moment may not
 * be seen. MPROC_NO_MEMORY. The caller holds both.
 */
mproc_status nesting_check(struct queue *queue, const struct parcel *parcel);

#endif
