/* What this process was given by whoever started it, before the program could change it. */
#ifndef MPROC_POSIX_BIRTH_H
#define MPROC_POSIX_BIRTH_H

#include <stdbool.h>

/* The arguments as they were when the library was loaded, ended with NULL. NULL: nobody has told, or no memory. */
char **birth_arguments(void);

/* Whether valgrind runs this process: its checker looks at each mapped page, and it knows only older calls. */
bool birth_emulated(void);

/* The handles of a child have fixed numbers, those after the standard streams. */
#define BIRTH_FIRST_HANDLE 3

/*
 * Where the system cannot watch a process by a descriptor, the child holds a pipe by this number: its end is the
 * child's. The last of its handles, which is nobody else's then.
 */
#define BIRTH_END_HANDLE (BIRTH_FIRST_HANDLE + 3)

#endif
