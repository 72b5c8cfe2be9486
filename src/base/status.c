/* The table of statuses, and each thread's error text. */
#include <stdarg.h>
#include <string.h>

#include <mproc/status.h>
#include <mproc/version.h>

#include "base/thread_local.h"

#define TEXT_BYTES_MAX 1000

struct status_row {
    mproc_status status;
    const char *name;
    const char *text;
};

static const struct status_row status_rows[] = {
#define STATUS_ROW(number, name, text) {(mproc_status)(number), "MPROC_" #name, text},
    MPROC_STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

static const struct status_row status_user = {MPROC_USER, "MPROC_USER", "the program's own reason"};
static const struct status_row status_unknown = {MPROC_STATUS_MAX, "MPROC_UNKNOWN", "this number is no status"};

static THREAD_LOCAL char error_text[TEXT_BYTES_MAX + 1];

static const struct status_row *status_find(mproc_status status)
{
    for (size_t i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++)
        if (status_rows[i].status == status) return &status_rows[i];
    return status >= MPROC_USER ? &status_user : &status_unknown;
}

const char *mproc_status_name(mproc_status status)
{
    return status_find(status)->name;
}

const char *mproc_status_text(mproc_status status)
{
    return status_find(status)->text;
}

const char *mproc_last_error_text(void)
{
    return error_text;
}

/* A cut inside a UTF-8 character would make the whole text invalid for whoever prints it. */
static void text_trim(char *text)
{
    size_t end = strlen(text);
    if (end < TEXT_BYTES_MAX) return;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) end--;
    if (end > 0 && ((unsigned char)text[end - 1] & 0x80)) end--;
    text[end] = 0;
}

mproc_status mproc_error(mproc_status status, const char *format, ...)
{
    char text[TEXT_BYTES_MAX + 1];      /* the arguments may point into the old text */
    va_list arguments;

    if (!format) {
        snprintf(text, sizeof text, "%s", mproc_status_text(status));
    } else {
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
    }
    text_trim(text);
    memcpy(error_text, text, strlen(text) + 1);
    return status;
}

const char *mproc_version(void)
{
    return MPROC_VERSION;
}
