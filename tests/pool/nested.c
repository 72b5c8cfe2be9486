/* mproc/pool.h: pools of tasks of pools, and what is left when one in the middle is killed. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"

enum { DEPTH = 3, TASKS = 4 };

/* One more than what its own pool's tasks return in all; pools of processes and of threads take turns. */
static mproc_status counts_itself_and_those_below(mproc_call *call)
{
    mproc_pool *pool;
    mproc_result *results[TASKS];
    int64_t depth, sum = 1;

    MPROC_TRY(mproc_unpack(call, &depth));
    if (depth == 0) return mproc_call_return(call, mproc_int(1));
    MPROC_TRY(mproc_pool_create(&(mproc_pool_options){.workers = 2, .kind = (mproc_worker_kind)(depth % 2)}, &pool));
    for (int i = 0; i < TASKS; i++)
        MPROC_TRY(
            mproc_pool_apply_async(pool, counts_itself_and_those_below, MPROC_ARGS(depth - 1), NULL, &results[i]));
    for (int i = 0; i < TASKS; i++) sum += tasks_take_int(results[i]);
    mproc_pool_free(pool);
    return mproc_call_return(call, mproc_int(sum));
}

static void case_pools_three_deep_have_all_their_tasks_done(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_value value;

    CHECK_OK(mproc_pool_apply(pool, counts_itself_and_those_below, MPROC_ARGS(DEPTH), &value));
    CHECK_EQ(mproc_value_int(value), 1 + TASKS + TASKS * TASKS + TASKS * TASKS * TASKS);
    mproc_pool_free(pool);
}

/* ---- one in the middle is killed ---------------------------------------------------------------- */

/* Its worker has a pool, whose worker has one, whose workers stay: all tell their pids. */
static mproc_status stays_at_the_bottom(mproc_call *call)
{
    int64_t depth;
    fixture_board *board = tasks_arguments(call, &depth);
    mproc_pool *pool;
    mproc_status status;

    atomic_store(&board->values[depth], mproc_getpid());
    if (depth == 0) return tasks_stay(call);
    MPROC_TRY(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    status = mproc_pool_apply(pool, stays_at_the_bottom, MPROC_ARGS(fixture_board_offset(board), depth - 1), NULL);
    mproc_pool_free(pool);
    return status;
}

static bool is_gone(void *pid)
{
    return !os_is_alive(*(int64_t *)pid);
}

/* Those below it end, and those above it learn of it. What all of them had is given back. */
static void kill_at(int64_t depth)
{
    fixture_board *board = fixture_board_create();
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = tasks_submit(pool, stays_at_the_bottom, board, 2);

    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->values[depth]));
    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_WORKER_LOST, os_killed_text());
    mproc_result_free(result);
    for (int i = 0; i <= depth; i++) {
        int64_t pid = atomic_load(&board->values[i]);
        CHECK_WAIT_UNTIL(is_gone, &pid);
    }
    tasks_check_pool(pool);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
    fixture_board_free(board);
}

static void case_a_worker_at_the_bottom_is_killed_and_each_pool_above_is_told(void)
{
    kill_at(0);
}

static void case_a_worker_with_a_pool_is_killed_and_that_pool_ends(void)
{
    kill_at(1);
    kill_at(2);
}

CHECK_SUITE_SETUP(pool_nested, fixture_of_processes,
    CASE(pools_three_deep_have_all_their_tasks_done),
    CASE(a_worker_at_the_bottom_is_killed_and_each_pool_above_is_told),
    CASE(a_worker_with_a_pool_is_killed_and_that_pool_ends),
);
