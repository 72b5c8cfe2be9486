/* What queues take of the family's memory, and what they give back. */
#include "queue/queues.h"

#include <stdlib.h>

#include "arena/block.h"

static const char bytes[100000];

/* ---- nothing grows ------------------------------------------------------------------------------- */

static void pass(mproc_queue *queue, int count, size_t size)
{
    char taken[16];

    for (int i = 0; i < count; i++) {
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
        CHECK_OK(mproc_queue_get_bytes(queue, taken, sizeof taken, NULL, 0));
    }
}

static void case_millions_of_items_take_no_memory(void)
{
    mproc_queue *queue = queues_create(0, 0);
    uint64_t blocks, committed;

    for (int i = 0; i < 100; i++) CHECK_OK(mproc_queue_put_bytes(queue, bytes, 16, 0));
    pass(queue, 20000, 16);
    blocks = peers_blocks();
    committed = peers_committed();
    pass(queue, check_many(3000000, 200000), 16);
    CHECK_EQ(mproc_queue_size(queue), 100);
    CHECK(peers_blocks() <= blocks + 1); /* one segment more or less */
    CHECK_EQ(peers_committed(), committed);
    CHECK(block_count().sound);
    mproc_queue_free(queue);
}

static void puts_numbers(peer *self)
{
    int64_t numbers[100] = {0};

    for (int64_t i = 0; i < self->extra; i += 100)
        CHECK_OK(mproc_queue_put_many(self->object, numbers, sizeof numbers[0], 100, NULL, MPROC_FOREVER));
}

/* From another; how far it is ahead differs all the time. */
static void case_millions_of_items_between_two_take_no_memory(void)
{
    mproc_queue *queue = queues_create(1000, 0);
    int64_t numbers[100], all = 0;
    uint64_t blocks;
    peer_crowd crowd;

    crowd_init(&crowd);
    blocks = peers_blocks();
    crowd.extra = check_many(4000000, 200000);
    crowd_add(&crowd, 1, puts_numbers, queue);
    while (all < crowd.extra) {
        size_t count;
        CHECK_OK(mproc_queue_get_many(queue, numbers, sizeof numbers[0], 100, &count, check_limit_ms()));
        all += (int64_t)count;
    }
    crowd_join(&crowd);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    peers_await_blocks(blocks - 1);
    crowd_fini(&crowd);
}

/* ---- what was filled is given back ----------------------------------------------------------------- */

/*
 * What it has at most, drained: some segments stay for those who put next, and the last one and a small one when it
 * was found empty.
 */
enum { STAYS = 7 * 1024 * 1024, STAYS_AT_REST = 5 * 256 * 1024 };

static void check_drained(size_t size, int count)
{
    mproc_queue *queue = queues_create(0, 0);
    uint64_t before = block_count().bytes_used, blocks = peers_blocks(), filled;
    char *taken = malloc(sizeof bytes);

    CHECK(taken != NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++) CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
        filled = block_count().bytes_used;
        CHECK(filled > before + (uint64_t)count * size);
        for (int i = 0; i < count; i++) CHECK_OK(mproc_queue_get_bytes(queue, taken, sizeof bytes, NULL, 0));
        CHECK(mproc_queue_empty(queue));
        CHECK(block_count().bytes_used <= before + STAYS);
        CHECK_STATUS(mproc_queue_get_bytes(queue, taken, sizeof bytes, NULL, 0), MPROC_TIMEOUT);
        CHECK(block_count().bytes_used <= before + STAYS_AT_REST);
    }
    CHECK(block_count().sound);
    mproc_queue_free(queue);
    CHECK_EQ(peers_blocks(), blocks - 1);
    free(taken);
}

static void case_memory_of_items_that_were_got_is_given_back(void)
{
    check_drained(8, check_many(4000000, 400000));
    check_drained(1000, check_many(100000, 20000));
    check_drained(100000, check_many(1000, 200));
}

/* Small blocks never go back to the system; so items are in none. */
static void check_not_cut(mproc_value value, size_t size, int count)
{
    mproc_queue *queue = queues_create(0, 0);
    uint64_t committed = peers_committed();
    mproc_value taken;

    for (int i = 0; i < count; i++)
        CHECK_OK(size ? mproc_queue_put_bytes(queue, bytes, size, 0) : mproc_queue_put(queue, value, 0));
    for (int i = 0; i < count; i++) {
        CHECK_OK(mproc_queue_get(queue, &taken, 0));
        mproc_value_clear(&taken);
    }
    CHECK(peers_committed() < committed + 1024 * 1024);
    mproc_queue_free(queue);
}

static void case_no_size_of_items_keeps_memory_from_the_system(void)
{
    static char text[20001];

    memset(text, 'a', sizeof text - 1);
    for (size_t size = 500; size < 80000; size *= 2) check_not_cut(mproc_nil(), size, (int)(8000000 / size));
    for (size_t size = 500; size < sizeof text; size *= 2)
        check_not_cut(mproc_string_from(text, size), 0, (int)(8000000 / size));
}

