/*
 * mproc/process.h in programs that end threads and processes in POSIX' own ways: descriptors closed wholesale,
 * cancellation, the main thread that ends first, exit() in a signal handler.
 */
#include "kit.h"

#include <signal.h>
#include <unistd.h>

/* ---- a daemon that has closed all its descriptors --------------------------------------------- */

static mproc_status closes_all(mproc_call *call)
{
    kit_board *board = kit_unpack(call, NULL);
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    atomic_store(&board->values[0], mproc_getpid());
    return kit_waits(call);
}

static mproc_status has_one_that_closes_all(mproc_call *call)
{
    kit_start(closes_all, kit_unpack(call, NULL), 0, &(mproc_process_options){.daemon = MPROC_YES});
    return kit_waits(call);
}

static bool process_is_gone(void *pid)
{
    return kit_is_gone(*(int64_t *)pid);
}

static void case_daemon_that_closes_all_descriptors_ends_with_its_parent(void)
{
    kit_board *board = kit_board_create();
    mproc_process *parent = kit_start(has_one_that_closes_all, board, 0, NULL);
    int64_t pid;

    kit_await_step(board, 2);
    pid = atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, SIGKILL);
    CHECK_WAIT_UNTIL(process_is_gone, &pid);
    kit_board_free(board);
}

/* ---- an interrupt while daemons have their second --------------------------------------------- */

static mproc_status bears_sigterm(mproc_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return kit_waits(call);
}

static void case_interrupt_ends_the_grace_of_daemons_and_is_told(void)
{
    kit_board *board = kit_board_create();
    mproc_process *daemon = kit_start(bears_sigterm, board, 0, &(mproc_process_options){.daemon = MPROC_YES});

    kit_await_step(board, 1);
    mproc_interrupt();
    CHECK_STATUS(mproc_shutdown(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_ENDED_BY(daemon, SIGKILL);
    kit_board_free(board);
}

CHECK_SUITE_SETUP(process_ends, kit_setup,
    CASE(daemon_that_closes_all_descriptors_ends_with_its_parent),
    CASE(interrupt_ends_the_grace_of_daemons_and_is_told),
);
