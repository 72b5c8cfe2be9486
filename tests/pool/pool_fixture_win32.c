#include "pool_fixture.h"

#include <windows.h>

/* A code that means nothing to the library. */
enum { ENEMY_CODE = 21 };

void os_kill(int64_t pid)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);

    if (process == NULL) return;
    TerminateProcess(process, ENEMY_CODE);
    CloseHandle(process);
}

mproc_exit_kind os_killed_kind(void)
{
    return MPROC_EXIT_EXITED;
}

const char *os_killed_text(void)
{
    return "ended with exit code 21";
}

/* The older C runtime, which mingw-w64 programs have, exits with 3; the universal one fails fast. */
const char *os_aborted_text(void)
{
#if defined(_UCRT)
    return "was ended by signal 6";
#else
    return "ended with exit code 3";
#endif
}

bool os_is_alive(int64_t pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
    bool alive = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;

    if (process != NULL) CloseHandle(process);
    return alive;
}

bool os_is_open(intptr_t handle)
{
    DWORD flags;

    return GetHandleInformation((HANDLE)handle, &flags);
}

void os_fault_as_usual(void)
{
}

void os_end_thread(void)
{
    ExitThread(0);
}

void os_set_variable(const char *name, const char *value)
{
    CHECK(SetEnvironmentVariableA(name, value));
}

void (*os_open_function(const char *library, const char *name))(void)
{
    HMODULE module = LoadLibraryA(library);
    FARPROC function;

    CHECK(module != NULL);
    CHECK((function = GetProcAddress(module, name)) != NULL);
    return (void (*)(void))function;
}
