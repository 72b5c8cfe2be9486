/*
 * Sets. Promised: whoever is killed in the middle of a change, be it of one element or by another set, has done all
 * of it or nothing; a change that returned is done; the set is whole and free, and nothing is left of what was made
 * on the way.
 */
#include "steps_dict.h"

#include <mproc/set.h>

/* ---- what the set has ------------------------------------------------------------------------------------- */

static void fill_nothing(void *set)
{
    (void)set;
}

static void fill_four(void *set)
{
    test_must(mproc_set_update(set, MPROC_LIST(0, 1, test_text, "four")));
}

static void fill_last_of_many(void *set)
{
    for (int64_t i = 0; i < 100; i++) test_must(mproc_set_add(set, mproc_int(i), NULL));
    for (int64_t i = 0; i < 99; i++) test_must(mproc_set_discard(set, mproc_int(i)));
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

#define CHANGE(name, call) CONTAINER_CHANGE(set, name, call)

static mproc_status adds(void *set)
{
    bool is_new = false;

    MPROC_TRY(mproc_set_add(set, TEXT(test_other), &is_new));
    return is_new ? MPROC_OK : MPROC_BROKEN;
}

static mproc_status pops(void *set)
{
    mproc_value element;

    return test_cleared(mproc_set_pop(set, &element), &element);
}

/* The other is a set of this process, which it makes and frees. */
static mproc_status updates_by_set(void *set)
{
    mproc_set *other;
    mproc_status status;

    MPROC_TRY(mproc_set_create(MPROC_LIST(1, 2), &other));
    status = mproc_set_update(set, MPROC_VALUE(other));
    mproc_set_free(other);
    return status;
}

static mproc_status updates_by_many(void *set)
{
    mproc_value items[12];

    for (int i = 0; i < 12; i++) items[i] = mproc_int(i);
    return mproc_set_update(set, mproc_list_from(items, 12));
}

static mproc_status looks(void *set)
{
    mproc_value result;
    bool answer = false;

    MPROC_TRY(test_cleared(mproc_set_union(set, MPROC_LIST(1, 2), &result), &result));
    MPROC_TRY(mproc_set_is_superset(set, MPROC_LIST(1, 0), &answer));
    return answer && mproc_set_has(set, TEXT("four")) && mproc_set_count(set) == 4 ? MPROC_OK : MPROC_BROKEN;
}

CHANGE(add_new, mproc_set_add(set, TEXT("new"), NULL))
CHANGE(add_text, adds(set)) /* it splits a bucket, too */
CHANGE(add_there, mproc_set_add(set, TEXT("four"), NULL))
CHANGE(discard_first, mproc_set_discard(set, mproc_int(0)))
CHANGE(discard_last, mproc_set_discard(set, mproc_int(99)))
CHANGE(discard_none, mproc_set_discard(set, TEXT("gone")))
CHANGE(remove_middle, mproc_set_remove(set, TEXT(test_text)))
CHANGE(pop, pops(set))
CHANGE(clear, mproc_set_clear(set))
CHANGE(update, mproc_set_update(set, MPROC_LIST(1, 2, test_other)))
CHANGE(update_by_set, updates_by_set(set))
CHANGE(update_by_many, updates_by_many(set))
CHANGE(intersect, mproc_set_intersection_update(set, MPROC_LIST(1, 2, test_text)))
CHANGE(intersect_none, mproc_set_intersection_update(set, MPROC_LIST(5)))
CHANGE(subtract, mproc_set_difference_update(set, MPROC_LIST(1, 2, test_text)))
CHANGE(subtract_itself, mproc_set_difference_update(set, MPROC_VALUE((mproc_set *)set)))
CHANGE(exchange, mproc_set_symmetric_difference_update(set, MPROC_LIST(1, 2, test_text)))
CHANGE(exchange_itself, mproc_set_symmetric_difference_update(set, MPROC_VALUE((mproc_set *)set)))

/* ---- made and freed by the victim ------------------------------------------------------------------------- */

static void create_and_free(void *state)
{
    mproc_set *made, *copy;

    (void)state;
    test_must(mproc_set_create(MPROC_LIST(1, test_text), &made));
    test_must(mproc_set_create(MPROC_VALUE(made), &copy));
    mproc_set_free(made);
    mproc_set_free(copy);
}

static const struct container_kind kind = DICT_KIND(OBJECT_SET);

#define CHANGES(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = false)

static const step_scenario scenarios[] = {
    {.name = "set.add_first", CHANGES(fill_nothing, add_new)},
    {.name = "set.add_splits_a_bucket", CHANGES(fill_four, add_text)},
    {.name = "set.add_there", CHANGES(fill_four, add_there)},
    {.name = "set.discard", CHANGES(fill_four, discard_first)},
    {.name = "set.discard_last_of_many", CHANGES(fill_last_of_many, discard_last)},
    {.name = "set.discard_none", CHANGES(fill_four, discard_none)},
    {.name = "set.remove", CHANGES(fill_four, remove_middle)},
    {.name = "set.pop", CHANGES(fill_four, pop)},
    {.name = "set.clear", CHANGES(fill_four, clear)},
    {.name = "set.update", CHANGES(fill_four, update)},
    {.name = "set.update_by_a_set", CHANGES(fill_four, update_by_set)},
    {.name = "set.update_grows", CHANGES(fill_nothing, update_by_many)},
    {.name = "set.intersection_update", CHANGES(fill_four, intersect)},
    {.name = "set.intersection_update_leaves_none", CHANGES(fill_four, intersect_none)},
    {.name = "set.difference_update", CHANGES(fill_four, subtract)},
    {.name = "set.difference_update_by_itself", CHANGES(fill_four, subtract_itself)},
    {.name = "set.symmetric_difference_update", CHANGES(fill_four, exchange)},
    {.name = "set.symmetric_difference_update_by_itself", CHANGES(fill_four, exchange_itself)},
    {.name = "set.look", CHANGES(fill_four, looks)},
    {.name = "set.create_and_free", CONTAINER_ALONE(test_container_enter_alone, create_and_free)},
};

const steps_table steps_set = STEPS_TABLE(scenarios);
