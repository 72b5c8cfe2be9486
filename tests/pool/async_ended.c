/* mproc/map.h, mproc/iterator.h: maps that nobody waits for, and that are cancelled, stopped or refused. */
#include <stdlib.h>

#include "pool/waiting_fixture.h"
#include "pool/job.h"

/* ---- maps of one item each -------------------------------------------------------------------- */

/* One place is the tasks', and each map that runs has a thread and a place. */
enum { PLACES = POOL_JOBS - 1 };

/* What is asked, and what came of it; it stays until the map is finished. */
struct one {
    fixture_item item;
    int64_t squared;
    mproc_status status;
    mproc_result *result;
};

static void submit(struct one *one, mproc_pool *pool, mproc_item_function *function, const fixture_board *board)
{
    *one = (struct one){.item = {fixture_board_offset(board), 3}, .status = MPROC_USER};
    CHECK_OK(mproc_map_async(pool, function, &one->item, &one->squared, 1,
                             &(mproc_map_options){.statuses = &one->status}, &one->result));
}

/* The same, of one that a worker has begun. */
static void begin(struct one *one, mproc_pool *pool, mproc_item_function *function, fixture_board *board)
{
    uint32_t before = atomic_load(&board->started);

    submit(one, pool, function, board);
    CHECK_AWAIT(&board->started, before + 1);
}

/*
 * It has ended so; frees the result. What an item that was asked to stop has returned is its status, and if that was
 * before the map learnt of it, the map's.
 */
static void check_end(struct one *one, mproc_status expected)
{
    mproc_status status = mproc_result_get(one->result, NULL, MPROC_FOREVER);

    if (expected != MPROC_TERMINATED || status != MPROC_INTERRUPTED) CHECK_STATUS(status, expected);
    if (expected == MPROC_OK || one->status != MPROC_INTERRUPTED) CHECK_STATUS(one->status, expected);
    CHECK_EQ(one->squared, expected == MPROC_OK ? 9 : 0);
    mproc_result_free(one->result);
}

static bool none_waits(void *context)
{
    mproc_pool *pool = context;
    bool none;

    plat_mutex_lock(&pool->mutex);
    none = pool->maps.waiting == 0;
    plat_mutex_unlock(&pool->mutex);
    return none;
}

/* As many as run at once; those of the array that come later wait. */
static void submit_all(struct one *ones, uint32_t count, mproc_pool *pool, const fixture_board *board)
{
    for (uint32_t i = 0; i < count; i++) {
        submit(&ones[i], pool, fixture_stay, board);
        if (i < PLACES) CHECK_WAIT_UNTIL(none_waits, pool);
    }
}

/* Sleeps until that is ended. */
static mproc_status sleeps(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)result;
    atomic_fetch_add(&fixture_board_at(own->board)->started, 1);
    CHECK_STATUS(mproc_sleep_ms(600000), MPROC_INTERRUPTED);
    CHECK(mproc_call_stop_requested(call));
    atomic_fetch_add(&fixture_board_at(own->board)->done, 1);
    return MPROC_INTERRUPTED;
}

/* ---- cancelled and stopped -------------------------------------------------------------------- */

static void case_a_map_that_waits_is_cancelled_and_never_run(void)
{
    enum { MAPS = PLACES + 4 };
    static struct one ones[MAPS];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    submit_all(ones, MAPS, pool, board);
    for (int i = PLACES; i < MAPS; i++) {
        mproc_result *result = ones[i].result;
        CHECK(!mproc_result_running(result) && !mproc_result_ready(result));
        if (i == PLACES) continue;
        CHECK_OK(i % 2 ? mproc_result_cancel(result) : mproc_result_stop(result, 0));
        CHECK(mproc_result_cancelled(result) && mproc_result_ready(result));
        CHECK_OK(mproc_result_cancel(result));
        CHECK_STATUS(mproc_result_stop(result, 0), MPROC_BAD_STATE);
        CHECK_LOST(result, MPROC_CANCELLED, "before it was begun");
    }
    CHECK_STATUS(mproc_result_cancel(ones[0].result), MPROC_BAD_STATE);
    atomic_store(&board->go, 1);
    for (int i = 0; i <= PLACES; i++) check_end(&ones[i], MPROC_OK);
    CHECK_EQ(atomic_load(&board->started), PLACES + 1);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    waiting_end(pool, board);
}

