/* The system's error codes as statuses, and its words as texts. */
#ifndef MPROC_WIN32_ERROR_H
#define MPROC_WIN32_ERROR_H

#include <mproc/status.h>

#include "windows_api.h"

/* Returns the status that stands for a code of GetLastError(); MPROC_SYSTEM for most. */
mproc_status win32_status(DWORD code);

/*
 * Sets the thread's error text to what was tried, printf-like, and the system's words and number for `code`.
 * Returns win32_status(code).
 */
mproc_status win32_error(DWORD code, const char *format, ...);

/* The same with a status that the caller knows better. */
mproc_status win32_error_as(mproc_status status, DWORD code, const char *format, ...);

#endif
