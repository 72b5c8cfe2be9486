/*
 * Functions in other modules than the executable, and other executables and copies of the library: as a program has
 * them that is linked with the shared library. Tasks tell by their exit codes that they ran, by stderr why not.
 */
#include <mproc/process.h>
#include <stdio.h>

#include "check.h"
#include "modules.h"
#include "platform/platform_fixture.h"

/* Windows: without dllimport its address would be that of a jump in the executable. */
MODULES_IMPORT mproc_status linked_task(mproc_call *call);

static void setup(void)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(linked_task, mproc_no_args(), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    mproc_process_free(process);
}

static mproc_status own_task(mproc_call *call)
{
    (void)call;
    exit(31);
}

/* What a run came to: the answers of start and join, the exit code, and what the child said. */
typedef struct outcome {
    mproc_status joined;
    int code;
    char errors[2000];
} outcome;

static outcome run_task(mproc_function *function)
{
    outcome result = {MPROC_SYSTEM, -1, ""};
    char directory[1024];
    char path[1100];
    mproc_process *process = NULL;
    mproc_process_options options = {.name = "module user"};
    mproc_exit_status status;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/errors", directory);
    options.standard_error = (mproc_stdio){MPROC_STDIO_HANDLE, os_open_output(path)};
    CHECK_OK(mproc_process_create(function, mproc_no_args(), &options, &process));
    CHECK_OK(mproc_process_start(process));
    result.joined = mproc_process_join(process, check_limit_ms());
    modules_close(options.standard_error.handle);
    status = mproc_process_exit_status(process);
    CHECK_EQ(status.kind, MPROC_EXIT_EXITED);
    result.code = status.code;
    mproc_process_free(process);
    os_read_file(path, result.errors, sizeof result.errors);
    os_remove_directory(directory);
    fputs(result.errors, stdout);
    return result;
}

static void check_answers(mproc_function *function, int answer)
{
    outcome result = run_task(function);

    CHECK_OK(result.joined);
    CHECK_EQ(result.code, answer);
    CHECK_STRING(result.errors, "");
}

static void check_refuses(mproc_function *function, const char *status, const char *part)
{
    outcome result = run_task(function);

    CHECK_EQ(result.code, 1);
    CHECK_CONTAINS(result.errors, "Process module user (pid ");
    CHECK_CONTAINS(result.errors, status);
    CHECK_CONTAINS(result.errors, part);
}

/* ---- where a function may lie ----------------------------------------------------------------- */

static void case_function_of_the_executable(void)
{
    check_answers(own_task, 31);
}

static void case_function_of_a_linked_library(void)
{
    check_answers(linked_task, 41);
}

/* Copies one of the libraries to its place of use; opens it, for good, and gives its task. */
static mproc_function *open_copy(const char *library, const char *directory, char *path, size_t size)
{
    char from[1200];

    snprintf(path, size, "%s/opened_library.so", directory);
    os_program_directory(from, sizeof from);
    snprintf(from + strlen(from), sizeof from - strlen(from), "/%s", library);
    modules_copy(from, path);
    return (mproc_function *)modules_open(path, "opened_task");
}

static void case_function_of_a_library_opened_at_run_time(void)
{
    char directory[1024];
    char path[1100];

    os_make_directory(directory, sizeof directory);
    check_answers(open_copy(MODULES_OPENED, directory, path, sizeof path), 51);
    CHECK_BASELINE(); /* the library stays open */
    modules_remove(path, directory);
}

static void case_missing_library_is_reported_by_the_child(void)
{
    char directory[1024];
    char path[1100];
    mproc_function *task;

    os_make_directory(directory, sizeof directory);
    task = open_copy(MODULES_OPENED, directory, path, sizeof path);
    CHECK_BASELINE();
    modules_move_away(path);
    check_refuses(task, "MPROC_BAD_FUNCTION (17)", "opened_library.so");
    check_refuses(task, "MPROC_BAD_FUNCTION (17)", "cannot be opened here");
    modules_remove(path, directory);
}

static void case_another_build_at_the_same_path_is_a_mismatch(void)
{
    char directory[1024];
    char path[1100];
    char other[1200];
    mproc_function *task;

    os_make_directory(directory, sizeof directory);
    task = open_copy(MODULES_OPENED, directory, path, sizeof path);
    CHECK_BASELINE();
    modules_move_away(path);
    os_program_directory(other, sizeof other);
    snprintf(other + strlen(other), sizeof other - strlen(other), "/%s", MODULES_REBUILT);
    modules_copy(other, path);
    check_refuses(task, "MPROC_MISMATCH (18)", "another build");
    check_answers(own_task, 31);
    modules_remove(path, directory);
}

