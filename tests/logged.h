/* What a case hears of the log: a handler that keeps the lines, as "[LEVEL/name] text" with an end of line. */
#ifndef LOGGED_H
#define LOGGED_H

#include <stdio.h>

#include <mproc/log.h>

#include "check.h"
#include "platform.h"

enum { LOGGED_BYTES = 32768 };

/* A case's own; `lines` counts all, also those that have no room. */
static struct {
    plat_mutex mutex;
    char text[LOGGED_BYTES];
    size_t size;
    uint32_t lines;
} logged;

static inline void logged_keep(const mproc_log_line *line, void *context)
{
    int size;

    (void)context;
    plat_mutex_lock(&logged.mutex);
    size = snprintf(logged.text + logged.size, LOGGED_BYTES - logged.size, "[%s/%s] %s\n", line->level_name,
                    line->name, line->text);
    if (size > 0 && logged.size + (size_t)size < LOGGED_BYTES) logged.size += (size_t)size;
    else logged.text[logged.size] = 0;
    logged.lines++;
    plat_mutex_unlock(&logged.mutex);
}

/* From here on lines of this level and above are kept. */
static inline void logged_begin(int level)
{
    mproc_log_set_level(level);
    mproc_log_set_handler(logged_keep, NULL);
}

static inline void logged_end(void)
{
    mproc_log_set_handler(NULL, NULL);
}

static inline bool logged_has(void *part)
{
    bool has;

    plat_mutex_lock(&logged.mutex);
    has = strstr(logged.text, part) != NULL;
    plat_mutex_unlock(&logged.mutex);
    return has;
}

/* A line with this text was said, or will be: by whoever was at it. If it does not come, all that came are shown. */
static inline void logged_await(const char *part, const char *file, int line)
{
    int64_t until_ms = check_now_ms() + check_limit_ms();

    while (!logged_has((void *)(uintptr_t)part) && check_now_ms() < until_ms) check_pause_ms(1);
    if (!logged_has((void *)(uintptr_t)part))
        check_fail(file, line, "nobody has said '%s', but:\n%s", part, logged.text);
}

#define CHECK_LOGGED(part) logged_await((part), __FILE__, __LINE__)
#define CHECK_NOT_LOGGED(part) CHECK(!logged_has((void *)(uintptr_t)(part)))

#endif
