/* What this process was given by whoever started it, before the program could change it. */
#ifndef MPROC_WIN32_BIRTH_H
#define MPROC_WIN32_BIRTH_H

#include <stddef.h>

/* The command line as it was when the library was loaded. */
const wchar_t *win32_birth_command(void);

#endif
