/*
 * mproc/process.h in programs that use POSIX themselves: signals, fork(), wait(). What the library must bear, and
 * what it must leave alone.
 */
#include "process_fixture_os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform_fixture.h"

/* ---- somebody else collects the children ------------------------------------------------------ */

/* The code may be lost; that the process has ended is not. */
static void check_ended(mproc_process *process, int code)
{
    mproc_exit_status status;

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK(!mproc_process_is_alive(process));
    CHECK(!fixture_is_active(process));
    status = mproc_process_exit_status(process);
    CHECK(status.kind == MPROC_EXIT_LOST || (status.kind == MPROC_EXIT_EXITED && status.code == code));
    mproc_process_free(process);
}

static void run_some(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *waiting = fixture_start(fixture_waits, board, 0, NULL);
    mproc_process *processes[10];
    int i;

    for (i = 0; i < 10; i++) processes[i] = fixture_start(fixture_exits, NULL, i, NULL);
    for (i = 0; i < 10; i++) check_ended(processes[i], i);
    fixture_await_step(board, 1);
    CHECK(mproc_process_is_alive(waiting));
    CHECK_EQ(mproc_process_exit_status(waiting).kind, MPROC_EXIT_RUNNING);
    CHECK_STATUS(mproc_process_join(waiting, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_process_kill(waiting));
    CHECK_OK(mproc_process_join(waiting, check_limit_ms()));
    CHECK(mproc_process_exit_status(waiting).kind == MPROC_EXIT_LOST ||
          mproc_process_exit_status(waiting).signal == SIGKILL);
    mproc_process_free(waiting);
    fixture_board_free(board);
}

static void case_ignored_sigchld_does_not_make_the_dead_alive(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

    signal(SIGCHLD, SIG_IGN);
    run_some();
    CHECK(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
    sigaction(SIGCHLD, &action, NULL);
    run_some();
}

static _Atomic bool thief_stops;

static void *collects_everything(void *unused)
{
    (void)unused;
    while (!atomic_load(&thief_stops)) {
        if (waitpid(-1, NULL, 0) < 0) check_pause_ms(1);
    }
    return NULL;
}

static void case_collecting_thread_does_not_make_the_dead_alive(void)
{
    pthread_t thief;

    CHECK_EQ(pthread_create(&thief, NULL, collects_everything, NULL), 0);
    run_some();
    atomic_store(&thief_stops, true);
    pthread_join(thief, NULL);
}

static void case_other_children_of_the_program_are_left_alone(void)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) _exit(33);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_EQ(mproc_shutdown(check_limit_ms()), MPROC_OK);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

/* ---- fork() ----------------------------------------------------------------------------------- */

static int in_a_copy(void (*function)(void *), void *context)
{
    return fixture_in_a_copy(function, context, _exit);
}

static void calls_all_on(mproc_process *process)
{
    intptr_t handle = -1;

    CHECK_SAYS(mproc_process_start(process), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_process_run(process), MPROC_FORKED);
    CHECK_STATUS(mproc_process_join(process, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_process_terminate(process), MPROC_FORKED);
    CHECK_STATUS(mproc_process_kill(process), MPROC_FORKED);
    CHECK_STATUS(mproc_process_interrupt(process), MPROC_FORKED);
    CHECK_STATUS(mproc_process_close(process), MPROC_FORKED);
    CHECK_STATUS(mproc_process_sentinel(process, &handle), MPROC_FORKED);
    CHECK_STATUS(mproc_process_set_name(process, "other"), MPROC_FORKED);
    CHECK_STATUS(mproc_process_set_daemon(process, true), MPROC_FORKED);
    CHECK_STATUS(mproc_process_set_authkey(process, "x", 1), MPROC_FORKED);
    CHECK(!mproc_process_is_alive(process));
    CHECK_EQ(mproc_process_pid(process), 0);
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_LOST);
    CHECK_EQ(mproc_getpid(), getpid());
    CHECK(mproc_cpu_count() >= 1);
    mproc_interrupt();
}

/* The same again when it has a family of its own, by what it makes. */
static void uses_its_origins_child(void *process)
{
    size_t count = 9;

    calls_all_on(process);
    CHECK_OK(mproc_active_children(NULL, 0, &count));
    CHECK_EQ(count, 0);
    calls_all_on(process);
    CHECK(mproc_interrupted());
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    mproc_process_free(process);
    CHECK_OK(mproc_shutdown(0));
}

static void case_copy_cannot_reach_its_origins_children(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_EQ(in_a_copy(uses_its_origins_child, process), 5);
    CHECK(mproc_process_is_alive(process));
    CHECK_OK(mproc_sleep_ms(1));
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    fixture_board_free(board);
}

static void exits_normally(void *unused)
{
    (void)unused;
    exit(6);
}

static void case_exit_of_a_copy_ends_nobody(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    mproc_process *other = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 2);
    CHECK_EQ(in_a_copy(exits_normally, NULL), 6);
    CHECK(mproc_process_is_alive(daemon));
    CHECK(mproc_process_is_alive(other));
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, 9);
    CHECK_OK(mproc_process_kill(daemon));
    CHECK_ENDED_BY(daemon, 9);
    fixture_board_free(board);
}

