#include "crew.h"

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

const char *os_killed_text(void)
{
    return "ended with exit code 21";
}

bool os_is_alive(int64_t pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
    bool alive = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;

    if (process != NULL) CloseHandle(process);
    return alive;
}

void os_fault_as_usual(void)
{
}
