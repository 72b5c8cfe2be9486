/* What the tests of queues share, besides peers.h. */
#ifndef QUEUES_H
#define QUEUES_H

#include "sync/peers.h"

/* A queue of at most so many items and so many bytes; 0: any. */
static inline mproc_queue *queues_create(int64_t maxsize, int64_t max_bytes)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.maxsize = maxsize, .max_bytes = max_bytes}, &queue));
    return queue;
}

static inline mproc_queue *queues_create_of(bool joinable)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.joinable = joinable}, &queue));
    return queue;
}

/* The same, of tasks that are to be done. */
static inline mproc_queue *queues_create_joinable(int64_t maxsize, int64_t max_bytes)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.maxsize = maxsize, .max_bytes = max_bytes, .joinable = true},
                                &queue));
    return queue;
}

static inline mproc_queue_counts queues_counts(mproc_queue *queue)
{
    mproc_queue_counts counts = {0};

    CHECK_OK(mproc_queue_counters(queue, &counts));
    return counts;
}

static inline void queues_put_int(mproc_queue *queue, int64_t number)
{
    CHECK_OK(mproc_queue_put(queue, mproc_int(number), MPROC_FOREVER));
}

/* The next item, which is an integer; it comes within the case's limit. */
static inline int64_t queues_get_int(mproc_queue *queue)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    return mproc_value_int(value);
}

/*
 * So many queues, each of which is in the next one alone, together with a number, before it or behind; returns the
 * last.
 */
static inline mproc_queue *queues_create_chain(bool joinable, int count)
{
    mproc_queue *inner = queues_create_of(joinable), *outer;

    for (int i = 1; i < count; i++) {
        outer = queues_create_of(joinable);
        if (i % 2) queues_put_int(outer, i);
        CHECK_OK(mproc_queue_put(outer, MPROC_VALUE(inner), 0));
        if (i % 2 == 0) queues_put_int(outer, i);
        mproc_queue_free(inner);
        inner = outer;
    }
    return inner;
}

/* Bytes that tell an item of one seed from that of another, and each of its bytes from the next. */
static inline void queues_fill(unsigned char *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(seed + i + (i >> 8));
}

static inline void queues_check_bytes(const unsigned char *bytes, size_t size, uint32_t seed)
{
    size_t same = 0;

    while (same < size && bytes[same] == (unsigned char)(seed + same + (same >> 8))) same++;
    CHECK_EQ(same, size);
}

#endif
