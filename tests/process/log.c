/* The log of a family: what is said of births, ends and repairs, on stderr and to handlers, and what is inherited. */
#include <stdlib.h>

#include <mproc/mproc.h>

#include "logged.h"
#include "platform/platform_fixture.h"
#include "process/process_fixture.h"

/* ---- stderr ----------------------------------------------------------------------------------------- */

static mproc_status logs(mproc_call *call)
{
    (void)call;
    mproc_log(MPROC_LOG_INFO, "info");
    mproc_log(MPROC_LOG_DEBUG, "debug");
    return MPROC_OK;
}

static mproc_status item_logs(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    return logs(call);
}

/* Children, some of them killed, and pools of both kinds. */
static void have_a_family(const char *name)
{
    mproc_process *process = fixture_create(logs, NULL, 0, &(mproc_process_options){.name = name});
    int64_t items[2] = {0, 0};

    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    for (int threads = 0; threads < 2; threads++) {
        mproc_pool *pool = NULL;
        mproc_worker_kind kind = threads ? MPROC_THREADS : MPROC_PROCESSES;
        CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = kind}, &pool));
        CHECK_OK(mproc_pool_map(pool, item_logs, items, sizeof items[0], NULL, 0, 2, NULL));
        mproc_pool_free(pool);
    }
}

static int helper_is_silent(const char *text)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);

    (void)text;
    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    have_a_family("silent");
    return 0;
}

static void case_nothing_is_written_by_default(void)
{
    fixture_run run = {.helper = "process_log.is_silent"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "");
}

/* Each number in the text is an N, as pids are any. */
static void blur(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text < '0' || *text > '9') *to++ = *text;
        else if (text[1] < '0' || text[1] > '9') *to++ = 'N';
    }
    *to = 0;
}

static int helper_speaks(const char *text)
{
    (void)text;
    mproc_log_to_stderr(MPROC_LOG_INFO);
    CHECK_EXITED(fixture_start(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "child"}), 0);
    mproc_log(MPROC_LOG_ERROR, "a line of the program's: %d", 7);
    mproc_log(MPROC_LOG_DEBUG, "none");
    return 0;
}

