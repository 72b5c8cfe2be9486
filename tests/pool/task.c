/* mproc/pool.h: what a task may leave behind: locks that it has, a thread that has ended. */
#include <stdlib.h>

#include "pool_fixture.h"
#include "object/reference.h"
#include "process/all_objects.h"

enum { COUNT = 40 };

/* ---- locks ------------------------------------------------------------------------------------ */

static mproc_status take_all(const mproc_call *call, things *all)
{
    MPROC_TRY(all_objects_unpack(call, all));
    CHECK_OK(mproc_lock_acquire(all->lock, 0));
    CHECK_OK(mproc_rlock_acquire(all->rlock, 0));
    CHECK_OK(mproc_rlock_acquire(all->rlock, 0));
    CHECK_OK(mproc_condition_acquire(all->condition, 0));
    CHECK_OK(mproc_shared_value_acquire(all->value, 0));
    CHECK_OK(mproc_shared_array_acquire(all->array, 0));
    return MPROC_OK;
}

static mproc_status keeps_all_locks(const void *item, void *result, mproc_call *call)
{
    things all;

    (void)item;
    (void)result;
    return take_all(call, &all);
}

static void check_all_are_abandoned(const things *all)
{
    int64_t value;

    CHECK_REFUSED(mproc_lock_acquire(all->lock, MPROC_FOREVER), MPROC_OWNER_DIED, "or its task did");
    CHECK_STATUS(mproc_rlock_acquire(all->rlock, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_condition_acquire(all->condition, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_shared_value_get(all->value, &value, sizeof value), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_shared_array_get(all->array, 0, 1, &value), MPROC_OWNER_DIED);
}

static void check_pool_works(mproc_pool *pool)
{
    fixture_check_squares(pool, 1000, 1);
    fixture_check_squares(pool, 1000, 0);
}

static void case_locks_that_a_task_leaves_held_are_abandoned(void)
{
    mproc_pool *pool = fixture_create(1);
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_pool_map(pool, keeps_all_locks, "x", 1, NULL, 0, 1,
                            &(mproc_map_options){.args = ALL_OBJECTS_LIST(&all)}));
    check_all_are_abandoned(&all);
    all_objects_free(&all);
    check_pool_works(pool);
    mproc_pool_free(pool);
}

/* The first item keeps one of two locks, entered in the second place; the others find it abandoned. */
static mproc_status keeps_one_lock(const void *item, void *result, mproc_call *call)
{
    things all;

    (void)item;
    (void)result;
    MPROC_TRY(all_objects_unpack(call, &all));
    CHECK_OK(mproc_rlock_acquire(all.rlock, MPROC_FOREVER));
    MPROC_TRY(mproc_lock_acquire(all.lock, MPROC_FOREVER));
    CHECK_OK(mproc_rlock_release(all.rlock));
    return mproc_error(MPROC_USER + 1, "no stock");
}

/* One worker and one chunk: also the next item of the same thread does not wait for what it could never get. */
static void case_the_next_task_finds_the_lock_abandoned_that_the_last_has_kept(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_status statuses[2];
    mproc_map_options options = {.chunk_size = 1, .statuses = statuses};
    things all;

    all_objects_create(&all);
    options.args = ALL_OBJECTS_LIST(&all);
    CHECK_REFUSED(mproc_pool_map(pool, keeps_one_lock, "xy", 1, NULL, 0, 2, &options), MPROC_USER + 1, "no stock");
    CHECK_CONTAINS(mproc_last_error_text(), "a lock that the task has left held is abandoned");
    CHECK_EQ(statuses[0], MPROC_USER + 1);
    CHECK_EQ(statuses[1], MPROC_OWNER_DIED);
    all_objects_free(&all);
    check_pool_works(pool);
    mproc_pool_free(pool);
}

static mproc_status keeps_the_lock_in_a_chunk(const void *item, void *result, mproc_call *call)
{
    mproc_lock *lock;
    mproc_status status;

    (void)result;
    MPROC_TRY(mproc_unpack(call, &lock));
    status = mproc_lock_acquire(lock, MPROC_FOREVER);
    CHECK_STATUS(status, *(const char *)item == 'x' ? MPROC_OK : MPROC_OWNER_DIED);
    return MPROC_OK;
}

static void case_a_lock_is_abandoned_before_the_next_item_of_its_chunk(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_lock *lock;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_pool_map(pool, keeps_the_lock_in_a_chunk, "xyyyyyyy", 1, NULL, 0, 8,
                            &(mproc_map_options){.chunk_size = 8, .args = MPROC_ARGS(lock)}));
    mproc_lock_free(lock);
    mproc_pool_free(pool);
}

/* ---- the end of the worker's thread ----------------------------------------------------------- */

static void case_a_task_that_ends_its_thread_loses_only_its_chunk(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map = {.pool = pool, .function = fixture_end_at_5, .count = COUNT};

    map.items = fixture_items(board, COUNT);
    map.options.chunk_size = 2;
    fixture_map_start(&map);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(map.text, "worker 'PoolWorker-");
    CHECK_CONTAINS(map.text, "while it computed the chunk of item 4");
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_STATUS(map.options.statuses[i], i == 4 || i == 5 ? MPROC_WORKER_LOST : MPROC_OK);
        if (i != 4 && i != 5) CHECK_EQ(map.results[i], i * i);
    }
    check_pool_works(pool);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status always_ends(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    os_end_thread();
    return MPROC_OK;
}

