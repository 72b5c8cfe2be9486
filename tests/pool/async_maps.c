/* mproc/map.h, mproc/iterator.h: maps that nobody waits for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/waiting_fixture.h"

/* What callbacks write down; read when the pool is joined. */
struct notes {
    _Atomic uint32_t values;
    _Atomic uint32_t errors;
    mproc_value list; /* a copy of the last value */
    mproc_status status;
    char text[1100];
    mproc_pool *pool;
    const fixture_board *board;
};

static void note_value(mproc_value value, void *context)
{
    struct notes *notes = context;

    mproc_value_clear(&notes->list);
    CHECK_OK(mproc_value_copy(value, &notes->list));
    atomic_fetch_add(&notes->values, 1);
}

static void note_error(mproc_status status, const char *text, void *context)
{
    struct notes *notes = context;

    notes->status = status;
    snprintf(notes->text, sizeof notes->text, "%s", text);
    atomic_fetch_add(&notes->errors, 1);
}

static mproc_status square(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, mproc_int(number * number));
}

/* Closes the pool, and joins and frees it. */
static void end_pool(mproc_pool *pool)
{
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

enum { SOME = 1000 };

static void fill(int64_t *numbers)
{
    for (int i = 0; i < SOME; i++) numbers[i] = i;
}

static void check_squares(const int64_t *squares)
{
    for (int i = 0; i < SOME; i++) CHECK_EQ(squares[i], (int64_t)i * i);
}

/* A map of squares over `SOME` values. */
static mproc_result *square_values(mproc_pool *pool, const mproc_values_options *options)
{
    mproc_value items[SOME];
    mproc_result *result = NULL;

    for (int i = 0; i < SOME; i++) items[i] = mproc_int(i);
    CHECK_OK(mproc_pool_map_values_async(pool, square, items, SOME, options, &result));
    return result;
}

static void check_list(mproc_value list)
{
    CHECK_EQ(mproc_value_count(list), SOME);
    for (int i = 0; i < SOME; i++) CHECK_EQ(mproc_value_int(mproc_value_at(list, (size_t)i)), (int64_t)i * i);
}

/* ---- results ---------------------------------------------------------------------------------- */

static mproc_status squares_from(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    const int64_t *numbers = items;
    int64_t *squares = results, add;

    MPROC_TRY(mproc_unpack(call, &add));
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(numbers[i], first + i);
        squares[i] = numbers[i] * numbers[i] + add;
    }
    return MPROC_OK;
}

/* The arguments are copied: what they were made of may go at once. */
static void case_an_asynchronous_map_fills_the_arrays_as_a_map_does(void)
{
    static int64_t numbers[SOME], squares[SOME], others[SOME];
    static mproc_status statuses[SOME];
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[3];
    mproc_value value = mproc_int(1), add = mproc_int(5);
    mproc_map_options options = {.chunk_size = 7, .statuses = statuses, .args = mproc_list_from(&add, 1)};

    fill(numbers);
    CHECK_OK(mproc_map_async(pool, fixture_square, numbers, squares, SOME, NULL, &results[0]));
    CHECK_OK(mproc_pool_map_range_async(pool, squares_from, numbers, sizeof *numbers, others, sizeof *others, SOME,
                                        &options, &results[1]));
    add = mproc_nil();
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_result_get(results[i], &value, MPROC_FOREVER));
        CHECK(mproc_value_is_nil(value));
        CHECK(mproc_result_ready(results[i]) && mproc_result_successful(results[i]));
        CHECK(!mproc_result_cancelled(results[i]) && !mproc_result_running(results[i]));
        mproc_result_free(results[i]);
    }
    check_squares(squares);
    for (int i = 0; i < SOME; i++) CHECK_EQ(others[i], squares[i] + 5);
    for (int i = 0; i < SOME; i++) CHECK_STATUS(statuses[i], MPROC_OK);
    CHECK_OK(mproc_map_async(pool, fixture_square, numbers, squares, 0, NULL, &results[2]));
    CHECK_OK(mproc_result_get(results[2], NULL, MPROC_FOREVER));
    mproc_result_free(results[2]);
    end_pool(pool);
}

static void case_an_asynchronous_map_over_values_is_the_list_in_order(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *result = square_values(pool, NULL);
    mproc_value list;

    CHECK_OK(mproc_result_get(result, &list, MPROC_FOREVER));
    end_pool(pool);
    check_list(list); /* it outlives the pool */
    mproc_result_free(result);
}

static mproc_status joins(mproc_call *call)
{
    int64_t number;
    const char *text;

    MPROC_TRY(mproc_unpack(call, &number, &text));
    return mproc_call_return(call, MPROC_LIST(text, number));
}

