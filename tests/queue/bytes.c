/* Items that are plain bytes, and bytes and values in one queue. */
#include "queue/queues.h"

#include <stdlib.h>

static const size_t sizes[] = {0,   1,    7,    8,    9,     15,    16,    17,        255,      256,
                               257, 8191, 8192, 8193, 32767, 32768, 32769, 64 * 1024, 1u << 20, 5u << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 5u << 20 };

static unsigned char *memory(void)
{
    unsigned char *bytes = malloc(LARGEST + 1);

    CHECK(bytes != NULL);
    return bytes;
}

/* ---- every size --------------------------------------------------------------------------------- */

/* Each size three times, so that items lie behind and before those of other sizes. */
static void gets_every_size(peer *self)
{
    unsigned char *bytes = memory();

    for (uint32_t i = 0; i < 3 * SIZES; i++) {
        size_t size = 77;
        bytes[sizes[i % SIZES]] = 123;
        CHECK_OK(mproc_queue_get_bytes(self->object, bytes, LARGEST, &size, MPROC_FOREVER));
        CHECK_EQ(size, sizes[i % SIZES]);
        queues_check_bytes(bytes, size, i);
        CHECK_EQ(bytes[size], 123);
    }
    free(bytes);
}

static void check_every_size(int64_t maxsize, int64_t max_bytes)
{
    mproc_queue *queue = queues_create(maxsize, max_bytes);
    unsigned char *bytes = memory();
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, gets_every_size, queue);
    for (uint32_t i = 0; i < 3 * SIZES; i++) {
        queues_fill(bytes, sizes[i % SIZES], i);
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizes[i % SIZES], MPROC_FOREVER));
    }
    crowd_fini(&crowd);
    CHECK_EQ(mproc_queue_size(queue), 0);
    mproc_queue_free(queue);
    free(bytes);
}

static void case_bytes_of_every_size_arrive(void)
{
    check_every_size(0, 0);
}

static void case_bytes_of_every_size_arrive_by_a_queue_for_one(void)
{
    check_every_size(1, 0);
}

static void case_bytes_of_every_size_arrive_by_a_queue_of_few_bytes(void)
{
    check_every_size(0, LARGEST);
}

/* ---- what does not fit --------------------------------------------------------------------------- */

static void check_stays(size_t size, size_t room)
{
    mproc_queue *queue = queues_create(0, 0);
    unsigned char *bytes = memory();
    size_t told = 0, got = 0;

    queues_fill(bytes, size, 5);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
    memset(bytes, 9, size);
    CHECK_SAYS(mproc_queue_get_bytes(queue, bytes, room, &told, 0), MPROC_INVALID, "bytes, and there is room for");
    CHECK_EQ(told, size);
    CHECK_EQ(bytes[0], 9);
    CHECK_STATUS(mproc_queue_get_bytes(queue, bytes, room, NULL, MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_bytes(queue, NULL, 0, &told, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, room, 1, &got, 0), MPROC_INVALID);
    CHECK_EQ(mproc_queue_size(queue), 1);
    CHECK_OK(mproc_queue_get_bytes(queue, bytes, size, NULL, 0));
    queues_check_bytes(bytes, size, 5);
    mproc_queue_free(queue);
    free(bytes);
}

static void case_item_that_is_too_large_stays_and_tells_its_size(void)
{
    check_stays(1, 0);
    check_stays(16, 15);
    check_stays(32768, 32767);
    check_stays(32769, 32768);
    check_stays(1u << 20, 100);
}

/* ---- bytes and values ---------------------------------------------------------------------------- */

static void case_bytes_are_got_as_a_value_of_them(void)
{
    mproc_queue *queue = queues_create(0, 0);
    unsigned char *bytes = memory();

    for (uint32_t i = 0; i < SIZES; i++) {
        mproc_value value = mproc_nil();
        queues_fill(bytes, sizes[i], i);
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizes[i], 0));
        CHECK_OK(mproc_queue_get(queue, &value, 0));
        CHECK_EQ(mproc_value_type(value), MPROC_TYPE_BYTES);
        CHECK_EQ(mproc_value_size(value), sizes[i]);
        CHECK(mproc_value_equal(value, mproc_bytes(bytes, sizes[i])));
        mproc_value_clear(&value);
    }
    mproc_queue_free(queue);
    free(bytes);
}

