/* mproc/process.h: exit codes, what a task that fails says, and what happens when a process ends. */
#include "process_fixture.h"

#include <stdlib.h>

#include "platform/platform_fixture.h"

/* ---- exit codes ------------------------------------------------------------------------------- */

enum { AT_ONCE = 8 };

static void case_exit_codes_are_kept(void)
{
    mproc_process *processes[AT_ONCE];
    int step = check_many(AT_ONCE, 62); /* few: among them 127, 128 and 255 */
    int code;
    int i;

    for (code = 0; code < 256; code += step) {
        for (i = 0; i < AT_ONCE; i++) processes[i] = fixture_start(fixture_exits, NULL, code + i, NULL);
        for (i = 0; i < AT_ONCE; i++) CHECK_EXITED(processes[i], code + i);
    }
}

/* POSIX keeps eight bits of a code; Windows says 259 of a process that runs. */
static void case_exit_code_259_is_an_end(void)
{
    mproc_process *process = fixture_start(fixture_exits, NULL, 259, NULL);
    mproc_exit_status status;

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    status = mproc_process_exit_status(process);
    CHECK_EQ(status.kind, MPROC_EXIT_EXITED);
    CHECK(status.code == 259 || status.code == 3);
    CHECK(!mproc_process_is_alive(process));
    mproc_process_free(process);
}

static mproc_status faults(mproc_call *call)
{
    volatile uintptr_t nowhere = 16;

    (void)call;
    os_fault_as_usual();
    *(volatile int *)nowhere = 1;
    return MPROC_OK;
}

static void case_fault_is_a_signal(void)
{
    CHECK_ENDED_BY(fixture_start(faults, NULL, 0, NULL), 11);
}

/* ---- statuses of tasks ------------------------------------------------------------------------ */

static mproc_status fails_without_a_text(mproc_call *call)
{
    (void)call;
    return MPROC_LIMIT;
}

static int helper_starts_one_that_fails(const char *text)
{
    mproc_process *process = fixture_create(*text == '1' ? fixture_returns : fails_without_a_text, NULL,
                                            MPROC_USER + 5, &(mproc_process_options){.name = "failing"});

    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    printf("<%d>\n", (int)mproc_process_pid(process));
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_EXITED);
    CHECK_EQ(mproc_process_exit_status(process).code, 1);
    mproc_process_free(process);
    return 0;
}

static void check_report(const char *which, const char *expected)
{
    fixture_run run = {.helper = "process_exit.starts_one_that_fails", .text = which};
    char line[256];
    int pid = 0;

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK(strchr(run.output, '<') != NULL);
    CHECK_EQ(sscanf(strchr(run.output, '<'), "<%d>", &pid), 1);
    snprintf(line, sizeof line, "Process failing (pid %d): %s", pid, expected);
    CHECK_CONTAINS(run.output, line);
}

static void case_failed_task_says_why_and_exits_with_1(void)
{
    check_report("1", "MPROC_USER (1005): the task returns 1005\n");
}

static void case_failed_task_without_a_text_says_its_status(void)
{
    check_report("2", "MPROC_LIMIT (6): a limit on processes, threads or open files was reached\n");
}

static mproc_status fails_with_a_long_text(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER, "%0999d.", 0);
}

static int helper_starts_one_that_says_much(const char *text)
{
    (void)text;
    CHECK_EXITED(fixture_start(fails_with_a_long_text, NULL, 0, NULL), 1);
    return 0;
}

static void case_report_of_a_failed_task_is_complete(void)
{
    fixture_run run = {.helper = "process_exit.starts_one_that_says_much"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_CONTAINS(run.output, "MPROC_USER (1000): 0000000000");
    CHECK_CONTAINS(run.output, "0000000000.\n");
    CHECK(strlen(run.output) > 1000);
}

/* ---- what a task leaves ----------------------------------------------------------------------- */

static fixture_board *board_at_exit;

static void write_at_exit(void)
{
    atomic_store(&board_at_exit->values[0], 17);
    fixture_step(board_at_exit);
}

static mproc_status registers_a_handler(mproc_call *call)
{
    int64_t code = 0;

    board_at_exit = fixture_unpack(call, &code);
    atexit(write_at_exit);
    if (code != 0) exit((int)code);
    return MPROC_OK;
}

static void case_exit_handlers_of_a_child_run(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(registers_a_handler, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[0]), 17);
    CHECK_EXITED(fixture_start(registers_a_handler, board, 5, NULL), 5);
    CHECK_EQ(atomic_load(&board->step), 2);
    fixture_board_free(board);
}

static void waits_for_ever(void *board)
{
    fixture_step(board);
    for (;;) plat_clock_sleep_until(PLAT_FOREVER);
}

static mproc_status leaves_a_thread(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    plat_thread *thread = NULL;

    CHECK_OK(plat_thread_start(waits_for_ever, board, &thread));
    fixture_await_step(board, 1);
    return MPROC_OK;
}

/* As everywhere in C, and unlike Python: a task that wants its threads to finish joins them. */
static void case_threads_of_a_task_end_with_it(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(leaves_a_thread, board, 0, NULL), 0);
    fixture_board_free(board);
}

