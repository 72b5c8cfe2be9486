/* mproc/map.h, mproc/iterator.h: maps that nobody waits for, where two things meet. */
#include <stdlib.h>

#include "pool/waiting_fixture.h"
#include "pool/job.h"

enum { PLACES = POOL_JOBS - 1 };

static mproc_result *stay(mproc_pool *pool, fixture_item *item, int64_t *squared, mproc_status *status)
{
    mproc_result *result = NULL;

    CHECK_OK(
        mproc_map_async(pool, fixture_stay, item, squared, 1, &(mproc_map_options){.statuses = status}, &result));
    return result;
}

/* MPROC_OK would mean that its result is there. */
static void case_a_map_that_is_refused_or_cancelled_says_so_of_each_item(void)
{
    enum { MAPS = PLACES + 1 };
    static mproc_result *results[MAPS], *values;
    static int64_t squared[MAPS];
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, MAPS);
    mproc_value item = mproc_int(1);
    mproc_status status = MPROC_OK, other = MPROC_OK;

    for (int i = 0; i < PLACES; i++) results[i] = stay(pool, &items[i], &squared[i], NULL);
    CHECK_AWAIT(&board->started, 2);
    while (!mproc_result_running(results[PLACES - 1])) check_pause_ms(1);
    results[PLACES] = stay(pool, &items[PLACES], &squared[PLACES], &status);
    CHECK_OK(mproc_pool_map_values_async(pool, tasks_echo, &item, 1, &(mproc_values_options){.statuses = &other},
                                         &values));
    CHECK_OK(mproc_result_cancel(results[PLACES]));
    CHECK_OK(mproc_result_stop(values, 0));
    CHECK_STATUS(status, MPROC_CANCELLED);
    CHECK_STATUS(other, MPROC_CANCELLED);
    mproc_pool_close(pool);
    status = other = MPROC_OK;
    CHECK_STATUS(
        mproc_map_async(pool, fixture_stay, items, squared, 1, &(mproc_map_options){.statuses = &status}, NULL),
        MPROC_CLOSED);
    CHECK_STATUS(status, MPROC_CLOSED);
    CHECK_STATUS(
        mproc_pool_map_values_async(pool, tasks_echo, &item, 1, &(mproc_values_options){.statuses = &other}, NULL),
        MPROC_CLOSED);
    CHECK_STATUS(other, MPROC_CLOSED);
    atomic_store(&board->go, 1);
    for (int i = 0; i < MAPS; i++) mproc_result_free(results[i]);
    mproc_result_free(values);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
    free(items);
    fixture_board_free(board);
}

static bool leaves(void *context)
{
    mproc_pool *pool = context;
    bool some = false;

    plat_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < POOL_JOBS; i++) some |= pool->jobs[i] && pool->jobs[i]->leaves;
    plat_mutex_unlock(&pool->mutex);
    return some;
}

/* Of a thread none ends what it is at. */
static void case_of_several_stops_of_a_map_the_shortest_grace_counts(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item item = {fixture_board_offset(board), 3};
    mproc_shared_array *array = NULL;
    mproc_result *result;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), 1, NULL, NULL, &array));
    for (int i = 0; i < 2; i++) {
        result = stay(pool, &item, mproc_shared_array_data(array), NULL);
        CHECK_AWAIT(&board->started, (uint32_t)i + 1);
        CHECK_OK(mproc_result_stop(result, i == 0 ? MPROC_FOREVER : 0));
        if (i == 0) CHECK_WAIT_UNTIL(leaves, pool);
        if (i == 0) CHECK_STATUS(mproc_result_wait(result, 5), MPROC_TIMEOUT);
        (void)!mproc_result_stop(result, i == 0 ? 0 : MPROC_FOREVER);
        if (fixture_is_threads()) atomic_store(&board->go, 1);
        CHECK_LOST(result, MPROC_CANCELLED, "the map was stopped");
        if (fixture_is_threads()) break;
    }
    mproc_pool_free(pool);
    mproc_shared_array_free(array);
    fixture_board_free(board);
}

static void case_a_map_over_values_that_is_stopped_says_so(void)
{
    mproc_pool *pool = waiting_pool(1, 10);
    fixture_board *board = fixture_board_create();
    mproc_value item = MPROC_LIST(fixture_board_offset(board), 1);
    mproc_result *result = NULL;

    CHECK_OK(
        mproc_pool_map_values_async(pool, waiting_sleep, &item, 1, &(mproc_values_options){.unpack = true}, &result));
    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_result_stop(result, 5));
    CHECK_LOST(result, MPROC_CANCELLED, "the map was stopped");
    mproc_pool_free(pool);
    fixture_board_free(board);
}

struct freed {
    mproc_pool *pool;
    _Atomic uint32_t inside;
    _Atomic uint32_t refused;
};

static void submit_when_freed(mproc_value value, void *context)
{
    struct freed *freed = context;
    int64_t number = 1;

    (void)value;
    atomic_store(&freed->inside, 1);
    while (atomic_load(&freed->pool->shared->state) != POOL_TERMINATED) check_pause_ms(1);
    check_pause_ms(5);
    CHECK_STATUS(mproc_map_async(freed->pool, fixture_square, &number, &number, 1, NULL, NULL), MPROC_CLOSED);
    atomic_store(&freed->refused, 1);
}

static void case_a_callback_of_a_pool_that_is_freed_submits_a_map(void)
{
    struct freed freed = {.pool = fixture_create(1)};

    CHECK_OK(mproc_pool_apply_async(freed.pool, tasks_square, MPROC_ARGS(0, 1),
                                    &(mproc_task_options){.callback = submit_when_freed, .context = &freed}, NULL));
    CHECK_AWAIT(&freed.inside, 1);
    mproc_pool_free(freed.pool);
    CHECK_EQ(atomic_load(&freed.refused), 1);
}

static void case_statistics_count_an_asynchronous_map_once(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item item = {fixture_board_offset(board), 3};
    int64_t squared = 0;
    mproc_result *result = stay(pool, &item, &squared, NULL);
    mproc_pool_totals totals;

    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_pool_statistics(pool, &totals));
    CHECK_EQ(totals.maps, 1);
    atomic_store(&board->go, 1);
    CHECK_OK(mproc_result_wait(result, MPROC_FOREVER));
    mproc_result_free(result);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

CHECK_TWINS(pool_async_bounds, fixture_of_processes, pool_async_bounds_threads, fixture_of_threads,
    CASE(a_map_that_is_refused_or_cancelled_says_so_of_each_item),
    CASE(of_several_stops_of_a_map_the_shortest_grace_counts),
    CASE(a_map_over_values_that_is_stopped_says_so),
    CASE(a_callback_of_a_pool_that_is_freed_submits_a_map),
    CASE(statistics_count_an_asynchronous_map_once),
);
