/* Recovery of dead processes. See recovery.h for the rules. */
#include "object/recovery.h"

#include <limits.h>

#include "object/resource_owner.h"
#include "object/robust_list.h"
#include "arena/extent.h"
#include "arena/liveness.h"
#include "arena/lock.h"
#include "arena/park.h"
#include "base/log.h"
#include "object/recovery_lock.h"
#include "object/wait_queue.h"

/* A process looks for the dead of others this often at most. */
#define RECOVERY_REST_NS ((int64_t)1000000000)

/*
 * The header's word `orphans`, which is set under the recovery lock and read without it. While somebody looks whether
 * there are any it is not 0: a reaper that saw that in between would look no more.
 */
enum { ORPHANS_NONE, ORPHANS_SOUGHT, ORPHANS_FOUND };

static void wake_word(uint64_t offset)
{
    if (offset) park_wake((_Atomic uint32_t *)arena_at(offset), INT_MAX);
}

/* What was on its way into an object is in the object now, or never will be. */
static void drop_stages(struct thread_slot *slot)
{
    for (int i = 0; i < INTENTS; i++) {
        struct intent *intent = &slot->intents[i];
        for (int j = 0; j < INTENT_STAGES; j++) object_drop(recovery_intent(), &intent->stages[j]);
        object_drop(recovery_intent(), &intent->ending);
        block_give_stage(recovery_intent(), intent);
    }
}

static void waiter_died(uint64_t object, uint64_t order)
{
    const struct object_type *type = object_type_there(object);

    if (type && type->waiter_died) type->waiter_died(recovery_intent(), object, order);
}

/*
 * A notification that it has not used goes to the next, and the object at which it stood learns that it will not
 * come: before its slot forgets that, so that whoever comes after a recoverer that is killed here still knows.
 */
static void recover_waiting(struct thread_slot *slot)
{
    waiter_died(wait_queue_object(slot), atomic_load(&slot->wait_order));
    wait_queue_recover(recovery_intent(), slot);
}

/* What its call had taken out of an object, and not brought to its end. */
static void taken_lost(struct thread_slot *slot)
{
    uint64_t object = atomic_load(&slot->taken_from);
    const struct object_type *type = object_type_there(object);

    if (atomic_load(&slot->taken) == 0 || !type || !type->taken_lost) return;
    type->taken_lost(recovery_intent(), object, &slot->taken, false);
}

/* What was repaired of a process, for the log. */
struct repairs {
    uint32_t locks;
    uint32_t operations;
};

static uint32_t count_operations(const struct thread_slot *slot)
{
    uint32_t count = 0;

    for (int i = 0; i < INTENTS; i++) count += atomic_load(&slot->intents[i].lock) != 0;
    return count;
}

static void say_repairs(const struct process_slot *slot, const struct repairs *repairs)
{
    int level = repairs->locks > 0 ? MPROC_LOG_WARNING : repairs->operations > 0 ? MPROC_LOG_INFO : MPROC_LOG_DEBUG;
    long long pid = atomic_load(&slot->pid);

    if (!log_on(level)) return;
    if (repairs->locks + repairs->operations == 0)
        log_owe(level, "what process %lld had is given back: nothing was to be repaired", pid);
    else
        log_owe(level, "what process %lld had is repaired: locks abandoned: %lu, operations brought to an end: %lu",
                pid, (unsigned long)repairs->locks, (unsigned long)repairs->operations);
}

/* It may have slept, and have been the one of several sleepers whom a wake-up chose: the others get another. */
static void settle_slot(uint32_t index, struct repairs *repairs)
{
    struct thread_slot *slot = thread_slot_at(index);
    uint32_t owner_id = (atomic_load(&slot->generation) & SLOT_GENERATION_MASK) << 20 | index;

    repairs->operations += count_operations(slot);
    recovery_intents(slot, owner_id);
    taken_lost(slot);
    drop_stages(slot);
    recover_waiting(slot);
    repairs->locks += robust_list_abandon(recovery_intent(), slot, owner_id);
    wake_word(atomic_load(&slot->parked));
    park_ring_recover(slot);
    atomic_store(&slot->rings, 0);
}

/* Of what the slot's thread slept by. */
static void close_sleep(uint32_t index)
{
    park_recover(index);
    plat_semaphore_close(&thread_slot_at(index)->semaphore);
}

