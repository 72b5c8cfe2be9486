/* Values into variables, and what is said if one does not fit. */
#ifndef MPROC_BASE_STORE_H
#define MPROC_BASE_STORE_H

#include <mproc/value.h>

/* At most so many variables are stored into at once. */
#define STORE_TARGETS_MAX 32

/*
 * Puts the elements of a list of arguments into as many variables: all or, if one does not fit, none. `name` is the
 * task's. MPROC_INVALID, or why an object or a function is not to be had in this process.
 */
mproc_status store_arguments(const mproc_value *arguments, const mproc_target *targets, size_t count,
                             const char *name);

#endif
