/* mproc/pool.h: the callbacks of tasks. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/tasks_fixture.h"

/* What callbacks write down; all of it is read when the pool is joined, or freed. */
typedef struct notes {
    _Atomic uint32_t values;
    _Atomic uint32_t errors;
    _Atomic uint32_t inside;
    _Atomic uint32_t go;
    int64_t order[4000];
    mproc_status status;
    char text[1100];
    mproc_pool *pool;
    fixture_board *board;
    mproc_result *result;
    uint32_t together; /* how often two ran at once */
} notes;

static void note_value(mproc_value value, void *context)
{
    notes *own = context;

    if (atomic_fetch_add(&own->inside, 1) > 0) own->together++;
    own->order[atomic_load(&own->values) + atomic_load(&own->errors)] = mproc_value_int(value);
    atomic_fetch_sub(&own->inside, 1);
    atomic_fetch_add(&own->values, 1);
}

static void note_error(mproc_status status, const char *text, void *context)
{
    notes *own = context;

    if (atomic_fetch_add(&own->inside, 1) > 0) own->together++;
    own->order[atomic_load(&own->values) + atomic_load(&own->errors)] = -(int64_t)status;
    own->status = status;
    snprintf(own->text, sizeof own->text, "%s", text);
    atomic_fetch_sub(&own->inside, 1);
    atomic_fetch_add(&own->errors, 1);
}

static notes *create_notes(mproc_pool *pool, fixture_board *board)
{
    notes *own = calloc(1, sizeof *own);

    CHECK(own != NULL);
    own->pool = pool;
    own->board = board;
    return own;
}

/* A task (board, number) with both callbacks. */
static mproc_result *submit(notes *own, mproc_function *function, int64_t number)
{
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(
        own->pool, function, MPROC_ARGS(fixture_board_offset(own->board), number),
        &(mproc_task_options){.callback = note_value, .error_callback = note_error, .context = own}, &result));
    return result;
}

static void close_and_join(mproc_pool *pool)
{
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
}

static void check_notes(const notes *own, uint32_t values, uint32_t errors)
{
    CHECK_EQ(atomic_load(&own->values), values);
    CHECK_EQ(atomic_load(&own->errors), errors);
    CHECK_EQ(own->together, 0);
}

/* ---- what they get ---------------------------------------------------------------------------- */

static void case_a_callback_gets_the_value_once(void)
{
    notes *own = create_notes(fixture_create(2), NULL);
    mproc_result *result = submit(own, tasks_square, 12);

    CHECK_AWAIT(&own->values, 1);
    CHECK_EQ(own->order[0], 144);
    CHECK_EQ(tasks_take_int(result), 144);
    close_and_join(own->pool);
    check_notes(own, 1, 0);
    mproc_pool_free(own->pool);
    free(own);
}

static void case_an_error_callback_gets_status_and_text_once(void)
{
    notes *own = create_notes(fixture_create(2), NULL);
    mproc_result *result = submit(own, tasks_fail, 5);

    CHECK_AWAIT(&own->errors, 1);
    CHECK_EQ(own->status, MPROC_USER + 5);
    CHECK_CONTAINS(own->text, "PoolWorker-");
    CHECK_CONTAINS(own->text, "order 5 has no stock");
    CHECK_LOST(result, MPROC_USER + 5, "order 5 has no stock");
    close_and_join(own->pool);
    check_notes(own, 0, 1);
    mproc_pool_free(own->pool);
    free(own);
}

/* Each task has one callback at most, and may have the other one alone. */
static void case_a_task_without_the_callback_that_is_due_calls_none(void)
{
    mproc_pool *pool = fixture_create(1);
    notes *own = create_notes(pool, NULL);

    CHECK_OK(mproc_pool_apply_async(pool, tasks_fail, MPROC_ARGS(0, 1),
                                    &(mproc_task_options){.callback = note_value, .context = own}, NULL));
    CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 1),
                                    &(mproc_task_options){.error_callback = note_error, .context = own}, NULL));
    close_and_join(pool);
    check_notes(own, 0, 0);
    mproc_pool_free(pool);
    free(own);
}

