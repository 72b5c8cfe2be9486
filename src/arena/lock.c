/* The contended side of the arena's lock: spin, yield, sleep, and ask whether the owner lives. */
#include "arena/lock.h"

#include <limits.h>

#include "arena/liveness.h"
#include "arena/park.h"

/*
 * 63 pauses together are about as long as a critical section. Each look at the lock takes its cache line from the
 * owner, which needs it to release, and to acquire again: so the pauses between looks double. Yields matter when
 * threads outnumber CPUs.
 */
#define LOCK_SPINS 6
#define LOCK_YIELDS 20
/*
 * How long a waiter sleeps before it asks whether the owner lives, at first and at most: deaths are normally
 * recovered long before, and an owner that only had to wait for its CPU is not worth many questions.
 */
#define LOCK_POLL_NS (5 * (int64_t)1000000)
#define LOCK_POLL_NS_MAX (100 * (int64_t)1000000)

static bool lock_try(arena_lock *lock, uint32_t value)
{
    uint32_t expected = 0;
    return atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong_explicit(&lock->word, &expected, value, memory_order_acquire,
                                                   memory_order_relaxed);
}

bool lock_spin(arena_lock *lock)
{
    int spins = arena_header->cpus > 1 ? LOCK_SPINS : 0;

    for (int i = 0; i < spins; i++) {
        for (int pauses = 1 << i; pauses > 0; pauses--) plat_thread_pause();
        if (lock_try(lock, thread_self.owner_id)) return true;
    }
    for (int i = 0; i < LOCK_YIELDS; i++) {
        plat_thread_yield();
        if (lock_try(lock, thread_self.owner_id)) return true;
    }
    return false;
}

/* Others may sleep as well, so whoever has slept takes the lock with the mark set. */
bool lock_acquire_slow(arena_lock *lock, const _Atomic uint64_t *word, uint64_t value)
{
    int64_t poll_ns = LOCK_POLL_NS;

    if (lock_spin(lock)) return true;
    while (!word || atomic_load(word) == value) {
        uint32_t seen = atomic_load(&lock->word);
        if (seen == 0 && lock_try(lock, thread_self.owner_id | LOCK_WAITERS)) return true;
        if (seen == 0) continue;
        if (!(seen & LOCK_WAITERS) && !atomic_compare_exchange_strong(&lock->word, &seen, seen | LOCK_WAITERS))
            continue;
        if (park_wait(&lock->word, seen | LOCK_WAITERS, plat_clock_now_ns() + poll_ns) != MPROC_TIMEOUT) continue;
        liveness.lock_owner(lock_owner(lock));
        if (poll_ns < LOCK_POLL_NS_MAX) poll_ns *= 2;
    }
    park_wake(&lock->word, 1); /* a wake-up may have come to us */
    return false;
}

void lock_revoke(arena_lock *lock, uint32_t owner_id)
{
    uint32_t seen = atomic_load(&lock->word);

    while ((seen & ~LOCK_WAITERS) == owner_id && !atomic_compare_exchange_weak(&lock->word, &seen, 0)) {
    }
    park_wake(&lock->word, INT_MAX);
}
