/* mproc/result.h: what becomes of tasks, how it is waited for, and how long it stays. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/tasks_fixture.h"
#include "pool/tasks.h"

/* ---- waiting ---------------------------------------------------------------------------------- */

static void case_a_result_is_waited_for_until_its_task_is_finished(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 42);
    mproc_value value = mproc_int(-1);

    CHECK_AWAIT(&board->started, 1);
    CHECK_REFUSED(mproc_result_get(result, &value, 0), MPROC_TIMEOUT, "the task is not finished");
    CHECK_REFUSED(mproc_result_get(result, &value, 5), MPROC_TIMEOUT, "the task is not finished");
    CHECK_REFUSED(mproc_result_wait(result, 0), MPROC_TIMEOUT, "the task is not finished");
    CHECK_REFUSED(mproc_result_wait(result, 5), MPROC_TIMEOUT, "the task is not finished");
    CHECK_REFUSED(mproc_result_wait(result, -1), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_REFUSED(mproc_result_get(result, &value, INT64_MIN), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_EQ(mproc_value_int(value), -1);
    CHECK(!mproc_result_ready(result) && !mproc_result_successful(result));
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait(result, MPROC_FOREVER));
    CHECK(mproc_result_ready(result) && mproc_result_successful(result));
    CHECK_OK(mproc_result_get(result, &value, 0));
    CHECK_EQ(mproc_value_int(value), 42);
    mproc_result_free(result);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Queued, running, done, failed, cancelled, terminated. */
static void case_ready_and_successful_say_what_became_of_a_task(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *done = tasks_submit(pool, tasks_stay, board, 1);
    mproc_result *failed = tasks_submit(pool, tasks_fail, board, 0);
    mproc_result *cancelled = tasks_submit(pool, tasks_square, board, 2);
    mproc_result *terminated;

    CHECK_AWAIT(&board->started, 1);
    CHECK(!mproc_result_ready(done) && !mproc_result_ready(failed) && !mproc_result_ready(cancelled));
    CHECK_OK(mproc_result_cancel(cancelled));
    CHECK(mproc_result_ready(cancelled) && !mproc_result_successful(cancelled));
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait(failed, MPROC_FOREVER)); /* that it is finished is no failure of the wait */
    CHECK(mproc_result_ready(failed) && !mproc_result_successful(failed));
    CHECK(mproc_result_ready(done) && mproc_result_successful(done));
    atomic_store(&board->go, 0);
    mproc_result_free(tasks_submit(pool, tasks_stay, board, 1));
    terminated = tasks_submit(pool, tasks_square, board, 2);
    mproc_pool_terminate(pool);
    CHECK(mproc_result_ready(terminated) && !mproc_result_successful(terminated));
    atomic_store(&board->go, 1);
    mproc_pool_free(pool);
    CHECK(mproc_result_successful(done) && !mproc_result_successful(failed));
    mproc_result_free(done);
    mproc_result_free(failed);
    mproc_result_free(cancelled);
    mproc_result_free(terminated);
    mproc_result_free(NULL);
    fixture_board_free(board);
}

static mproc_status returns_timeout(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_TIMEOUT, "the server does not answer");
}

static void case_a_task_that_returns_timeout_is_told_from_a_wait_that_ended(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *result;

    CHECK_OK(mproc_pool_apply_async(pool, returns_timeout, mproc_no_args(), NULL, &result));
    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_TIMEOUT, "the server does not answer");
    CHECK(mproc_result_ready(result));
    CHECK_OK(mproc_result_wait(result, 0));
    mproc_result_free(result);
    mproc_pool_free(pool);
}

static mproc_status returns_a_status(mproc_call *call)
{
    int64_t status;

    tasks_arguments(call, &status);
    return (mproc_status)status;
}

