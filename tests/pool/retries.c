/* mproc/pool.h: tasks that are begun again when they were lost with their worker. */
#include <stdio.h>
#include <stdlib.h>

#include "object/reference.h"
#include "pool/waiting_fixture.h"

static mproc_result *submit(mproc_pool *pool, mproc_function *function, const fixture_board *board, int64_t number,
                            int64_t deaths, const mproc_task_options *options)
{
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(pool, function, MPROC_ARGS(fixture_board_offset(board), number, deaths), options,
                                    &result));
    return result;
}

static const mproc_task_options *retries(int64_t count)
{
    static mproc_task_options options;

    options = (mproc_task_options){.retries = count};
    return &options;
}

/* ---- begun again ------------------------------------------------------------------------------ */

static void case_a_task_is_begun_at_most_once_by_default(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *lost = submit(pool, tasks_die_at_first, board, 0, 1, NULL),
                 *done = submit(pool, tasks_die_at_first, board, 1, 0, NULL);

    CHECK_REFUSED(mproc_result_get(lost, NULL, MPROC_FOREVER), MPROC_WORKER_LOST, "while");
    CHECK_EQ(mproc_result_attempts(lost), 1);
    mproc_result_free(lost);
    CHECK_OK(mproc_result_wait(done, MPROC_FOREVER));
    CHECK_EQ(mproc_result_attempts(done), 1);
    CHECK_EQ(tasks_take_int(done), 1);
    tasks_check_pool(pool);
    fixture_check_marks(board, 2, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_lost_task_is_begun_again_and_what_it_returns_counts(void)
{
    enum { TASKS = 6 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) results[i] = submit(pool, tasks_die_at_first, board, i, i % 3, retries(2));
    for (int i = 0; i < TASKS; i++) {
        CHECK_OK(mproc_result_wait(results[i], MPROC_FOREVER));
        CHECK(mproc_result_successful(results[i]));
        CHECK_EQ(mproc_result_attempts(results[i]), 1 + i % 3);
        CHECK_EQ(tasks_take_int(results[i]), i);
        CHECK_EQ(atomic_load(&board->marks[i]), 1 + i % 3);
    }
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_task_that_is_lost_each_time_ends_with_its_last_attempt(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = submit(pool, tasks_die_at_first, board, 0, 1000, retries(3));

    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_WORKER_LOST,
                  "while it ran a task, which was begun 4 times");
    CHECK_EQ(mproc_result_attempts(result), 4);
    CHECK_EQ(atomic_load(&board->marks[0]), 4);
    mproc_result_free(result);
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->marks[0]), 4);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* More than the workers reserve at a time, with others between them. */
static void case_hundreds_of_tasks_are_begun_again_among_others(void)
{
    enum { TASKS = 300, EACH = 30 };
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++)
        results[i] = submit(pool, tasks_die_at_first, board, i, i % EACH == 7, i % 2 ? retries(1) : NULL);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(atomic_load(&board->marks[i]), 1 + (i % EACH == 7));
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- what it is given ------------------------------------------------------------------------- */

enum { LONG_BYTES = 100000 };

static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

/* Objects and a text that is long. The first attempts are about to return others. */
static mproc_status use_and_die_at_first(mproc_call *call)
{
    static char other[LONG_BYTES];
    const char *text;
    mproc_semaphore *semaphore;
    uint64_t at;
    uint32_t before;

    CHECK_OK(mproc_unpack(call, &at, &semaphore, &text));
    before = atomic_fetch_add(&fixture_board_at(at)->count, 1);
    CHECK_EQ(strlen(text), LONG_BYTES - 1);
    CHECK_EQ(strspn(text, "t"), LONG_BYTES - 1);
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_OK(mproc_call_return(call, MPROC_LIST(semaphore, mproc_bytes(other, LONG_BYTES))));
    if (before < 2) tasks_end_worker();
    return mproc_call_return(call, MPROC_LIST(semaphore, text));
}

static void case_each_attempt_has_its_objects_and_texts_and_they_are_given_back_once(void)
{
    static char text[LONG_BYTES];
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_semaphore *semaphore = NULL, *its;
    mproc_result *result = NULL;
    mproc_value value;

    memset(text, 't', LONG_BYTES - 1);
    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    CHECK_OK(mproc_pool_apply_async(pool, use_and_die_at_first,
                                    MPROC_ARGS(fixture_board_offset(board), semaphore, text), retries(2), &result));
    CHECK_OK(mproc_result_get(result, &value, MPROC_FOREVER));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &its));
    CHECK_STRING(mproc_value_string(mproc_value_at(value, 1)), text);
    CHECK_EQ(mproc_semaphore_value(its), 3);
    mproc_semaphore_free(its);
    mproc_result_free(result);
    CHECK_EQ(handles_of(semaphore), 1);
    mproc_semaphore_free(semaphore);
    fixture_board_free(board);
    mproc_pool_free(pool);
    tasks_await_blocks(blocks);
}

