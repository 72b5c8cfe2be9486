/*
 * Listeners are waited for by an epoll descriptor of their own, which is ready when one of the sockets in it is. Only
 * the listening socket does not block; those of connections are left as those of pipes are (channel.c).
 */
#include "socket_address.h"

#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_PATTERN "mproc-XXXXXX"
#define FOLDER_FILE "listener"
/* How often one tries again who finds that a listener has no room: it tells nobody when it has. */
#define FULL_NS ((int64_t)2000000)

/*
 * `device` and `inode` are those of the file at `path`, which `owner` has made; 0: there is none. The path begins at
 * the root, as the program may go to another folder meanwhile.
 */
struct plat_listener {
    plat_handle poller;
    plat_handle socket;
    pid_t owner;
    dev_t device;
    ino_t inode;
    bool in_folder;
    char path[PATH_MAX];
};

static void listener_set_path(plat_listener *listener, const char *name);
static mproc_status listener_open(plat_listener *listener, plat_address *address, int backlog);
static mproc_status listener_begin(plat_listener *listener, const plat_address *address, const socket_address *at,
                                   int backlog);
static mproc_status listener_bind(const plat_listener *listener, const plat_address *address,
                                  const socket_address *at, bool alone);
static int folder_lock(const char *path);
static bool socket_is_left(const char *path, const socket_address *at);
static void folder_remove(const char *path);
static mproc_status accept_refused(int number);
static mproc_status attempt_begin(const plat_address *address, plat_attempt *attempt);
static mproc_status connect_to(const plat_address *address, const socket_address *at, plat_handle wake,
                               int64_t deadline_ns, plat_attempt *attempt, plat_channel *channel);
static mproc_status connect_wait(int descriptor, plat_handle wake, int64_t deadline_ns, int *number);
static bool connect_is_to_itself(int descriptor);
static mproc_status connect_refused(const plat_address *address, int number);

/* ---- private addresses -------------------------------------------------------------------------- */

/* mkdtemp() makes it 0700, or less if a umask says so: the mode is set. A long path has no room in an address. */
mproc_status plat_address_private(plat_address *address)
{
    const char *parent = getenv("TMPDIR");
    int state = cancel_hold();
    mproc_status status = MPROC_OK;

    if (!parent || parent[0] != '/' || strlen(parent) + sizeof "/" FOLDER_PATTERN "/" FOLDER_FILE > SOCKET_PATH_MAX)
        parent = "/tmp";
    *address = (plat_address){.kind = PLAT_ADDRESS_UNIX, .in_folder = true};
    snprintf(address->name, sizeof address->name, "%s/" FOLDER_PATTERN, parent);
    if (!mkdtemp(address->name) || chmod(address->name, S_IRWXU) != 0)
        status = error_system(errno, "cannot make a folder for a listener in %s", parent);
    else memcpy(address->name + strlen(address->name), "/" FOLDER_FILE, sizeof "/" FOLDER_FILE);
    cancel_resume(state);
    return status;
}

static void folder_remove(const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    char *end = strrchr(folder, '/');
    if (end) *end = '\0';
    rmdir(folder);
}

/* ---- listeners ---------------------------------------------------------------------------------- */

mproc_status plat_listener_create(plat_address *address, int backlog, plat_listener **listener)
{
    int state = cancel_hold();
    plat_listener *made = malloc(sizeof *made);
    mproc_status status = MPROC_OK;

    if (made) {
        *made = (plat_listener){.poller = PLAT_NO_HANDLE, .socket = PLAT_NO_HANDLE, .in_folder = address->in_folder};
        made->owner = getpid();
        if (address->kind == PLAT_ADDRESS_UNIX) listener_set_path(made, address->name);
        status = listener_open(made, address, backlog);
    } else {
        if (address->in_folder) folder_remove(address->name);
        status = error_system(ENOMEM, "cannot listen");
    }
    if (status == MPROC_OK) *listener = made;
    else plat_listener_free(made);
    cancel_resume(state);
    return status;
}

static void listener_set_path(plat_listener *listener, const char *name)
{
    size_t length = 0, size = strlen(name) + 1;

    if (name[0] != '/' && getcwd(listener->path, sizeof listener->path)) length = strlen(listener->path);
    if (length + 1 + size > sizeof listener->path) length = 0;
    if (length > 0) listener->path[length++] = '/';
    memcpy(listener->path + length, name, size);
}

