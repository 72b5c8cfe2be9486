/*
 * Named pipes of bytes, not of messages: so one message may be larger than the system takes at once. Operations are
 * overlapped. What is written is in the pipe as one entry until all of it was read, and a write that has to wait for
 * that can be taken back; so a message that is written and read in one piece was sent, or was not.
 */
#include "platform_channel.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "handle.h"
#include "socket_channel.h"
#include "windows_api.h"

#define PIPE_BUFFER_BYTES 65536
#define NAME_CHARACTERS 96
/* The system holds what is written in its own memory. */
#define WRITE_MAX ((size_t)1 << 20)
#define READ_MAX ((size_t)1 << 30)

static mproc_status event_make(plat_handle *event)
{
    HANDLE made = CreateEventW(NULL, TRUE, FALSE, NULL);

    if (!made) return win32_error(GetLastError(), "cannot make the event of a connection");
    *event = (plat_handle)made;
    return MPROC_OK;
}

mproc_status plat_channel_open(plat_handle handle, plat_channel *channel)
{
    plat_channel opened = {handle, PLAT_NO_HANDLE, PLAT_NO_HANDLE, false};
    mproc_status status;

    if (GetFileType((HANDLE)handle) != FILE_TYPE_PIPE)
        return mproc_error(MPROC_INVALID, "handle %lld is no connection's", (long long)handle);
    opened.socket = !GetNamedPipeInfo((HANDLE)handle, NULL, NULL, NULL, NULL);
    if ((status = event_make(&opened.input)) != MPROC_OK) return status;
    status = event_make(&opened.output);
    if (status == MPROC_OK && opened.socket) status = socket_channel_open(&opened.handle);
    if (status == MPROC_OK) {
        *channel = opened;
    } else {
        plat_handle_close(opened.input);
        plat_handle_close(opened.output);
    }
    return status;
}

void plat_channel_close(plat_channel *channel)
{
    if (channel->socket) socket_channel_close(channel->handle);
    else plat_handle_close(channel->handle);
    plat_handle_close(channel->input);
    plat_handle_close(channel->output);
    *channel = (plat_channel){PLAT_NO_HANDLE, PLAT_NO_HANDLE, PLAT_NO_HANDLE, false};
}

/* A pipe with two ends, of which nobody else can have one: there is one instance, and a name that nobody guesses. */
static mproc_status pipe_make(bool one_way, HANDLE *first, HANDLE *second)
{
    DWORD access = one_way ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_DUPLEX;
    wchar_t name[NAME_CHARACTERS];
    uint64_t random[2];
    mproc_status status;

    if ((status = plat_system_random(random, sizeof random)) != MPROC_OK) return status;
    swprintf(name, NAME_CHARACTERS, L"\\\\.\\pipe\\mproc-%lu-%016llx%016llx", (unsigned long)GetCurrentProcessId(),
             (unsigned long long)random[0], (unsigned long long)random[1]);
    *first = CreateNamedPipeW(name, access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                              PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                              PIPE_BUFFER_BYTES, PIPE_BUFFER_BYTES, 0, NULL);
    if (*first == INVALID_HANDLE_VALUE) return win32_error(GetLastError(), "cannot make a named pipe");
    *second = CreateFileW(name, one_way ? GENERIC_WRITE : GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                          FILE_FLAG_OVERLAPPED, NULL);
    if (*second != INVALID_HANDLE_VALUE) return MPROC_OK;
    status = win32_error(GetLastError(), "cannot open a named pipe");
    CloseHandle(*first);
    return status;
}

mproc_status plat_channel_pair(bool one_way, plat_channel *first, plat_channel *second)
{
    HANDLE ends[2];
    mproc_status status;

    if ((status = pipe_make(one_way, &ends[0], &ends[1])) != MPROC_OK) return status;
    if ((status = plat_channel_open((plat_handle)ends[0], first)) != MPROC_OK) {
        CloseHandle(ends[0]);
        CloseHandle(ends[1]);
    } else if ((status = plat_channel_open((plat_handle)ends[1], second)) != MPROC_OK) {
        plat_channel_close(first);
        CloseHandle(ends[1]);
    }
    return status;
}

static bool is_end(DWORD code)
{
    return code == ERROR_BROKEN_PIPE || code == ERROR_NO_DATA || code == ERROR_PIPE_NOT_CONNECTED;
}

static mproc_status failed(DWORD code, mproc_status ended, const char *what)
{
    return is_end(code) ? ended : win32_error(code, "cannot %s a connection", what);
}

/*
 * Waits for an operation that was begun; one that is not over in time is taken back. It may be over all the same:
 * then that counts.
 */
static mproc_status finish(const plat_channel *channel, OVERLAPPED *operation, plat_handle wake, int64_t deadline_ns,
                           DWORD *moved, DWORD *code)
{
    HANDLE handles[2] = {operation->hEvent, (HANDLE)wake};
    DWORD answer = win32_wait(handles, wake == PLAT_NO_HANDLE ? 1 : 2, deadline_ns);

    if (answer != WAIT_OBJECT_0) CancelIoEx((HANDLE)channel->handle, operation);
    *code = ERROR_SUCCESS;
    if (GetOverlappedResult((HANDLE)channel->handle, operation, moved, TRUE)) return MPROC_OK;
    *code = GetLastError();
    if (*code != ERROR_OPERATION_ABORTED) return MPROC_OK;
    return answer == WAIT_OBJECT_0 + 1 ? MPROC_INTERRUPTED : MPROC_TIMEOUT;
}

