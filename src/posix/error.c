#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_TEXT_BYTES 768

typedef struct error_entry {
    int number;
    mproc_status status;
    const char *remedy; /* "": the number says it all */
} error_entry;

static const error_entry error_table[] = {
    {EMFILE, MPROC_LIMIT, ": close files or raise the limit of this process (ulimit -n)"},
    {ENFILE, MPROC_LIMIT, ": the whole system has too many open files (sysctl fs.file-max)"},
    {EAGAIN, MPROC_LIMIT,
     ": raise the limit on processes and threads (ulimit -u, the pids cgroup) or, after mlockall(), on locked memory "
     "(ulimit -l)"},
    {E2BIG, MPROC_LIMIT, ": make the command line and the environment smaller"},
    {EUSERS, MPROC_LIMIT, ""},
    {ENOMEM, MPROC_NO_MEMORY, ": free memory or raise the limit on it (ulimit -v, the memory cgroup)"},
    {ENOSPC, MPROC_NO_MEMORY, ": make room on the file system"},
    {EDQUOT, MPROC_NO_MEMORY, ": make room within the quota"},
    {EFBIG, MPROC_NO_MEMORY, ": raise the limit on the size of files (ulimit -f)"},
    {EEXIST, MPROC_EXISTS, ""},
    {ENOENT, MPROC_NOT_FOUND, ""},
    {ENOTDIR, MPROC_NOT_FOUND, ""},
    {ELOOP, MPROC_NOT_FOUND, ""},
    {ESRCH, MPROC_NOT_FOUND, ""},
    {EACCES, MPROC_PERMISSION, ""},
    {EPERM, MPROC_PERMISSION, ""},
    {EROFS, MPROC_PERMISSION, ""},
    {ETXTBSY, MPROC_PERMISSION, ": close the program, which is open for writing"},
    {EINVAL, MPROC_INVALID, ""},
    {EBADF, MPROC_INVALID, ""},
    {ENOEXEC, MPROC_INVALID, ""},
    {ELIBBAD, MPROC_INVALID, ""},
    {ENAMETOOLONG, MPROC_INVALID, ""},
    {EISDIR, MPROC_INVALID, ""},
    {ENOSYS, MPROC_NOT_SUPPORTED, ": the kernel is too old, or a sandbox hides the call"},
    {EOPNOTSUPP, MPROC_NOT_SUPPORTED, ""},
    {ETIMEDOUT, MPROC_TIMEOUT, ""},
};

static const error_entry *error_find(int number);

mproc_status error_status(int number)
{
    return error_find(number)->status;
}

mproc_status error_system(int number, const char *format, ...)
{
    const error_entry *entry = error_find(number);
    char text[ERROR_TEXT_BYTES];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return mproc_error(entry->status, "%s: %s (errno %d)%s", text, strerror(number), number, entry->remedy);
}

mproc_status error_system_as(mproc_status status, int number, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return mproc_error(status, "%s: %s (errno %d)%s", text, strerror(number), number, error_find(number)->remedy);
}

static const error_entry *error_find(int number)
{
    static const error_entry other = {0, MPROC_SYSTEM, ""};

    for (size_t i = 0; i < sizeof error_table / sizeof error_table[0]; i++)
        if (error_table[i].number == number) return &error_table[i];
    return &other;
}
