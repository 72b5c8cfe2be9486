#include "selftest.h"

#include <windows.h>

#include "check.h"

intptr_t selftest_start(const char *helper)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION information;
    wchar_t path[MAX_PATH * 4];
    BOOL created;

    GetModuleFileNameW(NULL, path, MAX_PATH * 4);
    SetEnvironmentVariableA(CHECK_HELPER_VARIABLE, helper);
    created = CreateProcessW(path, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &information);
    SetEnvironmentVariableA(CHECK_HELPER_VARIABLE, NULL);
    if (!created) return 0;
    CloseHandle(information.hThread);
    return (intptr_t)information.hProcess;
}

int selftest_collect(intptr_t child)
{
    DWORD code = 0;

    WaitForSingleObject((HANDLE)child, INFINITE);
    GetExitCodeProcess((HANDLE)child, &code);
    CloseHandle((HANDLE)child);
    return (int)code;
}

static DWORD WINAPI sleep_always(void *unused)
{
    for (;;) Sleep(1000);
    return unused != NULL;
}

void selftest_leave_thread(void)
{
    CloseHandle(CreateThread(NULL, 0, sleep_always, NULL, 0, NULL));
}

void selftest_leave_handle(void)
{
    CHECK(CreateEventW(NULL, TRUE, FALSE, NULL) != NULL);
}

void selftest_leave_mapping(void)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 65536, NULL);

    CHECK(MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 65536) != NULL);
    CloseHandle(section);
}