/* The library's own, which calls of the pool return of themselves, too, and numbers that are none. */
static void case_whatever_status_a_task_returns_is_its_results(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_value value = mproc_int(-1);

    for (int i = -3; i <= MPROC_USER + 2; i += i == 60 ? MPROC_USER - 60 : 1) {
        mproc_result *result = tasks_submit(pool, returns_a_status, NULL, i);
        CHECK_STATUS(mproc_result_get(result, &value, MPROC_FOREVER), (mproc_status)i);
        CHECK(mproc_result_ready(result) && mproc_result_successful(result) == (i == MPROC_OK));
        CHECK(!mproc_result_cancelled(result) && !mproc_result_running(result));
        if (i != MPROC_OK) CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-1 (pid ");
        mproc_result_free(result);
    }
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

static void case_all_threads_that_wait_for_a_task_are_woken(void)
{
    enum { WAITERS = 5 };
    mproc_pool *pool = fixture_create(2);

    for (int round = 0; round < 10; round++) {
        fixture_board *board = fixture_board_create();
        mproc_result *result = tasks_submit(pool, tasks_stay, board, round);
        tasks_waiter waiters[WAITERS];

        for (int i = 0; i < WAITERS; i++) tasks_waiter_start(&waiters[i], result);
        CHECK_AWAIT(&board->started, 1);
        if (round % 2) check_pause_ms(1);
        atomic_store(&board->go, 1);
        for (int i = 0; i < WAITERS; i++) {
            plat_thread_join(waiters[i].thread);
            CHECK_OK(waiters[i].status);
            CHECK_EQ(waiters[i].number, round);
        }
        mproc_result_free(result);
        fixture_board_free(board);
    }
    mproc_pool_free(pool);
}

/* More than there are bells, most of which several share. */
static void case_each_thread_that_waits_gets_its_own_tasks_value(void)
{
    enum { WAITERS = 80 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    tasks_waiter waiters[WAITERS];

    for (int i = 0; i < WAITERS; i++) tasks_waiter_start(&waiters[i], tasks_submit(pool, tasks_stay, board, i));
    CHECK_AWAIT(&board->started, 2);
    atomic_store(&board->go, 1);
    for (int i = 0; i < WAITERS; i++) {
        plat_thread_join(waiters[i].thread);
        CHECK_OK(waiters[i].status);
        CHECK_EQ(waiters[i].number, i);
        mproc_result_free(waiters[i].result);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- failures --------------------------------------------------------------------------------- */

static mproc_status fails_without_a_text(mproc_call *call)
{
    (void)call;
    return MPROC_USER + 7;
}

static mproc_status tells_its_pid(mproc_call *call)
{
    return mproc_call_return(call, mproc_int(mproc_getpid()));
}

static void case_a_failure_comes_with_its_text_and_its_workers_name_and_pid(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = tasks_submit(pool, tasks_fail, NULL, 3);
    mproc_value value = mproc_int(-1), pid;
    char who[64];

    CHECK_OK(mproc_pool_apply(pool, tells_its_pid, mproc_no_args(), &pid));
    snprintf(who, sizeof who, "PoolWorker-1 (pid %lld): order 3 has no stock", (long long)mproc_value_int(pid));
    for (int i = 0; i < 2; i++) CHECK_REFUSED(mproc_result_get(result, &value, MPROC_FOREVER), MPROC_USER + 3, who);
    CHECK_REFUSED(mproc_pool_apply(pool, tasks_fail, MPROC_ARGS(0, 4), &value), MPROC_USER + 4, "order 4 has no");
    CHECK_EQ(mproc_value_int(value), -1);
    CHECK_REFUSED(mproc_pool_apply(pool, fails_without_a_text, mproc_no_args(), &value), MPROC_USER + 7,
                  "PoolWorker-1");
    CHECK(strstr(mproc_last_error_text(), "stock") == NULL); /* that was another task's */
    mproc_result_free(result);
    mproc_pool_free(pool);
}

static mproc_status fails_with_a_megabyte(mproc_call *call)
{
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    mproc_status status;
    int64_t number;

    CHECK(text != NULL);
    tasks_arguments(call, &number);
    memset(text, 'a' + (int)number, SIZE - 1);
    text[SIZE - 1] = 0;
    status = mproc_error((mproc_status)(MPROC_USER + number), "%s", text);
    free(text);
    return status;
}

/* Texts are cut; nobody hangs, and each task has its own. */
static void case_tasks_that_fail_with_a_megabyte_of_text_are_all_known(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[6];

    for (int i = 0; i < 6; i++) results[i] = tasks_submit(pool, fails_with_a_megabyte, NULL, i);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int i = 0; i < 6; i++) {
        char part[8];
        memset(part, 'a' + i, 7);
        part[7] = 0;
        CHECK_LOST(results[i], MPROC_USER + i, part);
    }
    mproc_pool_free(pool);
}

static void case_a_task_that_ends_its_thread_is_lost_and_no_other(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[60];

    for (int i = 0; i < 60; i++)
        results[i] = tasks_submit(pool, i % 20 == 7 ? tasks_end_thread : tasks_square, NULL, i);
    for (int i = 0; i < 60; i++)
        if (i % 20 == 7) CHECK_LOST(results[i], MPROC_WORKER_LOST, "while it ran a task");
        else CHECK_EQ(tasks_take_int(results[i]), i * i);
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* ---- lives ------------------------------------------------------------------------------------ */

static mproc_status returns_a_megabyte(mproc_call *call)
{
    enum { SIZE = 1 << 20 };
    char *large = malloc(SIZE);
    mproc_status status;
    int64_t number;

    CHECK(large != NULL);
    tasks_arguments(call, &number);
    memset(large, (int)number, SIZE);
    status = mproc_call_return(call, mproc_bytes(large, SIZE));
    free(large);
    return status;
}

static void check_megabyte(mproc_value value, int64_t number)
{
    const unsigned char *bytes = mproc_value_bytes(value);

    CHECK_EQ(mproc_value_size(value), 1 << 20);
    for (size_t i = 0; i < 1 << 20; i += 1021) CHECK_EQ(bytes[i], number);
}

static void case_what_is_known_of_a_task_outlives_its_pool(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *small = tasks_submit(pool, tasks_square, board, 9);
    mproc_result *large = tasks_submit(pool, returns_a_megabyte, board, 77);
    mproc_result *failed = tasks_submit(pool, tasks_fail, board, 2);
    mproc_value value;

    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
    CHECK_OK(mproc_result_get(large, &value, 0));
    check_megabyte(value, 77);
    CHECK_OK(mproc_result_wait(small, MPROC_FOREVER));
    CHECK_REFUSED(mproc_result_cancel(small), MPROC_BAD_STATE, "is finished");
    CHECK_EQ(tasks_take_int(small), 81);
    CHECK_LOST(failed, MPROC_USER + 2, "order 2 has no stock");
    mproc_result_free(large);
    fixture_board_free(board);
    tasks_await_blocks(blocks);
}

static void case_a_task_whose_pool_is_freed_is_terminated(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[700];
    mproc_value value = mproc_int(-1);

    atomic_store(&board->go, fixture_is_threads());
    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    CHECK_AWAIT(&board->started, 1);
    for (int i = 1; i < 700; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    mproc_pool_free(pool);
    for (int i = 0; i < 700; i++) {
        mproc_status status = mproc_result_get(results[i], &value, MPROC_FOREVER);
        if (!fixture_is_threads() || status != MPROC_OK) CHECK_STATUS(status, MPROC_TERMINATED);
        mproc_result_free(results[i]);
    }
    fixture_board_free(board);
    tasks_await_blocks(blocks);
}

static void case_who_waits_for_a_task_whose_pool_is_freed_is_woken(void)
{
    fixture_board *board = fixture_board_create();

    for (int round = 0; round < 20; round++) {
        mproc_pool *pool = fixture_create(1);
        mproc_result *queued, *running;
        tasks_waiter waiters[3];

        atomic_store(&board->go, fixture_is_threads());
        running = tasks_submit(pool, tasks_stay, board, 0);
        CHECK_AWAIT(&board->started, (uint32_t)round + 1);
        queued = tasks_submit(pool, fixture_is_threads() ? tasks_square : tasks_stay, board, 1);
        tasks_waiter_start(&waiters[0], running);
        for (int i = 1; i < 3; i++) tasks_waiter_start(&waiters[i], queued);
        check_pause_ms(round % 3);
        mproc_pool_free(pool);
        for (int i = 0; i < 3; i++) {
            plat_thread_join(waiters[i].thread);
            if (!fixture_is_threads() || waiters[i].status != MPROC_OK)
                CHECK_STATUS(waiters[i].status, MPROC_TERMINATED);
        }
        mproc_result_free(queued);
        mproc_result_free(running);
    }
    fixture_board_free(board);
}

/* Queued, running, and finished but not known yet. */
static void case_a_result_is_freed_at_any_time_and_its_task_is_done(void)
{
    static char large[3000];
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result;

    for (int i = 0; i < 100; i++) {
        CHECK_OK(
            mproc_pool_apply_async(pool, tasks_echo, MPROC_ARGS(mproc_bytes(large, sizeof large)), NULL, &result));
        if (i % 2)
            CHECK_OK(mproc_pool_apply(pool, tasks_count, MPROC_ARGS(fixture_board_offset(board), i / 2), NULL));
        else mproc_result_free(tasks_submit(pool, tasks_count, board, 100 + i / 2));
        mproc_result_free(result);
    }
    result = tasks_submit(pool, tasks_stay, board, 0);
    CHECK_AWAIT(&board->started, 1);
    mproc_result_free(result);
    atomic_store(&board->go, 1);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&board->count), 100);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Arguments, too. One worker: another could begin its life, and take blocks for it, after they were counted. */
static void case_results_leave_nothing(void)
{
    static char large[5000];
    mproc_pool *pool = fixture_create(1);
    mproc_result *results[100];
    uint64_t blocks = 0;

    for (int round = 0; round < 3; round++) {
        if (round == 1) blocks = tasks_blocks();
        for (int i = 0; i < 100; i++)
            CHECK_OK(mproc_pool_apply_async(pool, i % 3 ? tasks_echo : fails_without_a_text,
                                            MPROC_ARGS(i, mproc_bytes(large, sizeof large)), NULL, &results[i]));
        for (int i = 0; i < 100; i++) {
            CHECK_OK(mproc_result_wait(results[i], MPROC_FOREVER));
            if (i % 2) CHECK_STATUS(mproc_result_get(results[i], NULL, 0), i % 3 ? MPROC_OK : MPROC_USER + 7);
            mproc_result_free(results[i]);
        }
        tasks_check_pool(pool);
    }
    tasks_await_blocks(blocks + 1);
    mproc_pool_free(pool);
}

static mproc_status counts_with_a_megabyte(mproc_call *call)
{
    MPROC_TRY(returns_a_megabyte(call));
    atomic_fetch_add(&fixture_board_at(mproc_value_uint(mproc_value_at(mproc_call_value(call), 0)))->count, 1);
    return MPROC_OK;
}

/* Whether nobody ever wanted them, or not any more when they were there. */
static void case_values_that_nobody_wants_are_not_kept(void)
{
    enum { TASKS = 12 };
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];
    uint64_t blocks;

    CHECK_OK(mproc_pool_apply(pool, counts_with_a_megabyte, MPROC_ARGS(fixture_board_offset(board), 1), NULL));
    CHECK_OK(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 1), NULL));
    blocks = tasks_blocks();
    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, counts_with_a_megabyte, MPROC_ARGS(fixture_board_offset(board), i),
                                        NULL, NULL));
    CHECK_OK(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 1), NULL));
    CHECK_EQ(atomic_load(&board->count), TASKS + 1);
    tasks_await_blocks(blocks);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, counts_with_a_megabyte, board, i);
    CHECK_OK(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 1), NULL));
    for (int i = 0; i < TASKS; i++) mproc_result_free(results[i]);
    tasks_await_blocks(blocks);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Odd ones first, so that no block comes to be without one before the second half. */