static void recover_threads(uint32_t process, struct repairs *repairs)
{
    uint32_t high = atomic_load(&arena_header->threads_high);

    for (uint32_t i = 1; i < high; i++)
        if (atomic_load_explicit(&thread_slot_at(i)->owner, memory_order_relaxed) == process + 1) {
            settle_slot(i, repairs);
            close_sleep(i);
            slot_thread_release(i);
        }
}

/*
 * Whether a slot whose state is this word is of a child of `parent`. Also of the parent's slot 4,096 lives ago: then
 * an orphan waits longer for its adoption.
 */
static bool is_child(uint32_t index, uint32_t state, uint32_t parent)
{
    uint32_t generation = atomic_load(&process_slot_at(parent)->generation);

    return (state & 7u) != PROCESS_FREE && index != parent && state >> 3 == (parent | (generation & 0xFFFu) << 17);
}

static void set_state(struct process_slot *slot, enum process_state state)
{
    atomic_store(&slot->state, process_state_word(state, atomic_load(&slot->state)));
}

/* Whether another living member of the family has this process id. */
static bool is_member(int64_t pid)
{
    uint32_t high = atomic_load(&arena_header->processes_high);

    for (uint32_t i = 0; i < high; i++)
        if (atomic_load(&process_slot_at(i)->pid) == pid && i != thread_self.process && !slot_process_dead(i))
            return true;
    return false;
}

/*
 * The slot of an orphan that is recovered. The system may have given the dead process to another member, of which it
 * is a zombie: then the slot stays, so that this one, when it looks for orphans, knows whom to collect.
 */
static void free_slot(uint32_t index)
{
    struct process_slot *slot = process_slot_at(index);
    int64_t collector = plat_process_collect_orphan(atomic_load(&slot->pid), atomic_load(&slot->born_before_ns));

    if (collector && is_member(collector)) {
        atomic_store(&arena_header->orphans, ORPHANS_FOUND);
        return;
    }
    if (log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "process %lld, whose parent had ended before, has ended",
                (long long)atomic_load(&slot->pid));
    object_drop(recovery_intent(), &slot->spawn_data);
    slot_process_release(index);
}

static bool recover_locked(uint32_t process);

/*
 * The system is about to end the daemons of a dead process. One that is still there the next time has escaped it - it
 * may have closed its end of the sentinel - and is killed.
 */
static void end_daemon(struct process_slot *slot)
{
    if (atomic_fetch_or(&slot->flags, PROCESS_OVERDUE) & PROCESS_OVERDUE)
        plat_process_kill_other(atomic_load(&slot->pid), atomic_load(&slot->born_before_ns));
}

/*
 * The dead process' children: those that have ended are recovered in its place. Its blocks may still be
 * in use by a daemon that the system is about to end, but not by others, which were given none.
 */
static bool recover_children(uint32_t parent)
{
    uint32_t high = atomic_load(&arena_header->processes_high);
    bool quiet = true;

    for (uint32_t i = 0; i < high; i++) {
        struct process_slot *slot = process_slot_at(i);
        if (!is_child(i, atomic_load(&slot->state), parent)) continue;
        if (!slot_process_dead(i)) {
            atomic_store(&arena_header->orphans, ORPHANS_FOUND);
            if (!(atomic_load(&slot->flags) & PROCESS_DAEMON)) continue;
            end_daemon(slot);
            quiet = false;
        } else if (recover_locked(i)) {
            free_slot(i);
        } else {
            quiet = false;
        }
    }
    return quiet;
}

/* Under the recovery lock. The state says how far an earlier recoverer came; everything can be done again. */
static bool recover_locked(uint32_t process)
{
    struct process_slot *slot = process_slot_at(process);
    enum process_state state = process_slot_state(slot);
    struct repairs repairs = {0, 0};

    if (state == PROCESS_FREE || state == PROCESS_RECOVERED) return true;
    if (state != PROCESS_DEAD) {
        recover_threads(process, &repairs);
        set_state(slot, PROCESS_DEAD);
        say_repairs(slot, &repairs);
    }
    resource_owner_died(recovery_intent(), &slot->owned);
    object_holder_died(recovery_intent(), atomic_load(&slot->spawn_data));
    if (!recover_children(process)) return false;
    resource_owner_recover(recovery_intent(), &slot->owned);
    set_state(slot, PROCESS_RECOVERED);
    return true;
}

