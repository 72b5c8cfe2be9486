/* Ends the process that opens the library if it is asked to. */
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void end_if_asked(void)
{
    if (getenv("CREW_MODULE_EXITS") != NULL) _exit(4);
}
