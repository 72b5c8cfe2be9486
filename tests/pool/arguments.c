/* Arguments for every call of a map's function, of processes and of threads. */
#include <stdio.h>
#include <stdlib.h>

#include "pool_fixture.h"

static mproc_status scale(const void *item, void *result, mproc_call *call)
{
    int64_t factor;
    const char *name;

    MPROC_TRY(mproc_unpack(call, &factor, &name));
    CHECK_STRING(name, "a name that is longer than a cell");
    *(int64_t *)result = *(const int64_t *)item * factor;
    return MPROC_OK;
}

static void check_scales(mproc_pool *pool, int64_t factor, size_t count)
{
    int64_t *numbers = calloc(2 * count, sizeof *numbers), *results = numbers + count;
    mproc_map_options options = {.args = MPROC_ARGS(factor, "a name that is longer than a cell")};

    CHECK(numbers != NULL);
    for (size_t i = 0; i < count; i++) numbers[i] = (int64_t)i;
    CHECK_OK(mproc_pool_map(pool, scale, numbers, sizeof *numbers, results, sizeof *results, count, &options));
    for (size_t i = 0; i < count; i++) CHECK_EQ(results[i], (int64_t)i * factor);
    free(numbers);
}

static void case_each_map_has_its_own_arguments(void)
{
    mproc_pool *pool = fixture_create(3);

    for (int64_t factor = 1; factor <= 40; factor++) check_scales(pool, factor, 50);
    check_scales(pool, 7, 500000);
    fixture_check_squares(pool, 100, 0);
    check_scales(pool, 9, 50);
    mproc_pool_free(pool);
}

static mproc_status sum_with(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    mproc_value table;

    MPROC_TRY(mproc_unpack(call, &table));
    for (size_t i = 0; i < count; i++)
        ((int64_t *)results)[i] = ((const int64_t *)items)[i] +
                                  mproc_value_int(mproc_value_at(table, (first + i) % mproc_value_count(table)));
    return MPROC_OK;
}

static void case_range_functions_have_them_too(void)
{
    int64_t numbers[1000], results[1000];
    mproc_map_options options = {.chunk_size = 13, .args = MPROC_ARGS(MPROC_LIST(10, 20, 30))};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 1000; i++) numbers[i] = i;
    CHECK_OK(
        mproc_pool_map_range(pool, sum_with, numbers, sizeof numbers[0], results, sizeof results[0], 1000, &options));
    for (int i = 0; i < 1000; i++) CHECK_EQ(results[i], i + 10 + 10 * (i % 3));
    mproc_pool_free(pool);
}

static mproc_status wants_a_number(const void *item, void *result, mproc_call *call)
{
    int number;

    (void)item;
    (void)result;
    return mproc_unpack(call, &number);
}

static void case_wrong_arguments_fail_the_items(void)
{
    mproc_map_options options = {.args = MPROC_ARGS("a text")};
    char items[3] = {0};
    mproc_pool *pool = fixture_create(2);

    CHECK_REFUSED(mproc_pool_map(pool, wants_a_number, items, 1, NULL, 0, 3, &options), MPROC_INVALID,
                  "is a string, the function wants an int32_t");
    CHECK_REFUSED(mproc_pool_map(pool, wants_a_number, items, 1, NULL, 0, 3, NULL), MPROC_INVALID,
                  "was given 0 arguments, its function wants 1");
    mproc_pool_free(pool);
}

static void case_arguments_that_cannot_be_are_refused(void)
{
    mproc_map_options options = {.args = MPROC_ARGS(1, "caf\xE9")};
    char items[3] = {0};
    mproc_pool *pool = fixture_create(2);

    CHECK_REFUSED(mproc_pool_map(pool, fixture_fail_always, items, 1, NULL, 0, 3, &options), MPROC_INVALID,
                  "argument 2 of 'map': a string is not UTF-8");
    options.args = mproc_int(1);
    CHECK_REFUSED(mproc_pool_map(pool, fixture_fail_always, items, 1, NULL, 0, 3, &options), MPROC_INVALID,
                  "MPROC_ARGS");
    check_scales(pool, 3, 50);
    mproc_pool_free(pool);
}

/* Reads its arguments again when the map that they belong to may long be over. */
static mproc_status reads_late(const void *item, void *result, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)item)->board);
    const char *text;

    (void)result;
    MPROC_TRY(mproc_unpack(call, &text));
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    CHECK_STRING(text, "these stay for whoever is late");
    atomic_fetch_add(&board->count, 1);
    return MPROC_OK;
}

static void case_arguments_stay_for_a_worker_that_is_late(void)
{
    fixture_board *board = fixture_board_create();
    fixture_map map = {
        .pool = fixture_create(1), .function = reads_late, .items = fixture_items(board, 4), .count = 4};

    map.options.chunk_size = 1;
    map.options.args = MPROC_ARGS("these stay for whoever is late");
    fixture_map_start(&map);
    CHECK_AWAIT(&board->started, 1);
    mproc_interrupt();
    if (fixture_is_threads()) atomic_store(&board->go, 1); /* the map waits for those who are in its arrays */
    fixture_map_join(&map);
    /* A worker thread that goes on may be through before the map has seen that it is interrupted. */
    CHECK(map.status == MPROC_INTERRUPTED || (fixture_is_threads() && map.status == MPROC_OK));
    atomic_store(&board->go, 1);
    mproc_interrupted();
    check_scales(map.pool, 5, 50);
    CHECK_EQ(atomic_load(&board->count), atomic_load(&board->started));
    mproc_pool_free(map.pool);
    fixture_map_free(&map);
    free(map.items);
    fixture_board_free(board);
}

CHECK_TWINS(map_args_processes, fixture_of_processes, map_args_threads, fixture_of_threads,
    CASE(each_map_has_its_own_arguments),
    CASE(range_functions_have_them_too),
    CASE(wrong_arguments_fail_the_items),
    CASE(arguments_that_cannot_be_are_refused),
    CASE(arguments_stay_for_a_worker_that_is_late),
);
