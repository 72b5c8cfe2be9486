/* What platform.h says of a system that refuses, and how Linux can be made to. */
#include "platform_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same everywhere; missing in older headers. */
#define CALL_CLONE3 435
#define CALL_CLOSE_RANGE 436

static void run_helper(const char *helper)
{
    plat_process process;

    platform_start(helper, "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
}

static int helper_returns_0(const char *text)
{
    (void)text;
    return 0;
}

/* ---- open files ------------------------------------------------------------------------------- */

/* Opens files up to a limit of 64; returns the one with the highest number. */
static int fill_with_files(void)
{
    int last = -1;
    int next;

    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, 64}), 0);
    while ((next = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) last = next;
    CHECK_EQ(last, 63);
    return last;
}

/* Each of these needs at least one new descriptor; each must leave none behind. */
static void check_all_refused(void)
{
    plat_handle handle = PLAT_NO_HANDLE;
    plat_handle other = PLAT_NO_HANDLE;
    plat_watcher *watcher = NULL;

    CHECK_REFUSED(plat_event_create(&handle), MPROC_LIMIT);
    CHECK_REFUSED(plat_memory_create(PLATFORM_RESERVE, &handle), MPROC_LIMIT);
    CHECK_REFUSED(plat_sentinel_create(&handle, &other), MPROC_LIMIT);
    CHECK_REFUSED(plat_watcher_create(&watcher), MPROC_LIMIT);
    CHECK_REFUSED(plat_process_open(plat_process_id(), plat_clock_birth_ns(), &handle), MPROC_LIMIT);
    CHECK_EQ(handle, PLAT_NO_HANDLE);
    CHECK_EQ(other, PLAT_NO_HANDLE);
    CHECK(watcher == NULL);
}

static int helper_has_no_room_for_files(const char *text)
{
    plat_handle only;

    (void)text;
    close(fill_with_files());
    CHECK_OK(plat_event_create(&only));
    check_all_refused();
    plat_handle_close(only);
    /* The one place is still free: nothing was left behind. */
    CHECK_OK(plat_event_create(&only));
    plat_handle_close(only);
    return 0;
}

static void case_too_many_open_files_is_a_limit(void)
{
    run_helper("linux_limits.has_no_room_for_files");
}

/* With ever more room, a start fails for want of files until it succeeds; each failure leaves all of it free. */
static int helper_starts_with_few_files(const char *text)
{
    struct rlimit limit;
    plat_process process;
    platform_call call;
    int refused = 0;
    int base = open("/dev/null", O_RDONLY | O_CLOEXEC);
    mproc_status status;

    (void)text;
    close(base);
    do {
        int lowest;
        limit = (struct rlimit){(rlim_t)(base + refused), 4096};
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        platform_call_init(&call, "linux_limits.returns_0", "");
        status = plat_process_start(&call.start, &process);
        if (status == MPROC_OK) break;
        CHECK_STATUS(status, MPROC_LIMIT);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){4096, 4096}), 0);
        lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK_EQ(lowest, base);
        close(lowest);
    } while (++refused < 20);
    CHECK(refused > 0 && refused < 20);
    CHECK_EXITS(&process, 0);
    return 0;
}

static void case_start_without_files_is_a_limit(void)
{
    run_helper("linux_limits.starts_with_few_files");
}

/* ---- addresses -------------------------------------------------------------------------------- */

enum { SMALL_SPACE = 512 << 20 };

static int helper_has_few_addresses(const char *text)
{
    struct rlimit limit = {SMALL_SPACE, SMALL_SPACE};
    size_t page = plat_memory_page();
    plat_handle memory;
    void *base = NULL;
    size_t reserve;

    (void)text;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    reserve = plat_memory_reserve_max() / page * page;
    CHECK(reserve > 0);
    CHECK(reserve < SMALL_SPACE);
    CHECK_OK(plat_memory_create(reserve, &memory));
    CHECK_OK(plat_memory_map(memory, reserve, &base));
    plat_memory_unmap(base, reserve);
    plat_handle_close(memory);
    CHECK_OK(plat_memory_create((size_t)SMALL_SPACE * 2, &memory));
    CHECK_REFUSED(plat_memory_map(memory, (size_t)SMALL_SPACE * 2, &base), MPROC_NO_MEMORY);
    plat_handle_close(memory);
    return 0;
}

static void case_few_addresses_shrink_the_reservation(void)
{
    if (PLATFORM_SANITIZED) CHECK_SKIP("a sanitizer needs more addresses than the limit leaves");
    run_helper("linux_limits.has_few_addresses");
}

/* ---- calls that a sandbox refuses ------------------------------------------------------------- */

