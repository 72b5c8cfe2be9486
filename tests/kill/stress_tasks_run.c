/* What the tasks of stress_tasks.c do, in the workers. */
#include "stress_tasks.h"

#include "arena/arena.h"
#include "platform.h"
#include "pool/pool_fixture.h"

#include <mproc/mproc.h>

static struct tasks_board *_Atomic board;

/* Those before it may not have come so far. */
static void note_begin(const mproc_call *call, uint64_t number)
{
    EXPECT(atomic_fetch_add(&board->begun[number], 1) < mproc_call_attempt(call));
}

static mproc_status unpack(mproc_call *call, uint64_t *number)
{
    uint64_t at;

    MPROC_TRY(mproc_unpack(call, &at, number));
    board = arena_at(at);
    note_begin(call, *number);
    return MPROC_OK;
}

mproc_status tasks_square(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

mproc_status tasks_die_at_first(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    if (mproc_call_attempt(call) == 1) {
        atomic_fetch_add(&board->died, 1);
        os_end_thread();
    }
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

/* Nobody has given up such a task: whatever becomes of others, it is not told to stop. */
static void expect_no_stop(const mproc_call *call)
{
    EXPECT(!mproc_call_stop_requested(call));
    EXPECT(!mproc_interrupted());
}

mproc_status tasks_sleep_and_square(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    plat_clock_sleep_until(plat_clock_now_ns() + 1000000);
    expect_no_stop(call);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

mproc_status tasks_stay_and_square(mproc_call *call)
{
    uint64_t number;
    int64_t until_ns;

    MPROC_TRY(unpack(call, &number));
    until_ns = plat_clock_now_ns() + (int64_t)(number % 5) * 1000000;
    while (plat_clock_now_ns() < until_ns && !(number % 2 && mproc_call_stop_requested(call)))
        plat_clock_sleep_until(plat_clock_now_ns() + 100000);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

mproc_status tasks_fail(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    MPROC_TRY(mproc_call_return(call, MPROC_VALUE(number)));
    expect_no_stop(call);
    return mproc_error(TASKS_FAILED, "no stock of %llu", (unsigned long long)number);
}

mproc_status tasks_send_back(mproc_call *call)
{
    const char *text;
    uint64_t at, number;

    MPROC_TRY(mproc_unpack(call, &at, &number, &text));
    board = arena_at(at);
    note_begin(call, number);
    expect_no_stop(call);
    return mproc_call_return(call, MPROC_LIST(number, text));
}

mproc_status tasks_send_event_back(mproc_call *call)
{
    mproc_event *its;
    uint64_t at, number;

    MPROC_TRY(mproc_unpack(call, &at, &number, &its));
    board = arena_at(at);
    note_begin(call, number);
    EXPECT(mproc_event_is_set(its));
    expect_no_stop(call);
    return mproc_call_return(call, MPROC_LIST(number, its));
}

mproc_status tasks_negate(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int64_t *)result = -*(const int64_t *)item;
    return MPROC_OK;
}
