#include "error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { WORDS_MAX = 512 };

static const struct {
    DWORD code;
    mproc_status status;
} statuses[] = {
    {ERROR_FILE_NOT_FOUND, MPROC_NOT_FOUND},
    {ERROR_PATH_NOT_FOUND, MPROC_NOT_FOUND},
    {ERROR_INVALID_DRIVE, MPROC_NOT_FOUND},
    {ERROR_BAD_NETPATH, MPROC_NOT_FOUND},
    {ERROR_BAD_NET_NAME, MPROC_NOT_FOUND},
    {ERROR_INVALID_NAME, MPROC_NOT_FOUND},
    {ERROR_BAD_PATHNAME, MPROC_NOT_FOUND},
    {ERROR_DIRECTORY, MPROC_NOT_FOUND},
    {ERROR_MOD_NOT_FOUND, MPROC_NOT_FOUND},

    {ERROR_ALREADY_EXISTS, MPROC_EXISTS},
    {ERROR_FILE_EXISTS, MPROC_EXISTS},

    {ERROR_ACCESS_DENIED, MPROC_PERMISSION},
    {ERROR_SHARING_VIOLATION, MPROC_PERMISSION},
    {ERROR_NETWORK_ACCESS_DENIED, MPROC_PERMISSION},
    {ERROR_PRIVILEGE_NOT_HELD, MPROC_PERMISSION},
    {225, MPROC_PERMISSION}, /* ERROR_VIRUS_INFECTED, not in every header */
    {740, MPROC_PERMISSION}, /* ERROR_ELEVATION_REQUIRED */
    {ERROR_ACCESS_DISABLED_BY_POLICY, MPROC_PERMISSION},

    {ERROR_NOT_ENOUGH_MEMORY, MPROC_NO_MEMORY},
    {ERROR_OUTOFMEMORY, MPROC_NO_MEMORY},
    {ERROR_NO_SYSTEM_RESOURCES, MPROC_NO_MEMORY},
    {ERROR_NONPAGED_SYSTEM_RESOURCES, MPROC_NO_MEMORY},
    {ERROR_PAGED_SYSTEM_RESOURCES, MPROC_NO_MEMORY},
    {ERROR_WORKING_SET_QUOTA, MPROC_NO_MEMORY},
    {ERROR_PAGEFILE_QUOTA, MPROC_NO_MEMORY},
    {ERROR_COMMITMENT_LIMIT, MPROC_NO_MEMORY},

    {ERROR_TOO_MANY_OPEN_FILES, MPROC_LIMIT},
    {ERROR_NO_PROC_SLOTS, MPROC_LIMIT},
    {ERROR_MAX_THRDS_REACHED, MPROC_LIMIT},
    {ERROR_NOT_ENOUGH_QUOTA, MPROC_LIMIT}, /* also a job's limit on processes */

    {ERROR_INVALID_HANDLE, MPROC_INVALID},
    {ERROR_INVALID_PARAMETER, MPROC_INVALID},
    {ERROR_BAD_FORMAT, MPROC_INVALID},
    {ERROR_BAD_EXE_FORMAT, MPROC_INVALID},
    {ERROR_EXE_MACHINE_TYPE_MISMATCH, MPROC_INVALID},
    {ERROR_INVALID_EXE_SIGNATURE, MPROC_INVALID},
    {ERROR_EXE_MARKED_INVALID, MPROC_INVALID},
    {ERROR_FILENAME_EXCED_RANGE, MPROC_INVALID},
    {ERROR_NO_UNICODE_TRANSLATION, MPROC_INVALID},

    {WSAEMFILE, MPROC_LIMIT},
    {WSAENOBUFS, MPROC_NO_MEMORY},
    {WSAEACCES, MPROC_PERMISSION},
    {WSAEINVAL, MPROC_INVALID},
    {WSAENOTSOCK, MPROC_INVALID},

    {ERROR_NOT_SUPPORTED, MPROC_NOT_SUPPORTED},
    {WSAEAFNOSUPPORT, MPROC_NOT_SUPPORTED},
    {ERROR_CALL_NOT_IMPLEMENTED, MPROC_NOT_SUPPORTED},
    {ERROR_PROC_NOT_FOUND, MPROC_NOT_SUPPORTED},
};

mproc_status win32_status(DWORD code)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].code == code) return statuses[i].status;
    }
    return MPROC_SYSTEM;
}

/* Writes the system's sentence for the code, without its full stop and line end, in UTF-8. */
static void system_words(DWORD code, char words[WORDS_MAX])
{
    wchar_t wide[WORDS_MAX / 4];
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                       NULL, code, 0, wide, sizeof wide / sizeof wide[0], NULL);
    int bytes;

    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.')) length--;
    bytes = WideCharToMultiByte(CP_UTF8, 0, wide, (int)length, words, WORDS_MAX - 1, NULL, NULL);
    words[bytes] = '\0';
    if (bytes == 0) snprintf(words, WORDS_MAX, "the system gives no words for it");
}

static mproc_status fail(mproc_status status, DWORD code, const char *format, va_list arguments)
{
    char tried[WORDS_MAX];
    char words[WORDS_MAX];

    vsnprintf(tried, sizeof tried, format, arguments);
    system_words(code, words);
    return mproc_error(status, "%s: %s (Windows error %lu)", tried, words, (unsigned long)code);
}

mproc_status win32_error(DWORD code, const char *format, ...)
{
    va_list arguments;
    mproc_status status;

    va_start(arguments, format);
    status = fail(win32_status(code), code, format, arguments);
    va_end(arguments);
    return status;
}

mproc_status win32_error_as(mproc_status status, DWORD code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    status = fail(status, code, format, arguments);
    va_end(arguments);
    return status;
}