static void note_what_it_is(mproc_value value, void *context)
{
    notes *own = context;

    if (mproc_value_is_nil(value)) own->order[0]++;
    if (mproc_value_size(value) == 100000) own->order[1]++;
    if (mproc_value_equal(mproc_value_get(value, "a"), MPROC_VALUE("b"))) own->order[2]++;
    atomic_fetch_add(&own->values, 1);
}

static mproc_status returns_one_or_another(mproc_call *call)
{
    static char large[100000];
    int64_t number;

    tasks_arguments(call, &number);
    if (number == 0) return MPROC_OK;
    return mproc_call_return(call, number == 1 ? mproc_bytes(large, sizeof large) : MPROC_MAP("a", "b"));
}

static void case_a_callback_gets_values_of_every_kind(void)
{
    mproc_pool *pool = fixture_create(2);
    notes *own = create_notes(pool, NULL);

    for (int i = 0; i < 30; i++)
        CHECK_OK(mproc_pool_apply_async(pool, returns_one_or_another, MPROC_ARGS(0, i % 3),
                                        &(mproc_task_options){.callback = note_what_it_is, .context = own}, NULL));
    close_and_join(pool);
    check_notes(own, 30, 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(own->order[i], 10);
    mproc_pool_free(pool);
    free(own);
}

static void case_callbacks_are_called_of_whatever_becomes_of_a_task(void)
{
    mproc_pool *pool = fixture_create(1);
    notes *own = create_notes(pool, fixture_board_create());
    mproc_result *results[3];

    mproc_result_free(submit(own, tasks_end_thread, 0));
    CHECK_AWAIT(&own->errors, 1);
    CHECK_EQ(own->status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(own->text, "while it ran a task");
    results[0] = submit(own, tasks_stay, 1);
    CHECK_AWAIT(&own->board->started, 1);
    results[1] = submit(own, tasks_square, 2);
    results[2] = submit(own, tasks_square, 3);
    CHECK_OK(mproc_result_cancel(results[1]));
    CHECK_AWAIT(&own->errors, 2);
    CHECK_EQ(own->status, MPROC_CANCELLED);
    mproc_pool_terminate(pool);
    CHECK_AWAIT(&own->errors, 3);
    CHECK_EQ(own->status, MPROC_TERMINATED);
    atomic_store(&own->board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&own->values) + atomic_load(&own->errors), 4);
    for (int i = 0; i < 3; i++) mproc_result_free(results[i]);
    fixture_board_free(own->board);
    mproc_pool_free(pool);
    free(own);
}

/* ---- when they are called --------------------------------------------------------------------- */

static void case_callbacks_are_called_in_the_order_in_which_tasks_finish(void)
{
    notes *own = create_notes(fixture_create(2), fixture_board_create());
    mproc_result *first = submit(own, tasks_stay, 1000);

    CHECK_AWAIT(&own->board->started, 1);
    for (uint32_t i = 0; i < 40; i++) {
        mproc_result_free(submit(own, tasks_square, i));
        CHECK_AWAIT(&own->values, i + 1);
    }
    CHECK(!mproc_result_ready(first));
    atomic_store(&own->board->go, 1);
    close_and_join(own->pool);
    check_notes(own, 41, 0);
    for (int i = 0; i < 40; i++) CHECK_EQ(own->order[i], i * i);
    CHECK_EQ(own->order[40], 1000);
    mproc_result_free(first);
    fixture_board_free(own->board);
    mproc_pool_free(own->pool);
    free(own);
}

static void case_callbacks_of_thousands_of_tasks_are_called_one_after_the_other(void)
{
    enum { TASKS = 3000 };
    notes *own = create_notes(fixture_create(3), fixture_board_create());
    int64_t sum = 0;

    for (int i = 0; i < TASKS; i++) {
        mproc_result *result = submit(own, i % 10 == 9 ? tasks_fail : tasks_count, i);
        if (i % 50 == 1) CHECK_OK(mproc_result_wait(result, MPROC_FOREVER));
        if (i % 3 == 1) (void)mproc_result_ready(result);
        mproc_result_free(result);
    }
    close_and_join(own->pool);
    check_notes(own, TASKS - TASKS / 10, TASKS / 10);
    for (int i = 0; i < TASKS; i++) sum += own->order[i] < 0 ? -own->order[i] - MPROC_USER : own->order[i];
    CHECK_EQ(sum, (int64_t)TASKS * (TASKS - 1) / 2);
    fixture_board_free(own->board);
    mproc_pool_free(own->pool);
    free(own);
}

static void case_a_result_that_is_freed_early_or_not_wanted_has_its_callback(void)
{
    notes *own = create_notes(fixture_create(1), fixture_board_create());

    mproc_result_free(submit(own, tasks_stay, 5));
    CHECK_AWAIT(&own->board->started, 1);
    mproc_result_free(submit(own, tasks_square, 6));
    CHECK_OK(mproc_pool_apply_async(own->pool, tasks_square, MPROC_ARGS(0, 7),
                                    &(mproc_task_options){.callback = note_value, .context = own}, NULL));
    atomic_store(&own->board->go, 1);
    close_and_join(own->pool);
    check_notes(own, 3, 0);
    CHECK_EQ(own->order[0] + own->order[1] + own->order[2], 5 + 36 + 49); /* in any order */
    fixture_board_free(own->board);
    mproc_pool_free(own->pool);
    free(own);
}

/* ---- what they may do ------------------------------------------------------------------------- */

static void submit_the_next(mproc_value value, void *context)
{
    notes *own = context;
    int64_t number = mproc_value_int(value);

    if (number < 99)
        CHECK_OK(mproc_pool_apply_async(own->pool, tasks_count,
                                        MPROC_ARGS(fixture_board_offset(own->board), number + 1),
                                        &(mproc_task_options){.callback = submit_the_next, .context = own}, NULL));
    atomic_fetch_add(&own->values, 1);
}

static void case_a_callback_submits_to_the_same_pool(void)
{
    notes *own = create_notes(fixture_create(1), fixture_board_create());

    CHECK_OK(mproc_pool_apply_async(own->pool, tasks_count, MPROC_ARGS(fixture_board_offset(own->board), 0),
                                    &(mproc_task_options){.callback = submit_the_next, .context = own}, NULL));
    CHECK_AWAIT(&own->values, 100);
    close_and_join(own->pool);
    fixture_check_marks(own->board, 100, 1);
    fixture_board_free(own->board);
    mproc_pool_free(own->pool);
    free(own);
}

static void apply_and_wait(mproc_value value, void *context)
{
    notes *own = context;
    mproc_result *result;
    mproc_value squared;
    int64_t numbers[50], squares[50];

    CHECK_OK(mproc_pool_apply(own->pool, tasks_square, MPROC_ARGS(0, value), &squared));
    own->order[0] = mproc_value_int(squared);
    result = tasks_submit(own->pool, tasks_square, NULL, 5);
    own->order[1] = tasks_take_int(result);
    for (int i = 0; i < 50; i++) numbers[i] = i;
    CHECK_OK(mproc_map(own->pool, fixture_square, numbers, squares, 50, NULL));
    own->order[2] = squares[49];
    atomic_fetch_add(&own->values, 1);
}

static void case_a_callback_waits_for_tasks_and_maps_of_the_same_pool(void)
{
    mproc_pool *pool = fixture_create(1);
    notes *own = create_notes(pool, NULL);

    CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 3),
                                    &(mproc_task_options){.callback = apply_and_wait, .context = own}, NULL));
    CHECK_AWAIT(&own->values, 1);
    close_and_join(pool);
    CHECK_EQ(own->order[0], 81);
    CHECK_EQ(own->order[1], 25);
    CHECK_EQ(own->order[2], 49 * 49);
    mproc_pool_free(pool);
    free(own);
}

