#include "memory.h"

#include "birth.h"
#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(void *) == 8 && sizeof(off_t) == 8, "64-bit systems only");

/* Not in the headers of older systems. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MEMORY_RESERVE_MAX ((size_t)64 << 30)
/* A leak checker looks at all of it, page by page. */
#define MEMORY_RESERVE_EMULATED ((size_t)64 << 20)
#define MEMORY_RESERVE_MIN ((size_t)16 << 20)
#define MEMORY_ZEROS 65536

/* While the system allocates or frees pages of a file, nobody else can: so not more than this at a time. */
#define MEMORY_STEP ((off_t)2 << 20)

static const char memory_zeros[MEMORY_ZEROS];

static int64_t memory_mapped_now(void);
static int memory_open_nameless(void);
static int memory_open_file(void);
static int memory_open_file_in(const char *directory);
static size_t memory_missing(int descriptor, off_t offset, off_t size);
static bool memory_reaches(int descriptor, off_t end);
static int memory_populate(char *at, off_t size);
static int memory_allocate(int descriptor, off_t offset, off_t size);
static int memory_grow_by_writing(int descriptor, off_t end);
static bool memory_punch(int descriptor, off_t from, off_t end);
static void memory_remove(char *place, size_t size);
static void memory_clear(int descriptor, off_t from, off_t end);

