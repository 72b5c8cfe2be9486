/* mproc/map.h, mproc/iterator.h: items that are begun again when they were lost with their worker. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/tasks_fixture.h"

enum { COUNT = 60 };

/* ---- maps over arrays -------------------------------------------------------------------------- */

/* An item ends its worker in its first attempts; so many are told by the board for each of its places. */
static mproc_status square_or_die(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);
    uint32_t before = atomic_fetch_add(&board->marks[own->value], 1);

    atomic_store(&board->statuses[own->value], mproc_call_attempt(call));
    if (before < atomic_load(&board->values[own->value])) tasks_end_worker();
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

static void start_map(fixture_map *map, mproc_pool *pool, const fixture_board *board, size_t chunk, int64_t retries)
{
    *map =
        (fixture_map){.pool = pool, .function = square_or_die, .items = fixture_items(board, COUNT), .count = COUNT};
    map->options.chunk_size = chunk;
    map->options.retries = retries;
    fixture_map_start(map);
}

static void check_items(const fixture_map *map, size_t lost)
{
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_STATUS(map->options.statuses[i], i == lost ? MPROC_WORKER_LOST : MPROC_OK);
        if (i != lost) CHECK_EQ(map->results[i], i * i);
    }
}

static void end_map(fixture_map *map)
{
    free(map->items);
    fixture_map_free(map);
}

/* Chunks of one item, of some, and one for all. */
static void case_items_that_were_lost_are_begun_again(void)
{
    static const size_t chunks[] = {1, 7, COUNT};
    mproc_pool *pool = fixture_create(3);

    for (int i = 0; i < 3; i++) {
        fixture_board *board = fixture_board_create();
        fixture_map map;

        atomic_store(&board->values[5], 1);
        atomic_store(&board->values[6], 1);
        atomic_store(&board->values[40], 2);
        start_map(&map, pool, board, chunks[i], 3);
        fixture_map_join(&map);
        CHECK_STATUS(map.status, MPROC_OK);
        check_items(&map, COUNT);
        CHECK(atomic_load(&board->statuses[5]) >= 2 && atomic_load(&board->statuses[40]) >= 3);
        end_map(&map);
        fixture_board_free(board);
    }
    fixture_check_squares(pool, 1000, 0);
    mproc_pool_free(pool);
}

