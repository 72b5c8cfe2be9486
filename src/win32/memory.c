#include "error.h"
#include "platform.h"
#include "windows_api.h"

#include <psapi.h>
#include <string.h>

/*
 * A reserved section costs the system 8 bytes of page table for each 4 KiB, 32 MiB for this much; and its commit
 * never shrinks, so a larger one helps nobody.
 */
#define RESERVE_MAX ((size_t)16 << 30)

#define PAGE ((size_t)4 << 10)

#define MIB(bytes) ((unsigned long long)(bytes) >> 20)

size_t plat_memory_reserve_max(void)
{
    return RESERVE_MAX;
}

size_t plat_memory_page(void)
{
    return PAGE;
}

/* Whatever quota was reached: to the caller it is memory. */
static mproc_status memory_status(DWORD code)
{
    mproc_status status = win32_status(code);

    if (status == MPROC_LIMIT || code == ERROR_INVALID_ADDRESS) return MPROC_NO_MEMORY;
    return status;
}

mproc_status plat_memory_create(size_t reserve, plat_handle *memory)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE,
                                        (DWORD)((uint64_t)reserve >> 32), (DWORD)reserve, NULL);

    if (!section) {
        DWORD code = GetLastError();
        return win32_error_as(memory_status(code), code, "cannot reserve %llu MiB of shared memory", MIB(reserve));
    }
    *memory = (plat_handle)section;
    return MPROC_OK;
}

/* Small dumps hold no views; full ones hold what is committed, and nothing of the rest. */
mproc_status plat_memory_map(plat_handle memory, size_t reserve, void **base)
{
    void *view = MapViewOfFile((HANDLE)memory, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, reserve);

    if (!view) {
        DWORD code = GetLastError();
        return win32_error_as(memory_status(code), code, "cannot map %llu MiB of shared memory (handle %lld)",
                              MIB(reserve), (long long)memory);
    }
    *base = view;
    return MPROC_OK;
}

void plat_memory_unmap(void *base, size_t reserve)
{
    (void)reserve; /* a view goes as a whole */
    UnmapViewOfFile(base);
}

/* Commit is a property of the section, not of the view: all processes see it. */
mproc_status plat_memory_commit(plat_handle memory, void *base, size_t offset, size_t size)
{
    (void)memory;
    if (size == 0) return MPROC_OK;
    if (!VirtualAlloc((char *)base + offset, size, MEM_COMMIT, PAGE_READWRITE)) {
        DWORD code = GetLastError();
        return win32_error_as(memory_status(code), code,
                              "cannot commit %llu KiB of shared memory at %llu MiB: the page file or the job's"
                              " memory limit may be too small",
                              (unsigned long long)size >> 10, MIB(offset));
    }
    return MPROC_OK;
}

/*
 * VirtualFree() decommits no page of a section, and a section has no call that does. DiscardVirtualMemory() and
 * MEM_RESET leave undefined contents, in memory that is said to be zero afterwards.
 */
void plat_memory_release(plat_handle memory, void *base, size_t offset, size_t size)
{
    char *at = (char *)base + offset;
    char *end = at + size;
    MEMORY_BASIC_INFORMATION region;

    (void)memory;
    while (at < end && VirtualQuery(at, &region, sizeof region) != 0) {
        char *until = (char *)region.BaseAddress + region.RegionSize;
        if (until > end) until = end;
        if (region.State == MEM_COMMIT) memset(at, 0, (size_t)(until - at));
        at = until;
    }
}

/* A section may be reserved alone: then there is nothing to be read yet. */
bool plat_memory_peek(plat_handle memory, void *bytes, size_t size)
{
    const void *view = MapViewOfFile((HANDLE)memory, FILE_MAP_READ, 0, 0, size);
    MEMORY_BASIC_INFORMATION information = {0};
    bool usable;

    if (!view) return false;
    usable = VirtualQuery(view, &information, sizeof information) != 0 && information.State == MEM_COMMIT;
    if (usable) memcpy(bytes, view, size);
    UnmapViewOfFile(view);
    return usable;
}

/* Windows 10 has the same in PrivateUsage, and Wine nothing. */
uint64_t plat_memory_own(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};

    return GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters) ? counters.PagefileUsage : 0;
}
