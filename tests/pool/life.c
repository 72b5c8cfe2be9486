/* mproc/pool.h: close, join, terminate, free; interrupts; several maps and pools at once. */
#include <stdlib.h>

#include "pool_fixture.h"

/* Has begun; ends when it may. */
static mproc_status wait_for_go(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    *(int64_t *)result = own->value;
    return MPROC_OK;
}

/* Counts itself and takes its time: a map of many of them does not end within a case. */
static mproc_status take_time(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    atomic_fetch_add(&fixture_board_at(own->board)->started, 1);
    check_pause_ms(2);
    *(int64_t *)result = own->value;
    return MPROC_OK;
}

enum { ENDLESS = 100000 };

/* ---- close and join --------------------------------------------------------------------------- */

static void case_map_is_refused_after_close(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t value = 3, square = 0;

    fixture_check_squares(pool, 100, 0);
    mproc_pool_close(pool);
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, &value, 8, &square, 8, 1, NULL), MPROC_CLOSED, "was closed");
    CHECK_EQ(square, 0);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, &value, 8, &square, 8, 1, NULL), MPROC_CLOSED, "was closed");
    mproc_pool_free(pool);
}

static void case_map_is_refused_after_terminate(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t value = 3, square = 0;

    mproc_pool_terminate(pool);
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, &value, 8, &square, 8, 1, NULL), MPROC_CLOSED, "terminated");
    CHECK_EQ(square, 0);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

static void case_join_needs_close_or_terminate(void)
{
    mproc_pool *pool = fixture_create(2);

    CHECK_REFUSED(mproc_pool_join(pool, MPROC_FOREVER), MPROC_BAD_STATE, "close or terminate it");
    CHECK_REFUSED(mproc_pool_join(pool, 0), MPROC_BAD_STATE, "close or terminate it");
    fixture_check_squares(pool, 100, 0);
    mproc_pool_free(pool);
}

