/* mproc/pool.h: time limits of tasks. */
#include <stdlib.h>

#include "pool/pool.h"
#include "pool/waiting_fixture.h"
#include "pool/workers.h"

static mproc_result *submit(mproc_pool *pool, mproc_function *function, const fixture_board *board, int64_t number,
                            int64_t soft_ms, int64_t hard_ms)
{
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(pool, function, MPROC_ARGS(fixture_board_offset(board), number),
                                    &(mproc_task_options){.soft_limit_ms = soft_ms, .hard_limit_ms = hard_ms},
                                    &result));
    return result;
}

/* ---- soft ------------------------------------------------------------------------------------- */

static void case_a_soft_limit_ends_each_kind_of_wait(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    waiting_objects objects;

    waiting_create(&objects);
    for (int kind = 0; kind < WAITING_KINDS; kind++) {
        mproc_task_options options = {.soft_limit_ms = 20, .hard_limit_ms = WAITING_MINUTES};
        CHECK_EQ(tasks_take_int(waiting_submit(pool, &objects, board, kind, &options)), kind);
        waiting_check(board, kind);
        CHECK_EQ(tasks_take_int(tasks_submit(pool, waiting_innocent, board, kind)), kind);
    }
    waiting_free(&objects);
    waiting_end(pool, board);
}

/* It stays asked, and is interrupted once: what it waits for afterwards comes. */
static mproc_status wait_until_asked(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    CHECK(!mproc_call_stop_requested(call));
    atomic_fetch_add(&board->started, 1);
    while (!mproc_call_stop_requested(call)) check_pause_ms(1);
    CHECK(mproc_interrupted());
    CHECK(!mproc_interrupted());
    CHECK_OK(mproc_sleep_ms(1));
    CHECK(mproc_call_stop_requested(call));
    return mproc_call_return(call, mproc_int(number));
}

static void case_a_task_over_its_soft_limit_is_interrupted_once_and_what_it_returns_counts(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(tasks_take_int(submit(pool, wait_until_asked, board, i, 10, 0)), i);
        CHECK_EQ(tasks_take_int(submit(pool, waiting_innocent, board, i, WAITING_MINUTES, WAITING_MINUTES)), i);
    }
    waiting_end(pool, board);
}

static mproc_status fail_when_asked(mproc_call *call)
{
    return mproc_call_stop_requested(call) ? MPROC_OK : mproc_sleep_ms(WAITING_MINUTES);
}

static void case_a_task_that_passes_its_interrupt_on_fails_with_it(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(pool, fail_when_asked, mproc_no_args(),
                                    &(mproc_task_options){.soft_limit_ms = 10}, &result));
    CHECK_LOST(result, MPROC_INTERRUPTED, "the task is to stop");
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* ---- hard ------------------------------------------------------------------------------------- */

static void case_a_hard_limit_ends_a_task_and_its_worker_and_no_other(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_board *innocent = fixture_board_create();
    mproc_result *other = tasks_submit(pool, waiting_stay, innocent, 7);

    CHECK_AWAIT(&innocent->started, 1);
    for (uint32_t i = 0; i < 3; i++) {
        mproc_result *result = submit(pool, waiting_stay, board, 5, 0, 30);
        mproc_result *queued[20];
        for (int j = 0; j < 20; j++) queued[j] = tasks_submit(pool, tasks_square, board, j);
        CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_TIMEOUT, "within its time limit of 30 ms");
        CHECK(mproc_result_ready(result) && !mproc_result_successful(result) && !mproc_result_cancelled(result));
        CHECK_EQ(atomic_load(&board->started), i + 1);
        CHECK_EQ(atomic_load(&board->done), fixture_is_threads() ? i : 0);
        waiting_await_successor(pool, atomic_load(&board->pid));
        if (fixture_is_threads()) atomic_store(&board->go, 1);
        for (int j = 0; j < 20; j++) CHECK_EQ(tasks_take_int(queued[j]), j * j);
        CHECK_STATUS(mproc_result_get(result, NULL, 0), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_result_stop(result, 0), MPROC_BAD_STATE);
        mproc_result_free(result);
        atomic_store(&board->go, 0);
    }
    CHECK(mproc_result_running(other));
    atomic_store(&innocent->go, 1);
    CHECK_EQ(tasks_take_int(other), 7);
    fixture_board_free(innocent);
    waiting_end(pool, board);
}

