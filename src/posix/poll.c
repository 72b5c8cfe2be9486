/* Waits for many descriptors. */
#include "platform_poll.h"

#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Up to so many have their place on the stack. */
#define POLL_FEW 64

/*
 * A descriptor that was added twice: epoll knows each number once. Guarded by the poller's mutex.
 */
struct poller_double {
    plat_handle handle;
    plat_handle other;
    uint64_t token;
    struct poller_double *next;
};

struct plat_poller {
    plat_handle epoll;
    plat_mutex mutex;
    struct poller_double *doubles;
};

static int descriptor_of(plat_handle handle);
static mproc_status poll_some(struct pollfd *list, plat_polled *polled, size_t count, plat_handle wake,
                              int64_t deadline_ns, uint32_t *bad);
static mproc_status poller_refused(plat_handle handle);
static mproc_status poller_double(plat_poller *poller, plat_handle handle, struct epoll_event *event);

mproc_status plat_poll(plat_polled *polled, size_t count, plat_handle wake, int64_t deadline_ns, uint32_t *bad)
{
    struct pollfd few[POLL_FEW];
    struct pollfd *list = count < POLL_FEW ? few : malloc((count + 1) * sizeof *list);

    if (!list) return error_system(ENOMEM, "cannot wait for %zu file descriptors", count);
    int state = cancel_hold();
    mproc_status status = poll_some(list, polled, count, wake, deadline_ns, bad);
    cancel_resume(state);
    if (list != few) free(list);
    return status;
}

static mproc_status poll_some(struct pollfd *list, plat_polled *polled, size_t count, plat_handle wake,
                              int64_t deadline_ns, uint32_t *bad)
{
    for (size_t i = 0; i < count; i++)
        list[i] = (struct pollfd){.fd = descriptor_of(polled[i].handle), .events = POLLIN};
    list[count] = (struct pollfd){.fd = (int)wake, .events = POLLIN}; /* less than 0: it is passed over */
    int found = handle_poll(list, count + 1, deadline_ns);
    if (found < 0) return error_system(errno, "cannot wait for %zu file descriptors", count);
    if (found == 0) return MPROC_TIMEOUT;
    if (list[count].revents != 0) found--;
    if (found == 0) return MPROC_INTERRUPTED;
    for (size_t i = 0; i < count; i++) {
        if ((list[i].revents & POLLNVAL) == 0) {
            polled[i].ready = list[i].revents != 0;
            continue;
        }
        *bad = polled[i].index;
        return error_system_as(MPROC_INVALID, EBADF, "cannot wait for file descriptor %lld",
                               (long long)polled[i].handle);
    }
    return MPROC_OK;
}

/* A number that is too large is none of another: the system says that there is no such descriptor. */
static int descriptor_of(plat_handle handle)
{
    return handle > INT_MAX ? INT_MAX : (int)handle;
}

/* ---- kept ------------------------------------------------------------------------------------------ */

mproc_status plat_poller_create(plat_poller **poller)
{
    plat_poller *made = calloc(1, sizeof *made);
    mproc_status status;

    if (!made) return error_system(ENOMEM, "cannot make a set of file descriptors");
    status = handle_take(epoll_create1(EPOLL_CLOEXEC), "a set of file descriptors", &made->epoll);
    if (status == MPROC_OK) *poller = made;
    else free(made);
    return status;
}

void plat_poller_free(plat_poller *poller)
{
    if (!poller) return;
    plat_handle_close(poller->epoll);
    while (poller->doubles) {
        struct poller_double *first = poller->doubles;
        poller->doubles = first->next;
        plat_handle_close(first->other);
        free(first);
    }
    free(poller);
}

mproc_status plat_poller_add(plat_poller *poller, plat_handle handle, enum plat_polled_kind kind, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};

    (void)kind;
    if (!handle_is_ours(poller->epoll)) return handle_lost(poller->epoll, "add to a set");
    if (epoll_ctl((int)poller->epoll, EPOLL_CTL_ADD, descriptor_of(handle), &event) == 0) return MPROC_OK;
    if (errno == EPERM) return MPROC_END;
    return errno == EEXIST ? poller_double(poller, handle, &event) : poller_refused(handle);
}

