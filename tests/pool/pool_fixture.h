/*
 * What the tests of include/mproc/pool.h share: pools of the kind that a suite is about, a board in the arena that
 * the case and all its workers see, and what has to be asked from the system.
 */
#ifndef POOL_FIXTURE_H
#define POOL_FIXTURE_H

#include <mproc/mproc.h>

#include "board.h"
#include "check.h"
#include "platform.h"

/* ---- pools of both kinds ---------------------------------------------------------------------- */

/* Setups of twin suites: the family is founded and its reaper runs before things are counted. */
void fixture_of_processes(void);
void fixture_of_threads(void);

/* What the running suite's workers are. Known in the case's own process alone. */
bool fixture_is_threads(void);

/* Creates a pool of that kind. */
mproc_pool *fixture_create(int workers);

/* A call that must fail: with this status, and with a text that contains `part`. */
#define CHECK_REFUSED(call, status, part)                          \
    do {                                                           \
        check_status((call), (status), #call, __FILE__, __LINE__); \
        CHECK_CONTAINS(mproc_last_error_text(), (part));           \
    } while (0)

/* ---- items that see the board ------------------------------------------------------------------ */

/* An item that takes its board along. */
typedef struct fixture_item {
    uint64_t board;
    int64_t value;
} fixture_item;

/* Items with the values 0, 1, 2, ... and the board; to be freed. */
fixture_item *fixture_items(const fixture_board *board, size_t count);

/* ---- work ------------------------------------------------------------------------------------- */

mproc_status fixture_square(const void *item, void *result, mproc_call *call);

/* Maps squares over `count` numbers and checks each of them. */
void fixture_check_squares(mproc_pool *pool, size_t count, size_t chunk_size);

/* A map in a thread of its own, for cases that do something meanwhile. */
typedef struct fixture_map {
    mproc_pool *pool;
    mproc_item_function *function;
    fixture_item *items;
    int64_t *results;
    size_t count;
    mproc_map_options options;
    mproc_status status;
    char text[1100];
    plat_thread *thread;
} fixture_map;

/* Needs pool, function, items and count; makes results and statuses. */
void fixture_map_start(fixture_map *map);

/* Waits for its end. fixture_map_free() frees results and statuses. */
void fixture_map_join(fixture_map *map);
void fixture_map_free(fixture_map *map);

/* The same of items of a board, one in each chunk. */
void fixture_map_begin(fixture_map *map, mproc_pool *pool, mproc_item_function *function, fixture_board *board,
                       size_t count);

/* Waits for its end, and frees all that it has; the second one finds each item's square before. */
void fixture_map_end(fixture_map *map);
void fixture_map_end_whole(fixture_map *map);

/* Counts itself on the board, and squares its number when that says so. */
mproc_status fixture_stay(const void *item, void *result, mproc_call *call);

/* Squares its number; with 5 its thread ends. */
mproc_status fixture_end_at_5(const void *item, void *result, mproc_call *call);

/* Waits until all workers of the pool are there: up to 256. */
void fixture_await_workers(mproc_pool *pool);

/* ---- pool_fixture_posix.c, pool_fixture_win32.c --------------------------------------------------------------- */

/* Ends a process as an enemy would: SIGKILL, TerminateProcess. One that has ended is left alone. */
void os_kill(int64_t pid);

/* How a process has ended then, and what the error text says of such a worker. */
mproc_exit_kind os_killed_kind(void);
const char *os_killed_text(void);

/* The same, of one that called abort(). */
const char *os_aborted_text(void);

/* Whether the process is there and has not ended. */
bool os_is_alive(int64_t pid);

/* Whether the number is an open handle of this process. */
bool os_is_open(intptr_t handle);

/* From now on a fault ends this process in the system's way, whatever a sanitizer has installed. */
void os_fault_as_usual(void);

/* Ends the calling thread, in the system's way. */
void os_end_thread(void);

void os_set_variable(const char *name, const char *value);

/* Opens a library for good, and finds a function in it. */
void (*os_open_function(const char *library, const char *name))(void);

/* How many workers of the pool were started so far. */
uint64_t fixture_starts(const mproc_pool *pool);

/* Fails the case unless each of the first `count` marks is `expected`, and the others are 0. */
void fixture_check_marks(const fixture_board *board, size_t count, uint32_t expected);

/* For maps that must not come to calling it. */
mproc_status fixture_fail_always(const void *item, void *result, mproc_call *call);

/* Whether the three processes whose ids `context` points to have all ended. */
bool fixture_all_gone(void *context);

/* Marks the next place of the board with the worker's process id, and stays until the board says go. */
mproc_status fixture_sit(const void *item, void *result, mproc_call *call);

#endif
