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

/*
 * A program may close all descriptors (closefrom(), loops of daemons), and then has others under our numbers. So what
 * a number stands for is kept with each that we take, and compared before something is written to it, given away or
 * closed. All descriptors of the kernel's own kinds (events, epoll) look alike.
 */
void handle_remember(int descriptor);

/* False: the number stands for nothing, or for something else than what was taken. */
bool handle_is_ours(plat_handle handle);

/* The status for one that is not, with a text; what is not done without it is `what`. */
mproc_status handle_lost(plat_handle handle, const char *what);

/* Whether waiting for it would return at once. */
bool handle_is_ready(plat_handle handle);

struct pollfd;

/* poll() to an absolute deadline, which signals do not move (0: only looks). Returns as poll() does. */
int handle_poll(struct pollfd *polled, size_t count, int64_t deadline_ns);

#endif
