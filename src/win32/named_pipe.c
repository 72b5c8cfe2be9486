/*
 * A named pipe has one instance for each client. As many as may wait to be accepted are made when the listener is,
 * and a new one for each that was accepted, before that is handed out: so the name is there all the time, and nobody
 * else can take it. All instances have one event, which each operation that begins takes back: so after that each is
 * asked. The system also ends operations with the thread that has begun them; then the next look begins them again.
 */
#include "named_pipe.h"

#include <stdlib.h>

#include "error.h"
#include "handle.h"
#include "library.h"
#include "wide.h"

#define BUFFER_BYTES 65536
#define ACCESS_BYTES 512
/* How often one tries again who finds that all instances have clients. */
#define BUSY_NS ((int64_t)5000000)

/* ---- who may connect ---------------------------------------------------------------------------- */

typedef BOOL WINAPI open_token(HANDLE process, DWORD access, HANDLE *token);
typedef BOOL WINAPI token_information(HANDLE token, TOKEN_INFORMATION_CLASS kind, void *into, DWORD size,
                                      DWORD *needed);
typedef BOOL WINAPI begin_list(ACL *list, DWORD size, DWORD revision);
typedef BOOL WINAPI allow(ACL *list, DWORD revision, DWORD access, PSID who);
typedef BOOL WINAPI begin_descriptor(PSECURITY_DESCRIPTOR descriptor, DWORD revision);
typedef BOOL WINAPI set_list(PSECURITY_DESCRIPTOR descriptor, BOOL present, ACL *list, BOOL defaulted);

typedef struct user_alone {
    SECURITY_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
    union {
        TOKEN_USER user;
        unsigned char bytes[ACCESS_BYTES];
    } who;
    union {
        ACL list;
        unsigned char bytes[ACCESS_BYTES];
    } access;
} user_alone;

#define ADVAPI(type, name) ((type *)win32_function(L"advapi32.dll", name))