static mproc_status count_and_die_at_first(mproc_call *call)
{
    uint64_t at;
    uint32_t before;
    fixture_board *board;

    at = mproc_value_uint(mproc_value_get(mproc_call_value(call), "board"));
    board = fixture_board_at(at);
    before = atomic_fetch_add(&board->count, 1);
    if (before < 1) tasks_end_worker();
    return mproc_call_return(call, mproc_call_value(call));
}

static void case_arguments_by_name_are_there_again(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = NULL;
    mproc_value value;

    CHECK_OK(mproc_pool_apply_async(pool, count_and_die_at_first,
                                    MPROC_MAP("board", fixture_board_offset(board), "name", "small"), retries(1),
                                    &result));
    CHECK_OK(mproc_result_get(result, &value, MPROC_FOREVER));
    CHECK_STRING(mproc_value_string(mproc_value_get(value, "name")), "small");
    CHECK_EQ(atomic_load(&board->count), 2);
    mproc_result_free(result);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- what is no reason ------------------------------------------------------------------------ */

/* Also with the status of a worker that was lost. */
static mproc_status fail(mproc_call *call)
{
    int64_t number, deaths;
    uint32_t before;

    tasks_attempt(call, &number, &deaths, &before);
    return mproc_error(number ? MPROC_WORKER_LOST : MPROC_USER, "it failed by itself");
}

static void case_a_task_that_fails_by_itself_is_not_begun_again(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    CHECK_LOST(submit(pool, fail, board, 0, 0, retries(5)), MPROC_USER, "it failed by itself");
    CHECK_LOST(submit(pool, fail, board, 1, 0, retries(5)), MPROC_WORKER_LOST, "it failed by itself");
    tasks_check_pool(pool);
    fixture_check_marks(board, 2, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Goes on until the board says go; then its worker ends, if it is to. */
static mproc_status stay_and_die_at_first(mproc_call *call)
{
    int64_t number, deaths;
    uint32_t before;
    fixture_board *board = tasks_attempt(call, &number, &deaths, &before);

    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    if (before < deaths) tasks_end_worker();
    return mproc_call_return(call, mproc_int(number));
}

static void case_a_task_over_its_hard_limit_is_not_begun_again(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_task_options options = {.hard_limit_ms = 20, .retries = 5};
    mproc_result *result = submit(pool, stay_and_die_at_first, board, 0, 0, &options);

    CHECK_REFUSED(mproc_result_get(result, NULL, MPROC_FOREVER), MPROC_TIMEOUT, "within its time limit");
    CHECK_EQ(mproc_result_attempts(result), 1);
    atomic_store(&board->go, 1);
    tasks_check_pool(pool);
    fixture_check_marks(board, 1, 1);
    mproc_result_free(result);
    waiting_end(pool, board);
}

static void case_a_task_that_is_to_stop_is_not_begun_again(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *result = submit(pool, stay_and_die_at_first, board, 0, 9, retries(5));

    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    atomic_store(&board->go, 1);
    CHECK_LOST(result, MPROC_WORKER_LOST, "while it ran a task");
    tasks_check_pool(pool);
    fixture_check_marks(board, 1, 1);
    waiting_end(pool, board);
}

static void case_a_pool_that_is_terminated_begins_nothing_again(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = submit(pool, stay_and_die_at_first, board, 0, 9, retries(5));

    CHECK_AWAIT(&board->started, 1);
    mproc_pool_terminate(pool);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_LOST(result, MPROC_TERMINATED, "");
    fixture_check_marks(board, 1, 1);
    waiting_end(pool, board);
}

/* ---- while it waits to be begun again ---------------------------------------------------------- */

/* The first worker comes to its work at once, and others when the board says so. */
static mproc_status hold_up_successors(mproc_call *call)
{
    uint64_t at;
    fixture_board *board;

    CHECK_OK(mproc_unpack(call, &at));
    CHECK_EQ(mproc_call_attempt(call), 1);
    board = fixture_board_at(at);
    if (atomic_fetch_add(&board->inside, 1) > 0) CHECK_AWAIT(&board->ready, 1);
    return MPROC_OK;
}

static mproc_pool *create_held_up(const fixture_board *board)
{
    mproc_pool_options options = {.workers = 1,
                                  .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES,
                                  .initializer = hold_up_successors,
                                  .initializer_args = MPROC_ARGS(fixture_board_offset(board))};
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

static void case_a_task_that_waits_to_be_begun_again_is_neither_finished_nor_running_and_can_be_cancelled(void)
{
    for (int round = 0; round < 3; round++) {
        fixture_board *board = fixture_board_create();
        mproc_pool *pool = create_held_up(board);
        mproc_result *result = submit(pool, tasks_die_at_first, board, 0, 1, retries(1));

        CHECK_AWAIT(&board->inside, 2);
        CHECK(!mproc_result_ready(result) && !mproc_result_running(result) && !mproc_result_cancelled(result));
        CHECK_EQ(mproc_result_attempts(result), 1);
        CHECK_STATUS(mproc_result_wait(result, 1), MPROC_TIMEOUT);
        if (round == 1) CHECK_OK(mproc_result_cancel(result));
        if (round == 2) CHECK_OK(mproc_result_stop(result, 0));
        CHECK_EQ(mproc_result_cancelled(result), round > 0);
        atomic_store(&board->ready, 1);
        CHECK_STATUS(mproc_result_get(result, NULL, MPROC_FOREVER), round ? MPROC_CANCELLED : MPROC_OK);
        CHECK_EQ(mproc_result_attempts(result), round ? 1 : 2);
        mproc_result_free(result);
        tasks_check_pool(pool);
        CHECK_EQ(atomic_load(&board->marks[0]), round ? 1 : 2);
        mproc_pool_free(pool);
        fixture_board_free(board);
    }
}

/* ---- limits, callbacks, results that nobody wants ---------------------------------------------- */

/* The first attempt ends its worker when it was asked to stop; the second was not asked when it begins. */
static mproc_status die_when_asked(mproc_call *call)
{
    int64_t number, deaths;
    uint32_t before;

    tasks_attempt(call, &number, &deaths, &before);
    CHECK(!mproc_call_stop_requested(call));
    CHECK(!mproc_interrupted());
    while (!mproc_call_stop_requested(call)) check_pause_ms(1);
    if (before < deaths) tasks_end_worker();
    return mproc_call_return(call, mproc_int(number));
}

static void case_each_attempt_has_all_of_its_time(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_task_options options = {.soft_limit_ms = 10, .hard_limit_ms = WAITING_MINUTES, .retries = 2};

    CHECK_EQ(tasks_take_int(submit(pool, die_when_asked, board, 3, 2, &options)), 3);
    CHECK_EQ(atomic_load(&board->marks[3]), 3);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void count_value(mproc_value value, void *context)
{
    (void)value;
    atomic_fetch_add(&((waiting_notes *)context)->values, 1);
}

static void count_error(mproc_status status, const char *text, void *context)
{
    CHECK_STATUS(status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(text, "was begun 2 times");
    atomic_fetch_add(&((waiting_notes *)context)->errors, 1);
}

static void case_callbacks_are_called_once_at_the_end(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    waiting_notes own = {0};
    mproc_task_options options = {
        .callback = count_value, .error_callback = count_error, .context = &own, .retries = 1};

    mproc_result_free(submit(pool, tasks_die_at_first, board, 0, 1, &options));
    mproc_result_free(submit(pool, tasks_die_at_first, board, 1, 9, &options));
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own.values), 1);
    CHECK_EQ(atomic_load(&own.errors), 1);
    fixture_check_marks(board, 2, 2);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* The pool is closed while they run: its last worker ends with them, and is replaced. */
static void case_a_task_whose_result_nobody_wants_is_begun_again_after_close(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();

    CHECK_OK(mproc_pool_apply_async(pool, stay_and_die_at_first, MPROC_ARGS(fixture_board_offset(board), 0, 2),
                                    retries(2), NULL));
    CHECK_AWAIT(&board->started, 1);
    mproc_pool_close(pool);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    fixture_check_marks(board, 1, 3);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- pools of all kinds ------------------------------------------------------------------------ */

static void check_in(mproc_pool_options options, int resized)
{
    fixture_board *board = fixture_board_create();
    mproc_result *results[8];
    mproc_pool *pool = NULL;

    options.kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES;
    CHECK_OK(mproc_pool_create(&options, &pool));
    for (int i = 0; i < 8; i++) results[i] = submit(pool, stay_and_die_at_first, board, i, i % 2, retries(1));
    CHECK_AWAIT(&board->started, (uint32_t)options.workers);
    if (resized) CHECK_OK(mproc_pool_resize(pool, resized));
    atomic_store(&board->go, 1);
    for (int i = 0; i < 8; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

static void case_tasks_are_begun_again_whenever_workers_come_and_go(void)
{
    check_in((mproc_pool_options){.workers = 2, .max_tasks = 1}, 0);
    check_in((mproc_pool_options){.workers = 2, .lazy = true, .idle_timeout_ms = 1}, 0);
    check_in((mproc_pool_options){.workers = 3}, 1);
    check_in((mproc_pool_options){.workers = 1, .workers_max = 3}, 3);
}

/* Its attempts are a loop of crashes: what a pool does about those ends it. */
static void case_many_attempts_of_a_task_that_ends_each_worker_come_to_an_end(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[3];

    for (int i = 0; i < 3; i++) results[i] = submit(pool, tasks_die_at_first, board, i, 1000, retries(100));
    for (int i = 0; i < 3; i++) CHECK_LOST(results[i], MPROC_WORKER_LOST, "workers in a row were lost");
    CHECK(fixture_starts(pool) <= 101);
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_numbers_of_attempts_that_cannot_be_are_refused(void)
{
    static const int64_t wrong[] = {-1, 101, INT64_MIN, INT64_MAX};
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = NULL;

    for (int i = 0; i < 4; i++) {
        CHECK_REFUSED(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 1), retries(wrong[i]), &result),
                      MPROC_INVALID, "100 the most");
        CHECK(result == NULL);
    }
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_retries, fixture_of_processes, pool_retries_threads, fixture_of_threads,
    CASE(a_task_is_begun_at_most_once_by_default),
    CASE(a_lost_task_is_begun_again_and_what_it_returns_counts),
    CASE(a_task_that_is_lost_each_time_ends_with_its_last_attempt),
    CASE(hundreds_of_tasks_are_begun_again_among_others),
    CASE(each_attempt_has_its_objects_and_texts_and_they_are_given_back_once),
    CASE(arguments_by_name_are_there_again),
    CASE(a_task_that_fails_by_itself_is_not_begun_again),
    CASE(a_task_over_its_hard_limit_is_not_begun_again),
    CASE(a_task_that_is_to_stop_is_not_begun_again),
    CASE(a_pool_that_is_terminated_begins_nothing_again),
    CASE(a_task_that_waits_to_be_begun_again_is_neither_finished_nor_running_and_can_be_cancelled),
    CASE(each_attempt_has_all_of_its_time),
    CASE(callbacks_are_called_once_at_the_end),
    CASE(a_task_whose_result_nobody_wants_is_begun_again_after_close),
    CASE(tasks_are_begun_again_whenever_workers_come_and_go),
    CASE(numbers_of_attempts_that_cannot_be_are_refused),
);

/* A hundred processes would take long. */
CHECK_SUITE_SETUP(pool_retries_end, fixture_of_threads,
    CASE_LIMIT(many_attempts_of_a_task_that_ends_each_worker_come_to_an_end, 60),
);
