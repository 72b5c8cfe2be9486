/*
 * Whom a thread asks that has waited for long: recovery, which lies above the arena and above waiting. The table is
 * in object/recovery.c. So an operation reads without recovery, and recovery as a chapter of its own.
 */
#ifndef MPROC_ARENA_LIVENESS_H
#define MPROC_ARENA_LIVENESS_H

#include <stdint.h>

/*
 * Each takes some microseconds where nobody is dead.
 *
 *   lock_owner   for who waits for a lock of the arena, which the thread with this owner id has: if that is dead,
 *                what it had in intent is finished, which releases the lock
 *   owner        for who waits for something else that this thread has to do: if it is dead, its process is recovered
 *   poll         for who has slept for two seconds, or until some earlier end of its wait, and for who only ever
 *                tries: looks for the ends of orphans, of which nobody is told; once a second at most
 *   pass         waits until a recovery that goes on now is over: called between the end of an object and the reuse
 *                of its memory, as recovery looks whether an object is there and then writes into it
 *   adopt        for who finds no free slot: recovers all orphans that have ended
 */
struct liveness {
    void (*lock_owner)(uint32_t owner_id);
    void (*owner)(uint32_t owner_id);
    void (*poll)(void);
    void (*pass)(void);
    void (*adopt)(void);
};

extern const struct liveness liveness;

#endif
