/* What a task sees of its call. */
#ifndef MPROC_PROCESS_CALL_H
#define MPROC_PROCESS_CALL_H

#include <mproc/call.h>

/* `name` is the process' or worker's, for messages. */
struct mproc_call {
    const void *args;
    size_t args_size;
    const char *name;
};

#endif