static void case_unpacked_items_of_an_asynchronous_map_are_the_arguments(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *result = NULL;
    mproc_value list;

    CHECK_OK(mproc_pool_map_values_async(pool, joins, (mproc_value[]){MPROC_LIST(1, "a"), MPROC_LIST(2, "b")}, 2,
                                         &(mproc_values_options){.unpack = true}, &result));
    CHECK_OK(mproc_result_get(result, &list, MPROC_FOREVER));
    CHECK(mproc_value_equal(list, MPROC_LIST(MPROC_LIST("a", 1), MPROC_LIST("b", 2))));
    mproc_result_free(result);
    end_pool(pool);
}

static void case_an_asynchronous_map_of_nothing_is_an_empty_list(void)
{
    mproc_pool *pool = fixture_create(1);
    struct notes notes = {0};
    mproc_values_options options = {.callback = note_value, .error_callback = note_error, .context = &notes};
    mproc_result *result = NULL;
    mproc_value list = mproc_nil();

    CHECK_OK(mproc_pool_map_values_async(pool, square, NULL, 0, &options, &result));
    CHECK_OK(mproc_result_get(result, &list, MPROC_FOREVER));
    CHECK_EQ(mproc_value_type(list), MPROC_TYPE_LIST);
    CHECK_EQ(mproc_value_count(list), 0);
    mproc_result_free(result);
    end_pool(pool);
    CHECK_EQ(atomic_load(&notes.values), 1);
    CHECK_EQ(mproc_value_count(notes.list), 0);
    mproc_value_clear(&notes.list);
}

/* ---- failures --------------------------------------------------------------------------------- */

static mproc_status fails_at_threes(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    if (number % 3 == 0) return mproc_error(MPROC_USER + (mproc_status)number, "there is no %d", (int)number);
    return mproc_call_return(call, mproc_int(number));
}

static void case_the_first_failure_is_that_of_the_result_and_of_its_callback(void)
{
    mproc_pool *pool = fixture_create(2);
    struct notes notes = {0};
    mproc_status statuses[5];
    mproc_values_options options = {
        .statuses = statuses, .callback = note_value, .error_callback = note_error, .context = &notes};
    mproc_result *result = NULL;
    mproc_value list = mproc_int(9);

    CHECK_OK(mproc_pool_map_values_async(
        pool, fails_at_threes, (mproc_value[]){mproc_int(1), mproc_int(3), mproc_int(4), mproc_int(6), mproc_int(8)},
        5, &options, &result));
    CHECK_REFUSED(mproc_result_get(result, &list, MPROC_FOREVER), MPROC_USER + 3, "there is no 3");
    CHECK_EQ(mproc_value_int(list), 9);
    CHECK(mproc_result_ready(result) && !mproc_result_successful(result));
    mproc_result_free(result);
    end_pool(pool);
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(statuses[i], i == 1 ? MPROC_USER + 3 : i == 3 ? MPROC_USER + 6 : MPROC_OK);
    CHECK(atomic_load(&notes.errors) == 1 && atomic_load(&notes.values) == 0);
    CHECK_STATUS(notes.status, MPROC_USER + 3);
    CHECK_CONTAINS(notes.text, "PoolWorker-");
}

static mproc_status fails_with_a_megabyte(mproc_call *call)
{
    const size_t size = 1 << 20;
    char *text;
    int64_t number;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &number));
    text = malloc(size);
    CHECK(text != NULL);
    memset(text, 'x', size - 1);
    text[size - 1] = 0;
    status = mproc_error(MPROC_USER + (mproc_status)number, "%s", text);
    free(text);
    return status;
}

static void case_items_that_fail_with_a_megabyte_of_text_hold_up_nobody(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_status statuses[2];
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_map_values_async(pool, fails_with_a_megabyte, (mproc_value[]){mproc_int(1), mproc_int(2)}, 2,
                                         &(mproc_values_options){.statuses = statuses}, &result));
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    CHECK_LOST(result, MPROC_USER + 1, "xxxxxxxx");
    for (int i = 0; i < 2; i++) CHECK_STATUS(statuses[i], MPROC_USER + 1 + i);
    mproc_pool_free(pool);
}

static void case_a_lost_worker_costs_an_asynchronous_map_one_item(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, 10);
    mproc_status statuses[10];
    int64_t squares[10];
    mproc_result *result = NULL;

    CHECK_OK(mproc_map_async(pool, fixture_end_at_5, items, squares, 10,
                             &(mproc_map_options){.chunk_size = 1, .statuses = statuses}, &result));
    CHECK_LOST(result, MPROC_WORKER_LOST, "PoolWorker-");
    for (int i = 0; i < 10; i++) CHECK_STATUS(statuses[i], i == 5 ? MPROC_WORKER_LOST : MPROC_OK);
    end_pool(pool);
    free(items);
    fixture_board_free(board);
}

