/* mproc/pool.h: workers that are killed, exit or crash. */
#include <stdio.h>
#include <stdlib.h>

#include "pool_fixture.h"
#include "process/all_objects.h"

enum { COUNT = 40 };

/* Tells who has item 5, and waits there for ever; the others are squared. */
static mproc_status sit_at_5(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    *(int64_t *)result = own->value * own->value;
    if (own->value != 5 || atomic_load(&board->go)) return MPROC_OK;
    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    return MPROC_OK;
}

/* All workers are there again, and work. */
static void check_restored(mproc_pool *pool)
{
    fixture_await_workers(pool);
    fixture_check_squares(pool, 1000, 1);
    fixture_check_squares(pool, 1000, 0);
}

static void check_items(const fixture_map *map, size_t from, size_t end, mproc_status status)
{
    for (size_t i = 0; i < map->count; i++) {
        bool lost = from <= i && i < end;
        CHECK_STATUS(map->options.statuses[i], lost ? status : MPROC_OK);
        if (!lost) CHECK_EQ(map->results[i], i * i);
    }
}

static void start_map(fixture_map *map, mproc_pool *pool, const fixture_board *board, mproc_item_function *function,
                      size_t chunk)
{
    *map = (fixture_map){.pool = pool, .function = function, .items = fixture_items(board, COUNT), .count = COUNT};
    map->options.chunk_size = chunk;
    fixture_map_start(map);
}

static void free_map(fixture_map *map)
{
    free(map->items);
    fixture_map_free(map);
}

static void check_text_names(const char *text, int64_t pid)
{
    char number[32];

    CHECK_CONTAINS(text, "worker 'PoolWorker-");
    snprintf(number, sizeof number, "(pid %lld)", (long long)pid);
    CHECK_CONTAINS(text, number);
}

/* ---- killed ----------------------------------------------------------------------------------- */