/* Of a host with several addresses the first is taken. */
static mproc_status listener_open(plat_listener *listener, plat_address *address, int backlog)
{
    struct epoll_event event = {.events = EPOLLIN};
    socket_address found[SOCKET_ADDRESSES_MAX];
    mproc_status status;
    int count, type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

    if ((status = socket_address_find(address, found, &count)) != MPROC_OK) return status;
    status = handle_take(socket(found[0].as.any.sa_family, type, 0), "a socket to listen", &listener->socket);
    if (status != MPROC_OK) return status;
    if ((status = listener_begin(listener, address, &found[0], backlog)) != MPROC_OK) return status;
    handle_remember((int)listener->socket);
    found[0].size = sizeof found[0].as;
    if (address->kind == PLAT_ADDRESS_TCP &&
        getsockname((int)listener->socket, &found[0].as.any, &found[0].size) == 0)
        socket_address_write(&found[0], address);
    status = handle_take(epoll_create1(EPOLL_CLOEXEC), "a descriptor to wait for clients by", &listener->poller);
    if (status == MPROC_OK && epoll_ctl((int)listener->poller, EPOLL_CTL_ADD, (int)listener->socket, &event) != 0)
        status =
            error_system_as(errno == ENOSPC ? MPROC_LIMIT : error_status(errno), errno, "cannot wait for clients");
    return status;
}

/* The folder of a socket's file is locked from before it is there until it listens, see socket_is_left(). */
static mproc_status listener_begin(plat_listener *listener, const plat_address *address, const socket_address *at,
                                   int backlog)
{
    bool has_file = address->kind == PLAT_ADDRESS_UNIX && address->name[0] != '@';
    int folder = has_file ? folder_lock(listener->path) : -1;
    mproc_status status = listener_bind(listener, address, at, folder >= 0);
    struct stat file;

    if (status == MPROC_OK && has_file && lstat(listener->path, &file) == 0) {
        listener->device = file.st_dev;
        listener->inode = file.st_ino;
    }
    if (status == MPROC_OK && listen((int)listener->socket, backlog) != 0)
        status = error_system_as(errno == EADDRINUSE ? MPROC_EXISTS : error_status(errno), errno,
                                 "cannot listen at %s", address->name);
    if (folder >= 0) close(folder);
    return status;
}

/* The lock goes with the descriptor, also if this process is killed. -1: others have it, or there can be none. */
static int folder_lock(const char *path)
{
    char folder[PATH_MAX];
    char *end;
    int descriptor;

    snprintf(folder, sizeof folder, "%s", path);
    if (!(end = strrchr(folder, '/'))) return -1;
    end[end == folder] = '\0';
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
    close(descriptor);
    return -1;
}

/*
 * Whether nobody listens at the socket, as whoever had it was killed. Before its owner listens it looks the same, but
 * then the folder is locked.
 */
static bool socket_is_left(const char *path, const socket_address *at)
{
    struct stat file;
    bool left;
    int probe;

    if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return false;
    left = connect(probe, &at->as.any, at->size) != 0 && errno == ECONNREFUSED;
    close(probe);
    return left;
}

/*
 * Connections that have just ended do not keep others from the address. One of IPv6 is for that alone, as on Windows.
 * `alone`: what was left over may be taken away.
 */
static mproc_status listener_bind(const plat_listener *listener, const plat_address *address,
                                  const socket_address *at, bool alone)
{
    const int on = 1;
    int descriptor = (int)listener->socket;

    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->as.any.sa_family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(descriptor, &at->as.any, at->size) == 0) return MPROC_OK;
    if (errno == EADDRINUSE && alone) {
        if (socket_is_left(listener->path, at)) unlink(listener->path);
        if (bind(descriptor, &at->as.any, at->size) == 0) return MPROC_OK;
    }
    if (errno == EADDRINUSE && address->kind == PLAT_ADDRESS_TCP)
        return error_system_as(MPROC_EXISTS, errno,
                               "cannot listen at %s, port %u: close what listens there, or take "
                               "another port",
                               address->name, (unsigned)address->port);
    if (errno == EADDRINUSE)
        return error_system_as(MPROC_EXISTS, errno,
                               "cannot listen at %s: if nobody does, remove the file that is "
                               "left over",
                               address->name);
    if (errno == EADDRNOTAVAIL)
        return error_system_as(MPROC_NOT_FOUND, errno, "cannot listen at %s, which is no address of this machine",
                               address->name);
    return error_system(errno, "cannot listen at %s", address->name);
}

void plat_listener_leave(const plat_listener *listener)
{
    struct stat file;
    int state = cancel_hold();

    if (listener->owner == getpid()) {
        if (listener->inode != 0 && lstat(listener->path, &file) == 0 && file.st_dev == listener->device &&
            file.st_ino == listener->inode)
            unlink(listener->path);
        if (listener->in_folder) folder_remove(listener->path);
    }
    cancel_resume(state);
}

