/* Several items at once: put_many and get_many. */
#include "queue/queues.h"

#include <stdlib.h>

static int64_t numbers[10000];

static void number(void)
{
    for (int i = 0; i < 10000; i++) numbers[i] = i;
}

/* ---- as many as fit ------------------------------------------------------------------------------ */

static void case_put_many_says_how_many_are_in(void)
{
    mproc_queue *queue = queues_create(5, 0);
    int64_t items[10];
    size_t count = 99;

    number();
    CHECK_OK(mproc_queue_put_many(queue, numbers, sizeof numbers[0], 3, &count, 0));
    CHECK_EQ(count, 3);
    CHECK_STATUS(mproc_queue_put_many(queue, numbers + 3, sizeof numbers[0], 3, &count, 0), MPROC_TIMEOUT);
    CHECK_EQ(count, 2);
    CHECK_STATUS(mproc_queue_put_many(queue, numbers, sizeof numbers[0], 3, &count, 20), MPROC_TIMEOUT);
    CHECK_EQ(count, 0);
    CHECK_STATUS(mproc_queue_put_many(queue, numbers, sizeof numbers[0], 3, NULL, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_get_many(queue, items, sizeof items[0], 10, &count, 0));
    CHECK_EQ(count, 5);
    CHECK(memcmp(items, numbers, 5 * sizeof items[0]) == 0);
    mproc_queue_free(queue);
}

static void case_put_many_of_none_puts_none(void)
{
    mproc_queue *queue = queues_create(1, 0);
    size_t count = 99;

    CHECK_OK(mproc_queue_put_many(queue, NULL, 0, 0, &count, 0));
    CHECK_EQ(count, 0);
    CHECK_OK(mproc_queue_put_many(queue, NULL, 0, 1, &count, 0));
    CHECK_EQ(count, 1);
    CHECK_OK(mproc_queue_put_many(queue, "", 8, 0, NULL, 0));
    CHECK_EQ(mproc_queue_size(queue), 1);
    mproc_queue_free(queue);
}

static void case_put_many_keeps_to_the_limit_of_bytes(void)
{
    mproc_queue *queue = queues_create(0, 100);
    size_t count;

    number();
    CHECK_STATUS(mproc_queue_put_many(queue, numbers, 8, 20, &count, 0), MPROC_TIMEOUT);
    CHECK_EQ(count, 12);
    CHECK_OK(mproc_queue_put_many(queue, numbers, 2, 2, &count, 0));
    CHECK_STATUS(mproc_queue_put_many(queue, numbers, 1, 1, &count, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_many(queue, NULL, 0, 50, &count, 0));
    CHECK_EQ(mproc_queue_size(queue), 64);
    CHECK_STATUS(mproc_queue_put_many(queue, numbers, 101, 1, &count, MPROC_FOREVER), MPROC_INVALID);
    CHECK_EQ(count, 0);
    mproc_queue_free(queue);
}

/* Also of those that were put since this process last looked. */
static void case_get_many_gets_as_many_as_there_are(void)
{
    mproc_queue *queue = queues_create(0, 0);
    int64_t items[100];
    size_t count;

    number();
    CHECK_OK(mproc_queue_put_many(queue, numbers, sizeof numbers[0], 3, NULL, 0));
    CHECK_OK(mproc_queue_get_many(queue, items, sizeof items[0], 1, &count, 0));
    CHECK_EQ(count, 1);
    CHECK_OK(mproc_queue_put_many(queue, numbers + 3, sizeof numbers[0], 50, NULL, 0));
    CHECK_OK(mproc_queue_get_many(queue, items, sizeof items[0], 100, &count, 0));
    CHECK_EQ(count, 52);
    CHECK(memcmp(items, numbers + 1, 52 * sizeof items[0]) == 0);
    CHECK_STATUS(mproc_queue_get_many(queue, items, sizeof items[0], 100, &count, 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

static void case_get_many_ends_before_an_item_of_another_kind(void)
{
    mproc_queue *queue = queues_create(0, 0);
    unsigned char items[64];
    mproc_value value;
    size_t count;

    CHECK_OK(mproc_queue_put_many(queue, "abcdef", 2, 3, NULL, 0));
    CHECK_OK(mproc_queue_put_bytes(queue, "g", 1, 0));
    queues_put_int(queue, 7);
    CHECK_OK(mproc_queue_get_many(queue, items, 2, 30, &count, 0));
    CHECK_EQ(count, 3);
    CHECK(memcmp(items, "abcdef", 6) == 0);
    CHECK_SAYS(mproc_queue_get_many(queue, items, 2, 30, &count, 0), MPROC_INVALID,
               "the next item has 1 bytes, and items of 2 are wanted");
    CHECK_OK(mproc_queue_get_many(queue, items, 1, 30, &count, 0));
    CHECK_EQ(count, 1);
    CHECK_STATUS(mproc_queue_get_many(queue, items, 16, 2, &count, 0), MPROC_INVALID);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK_EQ(mproc_value_int(value), 7);
    mproc_queue_free(queue);
}

static void case_many_items_of_no_bytes(void)
{
    mproc_queue *queue = queues_create(0, 0);
    size_t count, all = 0;

    CHECK_OK(mproc_queue_put_many(queue, NULL, 0, 5000, &count, 0));
    CHECK_EQ(count, 5000);
    while (!mproc_queue_empty(queue)) {
        CHECK_OK(mproc_queue_get_many(queue, NULL, 0, 999, &count, 0));
        all += count;
    }
    CHECK_EQ(all, 5000);
    mproc_queue_free(queue);
}

/* ---- from others --------------------------------------------------------------------------------- */

static void puts_numbers(peer *self)
{
    size_t count = 0;

    number();
    CHECK_OK(
        mproc_queue_put_many(self->object, numbers, sizeof numbers[0], (size_t)self->extra, &count, MPROC_FOREVER));
    CHECK_EQ(count, self->extra);
}

/* Gets them all in steps of `step`, in order. */
static void check_numbers(int64_t maxsize, int64_t max_bytes, size_t step)
{
    mproc_queue *queue = queues_create(maxsize, max_bytes);
    int64_t items[100];
    int64_t all = 0;
    peer_crowd crowd;

    number();
    crowd_init(&crowd);
    crowd.extra = 10000;
    crowd_add(&crowd, 1, puts_numbers, queue);
    while (all < 10000) {
        size_t count = 0;
        CHECK_OK(mproc_queue_get_many(queue, items, sizeof items[0], step, &count, check_limit_ms()));
        CHECK(count > 0 && count <= step);
        CHECK(memcmp(items, numbers + all, count * sizeof items[0]) == 0);
        all += (int64_t)count;
    }
    CHECK_EQ(all, 10000);
    crowd_fini(&crowd);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
}

static void case_put_many_waits_until_all_are_in(void)
{
    check_numbers(0, 0, 100);
    check_numbers(7, 0, 3);
    check_numbers(7, 0, 100);
    check_numbers(0, 100, 100);
}

/* ---- large ones ---------------------------------------------------------------------------------- */

enum { LARGE = 10000, LARGES = 6 };

static void case_many_large_items(void)
{
    mproc_queue *queue = queues_create(4, 0);
    unsigned char *items = malloc((size_t)LARGE * LARGES), *got = malloc((size_t)LARGE * LARGES);
    size_t count, all = 0;

    CHECK(items != NULL && got != NULL);
    for (uint32_t i = 0; i < LARGES; i++) queues_fill(items + (size_t)LARGE * i, LARGE, i);
    CHECK_STATUS(mproc_queue_put_many(queue, items, LARGE, LARGES, &count, 20), MPROC_TIMEOUT);
    CHECK_EQ(count, 4);
    while (all < LARGES) {
        CHECK_OK(mproc_queue_get_many(queue, got + LARGE * all, LARGE, LARGES, &count, 0));
        all += count;
        if (all == 4) CHECK_OK(mproc_queue_put_many(queue, items + LARGE * all, LARGE, LARGES - all, NULL, 0));
    }
    CHECK(memcmp(items, got, (size_t)LARGE * LARGES) == 0);
    mproc_queue_free(queue);
    free(items);
    free(got);
}

/* Gets one from time to time, so that no single item waits for long. */
static void gets_slowly(void *argument)
{
    mproc_queue *queue = argument;
    char bytes[LARGE];

    for (;;) {
        size_t size = 0;
        CHECK_OK(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, check_limit_ms()));
        if (size == 1) return;
        check_pause_ms(20);
    }
}

static void case_time_limit_of_many_large_items_is_one(void)
{
    mproc_queue *queue = queues_create(1, 0);
    unsigned char *items = calloc(200, LARGE);
    plat_thread *thread = NULL;
    size_t count = 0;

    CHECK(items != NULL);
    CHECK_OK(plat_thread_start(gets_slowly, queue, &thread));
    CHECK_STATUS(mproc_queue_put_many(queue, items, LARGE, 200, &count, 200), MPROC_TIMEOUT);
    CHECK(count < 200);
    CHECK_OK(mproc_queue_put_bytes(queue, "x", 1, check_limit_ms()));
    plat_thread_join(thread);
    mproc_queue_free(queue);
    free(items);
}

CHECK_SUITE_SETUP(queue_many, peers_of_threads,
    CASE(put_many_says_how_many_are_in),
    CASE(put_many_of_none_puts_none),
    CASE(put_many_keeps_to_the_limit_of_bytes),
    CASE(get_many_gets_as_many_as_there_are),
    CASE(get_many_ends_before_an_item_of_another_kind),
    CASE(many_items_of_no_bytes),
    CASE(many_large_items),
    CASE(time_limit_of_many_large_items_is_one),
);

CHECK_TWINS(queue_put_many, peers_of_processes, queue_put_many_threads, peers_of_threads,
    CASE(put_many_waits_until_all_are_in),
);
