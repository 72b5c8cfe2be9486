/*
 * Memory with a name is a file in a directory of the user's own, in the file system that is memory. Each user of the
 * file holds a shared lock on it, which the system drops when the process ends. A file that nobody holds is left
 * over: whoever gets the exclusive lock on it has proven that, and takes its name away before it lets go.
 *
 * Nothing is locked but one file, and each lock is tried and not waited for. So a process that is stopped at any
 * point holds up those alone who want this very name, and these give up after a while.
 *
 * Under a new file's final name nobody ever sees it unfinished: it is made under another, locked, filled, and linked.
 */
#include "cancel.h"
#include "error.h"
#include "handle.h"
#include "named_directory.h"
#include "platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRY_PAUSE_NS ((int64_t)1000000)

/* ---- the use of a file --------------------------------------------------------------------------- */

/* Whether the name, seen from `directory`, is the open file. */
static bool is_linked(int directory, const char *name, int descriptor)
{
    struct stat named;
    struct stat opened;

    return fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(descriptor, &opened) == 0 &&
           named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

/* Tries to lock the file. False with errno: EWOULDBLOCK if somebody else has it in a way that forbids this. */
static bool lock_file(int descriptor, int how)
{
    int result;

    do result = flock(descriptor, how | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

/*
 * Where this process has the exclusive lock: nobody uses the file, and nobody else can take its name away. Errno is
 * ENOENT when the name does not stand for it any more, else what is in the way.
 */
static void remove_left_over(int directory, const char *name, int descriptor)
{
    if (!is_linked(directory, name, descriptor) || unlinkat(directory, name, 0) == 0) errno = ENOENT;
}

/*
 * Makes this process a user of the open file. False with errno: ENOENT if it is left over, and without its name by
 * now; ETIMEDOUT if a process that was about to take the name away does not go on.
 */
static bool begin_use(int directory, const char *name, int descriptor)
{
    for (int tries = 0; tries < NAMED_TRIES_MAX; tries++) {
        if (lock_file(descriptor, LOCK_EX)) {
            remove_left_over(directory, name, descriptor);
            return false;
        }
        if (errno != EWOULDBLOCK) return false;
        if (lock_file(descriptor, LOCK_SH)) {
            errno = ENOENT;
            return is_linked(directory, name, descriptor);
        }
        if (errno != EWOULDBLOCK) return false;
        plat_clock_sleep_until(plat_clock_now_ns() + TRY_PAUSE_NS);
    }
    errno = ETIMEDOUT;
    return false;
}

static void close_keeping_errno(int descriptor)
{
    int number = errno;

    close(descriptor);
    errno = number;
}

/* The file that the name stands for, of which this process is a user from now on; -1 with errno. */
static int open_used(int directory, const char *name)
{
    for (int tries = 0; tries < NAMED_TRIES_MAX; tries++) {
        int descriptor = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (descriptor < 0 || begin_use(directory, name, descriptor)) return descriptor;
        close_keeping_errno(descriptor);
        if (errno != ENOENT) return -1; /* else the name may stand for another file by now */
    }
    errno = ETIMEDOUT;
    return -1;
}

static mproc_status use_failed(int directory, const char *name, const char *what)
{
    char path[NAMED_PATH_BYTES];
    struct stat is;
    int number = errno;

    if (number == ETIMEDOUT)
        return mproc_error(
            MPROC_TIMEOUT,
            "another process began to take this name away and has not gone on for a second: is it stopped?");
    if (number == ENOENT || fstatat(directory, name, &is, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(is.st_mode))
        return error_system(number, "cannot %s named memory", what);
    named_path(path);
    return mproc_error(MPROC_MISMATCH, "%s/%s is %s and no memory (errno %d): remove it", path, name,
                       named_kind(is.st_mode), number);
}

/* ---- create and attach --------------------------------------------------------------------------- */

static mproc_status map(int descriptor, size_t size, plat_named *named)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    if (base == MAP_FAILED) return error_system(errno, "cannot map %zu bytes of shared memory", size);
    *named = (plat_named){.handle = descriptor, .index = PLAT_NO_HANDLE, .number = 1, .base = base, .size = size};
    return MPROC_OK;
}

/* Under a name with a character that no other has. Killed, we leave it over. */
static mproc_status make_unnamed(int directory, char name[NAMED_PATH_BYTES], plat_handle *handle)
{
    uint64_t number;
    int descriptor;
    mproc_status status;

    if ((status = plat_system_random(&number, sizeof number)) != MPROC_OK) return status;
    snprintf(name, NAMED_PATH_BYTES, "+%016llx", (unsigned long long)number);
    descriptor = openat(directory, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor >= 0) fchmod(descriptor, S_IRUSR | S_IWUSR); /* a umask may have taken from it */
    return handle_take(descriptor, "named memory", handle);
}

/* False with errno: EWOULDBLOCK or ENOENT if somebody found it before it was locked, and took it for left over. */
static bool lock_unnamed(int directory, const char *name, int descriptor)
{
    if (!lock_file(descriptor, LOCK_SH)) return false;
    errno = ENOENT;
    return is_linked(directory, name, descriptor);
}

/* `*linked` false with MPROC_OK: somebody has removed the new file, or has the name by now: look again. */
static mproc_status fill_and_link(int directory, const char *unnamed, const char *name, const void *head,
                                  size_t head_size, plat_named *named, bool *linked)
{
    int descriptor = (int)named->handle;
    mproc_status status;

    *linked = false;
    if (!lock_unnamed(directory, unnamed, descriptor))
        return errno == EWOULDBLOCK || errno == ENOENT ? MPROC_OK : error_system(errno, "cannot lock named memory");
    if ((status = plat_memory_commit(named->handle, NULL, 0, named->size)) != MPROC_OK) return status;
    if ((status = map(descriptor, named->size, named)) != MPROC_OK) return status;
    memcpy(named->base, head, head_size);
    *linked = linkat(directory, unnamed, directory, name, 0) == 0;
    if (*linked) return MPROC_OK;
    munmap(named->base, named->size);
    return errno == EEXIST || errno == ENOENT ? MPROC_OK : error_system(errno, "cannot name shared memory");
}

static mproc_status create_linked(int directory, const char *name, const void *head, size_t head_size,
                                  plat_named *named, bool *linked)
{
    char unnamed[NAMED_PATH_BYTES];
    mproc_status status;

    if ((status = make_unnamed(directory, unnamed, &named->handle)) != MPROC_OK) return status;
    status = fill_and_link(directory, unnamed, name, head, head_size, named, linked);
    unlinkat(directory, unnamed, 0);
    if (!*linked) plat_handle_close(named->handle);
    return status;
}

/* Whether living processes use what the name stands for. Unlocked before it is closed: a fork() copy may keep it. */
static bool is_used(int directory, const char *name)
{
    int descriptor = open_used(directory, name);

    if (descriptor < 0) return false;
    flock(descriptor, LOCK_UN);
    close(descriptor);
    return true;
}

static mproc_status create(int directory, const char *name, size_t size, const void *head, size_t head_size,
                           plat_named *named)
{
    plat_named made = {.size = size};
    bool linked = false;
    mproc_status status;

    for (int tries = 0; !linked; tries++) {
        if (is_used(directory, name)) return error_system(EEXIST, "cannot make named memory");
        if (errno == ENOENT && tries == NAMED_TRIES_MAX) errno = ETIMEDOUT;
        if (errno != ENOENT) return use_failed(directory, name, "make");
        if ((status = create_linked(directory, name, head, head_size, &made, &linked)) != MPROC_OK) return status;
    }
    *named = made;
    return MPROC_OK;
}

static mproc_status named_create_uncancelled(const char *name, size_t size, const void *head, size_t head_size,
                                             plat_named *named)
{
    size_t page = plat_memory_page();
    mproc_status status = MPROC_NOT_FOUND;

    /* MPROC_NOT_FOUND: somebody has removed the directory, which was empty. */
    for (int tries = 0; status == MPROC_NOT_FOUND && tries < NAMED_TRIES_MAX; tries++) {
        int directory = named_make_directory();
        if (directory < 0 && errno == ENOENT)
            return error_system_as(MPROC_PERMISSION, ENOENT, "named memory lies in %s or %s", named_parents[0],
                                   named_parents[1]);
        if (directory < 0) return named_refused();
        status = create(directory, name, (size + page - 1) / page * page, head, head_size, named);
        named_close_directory(directory);
    }
    if (status != MPROC_NOT_FOUND) return status;
    return error_system(ETIMEDOUT, "the directory of named memory is taken away again and again");
}

mproc_status plat_named_create(const char *name, size_t size, const void *head, size_t head_size, plat_named *named)
{
    int state = cancel_hold();
    mproc_status result = named_create_uncancelled(name, size, head, head_size, named);

    cancel_resume(state);
    return result;
}

static mproc_status attach(int directory, const char *name, plat_named *named)
{
    int descriptor = open_used(directory, name);
    plat_handle handle;
    struct stat file;
    mproc_status status;

    if (descriptor < 0) return use_failed(directory, name, "open");
    if ((status = handle_take(descriptor, "named memory", &handle)) != MPROC_OK) return status;
    if (fstat((int)handle, &file) != 0) status = error_system(errno, "cannot read the size of named memory");
    else status = map((int)handle, (size_t)file.st_size, named);
    if (status != MPROC_OK) plat_handle_close(handle);
    return status;
}

static mproc_status named_attach_uncancelled(const char *name, plat_named *named)
{
    int directory = named_open_directory();
    mproc_status status;

    if (directory < 0) return named_refused();
    status = attach(directory, name, named);
    named_close_directory(directory);
    return status;
}

mproc_status plat_named_attach(const char *name, plat_named *named)
{
    int state = cancel_hold();
    mproc_status result = named_attach_uncancelled(name, named);

    cancel_resume(state);
    return result;
}

/* ---- unlink, leave, sweep ------------------------------------------------------------------------ */

/* One user of a file at a time takes its name away: the lock is on the first byte, and ends with the holder. */
static bool lock_name(int descriptor, short how)
{
    struct flock first = {.l_type = how, .l_whence = SEEK_SET, .l_len = 1};
    int result;

    for (int tries = 0; tries < NAMED_TRIES_MAX; tries++) {
        do result = fcntl(descriptor, F_OFD_SETLK, &first);
        while (result != 0 && errno == EINTR);
        if (result == 0 || (errno != EAGAIN && errno != EACCES)) return result == 0;
        plat_clock_sleep_until(plat_clock_now_ns() + TRY_PAUSE_NS);
    }
    errno = ETIMEDOUT;
    return false;
}

static mproc_status unlink_used(int directory, const char *name, int descriptor)
{
    mproc_status status = MPROC_OK;

    if (!lock_name(descriptor, F_WRLCK)) return use_failed(directory, name, "take the name from");
    if (!is_linked(directory, name, descriptor)) status = error_system(ENOENT, "cannot take a name away");
    else if (unlinkat(directory, name, 0) != 0) status = error_system(errno, "cannot take a name away");
    lock_name(descriptor, F_UNLCK);
    return status;
}

mproc_status plat_named_unlink(const char *name, const plat_named *named)
{
    int state = cancel_hold();
    int directory = named_open_directory();
    mproc_status status;

    if (directory < 0) status = named_refused();
    else if (!handle_is_ours(named->handle)) status = handle_lost(named->handle, "take a name away");
    else status = unlink_used(directory, name, (int)named->handle);
    if (directory >= 0) named_close_directory(directory);
    cancel_resume(state);
    return status;
}

/* Trying for the exclusive lock gives the shared one up; the last who leaves gets it. */
void plat_named_leave(const char *name, plat_named *named)
{
    int state = cancel_hold();
    int directory = named->number != 0 ? named_open_directory() : -1;

    named->number = 0;
    if (directory >= 0) {
        bool last = handle_is_ours(named->handle) && lock_file((int)named->handle, LOCK_EX);
        if (last) remove_left_over(directory, name, (int)named->handle);
        named_close_directory(directory);
    }
    cancel_resume(state);
}

/* Nothing of it is cancelled. Of a descriptor that the program has closed the mapping kept the lock on the file. */
void plat_named_close(const char *name, plat_named *named)
{
    bool ours = handle_is_ours(named->handle);

    plat_named_leave(name, named);
    munmap(named->base, named->size);
    plat_handle_close(named->handle);
    if (!ours) plat_named_tidy(name);
}

static void tidy(int directory, const char *name)
{
    int descriptor = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (descriptor < 0) return;
    if (lock_file(descriptor, LOCK_EX)) remove_left_over(directory, name, descriptor);
    close(descriptor);
}

static void named_tidy_uncancelled(const char *name)
{
    int directory = named_open_directory();

    if (directory < 0) return;
    tidy(directory, name);
    named_close_directory(directory);
}

void plat_named_tidy(const char *name)
{
    int state = cancel_hold();

    named_tidy_uncancelled(name);
    cancel_resume(state);
}

static void sweep(const char *path)
{
    int directory = named_open_path(path);
    DIR *files = directory >= 0 ? fdopendir(directory) : NULL;
    struct dirent *entry;

    if (!files) {
        if (directory >= 0) close(directory);
        return;
    }
    while ((entry = readdir(files)))
        if (entry->d_name[0] != '.') tidy(dirfd(files), entry->d_name);
    rmdir(path);
    closedir(files);
}

static void named_sweep_uncancelled(void)
{
    char path[NAMED_PATH_BYTES];

    for (int i = 0; i < NAMED_PARENTS; i++) {
        named_path_in(named_parents[i], path);
        sweep(path);
    }
}

void plat_named_sweep(void)
{
    int state = cancel_hold();

    named_sweep_uncancelled();
    cancel_resume(state);
}
