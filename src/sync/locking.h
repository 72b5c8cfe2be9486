/* The two locks of the program, as locks and conditions use them: by the object, whatever reference led to it. */
#ifndef MPROC_SYNC_LOCKING_H
#define MPROC_SYNC_LOCKING_H

#include "arena/held.h"
#include "arena/lock.h"
#include "process/reference.h"

/* How a lock is acquired. `reference` is what the wait goes by; NULL: it does not end early. */
struct locking {
    struct reference *reference;
    int64_t timeout_ms;
    bool recover; /* also if it is abandoned */
    bool stays;   /* interrupts do not end it */
};

/* A Lock or an RLock: the latter again, if this thread holds it. */
mproc_status locking_acquire(uint64_t lock, const struct locking *how);

/* A Lock, whoever holds it; an RLock once, if this thread holds it. */
mproc_status locking_release(uint64_t lock);

/* Whether this thread holds it. */
static inline bool locking_mine(uint64_t lock)
{
    return lock_owned(&((const struct held_lock *)arena_at(lock))->word, thread_self.tag);
}

/*
 * For a condition: lets go of a lock that this thread holds, however often it has acquired it, and takes it back, or
 * gives it up: then it is not held. MPROC_OWNER_DIED, MPROC_CLOSED.
 */
void locking_let_go(uint64_t lock);
mproc_status locking_take_back(uint64_t lock, uint32_t depth, struct reference *reference);
void locking_give_up(uint64_t lock);

#endif
