/*
 * Recovery: what is done for a process that has ended, however it ended. It finishes or undoes the
 * one operation that each of its threads had in intent, releases its locks, wakes whom it might have
 * woken, and gives back its blocks. The cost does not grow with the number of objects.
 *
 * It is idempotent and runs under the recovery lock of the arena; a recoverer that is killed is the
 * next victim, and whoever recovers next begins the unfinished recovery again. Its parent's reaper
 * runs it; so does a thread that is stuck on a dead owner's lock, and, for those whose parents are
 * gone, any member of the family.
 */
#ifndef MPROC_OBJECT_RECOVERY_H
#define MPROC_OBJECT_RECOVERY_H

#include "arena/slot.h"

/*
 * Recovers a process that has ended. Returns true when all that it had is released; then, or when it
 * was true before, its slot may be freed. False: daemons of it that may use its blocks are about to end: call again.
 */
bool recovery_process(uint32_t process);

/* Whether the parent of this process has ended, or is gone already. */
bool recovery_orphaned(void);

/*
 * The calling thread ends, in whatever way. First what it has left half done is settled, as that of a dead thread is:
 * what it has begun is finished, it waits no longer, its locks are abandoned. Then it may still call the library, to
 * tell whoever it has worked for. At last its slot is free.
 */
void recovery_thread_settles(void);
void recovery_thread_ends(void);

/* Recovers processes, and frees their slots, that ended and have no living parent to do so. */
void recovery_adopt(void);

/* Whether there may be orphans, whose ends nobody is told of. */
bool recovery_orphans(void);

/*
 * Adopts if there are orphans, or this process is one; once a second at most. Called by whoever has slept for two
 * seconds, or until some earlier end of its wait, and by the reaper of a process that knows of orphans.
 */
void recovery_poll(void);

#endif