static void check_no_bytes(mproc_value value)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value got = mproc_nil();
    unsigned char bytes[64];
    size_t size = 5, count = 5;

    CHECK_OK(mproc_queue_put(queue, value, 0));
    CHECK_SAYS(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, 0), MPROC_INVALID, "mproc_queue_get()");
    CHECK_SAYS(mproc_queue_get_many(queue, bytes, 16, 4, &count, 0), MPROC_INVALID, "mproc_queue_get()");
    CHECK(size == 5 && mproc_queue_size(queue) == 1);
    CHECK_OK(mproc_queue_get(queue, &got, 0));
    CHECK(mproc_value_equal(got, value));
    mproc_value_clear(&got);
    mproc_queue_free(queue);
}

static void case_value_is_not_got_as_bytes_and_stays(void)
{
    char text[5000];

    memset(text, 'x', sizeof text);
    check_no_bytes(mproc_int(7));
    check_no_bytes(mproc_string("short"));
    check_no_bytes(mproc_string("a text of some length"));
    check_no_bytes(mproc_string_from(text, sizeof text));
    check_no_bytes(mproc_bytes(text, 16));
}

/* What was too large is taken by another meanwhile, or so it looks: the room made for it serves the next, too. */
static void case_values_and_bytes_of_all_sizes_follow_each_other(void)
{
    mproc_queue *queue = queues_create(0, 0);
    unsigned char *bytes = memory();

    queues_fill(bytes, LARGEST, 3);
    for (uint32_t i = 0; i < 3 * SIZES; i++) {
        size_t size = sizes[i * 7 % SIZES];
        if (i % 3 == 0) CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
        else if (i % 3 == 1) CHECK_OK(mproc_queue_put(queue, mproc_bytes(bytes, size), 0));
        else CHECK_OK(mproc_queue_put(queue, mproc_int(i), 0));
    }
    for (uint32_t i = 0; i < 3 * SIZES; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_queue_get(queue, &value, 0));
        if (i % 3 == 2) CHECK_EQ(mproc_value_int(value), i);
        else CHECK(mproc_value_equal(value, mproc_bytes(bytes, sizes[i * 7 % SIZES])));
        mproc_value_clear(&value);
    }
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    free(bytes);
}

/* ---- what is got is the caller's ------------------------------------------------------------------ */

static void case_value_outlives_the_queue_and_what_it_was_made_of(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value small = mproc_nil(), large = mproc_nil();
    char text[5000];

    memset(text, 'x', sizeof text);
    CHECK_OK(mproc_queue_put(queue, mproc_string_from(text, 9), 0));
    CHECK_OK(mproc_queue_put(queue, mproc_string_from(text, sizeof text), 0));
    memset(text, 'y', sizeof text);
    CHECK_OK(mproc_queue_get(queue, &small, 0));
    CHECK_OK(mproc_queue_get(queue, &large, 0));
    mproc_queue_free(queue);
    CHECK_STRING(mproc_value_string(small), "xxxxxxxxx");
    CHECK_EQ(mproc_value_size(large), sizeof text);
    CHECK_EQ(strspn(mproc_value_string(large), "x"), sizeof text);
    mproc_value_clear(&small);
    mproc_value_clear(&large);
}

CHECK_TWINS(queue_bytes, peers_of_processes, queue_bytes_threads, peers_of_threads,
    CASE(bytes_of_every_size_arrive),
    CASE(bytes_of_every_size_arrive_by_a_queue_for_one),
    CASE(bytes_of_every_size_arrive_by_a_queue_of_few_bytes),
);

CHECK_SUITE_SETUP(queue_mixed, peers_of_threads,
    CASE(item_that_is_too_large_stays_and_tells_its_size),
    CASE(bytes_are_got_as_a_value_of_them),
    CASE(value_is_not_got_as_bytes_and_stays),
    CASE(values_and_bytes_of_all_sizes_follow_each_other),
    CASE(value_outlives_the_queue_and_what_it_was_made_of),
);
