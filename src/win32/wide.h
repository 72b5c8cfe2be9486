/*
 * Texts above the platform are UTF-8, the system's are UTF-16. Results of the first three are free()d by the caller.
 */
#ifndef MPROC_WIN32_WIDE_H
#define MPROC_WIN32_WIDE_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/status.h>

/* MPROC_INVALID: it is no UTF-8. */
mproc_status win32_wide(const char *text, wchar_t **wide);

/*
 * The same for a path, made absolute. One that is longer than the system's old limit gets the prefix that
 * lifts it.
 */
mproc_status win32_wide_path(const char *path, wchar_t **wide);

/* The file that a module (an HMODULE; NULL: the executable) was loaded from. */
mproc_status win32_module_file(void *module, wchar_t **wide);

/* Converts into `text`. False: it does not fit, or is no UTF-16; `text` is then empty. */
bool win32_narrow(const wchar_t *wide, char *text, size_t size);

#endif
