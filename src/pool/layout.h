/*
 * A pool as its workers see it: a block of the arena, and one more for each place for a job.
 *
 * A job is a map or a stream of tasks. Any number of places are there for jobs that run beside each other; a place is
 * used by one job after the other, and keeps its memory until the pool ends, so that a worker which is late finds
 * nothing but an older job's number there.
 *
 * The items of a map pass through windows, which are numbered 1, 2, 3 ... through the life of the place.
 * Window n lies in buffer n % 2: while the workers compute one, the caller fills and empties the
 * other. A window is cut into chunks; each chunk has a word, and claiming a chunk is one
 * compare-and-swap on it. So a chunk always names who has it, and dispatching costs no messages.
 *
 * A task has a slot in the stream, with a word that is claimed in the same way (stream.h).
 */
#ifndef MPROC_POOL_LAYOUT_H
#define MPROC_POOL_LAYOUT_H

#include "arena/slot.h"
#include "base/function.h"
#include "object/interrupt.h"

#define POOL_WORKERS_MAX 4096
#define POOL_SPINNERS_MAX 8
/* Places for jobs: one for the tasks, and the others for maps that run at the same time. */
#define POOL_JOBS 64
#define POOL_TASKS 0
/* Functions that tasks of one pool call; those of maps are not counted. */
#define POOL_FUNCTIONS 1024
/* Words on which those sleep who wait for tasks. */
#define POOL_BELLS 64
/* An error text, and who says it. */
#define POOL_TEXT_BYTES 1088
/* How often at most a task, or an item of a map, is begun again. */
#define RETRIES_MAX 100
/* How long what is given up may go on, if nothing else was asked for; and how long its caller waits for that. */
#define POOL_GRACE_MS 1000
#define POOL_GRACE_WAIT_MS 50

/*
 * A chunk's word: window number << 16 | worker's index << 2 | state. It only grows: whoever finds an
 * older window's number in it may claim it for this window, so words need no clearing, and a worker
 * that is late in an older window can take nothing from a newer one.
 */
enum chunk_state { CHUNK_CLAIMED = 1, CHUNK_DONE = 2, CHUNK_FAILED = 3 };

#define CHUNK_WINDOW_SHIFT 16
#define CHUNK_OWNER_SHIFT 2
#define CHUNK_OWNER_MASK 0x3FFFu

/* The owner that takes what is left of a job that is given up. */
#define CHUNK_OWNER_CALLER 0x3FFFu

/*
 * A count or position that belongs to one window: window number << 17 | value. What carries another
 * window's number counts as not there.
 */
#define TAGGED_SHIFT 17
#define TAGGED_MASK (((uint64_t)1 << TAGGED_SHIFT) - 1)

/*
 * Written by the caller before `number` is set, which opens the window; `number` is 0 while it writes. A reader
 * takes a copy and looks at `number` again. Addresses are offsets, or, among threads, addresses.
 */
struct pool_window {
    _Atomic uint64_t number;
    _Atomic uint64_t first; /* the first item's number in the array */
    _Atomic uint64_t items;
    _Atomic uint64_t chunk; /* items in a chunk */
    _Atomic uint64_t chunks;
    _Atomic uint64_t words;    /* offset of the chunk words */
    _Atomic uint64_t outcomes; /* offset of a struct chunk_outcome for each chunk */
    _Atomic uint64_t inputs;
    _Atomic uint64_t results;
    _Atomic uint64_t regions; /* in which as many workers begin; others help there */
    _Atomic uint64_t lost;    /* how often its items were lost with their workers */
    uint64_t unused[5];
};

/*
 * Why a chunk failed, and how many of its items were done before: written before the word says so. CHUNK_GIVEN_UP:
 * its worker was asked to stop; the map's owner knows why. CHUNK_LOST: its worker was lost with it.
 */
#define CHUNK_GIVEN_UP INT32_MIN
#define CHUNK_LOST (INT32_MIN + 1)

struct chunk_outcome {
    _Atomic int32_t status;
    _Atomic uint32_t done;
};

