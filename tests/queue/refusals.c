/* What queues refuse, and what they say then. */
#include "queue/queues.h"

static void check_refused(const mproc_queue_options *options, const char *says)
{
    mproc_queue *queue = (mproc_queue *)&queue, *before = queue;

    CHECK_SAYS(mproc_queue_create(options, &queue), MPROC_INVALID, says);
    CHECK(queue == before);
}

static void case_limits_that_are_none_are_refused(void)
{
    check_refused(&(mproc_queue_options){.maxsize = -1}, "a queue of at most -1 items");
    check_refused(&(mproc_queue_options){.maxsize = (int64_t)MPROC_QUEUE_MAX + 1}, "0 stands for no limit");
    check_refused(&(mproc_queue_options){.maxsize = INT64_MIN}, "0 stands for no limit");
    check_refused(&(mproc_queue_options){.max_bytes = -1}, "a queue of at most -1 bytes");
    CHECK_SAYS(mproc_queue_create(NULL, NULL), MPROC_INVALID, "out is NULL");
}

static void case_largest_limits_are_limits(void)
{
    mproc_queue *queue = queues_create(MPROC_QUEUE_MAX, INT64_MAX);

    queues_put_int(queue, 1);
    CHECK(!mproc_queue_full(queue));
    CHECK_EQ(queues_get_int(queue), 1);
    mproc_queue_free(queue);
}

static void case_negative_time_limits_are_refused(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value = mproc_int(7);
    char bytes[4] = "abc";
    size_t count = 5;

    CHECK_SAYS(mproc_queue_put(queue, value, -1), MPROC_INVALID, "a time limit of -1 ms");
    CHECK_SAYS(mproc_queue_put_bytes(queue, bytes, 3, -1), MPROC_INVALID, "a time limit of -1 ms");
    CHECK_SAYS(mproc_queue_put_many(queue, bytes, 1, 3, &count, -1), MPROC_INVALID, "a time limit of -1 ms");
    CHECK_EQ(count, 0);
    CHECK(mproc_queue_empty(queue));
    queues_put_int(queue, 1);
    CHECK_SAYS(mproc_queue_get(queue, &value, -1), MPROC_INVALID, "a time limit of -1 ms");
    CHECK_SAYS(mproc_queue_get_bytes(queue, bytes, 3, &count, -1), MPROC_INVALID, "a time limit of -1 ms");
    CHECK_SAYS(mproc_queue_get_many(queue, bytes, 1, 3, &count, INT64_MIN), MPROC_INVALID, "a time limit of");
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_EQ(mproc_queue_size(queue), 1);
    mproc_queue_free(queue);
}

static void case_items_at_no_address_are_refused(void)
{
    mproc_queue *queue = queues_create(0, 0);
    size_t count = 5;
    char bytes[4];

    CHECK_STATUS(mproc_queue_put_bytes(queue, NULL, 3, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put_many(queue, NULL, 3, 2, &count, 0), MPROC_INVALID);
    CHECK_EQ(count, 0);
    CHECK_STATUS(mproc_queue_put(queue, mproc_bytes(NULL, 3), 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, mproc_list_from(NULL, 3), 0), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    queues_put_int(queue, 1);
    CHECK_STATUS(mproc_queue_get(queue, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_bytes(queue, NULL, 3, &count, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_many(queue, NULL, 3, 2, &count, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, 4, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, 0, &count, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_counters(queue, NULL), MPROC_INVALID);
    CHECK_EQ(mproc_queue_size(queue), 1);
    mproc_queue_free(queue);
    mproc_queue_free(NULL);
}

/* The put itself says so, and what comes later arrives. */
static void case_value_that_cannot_be_an_item_is_refused_by_put(void)
{
    mproc_queue *queue = queues_create(1, 0);
    mproc_lock *lock = NULL;
    uint64_t blocks;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    blocks = peers_blocks();
    CHECK_STATUS(mproc_queue_put(queue, mproc_string("\xff"), MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_MAP("key", 1, "key", 2), MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_MAP(0.5, 1), MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_VALUE((void *)&lock), MPROC_FOREVER), MPROC_INVALID);
    CHECK_SAYS(mproc_queue_put(queue, MPROC_VALUE(queue), MPROC_FOREVER), MPROC_INVALID, "no item of itself");
    CHECK_SAYS(mproc_queue_put(queue, MPROC_LIST(lock, MPROC_LIST(queue)), MPROC_FOREVER), MPROC_INVALID,
               "no item of itself");
    CHECK_EQ(mproc_queue_size(queue), 0);
    CHECK_EQ(peers_blocks(), blocks);
    queues_put_int(queue, 1);
    CHECK_EQ(queues_get_int(queue), 1);
    mproc_lock_free(lock);
    mproc_queue_free(queue);
}

static void case_more_bytes_than_there_are_are_refused_before_anything_is_read(void)
{
    mproc_queue *queue = queues_create(0, 0), *small = queues_create(0, 100);
    size_t count = 5;

    CHECK_STATUS(mproc_queue_put_bytes(queue, "", (size_t)MPROC_QUEUE_ITEM_MAX + 1, MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put_many(queue, "", SIZE_MAX, 2, &count, MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put_many(queue, "", 1, (size_t)MPROC_QUEUE_MAX + 1, &count, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put_bytes(queue, "", MPROC_QUEUE_ITEM_MAX, MPROC_FOREVER), MPROC_NO_MEMORY);
    CHECK_STATUS(mproc_queue_put_many(queue, "", MPROC_QUEUE_ITEM_MAX, 3, &count, MPROC_FOREVER), MPROC_NO_MEMORY);
    CHECK_EQ(count, 0);
    CHECK_STATUS(mproc_queue_put_bytes(small, "", MPROC_QUEUE_ITEM_MAX, MPROC_FOREVER), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    mproc_queue_free(small);
}

CHECK_SUITE_SETUP(queue_refusals, peers_of_threads,
    CASE(limits_that_are_none_are_refused),
    CASE(largest_limits_are_limits),
    CASE(negative_time_limits_are_refused),
    CASE(items_at_no_address_are_refused),
    CASE(value_that_cannot_be_an_item_is_refused_by_put),
    CASE(more_bytes_than_there_are_are_refused_before_anything_is_read),
);
