/* Queues in queues, as deep as they like: they end one after the other, and need no stack. */
#include "queue/queues.h"

#include "arena/block.h"

/* What stays is where this process keeps its references. */
static void check_chain(bool joinable)
{
    uint64_t blocks;

    mproc_queue_free(queues_create_of(joinable));
    blocks = peers_blocks();
    mproc_queue_free(queues_create_chain(joinable, check_many(5000, 2000)));
    CHECK_EQ(peers_blocks(), blocks);
    CHECK(block_count().sound);
}

static void case_chain_of_thousands_of_queues_ends_at_once(void)
{
    check_chain(false);
}

static void case_chain_of_thousands_of_joinable_queues_ends_at_once(void)
{
    check_chain(true);
}

static void makes_chain(peer *self)
{
    mproc_queue *last = queues_create_chain(false, check_many(5000, 2000));

    CHECK_OK(mproc_queue_put(last, mproc_nil(), 0));
    peer_end(self);
}

static void case_chain_of_thousands_of_queues_ends_with_the_process_that_had_the_last(void)
{
    uint64_t blocks;
    peer_crowd crowd;

    crowd_init(&crowd);
    blocks = peers_blocks();
    crowd.extra = PEER_IS_KILLED;
    crowd_add(&crowd, 1, makes_chain, NULL);
    board_await(&crowd.board->ready, 1);
    CHECK(peers_blocks() > blocks + 2000);
    crowd_let_end(&crowd);
    peers_await_blocks(blocks);
    CHECK(block_count().sound);
    crowd_fini(&crowd);
}

/* Items that came back are a list, too. */
static void case_thousands_of_items_that_came_back_end_at_once(void)
{
    uint64_t blocks = peers_blocks();
    mproc_queue *queue = queues_create_of(true), *other = peers_second(queue);
    int count = check_many(100000, 2000);

    for (int i = 0; i < count; i++) queues_put_int(queue, i);
    for (int i = 0; i < count; i++) CHECK_EQ(queues_get_int(other), i);
    mproc_queue_free(other);
    CHECK_EQ(mproc_queue_size(queue), count);
    mproc_queue_free(queue);
    CHECK_EQ(peers_blocks(), blocks);
    CHECK(block_count().sound);
}

CHECK_SUITE_SETUP(queue_chains, peers_of_processes,
    CASE(chain_of_thousands_of_queues_ends_at_once),
    CASE(chain_of_thousands_of_joinable_queues_ends_at_once),
    CASE(chain_of_thousands_of_queues_ends_with_the_process_that_had_the_last),
    CASE(thousands_of_items_that_came_back_end_at_once),
);
