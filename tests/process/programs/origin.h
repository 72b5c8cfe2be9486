/* What origin.c needs of the system: origin_posix.c, origin_win32.c. */
#ifndef ORIGIN_H
#define ORIGIN_H

/* Takes MPROC_CHILD, or all variables, out of the environment. */
void origin_clear(void);

void origin_set(const char *name, const char *value);

/* Ends this process and goes on in a copy of it. */
void origin_fork(void);

#endif
