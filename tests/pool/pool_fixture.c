#include "pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static mproc_worker_kind kind;

/* ---- pools of both kinds ---------------------------------------------------------------------- */

static mproc_status do_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static bool is_closed(void *context)
{
    const intptr_t *handle = context;

    return !os_is_open(*handle);
}

/*
 * One process comes and goes, to its last handle: what the first of them makes stays with the family. Nobody joins
 * it, so that it is the reaper who has closed the handle, and is quite there.
 */
void fixture_of_processes(void)
{
    mproc_process *process;
    intptr_t handle;

    kind = MPROC_PROCESSES;
    CHECK_OK(
        mproc_process_create(do_nothing, mproc_no_args(), &(mproc_process_options){.daemon = MPROC_YES}, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_sentinel(process, &handle));
    mproc_process_free(process);
    CHECK_WAIT_UNTIL(is_closed, &handle);
}

void fixture_of_threads(void)
{
    kind = MPROC_THREADS;
    mproc_pool_free(fixture_create(1));
}

bool fixture_is_threads(void)
{
    return kind == MPROC_THREADS;
}

mproc_pool *fixture_create(int workers)
{
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = workers, .kind = kind}, &pool));
    return pool;
}

fixture_item *fixture_items(const fixture_board *board, size_t count)
{
    fixture_item *items = calloc(count, sizeof *items);

    CHECK(items != NULL);
    for (size_t i = 0; i < count; i++) items[i] = (fixture_item){fixture_board_offset(board), (int64_t)i};
    return items;
}

/* ---- work ------------------------------------------------------------------------------------- */

mproc_status fixture_square(const void *item, void *result, mproc_call *call)
{
    const int64_t *value = item;
    int64_t *square = result;

    (void)call;
    *square = *value * *value;
    return MPROC_OK;
}

void fixture_check_squares(mproc_pool *pool, size_t count, size_t chunk_size)
{
    int64_t *values = malloc((count + 1) * sizeof *values);
    int64_t *squares = calloc(count + 1, sizeof *squares);

    CHECK(values != NULL && squares != NULL);
    for (size_t i = 0; i < count; i++) values[i] = (int64_t)i - 3;
    squares[count] = -7;
    CHECK_OK(mproc_pool_map(pool, fixture_square, values, sizeof *values, squares, sizeof *squares, count,
                            &(mproc_map_options){.chunk_size = chunk_size}));
    for (size_t i = 0; i < count; i++) {
        if (squares[i] == ((int64_t)i - 3) * ((int64_t)i - 3)) continue;
        check_fail(__FILE__, __LINE__, "item %zu of %zu, in chunks of %zu, is %lld", i, count, chunk_size,
                   (long long)squares[i]);
    }
    CHECK_EQ(squares[count], -7);
    free(squares);
    free(values);
}

static void run_map(void *context)
{
    fixture_map *map = context;

    map->status = mproc_pool_map(map->pool, map->function, map->items, sizeof *map->items, map->results,
                                 sizeof *map->results, map->count, &map->options);
    snprintf(map->text, sizeof map->text, "%s", mproc_last_error_text());
}

void fixture_map_start(fixture_map *map)
{
    map->results = calloc(map->count, sizeof *map->results);
    map->options.statuses = calloc(map->count, sizeof *map->options.statuses);
    CHECK(map->results != NULL && map->options.statuses != NULL);
    CHECK_OK(plat_thread_start(run_map, map, &map->thread));
}

void fixture_map_join(fixture_map *map)
{
    plat_thread_join(map->thread);
}

void fixture_map_free(fixture_map *map)
{
    free(map->options.statuses);
    free(map->results);
}

void fixture_check_marks(const fixture_board *board, size_t count, uint32_t expected)
{
    for (size_t i = 0; i < BOARD_MARKS; i++) {
        if (atomic_load(&board->marks[i]) == (i < count ? expected : 0)) continue;
        check_fail(__FILE__, __LINE__, "item %zu of %zu was done %u times", i, count,
                   (unsigned)atomic_load(&board->marks[i]));
    }
}

mproc_status fixture_fail_always(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    return mproc_error(MPROC_USER, "called for nothing");
}

bool fixture_all_gone(void *context)
{
    const int64_t *pids = context;

    for (int i = 0; i < 3; i++)
        if (os_is_alive(pids[i])) return false;
    return true;
}

/* Everybody sits: each worker has one item of the first three. */
mproc_status fixture_sit(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);
    uint32_t place;

    (void)call;
    *(int64_t *)result = own->value * own->value;
    if (atomic_load(&board->go)) return MPROC_OK;
    place = atomic_fetch_add(&board->count, 1);
    atomic_store(&board->marks[place], (uint32_t)mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1000);
    return MPROC_OK;
}

mproc_status fixture_stay(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    atomic_fetch_add(&board->started, 1);
    CHECK_AWAIT(&board->go, 1);
    *(int64_t *)result = own->value * own->value;
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

mproc_status fixture_end_at_5(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    *(int64_t *)result = own->value * own->value;
    if (own->value == 5) os_end_thread();
    return MPROC_OK;
}

void fixture_map_begin(fixture_map *map, mproc_pool *pool, mproc_item_function *function, fixture_board *board,
                       size_t count)
{
    *map = (fixture_map){.pool = pool, .function = function, .items = fixture_items(board, count), .count = count};
    map->options.chunk_size = 1;
    fixture_map_start(map);
}

void fixture_map_end(fixture_map *map)
{
    fixture_map_join(map);
    free(map->items);
    fixture_map_free(map);
}

void fixture_map_end_whole(fixture_map *map)
{
    fixture_map_join(map);
    CHECK_STATUS(map->status, MPROC_OK);
    for (size_t i = 0; i < map->count; i++) CHECK_EQ(map->results[i], i * i);
    free(map->items);
    fixture_map_free(map);
}

static bool all_are_there(void *context)
{
    const mproc_pool *pool = context;
    int64_t pids[256];
    size_t count = mproc_pool_pids(pool, pids, 256);

    for (size_t i = 0; i < count && i < 256; i++)
        if (!os_is_alive(pids[i])) return false;
    return count == (size_t)mproc_pool_workers(pool);
}

void fixture_await_workers(mproc_pool *pool)
{
    CHECK_WAIT_UNTIL(all_are_there, pool);
}

uint64_t fixture_starts(const mproc_pool *pool)
{
    mproc_pool_totals totals;

    CHECK_OK(mproc_pool_statistics(pool, &totals));
    return totals.starts;
}
