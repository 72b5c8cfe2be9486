/* The test runner's needs on Windows. */
#include "check_os.h"

#include "check_win32.h"

#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <tlhelp32.h>
#include <winternl.h>

/* Not in every SDK's headers under this condition. */
#ifndef PROC_THREAD_ATTRIBUTE_JOB_LIST
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D
#endif

/* The exit code by which the C library makes abort() known. */
enum { ABORTED = 3 };

/* How long the runner waits for the end of those whom it has ended. */
enum { END_MS = 5000 };

struct check_process {
    HANDLE process;
    HANDLE job;
};

int64_t check_os_now_ms(void)
{
    return (int64_t)GetTickCount64();
}

void check_os_pause_ms(int ms)
{
    Sleep((DWORD)ms);
}

/* abort() would perhaps ask whether to debug. */
static void end_aborted(int number)
{
    (void)number;
    _Exit(ABORTED);
}

void check_os_quiet(void)
{
    /* Children inherit it. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    signal(SIGABRT, end_aborted);
    /* Lines end as they do elsewhere, so that reports can be compared. */
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
}

bool check_os_take_variable(const char *name, char *value, size_t size)
{
    DWORD length = GetEnvironmentVariableA(name, value, (DWORD)size);

    if (length == 0 || length >= size) return false;
    /* Both in the process and in the C library's copy. */
    _putenv_s(name, "");
    SetEnvironmentVariableA(name, NULL);
    return true;
}

FILE *check_os_output(void)
{
    wchar_t directory[MAX_PATH + 1];
    wchar_t path[MAX_PATH + 1];
    HANDLE file;
    int descriptor;

    if (GetTempPathW(MAX_PATH, directory) == 0 || GetTempFileNameW(directory, L"chk", 0, path) == 0) return NULL;
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE) return NULL;
    descriptor = _open_osfhandle((intptr_t)file, _O_BINARY | _O_RDWR);
    return _fdopen(descriptor, "w+b");
}

/* ---- starting and ending ---------------------------------------------------------------------- */

static HANDLE inheritable(HANDLE handle)
{
    HANDLE copy = NULL;

    DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, TRUE, DUPLICATE_SAME_ACCESS);
    return copy;
}

/* The job holds whatever the case starts, and ends it when the runner ends. */
static HANDLE create_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

/* This program's path in quotes, and the arguments, which need none: they are names of cases. */
static void write_command(const char *const *arguments, wchar_t *command, size_t size)
{
    wchar_t path[MAX_PATH * 4];
    size_t length;

    GetModuleFileNameW(NULL, path, MAX_PATH * 4);
    _snwprintf(command, size - 1, L"\"%ls\"", path);
    command[size - 1] = L'\0';
    for (; *arguments != NULL; arguments++) {
        length = wcslen(command);
        _snwprintf(command + length, size - length - 1, L" %hs", *arguments);
    }
}

BOOL check_win32_create(wchar_t *command, DWORD flags, STARTUPINFOW *startup, PROCESS_INFORMATION *created)
{
    enum { REST_MS = 10, REST_MAX_MS = 2000 };

    for (DWORD rest_ms = REST_MS;; rest_ms *= 2) {
        if (CreateProcessW(NULL, command, NULL, NULL, TRUE, flags, NULL, NULL, startup, created)) return TRUE;
        if (GetLastError() != ERROR_INTERNAL_ERROR || rest_ms > REST_MAX_MS) return FALSE;
        Sleep(rest_ms);
    }
}

static bool create_process(check_process *process, wchar_t *command, HANDLE *streams)
{
    STARTUPINFOEXW startup = {0};
    PROCESS_INFORMATION information;
    SIZE_T size = 0;
    bool created;

    InitializeProcThreadAttributeList(NULL, 2, 0, &size);
    startup.lpAttributeList = malloc(size);
    InitializeProcThreadAttributeList(startup.lpAttributeList, 2, 0, &size);
    UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, streams,
                              2 * sizeof(HANDLE), NULL, NULL);
    UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &process->job,
                              sizeof(HANDLE), NULL, NULL);
    startup.StartupInfo.cb = sizeof startup;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = streams[0];
    startup.StartupInfo.hStdOutput = streams[1];
    startup.StartupInfo.hStdError = streams[1];
    created = check_win32_create(command, EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, &information);
    DeleteProcThreadAttributeList(startup.lpAttributeList);
    free(startup.lpAttributeList);
    if (!created) return false;
    process->process = information.hProcess;
    CloseHandle(information.hThread);
    return true;
}

