/* Creates, attaches and grows the arena. */
#include "arena/arena.h"

#include "arena/slot.h"

/* Growth: an eighth of what is there, within these bounds: system calls stay rare, and nobody waits long for one. */
#define GROWTH_BYTES_MIN ((uint64_t)256 * 1024)
#define GROWTH_SLOT_BYTES_MIN ((uint64_t)64 * 1024)
#define FIRST_HEAP_BYTES ((uint64_t)32 * 1024)
#define GROWTH_BYTES_MAX ((uint64_t)1024 * 1024)
#define RESERVE_BYTES_MIN ((uint64_t)4 * 1024 * 1024)
#define PROCESSES_MAX 65536u
/* So much memory stays with the family at most, in large blocks that nobody uses. */
#define WARM_BYTES_MAX ((uint64_t)64 * 1024 * 1024)
/* An entry of the table of extents has 64 bytes, a large block 32 KiB at least. */
#define EXTENT_TABLE_SHARE 512

/*
 * Of salts: that of the next arena in a line of fork() copies is far from all generations that objects of this one
 * come to.
 */
#define SALT_STEP 0x9E3779u
#define SALT_MASK 0xFFFFFFu

struct arena_header *arena_header;
uint32_t arena_generation;
static uint32_t next_salt = SALT_STEP;
static plat_handle memory_handle = PLAT_NO_HANDLE;
static uint64_t mapped_bytes;

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) & ~(step - 1);
}

