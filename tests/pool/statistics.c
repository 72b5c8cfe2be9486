/* mproc/pool_statistics.h: what a pool and each of its workers have done. */
#include <stdio.h>

#include "pool/tasks_fixture.h"

static mproc_worker_statistics sum_of(mproc_pool *pool)
{
    mproc_worker_statistics sum = {.starts = 0}, one;

    for (int i = 0; i < mproc_pool_workers(pool); i++) {
        CHECK_OK(mproc_pool_worker_statistics(pool, i, &one));
        sum.starts += one.starts;
        sum.tasks += one.tasks;
        sum.chunks += one.chunks;
    }
    return sum;
}

/* Failed or not. A worker counts its last one after that is known. */
static void case_tasks_and_chunks_of_the_workers_add_up(void)
{
    enum { TASKS = 200, ITEMS = 100 };
    mproc_pool *pool = fixture_create(3);
    mproc_worker_statistics sum;

    for (int i = 0; i < TASKS; i++) mproc_result_free(tasks_submit(pool, i % 5 ? tasks_square : tasks_fail, NULL, i));
    fixture_check_squares(pool, ITEMS, 5);
    fixture_check_squares(pool, ITEMS, 1);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    sum = sum_of(pool);
    CHECK_EQ(sum.tasks, TASKS);
    CHECK_EQ(sum.chunks, ITEMS / 5 + ITEMS);
    CHECK_EQ(sum.starts, 3);
    mproc_pool_free(pool);
}

static void case_a_worker_is_told_by_its_name_and_its_pid(void)
{
    mproc_pool *pool = fixture_create(3);
    mproc_worker_statistics one;
    int64_t pids[3];
    char name[32];

    fixture_await_workers(pool);
    CHECK_EQ(mproc_pool_pids(pool, pids, 3), 3);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_pool_worker_statistics(pool, i, &one));
        snprintf(name, sizeof name, "PoolWorker-%d", i + 1);
        CHECK_STRING(one.name, name);
        CHECK_EQ(one.pid, pids[i]);
        CHECK_EQ(one.starts, 1);
        CHECK(one.tasks == 0 && one.chunks == 0);
        if (fixture_is_threads()) CHECK_EQ(one.pid, mproc_getpid());
    }
    mproc_pool_free(pool);
}

static void case_workers_that_are_not_there_have_no_statistics(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_worker_statistics one = {.starts = 77};

    CHECK_REFUSED(mproc_pool_worker_statistics(pool, 2, &one), MPROC_INVALID, "worker 2 of 2");
    CHECK_REFUSED(mproc_pool_worker_statistics(pool, -1, &one), MPROC_INVALID, "worker -1 of 2");
    CHECK_REFUSED(mproc_pool_worker_statistics(pool, INT32_MAX, &one), MPROC_INVALID, "of 2");
    CHECK_REFUSED(mproc_pool_worker_statistics(pool, 0, NULL), MPROC_INVALID, "");
    CHECK_EQ(one.starts, 77);
    mproc_pool_free(pool);
}

/* Of workers that end after so many tasks. What they have done stays with their place. */
static void case_starts_count_those_that_replaced_others(void)
{
    enum { TASKS = 10, EACH = 4 };
    mproc_pool_options options = {
        .workers = 1, .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES, .max_tasks = EACH};
    mproc_pool *pool;
    mproc_worker_statistics one;

    CHECK_OK(mproc_pool_create(&options, &pool));
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, NULL, i)), i * i);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &one));
    CHECK_EQ(one.tasks, TASKS);
    CHECK_EQ(one.starts, 1 + TASKS / EACH);
    CHECK_EQ(one.retired, TASKS / EACH);
    CHECK_EQ(one.lost, 0);
    CHECK_EQ(one.pid, 0);
    mproc_pool_free(pool);
}

static void case_a_worker_that_took_the_place_of_one_that_was_killed_is_told(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 0);
    mproc_worker_statistics before, after;

    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &before));
    CHECK_EQ(before.pid, atomic_load(&board->pid));
    os_kill(before.pid);
    CHECK_LOST(result, MPROC_WORKER_LOST, "while it ran a task");
    tasks_check_pool(pool);
    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &after));
    CHECK_EQ(after.starts, 2);
    CHECK(before.lost == 0 && before.retired == 0 && after.retired == 0);
    CHECK_EQ(after.lost, 1);
    CHECK(after.pid != before.pid && after.pid != 0);
    CHECK(strcmp(after.name, before.name) != 0);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- the whole pool -------------------------------------------------------------------------------- */

static mproc_pool_totals totals_of(mproc_pool *pool)
{
    mproc_pool_totals totals;

    CHECK_OK(mproc_pool_statistics(pool, &totals));
    return totals;
}

static bool all_are_ready(void *context)
{
    mproc_pool_totals totals = totals_of(context);

    return totals.ready == totals.workers;
}

