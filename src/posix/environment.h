/* The environment of a new process. */
#ifndef MPROC_POSIX_ENVIRONMENT_H
#define MPROC_POSIX_ENVIRONMENT_H

#include "platform.h"

/*
 * Makes the environment that `start` asks for, with the token and its text in front, in one piece of memory: free()
 * it. NULL: there is no memory. The other strings are those of this process and of `start`.
 */
char **environment_make(const plat_start *start, const char *token);

#endif
