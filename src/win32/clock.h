/* Deadlines as the system's waits want them, and the birth of processes. */
#ifndef MPROC_WIN32_CLOCK_H
#define MPROC_WIN32_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "windows_api.h"

/*
 * How long to wait for the deadline: 0 if it has passed, INFINITE for PLAT_FOREVER, else rounded up and at most a
 * day: whoever waits looks at the clock again and goes on.
 */
DWORD win32_milliseconds_until(int64_t deadline_ns);

/* When the process was born, on the scale of plat_clock_birth_ns(). False: its handle does not tell. */
bool win32_birth(HANDLE process, int64_t *birth_ns);

#endif
