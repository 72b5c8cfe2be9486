/* What becomes of a value of a container by what it was: a function of the program makes the one of the other. */
#ifndef MPROC_CONTAINER_UPDATE_H
#define MPROC_CONTAINER_UPDATE_H

#include "container/container.h"
#include "process/call.h"

/*
 * One that runs. `items` are the function's arguments, of which the first is the value as it is; `held` keeps that,
 * if it is a parcel, and is the caller's to fill.
 */
struct update {
    mproc_function *function;
    mproc_value *items;
    size_t count;
    struct call_result result;
    struct reference_scope scope;
    const char *name;
    _Atomic uint64_t *held;
};

/* `name` is what messages call it. MPROC_INVALID, MPROC_NO_MEMORY. In all cases update_end() follows. */
mproc_status update_begin(struct update *update, const char *name, mproc_function *function, const mproc_args *args);
void update_end(const struct update *update);

/* Before the value is looked up, also again: nothing is held. */
void update_again(struct update *update);

/*
 * Without any lock: has the function make another value of the one in the cell. `*value` is valid until the next call
 * of one of these. Returns what the function has returned. Whatever that is, reference_scope_clear() of the scope
 * follows.
 */
mproc_status update_make(struct update *update, const struct cell *from, mproc_value *value);

#endif
