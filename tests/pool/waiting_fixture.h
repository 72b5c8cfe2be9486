/* What the tests of limits and stops share: tasks that wait for ever, for each thing that one can wait for. */
#ifndef WAITING_FIXTURE_H
#define WAITING_FIXTURE_H

#include "pool/tasks_fixture.h"

enum { WAITING_KINDS = 16 };

/* A limit that nothing comes to, however slow the machine is; in milliseconds. */
#define WAITING_MINUTES ((int64_t)30 * 60 * 1000)

/* What such tasks wait for; the calling thread holds the locks among it. */
typedef struct waiting_objects {
    mproc_lock *lock;
    mproc_rlock *rlock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
    mproc_queue *empty;
    mproc_queue *full;
    mproc_queue *joined;
    mproc_value values[WAITING_KINDS]; /* by kind; nil where the task makes itself what it waits for */
} waiting_objects;

void waiting_create(waiting_objects *objects);
void waiting_free(waiting_objects *objects);

/* Submits a task that waits for ever in the way `kind`. It counts itself in `started`, and returns its kind. */
mproc_result *waiting_submit(mproc_pool *pool, const waiting_objects *objects, const fixture_board *board,
                             int64_t kind, const mproc_task_options *options);

/* The wait was ended; after it the task was told that it is to stop, and not that it was interrupted once more. */
void waiting_check(const fixture_board *board, int64_t kind);

/* A pool of the suite's kind, in which what is given up may go on for so long. */
mproc_pool *waiting_pool(int workers, int64_t grace_ms);

/* A task (board, number) that goes on until the board says go, and returns its number; counted in `started`. */
mproc_status waiting_stay(mproc_call *call);

/* One that sleeps for ever, and returns its number when that was ended; then it has counted itself in `done`. */
mproc_status waiting_sleep(mproc_call *call);

/* A short one that must not be told to stop: returns its number. */
mproc_status waiting_innocent(mproc_call *call);

/* One that takes up to three milliseconds, by its number, which it returns; marked in `marks`. */
mproc_status waiting_take_time(mproc_call *call);

/* What callbacks were told. */
typedef struct waiting_notes {
    _Atomic uint32_t values;
    _Atomic uint32_t errors;
    _Atomic uint32_t cancelled; /* of the errors */
    _Atomic uint32_t timeouts;  /* likewise */
} waiting_notes;

/* Submits a task (board, number) whose callbacks count in `notes`, with a hard limit, or 0. */
mproc_result *waiting_submit_noted(mproc_pool *pool, mproc_function *function, const fixture_board *board,
                                   int64_t number, int64_t hard_ms, waiting_notes *notes);

/* Says go, and frees both: what a stuck thread does is waited for. */
void waiting_end(mproc_pool *pool, fixture_board *board);

/* A set-up, of pools of threads whose tasks start processes: what the first of them makes stays. */
void waiting_of_threads(void);

/* The worker process with this id has ended, and the pool has as many as before. Threads: nothing to wait for. */
void waiting_await_successor(mproc_pool *pool, int64_t pid);

#endif
