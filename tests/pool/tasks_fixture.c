#include "pool/tasks_fixture.h"

#include <stdlib.h>

#include "arena/block.h"
#include "object/resource_owner.h"

mproc_result *tasks_submit(mproc_pool *pool, mproc_function *function, const fixture_board *board, int64_t number)
{
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(pool, function, MPROC_ARGS(fixture_board_offset(board), number), NULL, &result));
    return result;
}

fixture_board *tasks_arguments(const mproc_call *call, int64_t *number)
{
    uint64_t board;

    CHECK_OK(mproc_unpack(call, &board, number));
    return fixture_board_at(board);
}

int64_t tasks_take_int(mproc_result *result)
{
    mproc_value value = mproc_nil();
    int64_t number;

    CHECK_OK(mproc_result_get(result, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    number = mproc_value_int(value);
    mproc_result_free(result);
    return number;
}

mproc_status tasks_square(mproc_call *call)
{
    int64_t number;

    tasks_arguments(call, &number);
    return mproc_call_return(call, mproc_int(number * number));
}

mproc_status tasks_count(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_fetch_add(&board->marks[number % BOARD_MARKS], 1);
    atomic_fetch_add(&board->count, 1);
    return mproc_call_return(call, mproc_int(number));
}

mproc_status tasks_stay(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    return mproc_call_return(call, mproc_int(number));
}

mproc_status tasks_echo(mproc_call *call)
{
    return mproc_call_return(call, mproc_call_value(call));
}

mproc_status tasks_fail(mproc_call *call)
{
    int64_t number;

    tasks_arguments(call, &number);
    return mproc_error((mproc_status)(MPROC_USER + number), "order %d has no stock", (int)number);
}

mproc_status tasks_end_thread(mproc_call *call)
{
    (void)call;
    os_end_thread();
    return MPROC_OK;
}

void tasks_end_worker(void)
{
    if (fixture_is_threads()) os_end_thread();
    _Exit(3);
}

fixture_board *tasks_attempt(mproc_call *call, int64_t *number, int64_t *deaths, uint32_t *before)
{
    uint64_t at;
    fixture_board *board;

    CHECK_OK(mproc_unpack(call, &at, number, deaths));
    board = fixture_board_at(at);
    *before = atomic_fetch_add(&board->marks[*number], 1);
    CHECK_EQ(mproc_call_attempt(call), *before + 1);
    return board;
}

mproc_status tasks_die_at_first(mproc_call *call)
{
    int64_t number, deaths;
    uint32_t before;

    tasks_attempt(call, &number, &deaths, &before);
    CHECK(!mproc_call_stop_requested(call));
    CHECK_OK(mproc_call_return(call, mproc_string("nobody learns of it")));
    if (before < deaths) tasks_end_worker();
    return mproc_call_return(call, mproc_int(number));
}

void tasks_check_pool(mproc_pool *pool)
{
    mproc_result *results[40];

    for (int i = 0; i < 40; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    for (int i = 0; i < 40; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
}

uint64_t tasks_blocks(void)
{
    struct block_census census = block_count();

    CHECK(census.sound);
    return census.cut - census.free;
}

/* The tables of owned slots stay as well, as many as the process has ever needed. */
uint64_t tasks_blocks_without_pools(void)
{
    enum { SLOTS = 10000 };
    static _Atomic uint64_t *slots[SLOTS];
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < SLOTS; i++) CHECK_OK(resource_slot_take(&slots[i]));
    for (int i = 0; i < SLOTS; i++) resource_slot_put(slots[i]);
    tasks_check_pool(pool);
    mproc_pool_free(pool);
    return tasks_blocks();
}

static bool are_as_few(void *most)
{
    struct block_census census = block_count();

    return census.cut - census.free <= *(const uint64_t *)most;
}

void tasks_await_blocks(uint64_t most)
{
    CHECK_WAIT_UNTIL(are_as_few, &most);
}

static void wait_for_it(void *context)
{
    tasks_waiter *self = context;
    mproc_value value = mproc_nil();

    self->status = mproc_result_get(self->result, &value, MPROC_FOREVER);
    self->number = mproc_value_int(value);
    atomic_store(&self->ended, 1);
}

void tasks_waiter_start(tasks_waiter *self, mproc_result *result)
{
    *self = (tasks_waiter){.result = result};
    CHECK_OK(plat_thread_start(wait_for_it, self, &self->thread));
}
