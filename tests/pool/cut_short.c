/* mproc/pool.h: maps that are ended before they are done: what is not begun any more, and what was done. */
#include <stdlib.h>

#include "pool/pool.h"
#include "pool/waiting_fixture.h"

/* Items of the first window, with chunks of one; and so many that there is a second. */
enum { FIRST_WINDOW = 65536, ITEMS = 2 * FIRST_WINDOW };

/* The first item waits until it may end; those of the second window count themselves, and take their time. */
static mproc_status stay_or_count(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    if (own->value == 0) CHECK_AWAIT(&board->go, 1);
    if (own->value >= FIRST_WINDOW) {
        atomic_fetch_add(&board->count, 1);
        check_pause_ms(1);
    }
    *(int64_t *)result = own->value;
    return MPROC_OK;
}

static void await_rest(fixture_board *board)
{
    uint32_t seen = 0;

    for (int still = 0; still < 20; still++) {
        uint32_t now = atomic_load(&board->count);
        if (now != seen) still = 0;
        seen = now;
        check_pause_ms(5);
    }
}

static void check_nothing_is_begun(bool terminates, mproc_status status)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map = {.pool = pool, .function = stay_or_count, .items = fixture_items(board, ITEMS), .count = ITEMS};

    map.options.chunk_size = 1;
    fixture_map_start(&map);
    CHECK_AWAIT(&board->count, 3);
    if (terminates) mproc_pool_terminate(pool);
    else mproc_interrupt();
    await_rest(board);
    atomic_store(&board->go, 1);
    fixture_map_join(&map);
    CHECK_STATUS(map.status, status);
    CHECK(atomic_load(&board->count) < FIRST_WINDOW);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_terminate_ends_both_windows(void)
{
    check_nothing_is_begun(true, MPROC_TERMINATED);
}

static void case_interrupt_ends_both_windows(void)
{
    check_nothing_is_begun(false, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
}

/* ---- what was done ---------------------------------------------------------------------------- */

enum { SOME = 1000 };

/* The first item waits until it may end. */
static mproc_status stay_or_square(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    *(int64_t *)result = own->value * own->value;
    atomic_fetch_add(&board->count, 1);
    if (own->value == 0) CHECK_AWAIT(&board->go, 1);
    return MPROC_OK;
}

static bool is_given_up(void *context)
{
    struct pool_shared *shared = ((mproc_pool *)context)->shared;

    const struct pool_job *job = pool_job_at(shared, POOL_TASKS + 1);

    return job && atomic_load(&job->map.given_up[0]) + atomic_load(&job->map.given_up[1]) > 0;
}

/* Returns the map's status. If workers use the caller's arrays, it comes back only when the first item is done. */
static mproc_status cut(fixture_map *map, fixture_board *board, bool in_place, bool terminates)
{
    map->options.chunk_size = 1;
    fixture_map_start(map);
    CHECK_AWAIT(&board->count, SOME);
    if (terminates) mproc_pool_terminate(map->pool);
    else mproc_interrupt();
    if (in_place) {
        CHECK_WAIT_UNTIL(is_given_up, map->pool);
        atomic_store(&board->go, 1);
    }
    fixture_map_join(map);
    atomic_store(&board->go, 1);
    return map->status;
}

static void check_done(const fixture_map *map, mproc_status first)
{
    CHECK_STATUS(map->options.statuses[0], first);
    for (size_t i = 1; i < SOME; i++) {
        CHECK_STATUS(map->options.statuses[i], MPROC_OK);
        CHECK_EQ(map->results[i], i * i);
    }
}

static void check_what_was_done(bool terminates, mproc_status status)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_map map = {.pool = pool, .function = stay_or_square, .items = fixture_items(board, SOME), .count = SOME};

    CHECK_STATUS(cut(&map, board, fixture_is_threads(), terminates), status);
    check_done(&map, fixture_is_threads() ? MPROC_OK : status);
    free(map.items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_items_that_were_done_are_ok_after_an_interrupt(void)
{
    check_what_was_done(false, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
}

static void case_items_that_were_done_are_ok_after_terminate(void)
{
    check_what_was_done(true, MPROC_TERMINATED);
}

/* Items in shared memory are used in place by processes, too; all of them are done when the map comes back. */
static void case_items_in_shared_memory_that_were_done_are_ok(void)
{
    mproc_pool *pool = waiting_pool(2, MPROC_FOREVER);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, SOME);
    fixture_map map = {.pool = pool, .function = stay_or_square, .count = SOME};
    mproc_shared_array *array;

    CHECK_OK(mproc_shared_array_create(sizeof *items, SOME, NULL, NULL, &array));
    map.items = mproc_shared_array_data(array);
    memcpy(map.items, items, SOME * sizeof *items);
    CHECK_STATUS(cut(&map, board, true, false), MPROC_INTERRUPTED);
    check_done(&map, MPROC_OK);
    CHECK(mproc_interrupted());
    mproc_shared_array_free(array);
    free(items);
    fixture_map_free(&map);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_cut_short, fixture_of_threads,
    CASE(terminate_ends_both_windows),
    CASE(interrupt_ends_both_windows),
);

CHECK_TWINS(pool_given_up, fixture_of_processes, pool_given_up_threads, fixture_of_threads,
    CASE(items_that_were_done_are_ok_after_an_interrupt),
    CASE(items_that_were_done_are_ok_after_terminate),
    CASE(items_in_shared_memory_that_were_done_are_ok),
);
