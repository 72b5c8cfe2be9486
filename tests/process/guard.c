/* mproc_main_guard(), and what a process does with a token: programs of their own, of which the output is read. */
#include "process_fixture.h"

#include "process_fixture_os.h"
#include "platform/platform_fixture.h"
#include "process/token.h"

/* Runs one of the programs that lie beside this one. */
static void run_program(const char *name, fixture_run *run)
{
    char path[1200];

    run->executable = fixture_beside(name, path, sizeof path);
    fixture_run_to_end(run);
    run->executable = NULL;
}

/* Before anything of main() has run a second time. */
static void case_forgotten_guard_is_told_before_anything_runs_twice(void)
{
    fixture_run run = {0};

    run_program(FIXTURE_NO_GUARD, &run);
    CHECK_EQ(run.code, 3);
    CHECK_EQ(fixture_count(run.output, "main runs"), 1);
    CHECK_CONTAINS(run.output, "start of Process-1: MPROC_NO_GUARD");
    CHECK_CONTAINS(run.output, "has not called mproc_main_guard()");
    CHECK_CONTAINS(run.output, "call it at the top of main()");
    CHECK_CONTAINS(run.output, "mproc_set_executable()");
    CHECK(strstr(run.output, "the task runs") == NULL);
}

/* Whoever names the program of children answers for its guard: it runs, and is no fork bomb. */
static void case_named_executable_without_a_guard_is_told(void)
{
    char path[1200];
    fixture_run run = {.text = fixture_beside(FIXTURE_NO_GUARD, path, sizeof path)};

    run_program(FIXTURE_NO_GUARD, &run);
    CHECK_EQ(run.code, 3);
    CHECK_EQ(fixture_count(run.output, "start of "), 2);
    CHECK_CONTAINS(run.output, "start of Process-1: MPROC_OK");
    CHECK_CONTAINS(run.output, "start of Process-1:1: MPROC_NO_GUARD");
    CHECK_CONTAINS(run.output, "has not entered mproc_main_guard(): call it at the top of main()");
    CHECK_CONTAINS(run.output, "join: MPROC_NO_GUARD: process 'Process-1'");
    CHECK_CONTAINS(run.output, "ended with exit code 3 before it entered mproc_main_guard()");
    CHECK(strstr(run.output, "the task runs") == NULL);
}

/* A program with a copy of the library of its own, as the one of the tests has. */
static void case_child_with_another_copy_of_the_library_is_told_apart(void)
{
    char path[1200];
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, NULL);

    CHECK_OK(mproc_set_executable(fixture_beside(FIXTURE_PLACE, path, sizeof path)));
    CHECK_OK(mproc_process_start(process));
    CHECK_SAYS(mproc_process_join(process, check_limit_ms()), MPROC_MISMATCH, "could not join its family");
    CHECK_CONTAINS(mproc_last_error_text(), "another version or copy of the library");
    mproc_process_free(process);
}

static void case_arguments_and_objects_come_before_the_guard(void)
{
    const char *arguments[] = {"-n", "57", "-w", "two words", NULL};
    char path[1200];
    fixture_exec exec = {.file = fixture_beside(FIXTURE_EARLY, path, sizeof path), .arguments = arguments};

    fixture_exec_to_end(&exec);
    CHECK_EQ(exec.code, 0);
    CHECK_CONTAINS(exec.output, "early in a child has read 57 and 'two words'\n");
    CHECK_CONTAINS(exec.output, "exit code 57\n");
}

static void case_foreign_grandchild_does_not_believe_the_token(void)
{
    char path[1200];
    char command[1300];
    const char *variables[2] = {command, NULL};
    fixture_run run = {.environment = variables};

    snprintf(command, sizeof command, "FIXTURE_COMMAND=%s", fixture_beside(FIXTURE_PLACE, path, sizeof path));
    run_program(FIXTURE_FOREIGN, &run);
    CHECK_EQ(run.code, 0);
    /* The other program is a first process, with children of its own ... */
    CHECK_CONTAINS(run.output, "Process-1: 7\nProcess-2: 8\n");
    CHECK_CONTAINS(run.output, "the other ended with 0\n");
    /* ... and the child is still the child. */
    CHECK_CONTAINS(run.output, "exit code 19\n");
}

/* ---- tokens made by hand --------------------------------------------------------------------- */

static void check_is_first_process(const char *token)
{
    char variable[300];
    const char *variables[2] = {variable, NULL};
    fixture_run run = {.environment = variables};

    snprintf(variable, sizeof variable, PLAT_TOKEN_NAME "=%s", token);
    run_program(FIXTURE_PLACE, &run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "Process-1: 7\nProcess-2: 8\n");
}