/* What waits for a worker is not over its limit, however long that takes. */
static void case_a_limit_counts_from_the_begin_of_the_task(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *first = tasks_submit(pool, waiting_stay, board, 1), *queued, *last;

    CHECK_AWAIT(&board->started, 1);
    queued = submit(pool, waiting_sleep, board, 2, 20, 0);
    last = submit(pool, waiting_stay, board, 3, 0, 20);
    CHECK_STATUS(mproc_result_wait(last, 100), MPROC_TIMEOUT);
    CHECK(!mproc_result_ready(queued) && !mproc_result_running(queued));
    CHECK(!mproc_result_ready(last) && !mproc_result_running(last));
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(first), 1);
    CHECK_AWAIT(&board->started, 2);
    atomic_store(&board->go, 0);
    CHECK_EQ(tasks_take_int(queued), 2);
    CHECK_LOST(last, MPROC_TIMEOUT, "within its time limit of 20 ms");
    CHECK_AWAIT(&board->started, 3);
    waiting_end(pool, board);
}

static void case_a_task_is_asked_at_its_soft_limit_and_ended_at_its_hard_limit(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result;

    CHECK_EQ(tasks_take_int(submit(pool, waiting_sleep, board, 2, 10, WAITING_MINUTES)), 2);
    result = submit(pool, waiting_stay, board, 3, 10, 40);
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit of 40 ms");
    if (fixture_is_threads()) atomic_store(&board->go, 1);
    tasks_check_pool(pool);
    atomic_store(&board->go, 0);
    result = submit(pool, waiting_stay, board, 3, WAITING_MINUTES, 40);
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit of 40 ms");
    waiting_end(pool, board);
}

/* Who has only asked it to stop gets what the limit says. */
static void case_a_hard_limit_ends_a_task_that_was_asked_to_stop_without_a_limit(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = submit(pool, waiting_stay, board, 2, 0, 60);

    CHECK_AWAIT(&board->started, 1);
    CHECK(mproc_result_stop(result, MPROC_FOREVER) == MPROC_OK || mproc_result_ready(result));
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit of 60 ms");
    waiting_end(pool, board);
}

/* ---- who learns of it ------------------------------------------------------------------------- */

static void case_the_callback_of_a_task_over_its_limit_is_called_once(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    waiting_notes own = {0};

    mproc_result_free(waiting_submit_noted(pool, waiting_stay, board, 1, 20, &own));
    CHECK_AWAIT(&own.errors, 1);
    CHECK_EQ(atomic_load(&own.timeouts), 1);
    atomic_store(&board->go, 1);
    tasks_check_pool(pool);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own.errors), 1);
    CHECK_EQ(atomic_load(&own.values), 0);
    waiting_end(pool, board);
}

/*
 * Each ends once, with what it has returned or with its time limit; and those beside and behind it are neither ended
 * nor asked to stop.
 */
static void case_tasks_that_finish_at_their_limit_end_once_and_harm_no_others(void)
{
    enum { FEW = 3 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    uint32_t rounds = (uint32_t)check_many(150, 30), timeouts = 0;
    waiting_notes own = {0};

    for (uint32_t i = 0; i < rounds; i++) {
        mproc_result *innocent[FEW], *result = waiting_submit_noted(pool, waiting_take_time, board, i, 2, &own);
        mproc_value value = mproc_nil();
        mproc_status status;
        for (int j = 0; j < FEW; j++) innocent[j] = submit(pool, waiting_innocent, board, j, WAITING_MINUTES, 0);
        status = mproc_result_get(result, &value, MPROC_FOREVER);
        for (int j = 0; j < FEW; j++) CHECK_EQ(tasks_take_int(innocent[j]), j);
        if (status == MPROC_OK) CHECK_EQ(mproc_value_int(value), i);
        else CHECK_STATUS(status, MPROC_TIMEOUT);
        CHECK_STATUS(mproc_result_get(result, &value, 0), status);
        timeouts += status != MPROC_OK;
        mproc_result_free(result);
    }
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own.timeouts), timeouts);
    CHECK_EQ(atomic_load(&own.errors), timeouts);
    CHECK_EQ(atomic_load(&own.values), rounds - timeouts);
    for (uint32_t i = 0; i < rounds; i++) CHECK(atomic_load(&board->marks[i]) <= 1);
    waiting_end(pool, board);
}

