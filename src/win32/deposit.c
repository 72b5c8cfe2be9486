/*
 * Handles are put into the first process, and taken out of it, by a handle of that: it does nothing for it itself.
 * The system writes the numbers where the others find them, so there is no instruction between what it does and what
 * is known of it.
 */
#include "platform_deposit.h"

#include <assert.h>

#include "error.h"
#include "windows_api.h"

static_assert(sizeof(HANDLE) == sizeof(int64_t), "the system writes a HANDLE as a number");

mproc_status plat_deposit_create(plat_handle *store, plat_handle *door)
{
    HANDLE self = GetCurrentProcess(), handle;

    if (!DuplicateHandle(self, self, self, &handle,
                         SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_DUP_HANDLE, FALSE, 0))
        return win32_error(GetLastError(), "cannot make a handle of this process for its children");
    *store = PLAT_NO_HANDLE;
    *door = (plat_handle)handle;
    return MPROC_OK;
}

mproc_status plat_handle_copy(plat_handle handle, plat_handle *copy)
{
    return plat_handle_import(handle, copy);
}

mproc_status plat_handle_export(plat_handle handle, intptr_t *copy)
{
    return plat_handle_import(handle, copy);
}

/* Numbers below 0 stand for this process and its threads, whoever reads them. */
mproc_status plat_handle_import(intptr_t handle, plat_handle *copy)
{
    HANDLE self = GetCurrentProcess(), made;

    if (handle <= 0)
        return win32_error_as(MPROC_INVALID, ERROR_INVALID_HANDLE, "cannot duplicate handle %lld", (long long)handle);
    if (!DuplicateHandle(self, (HANDLE)handle, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return win32_error(GetLastError(), "cannot duplicate handle %lld", (long long)handle);
    *copy = (plat_handle)made;
    return MPROC_OK;
}

/* The system says of a process that has ended no more than that this is refused. */
static mproc_status failed(plat_handle door, const char *what)
{
    DWORD code = GetLastError();

    if (WaitForSingleObject((HANDLE)door, 0) == WAIT_OBJECT_0) return MPROC_PEER_DIED;
    return win32_error(code, "cannot %s the first process of the family", what);
}

mproc_status plat_deposit_put(plat_handle door, uint64_t key, plat_handle handle, plat_deposit *deposit)
{
    HANDLE *number = (HANDLE *)(void *)&deposit->number;

    (void)key;
    if (WaitForSingleObject((HANDLE)door, 0) == WAIT_OBJECT_0) return MPROC_PEER_DIED;
    if (DuplicateHandle(GetCurrentProcess(), (HANDLE)handle, (HANDLE)door, number, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return MPROC_OK;
    return failed(door, "leave a handle with");
}

mproc_status plat_deposit_ask(plat_handle door, uint64_t key, const plat_deposit *deposit, plat_handle *answer)
{
    HANDLE made;

    (void)key;
    if (WaitForSingleObject((HANDLE)door, 0) == WAIT_OBJECT_0) return MPROC_PEER_DIED;
    if (!DuplicateHandle((HANDLE)door, (HANDLE)(intptr_t)atomic_load(&deposit->number), GetCurrentProcess(), &made, 0,
                         FALSE, DUPLICATE_SAME_ACCESS))
        return failed(door, "take a handle from");
    *answer = (plat_handle)made;
    return MPROC_OK;
}

mproc_status plat_deposit_take(plat_handle door, plat_handle *answer, int64_t deadline_ns, plat_handle *handle)
{
    (void)door;
    (void)deadline_ns;
    *handle = *answer;
    *answer = PLAT_NO_HANDLE;
    return MPROC_OK;
}

/* Whoever does it again, for one that was killed, finds that the handle is taken: that ended with its process. */
bool plat_deposit_drop(plat_handle door, uint64_t key, plat_deposit *deposit)
{
    HANDLE number = (HANDLE)(intptr_t)atomic_load(&deposit->number);
    HANDLE *taken = (HANDLE *)(void *)&deposit->taken;

    (void)key;
    if (!number || atomic_load(&deposit->taken) != 0) return true;
    if (DuplicateHandle((HANDLE)door, number, GetCurrentProcess(), taken, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
        CloseHandle((HANDLE)(intptr_t)atomic_load(&deposit->taken));
    return true;
}

mproc_status plat_deposit_await_room(plat_handle door, int64_t deadline_ns)
{
    (void)door;
    (void)deadline_ns;
    return MPROC_OK;
}

bool plat_deposit_next(plat_handle store, plat_deposit_request *request)
{
    (void)store;
    (void)request;
    return false;
}

void plat_deposit_answer(const plat_deposit_request *request, plat_handle handle, mproc_status status)
{
    (void)request;
    (void)handle;
    (void)status;
}
