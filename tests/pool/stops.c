/* mproc/result.h: tasks that are to stop. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/waiting_fixture.h"

/* A task that a worker has begun. */
static mproc_result *begin(mproc_pool *pool, mproc_function *function, fixture_board *board, int64_t number)
{
    uint32_t before = atomic_load(&board->started);
    mproc_result *result = tasks_submit(pool, function, board, number);

    CHECK_AWAIT(&board->started, before + 1);
    return result;
}

/* The worker process of the last task that has begun is ended; a thread has all the time that it wants, and ends. */
static void await_end(mproc_pool *pool, fixture_board *board)
{
    waiting_await_successor(pool, atomic_load(&board->pid));
    if (!fixture_is_threads()) return;
    atomic_store(&board->go, 1);
    tasks_check_pool(pool);
    atomic_store(&board->go, 0);
}

/* ---- asked ------------------------------------------------------------------------------------ */

static void case_a_stop_ends_each_kind_of_wait(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    waiting_objects objects;

    waiting_create(&objects);
    for (int kind = 0; kind < WAITING_KINDS; kind++) {
        mproc_result *result = waiting_submit(pool, &objects, board, kind, NULL);
        CHECK_AWAIT(&board->started, (uint32_t)kind + 1);
        if (kind % 2) check_pause_ms(2); /* it waits, or is about to */
        CHECK_OK(mproc_result_stop(result, kind % 3 ? MPROC_FOREVER : WAITING_MINUTES));
        CHECK_EQ(tasks_take_int(result), kind);
        waiting_check(board, kind);
        CHECK_EQ(tasks_take_int(tasks_submit(pool, waiting_innocent, board, kind)), kind);
    }
    waiting_free(&objects);
    waiting_end(pool, board);
}

/* It is not ended, however long it goes on. */
static void case_a_task_that_is_only_asked_goes_on_as_it_likes(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_stay, board, 6);

    for (int i = 0; i < 5; i++) CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    CHECK_STATUS(mproc_result_wait(result, 50), MPROC_TIMEOUT);
    CHECK(mproc_result_running(result) && !mproc_result_cancelled(result));
    tasks_check_pool(pool);
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 6);
    waiting_end(pool, board);
}

static void case_what_a_task_returns_within_its_grace_counts(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < 5; i++) {
        mproc_result *result = begin(pool, waiting_sleep, board, i);
        CHECK_OK(mproc_result_stop(result, WAITING_MINUTES));
        CHECK_EQ(tasks_take_int(result), i);
    }
    waiting_end(pool, board);
}

/* ---- ended ------------------------------------------------------------------------------------ */

static void check_cancelled(mproc_result *result)
{
    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_CANCELLED,
                  "was to stop, and did not in the time that it was given");
    CHECK(mproc_result_ready(result) && !mproc_result_running(result) && !mproc_result_successful(result));
    CHECK(!mproc_result_cancelled(result)); /* that would be before it was begun */
    CHECK_STATUS(mproc_result_stop(result, 0), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_result_get(result, NULL, 0), MPROC_CANCELLED);
    mproc_result_free(result);
}

static void case_a_task_that_does_not_stop_in_its_grace_is_ended_and_no_other(void)
{
    static const int64_t graces_ms[] = {0, 1, 20};
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create(), *innocent = fixture_board_create();
    mproc_result *other = begin(pool, waiting_stay, innocent, 8);

    for (int i = 0; i < 3; i++) {
        mproc_result *result = begin(pool, waiting_stay, board, 6), *queued[20];
        for (int j = 0; j < 20; j++) queued[j] = tasks_submit(pool, waiting_innocent, board, j);
        CHECK_OK(mproc_result_stop(result, graces_ms[i]));
        check_cancelled(result);
        await_end(pool, board);
        for (int j = 0; j < 20; j++) CHECK_EQ(tasks_take_int(queued[j]), j);
    }
    CHECK(mproc_result_running(other));
    atomic_store(&innocent->go, 1);
    CHECK_EQ(tasks_take_int(other), 8);
    fixture_board_free(innocent);
    waiting_end(pool, board);
}

