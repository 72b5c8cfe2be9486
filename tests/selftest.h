/* What the runner's self-tests need from the system: selftest_posix.c and selftest_win32.c. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdint.h>

/* Starts this program as a helper, "suite.helper", in the plain way of the system. Returns its id; 0: failed. */
intptr_t selftest_start(const char *helper);

/* Waits for its end and forgets it. Returns its exit code. */
int selftest_collect(intptr_t child);

/* Starts a thread that never ends. */
void selftest_leave_thread(void);

/* Opens a handle. */
void selftest_leave_handle(void);

/* Maps a piece of shared memory. */
void selftest_leave_mapping(void);

#endif
