/*
 * Dicts. Promised: whoever is killed in the middle of a change has done all of it or nothing; a change that returned
 * is done; the dict is whole and free, and what was in it or was on its way is given back; an object counts those who
 * have it and the values that refer to it.
 */
#include "steps_dict.h"

#include "container/table.h"

/* ---- what the dict has ------------------------------------------------------------------------------------ */

static void set(void *dict, mproc_value key, mproc_value value)
{
    test_must(mproc_dict_set(dict, key, value));
}

static void fill_nothing(void *dict)
{
    (void)dict;
}

static void fill_two(void *dict)
{
    test_dict_set_keys(dict, 0, 2);
}

static void fill_four(void *dict)
{
    test_dict_set_keys(dict, 0, 4);
}

static void fill_five(void *dict)
{
    test_dict_set_keys(dict, 0, 5);
}

static void fill_values(void *dict)
{
    set(dict, TEXT("number"), mproc_int(5));
    set(dict, TEXT("text"), TEXT(test_text));
    set(dict, TEXT("list"), MPROC_LIST(1, "two"));
}

static void fill_with_lock(void *dict)
{
    test_dict_set_keys(dict, 0, 2);
    set(dict, TEXT("it"), MPROC_LIST(test_lock, 7));
}

/* A number of those whose hashes lead to the second of two buckets. */
static int64_t second_of_two(int64_t from)
{
    struct table_key key;

    for (;; from++) {
        mproc_value value = mproc_int(from);
        test_must(table_key_set(&key, &value));
        if (key.hash & 1) return from;
    }
}

static int64_t eighth;

static void fill_bucket(void *dict)
{
    int64_t number = 2000;

    for (int i = 0; i < TABLE_SLOTS; i++) {
        number = second_of_two(number + 1);
        set(dict, mproc_int(number), mproc_int(i));
    }
    eighth = second_of_two(number + 1);
}

/* There is a free record that a bucket has room in. */
static void fill_bucket_with_room(void *dict)
{
    set(dict, TEXT("a key of 19 letters"), mproc_int(0));
    test_must(mproc_dict_delete(dict, TEXT("a key of 19 letters")));
    fill_bucket(dict);
}

/* The first segment of records has no room, and there is none behind it; keys of three sizes went. */
static void fill_segment(void *dict)
{
    int64_t i = 0;

    while (low(word_get(&table_of(dict_container(dict))->used)) + TABLE_RECORD_UNITS < 126)
        test_dict_set_keys(dict, i, i + 1), i++;
    test_dict_delete_keys(dict, 0, i - 2);
    test_dict_set_keys(dict, 0, i - 2);
}

static void fill_with_free(void *dict)
{
    test_dict_set_keys(dict, 0, 6);
    test_dict_delete_keys(dict, 1, 4);
}

