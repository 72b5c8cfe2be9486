/* What pools say in the log: their lives, and what became of workers and of what those were at. */
#include "logged.h"
#include "pool/tasks_fixture.h"
#include "pool/waiting_fixture.h"

static void case_life_of_a_pool_is_said_and_is_no_warning(void)
{
    mproc_pool *pool;

    logged_begin(MPROC_LOG_INFO);
    pool = fixture_create(2);
    CHECK_LOGGED(fixture_is_threads() ? "[INFO/MainProcess] worker 'PoolWorker-2' (a thread) was started\n"
                                      : "[INFO/MainProcess] process 'PoolWorker-2' (pid ");
    CHECK_LOGGED(fixture_is_threads() ? "] a pool of 2 worker threads was created\n"
                                      : "] a pool of 2 worker processes was created\n");
    fixture_check_squares(pool, 100, 1);
    mproc_pool_close(pool);
    CHECK_LOGGED(" was closed\n");
    CHECK_OK(mproc_pool_join(pool, check_limit_ms()));
    mproc_pool_free(pool);
    pool = fixture_create(1);
    mproc_pool_terminate(pool);
    mproc_pool_free(pool);
    CHECK_LOGGED(" was terminated\n");
    CHECK_LOGGED(" was freed\n");
    CHECK_NOT_LOGGED("[WARNING");
    logged_end();
}

static mproc_status fail(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 1, "nothing to work with");
}

static void case_initializer_that_fails_is_said_to_keep_workers_away(void)
{
    mproc_worker_kind kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES;
    mproc_pool *pool = NULL;

    logged_begin(MPROC_LOG_WARNING);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = kind, .initializer = fail}, &pool));
    CHECK_LOGGED(
        "[WARNING/MainProcess] no worker of a pool is started any more: PoolWorker-1: its initializer failed: "
        "nothing to work with\n");
    mproc_pool_free(pool);
    logged_end();
}

static void case_worker_that_has_done_its_tasks_is_replaced(void)
{
    mproc_worker_kind kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES;
    mproc_pool *pool = NULL;
    fixture_board *board = fixture_board_create();

    logged_begin(MPROC_LOG_INFO);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = kind, .max_tasks = 1}, &pool));
    for (int i = 0; i < 2; i++) CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, board, 3)), 9);
    CHECK_LOGGED("it has done as much as one worker may");
    CHECK_LOGGED("] worker 'PoolWorker-2' takes the place of 'PoolWorker-1'\n");
    CHECK_NOT_LOGGED("[WARNING");
    mproc_pool_free(pool);
    fixture_board_free(board);
    logged_end();
}

/* ---- workers that are lost ------------------------------------------------------------------------------ */

static void case_task_of_a_killed_worker_is_said_to_be_lost(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 1);
    char text[200];

    logged_begin(MPROC_LOG_INFO);
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    CHECK_LOST(result, MPROC_WORKER_LOST, "while it ran a task");
    snprintf(text, sizeof text, "[WARNING/MainProcess] worker 'PoolWorker-1' (pid %lld) %s: its work was not done\n",
             (long long)atomic_load(&board->pid), os_killed_text());
    CHECK_LOGGED(text);
    snprintf(text, sizeof text, "[WARNING/MainProcess] worker 'PoolWorker-1' (pid %lld) %s while it ran a task\n",
             (long long)atomic_load(&board->pid), os_killed_text());
    CHECK_LOGGED(text);
    CHECK_LOGGED("[INFO/MainProcess] worker 'PoolWorker-2' takes the place of 'PoolWorker-1'\n");
    logged_end();
    mproc_pool_free(pool);
    fixture_board_free(board);
}

static void case_task_that_is_begun_again_is_said(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = NULL;

    logged_begin(MPROC_LOG_WARNING);
    CHECK_OK(mproc_pool_apply_async(pool, tasks_stay, MPROC_ARGS(fixture_board_offset(board), 1),
                                    &(mproc_task_options){.retries = 1}, &result));
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    CHECK_AWAIT(&board->started, 2);
    CHECK_LOGGED(" while it ran a task, which is begun again\n");
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 1);
    logged_end();
    mproc_pool_free(pool);
    fixture_board_free(board);
}

static mproc_status sit(const void *item, void *result, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)item)->board);

    (void)result;
    (void)call;
    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    return MPROC_OK;
}

static void case_item_of_a_killed_worker_is_said_to_be_lost(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    logged_begin(MPROC_LOG_WARNING);
    fixture_map_begin(&map, pool, sit, board, 2);
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    CHECK_LOGGED(" while it computed the chunk of item ");
    atomic_store(&board->go, 1);
    fixture_map_end(&map);
    logged_end();
    mproc_pool_free(pool);
    fixture_board_free(board);
}

static void case_worker_that_does_not_stop_is_said_to_be_killed(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = NULL;

    logged_begin(MPROC_LOG_WARNING);
    CHECK_OK(mproc_pool_apply_async(pool, waiting_stay, MPROC_ARGS(fixture_board_offset(board), 1),
                                    &(mproc_task_options){.hard_limit_ms = 20}, &result));
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit of 20 ms");
    CHECK_LOGGED("[WARNING/MainProcess] worker 'PoolWorker-1' is killed: the task that it runs has had its time, and "
                 "has not stopped\n");
    CHECK_LOGGED(": it did not leave what was given up\n");
    logged_end();
    mproc_pool_free(pool);
    fixture_board_free(board);
}

CHECK_TWINS(pool_log, fixture_of_processes, pool_log_threads, fixture_of_threads,
    CASE(life_of_a_pool_is_said_and_is_no_warning),
    CASE(initializer_that_fails_is_said_to_keep_workers_away),
    CASE(worker_that_has_done_its_tasks_is_replaced),
);

CHECK_SUITE_SETUP(pool_log_lost, fixture_of_processes,
    CASE(task_of_a_killed_worker_is_said_to_be_lost),
    CASE(task_that_is_begun_again_is_said),
    CASE(item_of_a_killed_worker_is_said_to_be_lost),
    CASE(worker_that_does_not_stop_is_said_to_be_killed),
);