/* Whether it is asked, or its worker killed. */
static void case_a_map_that_runs_is_stopped(void)
{
    static const int64_t graces[] = {0, 1, 600000, MPROC_FOREVER};
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < 8; i++) {
        struct one one;
        begin(&one, pool, sleeps, board);
        CHECK_OK(mproc_result_stop(one.result, graces[i % 4]));
        CHECK_OK(mproc_result_wait(one.result, MPROC_FOREVER));
        CHECK_STATUS(mproc_result_stop(one.result, 0), MPROC_BAD_STATE);
        CHECK_STATUS(mproc_result_stop(one.result, -1), MPROC_INVALID);
        CHECK(!mproc_result_cancelled(one.result));
        check_end(&one, MPROC_CANCELLED);
        tasks_check_pool(pool);
        fixture_check_squares(pool, 100, 1);
    }
    waiting_end(pool, board);
}

static void case_a_map_over_values_that_runs_is_stopped(void)
{
    mproc_pool *pool = waiting_pool(2, 10);
    fixture_board *board = fixture_board_create();

    for (int i = 0; i < 4; i++) {
        uint32_t before = atomic_load(&board->started);
        mproc_value item = MPROC_LIST(fixture_board_offset(board), 1);
        mproc_value items[] = {item, item, item, item};
        mproc_status statuses[4];
        mproc_result *result = NULL;
        CHECK_OK(mproc_pool_map_values_async(pool, waiting_sleep, items, 4,
                                             &(mproc_values_options){.unpack = true, .statuses = statuses}, &result));
        CHECK_AWAIT(&board->started, before + 2);
        CHECK_OK(mproc_result_stop(result, i % 2 ? MPROC_FOREVER : 0));
        CHECK_LOST(result, MPROC_CANCELLED, "");
        for (int j = 0; j < 4; j++) CHECK_STATUS(statuses[j], MPROC_CANCELLED);
        tasks_check_pool(pool);
    }
    waiting_end(pool, board);
}

/* Writes to its result all the time, and heeds nobody. */
static mproc_status writes_for_ever(const void *item, void *result, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)item)->board);
    volatile int64_t *at = result;

    (void)call;
    atomic_fetch_add(&board->started, 1);
    while (!atomic_load(&board->go)) ++*at;
    return MPROC_OK;
}

/* Processes are killed; a thread has the time that it wants, and the map is not finished as long. */
static void case_nobody_writes_to_a_shared_array_whose_map_was_stopped(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, 2);
    mproc_shared_array *array = NULL;
    mproc_result *result = NULL;
    int64_t *written, seen[2];

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), 2, NULL, NULL, &array));
    written = mproc_shared_array_data(array);
    CHECK_OK(
        mproc_map_async(pool, writes_for_ever, items, written, 2, &(mproc_map_options){.chunk_size = 1}, &result));
    CHECK_AWAIT(&board->started, 2);
    CHECK_OK(mproc_result_stop(result, 0));
    if (fixture_is_threads()) {
        CHECK_STATUS(mproc_result_wait(result, 20), MPROC_TIMEOUT);
        atomic_store(&board->go, 1);
    }
    CHECK_LOST(result, MPROC_CANCELLED, "the map was stopped");
    for (int i = 0; i < 2; i++) seen[i] = written[i];
    tasks_check_pool(pool);
    for (int i = 0; i < 2; i++) CHECK_EQ(written[i], seen[i]);
    mproc_shared_array_free(array);
    free(items);
    waiting_end(pool, board);
}

