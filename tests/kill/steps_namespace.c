/*
 * Namespaces. Promised as of dicts: whoever is killed in the middle of a change has done all of it or nothing, and
 * the namespace is whole and free.
 */
#include "steps_dict.h"

#include <mproc/namespace.h>

static void fill_values(void *space)
{
    test_must(mproc_namespace_set(space, "number", mproc_int(5)));
    test_must(mproc_namespace_set(space, "text", TEXT(test_text)));
}

static void fill_with_lock(void *space)
{
    test_must(mproc_namespace_set(space, "it", MPROC_LIST(test_lock, 7)));
}

#define CHANGE(name, call) CONTAINER_CHANGE(space, name, call)

static mproc_status looks(void *space)
{
    mproc_value text;

    return test_cleared(mproc_namespace_text(space, &text), &text);
}

CHANGE(set_new, mproc_namespace_set(space, "new", MPROC_LIST(1, "two")))
CHANGE(set_number, mproc_namespace_set(space, "number", TEXT(test_other)))
CHANGE(set_lock, mproc_namespace_set(space, "it", MPROC_LIST(test_lock, 7)))
CHANGE(delete_text, mproc_namespace_delete(space, "text"))
CHANGE(delete_lock, mproc_namespace_delete(space, "it"))
CHANGE(increment, mproc_namespace_increment(space, "number", 3, NULL))
CHANGE(increment_new, mproc_namespace_increment(space, "new", 3, NULL))
CHANGE(update, mproc_namespace_update_with(space, "text", test_doubles, mproc_no_args()))

/* ---- made and freed by the victim ------------------------------------------------------------------------- */

static void create_and_free(void *state)
{
    mproc_namespace *made;

    (void)state;
    test_must(mproc_namespace_create(MPROC_MAP("number", 1, "text", test_text), &made));
    mproc_namespace_free(made);
}

static const struct container_kind kind = DICT_KIND(OBJECT_NAMESPACE);

#define CHANGES(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = false)
#define OBJECTS(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = true)

static const step_scenario scenarios[] = {
    {.name = "namespace.set_new", CHANGES(fill_values, set_new)},
    {.name = "namespace.set_number_to_text", CHANGES(fill_values, set_number)},
    {.name = "namespace.delete", CHANGES(fill_values, delete_text)},
    {.name = "namespace.increment", CHANGES(fill_values, increment)},
    {.name = "namespace.increment_new", CHANGES(fill_values, increment_new)},
    {.name = "namespace.update", CHANGES(fill_values, update)},
    {.name = "namespace.look", CHANGES(fill_values, looks)},
    {.name = "namespace.object_set", OBJECTS(fill_values, set_lock)},
    {.name = "namespace.object_deleted", OBJECTS(fill_with_lock, delete_lock)},
    {.name = "namespace.create_and_free", CONTAINER_ALONE(test_container_enter_alone, create_and_free)},
};

const steps_table steps_namespace = STEPS_TABLE(scenarios);
