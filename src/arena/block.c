/* The block allocator. */
#include "arena/block.h"

#include <string.h>

#include "arena/lock.h"

#define BLOCK_MAGIC 0x6B62u
#define BLOCK_BYTES_MIN 64
#define STEPS 4 /* sizes between two powers of two */

/* Sizes 64, 80, 96, 112, 128, 160, ... with the header: at most a quarter is wasted. */
static uint64_t class_bytes(uint32_t class_index)
{
    return ((uint64_t)BLOCK_BYTES_MIN / STEPS * (STEPS + class_index % STEPS)) << class_index / STEPS;
}

static uint32_t class_of(uint64_t bytes)
{
    uint32_t doublings = 0;

    /* The number of doublings that still leave at least one full step: found by halving the distance. */
    for (uint32_t half = 32; half > 0; half /= 2)
        if (doublings + half < HEAP_CLASSES / STEPS && bytes >> (doublings + half) > BLOCK_BYTES_MIN)
            doublings += half;
    for (uint32_t class_index = doublings * STEPS; class_index < HEAP_CLASSES; class_index++)
        if (class_bytes(class_index) >= bytes) return class_index;
    return HEAP_CLASSES;
}

struct block_header *block_header_of(uint64_t block)
{
    struct block_header *header = (struct block_header *)arena_at(block - sizeof *header);
    assert(header->magic == BLOCK_MAGIC && header->class_index < HEAP_CLASSES);
    return header;
}

/* Under the intent's lock: `from`, which named the block, gets `left`, and the cell the block. */
static void move(struct intent *intent, const _Atomic uint64_t *from, uint64_t left, const _Atomic uint64_t *cell,
                 uint64_t block)
{
    intent_store(intent, from, left);
    intent_store(intent, cell, block);
    intent_commit(intent);
}

static bool take_free(struct intent *intent, uint32_t class_index, uint64_t clear, _Atomic uint64_t *cell)
{
    struct heap_class *class_ = &arena_header()->heap.classes[class_index];
    uint64_t block;

    if (atomic_load_explicit(&class_->head, memory_order_relaxed) == 0) return false;
    lock_acquire(intent, &class_->lock);
    block = atomic_load_explicit(&class_->head, memory_order_relaxed);
    if (block) {
        memset(arena_at(block), 0, clear);
        move(intent, &class_->head, block_header_of(block)->next, cell, block);
    }
    lock_release(intent, &class_->lock);
    return block != 0;
}

/* Memory above the top is nobody's and zero, so the header may be written before the block is published. */
static mproc_status cut(struct intent *intent, uint32_t class_index, _Atomic uint64_t *cell)
{
    struct heap *heap = &arena_header()->heap;
    uint64_t top, bytes = class_bytes(class_index);
    struct block_header *header;
    mproc_status status;

    lock_acquire(intent, &heap->lock);
    top = atomic_load_explicit(&heap->top, memory_order_relaxed);
    if ((status = arena_commit(ARENA_HEAP, top + bytes)) == MPROC_OK) {
        header = (struct block_header *)arena_at(top);
        header->magic = BLOCK_MAGIC;
        header->class_index = (uint16_t)class_index;
        header->next = 0;
        move(intent, &heap->top, top + bytes, cell, top + sizeof *header);
    }
    lock_release(intent, &heap->lock);
    return status;
}

mproc_status block_take(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *cell)
{
    uint32_t class_index;

    assert(atomic_load(cell) == 0 && clear <= size);
    if (size > UINT64_MAX / 2)
        return mproc_error(MPROC_NO_MEMORY, "a block of %llu bytes is out of reach", (unsigned long long)size);
    class_index = class_of(size + sizeof(struct block_header));
    if (class_index == HEAP_CLASSES || class_bytes(class_index) > arena_header()->reserve)
        return mproc_error(MPROC_NO_MEMORY, "a block of %llu bytes is larger than the arena of %llu MiB",
                           (unsigned long long)size, (unsigned long long)(arena_header()->reserve >> 20));
    if (take_free(intent, class_index, clear, cell)) return MPROC_OK;
    return cut(intent, class_index, cell);
}

void block_give(struct intent *intent, _Atomic uint64_t *cell)
{
    block_give_leaving(intent, cell, 0);
}

void block_give_leaving(struct intent *intent, _Atomic uint64_t *cell, uint64_t left)
{
    uint64_t block = atomic_load_explicit(cell, memory_order_relaxed);
    struct heap_class *class_;

    if (!block) return;
    class_ = &arena_header()->heap.classes[block_header_of(block)->class_index];
    lock_acquire(intent, &class_->lock);
    /* In recovery the lock's last owner may have been another recoverer that died over this very cell. */
    if (atomic_load_explicit(cell, memory_order_relaxed) == block) {
        block_header_of(block)->next = atomic_load_explicit(&class_->head, memory_order_relaxed);
        move(intent, &class_->head, block, cell, left);
    }
    lock_release(intent, &class_->lock);
}

uint64_t block_size(uint64_t block)
{
    return class_bytes(block_header_of(block)->class_index) - sizeof(struct block_header);
}

/* A list longer than the heap has blocks runs in a circle. */
static uint64_t count_list(uint32_t class_index, uint64_t limit, bool *sound)
{
    uint64_t count = 0;
    uint64_t block = atomic_load(&arena_header()->heap.classes[class_index].head);

    for (; block && count <= limit; block = block_header_of(block)->next, count++)
        if (block_header_of(block)->class_index != class_index) *sound = false;
    if (count > limit) *sound = false;
    return count;
}

struct block_census block_count(void)
{
    struct block_census census = {0, 0, 0, true};
    uint64_t top = atomic_load(&arena_header()->heap.top), at = arena_header()->ranges[ARENA_HEAP].start;

    while (at < top && census.sound) {
        const struct block_header *header = (const struct block_header *)arena_at(at);
        census.sound = header->magic == BLOCK_MAGIC && header->class_index < HEAP_CLASSES;
        if (!census.sound) break;
        census.cut++;
        census.bytes_used += class_bytes(header->class_index);
        at += class_bytes(header->class_index);
    }
    for (uint32_t i = 0; i < HEAP_CLASSES && census.sound; i++) {
        uint64_t count = count_list(i, census.cut, &census.sound);
        census.free += count;
        census.bytes_used -= count * class_bytes(i);
    }
    return census;
}
