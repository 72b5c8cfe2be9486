/*
 * mproc/process.h in programs that end threads and processes in POSIX' own ways: descriptors closed wholesale,
 * cancellation, the main thread that ends first, exit() in a signal handler.
 */
#include "process_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* ---- a daemon that has closed all its descriptors --------------------------------------------- */

static mproc_status closes_all(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    atomic_store(&board->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status has_one_that_closes_all(mproc_call *call)
{
    fixture_start(closes_all, fixture_unpack(call, NULL), 0, &(mproc_process_options){.daemon = MPROC_YES});
    return fixture_waits(call);
}

static bool process_is_gone(void *pid)
{
    return fixture_is_gone(*(int64_t *)pid);
}

static void case_daemon_that_closes_all_descriptors_ends_with_its_parent(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_one_that_closes_all, board, 0, NULL);
    int64_t pid;

    fixture_await_step(board, 2);
    pid = atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, SIGKILL);
    CHECK_WAIT_UNTIL(process_is_gone, &pid);
    fixture_board_free(board);
}

/* ---- orphans of a process that the system gives them to ---------------------------------------- */

static mproc_status tells_its_pid(mproc_call *call)
{
    atomic_store(&fixture_unpack(call, NULL)->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status leaves_an_orphan(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(tells_its_pid, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    fixture_await_step(board, 1);
    _exit(0);
}

static bool is_collected(void *pid)
{
    return kill((pid_t) * (int64_t *)pid, 0) != 0;
}

static void case_orphans_do_not_stay_zombies_of_a_subreaper(void)
{
    fixture_board *board = fixture_board_create();
    int64_t pid;

    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    CHECK_EXITED(fixture_start(leaves_an_orphan, board, 0, NULL), 0);
    pid = atomic_load(&board->values[0]);
    fixture_kill(pid);
    CHECK_WAIT_UNTIL(is_collected, &pid);
    fixture_board_free(board);
}

/* ---- an interrupt while daemons have their second --------------------------------------------- */

static mproc_status bears_sigterm(mproc_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return fixture_waits(call);
}

static void case_interrupt_ends_the_grace_of_daemons_and_is_told(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(bears_sigterm, board, 0, &(mproc_process_options){.daemon = MPROC_YES});

    fixture_await_step(board, 1);
    mproc_interrupt();
    CHECK_STATUS(mproc_shutdown(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_ENDED_BY(daemon, SIGKILL);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(process_ends, fixture_setup,
    CASE(daemon_that_closes_all_descriptors_ends_with_its_parent),
    CASE(orphans_do_not_stay_zombies_of_a_subreaper),
    CASE(interrupt_ends_the_grace_of_daemons_and_is_told),
);