/* The file goes first: then nobody finds a listener there that does not listen. */
void plat_listener_free(plat_listener *listener)
{
    if (!listener) return;
    plat_listener_leave(listener);
    plat_handle_close(listener->poller);
    plat_handle_close(listener->socket);
    free(listener);
}

plat_handle plat_listener_handle(const plat_listener *listener)
{
    return listener->poller;
}

void plat_listener_handles(const plat_listener *listener, plat_handle handles[PLAT_LISTENER_HANDLES])
{
    handles[0] = listener->poller;
    handles[1] = listener->socket;
}

/* ---- accepting ---------------------------------------------------------------------------------- */

/* accept4() makes a socket, and ends it, before it says that nobody is there. */
static bool nobody_waits(const plat_listener *listener)
{
    struct pollfd it = {.fd = (int)listener->socket, .events = POLLIN};

    return poll(&it, 1, 0) == 0;
}

mproc_status plat_listener_accept(plat_listener *listener, plat_channel *channel, plat_address *peer)
{
    plat_handle handle = PLAT_NO_HANDLE;
    socket_address from;
    mproc_status status = MPROC_OK;
    int state = cancel_hold(), descriptor = -1;
    const int on = 1;

    if (!handle_is_ours(listener->socket)) status = handle_lost(listener->socket, "accept");
    else if (nobody_waits(listener)) status = MPROC_TIMEOUT;
    while (status == MPROC_OK && descriptor < 0) {
        from.size = sizeof from.as;
        from.as.any.sa_family = AF_UNSPEC;
        descriptor = accept4((int)listener->socket, &from.as.any, &from.size, SOCK_CLOEXEC);
        if (descriptor < 0) status = accept_refused(errno);
    }
    if (status == MPROC_OK) status = handle_take(descriptor, "a connection", &handle);
    if (status == MPROC_OK) {
        socket_address_write(&from, peer);
        if (peer->kind == PLAT_ADDRESS_TCP) setsockopt((int)handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        *channel = (plat_channel){handle, PLAT_NO_HANDLE, PLAT_NO_HANDLE, true};
    }
    cancel_resume(state);
    return status;
}

/* MPROC_OK: the next client. The system also tells what was wrong with a connection that is gone already. */
static mproc_status accept_refused(int number)
{
    static const int gone[] = {EINTR,       ECONNABORTED, EPROTO,       ENOPROTOOPT, ENETDOWN,
                               ENETUNREACH, EHOSTDOWN,    EHOSTUNREACH, ENONET,      EOPNOTSUPP};

    if (number == EAGAIN) return MPROC_TIMEOUT;
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        if (number == gone[i]) return MPROC_OK;
    return error_system_as(number == ENOBUFS ? MPROC_NO_MEMORY : error_status(number), number,
                           "cannot accept a client, which waits");
}

/* What is ready stays so until it is read. */
mproc_status plat_listener_watch(plat_listener *listener, const plat_channel *channel, void **watch)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (*watch) return MPROC_OK;
    if (epoll_ctl((int)listener->poller, EPOLL_CTL_ADD, (int)channel->handle, &event) != 0)
        return error_system_as(errno == ENOSPC ? MPROC_LIMIT : error_status(errno), errno,
                               "cannot wait for a client");
    *watch = listener;
    return MPROC_OK;
}

void plat_listener_unwatch(plat_listener *listener, const plat_channel *channel, void *watch)
{
    if (watch) epoll_ctl((int)listener->poller, EPOLL_CTL_DEL, (int)channel->handle, NULL);
}

void plat_listener_again(plat_listener *listener)
{
    (void)listener;
}

/* ---- connecting --------------------------------------------------------------------------------- */

/* Of a host with several addresses the last one that was tried says why not. */
mproc_status plat_channel_connect(const plat_address *address, plat_handle wake, int64_t deadline_ns,
                                  plat_attempt *attempt, plat_channel *channel)
{
    int state = cancel_hold();
    mproc_status status = attempt->found ? MPROC_OK : attempt_begin(address, attempt);

    while (status == MPROC_OK) {
        const socket_address *found = attempt->found;
        assert(found);
        status = connect_to(address, &found[attempt->index], wake, deadline_ns, attempt, channel);
        if (status == MPROC_OK || status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED) break;
        plat_handle_close(attempt->handle);
        attempt->handle = PLAT_NO_HANDLE;
        if (status == MPROC_NOT_FOUND && attempt->index + 1 < attempt->count) {
            attempt->index++;
            status = MPROC_OK;
        }
    }
    cancel_resume(state);
    return status;
}