/* Whenever it is stopped, it ends once, and its statuses say which results are there. */
static void case_maps_that_are_stopped_at_any_time_end_once(void)
{
    enum { ITEMS = 200 };
    static int64_t numbers[ITEMS], squares[ITEMS];
    static mproc_status statuses[ITEMS];
    mproc_pool *pool = fixture_create(2);
    uint32_t rounds = (uint32_t)check_many(100, 20);

    for (int i = 0; i < ITEMS; i++) numbers[i] = i;
    for (uint32_t round = 0; round < rounds; round++) {
        mproc_result *result = NULL;
        mproc_status status;
        CHECK_OK(mproc_map_async(pool, fixture_square, numbers, squares, ITEMS,
                                 &(mproc_map_options){.chunk_size = 1, .statuses = statuses}, &result));
        for (uint32_t i = 0; i < round % 7 * 1000; i++) (void)mproc_result_running(result);
        (void)!mproc_result_stop(result, round % 5 ? MPROC_FOREVER : 100);
        status = mproc_result_get(result, NULL, MPROC_FOREVER);
        if (status != MPROC_OK) CHECK_STATUS(status, MPROC_CANCELLED);
        if (!mproc_result_cancelled(result))
            for (int i = 0; i < ITEMS; i++) {
                if (status == MPROC_OK) CHECK_STATUS(statuses[i], MPROC_OK);
                if (statuses[i] == MPROC_OK) CHECK_EQ(squares[i], i * i);
                else CHECK_STATUS(statuses[i], MPROC_CANCELLED);
            }
        mproc_result_free(result);
    }
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* ---- pools that end --------------------------------------------------------------------------- */

static void case_close_and_join_wait_for_the_maps_that_were_submitted_before(void)
{
    enum { MAPS = PLACES + 4 };
    static struct one ones[MAPS];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    int64_t number = 1;

    submit_all(ones, MAPS, pool, board);
    mproc_pool_close(pool);
    CHECK_STATUS(mproc_map_async(pool, fixture_square, &number, &number, 1, NULL, NULL), MPROC_CLOSED);
    CHECK_STATUS(mproc_pool_join(pool, 5), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_TIMEOUT);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int i = 0; i < MAPS; i++) {
        CHECK(mproc_result_ready(ones[i].result));
        check_end(&ones[i], MPROC_OK);
    }
    waiting_end(pool, board);
}

static void count_terminated(mproc_status status, const char *text, void *context)
{
    CHECK_STATUS(status, MPROC_TERMINATED);
    CHECK_CONTAINS(text, "terminated");
    atomic_fetch_add((_Atomic uint32_t *)context, 1);
}

/* Of arrays and of values, running and waiting; results and callbacks alike. */
static void end_with_maps(void (*end)(mproc_pool *pool))
{
    enum { MAPS = PLACES + 2 };
    static struct one ones[MAPS];
    static _Atomic uint32_t errors;
    mproc_pool *pool = waiting_pool(2, 10);
    fixture_board *board = fixture_board_create();
    mproc_value item = MPROC_LIST(fixture_board_offset(board), 1);
    mproc_values_options options = {.unpack = true, .error_callback = count_terminated, .context = (void *)&errors};
    mproc_result *result = NULL;

    atomic_store(&errors, 0);
    begin(&ones[0], pool, sleeps, board);
    for (uint32_t i = 1; i < MAPS; i++) submit(&ones[i], pool, sleeps, board);
    CHECK_OK(mproc_pool_map_values_async(pool, waiting_sleep, &item, 1, &options, &result));
    end(pool);
    CHECK_LOST(result, MPROC_TERMINATED, "terminated");
    for (int i = 0; i < MAPS; i++) check_end(&ones[i], MPROC_TERMINATED);
    CHECK_AWAIT(&errors, 1);
    fixture_board_free(board);
}

