/* mproc/result.h: waits for several results, and the states of one. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"

enum { MANY = 20 };

static void free_all(mproc_result **results, int count)
{
    for (int i = 0; i < count; i++) mproc_result_free(results[i]);
}

static void submit_all(mproc_pool *pool, mproc_function *function, const fixture_board *board, mproc_result **results,
                       int count)
{
    for (int i = 0; i < count; i++) results[i] = tasks_submit(pool, function, board, i);
}

/* A wait in a thread of its own. */
typedef struct waiter {
    mproc_result **results;
    size_t count;
    mproc_wait_mode mode;
    mproc_status status;
    _Atomic uint32_t begun;
    _Atomic uint32_t ended;
    plat_thread *thread;
} waiter;

static void wait_for_them(void *context)
{
    waiter *self = context;

    atomic_store(&self->begun, 1);
    self->status = mproc_result_wait_many(self->results, self->count, self->mode, MPROC_FOREVER);
    atomic_store(&self->ended, 1);
}

/* What happens next may find it asleep, or not yet. */
static void start(waiter *self)
{
    CHECK_OK(plat_thread_start(wait_for_them, self, &self->thread));
    CHECK_AWAIT(&self->begun, 1);
    check_pause_ms(1);
}

/* ---- modes ------------------------------------------------------------------------------------ */

static void case_a_wait_for_all_ends_with_the_last(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[MANY];
    waiter all = {.results = results, .count = MANY, .mode = MPROC_WAIT_ALL};

    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    submit_all(pool, tasks_count, board, results + 1, MANY - 1);
    start(&all);
    CHECK_AWAIT(&board->count, MANY - 1);
    CHECK_REFUSED(mproc_result_wait_many(results, MANY, MPROC_WAIT_ALL, 0), MPROC_TIMEOUT, "not finished");
    CHECK_REFUSED(mproc_result_wait_many(results, MANY, MPROC_WAIT_ALL, 3), MPROC_TIMEOUT, "not finished");
    CHECK_EQ(atomic_load(&all.ended), 0);
    atomic_store(&board->go, 1);
    plat_thread_join(all.thread);
    CHECK_OK(all.status);
    for (int i = 0; i < MANY; i++) CHECK(mproc_result_successful(results[i]));
    CHECK_OK(mproc_result_wait_many(results, MANY, MPROC_WAIT_ALL, 0));
    free_all(results, MANY);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Whether it is waited for before, or not. */
static void case_a_wait_for_any_ends_with_the_first(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int round = 0; round < 4; round++) {
        fixture_board *board = fixture_board_create(), *other = fixture_board_create();
        mproc_result *results[3];
        waiter any = {.results = results, .count = 3, .mode = MPROC_WAIT_ANY};
        results[0] = tasks_submit(pool, tasks_stay, board, 0);
        results[1] = tasks_submit(pool, tasks_stay, other, 1);
        CHECK_AWAIT(&board->started, 1);
        CHECK_AWAIT(&other->started, 1);
        results[2] = tasks_submit(pool, tasks_square, board, 2); /* no worker is left for it */
        CHECK_REFUSED(mproc_result_wait_many(results, 3, MPROC_WAIT_ANY, 0), MPROC_TIMEOUT, "not finished");
        CHECK_REFUSED(mproc_result_wait_many(results, 3, MPROC_WAIT_ANY, 2), MPROC_TIMEOUT, "not finished");
        if (round % 2) start(&any);
        atomic_store(&other->go, 1);
        if (round % 2 == 0) start(&any);
        plat_thread_join(any.thread);
        CHECK_OK(any.status);
        CHECK(mproc_result_ready(results[1]) && !mproc_result_ready(results[0]));
        CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_ANY, 0)); /* some are finished already */
        atomic_store(&board->go, 1);
        CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_ALL, MPROC_FOREVER));
        free_all(results, 3);
        fixture_board_free(board);
        fixture_board_free(other);
    }
    mproc_pool_free(pool);
}

static mproc_status fails_when_told(mproc_call *call)
{
    MPROC_TRY(tasks_stay(call));
    return tasks_fail(call);
}

