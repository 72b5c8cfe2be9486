/* mproc/pool.h: tasks: their order, many of them, those that have pools, those that are refused. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"

static mproc_status power(mproc_call *call)
{
    int64_t base, exponent, result = 1;

    MPROC_TRY(mproc_unpack(call, &base, &exponent));
    for (; exponent > 0; exponent--) result *= base;
    return mproc_call_return(call, mproc_int(result));
}

/* ---- order ------------------------------------------------------------------------------------ */

/* Marks the place of its number with when it was begun. */
static mproc_status tells_its_turn(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_store(&board->marks[number], atomic_fetch_add(&board->count, 1) + 1);
    return MPROC_OK;
}

static void case_one_worker_begins_tasks_in_their_order(void)
{
    enum { TASKS = 2000 };
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < TASKS; i++) {
        mproc_result *result = tasks_submit(pool, tells_its_turn, board, i);
        mproc_result_free(result);
    }
    CHECK_AWAIT(&board->count, TASKS);
    mproc_pool_free(pool);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(atomic_load(&board->marks[i]), i + 1);
    fixture_board_free(board);
}

/* Ends only when so many have begun. */
static mproc_status waits_for_others(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->started, (uint32_t)number);
    return MPROC_OK;
}

/* None that is free leaves one to a worker that is not. */
static void case_each_worker_that_is_free_begins_a_task(void)
{
    mproc_pool *pool = fixture_create(4);
    fixture_board *board = fixture_board_create();
    mproc_result *results[4];

    for (uint32_t round = 1; round <= 50; round++) {
        for (int i = 0; i < 4; i++) results[i] = tasks_submit(pool, waits_for_others, board, 4 * round);
        for (int i = 0; i < 4; i++) {
            CHECK_OK(mproc_result_get(results[i], NULL, MPROC_FOREVER));
            mproc_result_free(results[i]);
        }
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Several segments of the stream, and each that is behind the one that stays. */
static void case_a_task_that_stays_does_not_hold_up_those_behind_it(void)
{
    enum { TASKS = 3000 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result **results = malloc(TASKS * sizeof(mproc_result *));
    mproc_result *first = tasks_submit(pool, tasks_stay, board, 17);

    CHECK(results != NULL);
    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, tasks_square, board, i);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i * i);
    CHECK(!mproc_result_ready(first));
    CHECK_REFUSED(mproc_result_wait(first, 0), MPROC_TIMEOUT, "is not finished");
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(first), 17);
    free(results);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/*
 * Many at once have proven to be short; then a worker that runs one looks for the next, and nobody is woken for that.
 * A worker that nobody wakes looks by itself after two seconds: in each round that would be too late.
 */
static void case_a_task_that_stays_after_short_ones_does_not_hold_up_those_behind_it(void)
{
    enum { MANY = 1000, ROUNDS = 40 };
    mproc_pool *pool = fixture_create(3);
    mproc_result *many[MANY], *stay[2], *last;

    for (int round = 0; round < ROUNDS; round++) {
        fixture_board *board = fixture_board_create();
        for (int i = 0; i < MANY; i++) many[i] = tasks_submit(pool, tasks_square, board, i);
        for (int i = 0; i < MANY; i++) CHECK_EQ(tasks_take_int(many[i]), i * i);
        for (int i = 0; i < MANY; i++) CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, board, i)), i * i);
        for (int i = 0; i < 2; i++) stay[i] = tasks_submit(pool, tasks_stay, board, i);
        last = tasks_submit(pool, tasks_square, board, 3);
        CHECK_AWAIT(&board->started, 2);
        CHECK_EQ(tasks_take_int(last), 9);
        atomic_store(&board->go, 1);
        for (int i = 0; i < 2; i++) CHECK_EQ(tasks_take_int(stay[i]), i);
        fixture_board_free(board);
    }
    mproc_pool_free(pool);
}

