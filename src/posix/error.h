/* From the system's error numbers to ours. */
#ifndef MPROC_POSIX_ERROR_H
#define MPROC_POSIX_ERROR_H

#include <mproc/status.h>

/* The status that says the same as this errno. Sets no text. */
mproc_status error_status(int number);

/*
 * Sets the thread's error text: what was tried (printf-like), the system's words and number, and what
 * helps, where that is known. Returns error_status(number).
 */
mproc_status error_system(int number, const char *format, ...);

/* The same with a status of the caller's choice, where the place says more than the number. */
mproc_status error_system_as(mproc_status status, int number, const char *format, ...);

#endif
