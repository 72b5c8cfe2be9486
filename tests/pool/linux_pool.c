/* mproc/pool.h where Linux sets limits, and what an idle pool costs. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena/slot.h"
#include "pool/waiting_fixture.h"

/* ---- limits ----------------------------------------------------------------------------------- */

static mproc_status create_four(mproc_pool **pool)
{
    return mproc_pool_create(&(mproc_pool_options){.workers = 4}, pool);
}

static void set_files(rlim_t soft, rlim_t hard)
{
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard}), 0);
}

static void set_processes(rlim_t soft, rlim_t hard)
{
    CHECK_EQ(setrlimit(RLIMIT_NPROC, &(struct rlimit){soft, hard}), 0);
}

static int lowest_free_file(void)
{
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

    CHECK(lowest >= 0);
    close(lowest);
    return lowest;
}

static bool is_file_free(void *context)
{
    return lowest_free_file() == *(const int *)context;
}

/* With ever more room, it fails for want of files until it succeeds; each failure leaves all of it free. */
static void case_create_without_files_leaves_nothing(void)
{
    struct rlimit before;
    mproc_pool *pool = NULL;
    mproc_status status;
    int base = lowest_free_file();
    int refused = 0;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (;;) {
        set_files((rlim_t)(base + refused), before.rlim_max);
        status = create_four(&pool);
        set_files(before.rlim_cur, before.rlim_max);
        if (status == MPROC_OK) break;
        CHECK_STATUS(status, MPROC_LIMIT);
        CHECK_CONTAINS(mproc_last_error_text(), "raise the limit");
        CHECK(pool == NULL);
        CHECK_WAIT_UNTIL(is_file_free, &base);
        refused++;
    }
    CHECK(refused >= 8);
    fixture_check_squares(pool, 1000, 1);
    mproc_pool_free(pool);
}

/* As somebody who has no other processes; only root can become one. */
static void become_nobody(void)
{
    if (geteuid() != 0) CHECK_SKIP("only root can become a user without other processes");
    CHECK_EQ(setresgid(54321, 54321, 54321), 0);
    CHECK_EQ(setresuid(54321, 54321, 54321), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0); /* or /proc/self is closed to ourselves */
}

static void case_create_without_processes_leaves_nothing(void)
{
    mproc_pool *pool = NULL;
    struct rlimit before;

    become_nobody();
    CHECK_EQ(getrlimit(RLIMIT_NPROC, &before), 0);
    for (rlim_t most = 2; most <= 5; most++) {
        set_processes(most, before.rlim_max);
        CHECK_REFUSED(create_four(&pool), MPROC_LIMIT, "PoolWorker-");
        CHECK(pool == NULL);
    }
    set_processes(before.rlim_max, before.rlim_max);
    CHECK_OK(create_four(&pool));
    fixture_check_squares(pool, 1000, 1);
    mproc_pool_free(pool);
}

static bool all_gone(void *context)
{
    const int64_t *pids = context;

    for (int i = 0; i < 4; i++)
        if (os_is_alive(pids[i])) return false;
    return true;
}

/* A pool that has lost its workers and can start no other says so, and goes on when it can. */
static void case_map_without_processes_fails_and_the_next_goes_on(void)
{
    mproc_pool *pool = NULL;
    int64_t pids[4], value = 3, square = 0;
    struct rlimit before;

    become_nobody();
    CHECK_EQ(getrlimit(RLIMIT_NPROC, &before), 0);
    CHECK_OK(create_four(&pool));
    set_processes(1, before.rlim_max);
    CHECK_EQ(mproc_pool_pids(pool, pids, 4), 4);
    for (int i = 0; i < 4; i++) os_kill(pids[i]);
    CHECK_WAIT_UNTIL(all_gone, pids);
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, &value, 8, &square, 8, 1, NULL), MPROC_LIMIT, "PoolWorker-");
    set_processes(before.rlim_max, before.rlim_max);
    fixture_check_squares(pool, 1000, 1);
    CHECK_EQ(mproc_pool_pids(pool, pids, 4), 4);
    mproc_pool_free(pool);
}

static _Atomic uint32_t entered, may_go;

static void enters_and_waits(void *unused)
{
    (void)unused;
    CHECK_OK(mproc_sleep_ms(0));
    atomic_fetch_add(&entered, 1);
    CHECK_AWAIT(&may_go, 1);
}