/* Those that are done do not end it. */
static void case_a_wait_for_the_first_failure_ends_with_it(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create(), *other = fixture_board_create();
    mproc_result *results[4];
    waiter failure = {.results = results, .count = 4, .mode = MPROC_WAIT_FIRST_FAILURE};

    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    results[1] = tasks_submit(pool, fails_when_told, other, 1);
    results[2] = tasks_submit(pool, tasks_square, NULL, 2);
    results[3] = tasks_submit(pool, tasks_square, NULL, 3);
    CHECK_OK(mproc_result_wait(results[3], MPROC_FOREVER));
    CHECK_OK(mproc_result_wait(results[2], MPROC_FOREVER));
    for (int i = 0; i < 2; i++)
        CHECK_REFUSED(mproc_result_wait_many(results, 4, MPROC_WAIT_FIRST_FAILURE, 2 * i), MPROC_TIMEOUT,
                      "not finished");
    start(&failure);
    CHECK_EQ(atomic_load(&failure.ended), 0);
    atomic_store(&other->go, 1);
    plat_thread_join(failure.thread);
    CHECK_OK(failure.status);
    CHECK(mproc_result_ready(results[1]) && !mproc_result_successful(results[1]) && !mproc_result_ready(results[0]));
    CHECK_OK(mproc_result_wait_many(results, 4, MPROC_WAIT_FIRST_FAILURE, 0)); /* it has failed already */
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait_many(results, 4, MPROC_WAIT_ALL, MPROC_FOREVER));
    free_all(results, 4);
    fixture_board_free(other);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_wait_for_the_first_failure_ends_when_none_has_failed(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[MANY];
    waiter failure = {.results = results, .count = MANY, .mode = MPROC_WAIT_FIRST_FAILURE};

    submit_all(pool, tasks_stay, board, results, MANY);
    start(&failure);
    atomic_store(&board->go, 1);
    plat_thread_join(failure.thread);
    CHECK_OK(failure.status);
    for (int i = 0; i < MANY; i++) CHECK(mproc_result_successful(results[i]));
    free_all(results, MANY);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* A cancel is an end, and a failure. */
static void case_a_cancel_ends_each_wait_for_several(void)
{
    for (int mode = MPROC_WAIT_ANY; mode <= MPROC_WAIT_FIRST_FAILURE; mode++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        mproc_result *results[3];
        waiter waits = {.results = results, .count = 3, .mode = (mproc_wait_mode)mode};
        submit_all(pool, tasks_stay, board, results, 3);
        CHECK_AWAIT(&board->started, 1);
        start(&waits);
        CHECK_OK(mproc_result_cancel(results[2]));
        plat_thread_join(waits.thread);
        CHECK_OK(waits.status);
        CHECK(!mproc_result_ready(results[0]) && !mproc_result_ready(results[1]));
        atomic_store(&board->go, 1);
        free_all(results, 3);
        mproc_pool_free(pool);
        fixture_board_free(board);
    }
}

/* ---- what is special -------------------------------------------------------------------------- */

static void case_a_result_that_is_given_twice_counts_once(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int mode = MPROC_WAIT_ALL; mode <= MPROC_WAIT_FIRST_FAILURE; mode++) {
        mproc_result *results[4];
        results[0] = results[1] = tasks_submit(pool, tasks_square, NULL, 2);
        results[2] = results[3] = tasks_submit(pool, tasks_square, NULL, 3);
        CHECK_OK(mproc_result_wait_many(results, 4, (mproc_wait_mode)mode, check_limit_ms()));
        if (mode != MPROC_WAIT_ANY) CHECK(mproc_result_successful(results[0]) && mproc_result_successful(results[2]));
        mproc_result_free(results[0]);
        mproc_result_free(results[2]);
    }
    mproc_pool_free(pool);
}

static void case_of_no_results_all_are_finished(void)
{
    for (int mode = MPROC_WAIT_ALL; mode <= MPROC_WAIT_FIRST_FAILURE; mode++) {
        CHECK_OK(mproc_result_wait_many(NULL, 0, (mproc_wait_mode)mode, MPROC_FOREVER));
        CHECK_OK(mproc_result_wait_many(NULL, 0, (mproc_wait_mode)mode, 0));
    }
}

