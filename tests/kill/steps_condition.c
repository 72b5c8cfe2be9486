/*
 * Conditions. Promised: whoever was told goes on, whoever is killed; who dies before he has used what he was told
 * passes it on; and who dies while he waits takes nothing with him.
 */
#include "test_family.h"
#include "steps.h"

#include "object/robust_list.h"
#include "object/wait_queue.h"

#include <mproc/condition.h>

#include <stdlib.h>

static mproc_condition *condition;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* The order of those who wait counts on in each trial from 0, as the object is made anew. */
static void begin(void *state)
{
    test_family_begin(state);
    must(mproc_condition_create(NULL, &condition));
}

static void acquire_or_recover(void)
{
    mproc_status status = mproc_condition_acquire(condition, MPROC_FOREVER);

    if (status == MPROC_OWNER_DIED) status = mproc_condition_recover(condition, MPROC_FOREVER);
    must(status);
}

static void notify_one(void)
{
    acquire_or_recover();
    must(mproc_condition_notify(condition, 1));
    must(mproc_condition_release(condition));
}

/* ---- who waits -------------------------------------------------------------------------------- */

static void wait_in(_Atomic uint32_t *said)
{
    mproc_status status = mproc_condition_wait(condition, MPROC_FOREVER);

    atomic_store(said, (uint32_t)status + 1);
    if (status == MPROC_OK) must(mproc_condition_release(condition));
}