static mproc_status counts_who_is_inside(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);
    uint32_t inside = atomic_fetch_add(&board->inside, 1) + 1, most = atomic_load(&board->most);

    while (inside > most && !atomic_compare_exchange_weak(&board->most, &most, inside)) continue;
    if (number % 8 == 0) check_pause_ms(1);
    atomic_fetch_sub(&board->inside, 1);
    return tasks_count(call);
}

static void case_no_more_tasks_run_than_there_are_workers(void)
{
    enum { TASKS = 100 };
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < TASKS; i++) mproc_result_free(tasks_submit(pool, counts_who_is_inside, board, i));
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_check_marks(board, TASKS, 1);
    CHECK(atomic_load(&board->most) <= 3);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- many ------------------------------------------------------------------------------------- */

static void case_a_hundred_thousand_results_are_got_from_the_last_to_the_first(void)
{
    int many = check_many(100000, 10000);
    mproc_pool *pool = fixture_create(2);
    mproc_result **results = malloc((size_t)many * sizeof(mproc_result *));

    CHECK(results != NULL);
    for (int i = 0; i < many; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    for (int i = many - 1; i >= 0; i--) CHECK_EQ(tasks_take_int(results[i]), (int64_t)i * i);
    free(results);
    mproc_pool_free(pool);
}

static void case_tasks_that_nobody_waits_for_are_done(void)
{
    enum { TASKS = 5000 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, tasks_count, MPROC_ARGS(fixture_board_offset(board), i), NULL, NULL));
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_check_marks(board, TASKS, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_tasks_one_after_the_other_take_no_memory(void)
{
    static char large[3000];
    mproc_pool *pool = fixture_create(1);
    uint64_t blocks = 0;
    mproc_value value;

    for (int i = 0; i < check_many(800, 200); i++) {
        if (i == 100) blocks = tasks_blocks();
        CHECK_OK(mproc_pool_apply(pool, tasks_echo, mproc_bytes(large, i % 2 ? sizeof large : 9), &value));
        mproc_value_clear(&value);
    }
    tasks_await_blocks(blocks + 2); /* a segment more or less */
    mproc_pool_free(pool);
}

static void submit_and_wait(void *pool)
{
    mproc_result *results[20];

    for (int round = 0; round < check_many(20, 5); round++) {
        mproc_value value;
        for (int i = 0; i < 20; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i + round);
        CHECK_OK(mproc_pool_apply(pool, power, MPROC_ARGS(2, 10), &value));
        CHECK_EQ(mproc_value_int(value), 1024);
        for (int i = 0; i < 20; i++) CHECK_EQ(tasks_take_int(results[19 - i]), (19 - i + round) * (19 - i + round));
    }
}

static void case_threads_submit_and_wait_at_once(void)
{
    mproc_pool *pool = fixture_create(2);
    plat_thread *threads[6];

    for (int i = 0; i < 6; i++) CHECK_OK(plat_thread_start(submit_and_wait, pool, &threads[i]));
    submit_and_wait(pool);
    for (int i = 0; i < 6; i++) plat_thread_join(threads[i]);
    mproc_pool_free(pool);
}

/* ---- pools in tasks --------------------------------------------------------------------------- */

static mproc_status sums_with_a_pool(mproc_call *call)
{
    mproc_pool *pool;
    mproc_result *results[20];
    int64_t kind, sum = 0;

    MPROC_TRY(mproc_unpack(call, &kind));
    MPROC_TRY(mproc_pool_create(&(mproc_pool_options){.workers = 2, .kind = (mproc_worker_kind)kind}, &pool));
    for (int i = 0; i < 20; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    for (int i = 0; i < 20; i++) sum += tasks_take_int(results[i]);
    mproc_pool_free(pool);
    return mproc_call_return(call, mproc_int(sum));
}

/* What stays with the process that has had a child is made before things are counted: workers may be its threads. */
static void case_a_task_has_a_pool_of_its_own(void)
{
    bool threads = fixture_is_threads();
    mproc_result *results[4];
    mproc_pool *pool;

    fixture_of_processes();
    if (threads) fixture_of_threads();
    CHECK_BASELINE();
    pool = fixture_create(2);

    for (int i = 0; i < 4; i++)
        CHECK_OK(mproc_pool_apply_async(pool, sums_with_a_pool, MPROC_ARGS(i % 2), NULL, &results[i]));
    for (int i = 0; i < 4; i++) CHECK_EQ(tasks_take_int(results[i]), 2470);
    mproc_pool_free(pool);
}

/* Only worker threads can have a pool that is theirs. */
static mproc_pool *own_pool;
static mproc_result *own_result;

static mproc_status submits_to_its_own_pool(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (number > 0) mproc_result_free(tasks_submit(own_pool, submits_to_its_own_pool, board, number - 1));
    atomic_fetch_add(&board->count, 1);
    return MPROC_OK;
}

static void case_a_task_submits_to_its_own_pool(void)
{
    fixture_board *board = fixture_board_create();

    own_pool = fixture_create(2);
    mproc_result_free(tasks_submit(own_pool, submits_to_its_own_pool, board, 600));
    CHECK_AWAIT(&board->count, 601);
    mproc_pool_free(own_pool);
    fixture_board_free(board);
}

static mproc_status waits_for_its_own_pool(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);
    mproc_value value = mproc_int(5);

    CHECK_AWAIT(&board->step, 1);
    CHECK_REFUSED(mproc_pool_apply(own_pool, tasks_square, MPROC_ARGS(fixture_board_offset(board), 1), &value),
                  MPROC_BAD_STATE, "mproc_pool_apply_async() does not wait");
    CHECK_EQ(mproc_value_int(value), 5);
    CHECK_REFUSED(mproc_result_wait(own_result, MPROC_FOREVER), MPROC_BAD_STATE,
                  "a worker of the pool is about to wait");
    CHECK_REFUSED(mproc_result_get(own_result, &value, MPROC_FOREVER), MPROC_BAD_STATE,
                  "a worker of the pool is about to wait");
    CHECK_STATUS(mproc_result_wait(own_result, 0), MPROC_TIMEOUT);
    CHECK_REFUSED(mproc_map(own_pool, fixture_square, &number, &number, 1, NULL), MPROC_BAD_STATE,
                  "a worker of the pool is about to wait");
    mproc_pool_close(own_pool);
    CHECK_REFUSED(mproc_pool_join(own_pool, MPROC_FOREVER), MPROC_BAD_STATE, "a worker of the pool is about to wait");
    atomic_store(&board->go, 1);
    while (!mproc_result_ready(own_result)) check_pause_ms(1);
    CHECK_OK(mproc_result_get(own_result, &value, MPROC_FOREVER));
    CHECK_EQ(mproc_value_int(value), 8);
    return MPROC_OK;
}

static void case_a_worker_that_waits_for_its_own_pool_is_refused(void)
{
    fixture_board *board = fixture_board_create();
    mproc_result *waiter;

    own_pool = fixture_create(2);
    own_result = tasks_submit(own_pool, tasks_stay, board, 8);
    waiter = tasks_submit(own_pool, waits_for_its_own_pool, board, 0);
    atomic_store(&board->step, 1);
    CHECK_OK(mproc_result_get(waiter, NULL, MPROC_FOREVER));
    mproc_result_free(waiter);
    mproc_result_free(own_result);
    mproc_pool_free(own_pool);
    fixture_board_free(board);
}

/* ---- refused ---------------------------------------------------------------------------------- */

static void refuse(mproc_pool *pool, mproc_function *function, mproc_args args, mproc_status status, const char *part)
{
    mproc_result *result = (mproc_result *)&status;
    mproc_value value = mproc_int(3);

    CHECK_REFUSED(mproc_pool_apply_async(pool, function, args, NULL, &result), status, part);
    CHECK(result == (mproc_result *)&status);
    CHECK_REFUSED(mproc_pool_apply_async(pool, function, args, NULL, NULL), status, part);
    CHECK_REFUSED(mproc_pool_apply(pool, function, args, &value), status, part);
    CHECK_EQ(mproc_value_int(value), 3);
}

static void case_tasks_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_event *event;
    mproc_value copy;
    int number = 0;

    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_value_copy(MPROC_LIST(event), &copy));
    mproc_event_free(event);
    for (int i = 0; i < 2; i++) {
        refuse(pool, NULL, mproc_no_args(), MPROC_INVALID, "needs a function");
        refuse(pool, power, mproc_int(3), MPROC_INVALID, "");
        refuse(pool, power, MPROC_ARGS(mproc_string_from("\xff", 1)), MPROC_INVALID, "UTF-8");
        refuse(pool, power, copy, MPROC_CLOSED, "has been freed");
        if (!fixture_is_threads())
            refuse(pool, (mproc_function *)(uintptr_t)&number, mproc_no_args(), MPROC_BAD_FUNCTION, "");
        tasks_check_pool(pool);
    }
    mproc_value_clear(&copy);
    mproc_pool_free(pool);
}