static mproc_status attempt_begin(const plat_address *address, plat_attempt *attempt)
{
    socket_address *found = malloc(SOCKET_ADDRESSES_MAX * sizeof *found);
    mproc_status status;

    if (!found) return error_system(ENOMEM, "cannot connect to %s", address->name);
    status = socket_address_find(address, found, &attempt->count);
    if (status == MPROC_OK) attempt->found = found;
    else free(found);
    return status;
}

void plat_attempt_end(plat_attempt *attempt)
{
    plat_handle_close(attempt->handle);
    free(attempt->found);
    *attempt = PLAT_NO_ATTEMPT;
}

static mproc_status connect_to(const plat_address *address, const socket_address *at, plat_handle wake,
                               int64_t deadline_ns, plat_attempt *attempt, plat_channel *channel)
{
    bool goes_on = attempt->handle != PLAT_NO_HANDLE;
    int number = EINPROGRESS, type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    mproc_status status = MPROC_OK;
    const int on = 1;

    if (!goes_on) status = handle_take(socket(at->as.any.sa_family, type, 0), "a socket", &attempt->handle);
    while (status == MPROC_OK) {
        int descriptor = (int)attempt->handle;
        if (!goes_on || address->kind == PLAT_ADDRESS_UNIX)
            number = connect(descriptor, &at->as.any, at->size) == 0 ? 0 : errno;
        if (number == EINPROGRESS || number == EINTR) status = connect_wait(descriptor, wake, deadline_ns, &number);
        if (status != MPROC_OK || number != EAGAIN) break;
        int64_t again_ns = plat_clock_now_ns() + FULL_NS;
        status = connect_wait(-1, wake, deadline_ns < again_ns ? deadline_ns : again_ns, &number);
        if (status == MPROC_TIMEOUT && deadline_ns > again_ns) status = MPROC_OK;
    }
    if (status != MPROC_OK) return status;
    if (number == 0 && address->kind == PLAT_ADDRESS_TCP && connect_is_to_itself((int)attempt->handle))
        number = ECONNREFUSED;
    if (number != 0) return connect_refused(address, number);
    if (address->kind == PLAT_ADDRESS_TCP) setsockopt((int)attempt->handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl((int)attempt->handle, F_SETFL, 0);
    *channel = (plat_channel){attempt->handle, PLAT_NO_HANDLE, PLAT_NO_HANDLE, true};
    attempt->handle = PLAT_NO_HANDLE;
    return MPROC_OK;
}

/*
 * Where nobody listens the system may choose just that port for this side, and connect it to itself. Whoever tries
 * until a listener is there would keep that from its port: also for the minute after a close, if that is a usual one.
 */
static bool connect_is_to_itself(int descriptor)
{
    socket_address here = {.size = sizeof here.as}, there = {.size = sizeof there.as};
    const struct linger at_once = {.l_onoff = 1};

    if (getsockname(descriptor, &here.as.any, &here.size) != 0 ||
        getpeername(descriptor, &there.as.any, &there.size) != 0 || here.size != there.size ||
        memcmp(&here.as, &there.as, here.size) != 0)
        return false;
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return true;
}

/* Until the socket has been connected, or not, as `*number` says; without one, until the event or the deadline. */
static mproc_status connect_wait(int descriptor, plat_handle wake, int64_t deadline_ns, int *number)
{
    struct pollfd polled[2] = {{.fd = descriptor, .events = POLLOUT}, {.fd = (int)wake, .events = POLLIN}};
    socklen_t size = sizeof *number;
    int found = handle_poll(polled, 2, deadline_ns);

    if (found < 0) return error_system(errno, "cannot wait for a connection");
    if (found == 0) return MPROC_TIMEOUT;
    if (polled[1].revents != 0) return MPROC_INTERRUPTED;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, number, &size) != 0) *number = errno;
    return MPROC_OK;
}

static mproc_status connect_refused(const plat_address *address, int number)
{
    bool tcp = address->kind == PLAT_ADDRESS_TCP;
    mproc_status status = error_status(number);

    if (number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH || number == ECONNRESET ||
        number == ETIMEDOUT || number == EHOSTDOWN || number == ENOTSOCK || number == EPROTOTYPE)
        status = MPROC_NOT_FOUND;
    if (number == EADDRNOTAVAIL) status = MPROC_LIMIT;
    if (tcp)
        return error_system_as(status, number, "cannot connect to %s, port %u", address->name,
                               (unsigned)address->port);
    return error_system_as(status, number, "cannot connect to %s", address->name);
}
