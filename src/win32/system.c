#include <limits.h>
#include <stdlib.h>
#include <wchar.h>

#include "error.h"
#include "library.h"
#include "platform.h"
#include "wide.h"
#include "windows_api.h"

static int bits_count(DWORD_PTR mask)
{
    int count = 0;

    for (; mask != 0; mask &= mask - 1) count++;
    return count;
}

/*
 * A mask speaks of one group of 64 processors. On a machine with more, the system spreads processes over all
 * groups, unless the mask was narrowed.
 */
static int affinity_count(int machine)
{
    DWORD_PTR allowed = 0;
    DWORD_PTR present = 0;

    if (!GetProcessAffinityMask(GetCurrentProcess(), &allowed, &present) || allowed == 0) return machine;
    if (GetActiveProcessorGroupCount() > 1 && allowed == present) return machine;
    return bits_count(allowed);
}

/* The job's hard limit is in 1/10,000 of the whole machine. 0: there is none. */
static DWORD job_rate(void)
{
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate = {0};

    if (!QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &rate, sizeof rate, NULL)) return 0;
    if ((rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_ENABLE) == 0) return 0;
    return (rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) != 0 ? rate.CpuRate : 0;
}

bool plat_system_checks_leaks(void)
{
    return false;
}

int plat_system_cpu_count(void)
{
    int machine = (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    int count = affinity_count(machine);
    DWORD rate = job_rate();

    if (rate > 0) {
        int limit = (int)(((int64_t)rate * machine + 9999) / 10000);
        if (limit < count) count = limit;
    }
    return count >= 1 ? count : 1;
}

/* A pipe gives no signal here. */
void plat_system_print_error(const char *text, size_t size)
{
    DWORD code = GetLastError();
    DWORD written;

    WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, (DWORD)size, &written, NULL);
    SetLastError(code);
}

typedef LONG WINAPI random_function(void *algorithm, UCHAR *bytes, ULONG size, ULONG flags);

enum { USE_SYSTEM_PREFERRED = 2 };

/* Loaded when it is wanted: few processes make keys, and every linked library makes each start slower. */
mproc_status plat_system_random(void *bytes, size_t size)
{
    random_function *function = (random_function *)win32_function(L"bcrypt.dll", "BCryptGenRandom");
    UCHAR *at = bytes;

    if (!function) {
        return win32_error_as(MPROC_NOT_SUPPORTED, GetLastError(), "bcrypt.dll, which makes random keys, is missing");
    }
    while (size > 0) {
        ULONG part = size < ULONG_MAX ? (ULONG)size : ULONG_MAX;
        LONG answer = function(NULL, at, part, USE_SYSTEM_PREFERRED);
        if (answer < 0) {
            return mproc_error(MPROC_SYSTEM, "the system made no random bytes (status 0x%08lx)",
                               (unsigned long)answer);
        }
        at += part;
        size -= part;
    }
    return MPROC_OK;
}

/* Reads the variable in growing room: another thread may change it in between. NULL: it is not set. */
static wchar_t *environment_read(const wchar_t *name)
{
    wchar_t *value = NULL;
    DWORD size = 128;

    for (;;) {
        DWORD length;

        free(value);
        value = malloc(size * sizeof *value);
        if (!value) return NULL;
        SetLastError(ERROR_SUCCESS); /* an empty value has the length 0, as has a missing one */
        length = GetEnvironmentVariableW(name, value, size);
        if (length == 0 && GetLastError() != ERROR_SUCCESS) break;
        if (length < size) return value;
        size = length + 1;
    }
    free(value);
    return NULL;
}

bool plat_system_environment(const char *name, char *value, size_t size)
{
    wchar_t *wide_name = NULL;
    wchar_t *wide_value = NULL;
    bool found = false;
    int bytes;

    if (win32_wide(name, &wide_name) != MPROC_OK) goto done;
    if (!(wide_value = environment_read(wide_name))) goto done;
    /* Asked first: what does not fit is not to be written in part. */
    bytes = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide_value, -1, NULL, 0, NULL, NULL);
    found = bytes > 0 && (size_t)bytes <= size && win32_narrow(wide_value, value, size);
done:
    free(wide_value);
    free(wide_name);
    return found;
}

/* The C runtime keeps a copy for getenv(); the system's own is what children would inherit. */
void plat_system_environment_remove(const char *name)
{
    wchar_t *wide_name = NULL;

    if (win32_wide(name, &wide_name) != MPROC_OK) return;
    _wputenv_s(wide_name, L"");
    SetEnvironmentVariableW(wide_name, NULL);
    free(wide_name);
}
