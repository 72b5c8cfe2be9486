/*
 * A block is "NAME=VALUE" strings, each with its NUL, sorted by name without regard to case, and one more NUL. The
 * system keeps the directory of each drive in odd variables named "=C:": a name begins at the first
 * character, whatever that is, and ends before the next '='.
 */
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "error.h"
#include "wide.h"
#include "windows_api.h"

/* Owns its entries. */
typedef struct variables {
    wchar_t **entries;
    size_t count;
    size_t room;
} variables;

static mproc_status no_memory(void)
{
    return mproc_error(MPROC_NO_MEMORY, "there is no memory for a child's environment");
}

static void variables_fini(variables *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->entries[i]);
    free(list->entries);
}

static int name_length(const wchar_t *entry)
{
    return entry[0] == L'\0' ? 0 : (int)(1 + wcscspn(entry + 1, L"="));
}

/* As the system compares names: by its own table of upper case, the same in every locale. */
static int names_compare(const wchar_t *a, const wchar_t *b)
{
    return CompareStringOrdinal(a, name_length(a), b, name_length(b), TRUE) - CSTR_EQUAL;
}

/* Appends the entry, which is `variables`' from now on. */
static mproc_status variables_append(variables *list, wchar_t *entry)
{
    if (list->count == list->room) {
        size_t room = list->room * 2 + 64;
        wchar_t **entries = realloc(list->entries, room * sizeof *entries);
        if (!entries) {
            free(entry);
            return no_memory();
        }
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = entry;
    return MPROC_OK;
}

static void variables_remove(variables *list, const wchar_t *entry)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (names_compare(list->entries[i], entry) == 0) {
            free(list->entries[i]);
        } else {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
}

/* "NAME=VALUE" sets the variable, "NAME" removes it. */
static mproc_status variables_change(variables *list, const char *change)
{
    wchar_t *entry = NULL;
    mproc_status status;

    if (change[0] == '\0') return mproc_error(MPROC_INVALID, "an entry of a child's environment is empty");
    if ((status = win32_wide(change, &entry)) != MPROC_OK) return status;
    variables_remove(list, entry);
    if (entry[name_length(entry)] == L'=') return variables_append(list, entry);
    free(entry);
    return MPROC_OK;
}

static mproc_status variables_copy_own(variables *list)
{
    wchar_t *own = GetEnvironmentStringsW();
    mproc_status status = MPROC_OK;

    if (!own) return win32_error(GetLastError(), "cannot read this process' environment");
    for (const wchar_t *entry = own; *entry != L'\0' && status == MPROC_OK; entry += wcslen(entry) + 1) {
        wchar_t *copy = _wcsdup(entry);
        status = !copy ? no_memory() : variables_append(list, copy);
    }
    FreeEnvironmentStringsW(own);
    return status;
}

static mproc_status variables_add_token(variables *list, const char *name, const char *value)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *token = malloc(size);
    mproc_status status;

    if (!token) return no_memory();
    snprintf(token, size, "%s=%s", name, value);
    status = variables_change(list, token);
    free(token);
    return status;
}

static int entries_compare(const void *a, const void *b)
{
    return names_compare(*(wchar_t *const *)a, *(wchar_t *const *)b);
}

/* An empty block is two NULs, too. */
static mproc_status variables_join(variables *list, wchar_t **block)
{
    size_t length = 2;
    wchar_t *result;
    wchar_t *end;

    for (size_t i = 0; i < list->count; i++) length += wcslen(list->entries[i]) + 1;
    result = calloc(length, sizeof *result);
    if (!result) return no_memory();
    if (list->count > 0) {
        qsort(list->entries, list->count, sizeof list->entries[0], entries_compare);
    }
    end = result;
    for (size_t i = 0; i < list->count; i++) {
        size_t entry_length = wcslen(list->entries[i]) + 1;
        memcpy(end, list->entries[i], entry_length * sizeof *end);
        end += entry_length;
    }
    *block = result;
    return MPROC_OK;
}

mproc_status win32_environment_block(const plat_start *start, const char *token_value, wchar_t **block)
{
    variables list = {NULL, 0, 0};
    mproc_status status = MPROC_OK;

    if (!start->environment_only) status = variables_copy_own(&list);
    if (start->environment) {
        for (size_t i = 0; start->environment[i] && status == MPROC_OK; i++) {
            status = variables_change(&list, start->environment[i]);
        }
    }
    if (status != MPROC_OK) goto done;
    if ((status = variables_add_token(&list, start->token_name, token_value)) != MPROC_OK) goto done;
    status = variables_join(&list, block);
done:
    variables_fini(&list);
    return status;
}
