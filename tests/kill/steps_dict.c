/*
 * Dicts. Promised: whoever is killed in the middle of a change has done all of it or nothing; a change that returned
 * is done; the dict is whole and free, and what was in it or was on its way is given back.
 */
#include "steps_dict.h"

#include <stdlib.h>

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- keys that come ------------------------------------------------------------------------------------- */

static void make_nothing(void)
{
}

static void make_some(void)
{
    test_dict_set_keys(test_dict, 0, 5);
}

static void make_four(void)
{
    test_dict_set_keys(test_dict, 0, 4);
}

static void set_new(void *state)
{
    test_dict_set(test_dict_mine, KEY("new"), mproc_int(1));
    test_dict_say(state);
}

static void set_new_text(void *state)
{
    test_dict_set(test_dict_mine, KEY(test_dict_other), KEY(test_dict_text));
    test_dict_say(state);
}

static void begin_empty(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_nothing, set_new);
}

static void begin_some(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_some, set_new);
}

static void begin_before_split(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_four, set_new);
}

static void begin_some_for_text(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_some, set_new_text);
}

/* A number of those whose hashes lead to the second of two buckets. */
static int64_t second_of_two(int64_t from)
{
    struct table_key key;

    for (;; from++) {
        mproc_value value = mproc_int(from);
        must(table_key_set(&key, &value));
        if (key.hash & 1) return from;
    }
}

static int64_t eighth;

static void make_full_bucket(void)
{
    int64_t number = 2000;

    for (int i = 0; i < TABLE_SLOTS; i++) {
        number = second_of_two(number + 1);
        test_dict_set(test_dict, mproc_int(number), mproc_int(i));
    }
    eighth = second_of_two(number + 1);
}

/* There is a free record that a bucket has room in. */
static void make_full_bucket_with_room(void)
{
    test_dict_set(test_dict, KEY("a key of 19 letters"), mproc_int(0));
    must(mproc_dict_delete(test_dict, KEY("a key of 19 letters")));
    make_full_bucket();
}

static void set_eighth(void *state)
{
    test_dict_set(test_dict_mine, mproc_int(eighth), mproc_int(8));
    test_dict_say(state);
}

static void begin_full_bucket(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_full_bucket, set_eighth);
}

static void begin_full_bucket_with_room(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_full_bucket_with_room, set_eighth);
}

/* The first segment of records has no room, and there is none behind it; keys of three sizes went. */
static void make_full_segment(void)
{
    int64_t i = 0;

    while (low(word_get(&table_of(dict_container(test_dict))->used)) + TABLE_RECORD_UNITS < 126)
        test_dict_set_keys(test_dict, i, i + 1), i++;
    test_dict_delete_keys(test_dict, 0, i - 2);
    test_dict_set_keys(test_dict, 0, i - 2);
}

static void begin_full_segment(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_full_segment, set_new);
}

static void make_with_free(void)
{
    test_dict_set_keys(test_dict, 0, 6);
    test_dict_delete_keys(test_dict, 1, 4);
}

static void begin_with_free(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_with_free, set_new);
}

/* ---- keys that are there, and that go ------------------------------------------------------------------- */

static void make_values(void)
{
    test_dict_set(test_dict, KEY("number"), mproc_int(5));
    test_dict_set(test_dict, KEY("text"), KEY(test_dict_text));
    test_dict_set(test_dict, KEY("list"), MPROC_LIST(1, "two"));
}

static void set_number(void *state)
{
    test_dict_set(test_dict_mine, KEY("number"), mproc_int(6));
    test_dict_say(state);
}

static void set_number_to_text(void *state)
{
    test_dict_set(test_dict_mine, KEY("number"), KEY(test_dict_other));
    test_dict_say(state);
}

static void set_text_to_list(void *state)
{
    test_dict_set(test_dict_mine, KEY("text"), MPROC_LIST(1, 2));
    test_dict_say(state);
}

static void delete_first(void *state)
{
    must(mproc_dict_delete(test_dict_mine, KEY("number")));
    test_dict_say(state);
}

static void delete_middle(void *state)
{
    must(mproc_dict_delete(test_dict_mine, KEY("text")));
    test_dict_say(state);
}

static void pop_last(void *state)
{
    mproc_value value;

    must(mproc_dict_pop(test_dict_mine, KEY("list"), &value));
    mproc_value_clear(&value);
    test_dict_say(state);
}

static void pop_item(void *state)
{
    mproc_value pair;

    must(mproc_dict_pop_item(test_dict_mine, &pair));
    mproc_value_clear(&pair);
    test_dict_say(state);
}

static void set_default(void *state)
{
    mproc_value now;

    must(mproc_dict_setdefault(test_dict_mine, KEY("new"), KEY(test_dict_other), &now));
    mproc_value_clear(&now);
    test_dict_say(state);
}

static void increment(void *state)
{
    int64_t result = 0;

    must(mproc_dict_increment(test_dict_mine, KEY("number"), 3, &result));
    if (result != 8) abort();
    test_dict_say(state);
}

static void increment_new(void *state)
{
    must(mproc_dict_increment(test_dict_mine, KEY("new"), 3, NULL));
    test_dict_say(state);
}

static mproc_status is_doubled(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), value = mproc_value_at(args, 0);

    return mproc_call_return(call, MPROC_LIST(value, value, test_dict_text));
}

