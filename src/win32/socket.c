/*
 * Listeners and clients: sockets of TCP, or named pipes. A listener's event is set when somebody may be there to be
 * accepted: the system's own habit for sockets (WSAEventSelect), and made so for pipes.
 */
#include "platform_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "handle.h"
#include "named_pipe.h"
#include "wide.h"
#include "winsock.h"

#define HOST_CHARS 256
#define PORT_CHARS 8

struct plat_listener {
    plat_address_kind kind;
    HANDLE event;
    SOCKET socket;
    pipe_listener pipes;
};

/* ---- addresses ---------------------------------------------------------------------------------- */

mproc_status plat_address_private(plat_address *address)
{
    uint64_t random[2];
    mproc_status status;

    if ((status = plat_system_random(random, sizeof random)) != MPROC_OK) return status;
    *address = (plat_address){.kind = PLAT_ADDRESS_PIPE};
    snprintf(address->name, sizeof address->name, "\\\\.\\pipe\\mproc-%lu-%016llx%016llx",
             (unsigned long)GetCurrentProcessId(), (unsigned long long)random[0], (unsigned long long)random[1]);
    return MPROC_OK;
}

static mproc_status no_unix_sockets(const plat_address *address)
{
    return mproc_error(MPROC_NOT_SUPPORTED,
                       "there are no Unix sockets here (unix:%s): use a named pipe, \\\\.\\pipe\\NAME",
                       address->name);
}

/* As the whole of getaddrinfo() goes, also for numbers. FreeAddrInfoW() is for what was found. */
static mproc_status find(const plat_address *address, ADDRINFOW **found)
{
    const ADDRINFOW hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    wchar_t port[PORT_CHARS], *host = NULL;
    mproc_status status;
    int code;

    if ((status = winsock_load()) != MPROC_OK) return status;
    /* What stands for this machine needs nobody to be asked, as RFC 6761 has it. */
    if ((status = win32_wide(strcmp(address->name, "localhost") ? address->name : "127.0.0.1", &host)) != MPROC_OK)
        return status;
    swprintf(port, PORT_CHARS, L"%u", (unsigned)address->port);
    code = winsock.GetAddrInfoW(host, port, &hints, found);
    free(host);
    if (code == 0) return MPROC_OK;
    return win32_error_as(code == WSA_NOT_ENOUGH_MEMORY ? MPROC_NO_MEMORY : MPROC_NOT_FOUND, (DWORD)code,
                          "cannot find the host %s", address->name);
}

/* The next address of the family behind `after`, or the first if that is NULL. */
static const ADDRINFOW *next_of(const ADDRINFOW *list, const ADDRINFOW *after, int family)
{
    const ADDRINFOW *at = after ? after->ai_next : list;

    while (at && at->ai_family != family) at = at->ai_next;
    return at;
}

/* Those of IPv4 first. */
static const ADDRINFOW *next_address(const ADDRINFOW *list, const ADDRINFOW *after)
{
    const ADDRINFOW *next = NULL;

    if (!after || after->ai_family == AF_INET) {
        if ((next = next_of(list, after, AF_INET))) return next;
        after = NULL;
    }
    return next_of(list, after, AF_INET6);
}