/* The slots of threads that the family has memory for from the start are in use, and files may not grow. */
static void case_worker_threads_without_memory_say_so(void)
{
    plat_thread *threads[SLOT_NEAR_THREADS];
    mproc_pool_options one = {.workers = 1, .kind = MPROC_THREADS};
    int64_t value = 3, square = 0;
    struct rlimit before;
    mproc_pool *pool = NULL;
    uint32_t count = 0;

    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_OK(mproc_pool_create(&one, &pool)); /* what it is made of is there for the next */
    mproc_pool_free(pool);
    for (; atomic_load(&arena_header->threads_high) < SLOT_NEAR_THREADS; count++) {
        CHECK_OK(plat_thread_start(enters_and_waits, NULL, &threads[count]));
        CHECK_AWAIT(&entered, count + 1);
    }
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, before.rlim_max}), 0);
    CHECK_OK(mproc_pool_create(&one, &pool));
    mproc_status status = mproc_pool_map(pool, fixture_square, &value, 8, &square, 8, 1, NULL);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_STATUS(status, MPROC_NO_MEMORY);
    mproc_pool_free(pool);
    atomic_store(&may_go, 1);
    while (count > 0) plat_thread_join(threads[--count]);
}

/* ---- no thread for limits ----------------------------------------------------------------------- */

/* What needs the pool's keeper is refused, and nothing is begun; a map that is given up ends without. */
static void case_without_a_thread_for_them_limits_are_refused_and_maps_are_interrupted(void)
{
    fixture_board *board = fixture_board_create(), *others = fixture_board_create();
    mproc_task_options limited = {.hard_limit_ms = 600000};
    mproc_result *running, *result = NULL;
    struct rlimit before;
    mproc_pool *pool;
    fixture_map map;

    become_nobody();
    CHECK_EQ(getrlimit(RLIMIT_NPROC, &before), 0);
    pool = fixture_create(2);
    running = tasks_submit(pool, tasks_stay, others, 5);
    CHECK_AWAIT(&others->started, 1);
    fixture_map_begin(&map, pool, fixture_stay, board, 3);
    CHECK_AWAIT(&board->started, 1);
    set_processes(1, before.rlim_max);
    CHECK_STATUS(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 1), &limited, &result), MPROC_LIMIT);
    CHECK(result == NULL);
    CHECK_STATUS(mproc_result_stop(running, 0), MPROC_LIMIT);
    mproc_interrupt();
    fixture_map_join(&map);
    CHECK(mproc_interrupted());
    CHECK_STATUS(map.status, MPROC_INTERRUPTED);
    set_processes(before.rlim_max, before.rlim_max);
    CHECK_EQ(atomic_load(&board->done), 0);
    atomic_store(&others->go, 1);
    CHECK_EQ(tasks_take_int(running), 5);
    CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 3), &limited, &result));
    CHECK_EQ(tasks_take_int(result), 9);
    fixture_check_squares(pool, 1000, 1);
    CHECK_EQ(mproc_pool_pids(pool, NULL, 0), 2);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    fixture_board_free(others);
    mproc_pool_free(pool);
}

/* ---- a debugger ------------------------------------------------------------------------------- */

/* Holds a worker that has ended: it is no more, but its parent cannot collect it before the tracer lets it go. */
static mproc_status trace(mproc_call *call)
{
    fixture_item item;
    fixture_board *board;
    pid_t pid;
    int status;

    MPROC_TRY(mproc_unpack_bytes(call, &item, sizeof item));
    board = fixture_board_at(item.board);
    pid = (pid_t)atomic_load(&board->pid);
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) {
        atomic_store(&board->started, 2);
        return MPROC_OK;
    }
    atomic_store(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    CHECK_EQ(waitpid(pid, &status, __WALL), pid);
    return MPROC_OK;
}

