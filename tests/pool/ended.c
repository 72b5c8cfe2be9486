/* mproc/result.h: tasks that are cancelled, whose pool is closed or terminated, whose caller is interrupted. */
#include <stdlib.h>

#include "pool/waiting_fixture.h"

/* ---- cancel ----------------------------------------------------------------------------------- */

static void case_a_queued_task_that_is_cancelled_is_never_run(void)
{
    enum { TASKS = 1200 };
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS], *first = tasks_submit(pool, tasks_stay, board, 0);

    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_count, board, i);
    for (int i = 0; i < TASKS; i++) {
        if (i % 3 == 0) continue;
        CHECK_OK(mproc_result_cancel(results[i]));
        CHECK_OK(mproc_result_cancel(results[i]));
        CHECK_OK(mproc_result_wait(results[i], 0));
    }
    atomic_store(&board->go, 1);
    for (int i = 0; i < TASKS; i++)
        if (i % 3) CHECK_LOST(results[i], MPROC_CANCELLED, "was cancelled before it was begun");
        else CHECK_EQ(tasks_take_int(results[i]), i);
    CHECK_EQ(tasks_take_int(first), 0);
    mproc_pool_free(pool);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(atomic_load(&board->marks[i]), i % 3 == 0);
    fixture_board_free(board);
}

/* So many that segments are used again before any worker has come to them. */
static void case_tasks_behind_thousands_that_were_cancelled_are_begun(void)
{
    enum { TASKS = 1700 };
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS], *first = tasks_submit(pool, tasks_stay, board, 0);

    CHECK_AWAIT(&board->started, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_square, board, i);
        for (int i = 0; i < TASKS && round < 2; i++) {
            CHECK_OK(mproc_result_cancel(results[i]));
            mproc_result_free(results[i]);
        }
    }
    atomic_store(&board->go, 1);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
    CHECK_EQ(tasks_take_int(first), 0);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_task_that_was_begun_is_not_cancelled(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 5);
    mproc_result *failed = tasks_submit(pool, tasks_fail, board, 1);

    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < 2; i++) CHECK_REFUSED(mproc_result_cancel(result), MPROC_BAD_STATE, "it has been begun");
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait(failed, MPROC_FOREVER));
    for (int i = 0; i < 2; i++) CHECK_REFUSED(mproc_result_cancel(result), MPROC_BAD_STATE, "it is finished");
    CHECK_REFUSED(mproc_result_cancel(failed), MPROC_BAD_STATE, "it is finished");
    CHECK_EQ(tasks_take_int(result), 5);
    CHECK_LOST(failed, MPROC_USER + 1, "no stock");
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_cancel_wakes_who_waits(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *first = tasks_submit(pool, tasks_stay, board, 0), *result;
    tasks_waiter waiters[2];

    CHECK_AWAIT(&board->started, 1);
    for (int round = 0; round < 20; round++) {
        result = tasks_submit(pool, tasks_square, board, 1);
        for (int i = 0; i < 2; i++) tasks_waiter_start(&waiters[i], result);
        if (round % 2) check_pause_ms(1);
        CHECK_OK(mproc_result_cancel(result));
        for (int i = 0; i < 2; i++) {
            plat_thread_join(waiters[i].thread);
            CHECK_STATUS(waiters[i].status, MPROC_CANCELLED);
        }
        mproc_result_free(result);
    }
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(first), 0);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Each is either done or cancelled, and what is cancelled leaves its arguments. Then the pool is closed. */
static void case_tasks_are_cancelled_while_workers_begin_them(void)
{
    enum { TASKS = 400 };
    static char large[3000];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];
    uint32_t cancelled = 0;

    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, i % 2 ? tasks_echo : tasks_count,
                                        i % 2 ? mproc_bytes(large, sizeof large)
                                              : MPROC_ARGS(fixture_board_offset(board), i),
                                        NULL, &results[i]));
    for (int i = TASKS; i-- > 0;)
        if (mproc_result_cancel(results[i]) == MPROC_OK) cancelled++;
    mproc_pool_close(pool);
    for (int i = 0; i < TASKS; i++) {
        mproc_status status = mproc_result_get(results[i], NULL, MPROC_FOREVER);
        if (status != MPROC_OK) CHECK_STATUS(status, MPROC_CANCELLED);
        if (status != MPROC_OK) cancelled--;
        if (i % 2 == 0) CHECK_EQ(atomic_load(&board->marks[i]), status == MPROC_OK);
        mproc_result_free(results[i]);
    }
    CHECK_EQ(cancelled, 0);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- the pool's end --------------------------------------------------------------------------- */

