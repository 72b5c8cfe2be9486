/* Processes that exist; spawn.c starts them. */
#include <stddef.h>

#include "clock.h"
#include "error.h"
#include "library.h"
#include "platform.h"
#include "semaphore.h"
#include "windows_api.h"

/* Exit codes by which the parent knows its own doing: "MP", and the signal that POSIX would have sent. */
#define ENDED_BY_US 0x4D500000u

enum {
    SIGNAL_INTERRUPT = 2,
    SIGNAL_ILLEGAL = 4,
    SIGNAL_TRAP = 5,
    SIGNAL_ABORT = 6,
    SIGNAL_BUS = 7,
    SIGNAL_ARITHMETIC = 8,
    SIGNAL_KILL = 9,
    SIGNAL_FAULT = 11,
    SIGNAL_TERMINATE = 15
};

/*
 * The system's NTSTATUS codes that end a process which does not handle them. abort() of the universal C
 * runtime is a fast failure; older runtimes' abort() is _exit(3), which nobody can tell from the program's own 3.
 */
static const struct {
    DWORD code;
    int signal;
} endings[] = {
    {ENDED_BY_US | SIGNAL_TERMINATE, SIGNAL_TERMINATE},
    {ENDED_BY_US | SIGNAL_KILL, SIGNAL_KILL},
    {0xC0000005u, SIGNAL_FAULT},      /* access violation */
    {0xC00000FDu, SIGNAL_FAULT},      /* stack overflow */
    {0xC0000006u, SIGNAL_BUS},        /* a page could not be read from its file */
    {0x80000002u, SIGNAL_BUS},        /* misaligned data */
    {0xC000001Du, SIGNAL_ILLEGAL},    /* illegal instruction */
    {0xC0000096u, SIGNAL_ILLEGAL},    /* privileged instruction */
    {0x80000003u, SIGNAL_TRAP},       /* breakpoint */
    {0x80000004u, SIGNAL_TRAP},       /* single step */
    {0xC000008Du, SIGNAL_ARITHMETIC}, /* floating point: denormal operand */
    {0xC000008Eu, SIGNAL_ARITHMETIC}, /* division by zero */
    {0xC000008Fu, SIGNAL_ARITHMETIC}, /* inexact result */
    {0xC0000090u, SIGNAL_ARITHMETIC}, /* invalid operation */
    {0xC0000091u, SIGNAL_ARITHMETIC}, /* overflow */
    {0xC0000092u, SIGNAL_ARITHMETIC}, /* stack check */
    {0xC0000093u, SIGNAL_ARITHMETIC}, /* underflow */
    {0xC0000094u, SIGNAL_ARITHMETIC}, /* integer: division by zero */
    {0xC0000095u, SIGNAL_ARITHMETIC}, /* overflow */
    {0xC00002B4u, SIGNAL_ARITHMETIC}, /* several floating point faults */
    {0xC00002B5u, SIGNAL_ARITHMETIC}, /* several floating point traps */
    {0xC0000409u, SIGNAL_ABORT},      /* fast failure: abort(), a smashed stack */
    {0x40000015u, SIGNAL_ABORT},      /* fatal exit of the application */
    {0xC0000374u, SIGNAL_ABORT},      /* corrupted heap */
    {0xC0000420u, SIGNAL_ABORT},      /* failed assertion */
    {0xC000013Au, SIGNAL_INTERRUPT},  /* Ctrl-C, or its console was closed */
};

static plat_end end_of(DWORD code)
{
    plat_end status = {PLAT_END_EXITED, (int)code, 0};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (endings[i].code == code) {
            status.kind = PLAT_END_SIGNALLED;
            status.signal = endings[i].signal;
        }
    }
    return status;
}

/* The wall clock, by which the system records births, may have been set back since: the record itself is exact. */
int64_t plat_process_born_before_ns(const plat_process *process)
{
    int64_t birth_ns = 0;

    if (win32_birth(process ? (HANDLE)process->handle : GetCurrentProcess(), &birth_ns)) return birth_ns;
    return plat_clock_birth_ns();
}

/* The wait tells: a program may exit with 259, which GetExitCodeProcess() says of running ones. */
plat_end plat_process_collect(const plat_process *process)
{
    const plat_end running = {PLAT_END_RUNNING, 0, 0};
    const plat_end lost = {PLAT_END_LOST, 0, 0};
    DWORD code;

    switch (WaitForSingleObject((HANDLE)process->handle, 0)) {
    case WAIT_TIMEOUT:
        return running;
    case WAIT_OBJECT_0:
        win32_semaphore_forget(process->pid);
        return GetExitCodeProcess((HANDLE)process->handle, &code) ? end_of(code) : lost;
    default:
        return lost;
    }
}

/* A process that is ending, or has ended, denies access. */
static bool process_ends(HANDLE process)
{
    DWORD code;

    if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0) return true;
    return GetExitCodeProcess(process, &code) && code != STILL_ACTIVE;
}

static mproc_status process_end(const plat_process *process, DWORD signal)
{
    HANDLE handle = (HANDLE)process->handle;
    DWORD code;

    if (TerminateProcess(handle, ENDED_BY_US | signal)) return MPROC_OK;
    code = GetLastError();
    if (code == ERROR_ACCESS_DENIED && process_ends(handle)) return MPROC_OK;
    return win32_error(code, "cannot end process %lld", (long long)process->pid);
}

mproc_status plat_process_terminate(const plat_process *process)
{
    return process_end(process, SIGNAL_TERMINATE);
}

mproc_status plat_process_kill(const plat_process *process)
{
    return process_end(process, SIGNAL_KILL);
}

