/*
 * Slots and recovery itself. Promised: a slot that is taken belongs to somebody or is freed by recovery; a
 * recoverer that is killed is the next victim, whatever role it recovers in.
 */
#include "test_family.h"
#include "steps.h"

#include "object/resource_owner.h"
#include "arena/lock.h"
#include "object/recovery.h"

#include <stdlib.h>
#include <unistd.h>

static void begin_uncommitted(void *state)
{
    test_family_begin(state);
    test_family_crowd(state);
}

static uint32_t taken;

static void take_process(void *state)
{
    (void)state;
    if (slot_process_take(thread_self.process, &taken) != MPROC_OK) abort();
}

static void enter_with_process(void *state)
{
    test_family_enter_victim(state);
    take_process(state);
}

static void release_process(void *state)
{
    (void)state;
    slot_process_release(taken);
}

/* A second thread slot for the same process, as another thread of it would take. */
static void enter_and_leave_thread(void *state)
{
    struct thread_self mine = thread_self;

    if (slot_thread_enter(mine.process) != MPROC_OK) abort();
    ((struct test_family *)state)->owner_ids[1] = thread_self.owner_id;
    slot_thread_release(thread_self.index);
    thread_self = mine;
}

/* ---- processes that die before the stepping begins ------------------------------------------------ */

struct below {
    struct test_family tested;
    struct test_family_member top;   /* a root of its own, when the victim adopts */
    struct test_family_member child; /* of the victim, or of `top` */
    _Atomic uint32_t ready;
};

/* Ends with a lock held, a block half given and blocks of its own, all of which somebody has to see to. */
static void hold_things(struct below *below)
{
    _Atomic uint64_t *owned;
    int i;

    for (i = 0; i < 3; i++)
        if (resource_take(100, 100, &owned) != MPROC_OK) abort();
    lock_acquire(test_family_intent(), &test_family_objects->lock);
    atomic_store(&below->ready, 1);
    for (;;) pause();
}

static void be_child_of_victim(void *state)
{
    struct below *below = state;

    test_family_attach(&below->child, below->tested.victim.slot);
    hold_things(below);
}

static void enter_reaper(void *state)
{
    struct below *below = state;
    int64_t pid;

    test_family_enter_victim(state);
    pid = step_fork(be_child_of_victim, below);
    step_wait_for(&below->ready, 1);
    step_kill(pid);
}

static void reap(void *state)
{
    test_family_bury(&((struct below *)state)->child);
}

/* Where the reaper died first, the root's recovery of the reaper has freed the slot: there is nothing to bury. */
static const char *check_lock_free(void *state, bool completed)
{
    if (atomic_load(&test_family_objects->lock.word)) return step_says("the lock of the dead is held");
    return test_family_check(state, completed);
}

static void be_child_of_top(void *state)
{
    struct below *below = state;

    test_family_attach(&below->child, below->top.slot);
    hold_things(below);
}

static void be_top(void *state)
{
    struct below *below = state;

    test_family_attach(&below->top, SLOT_NONE);
    step_fork(be_child_of_top, below); /* dies with this one */
    for (;;) pause();
}

static void enter_adopter(void *state)
{
    struct below *below = state;
    int64_t pid;

    test_family_enter_victim(state);
    pid = step_fork(be_top, below);
    step_wait_for(&below->ready, 1);
    step_kill(pid);
    while (!slot_process_dead(below->child.slot)) usleep(100);
}

static void adopt(void *state)
{
    (void)state;
    recovery_adopt();
}

static void recover_and_adopt(void *state)
{
    test_family_recover(state);
    recovery_adopt();
}

static void recover_by_adoption(void *state)
{
    recovery_adopt();
    test_family_recover(state);
}

#define COMMON .recover_enter = test_family_enter_recoverer, .teardown = test_family_end

static const step_scenario scenarios[] = {
    {.name = "slot.take_process",
     .setup = test_family_begin,
     .enter = test_family_enter_victim,
     .operation = take_process,
     .recover = test_family_recover,
     .check = test_family_check,
     COMMON},
    {.name = "slot.take_process_uncommitted",
     .slow = true, /* the way to memory is long, and the rest is as in the others */
     .setup = begin_uncommitted,
     .enter = test_family_enter_victim,
     .operation = take_process,
     .recover = test_family_recover,
     .check = test_family_check,
     COMMON},
    {.name = "slot.release_process",
     .setup = test_family_begin,
     .enter = enter_with_process,
     .operation = release_process,
     .recover = test_family_recover,
     .check = test_family_check,
     COMMON},
    {.name = "slot.thread",
     .setup = test_family_begin,
     .enter = test_family_enter_victim,
     .operation = enter_and_leave_thread,
     .recover = test_family_recover,
     .check = test_family_check,
     COMMON},
    {.name = "slot.thread_uncommitted",
     .slow = true, /* the way to memory is long, and the rest is as in the others */
     .setup = begin_uncommitted,
     .enter = test_family_enter_victim,
     .operation = enter_and_leave_thread,
     .recover = test_family_recover,
     .check = test_family_check,
     COMMON},
    {.name = "recovery.reaper",
     .setup = test_family_begin,
     .enter = enter_reaper,
     .operation = reap,
     .recover = test_family_recover,
     .check = check_lock_free,
     .slow = true,
     COMMON},
    {.name = "recovery.adopter",
     .setup = test_family_begin,
     .enter = enter_adopter,
     .operation = adopt,
     .recover = recover_and_adopt,
     .check = check_lock_free,
     .slow = true,
     .sparse = true,
     COMMON},
    {.name = "recovery.adopter_first",
     .setup = test_family_begin,
     .enter = enter_adopter,
     .operation = adopt,
     .recover = recover_by_adoption,
     .check = check_lock_free,
     .slow = true,
     .sparse = true,
     COMMON},
};

const steps_table steps_slot = STEPS_TABLE(scenarios);