static void case_close_lets_all_queued_tasks_be_done(void)
{
    enum { TASKS = 3000 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *stays = tasks_submit(pool, tasks_stay, board, 1), *results[TASKS];

    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_count, board, i);
    mproc_pool_close(pool);
    CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_TIMEOUT);
    CHECK_AWAIT(&board->count, TASKS);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    CHECK_EQ(tasks_take_int(stays), 1);
    fixture_check_marks(board, TASKS, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* However soon. */
static void case_close_right_after_the_last_task_loses_none(void)
{
    fixture_board *board = fixture_board_create();

    for (int round = 0; round < check_many(40, 10); round++) {
        mproc_pool *pool = fixture_create(2);
        if (round % 2) tasks_check_pool(pool);
        atomic_store(&board->count, 0);
        for (int i = 0; i < round; i++) mproc_result_free(tasks_submit(pool, tasks_count, board, i));
        mproc_pool_close(pool);
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        CHECK_EQ(atomic_load(&board->count), round);
        mproc_pool_free(pool);
    }
    fixture_board_free(board);
}

/* Worker threads come to the end of the tasks that they are in. */
static void case_terminate_ends_ten_thousand_tasks(void)
{
    enum { TASKS = 10000 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result **results = malloc(TASKS * sizeof(mproc_result *));
    int done = 0;
    tasks_waiter last;

    CHECK(results != NULL);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_stay, board, i);
    CHECK_AWAIT(&board->started, 2);
    tasks_waiter_start(&last, results[TASKS - 1]);
    mproc_pool_terminate(pool);
    plat_thread_join(last.thread);
    CHECK_STATUS(last.status, MPROC_TERMINATED);
    if (fixture_is_threads()) atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int i = 0; i < TASKS; i++) {
        mproc_status status = mproc_result_get(results[i], NULL, 0);
        done += status == MPROC_OK;
        if (status != MPROC_OK) CHECK_STATUS(status, MPROC_TERMINATED);
        mproc_result_free(results[i]);
    }
    CHECK_EQ(done, fixture_is_threads() ? 2 : 0);
    CHECK_EQ(atomic_load(&board->started), 2);
    free(results);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_terminate_ends_tasks_at_any_time(void)
{
    fixture_board *board = fixture_board_create();

    for (int round = 0; round < check_many(40, 10); round++) {
        mproc_pool *pool = fixture_create(2);
        mproc_result *results[200];
        tasks_waiter waiting;

        for (int i = 0; i < 200; i++) results[i] = tasks_submit(pool, tasks_count, board, i);
        tasks_waiter_start(&waiting, results[199]);
        if (round % 3) check_pause_ms(round % 3);
        mproc_pool_terminate(pool);
        plat_thread_join(waiting.thread);
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        for (int i = 0; i < 200; i++) {
            mproc_status status = mproc_result_get(results[i], NULL, 0);
            if (status != MPROC_OK) CHECK_STATUS(status, MPROC_TERMINATED);
            mproc_result_free(results[i]);
        }
        mproc_pool_free(pool);
    }
    fixture_board_free(board);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void case_interrupt_ends_a_wait_and_the_task_goes_on(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = tasks_submit(pool, tasks_stay, board, 6);
    tasks_waiter waiting;

    CHECK_AWAIT(&board->started, 1);
    for (int i = 0; i < 3; i++) {
        tasks_waiter_start(&waiting, result);
        /* A thread that has not entered the family yet learns nothing of it. */
        do {
            check_pause_ms(i);
            mproc_interrupt();
        } while (!atomic_load(&waiting.ended));
        plat_thread_join(waiting.thread);
        CHECK_STATUS(waiting.status, MPROC_INTERRUPTED);
    }
    mproc_interrupt();
    CHECK_REFUSED(mproc_result_wait(result, MPROC_FOREVER), MPROC_INTERRUPTED, "interrupted");
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(result), 6);
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_task_of_an_interrupted_apply_is_not_begun_any_more(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *first = tasks_submit(pool, tasks_stay, board, 6);
    mproc_value value = mproc_int(-1);

    CHECK_AWAIT(&board->started, 1);
    mproc_interrupt();
    CHECK_REFUSED(mproc_pool_apply(pool, tasks_count, MPROC_ARGS(fixture_board_offset(board), 1), &value),
                  MPROC_INTERRUPTED, "is not begun any more");
    CHECK_EQ(mproc_value_int(value), -1);
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(first), 6);
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->count), 0);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status interrupts_its_caller(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

static void interrupt_when_started(void *context)
{
    CHECK_AWAIT(&((fixture_board *)context)->started, 1);
    mproc_interrupt();
}

static void case_a_running_task_of_an_interrupted_apply_goes_on_if_it_likes(void)
{
    mproc_pool *pool = waiting_pool(1, MPROC_FOREVER);
    fixture_board *board = fixture_board_create();
    plat_thread *thread;

    CHECK_OK(plat_thread_start(interrupt_when_started, board, &thread));
    CHECK_REFUSED(mproc_pool_apply(pool, interrupts_its_caller, MPROC_ARGS(fixture_board_offset(board), 1), NULL),
                  MPROC_INTERRUPTED, "interrupted");
    plat_thread_join(thread);
    atomic_store(&board->go, 1);
    CHECK_AWAIT(&board->done, 1);
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_ended, fixture_of_processes, pool_ended_threads, fixture_of_threads,
    CASE(a_queued_task_that_is_cancelled_is_never_run),
    CASE(tasks_behind_thousands_that_were_cancelled_are_begun),
    CASE(a_task_that_was_begun_is_not_cancelled),
    CASE(cancel_wakes_who_waits),
    CASE(tasks_are_cancelled_while_workers_begin_them),
    CASE(close_lets_all_queued_tasks_be_done),
    CASE(close_right_after_the_last_task_loses_none),
    CASE(terminate_ends_ten_thousand_tasks),
    CASE(terminate_ends_tasks_at_any_time),
    CASE(interrupt_ends_a_wait_and_the_task_goes_on),
    CASE(a_task_of_an_interrupted_apply_is_not_begun_any_more),
    CASE(a_running_task_of_an_interrupted_apply_goes_on_if_it_likes),
);
