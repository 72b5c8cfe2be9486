/* Functions of system libraries that are found at run time. */
#ifndef MPROC_WIN32_LIBRARY_H
#define MPROC_WIN32_LIBRARY_H

#include <stddef.h>

/* The caller casts it to the function's type. NULL: there is no such library or function. */
typedef void win32_any_function(void);

/* Loads the library for good, from the system's own directory only. */
win32_any_function *win32_function(const wchar_t *library, const char *name);

#endif
