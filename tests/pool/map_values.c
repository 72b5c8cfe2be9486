/* mproc/iterator.h: maps over values. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/tasks_fixture.h"

static mproc_status square(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, mproc_int(number * number));
}

/* More than are in flight at a time. */
static void case_map_values_gives_results_in_the_order_of_the_items(void)
{
    enum { COUNT = 2500 };
    static mproc_value items[COUNT], values[COUNT];
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < COUNT; i++) items[i] = mproc_int(i);
    CHECK_OK(mproc_pool_map_values(pool, square, items, COUNT, values, NULL));
    for (int i = 0; i < COUNT; i++) CHECK_EQ(mproc_value_int(values[i]), i * i);
    for (int i = 0; i < COUNT; i++) mproc_value_clear(&values[i]);
    CHECK_OK(mproc_pool_map_values(pool, square, items, 1, values, NULL));
    CHECK_EQ(mproc_value_int(values[0]), 0);
    mproc_pool_free(pool);
}

static mproc_status echoes_one(mproc_call *call)
{
    return mproc_call_return(call, mproc_value_at(mproc_call_value(call), 0));
}

/* They outlive their pool. */
static void case_map_values_takes_and_gives_values_of_every_kind(void)
{
    static char text[100000];
    mproc_value items[] = {mproc_nil(),
                           mproc_int(INT64_MIN),
                           mproc_double(0.5),
                           mproc_bool(true),
                           mproc_string("short"),
                           mproc_bytes(text, 40),
                           mproc_bytes(text, sizeof text),
                           MPROC_LIST(1, "two", MPROC_LIST(3)),
                           MPROC_MAP("a", 1)};
    enum { COUNT = sizeof items / sizeof items[0] };
    mproc_value values[COUNT];
    mproc_pool *pool = fixture_create(2);

    CHECK_OK(mproc_pool_map_values(pool, echoes_one, items, COUNT, values, NULL));
    mproc_pool_free(pool);
    for (int i = 0; i < COUNT; i++) {
        CHECK(mproc_value_equal(values[i], items[i]));
        mproc_value_clear(&values[i]);
    }
}

static mproc_status power(mproc_call *call)
{
    int64_t base, exponent, result = 1;

    MPROC_TRY(mproc_unpack(call, &base, &exponent));
    for (; exponent > 0; exponent--) result *= base;
    return mproc_call_return(call, mproc_int(result));
}

static void case_unpacked_values_are_the_arguments(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_value items[] = {MPROC_LIST(2, 10), MPROC_LIST(3, 2), MPROC_LIST(5, 0)}, values[3];
    mproc_status statuses[3];

    CHECK_OK(mproc_pool_map_values(pool, power, items, 3, values, &(mproc_values_options){.unpack = true}));
    CHECK_EQ(mproc_value_int(values[0]), 1024);
    CHECK_EQ(mproc_value_int(values[1]), 9);
    CHECK_EQ(mproc_value_int(values[2]), 1);
    items[1] = mproc_int(3);
    CHECK_STATUS(mproc_pool_map_values(pool, power, items, 3, values,
                                       &(mproc_values_options){.unpack = true, .statuses = statuses}),
                 MPROC_INVALID);
    CHECK_STATUS(statuses[1], MPROC_INVALID);
    CHECK(statuses[0] == MPROC_OK && statuses[2] == MPROC_OK);
    CHECK(mproc_value_is_nil(values[1]));
    CHECK_EQ(mproc_value_int(values[2]), 1);
    mproc_pool_free(pool);
}

enum { SOME = 100 };

static void fill_items(mproc_value *items, mproc_value *pairs, const fixture_board *board)
{
    for (int i = 0; i < SOME; i++) {
        pairs[2 * i] = mproc_uint(fixture_board_offset(board));
        pairs[2 * i + 1] = mproc_int(i);
        items[i] = mproc_list_from(&pairs[2 * i], 2);
    }
}

/* Those that come first in the array fail last. */
static mproc_status fails_late(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (number == 0) CHECK_AWAIT(&board->count, SOME - 1);
    atomic_fetch_add(&board->count, 1);
    return number % 10 == 0 ? tasks_fail(call) : mproc_call_return(call, mproc_int(number));
}

