/* plat_process_start(): the call of CreateProcessW(), with what it wants. The rest of its section is in process.c. */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "birth.h"
#include "environment.h"
#include "error.h"
#include "library.h"
#include "spawn_handles.h"
#include "platform.h"
#include "wide.h"
#include "windows_api.h"

enum { ATTRIBUTES_MAX = 2 };

/* Together less than two seconds. */
enum { LAUNCH_REST_MS = 15, LAUNCH_REST_MAX_MS = 1000 };

/* The system keeps pointers to what its attributes name until the process is created. */
typedef struct launch {
    win32_inheritance inheritance;
    HANDLE job;
    wchar_t *executable;
    wchar_t *directory;
    wchar_t *command;
    wchar_t *environment;
    STARTUPINFOEXW startup;
} launch;

/*
 * The job that ends the daemons of this process: the system closes our only handle of it when we end, however
 * that is. Daemons' own children are not in it (silent breakaway): they have their own parent. A child is in it
 * from its birth; one that is created suspended and put in later stays behind, suspended, if we are killed before.
 */
static mproc_status daemon_job(HANDLE *job)
{
    static plat_mutex mutex;
    static HANDLE known;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    mproc_status status = MPROC_OK;
    HANDLE created = NULL;

    plat_mutex_lock(&mutex);
    if (known) goto done;
    created = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    if (!created || !SetInformationJobObject(created, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        status = win32_error(GetLastError(), "cannot create the job that ends daemons with this process");
        goto done;
    }
    known = created;
    created = NULL;
done:
    *job = known;
    plat_mutex_unlock(&mutex);
    if (created) CloseHandle(created);
    return status;
}

static mproc_status attribute_set(LPPROC_THREAD_ATTRIBUTE_LIST list, DWORD_PTR attribute, HANDLE *handles,
                                  size_t count)
{
    if (UpdateProcThreadAttribute(list, 0, attribute, handles, count * sizeof *handles, NULL, NULL)) return MPROC_OK;
    return win32_error(GetLastError(), "cannot say what a child gets");
}

static mproc_status launch_attributes(launch *it, bool daemon)
{
    LPPROC_THREAD_ATTRIBUTE_LIST list;
    win32_inheritance *inheritance = &it->inheritance;
    SIZE_T size = 0;
    mproc_status status = MPROC_OK;

    InitializeProcThreadAttributeList(NULL, ATTRIBUTES_MAX, 0, &size);
    list = malloc(size);
    if (!list) return mproc_error(MPROC_NO_MEMORY, "there is no memory to start a process");
    if (!InitializeProcThreadAttributeList(list, ATTRIBUTES_MAX, 0, &size)) {
        status = win32_error(GetLastError(), "cannot say what a child gets");
        free(list);
        return status;
    }
    it->startup.lpAttributeList = list;
    if (inheritance->count > 0) { /* an empty list is refused */
        status = attribute_set(list, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inheritance->copies, inheritance->count);
    }
    if (status == MPROC_OK && daemon) status = daemon_job(&it->job);
    if (status == MPROC_OK && daemon) status = attribute_set(list, PROC_THREAD_ATTRIBUTE_JOB_LIST, &it->job, 1);
    return status;
}

/*
 * The system itself would start a process in a directory that is gone somewhere else, or say no more than
 * "invalid".
 */
static mproc_status launch_directory(launch *it, const char *path)
{
    DWORD attributes;
    mproc_status status;

    if (!path) return MPROC_OK;
    if (*path == '\0') return win32_error(ERROR_PATH_NOT_FOUND, "cannot start a process in the directory ''");
    if ((status = win32_wide_path(path, &it->directory)) != MPROC_OK) return status;
    attributes = GetFileAttributesW(it->directory);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return win32_error(GetLastError(), "cannot start a process in the directory '%.300s'", path);
    }
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
        return win32_error(ERROR_DIRECTORY, "cannot start a process in '%.300s', which is no directory", path);
    }
    return MPROC_OK;
}

/* The child's arguments are ours, character for character. CreateProcessW() writes into its copy. */
static mproc_status launch_texts(launch *it, const plat_start *start)
{
    mproc_status status;

    status = !start->executable ? win32_module_file(NULL, &it->executable)
                                : win32_wide_path(start->executable, &it->executable);
    if (status != MPROC_OK) return status;
    if ((status = launch_directory(it, start->working_directory)) != MPROC_OK) return status;
    it->command = _wcsdup(win32_birth_command());
    if (!it->command) return mproc_error(MPROC_NO_MEMORY, "there is no memory for a command line");
    return MPROC_OK;
}

