/* Sockets are left blocking, as other processes may have the same end; each call says that it does not wait. */
#include "platform_channel.h"

#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHAT "a pair of sockets"

/* Up to so many bytes are copied together, which costs less than to tell the system of two places. */
#define CHANNEL_SMALL 512

static mproc_status channel_receive(const plat_channel *channel, const plat_bytes parts[2], int flags,
                                    plat_handle wake, int64_t deadline_ns, size_t *moved);
static mproc_status channel_wait(const plat_channel *channel, short events, plat_handle wake, int64_t deadline_ns);
static bool channel_is_gone(int number);
static ssize_t channel_get(int descriptor, const plat_bytes parts[2], int flags);
static ssize_t channel_put(int descriptor, const plat_bytes parts[2], int flags);

/* Also for one way: a pipe sends SIGPIPE, and has no flag against it. */
mproc_status plat_channel_pair(bool one_way, plat_channel *first, plat_channel *second)
{
    int state = cancel_hold();
    int ends[2] = {-1, -1};
    plat_handle made = PLAT_NO_HANDLE;
    mproc_status status = MPROC_OK;

    (void)one_way;
    *first = *second = (plat_channel){PLAT_NO_HANDLE, PLAT_NO_HANDLE, PLAT_NO_HANDLE, true};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        status = error_system(errno, "cannot make " WHAT);
    else if ((status = handle_take(ends[0], WHAT, &made)) != MPROC_OK) close(ends[1]);
    else if ((status = handle_take(ends[1], WHAT, &second->handle)) != MPROC_OK) plat_handle_close(made);
    if (status == MPROC_OK) first->handle = made;
    cancel_resume(state);
    return status;
}

mproc_status plat_channel_open(plat_handle handle, plat_channel *channel)
{
    int type = 0;
    socklen_t size = sizeof type;

    if (getsockopt((int)handle, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
        return error_system_as(MPROC_INVALID, ENOTSOCK, "cannot use file descriptor %lld as a connection",
                               (long long)handle);
    }
    *channel = (plat_channel){handle, PLAT_NO_HANDLE, PLAT_NO_HANDLE, true};
    return MPROC_OK;
}

void plat_channel_close(plat_channel *channel)
{
    plat_handle_close(channel->handle);
    channel->handle = PLAT_NO_HANDLE;
}

mproc_status plat_channel_peek(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    return channel_receive(channel, parts, MSG_PEEK, wake, deadline_ns, moved);
}

mproc_status plat_channel_read(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    return channel_receive(channel, parts, 0, wake, deadline_ns, moved);
}

/* Whoever waits has tried before: what he waits for mostly comes later, and one call is saved. */
static mproc_status channel_receive(const plat_channel *channel, const plat_bytes parts[2], int flags,
                                    plat_handle wake, int64_t deadline_ns, size_t *moved)
{
    mproc_status status = MPROC_OK;
    int state = cancel_hold();

    while (status == MPROC_OK) {
        if (deadline_ns > 0) status = channel_wait(channel, POLLIN, wake, deadline_ns);
        if (status != MPROC_OK) break;
        ssize_t got = channel_get((int)channel->handle, parts, MSG_DONTWAIT | flags);
        if (got > 0) {
            *moved = (size_t)got;
            break;
        }
        if (got == 0 || channel_is_gone(errno)) status = MPROC_END;
        else if (errno != EAGAIN && errno != EINTR) status = error_system(errno, "cannot read from a connection");
        else if (errno == EAGAIN && deadline_ns <= 0) status = MPROC_TIMEOUT;
    }
    cancel_resume(state);
    return status;
}

mproc_status plat_channel_write(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                int64_t deadline_ns, size_t *moved)
{
    mproc_status status = MPROC_OK;
    int state = cancel_hold();

    while (status == MPROC_OK) {
        if (deadline_ns > 0) status = channel_wait(channel, POLLOUT, wake, deadline_ns);
        if (status != MPROC_OK) break;
        ssize_t put = channel_put((int)channel->handle, parts, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) {
            *moved = (size_t)put;
            break;
        }
        if (put < 0 && (errno == EPIPE || channel_is_gone(errno))) status = MPROC_PEER_DIED;
        else if (put < 0 && errno != EAGAIN && errno != EINTR)
            status = error_system(errno, "cannot write to a connection");
        else if (put < 0 && errno == EAGAIN && deadline_ns <= 0) status = MPROC_TIMEOUT;
    }
    cancel_resume(state);
    return status;
}

/*
 * Nobody is there any more: the other end was closed with something in it that was not read, or a network has lost
 * its machine.
 */
static bool channel_is_gone(int number)
{
    return number == ECONNRESET || number == ETIMEDOUT || number == EHOSTUNREACH || number == ENETUNREACH;
}

static ssize_t channel_get(int descriptor, const plat_bytes parts[2], int flags)
{
    unsigned char bytes[CHANNEL_SMALL];
    size_t first = parts[0].size, second = parts[1].size;

    if (second == 0) return recv(descriptor, parts[0].data, first, flags);
    if (first == 0) return recv(descriptor, parts[1].data, second, flags);
    if (first + second > sizeof bytes) {
        struct iovec pieces[2] = {{parts[0].data, first}, {parts[1].data, second}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        return recvmsg(descriptor, &message, flags);
    }
    ssize_t got = recv(descriptor, bytes, first + second, flags);
    if (got <= 0) return got;
    memcpy(parts[0].data, bytes, (size_t)got < first ? (size_t)got : first);
    if ((size_t)got > first) memcpy(parts[1].data, bytes + first, (size_t)got - first);
    return got;
}

static ssize_t channel_put(int descriptor, const plat_bytes parts[2], int flags)
{
    unsigned char bytes[CHANNEL_SMALL];
    size_t first = parts[0].size, second = parts[1].size;

    if (second == 0) return send(descriptor, parts[0].data, first, flags);
    if (first == 0) return send(descriptor, parts[1].data, second, flags);
    if (first + second > sizeof bytes) {
        struct iovec pieces[2] = {{parts[0].data, first}, {parts[1].data, second}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        return sendmsg(descriptor, &message, flags);
    }
    memcpy(bytes, parts[0].data, first);
    memcpy(bytes + first, parts[1].data, second);
    return send(descriptor, bytes, first + second, flags);
}

static mproc_status channel_wait(const plat_channel *channel, short events, plat_handle wake, int64_t deadline_ns)
{
    struct pollfd polled[2] = {{.fd = (int)channel->handle, .events = events}, {.fd = (int)wake, .events = POLLIN}};
    int found = handle_poll(polled, 2, deadline_ns);

    if (found < 0) return error_system(errno, "cannot wait for a connection");
    if (found == 0) return MPROC_TIMEOUT;
    return polled[1].revents != 0 ? MPROC_INTERRUPTED : MPROC_OK;
}