static void peer_waits(struct test_family *tested, int number)
{
    acquire_or_recover();
    atomic_store(&tested->begun[number], 1);
    wait_in(&tested->said[number]);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_peer(void *state)
{
    begin(state);
    test_family_peer(state, peer_waits);
}

static void begin_with_two(void *state)
{
    begin_with_peer(state);
    test_family_peer(state, peer_waits);
}

/* Whether a thread of the peer was told, and has not used it. */
static bool is_told(const struct test_family *tested, int peer)
{
    uint32_t i;

    for (i = 1; i < atomic_load(&arena_header->threads_high); i++) {
        const struct thread_slot *slot = thread_slot_at(i);
        if (atomic_load(&slot->owner) == tested->peers[peer].slot + 1)
            return (atomic_load(&slot->wait) & 7u) == WAIT_NOTIFIED;
    }
    return false;
}

/* ---- judging ---------------------------------------------------------------------------------- */

static const char *check_end(void *state, bool completed)
{
    test_family_disband(state);
    notify_one(); /* nobody is there: this finds fault with what the dead have left behind */
    mproc_condition_free(condition);
    return test_family_check(state, completed);
}

/* Of the peers, `least` must go on by themselves; the others wait rightly, and go on when they are told. */
static const char *check_peers(void *state, bool completed, int least)
{
    struct test_family *tested = state;
    int i, left, went_on = 0;

    left = test_family_left_asleep(tested);
    for (i = 0; i < tested->peers_count; i++) {
        uint32_t said = atomic_load(&tested->said[i]);
        went_on += atomic_load(&tested->went_on[i]) != 0;
        if (said > 1 && said != MPROC_OWNER_DIED + 1) return step_says("peer %d got status %d", i, (int)said - 1);
        if (!atomic_load(&tested->went_on[i]) && is_told(tested, i)) return step_says("peer %d sleeps on, told", i);
    }
    if (went_on < least) return step_says("%d peers went on, not %d", went_on, least);
    for (i = 0; left >= 0 && i < tested->peers_count; i++) {
        notify_one();
        left = test_family_left_asleep(tested);
    }
    if (left >= 0) return step_says("peer %d does not hear what it is told", left);
    return check_end(state, completed);
}

/* ---- the victim waits ------------------------------------------------------------------------- */

static void acquire_and_wait(void *state)
{
    must(mproc_condition_acquire(condition, MPROC_FOREVER));
    wait_in(&((struct test_family *)state)->victim_said);
}

static void root_notifies(void *state)
{
    notify_one();
    atomic_store(&((struct test_family *)state)->root_said, 1);
}

static const char *check_wait(void *state, bool completed)
{
    if (completed && atomic_load(&((struct test_family *)state)->victim_said) != 1)
        return step_says("it did not go on");
    return check_end(state, completed);
}

/* Not in time. */
static void acquire_and_time_out(void *state)
{
    (void)state;
    must(mproc_condition_acquire(condition, MPROC_FOREVER));
    if (mproc_condition_wait(condition, 0) != MPROC_TIMEOUT) abort();
    must(mproc_condition_release(condition));
}

/* ---- the victim is told, and a peer waits, too -------------------------------------------------- */

static void notify_elder(void *state)
{
    struct test_family *tested = state;

    if (atomic_load(&tested->root_said)) return; /* it sleeps for the lock, which it will get */
    test_family_peer_asleep(tested, 0);
    root_notifies(state);
}

/* What the victim was told, and had not used, is the peer's. It is used when the victim has the lock again. */
static const char *check_passed_on(void *state, bool completed)
{
    struct test_family *tested = state;
    bool used = atomic_load(&tested->victim_said) == 1, told = atomic_load(&tested->root_said) != 0;
    mproc_status status;

    if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
    test_family_left_asleep(tested);
    status = mproc_condition_acquire(condition, MPROC_FOREVER);
    if (status == MPROC_OK) must(mproc_condition_release(condition));
    used = used || status == MPROC_OWNER_DIED;
    return check_peers(state, completed, told && !used);
}

static const char *check_passed_on_without_lock(void *state, bool completed)
{
    struct test_family *tested = state;

    if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
    return check_peers(state, completed, atomic_load(&tested->root_said) != 0);
}

/* It was told by one who then dies with the lock, so nobody who is told can use it: all learn of that. */
static void notify_elder_and_abandon(void *state)
{
    struct test_family *tested = state;

    if (atomic_load(&tested->root_said)) return;
    test_family_peer_asleep(tested, 0);
    acquire_or_recover();
    must(mproc_condition_notify(condition, 1));
    robust_list_abandon(test_family_intent(), thread_self.slot, thread_self.owner_id);
    atomic_store(&tested->root_said, 1);
}

/* ---- the victim notifies ---------------------------------------------------------------------- */

static void enter_holding(void *state)
{
    struct test_family *tested = state;
    int i;

    test_family_enter_victim(state);
    for (i = 0; i < tested->peers_count; i++) test_family_peer_asleep(tested, i);
    must(mproc_condition_acquire(condition, MPROC_FOREVER));
}

static void notify_and_release(void *state)
{
    (void)state;
    must(mproc_condition_notify(condition, 1));
    must(mproc_condition_release(condition));
}

static void notify_all_and_release(void *state)
{
    (void)state;
    must(mproc_condition_notify_all(condition));
    must(mproc_condition_release(condition));
}

static const char *check_notified(void *state, bool completed)
{
    return check_peers(state, completed, completed ? 1 : 0);
}

static const char *check_all_notified(void *state, bool completed)
{
    return check_peers(state, completed, completed ? 2 : 0);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_condition.wait",
     .slow = true,
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = acquire_and_wait,
     .release = root_notifies,
     .check = check_wait,
     RECOVERED},
    {.name = "sync_condition.time_out",
     .slow = true,
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = acquire_and_time_out,
     .check = check_end,
     RECOVERED},
    {.name = "sync_condition.told_waiter",
     .slow = true,
     .setup = begin_with_peer,
     .enter = test_family_enter_victim,
     .operation = acquire_and_wait,
     .release = notify_elder,
     .check = check_passed_on,
     RECOVERED},
    {.name = "sync_condition.told_without_lock",
     .slow = true,
     .setup = begin_with_peer,
     .enter = test_family_enter_victim,
     .operation = acquire_and_wait,
     .release = notify_elder_and_abandon,
     .check = check_passed_on_without_lock,
     RECOVERED},
    {.name = "sync_condition.notify",
     .slow = true,
     .setup = begin_with_two,
     .enter = enter_holding,
     .operation = notify_and_release,
     .check = check_notified,
     RECOVERED},
    {.name = "sync_condition.notify_all",
     .slow = true,
     .setup = begin_with_two,
     .enter = enter_holding,
     .operation = notify_all_and_release,
     .check = check_all_notified,
     RECOVERED},
};

const steps_table steps_condition = STEPS_TABLE(scenarios);
