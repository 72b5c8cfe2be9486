/* mproc/pool.h: tasks whose worker process is killed, exits or crashes. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/pool.h"
#include "pool/tasks_fixture.h"

static void check_restored(mproc_pool *pool)
{
    fixture_await_workers(pool);
    tasks_check_pool(pool);
}

/* The text says who it was, and how it ended. */
static void check_lost(mproc_result *result, int64_t pid, const char *how)
{
    char number[32];

    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_WORKER_LOST, "worker 'PoolWorker-");
    snprintf(number, sizeof number, "(pid %lld)", (long long)pid);
    if (pid) CHECK_CONTAINS(mproc_last_error_text(), number);
    CHECK_CONTAINS(mproc_last_error_text(), how);
    CHECK_CONTAINS(mproc_last_error_text(), "while it ran a task");
    mproc_result_free(result);
}

/* ---- killed ----------------------------------------------------------------------------------- */

/* Those before it, those that its worker has reserved with it, and all others. */
static void kill_in_a_task(int workers)
{
    enum { TASKS = 1500 };
    mproc_pool *pool = fixture_create(workers);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, i == 3 ? tasks_stay : tasks_count, board, i);
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    check_lost(results[3], atomic_load(&board->pid), os_killed_text());
    for (int i = 0; i < TASKS; i++)
        if (i != 3) CHECK_EQ(tasks_take_int(results[i]), i);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(atomic_load(&board->marks[i]), i != 3);
    check_restored(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_worker_killed_in_a_task_loses_only_that(void)
{
    kill_in_a_task(3);
}

static void case_the_only_worker_is_killed_in_a_task(void)
{
    kill_in_a_task(1);
}

static void case_all_workers_are_killed_in_their_tasks(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    mproc_result *results[100];
    int64_t pids[3];
    int lost = 0;

    check_restored(pool);
    CHECK_EQ(mproc_pool_pids(pool, pids, 3), 3);
    for (int i = 0; i < 100; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 3);
    for (int i = 0; i < 3; i++) os_kill(pids[i]);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 100; i++) {
        mproc_status status = mproc_result_get(results[i], NULL, MPROC_FOREVER);
        if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
        lost += status != MPROC_OK;
        mproc_result_free(results[i]);
    }
    CHECK(lost <= 3);
    check_restored(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* On its way to its end one may have begun a task. */
static void case_workers_killed_while_idle_are_replaced(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int round = 0; round < check_many(20, 5); round++) {
        int64_t pids[2];
        mproc_result *results[40];
        int lost = 0;
        fixture_await_workers(pool);
        tasks_check_pool(pool);
        CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
        check_pause_ms(round % 3); /* it spins, or sleeps */
        for (int i = 0; i <= round % 2; i++) os_kill(pids[i]);
        for (int i = 0; i < 40; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
        for (int i = 0; i < 40; i++) {
            mproc_status status = mproc_result_get(results[i], NULL, MPROC_FOREVER);
            if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
            lost += status != MPROC_OK;
            mproc_result_free(results[i]);
        }
        CHECK(lost <= 1 + round % 2);
    }
    check_restored(pool);
    mproc_pool_free(pool);
}

static void case_the_worker_is_killed_while_tasks_wait_after_close(void)
{
    enum { TASKS = 600 };
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, i ? tasks_count : tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 1);
    mproc_pool_close(pool);
    os_kill(atomic_load(&board->pid));
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    check_lost(results[0], atomic_load(&board->pid), os_killed_text());
    for (int i = 1; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    CHECK_EQ(atomic_load(&board->count), TASKS - 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* The last one of a closed pool: nobody has to come after it. */
static void case_the_worker_of_the_last_task_is_killed_after_close(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 0);

    CHECK_AWAIT(&board->started, 1);
    mproc_pool_close(pool);
    os_kill(atomic_load(&board->pid));
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    check_lost(result, atomic_load(&board->pid), os_killed_text());
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status stays_with_a_megabyte(mproc_call *call)
{
    static char large[1 << 20];
    uint64_t at;
    fixture_board *board;

    MPROC_TRY(mproc_call_return(call, mproc_bytes(large, sizeof large)));
    at = mproc_value_uint(mproc_value_at(mproc_call_value(call), 0));
    board = fixture_board_at(at);
    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    return MPROC_OK;
}

/* Neither what it was given, nor what it was about to return, stays. */
static void case_a_worker_killed_with_a_megabyte_leaves_nothing(void)
{
    static char large[1 << 20];
    uint64_t blocks = tasks_blocks_without_pools();

    for (int round = 0; round < 3; round++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        mproc_result *results[2];
        int64_t pid;

        for (int i = 0; i < 2; i++)
            CHECK_OK(mproc_pool_apply_async(pool, stays_with_a_megabyte,
                                            MPROC_ARGS(fixture_board_offset(board), mproc_bytes(large, sizeof large)),
                                            NULL, &results[i]));
        CHECK_AWAIT(&board->started, 1);
        pid = atomic_load(&board->pid); /* soon it is the successor's */
        os_kill(pid);
        check_lost(results[0], pid, os_killed_text());
        atomic_store(&board->go, 1);
        CHECK_OK(mproc_result_get(results[1], NULL, MPROC_FOREVER));
        mproc_result_free(results[1]);
        fixture_board_free(board);
        mproc_pool_free(pool);
        tasks_await_blocks(blocks);
    }
}

/* ---- ended by the task itself ----------------------------------------------------------------- */

static mproc_status exits_with(mproc_call *call)
{
    int64_t code;

    tasks_arguments(call, &code);
    CHECK_OK(mproc_call_return(call, mproc_int(code)));
    if (code < 100) exit((int)code);
    _Exit((int)code - 100);
}

static mproc_status aborts(mproc_call *call)
{
    (void)call;
    os_fault_as_usual();
    abort();
}

/* Volatile, so that the compiler does not see what is about to happen. */
static volatile uintptr_t nowhere = 8;

static mproc_status faults(mproc_call *call)
{
    (void)call;
    os_fault_as_usual();
    *(volatile int *)nowhere = 1;
    return MPROC_OK;
}

static int descend(volatile char *above, int depth)
{
    volatile char here[1024];

    here[0] = (char)depth;
    if (above && depth == INT32_MAX) return above[0];
    return descend(here, depth + 1) + here[0];
}

static mproc_status overflows_its_stack(mproc_call *call)
{
    os_fault_as_usual();
    return mproc_call_return(call, mproc_int(descend(NULL, 0)));
}

static void check_loss(mproc_function *function, int64_t number, const char *how)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[20];

    for (int i = 0; i < 20; i++)
        results[i] = tasks_submit(pool, i == 7 ? function : tasks_square, NULL, i == 7 ? number : i);
    check_lost(results[7], 0, how);
    for (int i = 0; i < 20; i++)
        if (i != 7) CHECK_EQ(tasks_take_int(results[i]), i * i);
    check_restored(pool);
    mproc_pool_free(pool);
}

static void case_a_task_that_exits_says_its_code(void)
{
    check_loss(exits_with, 3, "ended with exit code 3");
    check_loss(exits_with, 0, "ended with exit code 0");
}

static void case_a_task_that_exits_at_once_says_its_code(void)
{
    check_loss(exits_with, 104, "ended with exit code 4");
}

static void case_a_task_that_aborts_says_so(void)
{
    check_loss(aborts, 0, os_aborted_text());
}

static void case_a_task_that_faults_says_so(void)
{
    check_loss(faults, 0, "was ended by signal 11");
}

static void case_a_task_that_overflows_its_stack_is_lost(void)
{
    check_loss(overflows_its_stack, 0, "ended");
}

static void case_tasks_end_even_if_each_ends_its_worker(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[40];

    for (int i = 0; i < 40; i++) results[i] = tasks_submit(pool, exits_with, NULL, i);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int i = 0; i < 40; i++) {
        char how[40];
        snprintf(how, sizeof how, "ended with exit code %d ", i);
        check_lost(results[i], 0, how);
    }
    mproc_pool_free(pool);
}

/* ---- at any time ------------------------------------------------------------------------------ */

enum { KILLS = 60 };

static void kill_at_random(void *context)
{
    mproc_pool *pool = context;
    uint32_t random = 4711;

    for (int i = 0; i < check_many(KILLS, KILLS / 4); i++) {
        int64_t pids[3];
        size_t count = mproc_pool_pids(pool, pids, 3);
        random = random * 1664525 + 1013904223;
        if (count > 0) os_kill(pids[(random >> 16) % count]);
        check_pause_ms((int)(random >> 24) % 6);
    }
}

/* Each task ends once: it is done, or lost; and no kill costs more than one. */
static void case_kills_at_random_lose_one_task_each_at_most(void)
{
    enum { TASKS = 500 };
    static char large[6000];
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];
    plat_thread *killer;
    int lost = 0;

    check_restored(pool);
    CHECK_OK(plat_thread_start(kill_at_random, pool, &killer));
    for (int round = 0; round < check_many(20, 6); round++) {
        for (int i = 0; i < TASKS; i++)
            CHECK_OK(mproc_pool_apply_async(pool, i % 2 ? tasks_echo : tasks_count,
                                            i % 2 ? MPROC_ARGS(i, mproc_bytes(large, (size_t)i * 10))
                                                  : MPROC_ARGS(fixture_board_offset(board), i),
                                            NULL, &results[i]));
        for (int i = TASKS - 1; i >= 0; i--) {
            mproc_value value = mproc_nil();
            mproc_status status = mproc_result_get(results[i], &value, MPROC_FOREVER);
            if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
            lost += status != MPROC_OK;
            if (status == MPROC_OK) CHECK_EQ(mproc_value_int(i % 2 ? mproc_value_at(value, 0) : value), i);
            mproc_result_free(results[i]);
        }
    }
    plat_thread_join(killer);
    CHECK(lost <= KILLS);
    check_restored(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Whenever they are killed: with what they were given, small and large, and objects. */
static void case_kills_at_random_lose_no_task_that_is_begun_again(void)
{
    enum { TASKS = 300 };
    static char large[6000];
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(3);
    mproc_task_options options = {.retries = 100};
    mproc_lock *lock = NULL;
    mproc_result *results[TASKS];
    plat_thread *killer;
    int attempts = 0;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    check_restored(pool);
    CHECK_OK(plat_thread_start(kill_at_random, pool, &killer));
    for (int round = 0; round < check_many(20, 6); round++) {
        for (int i = 0; i < TASKS; i++)
            CHECK_OK(mproc_pool_apply_async(pool, tasks_echo,
                                            i % 3 ? MPROC_ARGS(i, i % 3)
                                                  : MPROC_ARGS(i, lock, mproc_bytes(large, (size_t)i * 10)),
                                            &options, &results[i]));
        for (int i = TASKS - 1; i >= 0; i--) {
            mproc_value value = mproc_nil();
            CHECK_OK(mproc_result_get(results[i], &value, MPROC_FOREVER));
            CHECK_EQ(mproc_value_int(mproc_value_at(value, 0)), i);
            CHECK_EQ(mproc_value_count(value), i % 3 ? 2 : 3);
            if (i % 3 == 0) CHECK_EQ(mproc_value_size(mproc_value_at(value, 2)), i * 10);
            attempts += mproc_result_attempts(results[i]) - 1;
            mproc_result_free(results[i]);
        }
    }
    plat_thread_join(killer);
    CHECK(attempts <= KILLS);
    check_restored(pool);
    mproc_pool_free(pool);
    mproc_lock_free(lock);
    tasks_await_blocks(blocks);
}

static mproc_status makes_a_megabyte(mproc_call *call)
{
    enum { SIZE = 1 << 20 };
    static unsigned char large[SIZE];
    int64_t number;

    tasks_arguments(call, &number);
    memset(large, (int)number, SIZE);
    return mproc_call_return(call, mproc_bytes(large, SIZE));
}

static bool is_megabyte_of(mproc_value value, int number)
{
    const unsigned char *bytes = mproc_value_bytes(value);

    return mproc_value_size(value) == 1 << 20 && bytes[0] == number && memcmp(bytes, bytes + 1, (1 << 20) - 1) == 0;
}

/* Most of the time they copy, or clear memory for it. Each value is whole, or its task is lost; nothing stays. */
static void case_workers_killed_while_they_return_megabytes_leave_nothing_torn(void)
{
    enum { TASKS = 12 };
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(3);
    mproc_result *results[TASKS];
    plat_thread *killer;
    int lost = 0;

    check_restored(pool);
    CHECK_OK(plat_thread_start(kill_at_random, pool, &killer));
    for (int round = 0; round < check_many(20, 6); round++) {
        for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, makes_a_megabyte, NULL, 1 + round + i);
        for (int i = 0; i < TASKS; i++) {
            mproc_value value = mproc_nil();
            mproc_status status = mproc_result_get(results[i], &value, MPROC_FOREVER);
            if (status == MPROC_OK) CHECK(is_megabyte_of(value, 1 + round + i));
            else CHECK_STATUS(status, MPROC_WORKER_LOST);
            lost += status != MPROC_OK;
            mproc_result_free(results[i]);
        }
    }
    plat_thread_join(killer);
    CHECK(lost <= KILLS);
    check_restored(pool);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
}

/* Those who wait are woken, whoever of the workers was to wake them. */
static void case_a_task_that_ends_at_the_moment_of_the_kill_is_known(void)
{
    mproc_pool *pool = fixture_create(1);

    for (int round = 0; round < check_many(60, 15); round++) {
        fixture_board *board = fixture_board_create();
        mproc_result *result = tasks_submit(pool, tasks_stay, board, round);
        mproc_status status;

        CHECK_AWAIT(&board->started, 1);
        atomic_store(&board->go, 1);
        for (volatile int i = 0; i < round * 200; i++) continue;
        os_kill(atomic_load(&board->pid));
        status = mproc_result_get(result, NULL, MPROC_FOREVER);
        if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
        mproc_result_free(result);
        fixture_board_free(board);
    }
    check_restored(pool);
    mproc_pool_free(pool);
}

static bool nobody_watches(void *shared)
{
    return atomic_load(&((struct pool_shared *)shared)->watcher) == 0;
}

/* As if one worker ran short tasks, and another watched it, when that is killed: nobody would watch any more. */
static void case_the_worker_that_watches_the_others_is_killed(void)
{
    mproc_pool *pool = fixture_create(2);
    struct pool_shared *shared = pool->shared;
    int64_t pids[2];

    check_restored(pool);
    CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
    for (uint32_t i = 0; i < 2; i++) CHECK_AWAIT(&pool_worker_at(shared, i)->asleep, 1);
    atomic_store(&shared->spinners[0], 1 + 1);
    atomic_store(&shared->watcher, 0 + 1);
    os_kill(pids[0]);
    fixture_await_workers(pool);
    check_wait_until(nobody_watches, shared, "nobody watches", __FILE__, __LINE__);
    check_restored(pool);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_lost, fixture_of_processes,
    CASE(a_worker_killed_in_a_task_loses_only_that),
    CASE(the_only_worker_is_killed_in_a_task),
    CASE(all_workers_are_killed_in_their_tasks),
    CASE(workers_killed_while_idle_are_replaced),
    CASE(the_worker_that_watches_the_others_is_killed),
    CASE(the_worker_is_killed_while_tasks_wait_after_close),
    CASE(the_worker_of_the_last_task_is_killed_after_close),
    CASE(a_worker_killed_with_a_megabyte_leaves_nothing),
    CASE(a_task_that_exits_says_its_code),
    CASE(a_task_that_exits_at_once_says_its_code),
    CASE(a_task_that_aborts_says_so),
    CASE(a_task_that_faults_says_so),
    CASE(a_task_that_overflows_its_stack_is_lost),
    CASE(tasks_end_even_if_each_ends_its_worker),
    CASE_LIMIT(kills_at_random_lose_one_task_each_at_most, 60),
    CASE_LIMIT(kills_at_random_lose_no_task_that_is_begun_again, 60),
    CASE_LIMIT(workers_killed_while_they_return_megabytes_leave_nothing_torn, 60),
    CASE(a_task_that_ends_at_the_moment_of_the_kill_is_known),
);
