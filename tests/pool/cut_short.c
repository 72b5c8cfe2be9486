/* mproc/pool.h: maps in place that are ended while workers are in both of their windows. */
#include <stdlib.h>

#include "crew.h"

/* Items of the first window, with chunks of one; and so many that there is a second. */
enum { FIRST_WINDOW = 65536, ITEMS = 2 * FIRST_WINDOW };

/* The first item waits until it may end; those of the second window count themselves, and take their time. */
static mproc_status stay_or_count(const void *item, void *result, mproc_call *call)
{
    const crew_item *own = item;
    crew_board *board = crew_board_of(own);

    (void)call;
    if (own->value == 0) crew_await(&board->go, 1);
    if (own->value >= FIRST_WINDOW) {
        atomic_fetch_add(&board->count, 1);
        check_pause_ms(1);
    }
    *(int64_t *)result = own->value;
    return MPROC_OK;
}

static void await_rest(crew_board *board)
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
    mproc_pool *pool = crew_create(2);
    crew_board *board = crew_board_create();
    crew_map map = {.pool = pool, .function = stay_or_count, .items = crew_items(ITEMS), .count = ITEMS};

    map.options.chunk_size = 1;
    crew_map_start(&map);
    crew_await(&board->count, 3);
    if (terminates) mproc_pool_terminate(pool);
    else mproc_interrupt();
    await_rest(board);
    atomic_store(&board->go, 1);
    crew_map_join(&map);
    CHECK_STATUS(map.status, status);
    CHECK(atomic_load(&board->count) < FIRST_WINDOW);
    free(map.items);
    crew_map_free(&map);
    crew_board_drop();
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

CHECK_SUITE_SETUP(pool_cut_short, crew_of_threads,
    CASE(terminate_ends_both_windows),
    CASE(interrupt_ends_both_windows),
);
