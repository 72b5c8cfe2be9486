/* mproc/pool.h: items and results of all sizes. */
#include <stdio.h>
#include <stdlib.h>

#include "pool_fixture.h"

static void transform(const unsigned char *item, unsigned char *result, size_t size)
{
    for (size_t i = 0; i < size; i++) result[i] = (unsigned char)(item[i] ^ (i * 7 + 1));
}

/* The largest power of two that divides the size, up to 64. */
static bool is_aligned(const void *address, size_t size)
{
    size_t alignment = 1;

    while (alignment < 64 && size % (2 * alignment) == 0) alignment *= 2;
    return (uintptr_t)address % alignment == 0;
}

static mproc_status transform_aligned(const void *item, void *result, size_t size)
{
    if (!is_aligned(item, size)) return mproc_error(MPROC_USER, "an item of %zu bytes at %p", size, item);
    if (!is_aligned(result, size)) return mproc_error(MPROC_USER, "a result of %zu bytes at %p", size, result);
    transform(item, result, size);
    return MPROC_OK;
}

enum { MIB = 1024 * 1024 };

static mproc_status transform_1(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, 1);
}

static mproc_status transform_3(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, 3);
}

static mproc_status transform_8(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, 8);
}

static mproc_status transform_24(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, 24);
}

static mproc_status transform_4096(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, 4096);
}

static mproc_status transform_mib(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return transform_aligned(item, result, MIB);
}

static unsigned char *align(unsigned char *bytes)
{
    return (unsigned char *)(((uintptr_t)bytes + 63) & ~(uintptr_t)63);
}

/* Both arrays begin at multiples of 64, which is what threads, who work in them, can build on. */
static void check_size(mproc_pool *pool, mproc_item_function *function, size_t size, size_t count, size_t chunk)
{
    unsigned char *in = malloc(size * count + 64);
    unsigned char *out = calloc(size * count + 128, 1);
    unsigned char *expected = malloc(size);
    unsigned char *items = align(in);
    unsigned char *results = align(out);

    CHECK(in != NULL && out != NULL && expected != NULL);
    for (size_t i = 0; i < size * count; i++) items[i] = (unsigned char)(i * 31 + i / 251);
    results[size * count] = 99;
    CHECK_OK(
        mproc_pool_map(pool, function, items, size, results, size, count, &(mproc_map_options){.chunk_size = chunk}));
    for (size_t i = 0; i < count; i++) {
        transform(items + i * size, expected, size);
        if (memcmp(results + i * size, expected, size) == 0) continue;
        check_fail(__FILE__, __LINE__, "item %zu of %zu, of %zu bytes, is wrong", i, count, size);
    }
    CHECK_EQ(results[size * count], 99);
    free(expected);
    free(out);
    free(in);
}

static void case_items_have_any_size(void)
{
    mproc_pool *pool = fixture_create(3);

    check_size(pool, transform_1, 1, 300000, 0);
    check_size(pool, transform_3, 3, 100001, 0);
    check_size(pool, transform_8, 8, 50000, 7);
    check_size(pool, transform_24, 24, 20000, 1);
    check_size(pool, transform_4096, 4096, 700, 0);
    check_size(pool, transform_3, 3, 1, 0);
    mproc_pool_free(pool);
}

static void case_items_are_larger_than_a_window(void)
{
    mproc_pool *pool = fixture_create(3);

    check_size(pool, transform_mib, MIB, 1, 0);
    check_size(pool, transform_mib, MIB, 11, 0);
    check_size(pool, transform_mib, MIB, 11, 4);
    mproc_pool_free(pool);
}

/* Puts a mark for the item on the board. */
static mproc_status mark(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    if (result != NULL) return mproc_error(MPROC_USER, "there is a place for a result of no bytes");
    atomic_fetch_add(&fixture_board_at(own->board)->marks[own->value], 1);
    return MPROC_OK;
}

