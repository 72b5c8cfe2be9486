/*
 * Objects in lists, and lists that are made and dropped. Promised: an object counts those who have it and the values
 * that refer to it, whoever is killed while it is put in, got, popped, repeated or cleared; and of lists in lists
 * nothing is left with the last who had them.
 */
#include "steps_list.h"

#include "object/resource_owner.h"

#include <mproc/lock.h>

#include <stdlib.h>

static mproc_lock *lock;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- objects -------------------------------------------------------------------------------------------- */

static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

static void begin_without_lock(void *state)
{
    test_list_begin(state);
    must(mproc_lock_create(NULL, &lock));
    test_list_append_numbers(0, 2);
}

static void begin_with_lock(void *state)
{
    begin_without_lock(state);
    must(mproc_list_insert(test_list, 1, MPROC_LIST(lock, 7)));
}

static void put_lock(void *state)
{
    must(mproc_list_insert(test_list_mine, 1, MPROC_LIST(lock, 7)));
    test_list_say(state);
}

static void extend_by_lock(void *state)
{
    must(mproc_list_extend(test_list_mine, MPROC_LIST(lock, 7)));
    test_list_say(state);
}

static void get_lock(void *state)
{
    mproc_value value;

    (void)state;
    must(mproc_list_get(test_list_mine, 1, &value));
    mproc_value_clear(&value);
    must(mproc_list_copy(test_list_mine, &value));
    mproc_value_clear(&value);
}

static void pop_lock(void *state)
{
    mproc_value value;

    must(mproc_list_pop(test_list_mine, 1, &value));
    mproc_value_clear(&value);
    test_list_say(state);
}

static void repeat_lock(void *state)
{
    must(mproc_list_repeat(test_list_mine, 2));
    must(mproc_list_delete_slice(test_list_mine, 0, 4, 1));
    test_list_say(state);
}

static void clear_lock(void *state)
{
    must(mproc_list_clear(test_list_mine));
    test_list_say(state);
}

/* Elements that are the same parcel are one, to the lock. */
static bool has_lock(void)
{
    mproc_value copy;
    bool has = false;

    must(mproc_list_copy(test_list, &copy));
    for (size_t i = 0; i < mproc_value_count(copy); i++) {
        mproc_type type = mproc_value_type(mproc_value_at(copy, i));
        has = has || type == MPROC_TYPE_LIST || type == MPROC_TYPE_HANDLE;
    }
    mproc_value_clear(&copy);
    return has;
}

static const char *check_lock(void *state, bool completed, bool there, bool may_change)
{
    bool done = completed || atomic_load(&((struct test_family *)state)->victim_said), has = has_lock();
    const char *wrong = test_list_check_sound();

    if (wrong) return wrong;
    if (handles_of(lock) != 1u + has) return step_says("the lock counts %u handles", handles_of(lock));
    if (has != there && (done || !may_change))
        return step_says("the lock is there, or not there, against all promises");
    must(mproc_list_clear(test_list));
    if (handles_of(lock) != 1) return step_says("the lock counts %u handles at the end", handles_of(lock));
    mproc_lock_free(lock);
    return test_list_check_end(state, completed);
}

static const char *check_lock_there(void *state, bool completed)
{
    return check_lock(state, completed, true, true);
}

static const char *check_lock_kept(void *state, bool completed)
{
    return check_lock(state, completed, true, false);
}

static const char *check_lock_gone(void *state, bool completed)
{
    return check_lock(state, completed, false, true);
}

/* ---- made, filled and freed by the victim --------------------------------------------------------------- */

static void begin_alone(void *state)
{
    test_family_pass_objects();
    test_family_begin(state);
}

static void enter_with_table(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    must(resource_take(1, 0, &owned));
    resource_release(owned);
}

static void create_and_free(void *state)
{
    mproc_list *made;

    (void)state;
    must(mproc_list_create(MPROC_LIST(1, test_list_text, 2), &made));
    mproc_list_free(made);
}

/* One list in another, twice, with values of all kinds. */
static void enter_with_nested(void *state)
{
    mproc_list *inner;

    test_family_enter_victim(state);
    must(mproc_list_create(MPROC_LIST(1, test_list_text), &inner));
    must(mproc_list_create(MPROC_LIST(inner, test_list_other, MPROC_LIST(inner, 2)), &test_list_mine));
    mproc_list_free(inner);
}

static void free_mine(void *state)
{
    (void)state;
    mproc_list_free(test_list_mine);
}

#define OBJECTS(setup_, operation_, check_) \
    .slow = true, .setup = setup_, .enter = test_list_enter, .operation = operation_, .check = check_, RECOVERED
#define ALONE(enter_, operation_)                                                                             \
    .slow = true, .setup = begin_alone, .enter = enter_, .operation = operation_, .check = test_family_check, \
    RECOVERED

static const step_scenario scenarios[] = {
    {.name = "list.object_inserted", OBJECTS(begin_without_lock, put_lock, check_lock_there)},
    {.name = "list.object_extended", OBJECTS(begin_without_lock, extend_by_lock, check_lock_there)},
    {.name = "list.object_got", OBJECTS(begin_with_lock, get_lock, check_lock_kept)},
    {.name = "list.object_popped", OBJECTS(begin_with_lock, pop_lock, check_lock_gone)},
    {.name = "list.object_repeated", OBJECTS(begin_with_lock, repeat_lock, check_lock_kept)},
    {.name = "list.object_cleared", OBJECTS(begin_with_lock, clear_lock, check_lock_gone)},
    {.name = "list.create_and_free", ALONE(enter_with_table, create_and_free)},
    {.name = "list.free_nested", ALONE(enter_with_nested, free_mine)},
};

const steps_table steps_list_object = STEPS_TABLE(scenarios);
