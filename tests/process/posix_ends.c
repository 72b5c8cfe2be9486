/*
 * mproc/process.h in programs that end threads and processes in POSIX' own ways: descriptors closed wholesale,
 * cancellation, the main thread that ends first, exit() in a signal handler.
 */
#include "process_fixture.h"

#include "object/recovery.h"
#include "platform/platform_fixture.h"
#include "process/process.h"
#include "process/reaper.h"

#include <fcntl.h>
#include <mproc/shared_memory.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a daemon that has closed all its descriptors --------------------------------------------- */

static mproc_status closes_all(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    atomic_store(&board->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status has_one_that_closes_all(mproc_call *call)
{
    fixture_start(closes_all, fixture_unpack(call, NULL), 0, &(mproc_process_options){.daemon = MPROC_YES});
    return fixture_waits(call);
}

static void case_daemon_that_closes_all_descriptors_ends_with_its_parent(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_one_that_closes_all, board, 0, NULL);
    int64_t pid;

    fixture_await_step(board, 2);
    pid = atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, SIGKILL);
    fixture_await_gone(pid);
    fixture_board_free(board);
}

/* ---- a program that closes what it did not open -------------------------------------------------- */

enum { TAKEN = 200 };

/* All numbers that the library had are files of the program's afterwards. */
static void close_all_and_open_files(const char *path)
{
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    for (int i = 3; i < TAKEN; i++) CHECK_EQ(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), i);
}

static void check_files_are_whole(const char *path)
{
    struct stat file, own;

    CHECK_EQ(stat(path, &own), 0);
    for (int i = 3; i < TAKEN; i++) {
        if (fstat(i, &file) != 0 || file.st_ino != own.st_ino) CHECK_EQ(i, 0);
    }
    CHECK_EQ(own.st_size, 4);
}

static void use_the_library(mproc_process *child, mproc_process *other)
{
    mproc_process *late = fixture_create(fixture_does_nothing, NULL, 0, NULL);
    mproc_shared_memory *memory = NULL;

    CHECK_SAYS(mproc_process_start(late), MPROC_INVALID, "has closed file descriptor");
    mproc_process_free(late);
    mproc_interrupt();
    CHECK(mproc_interrupted());
    CHECK_STATUS(mproc_process_join(child, 1), MPROC_TIMEOUT);
    CHECK_OK(mproc_process_terminate(child));
    CHECK_ENDED_BY(child, SIGTERM);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, SIGKILL);
    /* What is not committed yet cannot be had. */
    CHECK_SAYS(mproc_shared_memory_create((size_t)80 << 20, NULL, &memory), MPROC_INVALID,
               "has closed file descriptor");
}

static int helper_closes_all(const char *path)
{
    fixture_board *board = fixture_board_create();
    mproc_process_options lives_on = {.daemon = MPROC_NO};
    mproc_process *child = fixture_start(fixture_waits, board, 0, &lives_on);
    mproc_process *other = fixture_start(fixture_waits, board, 0, &lives_on);
    mproc_shared_memory *memory = NULL;
    int descriptor;

    CHECK_OK(mproc_shared_memory_create((size_t)65 << 20, NULL, &memory));
    fixture_await_step(board, 2);
    descriptor = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK_EQ(write(descriptor, "text", 4), 4);
    close_all_and_open_files(path);
    use_the_library(child, other);
    mproc_shared_memory_free(memory); /* larger than what is kept warm: it goes back to the system */
    fixture_board_free(board);
    check_files_are_whole(path);
    return 0;
}

static void case_descriptors_that_took_the_librarys_numbers_are_left_alone(void)
{
    char path[64];
    fixture_run run = {.helper = "process_ends.closes_all", .text = path};

    if (FIXTURE_SANITIZED == 2)
        CHECK_SKIP("of races of descriptors the thread sanitizer tells through one of its own");
    snprintf(path, sizeof path, "/tmp/mproc-closes-all-%d", (int)getpid());
    fixture_run_to_end(&run);
    unlink(path);
    printf("%s", run.output);
    CHECK_EQ(run.code, 0);
}

/* Its reaper sleeps then, and what it is told by is gone. */
static void case_ends_are_seen_though_the_program_has_closed_all_descriptors(void)
{
    fixture_run run = {.helper = "process_ends.closes_all_and_waits"};

    fixture_run_to_end(&run);
    printf("%s", run.output);
    CHECK_EQ(run.code, 0);
}

static bool is_unknown(void *pid)
{
    return kill(*(const pid_t *)pid, 0) != 0;
}

