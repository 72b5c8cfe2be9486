#include "crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

void os_kill(int64_t pid)
{
    CHECK(pid > 1);
    if (kill((pid_t)pid, SIGKILL) != 0) CHECK_EQ(errno, ESRCH);
}

const char *os_killed_text(void)
{
    return "was ended by signal 9";
}

/* A zombie has ended, but kill() still finds it. */
bool os_is_alive(int64_t pid)
{
    char name[64];
    char state = 'X';
    FILE *file;

    if (kill((pid_t)pid, 0) != 0) return false;
    snprintf(name, sizeof name, "/proc/%lld/stat", (long long)pid);
    if ((file = fopen(name, "re")) == NULL) return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
    fclose(file);
    return state != 'Z' && state != 'X';
}

void os_fault_as_usual(void)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
}
