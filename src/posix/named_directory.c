/* Where the files of named memory lie: the directory of the user's own names. */
#include "named_directory.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

const char *const named_parents[NAMED_PARENTS] = {"/dev/shm", "/tmp"};

void named_path_in(const char *parent, char path[NAMED_PATH_BYTES])
{
    snprintf(path, NAMED_PATH_BYTES, "%s/mproc-%lu", parent, (unsigned long)geteuid());
}

void named_path(char path[NAMED_PATH_BYTES])
{
    named_path_in(access(named_parents[0], W_OK) == 0 ? named_parents[0] : named_parents[1], path);
}

/*
 * Anybody may make directories beside ours: one that others can write to is not ours. One of ours that we may not
 * write to was made under a umask, by a process that was killed before it could set the mode.
 */
static bool is_own(int directory)
{
    struct stat is;

    if (fstat(directory, &is) != 0 || is.st_uid != geteuid() || (is.st_mode & (S_IRWXG | S_IRWXO)) != 0) return false;
    return (is.st_mode & S_IRWXU) == S_IRWXU || fchmod(directory, S_IRWXU) == 0;
}

/* As is_own(), where the mode does not let us open it. */
static void make_accessible(const char *path)
{
    struct stat is;

    if (lstat(path, &is) == 0 && S_ISDIR(is.st_mode) && is.st_uid == geteuid() && (is.st_mode & S_IRWXU) != S_IRWXU)
        chmod(path, S_IRWXU);
}

int named_open_path(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (directory < 0 && errno == EACCES) {
        make_accessible(path);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (directory < 0 || is_own(directory)) return directory;
    close(directory);
    errno = EACCES;
    return -1;
}

/* It goes when it is empty: then it is made again. The mode is set, as a umask takes from what mkdir() is given. */
int named_make_directory(void)
{
    char path[NAMED_PATH_BYTES];
    int directory;

    named_path(path);
    for (int tries = 0; tries < NAMED_TRIES_MAX; tries++) {
        if (mkdir(path, S_IRWXU) == 0) chmod(path, S_IRWXU);
        else if (errno != EEXIST) return -1;
        directory = named_open_path(path);
        if (directory >= 0 || errno != ENOENT) return directory;
    }
    return -1;
}

int named_open_directory(void)
{
    char path[NAMED_PATH_BYTES];

    named_path(path);
    return named_open_path(path);
}

const char *named_kind(mode_t mode)
{
    if (S_ISLNK(mode)) return "a symbolic link";
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISSOCK(mode)) return "a socket";
    if (S_ISFIFO(mode)) return "a pipe";
    return S_ISREG(mode) ? "a file" : "a device";
}

mproc_status named_refused(void)
{
    char path[NAMED_PATH_BYTES];
    struct stat is;
    int number = errno;

    named_path(path);
    if (lstat(path, &is) != 0 || (number != EACCES && number != ENOTDIR && number != ELOOP))
        return error_system(number, "cannot open %s, where the named memory of this user is", path);
    if (!S_ISDIR(is.st_mode))
        return mproc_error(MPROC_PERMISSION,
                           "cannot have named memory in %s, which is %s and no directory (errno %d): remove it", path,
                           named_kind(is.st_mode), number);
    if (is.st_uid != geteuid())
        return mproc_error(MPROC_PERMISSION,
                           "cannot have named memory in %s, which is user %lu's and not this one's (errno %d): have "
                           "it removed",
                           path, (unsigned long)is.st_uid, number);
    if ((is.st_mode & (S_IRWXG | S_IRWXO)) == 0) return error_system(number, "cannot open %s", path);
    return mproc_error(MPROC_PERMISSION,
                       "cannot have named memory in %s, which is open to others (mode %04o, errno %d): chmod 700 %s",
                       path, (unsigned)is.st_mode & 07777, number, path);
}

void named_close_directory(int directory)
{
    char path[NAMED_PATH_BYTES];
    int number = errno;

    named_path(path);
    rmdir(path);
    close(directory);
    errno = number;
}
