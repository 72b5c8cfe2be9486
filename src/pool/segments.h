/*
 * The segments of a stream of tasks, as its owner gives them out: one for each TASK_SEGMENT positions, and used again
 * when all its tasks are taken out. All under the mutex of the tasks.
 */
#ifndef MPROC_POOL_SEGMENTS_H
#define MPROC_POOL_SEGMENTS_H

#include "pool/tasks.h"

/* The segment of this number, or NULL: all its tasks are taken out, or it was left out. */
struct owned_segment *segment_at(const struct tasks *tasks, uint64_t number);

/*
 * At the tail: has a segment for the tasks that follow. The tail may move. MPROC_LIMIT: there are too many;
 * MPROC_NO_MEMORY.
 */
mproc_status segment_begin(struct tasks *tasks);

/*
 * All its tasks are taken out: it is used again, but not before the head is behind it, which finds its way over what
 * is in it. Workers that are late find nothing in it.
 */
void segment_end(struct tasks *tasks, struct owned_segment *segment);

/* When no worker is left. */
void segments_free(struct tasks *tasks);

#endif
