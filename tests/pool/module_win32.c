/* Ends the process that opens the library if it is asked to. */
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH && GetEnvironmentVariableW(L"POOL_MODULE_EXITS", NULL, 0) > 0)
        TerminateProcess(GetCurrentProcess(), 4);
    return TRUE;
}
