/* Many who put and many who get: every item is got once, and those of each in the order in which it put them. */
#include "queue/queues.h"

enum { PRODUCERS = 3, CONSUMERS = 3 };

/* What each item begins with; others are longer, so that records of all sizes and blocks lie in the queue. */
typedef struct item {
    uint32_t producer;
    uint32_t index;
} item;

static const size_t sizes[] = {8, 24, 8, 300, 16, 8000, 8, 9000, 8, 40000};
enum { SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 40000 };

/* Of each producer the mark of its number counts what was got. */
static void count(board *its_board, uint32_t producer)
{
    atomic_fetch_add(&its_board->marks[producer], 1);
}

static void put_one(mproc_queue *queue, uint32_t producer, uint32_t index)
{
    unsigned char bytes[LARGEST];
    size_t size = sizes[index % SIZES];

    memcpy(bytes, &(item){producer, index}, sizeof(item));
    queues_fill(bytes + sizeof(item), size - sizeof(item), index);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, MPROC_FOREVER));
}

/* Gets one and looks whether it is whole. */
static item get_one(mproc_queue *queue)
{
    unsigned char bytes[LARGEST];
    size_t size = 0;
    item got;

    CHECK_OK(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, MPROC_FOREVER));
    CHECK(size >= sizeof got);
    memcpy(&got, bytes, sizeof got);
    if (got.producer == UINT32_MAX) return got;
    CHECK_EQ(size, sizes[got.index % SIZES]);
    queues_check_bytes(bytes + sizeof got, size - sizeof got, got.index);
    return got;
}

static void produces(peer *self)
{
    for (uint32_t i = 1; i <= self->extra; i++) put_one(self->object, (uint32_t)self->number, i);
}

/* Until it is told to end. */
static void consumes(peer *self)
{
    uint32_t last[PEERS_MAX] = {0};

    for (;;) {
        item got = get_one(self->object);
        if (got.producer == UINT32_MAX) return;
        CHECK(got.producer < PEERS_MAX && got.index > last[got.producer]);
        last[got.producer] = got.index;
        count(self->board, got.producer);
    }
}

static void tell_to_end(mproc_queue *queue, int consumers)
{
    for (int i = 0; i < consumers; i++)
        CHECK_OK(mproc_queue_put_bytes(queue, &(item){UINT32_MAX, 0}, sizeof(item), MPROC_FOREVER));
}

static void check_flow(int64_t maxsize, int64_t max_bytes, int items)
{
    mproc_queue *queue = queues_create(maxsize, max_bytes);
    peer_crowd producers, consumers;
    mproc_queue_counts counts;

    crowd_init(&producers);
    crowd_init(&consumers);
    producers.extra = items;
    crowd_add(&consumers, CONSUMERS, consumes, queue);
    crowd_add(&producers, PRODUCERS, produces, queue);
    crowd_join(&producers);
    tell_to_end(queue, CONSUMERS);
    crowd_join(&consumers);
    for (int i = 0; i < PRODUCERS; i++) CHECK_EQ(atomic_load(&consumers.board->marks[i]), items);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.put == counts.got && counts.put == (int64_t)PRODUCERS * items + CONSUMERS);
    CHECK_EQ(counts.put_bytes, counts.got_bytes);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    crowd_fini(&producers);
    crowd_fini(&consumers);
}

static void case_every_item_is_got_once_and_in_its_producers_order(void)
{
    check_flow(0, 0, check_many(3000, 300));
}

static void case_every_item_passes_through_a_queue_for_few(void)
{
    check_flow(1, 0, check_many(500, 100));
    check_flow(4, 0, check_many(1000, 100));
}

static void case_every_item_passes_through_a_queue_of_few_bytes(void)
{
    check_flow(0, LARGEST, check_many(500, 100));
    check_flow(3, 100000, check_many(500, 100));
}

/* ---- coming and going ---------------------------------------------------------------------------- */

static void gets_some(peer *self)
{
    for (int i = 0; i < self->extra; i++) count(self->board, get_one(self->object).producer);
}

/* In each round other ones put, and other ones get; what is in the queue goes over into the next round. */
static void case_producers_and_consumers_come_and_go(void)
{
    enum { ROUNDS = 4, EACH = 40 };
    mproc_queue *queue = queues_create(100, 0);
    peer_crowd producers, consumers;
    uint32_t all = 0;

    crowd_init(&producers);
    crowd_init(&consumers);
    consumers.extra = producers.extra = EACH;
    crowd_add(&producers, 1, produces, queue);
    for (int round = 0; round < ROUNDS; round++) {
        crowd_add(&producers, 2, produces, queue);
        crowd_add(&consumers, 2, gets_some, queue);
        crowd_join(&consumers);
    }
    crowd_join(&producers);
    CHECK_EQ(mproc_queue_size(queue), EACH);
    crowd_add(&consumers, 1, gets_some, queue);
    crowd_join(&consumers);
    for (int i = 0; i < 2 * ROUNDS + 1; i++) {
        CHECK_EQ(atomic_load(&consumers.board->marks[i]), EACH);
        all += atomic_load(&consumers.board->marks[i]);
    }
    CHECK_EQ(all, (2 * ROUNDS + 1) * EACH);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    crowd_fini(&producers);
    crowd_fini(&consumers);
}

/* ---- several at once ----------------------------------------------------------------------------- */

static void produces_many(peer *self)
{
    item items[64];

    for (uint32_t i = 0; i < self->extra;) {
        uint32_t n = 0;
        for (; n < 1 + i % 64 && i < self->extra; n++) items[n] = (item){(uint32_t)self->number, ++i};
        CHECK_OK(mproc_queue_put_many(self->object, items, sizeof items[0], n, NULL, MPROC_FOREVER));
    }
}

static void consumes_many(peer *self)
{
    uint32_t last[PEERS_MAX] = {0};

    for (;;) {
        item items[50];
        size_t got = 0;
        CHECK_OK(mproc_queue_get_many(self->object, items, sizeof items[0], 50, &got, MPROC_FOREVER));
        for (size_t i = 0; i < got; i++) {
            if (items[i].producer == UINT32_MAX) {
                tell_to_end(self->object, (int)(got - i - 1));
                return;
            }
            CHECK(items[i].index > last[items[i].producer]);
            last[items[i].producer] = items[i].index;
            count(self->board, items[i].producer);
        }
    }
}

static void check_many_flow(int64_t maxsize, int items)
{
    mproc_queue *queue = queues_create(maxsize, 0);
    peer_crowd producers, consumers;

    crowd_init(&producers);
    crowd_init(&consumers);
    producers.extra = items;
    crowd_add(&consumers, 2, consumes_many, queue);
    crowd_add(&producers, 2, produces_many, queue);
    crowd_join(&producers);
    tell_to_end(queue, 2);
    crowd_join(&consumers);
    for (int i = 0; i < 2; i++) CHECK_EQ(atomic_load(&consumers.board->marks[i]), items);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    crowd_fini(&producers);
    crowd_fini(&consumers);
}

static void case_many_at_once_are_got_once_and_in_their_producers_order(void)
{
    check_many_flow(0, check_many(50000, 5000));
    check_many_flow(20, check_many(20000, 2000));
}

CHECK_TWINS(queue_flow, peers_of_processes, queue_flow_threads, peers_of_threads,
    CASE(every_item_is_got_once_and_in_its_producers_order),
    CASE(every_item_passes_through_a_queue_for_few),
    CASE(every_item_passes_through_a_queue_of_few_bytes),
    CASE(producers_and_consumers_come_and_go),
    CASE(many_at_once_are_got_once_and_in_their_producers_order),
);