static void case_a_worker_that_ends_under_a_debugger_is_replaced(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    fixture_item *item = fixture_items(board, 1);
    mproc_process *tracer;
    int64_t pid;

    CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 1);
    atomic_store(&board->pid, pid);
    CHECK_OK(mproc_process_create(trace, mproc_bytes(item, sizeof *item), NULL, &tracer));
    CHECK_OK(mproc_process_start(tracer));
    CHECK_AWAIT(&board->started, 1);
    if (atomic_load(&board->started) == 2) CHECK_SKIP("this system lets nobody trace a process");
    os_kill(pid);
    check_pause_ms(20);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_process_join(tracer, MPROC_FOREVER));
    fixture_check_squares(pool, 100, 1);
    mproc_process_free(tracer);
    free(item);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- scheduling ------------------------------------------------------------------------------- */

/* Whether it is scheduled as the creator of the pool below. */
static mproc_status tell_schedule(const void *item, void *result, mproc_call *call)
{
    bool batch = sched_getscheduler(0) == SCHED_BATCH, nice = getpriority(PRIO_PROCESS, 0) == 3;
    cpu_set_t cpus;

    (void)item;
    (void)call;
    CHECK_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    *(int *)result = (CPU_COUNT(&cpus) == 1) + 2 * batch + 4 * nice;
    return MPROC_OK;
}

/* This thread alone: the one that starts successors has been there before. */
static void schedule_myself(void)
{
    cpu_set_t cpu;

    CPU_ZERO(&cpu);
    CPU_SET((size_t)sched_getcpu(), &cpu);
    CHECK_EQ(sched_setaffinity(0, sizeof cpu, &cpu), 0);
    CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}), 0);
    CHECK_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);
}

static void case_a_successor_is_scheduled_as_the_creator_of_the_pool(void)
{
    mproc_pool *pool;
    int64_t pid, successor;
    int before = 0, after = 0;

    schedule_myself();
    pool = fixture_create(1);
    CHECK_OK(mproc_map(pool, tell_schedule, NULL, &before, 1, NULL));
    CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 1);
    os_kill(pid);
    do CHECK_OK(mproc_map(pool, tell_schedule, NULL, &after, 1, NULL));
    while (mproc_pool_pids(pool, &successor, 1) != 1 || successor == pid);
    CHECK_OK(mproc_map(pool, tell_schedule, NULL, &after, 1, NULL));
    CHECK_EQ(before, 7);
    CHECK_EQ(after, 7);
    mproc_pool_free(pool);
}

static mproc_status count_cpus(const void *item, void *result, mproc_call *call)
{
    cpu_set_t cpus;

    (void)item;
    (void)call;
    CHECK_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    *(int *)result = CPU_COUNT(&cpus);
    return MPROC_OK;
}

/* Workers step out of each other's way, and are bound to nothing. */
static void case_maps_leave_the_affinity_of_workers_alone(void)
{
    mproc_pool *pool = fixture_create(2);
    int counts[2] = {0};
    cpu_set_t all;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_OK(mproc_map(pool, count_cpus, NULL, counts, 2, NULL));
        CHECK_EQ(counts[0], CPU_COUNT(&all));
        CHECK_EQ(counts[1], CPU_COUNT(&all));
    }
    mproc_pool_free(pool);
}

/* A successor, too, which another thread has started. */
static void case_a_worker_that_is_pinned_has_one_cpu(void)
{
    mproc_pool *pool;
    int64_t pid, successor;
    int count = 0;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .pinned = true}, &pool));
    CHECK_OK(mproc_map(pool, count_cpus, NULL, &count, 1, NULL));
    CHECK_EQ(count, 1);
    CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 1);
    os_kill(pid);
    do {
        (void)!mproc_map(pool, count_cpus, NULL, &count, 1, NULL);
        CHECK_EQ(count, 1);
    } while (mproc_pool_pids(pool, &successor, 1) != 1 || successor == pid);
    CHECK_OK(mproc_map(pool, count_cpus, NULL, &count, 1, NULL));
    CHECK_EQ(count, 1);
    mproc_pool_free(pool);
}

/* What the system does with a first worker, at whose wish ever, before it has come to its loop. */
static void case_a_worker_that_is_moved_while_it_starts_stays_there(void)
{
    cpu_set_t all, one;
    mproc_pool *pool;
    int64_t pid;
    int count = 0;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    if (CPU_COUNT(&all) < 2) CHECK_SKIP("there is one CPU, and nowhere to move to");
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    pool = fixture_create(1);
    CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 1);
    CHECK_EQ(sched_setaffinity((pid_t)pid, sizeof one, &one), 0);
    CHECK_OK(mproc_map(pool, count_cpus, NULL, &count, 1, NULL));
    CHECK_EQ(count, 1);
    mproc_pool_free(pool);
}

