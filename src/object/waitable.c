/* The list of those who wait for several things. */
#include "object/waitable.h"

#include <string.h>

#include "arena/slot.h"

/* How often who ends a thing asks whether it is still used. */
#define ASK_NS ((int64_t)1000000)

_Atomic(struct waiter *) waiters;
static plat_mutex mutex; /* guards the list. What guards a set is locked under it */

void waiter_enter(struct waiter *waiter)
{
    plat_mutex_lock(&mutex);
    waiter->next = atomic_load(&waiters);
    atomic_store(&waiters, waiter);
    plat_mutex_unlock(&mutex);
}

static void unlink_locked(const struct waiter *waiter)
{
    struct waiter *at = atomic_load(&waiters);

    if (at == waiter) {
        atomic_store(&waiters, waiter->next);
        return;
    }
    while (at->next != waiter) at = at->next;
    at->next = waiter->next;
}

void waiter_leave(struct waiter *waiter)
{
    plat_mutex_lock(&mutex);
    unlink_locked(waiter);
    plat_mutex_unlock(&mutex);
}

/* A thread that has ended in the middle of its wait, from a signal handler, uses nothing. */
static bool is_used(const void *thing, bool freed)
{
    struct waiter *at, *next;
    bool used = false;

    plat_mutex_lock(&mutex);
    for (at = atomic_load(&waiters); at; at = next) {
        next = at->next;
        if (at->owner && !slot_thread_present(at->owner)) unlink_locked(at);
        else if (!at->leave(at, thing, freed)) used = true;
    }
    plat_mutex_unlock(&mutex);
    return used;
}

void waitable_ends_slow(const void *thing, bool freed)
{
    while (is_used(thing, freed)) plat_clock_sleep_until(plat_clock_now_ns() + ASK_NS);
}

void waiters_forked(void)
{
    atomic_store(&waiters, NULL);
    memset(&mutex, 0, sizeof mutex);
}
