/*
 * Shared values and arrays. Promised: whoever is killed while they are made or freed leaves nothing of them; their
 * lock is free or abandoned, and can be had again; nobody who waits for it sleeps on; a raw item is not touched by
 * others.
 */
#include "test_family.h"
#include "steps.h"

#include "object/resource_owner.h"
#include "object/reference.h"

#include <mproc/shared.h>

#include <stdlib.h>

/* An item of two words that are always the same, unless somebody died in between. */
struct item {
    uint64_t left, right;
};

static mproc_shared_value *value;
static mproc_shared_value *mine; /* a reference of the process' own */
static mproc_lock *lock;
static bool root_holds;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* The references that a program has begin with a struct reference. */
static void open_mine(void)
{
    const struct reference *theirs = (const struct reference *)(const void *)value;
    struct reference *reference;

    must(reference_open(&theirs->ref, &reference));
    mine = (mproc_shared_value *)(void *)reference;
}

static void enter(void *state)
{
    test_family_enter_victim(state);
    open_mine();
}

/* With a table of owned slots that is there already: to make it is a scenario of blocks. */
static void enter_with_table(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    must(resource_take(1, 0, &owned));
    resource_release(owned);
}

/* ---- made and freed by the victim ------------------------------------------------------------- */

static void create_and_free(void *state)
{
    struct item item = {7, 7};
    mproc_shared_value *made;

    (void)state;
    must(mproc_shared_value_create(sizeof item, &item, NULL, &made));
    mproc_shared_value_free(made);
}

static void begin_lock(void *state)
{
    test_family_begin(state);
    must(mproc_lock_create(NULL, &lock));
}

static void create_and_free_with_lock(void *state)
{
    mproc_shared_options options = {.lock = lock};
    mproc_shared_array *made;

    (void)state;
    must(mproc_shared_array_create(sizeof(struct item), 3, NULL, &options, &made));
    mproc_shared_array_free(made);
}

/* Nobody but the root has a handle of the lock any more, and nobody the lock. */
static const char *check_lock(void *state, bool completed)
{
    const struct reference *reference = (const struct reference *)(const void *)lock;
    uint32_t handles = object_handles(reference->at);

    if (handles != 1) return step_says("the lock counts %u handles", handles);
    if (mproc_lock_acquire(lock, 0) != MPROC_OK || mproc_lock_release(lock) != MPROC_OK)
        return step_says("the lock is of no use");
    mproc_lock_free(lock);
    return test_family_check(state, completed);
}

/* ---- a value of the root, got and set by the victim ------------------------------------------- */

static void begin(void *state)
{
    struct item item = {1, 1};

    test_family_begin(state);
    must(mproc_shared_value_create(sizeof item, &item, NULL, &value));
    root_holds = false;
}

static void begin_held(void *state)
{
    begin(state);
    must(mproc_shared_value_acquire(value, 0));
    root_holds = true;
}

static void let_go(void *state)
{
    (void)state;
    if (root_holds) must(mproc_shared_value_release(value));
    root_holds = false;
}

static void set(void *state)
{
    struct item item = {2, 2};

    (void)state;
    must(mproc_shared_value_set(mine, &item, sizeof item));
}

static void get(void *state)
{
    struct item item = {0, 0};

    (void)state;
    must(mproc_shared_value_get(mine, &item, sizeof item));
    if (item.left != 1 || item.right != 1) abort();
}

/* Free, and then whole, or abandoned in the full sense, and after that as good as new. */
static const char *check_usable(bool may_be_abandoned)
{
    struct item item = {0, 0};
    mproc_status status = mproc_shared_value_get(value, &item, sizeof item);

    if (status == MPROC_OWNER_DIED && may_be_abandoned) {
        if (mproc_shared_value_set(value, &item, sizeof item) != MPROC_OWNER_DIED)
            return step_says("what may be half done was set");
        if (mproc_shared_value_release(value) != MPROC_OWNER_DIED) return step_says("an abandoned lock was released");
        if ((status = mproc_shared_value_recover(value, 0)) == MPROC_OK) {
            item = (struct item){3, 3};
            must(mproc_shared_value_set(value, &item, sizeof item));
            must(mproc_shared_value_release(value));
        }
    }
    if (status != MPROC_OK) return step_says("the value cannot be had: status %d", (int)status);
    if (item.left != item.right) return step_says("half of an item was got from a free lock");
    if (mproc_shared_value_release(value) != MPROC_NOT_OWNER) return step_says("get or set has kept the lock");
    return NULL;
}

static const char *check_end(void *state, bool completed)
{
    const char *wrong;

    let_go(state);
    if ((wrong = check_usable(!completed)) != NULL) return wrong;
    test_family_disband(state);
    mproc_shared_value_free(value);
    return test_family_check(state, completed);
}

