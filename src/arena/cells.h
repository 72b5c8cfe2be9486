/*
 * The cells of a process: a chain of tables in the arena that holds the blocks it owns. When it
 * dies, recovery gives them back; that is all that has to be known about who owns what.
 */
#ifndef MPROC_ARENA_CELLS_H
#define MPROC_ARENA_CELLS_H

#include "arena/block.h"

/*
 * Takes a block of at least `size` bytes, the first `clear` of them zero, owned by this process, and
 * gives its cell. The cell is the caller's until cells_give(). MPROC_NO_MEMORY.
 */
mproc_status cells_take(uint64_t size, uint64_t clear, _Atomic uint64_t **cell);

/* Gives the block back, and the cell; NULL is fine. */
void cells_give(_Atomic uint64_t *cell);

/* In recovery: gives back all blocks in the chain that begins at the cell `chain`, and the chain. */
void cells_recover(struct hand *hand, _Atomic uint64_t *chain);

/* For a forked copy or a test: forgets what this process knows of its cells. */
void cells_forget(void);

#endif