/* Those beside it in its chunk are done. */
static void case_of_a_chunk_only_the_item_is_lost_that_ends_each_worker(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    atomic_store(&board->values[33], 1000);
    atomic_store(&board->values[50], 1);
    start_map(&map, pool, board, 20, 2);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, MPROC_WORKER_LOST);
    CHECK_CONTAINS(map.text, "while it computed the chunk of item 33");
    check_items(&map, 33);
    CHECK_EQ(atomic_load(&board->marks[33]), 3);
    CHECK_EQ(atomic_load(&board->marks[1]), 1);
    end_map(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status square_or_fail(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    if (own->value == 7 || own->value == 41) return mproc_error(MPROC_WORKER_LOST, "no stock of %d", (int)own->value);
    return square_or_die(item, result, call);
}

/* The first of all that fail is the map's failure, whenever that is known. */
static void case_items_that_fail_by_themselves_are_not_begun_again(void)
{
    for (int round = 0; round < 2; round++) {
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        fixture_map map;

        if (round) atomic_store(&board->values[3], 1000);
        atomic_store(&board->values[20], 1);
        map = (fixture_map){
            .pool = pool, .function = square_or_fail, .items = fixture_items(board, COUNT), .count = COUNT};
        map.options = (mproc_map_options){.chunk_size = 1, .retries = 1};
        fixture_map_start(&map);
        fixture_map_join(&map);
        CHECK_STATUS(map.status, MPROC_WORKER_LOST);
        CHECK_CONTAINS(map.text, round ? "while it computed the chunk of item 3" : "no stock of 7");
        CHECK_STATUS(map.options.statuses[7], MPROC_WORKER_LOST);
        CHECK_STATUS(map.options.statuses[20], MPROC_OK);
        CHECK_EQ(map.results[20], 400);
        CHECK_EQ(atomic_load(&board->marks[7]), 0);
        CHECK_EQ(atomic_load(&board->marks[3]), 1 + round);
        end_map(&map);
        fixture_board_free(board);
        mproc_pool_free(pool);
    }
}

/* A loss is a failure when it is the last. */
static void case_a_map_that_stops_at_a_failure_begins_lost_items_again_before(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map;

    for (int round = 0; round < 2; round++) {
        atomic_store(&board->values[5], round ? 1000 : 1);
        map = (fixture_map){
            .pool = pool, .function = square_or_die, .items = fixture_items(board, COUNT), .count = COUNT};
        map.options = (mproc_map_options){.chunk_size = 4, .retries = 1, .stop_at_failure = true};
        fixture_map_start(&map);
        fixture_map_join(&map);
        CHECK_STATUS(map.status, round ? MPROC_WORKER_LOST : MPROC_OK);
        if (round == 0) check_items(&map, COUNT);
        else CHECK_STATUS(map.options.statuses[5], MPROC_WORKER_LOST);
        for (size_t i = 8; i < COUNT; i++) CHECK_STATUS(map.options.statuses[i], MPROC_OK);
        end_map(&map);
        atomic_store(&board->marks[5], 0);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void note_progress(const mproc_progress *progress, void *context)
{
    uint64_t *last = context;

    CHECK(progress->done >= *last && progress->done <= progress->total);
    *last = progress->done;
}

/* They are done when they are done, and each counts once. */
static void case_a_map_tells_how_far_it_is_without_those_that_were_lost(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t results[COUNT];
    uint64_t done = 0;
    mproc_map_options options = {
        .chunk_size = 4, .retries = 2, .progress = note_progress, .progress_per_second = 1000, .context = &done};

    atomic_store(&board->values[2], 2);
    atomic_store(&board->values[59], 1000);
    CHECK_STATUS(mproc_map(pool, square_or_die, items, results, COUNT, &options), MPROC_WORKER_LOST);
    CHECK_EQ(done, COUNT);
    for (int i = 0; i < COUNT - 1; i++) CHECK_EQ(results[i], i * i);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Marks what it got; the chunk with item 5 ends its worker once. */
static mproc_status fill_or_die(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    fixture_board *board = fixture_board_at(((const fixture_item *)items)->board);
    const fixture_item *own = items;

    CHECK_EQ(own->value, first);
    CHECK_EQ(count, 10);
    CHECK_EQ(mproc_call_attempt(call), atomic_fetch_add(&board->marks[first], 1) + 1);
    if (atomic_load(&board->marks[first]) <= atomic_load(&board->values[first])) tasks_end_worker();
    for (size_t i = 0; i < count; i++) ((int64_t *)results)[i] = own[i].value * own[i].value;
    return MPROC_OK;
}

static void case_a_range_that_was_lost_is_begun_again_as_it_was(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t results[COUNT];

    atomic_store(&board->values[0], 2);
    atomic_store(&board->values[40], 1);
    CHECK_OK(mproc_map_range(pool, fill_or_die, items, results, COUNT,
                             (&(mproc_map_options){.chunk_size = 10, .retries = 2})));
    for (int i = 0; i < COUNT; i++) CHECK_EQ(results[i], i * i);
    CHECK_EQ(atomic_load(&board->marks[0]), 3);
    CHECK_EQ(atomic_load(&board->marks[40]), 2);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Items are copied in windows of 2 MiB; a lost one is in the first of several, and one in the last. */
static mproc_status last_of_large(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    if (mproc_call_attempt(call) == 1 && own->value % 100 == 17) tasks_end_worker();
    memcpy(result, item, sizeof *own);
    ((fixture_item *)result)->board = (uint64_t)mproc_call_attempt(call);
    return MPROC_OK;
}

static void case_items_of_each_window_are_begun_again(void)
{
    enum { LARGE = 65536, MANY = 130 };
    unsigned char *items = calloc(MANY, LARGE), *results = calloc(MANY, LARGE);
    mproc_pool *pool = fixture_create(2);

    CHECK(items != NULL && results != NULL);
    for (int i = 0; i < MANY; i++) ((fixture_item *)(void *)(items + (size_t)i * LARGE))->value = i;
    CHECK_OK(mproc_pool_map(pool, last_of_large, items, LARGE, results, LARGE, MANY,
                            &(mproc_map_options){.chunk_size = 1, .retries = 1}));
    for (int i = 0; i < MANY; i++) {
        const fixture_item *result = (const fixture_item *)(const void *)(results + (size_t)i * LARGE);
        CHECK_EQ(result->value, i);
        CHECK_EQ(result->board, i % 100 == 17 ? 2 : 1);
    }
    free(items);
    free(results);
    mproc_pool_free(pool);
}

/* Without arguments that would tell: what is written in place tells it. */
static mproc_status count_in_place(const void *item, void *result, mproc_call *call)
{
    int64_t *own = result;

    (void)item;
    if (++*own == 1 && mproc_call_attempt(call) == 1) tasks_end_worker();
    return MPROC_OK;
}

static void case_in_shared_memory_items_find_what_they_have_written(void)
{
    mproc_shared_array *numbers = NULL;
    mproc_pool *pool = fixture_create(2);
    int64_t *at;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), COUNT, NULL, NULL, &numbers));
    at = mproc_shared_array_data(numbers);
    for (int i = 0; i < COUNT; i++) at[i] = i % 20 == 3 ? 0 : 7;
    CHECK_OK(mproc_map(pool, count_in_place, NULL, at, COUNT, (&(mproc_map_options){.chunk_size = 1, .retries = 1})));
    for (int i = 0; i < COUNT; i++) CHECK_EQ(at[i], i % 20 == 3 ? 2 : 8);
    mproc_shared_array_free(numbers);
    mproc_pool_free(pool);
}

static void case_items_of_a_map_that_nobody_waits_for_are_begun_again(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t results[COUNT];
    mproc_result *result = NULL;

    atomic_store(&board->values[9], 2);
    CHECK_OK(mproc_map_async(pool, square_or_die, items, results, COUNT,
                             (&(mproc_map_options){.chunk_size = 5, .retries = 2}), &result));
    CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
    CHECK_EQ(mproc_result_attempts(result), 1);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(results[i], i * i);
    CHECK_EQ(atomic_load(&board->marks[9]), 3);
    mproc_result_free(result);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Those that run again are given up like others. */
static mproc_status stay_in_second_attempt(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    if (own->value == 5 && mproc_call_attempt(call) == 1) tasks_end_worker();
    *(int64_t *)result = own->value * own->value;
    if (own->value != 5) return MPROC_OK;
    atomic_fetch_add(&board->started, 1);
    while (!mproc_call_stop_requested(call)) check_pause_ms(1);
    return MPROC_INTERRUPTED;
}

static void case_a_map_is_stopped_while_lost_items_are_begun_again(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t results[COUNT];
    mproc_status statuses[COUNT];
    mproc_map_options options = {.chunk_size = 4, .retries = 3, .statuses = statuses};
    mproc_result *result = NULL;

    CHECK_OK(mproc_map_async(pool, stay_in_second_attempt, items, results, COUNT, &options, &result));
    CHECK_AWAIT(&board->started, 1);
    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    CHECK_LOST(result, MPROC_CANCELLED, "the map was stopped");
    for (int i = 0; i < COUNT; i++) {
        if (i / 4 == 1) CHECK(statuses[i] == MPROC_CANCELLED || (i != 5 && statuses[i] == MPROC_OK));
        else CHECK_STATUS(statuses[i], MPROC_OK);
        if (statuses[i] == MPROC_OK) CHECK_EQ(results[i], i * i);
    }
    fixture_check_squares(pool, 1000, 0);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- maps over values, iterators ---------------------------------------------------------------- */

static void make_values(mproc_value *items, mproc_value (*triples)[3], const fixture_board *board)
{
    for (int i = 0; i < COUNT; i++) {
        triples[i][0] = mproc_uint(fixture_board_offset(board));
        triples[i][1] = mproc_int(i);
        triples[i][2] = mproc_int(i == 41 ? 1000 : i % 20 == 7);
        items[i] = mproc_list_from(triples[i], 3);
    }
}

static void check_values(mproc_value *values, const mproc_status *statuses)
{
    for (int i = 0; i < COUNT; i++) {
        CHECK_STATUS(statuses[i], i == 41 ? MPROC_WORKER_LOST : MPROC_OK);
        if (i != 41) CHECK_EQ(mproc_value_int(values[i]), i);
        mproc_value_clear(&values[i]);
    }
}

static void case_values_of_a_map_that_were_lost_are_begun_again(void)
{
    mproc_value items[COUNT], triples[COUNT][3], values[COUNT];
    mproc_status statuses[COUNT];
    mproc_values_options options = {.unpack = true, .statuses = statuses, .retries = 1};
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();

    make_values(items, triples, board);
    CHECK_REFUSED(mproc_pool_map_values(pool, tasks_die_at_first, items, COUNT, values, &options), MPROC_WORKER_LOST,
                  "which was begun 2 times");
    check_values(values, statuses);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(atomic_load(&board->marks[i]), i % 20 == 7 || i == 41 ? 2 : 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_values_of_a_map_that_nobody_waits_for_are_begun_again(void)
{
    mproc_value items[COUNT], triples[COUNT][3];
    mproc_status statuses[COUNT];
    mproc_values_options options = {.unpack = true, .statuses = statuses, .retries = 2};
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *result = NULL;

    make_values(items, triples, board);
    CHECK_OK(mproc_pool_map_values_async(pool, tasks_die_at_first, items, COUNT, &options, &result));
    CHECK_LOST(result, MPROC_WORKER_LOST, "which was begun 3 times");
    for (int i = 0; i < COUNT; i++) CHECK_STATUS(statuses[i], i == 41 ? MPROC_WORKER_LOST : MPROC_OK);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

struct source {
    mproc_value *items;
    int at;
};

static mproc_status next_item(void *context, mproc_value *item)
{
    struct source *source = context;

    if (source->at == COUNT) return MPROC_END;
    *item = source->items[source->at++];
    return MPROC_OK;
}

/* In its order; those behind it come all the same. */
static void case_items_of_an_iterator_that_were_lost_are_begun_again(void)
{
    for (int round = 0; round < 2; round++) {
        mproc_value items[COUNT], triples[COUNT][3], value;
        mproc_iterator_options options = {.unpack = true, .unordered = round == 1, .retries = 1};
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        struct source source = {items, 0};
        mproc_iterator *iterator = NULL;
        int lost = 0;

        make_values(items, triples, board);
        CHECK_OK(mproc_pool_imap(pool, tasks_die_at_first, next_item, &source, &options, &iterator));
        for (int i = 0; i < COUNT; i++) {
            mproc_status status = mproc_iterator_next(iterator, &value, MPROC_FOREVER);
            if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
            if (status != MPROC_OK) lost++;
            else if (round == 0) CHECK_EQ(mproc_value_int(value), i);
        }
        CHECK_EQ(lost, 1);
        CHECK_STATUS(mproc_iterator_next(iterator, &value, 0), MPROC_END);
        mproc_iterator_free(iterator);
        fixture_board_free(board);
        mproc_pool_free(pool);
    }
}

/* ---- what cannot be ---------------------------------------------------------------------------- */

static void case_numbers_of_attempts_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_value item = mproc_int(1), value;
    mproc_status statuses[1] = {MPROC_OK};
    mproc_map_options map = {.retries = 101, .statuses = statuses};
    mproc_values_options values = {.retries = -1, .statuses = statuses};
    mproc_result *result = NULL;
    mproc_iterator *iterator = NULL;
    struct source source = {&item, 0};
    int64_t number = 3, squared;

    CHECK_REFUSED(mproc_map(pool, fixture_square, &number, &squared, 1, &map), MPROC_INVALID, "100 the most");
    CHECK_STATUS(statuses[0], MPROC_INVALID);
    CHECK_STATUS(mproc_map_async(pool, fixture_square, &number, &squared, 1, &map, &result), MPROC_INVALID);
    statuses[0] = MPROC_OK;
    CHECK_STATUS(mproc_pool_map_values(pool, tasks_square, &item, 1, &value, &values), MPROC_INVALID);
    CHECK_STATUS(statuses[0], MPROC_INVALID);
    CHECK_STATUS(mproc_pool_map_values_async(pool, tasks_square, &item, 1, &values, &result), MPROC_INVALID);
    CHECK_STATUS(
        mproc_pool_imap(pool, tasks_square, next_item, &source, &(mproc_iterator_options){.retries = 101}, &iterator),
        MPROC_INVALID);
    CHECK(result == NULL && iterator == NULL);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_retried_maps, fixture_of_processes, pool_retried_maps_threads, fixture_of_threads,
    CASE(items_that_were_lost_are_begun_again),
    CASE(of_a_chunk_only_the_item_is_lost_that_ends_each_worker),
    CASE(items_that_fail_by_themselves_are_not_begun_again),
    CASE(a_map_that_stops_at_a_failure_begins_lost_items_again_before),
    CASE(a_map_tells_how_far_it_is_without_those_that_were_lost),
    CASE(a_range_that_was_lost_is_begun_again_as_it_was),
    CASE(items_of_each_window_are_begun_again),
    CASE(in_shared_memory_items_find_what_they_have_written),
    CASE(items_of_a_map_that_nobody_waits_for_are_begun_again),
    CASE(a_map_is_stopped_while_lost_items_are_begun_again),
    CASE(values_of_a_map_that_were_lost_are_begun_again),
    CASE(values_of_a_map_that_nobody_waits_for_are_begun_again),
    CASE(items_of_an_iterator_that_were_lost_are_begun_again),
    CASE(numbers_of_attempts_that_cannot_be_are_refused),
);
