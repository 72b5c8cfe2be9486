/*
 * Semaphores. Promised: nobody sleeps while there are permits, whoever is killed; permits that have an owner come
 * back when he dies, and none is lost.
 */
#include "test_family.h"
#include "steps.h"

#include "object/reference.h"

#include <mproc/semaphore.h>

#include <stdlib.h>

static mproc_semaphore *semaphore;
static mproc_semaphore *mine; /* the process' own reference: permits belong to it */
static bool released;         /* by the root */
static bool owned;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void begin_with(void *state, int64_t value, const mproc_semaphore_options *options)
{
    test_family_begin(state);
    must(mproc_semaphore_create(value, options, &semaphore));
    owned = options->owned;
    released = false;
}

static void begin(void *state, int64_t value, bool with_owner)
{
    begin_with(state, value, &(mproc_semaphore_options){.owned = with_owner});
}

static int value(void)
{
    return (int)mproc_semaphore_value(semaphore);
}

/* The references that a program has begin with a struct reference. */
static void open_mine(void)
{
    const struct reference *theirs = (const struct reference *)(const void *)semaphore;
    struct reference *reference;

    must(reference_open(&theirs->ref, &reference));
    mine = (mproc_semaphore *)(void *)reference;
}

static void enter(void *state)
{
    test_family_enter_victim(state);
    open_mine();
}

static void enter_with_permit(void *state)
{
    enter(state);
    must(mproc_semaphore_acquire(mine, 0));
    test_family_peer_asleep(state, 0);
}

static void wait_for_permit(struct test_family *tested, int number)
{
    open_mine();
    atomic_store(&tested->begun[number], 1);
    must(mproc_semaphore_acquire(mine, MPROC_FOREVER));
    atomic_store(&tested->went_on[number], 1);
}

