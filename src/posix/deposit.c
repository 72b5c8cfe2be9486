/*
 * Requests are packets on one pair of sockets, whose one end all other processes share: a file that is put, or the
 * socket for an answer, goes with its packet. So the system keeps what is not served yet, in order, and closes it
 * when the first process has ended: then whoever waits for an answer finds the end of its socket.
 */
#include "platform_deposit.h"

#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define WHAT "the sockets by which processes pass on handles"
/* So long may the end of a process take. */
#define END_NS ((int64_t)100000000)

/* What is sent both ways; `word` is an act, or a status. */
typedef struct deposit_packet {
    uint64_t word;
    uint64_t key;
} deposit_packet;

static int handle_duplicate(int descriptor);
static ssize_t deposit_send(int socket, const deposit_packet *packet, plat_handle along);
static ssize_t deposit_receive(int socket, deposit_packet *packet, int *along);
static mproc_status deposit_request(plat_handle door, plat_deposit_act act, uint64_t key, plat_handle along);
static bool deposit_is_served(plat_handle door);
static int deposit_poll(plat_handle handle, short events, int64_t deadline_ns);

mproc_status plat_deposit_create(plat_handle *store, plat_handle *door)
{
    int state = cancel_hold();
    int ends[2] = {-1, -1};
    plat_handle made = PLAT_NO_HANDLE;
    mproc_status status = MPROC_OK;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        status = error_system(errno, "cannot make " WHAT);
    else if ((status = handle_take(ends[0], WHAT, &made)) != MPROC_OK) close(ends[1]);
    else if ((status = handle_take(ends[1], WHAT, door)) != MPROC_OK) plat_handle_close(made);
    if (status == MPROC_OK) *store = made;
    cancel_resume(state);
    return status;
}

mproc_status plat_handle_copy(plat_handle handle, plat_handle *copy)
{
    if (!handle_is_ours(handle)) return handle_lost(handle, "pass on a handle");
    return plat_handle_import(handle, copy);
}

mproc_status plat_handle_import(intptr_t handle, plat_handle *copy)
{
    int state = cancel_hold();
    mproc_status status;
    int made;

    errno = EBADF;
    made = handle < 0 || handle > INT_MAX ? -1 : handle_duplicate((int)handle);
    if (made < 0) status = error_system(errno, "cannot duplicate file descriptor %lld", (long long)handle);
    else status = handle_take(made, "a duplicate of a file descriptor", copy);
    cancel_resume(state);
    return status;
}

/* What the program closes by itself is not remembered as ours. */
mproc_status plat_handle_export(plat_handle handle, intptr_t *copy)
{
    int state = cancel_hold();
    bool ours = handle_is_ours(handle);
    int made = ours ? handle_duplicate((int)handle) : -1;
    mproc_status status = MPROC_OK;

    if (!ours) status = handle_lost(handle, "give away a duplicate of a handle");
    else if (made < 0) status = error_system(errno, "cannot duplicate a file descriptor");
    else *copy = made;
    cancel_resume(state);
    return status;
}

mproc_status plat_deposit_put(plat_handle door, uint64_t key, plat_handle handle, plat_deposit *deposit)
{
    atomic_store(&deposit->number, 1);
    return deposit_request(door, PLAT_DEPOSIT_PUT, key, handle);
}

mproc_status plat_deposit_ask(plat_handle door, uint64_t key, const plat_deposit *deposit, plat_handle *answer)
{
    int state = cancel_hold();
    int ends[2] = {-1, -1};
    mproc_status status;

    (void)deposit;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        status = error_system(errno, "cannot ask for a handle");
    } else if ((status = handle_take(ends[0], "a socket for a handle", answer)) == MPROC_OK &&
               (status = deposit_request(door, PLAT_DEPOSIT_ASK, key, ends[1])) != MPROC_OK) {
        plat_handle_close(*answer);
    }
    if (ends[1] >= 0) close(ends[1]); /* no other but the one who answers may have it */
    cancel_resume(state);
    return status;
}

mproc_status plat_deposit_take(plat_handle door, plat_handle *answer, int64_t deadline_ns, plat_handle *handle)
{
    int state = cancel_hold();
    deposit_packet packet = {MPROC_PEER_DIED, 0};
    int got = -1, found = deposit_poll(*answer, POLLIN, deadline_ns);
    mproc_status status = MPROC_TIMEOUT;

    if (found != 0) {
        ssize_t size = deposit_receive((int)*answer, &packet, &got);
        status = size == (ssize_t)sizeof packet ? (mproc_status)packet.word : MPROC_PEER_DIED;
        /* The socket for the answer was not delivered, as its receiver had no number for it. */
        if (size != (ssize_t)sizeof packet && deposit_is_served(door)) status = MPROC_LIMIT;
        plat_handle_close(*answer);
        *answer = PLAT_NO_HANDLE;
    }
    if (status == MPROC_LIMIT)
        mproc_error(MPROC_LIMIT, "the first process of the family, which keeps the handles that are in messages, has "
                                 "too many open files: raise its limit (ulimit -n)");
    if (status == MPROC_OK && got < 0)
        status = error_system(EMFILE, "cannot receive a handle from the first process of the family");
    else if (status == MPROC_OK) status = handle_take(got, "a received handle", handle);
    else if (got >= 0) close(got);
    cancel_resume(state);
    return status;
}