/* For all of several pools one waits. */
static void case_waits_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1), *other = fixture_create(1);
    mproc_result *results[2];

    results[0] = tasks_submit(pool, tasks_square, NULL, 2);
    results[1] = tasks_submit(other, tasks_square, NULL, 3);
    for (int i = 0; i < 2; i++) {
        CHECK_REFUSED(mproc_result_wait_many(results, 2, MPROC_WAIT_ANY, 0), MPROC_INVALID, "another pool");
        CHECK_REFUSED(mproc_result_wait_many(results, 2, MPROC_WAIT_FIRST_FAILURE, MPROC_FOREVER), MPROC_INVALID,
                      "another pool");
        CHECK_REFUSED(mproc_result_wait_many(results, 2, (mproc_wait_mode)3, 0), MPROC_INVALID, "3 is no way");
        CHECK_REFUSED(mproc_result_wait_many(NULL, 2, MPROC_WAIT_ALL, 0), MPROC_INVALID, "at no address");
        CHECK_REFUSED(mproc_result_wait_many(results, 2, MPROC_WAIT_ALL, -1), MPROC_INVALID, "MPROC_FOREVER");
        CHECK_REFUSED(mproc_result_wait_many(NULL, 0, MPROC_WAIT_ALL, -1), MPROC_INVALID, "MPROC_FOREVER");
        CHECK_OK(mproc_result_wait_many(results, 2, MPROC_WAIT_ALL, check_limit_ms()));
    }
    CHECK_EQ(tasks_take_int(results[0]), 4);
    CHECK_EQ(tasks_take_int(results[1]), 9);
    mproc_pool_free(pool);
    mproc_pool_free(other);
}

static void case_each_wait_for_several_is_interrupted(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[3];

    submit_all(pool, tasks_stay, board, results, 3);
    for (int mode = MPROC_WAIT_ALL; mode <= MPROC_WAIT_FIRST_FAILURE; mode++) {
        mproc_interrupt();
        CHECK_REFUSED(mproc_result_wait_many(results, 3, (mproc_wait_mode)mode, MPROC_FOREVER), MPROC_INTERRUPTED,
                      "interrupted");
    }
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_ALL, MPROC_FOREVER));
    free_all(results, 3);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Tasks that are just being finished while they are waited for. */
static void case_of_hundreds_of_tasks_any_is_waited_for_until_all_are_finished(void)
{
    enum { TASKS = 300 };
    mproc_pool *pool = fixture_create(2);
    mproc_result *left[TASKS];
    int64_t sum = 0;

    submit_all(pool, tasks_square, NULL, left, TASKS);
    for (size_t count = TASKS; count > 0;) {
        size_t stay = 0;
        CHECK_OK(mproc_result_wait_many(left, count, MPROC_WAIT_ANY, check_limit_ms()));
        for (size_t i = 0; i < count; i++) {
            if (mproc_result_ready(left[i])) sum += tasks_take_int(left[i]);
            else left[stay++] = left[i];
        }
        CHECK(stay < count);
        count = stay;
    }
    CHECK_EQ(sum, 8955050);
    mproc_pool_free(pool);
}

static void case_a_wait_for_several_ends_when_the_pool_is_terminated(void)
{
    for (int mode = MPROC_WAIT_ALL; mode <= MPROC_WAIT_FIRST_FAILURE; mode++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        mproc_result *results[MANY];
        waiter waits = {.results = results, .count = MANY, .mode = (mproc_wait_mode)mode};
        submit_all(pool, tasks_stay, board, results, MANY);
        CHECK_AWAIT(&board->started, 1);
        start(&waits);
        atomic_store(&board->go, fixture_is_threads());
        mproc_pool_terminate(pool);
        plat_thread_join(waits.thread);
        CHECK_OK(waits.status);
        CHECK_OK(mproc_result_wait_many(results, MANY, MPROC_WAIT_ALL, MPROC_FOREVER));
        free_all(results, MANY);
        mproc_pool_free(pool);
        fixture_board_free(board);
    }
}

/* ---- states ----------------------------------------------------------------------------------- */

enum { QUEUED = 0, RUNNING = 1, READY = 2, SUCCESSFUL = 4, CANCELLED = 8 };

