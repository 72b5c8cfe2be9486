/* Bells: see struct pool_shared. */
#include "pool/bell.h"

#include <limits.h>

#include "arena/park.h"
#include "object/interrupt.h"
#include "object/wait.h"

#define SLEEPERS 64

/* Of the workers with this index modulo 64, one that sleeps. */
static bool wake_of(struct pool_shared *shared, uint32_t bit)
{
    for (uint32_t i = bit; i < shared->workers; i += SLEEPERS) {
        _Atomic uint32_t *asleep = &pool_worker_at(shared, i)->asleep;
        if (!atomic_load(asleep)) continue;
        park_announce(asleep);
        if (!atomic_exchange(asleep, 0)) continue;
        park_wake(asleep, 1);
        park_announce(NULL);
        return true;
    }
    park_announce(NULL);
    return false;
}

static bool any_asleep(const struct pool_shared *shared, uint32_t bit)
{
    for (uint32_t i = bit; i < shared->workers; i += SLEEPERS)
        if (atomic_load(&pool_worker_at(shared, i)->asleep)) return true;
    return false;
}

/* False: none sleeps. */
static bool wake_one(struct pool_shared *shared)
{
    uint64_t sleepers;

    while ((sleepers = atomic_load(&shared->sleepers)) != 0) {
        uint32_t bit = 0;
        while (!(sleepers >> bit & 1)) bit++;
        if (wake_of(shared, bit)) return true;
        atomic_fetch_and(&shared->sleepers, ~((uint64_t)1 << bit));
        if (any_asleep(shared, bit)) atomic_fetch_or(&shared->sleepers, (uint64_t)1 << bit);
    }
    return false;
}

void bell_ring_all(struct pool_shared *shared)
{
    for (uint32_t i = 0; i < shared->workers; i++) {
        _Atomic uint32_t *asleep = &pool_worker_at(shared, i)->asleep;
        atomic_store(asleep, 0);
        park_wake(asleep, 1);
    }
}

static void set_active(struct pool_shared *shared, uint32_t job)
{
    uint64_t bit = (uint64_t)1 << job;

    if (!(atomic_load(&shared->active) & bit)) atomic_fetch_or(&shared->active, bit);
}

void bell_ring(struct pool_shared *shared, uint32_t job, uint32_t count)
{
    set_active(shared, job);
    while (count > 0 && wake_one(shared)) count--;
}

/* After `active`: who ends his spin gives his token back, and looks at that once more. */
static bool anybody_spins(const struct pool_shared *shared)
{
    for (uint32_t i = 0; i < pool_spinners(); i++)
        if (atomic_load(&shared->spinners[i])) return true;
    return false;
}

bool bell_ring_one(struct pool_shared *shared, uint32_t job)
{
    set_active(shared, job);
    return !anybody_spins(shared) && wake_one(shared);
}

void bell_wake_one(struct pool_shared *shared)
{
    wake_one(shared);
}

bool bell_watch(struct pool_shared *shared, uint32_t index)
{
    uint32_t nobody = 0;

    return anybody_spins(shared) && atomic_compare_exchange_strong(&shared->watcher, &nobody, index + 1);
}

/* In this order: who spins from between on finds no watcher, and has one woken. */
void bell_end_watch(struct pool_shared *shared, uint32_t index)
{
    uint32_t own = index + 1;

    if (!atomic_compare_exchange_strong(&shared->watcher, &own, 0)) return;
    for (int i = 0; i < POOL_SPINNERS_MAX; i++) atomic_store(&shared->spinners[i], 0);
}

void bell_have_watch(struct pool_shared *shared)
{
    if (atomic_load(&shared->watcher) == 0) wake_one(shared);
}

void bell_tell(struct pool_shared *shared, uint32_t bell)
{
    uint32_t first = bell == POOL_BELLS - 1 ? 0 : bell;

    for (uint32_t i = first; i <= bell; i++) {
        atomic_fetch_add(&shared->bells[i], 1);
        park_wake(&shared->bells[i], INT_MAX);
    }
}

mproc_status bell_wait_for_none(_Atomic uint32_t *bell, plat_mutex *mutex, const uint32_t *count, int64_t deadline_ns,
                                const char *what)
{
    for (;;) {
        uint32_t seen = atomic_load(bell), left;
        plat_mutex_lock(mutex);
        left = *count;
        plat_mutex_unlock(mutex);
        if (left == 0) return MPROC_OK;
        if (interrupt_take()) return interrupt_status();
        if (wait_on(bell, seen, deadline_ns) == MPROC_TIMEOUT && atomic_load(bell) == seen)
            return mproc_error(MPROC_TIMEOUT, "%lu %s", (unsigned long)left, what);
    }
}
