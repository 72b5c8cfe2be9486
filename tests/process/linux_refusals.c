/*
 * The library in a system that refuses: too little of something, or something missing. Each situation is made in a
 * new process before the program is loaded, so that the family is founded in it.
 */
#include "process_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform_fixture.h"

/* Makes the situation, in the new process. False: the system does not let it be made. */
typedef bool preparation(void);

/* Runs the helper as a first process in a situation; it must return 0. */
static void run_in(preparation *prepare, const char *helper)
{
    static char executable[4096];
    char *arguments[] = {executable, NULL};
    int status = 0;
    pid_t pid;

    CHECK(readlink("/proc/self/exe", executable, sizeof executable - 1) > 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        setenv(CHECK_HELPER_VARIABLE, helper, 1);
        if (!prepare()) _exit(CHECK_SKIPPED);
        execv(executable, arguments);
        _exit(CHECK_FAILED);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == CHECK_SKIPPED) CHECK_SKIP("the system does not let this situation be made");
    CHECK_EQ(WEXITSTATUS(status), 0);
}

static void set_limit(int what, rlim_t soft)
{
    struct rlimit limit;

    CHECK_EQ(getrlimit(what, &limit), 0);
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    CHECK_EQ(setrlimit(what, &limit), 0);
}

static int helper_works(const char *text)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);

    (void)text;
    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    fixture_board_free(board);
    return 0;
}

/* ---- addresses -------------------------------------------------------------------------------- */

static bool small_address_space(void)
{
    set_limit(RLIMIT_AS, (rlim_t)400 << 20);
    return true;
}

static int helper_has_a_small_arena(const char *text)
{
    CHECK(mproc_current_process() != NULL);
    CHECK(arena_header->reserve <= (uint64_t)400 << 20);
    printf("reserved %llu MiB\n", (unsigned long long)(arena_header->reserve >> 20));
    return helper_works(text);
}

static void case_small_address_space_shrinks_the_reservation(void)
{
    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer reserves more addresses than the limit leaves");
    run_in(small_address_space, "linux_refusals.has_a_small_arena");
}

/* ---- files and processes ---------------------------------------------------------------------- */

static bool small_files(void)
{
    set_limit(RLIMIT_FSIZE, 4096);
    return true;
}

/* What fails is said only when the limit is gone, which holds for the output as well. */
static int helper_founds_its_family_late(const char *text)
{
    mproc_process *process = NULL;
    mproc_status status = mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, &process);
    mproc_process *self = mproc_current_process();
    mproc_status slept = mproc_sleep_ms(0);

    set_limit(RLIMIT_FSIZE, RLIM_INFINITY);
    CHECK_STATUS(status, MPROC_NO_MEMORY);
    CHECK_CONTAINS(mproc_last_error_text(), "cannot grow shared memory");
    CHECK_STATUS(slept, MPROC_NO_MEMORY);
    CHECK(self == NULL);
    CHECK(process == NULL);
    return helper_works(text);
}

static void case_family_without_memory_is_refused_and_founded_later(void)
{
    run_in(small_files, "linux_refusals.founds_its_family_late");
}

/* Each start with a limit one higher than the last, until one succeeds. */
static void case_start_without_files_is_a_limit_and_leaves_nothing(void)
{
    mproc_process *process = fixture_create(fixture_exits, NULL, 8, &(mproc_process_options){.name = "unborn"});
    int handles = plat_handle_count();
    rlim_t limit = 3;
    int refused = 0;
    mproc_status status;

    for (;; limit++) {
        set_limit(RLIMIT_NOFILE, limit);
        status = mproc_process_start(process);
        set_limit(RLIMIT_NOFILE, 1024);
        if (status == MPROC_OK) break;
        CHECK_STATUS(status, MPROC_LIMIT);
        CHECK_CONTAINS(mproc_last_error_text(), "process 'unborn' cannot be started: ");
        CHECK_CONTAINS(mproc_last_error_text(), "ulimit -n");
        CHECK(strstr(mproc_last_error_text(), "sentinel") == NULL);
        CHECK(limit < 200);
        refused++;
        CHECK_EQ(plat_handle_count(), handles);
        CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    }
    CHECK(refused > 0);
    CHECK_EXITED(process, 8);
}

