/* Classes, as objects have them: copies. */
#ifndef MPROC_SERVICE_CLASS_H
#define MPROC_SERVICE_CLASS_H

#include <mproc/object.h>

/* `full` is "Class.method". */
struct class_method {
    mproc_function *function;
    const char *name;
    const char *full;
};

/* What it refers to is in the same block of memory. `create` and `destroy` have a function or not. */
struct class_copy {
    const char *name;
    struct class_method create;
    struct class_method destroy;
    struct class_method *methods;
    size_t count;
    bool concurrent;
};

/* MPROC_INVALID, with a text that says what of it is wrong; MPROC_NO_MEMORY. free() ends the copy. */
mproc_status class_copy_create(const mproc_class *given, struct class_copy **out);

/* MPROC_NOT_SUPPORTED: there is none of that name; the text lists those that there are. */
mproc_status class_copy_find(const struct class_copy *copy, const char *name, const struct class_method **method);

#endif
