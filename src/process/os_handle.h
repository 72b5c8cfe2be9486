/* The type of handles of the program's own. */
#ifndef MPROC_PROCESS_OS_HANDLE_H
#define MPROC_PROCESS_OS_HANDLE_H

#include "object/type.h"

extern const struct object_type os_handle_type;

#endif
