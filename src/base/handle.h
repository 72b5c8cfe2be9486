/*
 * Objects in values: what a value says of an object, and how this process gets a reference to it.
 *
 * Everything that a value can refer to begins, in the process that uses it, with a struct handle_ref; so values know
 * nothing of the layers above. Those give the two functions that make and drop references.
 */
#ifndef MPROC_BASE_HANDLE_H
#define MPROC_BASE_HANDLE_H

#include <assert.h>

#include <mproc/value.h>

/* Stands in an encoding. `offset` is the object's in the arena, `generation` tells it from an earlier one there. */
struct handle_ref {
    uint32_t kind; /* mproc_object_kind */
    uint32_t generation;
    uint64_t offset;
};

static_assert(sizeof(struct handle_ref) == 16, "it is part of the encoding");

/* In the offset of what is an object of another program's manager, its highest bit: no arena is so large. */
#define HANDLE_REMOTE ((uint64_t)1 << 39)

/* Then its lowest bits are the number by which that knows it, and those above are the connection's. */
#define HANDLE_NUMBER_BITS 20

static inline bool handle_is_remote(const struct handle_ref *ref)
{
    return (ref->offset & HANDLE_REMOTE) != 0;
}

/* Whether two that are in another program were got by one connection. */
static inline bool handle_came_together(const struct handle_ref *left, const struct handle_ref *right)
{
    return handle_is_remote(left) && left->offset >> HANDLE_NUMBER_BITS == right->offset >> HANDLE_NUMBER_BITS;
}

/* Tells it from all others of its family, whose places need less than 40 bits, and whose generations need 24. */
static inline uint64_t handle_key(const struct handle_ref *ref)
{
    assert(ref->offset >> 40 == 0);
    return (uint64_t)ref->generation << 40 | ref->offset;
}

struct handle_functions {
    /*
     * Makes, or finds, this process' object: its address begins with `*ref`. The reference was in a value that is
     * being read, so whoever holds that value keeps the object alive. `*object` is the reader's, or the task's that
     * reads.
     */
    mproc_status (*open)(const struct handle_ref *ref, void **object);
    /* Gives back what open() gave, if it is the reader's; a task keeps its own until it returns. */
    void (*drop)(void *object);
    /* Frees memory that begins with what keeps the objects of a value. */
    void (*release)(void *keeper);
};

/* Called once, while the process enters the family, before other threads use values. */
void handle_install(const struct handle_functions *functions);

/* MPROC_NOT_SUPPORTED: no kind of object, or nothing is installed; otherwise as open() returns. */
mproc_status handle_open(const struct handle_ref *ref, void **object);

/* After handle_open(). */
void handle_drop(void *object);

/* Of what only a process with installed functions can have. */
void handle_release(void *keeper);

/* A description such as "a lock"; "an object" for a number that is no kind. */
const char *handle_name(uint32_t kind);

/* Whether the number is a kind's. */
bool handle_is_kind(uint32_t kind);

#endif
