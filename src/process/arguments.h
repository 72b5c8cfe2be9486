/* The arguments of a task: a parcel, held by whoever creates or runs the task. */
#ifndef MPROC_PROCESS_ARGUMENTS_H
#define MPROC_PROCESS_ARGUMENTS_H

#include <mproc/call.h>

#include "object/resource_owner.h"

/*
 * Makes the arguments for the task `name`, with which a process is to be started, or not. `*owned` is the caller's:
 * resource_release(); NULL if there are none.
 *
 * MPROC_INVALID: they are neither list, map nor bytes, or cannot be encoded; the text says which of them.
 * MPROC_CLOSED: an object that they refer to has been freed. MPROC_NO_MEMORY. And what parcel_hold() returns.
 */
mproc_status arguments_create(const mproc_args *args, const char *name, bool at_start, _Atomic uint64_t **owned);

/* A view of the arguments at this offset of the arena, for a holder of them. 0: none. */
mproc_value arguments_view(uint64_t arguments);

/* The same, of an owned slot, which may be NULL. */
static inline uint64_t arguments_in(const _Atomic uint64_t *owned)
{
    return owned ? atomic_load(owned) : 0;
}

/* How many of the arguments (0: none), for a holder of them, are this object. */
uint32_t arguments_count(uint64_t arguments, uint64_t object);

#endif