static void case_token_that_is_garbage_is_ignored(void)
{
    static const char *const tokens[] = {"x",
                                         "0",
                                         "3 4 5",
                                         "3 4 68719476736 65680 1 0 0 0 0",
                                         "3 4 68719476736 65680 1 0 0 0 0 0 0",
                                         "3 4 68719476736 65680 1 0 0 0 0 0x",
                                         " 3 4 68719476736 65680 1 0 0 0 0 0",
                                         "-3 4 68719476736 65680 1 0 0 0 0 0",
                                         "+3 4 68719476736 65680 1 0 0 0 0 0",
                                         "3 4 99999999999999999999999 65680 1 0 0 0 0 0",
                                         "3 4 68719476736 65680 4294967296 0 0 0 0 0",
                                         "3 4 68719476736 65681 1 0 0 0 0 0",
                                         "3 4 68719476736 65680 1 0 9223372036854775808 0 0 0",
                                         "3 4 68719476736 65680 1 0 0 0 0 2",
                                         "3 4 1 65680 1 0 0 0 0 0"};
    size_t i;

    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) check_is_first_process(tokens[i]);
}

/* In form, but of handles that are not open, or no arena; and nobody lives who can have written them. */
static void case_token_of_no_arena_is_ignored(void)
{
    check_is_first_process("3 4 68719476736 65680 1 0 0 0 0 0");
    check_is_first_process("0 0 65536 8 0 0 0 0 0 0");
    check_is_first_process("1 2 65536 65528 0 0 0 0 0 1");
    check_is_first_process("2147483647 2147483647 68719476736 8 4294967295 4294967295 9223372036854775807 0 0 0");
    check_is_first_process("1 1 18446744073709551615 65680 1 0 0 0 0 0");
    check_is_first_process("3 4 68719476736 1073741816 1 0 0 0 0 0");
}

/* The parent's own child must not run the program once more, as a family of its own, because it has no access. */
static void case_child_without_the_arena_is_told(void)
{
    char variable[300];
    const char *variables[2] = {variable, NULL};
    fixture_run run = {.environment = variables};

    snprintf(variable, sizeof variable, PLAT_TOKEN_NAME "=0 0 0 65536 8 0 0 %lld 0 0 0", (long long)mproc_getpid());
    run_program(FIXTURE_PLACE, &run);
    CHECK_EQ(run.code, 1);
    CHECK_CONTAINS(run.output, "whose memory it cannot have");
}

static void case_token_survives_printing_and_parsing(void)
{
    const struct spawn_token token = {INT32_MAX - 1,  2147483647,  2147483646,  UINT64_MAX,
                                      UINT64_MAX - 7, 4294967295u, 4294967295u, INT64_MAX,
                                      INT64_MAX,      4294967295u, true};
    struct spawn_token read;
    char text[PLAT_TOKEN_BYTES];

    token_print(&token, text);
    CHECK(token_parse(text, &read));
    CHECK_EQ(read.memory, token.memory);
    CHECK_EQ(read.child_end, token.child_end);
    CHECK_EQ(read.door, token.door);
    CHECK_EQ(read.reserve, token.reserve);
    CHECK_EQ(read.pid_offset, token.pid_offset);
    CHECK_EQ(read.process, token.process);
    CHECK_EQ(read.generation, token.generation);
    CHECK_EQ(read.parent, token.parent);
    CHECK_EQ(read.parent_born_before_ns, token.parent_born_before_ns);
    CHECK_EQ(read.depth, token.depth);
    CHECK_EQ(read.seen, token.seen);
}

/* ---- exit handlers ---------------------------------------------------------------------------- */

static void case_exit_handlers_run_around_the_librarys(void)
{
    fixture_run run = {0};

    run_program(FIXTURE_EXIT_ORDER, &run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "first: daemon runs, other runs\nlast: daemon has ended, other has ended\n");
}

CHECK_SUITE_SETUP(process_guard, fixture_setup,
    CASE(forgotten_guard_is_told_before_anything_runs_twice),
    CASE(named_executable_without_a_guard_is_told),
    CASE(child_with_another_copy_of_the_library_is_told_apart),
    CASE(arguments_and_objects_come_before_the_guard),
    CASE(foreign_grandchild_does_not_believe_the_token),
    CASE(token_that_is_garbage_is_ignored),
    CASE(token_of_no_arena_is_ignored),
    CASE(child_without_the_arena_is_told),
    CASE(token_survives_printing_and_parsing),
    CASE(exit_handlers_run_around_the_librarys),
);
