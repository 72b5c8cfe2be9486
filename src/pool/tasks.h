/*
 * The tasks that were given to a pool, as its owner sees them: from their submission until somebody has the result.
 */
#ifndef MPROC_POOL_TASKS_H
#define MPROC_POOL_TASKS_H

#include <mproc/result.h>

#include "pool/pool.h"
#include "pool/result_memory.h"
#include "pool/stream.h"
#include "pool/thread.h"
#include "object/resource_owner.h"

/*
 * The bell on which those sleep who wait for callbacks to have been called, or for asynchronous maps; those of the
 * threads that run such maps, of the keeper, and of the thread that calls callbacks; and the one that stands for all.
 */
#define BELL_CALLED 0
#define BELL_MAPS (POOL_BELLS - 4)
#define BELL_KEEPER (POOL_BELLS - 3)
#define BELL_CALLBACKS (POOL_BELLS - 2)
#define BELL_ALL (POOL_BELLS - 1)

enum result_state { RESULT_PENDING, RESULT_DONE, RESULT_FAILED };

/*
 * What became of a task, in the owner's own memory. `state` is published when all else is there; until then `slot` is
 * where the task is. The rest is guarded by the mutex of the tasks, as far as several threads use it.
 *
 * `holders` are the program, until it has freed it, and the tasks, as long as it is pending or its callback is to be
 * called.
 */
struct mproc_result {
    _Atomic uint32_t state;
    uint32_t holders;
    struct result_block *block; /* in which it lies, see result_memory.c */
    struct tasks *tasks;
    uint64_t position;
    struct task_slot *slot;
    mproc_status status;     /* of one that failed */
    bool unwanted : 1;       /* by the program, which has only its limits; and there is no callback */
    bool cancelled : 1;      /* while no worker was in it */
    bool woke;               /* a worker had to be woken for it: that takes longer than any spinning */
    uint8_t begun;           /* so often, without the worker that is in it now */
    uint8_t size;            /* of the value's cells, if they are here; or 0 */
    char *text;              /* of one that failed, or NULL */
    _Atomic uint64_t *owned; /* the parcel with the value, or NULL */
    uint64_t cells[TASK_INLINE / sizeof(uint64_t)];
    mproc_value_callback *callback;
    mproc_error_callback *error_callback;
    void *context;
    struct task_limits *limits; /* NULL: none */
    struct async_map *map;      /* it is of a map, whose slot is none of the stream's; or NULL */
    struct mproc_result *next;  /* whose callback is called after this one's */
};

/*
 * A segment, as its owner has it. `left` counts the tasks that are not taken out yet, and `out` has a bit for each
 * that is: to write that into its slot would take the cache line from the worker.
 */
struct owned_segment {
    struct task_segment *shared;
    _Atomic uint64_t *owned;
    uint64_t number;
    uint32_t left;
    uint64_t out[TASK_SEGMENT / 64];
    struct owned_segment *next; /* in a list of those in which nothing is left */
    mproc_result *results[TASK_SEGMENT];
};

#define FUNCTION_BUCKETS (2 * POOL_FUNCTIONS)

/*
 * Freed when the pool and all results are. `mutex` guards all but what is atomic; its place in the lock order is
 * behind that of the pool.
 *
 * `tail` is the position of the next task; all below `collected` are taken out, but for the `stragglers`, which were
 * not finished when those behind them were.
 */
struct tasks {
    plat_mutex mutex;
    uint32_t arena;
    uint32_t holders; /* the pool, and each result that the program or this has */
    mproc_pool *pool; /* NULL: it was freed */
    struct pool_shared *shared;
    _Atomic uint64_t *shared_owned; /* once the pool is freed: who still waits for a result sleeps by what is in it */
    struct pool_stream *stream;
    _Atomic uint64_t *directory;
    uint64_t tail;
    uint64_t collected;
    _Atomic uint64_t ended;          /* counts those that their owner has ended, whether they were begun or not */
    _Atomic uint32_t patience;       /* of who waits for a task that was just put in, see result.c */
    _Atomic int32_t luck;            /* of who has spun, likewise */
    bool heavy;                      /* there are parcels among the results: none is left in its slot for long */
    struct owned_segment **segments; /* by their number modulo STREAM_SEGMENTS */
    uint32_t segments_live;
    struct result_memory results;
    struct owned_segment *free;
    struct owned_segment *emptied; /* nothing is left in them, but the head is not behind them */
    uint64_t *stragglers;
    uint32_t stragglers_count;
    uint32_t stragglers_room;
    struct {
        function_pointer function;
        uint32_t index;
    } functions[FUNCTION_BUCKETS];
    uint32_t functions_count;
    _Atomic uint64_t *function_blocks[POOL_FUNCTIONS];
    struct mproc_result *called; /* whose callbacks are to be called, the first one first */
    struct mproc_result **called_end;
    uint32_t callbacks_due;    /* of tasks that are not finished, too */
    struct pool_thread caller; /* calls them */
    uint32_t timed;            /* so many tasks have time limits */
    int64_t shortest_ns;       /* of those limits, and perhaps of such as have gone */
};

