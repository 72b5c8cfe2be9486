#include "cancel.h"
#include "platform.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

static_assert(sizeof(time_t) == 8, "64-bit systems only");

#define NS_PER_SECOND 1000000000

static int64_t clock_read(clockid_t clock);

int64_t plat_clock_now_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* starttime of /proc/PID/stat counts from boot and includes the time that the machine was suspended. */
int64_t plat_clock_birth_ns(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

void plat_clock_sleep_until(int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = deadline_ns / NS_PER_SECOND, .tv_nsec = deadline_ns % NS_PER_SECOND};
    int state = cancel_hold();

    while (deadline_ns > 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
    cancel_resume(state);
}

static int64_t clock_read(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}