static void case_of_several_stops_the_shortest_grace_counts(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_stay, board, 6);

    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    CHECK_OK(mproc_result_stop(result, WAITING_MINUTES));
    CHECK_OK(mproc_result_stop(result, 10));
    check_cancelled(result);
    await_end(pool, board);
    result = begin(pool, waiting_stay, board, 7);
    CHECK_OK(mproc_result_stop(result, 30));
    CHECK(mproc_result_stop(result, MPROC_FOREVER) != MPROC_INVALID); /* it may just have ended */
    check_cancelled(result);
    await_end(pool, board);
    waiting_end(pool, board);
}

/* ---- what is not running ---------------------------------------------------------------------- */

static void case_a_queued_task_that_is_stopped_is_never_run(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *first = begin(pool, waiting_stay, board, 1), *queued[3];

    for (int i = 0; i < 3; i++) queued[i] = tasks_submit(pool, tasks_count, board, i);
    CHECK_OK(mproc_result_stop(queued[0], 0));
    CHECK_OK(mproc_result_stop(queued[1], MPROC_FOREVER));
    for (int i = 0; i < 2; i++) {
        CHECK(mproc_result_cancelled(queued[i]));
        CHECK_STATUS(mproc_result_stop(queued[i], 0), MPROC_BAD_STATE);
        CHECK_LOST(queued[i], MPROC_CANCELLED, "the task was stopped before it was begun");
    }
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(first), 1);
    CHECK_EQ(tasks_take_int(queued[2]), 2);
    CHECK_EQ(atomic_load(&board->count), 1);
    waiting_end(pool, board);
}

static void case_a_task_that_is_finished_is_not_stopped(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *done = tasks_submit(pool, tasks_square, NULL, 5), *failed = tasks_submit(pool, tasks_fail, NULL, 5);

    CHECK_OK(mproc_result_wait(done, MPROC_FOREVER));
    CHECK_OK(mproc_result_wait(failed, MPROC_FOREVER));
    CHECK_REFUSED(mproc_result_stop(done, 0), MPROC_BAD_STATE, "it is finished");
    CHECK_REFUSED(mproc_result_stop(failed, MPROC_FOREVER), MPROC_BAD_STATE, "it is finished");
    CHECK_STATUS(mproc_result_stop(done, -1), MPROC_INVALID);
    CHECK_EQ(tasks_take_int(done), 25);
    CHECK_LOST(failed, MPROC_USER + 5, "order 5 has no stock");
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

static void case_a_task_whose_pool_was_freed_is_not_stopped(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *done = tasks_submit(pool, tasks_square, NULL, 5), *running, *queued;

    CHECK_OK(mproc_result_wait(done, MPROC_FOREVER));
    running = begin(pool, waiting_sleep, board, 1);
    queued = tasks_submit(pool, tasks_square, NULL, 6);
    mproc_pool_free(pool);
    CHECK_STATUS(mproc_result_stop(done, 0), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_result_stop(running, 0), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_result_stop(queued, MPROC_FOREVER), MPROC_BAD_STATE);
    CHECK_EQ(tasks_take_int(done), 25);
    mproc_result_free(running);
    mproc_result_free(queued);
    fixture_board_free(board);
}

static void case_a_grace_that_cannot_be_is_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_stay, board, 5);
    mproc_pool *none = NULL;

    CHECK_STATUS(mproc_result_stop(result, -1), MPROC_INVALID);
    CHECK(mproc_result_running(result));
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 5);
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 1, .grace_ms = -1}, &none), MPROC_INVALID,
                  "a grace of -1 ms");
    CHECK(none == NULL);
    waiting_end(pool, board);
}

/* ---- who learns of it ------------------------------------------------------------------------- */

static void case_the_callback_of_a_task_that_was_ended_is_called_once(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    waiting_notes own = {0};
    mproc_result *result = waiting_submit_noted(pool, waiting_stay, board, 1, 0, &own);

    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_result_stop(result, 10));
    mproc_result_free(result);
    CHECK_AWAIT(&own.errors, 1);
    await_end(pool, board);
    result = waiting_submit_noted(pool, waiting_sleep, board, 1, 0, &own);
    CHECK_AWAIT(&board->started, 2);
    CHECK_OK(mproc_result_stop(result, WAITING_MINUTES));
    CHECK_AWAIT(&own.values, 1);
    mproc_result_free(result);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own.errors), 1);
    CHECK_EQ(atomic_load(&own.cancelled), 1);
    CHECK_EQ(atomic_load(&own.values), 1);
    waiting_end(pool, board);
}

