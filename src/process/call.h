/* What a task sees of its call. */
#ifndef MPROC_PROCESS_CALL_H
#define MPROC_PROCESS_CALL_H

#include <mproc/call.h>

/* `name` is the process' or worker's, for messages. */
struct mproc_call {
    mproc_value args;
    const char *name;
};

/*
 * The size of the encoding of arguments for the task `name`. MPROC_INVALID: they are neither list, map nor bytes, or
 * cannot be encoded; the text says which of them.
 */
mproc_status args_measure(const mproc_args *args, const char *name, size_t *size);

/* Writes it, to memory that is aligned for every type. */
mproc_status args_write(const mproc_args *args, const char *name, void *encoding, size_t size);

/* The arguments as their encoding, which a process of the family has written, says. NULL: none. */
mproc_value args_view(const void *encoding, size_t size);

#endif