static uint64_t left_word(void)
{
    return ((const struct item *)mproc_shared_value_data(value))->left;
}

static const char *check_set(void *state, bool completed)
{
    if (completed && left_word() != 2) return step_says("the item was not set");
    return check_end(state, completed);
}

static const char *check_got(void *state, bool completed)
{
    if (left_word() != 1) return step_says("the item was changed by who only got it");
    return check_end(state, completed);
}

/* ---- a peer waits for the value's lock --------------------------------------------------------- */

static void wait_for_lock(struct test_family *tested, int number)
{
    mproc_status status;

    open_mine();
    atomic_store(&tested->begun[number], 1);
    status = mproc_shared_value_acquire(mine, MPROC_FOREVER);
    if (status == MPROC_OK) must(mproc_shared_value_release(mine));
    atomic_store(&tested->said[number], (uint32_t)status + 1);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_held_with_peer(void *state)
{
    begin_held(state);
    test_family_peer_asleep(state, test_family_peer(state, wait_for_lock));
}

static void begin_with_peer(void *state)
{
    begin(state);
    test_family_peer(state, wait_for_lock);
}

/* The victim has the lock and the peer sleeps for it before the stepping begins. */
static void enter_holding(void *state)
{
    enter(state);
    must(mproc_shared_value_acquire(mine, 0));
    test_family_peer_asleep(state, 0);
}

static void free_mine(void *state)
{
    (void)state;
    mproc_shared_value_free(mine);
}

static void release(void *state)
{
    (void)state;
    must(mproc_shared_value_release(mine));
}

/* The root has the lock, so the peer sleeps rightly, until it is let go. */
static const char *check_peer(void *state, bool completed)
{
    struct test_family *tested = state;

    if (root_holds && test_family_left_asleep(tested) < 0) return step_says("the peer has what the root holds");
    let_go(state);
    if (test_family_left_asleep(tested) >= 0) return step_says("the peer was left asleep");
    if (atomic_load(&tested->said[0]) != MPROC_OK + 1)
        return step_says("the peer got status %d", (int)atomic_load(&tested->said[0]) - 1);
    return check_end(state, completed);
}

/* A lock that is freed while it is held stays locked until its owner ends; then it is abandoned. */
static const char *check_abandoned(void *state, bool completed)
{
    struct test_family *tested = state;

    (void)completed;
    if (test_family_left_asleep(tested) >= 0) return step_says("the peer was left asleep");
    if (atomic_load(&tested->said[0]) != MPROC_OWNER_DIED + 1)
        return step_says("the peer got status %d", (int)atomic_load(&tested->said[0]) - 1);
    return check_end(state, false);
}

static const char *check_released(void *state, bool completed)
{
    struct test_family *tested = state;
    uint32_t said;

    if (test_family_left_asleep(tested) >= 0) return step_says("the peer was left asleep");
    said = atomic_load(&tested->said[0]);
    if (said != MPROC_OK + 1 && (completed || said != MPROC_OWNER_DIED + 1))
        return step_says("the peer got status %d", (int)said - 1);
    return check_end(state, completed);
}

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "shared.create",
     .slow = true,
     .setup = test_family_begin,
     .enter = enter_with_table,
     .operation = create_and_free,
     .check = test_family_check,
     RECOVERED},
    {.name = "shared.create_with_lock",
     .slow = true,
     .setup = begin_lock,
     .enter = enter_with_table,
     .operation = create_and_free_with_lock,
     .check = check_lock,
     RECOVERED},
    {.name = "shared.set", .setup = begin, .enter = enter, .operation = set, .check = check_set, RECOVERED},
    {.name = "shared.get",
     .slow = true,
     .setup = begin,
     .enter = enter,
     .operation = get,
     .check = check_got,
     RECOVERED},
    {.name = "shared.set_contended",
     .slow = true,
     .setup = begin_held,
     .enter = enter,
     .operation = set,
     .release = let_go,
     .check = check_set,
     RECOVERED},
    {.name = "shared.release_for_waiter",
     .slow = true,
     .setup = begin_with_peer,
     .enter = enter_holding,
     .operation = release,
     .check = check_released,
     RECOVERED},
    {.name = "shared.free_beside_waiter",
     .slow = true,
     .setup = begin_held_with_peer,
     .enter = enter,
     .operation = free_mine,
     .check = check_peer,
     RECOVERED},
    {.name = "shared.free_by_owner",
     .slow = true,
     .setup = begin_with_peer,
     .enter = enter_holding,
     .operation = free_mine,
     .check = check_abandoned,
     RECOVERED},
};

const steps_table steps_shared = STEPS_TABLE(scenarios);
