/*
 * A section of the system lives, with its name, as long as somebody has it open; so there is nothing left over, but
 * no way to take a name away either. Hence a name stands for an index, a small section that says which of the
 * numbered ones it means; whoever has one of these open has the index open, too, but for moments at its end. A mutex,
 * which the system takes from the dead, has the changes of an index take turns.
 */
#include "error.h"
#include "platform.h"
#include "windows_api.h"

#include <stdio.h>
#include <string.h>

#define NAME_CHARS 256
#define TURN_MS 1000

/* `current` is the number that the name stands for, or 0; `last` the highest that was given. */
typedef struct named_index {
    _Atomic uint32_t current;
    uint32_t last;
} named_index;

/* What an operation has open meanwhile. */
typedef struct named_turn {
    HANDLE mutex;
    HANDLE section;
    named_index *index;
} named_turn;

/* The names' characters are the same in every code page. */
static const wchar_t *full_name(wchar_t full[NAME_CHARS], const char *name, const char *what, uint32_t number)
{
    char text[NAME_CHARS];

    snprintf(text, sizeof text, "Local\\mproc-%s.%s%lu", name, what, (unsigned long)number);
    for (size_t i = 0; i < NAME_CHARS; i++) {
        full[i] = (wchar_t)(unsigned char)text[i];
        if (text[i] == 0) break;
    }
    full[NAME_CHARS - 1] = 0;
    return full;
}

static mproc_status refused(const char *what)
{
    DWORD code = GetLastError();
    mproc_status status = win32_status(code);

    if (status == MPROC_LIMIT) status = MPROC_NO_MEMORY; /* whatever quota was reached: it is memory */
    return win32_error_as(status, code, "cannot %s", what);
}

static HANDLE make_section(const wchar_t *name, uint64_t size)
{
    return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_COMMIT, (DWORD)(size >> 32),
                              (DWORD)size, name);
}

static void turn_end(const named_turn *turn, bool keep_section)
{
    if (turn->index) UnmapViewOfFile(turn->index);
    if (turn->section && !keep_section) CloseHandle(turn->section);
    ReleaseMutex(turn->mutex);
    CloseHandle(turn->mutex);
}

static mproc_status open_index(const char *name, bool make, named_turn *turn)
{
    wchar_t full[NAME_CHARS];

    full_name(full, name, "index", 0);
    if (make) turn->section = make_section(full, sizeof(named_index));
    else turn->section = OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, full);
    if (!turn->section) return refused("open the index of a name");
    turn->index = MapViewOfFile(turn->section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof(named_index));
    return turn->index ? MPROC_OK : refused("map the index of a name");
}

/* MPROC_NOT_FOUND: there is no index. Then, and after any other refusal, nothing is open. */
static mproc_status turn_begin(const char *name, bool make, named_turn *turn)
{
    wchar_t full[NAME_CHARS];
    mproc_status status;

    *turn = (named_turn){.mutex = CreateMutexW(NULL, FALSE, full_name(full, name, "lock", 0))};
    if (!turn->mutex) return refused("open the mutex of a name");
    if (WaitForSingleObject(turn->mutex, TURN_MS) == WAIT_TIMEOUT) {
        CloseHandle(turn->mutex);
        return mproc_error(MPROC_TIMEOUT,
                           "another process has been at work on this name for a second: is it stopped?");
    }
    if ((status = open_index(name, make, turn)) != MPROC_OK) turn_end(turn, false);
    return status;
}

/* MPROC_NOT_FOUND: the name stands for nothing. */
static mproc_status open_current(const char *name, const named_turn *turn, HANDLE *section)
{
    uint32_t current = atomic_load(&turn->index->current);
    wchar_t full[NAME_CHARS];

    if (current == 0) return win32_error(ERROR_FILE_NOT_FOUND, "cannot open named memory");
    *section = OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, full_name(full, name, "", current));
    return *section ? MPROC_OK : refused("open named memory");
}

/* The next number that nobody has: a process that ends may have lost its index, and the section not yet. */
static HANDLE make_numbered(const char *name, size_t size, const named_turn *turn)
{
    wchar_t full[NAME_CHARS];

    for (;;) {
        HANDLE section;
        SetLastError(ERROR_SUCCESS);
        section = make_section(full_name(full, name, "", ++turn->index->last), size);
        if (!section || GetLastError() != ERROR_ALREADY_EXISTS) return section;
        CloseHandle(section);
    }
}

/* A view is whole pages, and its size that of its region. */
static mproc_status map(HANDLE section, plat_named *named)
{
    MEMORY_BASIC_INFORMATION region;
    void *base = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);

    if (!base || VirtualQuery(base, &region, sizeof region) == 0) {
        mproc_status status = refused("map named memory");
        if (base) UnmapViewOfFile(base);
        return status;
    }
    *named = (plat_named){.handle = (plat_handle)section, .base = base, .size = region.RegionSize};
    return MPROC_OK;
}

static mproc_status create(const char *name, size_t size, const named_turn *turn, plat_named *named)
{
    HANDLE section = NULL;
    mproc_status status = open_current(name, turn, &section);

    if (status == MPROC_OK) {
        CloseHandle(section);
        return win32_error(ERROR_ALREADY_EXISTS, "cannot make named memory");
    }
    if (status != MPROC_NOT_FOUND) return status;
    section = make_numbered(name, size, turn);
    if (!section) return refused("make named memory");
    if ((status = map(section, named)) != MPROC_OK) CloseHandle(section);
    return status;
}

mproc_status plat_named_create(const char *name, size_t size, const void *head, size_t head_size, plat_named *named)
{
    named_turn turn;
    mproc_status status;

    if ((status = turn_begin(name, true, &turn)) != MPROC_OK) return status;
    status = create(name, size, &turn, named);
    if (status == MPROC_OK) {
        memcpy(named->base, head, head_size);
        named->index = (plat_handle)turn.section;
        named->number = turn.index->last;
        atomic_store(&turn.index->current, named->number);
    }
    turn_end(&turn, status == MPROC_OK);
    return status;
}

mproc_status plat_named_attach(const char *name, plat_named *named)
{
    named_turn turn;
    HANDLE section = NULL;
    mproc_status status;

    if ((status = turn_begin(name, false, &turn)) != MPROC_OK) return status;
    status = open_current(name, &turn, &section);
    if (status == MPROC_OK && (status = map(section, named)) != MPROC_OK) CloseHandle(section);
    if (status == MPROC_OK) {
        named->index = (plat_handle)turn.section;
        named->number = atomic_load(&turn.index->current);
    }
    turn_end(&turn, status == MPROC_OK);
    return status;
}

mproc_status plat_named_unlink(const char *name, const plat_named *named)
{
    named_turn turn;
    mproc_status status = MPROC_OK;
    uint32_t number = named->number;

    if ((status = turn_begin(name, false, &turn)) != MPROC_OK) return status;
    if (!atomic_compare_exchange_strong(&turn.index->current, &number, 0))
        status = win32_error(ERROR_FILE_NOT_FOUND, "cannot take a name away");
    turn_end(&turn, false);
    return status;
}

/* The system does it, after us. */
void plat_named_leave(const char *name, plat_named *named)
{
    (void)name;
    (void)named;
}

void plat_named_close(const char *name, plat_named *named)
{
    (void)name;
    UnmapViewOfFile(named->base);
    plat_handle_close(named->handle);
    plat_handle_close(named->index);
}

void plat_named_tidy(const char *name)
{
    (void)name;
}

void plat_named_sweep(void)
{
}
