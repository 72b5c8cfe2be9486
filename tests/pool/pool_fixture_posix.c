#include "pool_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void os_kill(int64_t pid)
{
    CHECK(pid > 1);
    if (kill((pid_t)pid, SIGKILL) != 0) CHECK_EQ(errno, ESRCH);
}

mproc_exit_kind os_killed_kind(void)
{
    return MPROC_EXIT_SIGNALLED;
}

const char *os_killed_text(void)
{
    return "was ended by signal 9";
}

const char *os_aborted_text(void)
{
    return "was ended by signal 6";
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

bool os_is_open(intptr_t handle)
{
    return fcntl((int)handle, F_GETFD) >= 0;
}

void os_fault_as_usual(void)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
}

void os_end_thread(void)
{
    pthread_exit(NULL);
}

void os_set_variable(const char *name, const char *value)
{
    CHECK_EQ(setenv(name, value, 1), 0);
}

void (*os_open_function(const char *library, const char *name))(void)
{
    void *handle = dlopen(library, RTLD_NOW);
    void *symbol;
    void (*function)(void);

    if (handle == NULL) check_fail(__FILE__, __LINE__, "%s", dlerror());
    CHECK((symbol = dlsym(handle, name)) != NULL);
    /* POSIX promises that a function's address fits; ISO C has no cast for it. */
    memcpy(&function, &symbol, sizeof function);
    return function;
}
