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

/*
 * Under it: finishes what the thread with this owner id, which is dead, had in intent, and releases the locks of
 * that. Not intents_recover() alone: what the thread says that it has taken out of an object (object/type.h) it may
 * not have come to take, and only a lock that it still has tells that.
 */
void recovery_intents(struct thread_slot *slot, uint32_t owner_id);

/* For the table of liveness.h. */
void recovery_lock_pass(void);
void recovery_lock_help(uint32_t owner_id);

#endif
