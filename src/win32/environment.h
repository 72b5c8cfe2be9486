/* The environment of a new process, as CreateProcessW() takes it. */
#ifndef MPROC_WIN32_ENVIRONMENT_H
#define MPROC_WIN32_ENVIRONMENT_H

#include <stddef.h>

#include "platform.h"

/*
 * Makes the block: this process' variables (unless start->environment_only), changed by start->environment, and the
 * token. The caller free()s it.
 */
mproc_status win32_environment_block(const plat_start *start, const char *token_value, wchar_t **block);

#endif
