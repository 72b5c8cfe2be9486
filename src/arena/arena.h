/*
 * The arena: the one piece of shared memory of a process family. Whatever processes share lies in
 * it and is named by its offset; no pointer is ever stored in it.
 *
 *     header | first slots | small blocks ->   <- large blocks | table of extents | more process slots |
 *                                                                more thread slots | waiter table
 *
 * The parts are ranges that are committed step by step and never shrink, large blocks aside. The header, the first
 * slots and the first blocks lie close together: a new process takes them in with a single page fault.
 */
#ifndef MPROC_ARENA_ARENA_H
#define MPROC_ARENA_ARENA_H

#include <assert.h>

#include "base/function.h"
#include "platform.h"

#define ARENA_MAGIC 0x616E657261706D31u
#define ARENA_ABI 1u
#define ARENA_LINE 64

typedef enum arena_part {
    ARENA_HEAP,
    ARENA_EXTENTS,
    ARENA_PROCESSES,
    ARENA_THREADS,
    ARENA_PARKING,
    ARENA_PARTS
} arena_part;

/*
 * `start` and `limit` are set at creation. `committed` only grows; whoever has committed memory
 * raises it, and bytes below it are usable by everybody.
 */
struct arena_range {
    uint64_t start;
    uint64_t limit;
    _Atomic uint64_t committed;
};

/*
 * A lock: 0 or its owner's id (slot.h), with LOCK_WAITERS set while somebody sleeps for it. It
 * changes by compare-and-swap and exchange alone; see lock.h.
 */
#define LOCK_WAITERS 0x80000000u

typedef struct arena_lock {
    _Atomic uint32_t word;
} arena_lock;

#define HEAP_CLASSES 37 /* sizes of small blocks: four to each doubling, up to 32 KiB */
#define HEAP_BINS 100   /* sizes of extents that are free: likewise, from one page on */
#define HEAP_BANKS 16

/*
 * Small blocks that are free. A thread gives to its bank and takes from it; others' banks it tries where its own has
 * none. There are as many banks as threads that are likely to be busy at once, so they seldom meet at a lock.
 * `heads` are the offsets of the first blocks of each size, each names the next; they change under the lock.
 */
struct heap_bank {
    arena_lock lock;
    uint32_t unused;
    _Atomic uint64_t heads[HEAP_CLASSES];
    uint64_t line[2];
};

/*
 * Small blocks are cut at `top`, which only grows; extents, the large ones, fill the heap from its end down to
 * `bottom`. Banks aside, all changes under the lock but for `generation`, which anybody counts up: it tells large
 * objects from those that lay at their place before.
 *
 *   lowest             the extent that begins at `bottom`, or 0
 *   spares             entries of the table of extents that are not in use, each names the next
 *   table_end          where the next entry of the table begins
 *   newest, oldest     the list of extents that are free and warm, their memory committed: warm_bytes, which exceed
 *                      warm_bytes_max, set at creation, for moments only
 *   bins               the lists of extents that are free and cold: addresses without memory
 */
struct heap {
    arena_lock lock;
    _Atomic uint32_t generation;
    _Atomic uint64_t top;
    _Atomic uint64_t bottom;
    _Atomic uint64_t lowest;
    _Atomic uint64_t spares;
    _Atomic uint64_t table_end;
    _Atomic uint64_t newest;
    _Atomic uint64_t oldest;
    _Atomic uint64_t warm_bytes;
    _Atomic uint64_t warm_bytes_max;
    _Atomic uint64_t bins[HEAP_BINS];
    uint64_t line[2];
    struct heap_bank banks[HEAP_BANKS];
};

/*
 * The first bytes of the arena. `magic`, `abi` and `reserve` keep their places in every version, so
 * that another version can tell what it sees. All but the atomics is set at creation.
 *
 * `recovery` is the lock of recovery: 0 or the owner id of the thread that recovers; see recovery.h.
 * The `_high` words are one more than the highest slot that was ever taken; they only grow.
 * The `_hint` words say where to look for a free slot first; any value will do. `deposits_left` is set by anybody,
 * and cleared by the first process: see process/deposit.h.
 */
struct arena_header {
    uint64_t magic;
    uint32_t abi;
    uint32_t page;
    uint64_t reserve;
    function_ref copy; /* tells the copies of the library in one process apart */
    uint32_t processes_max;
    uint32_t threads_max;
    uint32_t cpus; /* that the family's first process may use; with one, nobody spins */
    uint32_t unused_word;
    struct arena_range ranges[ARENA_PARTS];
    _Atomic uint32_t recovery;
    _Atomic uint32_t processes_high;
    _Atomic uint32_t processes_hint;
    _Atomic uint32_t threads_high;
    _Atomic uint32_t threads_hint;
    _Atomic uint32_t park_ticket;
    _Atomic uint32_t orphans; /* processes live whose parents have ended: see recovery_poll() */
    uint32_t salt;            /* of the generations in references to objects: set at creation, see object_ref() */
    _Atomic uint32_t deposits_left;
    uint32_t unused_half;
    _Atomic uint64_t watched; /* see park_watch() */
    uint64_t unused[2];
    struct heap heap;
};

/* What keeps its place in every version. */
struct arena_start {
    uint64_t magic;
    uint32_t abi;
    uint32_t page;
    uint64_t reserve;
};

static_assert(offsetof(struct arena_start, reserve) == offsetof(struct arena_header, reserve), "the same places");
static_assert(sizeof(void *) == 8, "mproc needs 64-bit addresses");
static_assert(sizeof(struct heap_bank) % ARENA_LINE == 0, "no two banks share a cache line");
static_assert(offsetof(struct heap, banks) % ARENA_LINE == 0, "the first bank begins a cache line");

/* Where this process has the arena; NULL before arena_create() or arena_attach(). */
extern struct arena_header *arena_header;

/*
 * Counts the arenas that this process has had. It is above 1 in a fork() copy that has created a family of its own:
 * what it has from the process that it is a copy of is of an earlier one.
 */
extern uint32_t arena_generation;

/* Offset 0 is the header, which nothing refers to: it serves as "none". */
static inline void *arena_at(uint64_t offset)
{
    assert(offset != 0 && offset < arena_header->reserve);
    return (unsigned char *)arena_header + offset;
}

static inline uint64_t arena_offset(const volatile void *address)
{
    return (uint64_t)((const volatile unsigned char *)address - (const volatile unsigned char *)arena_header);
}

/* Creates and maps an arena for a new family. */
mproc_status arena_create(const function_ref *copy);

/* How much the arena behind a handle, which may be anything, has reserved; 0: there is no arena. */
uint64_t arena_reserve(plat_handle memory);

/*
 * Maps the arena behind a handle that this process was started with.
 *
 * MPROC_INVALID: the handle is no arena. MPROC_MISMATCH: it is one of another version or copy of
 * the library; it stays mapped until arena_detach(), so that its first fields can be read.
 */
mproc_status arena_attach(plat_handle memory, uint64_t reserve, const function_ref *copy);

void arena_detach(void);

/* In a fork() copy, which is to have another: this one stays mapped, as the program may read what is there. */
void arena_forked(void);

/* The handle, to be given to children. */
plat_handle arena_memory(void);

/*
 * Makes the bytes of a part below the offset `end` usable; of the heap, those of small blocks. It may take long: so
 * no lock is held. MPROC_NO_MEMORY, also at the part's limit.
 */
mproc_status arena_commit(arena_part part, uint64_t end);

#endif
