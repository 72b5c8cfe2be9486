/* What children inherit of signals. */
#include "process_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* Raises the step when it runs, and then waits for a signal. */
static mproc_status waits_for_a_signal(mproc_call *call)
{
    fixture_step(fixture_unpack(call, NULL));
    for (;;) pause();
    return MPROC_OK;
}

/* As a program does that takes its signals by sigwait(), or does not want to be ended by them. */
static void take_signals(void)
{
    sigset_t taken;

    sigemptyset(&taken);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &taken, NULL), 0);
    signal(SIGTERM, SIG_IGN);
}

static void case_children_of_a_program_that_takes_its_signals_can_be_ended(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *first;
    mproc_process *second;

    take_signals();
    first = fixture_start(waits_for_a_signal, board, 0, NULL);
    second = fixture_start(waits_for_a_signal, board, 0, NULL);
    fixture_await_step(board, 2);
    CHECK_OK(mproc_process_terminate(first));
    CHECK_ENDED_BY(first, SIGTERM);
    CHECK_OK(mproc_process_interrupt(second));
    CHECK_ENDED_BY(second, SIGINT);
    fixture_board_free(board);
}

static mproc_status has_the_programs_signals(mproc_call *call)
{
    struct sigaction action;
    sigset_t mask;

    (void)call;
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    CHECK_EQ(sigaction(SIGTERM, NULL, &action), 0);
    CHECK(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT) && sigismember(&mask, SIGUSR1));
    CHECK(action.sa_handler == SIG_IGN);
    return MPROC_OK;
}

static void case_signals_are_inherited_when_asked_for(void)
{
    take_signals();
    CHECK_EXITED(fixture_start(has_the_programs_signals, NULL, 0, &(mproc_process_options){.inherit_signals = true}),
                 0);
}

CHECK_SUITE_SETUP(posix_inherit, fixture_setup,
    CASE(children_of_a_program_that_takes_its_signals_can_be_ended),
    CASE(signals_are_inherited_when_asked_for),
);
