/* mproc/pool.h: more maps at once than a pool has places for. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"
#include "pool/job.h"

/* ---- maps in threads of their own ------------------------------------------------------------- */

/* Has begun, and ends when it may. */
/* ---- a place for each ------------------------------------------------------------------------- */

/* One place is the tasks'. */
enum { PLACES = POOL_JOBS - 1, MORE = 7, MAPS = PLACES + MORE };

static uint32_t places_used(mproc_pool *pool)
{
    uint32_t count = 0;

    plat_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < POOL_JOBS; i++) count += i != POOL_TASKS && pool->jobs[i] && pool->jobs[i]->used;
    plat_mutex_unlock(&pool->mutex);
    return count;
}

static bool all_places_are_used(void *pool)
{
    return places_used(pool) == PLACES;
}

/* `context` points to a pool and how many are to wait. */
struct wanted {
    mproc_pool *pool;
    uint32_t count;
};

static bool so_many_wait(void *context)
{
    const struct wanted *wanted = context;

    return atomic_load(&wanted->pool->jobs_wanted) == wanted->count;
}

/* Takes all places; the maps end when the board says go. */
static void take_all_places(fixture_map *maps, mproc_pool *pool, fixture_board *board)
{
    for (int i = 0; i < PLACES; i++) fixture_map_begin(&maps[i], pool, fixture_stay, board, 1);
    CHECK_WAIT_UNTIL(all_places_are_used, pool);
}

/* One more, which waits for a place. */
static void start_one_more(fixture_map *map, mproc_pool *pool, fixture_board *board, uint32_t count)
{
    struct wanted wanted = {pool, count};

    fixture_map_begin(map, pool, fixture_stay, board, 1);
    CHECK_WAIT_UNTIL(so_many_wait, &wanted);
}

static void case_more_maps_at_once_than_there_are_places_are_all_done(void)
{
    static fixture_map maps[MAPS];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    take_all_places(maps, pool, board);
    for (int i = PLACES; i < MAPS; i++) start_one_more(&maps[i], pool, board, (uint32_t)(i - PLACES + 1));
    atomic_store(&board->go, 1);
    for (int i = 0; i < MAPS; i++) fixture_map_end_whole(&maps[i]);
    fixture_check_squares(pool, 1000, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* It is refused as any other, and does not wait for those that have a place. */
static void case_a_map_that_waits_for_a_place_meets_a_closed_pool(void)
{
    static fixture_map maps[PLACES + 1];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    take_all_places(maps, pool, board);
    start_one_more(&maps[PLACES], pool, board, 1);
    mproc_pool_close(pool);
    fixture_map_end(&maps[PLACES]);
    CHECK_STATUS(maps[PLACES].status, MPROC_CLOSED);
    CHECK_CONTAINS(maps[PLACES].text, "the pool was closed");
    atomic_store(&board->go, 1);
    for (int i = 0; i < PLACES; i++) fixture_map_end_whole(&maps[i]);
    CHECK_EQ(atomic_load(&board->started), PLACES);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_map_that_waits_for_a_place_meets_a_terminated_pool(void)
{
    static fixture_map maps[PLACES + 1];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    take_all_places(maps, pool, board);
    start_one_more(&maps[PLACES], pool, board, 1);
    mproc_pool_terminate(pool);
    atomic_store(&board->go, 1);
    fixture_map_end(&maps[PLACES]);
    CHECK_STATUS(maps[PLACES].status, MPROC_CLOSED);
    for (int i = 0; i < PLACES; i++) {
        fixture_map_end(&maps[i]);
        CHECK(maps[i].status == MPROC_TERMINATED || (fixture_is_threads() && maps[i].status == MPROC_OK));
    }
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* The places are taken without maps, which would be interrupted as well. */
static void case_interrupt_ends_the_wait_for_a_place(void)
{
    mproc_pool *pool = fixture_create(2);
    struct job *jobs[PLACES];
    int64_t number = 3, square = -1;
    mproc_status item_status;

    for (int i = 0; i < PLACES; i++) CHECK_OK(job_take(pool, false, &jobs[i]));
    mproc_interrupt();
    CHECK_REFUSED(
        mproc_map(pool, fixture_square, &number, &square, 1, &(mproc_map_options){.statuses = &item_status}),
        MPROC_INTERRUPTED, "interrupted");
    CHECK_STATUS(item_status, MPROC_INTERRUPTED);
    CHECK_EQ(atomic_load(&pool->jobs_wanted), 0);
    tasks_check_pool(pool);
    for (int i = 0; i < PLACES; i++) job_put(pool, jobs[i]);
    fixture_check_squares(pool, 1000, 1);
    mproc_pool_free(pool);
}

/* All workers have an item that stays, and many maps wait for them. */
static void case_tasks_need_no_place_of_a_map(void)
{
    static fixture_map maps[PLACES];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[20];

    take_all_places(maps, pool, board);
    for (int i = 0; i < 20; i++) results[i] = tasks_submit(pool, tasks_square, board, i);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 20; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
    for (int i = 0; i < PLACES; i++) fixture_map_end_whole(&maps[i]);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_places_are_used_again(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 300; i++) {
        fixture_check_squares(pool, 10, 1);
        if (i % 50 == 49) tasks_check_pool(pool);
    }
    CHECK_EQ(places_used(pool), 0);
    CHECK(pool->jobs[POOL_TASKS > 1 ? 1 : 2] == NULL);
    mproc_pool_free(pool);
}

/* Whether tasks seem to wait, while this item is run. */
static mproc_status look_for_tasks(const void *item, void *result, mproc_call *call)
{
    uint64_t shared;

    (void)item;
    CHECK_OK(mproc_unpack(call, &shared));
    *(uint64_t *)result = atomic_load(&((struct pool_shared *)arena_at(shared))->active) >> POOL_TASKS & 1;
    return MPROC_OK;
}

/* They would look at the clock after each chunk, and leave the map again and again. */
static void case_workers_of_a_map_are_not_called_away_to_tasks_that_are_over(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_map_options options = {.chunk_size = 1, .args = MPROC_ARGS(arena_offset(pool->shared))};
    int64_t number = 0;
    uint64_t called;

    for (int i = 0; i < 200; i++) {
        CHECK_OK(mproc_pool_apply(pool, tasks_echo, mproc_no_args(), NULL));
        CHECK_OK(mproc_map(pool, look_for_tasks, &number, &called, 1, &options));
        CHECK_EQ(called, 0);
    }
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_places, fixture_of_processes, pool_places_threads, fixture_of_threads,
    CASE(more_maps_at_once_than_there_are_places_are_all_done),
    CASE(a_map_that_waits_for_a_place_meets_a_closed_pool),
    CASE(a_map_that_waits_for_a_place_meets_a_terminated_pool),
    CASE(interrupt_ends_the_wait_for_a_place),
    CASE(tasks_need_no_place_of_a_map),
    CASE(places_are_used_again),
    CASE(workers_of_a_map_are_not_called_away_to_tasks_that_are_over),
);