static uint64_t lesser(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

/* Reserves as much as the system gives: a debugger or a limit on addresses must not stop the program. */
static mproc_status reserve_and_map(uint64_t *reserve)
{
    mproc_status status = MPROC_NO_MEMORY;
    void *base;

    for (*reserve = plat_memory_reserve_max(); *reserve >= RESERVE_BYTES_MIN; *reserve /= 2) {
        if ((status = plat_memory_create((size_t)*reserve, &memory_handle)) != MPROC_OK) continue;
        if ((status = plat_memory_map(memory_handle, (size_t)*reserve, &base)) == MPROC_OK) {
            arena_header = base;
            arena_generation++;
            mapped_bytes = *reserve;
            return MPROC_OK;
        }
        plat_handle_close(memory_handle);
        memory_handle = PLAT_NO_HANDLE;
    }
    return status;
}

static uint64_t near_end(void)
{
    return arena_offset(near_slots() + 1);
}

/* Sizes of the parts that lie behind the heap, for all slots of their kind: a little more than needed. */
static void size_parts(const struct arena_header *header, uint64_t sizes[ARENA_PARTS])
{
    sizes[ARENA_HEAP] = 0;
    sizes[ARENA_EXTENTS] = header->reserve / EXTENT_TABLE_SHARE;
    sizes[ARENA_PROCESSES] = header->processes_max * sizeof(struct process_slot);
    sizes[ARENA_THREADS] = header->threads_max * sizeof(struct thread_slot);
    sizes[ARENA_PARKING] = header->threads_max * sizeof(uint64_t);
}

/*
 * A sixteenth of the addresses for either kind of slot is far more than enough, except where addresses are
 * scarce. The heap begins right behind the first slots, on bytes that are committed with them.
 */
static void lay_out(struct arena_header *header, uint64_t reserve, uint64_t committed)
{
    uint64_t sizes[ARENA_PARTS], at = reserve;

    header->processes_max = (uint32_t)lesser(PROCESSES_MAX, reserve / 16 / sizeof(struct process_slot));
    header->threads_max = (uint32_t)lesser(SLOT_INDEX_MAX + 1, reserve / 16 / sizeof(struct thread_slot));
    size_parts(header, sizes);
    for (int part = ARENA_PARTS - 1; part >= 0; part--) {
        struct arena_range *range = &header->ranges[part];
        range->limit = at;
        at -= round_up(sizes[part], header->page);
        range->start = part == ARENA_HEAP ? near_end() : at;
        atomic_store(&range->committed, part == ARENA_HEAP ? committed : range->start);
    }
}

mproc_status arena_create(const function_ref *copy)
{
    struct arena_header *header;
    uint64_t reserve, committed;
    mproc_status status;

    if ((status = reserve_and_map(&reserve)) != MPROC_OK) goto done;
    committed = round_up(near_end() + FIRST_HEAP_BYTES, plat_memory_page());
    if ((status = plat_memory_commit(memory_handle, arena_header, 0, (size_t)committed)) != MPROC_OK) goto done;

    header = arena_header;
    header->abi = ARENA_ABI;
    header->page = (uint32_t)plat_memory_page();
    header->reserve = reserve;
    header->copy = *copy;
    header->cpus = (uint32_t)plat_system_cpu_count();
    header->salt = next_salt;
    lay_out(header, reserve, committed);
    atomic_store(&header->heap.top, header->ranges[ARENA_HEAP].start);
    atomic_store(&header->heap.warm_bytes_max, WARM_BYTES_MAX);
    atomic_store(&header->heap.bottom, header->ranges[ARENA_HEAP].limit);
    atomic_store(&header->heap.table_end, header->ranges[ARENA_EXTENTS].start);
    atomic_store(&header->threads_high, 1); /* owner id 0 means "nobody", so thread slot 0 stays unused */
    header->magic = ARENA_MAGIC;
done:
    if (status != MPROC_OK) arena_detach();
    return status;
}

uint64_t arena_reserve(plat_handle memory)
{
    struct arena_start start;

    return plat_memory_peek(memory, &start, sizeof start) && start.magic == ARENA_MAGIC ? start.reserve : 0;
}

mproc_status arena_attach(plat_handle memory, uint64_t reserve, const function_ref *copy)
{
    void *base;
    mproc_status status;

    /* The number may belong to a file of the program: it is ours to map and to close only if an arena is there. */
    if (arena_reserve(memory) != reserve)
        return mproc_error(MPROC_INVALID, "the handle %lld that this process was told of is no arena",
                           (long long)memory);
    if ((status = plat_memory_map(memory, (size_t)reserve, &base)) != MPROC_OK) return status;
    arena_header = base;
    arena_generation++;
    mapped_bytes = reserve;
    memory_handle = memory;
    if (arena_header->abi != ARENA_ABI)
        return mproc_error(MPROC_MISMATCH,
                           "this process was started by a program whose mproc has arena version %u, the one here "
                           "has %u: build both with the same version",
                           (unsigned)arena_header->abi, ARENA_ABI);
    if (!function_same(&arena_header->copy, copy))
        return mproc_error(MPROC_MISMATCH,
                           "this process was started by another copy of mproc, in '%s', than the one in '%s': link "
                           "the program and its plugins with one shared mproc library",
                           arena_header->copy.path, copy->path);
    return MPROC_OK;
}

void arena_detach(void)
{
    if (arena_header) plat_memory_unmap(arena_header, (size_t)mapped_bytes);
    plat_handle_close(memory_handle);
    arena_header = NULL;
    memory_handle = PLAT_NO_HANDLE;
}

void arena_forked(void)
{
    next_salt = (arena_header->salt + SALT_STEP) & SALT_MASK;
    plat_handle_close(memory_handle);
    arena_header = NULL;
    memory_handle = PLAT_NO_HANDLE;
}

plat_handle arena_memory(void)
{
    return memory_handle;
}

/* Committing twice is harmless, so processes may race here; the highest word wins. */
mproc_status arena_commit(arena_part part, uint64_t end)
{
    struct arena_range *range = &arena_header->ranges[part];
    uint64_t from = atomic_load(&range->committed), seen = from, page = arena_header->page;
    uint64_t least = part == ARENA_HEAP ? GROWTH_BYTES_MIN : GROWTH_SLOT_BYTES_MIN;
    uint64_t growth = from > range->start ? (from - range->start) / 8 : 0;
    uint64_t exact = round_up(end, page), to;
    uint64_t limit = part == ARENA_HEAP ? atomic_load(&arena_header->heap.bottom) : range->limit;
    mproc_status status;

    if (end > limit)
        return mproc_error(
            part <= ARENA_EXTENTS ? MPROC_NO_MEMORY : MPROC_LIMIT,
            "all %llu MiB that the family can share are in use: raise the limit on the address space (ulimit "
            "-v) of its first process, or free some",
            (unsigned long long)(arena_header->reserve >> 20));
    if (end <= from) return MPROC_OK;
    growth = lesser(growth < least ? least : growth, GROWTH_BYTES_MAX);
    to = lesser(round_up(exact > from + growth ? exact : from + growth, page), limit);
    status = plat_memory_commit(memory_handle, arena_header, (size_t)from, (size_t)(to - from));
    if (status != MPROC_OK && to > exact) {
        to = exact;
        status = plat_memory_commit(memory_handle, arena_header, (size_t)from, (size_t)(to - from));
    }
    while (status == MPROC_OK && seen < to && !atomic_compare_exchange_weak(&range->committed, &seen, to)) {
    }
    return status;
}
