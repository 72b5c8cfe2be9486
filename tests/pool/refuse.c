/* mproc/pool.h: what is refused, with which status and which words. */
#include <stdlib.h>

#include "pool_fixture.h"

static mproc_pool *untouched(void)
{
    return (mproc_pool *)(uintptr_t)64;
}

static void refuse_options(const mproc_pool_options *options, const char *part)
{
    mproc_pool *pool = untouched();

    CHECK_REFUSED(mproc_pool_create(options, &pool), MPROC_INVALID, part);
    CHECK(pool == untouched());
}

static void case_create_refuses_a_number_of_workers_out_of_range(void)
{
    refuse_options(&(mproc_pool_options){.workers = -1}, "-1 workers");
    refuse_options(&(mproc_pool_options){.workers = INT32_MIN}, "-2147483648 workers");
    refuse_options(&(mproc_pool_options){.workers = 4097}, "4097 workers: 1 to 4096");
    refuse_options(&(mproc_pool_options){.workers = INT32_MAX, .kind = MPROC_THREADS}, "2147483647 workers");
}

static void case_create_refuses_an_unknown_kind(void)
{
    refuse_options(&(mproc_pool_options){.kind = (mproc_worker_kind)2}, "kind is 2");
    refuse_options(&(mproc_pool_options){.kind = (mproc_worker_kind)-1}, "kind is -1");
}

static void case_create_refuses_to_write_nowhere(void)
{
    CHECK_REFUSED(mproc_pool_create(NULL, NULL), MPROC_INVALID, "out is NULL");
}

/* What an older or a newer program passes as its options. */
static void case_create_takes_options_of_another_size(void)
{
    struct {
        mproc_pool_options options;
        unsigned char more[64];
    } newer = {{.workers = 2, .kind = MPROC_THREADS}, {1, 2, 3}};
    mproc_pool *pool;

    CHECK_OK(mproc_pool_create_sized(&newer.options, sizeof newer, &pool));
    CHECK_EQ(mproc_pool_workers(pool), 2);
    mproc_pool_free(pool);
    newer.options.kind = (mproc_worker_kind)77; /* an older program has no such field */
    CHECK_OK(mproc_pool_create_sized(&newer.options, sizeof(int), &pool));
    CHECK_EQ(mproc_pool_workers(pool), 2);
    mproc_pool_free(pool);
}

/* ---- maps ------------------------------------------------------------------------------------- */

static int64_t values[10];
static int64_t results[10];

/* What every case below checks at its end: nothing was begun, nothing was written, and the pool is as it was. */
static void check_unharmed(mproc_pool *pool)
{
    for (int i = 0; i < 10; i++) CHECK_EQ(results[i], 0);
    fixture_check_squares(pool, 100, 0);
    mproc_pool_free(pool);
}

static void refuse_map(mproc_pool *pool, const void *items, size_t item_size, void *out, size_t result_size,
                       size_t count, const char *part)
{
    mproc_status statuses[10] = {MPROC_OK};
    mproc_map_options options = {.statuses = count <= 10 ? statuses : NULL};

    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, items, item_size, out, result_size, count, &options),
                  MPROC_INVALID, part);
    for (size_t i = 0; i < 10; i++) CHECK_STATUS(statuses[i], i < count && count <= 10 ? MPROC_INVALID : MPROC_OK);
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, items, item_size, out, result_size, count, NULL),
                  MPROC_INVALID, part);
}

static void case_map_refuses_no_function(void)
{
    mproc_status statuses[10] = {MPROC_OK};
    mproc_map_options options = {.statuses = statuses};
    mproc_pool *pool = fixture_create(2);

    CHECK_REFUSED(mproc_pool_map(pool, NULL, values, 8, results, 8, 10, &options), MPROC_INVALID, "was given NULL");
    for (int i = 0; i < 10; i++) CHECK_STATUS(statuses[i], MPROC_INVALID);
    CHECK_REFUSED(mproc_pool_map(pool, NULL, values, 8, results, 8, 10, NULL), MPROC_INVALID, "was given NULL");
    CHECK_REFUSED(mproc_pool_map_range(pool, NULL, values, 8, results, 8, 10, NULL), MPROC_INVALID, "was given NULL");
    CHECK_REFUSED(mproc_pool_map(pool, NULL, NULL, 0, NULL, 0, 0, NULL), MPROC_INVALID, "was given NULL");
    check_unharmed(pool);
}

static void case_map_refuses_data_at_no_address(void)
{
    mproc_pool *pool = fixture_create(2);

    refuse_map(pool, NULL, 8, results, 8, 10, "10 items of 8 bytes at no address");
    refuse_map(pool, values, 8, NULL, 8, 10, "10 results of 8 bytes at no address");
    check_unharmed(pool);
}

static void case_map_refuses_a_size_of_zero_for_data(void)
{
    mproc_pool *pool = fixture_create(2);

    refuse_map(pool, values, 0, results, 8, 10, "items of 0 bytes");
    refuse_map(pool, values, 8, results, 0, 10, "results of 0 bytes");
    check_unharmed(pool);
}