/* ---- rest ------------------------------------------------------------------------------------- */

static long switches_of(int64_t pid)
{
    char name[64], line[256];
    long count = -1;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%lld/status", (long long)pid);
    CHECK((file = fopen(name, "re")) != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0) count = atol(line + 24);
    fclose(file);
    CHECK(count >= 0);
    return count;
}

/* Every sleeper looks for its parent every two seconds, and does nothing else, however long the pause really was. */
static void case_an_idle_pool_only_looks_every_two_seconds(void)
{
    mproc_pool *pool = fixture_create(4);
    int64_t pids[4], start_ms;
    long before[4], looks;

    fixture_check_squares(pool, 100000, 1);
    CHECK_EQ(mproc_pool_pids(pool, pids, 4), 4);
    check_pause_ms(200); /* until all have fallen asleep */
    start_ms = check_now_ms();
    for (int i = 0; i < 4; i++) before[i] = switches_of(pids[i]);
    check_pause_ms(5000);
    for (int i = 0; i < 4; i++) {
        looks = switches_of(pids[i]) - before[i];
        if (looks > (check_now_ms() - start_ms) / 2000 + 2)
            check_fail(__FILE__, __LINE__, "an idle worker slept %ld times", looks);
    }
    mproc_pool_free(pool);
}

/* ---- output ----------------------------------------------------------------------------------- */

/* Both of them lead into one file from here on, and are written when their buffers are full. */
static mproc_status redirect(mproc_call *call)
{
    const char *path;

    MPROC_TRY(mproc_unpack(call, &path));
    CHECK(freopen(path, "a", stdout) && freopen(path, "a", stderr));
    CHECK_EQ(setvbuf(stdout, NULL, _IOFBF, BUFSIZ), 0);
    CHECK_EQ(setvbuf(stderr, NULL, _IOFBF, BUFSIZ), 0);
    return MPROC_OK;
}

static mproc_status print(mproc_call *call)
{
    const char *text;
    bool as_error;

    MPROC_TRY(mproc_unpack(call, &text, &as_error));
    fputs(text, as_error ? stderr : stdout);
    return MPROC_OK;
}

static void check_printed(FILE *file, const char *expected)
{
    char text[64] = "";

    rewind(file);
    CHECK(fread(text, 1, sizeof text - 1, file) < sizeof text - 1);
    CHECK_STRING(text, expected);
}

static void case_what_a_task_prints_has_left_its_worker_when_it_is_finished(void)
{
    mproc_pool *pool = fixture_create(1);
    FILE *file = tmpfile();
    char path[64];

    CHECK(file != NULL);
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)getpid(), fileno(file));
    CHECK_OK(mproc_pool_apply(pool, redirect, MPROC_ARGS(path), NULL));
    CHECK_OK(mproc_pool_apply(pool, print, MPROC_ARGS("one", false), NULL));
    check_printed(file, "one");
    CHECK_OK(mproc_pool_apply(pool, print, MPROC_ARGS(" two", true), NULL));
    check_printed(file, "one two");
    CHECK_OK(mproc_pool_apply(pool, print, MPROC_ARGS("", false), NULL));
    CHECK_OK(mproc_pool_apply(pool, print, MPROC_ARGS(" three", false), NULL));
    check_printed(file, "one two three");
    fclose(file);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(linux_pool, fixture_of_processes,
    CASE(create_without_files_leaves_nothing),
    CASE(create_without_processes_leaves_nothing),
    CASE(map_without_processes_fails_and_the_next_goes_on),
    CASE(worker_threads_without_memory_say_so),
    CASE(without_a_thread_for_them_limits_are_refused_and_maps_are_interrupted),
    CASE(a_worker_that_ends_under_a_debugger_is_replaced),
    CASE(a_successor_is_scheduled_as_the_creator_of_the_pool),
    CASE(maps_leave_the_affinity_of_workers_alone),
    CASE(a_worker_that_is_pinned_has_one_cpu),
    CASE(a_worker_that_is_moved_while_it_starts_stays_there),
    CASE(an_idle_pool_only_looks_every_two_seconds),
    CASE(what_a_task_prints_has_left_its_worker_when_it_is_finished),
);