static void case_a_map_ends_even_if_every_task_ends_its_thread(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_status statuses[8];

    CHECK_STATUS(mproc_pool_map(pool, always_ends, "01234567", 1, NULL, 0, 8,
                                &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                 MPROC_WORKER_LOST);
    for (int i = 0; i < 8; i++) CHECK_STATUS(statuses[i], MPROC_WORKER_LOST);
    check_pool_works(pool);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

static mproc_status ends_with_all_locks(const void *item, void *result, mproc_call *call)
{
    things all;

    (void)item;
    (void)result;
    MPROC_TRY(take_all(call, &all));
    os_end_thread();
    return MPROC_OK;
}

/* And what it has taken from its arguments is given back: the array has one handle, the program's. */
static void case_a_task_that_ends_its_thread_leaves_nothing(void)
{
    mproc_pool *pool = fixture_create(1);
    things all;

    all_objects_create(&all);
    CHECK_STATUS(mproc_pool_map(pool, ends_with_all_locks, "x", 1, NULL, 0, 1,
                                &(mproc_map_options){.args = ALL_OBJECTS_LIST(&all)}),
                 MPROC_WORKER_LOST);
    check_all_are_abandoned(&all);
    CHECK_EQ(object_handles(((struct reference *)all.array)->at), 1);
    all_objects_free(&all);
    check_pool_works(pool);
    mproc_pool_free(pool);
}

static mproc_status ends_in_an_action(mproc_call *call)
{
    (void)call;
    os_end_thread();
    return MPROC_OK;
}

static bool ends_in_a_predicate(void *context)
{
    (void)context;
    os_end_thread();
    return true;
}

/* In waits of its own, by references that go with the task. */
static mproc_status ends_in_a_wait(const void *item, void *result, mproc_call *call)
{
    mproc_barrier *barrier;
    mproc_condition *condition;

    (void)result;
    MPROC_TRY(mproc_unpack(call, &barrier, &condition));
    if (*(const char *)item == 'b') return mproc_barrier_wait(barrier, MPROC_FOREVER, NULL);
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    return mproc_condition_wait_for(condition, ends_in_a_predicate, NULL, MPROC_FOREVER);
}

static void case_a_task_that_ends_its_thread_in_its_own_wait_waits_no_longer(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_barrier *barrier;
    mproc_condition *condition;
    mproc_status statuses[2];
    mproc_map_options options = {.chunk_size = 1, .statuses = statuses};

    CHECK_OK(mproc_barrier_create(1, &(mproc_barrier_options){.action = ends_in_an_action}, &barrier));
    CHECK_OK(mproc_condition_create(NULL, &condition));
    options.args = MPROC_ARGS(barrier, condition);
    CHECK_STATUS(mproc_pool_map(pool, ends_in_a_wait, "bc", 1, NULL, 0, 2, &options), MPROC_WORKER_LOST);
    CHECK_STATUS(statuses[0], MPROC_WORKER_LOST);
    CHECK_STATUS(statuses[1], MPROC_WORKER_LOST);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_STATUS(mproc_condition_acquire(condition, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_EQ(object_handles(((struct reference *)barrier)->at), 1);
    CHECK_EQ(object_handles(((struct reference *)condition)->at), 1);
    mproc_barrier_free(barrier);
    mproc_condition_free(condition);
    check_pool_works(pool);
    mproc_pool_free(pool);
}

static void goes_on_for_ever(void *unused)
{
    (void)unused;
    for (;;) check_pause_ms(1000);
}

static mproc_status starts_threads_and_ends(const void *item, void *result, mproc_call *call)
{
    plat_thread *threads[4];

    (void)item;
    (void)result;
    (void)call;
    for (int i = 0; i < 4; i++) CHECK_OK(plat_thread_start(goes_on_for_ever, NULL, &threads[i]));
    os_end_thread();
    return MPROC_OK;
}

static void case_a_worker_whose_first_thread_ends_while_others_begin_is_replaced(void)
{
    mproc_pool *pool = fixture_create(2);

    CHECK_STATUS(mproc_pool_map(pool, starts_threads_and_ends, "01234567", 1, NULL, 0, 8,
                                &(mproc_map_options){.chunk_size = 1}),
                 MPROC_WORKER_LOST);
    CHECK_CONTAINS(mproc_last_error_text(), "ended with exit code 0");
    check_pool_works(pool);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_task, fixture_of_processes, pool_task_threads, fixture_of_threads,
    CASE(locks_that_a_task_leaves_held_are_abandoned),
    CASE(the_next_task_finds_the_lock_abandoned_that_the_last_has_kept),
    CASE(a_lock_is_abandoned_before_the_next_item_of_its_chunk),
    CASE(a_task_that_ends_its_thread_loses_only_its_chunk),
    CASE(a_map_ends_even_if_every_task_ends_its_thread),
    CASE(a_task_that_ends_its_thread_leaves_nothing),
    CASE(a_task_that_ends_its_thread_in_its_own_wait_waits_no_longer),
);

CHECK_SUITE_SETUP(pool_task_in_processes, fixture_of_processes,
    CASE(a_worker_whose_first_thread_ends_while_others_begin_is_replaced),
);
