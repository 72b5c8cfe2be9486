/* What this process was given by whoever started it, before the program could change it. */
#ifndef MPROC_POSIX_BIRTH_H
#define MPROC_POSIX_BIRTH_H

#include <stdbool.h>

/* The arguments as they were when the library was loaded, ended with NULL. NULL: nobody has told, or no memory. */
char **birth_arguments(void);

/* The handles of a child have fixed numbers, those after the standard streams. */
#define BIRTH_FIRST_HANDLE 3

#endif