/* Whether tasks came before, or not. */
static void case_a_pool_that_was_closed_or_terminated_takes_no_task(void)
{
    for (int i = 0; i < 4; i++) {
        mproc_pool *pool = fixture_create(1);
        if (i % 2) tasks_check_pool(pool);
        if (i < 2) mproc_pool_close(pool);
        else mproc_pool_terminate(pool);
        refuse(pool, power, MPROC_ARGS(1, 2), MPROC_CLOSED,
               i < 2 ? "the pool was closed" : "the pool was terminated");
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        refuse(pool, power, MPROC_ARGS(1, 2), MPROC_CLOSED,
               i < 2 ? "the pool was closed" : "the pool was terminated");
        mproc_pool_free(pool);
    }
}

static void case_wrong_arguments_fail_the_task(void)
{
    mproc_pool *pool = fixture_create(1);

    CHECK_REFUSED(mproc_pool_apply(pool, power, MPROC_ARGS(1), NULL), MPROC_INVALID,
                  "was given 1 arguments, its function wants 2");
    CHECK_REFUSED(mproc_pool_apply(pool, power, MPROC_ARGS("a", 1), NULL), MPROC_INVALID, "PoolWorker-1");
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* They spin from their birth on, also while the place for tasks is made. */
static void case_the_first_task_is_found_by_workers_that_look_for_it_already(void)
{
    for (int i = fixture_is_threads() ? 300 : 10; i > 0; i--) {
        mproc_pool *pool = fixture_create(2);
        CHECK_EQ(tasks_take_int(tasks_submit(pool, tasks_square, NULL, i)), (int64_t)i * i);
        mproc_pool_free(pool);
    }
}

CHECK_TWINS(pool_tasks, fixture_of_processes, pool_tasks_threads, fixture_of_threads,
    CASE(one_worker_begins_tasks_in_their_order),
    CASE(each_worker_that_is_free_begins_a_task),
    CASE(a_task_that_stays_does_not_hold_up_those_behind_it),
    CASE(a_task_that_stays_after_short_ones_does_not_hold_up_those_behind_it),
    CASE(no_more_tasks_run_than_there_are_workers),
    CASE_LIMIT(a_hundred_thousand_results_are_got_from_the_last_to_the_first, 60),
    CASE(the_first_task_is_found_by_workers_that_look_for_it_already),
    CASE(tasks_that_nobody_waits_for_are_done),
    CASE(tasks_one_after_the_other_take_no_memory),
    CASE(threads_submit_and_wait_at_once),
    CASE(a_task_has_a_pool_of_its_own),
    CASE(tasks_that_cannot_be_are_refused),
    CASE(a_pool_that_was_closed_or_terminated_takes_no_task),
    CASE(wrong_arguments_fail_the_task),
);

CHECK_SUITE_SETUP(pool_own_tasks, fixture_of_threads,
    CASE(a_task_submits_to_its_own_pool),
    CASE(a_worker_that_waits_for_its_own_pool_is_refused),
);
