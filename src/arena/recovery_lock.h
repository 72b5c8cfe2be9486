/*
 * The lock of recovery: nobody but its owner writes into the slots of the dead. It is the word `recovery` of the
 * arena's header, 0 or the owner id of the thread that recovers. A recoverer that died is followed by whoever comes
 * next, who begins again what it had not finished.
 */
#ifndef MPROC_ARENA_RECOVERY_LOCK_H
#define MPROC_ARENA_RECOVERY_LOCK_H

#include "arena/slot.h"

/* Returns false if this thread has it already, and waits for something while it recovers. */
bool recovery_lock_acquire(void);

void recovery_lock_release(void);

/*
 * Waits until a recovery that goes on now is over. Called between the end of an object and the reuse of its memory:
 * recovery looks whether an object is there, and then writes into it.
 */
void recovery_lock_pass(void);

/*
 * For a thread that waits for too long for a lock of the arena, which the thread with this owner id owns: if that one
 * is dead, its intents are recovered, and so the lock is released. The rest of its recovery is for others to do.
 */
void recovery_lock_help(uint32_t owner_id);

#endif
