/*
 * What a client has of its manager's objects: by their numbers there, how many references it got and how many it has.
 */
#ifndef MPROC_MANAGER_PROXIES_H
#define MPROC_MANAGER_PROXIES_H

#include <stdatomic.h>

#include "base/handle.h"
#include "manager/message.h"
#include "platform.h"

/*
 * `received` are the references that the manager has given, which go back together when nobody here has the object
 * any more: those in `owed`. `life` tells it from what had the number before.
 */
struct proxy {
    uint32_t here;
    uint32_t received;
    uint32_t owed;
    uint32_t life;
    uint32_t kind;
    uint32_t next_owed; /* number + 1 of the next one that is owed, or 0 */
};

/* `mutex` guards all. Zeroed memory is an empty one. */
struct proxies {
    plat_mutex mutex;
    struct proxy *all;
    uint32_t room;
    _Atomic uint32_t owed_first; /* number + 1; others only look whether there is one */
    size_t count;                /* that are here, or received */
};

/* A message has brought a reference. MPROC_BROKEN: no object has this number, or it was of another kind before. */
mproc_status proxies_receive(struct proxies *proxies, uint32_t kind, uint32_t number, uint32_t *life);

/* Somebody here has it from now on. MPROC_CLOSED: it was given back. */
mproc_status proxies_hold(struct proxies *proxies, uint32_t number, uint32_t life);
void proxies_drop(struct proxies *proxies, uint32_t number);

/* What a message has brought and nobody has come to hold. */
void proxies_forget(struct proxies *proxies, uint32_t number);

/* Whether it is still here. */
bool proxies_there(struct proxies *proxies, uint32_t number, uint32_t life);

/*
 * Takes pairs of a number and how many references go back, `room` values at most. Returns how many values. If they
 * could not be sent they are owed again.
 */
size_t proxies_take_owed(struct proxies *proxies, mproc_value *values, size_t room);
void proxies_owe(struct proxies *proxies, const mproc_value *values, size_t count);

#endif
