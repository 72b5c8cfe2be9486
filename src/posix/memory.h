/* What is left of the memory that the system, and the control groups of this process, let us have. */
#ifndef MPROC_POSIX_MEMORY_H
#define MPROC_POSIX_MEMORY_H

#include <mproc/status.h>

#include <stddef.h>

/*
 * Tells whether `size` more bytes can be allocated. Asking first is the only way: beyond the limit of a memory
 * group, and where all memory is used up, the system does not refuse but kills. MPROC_NO_MEMORY.
 */
mproc_status memory_check_room(size_t size);

#endif
