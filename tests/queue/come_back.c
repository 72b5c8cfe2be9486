/* Items of a joinable queue that come back: the limits count them, and who waits for room waits on. */
#include "queue/queues.h"

static const char bytes[64];

static mproc_queue *create(int64_t maxsize, int64_t max_bytes)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.maxsize = maxsize, .max_bytes = max_bytes, .joinable = true},
                                &queue));
    return queue;
}

static void get(mproc_queue *queue)
{
    char taken[sizeof bytes];

    CHECK_OK(mproc_queue_get_bytes(queue, taken, sizeof taken, NULL, 0));
}

static void put(mproc_queue *queue)
{
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0));
}

/* Of a queue with room for two, two items are leased, some are put in their place, and the two come back. */
static void check_full(int64_t maxsize, int64_t max_bytes, int more)
{
    mproc_queue *queue = create(maxsize, max_bytes), *other = peers_second(queue);

    for (int i = 0; i < 2; i++) put(queue);
    for (int i = 0; i < 2; i++) get(other);
    for (int i = 0; i < more; i++) put(queue);
    mproc_queue_free(other);
    for (int there = 2 + more; there >= 2; there--) {
        CHECK_EQ(mproc_queue_size(queue), there);
        CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0), MPROC_TIMEOUT);
        get(queue);
    }
    put(queue);
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

static void case_queue_to_which_items_come_back_takes_no_more_than_its_maxsize(void)
{
    for (int more = 0; more <= 2; more++) check_full(2, 0, more);
}

static void case_queue_to_which_items_come_back_takes_no_more_than_its_bytes(void)
{
    for (int more = 0; more <= 2; more++) check_full(0, 2 * sizeof bytes, more);
}

CHECK_SUITE_SETUP(queue_come_back, peers_of_processes,
    CASE(queue_to_which_items_come_back_takes_no_more_than_its_maxsize),
    CASE(queue_to_which_items_come_back_takes_no_more_than_its_bytes),
);
