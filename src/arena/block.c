/* Small blocks: banks, and how they are filled. Large ones: the way between a block and its extent. */
#include "arena/block.h"

#include <string.h>

#include "arena/extent.h"
#include "arena/lock.h"
#include "arena/size_class.h"

#define SMALL_BYTES_MAX ((uint64_t)32 * 1024)

/* So many blocks, and bytes, go to a bank at once: from another bank, and from what was never used. */
#define CHAIN_BLOCKS 16
#define CHAIN_BYTES_MOVED ((uint64_t)16 * 1024)
#define CHAIN_BYTES_CUT ((uint64_t)1024)

/* Threads have slots one after the other, often two for each process: so every second is not in every second bank. */
static struct heap_bank *bank_at(uint32_t number)
{
    uint32_t index = thread_self.index + thread_self.index / HEAP_BANKS + number;

    return &arena_header->heap.banks[index % HEAP_BANKS];
}

static struct heap_bank *own_bank(void)
{
    return bank_at(0);
}

void block_header_write(uint64_t block, uint32_t class_index, uint64_t next)
{
    struct block_header *header = (struct block_header *)arena_at(block - sizeof *header);

    header->magic = BLOCK_MAGIC;
    header->class_index = (uint16_t)class_index;
    atomic_store_explicit(&header->next, next, memory_order_relaxed);
}

