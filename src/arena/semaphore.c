/* Permits that have an owner. */
#include "arena/semaphore.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/park.h"

static struct semaphore *semaphore_of(const struct permits *permits)
{
    return (struct semaphore *)arena_at(atomic_load(&permits->semaphore));
}

/* Under the semaphore's lock, which the hand names: the value, then the account. */
static void move(struct hand *hand, struct permits *permits, struct semaphore *semaphore, uint32_t value,
                 uint64_t account)
{
    hand_pair(hand, &semaphore->value, value, &permits->count, account);
}

bool permits_move(struct hand *hand, struct permits *permits, int change)
{
    struct semaphore *semaphore = semaphore_of(permits);
    uint64_t account;
    uint32_t value;
    bool can;

    hand_begin(hand, HAND_PAIR, &permits->count);
    lock_acquire(hand, &semaphore->object.lock);
    account = atomic_load_explicit(&permits->count, memory_order_relaxed);
    value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    can = change > 0 ? account > 0 : (value & SEMAPHORE_VALUE_MAX) > 0;
    if (change > 0 && can) move(hand, permits, semaphore, value + 1, account - 1);
    if (change < 0 && can) move(hand, permits, semaphore, value - 1, account + 1);
    if (change == 0 && !can) atomic_store(&semaphore->value, value | SEMAPHORE_WAITERS);
    lock_release(hand, &semaphore->object.lock);
    hand_end(hand);
    return can;
}

/* The value is in the hand before it is changed: if we end before the wake, recovery wakes. */
void permits_return(struct hand *hand, struct permits *permits)
{
    struct semaphore *semaphore;
    uint64_t account;
    uint32_t value;

    /* One that has none may not have its semaphore yet. */
    if (atomic_load(&permits->count) == 0) return;
    semaphore = semaphore_of(permits);
    atomic_store(&hand->word, arena_offset(&semaphore->value));
    hand_begin(hand, HAND_PAIR, &permits->count);
    lock_acquire(hand, &semaphore->object.lock);
    account = atomic_load_explicit(&permits->count, memory_order_relaxed);
    value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    if (account > 0) move(hand, permits, semaphore, value + (uint32_t)account, 0);
    lock_release(hand, &semaphore->object.lock);
    hand_end(hand);
    park_wake(&semaphore->value, INT_MAX);
    atomic_store(&hand->word, 0);
}
