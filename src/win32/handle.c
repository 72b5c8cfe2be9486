#include "handle.h"

#include <assert.h>

#include "clock.h"
#include "error.h"

static_assert(sizeof(HANDLE) == sizeof(plat_handle), "a plat_handle holds a HANDLE");

enum { WAIT_HANDLES_MAX = 8 };

void plat_handle_close(plat_handle handle)
{
    if (handle != PLAT_NO_HANDLE) CloseHandle((HANDLE)handle);
}

bool win32_handle_open(plat_handle handle)
{
    DWORD flags;
    return handle > 0 && GetHandleInformation((HANDLE)handle, &flags);
}

mproc_status plat_handle_adopt(plat_handle handle)
{
    if (!win32_handle_open(handle) || !SetHandleInformation((HANDLE)handle, HANDLE_FLAG_INHERIT, 0)) {
        return mproc_error(MPROC_INVALID, "this process was not given handle %lld: it is not open",
                           (long long)handle);
    }
    return MPROC_OK;
}

/* Timed waits end at a tick of the clock, early or late: only our own clock decides. */
DWORD win32_wait(const HANDLE *handles, DWORD count, int64_t deadline_ns)
{
    DWORD milliseconds;
    DWORD answer;

    do {
        milliseconds = win32_milliseconds_until(deadline_ns);
        answer = WaitForMultipleObjects(count, handles, FALSE, milliseconds);
    } while (answer == WAIT_TIMEOUT && milliseconds != 0);
    return answer;
}

mproc_status plat_handle_wait(const plat_handle *handles, int count, int64_t deadline_ns, int *ready)
{
    HANDLE objects[WAIT_HANDLES_MAX];
    DWORD answer;

    assert(count >= 1 && count <= WAIT_HANDLES_MAX);
    for (int i = 0; i < count; i++) objects[i] = (HANDLE)handles[i];
    answer = win32_wait(objects, (DWORD)count, deadline_ns);
    if (answer == WAIT_TIMEOUT) return MPROC_TIMEOUT;
    if (answer >= WAIT_OBJECT_0 + (DWORD)count) {
        return win32_error(GetLastError(), "cannot wait for %d handles (the first is %lld)", count,
                           (long long)handles[0]);
    }
    *ready = (int)(answer - WAIT_OBJECT_0);
    return MPROC_OK;
}

/* Handles are multiples of 4, given from below. */
static int handles_find(void)
{
    const intptr_t gap_max = 256 * 4;
    intptr_t last = 0;
    int count = 0;

    for (intptr_t handle = 4; handle <= last + gap_max; handle += 4) {
        if (!win32_handle_open(handle)) continue;
        last = handle;
        count++;
    }
    return count;
}

/* Wine answers that there are none, and no process has none: then they are looked for one by one. */
int plat_handle_count(void)
{
    DWORD count = 0;

    if (!GetProcessHandleCount(GetCurrentProcess(), &count)) return -1;
    return count > 0 ? (int)count : handles_find();
}
