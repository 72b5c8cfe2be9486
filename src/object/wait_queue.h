/*
 * Waiting to be notified: a thread enters what it waits for into its slot, and whoever has news notifies so many of
 * those that wait for it, oldest first. To notify is one compare-and-swap on the waiter's own word, so exactly those
 * who were notified go on, and it is known of each who died whether it had been notified: then recovery notifies the
 * next one instead.
 *
 * Or it gives all of those with a certain `order` an outcome, which is theirs alone: that is passed on to nobody.
 *
 * The waiter's word `wait` is: serial << 3 | state. The serial changes with each wait, and does not come round within
 * a century, so that a notifier who is late notifies nobody. The waiter sleeps on the lower half of the word.
 */
#ifndef MPROC_OBJECT_WAIT_QUEUE_H
#define MPROC_OBJECT_WAIT_QUEUE_H

#include "arena/slot.h"

enum wait_state { WAIT_NONE, WAIT_PENDING, WAIT_NOTIFIED, WAIT_PASSED, WAIT_FAILED };

/*
 * The calling thread waits for the object from now on. `order` says who is older: a count that the object keeps.
 * It waits until wait_queue_leave(), whatever happens.
 */
void wait_queue_enter(uint64_t object, uint64_t order);

/*
 * Whether the calling thread has been notified, and the word that says so: while that is unchanged, it sleeps on
 * its slot's wait_queue_word().
 */
enum wait_state wait_queue_state(uint32_t *word);

/* The half of a slot's word that its thread sleeps on: every system that the library knows stores it first. */
static inline _Atomic uint32_t *wait_queue_word(struct thread_slot *slot)
{
    return (_Atomic uint32_t *)(void *)&slot->wait;
}

/* Gives up: WAIT_NONE, or WAIT_NOTIFIED if somebody was faster. */
enum wait_state wait_queue_give_up(void);

/* The notification is used up. */
void wait_queue_leave(void);

/*
 * Notifies up to `count` of those who wait for the object (UINT_MAX: all); returns how many were there. The intent is
 * the caller's. `deferred`, if not NULL, is where the slot of one of them is entered instead of waking it, if none is
 * entered there yet.
 */
uint32_t wait_queue_notify(struct intent *intent, uint64_t object, uint32_t count, _Atomic uint32_t *deferred);

/* Gives an outcome to all that wait for the object and have entered this order: WAIT_PASSED or WAIT_FAILED. */
void wait_queue_notify_order(struct intent *intent, uint64_t object, uint64_t order, enum wait_state outcome);

/* In recovery of a thread: the object that it waits for, notified or not, or 0. */
uint64_t wait_queue_object(const struct thread_slot *slot);

/* In recovery of a thread: a notification that it has not used goes to the next; it waits no longer. */
void wait_queue_recover(struct intent *intent, struct thread_slot *slot);

#endif