static void write_address(const SOCKADDR_STORAGE *from, int size, plat_address *address)
{
    wchar_t host[HOST_CHARS] = L"", port[PORT_CHARS] = L"";

    *address = (plat_address){.kind = PLAT_ADDRESS_TCP};
    winsock.GetNameInfoW((const SOCKADDR *)from, size, host, HOST_CHARS, port, PORT_CHARS,
                         NI_NUMERICHOST | NI_NUMERICSERV);
    win32_narrow(host, address->name, sizeof address->name);
    address->port = (uint16_t)wcstoul(port, NULL, 10);
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static mproc_status make_socket(int family, SOCKET *made)
{
    *made = winsock.WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                               WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (*made != INVALID_SOCKET) return MPROC_OK;
    return win32_error((DWORD)winsock.WSAGetLastError(), "cannot make a socket");
}

static void set_option(SOCKET socket, int level, int option)
{
    const DWORD on = 1;

    winsock.setsockopt(socket, level, option, (const char *)&on, sizeof on);
}

/* It is not tied to any event, nor inherited. */
static mproc_status open_socket(SOCKET socket, plat_channel *channel)
{
    mproc_status status;

    set_option(socket, IPPROTO_TCP, TCP_NODELAY);
    winsock.WSAEventSelect(socket, NULL, 0);
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    if ((status = plat_channel_open((plat_handle)socket, channel)) != MPROC_OK) winsock.closesocket(socket);
    return status;
}

/* Without the first option others could take the port as well; of IPv6 alone is the system's default. */
static mproc_status listen_at(plat_listener *listener, const ADDRINFOW *at, int backlog, plat_address *address)
{
    SOCKADDR_STORAGE real;
    int size = sizeof real, code = 0;
    mproc_status status;

    if ((status = make_socket(at->ai_family, &listener->socket)) != MPROC_OK) return status;
    set_option(listener->socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE);
    if (at->ai_family == AF_INET6) set_option(listener->socket, IPPROTO_IPV6, IPV6_V6ONLY);
    if (winsock.bind(listener->socket, at->ai_addr, (int)at->ai_addrlen) != 0 ||
        winsock.listen(listener->socket, backlog) != 0)
        code = winsock.WSAGetLastError();
    if (code == WSAEADDRINUSE || code == WSAEACCES)
        return win32_error_as(MPROC_EXISTS, (DWORD)code,
                              "cannot listen at %s, port %u: close what listens there, or take another port",
                              address->name, (unsigned)address->port);
    if (code == WSAEADDRNOTAVAIL)
        return win32_error_as(MPROC_NOT_FOUND, (DWORD)code,
                              "cannot listen at %s, which is no address of this machine", address->name);
    if (code == 0 && winsock.WSAEventSelect(listener->socket, listener->event, FD_ACCEPT) != 0)
        code = winsock.WSAGetLastError();
    if (code != 0) return win32_error((DWORD)code, "cannot listen at %s", address->name);
    if (winsock.getsockname(listener->socket, (SOCKADDR *)&real, &size) == 0) write_address(&real, size, address);
    return MPROC_OK;
}

static mproc_status listen_by_tcp(plat_listener *listener, int backlog, plat_address *address)
{
    ADDRINFOW *found = NULL;
    const ADDRINFOW *first;
    mproc_status status;

    if ((status = find(address, &found)) != MPROC_OK) return status;
    if ((first = next_address(found, NULL))) status = listen_at(listener, first, backlog, address);
    else status = mproc_error(MPROC_NOT_FOUND, "the host %s has no address", address->name);
    winsock.FreeAddrInfoW(found);
    return status;
}

/* ---- listeners ---------------------------------------------------------------------------------- */

mproc_status plat_listener_create(plat_address *address, int backlog, plat_listener **listener)
{
    plat_listener *made;
    plat_handle event = PLAT_NO_HANDLE;
    mproc_status status;

    if (address->kind == PLAT_ADDRESS_UNIX) return no_unix_sockets(address);
    if (!(made = calloc(1, sizeof *made))) return mproc_error(MPROC_NO_MEMORY, "no memory for a listener");
    made->kind = address->kind;
    made->socket = INVALID_SOCKET;
    if ((status = plat_event_create(&event)) == MPROC_OK) {
        made->event = made->pipes.event = (HANDLE)event;
        if (address->kind == PLAT_ADDRESS_TCP) status = listen_by_tcp(made, backlog, address);
        else status = pipe_listener_open(&made->pipes, address->name, backlog);
    }
    if (status == MPROC_OK) *listener = made;
    else plat_listener_free(made);
    return status;
}

void plat_listener_free(plat_listener *listener)
{
    if (!listener) return;
    if (listener->kind == PLAT_ADDRESS_PIPE) pipe_listener_close(&listener->pipes);
    if (listener->socket != INVALID_SOCKET) winsock.closesocket(listener->socket);
    if (listener->event) CloseHandle(listener->event);
    free(listener);
}

/* No address here has a file. */
void plat_listener_leave(const plat_listener *listener)
{
    (void)listener;
}

plat_handle plat_listener_handle(const plat_listener *listener)
{
    return (plat_handle)listener->event;
}

void plat_listener_handles(const plat_listener *listener, plat_handle handles[PLAT_LISTENER_HANDLES])
{
    (void)listener;
    handles[0] = handles[1] = PLAT_NO_HANDLE;
}

/* To accept one sets the event again if there are more. */
static mproc_status accept_by_tcp(const plat_listener *listener, plat_channel *channel, plat_address *peer)
{
    SOCKADDR_STORAGE from;
    int size, code;

    ResetEvent(listener->event);
    for (;;) {
        SOCKET socket;
        size = sizeof from;
        socket = winsock.accept(listener->socket, (SOCKADDR *)&from, &size);
        if (socket != INVALID_SOCKET) {
            write_address(&from, size, peer);
            return open_socket(socket, channel);
        }
        code = winsock.WSAGetLastError();
        if (code == WSAEWOULDBLOCK) return MPROC_TIMEOUT;
        if (!winsock_is_gone(code)) break;
    }
    SetEvent(listener->event);
    return win32_error((DWORD)code, "cannot accept a client, which waits");
}

mproc_status plat_listener_accept(plat_listener *listener, plat_channel *channel, plat_address *peer)
{
    HANDLE pipe;
    mproc_status status;

    if (listener->kind == PLAT_ADDRESS_TCP) return accept_by_tcp(listener, channel, peer);
    *peer = (plat_address){.kind = PLAT_ADDRESS_PIPE};
    if ((status = pipe_listener_accept(&listener->pipes, &pipe)) != MPROC_OK) return status;
    if ((status = plat_channel_open((plat_handle)pipe, channel)) != MPROC_OK) CloseHandle(pipe);
    return status;
}

/* Tied to a socket, the event is set at once if there is something to read. */
mproc_status plat_listener_watch(plat_listener *listener, const plat_channel *channel, void **watch)
{
    if (!channel->socket) return pipe_watch(listener->event, (HANDLE)channel->handle, watch);
    if (winsock.WSAEventSelect((SOCKET)channel->handle, listener->event, FD_READ | FD_CLOSE) == 0) return MPROC_OK;
    return win32_error((DWORD)winsock.WSAGetLastError(), "cannot wait for a client");
}

void plat_listener_unwatch(plat_listener *listener, const plat_channel *channel, void *watch)
{
    (void)listener;
    if (channel->socket) winsock.WSAEventSelect((SOCKET)channel->handle, NULL, 0);
    else pipe_unwatch((HANDLE)channel->handle, watch);
}

void plat_listener_again(plat_listener *listener)
{
    SetEvent(listener->event);
}

/* ---- clients ------------------------------------------------------------------------------------ */

static mproc_status refused(const plat_address *address, int code)
{
    mproc_status status = win32_status((DWORD)code);

    if (code == WSAECONNREFUSED || winsock_is_gone(code) || code == WSAEADDRNOTAVAIL) status = MPROC_NOT_FOUND;
    return win32_error_as(status, (DWORD)code, "cannot connect to %s, port %u", address->name,
                          (unsigned)address->port);
}

/* The event is tied to the socket, which does not block from then on. */
static int begin_to_connect(SOCKET socket, const ADDRINFOW *at, plat_handle event)
{
    if (winsock.WSAEventSelect(socket, (HANDLE)event, FD_CONNECT) == 0 &&
        winsock.connect(socket, at->ai_addr, (int)at->ai_addrlen) == 0)
        return 0;
    return winsock.WSAGetLastError();
}

static mproc_status await_connected(const plat_attempt *attempt, plat_handle wake, int64_t deadline_ns, int *code)
{
    HANDLE handles[2] = {(HANDLE)attempt->event, (HANDLE)wake};
    DWORD answer = win32_wait(handles, wake == PLAT_NO_HANDLE ? 1 : 2, deadline_ns);
    WSANETWORKEVENTS events;

    if (answer == WAIT_OBJECT_0 + 1) return MPROC_INTERRUPTED;
    if (answer != WAIT_OBJECT_0) return MPROC_TIMEOUT;
    if (winsock.WSAEnumNetworkEvents((SOCKET)attempt->handle, handles[0], &events) != 0)
        *code = winsock.WSAGetLastError();
    else *code = events.iErrorCode[FD_CONNECT_BIT];
    return MPROC_OK;
}

/*
 * Where nobody listens the system may choose just that port for this side. It is to be free after the close, which a
 * usual one would not make it for minutes.
 */
static bool is_to_itself(SOCKET socket)
{
    SOCKADDR_STORAGE here = {0}, there = {0};
    int here_size = sizeof here, there_size = sizeof there;
    const struct linger at_once = {.l_onoff = 1};

    if (winsock.getsockname(socket, (SOCKADDR *)&here, &here_size) != 0 ||
        winsock.getpeername(socket, (SOCKADDR *)&there, &there_size) != 0 || here_size != there_size ||
        memcmp(&here, &there, (size_t)here_size) != 0)
        return false;
    winsock.setsockopt(socket, SOL_SOCKET, SO_LINGER, (const char *)&at_once, sizeof at_once);
    return true;
}

static mproc_status connect_to(const plat_address *address, const ADDRINFOW *at, plat_handle wake,
                               int64_t deadline_ns, plat_attempt *attempt, plat_channel *channel)
{
    SOCKET socket;
    int code = WSAEWOULDBLOCK;
    mproc_status status;

    if (attempt->handle == PLAT_NO_HANDLE) {
        if ((status = plat_event_create(&attempt->event)) != MPROC_OK) return status;
        if ((status = make_socket(at->ai_family, &socket)) != MPROC_OK) return status;
        attempt->handle = (plat_handle)socket;
        code = begin_to_connect(socket, at, attempt->event);
    }
    if (code == WSAEWOULDBLOCK && (status = await_connected(attempt, wake, deadline_ns, &code)) != MPROC_OK)
        return status;
    if (code == 0 && is_to_itself((SOCKET)attempt->handle)) code = WSAECONNREFUSED;
    if (code != 0) return refused(address, code);
    socket = (SOCKET)attempt->handle;
    attempt->handle = PLAT_NO_HANDLE;
    return open_socket(socket, channel);
}

static void close_attempt(plat_attempt *attempt)
{
    if (attempt->handle != PLAT_NO_HANDLE) winsock.closesocket((SOCKET)attempt->handle);
    plat_handle_close(attempt->event);
    attempt->handle = attempt->event = PLAT_NO_HANDLE;
}

void plat_attempt_end(plat_attempt *attempt)
{
    close_attempt(attempt);
    if (attempt->found) winsock.FreeAddrInfoW(attempt->found);
    *attempt = PLAT_NO_ATTEMPT;
}

static mproc_status connect_by_tcp(const plat_address *address, plat_handle wake, int64_t deadline_ns,
                                   plat_attempt *attempt, plat_channel *channel)
{
    ADDRINFOW *found = attempt->found;
    const ADDRINFOW *at;
    mproc_status status;

    if (!found && (status = find(address, &found)) != MPROC_OK) return status;
    attempt->found = found;
    at = next_address(found, NULL);
    for (int i = 0; at && i < attempt->index; i++) at = next_address(found, at);
    status = mproc_error(MPROC_NOT_FOUND, "the host %s has no address", address->name);
    for (; at && status == MPROC_NOT_FOUND; at = next_address(found, at)) {
        status = connect_to(address, at, wake, deadline_ns, attempt, channel);
        if (status != MPROC_TIMEOUT && status != MPROC_INTERRUPTED) close_attempt(attempt);
        attempt->index += status == MPROC_NOT_FOUND;
    }
    return status;
}

mproc_status plat_channel_connect(const plat_address *address, plat_handle wake, int64_t deadline_ns,
                                  plat_attempt *attempt, plat_channel *channel)
{
    HANDLE pipe;
    mproc_status status;

    if (address->kind == PLAT_ADDRESS_UNIX) return no_unix_sockets(address);
    if (address->kind == PLAT_ADDRESS_TCP) return connect_by_tcp(address, wake, deadline_ns, attempt, channel);
    if ((status = pipe_connect(address->name, wake, deadline_ns, &pipe)) != MPROC_OK) return status;
    if ((status = plat_channel_open((plat_handle)pipe, channel)) != MPROC_OK) CloseHandle(pipe);
    return status;
}
