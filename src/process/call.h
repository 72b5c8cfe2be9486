/* What a task sees of its call. */
#ifndef MPROC_PROCESS_CALL_H
#define MPROC_PROCESS_CALL_H

#include <mproc/call.h>

#include "object/reference.h"

/*
 * `name` is the process' or worker's, for messages; `scope` has the objects that the arguments refer to; `state` is
 * the program's.
 */
struct mproc_call {
    mproc_value args;
    const char *name;
    struct reference_scope *scope;
    void *state;
};

#endif