static void case_map_refuses_items_above_64_mib(void)
{
    const size_t above = ((size_t)64 << 20) + 1;
    mproc_pool *pool = fixture_create(2);

    refuse_map(pool, values, above, results, 8, 1, "items of 67108865 bytes");
    refuse_map(pool, values, 8, results, above, 1, "results of 67108865 bytes");
    refuse_map(pool, values, SIZE_MAX, results, 8, 1, "18446744073709551615 bytes");
    refuse_map(pool, values, (size_t)-8, results, 8, 1, "bytes");
    check_unharmed(pool);
}

static void case_map_refuses_counts_that_no_memory_holds(void)
{
    mproc_status no_status = MPROC_USER;
    mproc_map_options options = {.statuses = &no_status};
    mproc_pool *pool = fixture_create(2);

    refuse_map(pool, NULL, 0, NULL, 0, (size_t)-1, "is the count negative?");
    CHECK_REFUSED(mproc_pool_map(pool, fixture_square, NULL, 0, NULL, 0, (size_t)PTRDIFF_MAX, &options),
                  MPROC_INVALID, "statuses of");
    CHECK_STATUS(no_status, MPROC_USER);
    refuse_map(pool, values, 8, results, 8, (size_t)-1, "is the count negative?");
    refuse_map(pool, values, 8, results, 8, (size_t)INT64_MIN, "is the count negative?");
    refuse_map(pool, values, 8, results, 8, SIZE_MAX / 8, "2305843009213693951 items of 8 bytes");
    refuse_map(pool, values, 8, results, 8, (size_t)PTRDIFF_MAX / 8 + 1, "is the count negative?");
    refuse_map(pool, values, 1, results, 8, (size_t)PTRDIFF_MAX, "results of 8 bytes");
    refuse_map(pool, NULL, 0, results, 8, (size_t)PTRDIFF_MAX, "results of 8 bytes");
    check_unharmed(pool);
}

static void case_map_refuses_a_negative_chunk(void)
{
    static const size_t sizes[] = {(size_t)-1, (size_t)-100, (size_t)INT64_MIN};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 3; i++) {
        mproc_map_options options = {.chunk_size = sizes[i]};
        CHECK_REFUSED(mproc_pool_map(pool, fixture_square, values, 8, results, 8, 10, &options), MPROC_INVALID,
                      "is the size negative?");
    }
    check_unharmed(pool);
}

static void case_map_takes_options_of_another_size(void)
{
    mproc_status statuses[10];
    struct {
        mproc_map_options options;
        unsigned char more[64];
    } newer = {{.chunk_size = 2, .statuses = statuses}, {1, 2, 3}};
    struct mproc_map_request request = {fixture_square, mproc_items_run, NULL, values, 8, results, 8, 10};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 10; i++) statuses[i] = MPROC_USER;
    /* Without the field that follows the first, the statuses are nobody's. */
    CHECK_OK(mproc_pool_map_sized(pool, &request, &newer.options, sizeof(size_t)));
    for (int i = 0; i < 10; i++) CHECK_EQ(statuses[i], MPROC_USER);
    CHECK_OK(mproc_pool_map_sized(pool, &request, &newer.options, sizeof newer));
    for (int i = 0; i < 10; i++) CHECK_EQ(statuses[i], MPROC_OK);
    check_unharmed(pool);
}

/* ---- functions -------------------------------------------------------------------------------- */

static void refuse_function(mproc_pool *pool, uintptr_t address)
{
    CHECK_REFUSED(mproc_pool_map(pool, (mproc_item_function *)address, values, 8, results, 8, 10, NULL),
                  MPROC_BAD_FUNCTION, "lies in the code of no module");
    CHECK_REFUSED(mproc_pool_map_range(pool, (mproc_range_function *)address, values, 8, results, 8, 10, NULL),
                  MPROC_BAD_FUNCTION, "lies in the code of no module");
}

static void case_map_refuses_a_function_in_no_module(void)
{
    mproc_pool *pool = fixture_create(2);
    unsigned char on_the_stack[64] = {0xC3};
    unsigned char *on_the_heap = malloc(64);

    CHECK(on_the_heap != NULL);
    refuse_function(pool, (uintptr_t)on_the_stack);
    refuse_function(pool, (uintptr_t)on_the_heap);
    refuse_function(pool, (uintptr_t)values);
    refuse_function(pool, 1);
    refuse_function(pool, UINTPTR_MAX);
    free(on_the_heap);
    check_unharmed(pool);
}

CHECK_TWINS(pool_refuses, fixture_of_processes, pool_refuses_threads, fixture_of_threads,
    CASE(create_refuses_a_number_of_workers_out_of_range),
    CASE(create_refuses_an_unknown_kind),
    CASE(create_refuses_to_write_nowhere),
    CASE(map_refuses_no_function),
    CASE(map_refuses_data_at_no_address),
    CASE(map_refuses_a_size_of_zero_for_data),
    CASE(map_refuses_items_above_64_mib),
    CASE(map_refuses_counts_that_no_memory_holds),
    CASE(map_refuses_a_negative_chunk),
    CASE(map_takes_options_of_another_size),
);

CHECK_SUITE_SETUP(pool_refuses_in_processes, fixture_of_processes,
    CASE(create_takes_options_of_another_size),
    CASE(map_refuses_a_function_in_no_module),
);