/* A member of the family that has a daemon, and a copy of itself that outlives it. Values: daemon, copy. */
static mproc_status has_a_daemon_and_a_copy(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *daemon = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    pid_t pid;

    atomic_store(&board->values[0], mproc_process_pid(daemon));
    fixture_await_step(board, 1);
    pid = fork();
    if (pid == 0) {
        fixture_step(board);
        for (;;) pause();
    }
    atomic_store(&board->values[1], pid);
    return fixture_waits(call);
}

static void case_daemons_end_with_their_parent_though_a_copy_of_it_lives(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_a_daemon_and_a_copy, board, 0, NULL);
    int64_t daemon;
    pid_t copy;

    fixture_await_step(board, 3);
    daemon = atomic_load(&board->values[0]);
    copy = (pid_t)atomic_load(&board->values[1]);
    CHECK(!fixture_is_gone(daemon));
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    fixture_await_gone(daemon);
    CHECK(!fixture_is_gone(copy));
    CHECK_EQ(kill(copy, SIGKILL), 0);
    fixture_board_free(board);
}

/* Copies are made while other threads start and join: none of the library's locks may stay locked in them. */
static void *starts_and_joins(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 40; i++) CHECK_EXITED(fixture_start(fixture_exits, NULL, i, NULL), i);
    atomic_store(&thief_stops, true);
    return NULL;
}

static void frees_and_exits(void *process)
{
    CHECK_STATUS(mproc_process_join(process, MPROC_FOREVER), MPROC_FORKED);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 4, NULL), 4);
    mproc_process_free(process);
    /* What only the stacks of other threads led to looks like a leak in a copy, which has no such threads. */
    if (FIXTURE_SANITIZED) _exit(7);
    exit(7);
}

static void case_copies_do_not_hang_whatever_other_threads_did(void)
{
    mproc_process *process;
    pthread_t thread;

    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer's own malloc() is locked for ever in a copy of one who was in it");
    process = fixture_create(fixture_does_nothing, NULL, 0, NULL);
    CHECK_EQ(pthread_create(&thread, NULL, starts_and_joins, NULL), 0);
    while (!atomic_load(&thief_stops)) CHECK_EQ(in_a_copy(frees_and_exits, process), 7);
    pthread_join(thread, NULL);
    mproc_process_free(process);
}

/* ---- signals ---------------------------------------------------------------------------------- */

static void case_dispositions_and_mask_stay_the_programs(void)
{
    struct sigaction before[65];
    struct sigaction after;
    sigset_t mask;
    sigset_t now;
    int number;

    for (number = 1; number < 65; number++) sigaction(number, NULL, &before[number]);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_OK(mproc_shutdown(check_limit_ms()));
    sigprocmask(SIG_SETMASK, NULL, &now);
    for (number = 1; number < 65; number++) {
        if (sigaction(number, NULL, &after) != 0) continue;
        CHECK(after.sa_handler == before[number].sa_handler);
        CHECK_EQ(sigismember(&now, number), sigismember(&mask, number));
    }
}

static mproc_status waits_without_catching(mproc_call *call)
{
    signal(SIGINT, SIG_DFL);
    fixture_step(fixture_unpack(call, NULL));
    for (;;) pause();
    return MPROC_OK;
}

static void case_interrupt_ends_a_child_that_does_not_catch_it(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(waits_without_catching, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_interrupt(process));
    CHECK_ENDED_BY(process, SIGINT);
    fixture_board_free(board);
}

static void on_interrupt(int number)
{
    (void)number;
    mproc_interrupt();
}

static void *sends_an_interrupt(void *board)
{
    fixture_await_step(board, 1);
    kill(getpid(), SIGINT);
    return NULL;
}

