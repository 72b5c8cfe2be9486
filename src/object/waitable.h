/*
 * What can be waited for together with other things, by mproc_wait(): a row for each kind, defined beside the
 * functions of the kind. src/wait/kinds.c lists all.
 *
 * Things of the system - connections, ends of processes - have a handle, by which the system tells. Those of the
 * arena - queues, events - have a word that their waiters sleep on: it is watched (park_watch()).
 */
#ifndef MPROC_OBJECT_WAITABLE_H
#define MPROC_OBJECT_WAITABLE_H

#include "platform_poll.h"

/*
 *   name      as messages call it: "a queue"
 *   kind      of the handle, for the system
 *   look      MPROC_OK: it is ready, also if it was closed; MPROC_TIMEOUT, without a text: it is not, as far as this
 *             process knows; another status: it cannot be waited for. `*handle` is set, and stays so until the thing
 *             is closed: the system knows the rest; PLAT_NO_HANDLE: it does not, ever
 *   announce  of the arena: watches its word, and then says that somebody may sleep on that
 *   apart     of the system, or NULL: how many of the kind are ready though the system does not tell
 */
struct waitable {
    const char *name;
    enum plat_polled_kind kind;
    mproc_status (*look)(void *thing, plat_handle *handle);
    mproc_status (*announce)(void *thing);
    const _Atomic uint32_t *apart;
};

/*
 * Who waits for several things, or keeps them in a set. Things may be closed and freed meanwhile: so each is listed,
 * and whoever ends a thing asks all until none uses it.
 *
 *   leave  whether it does not use the thing any more; otherwise it has been told, and lets go of it soon. Called
 *          under the mutex of the list
 *   owner  the id of the thread that waits; 0: it is a set
 */
struct waiter {
    bool (*leave)(struct waiter *waiter, const void *thing, bool freed);
    uint32_t owner;
    struct waiter *next;
};

void waiter_enter(struct waiter *waiter);
void waiter_leave(struct waiter *waiter);

/* In a fork() copy, which has no waiters. */
void waiters_forked(void);

extern _Atomic(struct waiter *) waiters;

void waitable_ends_slow(const void *thing, bool freed);

/*
 * By who closes a thing, or is about to free it, when the thing says that it is closed. Afterwards nobody uses it who
 * waits for several.
 */
static inline void waitable_ends(const void *thing, bool freed)
{
    if (atomic_load(&waiters)) waitable_ends_slow(thing, freed);
}

#endif