/* ---- the end of a first process --------------------------------------------------------------- */

static mproc_status says_when_it_was_released(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_step(board);
    fixture_await_step(board, 10);
    printf("other done\n");
    fflush(stdout);
    return MPROC_OK;
}

static mproc_status daemon_waits(mproc_call *call)
{
    fixture_waits(call);
    printf("the daemon was not ended\n");
    return MPROC_OK;
}

static void release_at_exit(void)
{
    printf("main done\n");
    fflush(stdout);
    atomic_store(&board_at_exit->step, 10);
}

/* Returns with one daemon and one other child running, of both of which the objects are freed or not. */
static int helper_exits_with_children(const char *text)
{
    static mproc_process *volatile other;
    static mproc_process *volatile daemon;
    fixture_board *board = fixture_board_create();

    other = fixture_start(says_when_it_was_released, board, 0, NULL);
    daemon = fixture_start(daemon_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    board_at_exit = board;
    atexit(release_at_exit);
    fixture_await_step(board, 2);
    printf("<%d>\n", (int)mproc_process_pid(daemon));
    if (*text == 'f') {
        mproc_process_free(other);
        mproc_process_free(daemon);
    }
    return 7;
}

static void check_exit_with_children(const char *text)
{
    fixture_run run = {.helper = "process_exit.exits_with_children", .text = text};
    const char *main_done;
    int pid = 0;

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 7);
    main_done = strstr(run.output, "main done\n");
    CHECK(main_done != NULL);
    CHECK_CONTAINS(main_done, "other done\n");
    CHECK(strstr(run.output, "not ended") == NULL);
    CHECK_EQ(sscanf(strchr(run.output, '<'), "<%d>", &pid), 1);
    CHECK(fixture_is_gone(pid));
}

static void case_exit_ends_daemons_and_joins_others(void)
{
    check_exit_with_children("");
}

static void case_exit_does_the_same_for_freed_objects(void)
{
    check_exit_with_children("f");
}

/* In a child, which is a daemon's and another's parent. */
static mproc_status exits_with_children(mproc_call *call)
{
    static mproc_process *volatile other;
    static mproc_process *volatile daemon;
    fixture_board *board = fixture_unpack(call, NULL);

    other = fixture_start(says_when_it_was_released, board, 0, NULL);
    CHECK(mproc_process_is_alive(other));
    daemon = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    atomic_store(&board->values[0], mproc_process_pid(daemon));
    fixture_await_step(board, 2);
    atomic_store(&board->step, 10);
    return MPROC_OK;
}

static void case_exit_of_a_child_does_the_same(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(exits_with_children, board, 0, NULL), 0);
    CHECK(fixture_is_gone(atomic_load(&board->values[0])));
    fixture_board_free(board);
}

/* ---- shutdown --------------------------------------------------------------------------------- */

static void case_shutdown_is_bounded(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    mproc_process *other = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.name = "stubborn"});

    fixture_await_step(board, 2);
    CHECK_STATUS(mproc_shutdown(100), MPROC_TIMEOUT);
    CHECK(mproc_process_is_alive(other));
    CHECK_OK(mproc_process_join(daemon, check_limit_ms()));
    CHECK_SAYS(mproc_shutdown(1), MPROC_TIMEOUT, "'stubborn'");
    CHECK_OK(mproc_process_kill(other));
    CHECK_OK(mproc_shutdown(check_limit_ms()));
    CHECK(!mproc_process_is_alive(other));
    CHECK_ENDED_BY(daemon, 15);
    CHECK_ENDED_BY(other, 9);
    fixture_board_free(board);
}

static void case_shutdown_without_time_only_tries(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *other = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_STATUS(mproc_shutdown(0), MPROC_TIMEOUT);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, 9);
    CHECK_OK(mproc_shutdown(0));
    fixture_board_free(board);
}

static void case_nothing_starts_after_shutdown(void)
{
    mproc_process *process =
        fixture_create(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "too late"});

    CHECK_OK(mproc_shutdown(check_limit_ms()));
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "'too late'");
    CHECK_CONTAINS(mproc_last_error_text(), "mproc_shutdown() was called");
    mproc_process_free(process);
}

