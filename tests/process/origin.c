/*
 * Whom a new process takes itself for: the child that it is, whatever the program does before its guard; never a
 * first process, if it descends from a start. Programs of their own, of which the output is read.
 */
#include "process_fixture.h"

#include "process_fixture_os.h"
#include "platform/platform_fixture.h"

static void run_origin(fixture_exec *exec, const char *const *arguments)
{
    static char path[1200];

    exec->file = fixture_beside(FIXTURE_ORIGIN, path, sizeof path);
    exec->arguments = arguments;
    fixture_exec_to_end(exec);
    CHECK_EQ(exec->code, 0);
}

static void case_child_is_let_in_though_its_program_clears_the_environment(void)
{
    fixture_exec exec = {.code = 0};

    run_origin(&exec, (const char *[]){"clear", NULL});
    CHECK_STRING(exec.output, "main runs\nthe task has read nothing\nthe child: MPROC_OK, code 0: \n");
}

static void case_child_has_the_arguments_that_its_program_has_blanked(void)
{
    fixture_exec exec = {.code = 0};

    run_origin(&exec, (const char *[]){"blank", "a secret", NULL});
    CHECK_STRING(exec.output, "main runs\nthe task has read a secret\nthe child: MPROC_OK, code 0: \n");
}

/* The launcher is the process that was started, its program is another. */
static void case_program_behind_a_launcher_is_refused(void)
{
    fixture_exec exec = {.code = 0};
    char launcher[1200];
    char program[1200];
    char command[1300];

    snprintf(command, sizeof command, "\"%s\"", fixture_beside(FIXTURE_ORIGIN, program, sizeof program));
    os_set_variable("FIXTURE_COMMAND", command);
    run_origin(&exec, (const char *[]){"launch", fixture_beside(FIXTURE_LAUNCHER, launcher, sizeof launcher), NULL});
    CHECK_EQ(fixture_count(exec.output, "main runs"), 1);
    CHECK_CONTAINS(exec.output, "MPROC_BAD_STATE");
    CHECK_CONTAINS(exec.output, "must become their program (exec), not start it");
    CHECK_CONTAINS(exec.output, "the launcher's program ended with 1\n");
    CHECK_CONTAINS(exec.output, "the child: MPROC_NO_GUARD, code 3: ");
}

/* A child that runs its own program before its guard would do so for ever. */
static void case_families_in_a_circle_come_to_an_end(void)
{
    fixture_exec exec = {.code = 0};

    run_origin(&exec, (const char *[]){"circle", NULL});
    CHECK_EQ(fixture_count(exec.output, "main runs"), 5);
    CHECK_CONTAINS(exec.output, "is 5 families deep in others");
}

CHECK_SUITE_SETUP(process_origin, fixture_setup,
    CASE(child_is_let_in_though_its_program_clears_the_environment),
    CASE(child_has_the_arguments_that_its_program_has_blanked),
    CASE(program_behind_a_launcher_is_refused),
    CASE(families_in_a_circle_come_to_an_end),
);
