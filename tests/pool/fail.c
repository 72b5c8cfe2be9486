/* mproc/pool.h: items that fail, their statuses and their texts. */
#include <stdio.h>
#include <stdlib.h>

#include "pool_fixture.h"

enum { COUNT = 60 };

/* Fails for the values that end in 3, with a status that says which. */
static mproc_status fail_at_3(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;

    (void)call;
    if (*value % 10 == 3) return mproc_error((mproc_status)(MPROC_USER + *value), "no luck with %d", (int)*value);
    *(int64_t *)result = *value + 1;
    return MPROC_OK;
}

static mproc_status map_numbers(mproc_pool *pool, mproc_item_function *function, size_t chunk, int64_t *results,
                                mproc_status *statuses)
{
    int64_t values[COUNT];

    for (int i = 0; i < COUNT; i++) values[i] = i;
    return mproc_pool_map(pool, function, values, sizeof values[0], results, sizeof results[0], COUNT,
                          &(mproc_map_options){.chunk_size = chunk, .statuses = statuses});
}

/* In chunks of 5: 3 and 4 are lost with 3, but 13 and 14 with 13, and so on. */
static void case_a_failure_skips_the_rest_of_its_chunk(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];

    memset(statuses, 1, sizeof statuses);
    CHECK_STATUS(map_numbers(pool, fail_at_3, 5, results, statuses), MPROC_USER + 3);
    for (int i = 0; i < COUNT; i++) {
        bool failed = i % 10 == 3 || i % 10 == 4;
        CHECK_EQ(statuses[i], failed ? MPROC_USER + i / 10 * 10 + 3 : MPROC_OK);
        if (!failed) CHECK_EQ(results[i], i + 1);
    }
    mproc_pool_free(pool);
}

static void case_a_map_that_is_not_begun_fails_all_items(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];

    mproc_pool_close(pool);
    CHECK_STATUS(map_numbers(pool, fail_at_3, 1, results, statuses), MPROC_CLOSED);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(statuses[i], MPROC_CLOSED);
    mproc_pool_free(pool);
}

static void case_in_chunks_of_one_only_the_item_fails(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];

    CHECK_STATUS(map_numbers(pool, fail_at_3, 1, results, statuses), MPROC_USER + 3);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(statuses[i], i % 10 == 3 ? MPROC_USER + i : MPROC_OK);
        if (i % 10 != 3) CHECK_EQ(results[i], i + 1);
    }
    mproc_pool_free(pool);
}

static void case_statuses_are_ok_when_all_is_well(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];

    for (int i = 0; i < COUNT; i++) statuses[i] = MPROC_TIMEOUT;
    CHECK_OK(map_numbers(pool, fixture_square, 7, results, statuses));
    for (int i = 0; i < COUNT; i++) CHECK_EQ(statuses[i], MPROC_OK);
    mproc_pool_free(pool);
}

static void case_the_text_is_the_functions_with_the_workers_name(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];

    CHECK_REFUSED(map_numbers(pool, fail_at_3, 5, results, NULL), MPROC_USER + 3, "no luck with 3");
    CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-");
    mproc_pool_free(pool);
}

/* The first in the array's order is the last in time. */
static mproc_status fail_late_at_3(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;

    if (*value == 3) check_pause_ms(30);
    return fail_at_3(item, result, call);
}

static void case_the_first_failure_in_the_arrays_order_is_reported(void)
{
    mproc_pool *pool = fixture_create(4);
    int64_t results[COUNT];

    for (int i = 0; i < 10; i++)
        CHECK_REFUSED(map_numbers(pool, fail_late_at_3, 1, results, NULL), MPROC_USER + 3, "no luck with 3");
    mproc_pool_free(pool);
}

static mproc_status fail_at_30000(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;

    (void)call;
    *(int64_t *)result = -*value;
    return *value % 100000 == 30000 ? mproc_error(MPROC_USER, "no luck with %d", (int)*value) : MPROC_OK;
}

