/*
 * Parcels: a value, or bytes, on its way from one process to another: arguments of a task, items of a queue. It is an
 * object in the arena that holds the objects to which the value refers, so that they live as long as it does.
 */
#ifndef MPROC_OBJECT_PARCEL_H
#define MPROC_OBJECT_PARCEL_H

#include "object/object.h"

extern const struct object_type parcel_type;

/*
 * `next` and what the value refers to are links, `links` of them; the data follow. `next` is the next one of a list
 * in which it stands. `form` says what the data are, `given` how often it was given to somebody, `holder` to whom
 * last, and `in_use` that he reads it: they are for who has the list.
 */
struct parcel {
    struct object object;
    uint64_t size; /* of the data */
    _Atomic uint32_t given;
    _Atomic uint32_t holder;
    _Atomic uint16_t in_use;
    uint16_t form;
    uint32_t links;
    _Atomic uint64_t next;
};

static_assert((sizeof(struct block_header) + sizeof(struct parcel)) % ARENA_LINE == 0,
              "the data of a large one, which begins a page, begin a cache line, and are copied faster");

static_assert(offsetof(struct parcel, next) == sizeof(struct parcel) - sizeof(uint64_t), "links follow");

static inline struct parcel *parcel_at(uint64_t offset)
{
    return (struct parcel *)arena_at(offset);
}

/* The bytes before the data of a parcel with so many links, as the data are aligned for every type. */
static inline uint64_t parcel_head(uint32_t links)
{
    uint64_t end = offsetof(struct parcel, next) + links * sizeof(uint64_t);

    return (end + BLOCK_ALIGNMENT - 1) & ~(uint64_t)(BLOCK_ALIGNMENT - 1);
}

static inline void *parcel_data(const struct parcel *parcel)
{
    return (unsigned char *)parcel + parcel_head(parcel->links);
}

/*
 * Makes a parcel in the empty owned slot, with room for so many objects, for `size` bytes of data that the caller
 * writes. MPROC_NO_MEMORY: the slot stays empty.
 */
mproc_status parcel_create(struct intent *intent, uint64_t size, uint32_t objects, _Atomic uint64_t *owned);

struct wait;

/*
 * Fills the links with the objects in the value whose encoding the data are. An object that needs a handle of the
 * system has another in its place, which has that, unless the parcel is what a process is started with: then the
 * handle goes there by itself. To leave a handle may take until the end of `wait`, or, if that is NULL, some seconds.
 * MPROC_CLOSED: an object has been freed. What `stand_in` of a type returns.
 */
mproc_status parcel_hold(struct intent *intent, struct parcel *parcel, bool at_start, const struct wait *wait);

/*
 * Stands before the encoding of a value that was copied from a parcel with objects, in the same memory, and keeps the
 * parcel. `arena` is the generation of that arena.
 */
struct parcel_keeper {
    _Atomic uint64_t *owned;
    uint32_t arena;
    uint32_t unused;
};

struct encoding_header;

/*
 * Copies the value that is in the parcel of an owned slot, behind such a keeper, whose the slot is then:
 * encoding_owned(). MPROC_NO_MEMORY.
 */
mproc_status parcel_keep(_Atomic uint64_t *owned, struct encoding_header **encoding);

/* The same of a parcel without objects, without a keeper. */
mproc_status parcel_copy(const struct parcel *parcel, struct encoding_header **encoding);

/* How often the parcel refers to the object. For a holder of the parcel. */
uint32_t parcel_count(const struct parcel *parcel, uint64_t object);

#endif