/* The value stays until the callback has returned. */
static void free_its_result(mproc_value value, void *context)
{
    notes *own = context;

    while (!atomic_load(&own->go)) check_pause_ms(1);
    CHECK(mproc_result_ready(own->result));
    CHECK_STATUS(mproc_result_cancel(own->result), MPROC_BAD_STATE);
    mproc_result_free(own->result);
    own->order[0] = (int64_t)mproc_value_size(mproc_value_at(value, 1));
    CHECK(mproc_value_equal(mproc_value_at(value, 0), MPROC_VALUE("begin")));
    atomic_fetch_add(&own->values, 1);
}

static void case_a_callback_frees_its_own_result(void)
{
    static char large[5000];
    mproc_pool *pool = fixture_create(1);
    notes *own = create_notes(pool, NULL);

    CHECK_OK(mproc_pool_apply_async(pool, tasks_echo, MPROC_ARGS("begin", mproc_bytes(large, sizeof large)),
                                    &(mproc_task_options){.callback = free_its_result, .context = own},
                                    &own->result));
    atomic_store(&own->go, 1);
    CHECK_AWAIT(&own->values, 1);
    CHECK_EQ(own->order[0], sizeof large);
    mproc_pool_free(pool);
    free(own);
}

static void close_the_pool(mproc_value value, void *context)
{
    notes *own = context;

    (void)value;
    if (own->order[0]) mproc_pool_terminate(own->pool);
    else mproc_pool_close(own->pool);
    CHECK_STATUS(mproc_pool_apply_async(own->pool, tasks_square, MPROC_ARGS(0, 1), NULL, NULL), MPROC_CLOSED);
    atomic_fetch_add(&own->values, 1);
}