/* The request holds without the result. */
static void case_a_result_is_freed_right_after_its_stop(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_sleep, board, 1);

    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    mproc_result_free(result);
    CHECK_AWAIT(&board->done, 1);
    result = begin(pool, waiting_stay, board, 1);
    CHECK_OK(mproc_result_stop(result, 10));
    mproc_result_free(result);
    await_end(pool, board);
    tasks_check_pool(pool);
    waiting_end(pool, board);
}

static void wait_in_thread(void *context)
{
    tasks_waiter *self = context;

    self->status = mproc_result_wait(self->result, MPROC_FOREVER);
    atomic_store(&self->ended, 1);
}

static void case_the_end_of_a_task_wakes_all_who_wait_for_it(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_stay, board, 1);
    tasks_waiter waiters[3];

    for (int i = 0; i < 3; i++) {
        waiters[i] = (tasks_waiter){.result = result};
        CHECK_OK(plat_thread_start(wait_in_thread, &waiters[i], &waiters[i].thread));
    }
    check_pause_ms(5);
    CHECK_OK(mproc_result_stop(result, 1));
    for (int i = 0; i < 3; i++) {
        plat_thread_join(waiters[i].thread);
        CHECK_STATUS(waiters[i].status, MPROC_OK);
    }
    check_cancelled(result);
    waiting_end(pool, board);
}

/* ---- at any time ------------------------------------------------------------------------------ */

/* Each ends once, whenever it is stopped; and those beside and behind it are neither ended nor asked to stop. */
static void case_tasks_that_are_stopped_at_any_time_end_once_and_harm_no_others(void)
{
    enum { FEW = 3 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    uint32_t rounds = (uint32_t)check_many(200, 30), cancelled = 0;
    waiting_notes own = {0};

    for (uint32_t i = 0; i < rounds; i++) {
        mproc_result *innocent[2 * FEW], *result;
        mproc_value value = mproc_nil();
        mproc_status status;
        for (int j = 0; j < FEW; j++) innocent[j] = tasks_submit(pool, waiting_innocent, board, j);
        result = waiting_submit_noted(pool, waiting_take_time, board, i, 0, &own);
        for (int j = FEW; j < 2 * FEW; j++) innocent[j] = tasks_submit(pool, waiting_innocent, board, j);
        if (i % 4 < 2) CHECK_AWAIT(&board->marks[i], 1);
        if (i % 4 == 1) check_pause_ms(1);
        (void)!mproc_result_stop(result, i % 3);
        status = mproc_result_get(result, &value, MPROC_FOREVER);
        for (int j = 0; j < 2 * FEW; j++) CHECK_EQ(tasks_take_int(innocent[j]), j);
        if (status == MPROC_OK) CHECK_EQ(mproc_value_int(value), i);
        else CHECK_STATUS(status, MPROC_CANCELLED);
        CHECK(!mproc_result_cancelled(result) || atomic_load(&board->marks[i]) == 0);
        CHECK_STATUS(mproc_result_get(result, &value, 0), status);
        cancelled += status != MPROC_OK;
        mproc_result_free(result);
    }
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own.cancelled), cancelled);
    CHECK_EQ(atomic_load(&own.errors), cancelled);
    CHECK_EQ(atomic_load(&own.values), rounds - cancelled);
    for (uint32_t i = 0; i < rounds; i++) CHECK(atomic_load(&board->marks[i]) <= 1);
    waiting_end(pool, board);
}

static void stop_again_and_again(void *context)
{
    mproc_result *result = context;
    mproc_status status;

    for (int64_t grace_ms = 40;; grace_ms -= grace_ms > 0) {
        status = mproc_result_stop(result, grace_ms);
        if (status == MPROC_BAD_STATE) return;
        CHECK_OK(status);
    }
}

static void case_several_threads_stop_the_same_task(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    plat_thread *threads[3];

    for (int round = 0; round < 3; round++) {
        mproc_result *result = begin(pool, waiting_stay, board, 1);
        for (int i = 0; i < 3; i++) CHECK_OK(plat_thread_start(stop_again_and_again, result, &threads[i]));
        for (int i = 0; i < 3; i++) plat_thread_join(threads[i]);
        check_cancelled(result);
        await_end(pool, board);
    }
    waiting_end(pool, board);
}

