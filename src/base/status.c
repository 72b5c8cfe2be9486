/* The table of statuses, and each thread's error text. */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <mproc/status.h>
#include <mproc/version.h>

#include "base/text.h"
#include "base/thread_local.h"
#include "platform.h"

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

/*
 * The text lies in memory that a thread gets with its first error: memory that each thread has from its start on is
 * scarce for a library that is opened later. Without it the text of the status itself must do.
 */
static THREAD_LOCAL struct {
    bool set;
    mproc_status status;
} error;

static const struct status_row *status_find(mproc_status status)
{
    for (size_t i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++)
        if (status_rows[i].status == status) return &status_rows[i];
    /* Signed: some compilers give the enum an unsigned type, and negative numbers are no status. */
    return (int)status >= MPROC_USER ? &status_user : &status_unknown;
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
    const char *text = error.set ? plat_thread_block(ERROR_TEXT_BYTES_MAX + 1) : "";

    return text && (*text || !error.set) ? text : mproc_status_text(error.status);
}

const char *mproc_error_text(mproc_status status)
{
    const char *text = error.set && error.status == status ? plat_thread_block(ERROR_TEXT_BYTES_MAX + 1) : NULL;

    return text && *text ? text : mproc_status_text(status);
}

void error_text_clear(void)
{
    error.set = false;
}

void error_text_keep(struct error_text *kept)
{
    const char *block = error.set ? plat_thread_block(ERROR_TEXT_BYTES_MAX + 1) : NULL;

    kept->set = error.set;
    kept->status = error.status;
    kept->text[0] = 0;
    if (block) memcpy(kept->text, block, strlen(block) + 1);
}

void error_text_restore(const struct error_text *kept)
{
    char *block = kept->set ? plat_thread_block(ERROR_TEXT_BYTES_MAX + 1) : NULL;

    error.set = kept->set;
    error.status = kept->status;
    if (block) memcpy(block, kept->text, strlen(kept->text) + 1);
}

mproc_status mproc_error(mproc_status status, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES_MAX + 1]; /* the arguments may point into the old text */
    char *block = plat_thread_block(ERROR_TEXT_BYTES_MAX + 1);
    va_list arguments;
    int size = 0;

    text[0] = 0; /* the status' own text stands for none */
    if (format) {
        va_start(arguments, format);
        size = vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
    }
    if (size > ERROR_TEXT_BYTES_MAX) text_trim(text);
    if (block) memcpy(block, text, strlen(text) + 1);
    error.set = true;
    error.status = status;
    return status;
}

const char *mproc_version(void)
{
    return MPROC_VERSION;
}