static void acquire(void *state)
{
    must(mproc_semaphore_acquire(mine, MPROC_FOREVER));
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

static void release(void *state)
{
    (void)state;
    must(mproc_semaphore_release(mine));
}

static void acquire_and_release(void *state)
{
    acquire(state);
    release(state);
}

static void release_by_root(void *state)
{
    (void)state;
    if (!released) must(mproc_semaphore_release(semaphore));
    released = true;
}

static void release_for_two(void *state)
{
    test_family_peer_asleep(state, 0);
    release_by_root(state);
}

/* With all gone, owned permits are there again; others as far as nobody has died with them. */
static const char *check_end(void *state, bool completed, int most)
{
    struct test_family *tested = state;

    test_family_disband(tested);
    if (owned && value() != most) return step_says("there are %d permits of %d", value(), most);
    if (value() > most) return step_says("there are %d permits, more than %d", value(), most);
    if (!owned && value() == 0) must(mproc_semaphore_release(semaphore));
    if (mproc_semaphore_acquire(semaphore, 0) != MPROC_OK) return step_says("the semaphore is of no use");
    mproc_semaphore_free(semaphore);
    return test_family_check(state, completed);
}

/* ---- alone ------------------------------------------------------------------------------------ */

static void begin_free(void *state)
{
    begin(state, 1, false);
}

static void begin_owned(void *state)
{
    begin(state, 2, true);
}

static void begin_none(void *state)
{
    begin(state, 0, false);
}

/* The root has the only one. */
static void begin_taken(void *state)
{
    begin(state, 1, true);
    must(mproc_semaphore_acquire(semaphore, 0));
}

static const char *check_free(void *state, bool completed)
{
    if (completed && value() != 1) return step_says("there are %d permits", value());
    return check_end(state, completed, 1);
}

static const char *check_owned(void *state, bool completed)
{
    return check_end(state, completed, 2);
}

static const char *check_one(void *state, bool completed)
{
    release_by_root(state);
    return check_end(state, completed, 1);
}

/* ---- bounded ---------------------------------------------------------------------------------- */

/* The root has the only permit. */
static void begin_bounded(void *state)
{
    begin_with(state, 1, &(mproc_semaphore_options){.bounded = true});
    must(mproc_semaphore_acquire(semaphore, 0));
}

/* The one that is missing, and one too many. */
static void release_twice(void *state)
{
    release(state);
    if (mproc_semaphore_release(mine) != MPROC_BAD_STATE) abort();
}

static const char *check_bounded(void *state, bool completed)
{
    if (value() > 1 || (completed && value() != 1)) return step_says("there are %d permits", value());
    if (value() == 0) must(mproc_semaphore_release(semaphore));
    if (mproc_semaphore_release(semaphore) != MPROC_BAD_STATE) return step_says("it has lost its bound");
    return check_end(state, completed, 1);
}

/* ---- a peer waits ----------------------------------------------------------------------------- */

static void begin_bounded_with_peer(void *state)
{
    begin_bounded(state);
    test_family_peer(state, wait_for_permit);
}

static void begin_none_with_peer(void *state)
{
    begin_none(state);
    test_family_peer(state, wait_for_permit);
}

static void enter_with_peer(void *state)
{
    enter(state);
    test_family_peer_asleep(state, 0);
}

static void begin_taken_with_peer(void *state)
{
    begin_taken(state);
    test_family_peer(state, wait_for_permit);
}

static void begin_one_with_peer(void *state)
{
    begin(state, 1, true);
    test_family_peer(state, wait_for_permit);
}

/* `must_go_on`: the peer has a permit to get. */
static const char *check_peer(struct test_family *tested, bool must_go_on)
{
    if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
    if (test_family_left_asleep(tested) < 0) return NULL;
    if (must_go_on || value() > 0) return step_says("it was left asleep; there are %d permits", value());
    must(mproc_semaphore_release(semaphore));
    return test_family_left_asleep(tested) < 0 ? NULL : step_says("it was left asleep by the root");
}

static const char *check_released(void *state, bool completed)
{
    const char *wrong = check_peer(state, completed);

    return wrong != NULL ? wrong : check_end(state, completed, 1);
}

/* It gets the permit that the victim has released, or died with. */
static const char *check_given_back(void *state, bool completed)
{
    const char *wrong = check_peer(state, true);

    return wrong != NULL ? wrong : check_end(state, completed, 1);
}

/* Where the victim died with a permit that nobody owns, that is gone. */
static const char *check_two(void *state, bool completed)
{
    struct test_family *tested = state;
    const char *wrong;

    if (atomic_load(&tested->go[0]) == 0) test_family_peer_asleep(tested, 0);
    release_by_root(state);
    wrong = check_peer(tested, owned);
    return wrong != NULL ? wrong : check_end(state, completed, owned ? 1 : 2);
}

/* ---- a daemon outlives the owner -------------------------------------------------------------- */

static void stay(struct test_family *tested, int number)
{
    (void)tested;
    (void)number;
}

static void begin_one_with_peer_and_daemon(void *state)
{
    begin_one_with_peer(state);
    test_family_peer(state, stay);
}

/* The second peer is a daemon of the victim, which the system does not end with it. */
static void enter_with_daemon(void *state)
{
    struct test_family *tested = state;
    struct process_slot *daemon = process_slot_at(tested->peers[1].slot);
    uint32_t generation;

    enter_with_permit(state);
    generation = atomic_load(&process_slot_at(tested->victim.slot)->generation);
    atomic_fetch_or(&daemon->flags, PROCESS_DAEMON);
    atomic_store(&daemon->state, PROCESS_ATTACHED | tested->victim.slot << 3 | generation << 20);
}

/* It gets the permit before the daemon has ended; all the rest comes back after that. */
static const char *check_before_daemon(void *state, bool completed)
{
    const char *wrong = check_peer(state, true);

    if (wrong != NULL) return wrong;
    test_family_disband(state);
    test_family_recover(state);
    return check_end(state, completed, 1);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "sync_semaphore.free",
     .setup = begin_free,
     .enter = enter,
     .operation = acquire_and_release,
     .check = check_free,
     RECOVERED},
    {.name = "sync_semaphore.contended",
     .slow = true,
     .setup = begin_none,
     .enter = enter,
     .operation = acquire_and_release,
     .release = release_by_root,
     .check = check_one,
     RECOVERED},
    {.name = "sync_semaphore.bounded",
     .slow = true,
     .setup = begin_bounded,
     .enter = enter,
     .operation = release_twice,
     .check = check_bounded,
     RECOVERED},
    {.name = "sync_semaphore.bounded_waiter_asleep",
     .slow = true,
     .setup = begin_bounded_with_peer,
     .enter = enter_with_peer,
     .operation = release,
     .check = check_released,
     RECOVERED},
    {.name = "sync_semaphore.waiter_asleep",
     .setup = begin_none_with_peer,
     .enter = enter_with_peer,
     .operation = release,
     .check = check_released,
     RECOVERED},
    {.name = "sync_semaphore.chosen_waiter",
     .slow = true,
     .setup = begin_none_with_peer,
     .enter = enter,
     .operation = acquire,
     .release = release_for_two,
     .check = check_two,
     RECOVERED},
    {.name = "sync_semaphore.owned",
     .slow = true,
     .setup = begin_owned,
     .enter = enter,
     .operation = acquire_and_release,
     .check = check_owned,
     RECOVERED},
    {.name = "sync_semaphore.owned_contended",
     .slow = true,
     .setup = begin_taken,
     .enter = enter,
     .operation = acquire_and_release,
     .release = release_by_root,
     .check = check_one,
     RECOVERED},
    {.name = "sync_semaphore.owned_waiter_asleep",
     .slow = true,
     .setup = begin_one_with_peer,
     .enter = enter_with_permit,
     .operation = release,
     .check = check_given_back,
     RECOVERED},
    {.name = "sync_semaphore.owned_daemon_outlives",
     .slow = true,
     .setup = begin_one_with_peer_and_daemon,
     .enter = enter_with_daemon,
     .operation = release,
     .check = check_before_daemon,
     RECOVERED},
    {.name = "sync_semaphore.owned_chosen_waiter",
     .slow = true,
     .setup = begin_taken_with_peer,
     .enter = enter,
     .operation = acquire,
     .release = release_for_two,
     .check = check_two,
     RECOVERED},
};

const steps_table steps_semaphore = STEPS_TABLE(scenarios);