/* ---- callbacks -------------------------------------------------------------------------------- */

static void case_a_callback_gets_the_whole_list_once(void)
{
    mproc_pool *pool = fixture_create(2);
    struct notes notes = {0};
    mproc_values_options options = {.callback = note_value, .error_callback = note_error, .context = &notes};

    mproc_result_free(square_values(pool, &options)); /* at once: the callback is called all the same */
    end_pool(pool);
    CHECK(atomic_load(&notes.values) == 1 && atomic_load(&notes.errors) == 0);
    check_list(notes.list);
    mproc_value_clear(&notes.list);
}

static void map_once_more(mproc_value list, void *context)
{
    struct notes *notes = context;
    mproc_value item = mproc_value_at(list, 0);
    uint32_t rounds = atomic_fetch_add(&notes->values, 1);

    CHECK_EQ(mproc_value_int(item), rounds == 0 ? 2 : 0);
    item = mproc_int(0);
    if (rounds < 30)
        CHECK_OK(mproc_pool_map_values_async(notes->pool, square, &item, 1,
                                             &(mproc_values_options){.callback = map_once_more, .context = notes},
                                             NULL));
}

static mproc_status returns_two(mproc_call *call)
{
    return mproc_call_return(call, mproc_int(2));
}

static void case_a_callback_submits_another_map(void)
{
    struct notes notes = {.pool = fixture_create(1)};
    mproc_value item = mproc_nil();

    CHECK_OK(mproc_pool_map_values_async(notes.pool, returns_two, &item, 1,
                                         &(mproc_values_options){.callback = map_once_more, .context = &notes},
                                         NULL));
    CHECK_AWAIT(&notes.values, 31);
    end_pool(notes.pool);
}

static void case_a_map_of_arrays_has_its_callback_when_they_are_full(void)
{
    static int64_t numbers[SOME], squares[SOME];
    mproc_pool *pool = fixture_create(2);
    struct notes notes = {0};

    fill(numbers);
    CHECK_OK(mproc_map_async(
        pool, fixture_square, numbers, squares, SOME,
        &(mproc_map_options){.callback = note_value, .error_callback = note_error, .context = &notes}, NULL));
    CHECK_AWAIT(&notes.values, 1);
    check_squares(squares);
    CHECK(mproc_value_is_nil(notes.list));
    end_pool(pool);
    CHECK_EQ(atomic_load(&notes.values) + atomic_load(&notes.errors), 1);
}

/* ---- several at once -------------------------------------------------------------------------- */

/* A map of one item that stays until the board says go; it has begun. */
static mproc_result *stay(mproc_pool *pool, fixture_board *board, fixture_item *item, int64_t *squared)
{
    uint32_t before = atomic_load(&board->started);
    mproc_result *result = NULL;

    *item = (fixture_item){fixture_board_offset(board), 3};
    CHECK_OK(mproc_map_async(pool, fixture_stay, item, squared, 1, NULL, &result));
    CHECK_AWAIT(&board->started, before + 1);
    return result;
}

static void case_a_map_that_stays_holds_up_no_other(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item item;
    int64_t squared = 0;
    mproc_result *stays = stay(pool, board, &item, &squared);

    for (int i = 0; i < 3; i++) {
        mproc_result *other = square_values(pool, NULL);
        CHECK_OK(mproc_result_wait(other, MPROC_FOREVER));
        mproc_result_free(other);
        fixture_check_squares(pool, 100, 1);
        tasks_check_pool(pool);
    }
    CHECK(!mproc_result_ready(stays) && mproc_result_running(stays));
    CHECK_STATUS(mproc_result_wait(stays, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_result_get(stays, NULL, 5), MPROC_TIMEOUT);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_get(stays, NULL, MPROC_FOREVER));
    CHECK_EQ(squared, 9);
    mproc_result_free(stays);
    end_pool(pool);
    fixture_board_free(board);
}