bool plat_deposit_drop(plat_handle door, uint64_t key, plat_deposit *deposit)
{
    (void)deposit;
    return deposit_request(door, PLAT_DEPOSIT_DROP, key, PLAT_NO_HANDLE) != MPROC_TIMEOUT;
}

mproc_status plat_deposit_await_room(plat_handle door, int64_t deadline_ns)
{
    int state = cancel_hold();
    int found = deposit_poll(door, POLLOUT, deadline_ns);

    cancel_resume(state);
    return found == 0 ? MPROC_TIMEOUT : MPROC_OK;
}

bool plat_deposit_next(plat_handle store, plat_deposit_request *request)
{
    int state = cancel_hold();
    deposit_packet packet = {0, 0};
    int along = -1;
    ssize_t size = -1;

    if (handle_is_ours(store)) size = deposit_receive((int)store, &packet, &along);
    *request = (plat_deposit_request){(plat_deposit_act)packet.word, packet.key, PLAT_NO_HANDLE};
    if (along >= 0) handle_take(along, "a handle on its way", &request->handle);
    cancel_resume(state);
    return size == (ssize_t)sizeof packet;
}

void plat_deposit_answer(const plat_deposit_request *request, plat_handle handle, mproc_status status)
{
    const deposit_packet packet = {(uint64_t)status, request->key};
    int state = cancel_hold();

    if (request->handle != PLAT_NO_HANDLE && deposit_send((int)request->handle, &packet, handle) < 0 &&
        handle != PLAT_NO_HANDLE) {
        deposit_send((int)request->handle, &(deposit_packet){MPROC_LIMIT, request->key}, PLAT_NO_HANDLE);
    }
    plat_handle_close(request->handle);
    cancel_resume(state);
}

/* As handle_take() does: where the limit leaves no number of ours, with a lower one. */
static int handle_duplicate(int descriptor)
{
    int made = fcntl(descriptor, F_DUPFD_CLOEXEC, HANDLE_LOWEST);

    if (made < 0 && (errno == EINVAL || errno == EMFILE))
        made = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (made < 0 && errno == EINVAL) errno = EMFILE; /* the limit leaves none at all */
    return made;
}

/* With a descriptor or without. */
static ssize_t deposit_send(int socket, const deposit_packet *packet, plat_handle along)
{
    int descriptor = (int)along;
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec data = {(void *)(uintptr_t)packet, sizeof *packet};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    ssize_t sent;

    if (along != PLAT_NO_HANDLE) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    do {
        sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

/* A descriptor for which this process has no number is not received: `*along` is -1 then. */
static ssize_t deposit_receive(int socket, deposit_packet *packet, int *along)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec data = {packet, sizeof *packet};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t size;

    do {
        size = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    *along = -1;
    if (size < 0) return size;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof *along)) {
        memcpy(along, CMSG_DATA(header), sizeof *along);
    }
    return size;
}

static mproc_status deposit_request(plat_handle door, plat_deposit_act act, uint64_t key, plat_handle along)
{
    const deposit_packet packet = {(uint64_t)act, key};
    int state = cancel_hold();
    bool ours = handle_is_ours(door);
    ssize_t sent = ours ? deposit_send((int)door, &packet, along) : -1;
    int number = errno;

    cancel_resume(state);
    if (!ours) return handle_lost(door, "pass on a handle");
    if (sent >= 0) return MPROC_OK;
    if (number == EAGAIN) return MPROC_TIMEOUT;
    if (number == ETOOMANYREFS)
        return error_system_as(MPROC_LIMIT, number,
                               "too many handles are passed on that have not arrived (ulimit -n)");
    if (number == EPIPE || number == ECONNRESET || number == ECONNREFUSED) return MPROC_PEER_DIED;
    return error_system(number, "cannot pass on a handle");
}

/* The system closes what a process had in no order: the end of the answer may come before that of the door. */
static bool deposit_is_served(plat_handle door)
{
    struct pollfd polled = {.fd = (int)door};

    return handle_poll(&polled, 1, plat_clock_now_ns() + END_NS) == 0;
}

/* 0: the deadline has passed. */
static int deposit_poll(plat_handle handle, short events, int64_t deadline_ns)
{
    struct pollfd polled = {.fd = (int)handle, .events = events};

    return handle_poll(&polled, 1, deadline_ns);
}
