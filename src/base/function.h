/*
 * References to functions that hold in another process: the module that the function lies in, and
 * its place there. Address-space randomisation moves modules, but never code inside one.
 */
#ifndef MPROC_BASE_FUNCTION_H
#define MPROC_BASE_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include <mproc/status.h>

#define FUNCTION_PATH_BYTES 1024

/* May lie in shared memory: plain data, no pointers. */
typedef struct function_ref {
    uint64_t offset;                /* from the module's base */
    uint8_t module[20];             /* the module's id, which tells builds apart */
    bool main;                      /* the module is the executable */
    char path[FUNCTION_PATH_BYTES]; /* the module's file, for a process that has yet to open it */
} function_ref;

typedef void (*function_pointer)(void);

/*
 * Refers to a function of this process.
 *
 * MPROC_BAD_FUNCTION: the address lies in the code of no module: a trampoline, generated code, data.
 */
mproc_status function_encode(function_pointer function, function_ref *ref);

/*
 * Finds the function in this process; opens its module if it is not open yet, for good.
 *
 * MPROC_BAD_FUNCTION: the module is not here and cannot be opened, or has no code at that place.
 * MPROC_MISMATCH: the module's file is another build here.
 */
mproc_status function_decode(const function_ref *ref, function_pointer *function);

/*
 * Whether another function of this process lies in the same module as this one, whose reference is `ref`. Two copies
 * of a file are two modules, of one build.
 */
bool function_is_beside(function_pointer function, const function_ref *ref, function_pointer other);

/* Whether both mean the same function of the same build. */
bool function_same(const function_ref *left, const function_ref *right);

#endif