/* A task of which the result is to be kept for long, with a value that travels as a parcel. */
/* Ends its worker, whichever attempt it is. */
static mproc_status end_worker(mproc_call *call)
{
    (void)call;
    tasks_end_worker();
    return MPROC_OK;
}

/* A stop finds it running, waiting to be begun again, or at its end: and is refused there alone. */
static void case_a_task_that_is_begun_again_and_again_is_stopped_at_any_time(void)
{
    const int rounds = fixture_is_threads() ? 300 : 16;
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < rounds; i++) {
        mproc_task_options options = {.retries = 20};
        mproc_result *result;
        CHECK_OK(mproc_pool_apply_async(pool, end_worker, mproc_no_args(), &options, &result));
        while (mproc_result_attempts(result) <= i % 4) plat_thread_pause();
        if (mproc_result_stop(result, MPROC_FOREVER) != MPROC_OK) CHECK(mproc_result_ready(result));
        CHECK(mproc_result_get(result, NULL, MPROC_FOREVER) != MPROC_OK);
        mproc_result_free(result);
        if (i % 4 == 3) tasks_check_pool(pool);
    }
    mproc_pool_free(pool);
}

static void case_stops_leave_nothing(void)
{
    uint64_t blocks = tasks_blocks_without_pools();

    for (int round = 0; round < 3; round++) {
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        static char large[5000];
        mproc_result *result = NULL;

        for (int i = 0; i < 20; i++) {
            CHECK_OK(mproc_pool_apply_async(pool, tasks_echo, MPROC_ARGS(i, mproc_bytes(large, sizeof large)), NULL,
                                            &result));
            (void)!mproc_result_stop(result, i % 3);
            mproc_result_free(result);
        }
        result = begin(pool, waiting_stay, board, 1);
        CHECK_OK(mproc_result_stop(result, 1));
        mproc_result_free(result);
        waiting_end(pool, board);
    }
    tasks_await_blocks(blocks);
}

/* ---- pools that end --------------------------------------------------------------------------- */

static void case_a_task_of_a_terminated_pool_of_threads_is_asked_to_stop(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = begin(pool, waiting_sleep, board, 1);

    mproc_pool_terminate(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&board->done), fixture_is_threads());
    mproc_result_free(result);
    waiting_end(pool, board);
}

static void case_a_pool_that_was_closed_ends_when_its_last_task_is_stopped(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *asked = begin(pool, waiting_sleep, board, 1), *ended = begin(pool, waiting_stay, board, 1);

    mproc_pool_close(pool);
    CHECK_OK(mproc_result_stop(asked, MPROC_FOREVER));
    CHECK_OK(mproc_result_stop(ended, 5));
    check_cancelled(ended);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(tasks_take_int(asked), 1);
    waiting_end(pool, board);
}

CHECK_TWINS(pool_stops, fixture_of_processes, pool_stops_threads, waiting_of_threads,
    CASE(a_stop_ends_each_kind_of_wait),
    CASE(a_task_that_is_only_asked_goes_on_as_it_likes),
    CASE(what_a_task_returns_within_its_grace_counts),
    CASE(a_task_that_does_not_stop_in_its_grace_is_ended_and_no_other),
    CASE(of_several_stops_the_shortest_grace_counts),
    CASE(a_queued_task_that_is_stopped_is_never_run),
    CASE(a_task_that_is_finished_is_not_stopped),
    CASE(a_task_whose_pool_was_freed_is_not_stopped),
    CASE(a_grace_that_cannot_be_is_refused),
    CASE(the_callback_of_a_task_that_was_ended_is_called_once),
    CASE(a_result_is_freed_right_after_its_stop),
    CASE(the_end_of_a_task_wakes_all_who_wait_for_it),
    CASE(tasks_that_are_stopped_at_any_time_end_once_and_harm_no_others),
    CASE(several_threads_stop_the_same_task),
    CASE(a_task_that_is_begun_again_and_again_is_stopped_at_any_time),
    CASE(stops_leave_nothing),
    CASE(a_task_of_a_terminated_pool_of_threads_is_asked_to_stop),
    CASE(a_pool_that_was_closed_ends_when_its_last_task_is_stopped),
);
