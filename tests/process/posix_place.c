/* As place.c, for what only POSIX lets a program do: links, a file that is gone, executables at fixed addresses. */
#include "process_fixture.h"

#include <unistd.h>

#include "process_fixture_os.h"
#include "platform/platform_fixture.h"

static const char expected[] = "Process-1: 7\nProcess-2: 8\n";

static void check_runs(fixture_exec *exec)
{
    fixture_exec_to_end(exec);
    CHECK_EQ(exec->code, 0);
    CHECK_STRING(exec->output, expected);
}

static void copy_to(const char *name, const char *directory, char *path, size_t size)
{
    char from[1200];

    snprintf(path, size, "%s/%s", directory, name);
    os_copy_file(fixture_beside(FIXTURE_PLACE, from, sizeof from), path);
}

static void case_through_a_link(void)
{
    char directory[1200];
    char path[1300];
    char link[1300];

    os_make_directory(directory, sizeof directory);
    copy_to("program", directory, path, sizeof path);
    snprintf(link, sizeof link, "%s/link", directory);
    CHECK_EQ(symlink(path, link), 0);
    check_runs(&(fixture_exec){.file = link});
    CHECK_EQ(unlink(link), 0);
    CHECK_EQ(symlink("program", link), 0);
    check_runs(&(fixture_exec){.file = "link", .search = directory});
    os_remove_directory(directory);
}

static void case_after_its_file_was_deleted(void)
{
    char directory[1200];
    char path[1300];
    const char *arguments[] = {"-d", path, NULL};

    os_make_directory(directory, sizeof directory);
    copy_to("program", directory, path, sizeof path);
    check_runs(&(fixture_exec){.file = path, .arguments = arguments});
    CHECK(access(path, F_OK) != 0);
    os_remove_directory(directory);
}

static void case_after_its_file_was_replaced(void)
{
    char directory[1200];
    char path[1300];
    char other[1300];
    const char *arguments[] = {"-r", path, other, NULL};

    os_make_directory(directory, sizeof directory);
    copy_to("program", directory, path, sizeof path);
    snprintf(other, sizeof other, "%s/other", directory);
    os_write_program(other, "#!/bin/sh\nexit 77\n");
    check_runs(&(fixture_exec){.file = path, .arguments = arguments});
    os_remove_directory(directory);
}

static void case_at_fixed_addresses(void)
{
    char path[1200];

    check_runs(&(fixture_exec){.file = fixture_beside("process_place_fixed", path, sizeof path)});
}

static void case_at_any_address(void)
{
    char path[1200];

    check_runs(&(fixture_exec){.file = fixture_beside("process_place_pie", path, sizeof path)});
}

CHECK_SUITE_SETUP(posix_place, fixture_setup,
    CASE(through_a_link),
    CASE(after_its_file_was_deleted),
    CASE(after_its_file_was_replaced),
    CASE(at_fixed_addresses),
    CASE(at_any_address),
);
