/*
 * Parking. Promised: a wake-up that was announced reaches its sleepers, whoever is killed: the waker, or
 * the one sleeper that it chose among several.
 *
 * The waiting and waking of these scenarios is as all of the library's is: the word is changed, then
 * woken, and announced in the intent before.
 */
#include "test_family.h"
#include "steps.h"

#include "arena/park.h"
#include "object/wait.h"
#include "object/recovery.h"

#include <limits.h>
#include <unistd.h>

static _Atomic uint32_t *word(void)
{
    return &test_family_objects->word;
}

static void sleep_until_changed(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    while (atomic_load(word()) == 0) wait_on(word(), 0, PLAT_FOREVER);
    atomic_store(&tested->went_on[number], 1);
}

static void change_and_wake(int count)
{
    park_announce(word());
    atomic_store(word(), 1);
    park_wake(word(), count);
    park_announce(NULL);
}

/* Where the victim died before its change, the others still sleep, rightly. */
static const char *check_peers(void *state, bool completed)
{
    struct test_family *tested = state;
    int i;

    if (completed && atomic_load(word()) != 1) return step_says("the change is lost");
    for (i = 0; i < tested->peers_count; i++) {
        if (atomic_load(&tested->go[i]) == 0) test_family_peer_asleep(tested, i);
    }
    if (atomic_load(word()) == 0) change_and_wake(INT_MAX);
    for (i = 0; i < tested->peers_count; i++) {
        if (!test_family_went_on(tested, i)) return step_says("sleeper %d was left asleep", i);
    }
    return test_family_check(state, completed);
}

/* ---- the waker is killed ------------------------------------------------------------------------- */

static void begin_one(void *state)
{
    test_family_begin(state);
    test_family_peer(state, sleep_until_changed);
    test_family_peer_asleep(state, 0);
}

static void begin_three(void *state)
{
    begin_one(state);
    test_family_peer_asleep(state, test_family_peer(state, sleep_until_changed));
    test_family_peer_asleep(state, test_family_peer(state, sleep_until_changed));
}

static void wake_one(void *state)
{
    (void)state;
    change_and_wake(1);
}

static void wake_all(void *state)
{
    (void)state;
    change_and_wake(INT_MAX);
}

/* ---- the sleeper is killed ------------------------------------------------------------------------- */

static void sleep_until_woken(void *state)
{
    (void)state;
    while (atomic_load(word()) == 0) wait_on(word(), 0, PLAT_FOREVER);
}

static void change_for_victim(void *state)
{
    (void)state;
    change_and_wake(1);
}

/*
 * Two wait for one item, a count in the word; the first of them, the victim, is woken. Whoever waits for something
 * that others wait for, too, announces the word until it has taken it: the wake-up may have been for somebody else.
 */
static void take_item(void)
{
    uint32_t seen;

    park_announce(word());
    while ((seen = atomic_load(word())) == 0 || !atomic_compare_exchange_strong(word(), &seen, seen - 1)) {
        if (seen == 0) wait_on(word(), 0, PLAT_FOREVER);
    }
    park_announce(NULL);
}

static void peer_takes_item(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    take_item();
    atomic_store(&tested->went_on[number], 1);
}

static void victim_takes_item(void *state)
{
    (void)state;
    take_item();
}

static void begin_peer(void *state)
{
    test_family_begin(state);
    test_family_peer(state, peer_takes_item);
}

static void add_item_for_one_of_two(void *state)
{
    test_family_peer_asleep(state, 0);
    change_and_wake(1);
}

static const char *check_other(void *state, bool completed)
{
    struct test_family *tested = state;

    if (completed && atomic_load(word()) != 0) return step_says("the item was not taken");
    if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
    else if (atomic_load(word()) != 0 && !test_family_went_on(tested, 0))
        return step_says("it was left asleep over an item");
    if (atomic_load(&tested->went_on[0]) == 0) change_and_wake(1);
    if (!test_family_went_on(tested, 0)) return step_says("it was left asleep");
    return test_family_check(state, completed);
}

/* ---- the waker is killed together with the root ------------------------------------------------------- */

/*
 * A root of its own, its sleeper and its waker. When root and waker are dead, nobody is left to recover
 * but the sleeper itself, which looks every two seconds.
 */
struct orphans {
    struct test_family tested;
    struct test_family_member top;
    struct test_family_member sleeper;
    int64_t top_pid;
    int64_t sleeper_pid;
};

static void be_top(void *state)
{
    test_family_attach(&((struct orphans *)state)->top, SLOT_NONE);
    for (;;) pause();
}

static void be_sleeper(void *state)
{
    struct orphans *orphans = state;

    test_family_attach(&orphans->sleeper, orphans->top.slot);
    sleep_until_changed(&orphans->tested, 0);
    for (;;) pause();
}

static void begin_orphans(void *state)
{
    struct orphans *orphans = state;

    test_family_begin(state);
    orphans->top_pid = step_fork(be_top, state);
    while (atomic_load(&orphans->top.pid) == 0) plat_thread_yield();
    orphans->sleeper_pid = step_fork(be_sleeper, state);
    while (atomic_load(&orphans->tested.begun[0]) == 0) plat_thread_yield();
    step_wait_asleep(orphans->sleeper_pid);
}

static void enter_under_top(void *state)
{
    struct orphans *orphans = state;

    test_family_attach(&orphans->tested.victim, orphans->top.slot);
}

static void kill_top(void *state)
{
    step_kill(((struct orphans *)state)->top_pid);
}

/* Where the change was not made, the sleeper sleeps rightly. */
static const char *check_orphan(void *state, bool completed)
{
    struct orphans *orphans = state;

    if (completed && atomic_load(word()) == 0) return step_says("the change is lost");
    if (atomic_load(word()) == 0) change_and_wake(1);
    if (!step_wait_for(&orphans->tested.went_on[0], 1)) return step_says("the orphan was left asleep");
    step_kill(orphans->sleeper_pid);
    recovery_adopt();
    return test_family_check(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "park.wake_one",
     .setup = begin_one,
     .enter = test_family_enter_victim,
     .operation = wake_one,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_peers,
     .teardown = test_family_end},
    {.name = "park.wake_all",
     .setup = begin_three,
     .enter = test_family_enter_victim,
     .operation = wake_all,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_peers,
     .teardown = test_family_end},
    {.name = "park.wait",
     .setup = test_family_begin,
     .enter = test_family_enter_victim,
     .operation = sleep_until_woken,
     .release = change_for_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_peers,
     .teardown = test_family_end},
    {.name = "park.chosen_sleeper",
     .setup = begin_peer,
     .enter = test_family_enter_victim,
     .operation = victim_takes_item,
     .release = add_item_for_one_of_two,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_family_recover,
     .check = check_other,
     .teardown = test_family_end},
    {.name = "park.waker_and_root",
     .outside = true,
     .setup = begin_orphans,
     .enter = enter_under_top,
     .operation = wake_one,
     .recover = kill_top,
     .check = check_orphan,
     .teardown = test_family_end,
     .slow = true},
};

const steps_table steps_park = STEPS_TABLE(scenarios);
