/* mproc/pool.h: workers that are started when there is work, and end when there is none. */
#include <stdlib.h>

#include <stdlib.h>

#include "pool/tasks_fixture.h"

static mproc_pool *create(mproc_pool_options options)
{
    mproc_pool *pool = NULL;

    options.kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES;
    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

static mproc_status square_own(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

static mproc_pool *create_lazy(int workers)
{
    return create((mproc_pool_options){.workers = workers, .lazy = true});
}

static int64_t running(const mproc_pool *pool)
{
    return (int64_t)mproc_pool_pids(pool, NULL, 0);
}

static bool nobody_runs(void *context)
{
    return running(context) == 0;
}

static bool one_runs(void *context)
{
    return running(context) == 1;
}

static void end(mproc_pool *pool)
{
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

/* ---- lazy ------------------------------------------------------------------------------------------ */

static void case_a_lazy_pool_starts_nobody_without_work(void)
{
    mproc_pool *pool = create_lazy(3);

    CHECK_EQ(running(pool), 0);
    CHECK_EQ(mproc_pool_workers(pool), 3);
    CHECK_OK(mproc_map(pool, fixture_square, NULL, NULL, 0, NULL));
    CHECK_EQ(running(pool), 0);
    end(pool);
    mproc_pool_free(create_lazy(3));
}

static void case_tasks_one_after_the_other_need_one_worker(void)
{
    mproc_pool *pool = create_lazy(4);

    for (int i = 0; i < 50; i++) CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, NULL, i)), i * i);
    CHECK_EQ(running(pool), 1);
    CHECK_EQ(fixture_starts(pool), 1);
    end(pool);
}

/* Each of them stays: none is begun by a worker that has another. */
static void case_each_task_gets_a_worker_up_to_their_number(void)
{
    enum { WORKERS = 3, TASKS = 5 };
    mproc_pool *pool = create_lazy(WORKERS);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) {
        results[i] = tasks_submit(pool, tasks_stay, board, i);
        CHECK_AWAIT(&board->started, i < WORKERS ? (uint32_t)i + 1 : WORKERS);
        CHECK_EQ(running(pool), i < WORKERS ? i + 1 : WORKERS);
    }
    atomic_store(&board->go, 1);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    CHECK_EQ(fixture_starts(pool), WORKERS);
    fixture_board_free(board);
    end(pool);
}

static void case_tasks_given_at_once_get_a_worker_each(void)
{
    enum { TASKS = 4 };
    mproc_pool *pool = create_lazy(TASKS);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, TASKS);
    atomic_store(&board->go, 1);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    fixture_board_free(board);
    end(pool);
}

/* A worker each for its chunks, and another for a task beside it. */
static void case_a_map_starts_as_many_workers_as_it_has_chunks(void)
{
    mproc_pool *pool = create_lazy(4);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    fixture_map_begin(&map, pool, fixture_stay, board, 2);
    CHECK_AWAIT(&board->started, 2);
    CHECK_EQ(running(pool), 2);
    CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, NULL, 7)), 49);
    CHECK_EQ(running(pool), 3);
    atomic_store(&board->go, 1);
    fixture_map_end_whole(&map);
    CHECK_EQ(fixture_starts(pool), 3);
    fixture_board_free(board);
    end(pool);
}

static void case_a_lazy_pool_computes_maps_of_all_sizes(void)
{
    mproc_pool *pool = create_lazy(3);

    fixture_check_squares(pool, 1, 0);
    CHECK_EQ(running(pool), 1);
    fixture_check_squares(pool, 1000, 1);
    fixture_check_squares(pool, 300000, 0);
    CHECK_EQ(running(pool), 3);
    tasks_check_pool(pool);
    end(pool);
}

static void case_what_was_given_to_a_lazy_pool_is_done_when_it_was_joined(void)
{
    for (int i = 0; i < 10; i++) {
        mproc_pool *pool = create_lazy(2);
        mproc_result *result = tasks_submit(pool, tasks_square, NULL, i);

        mproc_pool_close(pool);
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        CHECK(mproc_result_successful(result));
        mproc_result_free(result);
        mproc_pool_free(pool);
    }
}

