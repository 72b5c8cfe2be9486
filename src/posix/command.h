/* How this process was started, so that others can be started alike. */
#ifndef MPROC_POSIX_COMMAND_H
#define MPROC_POSIX_COMMAND_H

#include <mproc/status.h>

/* The command line, ended with NULL; it stays. */
mproc_status command_arguments(char *const **arguments);

/*
 * A path by which this process' own program can be started; it stays. With /proc this is /proc/self/exe, which the
 * kernel resolves to the very file, even if it was replaced or deleted.
 */
const char *command_executable(void);

#endif
