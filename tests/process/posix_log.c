/* The log where stderr is nobody's, and in fork() copies. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "logged.h"
#include "process/process_fixture_os.h"

/* SIGPIPE is as it was: its default, that ends a process. */
static void case_stderr_that_nobody_reads_costs_its_lines_alone(void)
{
    int ends[2], kept = dup(STDERR_FILENO);
    sigset_t pending;

    CHECK(kept >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    mproc_log_to_stderr(MPROC_LOG_INFO);
    for (int i = 0; i < 3; i++) mproc_log(MPROC_LOG_INFO, "nobody reads it");
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    close(STDERR_FILENO);
    mproc_log(MPROC_LOG_INFO, "it is closed");
    CHECK(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
    close(kept);
}

static void log_in_a_copy(void *context)
{
    (void)context;
    CHECK_EQ(logged.lines, 1);
    mproc_log(MPROC_LOG_INFO, "by the copy");
    CHECK_STRING(logged.text, "[INFO/MainProcess] by its origin\n[INFO/MainProcess] by the copy\n");
    CHECK_EXITED(fixture_start(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "its child"}), 0);
    CHECK_CONTAINS(logged.text, "[INFO/MainProcess] process 'its child' (pid ");
}

static void case_copy_goes_on_with_the_log_of_its_origin(void)
{
    logged_begin(MPROC_LOG_INFO);
    mproc_log(MPROC_LOG_INFO, "by its origin");
    CHECK_EQ(fixture_in_a_copy(log_in_a_copy, NULL, exit), 5);
    logged_end();
}

static void in_the_copy(void *context)
{
    (void)context;
    mproc_log_set_handler(NULL, NULL); /* does not wait for what is its own call */
    logged_begin(MPROC_LOG_INFO);
}

static void copy_in_the_handler(const mproc_log_line *line, void *context)
{
    (void)line;
    (void)context;
    CHECK_EQ(fixture_in_a_copy(in_the_copy, NULL, exit), 5);
}

static void case_handler_may_make_a_copy(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(copy_in_the_handler, NULL);
    mproc_log(MPROC_LOG_INFO, "a copy is made");
    mproc_log_set_handler(NULL, NULL);
}

CHECK_SUITE_SETUP(posix_log, fixture_setup,
    CASE(stderr_that_nobody_reads_costs_its_lines_alone),
    CASE(copy_goes_on_with_the_log_of_its_origin),
    CASE(handler_may_make_a_copy),
);
