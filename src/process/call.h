/* What a task sees of its call. */
#ifndef MPROC_PROCESS_CALL_H
#define MPROC_PROCESS_CALL_H

#include <mproc/call.h>

#include "object/reference.h"

/*
 * What a task has returned last: in the owned slot a parcel, or, if that is empty, an encoding of `size` bytes; 0:
 * nothing. `arena` is the generation of the arena in which the owned slot is.
 */
struct call_result {
    _Atomic uint64_t *owned;
    uint32_t arena;
    size_t size;
    uint64_t bytes[8];
};

/*
 * `name` is the process' or worker's, for messages; `scope` has the objects that the arguments refer to; `result` is
 * NULL if nobody gets what the task returns; `state` is the program's; `lost` counts the workers that were lost with
 * it.
 */
struct mproc_call {
    mproc_value args;
    const char *name;
    struct reference_scope *scope;
    struct call_result *result;
    void *state;
    uint32_t lost;
};

#endif
