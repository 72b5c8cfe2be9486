/*
 * The started children of this process that have not ended, and the reaper: the one thread that
 * this library starts for processes, with the first of them. It collects each child that ends,
 * whether or not somebody joins it, and recovers what it held. It runs no code of the user.
 */
#ifndef MPROC_PROCESS_CHILDREN_H
#define MPROC_PROCESS_CHILDREN_H

#include "process/process.h"

/* Starts the reaper if it does not run yet. */
mproc_status children_prepare(void);

/* Whether the reaper was started: if not, there never were children. */
bool children_prepared(void);

/*
 * Enters a process that is about to be started, whose mutex the caller has, and makes its sentinel: a fork() copy
 * that is made from then on closes that. The list has its own reference. `*watched` is the child's end.
 */
mproc_status children_add(mproc_process *process, plat_handle *watched);

/*
 * The reaper watches a child from its start on. A thread that waits for the process itself need not share its end
 * with the reaper: that would wake two threads, one of them for nothing. Between the two calls the reaper does not
 * watch it.
 */
void children_unwatch(mproc_process *process);
mproc_status children_watch(mproc_process *process);

/* Takes it out when it has ended, or was not started after all. */
void children_remove(mproc_process *process);

/* One more child has ended whose slot is not recovered: the reaper calls process_recover() until it is. */
void children_retry(void);

/* There may be orphans: the reaper looks for their ends from now on. */
void children_look(void);

void children_retain(mproc_process *process);
void children_release(mproc_process *process);

/* Gives the next child after `previous` (NULL: the first) with a reference; drops the one of `previous`. */
mproc_process *children_next(mproc_process *previous);

/* Around fork(): the list is consistent, and in the copy all sentinels are closed. */
void children_fork_begins(void);
void children_fork_ends(void);
void children_forked(void);

#endif
