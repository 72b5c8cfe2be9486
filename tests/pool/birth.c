/* mproc/pool.h: workers that end before they have begun, beside others that work. */
#include <stdlib.h>

#include "crew.h"
#include "pool/pool.h"

static bool starts_no_more(void *context)
{
    mproc_pool *pool = context;
    mproc_status broken;

    plat_mutex_lock(&pool->mutex);
    broken = pool->broken;
    plat_mutex_unlock(&pool->mutex);
    return broken != MPROC_OK;
}

static void check_only_one_is_lost(const crew_map *map)
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
    mproc_pool *pool = crew_create(3);
    crew_board *board = crew_board_create();
    crew_map map = {.pool = pool, .function = crew_sit, .items = crew_items(40), .count = 40};

    map.options.chunk_size = 1;
    crew_map_start(&map);
    crew_await(&board->started, 3);
    CHECK_OK(mproc_set_executable(CREW_NO_GUARD));
    os_kill((int64_t)atomic_load(&board->marks[1]));
    CHECK_WAIT_UNTIL(starts_no_more, pool);
    check_pause_ms(20); /* the caller of map has been woken, and must not have given up */
    atomic_store(&board->go, 1000);
    crew_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(map.text, "while it computed");
    check_only_one_is_lost(&map);
    crew_check_squares(pool, 1000, 1); /* by two */
    CHECK_OK(mproc_set_executable(NULL));
    crew_check_squares(pool, 1000, 1);
    free(map.items);
    crew_map_free(&map);
    crew_board_drop();
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_birth, crew_of_processes,
    CASE(successors_that_cannot_begin_do_not_stop_the_others),
);
