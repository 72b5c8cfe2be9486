/*
 * Handles. Promised: an object counts exactly the handles that there are, whoever is killed; the last one frees it
 * and what it holds; those who have one go on using it.
 */
#include "test_family.h"
#include "steps.h"

#include "arena/lock.h"
#include "object/recovery.h"
#include "object/reference.h"

#include <mproc/condition.h>
#include <mproc/event.h>
#include <mproc/semaphore.h>

#include <stdlib.h>

/* More than one table of owned slots. */
#define MANY 70
#define PERMITS 3

static mproc_event *event;
static mproc_lock *lock;
static mproc_semaphore *semaphore;

/* The references that a program has begin with a struct reference. */
static struct reference *reference_of(const void *object)
{
    return (struct reference *)object;
}

static struct reference *open_more(uint64_t object)
{
    struct handle_ref ref = object_ref(object);
    struct reference *reference;

    if (reference_open(&ref, &reference) != MPROC_OK) abort();
    return reference;
}

static uint32_t handles_of(const void *object)
{
    return object_handles(reference_of(object)->at);
}

/* Of the object nobody but the root has a handle any more, and nobody its lock. */
static const char *check_mine(const void *object)
{
    if (handles_of(object) != 1) return step_says("the object counts %u handles", handles_of(object));
    if (atomic_load(&((struct object *)reference_of(object)->at)->lock.word))
        return step_says("the object is locked");
    return NULL;
}

/* With a table of owned slots that is there already: to make it is a scenario of blocks. */
static void enter_with_table(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    if (resource_take(1, 0, &owned) != MPROC_OK) abort();
    resource_release(owned);
}

/* ---- created and freed by the victim ---------------------------------------------------------- */

static void create_and_free(void *state)
{
    mproc_event *mine;

    (void)state;
    if (mproc_event_create(&mine) != MPROC_OK) abort();
    mproc_event_free(mine);
}

static void create_and_free_condition(void *state)
{
    mproc_condition *mine;

    (void)state;
    if (mproc_condition_create(NULL, &mine) != MPROC_OK) abort();
    mproc_condition_free(mine);
}

/* ---- a chain of objects, each of which is held by the one before it alone ---------------------------- */

#define CHAIN 4

/* As conditions hold locks, so that the type's row says where the link is. */
struct chained {
    struct object object;
    _Atomic uint64_t link;
    uint64_t unused;
};

static _Atomic uint64_t *chain;

/* The last one has a block of its own as well. */
static void enter_with_chain(void *state)
{
    _Atomic uint64_t *owned;
    int i;

    test_family_enter_victim(state);
    assert(object_types[OBJECT_CONDITION]->links_at == offsetof(struct chained, link));
    if (resource_take(sizeof(struct chained), sizeof(struct chained), &chain) != MPROC_OK) abort();
    owned = chain;
    for (i = 0; i < CHAIN; i++) {
        struct chained *chained = arena_at(atomic_load(owned));
        object_publish(owned, OBJECT_CONDITION);
        owned = &chained->link;
        if (block_take(test_family_intent(), sizeof *chained, sizeof *chained, owned) != MPROC_OK) abort();
    }
}

static void give_chain(void *state)
{
    (void)state;
    resource_release(chain);
}

/* ---- an object of the root -------------------------------------------------------------------- */

static void begin_event(void *state)
{
    test_family_begin(state);
    if (mproc_event_create(&event) != MPROC_OK) abort();
}

static const char *check_event(void *state, bool completed)
{
    const char *wrong = check_mine(event);

    if (wrong != NULL) return wrong;
    if (mproc_event_set(event) != MPROC_OK || !mproc_event_is_set(event)) return step_says("the event is of no use");
    mproc_event_free(event);
    return test_family_check(state, completed);
}

static void open_and_free(void *state)
{
    (void)state;
    reference_free(open_more(reference_of(event)->ref.offset));
}

static void enter_with_many(void *state)
{
    int i;

    test_family_enter_victim(state);
    for (i = 0; i < MANY; i++) open_more(reference_of(event)->ref.offset);
}

/* ---- freed, and its place used for something else, before the dead is recovered ------------------- */

/* What stands there is the owner id of the dead thread, as any number may. */
static uint32_t *reused;
static _Atomic uint64_t *reused_slot;

static struct reference *second;

static void free_second(void *state)
{
    (void)state;
    reference_free(second);
}

static void enter_with_handle(void *state)
{
    enter_with_table(state);
    second = open_more(reference_of(event)->ref.offset);
}

/* Only where the victim has dropped its handle and let the lock go can the root's be the last. */
static void reuse_and_recover(void *state)
{
    struct test_family *tested = state;
    const struct object *object = reference_of(event)->at;
    uint64_t place = reference_of(event)->ref.offset;

    reused = NULL;
    if (object_handles(object) == 1 && atomic_load(&object->lock.word) == 0) {
        mproc_event_free(event);
        if (resource_take(sizeof(struct object) + 8, 0, &reused_slot) != MPROC_OK) abort();
        if (atomic_load(reused_slot) != place) abort();
        reused = arena_at(place);
        *reused = tested->owner_ids[0];
    }
    test_family_recover(state);
}

static const char *check_reused(void *state, bool completed)
{
    bool spoiled = reused != NULL && *reused != ((struct test_family *)state)->owner_ids[0];

    if (completed && reused == NULL) return step_says("the handle was not dropped");
    if (reused == NULL) return check_event(state, completed);
    resource_release(reused_slot);
    return spoiled ? step_says("recovery wrote into a block of another") : test_family_check(state, completed);
}

