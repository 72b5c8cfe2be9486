/* Tasks that end their workers, again and again. */
#include "pool/pool_fixture.h"

#include <stdlib.h>

#define ITEMS 1200

static mproc_status end_worker(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    if (fixture_is_threads()) os_end_thread();
    _Exit(3);
}

static mproc_status end_worker_at_each_tenth(const void *item, void *result, mproc_call *call)
{
    int64_t number = *(const int64_t *)item;

    if (number % 10 == 9) return end_worker(item, result, call);
    *(int64_t *)result = 2 * number;
    return MPROC_OK;
}

static mproc_status end_worker_of_task(mproc_call *call)
{
    return end_worker(NULL, NULL, call);
}

static void check_doubles(mproc_pool *pool)
{
    int64_t items[4] = {0, 1, 2, 3}, results[4] = {-1, -1, -1, -1};

    CHECK_OK(mproc_map(pool, end_worker_at_each_tenth, items, results, 4, NULL));
    for (int i = 0; i < 4; i++) CHECK_EQ(results[i], 2 * i);
}

static void case_a_map_whose_items_all_end_their_workers_comes_to_an_end(void)
{
    static int64_t items[ITEMS], results[ITEMS];
    static mproc_status statuses[ITEMS];
    mproc_pool *pool = fixture_create(2);

    CHECK_REFUSED(mproc_map(pool, end_worker, items, results, ITEMS,
                            (&(mproc_map_options){.chunk_size = 1, .statuses = statuses})),
                  MPROC_WORKER_LOST, "");
    for (int i = 0; i < ITEMS; i++) CHECK_STATUS(statuses[i], MPROC_WORKER_LOST);
    CHECK(fixture_starts(pool) < ITEMS / 2);
    check_doubles(pool);
    mproc_pool_free(pool);
}

static void case_tasks_that_all_end_their_workers_come_to_an_end(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[ITEMS];
    int count = 0;

    for (; count < ITEMS; count++)
        if (mproc_pool_apply_async(pool, end_worker_of_task, mproc_no_args(), NULL, &results[count]) != MPROC_OK)
            break;
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(mproc_result_get(results[i], NULL, MPROC_FOREVER), MPROC_WORKER_LOST);
        mproc_result_free(results[i]);
    }
    CHECK(fixture_starts(pool) < 3 * ITEMS / 4);
    mproc_pool_free(pool);
}

static void case_items_that_end_their_workers_among_others_harm_none_of_these(void)
{
    static int64_t items[ITEMS], results[ITEMS];
    static mproc_status statuses[ITEMS];
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < ITEMS; i++) items[i] = i;
    CHECK_STATUS(mproc_map(pool, end_worker_at_each_tenth, items, results, ITEMS,
                           (&(mproc_map_options){.chunk_size = 1, .statuses = statuses})),
                 MPROC_WORKER_LOST);
    for (int i = 0; i < ITEMS; i++) {
        CHECK_STATUS(statuses[i], i % 10 == 9 ? MPROC_WORKER_LOST : MPROC_OK);
        if (i % 10 != 9) CHECK_EQ(results[i], 2 * i);
    }
    check_doubles(pool);
    mproc_pool_free(pool);
}

static bool doubles(void *pool)
{
    int64_t item = 4, result = -1;

    return mproc_map(pool, end_worker_at_each_tenth, &item, &result, 1, NULL) == MPROC_OK && result == 8;
}

/* Soon after it has given up twice in a row it starts nobody; but it does so again. */
static void case_a_pool_that_has_given_up_again_and_again_comes_back(void)
{
    static int64_t items[ITEMS], results[ITEMS];
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 2; i++)
        CHECK_STATUS(mproc_map(pool, end_worker, items, results, ITEMS, (&(mproc_map_options){.chunk_size = 1})),
                     MPROC_WORKER_LOST);
    CHECK(fixture_starts(pool) < 2 * ITEMS / 2);
    CHECK_WAIT_UNTIL(doubles, pool);
    check_doubles(pool);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_crashes, fixture_of_processes, pool_crashes_threads, fixture_of_threads,
    CASE_LIMIT(a_map_whose_items_all_end_their_workers_comes_to_an_end, 60),
    CASE_LIMIT(a_pool_that_has_given_up_again_and_again_comes_back, 60),
    CASE_LIMIT(tasks_that_all_end_their_workers_come_to_an_end, 60),
    CASE_LIMIT(items_that_end_their_workers_among_others_harm_none_of_these, 60),
);
