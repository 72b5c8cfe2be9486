/* What platform.h says of processes and only POSIX can show. */
#include "platform_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int helper_returns(const char *text)
{
    plat_handle handles[4];

    return atoi(platform_handles(text, handles));
}

/* ---- the executable --------------------------------------------------------------------------- */

static void case_file_without_the_right_to_run_is_refused(void)
{
    char directory[1024];
    char path[1100];
    platform_call call;
    plat_process process;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/program", directory);
    os_copy_program(path);
    CHECK_EQ(chmod(path, 0644), 0);
    platform_call_init(&call, "posix_process.returns", "0");
    call.start.executable = path;
    CHECK_STATUS(plat_process_start(&call.start, &process), MPROC_PERMISSION);
    CHECK_CONTAINS(mproc_last_error_text(), path);
    os_remove_directory(directory);
}

/* Runs as a copy of this program, whose path is the text; takes its own file away and starts a child. */
static int helper_starts_after_its_file_is_gone(const char *text)
{
    plat_handle handles[4];
    plat_process process;

    CHECK_EQ(unlink(platform_handles(text, handles)), 0);
    platform_start("posix_process.returns", "21", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 21);
    return 0;
}

static int helper_starts_after_its_file_was_replaced(const char *text)
{
    plat_handle handles[4];
    const char *path = platform_handles(text, handles);
    plat_process process;

    CHECK_EQ(unlink(path), 0);
    os_write_program(path, "#!/bin/sh\nexit 99\n");
    platform_start("posix_process.returns", "22", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 22);
    return 0;
}

static void run_as_copy(const char *helper)
{
    char directory[1024];
    char path[1100];
    platform_call call;
    plat_process process;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/copy", directory);
    os_copy_program(path);
    platform_call_init(&call, helper, path);
    call.start.executable = path;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    os_remove_directory(directory);
}

static void case_own_executable_may_be_deleted(void)
{
    run_as_copy("posix_process.starts_after_its_file_is_gone");
}

static void case_own_executable_may_be_replaced(void)
{
    run_as_copy("posix_process.starts_after_its_file_was_replaced");
}

static int helper_shows_its_name(const char *text)
{
    char name[64] = "";

    (void)text;
    plat_process_show_name();
    os_read_file("/proc/self/comm", name, sizeof name);
    name[strcspn(name, "\n")] = '\0';
    CHECK(strlen(name) > 0);
    CHECK(strncmp(strrchr(check_arguments[0], '/') + 1, name, strlen(name)) == 0);
    return 0;
}

static void case_visible_name_is_the_programs(void)
{
    plat_process process;

    platform_start("posix_process.shows_its_name", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
}

/* ---- streams ---------------------------------------------------------------------------------- */

/* The text says which of 0, 1, 2 are closed before a child is given an event and the board, and sets the event. */
static int helper_has_closed_streams(const char *text)
{
    plat_handle handles[4];
    const char *closed = platform_handles(text, handles);
    plat_handle memory;
    plat_handle event;
    platform_call call;
    plat_process process;
    int ready = -1;

    for (; *closed != '\0'; closed++) close(*closed - '0');
    platform_board *board = platform_board_create(&memory);
    CHECK_OK(plat_event_create(&event));
    platform_call_init(&call, "posix_process.sets_event_and_board", "");
    call.start.handles[2] = event;
    call.start.handles[0] = memory;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    CHECK_OK(plat_handle_wait(&event, 1, 0, &ready));
    CHECK_EQ(atomic_load(&board->step), 5);
    return 0;
}

static int helper_sets_event_and_board(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_handle_adopt(handles[2]));
    plat_event_set(handles[2]);
    atomic_store(&board->step, 5);
    return 0;
}

static void case_closed_streams_do_not_confuse_handles(void)
{
    static const char *const closed[] = {"0", "1", "2", "01", "12", "012"};
    plat_process process;
    size_t i;

    for (i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        platform_start("posix_process.has_closed_streams", closed[i], PLAT_NO_HANDLE, &process);
        CHECK_EXITS(&process, 0);
    }
}

