/* Classes of the program of which managers make objects, by their names. */
#ifndef MPROC_MANAGER_CLASSES_H
#define MPROC_MANAGER_CLASSES_H

#include <mproc/dict.h>
#include <mproc/object.h>

/*
 * `classes` is a dict of the family: the process that makes objects need not be the one that names their classes.
 * MPROC_INVALID: the class cannot be one, or has the name of another type; MPROC_BAD_FUNCTION: one of its functions
 * is in no module; or as mproc_dict_set().
 */
mproc_status classes_register(mproc_dict *classes, const mproc_class *given);

/* Makes an object in this process. MPROC_NOT_FOUND: there is no such class; or as mproc_object_create(). */
mproc_status classes_make(const mproc_dict *classes, const char *name, const mproc_value *args, mproc_value *value);

#endif
