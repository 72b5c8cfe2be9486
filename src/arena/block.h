/*
 * Blocks: the arena's memory, in sizes of four steps to each doubling. A freed block goes to the
 * list of its size and stays committed, because first touch costs many times a copy.
 *
 * A block is never in nobody's hands: it goes from its list (or from the top of the heap) straight
 * into a cell - a word of the arena that only the calling thread, and recovery after its death,
 * changes - and from a cell back to the list. Whatever instruction a process is killed at, the block
 * is in the one place or in the other.
 */
#ifndef MPROC_ARENA_BLOCK_H
#define MPROC_ARENA_BLOCK_H

#include "arena/slot.h"

/* A block's address is a multiple of this. */
#define BLOCK_ALIGNMENT 16

/*
 * What stands before a block's bytes, for ever at this place. `magic` and `class_index` are set when the block is cut
 * and never change; `next`, the offset of the next free block, is used under the lock of the class.
 * `kind` says what object the block is (object.h); it changes while the block is in a cell, by who has the cell.
 */
struct block_header {
    uint16_t magic;
    uint16_t class_index;
    _Atomic uint32_t kind;
    uint64_t next;
};

/*
 * Writes the offset of a block of at least `size` bytes into the empty cell. Its first `clear`
 * bytes are zero before the block is in the cell, so that recovery never reads what an earlier
 * owner left. Does not block but for the lock of the size. MPROC_NO_MEMORY: the cell stays empty.
 */
mproc_status block_take(struct intent *intent, uint64_t size, uint64_t clear, _Atomic uint64_t *cell);

/* Gives the cell's block back and empties the cell; an empty cell is fine. The block is no object any more. */
void block_give(struct intent *intent, _Atomic uint64_t *cell);

/* As block_give(), and puts `left`, which the block had in its hands, into the cell. */
void block_give_leaving(struct intent *intent, _Atomic uint64_t *cell, uint64_t left);

/* What stands before the block at this offset. */
struct block_header *block_header_of(uint64_t block);

/* How many bytes the block at this offset has. */
uint64_t block_size(uint64_t block);

struct block_census {
    uint64_t cut;        /* blocks in the heap */
    uint64_t free;       /* of these, on the lists */
    uint64_t bytes_used; /* in blocks that are not free, headers included */
    bool sound;          /* headers follow each other, lists hold only their own blocks, once */
};

/* Counts all blocks, for tests and for the curious. Correct only while nobody takes or gives. */
struct block_census block_count(void);

#endif