check_process *check_os_start(const char *const *arguments, const char *variable, const char *value, FILE *output)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    wchar_t command[MAX_PATH * 8];
    check_process *process = calloc(1, sizeof *process);
    HANDLE streams[2];
    bool created;

    if (process == NULL) return NULL;
    fflush(NULL);
    process->job = create_job();
    streams[0] =
        CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
    streams[1] = inheritable((HANDLE)_get_osfhandle(_fileno(output ? output : stdout)));
    write_command(arguments, command, sizeof command / sizeof command[0]);
    SetEnvironmentVariableA(variable, value);
    created = create_process(process, command, streams);
    SetEnvironmentVariableA(variable, NULL);
    CloseHandle(streams[0]);
    CloseHandle(streams[1]);
    if (created) return process;
    fprintf(stderr, "starting a test process: error %lu\n", (unsigned long)GetLastError());
    CloseHandle(process->job);
    free(process);
    return NULL;
}

/* An exit code that is an NTSTATUS of the class "error" tells of a crash. */
static void describe_end(DWORD code, check_outcome *outcome)
{
    bool aborted = code == ABORTED || code == 0xC0000409;

    outcome->exited = !aborted && code < 0xC0000000;
    outcome->code = (int)code;
    snprintf(outcome->text, sizeof outcome->text, "%s: exit code 0x%lX", aborted ? "aborted" : "crashed",
             (unsigned long)code);
}

bool check_os_wait(check_process *process, int64_t limit_ms, check_outcome *outcome)
{
    DWORD code = 0;

    if (WaitForSingleObject(process->process, (DWORD)limit_ms) != WAIT_OBJECT_0) return false;
    GetExitCodeProcess(process->process, &code);
    describe_end(code, outcome);
    return true;
}

static DWORD job_size(HANDLE job)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting = {0};

    QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &accounting, sizeof accounting, NULL);
    return accounting.ActiveProcesses;
}

typedef void visit_entry(void *context, const PROCESSENTRY32W *entry);

static void each_process(visit_entry *visit, void *context)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    BOOL more;

    for (more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry))
        visit(context, &entry);
    CloseHandle(snapshot);
}

/* What a process is called; "?" if it has ended since, or has not begun. */
typedef struct named_process {
    DWORD id;
    char name[64];
} named_process;

static void name_process(void *context, const PROCESSENTRY32W *entry)
{
    named_process *named = context;

    if (entry->th32ProcessID == named->id) snprintf(named->name, sizeof named->name, "%.60ls", entry->szExeFile);
}

/*
 * Who is in the job. Under Wine there may be two who are none of the case's: the desktop, which comes with the first
 * who needs it, and a process whose creator was killed inside CreateProcess(), which has not begun and cannot be
 * ended.
 */
static void list_job(HANDLE job, check_list *list)
{
    union {
        JOBOBJECT_BASIC_PROCESS_ID_LIST ids;
        char bytes[4096];
    } members = {0};
    DWORD i;

    QueryInformationJobObject(job, JobObjectBasicProcessIdList, &members, sizeof members, NULL);
    for (i = 0; i < members.ids.NumberOfProcessIdsInList; i++) {
        named_process named = {(DWORD)members.ids.ProcessIdList[i], "?"};

        each_process(name_process, &named);
        if (strcmp(named.name, "?") == 0 || strcmp(named.name, "explorer.exe") == 0) continue;
        check_list_add(list, "%lu (%s)", (unsigned long)named.id, named.name);
    }
}

static bool is_somebody_left(HANDLE job, check_list *left)
{
    left->count = 0;
    if (job_size(job) > 0) list_job(job, left);
    return left->count > 0;
}

void check_os_finish(check_process *process, int64_t limit_ms, check_list *left)
{
    int64_t deadline_ms = check_os_now_ms() + limit_ms;

    while (is_somebody_left(process->job, left) && check_os_now_ms() < deadline_ms) Sleep(1);
    deadline_ms = check_os_now_ms() + END_MS;
    while (job_size(process->job) > 0 && check_os_now_ms() < deadline_ms) {
        TerminateJobObject(process->job, CHECK_FAILED);
        Sleep(1);
    }
    CloseHandle(process->job);
    CloseHandle(process->process);
    free(process);
}

/* ---- what the system keeps -------------------------------------------------------------------- */

/* MinGW's compiler emulates thread-local variables, and makes a lock for them when the first one is touched. */
static void touch_thread_local(void)
{
#ifndef _MSC_VER
    static _Thread_local volatile int local;

    local = 1;
    (void)local;
#endif
}