/* With SA_RESTART, after which no system call says EINTR. */
static void case_signal_handler_ends_a_join(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    pthread_t thread;

    CHECK_EQ(sigaction(SIGINT, &action, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, sends_an_interrupt, board), 0);
    CHECK_STATUS(mproc_process_join(process, MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_STATUS(mproc_process_join(process, 10), MPROC_TIMEOUT);
    pthread_join(thread, NULL);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

static void case_caught_ctrl_c_ends_a_sleep(void)
{
    CHECK_OK(mproc_catch_interrupts());
    CHECK_EQ(kill(getpid(), SIGINT), 0);
    CHECK_STATUS(mproc_sleep_ms(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK(!mproc_interrupted());
    CHECK_EQ(raise(SIGINT), 0);
    CHECK(mproc_interrupted());
    CHECK_OK(mproc_sleep_ms(1));
}

/* Other signals, of which a wait knows nothing, do not end it early. */
static void on_alarm(int number)
{
    (void)number;
}

static void case_other_signals_do_not_end_waits(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);
    struct sigaction action = {.sa_handler = on_alarm};
    int64_t start_ms;

    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    start_ms = check_now_ms();
    ualarm(5000, 5000);
    CHECK_STATUS(mproc_process_join(process, 60), MPROC_TIMEOUT);
    CHECK_OK(mproc_sleep_ms(60));
    ualarm(0, 0);
    CHECK(check_now_ms() - start_ms >= 119);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

/* ---- daemons and SIGTERM ---------------------------------------------------------------------- */

static mproc_status ignores_terminate(mproc_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return fixture_waits(call);
}

static void tidies_up(int number)
{
    static const char words[] = "tidied up\n";

    (void)number;
    if (write(1, words, sizeof words - 1) > 0) _exit(0);
}

static mproc_status catches_terminate(mproc_call *call)
{
    signal(SIGTERM, tidies_up);
    return fixture_waits(call);
}

static int helper_exits_with_daemons_that_see_sigterm(const char *text)
{
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    fixture_board *board = fixture_board_create();
    mproc_process *stubborn = fixture_start(ignores_terminate, board, 0, &daemon);

    (void)text;
    mproc_process_free(fixture_start(catches_terminate, board, 0, &daemon));
    fixture_await_step(board, 2);
    printf("<%d>\n", (int)mproc_process_pid(stubborn));
    mproc_process_free(stubborn);
    return 4;
}

static void case_daemon_has_its_grace_and_is_then_killed(void)
{
    fixture_run run = {.helper = "posix_host.exits_with_daemons_that_see_sigterm"};
    int pid = 0;

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 4);
    CHECK_CONTAINS(run.output, "tidied up\n");
    CHECK_EQ(sscanf(strchr(run.output, '<'), "<%d>", &pid), 1);
    CHECK(fixture_is_gone(pid));
}

/* ---- broken standard streams ------------------------------------------------------------------ */

static mproc_status prints_much(mproc_call *call)
{
    (void)call;
    printf("%01000d\n", 0);
    fprintf(stderr, "to stderr\n");
    return MPROC_OK;
}

static void case_full_output_does_not_change_success(void)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    const mproc_stdio stream = {MPROC_STDIO_HANDLE, full};

    CHECK(full >= 0);
    CHECK_EXITED(fixture_start(prints_much, NULL, 0, &(mproc_process_options){.standard_output = stream}), 0);
    CHECK_EXITED(fixture_start(prints_much, NULL, 0, &(mproc_process_options){.standard_error = stream}), 0);
    close(full);
}

static int helper_has_no_streams(const char *text)
{
    (void)text;
    close(0);
    close(1);
    close(2);
    if (open("/dev/full", O_WRONLY) != 0) return 1;
    CHECK_EXITED(fixture_start(prints_much, NULL, 0, NULL), 0);
    close(0);
    CHECK_EXITED(fixture_start(prints_much, NULL, 0, NULL), 0);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 21, NULL), 21);
    return 12;
}

static void case_program_that_closed_its_streams_can_have_children(void)
{
    fixture_run run = {.helper = "posix_host.has_no_streams"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 12);
}

CHECK_SUITE_SETUP(posix_host, fixture_setup,
    CASE(ignored_sigchld_does_not_make_the_dead_alive),
    CASE(collecting_thread_does_not_make_the_dead_alive),
    CASE(other_children_of_the_program_are_left_alone),
    CASE(copy_cannot_reach_its_origins_children),
    CASE(exit_of_a_copy_ends_nobody),
    CASE(daemons_end_with_their_parent_though_a_copy_of_it_lives),
    CASE(copies_do_not_hang_whatever_other_threads_did),
    CASE(dispositions_and_mask_stay_the_programs),
    CASE(interrupt_ends_a_child_that_does_not_catch_it),
    CASE(signal_handler_ends_a_join),
    CASE(caught_ctrl_c_ends_a_sleep),
    CASE(other_signals_do_not_end_waits),
    CASE(daemon_has_its_grace_and_is_then_killed),
    CASE(full_output_does_not_change_success),
    CASE(program_that_closed_its_streams_can_have_children),
    HELPER(exits_with_daemons_that_see_sigterm),
    HELPER(has_no_streams),
);