/* The streams that a child gets are the parent's in another order. */
static int helper_crosses_streams(const char *text)
{
    plat_handle handles[4];
    platform_call call;
    plat_process process;

    platform_handles(text, handles);
    platform_call_init(&call, "posix_process.compares_streams", "");
    call.start.stdio[0] = (plat_stream){PLAT_STREAM_HANDLE, 1};
    call.start.stdio[1] = (plat_stream){PLAT_STREAM_HANDLE, 2};
    call.start.stdio[2] = (plat_stream){PLAT_STREAM_HANDLE, 0};
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    return 0;
}

/* Each stream is a file of its own, told apart by what it contains: its number in the first process. */
static int helper_compares_streams(const char *text)
{
    static const char expected[] = "120";
    char byte;
    int i;

    (void)text;
    for (i = 0; i < 3; i++) {
        CHECK_EQ(pread(i, &byte, 1, 0), 1);
        CHECK_EQ(byte, expected[i]);
    }
    return 0;
}

static void case_streams_may_be_crossed(void)
{
    char directory[1024];
    char path[1100];
    platform_call call;
    plat_process process;
    int i;

    os_make_directory(directory, sizeof directory);
    platform_call_init(&call, "posix_process.crosses_streams", "");
    for (i = 0; i < 3; i++) {
        char text[2] = {(char)('0' + i), '\0'};
        snprintf(path, sizeof path, "%s/%d", directory, i);
        os_write_program(path, text);
        call.start.stdio[i] = (plat_stream){PLAT_STREAM_HANDLE, open(path, O_RDWR | O_CLOEXEC | O_APPEND)};
    }
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    for (i = 0; i < 3; i++) plat_handle_close(call.start.stdio[i].handle);
    os_remove_directory(directory);
}

/* ---- who collects ----------------------------------------------------------------------------- */

static void case_collected_by_somebody_else_is_lost(void)
{
    plat_process process;
    int ready = -1;

    platform_start("posix_process.returns", "3", PLAT_NO_HANDLE, &process);
    CHECK_EQ(waitpid((pid_t)process.pid, NULL, 0), process.pid);
    CHECK_OK(plat_handle_wait(&process.handle, 1, platform_limit_ns(), &ready));
    CHECK(!plat_process_alive(process.pid, plat_clock_birth_ns()));
    CHECK_OK(plat_process_kill(&process));
    CHECK_EQ(plat_process_collect(&process).kind, PLAT_END_LOST);
    plat_handle_close(process.handle);
}

static void case_host_that_ignores_sigchld_loses_it(void)
{
    plat_process process;
    int ready = -1;

    signal(SIGCHLD, SIG_IGN);
    platform_start("posix_process.returns", "3", PLAT_NO_HANDLE, &process);
    CHECK_OK(plat_handle_wait(&process.handle, 1, platform_limit_ns(), &ready));
    CHECK_EQ(plat_process_collect(&process).kind, PLAT_END_LOST);
    CHECK_OK(plat_process_terminate(&process));
    plat_handle_close(process.handle);
    signal(SIGCHLD, SIG_DFL);
}

static void case_other_children_are_left_to_the_host(void)
{
    plat_process process;
    int status = 0;
    pid_t other = fork();

    if (other == 0) _exit(7);
    platform_start("posix_process.returns", "3", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 3);
    CHECK_EQ(waitpid(other, &status, 0), other);
    CHECK_EQ(WEXITSTATUS(status), 7);
}

/* ---- sentinels -------------------------------------------------------------------------------- */

static int helper_arms(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK_OK(plat_handle_adopt(handles[1]));
    CHECK_OK(plat_sentinel_arm(handles[0]));
    plat_event_set(handles[1]);
    for (;;) pause();
    return 0;
}

static void start_armed(plat_handle child_end, plat_handle there, plat_process *process)
{
    platform_call call;

    platform_call_init(&call, "posix_process.arms", "");
    call.start.handles[0] = child_end;
    call.start.handles[1] = there;
    CHECK_OK(plat_process_start(&call.start, process));
}

