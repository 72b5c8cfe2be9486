/* The pool object of the process that created it. */
#ifndef MPROC_POOL_POOL_H
#define MPROC_POOL_POOL_H

#include <mproc/map.h>
#include <mproc/pool_statistics.h>

#include "pool/thread.h"
#include "pool/window.h"
#include "pool/worker.h"

/* The record of a worker, by index: who it is now. Guarded by the pool's mutex. */
struct worker_record {
    mproc_pool *pool;
    uint32_t index;
    mproc_process *process;
    plat_thread *thread;
    bool ended;                      /* the thread has ended before its work was done: its successor joins it */
    plat_thread *predecessor;        /* of the thread, or NULL */
    bool successor;                  /* started by any thread: it takes over the scheduling of the pool's creator */
    struct worker_holdings holdings; /* of a thread: its own memory may go with it */
    uint32_t ready_before;           /* the worker's `ready` when this one was started */
    int64_t started_ns;
    uint64_t starts; /* of workers in this place, and how they ended */
    uint64_t lost;
    uint64_t retired;
    bool removed;     /* by the pool, as it did not stop */
    bool crashed;     /* the last one was lost */
    int asks;         /* how often it was woken to stop what it is at */
    int64_t asked_ns; /* since when it is to */
    char name[MPROC_WORKER_NAME_BYTES];
};

/*
 * A buffer for chunk words grows by doubling, from WORDS_MIN up to WORDS_MAX. One that was too small is kept to the
 * pool's end: a worker that is late may still look for a chunk in it, and must find nothing but chunk words.
 */
#define WORDS_MIN 64
#define WORDS_MAX 65536
#define WORDS_GROWTHS 10

static_assert(WORDS_MAX <= TAGGED_MASK, "the number of chunks in a window is a value that belongs to it");

/* The memory of one of the two windows, kept from map to map. */
struct pool_buffer {
    _Atomic uint64_t *words; /* owned slots of blocks: chunk words followed by outcomes */
    _Atomic uint64_t *outgrown[WORDS_GROWTHS];
    int outgrown_count;
    _Atomic uint64_t *data; /* inputs followed by results */
    uint64_t chunks_max;
    uint64_t data_bytes;
    unsigned char *inputs;
    unsigned char *results;
    struct window_view view;
    bool open; /* opened, and not known to be complete */
};

/* The failure that a map reports. */
struct pool_failure {
    uint64_t job;
    uint64_t item;
    mproc_status status;
    char text[POOL_TEXT_BYTES];
};

/* A place for jobs, as the pool's owner has it: its part in the arena, and the memory of a map. */
struct job {
    struct pool_job *shared;
    _Atomic uint64_t *owned;
    uint32_t index;
    bool used;       /* by a job */
    bool admitted;   /* by one that was counted in `busy` when it was given to the pool */
    uint32_t wanted; /* workers that a map in it can use */
    struct pool_buffer buffers[2];
    _Atomic uint64_t *args;   /* of the map that runs, or was given up: a worker that is late may still read them */
    struct pool_failure lost; /* the lowest item of the job that was lost with its worker */
    bool again;               /* such items are begun again: no reason for the map to stop */
    bool leaves;              /* it was given up: workers are to leave it, for that reason, and by then */
    int64_t leave_by_ns;
};

/*
 * Maps that nobody waits for: a list of those that are not begun, the first one first, and the threads that run them.
 * `count` of these run, and `idle` have nothing to do. Guarded by the pool's mutex.
 */
struct async_maps {
    struct async_map *first;
    struct async_map **end;
    uint32_t waiting;
    uint32_t unfinished;
    struct map_thread *threads;
    uint32_t count;
    int32_t idle; /* less than 0 where one has taken a map before it was counted */
};

/*
 * `mutex` guards the records and what their deaths change, and the list of places: which are used. What is in a place
 * is of who uses it. Lock order: mutex, that of the stream, then those of the processes.
 */
struct mproc_pool {
    uint32_t arena; /* the generation of its family's arena, see family_enter_with() */
    struct pool_shared *shared;
    _Atomic uint64_t *owned;
    _Atomic uint64_t *initializer_args; /* NULL: none */
    struct worker_record *records;
    uint32_t count; /* of records */
    const struct worker_kind *kind;

    plat_mutex mutex;
    uint32_t names;
    bool created;           /* workers are started by any thread from now on */
    _Atomic bool complete;  /* as many workers as may run are there: nobody need look whether some are missing */
    uint32_t failed_starts; /* workers in a row that ended before they were ready */
    uint32_t failed_starts_weight;
    uint32_t crashes; /* workers in a row that were lost, while nothing was finished */
    uint32_t crashes_weight;
    uint32_t crash_breaks;     /* how often they were too many, in a row likewise */
    int64_t rest_until_ns;     /* no worker is started before, after the last of those */
    uint64_t finished;         /* tasks and chunks, when a worker was lost last */
    uint64_t finished_chunks;  /* of workers that were lost before they could say so */
    bool broken;               /* no worker is started any more; those that run go on */
    mproc_status start_status; /* why a worker was not started, when that was tried last */
    char start_text[POOL_TEXT_BYTES];
    struct job *jobs[POOL_JOBS];
    _Atomic uint32_t jobs_wanted; /* so many threads wait for a place */

    int64_t grace_ms; /* for what is given up, MPROC_FOREVER too; 0: as long as is usual */
    struct pool_thread keeper;
    struct async_maps maps;
    struct tasks *_Atomic tasks; /* what was given to the pool as tasks; NULL: nothing yet */
};

/* How long a task that was given up may go on, in milliseconds. */
static inline int64_t pool_grace(const mproc_pool *pool)
{
    return pool->grace_ms ? pool->grace_ms : POOL_GRACE_MS;
}

/* MPROC_CLOSED: the pool takes no more work. */
mproc_status pool_check_open(const mproc_pool *pool);

/* For work that was given to it before it was closed. MPROC_TERMINATED. */
mproc_status pool_check_alive(const mproc_pool *pool);

/* Of the option `retries`. MPROC_INVALID: it is less than 0, or above 100. */
mproc_status pool_check_retries(int64_t retries);

/*
 * mproc_pool_apply_async(), with all options. `admitted`: the task is part of what was given to the pool before, so
 * that it does not matter if that is closed now.
 */
mproc_status pool_submit(mproc_pool *pool, mproc_function *function, mproc_args args,
                         const mproc_task_options *options, bool admitted, mproc_result **out);

/* Has all who wait for something of the pool, in the owner's process, look again. */
void pool_alarm(struct pool_shared *shared);

#endif
