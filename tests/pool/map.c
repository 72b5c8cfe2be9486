/* mproc/pool.h: mproc_pool_map(), of processes and of threads. */
#include <stdio.h>
#include <stdlib.h>

#include "pool_fixture.h"

/* ---- counts and chunks ------------------------------------------------------------------------ */

static void case_maps_nothing(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t value = 1;

    CHECK_OK(mproc_pool_map(pool, fixture_fail_always, NULL, 0, NULL, 0, 0, NULL));
    CHECK_OK(mproc_pool_map(pool, fixture_fail_always, NULL, sizeof value, NULL, sizeof value, 0, NULL));
    CHECK_OK(mproc_pool_map(pool, fixture_fail_always, &value, sizeof value, &value, sizeof value, 0, NULL));
    CHECK_EQ(value, 1);
    fixture_check_squares(pool, 10, 0);
    mproc_pool_free(pool);
}

static void case_maps_one_item(void)
{
    mproc_pool *pool = fixture_create(2);

    fixture_check_squares(pool, 1, 0);
    fixture_check_squares(pool, 1, 1);
    fixture_check_squares(pool, 1, 7);
    mproc_pool_free(pool);
}

static void case_maps_few_items_on_many_workers(void)
{
    mproc_pool *pool = fixture_create(8);

    for (size_t count = 2; count < 20; count++) fixture_check_squares(pool, count, 0);
    mproc_pool_free(pool);
}

static void case_maps_a_million_items(void)
{
    mproc_pool *pool = fixture_create(3);

    fixture_check_squares(pool, 1000000, 0);
    fixture_check_squares(pool, 1000000, 7);
    fixture_check_squares(pool, 1000000, 1);
    mproc_pool_free(pool);
}

static void case_takes_chunks_of_any_size(void)
{
    static const size_t sizes[] = {0, 1, 2, 7, 49, 99, 100, 101, 1000000, (size_t)1 << 40, (size_t)INT64_MAX};
    mproc_pool *pool = fixture_create(4);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) fixture_check_squares(pool, 100, sizes[i]);
    mproc_pool_free(pool);
}

/* Each map leaves its chunk words behind for the next one, which has fewer or more of them. */
static void case_maps_of_all_shapes_follow_each_other(void)
{
    static const size_t counts[] = {1, 70000, 3, 200, 131072, 64, 9000, 2};
    mproc_pool *pool = fixture_create(4);

    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) fixture_check_squares(pool, counts[i], i % 3);
    mproc_pool_free(pool);
}

static void case_maps_a_thousand_times(void)
{
    mproc_pool *pool = fixture_create(3);

    for (int i = 0; i < 1000; i++) fixture_check_squares(pool, 20, 1);
    mproc_pool_free(pool);
}

/* Counts its calls, and keeps the largest range. */
static mproc_status count_ranges(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)items)->board);
    uint32_t most = atomic_load(&board->most);

    (void)first;
    (void)results;
    (void)call;
    atomic_fetch_add(&board->count, 1);
    while (most < count && !atomic_compare_exchange_weak(&board->most, &most, (uint32_t)count)) {
    }
    return MPROC_OK;
}

static void check_ranges(int workers, size_t count, size_t chunk_size, uint32_t ranges, uint32_t most)
{
    mproc_pool *pool = fixture_create(workers);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, count);

    CHECK_OK(mproc_pool_map_range(pool, count_ranges, items, sizeof *items, NULL, 0, count,
                                  &(mproc_map_options){.chunk_size = chunk_size}));
    CHECK_EQ(atomic_load(&board->count), ranges);
    CHECK_EQ(atomic_load(&board->most), most);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_default_chunk_is_a_small_part_of_a_workers_share(void)
{
    check_ranges(4, 4000, 0, 125, 32);
    check_ranges(1, 100, 0, 25, 4);
    check_ranges(4, 128, 0, 128, 1);
    check_ranges(4, 129, 0, 65, 2);
    check_ranges(4, 3, 0, 3, 1);
}

static void case_chunk_is_as_large_as_asked(void)
{
    check_ranges(2, 100, 10, 10, 10);
    check_ranges(2, 100, 1, 100, 1);
    check_ranges(2, 100, 24, 5, 24);
}

static void case_chunk_of_threads_has_no_limit(void)
{
    check_ranges(2, 4000, 4000, 1, 4000);
    check_ranges(2, 4000, 5000, 1, 4000);
    check_ranges(2, 4000, 3999, 2, 3999);
}

static void case_chunk_of_processes_is_at_most_its_part_of_a_window(void)
{
    check_ranges(2, 100, 100, 4, 25);
    check_ranges(2, 100, SIZE_MAX / 2, 4, 25);
}

/* ---- ranges and order ------------------------------------------------------------------------- */

static mproc_status mark_range(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    const fixture_item *own = items;
    int64_t *numbers = results;

    (void)call;
    for (size_t i = 0; i < count; i++) {
        if (own[i].value != (int64_t)(first + i))
            return mproc_error(MPROC_USER, "item %zu is %lld", first + i, (long long)own[i].value);
        atomic_fetch_add(&fixture_board_at(own->board)->marks[first + i], 1);
        numbers[i] = -own[i].value;
    }
    return MPROC_OK;
}

