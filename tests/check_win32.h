/* What the tests share of Windows. */
#ifndef CHECK_WIN32_H
#define CHECK_WIN32_H

#include <windows.h>

/*
 * CreateProcessW() with inherited handles, as the tests start programs. Where many start at once it fails for moments
 * with ERROR_INTERNAL_ERROR: then it is tried again, for some seconds. FALSE: GetLastError() says why.
 */
BOOL check_win32_create(wchar_t *command, DWORD flags, STARTUPINFOW *startup, PROCESS_INFORMATION *created);

#endif