static void case_lines_on_stderr_have_level_and_name(void)
{
    fixture_run run = {.helper = "process_log.speaks"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_CONTAINS(run.output, "[ERROR/MainProcess] a line of the program's: 7\n");
    blur(run.output);
    CHECK_CONTAINS(run.output, "[INFO/MainProcess] process 'child' (pid N) was started\n");
    CHECK_CONTAINS(run.output, "[INFO/child] process N, a child of 'MainProcess', begins its task\n");
    CHECK_CONTAINS(run.output, "[INFO/child] process N ends with exit code N\n");
    CHECK_CONTAINS(run.output, "[INFO/MainProcess] process 'child' (pid N) ended with exit code N\n");
    CHECK_EQ(fixture_count(run.output, "\n"), 5);
}

/* ---- inheritance --------------------------------------------------------------------------------------- */

static mproc_status has_a_family(mproc_call *call)
{
    (void)call;
    CHECK_EQ(mproc_log_level(), MPROC_LOG_INFO);
    have_a_family("grandchild");
    return MPROC_OK;
}

static int helper_has_descendants(const char *text)
{
    (void)text;
    mproc_log_to_stderr(MPROC_LOG_INFO);
    CHECK_OK(mproc_process_set_name(mproc_current_process(), "first"));
    have_a_family("child");
    CHECK_EXITED(fixture_start(has_a_family, NULL, 0, &(mproc_process_options){.name = "parent"}), 0);
    return 0;
}

/* Two pools on processes, and two on threads: the names of their workers are the same. */
static void case_level_and_stderr_are_inherited_down_the_tree(void)
{
    fixture_run run = {.helper = "process_log.has_descendants"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_EQ(fixture_count(run.output, "[INFO/child] info\n"), 1);
    CHECK_EQ(fixture_count(run.output, "[INFO/grandchild] info\n"), 1);
    CHECK_EQ(fixture_count(run.output, "[INFO/PoolWorker-1] info\n"), 8);
    CHECK_EQ(fixture_count(run.output, "[INFO/first] a pool of 1 worker processes was created\n"), 1);
    CHECK_EQ(fixture_count(run.output, "[INFO/parent] a pool of 1 worker threads was created\n"), 1);
    CHECK_EQ(fixture_count(run.output, "debug"), 0);
}

static mproc_status tells_what_it_has(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    atomic_store(&board->values[0], mproc_log_level());
    atomic_store(&board->values[1], mproc_log_enabled(MPROC_LOG_ERROR));
    mproc_log_set_level(MPROC_LOG_DEBUG);
    mproc_log_set_handler(logged_keep, NULL);
    mproc_log(MPROC_LOG_DEBUG, "own");
    atomic_store(&board->values[2], logged.lines);
    return MPROC_OK;
}

static void case_handler_is_not_inherited_but_the_level_is(void)
{
    fixture_board *board = fixture_board_create();

    logged_begin(MPROC_LOG_SUBWARNING);
    CHECK_EXITED(fixture_start(tells_what_it_has, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[0]), MPROC_LOG_SUBWARNING);
    CHECK_EQ(atomic_load(&board->values[1]), false);
    CHECK_EQ(atomic_load(&board->values[2]), 1);
    logged_end();
    fixture_board_free(board);
}

/* ---- whole lines ------------------------------------------------------------------------------------------ */

enum { CROWD_LINES = 10, CROWD_BYTES = 1000, CROWD_MAX = 100 };

static mproc_status is_one_of_many(mproc_call *call)
{
    char text[CROWD_BYTES + 1] = "";
    int64_t number = 0;

    fixture_board *board = fixture_unpack(call, &number);
    memset(text, 'a' + (int)(number % 26), CROWD_BYTES);
    mproc_log_to_stderr(MPROC_LOG_WARNING);
    atomic_fetch_add(&board->ready, 1);
    CHECK_AWAIT(&board->go, 1);
    for (int i = 0; i < CROWD_LINES; i++) mproc_log(MPROC_LOG_WARNING, "%s", text);
    return MPROC_OK;
}

/* Each line has the letter of its process from the first to the last. */
static void check_whole(const char *text, const char *end)
{
    const char *body = strstr(text, "] ");

    CHECK(strncmp(text, "[WARNING/Process-", 17) == 0);
    CHECK(body != NULL && end - body == CROWD_BYTES + 2);
    for (const char *at = body + 2; at < end; at++) CHECK(*at == body[2]);
}

static void case_lines_of_many_processes_do_not_mix(void)
{
    int many = check_many(CROWD_MAX, 12), lines = 0;
    size_t size = (size_t)CROWD_MAX * CROWD_LINES * (CROWD_BYTES + 64);
    fixture_board *board = fixture_board_create();
    mproc_process *processes[CROWD_MAX];
    char directory[1024], path[1100], *output = malloc(size);
    plat_handle file;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/output", directory);
    file = os_open_output(path);
    for (int i = 0; i < many; i++)
        processes[i] = fixture_start(is_one_of_many, board, i,
                                     &(mproc_process_options){.standard_error = {MPROC_STDIO_HANDLE, file}});
    CHECK_AWAIT(&board->ready, (uint32_t)many);
    atomic_store(&board->go, 1);
    for (int i = 0; i < many; i++) CHECK_EXITED(processes[i], 0);
    plat_handle_close(file);
    os_read_file(path, output, size);
    for (const char *at = output, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, lines++) check_whole(at, end);
    CHECK_EQ(lines, many * CROWD_LINES);
    os_remove_directory(directory);
    free(output);
    fixture_board_free(board);
}

/* ---- ends ---------------------------------------------------------------------------------------------------- */

static mproc_status faults(mproc_call *call)
{
    volatile uintptr_t nowhere = 16;

    (void)call;
    os_fault_as_usual();
    *(volatile int *)nowhere = 1;
    return MPROC_OK;
}

static void case_child_that_crashes_is_said_with_its_signal(void)
{
    logged_begin(MPROC_LOG_WARNING);
    CHECK_ENDED_BY(fixture_start(faults, NULL, 0, &(mproc_process_options){.name = "victim"}), 11);
    CHECK_LOGGED("[WARNING/MainProcess] process 'victim' (pid ");
    CHECK_LOGGED(") was ended by signal 11\n");
    logged_end();
}

/* Of another's terminate Windows tells no more than the exit code. */
static void case_child_that_another_kills_is_a_warning(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process;

    logged_begin(MPROC_LOG_WARNING);
    process = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.name = "victim"});
    fixture_await_step(board, 1);
    fixture_kill(mproc_process_pid(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_LOGGED("[WARNING/MainProcess] process 'victim' (pid ");
    mproc_process_free(process);
    logged_end();
    fixture_board_free(board);
}

static void case_child_that_this_process_ends_is_no_warning(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process;

    logged_begin(MPROC_LOG_INFO);
    process = fixture_start(fixture_waits, board, 0, NULL);
    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_terminate(process));
    CHECK_ENDED_BY(process, 15);
    CHECK_LOGGED(") was ended by signal 15\n");
    CHECK_NOT_LOGGED("[WARNING");
    logged_end();
    fixture_board_free(board);
}

static void case_failed_child_is_said_with_its_reason(void)
{
    logged_begin(MPROC_LOG_WARNING);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_LOGGED(") ended with exit code 3\n");
    CHECK_EXITED(fixture_start(fixture_returns, NULL, MPROC_USER + 5, NULL), 1);
    CHECK_LOGGED(") ended with exit code 1: the task returns 1005\n");
    logged_end();
}

/* ---- repairs --------------------------------------------------------------------------------------------------- */

static mproc_status keeps_a_lock(mproc_call *call)
{
    mproc_lock *lock;
    mproc_event *has_it;

    CHECK_OK(mproc_unpack(call, &lock, &has_it));
    CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
    CHECK_OK(mproc_event_set(has_it));
    return mproc_sleep_ms(MPROC_FOREVER);
}

static mproc_status leaves_a_lock(mproc_call *call)
{
    mproc_lock *lock;

    CHECK_OK(mproc_unpack(call, &lock));
    return mproc_lock_acquire(lock, MPROC_FOREVER);
}

static void case_lock_of_a_killed_child_is_said_to_be_abandoned(void)
{
    mproc_lock *lock = NULL;
    mproc_event *has_it = NULL;
    mproc_process *process = NULL;

    logged_begin(MPROC_LOG_WARNING);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_event_create(&has_it));
    CHECK_OK(mproc_process_create(keeps_a_lock, MPROC_ARGS(lock, has_it), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_event_wait(has_it, check_limit_ms()));
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK_LOGGED("is repaired: locks abandoned: 1,");
    CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_OWNER_DIED);
    mproc_event_free(has_it);
    mproc_lock_free(lock);
    logged_end();
}