static void case_ranges_cover_the_array_exactly_once(void)
{
    static const size_t chunks[] = {0, 1, 3, 64, 1000, BOARD_MARKS};
    static int64_t numbers[BOARD_MARKS];
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, BOARD_MARKS);

    for (uint32_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        memset(numbers, 1, sizeof numbers);
        CHECK_OK(mproc_pool_map_range(pool, mark_range, items, sizeof *items, numbers, sizeof numbers[0], BOARD_MARKS,
                                      &(mproc_map_options){.chunk_size = chunks[i]}));
        fixture_check_marks(board, BOARD_MARKS, i + 1);
        for (size_t k = 0; k < BOARD_MARKS; k++) CHECK_EQ(numbers[k], -(int64_t)k);
    }
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* The first items are the last to be ready. */
static mproc_status hurry_at_the_end(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;

    (void)call;
    check_pause_ms((int)(20 - *value) / 2);
    *(int64_t *)result = *value + 1000;
    return MPROC_OK;
}

static void case_results_keep_the_order_of_the_items(void)
{
    mproc_pool *pool = fixture_create(4);
    int64_t values[20];
    int64_t results[20];

    for (int i = 0; i < 20; i++) values[i] = i;
    CHECK_OK(mproc_pool_map(pool, hurry_at_the_end, values, sizeof values[0], results, sizeof results[0], 20, NULL));
    for (int i = 0; i < 20; i++) CHECK_EQ(results[i], 1000 + i);
    mproc_pool_free(pool);
}

/* Waits until all of the map's items have begun: each worker has just one of them. */
static mproc_status meet(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->started, atomic_load(&board->go));
    *(int64_t *)result = own->value;
    return MPROC_OK;
}

static void meet_all(mproc_pool *pool, fixture_board *board, const fixture_item *items, uint32_t count)
{
    int64_t results[200];

    atomic_store(&board->started, 0);
    atomic_store(&board->go, count);
    CHECK_OK(mproc_pool_map(pool, meet, items, sizeof *items, results, sizeof results[0], count,
                            &(mproc_map_options){.chunk_size = 1}));
    for (uint32_t i = 0; i < count; i++) CHECK_EQ(results[i], i);
}

/* Also after maps that did not need all of them, and from which some were left asleep. */
static void case_all_workers_work_at_once(void)
{
    mproc_pool *pool = fixture_create(8);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, 8);

    for (int round = 0; round < 50; round++)
        for (uint32_t count = 1; count <= 8; count += count > 2 ? 5 : 1) {
            if (round % 10 == 0) check_pause_ms(5);
            meet_all(pool, board, items, count);
        }
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- the seed --------------------------------------------------------------------------------- */

/* As a user writes it first: the sum of the squares below 1000. */
static void sum_of_squares(mproc_pool *pool)
{
    int64_t values[1000];
    int64_t squares[1000];
    int64_t sum = 0;

    for (int i = 0; i < 1000; i++) values[i] = i;
    CHECK_OK(mproc_pool_map(pool, fixture_square, values, sizeof values[0], squares, sizeof squares[0], 1000, NULL));
    for (int i = 0; i < 1000; i++) sum += squares[i];
    CHECK_EQ(sum, 332833500);
    mproc_pool_free(pool);
}

static void case_one_worker_does_it_all(void)
{
    sum_of_squares(fixture_create(1));
}

/* More in any case than Windows waits for at once. */
static void case_many_workers_share_the_work(void)
{
    int count = check_many(200, 70);
    mproc_pool *pool = fixture_create(count);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, count);

    CHECK_EQ(mproc_pool_workers(pool), count);
    meet_all(pool, board, items, count);
    free(items);
    fixture_board_free(board);
    sum_of_squares(pool);
}

static void case_default_is_a_worker_for_each_cpu(void)
{
    mproc_pool *pool = fixture_create(0);

    CHECK_EQ(mproc_pool_workers(pool), mproc_cpu_count());
    sum_of_squares(pool);
}

static void case_default_options_make_processes(void)
{
    mproc_pool *pool;
    int64_t pids[1];

    CHECK_OK(mproc_pool_create(NULL, &pool));
    CHECK_EQ(mproc_pool_workers(pool), mproc_cpu_count());
    CHECK_EQ(mproc_pool_pids(pool, pids, 1), mproc_cpu_count());
    CHECK(pids[0] != mproc_getpid());
    sum_of_squares(pool);
}

CHECK_TWINS(map, fixture_of_processes, map_threads, fixture_of_threads,
    CASE(maps_nothing),
    CASE(maps_one_item),
    CASE(maps_few_items_on_many_workers),
    CASE_LIMIT(maps_a_million_items, 60),
    CASE(takes_chunks_of_any_size),
    CASE(maps_of_all_shapes_follow_each_other),
    CASE(maps_a_thousand_times),
    CASE(default_chunk_is_a_small_part_of_a_workers_share),
    CASE(chunk_is_as_large_as_asked),
    CASE(ranges_cover_the_array_exactly_once),
    CASE(results_keep_the_order_of_the_items),
    CASE(all_workers_work_at_once),
    CASE(one_worker_does_it_all),
    CASE_LIMIT(many_workers_share_the_work, 60),
    CASE(default_is_a_worker_for_each_cpu),
);

CHECK_SUITE_SETUP(map_processes_only, fixture_of_processes,
    CASE(chunk_of_processes_is_at_most_its_part_of_a_window),
    CASE(default_options_make_processes),
);

CHECK_SUITE_SETUP(map_threads_only, fixture_of_threads,
    CASE(chunk_of_threads_has_no_limit),
);
