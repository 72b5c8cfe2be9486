/*
 * The lock of recovery: nobody but its owner writes into the slots of the dead. It is the word `recovery` of the
 * arena's header, 0 or the owner id of the thread that recovers. A recoverer that died is followed by whoever comes
 * next, who begins again what it had not finished.
 */
#ifndef MPROC_OBJECT_RECOVERY_LOCK_H
#define MPROC_OBJECT_RECOVERY_LOCK_H

#include "arena/slot.h"

/* Returns false if this thread has it already, and waits for something while it recovers. */
bool recovery_lock_acquire(void);

void recovery_lock_release(void);

/* For the table of liveness.h. */
void recovery_lock_pass(void);
void recovery_lock_help(uint32_t owner_id);

#endif
