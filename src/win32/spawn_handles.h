/* What a child inherits: copies of handles for this one start. */
#ifndef MPROC_WIN32_INHERIT_H
#define MPROC_WIN32_INHERIT_H

#include "platform.h"
#include "windows_api.h"

enum { WIN32_GIVEN = 4, WIN32_STREAMS = 3 };

/*
 * Handles are inherited under their own number, and only if they are marked so. Marking the originals would leak them
 * into all children that other code starts from then on; so each start marks copies, lists exactly these for its
 * child (PROC_THREAD_ATTRIBUTE_HANDLE_LIST), and closes them. Other code that starts a child in between, and has it
 * inherit whatever is marked, passes the copies on, too: the system has no way to prevent that. Zeroed, it is empty.
 */
typedef struct win32_inheritance {
    plat_handle *numbers;          /* what the child knows start->handles by, and start->more behind them */
    HANDLE streams[WIN32_STREAMS]; /* NULL: the child has no such stream */
    HANDLE *copies;
    size_t count;
} win32_inheritance;

/* MPROC_INVALID: a handle, or a stream of `start`, is not open. MPROC_NO_MEMORY. */
mproc_status win32_inherit(win32_inheritance *inheritance, const plat_start *start);

void win32_inherit_fini(win32_inheritance *inheritance);

#endif
