#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static mproc_status sentinel_create_uncancelled(plat_handle *parent_end, plat_handle *child_end)
{
    int ends[2] = {-1, -1};
    plat_handle reader = PLAT_NO_HANDLE;
    plat_handle writer = PLAT_NO_HANDLE;

    if (pipe2(ends, O_CLOEXEC) != 0) return error_system(errno, "cannot make a sentinel");
    mproc_status status = handle_take(ends[0], "a sentinel", &reader);
    if (status != MPROC_OK) {
        close(ends[1]);
        return status;
    }
    status = handle_take(ends[1], "a sentinel", &writer);
    if (status != MPROC_OK) {
        plat_handle_close(reader);
        return status;
    }
    *parent_end = writer;
    *child_end = reader;
    return MPROC_OK;
}

mproc_status plat_sentinel_create(plat_handle *parent_end, plat_handle *child_end)
{
    int state = cancel_hold();
    mproc_status result = sentinel_create_uncancelled(parent_end, child_end);

    cancel_resume(state);
    return result;
}

/*
 * The kernel sends the signal of an asynchronous descriptor to its owner when the last writer closes, however that
 * process ended. This belongs to the open pipe, not to the descriptor: each child has a pipe of its own. (The other
 * way, PR_SET_PDEATHSIG, fires when the thread that started the child ends.)
 */
mproc_status plat_sentinel_arm(plat_handle child_end)
{
    int descriptor = (int)child_end;
    int flags = fcntl(descriptor, F_GETFL);

    if (flags < 0 || fcntl(descriptor, F_SETOWN, getpid()) != 0 || fcntl(descriptor, F_SETSIG, SIGKILL) != 0 ||
        fcntl(descriptor, F_SETFL, flags | O_ASYNC) != 0) {
        return error_system(errno, "cannot tie this process to the life of its parent");
    }
    /* The parent may have ended before. */
    if (handle_is_ready(child_end)) kill(getpid(), SIGKILL);
    return MPROC_OK;
}
