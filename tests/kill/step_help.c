/*
 * What scenarios use: text, waiting with limits, children.
 */
#include "step.h"
#include "tracee.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 20 seconds in steps of 50 microseconds. */
#define LOOKS_MAX 400000
static const struct timespec between_looks = {0, 50 * 1000};

const char *step_says(const char *format, ...)
{
    static char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return text;
}

bool step_wait_for(const _Atomic uint32_t *word, uint32_t value)
{
    int i;

    for (i = 0; i < LOOKS_MAX; i++) {
        if (*word == value) return true;
        nanosleep(&between_looks, NULL);
    }
    return false;
}

bool step_wait_asleep(int64_t pid)
{
    int i, seen = 0;

    for (i = 0; i < LOOKS_MAX; i++) {
        seen = tracee_process_state(pid) == 'S' ? seen + 1 : 0;
        if (seen == 3) return true;
        nanosleep(&between_looks, NULL);
    }
    return false;
}

int64_t step_fork(void (*body)(void *state), void *state)
{
    pid_t pid;

    fflush(stdout);
    if ((pid = fork()) < 0) {
        perror("kill tool: fork");
        exit(2);
    }
    if (pid > 0) return pid;
    alarm(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body(state);
    _exit(0);
}

void step_kill(int64_t pid)
{
    if (pid <= 0) return;
    kill((pid_t)pid, SIGKILL);
    waitpid((pid_t)pid, NULL, 0);
}

bool step_join(int64_t pid)
{
    int i, status;

    for (i = 0; i < LOOKS_MAX; i++) {
        if (waitpid((pid_t)pid, &status, WNOHANG) == (pid_t)pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        nanosleep(&between_looks, NULL);
    }
    return false;
}
