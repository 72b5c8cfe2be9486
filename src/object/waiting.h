/*
 * Waiting to be told: a thread enters what it waits for into its slot, and whoever has news tells so many of those
 * that wait for it, oldest first. Telling is one compare-and-swap on the waiter's own word, so exactly those who were
 * told go on, and it is known of each who died whether it had been told: then recovery tells the next one instead.
 *
 * Or it tells all of those with a certain `order` an outcome, which is theirs alone: that is passed on to nobody.
 *
 * The waiter's word `wait` is: serial << 3 | state. The serial changes with each wait, and does not come round within
 * a century, so that a teller who is late tells nobody. The waiter sleeps on the lower half of the word.
 */
#ifndef MPROC_OBJECT_WAITING_H
#define MPROC_OBJECT_WAITING_H

#include "arena/slot.h"

enum waiting_state { WAITING_NOT, WAITING_STILL, WAITING_TOLD, WAITING_PASSED, WAITING_FAILED };

/*
 * The calling thread waits for the object from now on. `order` says who is older: a count that the object keeps.
 * It waits until waiting_leave(), whatever happens.
 */
void waiting_enter(uint64_t object, uint64_t order);

/*
 * What the calling thread has been told, and the word that says so: while that is unchanged, it sleeps on
 * its slot's waiting_word().
 */
enum waiting_state waiting_state(uint32_t *word);

/* The half of a slot's word that its thread sleeps on: every system that the library knows stores it first. */
static inline _Atomic uint32_t *waiting_word(struct thread_slot *slot)
{
    return (_Atomic uint32_t *)(void *)&slot->wait;
}

/* Gives up: WAITING_NOT, or WAITING_TOLD if somebody was faster. */
enum waiting_state waiting_give_up(void);

/* What it was told is used up. */
void waiting_leave(void);

/*
 * Tells up to `count` of those who wait for the object (UINT_MAX: all); returns how many were there. The intent is
 * the caller's. `later`, if not NULL, is where the slot of one of them is entered instead of waking it, if none is
 * entered there yet.
 */
uint32_t waiting_tell(struct intent *intent, uint64_t object, uint32_t count, _Atomic uint32_t *later);

/* Tells all of those that wait for the object and have entered this order: WAITING_PASSED or WAITING_FAILED. */
void waiting_tell_order(struct intent *intent, uint64_t object, uint64_t order, enum waiting_state outcome);

/* In recovery of a thread: the object that it waits for, told or not, or 0. */
uint64_t waiting_object(const struct thread_slot *slot);

/* In recovery of a thread: what it was told and has not used goes to the next; it waits no longer. */
void waiting_recover(struct intent *intent, struct thread_slot *slot);

#endif
