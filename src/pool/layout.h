/*
 * A pool as its workers see it: one block of the arena.
 *
 * The items of a map pass through windows, which are numbered 1, 2, 3 ... through the pool's life.
 * Window n lies in buffer n % 2: while the workers compute one, the caller fills and empties the
 * other. A window is cut into chunks; each chunk has a word, and claiming a chunk is one
 * compare-and-swap on it. So a chunk always names who has it, and dispatching costs no messages.
 */
#ifndef MPROC_POOL_LAYOUT_H
#define MPROC_POOL_LAYOUT_H

#include "arena/slot.h"
#include "base/function.h"

#define POOL_WORKERS_MAX 4096
#define POOL_SPINNERS_MAX 8
/* An error text, and who says it. */
#define POOL_TEXT_BYTES 1088

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
    uint64_t unused[7];
};

/* Why a chunk failed, and how many of its items were done before: written before the word says so. */
struct chunk_outcome {
    _Atomic int32_t status;
    _Atomic uint32_t done;
};

/* The job: set before its first window is opened, and not changed while one is open. */
struct pool_job {
    _Atomic uint64_t number;
    _Atomic uint64_t item_size;
    _Atomic uint64_t result_size;
    _Atomic uint32_t is_range;
    _Atomic uint32_t copies;   /* the caller copies while workers compute: it needs a CPU, too */
    _Atomic uint64_t args;     /* offset of its arguments, 0: none; looked at with a chunk in hand only */
    _Atomic uint64_t function; /* among threads: the function's address */
    _Atomic uint64_t loop;     /* how far behind the function the loop over its items lies; 0: the library's own */
    function_ref function_ref; /* among processes */
};

/*
 * One worker, by index; a successor takes over its predecessor's. Written by the worker, except
 *   limit[]   by those who help in its region,
 *   asleep    by whoever wakes it,
 *   all       by the pool's owner after the worker's death.
 * `finished` counts the chunks that it has finished in a window, and is written when it leaves it.
 * `position` and `limit` bound its region's chunks that may still be free: all below the one and
 * from the other on are claimed.
 */
struct pool_worker {
    _Atomic uint64_t finished[2];
    _Atomic uint64_t position[2];
    _Atomic uint32_t asleep;
    _Atomic uint32_t ready; /* it runs: counts its lives */
    uint64_t unused[3];
    _Atomic uint64_t limit[2];
    _Atomic uint64_t failed_job; /* its first failure in the job: 0 while it is written */
    _Atomic uint64_t failed_item;
    _Atomic uint32_t cpu;        /* the one that it works on, + 1; 0: it sleeps */
    _Atomic int32_t init_status; /* of its initializer, if that failed; the text is in failed_text */
    uint64_t unused_words[3];
    char failed_text[POOL_TEXT_BYTES];
};

/* A function that workers call by themselves. `address` is for threads, `ref` for processes. */
struct pool_hook {
    uint64_t address; /* 0: there is none */
    function_ref ref;
};

enum pool_state { POOL_OPEN, POOL_CLOSED, POOL_TERMINATED };

/*
 * `posted` is the number of the last window that was opened. `running` counts the workers that have not ended,
 * `failures` the chunks that failed: raised before the chunk's word says so; `given_up` those of a window that the
 * caller of map has taken for itself.
 *
 * Whoever sleeps here - a worker, or the caller of map - sleeps on a word of its own, `asleep` or `caller_asleep`:
 * it sets it, looks once more for what it waits for, and sleeps while it is set. Whoever has news for it changes what
 * it waits for, and then clears the word; so a registration that somebody has used up never puts to sleep.
 */
struct pool_shared {
    uint32_t workers;
    uint32_t threads; /* workers are threads */
    _Atomic uint32_t state;
    _Atomic uint32_t busy; /* a map is in progress */
    _Atomic uint32_t running;
    _Atomic uint32_t failures;
    _Atomic uint64_t given_up[2];
    uint64_t unused[3];
    _Atomic uint64_t posted;
    uint64_t unused_posted[7];
    _Atomic uint32_t caller_asleep;
    uint32_t unused_caller[15];
    _Atomic uint32_t spinners[POOL_SPINNERS_MAX]; /* index + 1 of an idle worker that spins, or 0 */
    uint32_t unused_spinners[8];
    struct pool_window windows[2];
    struct pool_job job;
    plat_schedule schedule; /* the creator's: successors of workers are started by other threads */
    struct pool_hook initializer;
    struct pool_hook finalizer;
    uint64_t initializer_args; /* offset of its arguments, or 0 */
    uint64_t max_tasks;        /* of one worker; UINT64_MAX: any number */
};

static_assert(sizeof(struct pool_window) == 2 * ARENA_LINE, "windows share no cache line");
static_assert(offsetof(struct pool_worker, limit) == ARENA_LINE, "a worker's own line is its own");
static_assert(offsetof(struct pool_shared, windows) % ARENA_LINE == 0, "windows begin a cache line");

/* The workers follow the pool, on cache lines of their own. */
static inline struct pool_worker *pool_worker_at(const struct pool_shared *shared, uint32_t index)
{
    uintptr_t after = ((uintptr_t)(shared + 1) + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1);
    return (struct pool_worker *)after + index;
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