/* What is to be done, ready for a slot: its function, and its arguments as cells or as a parcel. */
struct submission {
    uint32_t function;
    enum task_form form;
    uint32_t size;
    _Atomic uint64_t *owned; /* of a parcel: the caller's */
    const void *cells;       /* of TASK_INLINE bytes, all of which are copied: that is quicker than to copy some */
};

/* The pool's tasks, made with the first. MPROC_NO_MEMORY, MPROC_CLOSED. */
mproc_status tasks_of(mproc_pool *pool, struct tasks **out);

/*
 * Under `mutex`. The index of a function for all tasks of the pool. MPROC_BAD_FUNCTION; MPROC_LIMIT: the pool knows
 * too many; MPROC_NO_MEMORY.
 */
mproc_status tasks_function(struct tasks *tasks, mproc_function *function, uint32_t *index);

/*
 * Under `mutex`: puts the task into the stream, where segment_begin() has made room for it, and a worker begins it.
 * The result (NULL: nobody wants it) is held by the tasks, too.
 */
void tasks_append(struct tasks *tasks, const struct submission *submission, mproc_result *result);

/* Under `mutex`: the result of a task that is finished is taken out of its slot. */
void tasks_take_out(mproc_result *result);

/* The same, and those of the next tasks that are: see below. */
void tasks_collect(mproc_result *result);

/* So many tasks are those that workers are in now, or soon will be. */
static inline uint64_t tasks_near(const struct tasks *tasks)
{
    return (uint64_t)4 * TASK_RANGE * tasks->shared->workers;
}

/* So many are put in before some are taken out: the slots of several come from the workers' CPUs at a time. */
#define TASKS_TURN 16

/* Under `mutex`: whether whoever puts one in should take out some. */
static inline bool tasks_are_many(const struct tasks *tasks)
{
    return tasks->heavy || (tasks->tail % TASKS_TURN == 0 && tasks->tail - tasks->collected > 2 * tasks_near(tasks));
}

/*
 * Under `mutex`: takes out tasks that are finished, the next few or all of them. Those that are not finished long
 * after they were begun - or, if all are looked at, at all - are passed over as stragglers.
 */
void tasks_collect_next(struct tasks *tasks, bool all);

/*
 * Under `mutex`, of a task that a worker is in: for its result it ends with this status and text. False: it is
 * finished.
 */
bool tasks_leave(struct tasks *tasks, struct owned_segment *segment, uint64_t position, mproc_status status,
                 const char *text);

/* A task that nobody has begun ends with this status and text. False: somebody has. */
bool tasks_cancel(mproc_result *result, mproc_status status, const char *text);

/* Under `mutex`: the program does not want the result any more. */
void tasks_forget(mproc_result *result);

/*
 * A worker has ended, as the text says: what it had in hand ends with this status, or is to be begun again. Under the
 * pool's mutex.
 */
void tasks_bury(mproc_pool *pool, uint32_t worker, mproc_status status, const char *end);

/* All that nobody has begun ends with this status. NULL is fine. */
void tasks_end_all(struct tasks *tasks, mproc_status status, const char *text);

/*
 * Why, if `stranded` says that no worker is left: mostly whoever has noticed that has ended them, but a thread that
 * could not become one of the family cannot. Nobody puts in more, or starts workers, until somebody else has.
 */
extern const char tasks_stranded_text[];

/* How many tasks run, and how many wait, counted together up to `most`. Under the pool's mutex. */
uint32_t tasks_pending(mproc_pool *pool, uint32_t most, uint64_t *waiting);

/* Whether there is a task that nobody has begun. Under the pool's mutex. */
bool tasks_waiting(mproc_pool *pool);

/* The pool is freed, and no worker is left. tasks_let_go() is still to be called. */
void tasks_free(mproc_pool *pool);

/* The pool is gone. What it shared with its workers, whose owned slot is given, goes with the last result. */
void tasks_let_go(struct tasks *tasks, _Atomic uint64_t *shared_owned);

/* Unlocks the mutex, and frees the tasks if nobody holds them any more. */
void tasks_unlock(struct tasks *tasks);

/* ---- callbacks: callbacks.c --------------------------------------------------------------------- */

/* Has the thread run that calls callbacks. No mutex of the pool may be held. MPROC_LIMIT. */
mproc_status callbacks_start(struct tasks *tasks);

/* Under `mutex`: the result is known, and one of its callbacks may be for that. */
void callbacks_add(mproc_result *result);

/* MPROC_BAD_STATE: the calling thread calls these callbacks, and is about to wait for them. */
mproc_status callbacks_check_waiter(const struct tasks *tasks);

/* Waits until all that are due are called. MPROC_TIMEOUT, MPROC_INTERRUPTED. */
mproc_status callbacks_wait(struct tasks *tasks, int64_t deadline_ns);

/* Ends the thread, after it has called all that are due of tasks that are finished. */
void callbacks_end(struct tasks *tasks);

#endif
