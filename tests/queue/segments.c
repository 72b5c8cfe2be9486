/* What a queue looks like inside: its ring of segments, and the registrations of those who wait. */
#include "queue/queues.h"

#include "arena/block.h"
#include "queue/queue.h"
#include "queue/segment.h"
#include "queue/turn.h"

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

/* They lie in many segments, which one call leaves behind. */
static void case_segments_that_get_many_has_left_are_given_back(void)
{
    enum { COUNT = 4000, SIZE = 512 };
    static unsigned char items[COUNT * SIZE];
    mproc_queue *queue = queues_create(0, 0);
    struct queue_ends *ends = queue_ends(inside(queue));
    size_t count = 0;

    CHECK_OK(mproc_queue_put_many(queue, items, SIZE, COUNT, NULL, 0));
    CHECK(atomic_load(&ends->segments) > 10);
    CHECK_OK(mproc_queue_get_many(queue, items, SIZE, COUNT, &count, 0));
    CHECK_EQ(count, COUNT);
    CHECK(atomic_load(&ends->segments) <= 5);
    mproc_queue_free(queue);
}

/* Who finds the queue empty gives the ring of many items back, and one item after the other does not make it anew. */
static void case_queue_that_is_found_empty_keeps_little(void)
{
    enum { COUNT = 6000, SIZE = 1000 };
    static unsigned char item[SIZE];
    mproc_queue *queue = queues_create(0, 0);
    uint64_t used = block_count().bytes_used;

    for (int i = 0; i < COUNT; i++) CHECK_OK(mproc_queue_put_bytes(queue, item, SIZE, 0));
    for (int i = 0; i < COUNT; i++) CHECK_OK(mproc_queue_get_bytes(queue, item, SIZE, NULL, 0));
    CHECK(block_count().bytes_used > used + COUNT / 2 * SIZE);
    CHECK_STATUS(mproc_queue_get_bytes(queue, item, SIZE, NULL, 0), MPROC_TIMEOUT);
    CHECK(block_count().bytes_used < used + 5 * 256 * 1024);
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(mproc_queue_put_bytes(queue, item, SIZE, 0));
        CHECK_OK(mproc_queue_get_bytes(queue, item, SIZE, NULL, 0));
        CHECK_STATUS(mproc_queue_get_bytes(queue, item, SIZE, NULL, 0), MPROC_TIMEOUT);
    }
    CHECK(block_count().bytes_used < used + 3 * 64 * 1024);
    mproc_queue_free(queue);
}

/* As those leave who give up when somebody else was woken. */
static void case_registrations_that_nobody_uses_go_with_the_next_item(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_counts counts = {0};

    atomic_fetch_add(&queue_ends(inside(queue))->put.turn, (uint64_t)5 << 32);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK_EQ(counts.getters, 5);
    queues_put_int(queue, 1);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK_EQ(counts.getters, 0);
    mproc_queue_free(queue);
}

static void gets_one(peer *self)
{
    atomic_fetch_add(&self->board->count, (uint32_t)queues_get_int(self->object));
}

static bool has_woken_one(void *end)
{
    return park_wake(turn_wakes(end), 1) == 1;
}

static bool are_two_registered(void *end)
{
    return atomic_load(&((struct queue_end *)end)->turn) >> 32 == 2;
}

/*
 * As a thread of a higher priority is woken in place of one that has slept for longer: a registration was taken, and
 * there is one for each of the two still.
 */
static void case_who_was_woken_in_anothers_place_registers_again(void)
{
    mproc_queue *queue = queues_create(0, 0);
    struct queue_end *end = &queue_ends(inside(queue))->put;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, gets_one, queue);
    CHECK_WAIT_UNTIL(has_woken_one, end);
    CHECK_WAIT_UNTIL(are_two_registered, end);
    queues_put_int(queue, 5);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->count), 5);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* Nobody who gets would wake who waits for room there. */
static void case_queue_without_a_limit_that_is_full_refuses_more(void)
{
    mproc_queue *queue = queues_create(0, 0);
    struct queue_ends *ends = queue_ends(inside(queue));
    uint64_t got;

    queues_put_int(queue, 1);
    queues_put_int(queue, 2);
    got = atomic_load(&ends->get.at);
    atomic_store(&ends->get.at, got - ((uint64_t)(INT32_MAX - 2) << 32));
    ends->put.known = queue_count(atomic_load(&ends->get.at));
    CHECK_EQ(mproc_queue_size(queue), MPROC_QUEUE_MAX);
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(3), MPROC_FOREVER), MPROC_LIMIT);
    CHECK_CONTAINS(mproc_last_error_text(), "2147483647");
    CHECK_STATUS(mproc_queue_put_bytes(queue, "", 0, 0), MPROC_LIMIT);
    atomic_store(&ends->get.at, got);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_EQ(queues_get_int(queue), 2);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
}

/* The first one leads nowhere but to itself. Recovery, for which others wait, may be who frees it. */
static void case_items_without_blocks_are_not_looked_at_when_their_queue_is_freed(void)
{
    mproc_queue *queue = queues_create(0, 0);
    uint64_t place;
    struct queue_record *first;

    queues_put_int(queue, 1);
    place = atomic_load(&inside(queue)->begin);
    first = queue_record_at(place);
    first->kind_size = (uint32_t)QUEUE_LINK << 30;
    first->form_link = (uint32_t)place;
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_segments, peers_of_threads,
    CASE(segment_that_was_begun_for_nothing_is_passed),
    CASE(segments_that_get_many_has_left_are_given_back),
    CASE(queue_that_is_found_empty_keeps_little),
    CASE(registrations_that_nobody_uses_go_with_the_next_item),
    CASE(who_was_woken_in_anothers_place_registers_again),
    CASE(queue_without_a_limit_that_is_full_refuses_more),
    CASE(items_without_blocks_are_not_looked_at_when_their_queue_is_freed),
);