static void case_of_results_that_were_freed_only_some_memory_is_kept(void)
{
    enum { MANY = 20000 };
    mproc_pool *pool = fixture_create(2);
    mproc_result **results = malloc(MANY * sizeof(mproc_result *));

    CHECK(results != NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
        for (int i = 1; i < MANY; i += 2) CHECK_EQ(tasks_take_int(results[i]), (int64_t)i * i);
        CHECK(pool->tasks->results.empty <= RESULT_BLOCKS_KEPT);
        for (int i = 0; i < MANY; i += 2) CHECK_EQ(tasks_take_int(results[i]), (int64_t)i * i);
        CHECK_EQ(pool->tasks->results.empty, RESULT_BLOCKS_KEPT);
    }
    free(results);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_results, fixture_of_processes, pool_results_threads, fixture_of_threads,
    CASE(a_result_is_waited_for_until_its_task_is_finished),
    CASE(ready_and_successful_say_what_became_of_a_task),
    CASE(a_task_that_returns_timeout_is_told_from_a_wait_that_ended),
    CASE(whatever_status_a_task_returns_is_its_results),
    CASE(all_threads_that_wait_for_a_task_are_woken),
    CASE(each_thread_that_waits_gets_its_own_tasks_value),
    CASE(a_failure_comes_with_its_text_and_its_workers_name_and_pid),
    CASE(tasks_that_fail_with_a_megabyte_of_text_are_all_known),
    CASE(a_task_that_ends_its_thread_is_lost_and_no_other),
    CASE(what_is_known_of_a_task_outlives_its_pool),
    CASE(a_task_whose_pool_is_freed_is_terminated),
    CASE(who_waits_for_a_task_whose_pool_is_freed_is_woken),
    CASE(a_result_is_freed_at_any_time_and_its_task_is_done),
    CASE(results_leave_nothing),
    CASE(of_results_that_were_freed_only_some_memory_is_kept),
    CASE(values_that_nobody_wants_are_not_kept),
);