static int state_of(mproc_result *result)
{
    return (mproc_result_running(result) ? RUNNING : 0) | (mproc_result_ready(result) ? READY : 0) |
           (mproc_result_successful(result) ? SUCCESSFUL : 0) | (mproc_result_cancelled(result) ? CANCELLED : 0);
}

static mproc_status returns_cancelled(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_CANCELLED, "the order was cancelled by its buyer");
}

/* The same before and after it was got, and when the pool is gone; that a task itself says cancelled is no cancel. */
static void case_a_result_tells_the_state_of_its_task(void)
{
    static const int after[] = {READY | SUCCESSFUL, READY, READY, READY | CANCELLED};
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[4];

    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    results[1] = tasks_submit(pool, tasks_fail, board, 1);
    CHECK_OK(mproc_pool_apply_async(pool, returns_cancelled, mproc_no_args(), NULL, &results[2]));
    results[3] = tasks_submit(pool, tasks_square, board, 3);
    CHECK_AWAIT(&board->started, 1);
    CHECK_EQ(state_of(results[0]), RUNNING);
    for (int i = 1; i < 4; i++) CHECK_EQ(state_of(results[i]), QUEUED);
    CHECK_OK(mproc_result_cancel(results[3]));
    CHECK_EQ(state_of(results[3]), READY | CANCELLED);
    CHECK_EQ(state_of(results[0]), RUNNING);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait_many(results, 4, MPROC_WAIT_ALL, MPROC_FOREVER));
    for (int i = 0; i < 4; i++) CHECK_EQ(state_of(results[i]), after[i]);
    CHECK_OK(mproc_result_get(results[0], NULL, 0));
    CHECK_REFUSED(mproc_result_get(results[2], NULL, 0), MPROC_CANCELLED, "by its buyer");
    for (int i = 0; i < 4; i++) CHECK_EQ(state_of(results[i]), after[i]);
    CHECK_STATUS(mproc_result_cancel(results[2]), MPROC_BAD_STATE);
    mproc_pool_free(pool);
    for (int i = 0; i < 4; i++) CHECK_EQ(state_of(results[i]), after[i]);
    free_all(results, 4);
    fixture_board_free(board);
}

/* Only worker threads can have a pool that is theirs. */
static mproc_result *own_results[2];

static mproc_status waits_for_several(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    CHECK_AWAIT(&board->step, 1);
    for (int mode = MPROC_WAIT_ALL; mode <= MPROC_WAIT_FIRST_FAILURE; mode++)
        CHECK_REFUSED(mproc_result_wait_many(own_results, 2, (mproc_wait_mode)mode, MPROC_FOREVER), MPROC_BAD_STATE,
                      "a worker of the pool is about to wait");
    return MPROC_OK;
}

static void case_a_worker_that_waits_for_several_of_its_own_pool_is_refused(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *waits = tasks_submit(pool, waits_for_several, board, 0);

    submit_all(pool, tasks_stay, board, own_results, 2);
    atomic_store(&board->step, 1);
    CHECK_OK(mproc_result_get(waits, NULL, MPROC_FOREVER));
    atomic_store(&board->go, 1);
    mproc_result_free(waits);
    free_all(own_results, 2);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

CHECK_TWINS(pool_waits, fixture_of_processes, pool_waits_threads, fixture_of_threads,
    CASE(a_wait_for_all_ends_with_the_last),
    CASE(a_wait_for_any_ends_with_the_first),
    CASE(a_wait_for_the_first_failure_ends_with_it),
    CASE(a_wait_for_the_first_failure_ends_when_none_has_failed),
    CASE(a_cancel_ends_each_wait_for_several),
    CASE(a_result_that_is_given_twice_counts_once),
    CASE(of_no_results_all_are_finished),
    CASE(waits_that_cannot_be_are_refused),
    CASE(each_wait_for_several_is_interrupted),
    CASE(of_hundreds_of_tasks_any_is_waited_for_until_all_are_finished),
    CASE(a_wait_for_several_ends_when_the_pool_is_terminated),
    CASE(a_result_tells_the_state_of_its_task),
);

CHECK_SUITE_SETUP(pool_own_waits, fixture_of_threads,
    CASE(a_worker_that_waits_for_several_of_its_own_pool_is_refused),
);
