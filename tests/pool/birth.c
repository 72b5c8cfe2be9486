/* mproc/pool.h: workers that end before they have begun, beside others that work. */
#include <stdlib.h>

#include "pool_fixture.h"
#include "pool/pool.h"

static bool starts_no_more(void *context)
{
    mproc_pool *pool = context;
    bool broken;

    plat_mutex_lock(&pool->mutex);
    broken = pool->broken;
    plat_mutex_unlock(&pool->mutex);
    return broken;
}

static void check_only_one_is_lost(const fixture_map *map)
{
    int lost = 0;

    for (size_t i = 0; i < map->count; i++) {
        if (map->options.statuses[i] == MPROC_WORKER_LOST) lost++;
        else CHECK_STATUS(map->options.statuses[i], MPROC_OK);
    }
    CHECK_EQ(lost, 1);
}

/* Successors of the killed one are another program, which ends at once; the pool gives up to start more. */
static void case_successors_that_cannot_begin_do_not_stop_the_others(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_map map = {.pool = pool, .function = fixture_sit, .items = fixture_items(board, 40), .count = 40};

    map.options.chunk_size = 1;
    fixture_map_start(&map);
    CHECK_AWAIT(&board->started, 3);
    CHECK_OK(mproc_set_executable(POOL_NO_GUARD));
    os_kill((int64_t)atomic_load(&board->marks[1]));
    CHECK_WAIT_UNTIL(starts_no_more, pool);
    check_pause_ms(20); /* the caller of map has been woken, and must not have given up */
    atomic_store(&board->go, 1000);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(map.text, "while it computed");
    check_only_one_is_lost(&map);
    fixture_check_squares(pool, 1000, 1); /* by two */
    CHECK_OK(mproc_set_executable(NULL));
    fixture_check_squares(pool, 1000, 1);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* That program has one of its own. */
static void case_workers_with_another_copy_of_the_library_are_told_apart(void)
{
    mproc_pool *pool;
    int64_t items[2] = {0}, results[2];
    mproc_map_options options = {.chunk_size = 1};

    CHECK_OK(mproc_set_executable(POOL_NO_GUARD));
    pool = fixture_create(2);
    for (int i = 0; i < 2; i++) {
        CHECK_REFUSED(mproc_map(pool, fixture_square, items, results, 2, &options), MPROC_MISMATCH,
                      "could not join its family");
        CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-");
    }
    CHECK_OK(mproc_set_executable(NULL));
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_birth, fixture_of_processes,
    CASE(workers_with_another_copy_of_the_library_are_told_apart),
    CASE(successors_that_cannot_begin_do_not_stop_the_others),
);
