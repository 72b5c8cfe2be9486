/* Queues in queues: none comes to lie in itself. */
#include "queues.h"

static void put(mproc_queue *into, mproc_queue *item)
{
    CHECK_OK(mproc_queue_put(into, MPROC_LIST(1, MPROC_MAP("queue", item)), MPROC_FOREVER));
}

static void put_refused(mproc_queue *into, mproc_queue *item)
{
    CHECK_SAYS(mproc_queue_put(into, MPROC_LIST(1, MPROC_MAP("queue", item)), MPROC_FOREVER), MPROC_INVALID,
               "nor of one that lies in it");
}

static void get(mproc_queue *from)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_get(from, &value, check_limit_ms()));
    mproc_value_clear(&value);
}

static void case_two_queues_cannot_lie_in_each_other(void)
{
    mproc_queue *first = queues_create(0, 0), *second = queues_create(0, 0);
    uint64_t blocks = peers_blocks();

    put(first, second);
    put_refused(second, first);
    CHECK_EQ(mproc_queue_size(second), 0);
    get(first);
    put(second, first);
    put_refused(first, second);
    get(second);
    mproc_queue_free(first);
    mproc_queue_free(second);
    CHECK(peers_blocks() < blocks);
}

static void case_no_queue_closes_a_circle_of_many(void)
{
    mproc_queue *queues[8];

    for (int i = 0; i < 8; i++) {
        queues[i] = queues_create(0, 0);
        for (int j = 0; j < 3; j++) queues_put_int(queues[i], j);
    }
    for (int i = 0; i < 7; i++) {
        put(queues[i], queues[i + 1]);
        put(queues[i], queues[7]);
        queues_put_int(queues[i], 3);
    }
    for (int i = 0; i < 7; i++) put_refused(queues[7], queues[i]);
    put(queues[0], queues[3]);
    for (int i = 0; i < 8; i++) mproc_queue_free(queues[i]);
}

static void case_circle_through_an_item_that_came_back_is_seen(void)
{
    mproc_queue *first = NULL, *second = queues_create(0, 0), *holder = queues_create(0, 0), *again = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.joinable = true}, &first));
    put(holder, first);
    put(first, second);
    get(first);
    put_refused(second, second);
    put(second, holder); /* the lease is ours, not the queue's */
    get(second);
    CHECK_OK(mproc_queue_get(holder, &value, check_limit_ms()));
    mproc_value inner = mproc_value_get(mproc_value_at(value, 1), "queue");
    CHECK_OK(mproc_value_to(inner, &again));
    mproc_queue_free(first); /* with its lease, which comes back */
    CHECK_EQ(mproc_queue_size(again), 1);
    put_refused(second, again);
    mproc_value_clear(&value);
    mproc_queue_free(again);
    mproc_queue_free(second);
    mproc_queue_free(holder);
}

static void case_long_chain_of_queues_ends_with_its_head(void)
{
    uint64_t blocks = peers_blocks();
    mproc_queue *outer = queues_create(0, 0), *inner;

    for (int i = 0; i < 3000; i++) {
        inner = outer;
        outer = queues_create(0, 0);
        put(outer, inner);
        mproc_queue_free(inner);
    }
    mproc_queue_free(outer);
    CHECK(peers_blocks() < blocks + 200); /* tables of owned slots stay */
}

CHECK_SUITE_SETUP(queue_nesting, peers_of_threads,
    CASE(two_queues_cannot_lie_in_each_other),
    CASE(no_queue_closes_a_circle_of_many),
    CASE(circle_through_an_item_that_came_back_is_seen),
    CASE(long_chain_of_queues_ends_with_its_head),
);
