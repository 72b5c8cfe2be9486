/*
 * Objects in values: what a value says of an object, and how the object's room makes one of it again.
 *
 * Everything that a value can refer to begins, in the process that uses it, with a struct handle_ref; so values know
 * nothing of the rooms above. A room announces its kind by handle_register() before a value can hold one.
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

/*
 * Makes, or finds, this process' object: its address begins with `*ref`. The reference was in a value that is being
 * read, so whoever holds that value keeps the object alive. `*object` is the reader's, or of the task that reads.
 */
typedef mproc_status handle_open(const struct handle_ref *ref, void **object);

/* Kinds are registered once, while the process enters the family, before other threads use values. */
void handle_register(mproc_object_kind kind, handle_open *open);

/* MPROC_NOT_SUPPORTED: nobody has registered the kind; otherwise as its function returns. */
mproc_status handle_find(const struct handle_ref *ref, void **object);

/* A description such as "a lock"; "an object" for a number that is no kind. */
const char *handle_name(uint32_t kind);

/* Whether the number is a kind's. */
bool handle_is_kind(uint32_t kind);

#endif
