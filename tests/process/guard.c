/* mproc_main_guard(), and what a process does with a marker: programs of their own, of which the output is read. */
#include "kit.h"

#include "kit_os.h"
#include "platform/door.h"
#include "process/marker.h"

/* Runs one of the programs that lie beside this one. */
static void run_program(const char *name, kit_run *run)
{
    char path[1200];

    run->executable = kit_beside(name, path, sizeof path);
    kit_run_to_end(run);
    run->executable = NULL;
}

static int count(const char *text, const char *part)
{
    int found = 0;

    for (text = strstr(text, part); text != NULL; text = strstr(text + 1, part)) found++;
    return found;
}

/* Neither the task runs nor does the child start children: the program is told, twice. */
static void case_forgotten_guard_is_told_and_no_fork_bomb(void)
{
    kit_run run = {0};

    run_program(KIT_NO_GUARD, &run);
    CHECK_EQ(run.code, 3);
    CHECK_EQ(count(run.output, "start of "), 2);
    CHECK_CONTAINS(run.output, "start of Process-1: MPROC_OK");
    CHECK_CONTAINS(run.output, "start of Process-1:1: MPROC_NO_GUARD");
    CHECK_CONTAINS(run.output, "has not entered mproc_main_guard(): call it at the top of main()");
    CHECK_CONTAINS(run.output, "join: MPROC_NO_GUARD: process 'Process-1'");
    CHECK_CONTAINS(run.output, "ended with exit code 3 before it entered mproc_main_guard()");
    CHECK(strstr(run.output, "the task runs") == NULL);
}

static void case_arguments_and_objects_come_before_the_guard(void)
{
    const char *arguments[] = {"-n", "57", "-w", "two words", NULL};
    char path[1200];
    kit_exec exec = {.file = kit_beside(KIT_EARLY, path, sizeof path), .arguments = arguments};

    kit_exec_to_end(&exec);
    CHECK_EQ(exec.code, 0);
    CHECK_CONTAINS(exec.output, "early in a child has read 57 and 'two words'\n");
    CHECK_CONTAINS(exec.output, "exit code 57\n");
}

static void case_foreign_grandchild_does_not_believe_the_marker(void)
{
    char path[1200];
    char command[1300];
    const char *variables[2] = {command, NULL};
    kit_run run = {.environment = variables};

    snprintf(command, sizeof command, "KIT_COMMAND=%s", kit_beside(KIT_PLACE, path, sizeof path));
    run_program(KIT_FOREIGN, &run);
    CHECK_EQ(run.code, 0);
    /* The other program is a first process, with children of its own ... */
    CHECK_CONTAINS(run.output, "Process-1: 7\nProcess-2: 8\n");
    CHECK_CONTAINS(run.output, "the other ended with 0\n");
    /* ... and the child is still the child. */
    CHECK_CONTAINS(run.output, "exit code 19\n");
}

/* ---- markers made by hand --------------------------------------------------------------------- */

static void check_is_first_process(const char *marker)
{
    char variable[300];
    const char *variables[2] = {variable, NULL};
    kit_run run = {.environment = variables};

    snprintf(variable, sizeof variable, MARKER_NAME "=%s", marker);
    run_program(KIT_PLACE, &run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "Process-1: 7\nProcess-2: 8\n");
}

static void case_marker_that_is_garbage_is_ignored(void)
{
    static const char *const markers[] = {"x",
                                          "0",
                                          "3 4 5",
                                          "3 4 68719476736 65680 1 0",
                                          "3 4 68719476736 65680 1 0 0 0",
                                          "3 4 68719476736 65680 1 0 0x",
                                          " 3 4 68719476736 65680 1 0 0",
                                          "-3 4 68719476736 65680 1 0 0",
                                          "+3 4 68719476736 65680 1 0 0",
                                          "3 4 99999999999999999999999 65680 1 0 0",
                                          "3 4 68719476736 65680 4294967296 0 0",
                                          "3 4 68719476736 65681 1 0 0",
                                          "3 4 68719476736 65680 1 0 9223372036854775808",
                                          "3 4 1 65680 1 0 0"};
    size_t i;

    for (i = 0; i < sizeof markers / sizeof markers[0]; i++) check_is_first_process(markers[i]);
}

/* In form, but of handles that are not open, or no arena. */
static void case_marker_of_no_arena_is_ignored(void)
{
    check_is_first_process("3 4 68719476736 65680 1 0 0");
    check_is_first_process("0 0 65536 8 0 0 0");
    check_is_first_process("1 2 65536 65528 0 0 0");
    check_is_first_process("2147483647 2147483647 68719476736 8 4294967295 4294967295 9223372036854775807");
    check_is_first_process("1 1 18446744073709551615 65680 1 0 0");
    check_is_first_process("3 4 68719476736 1073741816 1 0 0");
}

/* The parent's own child must not run the program once more, as a family of its own, because it has no access. */
static void case_child_without_the_arena_is_told(void)
{
    char variable[300];
    const char *variables[2] = {variable, NULL};
    kit_run run = {.environment = variables};

    snprintf(variable, sizeof variable, MARKER_NAME "=0 0 65536 8 0 0 %lld", (long long)mproc_getpid());
    run_program(KIT_PLACE, &run);
    CHECK_EQ(run.code, 1);
    CHECK_CONTAINS(run.output, "whose memory it cannot have");
}

static void case_marker_survives_printing_and_parsing(void)
{
    const struct marker marker = {5,           2147483647,  (uint64_t)64 << 30, ((uint64_t)64 << 30) - 8,
                                  4294967295u, 4294967295u, INT64_MAX};
    struct marker read;
    char text[MARKER_BYTES];

    marker_print(&marker, text);
    CHECK(marker_parse(text, &read));
    CHECK_EQ(read.memory, marker.memory);
    CHECK_EQ(read.watched, marker.watched);
    CHECK_EQ(read.reserve, marker.reserve);
    CHECK_EQ(read.pid_offset, marker.pid_offset);
    CHECK_EQ(read.process, marker.process);
    CHECK_EQ(read.generation, marker.generation);
    CHECK_EQ(read.parent, marker.parent);
}

/* ---- exit handlers ---------------------------------------------------------------------------- */

static void case_exit_handlers_run_around_the_librarys(void)
{
    kit_run run = {0};

    run_program(KIT_EXIT_ORDER, &run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "first: daemon runs, other runs\nlast: daemon has ended, other has ended\n");
}

CHECK_SUITE_SETUP(process_guard, kit_setup,
    CASE(forgotten_guard_is_told_and_no_fork_bomb),
    CASE(arguments_and_objects_come_before_the_guard),
    CASE(foreign_grandchild_does_not_believe_the_marker),
    CASE(marker_that_is_garbage_is_ignored),
    CASE(marker_of_no_arena_is_ignored),
    CASE(child_without_the_arena_is_told),
    CASE(marker_survives_printing_and_parsing),
    CASE(exit_handlers_run_around_the_librarys),
);
