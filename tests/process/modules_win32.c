#include "modules.h"

#include <stdio.h>
#include <windows.h>

#include "check.h"
#include "platform/platform_fixture.h"

enum { UNITS = 1100 };

static const wchar_t *wide(const char *text, wchar_t *buffer)
{
    CHECK(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, buffer, UNITS) > 0);
    return buffer;
}

void modules_close(intptr_t handle)
{
    CloseHandle((HANDLE)handle);
}

void modules_copy(const char *from, const char *to)
{
    wchar_t source[UNITS];
    wchar_t target[UNITS];

    CHECK(CopyFileW(wide(from, source), wide(to, target), FALSE));
}

uintptr_t modules_open(const char *path, const char *symbol)
{
    wchar_t name[UNITS];
    HMODULE library = LoadLibraryW(wide(path, name));
    uintptr_t address;

    CHECK(library != NULL);
    address = (uintptr_t)GetProcAddress(library, symbol);
    CHECK(address != 0);
    return address;
}

uintptr_t modules_open_in(const char *directory, const char *name, const char *symbol)
{
    char path[300];
    wchar_t before[UNITS];
    wchar_t buffer[UNITS];
    uintptr_t address;

    CHECK(GetCurrentDirectoryW(UNITS, before) > 0);
    CHECK(SetCurrentDirectoryW(wide(directory, buffer)));
    snprintf(path, sizeof path, ".\\%s", name);
    address = modules_open(path, symbol);
    CHECK(SetCurrentDirectoryW(before));
    return address;
}

typedef struct closed_use {
    const char *path;
    const char *symbol;
    void (*use)(uintptr_t address);
} closed_use;

static DWORD WINAPI use_and_close(void *context)
{
    const closed_use *it = context;
    wchar_t name[UNITS];
    HMODULE library = LoadLibraryW(wide(it->path, name));

    CHECK(library != NULL);
    it->use((uintptr_t)GetProcAddress(library, it->symbol));
    CHECK(FreeLibrary(library));
    return 0;
}

void modules_use_and_close(const char *path, const char *symbol, void (*use)(uintptr_t address))
{
    closed_use it = {path, symbol, use};
    HANDLE thread = CreateThread(NULL, 0, use_and_close, &it, 0, NULL);

    CHECK(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CloseHandle(thread);
}

/* An open library cannot be deleted, but renamed. */
void modules_move_away(const char *path)
{
    wchar_t from[UNITS];
    wchar_t to[UNITS];
    char away[UNITS];

    snprintf(away, sizeof away, "%s.away", path);
    CHECK(MoveFileW(wide(path, from), wide(away, to)));
}

/* It is closed only here: on this system an open library's file stays. */
void modules_remove(const char *path, const char *directory)
{
    wchar_t name[UNITS];
    char away[UNITS];
    HMODULE library;

    snprintf(away, sizeof away, "%s.away", path);
    library = GetModuleHandleW(wide(path, name));
    if (library == NULL) library = GetModuleHandleW(wide(away, name));
    if (library != NULL) FreeLibrary(library);
    os_remove_directory(directory);
}