static void case_a_callback_closes_or_terminates_its_pool(void)
{
    for (int i = 0; i < 2; i++) {
        mproc_pool *pool = fixture_create(2);
        notes *own = create_notes(pool, NULL);

        own->order[0] = i;
        CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 3),
                                        &(mproc_task_options){.callback = close_the_pool, .context = own}, NULL));
        CHECK_AWAIT(&own->values, 1);
        CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        mproc_pool_free(pool);
        free(own);
    }
}

/* ---- who waits for them ----------------------------------------------------------------------- */

static void stay_until_told(mproc_value value, void *context)
{
    notes *own = context;

    (void)value;
    atomic_fetch_add(&own->inside, 1);
    CHECK_AWAIT(&own->go, 1);
    atomic_fetch_add(&own->values, 1);
}

static void case_join_waits_for_callbacks(void)
{
    mproc_pool *pool = fixture_create(2);
    notes *own = create_notes(pool, NULL);

    for (int i = 0; i < 3; i++)
        CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 3),
                                        &(mproc_task_options){.callback = stay_until_told, .context = own}, NULL));
    mproc_pool_close(pool);
    CHECK_AWAIT(&own->inside, 1);
    CHECK_REFUSED(mproc_pool_join(pool, 20), MPROC_TIMEOUT, "");
    CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_TIMEOUT);
    mproc_interrupt();
    CHECK_REFUSED(mproc_pool_join(pool, MPROC_FOREVER), MPROC_INTERRUPTED, "interrupted");
    atomic_store(&own->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    check_notes(own, 3, 0);
    mproc_pool_free(pool);
    free(own);
}

/* A callback that stays holds up neither tasks nor those who wait for them. */
static void case_tasks_do_not_wait_for_callbacks(void)
{
    mproc_pool *pool = fixture_create(2);
    notes *own = create_notes(pool, NULL);

    CHECK_OK(mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 3),
                                    &(mproc_task_options){.callback = stay_until_told, .context = own}, NULL));
    CHECK_AWAIT(&own->inside, 1);
    for (int i = 0; i < 20; i++) tasks_check_pool(pool);
    fixture_check_squares(pool, 1000, 0);
    atomic_store(&own->go, 1);
    close_and_join(pool);
    mproc_pool_free(pool);
    free(own);
}

