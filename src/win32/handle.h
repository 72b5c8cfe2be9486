/* Waiting for the system's objects. */
#ifndef MPROC_WIN32_HANDLE_H
#define MPROC_WIN32_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform.h"
#include "windows_api.h"

/* Is WaitForMultipleObjects() for one of the handles; WAIT_TIMEOUT never comes before the deadline. */
DWORD win32_wait(const HANDLE *handles, DWORD count, int64_t deadline_ns);

/* Whether it is an open handle; pseudo handles, which mean another thing in each process, are none. */
bool win32_handle_open(plat_handle handle);

#endif