static void case_shutdown_is_interrupted(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *other = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    mproc_interrupt();
    CHECK_STATUS(mproc_shutdown(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK(mproc_process_is_alive(other));
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, 9);
    fixture_board_free(board);
}

static void case_negative_limits_are_refused(void)
{
    mproc_process *process = fixture_start(fixture_does_nothing, NULL, 0, NULL);

    CHECK_SAYS(mproc_process_join(process, -1), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_SAYS(mproc_shutdown(-1), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_EXITED(process, 0);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 2, NULL), 2);
}

/* ---- how it ended, for whoever asks ----------------------------------------------------------- */

static void case_code_is_0_only_of_a_process_that_ended_with_0(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(fixture_waits, board, 0, NULL);

    CHECK_EQ(mproc_process_exit_status(process).code, MPROC_NO_EXIT_CODE);
    CHECK_OK(mproc_process_start(process));
    fixture_await_step(board, 1);
    CHECK_EQ(mproc_process_exit_status(process).code, MPROC_NO_EXIT_CODE);
    CHECK(!mproc_exit_ok(mproc_process_exit_status(process)));
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_EQ(mproc_process_exit_status(process).code, -9);
    CHECK(!mproc_exit_ok(mproc_process_exit_status(process)));
    mproc_process_free(process);
    process = fixture_start(fixture_does_nothing, NULL, 0, NULL);
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK(mproc_exit_ok(mproc_process_exit_status(process)));
    mproc_process_free(process);
    fixture_board_free(board);
}

static void case_status_and_text_of_a_task_come_to_who_joins_it(void)
{
    mproc_process *process = fixture_start(fixture_returns, NULL, MPROC_USER + 7, NULL);
    mproc_status status = MPROC_OK;

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_OK(mproc_process_task_status(process, &status));
    CHECK_EQ(status, MPROC_USER + 7);
    CHECK_STRING(mproc_process_error_text(process), "the task returns 1007");
    CHECK_SAYS(mproc_process_task_status(process, NULL), MPROC_INVALID, "status is NULL");
    CHECK_OK(mproc_process_close(process));
    CHECK_OK(mproc_process_task_status(process, &status));
    CHECK_STRING(mproc_process_error_text(process), "the task returns 1007");
    CHECK_EQ(mproc_process_exit_status(process).code, 1);
    mproc_process_free(process);
    process = fixture_start(fixture_does_nothing, NULL, 0, NULL);
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_OK(mproc_process_task_status(process, &status));
    CHECK_EQ(status, MPROC_OK);
    CHECK_STRING(mproc_process_error_text(process), "");
    mproc_process_free(process);
}

static void case_task_that_does_not_return_has_no_status(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(fixture_waits, board, 0, NULL);
    mproc_status status = MPROC_OK;

    CHECK_SAYS(mproc_process_task_status(process, &status), MPROC_BAD_STATE, "has returned nothing");
    CHECK_OK(mproc_process_start(process));
    fixture_await_step(board, 1);
    CHECK_STATUS(mproc_process_task_status(process, &status), MPROC_BAD_STATE);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_STATUS(mproc_process_task_status(process, &status), MPROC_BAD_STATE);
    CHECK_STRING(mproc_process_error_text(process), "");
    mproc_process_free(process);
    CHECK_STATUS(mproc_process_task_status(mproc_current_process(), &status), MPROC_BAD_STATE);
    fixture_board_free(board);
}

/* A multiple of a character of three bytes never fits exactly. */
static mproc_status says_much(mproc_call *call)
{
    char text[1000] = "";

    (void)call;
    for (int i = 0; i < 900; i += 3) memcpy(text + i, "\xE2\x82\xAC", 4);
    return mproc_error(MPROC_USER, "%s", text);
}

static void case_long_text_of_a_task_is_cut_at_a_character(void)
{
    mproc_process *process = fixture_start(says_much, NULL, 0, NULL);

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_EQ(strlen(mproc_process_error_text(process)), 510);
    mproc_process_free(process);
}

/* It has dealt with a failure of its own before it fails for another reason, of which it says nothing. */
static mproc_status survives_a_failure(mproc_call *call)
{
    (void)call;
    CHECK_STATUS(mproc_process_set_name(mproc_current_process(), ""), MPROC_INVALID);
    return (mproc_status)(MPROC_USER + 5);
}

static void case_older_failure_is_not_taken_for_the_cause(void)
{
    mproc_process *process = fixture_start(survives_a_failure, NULL, 0, NULL);

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_STRING(mproc_process_error_text(process), mproc_status_text(MPROC_USER));
    mproc_process_free(process);
}

CHECK_SUITE_SETUP(process_exit, fixture_setup,
    CASE_LIMIT(exit_codes_are_kept, 60),
    CASE(exit_code_259_is_an_end),
    CASE(fault_is_a_signal),
    CASE(failed_task_says_why_and_exits_with_1),
    CASE(failed_task_without_a_text_says_its_status),
    CASE(report_of_a_failed_task_is_complete),
    CASE(exit_handlers_of_a_child_run),
    CASE(threads_of_a_task_end_with_it),
    CASE(exit_ends_daemons_and_joins_others),
    CASE(exit_does_the_same_for_freed_objects),
    CASE(exit_of_a_child_does_the_same),
    CASE(shutdown_is_bounded),
    CASE(shutdown_without_time_only_tries),
    CASE(nothing_starts_after_shutdown),
    CASE(shutdown_is_interrupted),
    CASE(negative_limits_are_refused),
    CASE(code_is_0_only_of_a_process_that_ended_with_0),
    CASE(status_and_text_of_a_task_come_to_who_joins_it),
    CASE(task_that_does_not_return_has_no_status),
    CASE(long_text_of_a_task_is_cut_at_a_character),
    CASE(older_failure_is_not_taken_for_the_cause),
    HELPER(starts_one_that_fails),
    HELPER(starts_one_that_says_much),
    HELPER(exits_with_children),
);
