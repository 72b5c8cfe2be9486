/* Objects as arguments of maps, and arrays in shared memory as what is mapped, of processes and of threads. */
#include <stdlib.h>

#include "pool_fixture.h"
#include "object/reference.h"
#include "process/all_objects.h"

enum { CALLS = 40 };

static mproc_status map(mproc_pool *pool, mproc_item_function *function, mproc_args args, size_t calls)
{
    return mproc_pool_map(pool, function, "a text that has an item for each of forty calls", 1, NULL, 0, calls,
                          &(mproc_map_options){.chunk_size = 3, .args = args});
}

/* How many have the object: the program's references begin with a struct reference. */
static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

/* ---- the way ------------------------------------------------------------------------------------ */

static mproc_status uses_objects(const void *item, void *result, mproc_call *call)
{
    things all;

    (void)item;
    (void)result;
    MPROC_TRY(all_objects_unpack(call, &all));
    all_objects_use(&all);
    return MPROC_OK;
}

static void case_each_call_has_objects_of_each_kind(void)
{
    mproc_pool *pool = fixture_create(3);
    things all;

    all_objects_create(&all);
    CHECK_OK(map(pool, uses_objects, ALL_OBJECTS_LIST(&all), CALLS));
    all_objects_check(&all, CALLS);
    CHECK_OK(map(pool, uses_objects, ALL_OBJECTS_LIST(&all), CALLS));
    all_objects_check(&all, 2 * CALLS);
    all_objects_free(&all);
    mproc_pool_free(pool);
}

static mproc_status looks_for_things(const void *item, void *result, mproc_call *call)
{
    mproc_value list = mproc_value_get(mproc_call_value(call), "list");
    things all, again;

    (void)item;
    (void)result;
    MPROC_TRY(all_objects_from(mproc_value_at(list, 1), &all));
    MPROC_TRY(all_objects_from(mproc_value_at(list, 1), &again));
    CHECK(again.lock == all.lock && again.array == all.array);
    all_objects_use(&all);
    return MPROC_OK;
}

static void case_calls_find_objects_in_lists_and_maps(void)
{
    mproc_pool *pool = fixture_create(2);
    things all;

    all_objects_create(&all);
    CHECK_OK(map(pool, looks_for_things, MPROC_MAP("list", MPROC_LIST("things", ALL_OBJECTS_LIST(&all))), CALLS));
    all_objects_check(&all, CALLS);
    all_objects_free(&all);
    mproc_pool_free(pool);
}

static mproc_status uses_objects_once(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    (void)first;
    (void)count;
    (void)items;
    (void)results;
    return uses_objects(NULL, NULL, call);
}

static void case_range_functions_have_objects_too(void)
{
    mproc_pool *pool = fixture_create(2);
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_pool_map_range(pool, uses_objects_once, NULL, 0, NULL, 0, 100,
                                  &(mproc_map_options){.chunk_size = 10, .args = ALL_OBJECTS_LIST(&all)}));
    all_objects_check(&all, 10);
    all_objects_free(&all);
    mproc_pool_free(pool);
}

/* ---- lives -------------------------------------------------------------------------------------- */

static void case_objects_of_a_map_end_with_it(void)
{
    mproc_pool *pool = fixture_create(3);
    things all;

    for (int i = 0; i < 20; i++) {
        all_objects_create(&all);
        CHECK_OK(map(pool, i % 2 ? looks_for_things : uses_objects,
                     i % 2 ? MPROC_MAP("list", MPROC_LIST("things", ALL_OBJECTS_LIST(&all))) : ALL_OBJECTS_LIST(&all),
                     CALLS));
        CHECK_EQ(handles_of(all.lock), 1);
        CHECK_EQ(handles_of(all.semaphore), 1);
        CHECK_EQ(handles_of(all.value), 1);
        CHECK_EQ(handles_of(all.array), 1);
        all_objects_free(&all);
    }
    mproc_pool_free(pool);
}

static mproc_status takes_a_permit(const void *item, void *result, mproc_call *call)
{
    mproc_semaphore *semaphore;

    (void)item;
    (void)result;
    MPROC_TRY(mproc_unpack(call, &semaphore));
    return mproc_semaphore_acquire(semaphore, 0);
}

static void case_permits_that_calls_have_kept_come_back_with_the_map(void)
{
    mproc_semaphore *semaphore = NULL;
    mproc_pool *pool = fixture_create(3);

    CHECK_OK(mproc_semaphore_create(CALLS, &(mproc_semaphore_options){.owned = true}, &semaphore));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(map(pool, takes_a_permit, MPROC_ARGS(semaphore), CALLS));
        CHECK_EQ(mproc_semaphore_value(semaphore), CALLS);
    }
    mproc_semaphore_free(semaphore);
    mproc_pool_free(pool);
}

static mproc_status uses_objects_when_told(const void *item, void *result, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)item)->board);
    things all;

    (void)result;
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    MPROC_TRY(all_objects_unpack(call, &all));
    all_objects_use(&all);
    CHECK(mproc_semaphore_value(all.semaphore) > 0);
    atomic_fetch_add(&board->count, 1);
    return MPROC_OK;
}