/* From now on this system call fails, in this process and its children. */
static void refuse_call(unsigned call, unsigned error)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof instructions / sizeof instructions[0], instructions};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) CHECK_SKIP("this kernel has no seccomp filters");
}

static int helper_writes_to_the_board(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_store(&board->step, 3);
    return 0;
}

static void case_without_memfd_a_file_serves(void)
{
    plat_handle memory;
    platform_board *board;
    plat_process process;

    refuse_call(SYS_memfd_create, EPERM);
    CHECK_EQ(memfd_create("refused", MFD_CLOEXEC), -1);
    board = platform_board_create(&memory);
    platform_start("linux_limits.writes_to_the_board", "", memory, &process);
    CHECK_EXITS(&process, 0);
    CHECK_EQ(atomic_load(&board->step), 3);
    platform_board_drop(board, memory);
}

/* What a start promises, when it is made in another way than elsewhere. */
static void check_starts(void)
{
    plat_process process;
    platform_call call;
    int free_before;
    int free_after;

    free_before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(free_before);
    run_helper("linux_limits.returns_0");
    run_helper("linux_limits.starts_with_few_files");
    platform_call_init(&call, "linux_limits.returns_0", "");
    call.start.executable = "/nowhere/at/all";
    CHECK_REFUSED(plat_process_start(&call.start, &process), MPROC_NOT_FOUND);
    platform_call_init(&call, "linux_limits.returns_0", "");
    call.start.working_directory = "/nowhere/at/all";
    CHECK_REFUSED(plat_process_start(&call.start, &process), MPROC_NOT_FOUND);
    free_after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(free_after, free_before);
    close(free_after);
}

static void case_without_clone3_processes_start(void)
{
    refuse_call(CALL_CLONE3, ENOSYS);
    check_starts();
}

static void case_without_close_range_processes_start(void)
{
    refuse_call(CALL_CLOSE_RANGE, ENOSYS);
    check_starts();
}

static void waits_for_the_end(void *ends)
{
    while (!atomic_load((_Atomic bool *)ends)) plat_clock_sleep_until(plat_clock_now_ns() + 1000000);
}

/* The C library may have kept stacks of earlier threads. */
static void case_thread_without_room_for_its_stack_names_the_limit(void)
{
    plat_thread *threads[64];
    _Atomic bool ends = false;
    mproc_status status = MPROC_OK;
    struct rlimit all;
    int count = 0;

    if (PLATFORM_SANITIZED) CHECK_SKIP("a sanitizer maps memory of its own");
    CHECK_EQ(getrlimit(RLIMIT_AS, &all), 0);
    CHECK_EQ(setrlimit(RLIMIT_AS, &(struct rlimit){4096, all.rlim_max}), 0);
    while (count < 64 && (status = plat_thread_start(waits_for_the_end, &ends, &threads[count])) == MPROC_OK) count++;
    CHECK_EQ(setrlimit(RLIMIT_AS, &all), 0);
    CHECK_STATUS(status, MPROC_LIMIT);
    CHECK_CONTAINS(mproc_last_error_text(), "map its stack (ulimit -v)");
    atomic_store(&ends, true);
    while (count > 0) plat_thread_join(threads[--count]);
}

/* ---- the mapping ------------------------------------------------------------------------------ */

/* The flags of the mapping at the address, as /proc/self/smaps tells them. */
static bool mapping_has_flag(const void *address, const char *flag)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    bool inside = false;
    char line[512];

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start;
        unsigned long end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            inside = (uintptr_t)address >= start && (uintptr_t)address < end;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            bool found = strstr(line, flag) != NULL;
            fclose(file);
            return found;
        }
    }
    fclose(file);
    return false;
}

static void case_core_dumps_leave_the_memory_out(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);

    CHECK(mapping_has_flag(board, " dd"));
    CHECK(mapping_has_flag((char *)board + PLATFORM_RESERVE - 1, " dd"));
    platform_board_drop(board, memory);
}

/* Reserving costs nothing: only what is committed takes memory. */
static void case_a_reservation_takes_no_memory(void)
{
    const size_t reserve = (size_t)4 << 30;
    plat_handle memory;
    struct stat status;
    void *base = NULL;

    if (PLATFORM_SANITIZED) CHECK_SKIP("a sanitizer limits the addresses");
    CHECK_OK(plat_memory_create(reserve, &memory));
    CHECK_OK(plat_memory_map(memory, reserve, &base));
    CHECK_OK(plat_memory_commit(memory, base, 0, 16 * plat_memory_page()));
    CHECK_EQ(fstat((int)memory, &status), 0);
    CHECK((size_t)status.st_blocks * 512 <= 64 * plat_memory_page());
    plat_memory_unmap(base, reserve);
    plat_handle_close(memory);
}