/* Later windows fail while the first is still looked at. */
static void case_failures_are_found_in_any_window(void)
{
    enum { MANY = 1000000 };
    mproc_pool *pool = fixture_create(3);
    int64_t *values = malloc(MANY * sizeof *values);
    int64_t *results = malloc(MANY * sizeof *results);
    mproc_status *statuses = malloc(MANY * sizeof *statuses);
    int failed = 0;

    CHECK(values != NULL && results != NULL && statuses != NULL);
    for (int i = 0; i < MANY; i++) values[i] = i + 1;
    CHECK_REFUSED(mproc_pool_map(pool, fail_at_30000, values, sizeof *values, results, sizeof *results, MANY,
                                 &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                  MPROC_USER, "no luck with 30000");
    for (int i = 0; i < MANY; i++) {
        failed += statuses[i] != MPROC_OK;
        CHECK_EQ(statuses[i], (i + 1) % 100000 == 30000 ? MPROC_USER : MPROC_OK);
        if (statuses[i] == MPROC_OK) CHECK_EQ(results[i], -(i + 1));
    }
    CHECK_EQ(failed, 10);
    free(statuses);
    free(results);
    free(values);
    mproc_pool_free(pool);
}

/* Says why at first, and then no more. */
static mproc_status fail_silently_after_0(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;

    (void)result;
    (void)call;
    return *value == 0 ? mproc_error(MPROC_USER, "a story of its own") : MPROC_BAD_STATE;
}

/* It has dealt with one failure before it fails for another reason, of which it says nothing. */
static mproc_status survive_a_failure(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    CHECK_STATUS(mproc_unpack_bytes(call, NULL, 1), MPROC_INVALID);
    return (mproc_status)(MPROC_USER + 5);
}

static void case_an_older_failure_is_not_taken_for_the_cause(void)
{
    mproc_pool *pool = fixture_create(1);
    int64_t results[COUNT];

    CHECK_STATUS(map_numbers(pool, survive_a_failure, 1, results, NULL), MPROC_USER + 5);
    CHECK_CONTAINS(mproc_last_error_text(), mproc_status_text(MPROC_USER));
    mproc_pool_free(pool);
}

static void case_a_failure_without_text_has_the_statuses_own(void)
{
    mproc_pool *pool = fixture_create(1);
    int64_t value = 0;
    int64_t result;

    CHECK_REFUSED(mproc_pool_map(pool, fail_silently_after_0, &value, 8, &result, 8, 1, NULL), MPROC_USER,
                  "a story of its own");
    value = 1;
    CHECK_REFUSED(mproc_pool_map(pool, fail_silently_after_0, &value, 8, &result, 8, 1, NULL), MPROC_BAD_STATE,
                  mproc_status_text(MPROC_BAD_STATE));
    CHECK(strstr(mproc_last_error_text(), "story") == NULL);
    CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-1");
    mproc_pool_free(pool);
}

static mproc_status say_very_much(const void *item, void *result, mproc_call *call)
{
    char text[900];

    (void)item;
    (void)result;
    (void)call;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return mproc_error(MPROC_USER, "begin %s", text);
}

static void case_a_long_text_is_cut(void)
{
    mproc_pool *pool = fixture_create(1);

    CHECK_REFUSED(mproc_pool_map(pool, say_very_much, NULL, 0, NULL, 0, 1, NULL), MPROC_USER, "begin xxxxxxxxxx");
    CHECK(strlen(mproc_last_error_text()) < 1001);
    mproc_pool_free(pool);
}

/* The library's own statuses mean nothing special when a function returns them. */
static mproc_status return_the_value(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    return (mproc_status) * (const int64_t *)item;
}

static void case_any_status_may_be_returned(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t result;

    for (int64_t value = 0; value < 25; value++)
        CHECK_STATUS(mproc_pool_map(pool, return_the_value, &value, 8, &result, 8, 1, NULL), (mproc_status)value);
    for (int64_t value = -3; value < 0; value++)
        CHECK_STATUS(mproc_pool_map(pool, return_the_value, &value, 8, &result, 8, 1, NULL), (mproc_status)value);
    mproc_pool_free(pool);
}

static mproc_status fail_range_with_23(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    (void)items;
    (void)call;
    for (size_t i = 0; i < count; i++) ((int64_t *)results)[i] = (int64_t)(first + i);
    return first <= 23 && 23 < first + count ? mproc_error(MPROC_USER, "%d items from %d", (int)count, (int)first)
                                             : MPROC_OK;
}

static void case_a_range_fails_as_a_whole(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];

    CHECK_REFUSED(mproc_pool_map_range(pool, fail_range_with_23, NULL, 0, results, sizeof results[0], COUNT,
                                       &(mproc_map_options){.chunk_size = 5, .statuses = statuses}),
                  MPROC_USER, "5 items from 20");
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(statuses[i], i / 5 == 4 ? MPROC_USER : MPROC_OK);
        if (i / 5 != 4) CHECK_EQ(results[i], i);
    }
    mproc_pool_free(pool);
}

static void case_the_pool_goes_on_after_failures(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t results[COUNT];

    for (int i = 0; i < 20; i++) {
        CHECK_STATUS(map_numbers(pool, fail_at_3, 4, results, NULL), MPROC_USER + 3);
        fixture_check_squares(pool, 500, 0);
    }
    mproc_pool_free(pool);
}

static void case_success_leaves_the_callers_text_alone(void)
{
    mproc_pool *pool = fixture_create(2);

    mproc_error(MPROC_USER, "mine");
    fixture_check_squares(pool, 100, 0);
    CHECK_STRING(mproc_last_error_text(), "mine");
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_failures, fixture_of_processes, pool_failures_threads, fixture_of_threads,
    CASE(a_failure_skips_the_rest_of_its_chunk),
    CASE(in_chunks_of_one_only_the_item_fails),
    CASE(statuses_are_ok_when_all_is_well),
    CASE(a_map_that_is_not_begun_fails_all_items),
    CASE(the_text_is_the_functions_with_the_workers_name),
    CASE(the_first_failure_in_the_arrays_order_is_reported),
    CASE_LIMIT(failures_are_found_in_any_window, 60),
    CASE(an_older_failure_is_not_taken_for_the_cause),
    CASE(a_failure_without_text_has_the_statuses_own),
    CASE(a_long_text_is_cut),
    CASE(any_status_may_be_returned),
    CASE(a_range_fails_as_a_whole),
    CASE(the_pool_goes_on_after_failures),
    CASE(success_leaves_the_callers_text_alone),
);
