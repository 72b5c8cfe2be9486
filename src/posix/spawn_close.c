#include "spawn_close.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define SPAWN_HAS_CLOSE_FROM
#endif
#endif

#ifdef SPAWN_HAS_CLOSE_FROM

int spawn_close_from(posix_spawn_file_actions_t *actions, int lowest)
{
    return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

#else

/* Names what is open now. What another thread opens before the start, without close-on-exec, gets through. */
int spawn_close_from(posix_spawn_file_actions_t *actions, int lowest)
{
    DIR *directory = opendir("/proc/self/fd");
    int error = 0;

    if (!directory) return 0;
    for (struct dirent *entry = readdir(directory); entry && error == 0; entry = readdir(directory)) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || number < lowest) continue;
        int flags = fcntl(number, F_GETFD);
        if (flags >= 0 && (flags & FD_CLOEXEC) == 0) error = posix_spawn_file_actions_addclose(actions, number);
    }
    closedir(directory);
    return error;
}

#endif
