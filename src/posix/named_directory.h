/* The directory that a user's named memory lies in, for the two files that know of it. */
#ifndef MPROC_POSIX_NAMED_DIRECTORY_H
#define MPROC_POSIX_NAMED_DIRECTORY_H

#include <sys/stat.h>

#include "platform.h"

#define NAMED_PATH_BYTES 64

/* How often is tried what others may undo again and again. */
#define NAMED_TRIES_MAX 1000

/* The first in which this user may write has new names; memory of earlier programs may lie in either. */
enum { NAMED_PARENTS = 2 };
extern const char *const named_parents[NAMED_PARENTS];

/* Writes the path of the directory in this parent, and of the one that has new names. */
void named_path_in(const char *parent, char path[NAMED_PATH_BYTES]);
void named_path(char path[NAMED_PATH_BYTES]);

/* Each opens it if it is safe from others; -1 with errno. Make also makes it. */
int named_make_directory(void);
int named_open_directory(void);
int named_open_path(const char *path);

/* Closes it, and removes it if there is nothing in it. Keeps errno. */
void named_close_directory(int directory);

/* The status for one that could not be opened (errno), with a text: somebody may have put another thing there. */
mproc_status named_refused(void);

/* What it is, in words: "a socket". */
const char *named_kind(mode_t mode);

#endif
