/* mproc/pool.h: as much as a pool takes, for ci/soak: all tasks that it takes at once, and a million results. */
#include <stdio.h>
#include <stdlib.h>

#include "object/resource_owner.h"
#include "pool/stream.h"
#include "pool/tasks_fixture.h"

/* ---- no more tasks ---------------------------------------------------------------------------- */

enum { TASKS_MOST = STREAM_SEGMENTS * TASK_SEGMENT };

/* Gives the pool tasks until it takes no more, behind one that stays. Returns how many it took. */
static int64_t fill(mproc_pool *pool, const fixture_board *board)
{
    mproc_args args = MPROC_ARGS(fixture_board_offset(board), 7);
    mproc_status status;
    int64_t count = 0;

    while ((status = mproc_pool_apply_async(pool, tasks_count, args, NULL, NULL)) == MPROC_OK) count++;
    CHECK_STATUS(status, MPROC_LIMIT);
    return count;
}

static void case_a_pool_takes_four_million_tasks_and_one_more_when_some_are_finished(void)
{
    fixture_board *board = fixture_board_create();
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(1);

    mproc_result_free(tasks_submit(pool, tasks_stay, board, 0));
    CHECK_AWAIT(&board->started, 1);
    CHECK_EQ(fill(pool, board), TASKS_MOST - 1);
    for (int i = 0; i < 3; i++)
        CHECK_REFUSED(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 3), NULL), MPROC_LIMIT,
                      "4194304 tasks of the pool are not finished: it takes one more when some are");
    atomic_store(&board->go, 1);
    CHECK_AWAIT(&board->count, TASKS_MOST - 1);
    CHECK_OK(mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 3), NULL));
    tasks_check_pool(pool);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
    fixture_board_free(board);
}

/* ---- many results ------------------------------------------------------------------------------- */

static size_t many_results(void)
{
    return (size_t)check_many(1000000, 100000);
}

/* Of every eight tasks one returns a text, which lies in memory of its own, and one fails. */
static mproc_status returns_or_fails(mproc_call *call)
{
    char text[101];
    int64_t number;

    tasks_arguments(call, &number);
    if (number % 8 == 3) return mproc_error(MPROC_USER + 1, "number %d", (int)number);
    if (number % 8 != 5) return mproc_call_return(call, mproc_int(number));
    snprintf(text, sizeof text, "%100d", (int)number);
    return mproc_call_return(call, mproc_string(text));
}

static void check_result(mproc_result *result, int64_t number)
{
    mproc_value value = mproc_nil();
    char text[32];

    if (number % 8 == 3) {
        snprintf(text, sizeof text, "number %d", (int)number);
        CHECK_REFUSED(mproc_result_get(result, &value, MPROC_FOREVER), MPROC_USER + 1, text);
        return;
    }
    CHECK_OK(mproc_result_get(result, &value, MPROC_FOREVER));
    if (number % 8 == 5) CHECK_EQ(atoi(mproc_value_string(value)), number);
    else CHECK_EQ(mproc_value_int(value), number);
}

/* In steps of a number that has no divisor with theirs: each once, far from the one before. */
static void get_in_any_order(mproc_pool *pool, mproc_result **results, size_t count)
{
    const size_t step = 618033;

    for (size_t i = 0; i < count; i++) results[i] = tasks_submit(pool, returns_or_fails, NULL, (int64_t)i);
    for (size_t i = 0, at = 0; i < count; i++, at = (at + step) % count) {
        check_result(results[at], (int64_t)at);
        mproc_result_free(results[at]);
        results[at] = NULL;
    }
    for (size_t i = 0; i < count; i++) CHECK(results[i] == NULL);
}

/* As many owned slots as results could need at once: they stay with the process, and are there before the count. */
static void take_slots(size_t count)
{
    _Atomic uint64_t **slots = calloc(count, sizeof(_Atomic uint64_t *));

    CHECK(slots != NULL);
    for (size_t i = 0; i < count; i++) CHECK_OK(resource_slot_take(&slots[i]));
    for (size_t i = 0; i < count; i++) resource_slot_put(slots[i]);
    free(slots);
}

/* Twice: what stays with the process is there after the first time. */
static void case_a_million_results_are_got_in_any_order_and_leave_nothing(void)
{
    size_t count = many_results();
    mproc_result **results = calloc(count, sizeof(mproc_result *));
    uint64_t blocks = 0;

    CHECK(results != NULL);
    take_slots(count / 2);
    for (int round = 0; round < 2; round++) {
        mproc_pool *pool = fixture_create(2);
        get_in_any_order(pool, results, count);
        mproc_pool_free(pool);
        if (round == 0) blocks = tasks_blocks();
        else tasks_await_blocks(blocks);
    }
    free(results);
}

/* Its successors run all that it had not begun, and those who have results know of it. */
static void case_a_worker_is_killed_while_a_million_results_are_outstanding(void)
{
    size_t count = many_results();
    mproc_result **results = calloc(count, sizeof(mproc_result *));
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    CHECK(results != NULL);
    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    for (size_t i = 1; i < count; i++) results[i] = tasks_submit(pool, tasks_count, board, (int64_t)i);
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    CHECK_LOST(results[0], MPROC_WORKER_LOST, os_killed_text());
    for (size_t i = count - 1; i > 0; i--) CHECK_EQ(tasks_take_int(results[i]), (int64_t)i);
    CHECK_EQ(atomic_load(&board->count), count - 1);
    free(results);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_million_queued_tasks_are_cancelled(void)
{
    size_t count = many_results();
    mproc_result **results = calloc(count, sizeof(mproc_result *));
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    CHECK(results != NULL);
    results[0] = tasks_submit(pool, tasks_stay, board, 9);
    CHECK_AWAIT(&board->started, 1);
    for (size_t i = 1; i < count; i++) results[i] = tasks_submit(pool, tasks_count, board, (int64_t)i);
    for (size_t i = 1; i < count; i++) CHECK_OK(mproc_result_cancel(results[i]));
    for (size_t i = 1; i < count; i++) {
        CHECK_STATUS(mproc_result_get(results[i], NULL, 0), MPROC_CANCELLED);
        mproc_result_free(results[i]);
    }
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(results[0]), 9);
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->count), 0);
    free(results);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_loads, fixture_of_processes, pool_loads_threads, fixture_of_threads,
    CASE_LIMIT(a_pool_takes_four_million_tasks_and_one_more_when_some_are_finished, 120),
    CASE_LIMIT(a_million_results_are_got_in_any_order_and_leave_nothing, 120),
    CASE_LIMIT(a_million_queued_tasks_are_cancelled, 120),
);

CHECK_SUITE_SETUP(pool_loads_lost, fixture_of_processes,
    CASE_LIMIT(a_worker_is_killed_while_a_million_results_are_outstanding, 120),
);
