/* Processes that are killed while they put, get and wait: what was put is got once, and others go on. */
#include "queue/queues.h"

#include <stdlib.h>

/* ---- while they sleep ---------------------------------------------------------------------------- */

static void waits_for_one(peer *self)
{
    atomic_store(&self->board->values[self->number], queues_get_int(self->object));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_killed_consumer_does_not_keep_an_item_from_others(void)
{
    mproc_queue *queue = queues_create(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    for (int i = 0; i < 4; i++) {
        atomic_store(&crowd.board->done, 0);
        crowd_add(&crowd, 3, waits_for_one, queue);
        peers_await_sleepers(queue, 3);
        crowd_kill(&crowd, i % 3);
        queues_put_int(queue, 1);
        queues_put_int(queue, 2);
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 2);
        CHECK(mproc_queue_empty(queue));
    }
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

static void waits_for_room(peer *self)
{
    queues_put_int(self->object, 10 + self->number);
    atomic_fetch_add(&self->board->done, 1);
}

static void case_killed_producer_does_not_keep_room_from_others(void)
{
    mproc_queue *queue = queues_create(1, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    for (int i = 0; i < 4; i++) {
        atomic_store(&crowd.board->done, 0);
        queues_put_int(queue, 1);
        crowd_add(&crowd, 3, waits_for_room, queue);
        peers_await_sleepers(queue, 3);
        crowd_kill(&crowd, i % 3);
        for (int n = 0; n < 3; n++) CHECK(queues_get_int(queue) >= 1);
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 2);
        CHECK(mproc_queue_empty(queue));
    }
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* What it was about to put lies in blocks. */
static void waits_with_a_large_one(peer *self)
{
    static const char bytes[100000];

    CHECK_OK(mproc_queue_put_bytes(self->object, bytes, sizeof bytes, MPROC_FOREVER));
}

static void case_item_of_a_killed_producer_that_was_not_put_is_given_back(void)
{
    mproc_queue *queue = queues_create(1, 0);
    peer_crowd crowd;
    uint64_t blocks;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    blocks = peers_blocks();
    crowd_add(&crowd, 1, waits_with_a_large_one, queue);
    peers_await_sleepers(queue, 1);
    crowd_kill(&crowd, 0);
    crowd_join(&crowd);
    peers_await_blocks(blocks);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* ---- at any moment ------------------------------------------------------------------------------- */

/* An item is whole if all of its bytes follow from its first. */
typedef struct item {
    uint32_t producer;
    uint32_t index;
} item;

static const size_t sizes[] = {8, 40, 8, 700, 3000, 9000, 8, 20000};
enum { SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 20000, PLACES = 2 };

static void puts_for_ever(peer *self)
{
    unsigned char bytes[LARGEST];

    atomic_fetch_add(&self->board->ready, 1);
    for (uint32_t i = 1;; i++) {
        size_t size = sizes[i % SIZES];
        memcpy(bytes, &(item){(uint32_t)self->number, i}, sizeof(item));
        queues_fill(bytes + sizeof(item), size - sizeof(item), i);
        CHECK_OK(mproc_queue_put_bytes(self->object, bytes, size, MPROC_FOREVER));
        atomic_store(&self->board->values[self->number % PLACES], i);
    }
}

static item get_one(mproc_queue *queue, int64_t timeout_ms)
{
    unsigned char bytes[LARGEST];
    size_t size = 0;
    item got = {0, 0};
    mproc_status status = mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, timeout_ms);

    if (status == MPROC_TIMEOUT && timeout_ms == 0) return got;
    CHECK_OK(status);
    CHECK(size >= sizeof got);
    memcpy(&got, bytes, sizeof got);
    CHECK_EQ(size, sizes[got.index % SIZES]);
    queues_check_bytes(bytes + sizeof got, size - sizeof got, got.index);
    return got;
}

static void gets_for_ever(peer *self)
{
    for (;;) {
        get_one(self->object, MPROC_FOREVER);
        atomic_fetch_add(&self->board->count, 1);
    }
}

/* Of one producer all come that it put, each once and in order, and at most one that it did not live to count. */
static void check_killed_producer(mproc_queue *queue, int round)
{
    peer_crowd crowd;
    uint32_t next = 1, counted;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, puts_for_ever, queue);
    board_await(&crowd.board->ready, 1);
    for (int i = 0; i < 1 + round * 37 % 150; i++) CHECK_EQ(get_one(queue, check_limit_ms()).index, next++);
    crowd_kill(&crowd, 0);
    counted = (uint32_t)atomic_load(&crowd.board->values[0]);
    for (;;) {
        item got = get_one(queue, 0);
        if (got.index == 0) break;
        CHECK_EQ(got.index, next++);
    }
    CHECK(next - 1 == counted || next - 1 == counted + 1);
    CHECK(mproc_queue_empty(queue));
    crowd_fini(&crowd);
}

static void case_what_a_producer_had_put_when_it_was_killed_is_got_once(void)
{
    mproc_queue *unbounded = queues_create(0, 0), *bounded = queues_create(3, 0), *counted = queues_create(0, 30000);

    for (int round = 0; round < check_many(12, 6); round++) {
        check_killed_producer(unbounded, round);
        check_killed_producer(bounded, round);
        check_killed_producer(counted, round);
    }
    mproc_queue_free(unbounded);
    mproc_queue_free(bounded);
    mproc_queue_free(counted);
}

/* Puts numbered items until one is killed in the middle; none but the one that it had taken is gone. */
static void check_killed_consumer(mproc_queue *queue, int round)
{
    unsigned char bytes[LARGEST] = {0};
    uint32_t put = 0, got = 0, last = 0, all;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, gets_for_ever, queue);
    all = 20 + (uint32_t)(round * 53 % 200);
    while (put < all) {
        size_t size = sizes[++put % SIZES];
        memcpy(bytes, &(item){0, put}, sizeof(item));
        queues_fill(bytes + sizeof(item), size - sizeof(item), put);
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, MPROC_FOREVER));
    }
    crowd_kill(&crowd, 0);
    for (item one; (one = get_one(queue, 0)).index != 0; got++) {
        CHECK(one.index > last && (last == 0 || one.index == last + 1));
        last = one.index;
    }
    got += atomic_load(&crowd.board->count);
    CHECK(got == put || got == put - 1);
    crowd_fini(&crowd);
}