/* ---- a lock of the root that the victim's condition holds --------------------------------------- */

static void begin_lock(void *state)
{
    test_family_begin(state);
    if (mproc_lock_create(NULL, &lock) != MPROC_OK) abort();
}

static void create_and_free_with_lock(void *state)
{
    mproc_condition_options options = {.lock = lock};
    mproc_condition *mine;

    (void)state;
    if (mproc_condition_create(&options, &mine) != MPROC_OK) abort();
    mproc_condition_free(mine);
}

static const char *check_lock(void *state, bool completed)
{
    const char *wrong = check_mine(lock);

    if (wrong != NULL) return wrong;
    if (mproc_lock_acquire(lock, 0) != MPROC_OK || mproc_lock_release(lock) != MPROC_OK)
        return step_says("the lock is of no use");
    mproc_lock_free(lock);
    return test_family_check(state, completed);
}

/* ---- permits ---------------------------------------------------------------------------------- */

static mproc_semaphore *own_semaphore;

static void begin_semaphore(void *state)
{
    mproc_semaphore_options options = {.owned = true};

    test_family_begin(state);
    if (mproc_semaphore_create(PERMITS, &options, &semaphore) != MPROC_OK) abort();
}

static void enter_with_semaphore(void *state)
{
    test_family_enter_victim(state);
    own_semaphore = (mproc_semaphore *)open_more(reference_of(semaphore)->ref.offset);
}

/* The account is made by the first acquire; with a permit in it, it is freed. */
static void use_permits(void *state)
{
    (void)state;
    if (mproc_semaphore_acquire(own_semaphore, 0) != MPROC_OK) abort();
    if (mproc_semaphore_acquire(own_semaphore, 0) != MPROC_OK) abort();
    if (mproc_semaphore_release(own_semaphore) != MPROC_OK) abort();
    mproc_semaphore_free(own_semaphore);
}

static const char *check_permits(void *state, bool completed)
{
    const char *wrong = check_mine(semaphore);

    if (wrong != NULL) return wrong;
    if (mproc_semaphore_value(semaphore) != PERMITS)
        return step_says("there are %d permits", (int)mproc_semaphore_value(semaphore));
    mproc_semaphore_free(semaphore);
    return test_family_check(state, completed);
}

/* ---- two dead have handles, and nobody else ----------------------------------------------------- */

/* The first makes the object and dies, and is not recovered before the victim. */
struct two {
    struct test_family tested;
    struct test_family_member first;
    int64_t first_pid;
    _Atomic uint64_t object;
    _Atomic uint32_t made;
};

static void be_first(void *state)
{
    struct two *two = state;
    mproc_event *mine;

    test_family_attach(&two->first, test_family_root);
    if (mproc_event_create(&mine) != MPROC_OK) abort();
    atomic_store(&two->object, reference_of(mine)->ref.offset);
    atomic_store(&two->made, 1);
    step_wait_for(&two->made, 0);
}

static void begin_two(void *state)
{
    struct two *two = state;

    test_family_begin(state);
    two->first_pid = step_fork(be_first, state);
    step_wait_for(&two->made, 1);
    step_kill(two->first_pid);
}

static void enter_second(void *state)
{
    test_family_enter_victim(state);
    second = open_more(atomic_load(&((struct two *)state)->object));
}

static void recover_two(void *state)
{
    struct two *two = state;

    if (thread_self.process == test_family_root) test_family_bury(&two->first);
    else recovery_process(two->first.slot);
    test_family_recover(state);
}

#define VICTIM .enter = enter_with_table
#define RECOVERED .recover_enter = test_family_enter_recoverer, .recover = test_family_recover
#define ENDED .teardown = test_family_end, .sparse = true

static const step_scenario scenarios[] = {
    {.name = "object.create",
     .slow = true,
     .setup = test_family_begin,
     VICTIM,
     .operation = create_and_free,
     RECOVERED,
     .check = test_family_check,
     ENDED},
    {.name = "object.create_with_inner",
     .slow = true,
     .setup = test_family_begin,
     VICTIM,
     .operation = create_and_free_condition,
     RECOVERED,
     .check = test_family_check,
     ENDED},
    {.name = "object.create_holding_other",
     .slow = true,
     .setup = begin_lock,
     VICTIM,
     .operation = create_and_free_with_lock,
     RECOVERED,
     .check = check_lock,
     ENDED},
    {.name = "object.refer",
     .slow = true,
     .setup = begin_event,
     VICTIM,
     .operation = open_and_free,
     RECOVERED,
     .check = check_event,
     ENDED},
    {.name = "object.reused",
     .setup = begin_event,
     .enter = enter_with_handle,
     .operation = free_second,
     .recover = reuse_and_recover,
     .check = check_reused,
     ENDED},
    {.name = "object.many_handles",
     .slow = true,
     .setup = begin_event,
     .enter = enter_with_many,
     .operation = open_and_free,
     RECOVERED,
     .check = check_event,
     ENDED},
    {.name = "object.permits",
     .slow = true,
     .setup = begin_semaphore,
     .enter = enter_with_semaphore,
     .operation = use_permits,
     RECOVERED,
     .check = check_permits,
     ENDED},
    {.name = "object.chain",
     .slow = true,
     .setup = test_family_begin,
     .enter = enter_with_chain,
     .operation = give_chain,
     RECOVERED,
     .check = test_family_check,
     ENDED},
    {.name = "object.two_dead",
     .setup = begin_two,
     .enter = enter_second,
     .operation = free_second,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_two,
     .check = test_family_check,
     ENDED},
};

const steps_table steps_object = STEPS_TABLE(scenarios);
