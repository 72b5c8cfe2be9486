/* The list of all that can be waited for, and how who waits is woken. */
#include "connection/connection.h"
#include "connection/listener.h"
#include "pool/result.h"
#include "process/family.h"
#include "process/process.h"
#include "queue/queue.h"
#include "sync/types.h"
#include "wait/wait.h"

static mproc_status look_at_handle(void *thing, plat_handle *handle)
{
    *handle = (plat_handle)thing;
    if (*handle >= 0) return MPROC_TIMEOUT;
    return mproc_error(MPROC_INVALID, "%lld is no handle", (long long)*handle);
}

static const struct waitable handle_waitable = {
    .name = "a handle", .kind = PLAT_POLLED_OBJECT, .look = look_at_handle};

/* A new kind adds its row here. */
static const struct waitable *const kinds[] = {
    [MPROC_WAITABLE_CONNECTION] = &connection_waitable, [MPROC_WAITABLE_PROCESS] = &process_waitable,
    [MPROC_WAITABLE_QUEUE] = &queue_waitable,           [MPROC_WAITABLE_RESULT] = &result_waitable,
    [MPROC_WAITABLE_EVENT] = &event_waitable,           [MPROC_WAITABLE_SEMAPHORE] = &semaphore_waitable,
    [MPROC_WAITABLE_HANDLE] = &handle_waitable,         [MPROC_WAITABLE_LISTENER] = &listener_waitable,
};

mproc_status wait_kind_of(const mproc_waitable *thing, const struct waitable **row)
{
    unsigned kind = (unsigned)thing->kind;

    if (kind == 0 || kind >= sizeof kinds / sizeof kinds[0])
        return mproc_error(MPROC_INVALID, "%u is no kind of things to wait for", kind);
    *row = kinds[kind];
    if (thing->object || thing->kind == MPROC_WAITABLE_HANDLE) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "%s is to be waited for, and is NULL", (*row)->name);
}

/* ---- waking ------------------------------------------------------------------------------------------ */

/* The count comes first: who has read it before sees that it has changed, and is not about to sleep. */
void wait_look_again(void)
{
    park_alarm(family.process);
    alarm_ring(&alarm_of_watchers);
}

mproc_status wait_none_ready(const struct wait *wait)
{
    return wait->timeout_ms == 0 ? wait_tried("none of the things is ready")
                                 : wait_timed_out(wait, "none of the things was ready");
}
