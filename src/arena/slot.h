/*
 * Slots: the arena's record of every process of the family, and of every thread that waits or locks.
 */
#ifndef MPROC_ARENA_SLOT_H
#define MPROC_ARENA_SLOT_H

#include "arena/arena.h"
#include "arena/intent.h"
#include "base/thread_local.h"

/* A thread's owner id: generation << 20 | slot index. Bit 31 is left for LOCK_WAITERS; 0 is nobody. */
#define SLOT_INDEX_MAX 0xFFFFFu
#define SLOT_GENERATION_MASK 0x7FFu
#define SLOT_NONE 0x1FFFFu

/*
 * So many locks that a thread keeps at once have their place in its slot; more are kept in blocks, see robust_list.h.
 */
#define SLOT_ROBUST 8

/*
 * `owner` is the index of the thread's process + 1, or 0 when the slot is free; it is taken by one
 * compare-and-swap, which so names the taker. `generation` grows when the slot is freed, before
 * `owner` is cleared, by the thread itself or by recovery. The rest is the thread's own, but for `wait`;
 *   parked       is the offset of the word that it sleeps on,
 *   wait, ...    say what it waits for to be notified: see wait_queue.h; others change `wait` by compare-and-swap,
 *   robust, ... are the offsets of what it owns, or wants to own, for longer: see robust_list.h,
 *   settles      is the dead recoverer whose lock of recovery it takes over: see recovery_lock.c,
 *   rings        is not 0 while it tells those who watch a word: see park_watch(),
 *   taken, ...   say what it has just taken out of an object, until it has it: see taken_lost() of that one's type.
 * The semaphore is used where there is no futex.
 */
struct thread_slot {
    _Atomic uint32_t owner;
    _Atomic uint32_t generation;
    _Atomic uint64_t parked;
    _Atomic uint64_t wait;
    _Atomic uint64_t wait_order;
    _Atomic uint64_t wait_object;
    plat_semaphore semaphore;
    _Atomic uint64_t robust[SLOT_ROBUST];
    struct intent intents[INTENTS];
    _Atomic uint64_t robust_more;
    _Atomic uint32_t settles;
    _Atomic uint32_t rings;
    _Atomic uint64_t taken;
    _Atomic uint64_t taken_from;
};

static_assert(sizeof(struct thread_slot) % ARENA_LINE == 0, "no two threads share a cache line");
static_assert(offsetof(struct thread_slot, robust) == ARENA_LINE, "what others look at lies in the first line");

/*
 * PROCESS_FREE -> STARTING (the parent takes the slot) -> ATTACHED (the child, which must be the one
 * that `pid` names) -> DEAD (recovery: it is dead, its locks are released) -> RECOVERED (all that it
 * had is released) -> FREE (its parent has done with it; or, if that is dead, whoever adopts it, but no sooner than
 * the member to which the system has given a dead orphan has collected it).
 * A slot goes from STARTING to DEAD when the child died, or its parent did, before it attached.
 */
enum process_state { PROCESS_FREE, PROCESS_STARTING, PROCESS_ATTACHED, PROCESS_DEAD, PROCESS_RECOVERED };

enum process_flag { PROCESS_DAEMON = 1, PROCESS_ENTERED = 2, PROCESS_OVERDUE = 4 };

/*
 * `state` is an enum process_state | the parent's slot index << 3 | the parent's generation << 20. It
 * changes as said above, by compare-and-swap, and the parent stays in it until the slot is free: so
 * the taking itself names who takes. The parent writes the rest while the state is STARTING; later
 *   PROCESS_ENTERED  is set by the process when it passes its main guard,
 *   PROCESS_OVERDUE  is set by recovery on a daemon that has outlived its parent,
 *   interrupts       is raised by anybody,
 *   alarms           is counted up by anybody who interrupts it, or changes a word that it watches,
 *   watched          says which words it watches, and is cleared by those who change them: see park_watch(),
 *   refused          is written by a child that cannot become a member: the status that says why,
 *   owned            is the chain of tables of blocks that the process owns (resource_owner.h): its own, after its
 *                    death recovery's,
 *   spawn_data       is an owned slot with the block that the process was born with: its parent's.
 * `generation` grows when the slot is freed.
 */
struct process_slot {
    _Atomic uint32_t state;
    _Atomic uint32_t generation;
    _Atomic uint32_t flags;
    _Atomic uint32_t interrupts;
    _Atomic int64_t pid;
    _Atomic uint32_t refused;
    uint32_t unused_half;
    _Atomic int64_t born_before_ns;
    _Atomic uint64_t spawn_data;
    _Atomic uint64_t owned;
    _Atomic uint32_t alarms;
    uint32_t unused_word;
    _Atomic uint64_t watched;
    uint32_t unused[14];
};