/* What a worker calls. `address` is for threads, `ref` for processes. */
struct pool_function {
    _Atomic uint64_t address; /* 0: nothing */
    function_ref ref;
};

enum job_kind { JOB_NONE, JOB_MAP, JOB_TASKS };

/*
 * One worker in one job, by index; a successor takes over its predecessor's. Written by the worker, except
 *   limit[]   by those who help in its region,
 *   all       by the pool's owner after the worker's death.
 * `finished` counts the chunks that it has finished in a window, and is written when it leaves it.
 * `position` and `limit` bound its region's chunks that may still be free: all below the one and
 * from the other on are claimed.
 */
struct job_worker {
    _Atomic uint64_t finished[2];
    _Atomic uint64_t position[2];
    uint64_t unused[4];
    _Atomic uint64_t limit[2];
    _Atomic uint64_t failed_job; /* its first failure in the job: 0 while it is written */
    _Atomic uint64_t failed_item;
    uint64_t unused_words[4];
    char failed_text[POOL_TEXT_BYTES];
};

/*
 * A map: set before its first window is opened, and not changed while one is open.
 *
 * `number` counts the maps of this place, `posted` is the number of the last window that was opened. `failures`
 * counts the chunks that failed: raised before the chunk's word says so; `failed` is the number of the last map that
 * was to stop at a failure (`stops`) and had one: set after that; `given_up` counts those of a window that the caller
 * of map has taken for itself. `caller_asleep` is what the caller sleeps on, see struct pool_shared.
 */
struct pool_map {
    _Atomic uint64_t number;
    _Atomic uint64_t item_size;
    _Atomic uint64_t result_size;
    _Atomic uint32_t is_range;
    _Atomic uint32_t copies; /* the caller copies while workers compute: it needs a CPU, too */
    _Atomic uint64_t args;   /* offset of its arguments, 0: none; looked at with a chunk in hand only */
    _Atomic uint64_t loop;   /* how far behind the function the loop over its items lies; 0: the library's own */
    _Atomic uint32_t failures;
    _Atomic uint32_t stops;
    _Atomic uint64_t given_up[2];
    _Atomic uint64_t failed;
    uint64_t unused[6];
    _Atomic uint64_t posted;
    uint64_t unused_posted[7];
    _Atomic uint32_t caller_asleep;
    uint32_t unused_caller[15];
    struct pool_window windows[2];
    struct pool_function function;
};

/*
 * A stream of tasks. Positions count the tasks of this place; `head` is the first that no worker has reserved, and
 * only grows. `directory` is the offset of the words that say where segments lie, set before workers see it.
 */
struct pool_stream {
    _Atomic uint64_t head;
    uint64_t unused_head[7];
    _Atomic uint64_t directory;
    uint64_t unused[7];
};

/* A place for a job: a block of its own. The workers' parts follow. */
struct pool_job {
    _Atomic uint32_t kind;
    uint32_t unused_half;
    uint64_t unused[7];
    struct pool_stream stream;
    struct pool_map map;
};

/*
 * One worker, by index; a successor takes over its predecessor's. Written by the worker, except
 *   asleep    by whoever wakes it,
 *   all       by the pool's owner after the worker's death.
 * `leaves`: it has decided to end, as it has had nothing to do for long, and begins nothing any more. `request.at` is
 * what it is at, or is about to claim: the place of its job + 1, above the position in the stream of tasks or the
 * number of the window; 0: nothing. `since_ns` is when it has begun with that; exact for tasks that have a time
 * limit. `range` ... say which tasks it has reserved, and of which job (its place + 1): that binds nobody, but tells
 * others where tasks may be that nobody has begun. `init_status` is what its initializer has failed with.
 */
