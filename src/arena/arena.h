/*
 * The arena: the one piece of shared memory of a process family. Whatever processes share lies in
 * it and is named by its offset; no pointer is ever stored in it.
 *
 *     header | first slots | heap ........ | more process slots | more thread slots | waiter table
 *
 * The parts are ranges that are committed step by step and never shrink. The header, the first slots
 * and the first blocks lie close together: a new process takes them in with a single page fault.
 */
#ifndef MPROC_ARENA_ARENA_H
#define MPROC_ARENA_ARENA_H

#include <assert.h>

#include "base/function.h"
#include "platform.h"

#define ARENA_MAGIC 0x616E657261706D31u
#define ARENA_ABI 1u
#define ARENA_LINE 64

typedef enum arena_part { ARENA_HEAP, ARENA_PROCESSES, ARENA_THREADS, ARENA_PARKING, ARENA_PARTS } arena_part;

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
 * A lock: 0 or its owner's tag (slot.h), with LOCK_WAITERS set while somebody sleeps for it. It
 * changes by compare-and-swap and exchange alone; see lock.h.
 */
#define LOCK_WAITERS 0x80000000u

typedef struct arena_lock {
    _Atomic uint32_t word;
} arena_lock;

#define HEAP_CLASSES 148

/*
 * The free blocks of one size. `head` is the offset of the first, each names the next; both change
 * only under the lock, and `head` is the publishing store of taking and giving.
 */
struct heap_class {
    arena_lock lock;
    uint32_t unused;
    _Atomic uint64_t head;
    uint64_t line[6];
};

/* `top` is where fresh blocks are cut; it changes only under the lock and only grows. */
struct heap {
    arena_lock lock;
    uint32_t unused;
    _Atomic uint64_t top;
    uint64_t line[6];
    struct heap_class classes[HEAP_CLASSES];
};

/*
 * The first bytes of the arena. `magic`, `abi` and `reserve` keep their places in every version, so
 * that another version can tell what it sees. All but the atomics is set at creation.
 *
 * `recovery` is the lock of recovery: 0 or the tag of the thread that recovers; see recovery.h.
 * The `_high` words are one more than the highest slot that was ever taken; they only grow.
 * The `_hint` words say where to look for a free slot first; any value will do.
 */
struct arena_header {
    uint64_t magic;
    uint32_t abi;
    uint32_t page;
    uint64_t reserve;
    function_ref copy; /* tells the copies of the library in one process apart */
    uint32_t processes_max;
    uint32_t threads_max;
    uint32_t cpus;          /* that the family's first process may use; with one, nobody spins */
    _Atomic uint32_t named; /* a member has had memory with a name: the dead may leave some */
    struct arena_range ranges[ARENA_PARTS];
    _Atomic uint32_t recovery;
    _Atomic uint32_t processes_high;
    _Atomic uint32_t processes_hint;
    _Atomic uint32_t threads_high;
    _Atomic uint32_t threads_hint;
    _Atomic uint32_t park_ticket;
    _Atomic uint32_t orphans; /* processes live whose parents have ended: see recovery_look() */
    uint32_t unused_half;
    uint64_t unused[7];
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
static_assert(sizeof(struct heap_class) == ARENA_LINE, "a class has its own cache line");

/* Where this process has the arena; NULL before arena_create() or arena_attach(). */
extern unsigned char *arena_base;

static inline struct arena_header *arena_header(void)
{
    return (struct arena_header *)(void *)arena_base;
}

/* Offset 0 is the header, which nothing refers to: it serves as "none". */
static inline void *arena_at(uint64_t offset)
{
    assert(offset != 0 && offset < arena_header()->reserve);
    return arena_base + offset;
}

static inline uint64_t arena_offset(const volatile void *address)
{
    return (uint64_t)((const volatile unsigned char *)address - arena_base);
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

/* The handle, to be given to children. */
plat_handle arena_memory(void);

/* Makes the bytes of a part below the offset `end` usable. MPROC_NO_MEMORY, also at the part's limit. */
mproc_status arena_commit(arena_part part, uint64_t end);

#endif
