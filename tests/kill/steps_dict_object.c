/*
 * Objects in dicts, and dicts that are made and dropped. Promised: an object counts those who have it and the values
 * that refer to it, whoever is killed while it is set, got, popped or cleared; and of dicts in dicts nothing is left
 * with the last who had them.
 */
#include "steps_dict.h"

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

static void set_lock(mproc_dict *to)
{
    test_dict_set(to, KEY("it"), MPROC_LIST(lock, 7));
}

static void begin_with_lock(void *state)
{
    test_dict_begin(state);
    must(mproc_lock_create(NULL, &lock));
    test_dict_set_keys(test_dict, 0, 2);
    set_lock(test_dict);
}

static void begin_without_lock(void *state)
{
    begin_with_lock(state);
    must(mproc_dict_delete(test_dict, KEY("it")));
}

static void put_lock(void *state)
{
    set_lock(test_dict_mine);
    test_dict_say(state);
}

static void get_lock(void *state)
{
    mproc_value value;

    (void)state;
    must(mproc_dict_get(test_dict_mine, KEY("it"), &value));
    mproc_value_clear(&value);
    must(mproc_dict_copy(test_dict_mine, &value));
    mproc_value_clear(&value);
}

static void pop_lock(void *state)
{
    mproc_value value;

    must(mproc_dict_pop(test_dict_mine, KEY("it"), &value));
    mproc_value_clear(&value);
    test_dict_say(state);
}

static void clear_lock(void *state)
{
    must(mproc_dict_clear(test_dict_mine));
    test_dict_say(state);
}

/* The lock has as many handles as there are keys that refer to it. */
static const char *check_lock(void *state, bool completed, bool there, bool may_change)
{
    bool done = completed || atomic_load(&((struct test_family *)state)->victim_said);
    bool has = mproc_dict_has(test_dict, KEY("it"));
    const char *wrong = test_dict_check_sound();

    if (wrong) return wrong;
    if (handles_of(lock) != 1u + has) return step_says("the lock counts %u handles", handles_of(lock));
    if (has != there && (done || !may_change))
        return step_says("the lock is there, or not there, against all promises");
    must(mproc_dict_clear(test_dict));
    mproc_lock_free(lock);
    return test_dict_check_end(state, completed);
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
    test_dict = NULL;
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
    mproc_dict *made;

    (void)state;
    must(mproc_dict_create(MPROC_MAP("number", 1, "text", test_dict_text), &made));
    mproc_dict_free(made);
}

/* One dict in another, with values of all kinds. */
static void enter_with_nested(void *state)
{
    mproc_dict *inner;

    test_family_enter_victim(state);
    must(mproc_dict_create(MPROC_MAP("number", 1, "text", test_dict_text), &inner));
    must(mproc_dict_create(MPROC_MAP("inner", inner, "text", test_dict_other, "list", MPROC_LIST(inner, 2)),
                           &test_dict_mine));
    mproc_dict_free(inner);
}

static void free_mine(void *state)
{
    (void)state;
    mproc_dict_free(test_dict_mine);
}

static const step_scenario scenarios[] = {
    {.name = "dict.object_set",
     .slow = true,
     .setup = begin_without_lock,
     .enter = test_dict_enter,
     .operation = put_lock,
     .check = check_lock_there,
     RECOVERED},
    {.name = "dict.object_got",
     .slow = true,
     .setup = begin_with_lock,
     .enter = test_dict_enter,
     .operation = get_lock,
     .check = check_lock_kept,
     RECOVERED},
    {.name = "dict.object_popped",
     .slow = true,
     .setup = begin_with_lock,
     .enter = test_dict_enter,
     .operation = pop_lock,
     .check = check_lock_gone,
     RECOVERED},
    {.name = "dict.object_cleared",
     .slow = true,
     .setup = begin_with_lock,
     .enter = test_dict_enter,
     .operation = clear_lock,
     .check = check_lock_gone,
     RECOVERED},
    {.name = "dict.create_and_free",
     .slow = true,
     .setup = begin_alone,
     .enter = enter_with_table,
     .operation = create_and_free,
     .check = test_family_check,
     RECOVERED},
    {.name = "dict.free_nested",
     .slow = true,
     .setup = begin_alone,
     .enter = enter_with_nested,
     .operation = free_mine,
     .check = test_family_check,
     RECOVERED},
};

const steps_table steps_dict_object = STEPS_TABLE(scenarios);
