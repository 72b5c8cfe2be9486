/*
 * Conditions. Promised: whoever was told goes on, whoever is killed; who dies before he has used what he was told
 * passes it on; and who dies while he waits takes nothing with him.
 */
#include "clan.h"
#include "steps.h"

#include "object/held.h"
#include "object/waiting.h"

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
    clan_begin(state);
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

static void peer_waits(struct clan *clan, int number)
{
    acquire_or_recover();
    atomic_store(&clan->begun[number], 1);
    wait_in(&clan->said[number]);
    atomic_store(&clan->went_on[number], 1);
}

static void begin_with_peer(void *state)
{
    begin(state);
    clan_peer(state, peer_waits);
}

static void begin_with_two(void *state)
{
    begin_with_peer(state);
    clan_peer(state, peer_waits);
}

/* Whether a thread of the peer was told, and has not used it. */
static bool is_told(const struct clan *clan, int peer)
{
    uint32_t i;

    for (i = 1; i < atomic_load(&arena_header()->threads_high); i++) {
        const struct thread_slot *slot = thread_slot_at(i);
        if (atomic_load(&slot->owner) == clan->peers[peer].slot + 1)
            return (atomic_load(&slot->wait) & 7u) == WAITING_TOLD;
    }
    return false;
}

/* ---- judging ---------------------------------------------------------------------------------- */

static const char *check_end(void *state, bool completed)
{
    clan_disband(state);
    notify_one(); /* nobody is there: this finds fault with what the dead have left behind */
    mproc_condition_free(condition);
    return clan_check(state, completed);
}

/* Of the peers, `least` must go on by themselves; the others wait rightly, and go on when they are told. */
static const char *check_peers(void *state, bool completed, int least)
{
    struct clan *clan = state;
    int i, left, went_on = 0;

    left = clan_left_asleep(clan);
    for (i = 0; i < clan->peers_count; i++) {
        uint32_t said = atomic_load(&clan->said[i]);
        went_on += atomic_load(&clan->went_on[i]) != 0;
        if (said > 1 && said != MPROC_OWNER_DIED + 1) return step_says("peer %d got status %d", i, (int)said - 1);
        if (!atomic_load(&clan->went_on[i]) && is_told(clan, i)) return step_says("peer %d sleeps on, told", i);
    }
    if (went_on < least) return step_says("%d peers went on, not %d", went_on, least);
    for (i = 0; left >= 0 && i < clan->peers_count; i++) {
        notify_one();
        left = clan_left_asleep(clan);
    }
    if (left >= 0) return step_says("peer %d does not hear what it is told", left);
    return check_end(state, completed);
}

/* ---- the victim waits ------------------------------------------------------------------------- */

static void acquire_and_wait(void *state)
{
    must(mproc_condition_acquire(condition, MPROC_FOREVER));
    wait_in(&((struct clan *)state)->victim_said);
}

static void root_notifies(void *state)
{
    notify_one();
    atomic_store(&((struct clan *)state)->root_said, 1);
}

static const char *check_wait(void *state, bool completed)
{
    if (completed && atomic_load(&((struct clan *)state)->victim_said) != 1) return step_says("it did not go on");
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
    struct clan *clan = state;

    if (atomic_load(&clan->root_said)) return; /* it sleeps for the lock, which it will get */
    clan_peer_asleep(clan, 0);
    root_notifies(state);
}

/* What the victim was told, and had not used, is the peer's. It is used when the victim has the lock again. */
static const char *check_passed_on(void *state, bool completed)
{
    struct clan *clan = state;
    bool used = atomic_load(&clan->victim_said) == 1, told = atomic_load(&clan->root_said) != 0;
    mproc_status status;

    if (atomic_load(&clan->go[0]) == 0) clan_peer_asleep(clan, 0);
    clan_left_asleep(clan);
    status = mproc_condition_acquire(condition, MPROC_FOREVER);
    if (status == MPROC_OK) must(mproc_condition_release(condition));
    used = used || status == MPROC_OWNER_DIED;
    return check_peers(state, completed, told && !used);
}

static const char *check_passed_on_without_lock(void *state, bool completed)
{
    struct clan *clan = state;

    if (atomic_load(&clan->go[0]) == 0) clan_peer_asleep(clan, 0);
    return check_peers(state, completed, atomic_load(&clan->root_said) != 0);
}

/* It was told by one who then dies with the lock, so nobody who is told can use it: all learn of that. */
static void notify_elder_and_abandon(void *state)
{
    struct clan *clan = state;

    if (atomic_load(&clan->root_said)) return;
    clan_peer_asleep(clan, 0);
    acquire_or_recover();
    must(mproc_condition_notify(condition, 1));
    held_abandon(clan_intent(), thread_self.slot, thread_self.tag);
    atomic_store(&clan->root_said, 1);
}

/* ---- the victim notifies ---------------------------------------------------------------------- */

static void enter_holding(void *state)
{
    struct clan *clan = state;
    int i;

    clan_enter_victim(state);
    for (i = 0; i < clan->peers_count; i++) clan_peer_asleep(clan, i);
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

#define RECOVERED .recover_enter = clan_enter_recoverer, .recover = clan_recover, .teardown = clan_end, .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_condition.wait",
     .slow = true,
     .setup = begin,
     .enter = clan_enter_victim,
     .operation = acquire_and_wait,
     .release = root_notifies,
     .check = check_wait,
     RECOVERED},
    {.name = "sync_condition.time_out",
     .slow = true,
     .setup = begin,
     .enter = clan_enter_victim,
     .operation = acquire_and_time_out,
     .check = check_end,
     RECOVERED},
    {.name = "sync_condition.told_waiter",
     .slow = true,
     .setup = begin_with_peer,
     .enter = clan_enter_victim,
     .operation = acquire_and_wait,
     .release = notify_elder,
     .check = check_passed_on,
     RECOVERED},
    {.name = "sync_condition.told_without_lock",
     .slow = true,
     .setup = begin_with_peer,
     .enter = clan_enter_victim,
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