/* One key is left of so many that the table is given back with it. */
static void fill_last_of_many(void *dict)
{
    test_dict_set_keys(dict, 0, 100);
    test_dict_delete_keys(dict, 0, 99);
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

#define CHANGE(name, call) CONTAINER_CHANGE(dict, name, call)

static mproc_status pops(void *dict, mproc_value key)
{
    mproc_value value;

    return test_cleared(mproc_dict_pop(dict, key, &value), &value);
}

static mproc_status pops_item(void *dict)
{
    mproc_value pair;

    return test_cleared(mproc_dict_pop_item(dict, &pair), &pair);
}

static mproc_status sets_default(void *dict, mproc_value key, mproc_value value)
{
    mproc_value now;

    return test_cleared(mproc_dict_setdefault(dict, key, value, &now), &now);
}

static mproc_status increments(void *dict)
{
    int64_t result = 0;

    MPROC_TRY(mproc_dict_increment(dict, TEXT("number"), 3, &result));
    return result == 8 ? MPROC_OK : MPROC_BROKEN;
}

/* So many new keys that buckets are split and added, and segments. */
static mproc_status updates_by_many(void *dict)
{
    mproc_value pairs[2 * 12];

    for (int i = 0; i < 12; i++) {
        pairs[2 * i] = mproc_int(i);
        pairs[2 * i + 1] = i % 2 ? mproc_int(i) : TEXT(test_text);
    }
    return mproc_dict_update(dict, mproc_map_from(pairs, 12));
}

static mproc_status looks(void *dict)
{
    mproc_value value;

    MPROC_TRY(test_cleared(mproc_dict_get(dict, TEXT("text"), &value), &value));
    MPROC_TRY(test_cleared(mproc_dict_items(dict, &value), &value));
    return mproc_dict_has(dict, TEXT("list")) && mproc_dict_count(dict) == 3 ? MPROC_OK : MPROC_BROKEN;
}

static mproc_status gets_lock(void *dict)
{
    mproc_value value;

    MPROC_TRY(test_cleared(mproc_dict_get(dict, TEXT("it"), &value), &value));
    return test_cleared(mproc_dict_copy(dict, &value), &value);
}

CHANGE(set_new, mproc_dict_set(dict, TEXT("new"), mproc_int(test_number)))
CHANGE(set_new_text, mproc_dict_set(dict, TEXT(test_other), TEXT(test_text)))
CHANGE(set_eighth, mproc_dict_set(dict, mproc_int(eighth), mproc_int(8)))
CHANGE(set_number, mproc_dict_set(dict, TEXT("number"), mproc_int(test_number)))
CHANGE(set_number_to_text, mproc_dict_set(dict, TEXT("number"), TEXT(test_other)))
CHANGE(set_text_to_list, mproc_dict_set(dict, TEXT("text"), MPROC_LIST(1, 2)))
CHANGE(set_lock, mproc_dict_set(dict, TEXT("it"), MPROC_LIST(test_lock, 7)))
CHANGE(set_lock_to_number, mproc_dict_set(dict, TEXT("it"), mproc_int(1)))
CHANGE(delete_first, mproc_dict_delete(dict, TEXT("number")))
CHANGE(delete_middle, mproc_dict_delete(dict, TEXT("text")))
CHANGE(delete_last, mproc_dict_delete(dict, mproc_int(99)))
CHANGE(delete_lock, mproc_dict_delete(dict, TEXT("it")))
CHANGE(pop_first, pops(dict, TEXT("number")))
CHANGE(pop_last, pops(dict, TEXT("list")))
CHANGE(pop_lock, pops(dict, TEXT("it")))
CHANGE(pop_item, pops_item(dict))
CHANGE(set_default, sets_default(dict, TEXT("new"), TEXT(test_other)))
CHANGE(set_default_there, sets_default(dict, TEXT("text"), TEXT(test_other)))
CHANGE(set_default_lock, sets_default(dict, TEXT("it"), MPROC_LIST(test_lock, 7)))
CHANGE(increment, increments(dict))
CHANGE(increment_new, mproc_dict_increment(dict, TEXT("new"), 3, NULL))
CHANGE(update, mproc_dict_update_with(dict, TEXT("text"), test_doubles, mproc_no_args()))
CHANGE(update_lock, mproc_dict_update_with(dict, TEXT("it"), test_doubles, mproc_no_args()))
/* Keys that are there, with values of all kinds, and new ones. */
CHANGE(update_many, mproc_dict_update(dict, MPROC_MAP("text", MPROC_LIST(1, 2), "new", 1, "number", test_other,
                                                      "list", 3, test_other, test_text)))
CHANGE(update_by_pairs, mproc_dict_update(dict, MPROC_LIST(MPROC_LIST("new", test_other), MPROC_LIST("new", 2))))
CHANGE(update_locks, mproc_dict_update(dict, MPROC_MAP("it", MPROC_LIST(test_lock, 8), "other", test_lock, 1, 2)))
CHANGE(clear, mproc_dict_clear(dict))

/* ---- made, filled and freed by the victim ----------------------------------------------------------------- */

static void create_and_free(void *state)
{
    mproc_dict *made;

    (void)state;
    test_must(mproc_dict_create(MPROC_MAP("number", 1, "text", test_text), &made));
    mproc_dict_free(made);
}

/* One dict in another, with values of all kinds. */
static void enter_with_nested(void *state)
{
    mproc_dict *inner, *outer;

    test_family_enter_victim(state);
    test_must(mproc_dict_create(MPROC_MAP("number", 1, "text", test_text), &inner));
    test_must(mproc_dict_create(MPROC_MAP("inner", inner, "text", test_other, "list", MPROC_LIST(inner, 2)), &outer));
    mproc_dict_free(inner);
    test_container_mine = outer;
}

static const struct container_kind kind = DICT_KIND(OBJECT_DICT);

#define CHANGES(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = false)
#define OBJECTS(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = true)

static const step_scenario scenarios[] = {
    {.name = "dict.set_first", CHANGES(fill_nothing, set_new)},
    {.name = "dict.set_new", CHANGES(fill_five, set_new)},
    {.name = "dict.set_new_text", CHANGES(fill_five, set_new_text)},
    {.name = "dict.set_splits_a_bucket", CHANGES(fill_four, set_new)},
    {.name = "dict.set_adds_a_bucket", CHANGES(fill_bucket, set_eighth)},
    {.name = "dict.set_adds_a_bucket_in_a_free_place", CHANGES(fill_bucket_with_room, set_eighth)},
    {.name = "dict.set_adds_a_segment", CHANGES(fill_segment, set_new)},
    {.name = "dict.set_uses_a_free_place", CHANGES(fill_with_free, set_new)},
    {.name = "dict.set_number", CHANGES(fill_values, set_number)},
    {.name = "dict.set_number_to_text", CHANGES(fill_values, set_number_to_text)},
    {.name = "dict.set_text_to_list", CHANGES(fill_values, set_text_to_list)},
    {.name = "dict.delete_first", CHANGES(fill_values, delete_first)},
    {.name = "dict.delete_middle", CHANGES(fill_values, delete_middle)},
    {.name = "dict.delete_last_of_many", CHANGES(fill_last_of_many, delete_last)},
    {.name = "dict.pop_first", CHANGES(fill_values, pop_first)},
    {.name = "dict.pop_last", CHANGES(fill_values, pop_last)},
    {.name = "dict.pop_item", CHANGES(fill_values, pop_item)},
    {.name = "dict.pop_item_last_of_many", CHANGES(fill_last_of_many, pop_item)},
    {.name = "dict.set_default", CHANGES(fill_values, set_default)},
    {.name = "dict.set_default_there", CHANGES(fill_values, set_default_there)},
    {.name = "dict.increment", CHANGES(fill_values, increment)},
    {.name = "dict.increment_new", CHANGES(fill_values, increment_new)},
    {.name = "dict.update", CHANGES(fill_values, update)},
    {.name = "dict.update_many", CHANGES(fill_values, update_many)},
    {.name = "dict.update_by_pairs", CHANGES(fill_values, update_by_pairs)},
    {.name = "dict.update_grows", CHANGES(fill_bucket, updates_by_many)},
    {.name = "dict.clear", CHANGES(fill_values, clear)},
    {.name = "dict.look", CHANGES(fill_values, looks)},
    {.name = "dict.object_set", OBJECTS(fill_two, set_lock)},
    {.name = "dict.object_set_by_default", OBJECTS(fill_two, set_default_lock)},
    {.name = "dict.object_replaced", OBJECTS(fill_with_lock, set_lock_to_number)},
    {.name = "dict.object_deleted", OBJECTS(fill_with_lock, delete_lock)},
    {.name = "dict.object_got", OBJECTS(fill_with_lock, gets_lock)},
    {.name = "dict.object_popped", OBJECTS(fill_with_lock, pop_lock)},
    {.name = "dict.object_popped_as_item", OBJECTS(fill_with_lock, pop_item)},
    {.name = "dict.object_updated", OBJECTS(fill_with_lock, update_lock)},
    {.name = "dict.objects_updated", OBJECTS(fill_with_lock, update_locks)},
    {.name = "dict.object_cleared", OBJECTS(fill_with_lock, clear)},
    {.name = "dict.create_and_free", CONTAINER_ALONE(test_container_enter_alone, create_and_free)},
    {.name = "dict.free_nested", CONTAINER_ALONE(enter_with_nested, test_container_free_mine)},
};

const steps_table steps_dict = STEPS_TABLE(scenarios);
