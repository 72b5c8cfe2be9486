#include "error.h"
#include "platform.h"
#include "windows_api.h"

/*
 * A handle of this process is the sentinel: the system signals it at our end, whatever ends us. With it the
 * child may also take handles out of this process, such as the events of sleepers.
 */
mproc_status plat_sentinel_create(plat_handle *parent_end, plat_handle *child_end)
{
    HANDLE self = GetCurrentProcess();
    HANDLE handle;

    if (!DuplicateHandle(self, self, self, &handle,
                         SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_DUP_HANDLE, FALSE, 0)) {
        return win32_error(GetLastError(), "cannot make a handle of this process for a child");
    }
    *parent_end = PLAT_NO_HANDLE;
    *child_end = (plat_handle)handle;
    return MPROC_OK;
}

/* The parent's job object does it, from before the first instruction: see plat_start.daemon. */
mproc_status plat_sentinel_arm(plat_handle child_end)
{
    (void)child_end;
    return MPROC_OK;
}
