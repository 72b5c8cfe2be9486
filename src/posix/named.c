/*
 * Memory with a name is a file in a directory of the user's own, in the file system that is memory. Whoever has it
 * open holds a shared lock on the file, which the system takes away when the process ends; a file that nobody holds
 * is left over, and whoever comes by removes it. All that changes names does so with the directory locked.
 */
#include "error.h"
#include "handle.h"
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

#define PATH_BYTES 64
#define TRY_PAUSE_NS ((int64_t)1000000)
#define LEAVE_TRIES 1000
#define SWEEP_TRIES 50

static void directory_path(char path[PATH_BYTES])
{
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(path, PATH_BYTES, "%s/mproc-%lu", where, (unsigned long)geteuid());
}

/* Whether the name, seen from `directory`, is the open file. */
static bool is_linked(int directory, const char *name, int descriptor)
{
    struct stat named;
    struct stat opened;

    return fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(descriptor, &opened) == 0 &&
           named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

/* Anybody may make directories beside ours: one that others can write to is not ours. */
static bool is_own(int directory)
{
    struct stat is;

    return fstat(directory, &is) == 0 && is.st_uid == geteuid() && (is.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* -1 with errno; EWOULDBLOCK if `how` says not to wait and somebody else has it. */
static int lock_file(int descriptor, int how)
{
    int result;

    do result = flock(descriptor, how);
    while (result != 0 && errno == EINTR);
    return result;
}

static int try_directory(const char *path, int how)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (directory < 0) return -1;
    if (!is_own(directory)) errno = EACCES;
    else if (lock_file(directory, LOCK_EX | how) == 0) return directory;
    int number = errno;
    close(directory);
    errno = number;
    return -1;
}

/*
 * The directory, locked, or -1 with errno. It goes when it is empty: then it is made again, if `make`.
 */
static int open_directory(bool make, int how)
{
    char path[PATH_BYTES];
    int directory;

    directory_path(path);
    for (;;) {
        if (make && mkdir(path, S_IRWXU) != 0 && errno != EEXIST) return -1;
        directory = try_directory(path, how);
        if (directory < 0 && errno == ENOENT && make) continue;
        if (directory < 0 || is_linked(AT_FDCWD, path, directory)) return directory;
        close(directory);
    }
}

static mproc_status refused(void)
{
    char path[PATH_BYTES];
    int number = errno == ENOTDIR || errno == ELOOP ? EACCES : errno; /* somebody has put another thing there */

    directory_path(path);
    return error_system(number, "cannot open %s, where the named memory of this user is", path);
}

/* Unlocked before: a fork() copy of this process may have the descriptor, too, and keep it. */
static void close_directory(int directory)
{
    char path[PATH_BYTES];

    directory_path(path);
    rmdir(path); /* if there is nothing in it */
    flock(directory, LOCK_UN);
    close(directory);
}

/* Whether nobody has the file open that we have opened. If so, no one will: the directory is locked. */
static bool is_left_over(int descriptor)
{
    return lock_file(descriptor, LOCK_EX | LOCK_NB) == 0;
}

/* The file, of which this process is a user from now on; -1 with errno. */
static int open_used(int directory, const char *name)
{
    int descriptor = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (descriptor < 0) return -1;
    if (!is_left_over(descriptor)) {
        if (lock_file(descriptor, LOCK_SH) == 0) return descriptor;
    } else {
        unlinkat(directory, name, 0);
        errno = ENOENT;
    }
    int number = errno;
    close(descriptor);
    errno = number;
    return -1;
}

static int create_used(int directory, const char *name)
{
    int descriptor = open_used(directory, name);

    if (descriptor >= 0) {
        close(descriptor);
        errno = EEXIST;
        return -1;
    }
    if (errno != ENOENT) return -1;
    descriptor = openat(directory, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0 || lock_file(descriptor, LOCK_SH) == 0) return descriptor;
    int number = errno; /* without the lock it would be left over */
    unlinkat(directory, name, 0);
    close(descriptor);
    errno = number;
    return -1;
}

static mproc_status map(int descriptor, size_t size, plat_named *named)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    if (base == MAP_FAILED) return error_system(errno, "cannot map %zu bytes of shared memory", size);
    *named = (plat_named){.index = PLAT_NO_HANDLE, .number = 1, .base = base, .size = size};
    return MPROC_OK;
}

static mproc_status fill(int descriptor, size_t size, const void *head, size_t head_size, plat_named *named)
{
    MPROC_TRY(plat_memory_commit(descriptor, NULL, 0, size));
    MPROC_TRY(map(descriptor, size, named));
    memcpy(named->base, head, head_size);
    return MPROC_OK;
}

mproc_status plat_named_create(const char *name, size_t size, const void *head, size_t head_size, plat_named *named)
{
    size_t page = plat_memory_page();
    int directory = open_directory(true, 0);
    plat_handle handle;
    mproc_status status;

    if (directory < 0) return refused();
    status = handle_take(create_used(directory, name), "named memory", &handle);
    if (status == MPROC_OK) {
        status = fill((int)handle, (size + page - 1) / page * page, head, head_size, named);
        if (status == MPROC_OK) {
            named->handle = handle;
        } else {
            unlinkat(directory, name, 0);
            plat_handle_close(handle);
        }
    }
    close_directory(directory);
    return status;
}

static mproc_status attach(int directory, const char *name, plat_named *named)
{
    plat_handle handle;
    struct stat file;
    mproc_status status;

    MPROC_TRY(handle_take(open_used(directory, name), "named memory", &handle));
    if (fstat((int)handle, &file) != 0) status = error_system(errno, "cannot read the size of named memory");
    else status = map((int)handle, (size_t)file.st_size, named);
    if (status == MPROC_OK) named->handle = handle;
    else plat_handle_close(handle);
    return status;
}

mproc_status plat_named_attach(const char *name, plat_named *named)
{
    int directory = open_directory(false, 0);
    mproc_status status;

    if (directory < 0) return refused();
    status = attach(directory, name, named);
    close_directory(directory);
    return status;
}

mproc_status plat_named_unlink(const char *name, const plat_named *named)
{
    int directory = open_directory(false, 0);
    mproc_status status = MPROC_OK;

    if (directory < 0) return refused();
    if (!is_linked(directory, name, (int)named->handle)) status = error_system(ENOENT, "cannot take a name away");
    else if (unlinkat(directory, name, 0) != 0) status = error_system(errno, "cannot take a name away");
    close_directory(directory);
    return status;
}

/* Does not wait for ever: somebody may have been stopped with the directory locked. -1: what is to be done, waits. */
static int try_open_directory(int tries)
{
    int directory = open_directory(false, LOCK_NB);

    while (tries-- > 0 && directory < 0 && errno == EWOULDBLOCK) {
        plat_clock_sleep_until(plat_clock_now_ns() + TRY_PAUSE_NS);
        directory = open_directory(false, LOCK_NB);
    }
    return directory;
}

/* Without the directory, for want of descriptors perhaps, the name stays until somebody comes by. */
void plat_named_leave(const char *name, plat_named *named)
{
    int directory = named->number != 0 ? try_open_directory(LEAVE_TRIES) : -1;

    named->number = 0;
    if (directory < 0) return;
    if (is_left_over((int)named->handle) && is_linked(directory, name, (int)named->handle))
        unlinkat(directory, name, 0);
    close_directory(directory);
}

void plat_named_close(const char *name, plat_named *named)
{
    plat_named_leave(name, named);
    munmap(named->base, named->size);
    plat_handle_close(named->handle);
}

static void sweep(DIR *files)
{
    struct dirent *entry;

    while ((entry = readdir(files)) != NULL) {
        int descriptor;
        if (entry->d_name[0] == '.') continue;
        descriptor = open_used(dirfd(files), entry->d_name);
        if (descriptor >= 0) close(descriptor);
    }
}

void plat_named_sweep(void)
{
    int directory = try_open_directory(SWEEP_TRIES), copy;
    DIR *files;

    if (directory < 0) return;
    copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    files = copy >= 0 ? fdopendir(copy) : NULL;
    if (files != NULL) {
        sweep(files);
        closedir(files);
    } else if (copy >= 0) {
        close(copy);
    }
    close_directory(directory);
}
