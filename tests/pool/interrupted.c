/* mproc/map.h, pool.h, iterator.h: items and tasks whose caller was interrupted, or has given them up. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/waiting_fixture.h"

/* The map that runs in a thread of its own ends with this. */
static void interrupt(fixture_map *map)
{
    mproc_interrupt();
    fixture_map_join(map);
    CHECK(mproc_interrupted());
    CHECK_STATUS(map->status, MPROC_INTERRUPTED);
    for (size_t i = 0; i < map->count; i++)
        if (map->options.statuses[i] != MPROC_OK) CHECK_STATUS(map->options.statuses[i], MPROC_INTERRUPTED);
}

static void free_map(fixture_map *map)
{
    free(map->items);
    fixture_map_free(map);
}

/* ---- maps ------------------------------------------------------------------------------------- */

/* Sleeps for ever, and says how that has ended. */
static mproc_status sleep_over_item(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);
    mproc_status status;

    (void)result;
    atomic_fetch_add(&board->started, 1);
    status = mproc_sleep_ms(WAITING_MINUTES);
    atomic_store(&board->statuses[own->value], (int32_t)status);
    atomic_store(&board->values[own->value], mproc_call_stop_requested(call) + 2 * mproc_interrupted());
    atomic_fetch_add(&board->done, 1);
    return status;
}

