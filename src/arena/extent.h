/*
 * Extents: runs of whole pages at the end of the heap, for blocks that are large. They lie in order, without gaps,
 * from the heap's `bottom` on; each is split and merged as needed. A table beside the heap describes them, so that an
 * extent need not have memory.
 *
 *     cold --take--> raw --commit--> used --give--> warm --take--> used
 *       ^------------------ raw <-----------------------+ if more is warm than is worth while
 *
 * Cold extents are addresses alone: their memory was given back to the system, or never taken from it, and neighbours
 * are merged. Warm ones were given back by their users and keep their memory, because first touch costs many
 * times a copy; the oldest of them become cold. Whatever takes long, to get, clear or give back memory, is done
 * without a lock, by the one thread whose owned slot the extent is in.
 */
#ifndef MPROC_ARENA_EXTENT_H
#define MPROC_ARENA_EXTENT_H

#include "arena/slot.h"

/*
 * Takes an extent of at least `bytes`, with memory, into the empty owned slot. `*zero`: its bytes are.
 * MPROC_NO_MEMORY. The owned slot has the extent's own offset, that of its entry in the table: to recovery that is a
 * block without links.
 */
mproc_status extent_take(struct intent *intent, uint64_t bytes, _Atomic uint64_t *owned, bool *zero);

/*
 * Gives the owned slot's extent back and empties the owned slot. Those that become cold for it pass the intent's
 * stage. With the intent of recovery none becomes cold: whoever has recovered calls extent_cool() when others do not
 * wait for that any more.
 */
void extent_give(struct intent *intent, _Atomic uint64_t *owned);

/* The oldest extents become cold, while more is warm than is worth while. */
void extent_cool(struct intent *intent);

/* Where the extent begins, and how many bytes it has. */
uint64_t extent_start(uint64_t extent);
uint64_t extent_bytes(uint64_t extent);

/* Whether an extent in use begins at `start`, if this is the offset of its entry: it may be any number. */
bool extent_is_at(uint64_t extent, uint64_t start);

struct extent_census {
    uint64_t used;       /* extents that are in owned slots */
    uint64_t bytes_used; /* in them */
    uint64_t bytes_warm; /* in those that are free and have memory */
    bool sound;          /* they lie in order without gaps, each is in the list of its state, once */
};

/* Counts all extents. Correct only while nobody takes or gives. */
struct extent_census extent_count(void);

#endif
