#include "process_fixture_os.h"

#include "check_win32.h"

enum { UNITS = 2048 };

static const wchar_t *wide(const char *text, wchar_t *buffer)
{
    CHECK(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, buffer, UNITS) > 0);
    return buffer;
}

void fixture_command_line(char *text, size_t size)
{
    CHECK(WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, text, (int)size, NULL, NULL) > 0);
}

void fixture_kill(int64_t pid)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);

    CHECK(process != NULL);
    CHECK(TerminateProcess(process, 9));
    CloseHandle(process);
}

void os_copy_file(const char *from, const char *to)
{
    wchar_t source[UNITS];
    wchar_t target[UNITS];

    CHECK(CopyFileW(wide(from, source), wide(to, target), FALSE));
}

/* Quotes an argument as the C runtime reads it: backslashes count only before a quote. Returns the end. */
static char *quote(char *to, const char *text)
{
    size_t slashes = 0;

    *to++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            for (slashes++; slashes > 0; slashes--) *to++ = '\\';
        }
        slashes = *text == '\\' ? slashes + 1 : 0;
        *to++ = *text;
    }
    for (; slashes > 0; slashes--) *to++ = '\\';
    *to++ = '"';
    *to++ = ' ';
    *to = '\0';
    return to;
}

static void command_line(const fixture_exec *exec, wchar_t *command)
{
    char text[UNITS];
    char *end = quote(text, exec->file);
    int i;

    for (i = 0; exec->arguments != NULL && exec->arguments[i] != NULL; i++) end = quote(end, exec->arguments[i]);
    wide(text, command);
}

/* The system looks for the file from this process' directory and in its search path, not in the new one's. */
static void enter_place(const fixture_exec *exec)
{
    wchar_t name[UNITS];

    if (exec->directory != NULL) CHECK(SetCurrentDirectoryW(wide(exec->directory, name)));
    if (exec->search != NULL) CHECK(SetEnvironmentVariableW(L"PATH", wide(exec->search, name)));
}

void os_exec(const fixture_exec *exec, plat_handle output, plat_process *process)
{
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION created;
    HANDLE stream = NULL;
    wchar_t command[UNITS];
    wchar_t before[UNITS];

    CHECK(DuplicateHandle(GetCurrentProcess(), (HANDLE)output, GetCurrentProcess(), &stream, 0, TRUE,
                          DUPLICATE_SAME_ACCESS));
    startup.hStdOutput = startup.hStdError = stream;
    command_line(exec, command);
    CHECK(GetCurrentDirectoryW(UNITS, before) > 0);
    enter_place(exec);
    CHECK(check_win32_create(command, 0, &startup, &created));
    /* A directory that is in use cannot be removed. */
    if (exec->directory != NULL) CHECK(SetCurrentDirectoryW(before));
    CloseHandle(stream);
    CloseHandle(created.hThread);
    process->handle = (plat_handle)created.hProcess;
    process->pid = created.dwProcessId;
}