/* Systems tell the path of a file that is gone, but with words behind it. */
static void case_library_opened_by_a_relative_path_and_replaced_is_a_mismatch(void)
{
    char directory[1024];
    char path[1100];
    char from[1200];
    mproc_function *task;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/opened_library.so", directory);
    os_program_directory(from, sizeof from);
    snprintf(from + strlen(from), sizeof from - strlen(from), "/%s", MODULES_OPENED);
    modules_copy(from, path);
    task = (mproc_function *)modules_open_in(directory, "opened_library.so", "opened_task");
    CHECK_BASELINE();
    modules_move_away(path);
    check_refuses(task, "MPROC_BAD_FUNCTION (17)", "opened_library.so'");
    os_program_directory(from, sizeof from);
    snprintf(from + strlen(from), sizeof from - strlen(from), "/%s", MODULES_REBUILT);
    modules_copy(from, path);
    check_refuses(task, "MPROC_MISMATCH (18)", "another build");
    modules_remove(path, directory);
}

/* ---- another executable ----------------------------------------------------------------------- */

static void case_worker_program_runs_functions_of_libraries(void)
{
    char path[1200];

    os_program_directory(path, sizeof path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", MODULES_WORKER);
    CHECK_OK(mproc_set_executable(path));
    check_answers(linked_task, 41);
    check_refuses(own_task, "MPROC_BAD_FUNCTION (17)", "put it into a shared library");
    CHECK_OK(mproc_set_executable(NULL));
    check_answers(own_task, 31);
}

/* ---- another copy of the library -------------------------------------------------------------- */

typedef int plugin_function(char *text, size_t size);

static plugin_function *open_plugin(void)
{
    char path[1200];

    os_program_directory(path, sizeof path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", MODULES_PLUGIN);
    return (plugin_function *)modules_open(path, "plugin_run");
}

/* The plugin's copy founds a family of its own; a child of it would enter the program's copy, and is refused. */
static void case_plugin_with_a_copy_of_the_library_is_refused(void)
{
    char text[1000];
    plugin_function *run = open_plugin();

    CHECK_EQ(run(text, sizeof text), MPROC_NO_GUARD);
    CHECK_CONTAINS(text, "MainProcess, a first process");
    CHECK_BASELINE(); /* the plugin's family stays with the process */
    /* Ours is as it was. */
    check_answers(own_task, 31);
    check_answers(linked_task, 41);
    CHECK_EQ(run(text, sizeof text), MPROC_NO_GUARD);
}

static void run_the_plugin(uintptr_t address)
{
    char text[1000];

    CHECK_EQ(((plugin_function *)address)(text, sizeof text), MPROC_NO_GUARD);
}

/* The system calls the library when a thread ends that has used it. */
static void case_plugin_that_was_closed_is_there_when_its_threads_end(void)
{
    char path[1200];

    os_program_directory(path, sizeof path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", MODULES_PLUGIN);
    modules_use_and_close(path, "plugin_run", run_the_plugin);
    CHECK_BASELINE(); /* the plugin's family stays with the process */
    check_answers(own_task, 31);
}

static void fail_in_the_plugin(uintptr_t address)
{
    char text[1000];

    CHECK_EQ(((plugin_function *)address)(text, sizeof text), MPROC_INVALID);
    CHECK_CONTAINS(text, "-1 permits");
}

/* Systems have some thousand places for what belongs to threads, and less; a copy of the library takes one. */
static void case_plugin_that_is_opened_again_and_again_can_say_what_failed(void)
{
    char path[1200];

    os_program_directory(path, sizeof path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", MODULES_PLUGIN);
    for (int i = 0; i < check_many(1100, 200); i++) modules_use_and_close(path, "plugin_fail", fail_in_the_plugin);
    CHECK_BASELINE(); /* the plugin stays */
}

static mproc_status uses_the_plugin(mproc_call *call)
{
    char text[1000];

    (void)call;
    CHECK_EQ(open_plugin()(text, sizeof text), MPROC_NO_GUARD);
    CHECK_CONTAINS(text, "MainProcess, a first process");
    CHECK_STRING(mproc_process_name(mproc_current_process()), "plugin user");
    CHECK(mproc_parent_process() != NULL);
    return MPROC_OK;
}

static void case_plugin_in_a_child_is_no_child(void)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(uses_the_plugin, mproc_no_args(), &(mproc_process_options){.name = "plugin user"},
                                  &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_EQ(mproc_process_exit_status(process).code, 0);
    mproc_process_free(process);
}

CHECK_SUITE_SETUP(process_modules, setup,
    CASE(function_of_the_executable),
    CASE(function_of_a_linked_library),
    CASE(function_of_a_library_opened_at_run_time),
    CASE(missing_library_is_reported_by_the_child),
    CASE(another_build_at_the_same_path_is_a_mismatch),
    CASE(library_opened_by_a_relative_path_and_replaced_is_a_mismatch),
    CASE(worker_program_runs_functions_of_libraries),
    CASE(plugin_with_a_copy_of_the_library_is_refused),
    CASE(plugin_that_is_opened_again_and_again_can_say_what_failed),
    CASE(plugin_in_a_child_is_no_child),
    CASE(plugin_that_was_closed_is_there_when_its_threads_end),
);