static void terminate(mproc_pool *pool)
{
    mproc_pool_terminate(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

static void case_terminate_ends_asynchronous_maps(void)
{
    end_with_maps(terminate);
}

static void case_a_pool_that_is_freed_ends_its_asynchronous_maps(void)
{
    end_with_maps(mproc_pool_free);
}

/* ---- interrupts, and what is refused ---------------------------------------------------------- */

static void case_an_interrupt_ends_no_asynchronous_map(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_value item = MPROC_LIST(fixture_board_offset(board), 7), list;
    mproc_result *result = NULL;
    struct one one;

    begin(&one, pool, fixture_stay, board);
    CHECK_OK(
        mproc_pool_map_values_async(pool, waiting_stay, &item, 1, &(mproc_values_options){.unpack = true}, &result));
    CHECK_AWAIT(&board->started, 2);
    for (int i = 0; i < 3; i++) {
        mproc_interrupt();
        CHECK_STATUS(mproc_result_wait(result, MPROC_FOREVER), MPROC_INTERRUPTED);
        CHECK_STATUS(mproc_result_wait(one.result, 1), MPROC_TIMEOUT);
    }
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_get(result, &list, MPROC_FOREVER));
    CHECK(mproc_value_equal(list, MPROC_LIST(7)));
    mproc_result_free(result);
    check_end(&one, MPROC_OK);
    waiting_end(pool, board);
}

static void never(mproc_value value, void *context)
{
    (void)value;
    (void)context;
    check_fail(__FILE__, __LINE__, "a map that was refused has called back");
}

static void case_asynchronous_maps_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_result *result = NULL;
    mproc_value item = mproc_nil(), values[1];
    int64_t number = 1;

    CHECK_REFUSED(mproc_map(pool, fixture_square, &number, &number, 1, &(mproc_map_options){.callback = never}),
                  MPROC_INVALID, "mproc_pool_map_async()");
    CHECK_REFUSED(
        mproc_pool_map_values(pool, tasks_echo, &item, 1, values, &(mproc_values_options){.callback = never}),
        MPROC_INVALID, "mproc_pool_map_async()");
    CHECK_STATUS(mproc_map_async(pool, NULL, &number, &number, 1, NULL, &result), MPROC_INVALID);
    CHECK_STATUS(mproc_map_async(pool, fixture_square, (int64_t *)NULL, &number, 1, NULL, &result), MPROC_INVALID);
    CHECK_STATUS(mproc_map_async(pool, fixture_square, &number, &number, SIZE_MAX, NULL, &result), MPROC_INVALID);
    CHECK_STATUS(mproc_pool_map_values_async(pool, NULL, &item, 1, NULL, &result), MPROC_INVALID);
    CHECK_STATUS(mproc_pool_map_values_async(pool, tasks_echo, NULL, 1, NULL, &result), MPROC_INVALID);
    mproc_pool_close(pool);
    CHECK_STATUS(
        mproc_map_async(pool, fixture_square, &number, &number, 1, &(mproc_map_options){.callback = never}, &result),
        MPROC_CLOSED);
    CHECK_STATUS(
        mproc_pool_map_values_async(pool, tasks_echo, &item, 1, &(mproc_values_options){.callback = never}, &result),
        MPROC_CLOSED);
    CHECK(result == NULL);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_async_ended, fixture_of_processes, pool_async_ended_threads, fixture_of_threads,
    CASE(a_map_that_waits_is_cancelled_and_never_run),
    CASE(a_map_that_runs_is_stopped),
    CASE(a_map_over_values_that_runs_is_stopped),
    CASE(nobody_writes_to_a_shared_array_whose_map_was_stopped),
    CASE(maps_that_are_stopped_at_any_time_end_once),
    CASE(close_and_join_wait_for_the_maps_that_were_submitted_before),
    CASE(terminate_ends_asynchronous_maps),
    CASE(a_pool_that_is_freed_ends_its_asynchronous_maps),
    CASE(an_interrupt_ends_no_asynchronous_map),
    CASE(asynchronous_maps_that_cannot_be_are_refused),
);
