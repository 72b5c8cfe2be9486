/* Collecting a child that has ended, and waiting for that. */
#ifndef MPROC_PROCESS_JOIN_H
#define MPROC_PROCESS_JOIN_H

#include "process/process.h"

/* Collects it if it has ended: exit status, recovery, its place in the list. Returns whether it does not run. */
bool process_collect(mproc_process *process);

/*
 * Waits until it does not run any more, and collects it. MPROC_TIMEOUT, without a text, MPROC_INTERRUPTED.
 * MPROC_INVALID: it is this process. MPROC_BAD_STATE: it was not started, or has ended and was closed.
 */
mproc_status process_wait(mproc_process *process, int64_t deadline_ns);

/* Why one that has ended is `unguarded`, with its text: MPROC_NO_GUARD, or MPROC_MISMATCH. */
mproc_status process_tell_unguarded(const mproc_process *process);

/* Tries again to recover the slot of one that has ended. Returns true once: when that is done at last. */
bool process_recover(mproc_process *process);

#endif