static void case_arguments_keep_objects_that_are_freed_meanwhile(void)
{
    fixture_board *board = fixture_board_create();
    fixture_map map = {
        .pool = fixture_create(2), .function = uses_objects_when_told, .items = fixture_items(board, 6), .count = 6};
    things all;

    all_objects_create(&all);
    map.options = (mproc_map_options){.chunk_size = 1, .args = ALL_OBJECTS_LIST(&all)};
    fixture_map_start(&map);
    CHECK_AWAIT(&board->started, 2);
    all_objects_free(&all);
    atomic_store(&board->go, 1);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_OK);
    CHECK_EQ(atomic_load(&board->count), 6);
    mproc_pool_free(map.pool);
    fixture_map_free(&map);
    free(map.items);
    fixture_board_free(board);
}

/* ---- refused ------------------------------------------------------------------------------------ */

static mproc_status wants_an_rlock(const void *item, void *result, mproc_call *call)
{
    mproc_rlock *rlock;

    (void)item;
    (void)result;
    return mproc_unpack(call, &rlock);
}

static void case_objects_of_another_kind_fail_the_items(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_REFUSED(map(pool, wants_an_rlock, MPROC_ARGS(lock), 3), MPROC_INVALID,
                  "is a lock, the function wants an rlock");
    CHECK_EQ(handles_of(lock), 1);
    mproc_lock_free(lock);
    mproc_pool_free(pool);
}

static void case_objects_that_were_freed_are_refused(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_value copy;
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_value_copy(ALL_OBJECTS_LIST(&all), &copy));
    CHECK_OK(map(pool, uses_objects, copy, CALLS));
    all_objects_check(&all, CALLS);
    all_objects_free(&all);
    CHECK_REFUSED(map(pool, uses_objects, copy, CALLS), MPROC_CLOSED, "that is passed on has been freed");
    mproc_value_clear(&copy);
    fixture_check_squares(pool, 100, 0);
    mproc_pool_free(pool);
}

/* ---- arrays in shared memory ---------------------------------------------------------------------- */

/* Tells where the item lies: of a copy that would be elsewhere. */
static mproc_status says_where(const void *item, void *result, mproc_call *call)
{
    mproc_shared_array *items;

    MPROC_TRY(mproc_unpack(call, &items));
    *(int64_t *)result = (const int64_t *)item - (const int64_t *)mproc_shared_array_data(items);
    return MPROC_OK;
}

/* Larger than a window, if that were used. */
static void case_arrays_in_shared_memory_are_mapped_in_place(void)
{
    mproc_shared_array *items = NULL, *results = NULL;
    size_t count = 300000;
    mproc_pool *pool = fixture_create(2);
    const int64_t *found;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), count, NULL, NULL, &items));
    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), count, NULL, NULL, &results));
    found = mproc_shared_array_data(results);
    CHECK_OK(mproc_pool_map(pool, says_where, mproc_shared_array_data(items), sizeof(int64_t),
                            mproc_shared_array_data(results), sizeof(int64_t), count,
                            &(mproc_map_options){.args = MPROC_ARGS(items)}));
    for (size_t i = 0; i < count; i++) CHECK_EQ(found[i], (int64_t)i);
    mproc_shared_array_free(items);
    mproc_shared_array_free(results);
    mproc_pool_free(pool);
}

static void check_squares(mproc_pool *pool, const int64_t *items, int64_t *squares, size_t count)
{
    memset(squares, 0, count * sizeof *squares);
    CHECK_OK(mproc_pool_map(pool, fixture_square, items, sizeof *items, squares, sizeof *squares, count, NULL));
    for (size_t i = 0; i < count; i++) CHECK_EQ(squares[i], (int64_t)(i * i));
}

/* Either array may be the program's own, and an array may be a part of a shared one. */
static void case_one_of_two_arrays_may_be_in_shared_memory(void)
{
    enum { COUNT = 1000, PART = 17 };
    static int64_t own[COUNT], own_squares[COUNT];
    mproc_shared_array *items = NULL, *squares = NULL;
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < COUNT; i++) own[i] = i;
    CHECK_OK(mproc_shared_array_create(sizeof own[0], COUNT, own, NULL, &items));
    CHECK_OK(mproc_shared_array_create(sizeof own[0], COUNT + PART, NULL, NULL, &squares));
    check_squares(pool, mproc_shared_array_data(items), own_squares, COUNT);
    check_squares(pool, own, (int64_t *)mproc_shared_array_data(squares) + PART, COUNT);
    check_squares(pool, mproc_shared_array_data(items), mproc_shared_array_data(squares), COUNT);
    mproc_shared_array_free(items);
    mproc_shared_array_free(squares);
    mproc_pool_free(pool);
}

CHECK_TWINS(map_objects_processes, fixture_of_processes, map_objects_threads, fixture_of_threads,
    CASE(each_call_has_objects_of_each_kind),
    CASE(calls_find_objects_in_lists_and_maps),
    CASE(range_functions_have_objects_too),
    CASE(objects_of_a_map_end_with_it),
    CASE(permits_that_calls_have_kept_come_back_with_the_map),
    CASE(arguments_keep_objects_that_are_freed_meanwhile),
    CASE(objects_of_another_kind_fail_the_items),
    CASE(objects_that_were_freed_are_refused),
    CASE(arrays_in_shared_memory_are_mapped_in_place),
    CASE(one_of_two_arrays_may_be_in_shared_memory),
);