static void case_closing_held_ends_only_its_own_daemon(void)
{
    plat_handle parent_end[2];
    plat_handle child_end[2];
    plat_handle there;
    plat_process processes[2];
    int ready = -1;
    int i;

    CHECK_OK(plat_event_create(&there));
    for (i = 0; i < 2; i++) {
        CHECK_OK(plat_sentinel_create(&parent_end[i], &child_end[i]));
        start_armed(child_end[i], there, &processes[i]);
        plat_handle_close(child_end[i]);
        CHECK_OK(plat_handle_wait(&there, 1, platform_limit_ns(), &ready));
        plat_event_clear(there);
    }
    plat_handle_close(parent_end[0]);
    CHECK_SIGNALLED(&processes[0], 9);
    CHECK_STATUS(plat_handle_wait(&processes[1].handle, 1, platform_in_ms(30), &ready), MPROC_TIMEOUT);
    plat_handle_close(parent_end[1]);
    CHECK_SIGNALLED(&processes[1], 9);
    plat_handle_close(there);
}

static void case_arming_after_the_parents_end_ends_at_once(void)
{
    plat_handle parent_end;
    plat_handle child_end;
    plat_handle there;
    plat_process process;
    int ready = -1;

    CHECK_OK(plat_event_create(&there));
    CHECK_OK(plat_sentinel_create(&parent_end, &child_end));
    plat_handle_close(parent_end);
    CHECK_OK(plat_handle_wait(&child_end, 1, 0, &ready));
    start_armed(child_end, there, &process);
    CHECK_SIGNALLED(&process, 9);
    plat_handle_close(child_end);
    plat_handle_close(there);
}

/* ---- fork ------------------------------------------------------------------------------------- */

static char fork_calls[8];

static void note_fork(char letter)
{
    size_t length = strlen(fork_calls);

    if (length < sizeof fork_calls - 1) fork_calls[length] = letter;
}

static void before_fork(void)
{
    note_fork('b');
}

static void after_fork_in_parent(void)
{
    note_fork('p');
}

static void after_fork_in_child(void)
{
    note_fork('c');
}

static void case_fork_is_noticed_on_both_sides(void)
{
    int status = 0;
    pid_t child;

    CHECK_OK(plat_process_at_fork(before_fork, after_fork_in_parent, after_fork_in_child));
    child = fork();
    if (child == 0) _exit(strcmp(fork_calls, "bc") == 0 ? 0 : 1);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_STRING(fork_calls, "bp");
}

static void case_starting_a_process_is_no_fork(void)
{
    plat_process process;

    CHECK_OK(plat_process_at_fork(before_fork, after_fork_in_parent, after_fork_in_child));
    platform_start("posix_process.returns", "0", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
    CHECK_STRING(fork_calls, "");
}

CHECK_SUITE(posix_process,
    CASE(file_without_the_right_to_run_is_refused),
    CASE(own_executable_may_be_deleted),
    CASE(own_executable_may_be_replaced),
    CASE(visible_name_is_the_programs),
    CASE(closed_streams_do_not_confuse_handles),
    CASE(streams_may_be_crossed),
    CASE(collected_by_somebody_else_is_lost),
    CASE(host_that_ignores_sigchld_loses_it),
    CASE(other_children_are_left_to_the_host),
    CASE(closing_held_ends_only_its_own_daemon),
    CASE(arming_after_the_parents_end_ends_at_once),
    CASE(fork_is_noticed_on_both_sides),
    CASE(starting_a_process_is_no_fork),
    HELPER(returns),
    HELPER(starts_after_its_file_is_gone),
    HELPER(starts_after_its_file_was_replaced),
    HELPER(shows_its_name),
    HELPER(has_closed_streams),
    HELPER(sets_event_and_board),
    HELPER(crosses_streams),
    HELPER(compares_streams),
    HELPER(arms),
);