struct pool_worker {
    struct stop_request request;
    _Atomic uint64_t range_from;
    _Atomic uint64_t range_to;
    _Atomic uint32_t range_job;
    _Atomic uint32_t ready; /* it runs: counts its lives */
    _Atomic uint32_t cpu;   /* the one that it works on, + 1; 0: it sleeps */
    uint32_t unused_half;
    _Atomic uint64_t tasks; /* that it has finished, with its predecessors */
    _Atomic uint64_t chunks;
    _Atomic uint32_t asleep;
    _Atomic int32_t init_status;
    _Atomic int64_t since_ns;
    _Atomic uint32_t leaves;
    _Atomic uint32_t over;    /* how its work has ended: an enum worker_end + 1; 0: it has not, or not as it should */
    _Atomic int64_t ready_ns; /* when it was */
    uint32_t unused_asleep[8];
    char init_text[POOL_TEXT_BYTES];
};

#define AT_JOB_SHIFT 56

/* What is written to `request.at`; and the number of the place in it, POOL_JOBS if it is nothing. */
static inline uint64_t at_work(uint32_t place, uint64_t number)
{
    return (uint64_t)(place + 1) << AT_JOB_SHIFT | number;
}

static inline uint32_t at_place(uint64_t at)
{
    return at ? (uint32_t)((at & ~REQUEST_CONDEMNED) >> AT_JOB_SHIFT) - 1 : POOL_JOBS;
}

static inline uint64_t at_number(uint64_t at)
{
    return at & (((uint64_t)1 << AT_JOB_SHIFT) - 1);
}

enum pool_stranded { STRANDED_NOT, STRANDED_TOLD, STRANDED_UNTOLD };

enum pool_state { POOL_OPEN, POOL_CLOSED, POOL_TERMINATED };

/*
 * `running` counts the workers that have not ended, `busy` the maps in progress: they may have more to open than is
 * there now. At most `limit` workers run, in the first places; `kept` of them are there whether there is work or not
 * (UINT32_MAX: all), and the others end after `idle_ns` without work (0: never). A worker that decides to do so says
 * it (`leaves`), and looks once more for work; whoever has work publishes that, and then looks who leaves. So one
 * of the two sees the other: the worker stays, or another is started, at its end if no place is free before.
 *
 * `active` has a bit for each place whose job may have work that nobody has begun: set after that is
 * there, and cleared by a worker who finds none before it sleeps, and looks once more. One that spins leaves the bit
 * of the tasks, so that who gives the next one need not set it; it is cleared before other work is begun, as workers
 * leave what they are at for a place whose bit is set.
 *
 * A worker that has nothing to do, and the caller of map, sleep on a word of their own, `asleep` or `caller_asleep`:
 * one sets it, looks once more for what one waits for, and sleeps while it is set. Whoever has news changes what is
 * waited for, and then clears the word; so a registration that somebody has used up never puts to sleep. `sleepers`
 * has a bit for the workers, by their index modulo 64, of which one may sleep.
 *
 * `spinners` are the workers that see a new task without being woken: idle ones that spin, and those that run tasks
 * which have proven to be short. Who is in such a task may come to another that is long: so one of those that sleep,
 * the `watcher`, looks from time to time whether tasks go on, and otherwise takes all from `spinners`.
 *
 * `stranded` says that no worker is left, and none could be started: whoever has noticed that ends the tasks that
 * wait to be begun, with the reason. STRANDED_UNTOLD: he cannot, and they count as failed until somebody else does.
 *
 * Who waits for tasks sleeps on one of the `bells`, after having written its number into the words of their slots:
 * whoever finishes one of them counts the bell up and wakes.
 */
