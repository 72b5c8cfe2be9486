#include "spawn_handles.h"

#include <stdlib.h>

#include "error.h"
#include "handle.h"

static const char *const stream_names[WIN32_STREAMS] = {"standard input", "standard output", "standard error"};
static const DWORD stream_numbers[WIN32_STREAMS] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

static void inherit_keep(win32_inheritance *inheritance, HANDLE copy)
{
    inheritance->copies[inheritance->count++] = copy;
}

static mproc_status inherit_copy(win32_inheritance *inheritance, plat_handle handle, const char *what, HANDLE *copy)
{
    HANDLE self = GetCurrentProcess();

    if (!DuplicateHandle(self, (HANDLE)handle, self, copy, 0, TRUE, DUPLICATE_SAME_ACCESS)) {
        return win32_error(GetLastError(), "cannot copy handle %lld for the child's %s", (long long)handle, what);
    }
    inherit_keep(inheritance, *copy);
    return MPROC_OK;
}

static mproc_status inherit_null(win32_inheritance *inheritance, HANDLE *stream)
{
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
    HANDLE null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable,
                              OPEN_EXISTING, 0, NULL);

    if (null == INVALID_HANDLE_VALUE) return win32_error(GetLastError(), "cannot open NUL for a child");
    inherit_keep(inheritance, null);
    *stream = null;
    return MPROC_OK;
}

/* A process without a console, or one that closed its stream, has none to pass on: no error, as on POSIX. */
static mproc_status inherit_own(win32_inheritance *inheritance, int number, HANDLE *stream)
{
    HANDLE own = GetStdHandle(stream_numbers[number]);

    if (!win32_handle_open((plat_handle)own)) return MPROC_OK;
    return inherit_copy(inheritance, (plat_handle)own, stream_names[number], stream);
}

static mproc_status inherit_stream(win32_inheritance *inheritance, const plat_stream *stdio, int number)
{
    HANDLE *stream = &inheritance->streams[number];

    switch (stdio->kind) {
    case PLAT_STREAM_NULL:
        return inherit_null(inheritance, stream);
    case PLAT_STREAM_HANDLE:
        return inherit_copy(inheritance, stdio->handle, stream_names[number], stream);
    case PLAT_STREAM_INHERIT:
        break;
    }
    return inherit_own(inheritance, number, stream);
}

static mproc_status inherit_check(plat_handle handle, const char *what)
{
    if (win32_handle_open(handle)) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "the child's %s is to be handle %lld, which is not open", what,
                       (long long)handle);
}

static plat_handle inherit_given(const plat_start *start, size_t index)
{
    return index < WIN32_GIVEN ? start->handles[index] : start->more[index - WIN32_GIVEN];
}

/* Before anything is opened here: a copy could get the number of a handle that was closed by mistake. */
static mproc_status inherit_check_all(const plat_start *start)
{
    mproc_status status;

    for (size_t i = 0; i < WIN32_GIVEN + start->more_count; i++) {
        if (inherit_given(start, i) != PLAT_NO_HANDLE)
            if ((status = inherit_check(inherit_given(start, i), "inherited handle")) != MPROC_OK) return status;
    }
    for (int i = 0; i < WIN32_STREAMS; i++) {
        const plat_stream *stdio = &start->stdio[i];
        if (stdio->kind == PLAT_STREAM_HANDLE)
            if ((status = inherit_check(stdio->handle, stream_names[i])) != MPROC_OK) return status;
    }
    return MPROC_OK;
}

mproc_status win32_inherit(win32_inheritance *inheritance, const plat_start *start)
{
    size_t given = WIN32_GIVEN + start->more_count;
    mproc_status status = inherit_check_all(start);

    inheritance->numbers = calloc(given, sizeof *inheritance->numbers);
    inheritance->copies = calloc(given + WIN32_STREAMS, sizeof *inheritance->copies);
    if (!inheritance->numbers || !inheritance->copies)
        return mproc_error(MPROC_NO_MEMORY, "there is no memory to start a process with %zu handles", given);
    for (size_t i = 0; i < given && status == MPROC_OK; i++) {
        HANDLE copy = (HANDLE)PLAT_NO_HANDLE;
        if (inherit_given(start, i) != PLAT_NO_HANDLE) {
            status = inherit_copy(inheritance, inherit_given(start, i), "inherited handle", &copy);
        }
        inheritance->numbers[i] = (plat_handle)copy;
    }
    for (int i = 0; i < WIN32_STREAMS && status == MPROC_OK; i++) {
        status = inherit_stream(inheritance, &start->stdio[i], i);
    }
    return status;
}

void win32_inherit_fini(win32_inheritance *inheritance)
{
    while (inheritance->count > 0) CloseHandle(inheritance->copies[--inheritance->count]);
    free(inheritance->copies);
    free(inheritance->numbers);
}