static int helper_may_have_no_processes(const char *text)
{
    mproc_process *process =
        fixture_create(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "unborn"});

    (void)text;
    /* The limit does not hold for root. */
    if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0) return CHECK_SKIPPED;
    set_limit(RLIMIT_NPROC, 0);
    CHECK_STATUS(mproc_process_start(process), MPROC_LIMIT);
    CHECK_CONTAINS(mproc_last_error_text(), "ulimit -u");
    CHECK_CONTAINS(mproc_last_error_text(), "ulimit -l"); /* the same number, with memory locked by mlockall() */
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    set_limit(RLIMIT_NPROC, RLIM_INFINITY);
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    return 0;
}

static bool nothing_special(void)
{
    return true;
}

static void case_too_many_processes_is_a_limit(void)
{
    run_in(nothing_special, "linux_refusals.may_have_no_processes");
}

/* ---- memory ----------------------------------------------------------------------------------- */

/* Lets a system call fail with this number. */
static bool refuse(unsigned call, int number)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool no_memfd(void)
{
    return refuse(SYS_memfd_create, EPERM);
}

static bool unknown_memfd(void)
{
    return refuse(SYS_memfd_create, ENOSYS);
}

static bool no_file_for_memfd(void)
{
    return refuse(SYS_memfd_create, EMFILE);
}

static int helper_is_told_of_too_many_files(const char *text)
{
    mproc_process *process = NULL;

    (void)text;
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, &process), MPROC_LIMIT, "ulimit -n");
    CHECK_CONTAINS(mproc_last_error_text(), "shared memory");
    CHECK_STATUS(mproc_sleep_ms(0), MPROC_LIMIT);
    CHECK_STATUS(mproc_shutdown(0), MPROC_LIMIT);
    CHECK(mproc_current_process() == NULL);
    return 0;
}

static void case_family_without_files_is_a_limit(void)
{
    run_in(no_file_for_memfd, "linux_refusals.is_told_of_too_many_files");
}

/* Whether a mapping of this process is of a file with this in its name. */
static bool is_mapped(const char *name)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[4400];
    bool found = false;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) found = found || strstr(line, name) != NULL;
    if (file != NULL) fclose(file);
    return found;
}

static int helper_works_in_shm(const char *text)
{
    CHECK(!is_mapped("memfd:"));
    CHECK(is_mapped("/dev/shm/"));
    return helper_works(text);
}

static void case_refused_memfd_is_replaced_by_a_file(void)
{
    run_in(no_memfd, "linux_refusals.works_in_shm");
    run_in(unknown_memfd, "linux_refusals.works_in_shm");
}

static bool own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool read_only(const char *path)
{
    return mount("none", path, "tmpfs", MS_RDONLY, NULL) == 0;
}

static bool no_memfd_and_no_shm(void)
{
    unsetenv("TMPDIR");
    return own_mounts() && read_only("/dev/shm") && no_memfd();
}

static int helper_works_in_tmp(const char *text)
{
    CHECK(!is_mapped("/dev/shm/"));
    CHECK(is_mapped("/tmp/"));
    return helper_works(text);
}

static void case_missing_shm_is_replaced_by_tmp(void)
{
    run_in(no_memfd_and_no_shm, "linux_refusals.works_in_tmp");
}

/* The program itself may lie under /tmp: there is then nothing to be tried. */
static bool no_place_at_all(void)
{
    char path[4096] = "";

    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0 || strncmp(path, "/tmp/", 5) == 0) return false;
    return no_memfd_and_no_shm() && read_only("/tmp");
}

static int helper_has_no_family(const char *text)
{
    mproc_process *process = NULL;
    mproc_status status = mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, &process);

    (void)text;
    CHECK(status != MPROC_OK);
    CHECK_CONTAINS(mproc_last_error_text(), "/dev/shm, $TMPDIR or /tmp");
    printf("%s: %s\n", mproc_status_name(status), mproc_last_error_text());
    CHECK(mproc_current_process() == NULL);
    CHECK(mproc_parent_process() == NULL);
    return 0;
}

static void case_no_place_for_the_arena_is_told(void)
{
    run_in(no_place_at_all, "linux_refusals.has_no_family");
}

/* ---- /proc ------------------------------------------------------------------------------------ */

static bool no_proc(void)
{
    return own_mounts() && umount2("/proc", MNT_DETACH) == 0;
}

static int helper_works_without_proc(const char *text)
{
    CHECK(access("/proc/self", F_OK) != 0);
    return helper_works(text);
}

