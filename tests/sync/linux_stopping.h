/* How a test stops a process, as a debugger or Ctrl-Z does, and lets it go on. */
#ifndef LINUX_STOPPING_H
#define LINUX_STOPPING_H

#include <signal.h>

#include "check.h"

static inline bool is_stopped(void *context)
{
    char path[64], state = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)*(const int64_t *)context);
    if ((file = fopen(path, "r")) == NULL) return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 0;
    fclose(file);
    return state == 'T';
}

static inline void stop(int64_t pid)
{
    CHECK_EQ(kill((pid_t)pid, SIGSTOP), 0);
    CHECK_WAIT_UNTIL(is_stopped, &pid);
}

static inline void go_on(int64_t pid)
{
    CHECK_EQ(kill((pid_t)pid, SIGCONT), 0);
}

#endif