static _Atomic uint64_t *next_of(uint64_t block)
{
    return &block_header_of(block)->next;
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* ---- small blocks ------------------------------------------------------------------------------------------ */

static bool take_own(struct intent *intent, uint32_t class_index, uint64_t clear, _Atomic uint64_t *owned)
{
    struct heap_bank *bank = own_bank();
    _Atomic uint64_t *head = &bank->heads[class_index];
    uint64_t block;

    if (get(head) == 0) return false;
    lock_acquire(intent, &bank->lock);
    if ((block = get(head)) != 0) {
        memset(arena_at(block), 0, clear);
        intent_store(intent, head, get(next_of(block)));
        intent_store(intent, owned, block);
        intent_commit(intent);
    }
    lock_release(intent, &bank->lock);
    return block != 0;
}

static uint32_t chain_length(uint32_t class_index, uint64_t bytes)
{
    uint64_t length = bytes / size_class_bytes(class_index);

    return length > CHAIN_BLOCKS ? CHAIN_BLOCKS : length > 1 ? (uint32_t)length : 1;
}

/* Some of the bank's blocks go to the stage, from behind its first `kept`. */
static bool take_chain(struct intent *intent, uint32_t class_index, struct heap_bank *bank, uint32_t kept)
{
    const _Atomic uint64_t *link = &bank->heads[class_index];
    uint64_t first, last;

    if (get(link) == 0) return false;
    lock_acquire(intent, &bank->lock);
    for (; kept > 0 && get(link); kept--) link = next_of(get(link));
    if ((first = get(link)) != 0) {
        last = first;
        for (uint32_t i = chain_length(class_index, CHAIN_BYTES_MOVED); i > 1 && get(next_of(last)); i--)
            last = get(next_of(last));
        intent_store(intent, link, get(next_of(last)));
        intent_store(intent, next_of(last), 0);
        intent_store(intent, &intent->heap, first);
        intent_commit(intent);
    }
    lock_release(intent, &bank->lock);
    return first != 0;
}

/* What was never used is nobody's and zero, so headers may be written before the blocks are published. */
static bool cut_committed(struct intent *intent, uint32_t class_index, uint32_t length)
{
    uint64_t limit = atomic_load(&arena_header->ranges[ARENA_HEAP].committed), first, bytes;

    bytes = size_class_bytes(class_index);
    lock_acquire(intent, &arena_header->heap.lock);
    first = get(&arena_header->heap.top) + sizeof(struct block_header);
    if (limit > get(&arena_header->heap.bottom)) limit = get(&arena_header->heap.bottom);
    if (get(&arena_header->heap.top) + length * bytes <= limit) {
        for (uint32_t i = 0; i < length; i++)
            block_header_write(first + i * bytes, class_index, i + 1 < length ? first + (i + 1) * bytes : 0);
        intent_store(intent, &arena_header->heap.top, get(&arena_header->heap.top) + length * bytes);
        intent_store(intent, &intent->heap, first);
        intent_commit(intent);
    }
    lock_release(intent, &arena_header->heap.lock);
    return get(&intent->heap) != 0;
}

/* New blocks go to the stage. Memory is committed before the lock is taken; others may have used it up until then. */
static mproc_status cut(struct intent *intent, uint32_t class_index)
{
    uint32_t length = chain_length(class_index, CHAIN_BYTES_CUT);
    mproc_status status;

    do {
        uint64_t end = get(&arena_header->heap.top) + length * size_class_bytes(class_index);
        if ((status = arena_commit(ARENA_HEAP, end)) != MPROC_OK) return status;
    } while (!cut_committed(intent, class_index, length));
    return MPROC_OK;
}

/* The stage's first block goes to the owned slot, the others to the thread's bank. Returns true. */
static bool keep_first(struct intent *intent, uint64_t clear, _Atomic uint64_t *owned)
{
    uint64_t first = get(&intent->heap), rest = get(next_of(first)), last = rest;
    struct heap_bank *bank = own_bank();
    _Atomic uint64_t *head = &bank->heads[block_header_of(first)->class_index];

    memset(arena_at(first), 0, clear);
    while (last && get(next_of(last))) last = get(next_of(last));
    lock_acquire(intent, &bank->lock);
    if (rest) {
        intent_store(intent, next_of(last), get(head));
        intent_store(intent, head, rest);
    }
    intent_store(intent, owned, first);
    intent_store(intent, &intent->heap, 0);
    intent_commit(intent);
    lock_release(intent, &bank->lock);
    return true;
}

/* From another bank. It keeps its first: what lies beside them on a cache line is in use by its own threads. */
static bool take_others(struct intent *intent, uint32_t class_index, uint64_t clear, _Atomic uint64_t *owned,
                        uint32_t kept)
{
    for (uint32_t i = 1; i < HEAP_BANKS; i++)
        if (take_chain(intent, class_index, bank_at(i), kept)) return keep_first(intent, clear, owned);
    return false;
}

/* ---- any block --------------------------------------------------------------------------------------------- */

/*
 * The owned slot's extent becomes a block; until now recovery has seen plain memory. The generation is one that no
 * object at this place had before, as headers do not stay.
 */
static void make_large(uint64_t clear, _Atomic uint64_t *owned)
{
    uint64_t extent = get(owned), block = extent_start(extent) + sizeof(struct block_header);

    memset(arena_at(block), 0, clear);
    block_header_write(block, BLOCK_CLASS_LARGE, extent);
    atomic_store_explicit(&block_header_of(block)->kind, atomic_fetch_add(&arena_header->heap.generation, 1) << 8,
                          memory_order_relaxed);
    atomic_store_explicit(owned, block, memory_order_release);
}

/* Where there is no memory for more, a larger one serves, rather than none. */
mproc_status block_take_small(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *owned)
{
    uint32_t class_index = size_class_of(size + sizeof(struct block_header));
    uint32_t kept = chain_length(class_index, CHAIN_BYTES_MOVED);
    mproc_status status;

    assert(atomic_load(owned) == 0 && clear <= size && get(&intent->heap) == 0);
    if (take_own(intent, class_index, clear, owned)) return MPROC_OK;
    if (take_others(intent, class_index, clear, owned, kept)) return MPROC_OK;
    if ((status = cut(intent, class_index)) == MPROC_OK && keep_first(intent, clear, owned)) return MPROC_OK;
    for (; class_index < HEAP_CLASSES; class_index++)
        if (take_own(intent, class_index, clear, owned) || take_others(intent, class_index, clear, owned, 0))
            return MPROC_OK;
    return status;
}

mproc_status block_take(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *owned)
{
    uint64_t bytes = size + sizeof(struct block_header);
    mproc_status status;
    bool zero;

    if (size > arena_header->reserve)
        return mproc_error(
            MPROC_NO_MEMORY,
            "no room for %llu bytes: all that the family can share is %llu MiB. A limit on the address "
            "space of its first process (ulimit -v) may be why: raise that, or use named memory",
            (unsigned long long)size, (unsigned long long)(arena_header->reserve >> 20));
    if (bytes <= SMALL_BYTES_MAX && block_take_small(intent, size, clear, owned) == MPROC_OK) return MPROC_OK;
    status = extent_take(intent, bytes, owned, &zero);
    if (status == MPROC_OK) make_large(zero ? 0 : clear, owned);
    return status;
}

/*
 * `next` is part of the list of changes, not written before: in a stage it names the others of a chain until those
 * are published. A large block's owned slot may have its extent already.
 */
void block_give(struct intent *intent, _Atomic uint64_t *owned, uint64_t left)
{
    uint64_t block = get(owned);
    struct block_header *header;
    struct heap_bank *bank;
    _Atomic uint64_t *head;

    if (!block) return;
    header = block_header_of(block);
    if (header->class_index == BLOCK_CLASS_LARGE)
        atomic_store_explicit(owned, get(&header->next), memory_order_release);
    if (header->class_index >= HEAP_CLASSES) {
        assert(left == 0);
        extent_give(intent, owned);
        return;
    }
    bank = own_bank();
    head = &bank->heads[header->class_index];
    lock_acquire(intent, &bank->lock);
    /* In recovery the lock's last owner may have been another recoverer that died over this very owned slot. */
    if (get(owned) == block) {
        intent_store(intent, &header->next, get(head));
        intent_store(intent, head, block);
        intent_store(intent, owned, left);
        intent_commit(intent);
    }
    lock_release(intent, &bank->lock);
}

void block_give_stage(struct intent *intent, struct intent *dead)
{
    uint64_t block;

    while ((block = get(&dead->heap)) != 0) {
        bool small = block_header_of(block)->class_index < HEAP_CLASSES;
        block_give(intent, &dead->heap, small ? get(next_of(block)) : 0);
    }
}

uint64_t block_size(uint64_t block)
{
    const struct block_header *header = block_header_of(block);
    uint64_t bytes =
        header->class_index < HEAP_CLASSES ? size_class_bytes(header->class_index) : extent_bytes(get(&header->next));

    return bytes - sizeof *header;
}

bool block_may_be(uint64_t block)
{
    uint64_t header = block - sizeof(struct block_header);
    const struct arena_range *range = &arena_header->ranges[ARENA_HEAP];

    if (block < sizeof(struct block_header) || block % BLOCK_ALIGNMENT != 0) return false;
    return (header >= range->start && block < get(&arena_header->heap.top)) ||
           (header >= get(&arena_header->heap.bottom) && block < range->limit);
}

/* What is there may be no header any more, or be written just now: then it is told by what else is looked at. */
static bool says_object(const struct block_header *header, bool large)
{
    return header->magic == BLOCK_MAGIC && (!large || header->class_index == BLOCK_CLASS_LARGE);
}

/*
 * A large block's place may be anybody's by now. It was committed once, so it can be read. In the one order of all
 * threads the kind is loaded after the caller's own store to the recovery lock. Who ends an object stores its kind
 * and then loads that lock: one of the two sees the other.
 */
uint32_t block_kind(uint64_t block)
{
    const struct block_header *header = (const struct block_header *)arena_at(block - sizeof *header);
    bool large = block >= get(&arena_header->heap.bottom), there = says_object(header, large);

    if (large) there = there && extent_is_at(get(&header->next), arena_offset(header));
    return there ? atomic_load(&header->kind) : 0;
}

/* ---- census ------------------------------------------------------------------------------------------------ */

/* A list longer than the heap has blocks runs in a circle. */
static uint64_t count_list(uint64_t block, uint32_t class_index, uint64_t limit, bool *sound)
{
    uint64_t count = 0;

    for (; block && count <= limit; block = get(next_of(block)), count++)
        if (block_header_of(block)->class_index != class_index) *sound = false;
    if (count > limit) *sound = false;
    return count;
}

static void count_cut(struct block_census *census)
{
    uint64_t top = atomic_load(&arena_header->heap.top), at = arena_header->ranges[ARENA_HEAP].start;

    while (at < top && census->sound) {
        const struct block_header *header = (const struct block_header *)arena_at(at);
        census->sound = header->magic == BLOCK_MAGIC && header->class_index < HEAP_CLASSES;
        if (!census->sound) break;
        census->cut++;
        census->bytes_used += size_class_bytes(header->class_index);
        at += size_class_bytes(header->class_index);
    }
}

static void count_banks(struct block_census *census)
{
    for (uint32_t i = 0; i < HEAP_BANKS * HEAP_CLASSES && census->sound; i++) {
        uint32_t class_index = i % HEAP_CLASSES;
        uint64_t first = get(&arena_header->heap.banks[i / HEAP_CLASSES].heads[class_index]);
        uint64_t count = count_list(first, class_index, census->cut, &census->sound);
        census->free += count;
        census->bytes_used -= count * size_class_bytes(class_index);
    }
}

struct block_census block_count(void)
{
    struct block_census census = {0, 0, 0, 0, true};
    struct extent_census extents = extent_count();

    count_cut(&census);
    count_banks(&census);
    census.sound = census.sound && extents.sound && census.free <= census.cut;
    census.cut += extents.used;
    census.bytes_used += extents.bytes_used;
    census.bytes_warm = extents.bytes_warm;
    return census;
}