/* Spawn tokens name `pid` alone, and other versions of the library write the word behind it. */
static_assert(offsetof(struct process_slot, refused) == offsetof(struct process_slot, pid) + 8, "in all versions");

static_assert(sizeof(struct process_slot) == 2 * ARENA_LINE, "no two processes share a cache line");

#define SLOT_NEAR_PROCESSES 32u
#define SLOT_NEAR_THREADS 16u

/* The slots with the lowest indices lie behind the header, all others in the ranges of their kinds. */
struct near_slots {
    struct process_slot processes[SLOT_NEAR_PROCESSES];
    struct thread_slot threads[SLOT_NEAR_THREADS];
};

static_assert(sizeof(struct arena_header) % ARENA_LINE == 0, "what follows the header begins a cache line");
static_assert(offsetof(struct arena_header, heap) % ARENA_LINE == 0, "the heap's lists begin a cache line");

static inline struct near_slots *near_slots(void)
{
    return (struct near_slots *)(void *)(arena_header + 1);
}

static inline struct process_slot *process_slot_at(uint32_t index)
{
    assert(index < arena_header->processes_max);
    if (index < SLOT_NEAR_PROCESSES) return &near_slots()->processes[index];
    return (struct process_slot *)arena_at(arena_header->ranges[ARENA_PROCESSES].start) + index - SLOT_NEAR_PROCESSES;
}

static inline struct thread_slot *thread_slot_at(uint32_t index)
{
    assert(index < arena_header->threads_max);
    if (index < SLOT_NEAR_THREADS) return &near_slots()->threads[index];
    return (struct thread_slot *)arena_at(arena_header->ranges[ARENA_THREADS].start) + index - SLOT_NEAR_THREADS;
}

static inline enum process_state process_slot_state(const struct process_slot *slot)
{
    return (enum process_state)(atomic_load(&slot->state) & 7u);
}

static inline uint32_t process_slot_parent(const struct process_slot *slot)
{
    return atomic_load(&slot->state) >> 3 & SLOT_NONE;
}

/* The word of a slot in `state` whose parent is that of `word`. */
static inline uint32_t process_state_word(enum process_state state, uint32_t word)
{
    return (uint32_t)state | (word & ~7u);
}

/*
 * The calling thread's own view of its slot. `slot` is NULL and `arena` 0 before slot_thread_enter(); then `arena` is
 * the generation of the arena in which the slot is. `left` tells whether a task
 * has left something behind (see process/task.h), by a word that is not 0 then: the first place of `robust`, or, when
 * that does not show all, slot_always_left. `request` is, of a thread that works for others, how these ask it to
 * stop, or NULL; `request_seen` is what it knows of already: see object/interrupt.h. `requests_alone`: what
 * interrupts its process does not concern it.
 */
struct thread_self {
    struct thread_slot *slot;
    uint32_t owner_id;
    uint32_t index;
    uint32_t process;
    uint32_t interrupts_seen;
    uint32_t arena;
    const _Atomic uint64_t *left;
    const struct stop_request *request;
    uint64_t request_seen;
    bool requests_alone;
};

extern const _Atomic uint64_t slot_always_left;

extern THREAD_LOCAL struct thread_self thread_self;

static inline struct intent *work_intent(void)
{
    return &thread_self.slot->intents[INTENT_WORK];
}

static inline struct intent *recovery_intent(void)
{
    return &thread_self.slot->intents[INTENT_RECOVERY];
}

/*
 * Takes a free process slot for a child of `parent` (SLOT_NONE for the family's first process), in the state
 * STARTING, with nothing in it. MPROC_LIMIT: all are taken. MPROC_NO_MEMORY.
 */
mproc_status slot_process_take(uint32_t parent, uint32_t *index);

/* Frees a slot whose process is recovered and whose spawn data is freed. */
void slot_process_release(uint32_t index);

/* Gives the calling thread a slot of its own, as a thread of that process. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status slot_thread_enter(uint32_t process);

/* Frees a slot with empty hands: its thread ends, or has been recovered. */
void slot_thread_release(uint32_t index);

/* Whether the process has ended, as far as the system knows. Asks the system: some microseconds. */
bool slot_process_dead(uint32_t index);

/* Whether the thread with this owner id is gone, or its process has ended. */
bool slot_thread_dead(uint32_t owner_id);

/* Whether the slot still belongs to the thread with this owner id, dead or alive. */
bool slot_thread_present(uint32_t owner_id);

#endif
