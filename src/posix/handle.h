/* What the files of this directory share about descriptors. */
#ifndef MPROC_POSIX_HANDLE_H
#define MPROC_POSIX_HANDLE_H

#include "platform.h"

/*
 * Our descriptors keep away from the numbers below this one: 0 to 2 may be closed in the host and must not be
 * taken, and 3 to 6 are where a child finds what it is given. With a limit on open files that leaves no other, they
 * make do with numbers from 3 on; a start then needs some more for the time that it takes.
 */
#define HANDLE_LOWEST 16

/*
 * Takes charge of a descriptor that a system call has just returned (with close-on-exec), moves it to
 * a number of ours and stores it. On failure, also of that call (-1, errno), the text says that `what` could not
 * be made, and nothing is open.
 */
mproc_status handle_take(int descriptor, const char *what, plat_handle *handle);

/* Whether waiting for it would return at once. */
bool handle_is_ready(plat_handle handle);

#endif