static mproc_status read_some(const plat_channel *channel, void *data, size_t size, plat_handle wake,
                              int64_t deadline_ns, size_t *moved)
{
    OVERLAPPED operation = {.hEvent = (HANDLE)channel->input};
    DWORD count = 0, code = ERROR_SUCCESS;
    mproc_status status = MPROC_OK;

    if (!ReadFile((HANDLE)channel->handle, data, (DWORD)(size < READ_MAX ? size : READ_MAX), NULL, &operation))
        code = GetLastError();
    if (code == ERROR_SUCCESS || code == ERROR_IO_PENDING)
        status = finish(channel, &operation, wake, deadline_ns, &count, &code);
    if (status != MPROC_OK) return status;
    *moved = count;
    return code == ERROR_SUCCESS ? MPROC_OK : failed(code, MPROC_END, "read from");
}

/* How many bytes there are; they are copied and stay. */
static mproc_status look(const plat_channel *channel, void *data, size_t size, size_t *copied, size_t *there)
{
    DWORD count = 0, available = 0;

    if (!PeekNamedPipe((HANDLE)channel->handle, data, (DWORD)size, &count, &available, NULL))
        return failed(GetLastError(), MPROC_END, "read from");
    *copied = count;
    *there = available;
    return available > 0 ? MPROC_OK : MPROC_TIMEOUT;
}

/* A read of 0 bytes is over when there is something to read, and leaves it. */
static mproc_status await(const plat_channel *channel, plat_handle wake, int64_t deadline_ns)
{
    char nothing;
    size_t none;

    return read_some(channel, &nothing, 0, wake, deadline_ns, &none);
}

mproc_status plat_channel_peek(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    size_t there;
    mproc_status status;

    if (channel->socket) return socket_channel_peek(channel, parts, wake, deadline_ns, moved);
    status = look(channel, parts[0].data, parts[0].size, moved, &there);
    while (status == MPROC_TIMEOUT && deadline_ns > 0) {
        if ((status = await(channel, wake, deadline_ns)) != MPROC_OK) return status;
        status = look(channel, parts[0].data, parts[0].size, moved, &there);
    }
    return status;
}

/* Both parts in one operation, by a piece of memory of its own. Something is there. */
static mproc_status read_whole(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    unsigned char bytes[PLAT_CHANNEL_WHOLE];
    size_t size = parts[0].size + parts[1].size, first;
    mproc_status status = read_some(channel, bytes, size, wake, deadline_ns, moved);

    if (status != MPROC_OK) return status;
    first = *moved < parts[0].size ? *moved : parts[0].size;
    memcpy(parts[0].data, bytes, first);
    if (*moved > first) memcpy(parts[1].data, bytes + first, *moved - first);
    return MPROC_OK;
}

mproc_status plat_channel_read(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    const plat_bytes *one = parts[0].size > 0 ? &parts[0] : &parts[1];
    bool both = parts[0].size > 0 && parts[1].size > 0;
    size_t copied;
    mproc_status status;

    if (channel->socket) return socket_channel_read(channel, parts, wake, deadline_ns, moved);
    status = plat_channel_peek(channel, (const plat_bytes[2]){{NULL, 0}, {NULL, 0}}, wake, deadline_ns, &copied);
    if (status != MPROC_OK) return status;
    if (both && parts[0].size + parts[1].size <= PLAT_CHANNEL_WHOLE)
        return read_whole(channel, parts, wake, deadline_ns, moved);
    return read_some(channel, one->data, one->size, wake, deadline_ns, moved);
}

static mproc_status write_some(const plat_channel *channel, const void *data, size_t size, plat_handle wake,
                               int64_t deadline_ns, size_t *moved)
{
    OVERLAPPED operation = {.hEvent = (HANDLE)channel->output};
    DWORD count = 0, code = ERROR_SUCCESS;
    mproc_status status = MPROC_OK;

    if (!WriteFile((HANDLE)channel->handle, data, (DWORD)(size < WRITE_MAX ? size : WRITE_MAX), NULL, &operation))
        code = GetLastError();
    if (code == ERROR_SUCCESS || code == ERROR_IO_PENDING)
        status = finish(channel, &operation, wake, deadline_ns, &count, &code);
    if (status != MPROC_OK) return status;
    *moved = count;
    return code == ERROR_SUCCESS ? MPROC_OK : failed(code, MPROC_PEER_DIED, "write to");
}

mproc_status plat_channel_write(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                int64_t deadline_ns, size_t *moved)
{
    unsigned char bytes[PLAT_CHANNEL_WHOLE];
    const plat_bytes *one = parts[0].size > 0 ? &parts[0] : &parts[1];

    if (channel->socket) return socket_channel_write(channel, parts, wake, deadline_ns, moved);
    if (one != parts || parts[1].size == 0 || parts[0].size + parts[1].size > sizeof bytes)
        return write_some(channel, one->data, one->size, wake, deadline_ns, moved);
    memcpy(bytes, parts[0].data, parts[0].size);
    memcpy(bytes + parts[0].size, parts[1].data, parts[1].size);
    return write_some(channel, bytes, parts[0].size + parts[1].size, wake, deadline_ns, moved);
}
