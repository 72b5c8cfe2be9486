/* What a new process does between its birth and its program, and two ways to have it done. */
#ifndef MPROC_POSIX_SPAWN_ORDER_H
#define MPROC_POSIX_SPAWN_ORDER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Three streams, what is left, and the directory; each handle is one more. */
#define SPAWN_STEPS 5

typedef enum spawn_act {
    SPAWN_OPEN_NULL,  /* `number` becomes /dev/null */
    SPAWN_COPY,       /* `number` becomes what `from` is, without close-on-exec, also if they are the same */
    SPAWN_CLOSE,      /* `number` is closed, if it is open */
    SPAWN_CLOSE_FROM, /* `number` and all above it are closed, or at least not inherited */
    SPAWN_ENTER       /* `directory` becomes the working directory */
} spawn_act;

typedef struct spawn_step {
    spawn_act act;
    int number;
    int from;
    const char *directory;
} spawn_step;

/* The steps are done in their order. Signals that the calling process catches have their default disposition. */
typedef struct spawn_order {
    const char *path;
    char *const *arguments;
    char **environment;
    spawn_step *steps;
    int step_count;
    sigset_t mask;
    sigset_t defaults; /* these of SIGINT and SIGTERM have their default disposition, though they are ignored here */
} spawn_order;

/*
 * Both ways return 0, or an errno, and then there is no process. EMFILE: a number of the child's is not below the
 * limit on open files, or this process has none left.
 */

/*
 * By one clone3(), which also makes the descriptor of the process (with close-on-exec; any number). ENOSYS: this
 * system cannot do it. Takes a hundred system calls less than posix_spawn(), which asks for each signal and sets it.
 */
int spawn_by_clone(const spawn_order *order, pid_t *pid, int *descriptor);

/* By posix_spawn(). */
int spawn_by_library(const spawn_order *order, pid_t *pid);

#endif