/* ENOSPC: the user's limit, fs.epoll.max_user_watches. ELOOP: epoll descriptors in each other, too deep. */
static mproc_status poller_refused(plat_handle handle)
{
    mproc_status status = errno == ENOSPC                                       ? MPROC_LIMIT
                          : errno == EBADF || errno == EINVAL || errno == ELOOP ? MPROC_INVALID
                                                                                : error_status(errno);

    return error_system_as(status, errno, "cannot wait for file descriptor %lld", (long long)handle);
}

static mproc_status poller_double(plat_poller *poller, plat_handle handle, struct epoll_event *event)
{
    struct poller_double *made = calloc(1, sizeof *made);
    mproc_status status;

    if (!made) return error_system(ENOMEM, "cannot wait for a file descriptor once more");
    *made = (struct poller_double){.handle = handle, .other = PLAT_NO_HANDLE, .token = event->data.u64};
    status = handle_take(fcntl((int)handle, F_DUPFD_CLOEXEC, HANDLE_LOWEST), "a duplicate to wait for", &made->other);
    if (status == MPROC_OK && epoll_ctl((int)poller->epoll, EPOLL_CTL_ADD, (int)made->other, event) != 0) {
        status = poller_refused(handle);
        plat_handle_close(made->other);
    }
    if (status != MPROC_OK) {
        free(made);
        return status;
    }
    plat_mutex_lock(&poller->mutex);
    made->next = poller->doubles;
    poller->doubles = made;
    plat_mutex_unlock(&poller->mutex);
    return MPROC_OK;
}

/* The duplicate is taken out before it is closed: another process may have the same file. */
void plat_poller_remove(plat_poller *poller, plat_handle handle, uint64_t token)
{
    struct poller_double **at, *found;

    plat_mutex_lock(&poller->mutex);
    for (at = &poller->doubles; *at && ((*at)->handle != handle || (*at)->token != token); at = &(*at)->next) {
    }
    found = *at;
    if (found) *at = found->next;
    plat_mutex_unlock(&poller->mutex);
    if (handle_is_ours(poller->epoll))
        epoll_ctl((int)poller->epoll, EPOLL_CTL_DEL, (int)(found ? found->other : handle), NULL);
    if (found) plat_handle_close(found->other);
    free(found);
}

static mproc_status poller_take(const plat_poller *poller, struct epoll_event *events, uint64_t *tokens, size_t room,
                                size_t *count)
{
    int found = epoll_wait((int)poller->epoll, events, room > INT32_MAX ? INT32_MAX : (int)room, 0);

    if (found < 0 && (errno == EBADF || errno == EINVAL)) return handle_lost(poller->epoll, "wait for a set");
    if (found < 0 && errno != EINTR) return error_system(errno, "cannot wait for a set of file descriptors");
    if (found <= 0) return MPROC_TIMEOUT;
    for (int i = 0; i < found; i++) tokens[i] = events[i].data.u64;
    *count = (size_t)found;
    return MPROC_OK;
}

/*
 * epoll_wait() counts milliseconds, and waits for nothing besides: so who has to wait sleeps in poll(). What woke him
 * may be gone when he looks, as another thread has used it.
 */
mproc_status plat_poller_wait(plat_poller *poller, plat_handle wake, int64_t deadline_ns, uint64_t *tokens,
                              size_t room, size_t *count)
{
    struct epoll_event few[POLL_FEW];
    struct epoll_event *events = room <= POLL_FEW ? few : malloc(room * sizeof *events);
    struct pollfd list[2] = {{.fd = (int)poller->epoll, .events = POLLIN}, {.fd = (int)wake, .events = POLLIN}};
    mproc_status status = MPROC_OK;
    int found = 1;

    if (!events) return error_system(ENOMEM, "cannot wait for %zu file descriptors", room);
    int state = cancel_hold();
    status = poller_take(poller, events, tokens, room, count);
    while (status == MPROC_TIMEOUT && deadline_ns > 0 && found > 0) {
        found = handle_poll(list, 2, deadline_ns);
        if (found < 0) status = error_system(errno, "cannot wait for a set of file descriptors");
        else if (found > 0) status = poller_take(poller, events, tokens, room, count);
        if (status == MPROC_TIMEOUT && found > 0 && list[1].revents != 0) status = MPROC_INTERRUPTED;
    }
    cancel_resume(state);
    if (events != few) free(events);
    return status;
}
