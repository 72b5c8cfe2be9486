/* mproc/pool.h: pools whose number of workers changes. */
#include "pool/tasks_fixture.h"

static mproc_pool *create(mproc_pool_options options)
{
    mproc_pool *pool = NULL;

    options.kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES;
    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

static mproc_pool *create_up_to(int workers, int most)
{
    return create((mproc_pool_options){.workers = workers, .workers_max = most});
}

static int64_t running(const mproc_pool *pool)
{
    return (int64_t)mproc_pool_pids(pool, NULL, 0);
}

static bool so_many_run(void *context)
{
    const mproc_pool *pool = context;

    return running(pool) == mproc_pool_workers(pool);
}

static void end(mproc_pool *pool)
{
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

static void case_more_workers_are_there_at_once(void)
{
    mproc_pool *pool = create_up_to(1, 3);
    fixture_board *board = fixture_board_create();
    mproc_result *results[3];

    CHECK_EQ(running(pool), 1);
    for (int i = 0; i < 3; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_pool_resize(pool, 3));
    CHECK_EQ(running(pool), 3);
    CHECK_EQ(mproc_pool_workers(pool), 3);
    CHECK_AWAIT(&board->started, 3);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 3; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    fixture_check_squares(pool, 1000, 1);
    fixture_board_free(board);
    end(pool);
}

/* None is taken from the task that it is in, nor from what it has reserved. */
static void case_fewer_workers_finish_what_they_are_in(void)
{
    mproc_pool *pool = create_up_to(3, 0);
    fixture_board *board = fixture_board_create();
    mproc_result *results[10];

    for (int i = 0; i < 10; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 3);
    CHECK_OK(mproc_pool_resize(pool, 1));
    CHECK_EQ(mproc_pool_workers(pool), 1);
    CHECK_EQ(running(pool), 3);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 10; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    CHECK_WAIT_UNTIL(so_many_run, pool);
    tasks_check_pool(pool);
    fixture_check_squares(pool, 1000, 1);
    CHECK_EQ(running(pool), 1);
    fixture_board_free(board);
    end(pool);
}

static void case_workers_without_work_end_when_there_are_to_be_fewer(void)
{
    mproc_pool *pool = create_up_to(4, 0);

    fixture_check_squares(pool, 1000, 1);
    for (int i = 3; i > 0; i--) {
        CHECK_OK(mproc_pool_resize(pool, i));
        CHECK_WAIT_UNTIL(so_many_run, pool);
        fixture_check_squares(pool, 1000, 1);
    }
    CHECK_OK(mproc_pool_resize(pool, 4));
    CHECK_WAIT_UNTIL(so_many_run, pool);
    fixture_check_squares(pool, 1000, 1);
    end(pool);
}

static mproc_status count_and_square(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    atomic_fetch_add(&fixture_board_at(own->board)->marks[own->value], 1);
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

/* Each item is done once, and each task. */
static void case_maps_and_tasks_go_on_while_the_number_changes(void)
{
    enum { ITEMS = BOARD_MARKS, TASKS = 20 };
    mproc_pool *pool = create_up_to(2, 4);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];
    fixture_map map;

    for (int round = 1; round <= check_many(8, 3); round++) {
        fixture_map_begin(&map, pool, count_and_square, board, ITEMS);
        for (int i = 0; i < TASKS; i++) {
            results[i] = tasks_submit(pool, tasks_square, NULL, i);
            CHECK_OK(mproc_pool_resize(pool, 1 + (round + 3 * i) % 4));
        }
        for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
        fixture_map_end_whole(&map);
        fixture_check_marks(board, ITEMS, (uint32_t)round);
    }
    fixture_board_free(board);
    end(pool);
}

static void case_a_lazy_pool_that_grows_starts_workers_for_what_waits(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 1, .workers_max = 4, .lazy = true});
    fixture_board *board = fixture_board_create();
    mproc_result *results[2];

    CHECK_OK(mproc_pool_resize(pool, 2));
    CHECK_EQ(running(pool), 0);
    CHECK_OK(mproc_pool_resize(pool, 1));
    for (int i = 0; i < 2; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_EQ(running(pool), 1);
    CHECK_OK(mproc_pool_resize(pool, 4));
    CHECK_EQ(running(pool), 2);
    CHECK_AWAIT(&board->started, 2);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 2; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    fixture_board_free(board);
    end(pool);
}

static void case_a_pool_may_have_room_for_thousands(void)
{
    mproc_pool *pool = create_up_to(2, 4096);
    fixture_board *board = fixture_board_create();
    mproc_result *results[3];

    tasks_check_pool(pool);
    fixture_check_squares(pool, 1000, 1);
    CHECK_OK(mproc_pool_resize(pool, 3));
    for (int i = 0; i < 3; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 3);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 3; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    fixture_check_squares(pool, 1000, 1);
    fixture_board_free(board);
    end(pool);
}

/* All that are there are above the number: others are started for what they leave. */
static void case_all_workers_are_above_the_number(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 3, .lazy = true, .idle_timeout_ms = 1});
    fixture_board *board = fixture_board_create();
    mproc_result *result;

    for (int round = 0; round < 10; round++) {
        CHECK_OK(mproc_pool_resize(pool, 3));
        for (int i = 0; i < 3; i++) mproc_result_free(tasks_submit(pool, tasks_count, board, i));
        CHECK_OK(mproc_pool_resize(pool, 1));
        result = tasks_submit(pool, tasks_square, NULL, round);
        CHECK_EQ(tasks_take_int(result), round * round);
    }
    CHECK_AWAIT(&board->count, 30);
    fixture_board_free(board);
    end(pool);
}

