/* mproc/shared.h: arrays: their items, slices of them, and what is refused. */
#include "sync/peers.h"

#include "arena/arena.h"

enum { COUNT = 10 };

/* Python's test has these. */
static const int32_t numbers[COUNT] = {680, 626, 934, 821, 150, 233, 548, 982, 714, 831};

static mproc_shared_options raw = {.raw = true};

static mproc_shared_array *create(const mproc_shared_options *options)
{
    mproc_shared_array *array = NULL;

    CHECK_OK(mproc_shared_array_create(sizeof numbers[0], COUNT, numbers, options, &array));
    return array;
}

/* ---- items -------------------------------------------------------------------------------------- */

static void check_items(mproc_shared_array *array, const int32_t *expected)
{
    const int32_t *items = mproc_shared_array_data(array);
    int32_t found[COUNT];
    int i;

    CHECK_OK(mproc_shared_array_get(array, 0, COUNT, found));
    for (i = 0; i < COUNT; i++) CHECK_EQ(items[i], expected[i]);
    for (i = 0; i < COUNT; i++) CHECK_EQ(found[i], expected[i]);
}

static void check_slices(const mproc_shared_options *options)
{
    const int32_t assigned[COUNT] = {680, 626, 934, 821, 1, 2, 3, 4, 714, 831};
    mproc_shared_array *array = create(options);
    int32_t slice[5];

    CHECK_EQ(mproc_shared_array_count(array), COUNT);
    CHECK_EQ(mproc_shared_array_item_size(array), sizeof(int32_t));
    CHECK_EQ((uintptr_t)mproc_shared_array_data(array) % ARENA_LINE, 0);
    check_items(array, numbers);
    CHECK_OK(mproc_shared_array_get(array, 2, 5, slice));
    CHECK(memcmp(slice, &numbers[2], sizeof slice) == 0);
    CHECK_OK(mproc_shared_array_set(array, 4, 4, &assigned[4]));
    check_items(array, assigned);
    CHECK_OK(mproc_shared_array_set(array, COUNT - 1, 1, &numbers[0]));
    CHECK_OK(mproc_shared_array_get(array, COUNT - 1, 1, slice));
    CHECK_EQ(slice[0], numbers[0]);
    mproc_shared_array_free(array);
}

static void case_array_has_its_items_and_slices_of_them(void)
{
    check_slices(NULL);
    check_slices(&raw);
}

static void check_zeros(size_t size, size_t count, const mproc_shared_options *options)
{
    mproc_shared_array *array = NULL;
    unsigned char *bytes;
    size_t i;

    CHECK_OK(mproc_shared_array_create(size, count, NULL, options, &array));
    bytes = mproc_shared_array_data(array);
    for (i = 0; i < size * count; i++)
        if (bytes[i] != 0) check_fail(__FILE__, __LINE__, "byte %zu of %zu is %d", i, size * count, bytes[i]);
    memset(bytes, 0xAA, size * count);
    mproc_shared_array_free(array);
}

static void case_array_without_a_beginning_is_zero_though_memory_is_reused(void)
{
    int i;

    for (i = 0; i < 6; i++) {
        check_zeros(sizeof(int32_t), COUNT, i % 2 ? &raw : NULL);
        check_zeros(3, 333, NULL);
        check_zeros(24, 5000, &raw);
        check_zeros(sizeof(double), 300000, NULL);
    }
}

/* ---- others ------------------------------------------------------------------------------------- */

static void sums_in_place(peer *self)
{
    int32_t *items = mproc_shared_array_data(self->object);
    size_t i;

    for (i = 1; i < mproc_shared_array_count(self->object); i++) items[i] += items[i - 1];
}

static void check_sums(const mproc_shared_options *options)
{
    mproc_shared_array *array = create(options);
    int32_t expected[COUNT];
    peer_crowd crowd;
    int i;

    for (i = 0; i < COUNT; i++) expected[i] = numbers[i] + (i > 0 ? expected[i - 1] : 0);
    crowd_init(&crowd);
    crowd_add(&crowd, 1, sums_in_place, array);
    crowd_join(&crowd);
    check_items(array, expected);
    mproc_shared_array_free(array);
    crowd_fini(&crowd);
}

static void case_another_sums_in_place(void)
{
    check_sums(NULL);
    check_sums(&raw);
}

/* Each has every eighth item, so that all of them write to each cache line. */
static void marks_its_own(peer *self)
{
    unsigned char *bytes = mproc_shared_array_data(self->object);
    size_t count = mproc_shared_array_count(self->object), i;

    for (i = (size_t)self->number; i < count; i += 8) bytes[i] = (unsigned char)(self->number + 1);
}

static void case_all_write_items_of_their_own(void)
{
    mproc_shared_array *array = NULL;
    const unsigned char *bytes;
    peer_crowd crowd;
    size_t i;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_shared_array_create(1, 100000, NULL, &raw, &array));
    bytes = mproc_shared_array_data(array);
    crowd_add(&crowd, 4, marks_its_own, array);
    crowd_join(&crowd);
    for (i = 0; i < 100000; i++) CHECK_EQ(bytes[i], i % 8 + 1);
    mproc_shared_array_free(array);
    crowd_fini(&crowd);
}

static void finds_no_items(peer *self)
{
    CHECK_EQ(mproc_shared_array_count(self->object), 0);
    CHECK_EQ(mproc_shared_array_item_size(self->object), sizeof(double));
    CHECK(mproc_shared_array_data(self->object) != NULL);
    CHECK_OK(mproc_shared_array_get(self->object, 0, 0, NULL));
    CHECK_OK(mproc_shared_array_acquire(self->object, check_limit_ms()));
    CHECK_OK(mproc_shared_array_release(self->object));
}

