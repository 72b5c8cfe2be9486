#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NS_PER_MS 1000000

/* How long a wait for ends of processes sleeps at most; how often one looks that has lost what it watches by. */
#define WATCHER_SLEEP_MS 2000
#define WATCHER_LOOK_NS (20 * (int64_t)NS_PER_MS)

struct plat_watcher {
    plat_handle epoll;
    plat_handle wake;
};

static uint64_t watcher_lost(int64_t deadline_ns);

mproc_status plat_event_create(plat_handle *event)
{
    return handle_take(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "an event", event);
}

/* It can only fail when the counter is full, and then the event is set. */
void plat_event_set(plat_handle event)
{
    const uint64_t one = 1;
    int saved = errno;
    int state = cancel_hold();
    ssize_t written = handle_is_ours(event) ? write((int)event, &one, sizeof one) : 0;

    (void)written;
    cancel_resume(state);
    errno = saved;
}

/* It can only fail when the event is not set. */
void plat_event_clear(plat_handle event)
{
    uint64_t count = 0;
    int state = cancel_hold();
    ssize_t got = handle_is_ours(event) ? read((int)event, &count, sizeof count) : 0;

    (void)got;
    cancel_resume(state);
}

mproc_status plat_watcher_create(plat_watcher **watcher)
{
    plat_watcher *made = malloc(sizeof *made);
    mproc_status status;

    if (!made) return error_system(ENOMEM, "cannot watch for the ends of processes");
    *made = (plat_watcher){.epoll = PLAT_NO_HANDLE, .wake = PLAT_NO_HANDLE};
    status = handle_take(epoll_create1(EPOLL_CLOEXEC), "a descriptor to watch processes by", &made->epoll);
    if (status != MPROC_OK) goto done;
    if ((status = plat_event_create(&made->wake)) != MPROC_OK) goto done;
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = 0};
    if (epoll_ctl((int)made->epoll, EPOLL_CTL_ADD, (int)made->wake, &wake) != 0) {
        status = error_system(errno, "cannot watch for the ends of processes");
        goto done;
    }
    *watcher = made;
    made = NULL;
done:
    plat_watcher_free(made);
    return status;
}

void plat_watcher_free(plat_watcher *watcher)
{
    if (!watcher) return;
    plat_handle_close(watcher->wake);
    plat_handle_close(watcher->epoll);
    free(watcher);
}

/* One shot: an ended process stays ready, and is reported once all the same. */
mproc_status plat_watcher_add(plat_watcher *watcher, plat_handle process, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};

    if (!handle_is_ours(watcher->epoll)) return MPROC_OK; /* all are looked at */
    if (epoll_ctl((int)watcher->epoll, EPOLL_CTL_ADD, (int)process, &event) == 0) return MPROC_OK;
    if (errno == EEXIST && epoll_ctl((int)watcher->epoll, EPOLL_CTL_MOD, (int)process, &event) == 0) return MPROC_OK;
    /* ENOSPC: the user's limit, fs.epoll.max_user_watches. */
    mproc_status status = errno == ENOSPC ? MPROC_LIMIT : error_status(errno);
    return error_system_as(status, errno, "cannot watch for the end of a process");
}

void plat_watcher_remove(plat_watcher *watcher, plat_handle process, uint64_t token)
{
    (void)token;
    if (handle_is_ours(watcher->epoll)) epoll_ctl((int)watcher->epoll, EPOLL_CTL_DEL, (int)process, NULL);
}

void plat_watcher_wake(plat_watcher *watcher)
{
    plat_event_set(watcher->wake);
}

/*
 * epoll_wait() counts milliseconds; rounded up, so that it does not spin through the last of them. When the program
 * closes all descriptors, what is closed is watched no more, and nothing ends the call: hence its limit.
 */
uint64_t plat_watcher_wait(plat_watcher *watcher, int64_t deadline_ns)
{
    struct epoll_event event;

    for (;;) {
        if (!handle_is_ours(watcher->epoll) || !handle_is_ours(watcher->wake)) return watcher_lost(deadline_ns);
        int64_t left_ns = deadline_ns > 0 ? deadline_ns - plat_clock_now_ns() : 0;
        int64_t left_ms = left_ns > 0 ? (left_ns - 1) / NS_PER_MS + 1 : 0;
        if (left_ms > WATCHER_SLEEP_MS) left_ms = WATCHER_SLEEP_MS;
        int count = epoll_wait((int)watcher->epoll, &event, 1, (int)left_ms);
        if (count < 0 && errno != EINTR) return watcher_lost(deadline_ns);
        if (count > 0 && event.data.u64 != 0) return event.data.u64;
        if (count > 0) plat_event_clear(watcher->wake);
        if (count > 0 || (count == 0 && plat_clock_now_ns() >= deadline_ns)) return 0;
    }
}

static uint64_t watcher_lost(int64_t deadline_ns)
{
    int64_t rest_ns = plat_clock_now_ns() + WATCHER_LOOK_NS;

    plat_clock_sleep_until(rest_ns < deadline_ns ? rest_ns : deadline_ns);
    return PLAT_WATCHER_LOST;
}