static void kill_in_an_item(int workers, size_t chunk, size_t from, size_t end)
{
    mproc_pool *pool = fixture_create(workers);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_map(&map, pool, board, sit_at_5, chunk);
    CHECK_AWAIT(&board->started, 1);
    os_kill(atomic_load(&board->pid));
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    check_text_names(map.text, atomic_load(&board->pid));
    CHECK_CONTAINS(map.text, os_killed_text());
    check_items(&map, from, end, MPROC_WORKER_LOST);
    check_restored(pool);
    free_map(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_worker_killed_in_an_item_loses_only_that(void)
{
    kill_in_an_item(3, 1, 5, 6);
}

static void case_a_worker_killed_in_a_chunk_loses_all_of_it(void)
{
    kill_in_an_item(3, 4, 4, 8);
}

static void case_the_only_worker_is_killed_in_an_item(void)
{
    kill_in_an_item(1, 1, 5, 6);
}

static void case_workers_killed_while_idle_are_replaced(void)
{
    mproc_pool *pool = fixture_create(3);
    int64_t pids[3];

    for (int round = 0; round < 10; round++) {
        check_restored(pool);
        CHECK_EQ(mproc_pool_pids(pool, pids, 3), 3);
        for (int i = 0; i <= round % 3; i++) os_kill(pids[i]);
    }
    check_restored(pool);
    mproc_pool_free(pool);
}

static void kill_all(const mproc_pool *pool)
{
    int64_t pids[3];

    CHECK_EQ(mproc_pool_pids(pool, pids, 3), 3);
    for (int i = 0; i < 3; i++) os_kill(pids[i]);
    CHECK_WAIT_UNTIL(fixture_all_gone, pids);
}

/* The first of all, and successors. */
static void case_workers_killed_while_they_start_are_replaced(void)
{
    for (int round = 0; round < check_many(20, 6); round++) {
        mproc_pool *pool = fixture_create(3);

        /* Where a kill leaves only an exit code, the first of all would be taken for a program without a guard. */
        if (os_killed_kind() == MPROC_EXIT_SIGNALLED) kill_all(pool);
        check_restored(pool);
        kill_all(pool);
        fixture_await_workers(pool);
        kill_all(pool);
        check_restored(pool);
        mproc_pool_free(pool);
    }
}

static void case_all_workers_are_killed_at_once(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();
    fixture_map map;
    int lost = 0;

    start_map(&map, pool, board, fixture_sit, 1);
    CHECK_AWAIT(&board->started, 3);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 3; i++) os_kill(atomic_load(&board->marks[i]));
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    for (int i = 0; i < COUNT; i++) {
        lost += map.options.statuses[i] == MPROC_WORKER_LOST;
        if (map.options.statuses[i] == MPROC_OK) CHECK_EQ(map.results[i], i * i);
        else CHECK_STATUS(map.options.statuses[i], MPROC_WORKER_LOST);
    }
    CHECK_EQ(lost, 3);
    check_restored(pool);
    free_map(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_worker_killed_after_close_is_replaced_for_the_rest(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_map(&map, pool, board, sit_at_5, 1);
    CHECK_AWAIT(&board->started, 1);
    mproc_pool_close(pool);
    os_kill(atomic_load(&board->pid));
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    check_items(&map, 5, 6, MPROC_WORKER_LOST);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    free_map(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_worker_killed_after_close_is_joined(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t pids[2];

    CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
    os_kill(pids[0]);
    mproc_pool_close(pool);
    os_kill(pids[1]);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

/* The first loss in the array's order, although the other came first in time. */
static mproc_status exit_at_7_and_late_at_2(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    *(int64_t *)result = own->value * own->value;
    if (own->value == 7) exit(7);
    if (own->value == 2) {
        check_pause_ms(30);
        exit(2);
    }
    return MPROC_OK;
}

static void case_the_first_loss_in_the_arrays_order_is_reported(void)
{
    mproc_pool *pool = fixture_create(4);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    start_map(&map, pool, board, exit_at_7_and_late_at_2, 1);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(map.text, "exit code 2 ");
    CHECK_CONTAINS(map.text, "chunk of item 2");
    CHECK_STATUS(map.options.statuses[7], MPROC_WORKER_LOST);
    free_map(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- ended by the task itself ----------------------------------------------------------------- */

static mproc_status exit_with_3(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    if (*(const int64_t *)item == 1) exit(3);
    return MPROC_OK;
}

static mproc_status exit_with_0(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    if (*(const int64_t *)item == 1) exit(0);
    return MPROC_OK;
}

static mproc_status call_abort(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    os_fault_as_usual();
    if (*(const int64_t *)item == 1) abort();
    return MPROC_OK;
}

/* Volatile, so that the compiler does not see what is about to happen. */
static volatile uintptr_t nowhere = 8;

static mproc_status write_to_nowhere(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    os_fault_as_usual();
    if (*(const int64_t *)item == 1) *(volatile int *)nowhere = 1;
    return MPROC_OK;
}

static void check_loss(mproc_item_function *function, const char *part)
{
    mproc_pool *pool = fixture_create(2);
    int64_t values[4] = {0, 1, 2, 3}, results[4];
    mproc_status statuses[4];

    CHECK_REFUSED(mproc_pool_map(pool, function, values, 8, results, 8, 4,
                                 &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                  MPROC_WORKER_LOST, part);
    CHECK_CONTAINS(mproc_last_error_text(), "worker 'PoolWorker-");
    CHECK_CONTAINS(mproc_last_error_text(), "while it computed the chunk of item 1");
    for (int i = 0; i < 4; i++) CHECK_STATUS(statuses[i], i == 1 ? MPROC_WORKER_LOST : MPROC_OK);
    check_restored(pool);
    mproc_pool_free(pool);
}

static void case_a_task_that_exits_says_its_code(void)
{
    check_loss(exit_with_3, "ended with exit code 3");
}

static void case_a_task_that_exits_with_0_is_lost_as_well(void)
{
    check_loss(exit_with_0, "ended with exit code 0");
}

static void case_a_task_that_aborts_says_so(void)
{
    check_loss(call_abort, os_aborted_text());
}

static void case_a_task_that_faults_says_so(void)
{
    check_loss(write_to_nowhere, "was ended by signal 11");
}

static mproc_status always_exit(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    exit(9);
}

static void case_a_map_ends_even_if_every_task_ends_its_worker(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t values[COUNT] = {0}, results[COUNT];
    mproc_status statuses[COUNT];

    CHECK_REFUSED(mproc_pool_map(pool, always_exit, values, 8, results, 8, COUNT,
                                 &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                  MPROC_WORKER_LOST, "chunk of item 0");
    for (int i = 0; i < COUNT; i++) CHECK_STATUS(statuses[i], MPROC_WORKER_LOST);
    check_restored(pool);
    mproc_pool_free(pool);
}

/* The function lies in a module that ends every worker that opens it: none of them gets as far as the function. */
static void case_a_map_ends_even_if_no_worker_survives_the_functions_module(void)
{
    mproc_item_function *function = (mproc_item_function *)os_open_function(POOL_MODULE, "pool_module_function");
    mproc_pool *pool;
    int64_t values[10] = {0}, results[10];
    mproc_status statuses[10];

    CHECK_BASELINE();
    os_set_variable("POOL_MODULE_EXITS", "1");
    pool = fixture_create(2);
    CHECK_REFUSED(mproc_pool_map(pool, function, values, 8, results, 8, 10,
                                 &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                  MPROC_WORKER_LOST, "while it computed the chunk of item 0");
    for (int i = 0; i < 10; i++) CHECK_STATUS(statuses[i], MPROC_WORKER_LOST);
    check_restored(pool);
    mproc_pool_free(pool);
}

static void case_a_function_of_another_module_is_found(void)
{
    mproc_item_function *function = (mproc_item_function *)os_open_function(POOL_MODULE, "pool_module_function");
    mproc_pool *pool;
    int64_t values[10], results[10];

    CHECK_BASELINE();
    pool = fixture_create(2);
    for (int i = 0; i < 10; i++) values[i] = i;
    CHECK_OK(mproc_pool_map(pool, function, values, 8, results, 8, 10, NULL));
    for (int i = 0; i < 10; i++) CHECK_EQ(results[i], 2 * i);
    mproc_pool_free(pool);
}

/* ---- many ------------------------------------------------------------------------------------- */

enum { KILLS = 100 };

/* Kills one worker or another at times that nobody knows. */
static void kill_at_random(void *context)
{
    mproc_pool *pool = context;
    uint32_t random = 12345;

    for (int i = 0; i < KILLS; i++) {
        int64_t pids[3];
        size_t count = mproc_pool_pids(pool, pids, 3);
        random = random * 1664525 + 1013904223;
        if (count > 0) os_kill(pids[(random >> 16) % count]);
        check_pause_ms((int)(random >> 24) % 8);
    }
}

static mproc_status square_slowly(const void *item, void *result, mproc_call *call)
{
    if (*(const int64_t *)item % 16 == 0) check_pause_ms(1);
    return fixture_square(item, result, call);
}

static void case_a_hundred_kills_lose_nothing_but_their_chunks(void)
{
    mproc_pool *pool = fixture_create(3);
    plat_thread *killer;
    int64_t values[200], results[200];
    mproc_status statuses[200];

    for (int i = 0; i < 200; i++) values[i] = i;
    check_restored(pool);
    CHECK_OK(plat_thread_start(kill_at_random, pool, &killer));
    for (int round = 0; round < 60; round++) {
        mproc_status status = mproc_pool_map(pool, square_slowly, values, 8, results, 8, 200,
                                             &(mproc_map_options){.chunk_size = 3, .statuses = statuses});
        CHECK(status == MPROC_OK || status == MPROC_WORKER_LOST);
        for (int i = 0; i < 200; i++) {
            if (statuses[i] == MPROC_OK) CHECK_EQ(results[i], i * i);
            else CHECK_STATUS(statuses[i], MPROC_WORKER_LOST);
        }
    }
    plat_thread_join(killer);
    fixture_check_squares(pool, 1000, 1);
    check_restored(pool);
    mproc_pool_free(pool);
}

static mproc_status dies_with_all_locks(const void *item, void *result, mproc_call *call)
{
    things all;

    (void)item;
    (void)result;
    MPROC_TRY(all_objects_unpack(call, &all));
    CHECK_OK(mproc_lock_acquire(all.lock, 0));
    CHECK_OK(mproc_rlock_acquire(all.rlock, 0));
    CHECK_OK(mproc_condition_acquire(all.condition, 0));
    CHECK_OK(mproc_shared_value_acquire(all.value, 0));
    CHECK_OK(mproc_shared_array_acquire(all.array, 0));
    os_kill(mproc_getpid());
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_locks_of_a_worker_that_was_killed_are_abandoned(void)
{
    mproc_pool *pool;
    int64_t value;
    things all;

    all_objects_create(&all);
    pool = fixture_create(1);
    CHECK_REFUSED(mproc_pool_map(pool, dies_with_all_locks, "x", 1, NULL, 0, 1,
                                 &(mproc_map_options){.args = ALL_OBJECTS_LIST(&all)}),
                  MPROC_WORKER_LOST, os_killed_text());
    CHECK_STATUS(mproc_lock_acquire(all.lock, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_rlock_acquire(all.rlock, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_condition_acquire(all.condition, MPROC_FOREVER), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_shared_value_get(all.value, &value, sizeof value), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_shared_array_get(all.array, 0, 1, &value), MPROC_OWNER_DIED);
    all_objects_free(&all);
    check_restored(pool);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_death, fixture_of_processes,
    CASE(a_worker_killed_in_an_item_loses_only_that),
    CASE(a_worker_killed_in_a_chunk_loses_all_of_it),
    CASE(the_only_worker_is_killed_in_an_item),
    CASE(workers_killed_while_idle_are_replaced),
    CASE_LIMIT(workers_killed_while_they_start_are_replaced, 60),
    CASE(all_workers_are_killed_at_once),
    CASE(a_worker_killed_after_close_is_replaced_for_the_rest),
    CASE(a_worker_killed_after_close_is_joined),
    CASE(the_first_loss_in_the_arrays_order_is_reported),
    CASE(a_task_that_exits_says_its_code),
    CASE(a_task_that_exits_with_0_is_lost_as_well),
    CASE(a_task_that_aborts_says_so),
    CASE(a_task_that_faults_says_so),
    CASE(a_map_ends_even_if_every_task_ends_its_worker),
    CASE(a_map_ends_even_if_no_worker_survives_the_functions_module),
    CASE(a_function_of_another_module_is_found),
    CASE_LIMIT(a_hundred_kills_lose_nothing_but_their_chunks, 60),
    CASE(locks_of_a_worker_that_was_killed_are_abandoned),
);
