#include "cancel.h"
#include "platform.h"

#include "birth.h"
#include "cgroup.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* As many CPUs as kernels can be built for. */
#define SYSTEM_CPUS 8192

/* getrandom() is never interrupted, and always complete, up to this size. */
#define SYSTEM_RANDOM_STEP 256

static void system_write_error(const char *text, size_t size);
static int system_affinity(void);
static void system_visit_group(void *context, int version, const char *directory);
static bool system_quota(int version, const char *directory, int64_t *quota, int64_t *period);
static int system_read_random(void *bytes, size_t size);

int plat_system_cpu_count(void)
{
    int state = cancel_hold();
    int count = system_affinity();

    cgroup_visit(CGROUP_CPU, system_visit_group, &count);
    cancel_resume(state);
    return count;
}

bool plat_system_checks_leaks(void)
{
    return birth_emulated();
}

mproc_status plat_system_random(void *bytes, size_t size)
{
    int state = cancel_hold();
    uint8_t *to = bytes;
    int error = 0;

    for (size_t at = 0; at < size && error == 0; at += SYSTEM_RANDOM_STEP) {
        size_t step = size - at < SYSTEM_RANDOM_STEP ? size - at : SYSTEM_RANDOM_STEP;
        ssize_t got = -1;
        do got = getrandom(to + at, step, 0);
        while (got < 0 && errno == EINTR);
        if (got != (ssize_t)step) error = system_read_random(to + at, step);
    }
    cancel_resume(state);
    return error == 0 ? MPROC_OK : error_system(error, "cannot get random bytes");
}

bool plat_system_environment(const char *name, char *value, size_t size)
{
    const char *found = getenv(name);
    size_t length = found ? strlen(found) : 0;

    if (!found || length >= size) return false;
    memcpy(value, found, length + 1);
    return true;
}

void plat_system_environment_remove(const char *name)
{
    unsetenv(name);
}

/*
 * A pipe whose reader is gone sends SIGPIPE to the thread that writes, and has no flag against it: the signal is held
 * back, and taken if it was not there before.
 */
void plat_system_print_error(const char *text, size_t size)
{
    const struct timespec now = {0};
    int state = cancel_hold();
    int error = errno;
    sigset_t pipe;
    sigset_t before;
    sigset_t pending;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    system_write_error(text, size);
    if (errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    cancel_resume(state);
}

/* Afterwards errno is 0, or says why the rest was not written. */
static void system_write_error(const char *text, size_t size)
{
    ssize_t written = 0;

    errno = 0;
    while (size > 0 && (written >= 0 || errno == EINTR)) {
        written = write(STDERR_FILENO, text, size);
        if (written <= 0) continue;
        text += written;
        size -= (size_t)written;
    }
}

static int system_affinity(void)
{
    cpu_set_t set[SYSTEM_CPUS / CPU_SETSIZE];

    if (sched_getaffinity(0, sizeof set, set) == 0) return CPU_COUNT_S(sizeof set, set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/* Rounded up: a process with a quota of half a CPU still has one to run on. */
static void system_visit_group(void *context, int version, const char *directory)
{
    int *count = context;
    int64_t quota = 0;
    int64_t period = 0;

    if (!system_quota(version, directory, &quota, &period) || quota <= 0 || period <= 0) return;
    int64_t allowed = (quota - 1) / period + 1;
    if (allowed < *count) *count = (int)allowed;
}

/* Version 2 has both numbers in one file, "max 100000" without a quota. */
static bool system_quota(int version, const char *directory, int64_t *quota, int64_t *period)
{
    char text[64];
    char *end = text;

    if (version == 1) {
        return cgroup_read_number(directory, "cpu.cfs_quota_us", quota) &&
               cgroup_read_number(directory, "cpu.cfs_period_us", period);
    }
    if (!cgroup_read(directory, "cpu.max", text, sizeof text)) return false;
    *quota = strtoll(text, &end, 10);
    if (end == text) return false;
    *period = strtoll(end, NULL, 10);
    return true;
}

/* For kernels and sandboxes without getrandom(). Returns 0 or an errno. */
static int system_read_random(void *bytes, size_t size)
{
    int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    size_t got = 0;

    if (descriptor < 0) return errno;
    while (got < size) {
        ssize_t count = read(descriptor, (char *)bytes + got, size - got);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        got += (size_t)count;
    }
    int error = got == size ? 0 : EIO;
    close(descriptor);
    return error;
}