static void update(void *state)
{
    must(mproc_dict_update_with(test_dict_mine, KEY("text"), is_doubled, mproc_no_args()));
    test_dict_say(state);
}

/* Keys that are there, with values of all kinds, and new ones. */
static void update_many(void *state)
{
    must(mproc_dict_update(test_dict_mine, MPROC_MAP("text", MPROC_LIST(1, 2), "new", 1, "number", test_dict_other,
                                                     "list", 3, test_dict_other, test_dict_text)));
    test_dict_say(state);
}

static void clear(void *state)
{
    must(mproc_dict_clear(test_dict_mine));
    test_dict_say(state);
}

static void look(void *state)
{
    mproc_value value;

    must(mproc_dict_get(test_dict_mine, KEY("text"), &value));
    mproc_value_clear(&value);
    must(mproc_dict_items(test_dict_mine, &value));
    mproc_value_clear(&value);
    if (!mproc_dict_has(test_dict_mine, KEY("list")) || mproc_dict_count(test_dict_mine) != 3) abort();
    test_dict_say(state);
}

#define BEGIN_VALUES(operation)                   \
    static void begin_##operation(void *state)    \
    {                                             \
        test_dict_begin(state);                   \
        test_dict_expect(make_values, operation); \
    }

BEGIN_VALUES(set_number)
BEGIN_VALUES(set_number_to_text)
BEGIN_VALUES(set_text_to_list)
BEGIN_VALUES(delete_first)
BEGIN_VALUES(delete_middle)
BEGIN_VALUES(pop_last)
BEGIN_VALUES(pop_item)
BEGIN_VALUES(set_default)
BEGIN_VALUES(increment)
BEGIN_VALUES(increment_new)
BEGIN_VALUES(update)
BEGIN_VALUES(update_many)
BEGIN_VALUES(clear)
BEGIN_VALUES(look)

/* So many new keys that buckets are split and added, and segments. */
static void update_grows(void *state)
{
    mproc_value pairs[2 * 12];

    for (int i = 0; i < 12; i++) {
        pairs[2 * i] = mproc_int(i);
        pairs[2 * i + 1] = i % 2 ? mproc_int(i) : KEY(test_dict_text);
    }
    must(mproc_dict_update(test_dict_mine, mproc_map_from(pairs, 12)));
    test_dict_say(state);
}

static void begin_update_grows(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_full_bucket, update_grows);
}

/* One key is left of so many that the table is given back with it. */
static void make_last_of_many(void)
{
    test_dict_set_keys(test_dict, 0, 100);
    test_dict_delete_keys(test_dict, 0, 99);
}

static void delete_last(void *state)
{
    must(mproc_dict_delete(test_dict_mine, mproc_int(99)));
    test_dict_say(state);
}

static void begin_last_of_many(void *state)
{
    test_dict_begin(state);
    test_dict_expect(make_last_of_many, delete_last);
}

#define CHANGES(setup_, operation_) \
    .setup = setup_, .enter = test_dict_enter, .operation = operation_, .check = test_dict_check, RECOVERED

static const step_scenario scenarios[] = {
    {.name = "dict.set_first", .slow = true, CHANGES(begin_empty, set_new)},
    {.name = "dict.set_new", CHANGES(begin_some, set_new)},
    {.name = "dict.set_new_text", CHANGES(begin_some_for_text, set_new_text)},
    {.name = "dict.set_splits_a_bucket", CHANGES(begin_before_split, set_new)},
    {.name = "dict.set_adds_a_bucket", CHANGES(begin_full_bucket, set_eighth)},
    {.name = "dict.set_adds_a_bucket_in_a_free_place", CHANGES(begin_full_bucket_with_room, set_eighth)},
    {.name = "dict.set_adds_a_segment", CHANGES(begin_full_segment, set_new)},
    {.name = "dict.set_uses_a_free_place", CHANGES(begin_with_free, set_new)},
    {.name = "dict.set_number", CHANGES(begin_set_number, set_number)},
    {.name = "dict.set_number_to_text", CHANGES(begin_set_number_to_text, set_number_to_text)},
    {.name = "dict.set_text_to_list", CHANGES(begin_set_text_to_list, set_text_to_list)},
    {.name = "dict.delete_first", CHANGES(begin_delete_first, delete_first)},
    {.name = "dict.delete_middle", CHANGES(begin_delete_middle, delete_middle)},
    {.name = "dict.delete_last_of_many", .slow = true, CHANGES(begin_last_of_many, delete_last)},
    {.name = "dict.pop_last", CHANGES(begin_pop_last, pop_last)},
    {.name = "dict.pop_item", .slow = true, CHANGES(begin_pop_item, pop_item)},
    {.name = "dict.set_default", .slow = true, CHANGES(begin_set_default, set_default)},
    {.name = "dict.increment", CHANGES(begin_increment, increment)},
    {.name = "dict.increment_new", CHANGES(begin_increment_new, increment_new)},
    {.name = "dict.update", .slow = true, CHANGES(begin_update, update)},
    {.name = "dict.update_many", .slow = true, CHANGES(begin_update_many, update_many)},
    {.name = "dict.update_grows", .slow = true, CHANGES(begin_update_grows, update_grows)},
    {.name = "dict.clear", .slow = true, CHANGES(begin_clear, clear)},
    {.name = "dict.look", .slow = true, CHANGES(begin_look, look)},
};

const steps_table steps_dict = STEPS_TABLE(scenarios);
