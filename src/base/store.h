/* Values into variables, and what is said if one does not fit. */
#ifndef MPROC_BASE_STORE_H
#define MPROC_BASE_STORE_H

#include <mproc/value.h>

/* At most so many variables are stored into at once. */
#define STORE_TARGETS_MAX 32

/*
 * Puts the elements of a list into as many variables: all or, if one does not fit, none. `task` is the name of the
 * task whose arguments they are, or NULL. MPROC_INVALID, or why this process cannot have an object or a function.
 */
mproc_status store_elements(const mproc_value *list, const mproc_target *targets, size_t count, const char *task);

#endif