static size_t taken_from_the_system(plat_handle memory)
{
    struct stat status;

    CHECK_EQ(fstat((int)memory, &status), 0);
    return (size_t)status.st_blocks * 512;
}

static void case_released_memory_goes_back_to_the_system(void)
{
    const size_t size = (size_t)32 << 20;
    plat_handle memory;
    void *base = NULL;
    size_t before;

    CHECK_OK(plat_memory_create(2 * size, &memory));
    CHECK_OK(plat_memory_map(memory, 2 * size, &base));
    CHECK_OK(plat_memory_commit(memory, base, 0, plat_memory_page()));
    before = taken_from_the_system(memory);
    CHECK_OK(plat_memory_commit(memory, base, size, size));
    memset((char *)base + size, 1, size);
    CHECK(taken_from_the_system(memory) >= size);
    plat_memory_release(memory, base, size, size);
    CHECK_EQ(taken_from_the_system(memory), before);
    plat_memory_unmap(base, 2 * size);
    plat_handle_close(memory);
}

/* ---- CPUs ------------------------------------------------------------------------------------- */

static void case_moving_changes_no_affinity(void)
{
    cpu_set_t before;
    cpu_set_t after;
    int cpu;

    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    for (cpu = 0; cpu < 4; cpu++) {
        plat_thread_move(cpu);
        CHECK_EQ(sched_getaffinity(0, sizeof after, &after), 0);
        CHECK(CPU_EQUAL(&before, &after));
    }
}

static void case_moving_moves(void)
{
    cpu_set_t set;
    int cpu;

    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int turn = 0;
        if (!CPU_ISSET(cpu, &set)) continue;
        /* The scheduler may move the thread on, so it may take another try. */
        do plat_thread_move(cpu);
        while (plat_thread_cpu() != cpu && ++turn < 1000);
        CHECK(turn < 1000);
    }
}

/* ---- a mount without programs ----------------------------------------------------------------- */

static bool mount_without_programs(const char *directory)
{
    const unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_NOSUID | MS_NODEV;
    bool own = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;

    return own && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(directory, directory, NULL, MS_BIND, NULL) == 0 && mount("none", directory, NULL, flags, NULL) == 0;
}

static int helper_starts_from_a_mount_without_programs(const char *text)
{
    plat_handle handles[4];
    char path[1100];
    const char *directory = platform_handles(text, handles);
    platform_call call;
    plat_process process;

    snprintf(path, sizeof path, "%s/program", directory);
    os_copy_program(path);
    if (!mount_without_programs(directory)) return CHECK_SKIPPED;
    platform_call_init(&call, "linux_limits.returns_0", "");
    call.start.executable = path;
    CHECK_STATUS(plat_process_start(&call.start, &process), MPROC_PERMISSION);
    CHECK_CONTAINS(mproc_last_error_text(), path);
    CHECK_CONTAINS(mproc_last_error_text(), "noexec");
    return 0;
}

static void case_mount_without_programs_is_told(void)
{
    char directory[1024];
    plat_process process;
    plat_end end;
    int ready;

    os_make_directory(directory, sizeof directory);
    platform_start("linux_limits.starts_from_a_mount_without_programs", directory, PLAT_NO_HANDLE, &process);
    CHECK_OK(plat_handle_wait(&process.handle, 1, platform_limit_ns(), &ready));
    end = plat_process_collect(&process);
    plat_handle_close(process.handle);
    os_remove_directory(directory);
    if (end.kind == PLAT_END_EXITED && end.code == CHECK_SKIPPED)
        CHECK_SKIP("nobody here may have mounts of his own");
    CHECK(end.kind == PLAT_END_EXITED);
    CHECK_EQ(end.code, 0);
}

CHECK_SUITE(linux_limits,
    CASE(too_many_open_files_is_a_limit),
    CASE(start_without_files_is_a_limit),
    CASE(few_addresses_shrink_the_reservation),
    CASE(without_memfd_a_file_serves),
    CASE(without_clone3_processes_start),
    CASE(without_close_range_processes_start),
    CASE(thread_without_room_for_its_stack_names_the_limit),
    CASE(core_dumps_leave_the_memory_out),
    CASE(a_reservation_takes_no_memory),
    CASE(released_memory_goes_back_to_the_system),
    CASE(moving_changes_no_affinity),
    CASE(moving_moves),
    CASE(mount_without_programs_is_told),
    HELPER(starts_from_a_mount_without_programs),
    HELPER(returns_0),
    HELPER(has_no_room_for_files),
    HELPER(starts_with_few_files),
    HELPER(has_few_addresses),
    HELPER(writes_to_the_board),
);