size_t plat_memory_reserve_max(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    size_t size = birth_emulated() ? MEMORY_RESERVE_EMULATED : MEMORY_RESERVE_MAX;

    /* Parts of it are committed at its very end, which a limit on the size of files must allow. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        while (size > MEMORY_RESERVE_MIN && size > limit.rlim_cur) size /= 2;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return size;
    rlim_t mapped = (rlim_t)memory_mapped_now();
    rlim_t left = limit.rlim_cur > mapped ? limit.rlim_cur - mapped : 0;
    while (size > MEMORY_RESERVE_MIN && size > left / 4) size /= 2;
    return size;
}

size_t plat_memory_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* The file is empty: its size is what was committed, so that a touch beyond it is a fault. */
static mproc_status memory_create_uncancelled(size_t reserve, plat_handle *memory)
{
    int descriptor = memory_open_nameless();
    int refusal = errno;

    if (descriptor < 0 && (refusal == EPERM || refusal == EACCES || refusal == ENOSYS)) {
        descriptor = memory_open_file();
        if (descriptor < 0) {
            return error_system_as(error_status(errno), refusal,
                                   "cannot make shared memory, nor a file for it in /dev/shm, $TMPDIR or /tmp (%s)",
                                   strerror(errno));
        }
    }
    /* A fault costs a leak checker milliseconds: there the file has its whole size, though nothing is allocated. */
    if (birth_emulated() && descriptor >= 0 && ftruncate(descriptor, (off_t)reserve) != 0) {
        mproc_status status = error_system(errno, "cannot make shared memory of %zu bytes", reserve);
        close(descriptor);
        return status;
    }
    return handle_take(descriptor, "shared memory", memory);
}

mproc_status plat_memory_create(size_t reserve, plat_handle *memory)
{
    int state = cancel_hold();
    mproc_status result = memory_create_uncancelled(reserve, memory);

    cancel_resume(state);
    return result;
}

mproc_status plat_memory_map(plat_handle memory, size_t reserve, void **base)
{
    void *place = mmap(NULL, reserve, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, (int)memory, 0);

    if (place == MAP_FAILED) return error_system(errno, "cannot map %zu bytes of shared memory", reserve);
    madvise(place, reserve, MADV_DONTDUMP);
    *base = place;
    return MPROC_OK;
}

void plat_memory_unmap(void *base, size_t reserve)
{
    if (base) munmap(base, reserve);
}

/*
 * fallocate() keeps all others from allocating in the file until it is done, and waits for who gives memory back; a
 * page that is touched does neither. So a large range is touched, and any range for which the file is long enough: by
 * the kernel, which says so where it finds no memory. Its last page makes the file long enough, as nobody could touch
 * what is beyond the end. Without a mapping (`base` NULL), or before Linux 5.14, nothing can be touched.
 */
static int memory_commit_range(int descriptor, char *base, off_t offset, off_t size)
{
    off_t page = (off_t)plat_memory_page();
    bool reaches = memory_reaches(descriptor, offset + size);
    int result = -1;

    if (base && (size > MEMORY_STEP || reaches)) {
        if (!reaches && memory_allocate(descriptor, offset + size - page, page) != 0) return -1;
        result = memory_populate(base + offset, size);
        if (result == 0 || errno != EINVAL) return result;
    }
    for (off_t done = 0; done < size; done += MEMORY_STEP) {
        off_t step = size - done < MEMORY_STEP ? size - done : MEMORY_STEP;
        if ((result = memory_allocate(descriptor, offset + done, step)) != 0) break;
    }
    return result;
}

/* Beyond RLIMIT_FSIZE the system sends SIGXFSZ, which ends the process. fallocate() refuses a size of 0. */
mproc_status plat_memory_commit(plat_handle memory, void *base, size_t offset, size_t size)
{
    int state = cancel_hold(), descriptor = (int)memory;
    mproc_status status = MPROC_OK;
    struct rlimit limit;

    assert(offset % plat_memory_page() == 0 && size % plat_memory_page() == 0);
    if (size == 0) goto done; /* fallocate() refuses it */
    if (!handle_is_ours(memory)) {
        status = handle_lost(memory, "commit shared memory");
        goto done;
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && offset + size > limit.rlim_cur) {
        status = error_system(EFBIG, "cannot grow shared memory to %zu bytes", offset + size);
        goto done;
    }
    size_t missing = memory_missing(descriptor, (off_t)offset, (off_t)size);
    if (missing > 0 && (status = memory_check_room(missing)) != MPROC_OK) goto done;
    if (memory_commit_range(descriptor, base, (off_t)offset, (off_t)size) != 0)
        status = error_system(errno, "cannot commit %zu bytes of shared memory at %zu", size, offset);
done:
    cancel_resume(state);
    return status;
}

void plat_memory_release(plat_handle memory, void *base, size_t offset, size_t size)
{
    int state = cancel_hold(), descriptor = (int)memory;
    off_t end = (off_t)(offset + size);

    assert(offset % plat_memory_page() == 0 && size % plat_memory_page() == 0);
    bool ours = handle_is_ours(memory);
    if (!ours) memory_remove((char *)base + offset, size);
    for (off_t from = (off_t)offset; ours && from < end; from += MEMORY_STEP) {
        off_t until = end - from < MEMORY_STEP ? end : from + MEMORY_STEP;
        if (!memory_punch(descriptor, from, until)) memory_clear(descriptor, from, until);
    }
    cancel_resume(state);
}

bool plat_memory_peek(plat_handle memory, void *bytes, size_t size)
{
    struct stat file;

    if (memory < 0 || memory > INT_MAX || fstat((int)memory, &file) != 0 || !S_ISREG(file.st_mode)) return false;
    int state = cancel_hold();
    ssize_t got = pread((int)memory, bytes, size, 0);
    cancel_resume(state);
    return got == (ssize_t)size;
}

/* The first numbers of /proc/self/statm: pages of address space, those in RAM, and of these what is shared. */
static bool memory_read_pages(long long pages[3])
{
    char text[64] = "";
    int state = cancel_hold();
    int descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t count = descriptor >= 0 ? read(descriptor, text, sizeof text - 1) : 0;

    if (descriptor >= 0) close(descriptor);
    cancel_resume(state);
    return count > 0 && sscanf(text, "%lld %lld %lld", &pages[0], &pages[1], &pages[2]) == 3;
}

uint64_t plat_memory_own(void)
{
    long long pages[3];

    return memory_read_pages(pages) && pages[1] > pages[2] ? (uint64_t)(pages[1] - pages[2]) * plat_memory_page() : 0;
}

/* Bytes of address space in use; 0 without /proc. */
static int64_t memory_mapped_now(void)
{
    long long pages[3];

    return memory_read_pages(pages) ? pages[0] * (int64_t)plat_memory_page() : 0;
}

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL; later ones may be set (vm.memfd_noexec) to insist on it. */
static int memory_open_nameless(void)
{
    int descriptor = memfd_create("mproc", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create("mproc", MFD_CLOEXEC);
    return descriptor;
}

static int memory_open_file(void)
{
    const char *directories[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    int descriptor = -1;

    for (int i = 0; i < 3 && descriptor < 0; i++) {
        if (directories[i]) descriptor = memory_open_file_in(directories[i]);
    }
    return descriptor;
}

/* Not every file system has files without a name: there it has one for a moment. */
static int memory_open_file_in(const char *directory)
{
    int descriptor = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    size_t size = strlen(directory) + sizeof "/mproc-XXXXXX";

    if (descriptor >= 0) return descriptor;
    char *path = malloc(size);
    if (!path) return -1;
    snprintf(path, size, "%s/mproc-XXXXXX", directory);
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    free(path);
    return descriptor;
}

/*
 * How much of the range must still be allocated, at most: all holes of the file may lie in it. Only an
 * estimate, for the check of what is left: file systems count blocks of their own too.
 */
static size_t memory_missing(int descriptor, off_t offset, off_t size)
{
    struct stat file;

    if (fstat(descriptor, &file) != 0) return (size_t)size;
    off_t end = offset + size > file.st_size ? offset + size : file.st_size;
    off_t allocated = (off_t)file.st_blocks * 512;
    off_t holes = end > allocated ? end - allocated : 0;
    return (size_t)(holes < size ? holes : size);
}

static bool memory_reaches(int descriptor, off_t end)
{
    struct stat file;

    return fstat(descriptor, &file) == 0 && file.st_size >= end;
}

/* EINVAL: the kernel is older than 5.14. */
static int memory_populate(char *at, off_t size)
{
    for (off_t done = 0; done < size; done += MEMORY_STEP) {
        off_t step = size - done < MEMORY_STEP ? size - done : MEMORY_STEP;
        int result;
        do result = madvise(at + done, (size_t)step, MADV_POPULATE_WRITE);
        while (result != 0 && (errno == EINTR || errno == EAGAIN));
        if (result == 0) continue;
        if (errno != EINVAL) errno = ENOMEM; /* EFAULT is what a touch would have got: SIGBUS */
        return -1;
    }
    return 0;
}

/*
 * posix_fallocate() is not used: where the file system cannot, it writes into the range, over what another process
 * has written there meanwhile. Signals are blocked, because the kernel gives up and undoes all when one
 * arrives: under a fast interval timer, a large range would never be finished.
 */
static int memory_allocate(int descriptor, off_t offset, off_t size)
{
    sigset_t all;
    sigset_t saved;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved);
    do result = fallocate(descriptor, 0, offset, size);
    while (result != 0 && errno == EINTR);
    if (result != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        result = memory_grow_by_writing(descriptor, offset + size);
    }
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    errno = number;
    return result;
}

/*
 * Writes zeros from the end of the file on, never before it: there somebody's data may lie. The file lock is
 * among processes, the mutex among threads; both are needed, for the lock does not keep out threads of its process.
 */
static int memory_grow_by_writing(int descriptor, off_t end)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat file;
    int result = -1;

    pthread_mutex_lock(&mutex);
    if (fcntl(descriptor, F_SETLKW, &lock) != 0) goto done;
    if (fstat(descriptor, &file) == 0) result = 0;
    while (result == 0 && file.st_size < end) {
        size_t count = end - file.st_size < MEMORY_ZEROS ? (size_t)(end - file.st_size) : MEMORY_ZEROS;
        ssize_t written = pwrite(descriptor, memory_zeros, count, file.st_size);
        if (written < 0) result = -1;
        else file.st_size += written;
    }
    int number = errno;
    lock.l_type = F_UNLCK;
    fcntl(descriptor, F_SETLK, &lock);
    errno = number;
done:
    pthread_mutex_unlock(&mutex);
    return result;
}

static bool memory_punch(int descriptor, off_t from, off_t end)
{
    int result;

    do result = fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, end - from);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

/* Without its descriptor: by the addresses. It must be zero, whatever the system can. */
static void memory_remove(char *place, size_t size)
{
    if (madvise(place, size, MADV_REMOVE) != 0) memset(place, 0, size);
}

/* For file systems that cannot. What cannot be written is a hole, and zero already. */
static void memory_clear(int descriptor, off_t from, off_t end)
{
    struct stat file;

    if (fstat(descriptor, &file) == 0 && file.st_size < end) end = file.st_size;
    while (from < end) {
        ssize_t written =
            pwrite(descriptor, memory_zeros, end - from < MEMORY_ZEROS ? (size_t)(end - from) : MEMORY_ZEROS, from);
        from += written > 0 ? written : MEMORY_ZEROS;
    }
}
