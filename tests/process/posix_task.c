/* fork() copies that a task makes. */
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process_fixture.h"

static fixture_board *exits_counted;

static void count_exit(void)
{
    fixture_step(exits_counted);
}

/* As after an exec() that has failed. The program's exit handlers are the original's. */
static mproc_status leaves_a_copy(mproc_call *call)
{
    int64_t number;
    int status = 0;
    pid_t copy;

    exits_counted = fixture_unpack(call, &number);
    CHECK_EQ(atexit(count_exit), 0);
    if ((copy = fork()) == 0) return (mproc_status)number;
    CHECK_EQ(waitpid(copy, &status, 0), copy);
    CHECK(WIFEXITED(status));
    atomic_store(&exits_counted->values[0], WEXITSTATUS(status));
    return MPROC_OK;
}

static void check_copy_ends(mproc_status returned, int code)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(leaves_a_copy, board, returned, NULL), 0);
    CHECK_EQ(atomic_load(&board->step), 1);
    CHECK_EQ(atomic_load(&board->values[0]), code);
    fixture_board_free(board);
}

static void case_a_fork_copy_that_returns_from_its_task_ends_there(void)
{
    check_copy_ends(MPROC_OK, 0);
    check_copy_ends(MPROC_USER, 1);
}

CHECK_SUITE_SETUP(posix_task, fixture_setup,
    CASE(a_fork_copy_that_returns_from_its_task_ends_there),
);