/* A map that has begun may not have started its workers yet. */
static void case_a_join_waits_for_maps_that_are_to_start_workers(void)
{
    for (int i = 0; i < check_many(40, 10); i++) {
        mproc_pool *pool = create_lazy(2);
        fixture_board *board = fixture_board_create();
        mproc_pool_totals totals;
        fixture_map map;
        uint64_t started;

        fixture_map_begin(&map, pool, square_own, board, 2);
        do CHECK_OK(mproc_pool_statistics(pool, &totals));
        while (totals.maps == 0 && totals.starts == 0);
        mproc_pool_close(pool);
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        started = fixture_starts(pool);
        fixture_map_join(&map);
        CHECK_EQ(fixture_starts(pool), started);
        CHECK_STATUS(map.status, MPROC_OK);
        free(map.items);
        fixture_map_free(&map);
        fixture_board_free(board);
        mproc_pool_free(pool);
    }
}

static void case_so_many_workers_of_a_lazy_pool_are_there_from_the_begin(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 4, .lazy = true, .workers_min = 2});

    CHECK_EQ(running(pool), 2);
    tasks_check_pool(pool);
    end(pool);
}

static mproc_status fail(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 7, "no licence");
}

static void case_a_failing_initializer_of_a_lazy_pool_is_what_maps_and_tasks_say(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 2, .lazy = true, .initializer = fail});
    int64_t items[2] = {0}, results[2];

    for (int i = 0; i < 3; i++) {
        CHECK_REFUSED(mproc_pool_apply(pool, tasks_echo, mproc_no_args(), NULL), MPROC_USER + 7, "no licence");
        CHECK_REFUSED(mproc_map(pool, fixture_square, items, results, 2, NULL), MPROC_USER + 7, "no licence");
    }
    end(pool);
}

/* ---- idle ------------------------------------------------------------------------------------------ */

static mproc_status begin(mproc_call *call)
{
    uint64_t board;

    CHECK_OK(mproc_unpack(call, &board));
    mproc_call_set_state(call, fixture_board_at(board));
    atomic_fetch_add(&fixture_board_at(board)->started, 1);
    return MPROC_OK;
}

static mproc_status finish(mproc_call *call)
{
    fixture_board *board = mproc_call_state(call);

    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

static void case_workers_without_work_end_and_come_back(void)
{
    fixture_board *board = fixture_board_create();
    mproc_pool *pool = create((mproc_pool_options){.workers = 3,
                                                   .initializer = begin,
                                                   .initializer_args = MPROC_ARGS(fixture_board_offset(board)),
                                                   .finalizer = finish,
                                                   .idle_timeout_ms = 1});

    for (int i = 0; i < 3; i++) {
        fixture_check_squares(pool, 100, 1);
        tasks_check_pool(pool);
        CHECK_WAIT_UNTIL(nobody_runs, pool);
    }
    CHECK(fixture_starts(pool) > 3);
    end(pool);
    CHECK_EQ(atomic_load(&board->done), atomic_load(&board->started));
    fixture_board_free(board);
}

static void case_so_many_workers_stay_without_work(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 3, .idle_timeout_ms = 1, .workers_min = 1});
    mproc_worker_statistics first, later;

    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &first));
    CHECK_WAIT_UNTIL(one_runs, pool);
    tasks_check_pool(pool);
    CHECK_WAIT_UNTIL(one_runs, pool);
    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &later));
    CHECK_EQ(later.pid, first.pid);
    CHECK_EQ(later.starts, 1);
    end(pool);
}

/* Work comes at the very moment at which they leave, and each time some must be there for all of it. */
static void case_no_task_is_left_when_workers_leave(void)
{
    enum { WORKERS = 3 };
    mproc_pool *pool = create((mproc_pool_options){.workers = WORKERS, .lazy = true, .idle_timeout_ms = 1});
    fixture_board *board = fixture_board_create();
    mproc_result *results[WORKERS];

    for (int round = 0; round < check_many(150, 30); round++) {
        int count = 1 + round % WORKERS;
        atomic_store(&board->go, 0);
        atomic_store(&board->started, 0);
        for (int i = 0; i < count; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
        CHECK_AWAIT(&board->started, (uint32_t)count);
        atomic_store(&board->go, 1);
        for (int i = 0; i < count; i++) CHECK_EQ(tasks_take_int(results[i]), i);
        if (round % 10 == 9) fixture_check_squares(pool, 50, 1);
        check_pause_ms(round % 4);
    }
    fixture_board_free(board);
    end(pool);
}

/* Its pool's owner starts another as soon as there is work, and not before. */
static void case_a_lazy_worker_that_was_killed_comes_back_with_work(void)
{
    mproc_pool *pool = create_lazy(2);
    int64_t pid = 0;

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, NULL, i)), i * i);
        CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 1);
        os_kill(pid);
        CHECK_WAIT_UNTIL(nobody_runs, pool);
    }
    end(pool);
}

