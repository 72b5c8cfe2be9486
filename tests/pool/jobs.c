/* mproc/pool.h: several jobs of one pool at once: maps beside maps, and beside tasks. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/job.h"
#include "pool/waiting_fixture.h"

/* ---- maps in threads of their own ------------------------------------------------------------- */

/* Has begun, and ends when it may. */
/* The first item stays, the others are squared. */
static mproc_status first_stays(const void *item, void *result, mproc_call *call)
{
    if (((const fixture_item *)item)->value == 0) return fixture_stay(item, result, call);
    *(int64_t *)result = ((const fixture_item *)item)->value * ((const fixture_item *)item)->value;
    atomic_fetch_add(&fixture_board_at(((const fixture_item *)item)->board)->count, 1);
    return MPROC_OK;
}

/* ---- none waits for another ------------------------------------------------------------------- */

static void case_a_map_beside_one_with_a_stuck_item_ends(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map stuck;

    fixture_map_begin(&stuck, pool, first_stays, board, 500);
    CHECK_AWAIT(&board->count, 499);
    for (int i = 0; i < 20; i++) fixture_check_squares(pool, 1000, (size_t)i % 3);
    fixture_check_squares(pool, 300000, 0); /* more than one window */
    atomic_store(&board->go, 1);
    fixture_map_end_whole(&stuck);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Arrays in shared memory are used in place. */
static void case_a_map_over_shared_arrays_beside_one_with_a_stuck_item_ends(void)
{
    enum { COUNT = 500 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    mproc_shared_array *array, *numbers;
    fixture_map stuck = {.pool = pool, .function = first_stays, .count = COUNT, .options.chunk_size = 1};
    int64_t *values;

    CHECK_OK(mproc_shared_array_create(sizeof *items, COUNT, items, NULL, &array));
    CHECK_OK(mproc_shared_array_create(sizeof *values, 2 * COUNT, NULL, NULL, &numbers));
    stuck.items = mproc_shared_array_data(array);
    values = mproc_shared_array_data(numbers);
    for (int i = 0; i < COUNT; i++) values[i] = i;
    fixture_map_start(&stuck);
    CHECK_AWAIT(&board->count, COUNT - 1);
    for (int round = 0; round < 20; round++) {
        memset(values + COUNT, 0, COUNT * sizeof *values);
        CHECK_OK(mproc_map(pool, fixture_square, values, values + COUNT, COUNT, NULL));
        for (int i = 0; i < COUNT; i++) CHECK_EQ(values[COUNT + i], i * i);
    }
    atomic_store(&board->go, 1);
    fixture_map_join(&stuck);
    CHECK_STATUS(stuck.status, MPROC_OK);
    fixture_map_free(&stuck);
    mproc_shared_array_free(array);
    mproc_shared_array_free(numbers);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* A number that changes when a map is given up. */
static uint64_t given_up(mproc_pool *pool)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < POOL_JOBS; i++) {
        const struct pool_job *job = pool_job_at(pool->shared, i);
        if (job) sum += atomic_load(&job->map.given_up[0]) + atomic_load(&job->map.given_up[1]);
    }
    return sum;
}

struct given_up {
    mproc_pool *pool;
    uint64_t before;
};

static bool one_is_given_up(void *context)
{
    const struct given_up *own = context;

    return given_up(own->pool) != own->before;
}

/* What is stuck goes on in its worker; the other one does the next map. */
static void case_the_map_after_an_interrupted_one_with_a_stuck_item_runs_at_once(void)
{
    mproc_pool *pool = waiting_pool(2, MPROC_FOREVER);
    fixture_board *board = fixture_board_create();
    struct given_up before;
    fixture_map stuck;

    for (int round = 0; round < 3; round++) {
        atomic_store(&board->go, 0);
        atomic_store(&board->count, 0);
        fixture_map_begin(&stuck, pool, first_stays, board, 500);
        CHECK_AWAIT(&board->count, 499);
        before = (struct given_up){pool, given_up(pool)};
        mproc_interrupt();
        CHECK_WAIT_UNTIL(one_is_given_up, &before);
        CHECK(mproc_interrupted());
        if (!fixture_is_threads()) fixture_map_join(&stuck); /* what is in the caller's arrays is waited for */
        fixture_check_squares(pool, 1000, 1);
        fixture_check_squares(pool, 1000, 0);
        tasks_check_pool(pool);
        atomic_store(&board->go, 1);
        if (fixture_is_threads()) fixture_map_join(&stuck);
        CHECK_AWAIT(&board->done, (uint32_t)round + 1);
        CHECK_STATUS(stuck.status, MPROC_INTERRUPTED);
        for (int i = 1; i < 500; i++) CHECK_STATUS(stuck.options.statuses[i], MPROC_OK);
        free(stuck.items);
        fixture_map_free(&stuck);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_maps_and_tasks_beside_a_stuck_task_end(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 9);

    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < 20; i++) {
        fixture_check_squares(pool, 1000, (size_t)i % 3);
        tasks_check_pool(pool);
    }
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 9);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_tasks_beside_a_map_with_a_stuck_item_end(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map stuck;

    fixture_map_begin(&stuck, pool, first_stays, board, 10);
    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < 20; i++) tasks_check_pool(pool);
    atomic_store(&board->go, 1);
    fixture_map_end_whole(&stuck);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- one worker for all ----------------------------------------------------------------------- */

enum { ENDLESS = 100000 };

/* Takes its time: many of them do not end within a case. */
static mproc_status item_takes_time(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    atomic_fetch_add(&fixture_board_at(((const fixture_item *)item)->board)->started, 1);
    check_pause_ms(1);
    return MPROC_OK;
}

static mproc_status task_takes_time(mproc_call *call)
{
    int64_t number;

    atomic_fetch_add(&tasks_arguments(call, &number)->started, 1);
    check_pause_ms(1);
    return MPROC_OK;
}

static void case_a_task_and_a_map_do_not_wait_for_the_end_of_a_map(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    fixture_map endless;

    fixture_map_begin(&endless, pool, item_takes_time, board, ENDLESS);
    CHECK_AWAIT(&board->started, 3);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 3), NULL));
        fixture_check_squares(pool, 10, 1);
    }
    mproc_pool_terminate(pool);
    fixture_map_end(&endless);
    CHECK_STATUS(endless.status, MPROC_TERMINATED);
    CHECK(atomic_load(&board->started) < ENDLESS);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* The first item stays; the second one says how many tasks were done before it. */
