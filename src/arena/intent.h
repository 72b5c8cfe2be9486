/*
 * Intents: what a thread is about to change, written into its slot before, so that recovery knows all that a dead
 * thread may have left half done.
 *
 * A change of several words under one lock is a redo list: the thread fills in which word gets which value, then
 * publishes the list by one store, the list's length, then does it. Killed before that store, nothing has happened;
 * killed after it, recovery does it all again as long as the dead thread owns the lock. Afterwards it was done.
 * A change of one word needs no list.
 *
 * Rules: an intent has one lock, so a thread that takes a second one inside uses its next intent. Whatever may
 * allocate does so before. A word of the list is not changed otherwise until the lock is released.
 */
#ifndef MPROC_ARENA_INTENT_H
#define MPROC_ARENA_INTENT_H

#include "arena/arena.h"

#define INTENT_ENTRIES 14
#define INTENT_STAGES 2

/* `word` is the offset of the word that gets the value; INTENT_HALF in it says that the word has 32 bits. */
struct intent_entry {
    _Atomic uint64_t word;
    _Atomic uint64_t value;
};

#define INTENT_HALF ((uint64_t)1)
#define INTENT_COUNTS ((uint64_t)1)

/*
 * Only its thread writes it; after the thread's death, recovery.
 *
 *   lock     offset of the lock that the thread wants, has, or has just released without having woken
 *   object   offset of the object that the lock lies in, and
 *   kind     which object that is, as its block says: later another may lie there; 0 and 0: the lock is always there
 *   wake     offset of a word whose sleepers the thread is about to wake; INTENT_COUNTS in it says that the word is
 *            counted up before, and that it lies in the object, too
 *   count    length of the list; its store publishes
 *   filled   the thread's own: entries written so far
 *   stages   owned slots for blocks and handles that are on their way into an object or out of it
 *   ending   an owned slot for an object that is being freed: object_drop()'s
 *   heap     the heap's own stage: see block.h
 */
struct intent {
    _Atomic uint64_t lock;
    _Atomic uint64_t object;
    _Atomic uint64_t wake;
    _Atomic uint32_t kind;
    _Atomic uint16_t count;
    uint16_t filled;
    struct intent_entry entries[INTENT_ENTRIES];
    _Atomic uint64_t stages[INTENT_STAGES];
    _Atomic uint64_t ending;
    _Atomic uint64_t heap;
};

/* A thread works with its first intent, inside that one's lock with its second, and recovers with its third. */
enum { INTENT_WORK, INTENT_NESTED, INTENT_RECOVERY, INTENTS };

/* Before a lock is taken: recovery looks at it from now on. `object` and `kind`: 0 for a lock that always is. */
static inline void intent_begin(struct intent *intent, const arena_lock *lock, uint64_t object, uint32_t kind)
{
    assert(atomic_load_explicit(&intent->lock, memory_order_relaxed) == 0);
    atomic_store_explicit(&intent->count, 0, memory_order_relaxed);
    intent->filled = 0;
    atomic_store_explicit(&intent->object, object, memory_order_relaxed);
    atomic_store_explicit(&intent->kind, kind, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->lock, arena_offset(lock), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/* After the lock was released, and its sleepers woken: if we end in between, recovery wakes instead. */
static inline void intent_end(struct intent *intent)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->lock, 0, memory_order_relaxed);
}

/* The word, which lies in the intent's object, will be counted up and its sleepers woken, if need be by recovery. */
static inline void intent_will_wake(struct intent *intent, const _Atomic uint32_t *word)
{
    atomic_store_explicit(&intent->wake, arena_offset(word) | INTENT_COUNTS, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void intent_has_woken(struct intent *intent)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, 0, memory_order_relaxed);
}

static inline void intent_put(struct intent *intent, uint64_t word, uint64_t value)
{
    struct intent_entry *entry = &intent->entries[intent->filled];

    assert(intent->filled < INTENT_ENTRIES);
    atomic_store_explicit(&entry->word, word, memory_order_relaxed);
    atomic_store_explicit(&entry->value, value, memory_order_relaxed);
    intent->filled++;
}

/* Under the intent's lock: the word is to get the value. */
static inline void intent_store(struct intent *intent, const _Atomic uint64_t *word, uint64_t value)
{
    intent_put(intent, arena_offset(word), value);
}

static inline void intent_store_half(struct intent *intent, const _Atomic uint32_t *word, uint32_t value)
{
    intent_put(intent, arena_offset(word) | INTENT_HALF, value);
}

/* Does what the list says, in its order. It can be done again from any point. */
static inline void intent_apply(const struct intent *intent, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = atomic_load_explicit(&intent->entries[i].word, memory_order_relaxed);
        uint64_t value = atomic_load_explicit(&intent->entries[i].value, memory_order_relaxed);
        if (word & INTENT_HALF)
            atomic_store_explicit((_Atomic uint32_t *)arena_at(word - INTENT_HALF), (uint32_t)value,
                                  memory_order_release);
        else atomic_store_explicit((_Atomic uint64_t *)arena_at(word), value, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    }
}

/*
 * Under the intent's lock: publishes the list and does what it says. Once
 * for each time that the lock is taken, or the intent restarted.
 */
static inline void intent_commit(struct intent *intent)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->count, intent->filled, memory_order_relaxed); /* publishes */
    atomic_signal_fence(memory_order_seq_cst);
    intent_apply(intent, intent->filled);
}

/* After a commit: the list is done, and under the same lock there may be another, or a change of one word. */
static inline void intent_restart(struct intent *intent)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->count, 0, memory_order_relaxed);
    intent->filled = 0;
    atomic_signal_fence(memory_order_seq_cst);
}

/*
 * A list whose end is in a variable of who fills it in: the same, but faster for lists that are long. What is counted
 * in memory makes each entry wait for the one before.
 */
struct redo {
    struct intent *intent;
    struct intent_entry *end;
};

static inline struct redo redo_begin(struct intent *intent)
{
    return (struct redo){intent, intent->entries};
}

static inline void redo_store(struct redo *redo, const _Atomic uint64_t *word, uint64_t value)
{
    assert(redo->end < redo->intent->entries + INTENT_ENTRIES);
    atomic_store_explicit(&redo->end->word, arena_offset(word), memory_order_relaxed);
    atomic_store_explicit(&redo->end->value, value, memory_order_relaxed);
    redo->end++;
}

/* As intent_commit(), where all words are whole. */
static inline void redo_commit(const struct redo *redo)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&redo->intent->count, (uint16_t)(redo->end - redo->intent->entries),
                          memory_order_relaxed); /* publishes */
    atomic_signal_fence(memory_order_seq_cst);
    for (const struct intent_entry *entry = redo->intent->entries; entry < redo->end; entry++) {
        uint64_t word = atomic_load_explicit(&entry->word, memory_order_relaxed);
        uint64_t value = atomic_load_explicit(&entry->value, memory_order_relaxed);
        atomic_store_explicit((_Atomic uint64_t *)arena_at(word), value, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    }
}

struct thread_slot;

/*
 * Under the recovery lock: finishes what the thread with this owner id, which is dead, had published, releases the
 * locks of its intents, and wakes whom it might have woken. What lies in their stages stays.
 */
void intents_recover(struct thread_slot *slot, uint32_t owner_id);

#endif
