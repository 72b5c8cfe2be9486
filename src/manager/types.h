/* The types of objects that managers make, by their names. */
#ifndef MPROC_MANAGER_TYPES_H
#define MPROC_MANAGER_TYPES_H

#include <mproc/value.h>

/* No type is made of more. */
#define TYPES_ARGS_MAX 2

/* Whether managers make objects of this type. */
bool types_know(const char *name);

/*
 * Makes an object of the family, of a list of arguments or nil. `served`: another program is to have it. `*value` is
 * the caller's, and all that has the object.
 *
 * MPROC_NOT_FOUND: there is no such type; MPROC_INVALID: it is not made of these; MPROC_NOT_SUPPORTED: it is not
 * served to others; or as its create function.
 */
mproc_status types_make(const char *name, const mproc_value *args, bool served, mproc_value *value);

/* The value of an object, and all that it has. The reference that this process has goes. */
mproc_status types_hand_over(mproc_object_kind kind, void *object, mproc_value *value);

#endif