static void CALLBACK do_nothing(void *context, BOOLEAN timed_out)
{
    (void)context;
    (void)timed_out;
}

/* The process' thread pool comes with its first registered wait, and stays for seconds after the last. */
void check_os_warm_up(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE wait = NULL;

    touch_thread_local();
    RegisterWaitForSingleObject(&wait, event, do_nothing, NULL, INFINITE, WT_EXECUTEINWAITTHREAD);
    UnregisterWaitEx(wait, INVALID_HANDLE_VALUE);
    CloseHandle(event);
}

/* Threads of the pool, and under Wine events of theirs, go when they have been idle for some seconds. */
bool check_os_may_vanish(check_kind kind, const char *name)
{
    return kind == CHECK_THREADS || (kind == CHECK_HANDLES && strstr(name, "(Event)") != NULL);
}

/* ---- counting --------------------------------------------------------------------------------- */

/*
 * Handles that a program makes. Windows makes others by itself, when it first needs them (of its thread pool,
 * its event log, its registry): they are not the case's, and come at any time.
 */
static bool is_counted(const wchar_t *type)
{
    static const wchar_t *const types[] = {L"Process", L"Thread", L"Event", L"Semaphore", L"Mutant",
                                           L"Section", L"File",   L"Job",   L"Timer",     L"Token"};
    size_t i;

    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (wcscmp(type, types[i]) == 0) return true;
    }
    return false;
}

enum { HANDLE_END = 0x40000, FREE_NUMBERS = 256 };

typedef NTSTATUS(NTAPI *query_object)(HANDLE, OBJECT_INFORMATION_CLASS, void *, ULONG, ULONG *);

/*
 * Windows does not list a process' handles to itself. They are small multiples of 4, so each is tried
 * until all that there are have been found: so they have names that stay, as descriptors have. Wine does not count
 * them; it gives the lowest number that is free, and after many that are free there are no more.
 */
static void list_handles(check_list *list)
{
    union {
        PUBLIC_OBJECT_TYPE_INFORMATION type;
        char bytes[1024];
    } information;
    query_object query =
        (query_object)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryObject");
    DWORD count = 0;
    DWORD found = 0;
    DWORD free_numbers = 0;
    DWORD flags;
    uintptr_t number;
    ULONG size;

    GetProcessHandleCount(GetCurrentProcess(), &count);
    for (number = 4; count > 0 ? found < count && number < HANDLE_END : free_numbers < FREE_NUMBERS; number += 4) {
        free_numbers++;
        if (!GetHandleInformation((HANDLE)number, &flags)) continue;
        found++;
        free_numbers = 0;
        memset(&information, 0, sizeof information);
        if (query((HANDLE)number, ObjectTypeInformation, &information, sizeof information - 2, &size) < 0) continue;
        if (!is_counted(information.type.TypeName.Buffer)) continue;
        check_list_add(list, "0x%lX (%.40ls)", (unsigned long)number, information.type.TypeName.Buffer);
    }
}

static void list_if_child(void *context, const PROCESSENTRY32W *entry)
{
    if (entry->th32ParentProcessID != GetCurrentProcessId()) return;
    check_list_add(context, "%lu (%.60ls)", (unsigned long)entry->th32ProcessID, entry->szExeFile);
}

static void list_threads(check_list *list)
{
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    BOOL more;

    for (more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
        if (entry.th32OwnerProcessID != GetCurrentProcessId()) continue;
        check_list_add(list, "%lu", (unsigned long)entry.th32ThreadID);
    }
    CloseHandle(snapshot);
}

/* Mapped sections that may be written; what the system maps for itself (locales, fonts) is read only. */
static void list_mappings(check_list *list)
{
    MEMORY_BASIC_INFORMATION region;
    char *address = NULL;
    void *last = NULL;

    for (; VirtualQuery(address, &region, sizeof region) == sizeof region; address += region.RegionSize) {
        if (region.Type != MEM_MAPPED || region.AllocationBase == last) continue;
        if (region.AllocationProtect != PAGE_READWRITE) continue;
        last = region.AllocationBase;
        check_list_add(list, "mapping at %p", last);
    }
}

void check_os_list(check_kind kind, check_list *list)
{
    list->count = 0;
    switch (kind) {
    case CHECK_HANDLES:
        list_handles(list);
        break;
    case CHECK_CHILDREN:
        each_process(list_if_child, list);
        break;
    case CHECK_THREADS:
        list_threads(list);
        break;
    case CHECK_SHARED:
        list_mappings(list);
        break;
    }
}
