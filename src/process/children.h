/* The started children of this process that have not ended. */
#ifndef MPROC_PROCESS_CHILDREN_H
#define MPROC_PROCESS_CHILDREN_H

#include "process/process.h"

/*
 * Enters a process that is about to be started, whose mutex the caller has, and makes its sentinel: a fork() copy
 * that is made from then on closes that. The list has its own reference. `*child_end` is the child's end.
 * MPROC_BAD_STATE: children_close() was called.
 */
mproc_status children_add(mproc_process *process, plat_handle *child_end);

/*
 * From now on none enters; the first `why`, a constant text, is what starts are refused with. One that has entered
 * may still be on its way: its mutex is free when it has started, or has not.
 */
void children_close(const char *why);

/*
 * Takes it out when it has ended, or was not started after all. The caller has a reference of its own, or the
 * creator's: so the list's is never the last.
 */
void children_remove(mproc_process *process);

/* Gives the one with this token, with a reference; NULL: it is not in the list. */
mproc_process *children_find(uint64_t token);

/* Gives the next child after `previous` (NULL: the first) with a reference; drops the one of `previous`. */
mproc_process *children_next(mproc_process *previous);

void children_retain(mproc_process *process);
void children_release(mproc_process *process);

/* The same, but what it was the last reference to is the caller's to destroy: true. */
bool children_drop(mproc_process *process);

/* Around fork(): the list is consistent, and in the copy all sentinels are closed. */
void children_fork_begins(void);
void children_fork_ends(void);
void children_forked(void);

#endif
