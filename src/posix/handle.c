#include "handle.h"

#include "cancel.h"
#include "error.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HANDLES_MAX 8
#define NS_PER_SECOND 1000000000

/* Higher numbers are taken for ours: who closes by number ends before, and 0 stands for one that is not known. */
#define HANDLES_KNOWN 65536
static _Atomic uint32_t handle_known[HANDLES_KNOWN];

static uint32_t handle_look(int descriptor);

/* Forgotten before it is closed: then another thread may get the number. */
void plat_handle_close(plat_handle handle)
{
    int state = cancel_hold();

    if (handle != PLAT_NO_HANDLE) {
        bool ours = handle_is_ours(handle);
        if (handle >= 0 && handle < HANDLES_KNOWN) atomic_store(&handle_known[handle], 0);
        if (ours) close((int)handle);
    }
    cancel_resume(state);
}

mproc_status plat_handle_adopt(plat_handle handle)
{
    if (handle < 0 || handle > INT32_MAX || fcntl((int)handle, F_SETFD, FD_CLOEXEC) != 0) {
        return error_system(EBADF, "cannot take over file descriptor %lld", (long long)handle);
    }
    handle_remember((int)handle);
    return MPROC_OK;
}

void handle_remember(int descriptor)
{
    if (descriptor < HANDLES_KNOWN) atomic_store(&handle_known[descriptor], handle_look(descriptor));
}

bool handle_is_ours(plat_handle handle)
{
    if (handle < 0 || handle >= HANDLES_KNOWN) return handle >= 0;
    uint32_t known = atomic_load(&handle_known[handle]);
    return known == 0 || known == handle_look((int)handle);
}

mproc_status handle_lost(plat_handle handle, const char *what)
{
    return mproc_error(MPROC_INVALID,
                       "cannot %s: the program has closed file descriptor %lld, which the library has: close the "
                       "program's own alone, or all of them before the first call of the library",
                       what, (long long)handle);
}

/* What tells one thing from another, never 0; 0: there is nothing. */
static uint32_t handle_look(int descriptor)
{
    struct stat file;

    if (fstat(descriptor, &file) != 0) return 0;
    uint64_t mixed = ((uint64_t)file.st_ino * 31 + (uint64_t)file.st_dev) * 31 + (file.st_mode & S_IFMT);
    return (uint32_t)(mixed ^ mixed >> 32) | 1;
}

mproc_status plat_handle_wait(const plat_handle *handles, int count, int64_t deadline_ns, int *ready)
{
    struct pollfd polled[HANDLES_MAX];

    assert(count >= 1 && count <= HANDLES_MAX);
    for (int i = 0; i < count; i++) {
        assert(handles[i] >= 0); /* poll() would skip it, perhaps for ever */
        if (!handle_is_ours(handles[i])) return handle_lost(handles[i], "wait");
        polled[i] = (struct pollfd){.fd = (int)handles[i], .events = POLLIN};
    }
    int state = cancel_hold();
    int found = handle_poll(polled, count, deadline_ns);
    cancel_resume(state);
    if (found < 0) return error_system(errno, "cannot wait for %d file descriptors", count);
    if (found == 0) return MPROC_TIMEOUT;
    for (int i = 0; i < count; i++) {
        if ((polled[i].revents & POLLNVAL) != 0) {
            return error_system(EBADF, "cannot wait for file descriptor %d", polled[i].fd);
        }
    }
    for (int i = count - 1; i >= 0; i--) {
        if (polled[i].revents != 0) *ready = i;
    }
    return MPROC_OK;
}

int plat_handle_count(void)
{
    int state = cancel_hold();
    DIR *directory = opendir("/proc/self/fd");
    int count = -1; /* the directory's own descriptor */

    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] != '.') count++;
    }
    if (directory) closedir(directory);
    cancel_resume(state);
    return count;
}

mproc_status handle_take(int descriptor, const char *what, plat_handle *handle)
{
    int number = errno;
    int state = cancel_hold();

    if (descriptor >= 0 && descriptor < HANDLE_LOWEST) {
        int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, HANDLE_LOWEST);
        if (moved >= 0 || descriptor <= STDERR_FILENO) {
            close(descriptor);
            descriptor = moved;
            number = EMFILE;
        }
    }
    /* A number that is remembered is that of a thing that the program has closed: who has that must not take this. */
    while (descriptor >= 0 && descriptor < HANDLES_KNOWN && atomic_load(&handle_known[descriptor]) != 0) {
        int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, descriptor + 1);
        number = errno;
        close(descriptor);
        descriptor = moved;
    }
    cancel_resume(state);
    if (descriptor < 0) return error_system(number, "cannot make %s", what);
    handle_remember(descriptor);
    *handle = descriptor;
    return MPROC_OK;
}

bool handle_is_ready(plat_handle handle)
{
    struct pollfd polled = {.fd = (int)handle, .events = POLLIN};

    return handle_poll(&polled, 1, 0) > 0;
}

int handle_poll(struct pollfd *polled, size_t count, int64_t deadline_ns)
{
    for (;;) {
        int64_t left_ns = 0;
        if (deadline_ns > 0) left_ns = deadline_ns - plat_clock_now_ns();
        if (left_ns < 0) left_ns = 0;
        struct timespec left = {.tv_sec = left_ns / NS_PER_SECOND, .tv_nsec = left_ns % NS_PER_SECOND};
        int found = ppoll(polled, (nfds_t)count, deadline_ns == PLAT_FOREVER ? NULL : &left, NULL);
        if (found < 0 && errno == EINVAL) errno = EMFILE; /* what it says to more than the limit on open files */
        if (found > 0 || (found < 0 && errno != EINTR)) return found;
        if (found == 0 && left_ns == 0) return 0;
    }
}
