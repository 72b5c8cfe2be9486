/*
 * Memory that objects of the kinds "shared memory" and "shareable list" have: in the arena, right behind the object,
 * or, if it has a name, outside of it. Then the object says where, and each process that refers to it has it mapped.
 */
#ifndef MPROC_SHARED_NAMED_MEMORY_H
#define MPROC_SHARED_NAMED_MEMORY_H

#include "object/reference.h"

#define NAMED_BYTES_MAX 64
#define NAMED_TOKEN_BYTES (3 * NAMED_BYTES_MAX + 1)

/*
 * The object. `serial` is 0 for memory in the arena; else it tells the memory from another that had the name before,
 * or has it later. `name` is set, and `serial` is not 0, before there is anything outside of the arena: whoever
 * recovers its dead owner looks after the name. The rest is set before anybody else knows the object.
 */
struct memory_object {
    struct object object;
    uint64_t size;
    uint64_t serial;
    char name[NAMED_BYTES_MAX + 1]; /* only of memory outside the arena */
};

/*
 * Makes such an object, its memory all zero. Nobody finds it by its name before named_publish(). `name` NULL: in the
 * arena.
 */
mproc_status named_create(enum object_kind kind, uint64_t size, const char *name, struct reference **out);
void named_publish(const struct reference *reference);

/*
 * Makes an object of what the name stands for. MPROC_NOT_FOUND; MPROC_MISMATCH: it is not of this
 * kind, or has less than `least` bytes.
 */
mproc_status named_attach(enum object_kind kind, uint64_t least, const char *name, struct reference **out);

/* Where this process has the memory. */
void *named_memory(const struct reference *reference);

static inline const struct memory_object *named_object(const struct reference *reference)
{
    return (const struct memory_object *)reference->at;
}

mproc_status named_unlink(const struct reference *reference);

/* Of the types of such objects: maps what is outside of the arena, if anything, and takes away what the dead left. */
mproc_status named_open(struct reference *reference, uint64_t by);
void named_close(struct reference *reference);
void named_holder_died(struct intent *intent, uint64_t object);
void named_forked(void);

#endif
