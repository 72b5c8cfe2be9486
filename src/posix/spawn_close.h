/* Closing what a child is not meant to have. */
#ifndef MPROC_POSIX_SPAWN_CLOSE_H
#define MPROC_POSIX_SPAWN_CLOSE_H

#include <spawn.h>

/*
 * Adds to the actions: close every descriptor from `lowest` on, also those of the host that lack close-on-exec.
 * Returns 0 or an errno.
 */
int spawn_close_from(posix_spawn_file_actions_t *actions, int lowest);

#endif