static void case_the_first_failure_in_the_arrays_order_is_the_maps(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_value items[SOME], pairs[2 * SOME], values[SOME];
    mproc_status statuses[SOME];
    mproc_values_options options = {.unpack = true, .statuses = statuses};

    fill_items(items, pairs, board);
    CHECK_REFUSED(mproc_pool_map_values(pool, fails_late, items, SOME, values, &options), MPROC_USER,
                  "order 0 has no stock");
    CHECK_EQ(atomic_load(&board->count), SOME);
    for (int i = 0; i < SOME; i++) {
        CHECK_STATUS(statuses[i], i % 10 == 0 ? MPROC_USER + i : MPROC_OK);
        if (i % 10 == 0) CHECK(mproc_value_is_nil(values[i]));
        else CHECK_EQ(mproc_value_int(values[i]), i);
    }
    CHECK_REFUSED(mproc_pool_map_values(pool, fails_late, items + 10, SOME - 10, NULL, &options), MPROC_USER + 10,
                  "order 10 has no stock");
    CHECK_EQ(atomic_load(&board->count), 2 * SOME - 10);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_map_values_maps_nothing(void)
{
    mproc_pool *pool = fixture_create(1);

    CHECK_OK(mproc_pool_map_values(pool, square, NULL, 0, NULL, NULL));
    CHECK_OK(mproc_pool_map_values(pool, square, NULL, 0, NULL, &(mproc_values_options){.unpack = true}));
    mproc_pool_free(pool);
}

/* With each item's status the map's, and no values. */
static void check_refused(mproc_pool *pool, mproc_function *function, mproc_status expected, const char *part)
{
    mproc_value items[3] = {mproc_int(1), mproc_int(2), mproc_int(3)};
    mproc_value values[3] = {mproc_int(7), mproc_int(7), mproc_int(7)};
    mproc_status statuses[3] = {MPROC_OK, MPROC_OK, MPROC_OK};

    CHECK_REFUSED(
        mproc_pool_map_values(pool, function, items, 3, values, &(mproc_values_options){.statuses = statuses}),
        expected, part);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(statuses[i], expected);
        CHECK(mproc_value_is_nil(values[i]));
    }
}

static void case_maps_over_values_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_value value = mproc_int(7);

    CHECK_REFUSED(mproc_pool_map_values(pool, square, NULL, 3, NULL, NULL), MPROC_INVALID, "at no address");
    check_refused(pool, NULL, MPROC_INVALID, "needs a function");
    mproc_pool_close(pool);
    CHECK_REFUSED(mproc_pool_map_values(pool, square, NULL, 0, NULL, NULL), MPROC_CLOSED, "the pool was closed");
    check_refused(pool, square, MPROC_CLOSED, "the pool was closed");
    mproc_pool_terminate(pool);
    check_refused(pool, square, MPROC_CLOSED, "the pool was terminated");
    CHECK_REFUSED(mproc_pool_map_values(pool, square, &value, 1, NULL, NULL), MPROC_CLOSED, "terminated");
    mproc_pool_free(pool);
}

static mproc_status stays_at_three(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (number < 3) return tasks_count(call);
    atomic_store(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    return MPROC_OK;
}

typedef struct interrupted_map {
    mproc_pool *pool;
    fixture_board *board;
    mproc_status statuses[SOME];
    mproc_value values[SOME];
    mproc_status status;
} interrupted_map;

static void maps(void *context)
{
    interrupted_map *self = context;
    mproc_value items[SOME], pairs[2 * SOME];

    fill_items(items, pairs, self->board);
    self->status = mproc_pool_map_values(self->pool, stays_at_three, items, SOME, self->values,
                                         &(mproc_values_options){.unpack = true, .statuses = self->statuses});
}

/* What a status says was done has its value; the one that stays was not, and those behind it never are. */
static void case_a_map_over_values_is_interrupted(void)
{
    interrupted_map map = {.pool = fixture_create(1), .board = fixture_board_create()};
    plat_thread *thread;

    CHECK_OK(plat_thread_start(maps, &map, &thread));
    CHECK_AWAIT(&map.board->started, 1);
    mproc_interrupt();
    plat_thread_join(thread);
    CHECK_STATUS(map.status, MPROC_INTERRUPTED);
    for (int i = 0; i < SOME; i++) {
        if (i >= 3 || map.statuses[i] != MPROC_OK) {
            CHECK_STATUS(map.statuses[i], MPROC_INTERRUPTED);
            CHECK(mproc_value_is_nil(map.values[i]));
        } else {
            CHECK_EQ(mproc_value_int(map.values[i]), i);
        }
    }
    atomic_store(&map.board->go, 1);
    mproc_interrupted();
    tasks_check_pool(map.pool);
    CHECK_EQ(atomic_load(&map.board->count), 3);
    mproc_pool_free(map.pool);
    fixture_board_free(map.board);
}

CHECK_TWINS(pool_map_values, fixture_of_processes, pool_map_values_threads, fixture_of_threads,
    CASE(map_values_gives_results_in_the_order_of_the_items),
    CASE(map_values_takes_and_gives_values_of_every_kind),
    CASE(unpacked_values_are_the_arguments),
    CASE(the_first_failure_in_the_arrays_order_is_the_maps),
    CASE(map_values_maps_nothing),
    CASE(maps_over_values_that_cannot_be_are_refused),
    CASE(a_map_over_values_is_interrupted),
);