static void case_lock_that_a_task_leaves_is_said(void)
{
    mproc_lock *lock = NULL;
    mproc_pool *pool = NULL;

    logged_begin(MPROC_LOG_WARNING);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = MPROC_THREADS}, &pool));
    CHECK_OK(mproc_pool_apply(pool, leaves_a_lock, MPROC_ARGS(lock), NULL));
    CHECK_LOGGED("[WARNING/PoolWorker-1] a lock that a task has left held is abandoned\n");
    mproc_pool_free(pool);
    mproc_lock_free(lock);
    logged_end();
}

CHECK_SUITE_SETUP(process_log, fixture_setup,
    HELPER(is_silent),
    CASE(nothing_is_written_by_default),
    HELPER(speaks),
    CASE(lines_on_stderr_have_level_and_name),
    HELPER(has_descendants),
    CASE(level_and_stderr_are_inherited_down_the_tree),
    CASE(handler_is_not_inherited_but_the_level_is),
    CASE_LIMIT(lines_of_many_processes_do_not_mix, 60),
    CASE(child_that_crashes_is_said_with_its_signal),
    CASE(child_that_another_kills_is_a_warning),
    CASE(child_that_this_process_ends_is_no_warning),
    CASE(failed_child_is_said_with_its_reason),
    CASE(lock_of_a_killed_child_is_said_to_be_abandoned),
    CASE(lock_that_a_task_leaves_is_said),
);
