/*
 * Containers: dicts and lists. What all of them have is here: a lock, a version, and a body, which is an object of
 * its own with one handle, the container's link. So to clear a container is to change that link.
 *
 * A change is a redo list under the lock. Its first entry makes the version odd, its last one even again: who reads
 * without the lock has read what was there at one moment if the version was even and is the same afterwards.
 *
 * A value in a container is a cell. A number, or text of up to SHORT_BYTES_MAX bytes, is in it; any other is a parcel
 * (object/parcel.h), of which the cell's word is a handle. A parcel comes from the first stage of the intent and goes
 * there, by the same list.
 *
 * The lock is that of the library, so no code of the program runs under it: who changes a value by what it was looks
 * first, works outside, and then changes it if it is still the same.
 */
#ifndef MPROC_CONTAINER_CONTAINER_H
#define MPROC_CONTAINER_CONTAINER_H

#include "arena/lock.h"
#include "base/encoding.h"
#include "object/parcel.h"
#include "object/reference.h"

/* `body` and `version` change by the list alone, under the lock; the object's own lock is taken after this one. */
struct container {
    struct object object;
    _Atomic uint64_t body;
    arena_lock lock;
    uint32_t unused;
    _Atomic uint64_t version;
};

/* Instead of a value's head: the word of the cell is a parcel. */
#define CELL_PARCEL ((uint64_t)0xFE)

/*
 * Which stages of the intent are for what: a value that goes in or comes out; all else. The second one of the intent
 * that is for locks inside the lock has what table_finish() leaves.
 */
enum { STAGE_VALUE, STAGE_OTHER };

static inline struct intent *container_nested(void)
{
    return &thread_self.slot->intents[INTENT_NESTED];
}

static inline struct container *container_of(const struct reference *reference)
{
    return (struct container *)reference->at;
}

static inline uint64_t word_get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void word_set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Two numbers in one word. */
static inline uint32_t low(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t high(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint64_t both(uint64_t low_half, uint64_t high_half)
{
    return low_half | high_half << 32;
}

/* Returns the intent that has the lock. An odd version: somebody has died in the middle of a step of many. */
static inline struct intent *container_lock(struct container *container)
{
    struct intent *intent = work_intent();

    object_lock(intent, arena_offset(container), &container->lock);
    if (word_get(&container->version) % 2 == 1)
        object_type(word_get(&container->body))->finish(intent, arena_offset(container));
    return intent;
}

static inline void container_unlock(struct intent *intent, struct container *container)
{
    lock_release(intent, &container->lock);
}

/* Under the lock: the list of a change begins, and is published and done. */
static inline void container_change(struct intent *intent, const struct container *container)
{
    intent_store(intent, &container->version, word_get(&container->version) + 1);
}

static inline void container_commit(struct intent *intent, const struct container *container)
{
    intent_store(intent, &container->version, word_get(&container->version) + 2);
    intent_commit(intent);
}

/*
 * Under the lock: what is written from now on may be where something was that others still read without the lock, and
 * they see then that it went. If nothing comes of it, they only look again.
 */
static inline void container_reuses(struct container *container)
{
    atomic_store_explicit(&container->version, word_get(&container->version) + 2, memory_order_release);
    atomic_thread_fence(memory_order_release);
}

/* As container_change(), by a list in a variable. In a step of many changes the version is odd, and stays so. */
static inline struct redo container_redo(struct intent *intent, const struct container *container)
{
    struct redo redo = redo_begin(intent);

    redo_store(&redo, &container->version, word_get(&container->version) | 1);
    return redo;
}

static inline void container_redo_commit(struct redo *redo, const struct container *container)
{
    uint64_t version = word_get(&container->version);

    redo_store(redo, &container->version, version % 2 == 1 ? version : version + 2);
    redo_commit(redo);
}

/* Begins to read without the lock. Odd: somebody changes something just now. */
static inline uint64_t container_version(const struct container *container)
{
    return atomic_load_explicit(&container->version, memory_order_acquire);
}

/*
 * Whether what was read since may be of two moments. An offset that was read is used only after this has said no:
 * what it leads to may be freed since then, but can be read.
 */
static inline bool container_changed(const struct container *container, uint64_t version)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&container->version, memory_order_relaxed) != version;
}

static inline bool cell_is_number(const struct cell *cell)
{
    return cell->type < MPROC_TYPE_STRING;
}

static inline bool cell_is_parcel(const struct cell *cell)
{
    return cell_head(cell) == CELL_PARCEL;
}

/* Whether both are the same value, or the same parcel, which one who holds it can tell from all others. */
static inline bool cell_same(const struct cell *left, const struct cell *right)
{
    return cell_head(left) == cell_head(right) && left->word == right->word;
}

/*
 * Makes the cell of a value that is to go into the container; its parcel, if it has one, is in the empty owned slot:
 * the intent's stage, or that of a body that nobody else has. MPROC_INVALID: it cannot be copied, or refers to the
 * container itself. MPROC_CLOSED: as parcel_hold(). MPROC_NO_MEMORY.
 */
mproc_status container_stage(const struct reference *reference, const mproc_value *value, struct cell *cell,
                             _Atomic uint64_t *owned);

/* Under the lock: puts a handle of the cell's parcel, if it has one, into the empty owned slot. */
void container_hold(const struct cell *cell, _Atomic uint64_t *owned);

/* The value in a cell, whose parcel is held. It is valid as long as both are. */
mproc_value container_view(const struct cell *cell);

/* A copy of the same, which is the caller's and keeps the objects in it. MPROC_NO_MEMORY. */
mproc_status container_value(const struct cell *cell, mproc_value *value);

/*
 * The encoding of a value, as one that is owned. `*owned`, an owned slot of this process, holds what it refers to; it
 * goes with the value if there are objects in it, and is NULL then. MPROC_INVALID, MPROC_NO_MEMORY.
 */
mproc_status container_copy(const mproc_value *view, _Atomic uint64_t **owned, mproc_value *value);

#endif
