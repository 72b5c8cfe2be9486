/*
 * Sets. Promised: whoever is killed in the middle of a change, be it of one element or by another set, has done all
 * of it or nothing; a change that returned is done; the set is whole and free, and nothing is left of what was made
 * on the way.
 */
#include "steps_dict.h"

#include <stdlib.h>

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static mproc_set *mine(void)
{
    return (mproc_set *)(void *)test_dict_mine;
}

/* ---- what is there -------------------------------------------------------------------------------------- */

static void add(mproc_value element)
{
    must(mproc_set_add((mproc_set *)(void *)test_dict, element, NULL));
}

static void make_nothing(void)
{
}

static void make_four(void)
{
    for (int64_t i = 0; i < 2; i++) add(mproc_int(i));
    add(KEY(test_dict_text));
    add(KEY("four"));
}

/* ---- one element ---------------------------------------------------------------------------------------- */

static void add_first(void *state)
{
    must(mproc_set_add(mine(), KEY("new"), NULL));
    test_dict_say(state);
}

/* It splits a bucket, too. */
static void add_fifth(void *state)
{
    bool is_new = false;

    must(mproc_set_add(mine(), KEY(test_dict_other), &is_new));
    if (!is_new) abort();
    test_dict_say(state);
}

static void discard_first(void *state)
{
    must(mproc_set_discard(mine(), mproc_int(0)));
    must(mproc_set_discard(mine(), KEY("gone")));
    test_dict_say(state);
}

static void remove_middle(void *state)
{
    must(mproc_set_remove(mine(), KEY(test_dict_text)));
    test_dict_say(state);
}

static void pop(void *state)
{
    mproc_value element;

    must(mproc_set_pop(mine(), &element));
    mproc_value_clear(&element);
    test_dict_say(state);
}

static void clear(void *state)
{
    must(mproc_set_clear(mine()));
    test_dict_say(state);
}

/* ---- by another set ------------------------------------------------------------------------------------- */

static void update(void *state)
{
    must(mproc_set_update(mine(), MPROC_LIST(1, 2, test_dict_other)));
    test_dict_say(state);
}

/* The other is a set of this process, which it makes and frees. */
static void update_by_set(void *state)
{
    mproc_set *other;

    must(mproc_set_create(MPROC_LIST(1, 2), &other));
    must(mproc_set_update(mine(), MPROC_VALUE(other)));
    mproc_set_free(other);
    test_dict_say(state);
}

static void intersect(void *state)
{
    must(mproc_set_intersection_update(mine(), MPROC_LIST(1, 2, test_dict_text)));
    test_dict_say(state);
}

static void subtract(void *state)
{
    must(mproc_set_difference_update(mine(), MPROC_LIST(1, 2, test_dict_text)));
    test_dict_say(state);
}

static void subtract_itself(void *state)
{
    must(mproc_set_difference_update(mine(), MPROC_VALUE(mine())));
    test_dict_say(state);
}

static void exchange(void *state)
{
    must(mproc_set_symmetric_difference_update(mine(), MPROC_LIST(1, 2, test_dict_text)));
    test_dict_say(state);
}

static void look(void *state)
{
    mproc_value result;
    bool answer = false;

    must(mproc_set_union(mine(), MPROC_LIST(1, 2), &result));
    mproc_value_clear(&result);
    must(mproc_set_is_superset(mine(), MPROC_LIST(1, 0), &answer));
    if (!answer || !mproc_set_has(mine(), KEY("four")) || mproc_set_count(mine()) != 4) abort();
    test_dict_say(state);
}

#define BEGIN(operation, make)                 \
    static void begin_##operation(void *state) \
    {                                          \
        test_dict_begin_as(state, OBJECT_SET); \
        test_dict_expect(make, operation);     \
    }

BEGIN(add_first, make_nothing)
BEGIN(add_fifth, make_four)
BEGIN(discard_first, make_four)
BEGIN(remove_middle, make_four)
BEGIN(pop, make_four)
BEGIN(clear, make_four)
BEGIN(update, make_four)
BEGIN(update_by_set, make_four)
BEGIN(intersect, make_four)
BEGIN(subtract, make_four)
BEGIN(subtract_itself, make_four)
BEGIN(exchange, make_four)
BEGIN(look, make_four)

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
    mproc_set *made, *copy;

    (void)state;
    must(mproc_set_create(MPROC_LIST(1, test_dict_text), &made));
    must(mproc_set_create(MPROC_VALUE(made), &copy));
    mproc_set_free(made);
    mproc_set_free(copy);
}

#define CHANGES(operation_)                                                                                   \
    .setup = begin_##operation_, .enter = test_dict_enter, .operation = operation_, .check = test_dict_check, \
    RECOVERED

static const step_scenario scenarios[] = {
    {.name = "set.add_first", .slow = true, CHANGES(add_first)},
    {.name = "set.add_splits_a_bucket", CHANGES(add_fifth)},
    {.name = "set.discard", CHANGES(discard_first)},
    {.name = "set.remove", CHANGES(remove_middle)},
    {.name = "set.pop", .slow = true, CHANGES(pop)},
    {.name = "set.clear", .slow = true, CHANGES(clear)},
    {.name = "set.update", .slow = true, CHANGES(update)},
    {.name = "set.update_by_a_set", .slow = true, CHANGES(update_by_set)},
    {.name = "set.intersection_update", .slow = true, CHANGES(intersect)},
    {.name = "set.difference_update", .slow = true, CHANGES(subtract)},
    {.name = "set.difference_update_by_itself", .slow = true, CHANGES(subtract_itself)},
    {.name = "set.symmetric_difference_update", .slow = true, CHANGES(exchange)},
    {.name = "set.look", .slow = true, CHANGES(look)},
    {.name = "set.create_and_free",
     .slow = true,
     .setup = begin_alone,
     .enter = enter_with_slot,
     .operation = create_and_free,
     .check = test_family_check,
     RECOVERED},
};

const steps_table steps_set = STEPS_TABLE(scenarios);
