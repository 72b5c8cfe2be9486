#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t environment_count(const char *const *list);
static bool environment_names(const char *entry, const char *name, size_t length);
static bool environment_replaced(const char *const *changes, const char *entry, size_t length);

/* Of entries for the same name the last one counts. */
char **environment_make(const plat_start *start, const char *token)
{
    const char *none = NULL;
    const char *const *changes = start->environment ? start->environment : &none;
    const char *const *inherited = start->environment_only || !environ ? &none : (const char *const *)environ;
    size_t name_length = strlen(start->token_name);
    size_t token_bytes = name_length + 1 + strlen(token) + 1;
    size_t entries = 1 + environment_count(changes) + environment_count(inherited) + 1;
    char **list = malloc(entries * sizeof *list + token_bytes);
    size_t count = 0;

    if (!list) return NULL;
    list[count] = (char *)(list + entries);
    memcpy(list[count], start->token_name, name_length);
    list[count][name_length] = '=';
    memcpy(list[count] + name_length + 1, token, token_bytes - name_length - 1);
    count++;
    for (; *inherited; inherited++) {
        if (environment_names(*inherited, start->token_name, name_length)) continue;
        if (*changes && environment_replaced(changes, *inherited, strcspn(*inherited, "="))) continue;
        list[count++] = (char *)*inherited;
    }
    for (; *changes; changes++) {
        size_t length = strcspn(*changes, "=");
        if ((*changes)[length] == '\0' || environment_names(*changes, start->token_name, name_length)) continue;
        if (!environment_replaced(changes + 1, *changes, length)) list[count++] = (char *)*changes;
    }
    list[count] = NULL;
    return list;
}

static size_t environment_count(const char *const *list)
{
    size_t count = 0;

    while (list[count]) count++;
    return count;
}

/* Whether the entry, "NAME=VALUE" or "NAME", is for this name. */
static bool environment_names(const char *entry, const char *name, size_t length)
{
    return strncmp(entry, name, length) == 0 && (entry[length] == '=' || entry[length] == '\0');
}

static bool environment_replaced(const char *const *changes, const char *entry, size_t length)
{
    for (; *changes; changes++) {
        if (environment_names(*changes, entry, length)) return true;
    }
    return false;
}