/* A console's Ctrl-C goes to all its processes; there is none for one. */
mproc_status plat_process_interrupt(const plat_process *process)
{
    (void)process;
    return MPROC_OK;
}

/* Whether it runs, and is the process that was born by then. */
static bool process_is(HANDLE process, int64_t pid, int64_t born_before_ns)
{
    int64_t birth_ns;

    if (GetProcessId(process) != (DWORD)pid) return false; /* OpenProcess() rounds ids down to a multiple of 4 */
    if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0) return false;
    return win32_birth(process, &birth_ns) && birth_ns <= born_before_ns;
}

/* NULL: `code` says why the system does not open it, or is ERROR_SUCCESS: it has ended. Sets no error text. */
static HANDLE process_find(int64_t pid, int64_t born_before_ns, DWORD *code)
{
    HANDLE process = NULL;

    *code = ERROR_SUCCESS;
    if (pid > 0 && pid <= UINT32_MAX) {
        process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
        if (process && process_is(process, pid, born_before_ns)) return process;
        if (!process && GetLastError() != ERROR_INVALID_PARAMETER) {
            *code = GetLastError();
            return NULL;
        }
    }
    if (process) CloseHandle(process);
    win32_semaphore_forget(pid);
    return NULL;
}

mproc_status plat_process_open(int64_t pid, int64_t born_before_ns, plat_handle *process)
{
    DWORD code;
    HANDLE found = process_find(pid, born_before_ns, &code);

    if (!found && code != ERROR_SUCCESS) return win32_error(code, "cannot open process %lld", (long long)pid);
    if (!found) return mproc_error(MPROC_NOT_FOUND, "process %lld has ended", (long long)pid);
    *process = (plat_handle)found;
    return MPROC_OK;
}

/* One that we may not open exists; whether it is the one that was meant, nobody tells us: it is safer to say yes. */
bool plat_process_alive(int64_t pid, int64_t born_before_ns)
{
    DWORD code;
    HANDLE found = process_find(pid, born_before_ns, &code);

    if (found) CloseHandle(found);
    return found || code != ERROR_SUCCESS;
}

void plat_process_kill_other(int64_t pid, int64_t born_before_ns)
{
    plat_process process = {PLAT_NO_HANDLE, pid};

    if (plat_process_open(pid, born_before_ns, &process.handle) != MPROC_OK) return;
    plat_process_kill(&process);
    plat_handle_close(process.handle);
}

/* No process is given to another one here. */
int64_t plat_process_collect_orphan(int64_t pid, int64_t born_before_ns)
{
    (void)pid;
    (void)born_before_ns;
    return 0;
}

bool plat_process_is_given_orphans(void)
{
    return false;
}

int64_t plat_process_id(void)
{
    return GetCurrentProcessId();
}

/* What NtQueryInformationProcess() answers for class 0; all fields are as wide as a pointer. */
typedef struct basic_information {
    void *exit_status;
    void *environment_block;
    void *affinity;
    void *priority;
    ULONG_PTR id;
    ULONG_PTR parent_id;
} basic_information;

typedef LONG WINAPI query_function(HANDLE process, int information_class, void *answer, ULONG size, ULONG *size_used);

/* The documented way, a snapshot of all processes of the machine, takes milliseconds. */
int64_t plat_process_parent_id(void)
{
    static _Atomic int64_t known;
    int64_t parent = atomic_load_explicit(&known, memory_order_relaxed);
    basic_information answer = {0};
    query_function *query;

    if (parent != 0) return parent;
    query = (query_function *)win32_function(L"ntdll.dll", "NtQueryInformationProcess");
    if (!query || query(GetCurrentProcess(), 0, &answer, sizeof answer, NULL) < 0) return 0;
    parent = (int64_t)answer.parent_id;
    atomic_store_explicit(&known, parent, memory_order_relaxed);
    return parent;
}

/* The system shows the name of the executable. */
void plat_process_show_name(void)
{
}

/* The program may have another C runtime than the library, and none of them says. */
bool plat_process_has_printed(void)
{
    return true;
}

typedef void interrupt_handler(void);

/* What Ctrl-C does in this process, if the library was asked; it was asked by the handler's being there. */
static _Atomic(interrupt_handler *) interrupted;

static BOOL WINAPI console_event(DWORD event)
{
    interrupt_handler *handler;

    if (event != CTRL_C_EVENT) return FALSE;
    handler = atomic_load(&interrupted);
    if (handler) handler();
    return TRUE;
}

/* The system knows a handler as often as it was added; once is enough. */
static bool console_listen(interrupt_handler *handler)
{
    static plat_mutex mutex;
    static bool listening;
    bool result;

    plat_mutex_lock(&mutex);
    atomic_store(&interrupted, handler);
    if (!listening) listening = SetConsoleCtrlHandler(console_event, TRUE);
    result = listening;
    plat_mutex_unlock(&mutex);
    return result;
}

/*
 * By a handler that does nothing. The system's own way to ignore it, SetConsoleCtrlHandler(NULL, TRUE), is inherited
 * by children, who are to have the default.
 */
void plat_process_ignore_interrupts(void)
{
    console_listen(NULL);
    SetConsoleCtrlHandler(NULL, FALSE); /* no matter whether there is a console */
}

/* A process that inherited the system's "ignored" never calls handlers; this takes it back, as sigaction() does. */
mproc_status plat_process_catch_interrupts(void (*handler)(void))
{
    if (!console_listen(handler) || !SetConsoleCtrlHandler(NULL, FALSE)) {
        return win32_error_as(MPROC_SYSTEM, GetLastError(), "cannot catch Ctrl-C");
    }
    return MPROC_OK;
}

mproc_status plat_process_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    (void)before;
    (void)parent;
    (void)child;
    return MPROC_OK;
}