static void case_workers_that_are_killed_while_they_leave_are_missed_by_nobody(void)
{
    mproc_pool *pool = create((mproc_pool_options){.workers = 2, .lazy = true, .idle_timeout_ms = 1});
    mproc_result *result;
    int64_t pids[2];

    for (int round = 0; round < check_many(100, 20); round++) {
        size_t count = mproc_pool_pids(pool, pids, 2);
        if (count > 0 && round % 3 == 0) os_kill(pids[0]);
        result = tasks_submit(pool, tasks_square, NULL, round);
        if (mproc_result_get(result, NULL, check_limit_ms()) != MPROC_OK)
            CHECK_CONTAINS(mproc_last_error_text(), "while it ran a task");
        mproc_result_free(result);
        check_pause_ms(round % 3);
    }
    end(pool);
}

static void case_a_lazy_pool_whose_workers_cannot_be_started_says_why(void)
{
    mproc_pool *pool = create_lazy(2);
    int64_t items[2] = {0}, results[2];

    CHECK_OK(mproc_set_executable("/there/is/no/such/program"));
    for (int i = 0; i < 2; i++) {
        mproc_status status = mproc_pool_apply(pool, tasks_echo, mproc_no_args(), NULL);
        CHECK(status != MPROC_OK && status != MPROC_WORKER_LOST);
        CHECK_CONTAINS(mproc_last_error_text(), "cannot be started");
        CHECK_STATUS(mproc_map(pool, fixture_square, items, results, 2, NULL), status);
        CHECK_CONTAINS(mproc_last_error_text(), "cannot be started");
    }
    CHECK_OK(mproc_set_executable(NULL));
    tasks_check_pool(pool);
    fixture_check_squares(pool, 100, 1);
    end(pool);
}

static void case_numbers_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = NULL;

    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 2, .idle_timeout_ms = -1}, &pool), MPROC_INVALID,
                  "after -1 ms");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 2, .workers_min = 3}, &pool), MPROC_INVALID,
                  "at least 3 workers of a pool of 2");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 2, .workers_min = -1}, &pool), MPROC_INVALID,
                  "at least -1 workers");
    CHECK(pool == NULL);
    pool = create((mproc_pool_options){.workers = 1, .idle_timeout_ms = MPROC_FOREVER});
    tasks_check_pool(pool);
    end(pool);
}

CHECK_TWINS(pool_come_and_go, fixture_of_processes, pool_come_and_go_threads, fixture_of_threads,
    CASE(a_lazy_pool_starts_nobody_without_work),
    CASE(tasks_one_after_the_other_need_one_worker),
    CASE(each_task_gets_a_worker_up_to_their_number),
    CASE(tasks_given_at_once_get_a_worker_each),
    CASE(a_map_starts_as_many_workers_as_it_has_chunks),
    CASE(a_lazy_pool_computes_maps_of_all_sizes),
    CASE(what_was_given_to_a_lazy_pool_is_done_when_it_was_joined),
    CASE(a_join_waits_for_maps_that_are_to_start_workers),
    CASE(so_many_workers_of_a_lazy_pool_are_there_from_the_begin),
    CASE(a_failing_initializer_of_a_lazy_pool_is_what_maps_and_tasks_say),
    CASE(workers_without_work_end_and_come_back),
    CASE(so_many_workers_stay_without_work),
    CASE(no_task_is_left_when_workers_leave),
    CASE(numbers_that_cannot_be_are_refused),
);

CHECK_SUITE_SETUP(pool_come_and_go_lost, fixture_of_processes,
    CASE(a_lazy_worker_that_was_killed_comes_back_with_work),
    CASE(workers_that_are_killed_while_they_leave_are_missed_by_nobody),
    CASE(a_lazy_pool_whose_workers_cannot_be_started_says_why),
);
