/* The ring of segments in which the records of a queue lie. */
#ifndef MPROC_QUEUE_SEGMENT_H
#define MPROC_QUEUE_SEGMENT_H

#include "queue/queue.h"

/*
 * Under the put end's lock, when a record of so many units does not fit the segment that is written: goes on in the
 * next one, if that is free. False: one has to be added.
 */
bool segment_next(struct intent *intent, const struct queue *queue, struct queue_ends *ends, uint32_t units);

/*
 * Without a lock: adds a segment, in which a record of so many units fits, behind the one that is written, if it is
 * still needed. MPROC_NO_MEMORY.
 */
mproc_status segment_add(struct queue *queue, uint32_t units);

/*
 * Without a lock, by who has just read the last record of a segment: of those that nobody reads or writes, some stay
 * for those who put, and the others go back to the heap.
 */
void segment_trim(struct queue *queue);

/* Without a lock, by who has found the queue empty and does something else: nearly all of its memory goes back. */
void segment_rest(struct queue *queue);

/* Of a queue that nobody has any more: gives all of them back. Can be repeated from any point. */
void segment_clear(struct intent *intent, struct queue *queue);

#endif
