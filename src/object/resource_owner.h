/*
 * The owned slots of a process: a chain of tables in the arena that holds what it has: blocks of its own, and handles
 * of objects. When it dies, recovery gives all of them up; that is all that has to be known about who has what.
 */
#ifndef MPROC_OBJECT_RESOURCE_OWNER_H
#define MPROC_OBJECT_RESOURCE_OWNER_H

#include "object/object.h"

/*
 * Takes a block of at least `size` bytes, the first `clear` of them zero, owned by this process, and
 * gives its owned slot. The owned slot is the caller's until resource_release(). MPROC_NO_MEMORY.
 */
mproc_status resource_take(uint64_t size, uint64_t clear, _Atomic uint64_t **owned);

/* Takes an empty owned slot, and puts it back when it is empty. MPROC_NO_MEMORY. */
mproc_status resource_slot_take(_Atomic uint64_t **owned);
void resource_slot_put(_Atomic uint64_t *owned);

/* Gives up what the owned slot has, a block or a handle, and the owned slot; NULL is fine. */
void resource_release(_Atomic uint64_t *owned);

/* In recovery, before that: gives back at once what others wait for of what is in the chain. Can be repeated. */
void resource_owner_died(struct intent *intent, const _Atomic uint64_t *chain);

/* In recovery: gives up all that is in the chain that begins at the owned slot `chain`, and the chain. */
void resource_owner_recover(struct intent *intent, _Atomic uint64_t *chain);

/* For a forked copy or a test: forgets what this process knows of its owned slots. */
void resource_owner_forget(void);

#endif