static bool find_user(user_alone *made)
{
    open_token *open = ADVAPI(open_token, "OpenProcessToken");
    token_information *ask = ADVAPI(token_information, "GetTokenInformation");
    HANDLE token;
    DWORD needed;
    bool found;

    if (!open || !ask || !open(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    found = ask(token, TokenUser, &made->who, sizeof made->who, &needed);
    CloseHandle(token);
    return found;
}

/* The system's default lets everybody read. */
static mproc_status allow_user_alone(user_alone *made)
{
    begin_list *begin = ADVAPI(begin_list, "InitializeAcl");
    allow *add = ADVAPI(allow, "AddAccessAllowedAce");
    begin_descriptor *describe = ADVAPI(begin_descriptor, "InitializeSecurityDescriptor");
    set_list *set = ADVAPI(set_list, "SetSecurityDescriptorDacl");

    made->attributes = (SECURITY_ATTRIBUTES){sizeof made->attributes, &made->descriptor, FALSE};
    if (!begin || !add || !describe || !set || !find_user(made) ||
        !begin(&made->access.list, sizeof made->access, ACL_REVISION) ||
        !add(&made->access.list, ACL_REVISION, FILE_ALL_ACCESS, made->who.user.User.Sid) ||
        !describe(&made->descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !set(&made->descriptor, TRUE, &made->access.list, FALSE))
        return win32_error(GetLastError(), "cannot keep other users from a named pipe");
    return MPROC_OK;
}

/* ---- instances ---------------------------------------------------------------------------------- */

static mproc_status make(const pipe_listener *listener, bool first, HANDLE *pipe)
{
    DWORD mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0), code;
    user_alone access;
    mproc_status status;

    if ((status = allow_user_alone(&access)) != MPROC_OK) return status;
    *pipe = CreateNamedPipeW(listener->name, mode,
                             PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                             PIPE_UNLIMITED_INSTANCES, BUFFER_BYTES, BUFFER_BYTES, 0, &access.attributes);
    if (*pipe != INVALID_HANDLE_VALUE) return MPROC_OK;
    code = GetLastError();
    if (first && (code == ERROR_ACCESS_DENIED || code == ERROR_PIPE_BUSY))
        return win32_error_as(MPROC_EXISTS, code, "cannot listen at a named pipe: somebody does");
    return win32_error(code, "cannot make a named pipe");
}

/* A client may have come, and may even have gone, before: what it has written is there. */
static mproc_status begin(pipe_listener *listener, pipe_instance *instance)
{
    DWORD code = ERROR_SUCCESS;

    instance->operation = (OVERLAPPED){.hEvent = listener->event};
    if (!ConnectNamedPipe(instance->pipe, &instance->operation)) code = GetLastError();
    instance->begun = code == ERROR_IO_PENDING;
    instance->connected = code == ERROR_SUCCESS || code == ERROR_PIPE_CONNECTED || code == ERROR_NO_DATA;
    if (instance->begun || instance->connected) return MPROC_OK;
    return win32_error(code, "cannot wait for the client of a named pipe");
}

/* Whether it is connected, or failed in a way that whoever reads from it learns of. */
static mproc_status look(pipe_listener *listener, pipe_instance *instance)
{
    DWORD none;

    if (instance->connected) return MPROC_OK;
    if (instance->begun && !HasOverlappedIoCompleted(&instance->operation)) return MPROC_OK;
    if (instance->begun && (GetOverlappedResult(instance->pipe, &instance->operation, &none, FALSE) ||
                            GetLastError() != ERROR_OPERATION_ABORTED)) {
        instance->begun = false;
        instance->connected = true;
        return MPROC_OK;
    }
    return begin(listener, instance);
}

static mproc_status add(pipe_listener *listener, bool first)
{
    pipe_instance *instance = &listener->instances[listener->count];
    mproc_status status;

    *instance = (pipe_instance){.pipe = INVALID_HANDLE_VALUE};
    if ((status = make(listener, first, &instance->pipe)) != MPROC_OK) return status;
    listener->count++;
    return begin(listener, instance);
}

/* Wine does not refuse a second first instance. */
static bool is_taken(const wchar_t *name)
{
    return WaitNamedPipeW(name, 1) || GetLastError() == ERROR_SEM_TIMEOUT;
}

mproc_status pipe_listener_open(pipe_listener *listener, const char *name, int backlog)
{
    int count = backlog < PIPE_INSTANCES ? backlog : PIPE_INSTANCES;
    mproc_status status;

    if ((status = win32_wide(name, &listener->name)) != MPROC_OK) return status;
    if (is_taken(listener->name))
        return win32_error_as(MPROC_EXISTS, ERROR_PIPE_BUSY, "cannot listen at %s: somebody does", name);
    for (int i = 0; i < count && status == MPROC_OK; i++) status = add(listener, i == 0);
    SetEvent(listener->event);
    return status;
}

/*
 * The memory of an operation is the system's until that is over. The result may be written only after there is
 * nothing left to cancel, by way of the thread that has begun the operation; and the event tells nothing of one
 * operation alone, so GetOverlappedResult() cannot wait here.
 */
static void take_back(HANDLE pipe, OVERLAPPED *operation)
{
    CancelIoEx(pipe, operation);
    while (!HasOverlappedIoCompleted(operation)) plat_thread_yield();
}

void pipe_listener_close(pipe_listener *listener)
{
    for (int i = 0; i < listener->count; i++) {
        pipe_instance *instance = &listener->instances[i];
        if (instance->begun) take_back(instance->pipe, &instance->operation);
        CloseHandle(instance->pipe);
    }
    free(listener->name);
}

/*
 * The event is taken back before all are asked, as it is by whoever begins an operation, and set again if one is left
 * that is connected. Who cannot be replaced stays.
 */
mproc_status pipe_listener_accept(pipe_listener *listener, HANDLE *pipe)
{
    pipe_instance *found = NULL;
    bool more = false;
    mproc_status status = MPROC_OK;

    ResetEvent(listener->event);
    for (int i = 0; i < listener->count && status == MPROC_OK; i++) {
        status = look(listener, &listener->instances[i]);
        if (!found && listener->instances[i].connected) found = &listener->instances[i];
    }
    if (found && status == MPROC_OK) {
        pipe_instance next = {.pipe = INVALID_HANDLE_VALUE};
        if ((status = make(listener, false, &next.pipe)) == MPROC_OK) {
            *pipe = found->pipe;
            *found = next;
            more = begin(listener, found) != MPROC_OK; /* then whoever looks next begins it, or says why not */
        }
    } else if (status == MPROC_OK) {
        status = MPROC_TIMEOUT;
    }
    for (int i = 0; i < listener->count; i++)
        more = more || listener->instances[i].connected ||
               (listener->instances[i].begun && HasOverlappedIoCompleted(&listener->instances[i].operation));
    if (more || (status != MPROC_OK && status != MPROC_TIMEOUT)) SetEvent(listener->event);
    return status;
}

/* ---- clients that have something to prove first ---------------------------------------------------- */

/* A read of 0 bytes. Its memory is the system's until it is over. */
typedef struct watched_read {
    OVERLAPPED operation;
    bool begun;
    char nothing;
} watched_read;

mproc_status pipe_watch(HANDLE event, HANDLE pipe, void **watch)
{
    watched_read *read = *watch;

    if (!read && !(read = *watch = calloc(1, sizeof *read)))
        return mproc_error(MPROC_NO_MEMORY, "no memory to wait for a client");
    if (read->begun && !HasOverlappedIoCompleted(&read->operation)) return MPROC_OK;
    read->operation = (OVERLAPPED){.hEvent = event};
    read->begun = !ReadFile(pipe, &read->nothing, 0, NULL, &read->operation) && GetLastError() == ERROR_IO_PENDING;
    SetEvent(event);
    return MPROC_OK;
}

void pipe_unwatch(HANDLE pipe, void *watch)
{
    watched_read *read = watch;

    if (read && read->begun) take_back(pipe, &read->operation);
    free(read);
}

/* ---- clients ------------------------------------------------------------------------------------ */

/* Whoever has the name learns who we are, and cannot act in our name. */
static HANDLE open_pipe(const wchar_t *name)
{
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

mproc_status pipe_connect(const char *name, plat_handle wake, int64_t deadline_ns, HANDLE *pipe)
{
    wchar_t *wide = NULL;
    mproc_status status = win32_wide(name, &wide);

    while (status == MPROC_OK && (*pipe = open_pipe(wide)) == INVALID_HANDLE_VALUE) {
        int64_t again_ns = plat_clock_now_ns() + BUSY_NS;
        DWORD code = GetLastError();
        int ready;
        if (code != ERROR_PIPE_BUSY) status = win32_error(code, "cannot connect to %s", name);
        else if (deadline_ns <= 0) status = MPROC_TIMEOUT;
        else status = plat_handle_wait(&wake, 1, deadline_ns < again_ns ? deadline_ns : again_ns, &ready);
        if (code != ERROR_PIPE_BUSY || deadline_ns <= 0) break;
        if (status == MPROC_OK) status = MPROC_INTERRUPTED;
        else if (status == MPROC_TIMEOUT && deadline_ns > again_ns) status = MPROC_OK;
    }
    free(wide);
    return status;
}
