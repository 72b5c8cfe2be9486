#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define WHAT "the pipe by which a child and its parent see each other's end"

mproc_status plat_sentinel_create(plat_handle *parent_end, plat_handle *child_end)
{
    int state = cancel_hold();
    int ends[2] = {-1, -1};
    plat_handle reader = PLAT_NO_HANDLE;
    mproc_status status = MPROC_OK;

    if (pipe2(ends, O_CLOEXEC) != 0) status = error_system(errno, "cannot make " WHAT);
    else if ((status = handle_take(ends[0], WHAT, &reader)) != MPROC_OK) close(ends[1]);
    else if ((status = handle_take(ends[1], WHAT, parent_end)) != MPROC_OK) plat_handle_close(reader);
    if (status == MPROC_OK) *child_end = reader;
    cancel_resume(state);
    return status;
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
    int state = cancel_hold();
    if (handle_is_ready(child_end)) kill(getpid(), SIGKILL);
    cancel_resume(state);
    return MPROC_OK;
}