static void case_results_may_have_no_bytes(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, BOARD_MARKS);

    for (uint32_t round = 1; round <= 5; round++) {
        CHECK_OK(mproc_pool_map(pool, mark, items, sizeof *items, NULL, 0, BOARD_MARKS,
                                &(mproc_map_options){.chunk_size = round}));
        fixture_check_marks(board, BOARD_MARKS, round);
    }
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status count_up(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    uint64_t *numbers = results;

    (void)call;
    if (items != NULL) return mproc_error(MPROC_USER, "there are items of no bytes");
    for (size_t i = 0; i < count; i++) numbers[i] = first + i;
    return MPROC_OK;
}

static void case_inputs_may_have_no_bytes(void)
{
    enum { COUNT = 300000 };
    mproc_pool *pool = fixture_create(3);
    uint64_t *numbers = calloc(COUNT, sizeof *numbers);

    CHECK(numbers != NULL);
    CHECK_OK(mproc_pool_map_range(pool, count_up, NULL, 0, numbers, sizeof *numbers, COUNT, NULL));
    for (size_t i = 0; i < COUNT; i++) CHECK_EQ(numbers[i], i);
    free(numbers);
    mproc_pool_free(pool);
}

static mproc_status give_nine(const void *item, void *result, mproc_call *call)
{
    (void)call;
    if (item != NULL) return mproc_error(MPROC_USER, "there is an item of no bytes");
    *(unsigned char *)result = 9;
    return MPROC_OK;
}

static mproc_status give_nothing(const void *item, void *result, mproc_call *call)
{
    (void)call;
    return item == NULL && result == NULL ? MPROC_OK : mproc_error(MPROC_USER, "there is something");
}

static void case_functions_without_input_or_result_are_called(void)
{
    mproc_pool *pool = fixture_create(2);
    unsigned char nines[50] = {0};

    CHECK_OK(mproc_pool_map(pool, give_nine, NULL, 0, nines, 1, sizeof nines, NULL));
    for (size_t i = 0; i < sizeof nines; i++) CHECK_EQ(nines[i], 9);
    CHECK_OK(mproc_pool_map(pool, give_nothing, NULL, 0, NULL, 0, 1000, NULL));
    CHECK_STATUS(mproc_pool_map(pool, fixture_fail_always, NULL, 0, NULL, 0, 1000, NULL), MPROC_USER);
    mproc_pool_free(pool);
}

/* ---- sizes that nobody writes ------------------------------------------------------------------- */

typedef struct pair {
    int64_t value;
    int64_t negative;
} pair;

static mproc_status make_pair(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(pair *)result = (pair){*(const int16_t *)item, -*(const int16_t *)item};
    return MPROC_OK;
}

static mproc_status make_pairs(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    (void)first;
    for (size_t i = 0; i < count; i++) MPROC_TRY(make_pair((const int16_t *)items + i, (pair *)results + i, call));
    return MPROC_OK;
}

static void case_a_map_takes_the_sizes_from_the_arrays(void)
{
    static const int16_t values[5] = {3, -1, 4, -1, 5};
    pair pairs[5], ranges[5];
    pair *there = ranges;
    mproc_pool *pool = fixture_create(2);

    CHECK_OK(mproc_map(pool, make_pair, values, pairs, 5, NULL));
    CHECK_OK(mproc_map_range(pool, make_pairs, &values[0], there, 5,
                             &(mproc_map_options){.chunk_size = 2, .args = MPROC_ARGS(1, 2)}));
    for (int i = 0; i < 5; i++) {
        CHECK(pairs[i].value == values[i] && pairs[i].negative == -values[i]);
        CHECK(ranges[i].value == values[i] && ranges[i].negative == -values[i]);
    }
    CHECK_OK(mproc_map(pool, give_nothing, NULL, NULL, 5, NULL));
    CHECK_STATUS(mproc_map(pool, make_pair, (const void *)values, pairs, 5, NULL), MPROC_INVALID);
    mproc_pool_free(pool);
}

CHECK_TWINS(map_sizes, fixture_of_processes, map_sizes_threads, fixture_of_threads,
    CASE_LIMIT(items_have_any_size, 60),
    CASE_LIMIT(items_are_larger_than_a_window, 60),
    CASE(results_may_have_no_bytes),
    CASE(inputs_may_have_no_bytes),
    CASE(functions_without_input_or_result_are_called),
    CASE(a_map_takes_the_sizes_from_the_arrays),
);