struct pool_shared {
    _Atomic uint32_t workers; /* places that are used, or were: the pool may have room for more */
    uint32_t threads;         /* workers are threads */
    _Atomic uint32_t state;
    _Atomic uint32_t busy;
    _Atomic uint32_t running;
    _Atomic uint32_t stranded;
    _Atomic uint32_t limit;
    uint32_t kept;
    uint32_t unused[8];
    _Atomic uint64_t active;
    _Atomic uint64_t sleepers;
    uint64_t unused_active[6];
    _Atomic uint32_t spinners[POOL_SPINNERS_MAX]; /* index + 1 of a worker, or 0 */
    _Atomic uint32_t watcher;                     /* the same */
    uint32_t unused_spinners[7];
    _Atomic uint64_t jobs[POOL_JOBS];           /* offsets of the places; 0: not used yet */
    _Atomic uint64_t functions[POOL_FUNCTIONS]; /* offsets of what tasks call */
    _Atomic uint32_t bells[POOL_BELLS];
    _Atomic uint32_t jobs_freed; /* counts; a map that finds no place sleeps on it */
    plat_schedule schedule;      /* the creator's: successors of workers are started by other threads */
    struct pool_function initializer;
    struct pool_function finalizer;
    uint64_t initializer_args; /* offset of its arguments, or 0 */
    uint64_t max_tasks;        /* of one worker; UINT64_MAX: any number */
    uint64_t max_memory;       /* of one worker, in bytes; 0: any */
    int64_t idle_ns;
    uint32_t pinned; /* each worker has its CPU */
    uint32_t unused_end;
};

static_assert(sizeof(struct pool_window) == 2 * ARENA_LINE, "windows share no cache line");
static_assert(offsetof(struct job_worker, limit) == ARENA_LINE, "a worker's own line is its own");
static_assert(sizeof(struct job_worker) % ARENA_LINE == 0, "no two workers share a cache line");
static_assert(sizeof(struct pool_worker) % ARENA_LINE == 0, "no two workers share a cache line");
static_assert(offsetof(struct pool_worker, asleep) == ARENA_LINE, "a worker's own line is its own");
static_assert(offsetof(struct pool_job, stream) == ARENA_LINE, "what changes begins a cache line");
static_assert(offsetof(struct pool_job, map) % ARENA_LINE == 0, "what changes begins a cache line");
static_assert(offsetof(struct pool_map, windows) % ARENA_LINE == 0, "windows begin a cache line");

/* So many idle workers may spin: whoever has work to give needs a CPU, too. */
static inline uint32_t pool_spinners(void)
{
    return arena_header->cpus <= POOL_SPINNERS_MAX ? arena_header->cpus - 1 : POOL_SPINNERS_MAX;
}

/* Blocks begin where they may; what is in them begins the next cache line. */
static inline uintptr_t line_after(uintptr_t at)
{
    return (at + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1);
}

/* The workers follow the pool, on cache lines of their own. */
static inline struct pool_worker *pool_worker_at(const struct pool_shared *shared, uint32_t index)
{
    return (struct pool_worker *)line_after((uintptr_t)(shared + 1)) + index;
}

static inline struct job_worker *job_worker_at(const struct pool_job *job, uint32_t index)
{
    return (struct job_worker *)line_after((uintptr_t)(job + 1)) + index;
}

/* The place for jobs of this index, or NULL. */
static inline struct pool_job *pool_job_at(const struct pool_shared *shared, uint32_t index)
{
    uint64_t at = atomic_load_explicit(&shared->jobs[index], memory_order_acquire);

    return at ? (struct pool_job *)arena_at(at) : NULL;
}

static inline uint64_t tagged(uint64_t window, uint64_t value)
{
    return window << TAGGED_SHIFT | value;
}

/* The value if it belongs to this window, `otherwise` if not. */
static inline uint64_t tagged_value(uint64_t word, uint64_t window, uint64_t otherwise)
{
    return word >> TAGGED_SHIFT == window ? word & TAGGED_MASK : otherwise;
}

static inline uint64_t chunk_word(uint64_t window, uint32_t owner, enum chunk_state state)
{
    return window << CHUNK_WINDOW_SHIFT | (uint64_t)owner << CHUNK_OWNER_SHIFT | (uint64_t)state;
}

static inline uint32_t chunk_owner(uint64_t word)
{
    return (uint32_t)(word >> CHUNK_OWNER_SHIFT) & CHUNK_OWNER_MASK;
}

static inline enum chunk_state chunk_state(uint64_t word)
{
    return (enum chunk_state)(word & 3u);
}

#endif