/* Of all tasks, also of those that were never begun: once the pool is freed none is called any more. */
static void case_callbacks_are_called_before_a_pool_is_freed(void)
{
    notes *own = create_notes(fixture_create(2), fixture_board_create());

    atomic_store(&own->board->go, fixture_is_threads());
    for (int i = 0; i < 1000; i++) mproc_result_free(submit(own, tasks_stay, i));
    CHECK_AWAIT(&own->board->started, 1);
    mproc_pool_free(own->pool);
    CHECK_EQ(atomic_load(&own->values) + atomic_load(&own->errors), 1000);
    CHECK_EQ(own->together, 0);
    if (atomic_load(&own->errors)) CHECK_EQ(own->status, MPROC_TERMINATED);
    fixture_board_free(own->board);
    free(own);
}

/* A pool that was freed has left nothing, whatever its callbacks did. */
static void case_callbacks_leave_nothing(void)
{
    static char large[5000];
    uint64_t blocks = tasks_blocks_without_pools();

    for (int round = 0; round < 5; round++) {
        mproc_pool *pool = fixture_create(2);
        notes *own = create_notes(pool, NULL);

        for (int i = 0; i < 50; i++)
            CHECK_OK(mproc_pool_apply_async(pool, tasks_echo, MPROC_ARGS(i, mproc_bytes(large, sizeof large)),
                                            &(mproc_task_options){.callback = note_value, .context = own}, NULL));
        mproc_pool_free(pool);
        free(own);
    }
    tasks_await_blocks(blocks);
}

static void joins_its_pool(mproc_value value, void *context)
{
    notes *own = context;

    mproc_pool_close(own->pool);
    CHECK_REFUSED(mproc_pool_join(own->pool, MPROC_FOREVER), MPROC_BAD_STATE, "another thread joins it");
    note_value(value, context);
}

static void case_a_callback_that_joins_its_pool_is_refused(void)
{
    notes *own = create_notes(fixture_create(2), NULL);

    CHECK_OK(mproc_pool_apply_async(own->pool, tasks_square, MPROC_ARGS(0, 3),
                                    &(mproc_task_options){.callback = joins_its_pool, .context = own}, NULL));
    CHECK_AWAIT(&own->values, 1);
    CHECK_OK(mproc_pool_join(own->pool, MPROC_FOREVER));
    check_notes(own, 1, 0);
    mproc_pool_free(own->pool);
    free(own);
}

CHECK_TWINS(pool_callbacks, fixture_of_processes, pool_callbacks_threads, fixture_of_threads,
    CASE(a_callback_gets_the_value_once),
    CASE(an_error_callback_gets_status_and_text_once),
    CASE(a_task_without_the_callback_that_is_due_calls_none),
    CASE(a_callback_gets_values_of_every_kind),
    CASE(callbacks_are_called_of_whatever_becomes_of_a_task),
    CASE(callbacks_are_called_in_the_order_in_which_tasks_finish),
    CASE(callbacks_of_thousands_of_tasks_are_called_one_after_the_other),
    CASE(a_result_that_is_freed_early_or_not_wanted_has_its_callback),
    CASE(a_callback_submits_to_the_same_pool),
    CASE(a_callback_waits_for_tasks_and_maps_of_the_same_pool),
    CASE(a_callback_frees_its_own_result),
    CASE(a_callback_closes_or_terminates_its_pool),
    CASE(join_waits_for_callbacks),
    CASE(a_callback_that_joins_its_pool_is_refused),
    CASE(tasks_do_not_wait_for_callbacks),
    CASE(callbacks_are_called_before_a_pool_is_freed),
    CASE(callbacks_leave_nothing),
);
