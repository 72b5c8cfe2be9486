/*
 * Programs change their environment before they call the library. Therefore the token is taken when it is loaded:
 * before main(). The command line is the system's own: nobody can change it but by writing over it, of which a copy
 * is made, too.
 */
#include "birth.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "platform.h"
#include "windows_api.h"

static struct {
    bool taken;
    bool has_token;
    char token[PLAT_TOKEN_BYTES];
    wchar_t *command;
} birth;

/* Digits and blanks: one character is one byte. */
static void take_token(void)
{
    wchar_t value[PLAT_TOKEN_BYTES];
    DWORD length = GetEnvironmentVariableW(L"" PLAT_TOKEN_NAME, value, PLAT_TOKEN_BYTES);

    if (length == 0 || length >= PLAT_TOKEN_BYTES) return;
    for (DWORD i = 0; i < length; i++) birth.token[i] = value[i] < 128 ? (char)value[i] : '?';
    birth.token[length] = '\0';
    birth.has_token = true;
    if (value[length - 1] != L'0') return;
    value[length - 1] = L'1';
    SetEnvironmentVariableW(L"" PLAT_TOKEN_NAME, value);
}

static void take(void)
{
    if (birth.taken) return;
    birth.taken = true;
    take_token();
    birth.command = _wcsdup(GetCommandLineW());
}

#if defined(_MSC_VER)
/* The C runtime calls what it finds in this section before main(), or when the DLL is loaded. */
static void __cdecl load(void)
{
    take();
}
#pragma section(".CRT$XCT", read)
__declspec(allocate(".CRT$XCT")) void(__cdecl *const win32_birth_load)(void) = load;
#pragma comment(linker, "/include:win32_birth_load")
#else
__attribute__((constructor)) static void load(void)
{
    take();
}
#endif

const char *plat_birth_token(void)
{
    take();
    return birth.has_token ? birth.token : NULL;
}

bool plat_birth_handles(plat_handle *memory, plat_handle *child_end, plat_handle *door)
{
    (void)memory;
    (void)child_end;
    (void)door;
    return false;
}

void plat_birth_adopt_end(void)
{
}

void plat_birth_forked(void)
{
}

const wchar_t *win32_birth_command(void)
{
    return birth.command ? birth.command : GetCommandLineW();
}
