/*
 * Deposits: handles of the system that are on their way through the arena, in which they have no place. The first
 * process of the family has a duplicate of each, from the moment that a message is made to the one that nobody has
 * the message any more; whoever reads that takes another duplicate.
 *
 * In the arena a struct plat_deposit stands for it, in an object of its own, whose place and generation are its key.
 * Where requests must be served, the first process does so when it asks for something itself, and by a thread that
 * begins with the first request of another. A family that passes on no handles has no such thread. What was asked is
 * done in its order, so a deposit is there before anybody can ask for it.
 */
#ifndef MPROC_PROCESS_DEPOSIT_H
#define MPROC_PROCESS_DEPOSIT_H

#include "object/wait.h"
#include "platform_deposit.h"

/*
 * What objects with a handle begin with, in the arena. One that stands for another in a message has a link to that,
 * `of`, and the deposit; only messages refer to it. `dropped` is set when nobody does any more. An object that has
 * its handle by itself has neither.
 */
struct deposited {
    struct object object;
    plat_deposit deposit;
    _Atomic uint64_t dropped;
    uint32_t unused;
    uint32_t links; /* 1, and so many more as follow in what is no such object */
    _Atomic uint64_t of;
};

/*
 * What goes to each child: in the first process it is made by the first call. PLAT_NO_HANDLE: the program has closed
 * it. MPROC_LIMIT, MPROC_NO_MEMORY.
 */
mproc_status deposit_door(plat_handle *handle);

/* In a child: what it was started with. */
void deposit_join(plat_handle handle);

/* Where the first process is asked; PLAT_NO_HANDLE: this is another, or there is no such place. */
plat_handle deposit_store(void);

/* Something was asked: begins the thread. False: it cannot begin now; what was asked is done. */
bool deposit_asked(void);

/*
 * Makes an object in the empty owned slot that stands for the one of `ref`, and puts the handle, which is not the
 * caller's any more, there for it. While too much is asked for it waits, as `wait` says, or, if that is NULL, some
 * seconds. If it fails, what is in the slot is to be dropped.
 *
 * MPROC_PEER_DIED: the first process has ended. MPROC_TIMEOUT, MPROC_LIMIT, MPROC_NO_MEMORY, MPROC_INVALID, and as
 * wait_why().
 */
mproc_status deposit_put(struct intent *intent, const struct handle_ref *ref, plat_handle handle,
                         _Atomic uint64_t *owned, const struct wait *wait);

/*
 * Takes another duplicate, which is the caller's. Waits some seconds at most. As deposit_put(). MPROC_CLOSED: it did
 * not arrive there.
 */
mproc_status deposit_take(uint64_t object, plat_handle *handle);

/* For types: see object/type.h. */
uint64_t deposit_stands_for(uint64_t object);
void deposit_last_dropped(struct intent *intent, uint64_t object);

/* Serves what was asked. */
void deposit_serve(void);

/* How many deposits this process has. */
size_t deposit_count(void);

/* How many threads this needs: 0 or 1. */
int deposit_threads(void);

/* At the end of the process: ends that thread. */
void deposit_end(void);

void deposit_fork_begins(void);
void deposit_fork_ends(void);
void deposit_forked(void);

#endif
