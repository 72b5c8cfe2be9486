/* What the tests of limits and stops share: tasks that wait for ever, for each thing that one can wait for. */
#ifndef WAITING_FIXTURE_H
#define WAITING_FIXTURE_H

#include "pool/tasks_fixture.h"

enum { WAITING_KINDS = 16 };

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

/* The worker process with this id has ended, and the pool has as many as before. Threads: nothing to wait for. */
void waiting_await_successor(mproc_pool *pool, int64_t pid);

#endif
