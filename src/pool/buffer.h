/* The memory of the two windows on the caller's side: filled, opened, waited for and emptied. */
#ifndef MPROC_POOL_BUFFER_H
#define MPROC_POOL_BUFFER_H

#include "pool/map.h"

/* Makes the two buffers large enough. MPROC_NO_MEMORY. */
mproc_status buffer_prepare(struct map *map);

/* Fills a buffer with the map's window `index` (from 0), and opens it under the number `number`. */
void buffer_open(struct map *map, uint64_t index, uint64_t number);

/*
 * Waits until the window in the buffer is complete. MPROC_INTERRUPTED, MPROC_TERMINATED or MPROC_CANCELLED, or why
 * there is no worker any more: then it may or may not be complete.
 */
mproc_status buffer_wait(struct map *map, struct pool_buffer *buffer);

/* The same, whatever happens, until then. */
void buffer_wait_until(struct map *map, struct pool_buffer *buffer, int64_t deadline_ns);

/* An item has failed, and the map stops for that: why others are not begun. */
mproc_status buffer_stop_for_failure(struct map *map);

/* Nothing of what is open is begun any more; what was not begun fails with this status. */
void buffer_give_up(struct job *job, mproc_status status);

/* Whether no worker is in the buffer's window any more. */
bool buffer_is_complete(struct pool_buffer *buffer);

/* Takes the results out of a complete window, and notes its failures. */
void buffer_drain(struct map *map, struct pool_buffer *buffer);

/* The same of a window that was given up: takes out what is done. Workers may still be in some of its chunks. */
void buffer_drain_done(struct map *map, struct pool_buffer *buffer);

/* Closes both windows, so that nobody is looking at the job while it is replaced. */
void buffer_close_all(struct job *job);

/* How many of the map's items are over, and were not given up. */
size_t buffer_count_done(const struct map *map);

#endif
