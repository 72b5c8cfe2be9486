#include "library.h"

#include "windows_api.h"

/* A library of the same name beside the program, or in its working directory, is not believed. */
win32_any_function *win32_function(const wchar_t *library, const char *name)
{
    HMODULE module = LoadLibraryExW(library, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);

    return !module ? NULL : (win32_any_function *)GetProcAddress(module, name);
}
