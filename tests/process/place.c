/* A child is its parent's program, wherever that lies, however it was started, and whatever became of its file. */
#include "process_fixture.h"

#include "process_fixture_os.h"
#include "platform/platform_fixture.h"

static const char expected[] = "Process-1: 7\nProcess-2: 8\n";

/* Copies the program into a new directory, under this name. */
static void copy_program(const char *name, char *directory, size_t size, char *path, size_t path_size)
{
    char from[1200];

    os_make_directory(directory, size);
    snprintf(path, path_size, "%s/%s", directory, name);
    os_copy_file(fixture_beside(FIXTURE_PLACE, from, sizeof from), path);
}

static void check_runs(fixture_exec *exec)
{
    fixture_exec_to_end(exec);
    CHECK_EQ(exec->code, 0);
    CHECK_STRING(exec->output, expected);
}

static void case_by_its_full_path(void)
{
    char path[1200];

    check_runs(&(fixture_exec){.file = fixture_beside(FIXTURE_PLACE, path, sizeof path)});
}

static void case_by_a_relative_path(void)
{
    char directory[1200];
    char path[1300];

    copy_program(FIXTURE_PLACE, directory, sizeof directory, path, sizeof path);
    check_runs(&(fixture_exec){.file = "./" FIXTURE_PLACE, .directory = directory});
    os_remove_directory(directory);
}

static void case_through_the_search_path(void)
{
    char directory[1200];
    char path[1300];

    copy_program(FIXTURE_PLACE, directory, sizeof directory, path, sizeof path);
    check_runs(&(fixture_exec){.file = FIXTURE_PLACE, .search = directory});
    os_remove_directory(directory);
}

static void case_after_a_change_of_directory(void)
{
    char directory[1200];
    char path[1300];
    const char *arguments[] = {"-c", "..", NULL};

    copy_program(FIXTURE_PLACE, directory, sizeof directory, path, sizeof path);
    check_runs(&(fixture_exec){.file = "./" FIXTURE_PLACE, .directory = directory, .arguments = arguments});
    os_remove_directory(directory);
}

static void case_with_blanks_and_other_letters_in_the_path(void)
{
    char directory[1200];
    char path[1300];

    copy_program("a b\xC3\xA4\xE2\x82\xAC'%1$.exe", directory, sizeof directory, path, sizeof path);
    check_runs(&(fixture_exec){.file = path});
    os_remove_directory(directory);
}

static void case_with_arguments_that_need_quotes(void)
{
    char path[1200];
    const char *arguments[] = {"-x", "two words", "-y", "\"quoted\" \\", "-z", "", "-\xC3\xA4", "*", NULL};

    check_runs(&(fixture_exec){.file = fixture_beside(FIXTURE_PLACE, path, sizeof path), .arguments = arguments});
}

CHECK_SUITE_SETUP(process_place, fixture_setup,
    CASE(by_its_full_path),
    CASE(by_a_relative_path),
    CASE(through_the_search_path),
    CASE(after_a_change_of_directory),
    CASE(with_blanks_and_other_letters_in_the_path),
    CASE(with_arguments_that_need_quotes),
);
