/*
 * Namespaces. Promised as of dicts: whoever is killed in the middle of a change has done all of it or nothing, and
 * the namespace is whole and free.
 */
#include "steps_dict.h"

#include <stdlib.h>

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static mproc_namespace *mine(void)
{
    return (mproc_namespace *)(void *)test_dict_mine;
}

static void make_values(void)
{
    mproc_namespace *space = (mproc_namespace *)(void *)test_dict;

    must(mproc_namespace_set(space, "number", mproc_int(5)));
    must(mproc_namespace_set(space, "text", KEY(test_dict_text)));
}

static void set_new(void *state)
{
    must(mproc_namespace_set(mine(), "new", MPROC_LIST(1, "two")));
    test_dict_say(state);
}

static void set_number(void *state)
{
    must(mproc_namespace_set(mine(), "number", KEY(test_dict_other)));
    test_dict_say(state);
}

static void delete_text(void *state)
{
    must(mproc_namespace_delete(mine(), "text"));
    test_dict_say(state);
}

static void increment(void *state)
{
    must(mproc_namespace_increment(mine(), "number", 3, NULL));
    test_dict_say(state);
}

static mproc_status is_doubled(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), value = mproc_value_at(args, 0);

    return mproc_call_return(call, MPROC_LIST(value, value, test_dict_text));
}

static void update(void *state)
{
    must(mproc_namespace_update_with(mine(), "text", is_doubled, mproc_no_args()));
    test_dict_say(state);
}

static void look(void *state)
{
    mproc_value text;

    must(mproc_namespace_text(mine(), &text));
    mproc_value_clear(&text);
    test_dict_say(state);
}

#define BEGIN(operation)                             \
    static void begin_##operation(void *state)       \
    {                                                \
        test_dict_begin_as(state, OBJECT_NAMESPACE); \
        test_dict_expect(make_values, operation);    \
    }

BEGIN(set_new)
BEGIN(set_number)
BEGIN(delete_text)
BEGIN(increment)
BEGIN(update)
BEGIN(look)

/* ---- made and freed by the victim ----------------------------------------------------------------------- */

static void begin_alone(void *state)
{
    test_family_pass_objects();
    test_family_begin(state);
}

static void enter_with_slot(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    must(resource_take(1, 0, &owned));
    resource_release(owned);
}

static void create_and_free(void *state)
{
    mproc_namespace *made;

    (void)state;
    must(mproc_namespace_create(MPROC_MAP("number", 1, "text", test_dict_text), &made));
    mproc_namespace_free(made);
}

#define CHANGES(operation_)                                                                                   \
    .setup = begin_##operation_, .enter = test_dict_enter, .operation = operation_, .check = test_dict_check, \
    RECOVERED

static const step_scenario scenarios[] = {
    {.name = "namespace.set_new", CHANGES(set_new)},
    {.name = "namespace.set_number_to_text", CHANGES(set_number)},
    {.name = "namespace.delete", CHANGES(delete_text)},
    {.name = "namespace.increment", CHANGES(increment)},
    {.name = "namespace.update", .slow = true, CHANGES(update)},
    {.name = "namespace.look", .slow = true, CHANGES(look)},
    {.name = "namespace.create_and_free",
     .slow = true,
     .setup = begin_alone,
     .enter = enter_with_slot,
     .operation = create_and_free,
     .check = test_family_check,
     RECOVERED},
};

const steps_table steps_namespace = STEPS_TABLE(scenarios);
