/* mproc/pool.h where POSIX has what Windows has not: workers that become another program, leave a copy, or stop. */
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "pool/tasks_fixture.h"

static mproc_status becomes_another_program(mproc_call *call)
{
    (void)call;
    execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    return mproc_error(MPROC_USER, "there is no shell");
}

/* That program has what the worker had to the system, and nothing of the pool's. */
static void case_a_task_that_becomes_another_program_is_lost_with_its_exit_code(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(1);

    for (int i = 0; i < 3; i++) {
        CHECK_REFUSED(mproc_pool_apply(pool, becomes_another_program, mproc_no_args(), NULL), MPROC_WORKER_LOST,
                      "ended with exit code 5 while it ran a task");
        tasks_check_pool(pool);
    }
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
}

/* The copy has all that the worker has, the end of the pipe between it and its parent, too. */
static mproc_status leaves_a_copy_and_is_killed(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (fork() == 0) {
        atomic_store(&board->pid, getpid());
        atomic_fetch_add(&board->ready, 1);
        while (!atomic_load(&board->go)) usleep(1000);
        atomic_fetch_add(&board->done, 1);
        _exit(0);
    }
    CHECK_AWAIT(&board->ready, 1);
    raise(SIGKILL);
    return MPROC_OK;
}

static bool is_gone(void *pid)
{
    return !os_is_alive(*(int64_t *)pid);
}

static void case_a_worker_that_is_killed_is_lost_at_once_though_a_copy_of_it_lives_on(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, leaves_a_copy_and_is_killed, board, 0);
    int64_t copy;

    CHECK_LOST(result, MPROC_WORKER_LOST, os_killed_text());
    tasks_check_pool(pool);
    copy = atomic_load(&board->pid);
    CHECK(os_is_alive(copy));
    mproc_pool_free(pool);
    atomic_store(&board->go, 1);
    CHECK_AWAIT(&board->done, 1);
    CHECK_WAIT_UNTIL(is_gone, &copy);
    fixture_board_free(board);
}

static mproc_status stops(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_store(&board->pid, getpid());
    atomic_fetch_add(&board->started, 1);
    raise(SIGSTOP);
    return mproc_call_return(call, mproc_int(number));
}

/* Whoever has stopped it lets it go on, or the pool is freed. */
static void case_a_worker_that_is_stopped_holds_up_its_own_task_alone(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, stops, board, 6);

    CHECK_AWAIT(&board->started, 1);
    fixture_check_squares(pool, 1000, 1);
    tasks_check_pool(pool);
    CHECK_STATUS(mproc_result_wait(result, 0), MPROC_TIMEOUT);
    do kill((pid_t)atomic_load(&board->pid), SIGCONT);
    while (mproc_result_wait(result, 1) == MPROC_TIMEOUT);
    CHECK_EQ(tasks_take_int(result), 6);
    result = tasks_submit(pool, stops, board, 7);
    CHECK_AWAIT(&board->started, 2);
    mproc_pool_free(pool);
    CHECK_LOST(result, MPROC_TERMINATED, "");
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(posix_pool_lost, fixture_of_processes,
    CASE(a_task_that_becomes_another_program_is_lost_with_its_exit_code),
    CASE(a_worker_that_is_killed_is_lost_at_once_though_a_copy_of_it_lives_on),
    CASE(a_worker_that_is_stopped_holds_up_its_own_task_alone),
);