static void case_missing_proc_is_no_hindrance(void)
{
    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer reads /proc");
    run_in(no_proc, "linux_refusals.works_without_proc");
}

/* ---- executable memfds forbidden -------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    bool written = descriptor >= 0 && write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);

    if (descriptor >= 0) close(descriptor);
    return written;
}

/* The setting is that of a namespace of pids, whose first process is the one to be run. */
static bool memfd_must_be_sealed(void)
{
    int status = 0;
    pid_t pid;

    if (unshare(CLONE_NEWPID) != 0) return false;
    pid = fork();
    if (pid < 0) return false;
    if (pid == 0) return write_file("/proc/sys/vm/memfd_noexec", "2");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : CHECK_FAILED);
}

static void case_forbidden_executable_memfds_are_no_hindrance(void)
{
    run_in(memfd_must_be_sealed, "linux_refusals.works");
}

/* ---- descriptors of processes ----------------------------------------------------------------- */

static bool no_process_descriptors(void)
{
    return refuse(SYS_pidfd_open, ENOSYS);
}

static bool forbidden_process_descriptors(void)
{
    return refuse(SYS_pidfd_open, EPERM);
}

/* What a child's own copy has is not what tells that the child has ended. */
static mproc_status leaves_a_copy(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    pid_t pid = fork();

    if (pid == 0) {
        while (atomic_load(&board->step) == 0) check_pause_ms(1);
        _exit(0);
    }
    return MPROC_OK;
}

static int helper_works_with_pipes(const char *text)
{
    fixture_board *board;

    helper_works(text);
    board = fixture_board_create();
    CHECK_EXITED(fixture_start(leaves_a_copy, board, 0, NULL), 0);
    fixture_step(board);
    fixture_board_free(board);
    return 0;
}

static mproc_status closes_all(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    for (int i = 3; i < 1024; i++) close(i);
    atomic_store(&board->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status has_one_that_closes_all(mproc_call *call)
{
    fixture_start(closes_all, fixture_unpack(call, NULL), 0, &(mproc_process_options){.daemon = MPROC_YES});
    return fixture_waits(call);
}

static int helper_ends_an_escaped_daemon(const char *text)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_one_that_closes_all, board, 0, NULL);
    int64_t pid;

    (void)text;
    fixture_await_step(board, 2);
    pid = atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, SIGKILL);
    fixture_await_gone(pid);
    fixture_board_free(board);
    return 0;
}

static void case_escaped_daemons_are_ended_without_process_descriptors(void)
{
    run_in(no_process_descriptors, "linux_refusals.ends_an_escaped_daemon");
}

static void case_refused_process_descriptors_are_replaced_by_pipes(void)
{
    run_in(no_process_descriptors, "linux_refusals.works_with_pipes");
    run_in(forbidden_process_descriptors, "linux_refusals.works_with_pipes");
}

/* ---- streams ---------------------------------------------------------------------------------- */

static bool no_streams(void)
{
    close(0);
    close(1);
    close(2);
    return true;
}

static void case_program_started_without_streams_works(void)
{
    run_in(no_streams, "linux_refusals.works");
}

CHECK_SUITE_SETUP(linux_refusals, fixture_setup,
    CASE(small_address_space_shrinks_the_reservation),
    CASE(family_without_memory_is_refused_and_founded_later),
    CASE(family_without_files_is_a_limit),
    CASE(start_without_files_is_a_limit_and_leaves_nothing),
    CASE(too_many_processes_is_a_limit),
    CASE(refused_memfd_is_replaced_by_a_file),
    CASE(missing_shm_is_replaced_by_tmp),
    CASE(no_place_for_the_arena_is_told),
    CASE(missing_proc_is_no_hindrance),
    CASE(forbidden_executable_memfds_are_no_hindrance),
    CASE(refused_process_descriptors_are_replaced_by_pipes),
    CASE(escaped_daemons_are_ended_without_process_descriptors),
    CASE(program_started_without_streams_works),
    HELPER(works),
    HELPER(works_with_pipes),
    HELPER(ends_an_escaped_daemon),
    HELPER(has_a_small_arena),
    HELPER(founds_its_family_late),
    HELPER(is_told_of_too_many_files),
    HELPER(may_have_no_processes),
    HELPER(works_in_shm),
    HELPER(works_in_tmp),
    HELPER(has_no_family),
    HELPER(works_without_proc),
);
