/* What the start of a process shares with the rest of its life. */
#ifndef MPROC_POSIX_PROCESS_H
#define MPROC_POSIX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* pidfd_open(), which older C libraries do not have: a descriptor with close-on-exec, or -1 and errno. */
int process_open_descriptor(int64_t pid);

/* Whether the system has no such descriptors for us: an old kernel, a sandbox, an emulator. Learned once. */
bool process_has_no_descriptors(void);

/* Whether this errno of process_open_descriptor() says that there is no such process any more. */
bool process_is_gone(int number);

/* How many threads of this process have not ended, or -1 if the system does not tell. */
int64_t process_threads(void);

/* Whether the library has made this process ignore SIGINT, which a child would inherit. */
bool process_ignores_interrupts(void);

#endif