static void case_array_of_no_items_is_one(void)
{
    mproc_shared_array *array = NULL;
    peer_crowd crowd;
    double number = 1;
    int i;

    crowd_init(&crowd);
    for (i = 0; i < 2; i++) {
        CHECK_OK(mproc_shared_array_create(sizeof number, 0, i == 0 ? NULL : &number, NULL, &array));
        crowd_add(&crowd, 1, finds_no_items, array);
        crowd_join(&crowd);
        CHECK_OK(mproc_shared_array_set(array, 0, 0, &number));
        CHECK_SAYS(mproc_shared_array_get(array, 0, 1, &number), MPROC_INVALID, "there are 0");
        CHECK_STATUS(mproc_shared_array_set(array, 1, 0, &number), MPROC_INVALID);
        mproc_shared_array_free(array);
    }
    crowd_fini(&crowd);
}

/* ---- refused ------------------------------------------------------------------------------------ */

static void case_slices_that_are_not_all_in_the_array_are_refused(void)
{
    const size_t slices[][2] = {{0, 11},
                                {1, 10},
                                {9, 2},
                                {10, 1},
                                {11, 0},
                                {11, 1},
                                {SIZE_MAX, 0},
                                {SIZE_MAX, 1},
                                {1, SIZE_MAX},
                                {0, SIZE_MAX},
                                {5, SIZE_MAX},
                                {SIZE_MAX, SIZE_MAX},
                                {SIZE_MAX - 3, 4},
                                {SIZE_MAX / 4 + 1, 4},
                                {0, SIZE_MAX / 4 + 2}};
    mproc_shared_array *array = create(NULL);
    int32_t item = 7;
    size_t i;

    for (i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        CHECK_SAYS(mproc_shared_array_get(array, slices[i][0], slices[i][1], &item), MPROC_INVALID, "there are 10");
        CHECK_SAYS(mproc_shared_array_set(array, slices[i][0], slices[i][1], &item), MPROC_INVALID, "there are 10");
    }
    CHECK_EQ(item, 7);
    check_items(array, numbers);
    CHECK_OK(mproc_shared_array_get(array, COUNT, 0, &item));
    CHECK_OK(mproc_shared_array_set(array, 3, 0, NULL));
    CHECK_SAYS(mproc_shared_array_get(array, 3, 1, NULL), MPROC_INVALID, "no address");
    CHECK_SAYS(mproc_shared_array_set(array, 0, COUNT, NULL), MPROC_INVALID, "no address");
    check_items(array, numbers);
    mproc_shared_array_free(array);
}

static void case_create_needs_a_size_and_a_place(void)
{
    mproc_shared_array *array = NULL;

    CHECK_SAYS(mproc_shared_array_create(4, 1, NULL, NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_shared_array_create(0, 5, NULL, NULL, &array), MPROC_INVALID, "0 bytes");
    CHECK_STATUS(mproc_shared_array_create(0, 0, NULL, NULL, &array), MPROC_INVALID);
    CHECK(array == NULL);
    mproc_shared_array_free(NULL);
}

static void case_numbers_that_no_memory_has_are_refused(void)
{
    const size_t sizes[][2] = {
        {SIZE_MAX, SIZE_MAX},  {1, SIZE_MAX},         {SIZE_MAX, 1},      {(size_t)1 << 33, (size_t)1 << 33},
        {2, SIZE_MAX / 2 + 2}, {8, SIZE_MAX / 8 + 1}, {8, SIZE_MAX / 16}, {SIZE_MAX / 2, 1},
        {1, SIZE_MAX / 2 - 64}};
    mproc_shared_array *array = NULL;
    uint64_t blocks = peers_blocks();
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK_SAYS(mproc_shared_array_create(sizes[i][0], sizes[i][1], NULL, i % 2 ? &raw : NULL, &array),
                   MPROC_NO_MEMORY, " bytes");
        CHECK_STATUS(mproc_shared_array_create(sizes[i][0], sizes[i][1], "not so long", NULL, &array),
                     MPROC_NO_MEMORY);
    }
    CHECK(array == NULL);
    CHECK_EQ(peers_blocks(), blocks);
}

/* An array of the whole arena has no place beside what lies there already. */
static void case_array_as_large_as_the_arena_is_refused(void)
{
    mproc_shared_array *array = NULL;
    uint64_t blocks = peers_blocks();

    CHECK_SAYS(mproc_shared_array_create(1, (size_t)arena_header->reserve, NULL, NULL, &array), MPROC_NO_MEMORY,
               "all that the family can share");
    CHECK(array == NULL);
    CHECK_EQ(peers_blocks(), blocks);
}

CHECK_TWINS(shared_array, peers_of_processes, shared_array_threads, peers_of_threads,
    CASE(array_has_its_items_and_slices_of_them),
    CASE(array_without_a_beginning_is_zero_though_memory_is_reused),
    CASE(another_sums_in_place),
    CASE(all_write_items_of_their_own),
    CASE(array_of_no_items_is_one),
    CASE(slices_that_are_not_all_in_the_array_are_refused),
    CASE(create_needs_a_size_and_a_place),
    CASE(numbers_that_no_memory_has_are_refused),
    CASE(array_as_large_as_the_arena_is_refused),
);