static void case_join_waits_for_the_workers_end(void)
{
    mproc_pool *pool = fixture_create(3);

    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    if (!fixture_is_threads()) CHECK_EQ(mproc_pool_pids(pool, NULL, 0), 0);
    CHECK_OK(mproc_pool_join(pool, 0));
    CHECK_REFUSED(mproc_pool_join(pool, -1), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_REFUSED(mproc_pool_join(pool, INT64_MIN), MPROC_INVALID, "MPROC_FOREVER");
    mproc_pool_free(pool);
}

static void start_waiting_map(fixture_map *map, mproc_pool *pool, fixture_board *board, size_t count)
{
    *map = (fixture_map){.pool = pool, .function = wait_for_go, .items = fixture_items(board, count), .count = count};
    fixture_map_start(map);
    CHECK_AWAIT(&board->started, 1);
}

static void case_join_times_out_while_a_worker_works(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_waiting_map(&map, pool, board, 4);
    mproc_pool_close(pool);
    CHECK_REFUSED(mproc_pool_join(pool, 0), MPROC_TIMEOUT, "still run");
    CHECK_REFUSED(mproc_pool_join(pool, -5), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_REFUSED(mproc_pool_join(pool, 30), MPROC_TIMEOUT, "2 workers of the pool still run");
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_map_end(&map);
    CHECK_OK(map.status);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* What was begun is done, all of it, also what lies in windows that were not open yet. */
static void case_close_lets_a_map_finish(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_waiting_map(&map, pool, board, 300000);
    mproc_pool_close(pool);
    mproc_pool_close(pool);
    atomic_store(&board->go, 1);
    fixture_map_end(&map);
    CHECK_OK(map.status);
    CHECK_EQ(atomic_load(&board->started), 300000);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void join_closed(void *pool)
{
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
}

static void case_join_may_be_called_by_several_threads(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    plat_thread *threads[4];
    fixture_map map;

    start_waiting_map(&map, pool, board, 2);
    mproc_pool_close(pool);
    for (int i = 0; i < 4; i++) CHECK_OK(plat_thread_start(join_closed, pool, &threads[i]));
    check_pause_ms(5);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 4; i++) plat_thread_join(threads[i]);
    fixture_map_end(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- terminate and free ----------------------------------------------------------------------- */

static void start_endless_map(fixture_map *map, mproc_pool *pool, fixture_board *board)
{
    *map =
        (fixture_map){.pool = pool, .function = take_time, .items = fixture_items(board, ENDLESS), .count = ENDLESS};
    map->options.chunk_size = 2;
    fixture_map_start(map);
    CHECK_AWAIT(&board->started, 20);
}

static void check_cut_short(const fixture_map *map, const fixture_board *board, mproc_status status)
{
    CHECK_STATUS(map->status, status);
    CHECK(atomic_load(&board->started) < ENDLESS);
    for (int i = 0; i < ENDLESS; i++)
        if (map->options.statuses[i] == MPROC_OK) CHECK_EQ(map->results[i], i);
        else CHECK_EQ(map->options.statuses[i], status);
}

static void case_terminate_ends_a_map(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_endless_map(&map, pool, board);
    mproc_pool_terminate(pool);
    fixture_map_join(&map);
    CHECK_CONTAINS(map.text, "was terminated");
    check_cut_short(&map, board, MPROC_TERMINATED);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_terminate(pool);
    mproc_pool_close(pool);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* At whatever point of the map it comes. */
static void case_terminate_ends_a_map_at_any_time(void)
{
    fixture_board *board = fixture_board_create();
    for (int i = 0; i < 40; i++) {
        mproc_pool *pool = fixture_create(2);
        fixture_map map = {.pool = pool, .function = take_time, .items = fixture_items(board, 5000), .count = 5000};

        map.options.chunk_size = 1;
        fixture_map_start(&map);
        if (i % 4 > 0) check_pause_ms(i % 4 - 1);
        mproc_pool_terminate(pool);
        fixture_map_end(&map);
        CHECK(map.status == MPROC_TERMINATED || map.status == MPROC_CLOSED);
        mproc_pool_free(pool);
    }
    fixture_board_free(board);
}

static void case_terminate_does_not_wait_for_work(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_waiting_map(&map, pool, board, 2);
    mproc_pool_terminate(pool);
    /* Threads cannot be ended: they go on to the end of what they are in. */
    if (fixture_is_threads()) {
        CHECK_REFUSED(mproc_pool_join(pool, 20), MPROC_TIMEOUT, "still run");
        atomic_store(&board->go, 1);
    }
    fixture_map_end(&map);
    if (!fixture_is_threads() || map.status != MPROC_OK) CHECK_STATUS(map.status, MPROC_TERMINATED);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_free_ends_a_pool_that_runs(void)
{
    for (int i = 0; i < 20; i++) {
        mproc_pool *pool = fixture_create(4);
        if (i % 2) fixture_check_squares(pool, 1000, 0);
        mproc_pool_free(pool);
    }
}

static void case_free_takes_null(void)
{
    mproc_pool_free(NULL);
}

static void case_free_follows_close_and_terminate(void)
{
    mproc_pool *pool = fixture_create(3);

    mproc_pool_close(pool);
    mproc_pool_free(pool);
    pool = fixture_create(3);
    mproc_pool_terminate(pool);
    mproc_pool_free(pool);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void case_interrupt_ends_a_map_and_the_pool_goes_on(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_endless_map(&map, pool, board);
    mproc_interrupt();
    fixture_map_join(&map);
    CHECK_CONTAINS(map.text, "was interrupted");
    check_cut_short(&map, board, MPROC_INTERRUPTED);
    /* This thread was interrupted, too, and learns of it at its own next wait. */
    CHECK(mproc_interrupted());
    for (int i = 0; i < 5; i++) fixture_check_squares(pool, 100000, 3);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* What was begun goes on in the workers, but not into the next map's results. Each map has a board of its own. */
static void case_map_after_an_interrupt_has_its_own_results(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *boards[5];

    for (int i = 0; i < 5; i++) {
        fixture_map map = {.pool = pool, .function = take_time, .count = 5000};

        boards[i] = fixture_board_create();
        map.items = fixture_items(boards[i], map.count);
        map.options.chunk_size = 10;
        fixture_map_start(&map);
        CHECK_AWAIT(&boards[i]->started, 1);
        mproc_interrupt();
        fixture_map_end(&map);
        CHECK_STATUS(map.status, MPROC_INTERRUPTED);
        CHECK(mproc_interrupted());
        fixture_check_squares(pool, 5000, 1);
    }
    mproc_pool_free(pool);
    for (int i = 0; i < 5; i++) fixture_board_free(boards[i]);
}

static void case_join_is_interrupted(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_waiting_map(&map, pool, board, 2);
    mproc_pool_close(pool);
    mproc_interrupt();
    CHECK_REFUSED(mproc_pool_join(pool, MPROC_FOREVER), MPROC_INTERRUPTED, "was interrupted");
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_map_end(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- several at once -------------------------------------------------------------------------- */

static void map_squares(void *pool)
{
    for (size_t i = 0; i < 30; i++) fixture_check_squares(pool, 1 + i * 700, i % 4);
}

static void case_threads_map_on_one_pool(void)
{
    mproc_pool *pool = fixture_create(3);
    plat_thread *threads[4];

    for (int i = 0; i < 4; i++) CHECK_OK(plat_thread_start(map_squares, pool, &threads[i]));
    map_squares(pool);
    for (int i = 0; i < 4; i++) plat_thread_join(threads[i]);
    mproc_pool_free(pool);
}

static void case_pools_work_side_by_side(void)
{
    mproc_pool *pools[3] = {fixture_create(2), fixture_create(3), fixture_create(1)};
    plat_thread *threads[3];

    for (int i = 0; i < 3; i++) CHECK_OK(plat_thread_start(map_squares, pools[i], &threads[i]));
    for (int i = 0; i < 3; i++) plat_thread_join(threads[i]);
    for (int i = 0; i < 3; i++) mproc_pool_free(pools[i]);
}

static void case_processes_and_threads_work_side_by_side(void)
{
    mproc_pool *ours = fixture_create(2);
    mproc_pool *others;

    CHECK_OK(mproc_pool_create(
        &(mproc_pool_options){.workers = 2, .kind = fixture_is_threads() ? MPROC_PROCESSES : MPROC_THREADS},
        &others));
    for (int i = 0; i < 10; i++) {
        fixture_check_squares(ours, 3000, 0);
        fixture_check_squares(others, 3000, 0);
    }
    mproc_pool_free(others);
    mproc_pool_free(ours);
}

/* Item n is the sum of the squares below n, by a pool of the worker's own. */
static mproc_status sum_with_a_pool(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;
    mproc_pool *pool;
    int64_t numbers[100], squares[100], sum = 0;
    mproc_status status;

    (void)call;
    for (int i = 0; i < 100; i++) numbers[i] = i;
    MPROC_TRY(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    status = mproc_pool_map(pool, fixture_square, numbers, 8, squares, 8, (size_t)*value, NULL);
    for (int i = 0; i < *value; i++) sum += squares[i];
    *(int64_t *)result = sum;
    mproc_pool_free(pool);
    return status;
}

static void case_workers_have_pools_of_their_own(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t values[6] = {1, 2, 3, 10, 50, 100}, sums[6];

    CHECK_OK(mproc_pool_map(pool, sum_with_a_pool, values, 8, sums, 8, 6, NULL));
    for (int i = 0; i < 6; i++) CHECK_EQ(sums[i], (values[i] - 1) * values[i] * (2 * values[i] - 1) / 6);
    mproc_pool_free(pool);
}

/* ---- pids ------------------------------------------------------------------------------------- */

static mproc_status tell_pid(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)call;
    check_pause_ms(1);
    *(int64_t *)result = mproc_getpid();
    return MPROC_OK;
}

static bool is_among(int64_t pid, const int64_t *pids, size_t count)
{
    while (count > 0)
        if (pids[--count] == pid) return true;
    return false;
}

static void case_pids_are_those_of_the_workers(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t pids[4] = {-1, -1, -1, -1};
    int64_t told[50];

    CHECK_EQ(mproc_pool_workers(pool), 3);
    CHECK_EQ(mproc_pool_pids(pool, NULL, 0), 3);
    CHECK_EQ(mproc_pool_pids(pool, pids, 1), 3);
    CHECK_EQ(pids[1], -1);
    CHECK_EQ(mproc_pool_pids(pool, pids, 4), 3);
    CHECK_EQ(pids[3], -1);
    CHECK_OK(mproc_pool_map(pool, tell_pid, NULL, 0, told, sizeof told[0], 50, NULL));
    for (int i = 0; i < 50; i++) CHECK(is_among(told[i], pids, 3));
    for (int i = 0; i < 3; i++) CHECK_EQ(pids[i] == mproc_getpid(), fixture_is_threads());
    mproc_pool_free(pool);
}

static mproc_status tell_name(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)call;
    strncpy(result, mproc_process_name(mproc_current_process()), 31);
    return mproc_process_daemon(mproc_current_process()) ? MPROC_OK : mproc_error(MPROC_USER, "no daemon");
}

static void case_worker_processes_are_daemons_with_names(void)
{
    mproc_pool *pool = fixture_create(1);
    char name[32] = "";

    CHECK_OK(mproc_pool_map(pool, tell_name, NULL, 0, name, sizeof name, 1, NULL));
    CHECK_STRING(name, "PoolWorker-1");
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_life, fixture_of_processes, pool_life_threads, fixture_of_threads,
    CASE(map_is_refused_after_close),
    CASE(map_is_refused_after_terminate),
    CASE(join_needs_close_or_terminate),
    CASE(join_waits_for_the_workers_end),
    CASE(join_times_out_while_a_worker_works),
    CASE(close_lets_a_map_finish),
    CASE(join_may_be_called_by_several_threads),
    CASE(terminate_ends_a_map),
    CASE(terminate_ends_a_map_at_any_time),
    CASE(terminate_does_not_wait_for_work),
    CASE(free_ends_a_pool_that_runs),
    CASE(free_takes_null),
    CASE(free_follows_close_and_terminate),
    CASE(interrupt_ends_a_map_and_the_pool_goes_on),
    CASE_LIMIT(map_after_an_interrupt_has_its_own_results, 40),
    CASE(join_is_interrupted),
    CASE_LIMIT(threads_map_on_one_pool, 40),
    CASE_LIMIT(pools_work_side_by_side, 40),
    CASE(pids_are_those_of_the_workers),
);

CHECK_SUITE_SETUP(pool_life_in_processes, fixture_of_processes,
    CASE(processes_and_threads_work_side_by_side),
    CASE(workers_have_pools_of_their_own),
    CASE(worker_processes_are_daemons_with_names),
);