static mproc_status tells_what_was_done(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    if (own->value == 0) return fixture_stay(item, result, call);
    *(int64_t *)result = atomic_load(&fixture_board_at(own->board)->count);
    return MPROC_OK;
}

/* It has worked for the map for longer than one job may, when that chunk ends. */
static void case_a_worker_leaves_a_map_for_a_task_after_the_chunk_that_it_is_in(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result;
    fixture_map map;

    for (int round = 0; round < 3; round++) {
        atomic_store(&board->go, 0);
        atomic_store(&board->count, 0);
        fixture_map_begin(&map, pool, tells_what_was_done, board, 2);
        CHECK_AWAIT(&board->started, (uint32_t)round + 1);
        result = tasks_submit(pool, tasks_count, board, 1);
        check_pause_ms(1);
        atomic_store(&board->go, 1);
        fixture_map_join(&map);
        CHECK_OK(map.status);
        CHECK_EQ(map.results[1], 1);
        CHECK_EQ(tasks_take_int(result), 1);
        free(map.items);
        fixture_map_free(&map);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_map_does_not_wait_for_the_end_of_all_tasks(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < ENDLESS / 10; i++)
        CHECK_OK(
            mproc_pool_apply_async(pool, task_takes_time, MPROC_ARGS(fixture_board_offset(board), i), NULL, NULL));
    CHECK_AWAIT(&board->started, 3);
    for (int i = 0; i < 5; i++) fixture_check_squares(pool, 10, 1);
    mproc_pool_terminate(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK(atomic_load(&board->started) < ENDLESS / 10);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- each has its own ------------------------------------------------------------------------- */

static mproc_status fails_at_its_end(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    int64_t which;

    MPROC_TRY(mproc_unpack(call, &which));
    *(int64_t *)result = own->value * which;
    if (own->value == 90) return mproc_error((mproc_status)(MPROC_USER + which), "map %d fails", (int)which);
    return MPROC_OK;
}

static void case_each_map_has_its_own_arguments_results_and_failure(void)
{
    enum { COUNT = 100, AT_ONCE = 8 };
    mproc_pool *pool = fixture_create(2);
    fixture_map maps[AT_ONCE];
    char text[32];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < AT_ONCE; i++) {
            maps[i] = (fixture_map){
                .pool = pool, .function = fails_at_its_end, .items = fixture_items(NULL, COUNT), .count = COUNT};
            maps[i].options.chunk_size = (size_t)(round + 1);
            CHECK_OK(mproc_value_copy(MPROC_LIST(i), &maps[i].options.args));
            fixture_map_start(&maps[i]);
        }
        for (int i = 0; i < AT_ONCE; i++) {
            fixture_map_join(&maps[i]);
            CHECK_STATUS(maps[i].status, MPROC_USER + i);
            snprintf(text, sizeof text, "map %d fails", i);
            CHECK_CONTAINS(maps[i].text, text);
            for (int j = 0; j < 90; j++) CHECK_EQ(maps[i].results[j], j * i);
            mproc_value_clear(&maps[i].options.args);
            free(maps[i].items);
            fixture_map_free(&maps[i]);
        }
    }
    mproc_pool_free(pool);
}

/* ---- one is lost ------------------------------------------------------------------------------ */

/* Its worker ends with one item or one task; the items and tasks of all others are done. */
static void case_a_lost_worker_costs_one_of_the_jobs_one_item(void)
{
    enum { COUNT = 200 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map losing, staying;
    mproc_result *results[COUNT];

    fixture_map_begin(&staying, pool, fixture_stay, board, 20);
    for (int i = 0; i < COUNT; i++) results[i] = tasks_submit(pool, tasks_square, board, i);
    fixture_map_begin(&losing, pool, fixture_end_at_5, board, COUNT);
    atomic_store(&board->go, 1);
    fixture_map_join(&losing);
    CHECK_STATUS(losing.status, MPROC_WORKER_LOST);
    for (int i = 0; i < COUNT; i++) CHECK_STATUS(losing.options.statuses[i], i == 5 ? MPROC_WORKER_LOST : MPROC_OK);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
    fixture_map_end_whole(&staying);
    free(losing.items);
    fixture_map_free(&losing);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_jobs, fixture_of_processes, pool_jobs_threads, fixture_of_threads,
    CASE(a_map_beside_one_with_a_stuck_item_ends),
    CASE(a_map_over_shared_arrays_beside_one_with_a_stuck_item_ends),
    CASE(the_map_after_an_interrupted_one_with_a_stuck_item_runs_at_once),
    CASE(maps_and_tasks_beside_a_stuck_task_end),
    CASE(tasks_beside_a_map_with_a_stuck_item_end),
    CASE(a_task_and_a_map_do_not_wait_for_the_end_of_a_map),
    CASE(a_worker_leaves_a_map_for_a_task_after_the_chunk_that_it_is_in),
    CASE(a_map_does_not_wait_for_the_end_of_all_tasks),
    CASE(each_map_has_its_own_arguments_results_and_failure),
    CASE(a_lost_worker_costs_one_of_the_jobs_one_item),
);