/* The memory of large blocks goes back to the system when nobody waits for recovery any more. */
static void end_recovery(void)
{
    recovery_lock_release();
    extent_cool(recovery_intent());
}

bool recovery_process(uint32_t process)
{
    bool done;

    if (!recovery_lock_acquire()) return false;
    done = recover_locked(process);
    end_recovery();
    return done;
}

/* Under the recovery lock a dead thread keeps its slot, so what is true here stays true. */
static void help(uint32_t owner_id)
{
    uint32_t owner;

    if (!owner_id || !slot_thread_dead(owner_id) || !recovery_lock_acquire()) return;
    owner = atomic_load(&thread_slot_at(owner_id & SLOT_INDEX_MAX)->owner);
    if (slot_thread_present(owner_id) && slot_process_dead(owner - 1)) recover_locked(owner - 1);
    end_recovery();
}

void recovery_thread_settles(void)
{
    struct repairs repairs = {0, 0};

    recovery_lock_acquire();
    settle_slot(thread_self.index, &repairs);
    recovery_lock_release();
}

/* The lock is released while the slot still says whom to wake if we end in between. */
void recovery_thread_ends(void)
{
    struct repairs repairs = {0, 0};

    recovery_lock_acquire();
    settle_slot(thread_self.index, &repairs);
    close_sleep(thread_self.index);
    recovery_lock_release();
    slot_thread_release(thread_self.index);
    thread_self.slot = NULL;
    thread_self.arena = 0;
}

/* Whether nobody cares for it: a parent that is dead, recovered or gone cannot. */
static bool is_orphan(uint32_t index, uint32_t state)
{
    uint32_t parent = state >> 3 & SLOT_NONE;

    return parent != SLOT_NONE && (!is_child(index, state, parent) || slot_process_dead(parent));
}

bool recovery_orphaned(void)
{
    uint32_t index = thread_self.process;

    return is_orphan(index, atomic_load(&process_slot_at(index)->state));
}

/*
 * One slot. While its parent lives, that may free it meanwhile, for somebody else; once the parent is dead only
 * recovery does, whose lock we have. So the state must be the same after the parent was found dead.
 */
static void adopt(uint32_t index)
{
    struct process_slot *slot = process_slot_at(index);
    uint32_t state = atomic_load(&slot->state);
    bool is_first = (state >> 3 & SLOT_NONE) == SLOT_NONE;

    if ((state & 7u) == PROCESS_FREE || (!is_first && !is_orphan(index, state))) return;
    if (atomic_load(&slot->state) == state && slot_process_dead(index) && recover_locked(index)) free_slot(index);
    else if (!is_first) atomic_store(&arena_header->orphans, ORPHANS_FOUND);
}

void recovery_adopt(void)
{
    uint32_t high = atomic_load(&arena_header->processes_high);
    uint32_t sought = ORPHANS_SOUGHT;

    if (!recovery_lock_acquire()) return;
    atomic_store(&arena_header->orphans, ORPHANS_SOUGHT);
    for (uint32_t i = 0; i < high; i++) adopt(i);
    atomic_compare_exchange_strong(&arena_header->orphans, &sought, ORPHANS_NONE);
    end_recovery();
}

bool recovery_orphans(void)
{
    return atomic_load(&arena_header->orphans) != ORPHANS_NONE;
}

/* Whether this process has not looked for so long; if so, it has now. */
static bool look_is_due(void)
{
    static _Atomic int64_t next_ns;
    int64_t now_ns = plat_clock_now_ns(), next = atomic_load(&next_ns);

    return now_ns >= next && atomic_compare_exchange_strong(&next_ns, &next, now_ns + RECOVERY_REST_NS);
}

/* To adopt may mean to sleep, for the lock of recovery, and whoever has slept looks. */
void recovery_poll(void)
{
    static THREAD_LOCAL bool looks;

    if (looks || !look_is_due()) return;
    looks = true;
    if (recovery_orphans() || recovery_orphaned()) recovery_adopt();
    looks = false;
}

const struct liveness liveness = {
    .lock_owner = recovery_lock_help,
    .owner = help,
    .poll = recovery_poll,
    .pass = recovery_lock_pass,
    .adopt = recovery_adopt,
};
