#include "clock.h"

#include "platform.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* 1970-01-01 in the 100 ns since 1601 that the system counts: since 1601, nanoseconds do not fit into 64 bits. */
#define EPOCH_1970 INT64_C(116444736000000000)

enum { WAIT_MS_MAX = 24 * 60 * 60 * 1000 };

/* The counter's frequency is fixed when the system starts. */
static int64_t counter_frequency(void)
{
    static _Atomic int64_t known;
    int64_t frequency = atomic_load_explicit(&known, memory_order_relaxed);
    LARGE_INTEGER value;

    if (frequency == 0) {
        QueryPerformanceFrequency(&value);
        frequency = value.QuadPart;
        atomic_store_explicit(&known, frequency, memory_order_relaxed);
    }
    return frequency;
}

int64_t plat_clock_now_ns(void)
{
    int64_t frequency = counter_frequency();
    LARGE_INTEGER counter;

    QueryPerformanceCounter(&counter);
    if (frequency == 10000000) return counter.QuadPart * 100; /* nearly everywhere: saves two divisions */
    return counter.QuadPart / frequency * NS_PER_S + counter.QuadPart % frequency * NS_PER_S / frequency;
}

static int64_t file_time_ns(FILETIME time)
{
    int64_t ticks = (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
    return (ticks - EPOCH_1970) * 100;
}

bool win32_birth(HANDLE process, int64_t *birth_ns)
{
    FILETIME created;
    FILETIME ended;
    FILETIME kernel;
    FILETIME user;

    if (!GetProcessTimes(process, &created, &ended, &kernel, &user)) return false;
    *birth_ns = file_time_ns(created);
    return true;
}

/*
 * The system records births by the wall clock. Should that have been set back since this process was
 * born, its own birth is the earliest "now" under which it is still found.
 */
int64_t plat_clock_birth_ns(void)
{
    FILETIME time;
    int64_t now;
    int64_t own = 0;

    GetSystemTimePreciseAsFileTime(&time);
    now = file_time_ns(time);
    if (win32_birth(GetCurrentProcess(), &own) && own > now) return own;
    return now;
}

DWORD win32_milliseconds_until(int64_t deadline_ns)
{
    int64_t now;
    int64_t milliseconds;

    if (deadline_ns == PLAT_FOREVER) return INFINITE;
    now = plat_clock_now_ns();
    if (deadline_ns <= now) return 0;
    milliseconds = (deadline_ns - now - 1) / NS_PER_MS + 1;
    return milliseconds < WAIT_MS_MAX ? (DWORD)milliseconds : WAIT_MS_MAX;
}

/* Sleep() may return up to a tick early; we promise "at least". */
void plat_clock_sleep_until(int64_t deadline_ns)
{
    DWORD milliseconds;

    while ((milliseconds = win32_milliseconds_until(deadline_ns)) != 0) Sleep(milliseconds);
}