static void case_killed_consumer_takes_one_item_with_it_at_most(void)
{
    mproc_queue *unbounded = queues_create(0, 0), *bounded = queues_create(3, 0), *counted = queues_create(0, 30000);

    for (int round = 0; round < check_many(12, 6); round++) {
        check_killed_consumer(unbounded, round);
        check_killed_consumer(bounded, round);
        check_killed_consumer(counted, round);
    }
    mproc_queue_free(unbounded);
    mproc_queue_free(bounded);
    mproc_queue_free(counted);
}

/* ---- others go on -------------------------------------------------------------------------------- */

static bool goes_on(void *context)
{
    static uint32_t before;
    uint32_t count = atomic_load((_Atomic uint32_t *)context);
    bool more = count - before > 50;

    if (more) before = count;
    return more;
}

/* Two put and two get all the time; one after the other is killed and replaced, and the others go on each time. */
static void case_others_go_on_whoever_is_killed(void)
{
    mproc_queue *queue = queues_create(3, 0);
    peer_crowd producers, consumers;
    uint64_t blocks;

    crowd_init(&producers);
    crowd_init(&consumers);
    blocks = peers_blocks();
    crowd_add(&producers, 1, puts_for_ever, queue);
    crowd_add(&consumers, 1, gets_for_ever, queue);
    for (int round = 0; round < check_many(12, 6); round++) {
        peer_crowd *crowd = round % 2 ? &producers : &consumers;
        crowd_add(crowd, 1, round % 2 ? puts_for_ever : gets_for_ever, queue);
        CHECK_WAIT_UNTIL(goes_on, &consumers.board->count);
        crowd_kill(crowd, round % 4 < 2 ? crowd->members - 1 : crowd->members - 2);
        CHECK_WAIT_UNTIL(goes_on, &consumers.board->count);
    }
    for (int i = 0; i < producers.members; i++)
        if (!producers.all[i].killed) crowd_kill(&producers, i);
    for (int i = 0; i < consumers.members; i++)
        if (!consumers.all[i].killed) crowd_kill(&consumers, i);
    crowd_join(&producers);
    crowd_join(&consumers);
    while (get_one(queue, 0).index != 0) continue;
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    peers_await_blocks(blocks - 1); /* the queue; nothing stays of those who were killed */
    crowd_fini(&producers);
    crowd_fini(&consumers);
}

CHECK_SUITE_SETUP(queue_death, peers_of_processes,
    CASE(killed_consumer_does_not_keep_an_item_from_others),
    CASE(killed_producer_does_not_keep_room_from_others),
    CASE(item_of_a_killed_producer_that_was_not_put_is_given_back),
    CASE_LIMIT(what_a_producer_had_put_when_it_was_killed_is_got_once, 40),
    CASE_LIMIT(killed_consumer_takes_one_item_with_it_at_most, 40),
    CASE_LIMIT(others_go_on_whoever_is_killed, 40),
);
