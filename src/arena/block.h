/*
 * Blocks: the arena's memory. Small ones, up to 32 KiB, have sizes of four steps to each doubling; they are cut once,
 * and lie in a bank while nobody has them. Large ones are extents (extent.h).
 *
 * A block is never in nobody's hands: it goes from its bank straight into an owned slot - a word of the arena that
 * only the calling thread, and recovery after its death, changes - and from an owned slot back to a bank. Whatever
 * instruction a process is killed at, the block is in the one place or in the other.
 *
 * Where a bank has none, some go from another bank, or from what was never used, to the stage of the thread's
 * intent, as a chain in which each names the next; the first goes on to the owned slot, the others to the thread's
 * bank.
 */
#ifndef MPROC_ARENA_BLOCK_H
#define MPROC_ARENA_BLOCK_H

#include "arena/slot.h"

/* A block's address is a multiple of this. */
#define BLOCK_ALIGNMENT 16

/* Instead of a size: a block that is an extent; and what stands before an extent's entry in the table of those. */
#define BLOCK_CLASS_LARGE HEAP_CLASSES
#define BLOCK_CLASS_EXTENT (HEAP_CLASSES + 1)

/*
 * What stands before a block's bytes. A small block stays at its place for ever, with its `magic` and `class_index`;
 * `next`, the offset of the next free block, is used under the lock of the bank. A large block's `next` is its
 * extent. `kind` says what object the block is (object.h); it changes while the block is in an owned slot, by who has
 * the owned slot.
 */
struct block_header {
    uint16_t magic;
    uint16_t class_index;
    _Atomic uint32_t kind;
    _Atomic uint64_t next;
};

/*
 * Writes the offset of a block of at least `size` bytes into the empty owned slot. Its first `clear` bytes are zero
 * before the block is in the owned slot, so that recovery never reads what an earlier owner left; until then a large
 * one's owned slot may have another offset, of plain memory. The intent is the one that a thread works with; it has
 * no lock.
 *
 * Does not block but for short locks, and while the system finds memory. MPROC_NO_MEMORY: the owned slot stays empty.
 */
mproc_status block_take(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *owned);

/*
 * The same for what links others: a block that is a table in a chain is a small one, as recovery reads the chain
 * while the block is on its way. MPROC_NO_MEMORY also where there are only large ones.
 */
mproc_status block_take_small(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *owned);

/*
 * Gives the owned slot's block back and puts `left`, 0 or a block that this one refers to, in its place; an empty
 * owned slot is fine. A large block can leave nothing. The block is no object any more. Memory of large blocks may go
 * back to the system.
 */
void block_give(struct intent *intent, _Atomic uint64_t *owned, uint64_t left);

/* In recovery: gives back all that is in the dead thread's stage. */
void block_give_stage(struct intent *intent, struct intent *dead);

#define BLOCK_MAGIC 0x6B62u

/* What stands before the block at this offset. */
static inline struct block_header *block_header_of(uint64_t block)
{
    struct block_header *header = (struct block_header *)arena_at(block - sizeof *header);
    assert(header->magic == BLOCK_MAGIC && header->class_index <= BLOCK_CLASS_EXTENT);
    return header;
}

/* Writes it, where nobody sees it yet. */
void block_header_write(uint64_t block, uint32_t class_index, uint64_t next);

/* Whether a block may lie at this offset, which may be any number: only then it can be looked at. */
bool block_may_be(uint64_t block);

/* The `kind` in the header of the block at this offset, or 0: there is none, or none any more. */
uint32_t block_kind(uint64_t block);

/* How many bytes the block at this offset has. */
uint64_t block_size(uint64_t block);

struct block_census {
    uint64_t cut;        /* blocks in the heap, but large ones only if they are in use */
    uint64_t free;       /* of these, in banks */
    uint64_t bytes_used; /* in blocks that are not free, headers included */
    uint64_t bytes_warm; /* in large ones that are free and keep their memory */
    bool sound;          /* headers follow each other, lists hold only their own blocks, once */
};

/* Counts all blocks, for tests and for the curious. Correct only while nobody takes or gives. */
struct block_census block_count(void);

#endif