/* ---- results that nobody wants ---------------------------------------------------------------- */

static void case_a_task_whose_result_nobody_wants_has_its_limits(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    CHECK_OK(mproc_pool_apply_async(pool, waiting_sleep, MPROC_ARGS(fixture_board_offset(board), 1),
                                    &(mproc_task_options){.soft_limit_ms = 20}, NULL));
    CHECK_AWAIT(&board->done, 1);
    mproc_result_free(submit(pool, waiting_sleep, board, 1, 20, 0));
    CHECK_AWAIT(&board->done, 2);
    CHECK_OK(mproc_pool_apply_async(pool, waiting_stay, MPROC_ARGS(fixture_board_offset(board), 1),
                                    &(mproc_task_options){.hard_limit_ms = 20}, NULL));
    CHECK_AWAIT(&board->started, 3);
    waiting_await_successor(pool, atomic_load(&board->pid));
    mproc_result_free(submit(pool, waiting_stay, board, 1, 0, 20));
    if (fixture_is_threads()) atomic_store(&board->go, 1);
    CHECK_AWAIT(&board->started, 4);
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->done), fixture_is_threads() ? 4 : 2);
    waiting_end(pool, board);
}

static void case_tasks_with_limits_leave_nothing(void)
{
    uint64_t blocks = tasks_blocks_without_pools();

    for (int round = 0; round < 3; round++) {
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        mproc_result *kept = submit(pool, waiting_stay, board, 1, 10, 20);

        for (int i = 0; i < 20; i++) mproc_result_free(submit(pool, tasks_square, board, i, 1, WAITING_MINUTES));
        mproc_result_free(submit(pool, waiting_stay, board, 1, 5, 20));
        CHECK_STATUS(mproc_result_get(kept, NULL, MPROC_FOREVER), MPROC_TIMEOUT);
        mproc_result_free(submit(pool, waiting_stay, board, 1, WAITING_MINUTES, WAITING_MINUTES));
        waiting_end(pool, board);
        CHECK_STATUS(mproc_result_get(kept, NULL, MPROC_FOREVER), MPROC_TIMEOUT);
        mproc_result_free(kept);
    }
    tasks_await_blocks(blocks);
}

/* ---- pools that change ------------------------------------------------------------------------ */

static void case_limits_hold_in_a_pool_that_was_closed(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *ended = submit(pool, waiting_stay, board, 1, 0, 20),
                 *asked = submit(pool, waiting_sleep, board, 2, 20, 0);

    mproc_pool_close(pool);
    CHECK_LOST(ended, MPROC_TIMEOUT, "within its time limit");
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(asked), 2);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    waiting_end(pool, board);
}

/* The worker of the task is above the new number; its successor is not needed. */
static void case_limits_hold_in_a_pool_that_has_become_smaller(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    mproc_result *results[3];

    for (uint32_t i = 0; i < 3; i++) results[i] = submit(pool, waiting_stay, board, i, 0, 50);
    CHECK_AWAIT(&board->started, 3);
    CHECK_OK(mproc_pool_resize(pool, 1));
    for (uint32_t i = 0; i < 3; i++) CHECK_LOST(results[i], MPROC_TIMEOUT, "within its time limit");
    atomic_store(&board->go, 1);
    tasks_check_pool(pool);
    waiting_end(pool, board);
}

