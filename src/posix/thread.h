/* What the start of processes needs to know of threads. */
#ifndef MPROC_POSIX_THREAD_H
#define MPROC_POSIX_THREAD_H

#include <signal.h>

/*
 * The signal mask of the host's thread on whose behalf the calling thread of the library works: the one
 * that started it. NULL in a thread that does not block all signals: its own mask is the host's.
 */
const sigset_t *thread_host_mask(void);

#endif
