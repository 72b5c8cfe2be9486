/*
 * Parking without a cross-process futex: the waiter table. Each thread slot has a key here:
 *
 *     0 | ticket << 41 | claimed << 40 | offset of the word that it sleeps on
 *
 * The sleeper writes its key, looks at the word once more, and waits on its semaphore. A waker claims the sleeper
 * with the oldest ticket by one compare-and-swap and posts. Only the sleeper clears its key: if the waker dies
 * between claim and post, recovery finds the claimed key and posts again.
 */
#include "arena/park.h"

/* A sleeper without a place in the table looks again so often. */
#define NO_PLACE_NS ((int64_t)200000)
#define KEY_OFFSET_MASK (((uint64_t)1 << 40) - 1)
#define KEY_CLAIMED ((uint64_t)1 << 40)
#define KEY_TICKET_SHIFT 41

static _Atomic uint64_t *key_at(uint32_t thread)
{
    return (_Atomic uint64_t *)arena_at(arena_header->ranges[ARENA_PARKING].start) + thread;
}

/* The table grows with the highest thread slot; what is not committed holds no sleeper. */
static uint32_t keys_count(void)
{
    struct arena_range *range = &arena_header->ranges[ARENA_PARKING];
    uint64_t keys = (atomic_load(&range->committed) - range->start) / sizeof(uint64_t);
    uint32_t high = atomic_load(&arena_header->threads_high);
    return keys < high ? (uint32_t)keys : high;
}

/* The key is ours to clear, claimed or not; a post that is on its way then meets a sleeper that re-checks. */
static bool key_withdraw(_Atomic uint64_t *key, uint64_t mine)
{
    bool claimed = !atomic_compare_exchange_strong(key, &mine, 0);
    if (claimed) atomic_store(key, 0);
    return claimed;
}

static mproc_status key_sleep(_Atomic uint64_t *key, uint64_t mine, int64_t deadline_ns)
{
    mproc_status status = MPROC_OK;

    while (atomic_load(key) == mine && status == MPROC_OK)
        status = plat_semaphore_wait(&thread_self.slot->semaphore, deadline_ns);
    return key_withdraw(key, mine) ? MPROC_OK : status;
}

static mproc_status sleep_on(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    _Atomic uint64_t *key = key_at(thread_self.index);
    uint64_t mine = (uint64_t)atomic_fetch_add(&arena_header->park_ticket, 1) << KEY_TICKET_SHIFT;

    mine |= arena_offset(word);
    atomic_store(key, mine);
    /* A waker changes the word before it looks for keys, so one of the two sees the other. */
    if (atomic_load(word) == expected) return key_sleep(key, mine, deadline_ns);
    key_withdraw(key, mine);
    return MPROC_OK;
}

mproc_status park_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    uint64_t end = arena_header->ranges[ARENA_PARKING].start + (thread_self.index + 1) * sizeof(uint64_t);
    mproc_status status;

    if (arena_commit(ARENA_PARKING, end) != MPROC_OK) {
        plat_clock_sleep_until(plat_clock_now_ns() + NO_PLACE_NS); /* no memory to sleep in: look now and then */
        return plat_clock_now_ns() < deadline_ns ? MPROC_OK : MPROC_TIMEOUT;
    }
    atomic_store(&thread_self.slot->parked, arena_offset(word));
    status = sleep_on(word, expected, deadline_ns);
    atomic_store(&thread_self.slot->parked, 0);
    return status;
}

/* The sleeper that has waited longest for this word; tickets wrap, so they are compared by distance. */
static uint32_t key_oldest(uint64_t offset, uint64_t *key)
{
    uint32_t oldest = 0, count = keys_count();

    for (uint32_t i = 1; i < count; i++) {
        uint64_t seen = atomic_load(key_at(i));
        if ((seen & (KEY_OFFSET_MASK | KEY_CLAIMED)) != offset) continue;
        if (oldest && (int64_t)((seen & ~KEY_OFFSET_MASK) - (*key & ~KEY_OFFSET_MASK)) >= 0) continue;
        oldest = i;
        *key = seen;
    }
    return oldest;
}

static bool key_claim(uint32_t sleeper, uint64_t key)
{
    if (!atomic_compare_exchange_strong(key_at(sleeper), &key, key | KEY_CLAIMED)) return false;
    plat_semaphore_post(&thread_slot_at(sleeper)->semaphore);
    return true;
}

/* All are woken in one pass: whoever sleeps again meanwhile, as its word has not changed, must not keep us here. */
int park_wake_sleepers(_Atomic uint32_t *word, int count)
{
    uint64_t key = 0;
    uint32_t keys;
    int woken = 0;

    atomic_thread_fence(memory_order_seq_cst); /* the caller's change of the word comes before our look */
    keys = keys_count();
    for (uint32_t i = 1; count > 0 && (uint32_t)count >= keys && i < keys; i++) {
        uint64_t seen = atomic_load(key_at(i));
        if ((seen & (KEY_OFFSET_MASK | KEY_CLAIMED)) == arena_offset(word)) woken += key_claim(i, seen);
    }
    while ((uint32_t)count < keys && woken < count) {
        uint32_t sleeper = key_oldest(arena_offset(word), &key);
        if (!sleeper) break;
        woken += key_claim(sleeper, key);
    }
    return woken;
}

int park_wake(_Atomic uint32_t *word, int count)
{
    park_ring(word);
    return park_wake_sleepers(word, count);
}

void park_recover(uint32_t thread)
{
    uint32_t count = keys_count();

    if (thread < count) atomic_store(key_at(thread), 0);
    for (uint32_t i = 1; i < count; i++)
        if (atomic_load(key_at(i)) & KEY_CLAIMED) plat_semaphore_post(&thread_slot_at(i)->semaphore);
}