static void case_a_number_that_cannot_be_is_refused(void)
{
    mproc_pool *pool = create_up_to(2, 3);

    CHECK_REFUSED(mproc_pool_resize(pool, 0), MPROC_INVALID, "a pool of 0 workers: 1 to 3");
    CHECK_REFUSED(mproc_pool_resize(pool, -1), MPROC_INVALID, "1 to 3");
    CHECK_REFUSED(mproc_pool_resize(pool, 4), MPROC_INVALID, "workers_max");
    CHECK_EQ(mproc_pool_workers(pool), 2);
    mproc_pool_close(pool);
    CHECK_STATUS(mproc_pool_resize(pool, 3), MPROC_CLOSED);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
    pool = NULL;
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 3, .workers_max = 2}, &pool), MPROC_INVALID,
                  "at most 2 workers of a pool of 3");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers_max = 4097}, &pool), MPROC_INVALID, "up to 4096");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers_max = -1}, &pool), MPROC_INVALID, "at most -1");
    CHECK(pool == NULL);
    pool = create_up_to(0, 1);
    CHECK_EQ(mproc_pool_workers(pool), 1);
    end(pool);
}

/* ---- processes ------------------------------------------------------------------------------------- */

static void case_a_worker_above_the_number_that_is_killed_has_no_successor(void)
{
    mproc_pool *pool = create_up_to(2, 0);
    fixture_board *board = fixture_board_create();
    mproc_result *results[2];
    mproc_worker_statistics one;

    for (int i = 0; i < 2; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 2);
    CHECK_OK(mproc_pool_resize(pool, 1));
    CHECK_OK(mproc_pool_worker_statistics(pool, 1, &one));
    os_kill(one.pid);
    CHECK_WAIT_UNTIL(so_many_run, pool);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 2; i++) CHECK_OK(mproc_result_wait(results[i], check_limit_ms()));
    CHECK_EQ(mproc_result_successful(results[0]) + mproc_result_successful(results[1]), 1);
    for (int i = 0; i < 2; i++) mproc_result_free(results[i]);
    tasks_check_pool(pool);
    CHECK_OK(mproc_pool_worker_statistics(pool, 1, &one));
    CHECK_EQ(one.starts, 1);
    fixture_board_free(board);
    end(pool);
}

static void case_the_number_stays_when_no_more_can_be_started(void)
{
    mproc_pool *pool = create_up_to(1, 3);

    tasks_check_pool(pool);
    CHECK_OK(mproc_set_executable("/there/is/no/such/program"));
    CHECK(mproc_pool_resize(pool, 3) != MPROC_OK);
    CHECK_CONTAINS(mproc_last_error_text(), "cannot be started");
    CHECK_EQ(mproc_pool_workers(pool), 1);
    CHECK_EQ(running(pool), 1);
    tasks_check_pool(pool);
    CHECK_OK(mproc_set_executable(NULL));
    CHECK_OK(mproc_pool_resize(pool, 3));
    CHECK_EQ(running(pool), 3);
    tasks_check_pool(pool);
    end(pool);
}

CHECK_TWINS(pool_resize, fixture_of_processes, pool_resize_threads, fixture_of_threads,
    CASE(more_workers_are_there_at_once),
    CASE(fewer_workers_finish_what_they_are_in),
    CASE(workers_without_work_end_when_there_are_to_be_fewer),
    CASE(maps_and_tasks_go_on_while_the_number_changes),
    CASE(a_lazy_pool_that_grows_starts_workers_for_what_waits),
    CASE(a_pool_may_have_room_for_thousands),
    CASE(all_workers_are_above_the_number),
    CASE(a_number_that_cannot_be_is_refused),
);

CHECK_SUITE_SETUP(pool_resize_lost, fixture_of_processes,
    CASE(a_worker_above_the_number_that_is_killed_has_no_successor),
    CASE(the_number_stays_when_no_more_can_be_started),
);
