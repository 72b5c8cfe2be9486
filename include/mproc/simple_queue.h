/*
 * Simple queues: a queue with the small interface (Python: SimpleQueue). They are the queues of <mproc/queue.h>,
 * without limits of number or time, and all that is said there holds. Either interface may be used of each.
 *
 *     mproc_simple_queue *queue;
 *     mproc_check(mproc_simple_queue_create(&queue));
 *     mproc_check(mproc_process_create(consumer, MPROC_ARGS(queue), NULL, &child));
 *     mproc_check(mproc_simple_queue_put(queue, MPROC_VALUE("one")));
 */
#ifndef MPROC_SIMPLE_QUEUE_H
#define MPROC_SIMPLE_QUEUE_H

#include <mproc/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef mproc_queue mproc_simple_queue;

/* Creates a queue without limits (Python: SimpleQueue()). Does not block. Returns as mproc_queue_create(). */
static inline mproc_status mproc_simple_queue_create(mproc_simple_queue **out)
{
    return mproc_queue_create_sized(NULL, 0, out);
}

/* Drops this process' reference, as mproc_queue_free(). NULL is fine. */
static inline void mproc_simple_queue_free(mproc_simple_queue *queue)
{
    mproc_queue_free(queue);
}

/*
 * Puts a copy of a value (Python: put()). Does not block: only memory is a limit. Returns as mproc_queue_put(), but
 * never MPROC_TIMEOUT.
 */
MPROC_NODISCARD static inline mproc_status mproc_simple_queue_put(mproc_simple_queue *queue, mproc_value value)
{
    return mproc_queue_put(queue, value, MPROC_FOREVER);
}

/*
 * Gets the first item (Python: get()). Blocks until there is one. `*value` is the caller's: mproc_value_clear().
 * Returns as mproc_queue_get(), but never MPROC_TIMEOUT.
 */
MPROC_NODISCARD static inline mproc_status mproc_simple_queue_get(mproc_simple_queue *queue, mproc_value *value)
{
    return mproc_queue_get(queue, value, MPROC_FOREVER);
}

/* Returns whether there is no item (Python: empty()), as mproc_queue_empty(). */
static inline bool mproc_simple_queue_empty(const mproc_simple_queue *queue)
{
    return mproc_queue_empty(queue);
}

/* This process puts and gets no more (Python: close()), as mproc_queue_close(). */
static inline void mproc_simple_queue_close(mproc_simple_queue *queue)
{
    mproc_queue_close(queue);
}

#ifdef __cplusplus
}
#endif

#endif
