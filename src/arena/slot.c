/* Takes and frees slots. A slot is taken by one compare-and-swap that names the taker. */
#include "arena/slot.h"

THREAD_LOCAL struct thread_self thread_self;
const _Atomic uint64_t slot_always_left = 1;

/* One more than the highest slot ever taken must cover a slot before it is taken: recovery looks no further. */
static void raise_high(_Atomic uint32_t *high, uint32_t value)
{
    uint32_t seen = atomic_load(high);
    while (seen < value && !atomic_compare_exchange_weak(high, &seen, value)) {
    }
}

static bool take_word(_Atomic uint32_t *word, uint32_t value)
{
    uint32_t expected = 0;
    return atomic_load_explicit(word, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(word, &expected, value);
}

typedef _Atomic uint32_t *slot_word(uint32_t index);

static _Atomic uint32_t *process_word(uint32_t index)
{
    return &process_slot_at(index)->state;
}

static _Atomic uint32_t *thread_word(uint32_t index)
{
    return &thread_slot_at(index)->owner;
}

/* One of the two tables of slots. */
struct slot_table {
    arena_part part;
    size_t slot_bytes;
    uint32_t first;
    uint32_t near; /* so many are committed from the start */
    uint32_t max;
    _Atomic uint32_t *high;
    _Atomic uint32_t *hint;
    slot_word *word;
    const char *what;
};

/* Looks for a free slot among those that were in use once, beginning where one was freed or taken last. */
static bool take_used(const struct slot_table *table, uint32_t value, uint32_t *index)
{
    uint32_t high = atomic_load(table->high), hint = atomic_load_explicit(table->hint, memory_order_relaxed);

    for (uint32_t n = table->first; n < high; n++) {
        uint32_t at = hint + n - table->first;
        while (at >= high) at -= high - table->first;
        if (at < table->first || !take_word(table->word(at), value)) continue;
        atomic_store_explicit(table->hint, at + 1, memory_order_relaxed);
        *index = at;
        return true;
    }
    return false;
}

static mproc_status take(const struct slot_table *table, uint32_t value, uint32_t *index)
{
    mproc_status status;

    for (;;) {
        uint32_t high = atomic_load(table->high);
        uint64_t end;
        if (take_used(table, value, index)) return MPROC_OK;
        if (high >= table->max)
            return mproc_error(MPROC_LIMIT, "all %u %s of the family are in use", table->max - table->first,
                               table->what);
        if (high >= table->near) {
            end = arena_header->ranges[table->part].start + (high + 1 - table->near) * (uint64_t)table->slot_bytes;
            if ((status = arena_commit(table->part, end)) != MPROC_OK) return status;
        }
        raise_high(table->high, high + 1);
    }
}

mproc_status slot_process_take(uint32_t parent, uint32_t *index)
{
    struct arena_header *header = arena_header;
    struct slot_table table = {ARENA_PROCESSES,
                               sizeof(struct process_slot),
                               0,
                               SLOT_NEAR_PROCESSES,
                               header->processes_max,
                               &header->processes_high,
                               &header->processes_hint,
                               process_word,
                               "process slots"};
    uint32_t generation = parent == SLOT_NONE ? 0 : atomic_load(&process_slot_at(parent)->generation);

    return take(&table, PROCESS_STARTING | parent << 3 | generation << 20, index);
}

void slot_process_release(uint32_t index)
{
    struct process_slot *slot = process_slot_at(index);

    atomic_store(&slot->pid, 0);
    atomic_store(&slot->refused, 0);
    atomic_store(&slot->born_before_ns, 0);
    atomic_store(&slot->flags, 0);
    atomic_store(&slot->interrupts, 0);
    atomic_store(&slot->watched, 0);
    atomic_fetch_add(&slot->generation, 1);
    atomic_store(&slot->state, PROCESS_FREE);
    atomic_store_explicit(&arena_header->processes_hint, index, memory_order_relaxed);
}

mproc_status slot_thread_enter(uint32_t process)
{
    struct arena_header *header = arena_header;
    struct slot_table table = {
        ARENA_THREADS,         sizeof(struct thread_slot), 1,           SLOT_NEAR_THREADS, header->threads_max,
        &header->threads_high, &header->threads_hint,      thread_word, "thread slots"};
    struct thread_slot *slot;
    uint32_t index = 0;
    mproc_status status;

    if ((status = take(&table, process + 1, &index)) != MPROC_OK) return status;
    slot = thread_slot_at(index);
    if ((status = plat_semaphore_open(&slot->semaphore)) != MPROC_OK) {
        slot_thread_release(index);
        return status;
    }
    thread_self.slot = slot;
    thread_self.index = index;
    thread_self.owner_id = (atomic_load(&slot->generation) & SLOT_GENERATION_MASK) << 20 | index;
    thread_self.process = process;
    thread_self.arena = arena_generation;
    if (thread_self.left != &slot_always_left) thread_self.left = &slot->robust[0];
    thread_self.interrupts_seen = atomic_load(&process_slot_at(process)->interrupts);
    return MPROC_OK;
}

void slot_thread_release(uint32_t index)
{
    struct thread_slot *slot = thread_slot_at(index);

    atomic_store(&slot->parked, 0);
    atomic_store(&slot->settles, 0);
    atomic_fetch_add(&slot->generation, 1);
    atomic_store(&slot->owner, 0);
    atomic_store_explicit(&arena_header->threads_hint, index, memory_order_relaxed);
}

bool slot_process_dead(uint32_t index)
{
    struct process_slot *slot = process_slot_at(index);
    int64_t pid = atomic_load(&slot->pid), born_before_ns = atomic_load(&slot->born_before_ns);
    uint32_t parent = process_slot_parent(slot);

    switch (process_slot_state(slot)) {
    case PROCESS_STARTING:
        if (pid != 0) return !plat_process_alive(pid, born_before_ns);
        if (parent == SLOT_NONE || !slot_process_dead(parent)) return false;
        /* Now nobody names it any more: either it was named before its parent died, or nobody is ever let in. */
        pid = atomic_load(&slot->pid);
        return pid == 0 || !plat_process_alive(pid, atomic_load(&slot->born_before_ns));
    case PROCESS_ATTACHED:
        return !plat_process_alive(pid, born_before_ns);
    default:
        return true;
    }
}

bool slot_thread_present(uint32_t owner_id)
{
    struct thread_slot *slot = thread_slot_at(owner_id & SLOT_INDEX_MAX);

    return atomic_load(&slot->owner) != 0 &&
           (atomic_load(&slot->generation) & SLOT_GENERATION_MASK) == (owner_id & ~LOCK_WAITERS) >> 20;
}

bool slot_thread_dead(uint32_t owner_id)
{
    uint32_t owner = atomic_load(&thread_slot_at(owner_id & SLOT_INDEX_MAX)->owner);

    return !slot_thread_present(owner_id) || owner == 0 || slot_process_dead(owner - 1);
}
