#include "platform.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000

/* The kernel's numbers: its own header is not installed with every C library. */
#define FUTEX_WAKE 1
#define FUTEX_WAIT_BITSET 9
#define FUTEX_BITSET_MATCH_ANY 0xffffffffU

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel reads the word as plain 32 bits");

/* Not FUTEX_PRIVATE: the word lies in memory that processes share. FUTEX_WAIT_BITSET takes an absolute time. */
mproc_status plat_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    int64_t until_ns = deadline_ns > 0 ? deadline_ns : 0;
    struct timespec until = {.tv_sec = until_ns / NS_PER_SECOND, .tv_nsec = until_ns % NS_PER_SECOND};

    if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline_ns == PLAT_FOREVER ? NULL : &until, NULL,
                FUTEX_BITSET_MATCH_ANY) == 0) {
        return MPROC_OK;
    }
    assert(errno == ETIMEDOUT || errno == EAGAIN || errno == EINTR);
    return errno == ETIMEDOUT ? MPROC_TIMEOUT : MPROC_OK;
}

int plat_futex_wake(_Atomic uint32_t *word, int count)
{
    int saved = errno;
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);

    errno = saved;
    return woken > 0 ? (int)woken : 0;
}
