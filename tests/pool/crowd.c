/* mproc/pool.h: many workers, and many pools; when they are gone, nothing of them is left. */
#include <stdlib.h>

#include "pool/numbers_fixture.h"

/* ---- many workers ------------------------------------------------------------------------------- */

typedef struct load {
    mproc_pool *pool;
    void (*run)(mproc_pool *pool);
    plat_thread *thread;
} load;

static void run_load(void *context)
{
    const load *self = context;

    self->run(self->pool);
}

static void sum_squares(mproc_pool *pool)
{
    mproc_result *results[1000];
    int64_t sum = 0;

    for (int i = 0; i < 1000; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    for (int i = 0; i < 1000; i++) sum += tasks_take_int(results[i]);
    CHECK_EQ(sum, 332833500);
}

static void map_squares(mproc_pool *pool)
{
    for (size_t i = 0; i < 8; i++) fixture_check_squares(pool, 2000, i % 4);
}

static void iterate(mproc_pool *pool, bool unordered)
{
    numbers_source source = {.count = 1000};
    mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, unordered, 0);
    int64_t sum = 0;

    for (int64_t i = 0; i < 1000; i++) {
        int64_t square = numbers_take(iterator);
        if (!unordered) CHECK_EQ(square, i * i);
        source.taken++;
        sum += square;
    }
    CHECK_EQ(sum, 332833500);
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
}

static void iterate_in_order(mproc_pool *pool)
{
    iterate(pool, false);
}

static void iterate_in_any_order(mproc_pool *pool)
{
    iterate(pool, true);
}

static void (*const loads[])(mproc_pool *) = {sum_squares, map_squares, iterate_in_order, iterate_in_any_order,
                                              map_squares};

enum { LOADS = sizeof loads / sizeof loads[0] };

/* By a thread each. */
static void run_all_at_once(mproc_pool *pool)
{
    load running[LOADS];

    for (int i = 0; i < LOADS; i++) {
        running[i] = (load){.pool = pool, .run = loads[i]};
        CHECK_OK(plat_thread_start(run_load, &running[i], &running[i].thread));
    }
    for (int i = 0; i < LOADS; i++) plat_thread_join(running[i].thread);
}

/* While the workers are being started, and when all are there. */
static void case_two_hundred_workers_have_tasks_maps_and_iterators_at_once(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(check_many(200, 24));

    run_all_at_once(pool);
    fixture_await_workers(pool);
    run_all_at_once(pool);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
}

/* ---- many maps that nobody waits for ------------------------------------------------------------ */

/* More than run beside each other. */
static void start_many_maps(mproc_pool *pool)
{
    enum { MAPS = 80, COUNT = 100 };
    int64_t(*squares)[COUNT] = calloc(MAPS, sizeof *squares);
    int64_t numbers[COUNT];
    mproc_result *results[MAPS];

    CHECK(squares != NULL);
    for (int i = 0; i < COUNT; i++) numbers[i] = i;
    for (int i = 0; i < MAPS; i++) {
        squares[i][0] = -1;
        CHECK_OK(mproc_map_async(pool, fixture_square, numbers, squares[i], COUNT, NULL, &results[i]));
    }
    CHECK_OK(mproc_result_wait_many(results, MAPS, MPROC_WAIT_ALL, MPROC_FOREVER));
    for (int i = 0; i < MAPS; i++) {
        CHECK(mproc_result_successful(results[i]));
        for (int j = 0; j < COUNT; j++) CHECK_EQ(squares[i][j], j * j);
        mproc_result_free(results[i]);
    }
    free(squares);
}

static void case_more_maps_than_there_are_places_are_done_though_nobody_waits(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 3; i++) start_many_maps(pool);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
}

/* ---- many pools --------------------------------------------------------------------------------- */

static void case_pools_one_after_the_other_leave_nothing(void)
{
    uint64_t blocks = tasks_blocks_without_pools();

    for (int i = 0; i < check_many(40, 12); i++) {
        mproc_pool *pool = fixture_create(1 + i % 3);
        if (i % 4 != 0) sum_squares(pool);
        if (i % 4 == 2) map_squares(pool);
        if (i % 4 == 3) iterate(pool, true);
        if (i % 5 == 1) mproc_pool_terminate(pool);
        if (i % 5 == 2) mproc_pool_close(pool);
        mproc_pool_free(pool);
        tasks_await_blocks(blocks);
    }
}

static void case_twenty_pools_at_once_have_their_own_work_each(void)
{
    enum { POOLS = 20 };
    uint64_t blocks = tasks_blocks_without_pools();
    load running[POOLS];

    for (int i = 0; i < POOLS; i++) {
        running[i] = (load){.pool = fixture_create(1 + i % 2), .run = loads[i % LOADS]};
        CHECK_OK(plat_thread_start(run_load, &running[i], &running[i].thread));
    }
    for (int i = 0; i < POOLS; i++) plat_thread_join(running[i].thread);
    for (int i = 0; i < POOLS; i++) mproc_pool_free(running[i].pool);
    tasks_await_blocks(blocks);
}

CHECK_TWINS(pool_crowd, fixture_of_processes, pool_crowd_threads, fixture_of_threads,
    CASE_LIMIT(two_hundred_workers_have_tasks_maps_and_iterators_at_once, 60),
    CASE(more_maps_than_there_are_places_are_done_though_nobody_waits),
    CASE(pools_one_after_the_other_leave_nothing),
    CASE(twenty_pools_at_once_have_their_own_work_each),
);