static void case_an_interrupt_ends_what_items_wait_for_and_begins_no_others(void)
{
    mproc_pool *pool = waiting_pool(2, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    fixture_map_begin(&map, pool, sleep_over_item, board, 20);
    CHECK_AWAIT(&board->started, 2);
    interrupt(&map);
    CHECK_AWAIT(&board->done, 2);
    fixture_check_squares(pool, 100, 1);
    CHECK_EQ(atomic_load(&board->started), 2);
    for (int i = 0; i < 20; i++) {
        CHECK_STATUS(map.options.statuses[i], MPROC_INTERRUPTED);
        if (atomic_load(&board->values[i]) != 0) waiting_check(board, i);
    }
    free_map(&map);
    waiting_end(pool, board);
}

/* The first item goes on until it is told to stop. */
static mproc_status first_until_told(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    if (own->value > 0) atomic_fetch_add(&board->count, 1);
    else atomic_fetch_add(&board->started, 1);
    while (own->value == 0 && !mproc_call_stop_requested(call)) check_pause_ms(1);
    *(int64_t *)result = own->value * own->value + 1;
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

static void case_items_behind_it_in_the_chunk_of_an_item_that_stops_are_not_begun(void)
{
    mproc_pool *pool = waiting_pool(1, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();
    fixture_map map = {.pool = pool, .function = first_until_told, .items = fixture_items(board, 100), .count = 100};

    map.options.chunk_size = 100;
    fixture_map_start(&map);
    CHECK_AWAIT(&board->started, 1);
    interrupt(&map);
    CHECK_AWAIT(&board->done, 1);
    fixture_check_squares(pool, 100, 1); /* by the same worker: what it had is behind it */
    CHECK_EQ(atomic_load(&board->done), 1);
    CHECK_EQ(atomic_load(&board->count), 0);
    if (fixture_is_threads()) CHECK_STATUS(map.options.statuses[0], MPROC_OK);
    if (map.options.statuses[0] == MPROC_OK) CHECK_EQ(map.results[0], 1);
    for (int i = 1; i < 100; i++) CHECK_STATUS(map.options.statuses[i], MPROC_INTERRUPTED);
    free_map(&map);
    waiting_end(pool, board);
}

static mproc_status range_until_told(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    const fixture_item *own = items;
    fixture_board *board = fixture_board_at(own->board);
    int64_t *sums = results;

    atomic_fetch_add(&board->started, 1);
    while (!mproc_call_stop_requested(call)) check_pause_ms(1);
    for (size_t i = 0; i < count; i++) sums[i] = (int64_t)(first + i) * 3;
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

static void map_a_range(void *context)
{
    fixture_map *map = context;

    map->status = mproc_map_range(map->pool, range_until_told, map->items, map->results, map->count, &map->options);
}

/* A function of ranges is asked as others are; what it has done all the same is done. */
static void case_a_function_of_ranges_is_told_to_stop(void)
{
    mproc_pool *pool = waiting_pool(2, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();
    mproc_status statuses[100];
    int64_t results[100];
    fixture_map map = {.pool = pool, .items = fixture_items(board, 100), .results = results, .count = 100};

    map.options.chunk_size = 10;
    map.options.statuses = statuses;
    CHECK_OK(plat_thread_start(map_a_range, &map, &map.thread));
    CHECK_AWAIT(&board->started, 2);
    interrupt(&map);
    CHECK_AWAIT(&board->done, 2);
    fixture_check_squares(pool, 100, 1);
    CHECK_EQ(atomic_load(&board->started), 2);
    for (int i = 0, done = 0; i < 100; i++) {
        if (statuses[i] == MPROC_OK) CHECK_EQ(results[i], i * 3);
        CHECK((done += statuses[i] == MPROC_OK) <= 20);
        if (i == 99 && fixture_is_threads()) CHECK_EQ(done, 20);
    }
    free(map.items);
    waiting_end(pool, board);
}

/* Also if the last item comes to its end before the map knows that its pool was terminated. */
static void case_a_map_in_a_terminated_pool_says_so_when_its_last_item_stops(void)
{
    for (int round = 0; round < 20; round++) {
        mproc_pool *pool = waiting_pool(1, WAITING_MINUTES);
        fixture_board *board = fixture_board_create();
        fixture_map map = {.pool = pool, .function = first_until_told, .items = fixture_items(board, 2), .count = 2};

        map.options.chunk_size = 2;
        fixture_map_start(&map);
        CHECK_AWAIT(&board->started, 1);
        mproc_pool_terminate(pool);
        fixture_map_join(&map);
        CHECK_STATUS(map.status, MPROC_TERMINATED);
        CHECK_STATUS(map.options.statuses[1], MPROC_TERMINATED);
        if (map.options.statuses[0] != MPROC_OK) CHECK_STATUS(map.options.statuses[0], MPROC_TERMINATED);
        CHECK_EQ(atomic_load(&board->count), 0);
        free_map(&map);
        waiting_end(pool, board);
    }
}

/* ---- tasks ------------------------------------------------------------------------------------ */

struct interrupter {
    fixture_board *board;
    uint32_t started;
};

static void interrupt_when_started(void *context)
{
    const struct interrupter *own = context;

    CHECK_AWAIT(&own->board->started, own->started);
    mproc_interrupt();
}

static void apply_interrupted(mproc_pool *pool, mproc_function *function, fixture_board *board)
{
    struct interrupter own = {board, atomic_load(&board->started) + 1};
    plat_thread *thread;

    CHECK_OK(plat_thread_start(interrupt_when_started, &own, &thread));
    CHECK_REFUSED(mproc_pool_apply(pool, function, MPROC_ARGS(fixture_board_offset(board), 1), NULL),
                  MPROC_INTERRUPTED, "the wait for a task was interrupted; the task is to stop");
    plat_thread_join(thread);
}

static void case_the_task_of_an_interrupted_apply_is_told_to_stop(void)
{
    mproc_pool *pool = waiting_pool(1, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();

    for (uint32_t i = 0; i < 5; i++) {
        apply_interrupted(pool, waiting_sleep, board);
        CHECK_AWAIT(&board->done, i + 1);
        CHECK_EQ(tasks_take_int(tasks_submit(pool, waiting_innocent, board, 4)), 4);
    }
    waiting_end(pool, board);
}

static mproc_status next_item(void *context, mproc_value *item)
{
    *item = mproc_list_from(context, 2);
    return MPROC_OK;
}

static mproc_iterator *iterate(mproc_pool *pool, mproc_function *function, const mproc_value *item)
{
    mproc_iterator_options options = {.unpack = true, .in_flight = 6};
    mproc_iterator *iterator = NULL;

    CHECK_OK(mproc_pool_imap(pool, function, next_item, (void *)item, &options, &iterator));
    CHECK_STATUS(mproc_iterator_next(iterator, NULL, 0), MPROC_TIMEOUT);
    return iterator;
}

static void case_items_in_flight_are_told_to_stop_when_their_iterator_is_freed(void)
{
    mproc_pool *pool = waiting_pool(2, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();
    mproc_value item[2] = {mproc_int((int64_t)fixture_board_offset(board)), mproc_int(1)};

    for (uint32_t i = 0; i < 3; i++) {
        mproc_iterator *iterator = iterate(pool, waiting_sleep, item);
        CHECK_AWAIT(&board->started, 2 * i + 2);
        mproc_iterator_free(iterator);
        CHECK_AWAIT(&board->done, 2 * i + 2);
        tasks_check_pool(pool);
        CHECK_EQ(atomic_load(&board->started), 2 * i + 2);
    }
    waiting_end(pool, board);
}

static void case_items_of_an_interrupted_map_over_values_are_told_to_stop(void)
{
    mproc_pool *pool = waiting_pool(2, WAITING_MINUTES);
    fixture_board *board = fixture_board_create();
    struct interrupter own = {board, 2};
    mproc_value arguments[2] = {mproc_int((int64_t)fixture_board_offset(board)), mproc_int(1)}, items[6];
    mproc_status statuses[6];
    plat_thread *thread;

    for (int i = 0; i < 6; i++) items[i] = mproc_list_from(arguments, 2);
    CHECK_OK(plat_thread_start(interrupt_when_started, &own, &thread));
    CHECK_STATUS(mproc_pool_map_values(pool, waiting_sleep, items, 6, NULL,
                                       &(mproc_values_options){.unpack = true, .statuses = statuses}),
                 MPROC_INTERRUPTED);
    plat_thread_join(thread);
    CHECK_AWAIT(&board->done, 2);
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->started), 2);
    for (int i = 0; i < 6; i++) CHECK_STATUS(statuses[i], MPROC_INTERRUPTED);
    waiting_end(pool, board);
}

/* ---- what does not stop ------------------------------------------------------------------------- */

/* The first item goes on until the board says go, and tells its worker. */
static mproc_status first_stays(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    *(int64_t *)result = own->value * own->value;
    if (own->value > 0) {
        atomic_fetch_add(&board->count, 1);
        return MPROC_OK;
    }
    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    while (!atomic_load(&board->go)) check_pause_ms(1);
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

/* Others go on meanwhile, and so does what comes next. */
static void case_a_worker_that_does_not_come_back_from_a_map_is_replaced(void)
{
    mproc_pool *pool = waiting_pool(2, 20);
    fixture_board *board = fixture_board_create();

    for (int round = 0; round < 3; round++) {
        fixture_map map;
        atomic_store(&board->count, 0);
        fixture_map_begin(&map, pool, first_stays, board, 500);
        CHECK_AWAIT(&board->started, (uint32_t)round + 1);
        CHECK_AWAIT(&board->count, 499);
        interrupt(&map);
        fixture_check_squares(pool, 1000, 1);
        tasks_check_pool(pool);
        waiting_await_successor(pool, atomic_load(&board->pid));
        CHECK_STATUS(map.options.statuses[0], MPROC_INTERRUPTED);
        for (int i = 1; i < 500; i++) CHECK_STATUS(map.options.statuses[i], MPROC_OK);
        for (int i = 1; i < 500; i++) CHECK_EQ(map.results[i], i * i);
        CHECK_EQ(atomic_load(&board->done), 0);
        free_map(&map);
    }
    waiting_end(pool, board);
}

static void case_a_worker_that_has_all_the_time_is_not_replaced(void)
{
    mproc_pool *pool = waiting_pool(2, MPROC_FOREVER);
    fixture_board *board = fixture_board_create();
    fixture_map map;
    int64_t pids[2], now[2];

    CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
    fixture_map_begin(&map, pool, first_stays, board, 500);
    CHECK_AWAIT(&board->started, 1);
    interrupt(&map);
    check_pause_ms(70);
    apply_interrupted(pool, waiting_stay, board);
    check_pause_ms(20);
    CHECK_EQ(atomic_load(&board->done), 0);
    atomic_store(&board->go, 1);
    CHECK_AWAIT(&board->done, 2);
    CHECK_EQ(mproc_pool_pids(pool, now, 2), 2);
    CHECK(now[0] == pids[0] && now[1] == pids[1]);
    free_map(&map);
    waiting_end(pool, board);
}

static void case_a_worker_that_does_not_come_back_from_a_task_is_replaced(void)
{
    mproc_pool *pool = waiting_pool(1, 10);
    fixture_board *board = fixture_board_create();
    mproc_value item[2] = {mproc_int((int64_t)fixture_board_offset(board)), mproc_int(1)};
    mproc_iterator *iterator;

    apply_interrupted(pool, waiting_stay, board);
    waiting_await_successor(pool, atomic_load(&board->pid));
    tasks_check_pool(pool);
    iterator = iterate(pool, waiting_stay, item);
    CHECK_AWAIT(&board->started, 2);
    mproc_iterator_free(iterator);
    waiting_await_successor(pool, atomic_load(&board->pid));
    tasks_check_pool(pool);
    CHECK_EQ(atomic_load(&board->done), 0);
    waiting_end(pool, board);
}

/* ---- in the caller's arrays ----------------------------------------------------------------------- */

/* Writes again and again what is another each time. */
static mproc_status write_for_ever(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);
    _Atomic int64_t *written = result;

    (void)call;
    atomic_fetch_add(&board->started, 1);
    while (!atomic_load(&board->go)) atomic_fetch_add(written, 1);
    return MPROC_OK;
}

static void interrupt_when_two(void *context)
{
    CHECK_AWAIT(&((fixture_board *)context)->started, 2);
    mproc_interrupt();
}

/* When the map has returned, the memory is the caller's: whoever still worked in it is ended before. */
static void case_nothing_is_written_into_a_shared_array_after_an_interrupted_map(void)
{
    enum { COUNT = 40 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t before[COUNT];
    mproc_status statuses[COUNT];
    mproc_shared_array *array;
    plat_thread *thread;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), COUNT, NULL, NULL, &array));
    for (int round = 0; round < 2; round++) {
        atomic_store(&board->started, 0);
        CHECK_OK(plat_thread_start(interrupt_when_two, board, &thread));
        CHECK_STATUS(mproc_pool_map(pool, write_for_ever, items, sizeof *items, mproc_shared_array_data(array),
                                    sizeof(int64_t), COUNT,
                                    &(mproc_map_options){.chunk_size = 1, .statuses = statuses}),
                     MPROC_INTERRUPTED);
        memcpy(before, mproc_shared_array_data(array), sizeof before);
        plat_thread_join(thread);
        check_pause_ms(20);
        CHECK(memcmp(before, mproc_shared_array_data(array), sizeof before) == 0);
        for (int i = 0; i < COUNT; i++) CHECK_STATUS(statuses[i], MPROC_INTERRUPTED);
        CHECK_EQ(atomic_load(&board->started), 2);
        fixture_check_squares(pool, 1000, 1);
        CHECK_EQ(mproc_pool_pids(pool, NULL, 0), 2);
    }
    mproc_shared_array_free(array);
    free(items);
    waiting_end(pool, board);
}

/* ---- beside others -------------------------------------------------------------------------------- */

static mproc_status innocent_item(const void *item, void *result, mproc_call *call)
{
    if (mproc_call_stop_requested(call)) return mproc_error(MPROC_USER, "it was asked to stop");
    return fixture_square(item, result, call);
}

/* What others are in, or begin next, is neither ended nor asked to stop, whatever is given up beside it. */
static void case_what_is_given_up_harms_nothing_else(void)
{
    enum { TASKS = 20, ITEMS = 200 };
    mproc_pool *pool = waiting_pool(3, 1);
    fixture_board *board = fixture_board_create();
    int rounds = check_many(40, 8);
    int64_t numbers[ITEMS], squares[ITEMS];

    for (int i = 0; i < ITEMS; i++) numbers[i] = i;
    for (int round = 0; round < rounds; round++) {
        mproc_value item[2] = {mproc_int((int64_t)fixture_board_offset(board)), mproc_int(1)};
        mproc_iterator *iterator;
        mproc_result *results[TASKS];
        atomic_store(&board->started, 0);
        iterator = iterate(pool, fixture_is_threads() || round % 2 ? waiting_sleep : waiting_stay, item);
        CHECK_AWAIT(&board->started, 1);
        for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, waiting_innocent, board, i);
        if (round % 3 == 0) check_pause_ms(1);
        mproc_iterator_free(iterator);
        CHECK_OK(mproc_map(pool, innocent_item, numbers, squares, ITEMS, &(mproc_map_options){.chunk_size = 1}));
        for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
        for (int i = 0; i < ITEMS; i++) CHECK_EQ(squares[i], i * i);
    }
    waiting_end(pool, board);
}

CHECK_TWINS(pool_interrupted, fixture_of_processes, pool_interrupted_threads, fixture_of_threads,
    CASE(an_interrupt_ends_what_items_wait_for_and_begins_no_others),
    CASE(items_behind_it_in_the_chunk_of_an_item_that_stops_are_not_begun),
    CASE(a_function_of_ranges_is_told_to_stop),
    CASE(a_map_in_a_terminated_pool_says_so_when_its_last_item_stops),
    CASE(the_task_of_an_interrupted_apply_is_told_to_stop),
    CASE(items_in_flight_are_told_to_stop_when_their_iterator_is_freed),
    CASE(items_of_an_interrupted_map_over_values_are_told_to_stop),
    CASE(what_is_given_up_harms_nothing_else),
);

CHECK_SUITE_SETUP(pool_interrupted_processes, fixture_of_processes,
    CASE(a_worker_that_does_not_come_back_from_a_map_is_replaced),
    CASE(a_worker_that_has_all_the_time_is_not_replaced),
    CASE(a_worker_that_does_not_come_back_from_a_task_is_replaced),
    CASE(nothing_is_written_into_a_shared_array_after_an_interrupted_map),
);