static void check_freed(size_t size, int count)
{
    uint64_t blocks = peers_blocks(), used = block_count().bytes_used;
    mproc_queue *queue = queues_create(0, 0);

    for (int i = 0; i < count; i++) CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
    CHECK_OK(mproc_queue_put(queue, mproc_string_from("text", 4), 0));
    mproc_queue_free(queue);
    CHECK_EQ(peers_blocks(), blocks);
    CHECK_EQ(block_count().bytes_used, used);
    CHECK(block_count().sound);
}

static void case_items_are_freed_with_their_queue(void)
{
    check_freed(0, 1);
    check_freed(16, 20000);
    check_freed(8193, 100);
    check_freed(32769, 100);
    check_freed(100000, 100);
}

static void puts_and_ends(peer *self)
{
    for (int i = 0; i < 100; i++) CHECK_OK(mproc_queue_put_bytes(self->object, bytes, 40000, MPROC_FOREVER));
    peer_end(self);
}

/* The last who had it is killed. */
static void case_items_are_freed_with_the_last_process_that_had_the_queue(void)
{
    uint64_t blocks;
    peer_crowd crowd;
    mproc_queue *queue;

    crowd_init(&crowd);
    blocks = peers_blocks();
    queue = queues_create(0, 0);
    crowd.extra = PEER_IS_KILLED;
    crowd_add(&crowd, 1, puts_and_ends, queue);
    board_await(&crowd.board->ready, 1);
    mproc_queue_free(queue);
    CHECK(peers_blocks() >= blocks + 100);
    crowd_let_end(&crowd);
    peers_await_blocks(blocks);
    crowd_fini(&crowd);
}

/* ---- many queues --------------------------------------------------------------------------------- */

enum { QUEUES = 10000 };

static void case_queue_that_was_never_used_takes_less_than_a_kilobyte(void)
{
    mproc_queue *queues[100];
    uint64_t used;

    queues[0] = queues_create(0, 0);
    used = block_count().bytes_used;
    for (int i = 1; i < 100; i++) queues[i] = queues_create(0, 0);
    CHECK(block_count().bytes_used - used < 99 * 1024);
    for (int i = 0; i < 100; i++) mproc_queue_free(queues[i]);
}

static void case_ten_thousand_queues_are_used_at_once(void)
{
    static mproc_queue *queues[QUEUES];
    uint64_t blocks = 0, committed = peers_committed();

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < QUEUES; i++) queues[i] = queues_create(i % 5, 0);
        if (round == 0) CHECK(peers_committed() - committed < QUEUES * 1024);
        for (int i = 0; i < QUEUES; i++) queues_put_int(queues[i], i + round);
        for (int i = 0; i < QUEUES; i++) CHECK_EQ(queues_get_int(queues[i]), i + round);
        for (int i = 0; i < QUEUES; i++) mproc_queue_free(queues[i]);
        if (round == 0) blocks = peers_blocks(); /* what stays is where this process keeps its references */
    }
    CHECK_EQ(peers_blocks(), blocks);
    CHECK(block_count().sound);
}

/* Of as many as a board can tell, each brings its number back. */
static void adds_one(peer *self)
{
    void *queues[BOARD_MANY];

    peer_open_many(self, queues);
    for (int i = 0; i < self->extra; i++) queues_put_int(queues[i], queues_get_int(queues[i]) + 1);
    peer_drop_many(self, queues);
}

static void case_hundreds_of_queues_lead_to_another_process(void)
{
    void *queues[BOARD_MANY];
    peer_crowd crowd;

    crowd_init(&crowd);
    for (int i = 0; i < BOARD_MANY; i++) {
        queues[i] = queues_create(0, 0);
        queues_put_int(queues[i], i);
    }
    crowd_tell_many(&crowd, queues, BOARD_MANY);
    crowd_add(&crowd, 1, adds_one, queues[0]);
    crowd_fini(&crowd);
    for (int i = 0; i < BOARD_MANY; i++) {
        CHECK_EQ(queues_get_int(queues[i]), i + 1);
        mproc_queue_free(queues[i]);
    }
}

CHECK_SUITE_SETUP(queue_memory, peers_of_processes,
    CASE(millions_of_items_take_no_memory),
    CASE(millions_of_items_between_two_take_no_memory),
    CASE(memory_of_items_that_were_got_is_given_back),
    CASE(no_size_of_items_keeps_memory_from_the_system),
    CASE(items_are_freed_with_their_queue),
    CASE(items_are_freed_with_the_last_process_that_had_the_queue),
    CASE(queue_that_was_never_used_takes_less_than_a_kilobyte),
    CASE(ten_thousand_queues_are_used_at_once),
    CASE(hundreds_of_queues_lead_to_another_process),
);