static void case_a_pool_is_terminated_or_freed_while_limits_run(void)
{
    for (int i = 0; i < 20; i++) {
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        mproc_result *results[4];

        for (int j = 0; j < 4; j++) results[j] = submit(pool, waiting_stay, board, j, 1 + j % 2, 3);
        check_pause_ms(i % 5);
        if (i % 2) mproc_pool_terminate(pool);
        waiting_end(pool, board);
        for (int j = 0; j < 4; j++) {
            mproc_status status = mproc_result_get(results[j], NULL, 0);
            if (status != MPROC_OK && status != MPROC_TIMEOUT) CHECK_STATUS(status, MPROC_TERMINATED);
            mproc_result_free(results[j]);
        }
    }
}

/* ---- what cannot be --------------------------------------------------------------------------- */

static void case_limits_that_cannot_be_are_refused(void)
{
    static const mproc_task_options wrong[] = {
        {.soft_limit_ms = -1},
        {.hard_limit_ms = -1},
        {.soft_limit_ms = INT64_MIN, .hard_limit_ms = 5},
        {.soft_limit_ms = 5, .hard_limit_ms = INT64_MAX},
        {.soft_limit_ms = (int64_t)2306 * 1000 * 1000 * 1000},
    };
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_REFUSED(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 1), &wrong[i], &result), MPROC_INVALID,
                      "ms for a task: 0 is none");
        CHECK(result == NULL);
    }
    CHECK_EQ(
        tasks_take_int(submit(pool, tasks_square, NULL, 3, (int64_t)2300 * 1000 * 1000 * 1000, INT64_MAX / 4000001)),
        9);
    mproc_pool_free(pool);
}

/* ---- a thread that goes on -------------------------------------------------------------------- */

static fixture_board *watched;

/* As a keeper that is held up here, until the worker is in its next task. */
static void end_late(struct worker_record *record)
{
    atomic_store(&watched->go, 1);
    CHECK_AWAIT(&watched->started, 2);
    worker_thread.kill(record);
}

static const struct worker_kind late = {NULL, end_late};

static mproc_status watch(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_fetch_add(&board->started, 1);
    for (int i = 0; i < 30; i++) {
        if (mproc_call_stop_requested(call)) return mproc_error(MPROC_USER, "it was asked to stop");
        MPROC_TRY(mproc_sleep_ms(1));
    }
    return mproc_call_return(call, mproc_int(number));
}

static void case_the_task_behind_one_that_is_ended_is_not_asked_to_stop(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = watched = fixture_board_create();
    const struct worker_kind *kind = pool->kind;
    mproc_result *result, *innocent;

    pool->kind = &late;
    result = submit(pool, waiting_stay, board, 1, 0, 20);
    innocent = tasks_submit(pool, watch, board, 2);
    CHECK_LOST(result, MPROC_TIMEOUT, "within its time limit");
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(innocent), 2);
    pool->kind = kind;
    waiting_end(pool, board);
}

CHECK_TWINS(pool_time_limits, fixture_of_processes, pool_time_limits_threads, waiting_of_threads,
    CASE(a_soft_limit_ends_each_kind_of_wait),
    CASE(a_task_over_its_soft_limit_is_interrupted_once_and_what_it_returns_counts),
    CASE(a_task_that_passes_its_interrupt_on_fails_with_it),
    CASE(a_hard_limit_ends_a_task_and_its_worker_and_no_other),
    CASE(a_limit_counts_from_the_begin_of_the_task),
    CASE(a_task_is_asked_at_its_soft_limit_and_ended_at_its_hard_limit),
    CASE(a_hard_limit_ends_a_task_that_was_asked_to_stop_without_a_limit),
    CASE(the_callback_of_a_task_over_its_limit_is_called_once),
    CASE(tasks_that_finish_at_their_limit_end_once_and_harm_no_others),
    CASE(a_task_whose_result_nobody_wants_has_its_limits),
    CASE(tasks_with_limits_leave_nothing),
    CASE(limits_hold_in_a_pool_that_was_closed),
    CASE(limits_hold_in_a_pool_that_has_become_smaller),
    CASE(a_pool_is_terminated_or_freed_while_limits_run),
    CASE(limits_that_cannot_be_are_refused),
);

CHECK_SUITE_SETUP(pool_time_limits_of_threads, fixture_of_threads,
    CASE(the_task_behind_one_that_is_ended_is_not_asked_to_stop),
);
