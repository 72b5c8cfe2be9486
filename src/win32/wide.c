#include "wide.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "error.h"
#include "windows_api.h"

static mproc_status no_memory(void)
{
    return mproc_error(MPROC_NO_MEMORY, "there is no memory for a text of the system");
}

mproc_status win32_wide(const char *text, wchar_t **wide)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *result;

    if (length <= 0) return win32_error(GetLastError(), "'%.200s' is not UTF-8", text);
    result = malloc((size_t)length * sizeof *result);
    if (!result) return no_memory();
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, result, length);
    *wide = result;
    return MPROC_OK;
}

/* Replaces `*path` with prefix + what follows its first `skipped` characters. */
static mproc_status replace_front(wchar_t **path, const wchar_t *prefix, size_t skipped)
{
    size_t front = wcslen(prefix);
    size_t rest = wcslen(*path) - skipped;
    wchar_t *result = malloc((front + rest + 1) * sizeof *result);

    if (!result) return no_memory();
    memcpy(result, prefix, front * sizeof *result);
    memcpy(result + front, *path + skipped, (rest + 1) * sizeof *result);
    free(*path);
    *path = result;
    return MPROC_OK;
}

static bool starts_with(const wchar_t *text, const wchar_t *front)
{
    return wcsncmp(text, front, wcslen(front)) == 0;
}

/*
 * Paths of MAX_PATH characters and more are understood only behind \\?\ (unless the program's manifest and the
 * machine's policy say otherwise). Shorter ones stay as the user knows them.
 */
static mproc_status lift_limit(wchar_t **path)
{
    if (wcslen(*path) < MAX_PATH) return MPROC_OK;
    if (starts_with(*path, L"\\\\?\\") || starts_with(*path, L"\\\\.\\")) return MPROC_OK;
    if (starts_with(*path, L"\\\\")) return replace_front(path, L"\\\\?\\UNC\\", 2);
    return replace_front(path, L"\\\\?\\", 0);
}

mproc_status win32_wide_path(const char *path, wchar_t **wide)
{
    wchar_t *given = NULL;
    wchar_t *full = NULL;
    DWORD size = 0;
    DWORD length;
    mproc_status status;

    if ((status = win32_wide(path, &given)) != MPROC_OK) goto done;
    /* It asks for more room until there is enough: another thread may change the directory in between. */
    while ((length = GetFullPathNameW(given, size, full, NULL)) >= size && length != 0) {
        free(full);
        size = length + 1;
        full = malloc(size * sizeof *full);
        if (!full) {
            status = no_memory();
            goto done;
        }
    }
    if (length == 0) {
        status = win32_error(GetLastError(), "cannot make an absolute path of '%.200s'", path);
        goto done;
    }
    if ((status = lift_limit(&full)) != MPROC_OK) goto done;
    *wide = full;
    full = NULL;
done:
    free(full);
    free(given);
    return status;
}

mproc_status win32_module_file(void *module, wchar_t **wide)
{
    wchar_t *path = NULL;
    DWORD size = MAX_PATH / 2;
    DWORD length;
    mproc_status status;

    do { /* it does not say how long the path is, only that it was cut */
        size *= 2;
        free(path);
        path = malloc(size * sizeof *path);
        if (!path) return no_memory();
        length = GetModuleFileNameW(module, path, size);
    } while (length >= size);
    if (length == 0) {
        status = win32_error(GetLastError(), "cannot find the file of module %p", module);
        goto done;
    }
    if ((status = lift_limit(&path)) != MPROC_OK) goto done;
    *wide = path;
    path = NULL;
done:
    free(path);
    return status;
}

bool win32_narrow(const wchar_t *wide, char *text, size_t size)
{
    int room = size > INT_MAX ? INT_MAX : (int)size;

    if (WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, room, NULL, NULL) > 0) return true;
    if (size > 0) text[0] = '\0';
    return false;
}
