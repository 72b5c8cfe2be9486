/* Ends the process that opens the library if it is asked to. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void end_if_asked(void)
{
    /* Past the C library: a thread sanitizer takes an _exit() in the midst of a dlopen() for a fault. */
    if (getenv("POOL_MODULE_EXITS") != NULL) syscall(SYS_exit_group, 4);
}