static int helper_closes_all_and_waits(const char *text)
{
    fixture_board *board = fixture_board_create();
    mproc_process *child = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    pid_t pid = (pid_t)mproc_process_pid(child);
    int last = (int)sysconf(_SC_OPEN_MAX);

    (void)text;
    fixture_await_step(board, 1);
    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_WAIT_UNTIL(is_unknown, &pid); /* collected: until then the system knows it */
    mproc_process_free(child);
    fixture_board_free(board);
    return 0;
}

/* ---- orphans of a process that the system gives them to ---------------------------------------- */

static mproc_status tells_its_pid(mproc_call *call)
{
    atomic_store(&fixture_unpack(call, NULL)->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status leaves_an_orphan(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(tells_its_pid, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    fixture_await_step(board, 1);
    _exit(0);
}

static bool is_collected(void *pid)
{
    return kill((pid_t) * (int64_t *)pid, 0) != 0;
}

static void case_orphans_do_not_stay_zombies_of_a_subreaper(void)
{
    fixture_board *board = fixture_board_create();
    int64_t pid;

    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    CHECK_EXITED(fixture_start(leaves_an_orphan, board, 0, NULL), 0);
    pid = atomic_load(&board->values[0]);
    fixture_kill(pid);
    CHECK_WAIT_UNTIL(is_collected, &pid);
    fixture_board_free(board);
}

/* Its own child has left an orphan. It recovers that one itself, though the system has given it to its parent. */
static mproc_status recovers_an_orphan(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    int64_t pid;

    CHECK_EXITED(fixture_start(leaves_an_orphan, board, 0, NULL), 0);
    pid = atomic_load(&board->values[0]);
    fixture_kill(pid);
    while (plat_process_alive(pid, plat_clock_birth_ns())) check_pause_ms(1);
    recovery_adopt();
    fixture_step(board);
    return fixture_waits(call);
}

static void case_orphans_that_another_recovers_do_not_stay_zombies_of_a_subreaper(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *other;
    int64_t pid;

    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    other = fixture_start(recovers_an_orphan, board, 0, NULL);
    fixture_await_step(board, 3);
    pid = atomic_load(&board->values[0]);
    CHECK_WAIT_UNTIL(is_collected, &pid);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, SIGKILL);
    fixture_board_free(board);
}

/* ---- an interrupt while daemons have their second --------------------------------------------- */

static mproc_status bears_sigterm(mproc_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return fixture_waits(call);
}

static void case_interrupt_ends_the_grace_of_daemons_and_is_told(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(bears_sigterm, board, 0, &(mproc_process_options){.daemon = MPROC_YES});

    fixture_await_step(board, 1);
    mproc_interrupt();
    CHECK_STATUS(mproc_shutdown(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_ENDED_BY(daemon, SIGKILL);
    fixture_board_free(board);
}

/* ---- the main thread ends first ---------------------------------------------------------------- */

static fixture_board *exits_counted;

static void count_exit(void)
{
    fixture_step(exits_counted);
}

static void *outlives_main(void *unused)
{
    (void)unused;
    fixture_step(exits_counted);
    while (atomic_load(&exits_counted->values[0]) == 0) check_pause_ms(1);
    return NULL;
}

/* It has a daemon, so there is a thread of the library, and, if `number` says so, another one of its own. */
static mproc_status ends_its_main_thread(mproc_call *call)
{
    pthread_t thread;
    int64_t number;

    exits_counted = fixture_unpack(call, &number);
    CHECK_EQ(atexit(count_exit), 0);
    fixture_start(fixture_waits, exits_counted, 0, &(mproc_process_options){.daemon = MPROC_YES});
    if (number) CHECK_EQ(pthread_create(&thread, NULL, outlives_main, NULL), 0);
    fixture_await_step(exits_counted, number ? 4 : 1);
    pthread_exit(NULL);
}

static void case_process_ends_with_the_last_thread_of_the_program(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process;

    if (FIXTURE_SANITIZED) CHECK_SKIP("sanitizers have threads of their own, or look at what a thread has that ends");
    CHECK_EXITED(fixture_start(ends_its_main_thread, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->step), 2);
    process = fixture_start(ends_its_main_thread, board, 1, NULL);
    fixture_await_step(board, 4);
    CHECK(mproc_process_is_alive(process));
    atomic_store(&board->values[0], 1);
    CHECK_EXITED(process, 0);
    CHECK_EQ(atomic_load(&board->step), 5);
    fixture_board_free(board);
}

static void does_nothing(void *unused)
{
    (void)unused;
}

/* The reaper looks whenever it is woken: here while a thread is being made that belongs to the library. */
static void *starts_threads(void *unused)
{
    plat_thread *started;

    (void)unused;
    for (int i = 0; i < 500; i++) {
        reaper_poll();
        CHECK_OK(plat_thread_start(does_nothing, NULL, &started));
        plat_thread_join(started);
    }
    _exit(7);
}

static mproc_status ends_beside_one_that_starts_threads(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    pthread_t thread;

    fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    fixture_await_step(board, 1);
    CHECK_EQ(pthread_create(&thread, NULL, starts_threads, NULL), 0);
    pthread_exit(NULL);
}

static void case_thread_that_starts_others_keeps_the_process(void)
{
    fixture_board *board = fixture_board_create();

    if (FIXTURE_SANITIZED) CHECK_SKIP("sanitizers have threads of their own, or look at what a thread has that ends");
    CHECK_EXITED(fixture_start(ends_beside_one_that_starts_threads, board, 0, NULL), 7);
    fixture_board_free(board);
}

/* ---- shutdown without time -------------------------------------------------------------------- */

static _Atomic uint32_t reaper_stays; /* 1: it is there, 2: it may go */

static void keeps_the_reaper(void *context, mproc_process *process)
{
    (void)context;
    (void)process;
    atomic_store(&reaper_stays, 1);
    while (atomic_load(&reaper_stays) == 1) check_pause_ms(1);
}

static void waits_for_the_end(void *context, mproc_process *process)
{
    const mproc_process *other = context;
    int ready;

    (void)process;
    CHECK_OK(plat_handle_wait(&other->os.handle, 1, platform_limit_ns(), &ready));
}

static mproc_process *start_hooked(mproc_function *function, fixture_board *board, process_ended *ended,
                                   void *context)
{
    mproc_process_options options = {.daemon = MPROC_YES};
    mproc_process *process = fixture_create(function, board, 0, &options);

    process->ended = ended;
    process->ended_context = context;
    CHECK_OK(mproc_process_start(process));
    return process;
}

/*
 * The reaper is kept with one that has ended, so shutdown collects the others itself. The first still lives when it
 * is killed, and has ended when shutdown comes from the second, whose hook waits for that.
 */
static void case_shutdown_without_time_sees_what_has_ended_meanwhile(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *first = start_hooked(bears_sigterm, board, NULL, NULL);
    mproc_process *second = start_hooked(fixture_waits, board, waits_for_the_end, first);
    mproc_process *kept = start_hooked(fixture_does_nothing, NULL, keeps_the_reaper, NULL);
    int ready;

    fixture_await_step(board, 2);
    while (atomic_load(&reaper_stays) == 0) check_pause_ms(1);
    CHECK_OK(mproc_process_kill(second));
    CHECK_OK(plat_handle_wait(&second->os.handle, 1, platform_limit_ns(), &ready));
    CHECK_OK(mproc_shutdown(0));
    atomic_store(&reaper_stays, 2);
    CHECK_ENDED_BY(first, SIGKILL);
    CHECK_ENDED_BY(second, SIGKILL);
    CHECK_EXITED(kept, 0);
    fixture_board_free(board);
}

/* ---- real time -------------------------------------------------------------------------------- */

/* What it starts has the usual policy, and no other CPU: it does not run while this thread does. */
static bool real_time_on_one_cpu(void)
{
    struct sched_param parameters = {.sched_priority = 1};
    cpu_set_t all, one;
    int cpu = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0) return false;
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &all)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 &&
           sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

/* In a fork() copy, which has no reaper yet. The system stops one that spins, but only after 0.95 s of it. */
static void start_in_real_time(void)
{
    struct timespec used;

    if (!real_time_on_one_cpu()) _exit(CHECK_SKIPPED);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    CHECK(used.tv_sec == 0 && used.tv_nsec < 500000000);
    _exit(0);
}

static void case_real_time_thread_lets_the_reaper_begin(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) start_in_real_time();
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == CHECK_SKIPPED) CHECK_SKIP("no thread here may have a real-time priority");
    CHECK_EQ(WEXITSTATUS(status), 0);
}

CHECK_SUITE_SETUP(process_ends, fixture_setup,
    CASE(daemon_that_closes_all_descriptors_ends_with_its_parent),
    CASE(descriptors_that_took_the_librarys_numbers_are_left_alone),
    CASE(ends_are_seen_though_the_program_has_closed_all_descriptors),
    CASE(orphans_do_not_stay_zombies_of_a_subreaper),
    CASE(orphans_that_another_recovers_do_not_stay_zombies_of_a_subreaper),
    CASE(interrupt_ends_the_grace_of_daemons_and_is_told),
    HELPER(closes_all),
    HELPER(closes_all_and_waits),
    CASE(process_ends_with_the_last_thread_of_the_program),
    CASE(thread_that_starts_others_keeps_the_process),
    CASE(real_time_thread_lets_the_reaper_begin),
    CASE(shutdown_without_time_sees_what_has_ended_meanwhile),
);
