/* What platform.h says of control groups; needs the right to make one. */
#include "platform_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct test_group {
    char path[200];
    bool unified; /* version 2 of the interface */
} test_group;

static bool write_text(const char *directory, const char *name, const char *text)
{
    char path[256];
    FILE *file;
    bool written;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "we");
    if (file == NULL) return false;
    written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

/* Makes a group of the controller, "cpu" or "memory", that has the file `knob` or, in version 2, `unified_knob`. */
static void group_create(test_group *group, const char *controller, const char *knob, const char *unified_knob)
{
    char path[300];

    group->unified = false;
    snprintf(group->path, sizeof group->path, "/sys/fs/cgroup/%s/platform-%ld", controller, (long)getpid());
    if (mkdir(group->path, 0755) != 0) {
        group->unified = true;
        write_text("/sys/fs/cgroup", "cgroup.subtree_control", "+cpu +memory");
        snprintf(group->path, sizeof group->path, "/sys/fs/cgroup/platform-%ld", (long)getpid());
        if (mkdir(group->path, 0755) != 0) CHECK_SKIP("control groups cannot be made here");
    }
    snprintf(path, sizeof path, "%s/%s", group->path, group->unified ? unified_knob : knob);
    if (access(path, W_OK) == 0) return;
    rmdir(group->path);
    CHECK_SKIP("control groups have no such controller here");
}

static bool group_is_removed(void *path)
{
    return rmdir(path) == 0;
}

static void group_remove(test_group *group)
{
    CHECK_WAIT_UNTIL(group_is_removed, group->path);
}

/* In a helper: the board names the group. */
static void join_group(platform_board *board)
{
    CHECK(write_text((const char *)board->bytes, "cgroup.procs", "0"));
}

/* Starts the helper with a board on which the group's path stands. */
static void run_in_group(const test_group *group, const char *helper, int expected)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;

    memcpy(board->bytes, group->path, strlen(group->path) + 1);
    platform_start(helper, "", memory, &process);
    CHECK_EXITS(&process, expected);
    platform_board_drop(board, memory);
}

/* ---- CPU time --------------------------------------------------------------------------------- */

static int helper_counts_cpus(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    join_group(platform_board_open(handles[0]));
    return plat_system_cpu_count();
}

static void set_quota(const test_group *group, int quota_us)
{
    char text[64];

    snprintf(text, sizeof text, group->unified ? "%d 100000" : "%d", quota_us);
    CHECK(write_text(group->path, group->unified ? "cpu.max" : "cpu.cfs_quota_us", text));
}

static void case_cpu_count_honours_the_quota(void)
{
    int all = plat_system_cpu_count();
    test_group group;

    group_create(&group, "cpu", "cpu.cfs_quota_us", "cpu.max");
    set_quota(&group, 50000);
    run_in_group(&group, "linux_cgroup.counts_cpus", 1);
    set_quota(&group, 100000);
    run_in_group(&group, "linux_cgroup.counts_cpus", 1);
    /* One and a half is rounded up. */
    set_quota(&group, 150000);
    run_in_group(&group, "linux_cgroup.counts_cpus", all < 2 ? all : 2);
    set_quota(&group, 100000 * (all + 5));
    run_in_group(&group, "linux_cgroup.counts_cpus", all);
    group_remove(&group);
}

/* ---- memory ----------------------------------------------------------------------------------- */

enum { MEGABYTE = 1 << 20, RESERVE_MEGABYTES = 256 };

/* Commits until it is refused: not killed, and what it has stays usable. */
static int commit_until_refused(const char *text, size_t step, size_t most)
{
    plat_handle handles[4];
    plat_handle memory;
    mproc_status status = MPROC_OK;
    void *base = NULL;
    size_t committed = 0;

    platform_handles(text, handles);
    join_group(platform_board_open(handles[0]));
    CHECK_OK(plat_memory_create((size_t)RESERVE_MEGABYTES * MEGABYTE, &memory));
    CHECK_OK(plat_memory_map(memory, (size_t)RESERVE_MEGABYTES * MEGABYTE, &base));
    while (status == MPROC_OK && committed < most) {
        status = plat_memory_commit(memory, base, committed, step);
        if (status == MPROC_OK) committed += step;
    }
    CHECK_STATUS(status, MPROC_NO_MEMORY);
    CHECK(committed >= most / 4);
    memset(base, 1, committed);
    return 0;
}

static int helper_commits_until_refused(const char *text)
{
    return commit_until_refused(text, 4 * MEGABYTE, 48 * MEGABYTE);
}

static int helper_commits_little_until_refused(const char *text)
{
    return commit_until_refused(text, 64 * 1024, 160 * MEGABYTE);
}

static void check_refused(const char *helper, int megabytes)
{
    char text[32];
    test_group group;

    if (PLATFORM_SANITIZED) CHECK_SKIP("a sanitizer needs more memory than the group has");
    group_create(&group, "memory", "memory.limit_in_bytes", "memory.max");
    snprintf(text, sizeof text, "%d", megabytes * MEGABYTE);
    CHECK(write_text(group.path, group.unified ? "memory.max" : "memory.limit_in_bytes", text));
    run_in_group(&group, helper, 0);
    group_remove(&group);
}

static void case_commit_beyond_the_group_is_refused(void)
{
    check_refused("linux_cgroup.commits_until_refused", 48);
}

/* Not each of them looks at the group. */
static void case_many_small_commits_beyond_the_group_are_refused(void)
{
    check_refused("linux_cgroup.commits_little_until_refused", 160);
}

CHECK_SUITE(linux_cgroup,
    CASE(cpu_count_honours_the_quota),
    CASE(commit_beyond_the_group_is_refused),
    CASE(many_small_commits_beyond_the_group_are_refused),
    HELPER(counts_cpus),
    HELPER(commits_until_refused),
    HELPER(commits_little_until_refused),
);
