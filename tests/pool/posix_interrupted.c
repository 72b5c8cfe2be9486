/* mproc/pool.h where POSIX has what Windows has not: Ctrl-C for a process group, and output that nobody reads. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool/waiting_fixture.h"

/* ---- Ctrl-C ----------------------------------------------------------------------------------- */

static mproc_status sleep_over_item(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)result;
    (void)call;
    atomic_fetch_add(&board->started, 1);
    return mproc_sleep_ms(600000);
}

/* As the terminal does when somebody presses Ctrl-C: SIGINT for all of the group. */
static void press_ctrl_c(void *context)
{
    CHECK_AWAIT(&((fixture_board *)context)->started, 2);
    CHECK_EQ(kill(0, SIGINT), 0);
}

/* What the group writes to stderr comes here from now on. Returns the end to read from. */
static int catch_stderr(int *before)
{
    int ends[2];

    fflush(stderr);
    CHECK_EQ(pipe(ends), 0);
    CHECK((*before = dup(2)) >= 0);
    CHECK_EQ(dup2(ends[1], 2), 2);
    close(ends[1]);
    CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    return ends[0];
}

static void check_nothing_was_written(int from, int before)
{
    char text[1000];
    ssize_t size;

    CHECK_EQ(dup2(before, 2), 2);
    close(before);
    size = read(from, text, sizeof text - 1);
    if (size > 0) check_fail(__FILE__, __LINE__, "on stderr: %.*s", (int)size, text);
    close(from);
}

/* All are asked by it, but only the caller is told: the workers go on, and say nothing. */
static void case_ctrl_c_interrupts_the_caller_and_ends_no_worker(void)
{
    mproc_pool *pool;
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, 20);
    int64_t pids[2], now[2], results[20];
    plat_thread *thread;
    int before, from = catch_stderr(&before);

    CHECK_EQ(setpgid(0, 0), 0);
    pool = waiting_pool(2, MPROC_FOREVER);
    CHECK_OK(mproc_catch_interrupts());
    CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
    for (int round = 0; round < 3; round++) {
        atomic_store(&board->started, 0);
        CHECK_OK(plat_thread_start(press_ctrl_c, board, &thread));
        CHECK_STATUS(mproc_pool_map(pool, sleep_over_item, items, sizeof *items, results, sizeof results[0], 20,
                                    &(mproc_map_options){.chunk_size = 1}),
                     MPROC_INTERRUPTED);
        plat_thread_join(thread);
        tasks_check_pool(pool);
    }
    CHECK_EQ(mproc_pool_pids(pool, now, 2), 2);
    CHECK(now[0] == pids[0] && now[1] == pids[1]);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
    check_nothing_was_written(from, before);
    free(items);
    fixture_board_free(board);
}

/* ---- output that nobody reads ------------------------------------------------------------------- */

/* From now on whoever writes to stdout waits for ever. */
static void fill_stdout(void)
{
    static char block[4096];
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], block, sizeof block) > 0 || write(ends[1], block, 1) > 0) continue;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(fcntl(ends[1], F_SETFL, 0), 0);
    CHECK_EQ(dup2(ends[1], 1), 1);
}

static mproc_status print_item(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    fill_stdout();
    printf("x");
    *(int64_t *)result = 7;
    atomic_fetch_add(&board->started, 2);
    return MPROC_OK;
}

static void interrupt_when_started(void *context)
{
    CHECK_AWAIT(&((fixture_board *)context)->started, 2);
    check_pause_ms(10); /* it writes, or is about to */
    mproc_interrupt();
}

/* The worker has done its item, and works in the caller's memory no more; but it does not come back. */
static void case_an_interrupt_ends_a_map_whose_worker_waits_until_its_output_is_read(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, 1);
    mproc_shared_array *array;
    plat_thread *thread;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), 1, NULL, NULL, &array));
    CHECK_OK(plat_thread_start(interrupt_when_started, board, &thread));
    CHECK_STATUS(mproc_pool_map(pool, print_item, items, sizeof *items, mproc_shared_array_data(array),
                                sizeof(int64_t), 1, NULL),
                 MPROC_INTERRUPTED);
    plat_thread_join(thread);
    tasks_check_pool(pool);
    mproc_shared_array_free(array);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status print_in_task(mproc_call *call)
{
    (void)call;
    fill_stdout();
    printf("x");
    return MPROC_OK;
}

static void case_a_time_limit_ends_a_task_whose_worker_waits_until_its_output_is_read(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *result;

    CHECK_OK(mproc_pool_apply_async(pool, print_in_task, mproc_no_args(), &(mproc_task_options){.hard_limit_ms = 30},
                                    &result));
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit");
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* ---- fork() copies, and workers that are stopped ---------------------------------------------------- */

static void case_a_worker_that_the_system_has_stopped_is_ended_at_its_limit(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(pool, waiting_sleep, MPROC_ARGS(fixture_board_offset(board), 1),
                                    &(mproc_task_options){.soft_limit_ms = 100, .hard_limit_ms = 150}, &result));
    CHECK_AWAIT(&board->started, 1);
    CHECK_EQ(kill((pid_t)atomic_load(&board->pid), SIGSTOP), 0);
    CHECK(mproc_result_wait(result, MPROC_FOREVER) == MPROC_OK);
    mproc_result_free(result);
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(posix_pool_interrupted, fixture_of_processes,
    CASE(ctrl_c_interrupts_the_caller_and_ends_no_worker),
    CASE(an_interrupt_ends_a_map_whose_worker_waits_until_its_output_is_read),
    CASE(a_time_limit_ends_a_task_whose_worker_waits_until_its_output_is_read),
    CASE(a_worker_that_the_system_has_stopped_is_ended_at_its_limit),
);
