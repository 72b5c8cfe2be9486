/*
 * The reaper: the one thread that this library starts for processes, with the first of them. It collects each child
 * that ends, whether or not somebody joins it, and recovers what it held. It runs no code of the user.
 */
#ifndef MPROC_PROCESS_REAPER_H
#define MPROC_PROCESS_REAPER_H

#include "process/process.h"

/* Starts the reaper if it does not run yet. */
mproc_status reaper_start(void);

/* Whether the reaper was started: if not, there never were children. */
bool reaper_started(void);

/* In a fork() copy, which has no such thread: it is started again with its own first child. */
void reaper_forked(void);

/*
 * The thread that has called the main guard ends, and with it perhaps the program: when its other threads have ended
 * as well, the reaper ends the process, with 0, as the system would do without the reaper.
 */
void reaper_main_thread_ends(void);

/* Ends it at the end of the process, when nothing is started any more. */
void reaper_end(void);

/*
 * The reaper watches a child from its start on. A thread that waits for the process itself need not share its end
 * with the reaper: that would wake two threads, one of them for nothing. Between the two calls the reaper does not
 * watch it.
 */
void reaper_unwatch(mproc_process *process);
mproc_status reaper_watch(mproc_process *process);

/* One more child has ended whose slot is not recovered: the reaper calls process_recover() until it is. */
void reaper_retry(void);

/* There may be orphans: the reaper looks for their ends from now on. */
void reaper_poll(void);

#endif