static void case_two_hundred_asynchronous_maps_at_once_are_all_done(void)
{
    enum { MAPS = 200, ITEMS = 20 };
    static int64_t numbers[MAPS][ITEMS], squares[MAPS][ITEMS];
    mproc_pool *pool = fixture_create(3);
    mproc_result *results[MAPS];

    for (int i = 0; i < MAPS; i++) {
        for (int j = 0; j < ITEMS; j++) numbers[i][j] = i + j;
        CHECK_OK(mproc_map_async(pool, fixture_square, &numbers[i][0], &squares[i][0], ITEMS,
                                 &(mproc_map_options){.chunk_size = 3}, &results[i]));
    }
    CHECK_OK(mproc_result_wait_many(results, MAPS, MPROC_WAIT_ALL, MPROC_FOREVER));
    for (int i = 0; i < MAPS; i++) {
        CHECK_OK(mproc_result_get(results[i], NULL, 0));
        for (int j = 0; j < ITEMS; j++) CHECK_EQ(squares[i][j], (i + j) * (i + j));
        mproc_result_free(results[i]);
    }
    end_pool(pool);
}

static void case_tasks_and_maps_are_waited_for_together(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_item item;
    int64_t squared = 0;
    mproc_value numbers[] = {mproc_int(3)};
    mproc_result *results[3] = {stay(pool, board, &item, &squared), tasks_submit(pool, tasks_stay, board, 4), NULL};

    CHECK_STATUS(mproc_result_wait_many(results, 2, MPROC_WAIT_ANY, 5), MPROC_TIMEOUT);
    CHECK_OK(mproc_pool_map_values_async(pool, fails_at_threes, numbers, 1, NULL, &results[2]));
    CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_FIRST_FAILURE, MPROC_FOREVER));
    CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_ANY, MPROC_FOREVER));
    CHECK(mproc_result_ready(results[2]) && !mproc_result_ready(results[0]) && !mproc_result_ready(results[1]));
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait_many(results, 3, MPROC_WAIT_ALL, MPROC_FOREVER));
    CHECK_EQ(squared, 9);
    for (int i = 0; i < 3; i++) mproc_result_free(results[i]);
    end_pool(pool);
    fixture_board_free(board);
}

/* Workers that are started for work alone are started for these, too. */
static void case_an_asynchronous_map_has_lazy_workers_started_and_outlives_a_resize(void)
{
    mproc_pool_options options = {.workers = 2,
                                  .workers_max = 4,
                                  .lazy = true,
                                  .idle_timeout_ms = 1,
                                  .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES};
    mproc_pool *pool = NULL;
    mproc_value list;

    CHECK_OK(mproc_pool_create(&options, &pool));
    for (int i = 0; i < 6; i++) {
        mproc_result *result = square_values(pool, NULL);
        CHECK_OK(mproc_pool_resize(pool, 1 + i % 4));
        if (i == 5) mproc_pool_close(pool);
        CHECK_OK(mproc_result_get(result, &list, MPROC_FOREVER));
        check_list(list);
        mproc_result_free(result);
    }
    end_pool(pool);
}

static mproc_status returns_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static void case_asynchronous_maps_leave_nothing(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    static char large[5000];

    for (int round = 0; round < 3; round++) {
        mproc_pool *pool = fixture_create(2);
        mproc_lock *lock = NULL;
        mproc_value items[2];
        CHECK_OK(mproc_lock_create(NULL, &lock));
        items[0] = MPROC_VALUE(lock);
        items[1] = mproc_bytes(large, sizeof large);
        for (int i = 0; i < 5; i++)
            CHECK_OK(mproc_pool_map_values_async(pool, returns_nothing, items, 2, NULL, NULL));
        for (int i = 0; i < 5; i++) mproc_result_free(square_values(pool, NULL));
        mproc_lock_free(lock);
        if (round == 0) mproc_pool_close(pool);
        if (round == 0) CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
        mproc_pool_free(pool);
    }
    tasks_await_blocks(blocks);
}

CHECK_TWINS(pool_async_maps, fixture_of_processes, pool_async_maps_threads, fixture_of_threads,
    CASE(an_asynchronous_map_fills_the_arrays_as_a_map_does),
    CASE(an_asynchronous_map_over_values_is_the_list_in_order),
    CASE(unpacked_items_of_an_asynchronous_map_are_the_arguments),
    CASE(an_asynchronous_map_of_nothing_is_an_empty_list),
    CASE(the_first_failure_is_that_of_the_result_and_of_its_callback),
    CASE(items_that_fail_with_a_megabyte_of_text_hold_up_nobody),
    CASE(a_lost_worker_costs_an_asynchronous_map_one_item),
    CASE(a_callback_gets_the_whole_list_once),
    CASE(a_callback_submits_another_map),
    CASE(a_map_of_arrays_has_its_callback_when_they_are_full),
    CASE(a_map_that_stays_holds_up_no_other),
    CASE(two_hundred_asynchronous_maps_at_once_are_all_done),
    CASE(tasks_and_maps_are_waited_for_together),
    CASE(an_asynchronous_map_has_lazy_workers_started_and_outlives_a_resize),
    CASE(asynchronous_maps_leave_nothing),
);
