/* Permits that have an owner. */
#include "sync/permits.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/park.h"

static struct semaphore *semaphore_of(const struct permits *permits)
{
    return (struct semaphore *)arena_at(atomic_load(&permits->semaphore));
}

/* Under the semaphore's lock: its value changes together with the account. */
static void move(struct intent *intent, const struct permits *permits, const struct semaphore *semaphore,
                 uint32_t value, uint64_t account)
{
    intent_store_half(intent, &semaphore->value, value);
    intent_store(intent, &permits->count, account);
    intent_commit(intent);
}

bool permits_move(struct intent *intent, struct permits *permits, int change)
{
    struct semaphore *semaphore = semaphore_of(permits);
    uint64_t account;
    uint32_t value;
    bool can;

    object_lock(intent, atomic_load(&permits->semaphore), &semaphore->object.lock);
    account = atomic_load_explicit(&permits->count, memory_order_relaxed);
    value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    can = change > 0 ? account > 0 : (value & SEMAPHORE_VALUE_MAX) > 0;
    if (change > 0 && can) move(intent, permits, semaphore, value + 1, account - 1);
    if (change < 0 && can) move(intent, permits, semaphore, value - 1, account + 1);
    if (change == 0 && !can) atomic_store(&semaphore->value, value | SEMAPHORE_WAITERS);
    lock_release(intent, &semaphore->object.lock);
    return can;
}

void permits_unmark(struct intent *intent, const struct permits *permits)
{
    struct semaphore *semaphore = semaphore_of(permits);
    uint32_t value;

    object_lock(intent, atomic_load(&permits->semaphore), &semaphore->object.lock);
    value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    if ((value & SEMAPHORE_VALUE_MAX) > 0) atomic_store(&semaphore->value, value & SEMAPHORE_VALUE_MAX);
    lock_release(intent, &semaphore->object.lock);
    park_wake(&semaphore->value, INT_MAX);
}

/* The value is in the intent before it is changed: if we end before the wake, recovery wakes. */
void permits_return(struct intent *intent, struct permits *permits)
{
    struct semaphore *semaphore;
    uint64_t account;
    uint32_t value;

    /* Without permits it may have no semaphore: not yet, or no longer. */
    if (atomic_load(&permits->count) == 0) return;
    semaphore = semaphore_of(permits);
    atomic_store(&intent->wake, arena_offset(&semaphore->value));
    object_lock(intent, atomic_load(&permits->semaphore), &semaphore->object.lock);
    account = atomic_load_explicit(&permits->count, memory_order_relaxed);
    value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    if (account > 0) move(intent, permits, semaphore, value + (uint32_t)account, 0);
    lock_release(intent, &semaphore->object.lock);
    park_wake(&semaphore->value, INT_MAX);
    atomic_store(&intent->wake, 0);
}
