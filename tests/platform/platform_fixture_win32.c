#include "platform_fixture.h"

#include <windows.h>

#include <signal.h>
#include <stdio.h>

enum { PATH_UNITS = 1024 };

static const wchar_t *wide(const char *text, wchar_t *buffer)
{
    CHECK(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, buffer, PATH_UNITS) > 0);
    return buffer;
}

static void narrow(const wchar_t *text, char *buffer, size_t size)
{
    CHECK(WideCharToMultiByte(CP_UTF8, 0, text, -1, buffer, (int)size, NULL, NULL) > 0);
}

bool os_handle_is_open(plat_handle handle)
{
    DWORD flags;

    return GetHandleInformation((HANDLE)handle, &flags);
}

bool os_handle_is_inheritable(plat_handle handle)
{
    DWORD flags = 0;

    return GetHandleInformation((HANDLE)handle, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0;
}

plat_handle os_open_inheritable(void)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};

    return (plat_handle)CreateEventW(&inherited, TRUE, FALSE, NULL);
}

/* ---- files ------------------------------------------------------------------------------------ */

void os_make_directory(char *path, size_t size)
{
    wchar_t directory[PATH_UNITS];
    wchar_t name[PATH_UNITS];

    CHECK(GetTempPathW(PATH_UNITS, directory) > 0);
    /* Makes a file of a new name; the directory takes its place. */
    CHECK(GetTempFileNameW(directory, L"dor", 0, name) > 0);
    CHECK(DeleteFileW(name));
    CHECK(CreateDirectoryW(name, NULL));
    CHECK(GetLongPathNameW(name, directory, PATH_UNITS) > 0);
    narrow(directory, path, size);
}

/*
 * A program's file is in use until its process is quite gone, a moment after its handle is ready: it is tried
 * until it works.
 */
static bool file_is_deleted(void *name)
{
    return DeleteFileW(name) || GetLastError() == ERROR_FILE_NOT_FOUND;
}

static bool directory_is_removed(void *name)
{
    return RemoveDirectoryW(name);
}

void os_remove_directory(const char *path)
{
    wchar_t name[PATH_UNITS];
    wchar_t pattern[PATH_UNITS];
    WIN32_FIND_DATAW found;
    HANDLE search;
    BOOL more;

    _snwprintf(pattern, PATH_UNITS, L"%ls\\*", wide(path, name));
    search = FindFirstFileW(pattern, &found);
    for (more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found)) {
        _snwprintf(pattern, PATH_UNITS, L"%ls\\%ls", name, found.cFileName);
        if (found.cFileName[0] != L'.') CHECK_WAIT_UNTIL(file_is_deleted, pattern);
    }
    FindClose(search);
    CHECK_WAIT_UNTIL(directory_is_removed, name);
}

void os_copy_program(const char *path)
{
    wchar_t from[PATH_UNITS];
    wchar_t to[PATH_UNITS];

    CHECK(GetModuleFileNameW(NULL, from, PATH_UNITS) > 0);
    CHECK(CopyFileW(from, wide(path, to), FALSE));
}

void os_write_program(const char *path, const char *text)
{
    HANDLE file = (HANDLE)os_open_output(path);

    os_write((plat_handle)file, text);
    CloseHandle(file);
}

void os_write(plat_handle file, const char *text)
{
    DWORD written;

    CHECK(WriteFile((HANDLE)file, text, (DWORD)strlen(text), &written, NULL));
}

plat_handle os_open_input(const char *path)
{
    wchar_t name[PATH_UNITS];
    HANDLE file =
        CreateFileW(wide(path, name), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    return (plat_handle)file;
}

plat_handle os_open_output(const char *path)
{
    wchar_t name[PATH_UNITS];
    HANDLE file = CreateFileW(wide(path, name), GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    return (plat_handle)file;
}

void os_read_file(const char *path, char *text, size_t size)
{
    HANDLE file = (HANDLE)os_open_input(path);
    DWORD length = 0;

    CHECK(ReadFile(file, text, (DWORD)size - 1, &length, NULL));
    text[length] = '\0';
    CloseHandle(file);
}

void os_current_directory(char *path, size_t size)
{
    wchar_t directory[PATH_UNITS];
    wchar_t full[PATH_UNITS];

    CHECK(GetCurrentDirectoryW(PATH_UNITS, directory) > 0);
    CHECK(GetLongPathNameW(directory, full, PATH_UNITS) > 0);
    narrow(full, path, size);
}

/* ---- the process ------------------------------------------------------------------------------ */

void os_set_variable(const char *name, const char *value)
{
    CHECK(SetEnvironmentVariableA(name, value));
}

void os_fault_as_usual(void)
{
    signal(SIGABRT, SIG_DFL);
}

bool os_reserved_memory_faults(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL;
}

/* The code with which abort() of the universal C runtime ends; that of older ones is an exit code like any other. */
void os_abort(void)
{
    RaiseException(0xC0000409, EXCEPTION_NONCONTINUABLE, 0, NULL);
}

void os_arithmetic_fault(void)
{
    RaiseException(EXCEPTION_INT_DIVIDE_BY_ZERO, 0, 0, NULL);
}

void os_illegal_instruction(void)
{
    RaiseException(EXCEPTION_ILLEGAL_INSTRUCTION, 0, 0, NULL);
}

int os_bind_to_one_cpu(void)
{
    DWORD_PTR mine;
    DWORD_PTR all;
    int count = 0;

    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &mine, &all));
    CHECK(SetProcessAffinityMask(GetCurrentProcess(), mine & (~mine + 1)));
    for (; mine != 0; mine &= mine - 1) count++;
    return count;
}

void os_program_directory(char *path, size_t size)
{
    wchar_t name[PATH_UNITS];

    CHECK(GetModuleFileNameW(NULL, name, PATH_UNITS) > 0);
    *wcsrchr(name, L'\\') = L'\0';
    narrow(name, path, size);
}

/* ---- modules ---------------------------------------------------------------------------------- */

uintptr_t os_system_function(void)
{
    return (uintptr_t)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "CreateEventW");
}

uintptr_t os_library_symbol(const char *library, const char *symbol)
{
    wchar_t name[PATH_UNITS];
    HMODULE loaded = GetModuleHandleW(wide(library, name));

    CHECK(loaded != NULL);
    return (uintptr_t)GetProcAddress(loaded, symbol);
}

void *os_generate_code(void)
{
    void *code = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READ);

    CHECK(code != NULL);
    return code;
}

void os_free_code(void *code)
{
    VirtualFree(code, 0, MEM_RELEASE);
}
