/* What process.c tells semaphore.c. */
#ifndef MPROC_WIN32_SEMAPHORE_H
#define MPROC_WIN32_SEMAPHORE_H

#include <stdint.h>

/* Closes what was kept for posting to the threads of a process that has ended. */
void win32_semaphore_forget(int64_t pid);

#endif
