#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_TEXT_BYTES 768

typedef struct error_entry {
    int number;
    mproc_status status;
    const char *remedy; /* NULL: the number says it all */
} error_entry;

static const error_entry error_table[] = {
    {EMFILE, MPROC_LIMIT, "close files or raise the limit of this process (ulimit -n)"},
    {ENFILE, MPROC_LIMIT, "the whole system has too many open files (sysctl fs.file-max)"},
    {EAGAIN, MPROC_LIMIT,
     "raise the limit on processes and threads (ulimit -u, the pids cgroup) or, after mlockall(), on locked memory "
     "(ulimit -l)"},
    {E2BIG, MPROC_LIMIT, "make the command line and the environment smaller"},
    {EUSERS, MPROC_LIMIT, NULL},
    {ENOMEM, MPROC_NO_MEMORY, "free memory or raise the limit on it (ulimit -v, the memory cgroup)"},
    {ENOSPC, MPROC_NO_MEMORY, "make room on the file system"},
    {EDQUOT, MPROC_NO_MEMORY, "make room within the quota"},
    {EFBIG, MPROC_NO_MEMORY, "raise the limit on the size of files (ulimit -f)"},
    {EEXIST, MPROC_EXISTS, NULL},
    {ENOENT, MPROC_NOT_FOUND, NULL},
    {ENOTDIR, MPROC_NOT_FOUND, NULL},
    {ELOOP, MPROC_NOT_FOUND, NULL},
    {ESRCH, MPROC_NOT_FOUND, NULL},
    {EACCES, MPROC_PERMISSION, NULL},
    {EPERM, MPROC_PERMISSION, NULL},
    {EROFS, MPROC_PERMISSION, NULL},
    {ETXTBSY, MPROC_PERMISSION, "close the program, which is open for writing"},
    {EINVAL, MPROC_INVALID, NULL},
    {EBADF, MPROC_INVALID, NULL},
    {ENOEXEC, MPROC_INVALID, NULL},
    {ELIBBAD, MPROC_INVALID, NULL},
    {ENAMETOOLONG, MPROC_INVALID, NULL},
    {EISDIR, MPROC_INVALID, NULL},
    {ENOSYS, MPROC_NOT_SUPPORTED, "the kernel is too old, or a sandbox hides the call"},
    {EOPNOTSUPP, MPROC_NOT_SUPPORTED, NULL},
    {ETIMEDOUT, MPROC_TIMEOUT, NULL},
};

static const error_entry *error_find(int number);
static mproc_status error_set(mproc_status status, int number, const char *format, va_list values);

mproc_status error_status(int number)
{
    const error_entry *entry = error_find(number);

    return entry != NULL ? entry->status : MPROC_SYSTEM;
}

mproc_status error_system(int number, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    mproc_status status = error_set(error_status(number), number, format, values);
    va_end(values);
    return status;
}

mproc_status error_system_as(mproc_status status, int number, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    error_set(status, number, format, values);
    va_end(values);
    return status;
}

static const error_entry *error_find(int number)
{
    for (size_t i = 0; i < sizeof error_table / sizeof error_table[0]; i++) {
        if (error_table[i].number == number) return &error_table[i];
    }
    return NULL;
}

static mproc_status error_set(mproc_status status, int number, const char *format, va_list values)
{
    const error_entry *entry = error_find(number);
    const char *remedy = entry != NULL ? entry->remedy : NULL;
    char text[ERROR_TEXT_BYTES];

    vsnprintf(text, sizeof text, format, values);
    return mproc_error(status, "%s: %s (errno %d)%s%s", text, strerror(number), number, remedy != NULL ? ": " : "",
                       remedy != NULL ? remedy : "");
}
