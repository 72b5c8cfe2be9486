/* What the ring of segments looks like after somebody was killed there. */
#include "queue/queues.h"

#include "queue/queue.h"
#include "queue/segment.h"

static struct queue *inside(mproc_queue *queue)
{
    return (struct queue *)((struct reference *)(void *)queue)->at;
}

/* Goes on in the next segment, as who puts does, and puts nothing there, as who is killed then. */
static bool begin_the_next_segment(mproc_queue *queue)
{
    struct intent *intent = work_intent();
    struct queue_ends *ends = queue_ends(inside(queue));
    bool begun;

    queue_lock(intent, inside(queue), &ends->put);
    begun = segment_next(intent, inside(queue), ends, 2);
    lock_release(intent, &ends->put.lock);
    return begun;
}

/* The next item is larger than the segment that was begun. */
static void case_segment_that_was_begun_for_nothing_is_passed(void)
{
    mproc_queue *queue = queues_create(0, 0);
    unsigned char bytes[8192];
    size_t size = 0;

    for (int64_t i = 0; i < 300; i++) queues_put_int(queue, i);
    for (int64_t i = 0; i < 300; i++) CHECK_EQ(queues_get_int(queue), i);
    queues_put_int(queue, 300);
    CHECK(begin_the_next_segment(queue));
    queues_fill(bytes, sizeof bytes, 7);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0));
    queues_put_int(queue, 301);
    CHECK_EQ(mproc_queue_size(queue), 3);
    CHECK_EQ(queues_get_int(queue), 300);
    memset(bytes, 0, sizeof bytes);
    CHECK_OK(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, 0));
    CHECK_EQ(size, sizeof bytes);
    queues_check_bytes(bytes, size, 7);
    CHECK_EQ(queues_get_int(queue), 301);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_segments, peers_of_threads,
    CASE(segment_that_was_begun_for_nothing_is_passed),
);
