#include "handle.h"

#include "cancel.h"
#include "error.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#define HANDLES_MAX 8
#define NS_PER_SECOND 1000000000

static int handle_poll(struct pollfd *polled, int count, int64_t deadline_ns);

static void handle_close_uncancelled(plat_handle handle)
{
    if (handle != PLAT_NO_HANDLE) close((int)handle);
}

void plat_handle_close(plat_handle handle)
{
    int state = cancel_hold();

    handle_close_uncancelled(handle);
    cancel_resume(state);
}

mproc_status plat_handle_adopt(plat_handle handle)
{
    if (handle < 0 || handle > INT32_MAX || fcntl((int)handle, F_SETFD, FD_CLOEXEC) != 0) {
        return error_system(EBADF, "cannot take over file descriptor %lld", (long long)handle);
    }
    return MPROC_OK;
}

static mproc_status handle_wait_uncancelled(const plat_handle *handles, int count, int64_t deadline_ns, int *ready)
{
    struct pollfd polled[HANDLES_MAX];

    assert(count >= 1 && count <= HANDLES_MAX);
    for (int i = 0; i < count; i++) {
        assert(handles[i] >= 0); /* poll() would skip it, perhaps for ever */
        polled[i] = (struct pollfd){.fd = (int)handles[i], .events = POLLIN};
    }
    int found = handle_poll(polled, count, deadline_ns);
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

mproc_status plat_handle_wait(const plat_handle *handles, int count, int64_t deadline_ns, int *ready)
{
    int state = cancel_hold();
    mproc_status result = handle_wait_uncancelled(handles, count, deadline_ns, ready);

    cancel_resume(state);
    return result;
}

static int handle_count_uncancelled(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = -1; /* the directory's own descriptor */

    if (directory == NULL) return -1;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') count++;
    }
    closedir(directory);
    return count;
}

int plat_handle_count(void)
{
    int state = cancel_hold();
    int result = handle_count_uncancelled();

    cancel_resume(state);
    return result;
}

static mproc_status handle_take_uncancelled(int descriptor, int number, const char *what, plat_handle *handle)
{
    if (descriptor < 0) return error_system(number, "cannot make %s", what);
    if (descriptor < HANDLE_LOWEST) {
        int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, HANDLE_LOWEST);
        if (moved >= 0 || descriptor <= STDERR_FILENO) {
            close(descriptor);
            descriptor = moved;
        }
    }
    if (descriptor < 0) return error_system(EMFILE, "cannot make %s", what);
    *handle = descriptor;
    return MPROC_OK;
}

mproc_status handle_take(int descriptor, const char *what, plat_handle *handle)
{
    int number = errno, state = cancel_hold();
    mproc_status status = handle_take_uncancelled(descriptor, number, what, handle);

    cancel_resume(state);
    return status;
}

bool handle_is_ready(plat_handle handle)
{
    struct pollfd polled = {.fd = (int)handle, .events = POLLIN};

    return handle_poll(&polled, 1, 0) > 0;
}

/* poll() to an absolute deadline, which signals do not move. */
static int handle_poll(struct pollfd *polled, int count, int64_t deadline_ns)
{
    for (;;) {
        int64_t left_ns = 0;
        if (deadline_ns > 0) left_ns = deadline_ns - plat_clock_now_ns();
        if (left_ns < 0) left_ns = 0;
        struct timespec left = {.tv_sec = left_ns / NS_PER_SECOND, .tv_nsec = left_ns % NS_PER_SECOND};
        int found = ppoll(polled, (nfds_t)count, deadline_ns == PLAT_FOREVER ? NULL : &left, NULL);
        if (found > 0 || (found < 0 && errno != EINTR)) return found;
        if (found == 0 && left_ns == 0) return 0;
    }
}
