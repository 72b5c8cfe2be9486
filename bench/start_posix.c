#define _GNU_SOURCE
#include "host.h"
#include "subjects.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* Starts this executable so that its main() returns at once, and waits for it. */
static bool run_nothing(const char *program)
{
    const char *arguments[] = {program, "--nothing", NULL};
    pid_t child;
    int status = -1;
    int error = posix_spawn(&child, program, NULL, NULL, (char **)(uintptr_t)arguments, environ);

    if (error != 0) {
        fprintf(stderr, "bench: posix_spawn: %s\n", strerror(error));
        return false;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool measure_posix_spawn(const bench_setting *setting, double *values)
{
    const char *program = host_program();
    double *times = calloc(setting->repeats, sizeof times[0]);
    bool done = times != NULL && host_make_resident(setting->resident_bytes) && run_nothing(program);

    for (size_t i = 0; i < setting->repeats && done; i++) {
        int64_t begin = host_now_ns();

        done = run_nothing(program);
        times[i] = (double)(host_now_ns() - begin);
    }
    if (done) values[0] = bench_median(times, setting->repeats);
    free(times);
    return done;
}

const bench_subject start_posix_spawn = {"posix_spawn, waitpid", true, measure_posix_spawn, NULL};
