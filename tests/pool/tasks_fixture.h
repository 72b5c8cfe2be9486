/* What the tests of tasks and results of pools share, beside pool_fixture.h: tasks that see the board. */
#ifndef TASKS_FIXTURE_H
#define TASKS_FIXTURE_H

#include "pool/pool_fixture.h"

/* Submits a task with the arguments (board, number). */
mproc_result *tasks_submit(mproc_pool *pool, mproc_function *function, const fixture_board *board, int64_t number);

/* In such a task: both. */
fixture_board *tasks_arguments(const mproc_call *call, int64_t *number);

/* Gets an integer, and frees the result. */
int64_t tasks_take_int(mproc_result *result);

/* The task has failed so, with a text that contains `part`; frees the result. */
#define CHECK_LOST(result, status, part)                                           \
    do {                                                                           \
        mproc_result *lost_ = (result);                                            \
        CHECK_REFUSED(mproc_result_get(lost_, NULL, MPROC_FOREVER), status, part); \
        mproc_result_free(lost_);                                                  \
    } while (0)

/* Returns the square of its number. */
mproc_status tasks_square(mproc_call *call);

/* Counts itself in `count`, and marks the number's place. */
mproc_status tasks_count(mproc_call *call);

/* Tells its worker in `pid`, has started, and returns its number when the board says go. */
mproc_status tasks_stay(mproc_call *call);

/* Returns its arguments: the list. */
mproc_status tasks_echo(mproc_call *call);

/* Fails with MPROC_USER + its number, and a text. */
mproc_status tasks_fail(mproc_call *call);

/* Ends its thread. */
mproc_status tasks_end_thread(mproc_call *call);

/* Ends its worker: a thread, or a process with exit code 3. */
void tasks_end_worker(void);

/*
 * In a task (board, number, deaths): marks the number's place, and finds how often it was marked before. The call
 * says that this is the attempt after those.
 */
fixture_board *tasks_attempt(mproc_call *call, int64_t *number, int64_t *deaths, uint32_t *before);

/* So many first attempts end their worker, with something to return in hand; then it returns its number. */
mproc_status tasks_die_at_first(mproc_call *call);

/* Gives the pool a few tasks, and checks what they return. */
void tasks_check_pool(mproc_pool *pool);

/* A thread that gets a result, for ever; what it has got is to be read when it was joined. */
typedef struct tasks_waiter {
    mproc_result *result;
    mproc_status status;
    int64_t number;
    _Atomic uint32_t ended;
    plat_thread *thread;
} tasks_waiter;

void tasks_waiter_start(tasks_waiter *self, mproc_result *result);

/* Blocks of the arena that are in use. */
uint64_t tasks_blocks(void);

/* The same, when what stays with the process after its first pool is there. */
uint64_t tasks_blocks_without_pools(void);

/* Waits until there are so many of them, or fewer. */
void tasks_await_blocks(uint64_t most);

#endif