static void case_a_pool_says_how_many_workers_are_there_and_ready(void)
{
    mproc_pool *pool = fixture_create(3);
    mproc_worker_statistics one;

    CHECK_EQ(totals_of(pool).workers, 3);
    CHECK_EQ(totals_of(pool).running, 3);
    CHECK_WAIT_UNTIL(all_are_ready, pool);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_pool_worker_statistics(pool, i, &one));
        CHECK(one.start_up_ns > 0);
    }
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(totals_of(pool).workers, 3);
    CHECK_EQ(totals_of(pool).running, 0);
    CHECK_EQ(totals_of(pool).ready, 0);
    CHECK_EQ(totals_of(pool).starts, 3);
    CHECK_EQ(totals_of(pool).retired, 0);
    CHECK_EQ(totals_of(pool).lost, 0);
    CHECK_REFUSED(mproc_pool_statistics(pool, NULL), MPROC_INVALID, "NULL");
    mproc_pool_free(pool);
}

static void case_a_pool_says_what_waits_and_what_is_begun(void)
{
    enum { TASKS = 9 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];
    fixture_map map;

    CHECK_EQ(totals_of(pool).tasks_waiting + totals_of(pool).tasks_begun, 0);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 2);
    CHECK_EQ(totals_of(pool).tasks_begun, 2);
    CHECK_EQ(totals_of(pool).tasks_waiting, TASKS - 2);
    CHECK_OK(mproc_result_cancel(results[TASKS - 1]));
    CHECK_EQ(totals_of(pool).tasks_waiting, TASKS - 3);
    CHECK_EQ(totals_of(pool).maps, 0);
    atomic_store(&board->go, 1);
    for (int i = 0; i < TASKS - 1; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    mproc_result_free(results[TASKS - 1]);
    CHECK_EQ(totals_of(pool).tasks_waiting + totals_of(pool).tasks_begun, 0);
    atomic_store(&board->go, 0);
    atomic_store(&board->started, 0);
    fixture_map_begin(&map, pool, fixture_stay, board, 5);
    CHECK_AWAIT(&board->started, 2);
    CHECK_EQ(totals_of(pool).maps, 1);
    atomic_store(&board->go, 1);
    fixture_map_end_whole(&map);
    CHECK_EQ(totals_of(pool).maps, 0);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(totals_of(pool).tasks, TASKS - 1);
    CHECK_EQ(totals_of(pool).chunks, 5);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status fail(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 7, "no licence");
}

static void case_workers_whose_initializer_fails_are_lost(void)
{
    mproc_pool_options options = {
        .workers = 1, .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES, .initializer = fail};
    mproc_pool *pool;
    mproc_worker_statistics one;

    CHECK_OK(mproc_pool_create(&options, &pool));
    CHECK_STATUS(mproc_pool_apply(pool, tasks_echo, mproc_no_args(), NULL), MPROC_USER + 7);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_OK(mproc_pool_worker_statistics(pool, 0, &one));
    CHECK(one.lost > 0 && one.lost == one.starts);
    CHECK(one.start_up_ns == 0 && one.retired == 0);
    mproc_pool_free(pool);
}

struct work {
    mproc_pool *pool;
    mproc_worker_work work;
};

static bool is_at(void *context)
{
    mproc_worker_statistics one;
    const struct work *work = context;

    CHECK_OK(mproc_pool_worker_statistics(work->pool, 0, &one));
    CHECK(one.work == MPROC_AT_NOTHING ? one.work_ns == 0 : one.work_ns >= 0);
    return one.work == work->work;
}

static void case_a_worker_says_what_it_is_at(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    struct work nothing = {pool, MPROC_AT_NOTHING}, task = {pool, MPROC_AT_TASK}, a_map = {pool, MPROC_AT_MAP};
    mproc_result *result;
    fixture_map map;

    CHECK_WAIT_UNTIL(is_at, &nothing);
    result = tasks_submit(pool, tasks_stay, board, 3);
    CHECK_WAIT_UNTIL(is_at, &task);
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 3);
    CHECK_WAIT_UNTIL(is_at, &nothing);
    atomic_store(&board->go, 0);
    fixture_map_begin(&map, pool, fixture_stay, board, 2);
    CHECK_WAIT_UNTIL(is_at, &a_map);
    atomic_store(&board->go, 1);
    fixture_map_end_whole(&map);
    CHECK_WAIT_UNTIL(is_at, &nothing);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

CHECK_TWINS(pool_statistics, fixture_of_processes, pool_statistics_threads, fixture_of_threads,
    CASE(tasks_and_chunks_of_the_workers_add_up),
    CASE(a_worker_is_told_by_its_name_and_its_pid),
    CASE(workers_that_are_not_there_have_no_statistics),
    CASE(starts_count_those_that_replaced_others),
    CASE(a_pool_says_how_many_workers_are_there_and_ready),
    CASE(a_pool_says_what_waits_and_what_is_begun),
    CASE(a_worker_says_what_it_is_at),
    CASE(workers_whose_initializer_fails_are_lost),
);

CHECK_SUITE_SETUP(pool_statistics_lost, fixture_of_processes,
    CASE(a_worker_that_took_the_place_of_one_that_was_killed_is_told),
);