static mproc_status launch_environment(launch *it, const plat_start *start)
{
    char token[PLAT_TOKEN_BYTES] = "";

    start->token_write(start->context, it->inheritance.numbers, token);
    return win32_environment_block(start, token, &it->environment);
}

/* What the system says of a directory differs. */
static mproc_status launch_failed(const launch *it, DWORD code)
{
    DWORD attributes = GetFileAttributesW(it->executable);
    char path[512];

    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)) code = ERROR_ACCESS_DENIED;
    win32_narrow(it->executable, path, sizeof path);
    return win32_error(code, "cannot start '%.300s'", path);
}

/*
 * For a program without a console, whose children would each open a window for theirs. They have a console without a
 * window, which console programs that a task starts inherit: without any, the system would give each of those one
 * that is seen. Under Wine nothing is seen, and the process that serves such a console outlives a child that is
 * killed: there they have none.
 */
static DWORD without_window(void)
{
    static _Atomic DWORD known;

    if (known == 0) {
        bool wine = win32_function(L"ntdll.dll", "wine_get_version");
        known = wine ? DETACHED_PROCESS : CREATE_NO_WINDOW;
    }
    return known;
}

/* Ctrl-C is off in a new group, for good or until the process turns it on. */
static DWORD launch_flags(bool without_interrupts)
{
    DWORD flags = CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
    DWORD member;

    if (without_interrupts) flags |= CREATE_NEW_PROCESS_GROUP;
    if (GetConsoleProcessList(&member, 1) == 0) flags |= without_window();
    return flags;
}

/* CreateProcessW() writes into the command line. It fails for moments when the system is short of something. */
static bool launch_try(launch *it, DWORD flags, PROCESS_INFORMATION *created)
{
    for (DWORD rest_ms = LAUNCH_REST_MS;; rest_ms *= 2) {
        if (CreateProcessW(it->executable, it->command, NULL, NULL, it->inheritance.count > 0, flags, it->environment,
                           it->directory, &it->startup.StartupInfo, created)) {
            return true;
        }
        if (GetLastError() != ERROR_INTERNAL_ERROR || rest_ms > LAUNCH_REST_MAX_MS) return false;
        Sleep(rest_ms);
    }
}

static mproc_status launch_create(launch *it, bool without_interrupts, PROCESS_INFORMATION *created)
{
    STARTUPINFOW *info = &it->startup.StartupInfo;
    win32_inheritance *inheritance = &it->inheritance;

    info->cb = sizeof it->startup;
    info->dwFlags = STARTF_USESTDHANDLES;
    info->hStdInput = inheritance->streams[0];
    info->hStdOutput = inheritance->streams[1];
    info->hStdError = inheritance->streams[2];
    if (!launch_try(it, launch_flags(without_interrupts), created)) return launch_failed(it, GetLastError());
    return MPROC_OK;
}

static void launch_fini(launch *it)
{
    if (it->startup.lpAttributeList) {
        DeleteProcThreadAttributeList(it->startup.lpAttributeList);
        free(it->startup.lpAttributeList);
    }
    free(it->environment);
    free(it->command);
    free(it->directory);
    free(it->executable);
    win32_inherit_fini(&it->inheritance);
}

mproc_status plat_process_start(const plat_start *start, plat_process *process)
{
    launch launched;
    PROCESS_INFORMATION created;
    mproc_status status;

    memset(&launched, 0, sizeof launched);
    if ((status = launch_texts(&launched, start)) != MPROC_OK) goto done;
    if ((status = win32_inherit(&launched.inheritance, start)) != MPROC_OK) goto done;
    if ((status = launch_environment(&launched, start)) != MPROC_OK) goto done;
    if ((status = launch_attributes(&launched, start->daemon)) != MPROC_OK) goto done;
    if ((status = launch_create(&launched, start->without_interrupts, &created)) != MPROC_OK) goto done;

    CloseHandle(created.hThread);
    process->handle = (plat_handle)created.hProcess;
    process->pid = created.dwProcessId;
done:
    launch_fini(&launched);
    return status;
}
