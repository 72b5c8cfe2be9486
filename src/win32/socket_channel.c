/*
 * Sockets do not block, and are tried first. Whoever reads waits by an overlapped read of 0 bytes, as for a pipe;
 * whoever writes by the one event that a socket has, which he ties to it for each wait: another process that has the
 * socket may have tied its own. What is written is copied by the system, so nothing that was begun is ever taken
 * back.
 */
#include "socket_channel.h"

#include "error.h"
#include "handle.h"
#include "winsock.h"

/* The system holds what is written in its own memory. */
#define WRITE_MAX ((size_t)1 << 20)
#define READ_MAX ((size_t)1 << 30)

/*
 * Wine takes no calls for sockets that another process has made. What the system makes for a transfer to a process,
 * here to this one, is known.
 */
static bool make_known(plat_handle *handle)
{
    WSAPROTOCOL_INFOW given;
    SOCKET known = INVALID_SOCKET;

    if (winsock.WSADuplicateSocketW((SOCKET)*handle, GetCurrentProcessId(), &given) == 0)
        known = winsock.WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &given, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (known == INVALID_SOCKET) return false;
    CloseHandle((HANDLE)*handle);
    *handle = (plat_handle)known;
    SetHandleInformation((HANDLE)known, HANDLE_FLAG_INHERIT, 0);
    return true;
}

mproc_status socket_channel_open(plat_handle *handle)
{
    int type, size = sizeof type;
    u_long on = 1;
    mproc_status status;

    if ((status = winsock_load()) != MPROC_OK) return status;
    if ((winsock.getsockopt((SOCKET)*handle, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0 || make_known(handle)) &&
        winsock.ioctlsocket((SOCKET)*handle, (long)FIONBIO, &on) == 0)
        return MPROC_OK;
    return win32_error_as(MPROC_INVALID, (DWORD)winsock.WSAGetLastError(), "handle %lld is no connection's",
                          (long long)*handle);
}

void socket_channel_close(plat_handle handle)
{
    winsock.closesocket((SOCKET)handle);
}

static DWORD buffers(const plat_bytes parts[2], size_t most, WSABUF made[2])
{
    DWORD count = 0;

    for (int i = 0; i < 2; i++) {
        size_t size = parts[i].size < most ? parts[i].size : most;
        if (size > 0) made[count++] = (WSABUF){(ULONG)size, parts[i].data};
    }
    return count;
}

/* Until there is something to read, or the end. */
static mproc_status await_input(const plat_channel *channel, plat_handle wake, int64_t deadline_ns)
{
    OVERLAPPED operation = {.hEvent = (HANDLE)channel->input};
    HANDLE handles[2] = {operation.hEvent, (HANDLE)wake};
    WSABUF none = {0, NULL};
    DWORD flags = 0, count, answer;
    int code;

    if (winsock.WSARecv((SOCKET)channel->handle, &none, 1, NULL, &flags, &operation, NULL) == 0) return MPROC_OK;
    code = winsock.WSAGetLastError();
    if (code != WSA_IO_PENDING) return MPROC_OK; /* the next try says what it is */
    answer = win32_wait(handles, wake == PLAT_NO_HANDLE ? 1 : 2, deadline_ns);
    if (answer != WAIT_OBJECT_0) CancelIoEx((HANDLE)channel->handle, &operation);
    GetOverlappedResult((HANDLE)channel->handle, &operation, &count, TRUE);
    if (answer == WAIT_OBJECT_0) return MPROC_OK;
    return answer == WAIT_OBJECT_0 + 1 ? MPROC_INTERRUPTED : MPROC_TIMEOUT;
}

static mproc_status get(const plat_channel *channel, const plat_bytes parts[2], DWORD flags, plat_handle wake,
                        int64_t deadline_ns, size_t *moved)
{
    WSABUF made[2];
    DWORD number = buffers(parts, READ_MAX, made), count;
    mproc_status status = MPROC_OK;

    while (status == MPROC_OK) {
        DWORD given = flags;
        int code = 0;
        if (winsock.WSARecv((SOCKET)channel->handle, made, number, &count, &given, NULL, NULL) != 0)
            code = winsock.WSAGetLastError();
        if (code == 0 && count > 0) {
            *moved = count;
            return MPROC_OK;
        }
        if (code == 0 || winsock_is_gone(code)) return MPROC_END;
        if (code != WSAEWOULDBLOCK) return win32_error((DWORD)code, "cannot read from a connection");
        status = deadline_ns > 0 ? await_input(channel, wake, deadline_ns) : MPROC_TIMEOUT;
    }
    return status;
}

mproc_status socket_channel_peek(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                 int64_t deadline_ns, size_t *moved)
{
    const plat_bytes first[2] = {parts[0], {NULL, 0}};

    return get(channel, first, MSG_PEEK, wake, deadline_ns, moved);
}

mproc_status socket_channel_read(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                 int64_t deadline_ns, size_t *moved)
{
    return get(channel, parts, 0, wake, deadline_ns, moved);
}

/* To tie the event sets it if there is room already. */
static mproc_status await_room(const plat_channel *channel, plat_handle wake, int64_t deadline_ns)
{
    HANDLE handles[2] = {(HANDLE)channel->output, (HANDLE)wake};
    DWORD answer;

    ResetEvent((HANDLE)channel->output);
    if (winsock.WSAEventSelect((SOCKET)channel->handle, (HANDLE)channel->output, FD_WRITE | FD_CLOSE) != 0)
        return win32_error((DWORD)winsock.WSAGetLastError(), "cannot wait for a connection");
    answer = win32_wait(handles, wake == PLAT_NO_HANDLE ? 1 : 2, deadline_ns);
    if (answer == WAIT_OBJECT_0) return MPROC_OK;
    return answer == WAIT_OBJECT_0 + 1 ? MPROC_INTERRUPTED : MPROC_TIMEOUT;
}

mproc_status socket_channel_write(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                  int64_t deadline_ns, size_t *moved)
{
    WSABUF made[2];
    DWORD number = buffers(parts, WRITE_MAX, made), count;
    mproc_status status = MPROC_OK;

    while (status == MPROC_OK) {
        int code = 0;
        if (winsock.WSASend((SOCKET)channel->handle, made, number, &count, 0, NULL, NULL) != 0)
            code = winsock.WSAGetLastError();
        if (code == 0) {
            *moved = count;
            return MPROC_OK;
        }
        if (winsock_is_gone(code)) return MPROC_PEER_DIED;
        if (code != WSAEWOULDBLOCK) return win32_error((DWORD)code, "cannot write to a connection");
        status = deadline_ns > 0 ? await_room(channel, wake, deadline_ns) : MPROC_TIMEOUT;
    }
    return status;
}
