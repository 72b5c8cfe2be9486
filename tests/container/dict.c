/* Dicts, by one process: what Python's DictProxy can do. */
#include "container/dicts.h"

#include <stdlib.h>

static void case_keys_and_values_of_each_type_come_back(void)
{
    static const char text[] = "a text that is longer than a value itself has room for";
    const mproc_value values[] = {mproc_nil(),
                                  mproc_bool(true),
                                  mproc_int(INT64_MIN),
                                  mproc_uint(UINT64_MAX),
                                  mproc_double(0.5),
                                  MPROC_VALUE(""),
                                  MPROC_VALUE("\xc3\xa4"),
                                  MPROC_VALUE("sevenxx"),
                                  MPROC_VALUE("eight_xx"),
                                  MPROC_VALUE(text),
                                  mproc_bytes("\0\xff", 2),
                                  mproc_list_from(NULL, 0),
                                  MPROC_LIST(1, "two", MPROC_MAP("three", 3.0))};
    const mproc_value keys[] = {mproc_bool(true),
                                mproc_int(1),
                                mproc_int(-1),
                                mproc_uint(UINT64_MAX),
                                MPROC_VALUE(""),
                                MPROC_VALUE("1"),
                                MPROC_VALUE("sevenxx"),
                                MPROC_VALUE("eight_xx"),
                                MPROC_VALUE(text),
                                mproc_bytes("1", 1),
                                mproc_bytes(text, sizeof text)};
    enum { VALUES = sizeof values / sizeof values[0], KEYS = sizeof keys / sizeof keys[0] };
    mproc_dict *dict = dicts_create(mproc_nil());

    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < KEYS; j++) CHECK_OK(mproc_dict_set(dict, keys[j], values[(i + j) % VALUES]));
        for (int j = 0; j < KEYS; j++) CHECK(dicts_has(dict, keys[j], values[(i + j) % VALUES]));
        CHECK_EQ(mproc_dict_count(dict), KEYS);
        dicts_check_sound(dict);
    }
    mproc_dict_free(dict);
}

static void case_keys_keep_their_order(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("b", 1, "a", 2, "c", 3));

    dicts_check_prints(dict, "{'b': 1, 'a': 2, 'c': 3}");
    CHECK_OK(mproc_dict_set(dict, KEY("b"), MPROC_LIST(1, "x")));
    CHECK_OK(mproc_dict_delete(dict, KEY("a")));
    CHECK_OK(mproc_dict_set(dict, KEY("a"), mproc_nil()));
    CHECK_OK(mproc_dict_set(dict, KEY(4), mproc_bool(true)));
    dicts_check_prints(dict, "{'b': [1, 'x'], 'c': 3, 'a': None, 4: True}");
    CHECK_OK(mproc_dict_delete(dict, KEY("b")));
    CHECK_OK(mproc_dict_delete(dict, KEY(4)));
    CHECK_OK(mproc_dict_delete(dict, KEY("c")));
    CHECK_OK(mproc_dict_delete(dict, KEY("a")));
    dicts_check_prints(dict, "{}");
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

static void case_dicts_are_made_of_maps_and_of_pairs(void)
{
    mproc_dict *dict = dicts_create(MPROC_LIST(MPROC_LIST("a", 1), MPROC_LIST(2, "b"), MPROC_LIST("a", 3)));

    dicts_check_prints(dict, "{'a': 3, 2: 'b'}");
    mproc_dict_free(dict);
    dict = dicts_create(mproc_map_from(NULL, 0));
    dicts_check_prints(dict, "{}");
    mproc_dict_free(dict);
}

static void case_missing_keys_are_told(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("there", 1));
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_dict_get(dict, KEY("gone"), &value), MPROC_NOT_FOUND, "no key 'gone'");
    CHECK_STATUS(mproc_dict_pop(dict, KEY(1), &value), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_dict_delete(dict, KEY("gone")), MPROC_NOT_FOUND);
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK(!mproc_dict_has(dict, KEY("gone")));
    CHECK(mproc_dict_has(dict, KEY("there")));
    CHECK_EQ(mproc_dict_count(dict), 1);
    mproc_dict_free(dict);
}

static void case_pop_gives_the_value(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("n", 1, "list", MPROC_LIST(1, 2, "three")));
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_pop(dict, KEY("list"), &value));
    CHECK(got_equals(value, MPROC_LIST(1, 2, "three")));
    CHECK_OK(mproc_dict_pop(dict, KEY("n"), &value));
    CHECK_EQ(mproc_value_int(value), 1);
    CHECK_EQ(mproc_dict_count(dict), 0);
    mproc_dict_free(dict);
}

static void case_pop_item_takes_the_last(void)
{
    mproc_dict *dict =
        dicts_create(MPROC_MAP("n", 1, "list", MPROC_LIST(1, 2), "a key that is long", "text that is long"));
    mproc_value pair = mproc_nil();

    CHECK_OK(mproc_dict_pop_item(dict, &pair));
    CHECK(got_equals(pair, MPROC_LIST("a key that is long", "text that is long")));
    CHECK_OK(mproc_dict_set(dict, KEY("n"), mproc_int(2)));
    CHECK_OK(mproc_dict_pop_item(dict, &pair));
    CHECK_STRING(mproc_value_string(mproc_value_at(pair, 0)), "list");
    mproc_value_clear(&pair);
    CHECK_OK(mproc_dict_pop_item(dict, &pair));
    CHECK(got_equals(pair, MPROC_LIST("n", 2)));
    pair = mproc_nil();
    CHECK_SAYS(mproc_dict_pop_item(dict, &pair), MPROC_NOT_FOUND, "the dict is empty");
    CHECK(mproc_value_is_nil(pair));
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

static void case_default_is_set_once(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("there", 1));
    mproc_value now = mproc_nil();

    CHECK_OK(mproc_dict_setdefault(dict, KEY("there"), KEY("a text that is long"), &now));
    CHECK_EQ(mproc_value_int(now), 1);
    CHECK_OK(mproc_dict_setdefault(dict, KEY("new"), KEY("a text that is long"), &now));
    got_text(now, "a text that is long");
    CHECK_OK(mproc_dict_setdefault(dict, KEY("new"), mproc_int(3), &now));
    got_text(now, "a text that is long");
    dicts_check_prints(dict, "{'there': 1, 'new': 'a text that is long'}");
    mproc_dict_free(dict);
}

static void case_copies_are_the_whole_at_one_moment(void)
{
    mproc_dict *dict =
        dicts_create(MPROC_MAP("a", 1, "bee", MPROC_LIST("x", 2), "sea that is long", "text that is long"));
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_dict_copy(dict, &copy));
    CHECK_OK(mproc_dict_set(dict, KEY("bee"), mproc_nil()));
    CHECK(mproc_value_equal(copy,
                            MPROC_MAP("a", 1, "bee", MPROC_LIST("x", 2), "sea that is long", "text that is long")));
    mproc_value_clear(&copy);
    CHECK_OK(mproc_dict_keys(dict, &copy));
    CHECK(got_equals(copy, MPROC_LIST("a", "bee", "sea that is long")));
    CHECK_OK(mproc_dict_values(dict, &copy));
    CHECK(got_equals(copy, MPROC_LIST(1, mproc_nil(), "text that is long")));
    CHECK_OK(mproc_dict_items(dict, &copy));
    CHECK(got_equals(copy, MPROC_LIST(MPROC_LIST("a", 1), MPROC_LIST("bee", mproc_nil()),
                                      MPROC_LIST("sea that is long", "text that is long"))));
    mproc_dict_free(dict);
}

/* A loop over the keys goes on, whatever becomes of the dict meanwhile. */
static void case_dict_changes_while_somebody_goes_through_it(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1, "b", 2, "c", 3));
    mproc_value keys = mproc_nil();

    CHECK_OK(mproc_dict_keys(dict, &keys));
    for (size_t i = 0; i < mproc_value_count(keys); i++) {
        CHECK_OK(mproc_dict_delete(dict, mproc_value_at(keys, i)));
        CHECK_OK(mproc_dict_set(dict, mproc_int((int64_t)i), mproc_value_at(keys, i)));
    }
    mproc_value_clear(&keys);
    dicts_check_prints(dict, "{0: 'a', 1: 'b', 2: 'c'}");
    mproc_dict_free(dict);
}

static void case_clear_takes_all(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1, "b", MPROC_LIST(1, 2, 3)));

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_dict_clear(dict));
        dicts_check_prints(dict, "{}");
        CHECK_OK(mproc_dict_set(dict, KEY("c"), mproc_int(i)));
    }
    dicts_check_prints(dict, "{'c': 1}");
    mproc_dict_free(dict);
}

static void case_many_keys_are_set_in_one_call(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1, "list", MPROC_LIST(1, 2), "text", "a text that is long"));

    CHECK_OK(mproc_dict_update(dict, MPROC_MAP("list", "another text that is long", "new", 2, "a", MPROC_LIST(3))));
    dicts_check_prints(dict,
                       "{'a': [3], 'list': 'another text that is long', 'text': 'a text that is long', 'new': 2}");
    CHECK_OK(mproc_dict_update(dict, MPROC_LIST(MPROC_LIST("b", 1), MPROC_LIST("list", 4), MPROC_LIST("b", 5))));
    dicts_check_prints(dict, "{'a': [3], 'list': 4, 'text': 'a text that is long', 'new': 2, 'b': 5}");
    CHECK_OK(mproc_dict_update(dict, mproc_nil()));
    CHECK_OK(mproc_dict_update(dict, mproc_map_from(NULL, 0)));
    CHECK_EQ(mproc_dict_count(dict), 5);
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

/* Python: left | right. */
static void case_dicts_are_joined(void)
{
    mproc_dict *left = dicts_create(MPROC_MAP("a", 1, "b", 2)), *right = dicts_create(MPROC_MAP("b", 3, "c", 4)),
               *both;
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_dict_copy(left, &copy));
    both = dicts_create(copy);
    mproc_value_clear(&copy);
    CHECK_OK(mproc_dict_copy(right, &copy));
    CHECK_OK(mproc_dict_update(both, copy));
    mproc_value_clear(&copy);
    dicts_check_prints(both, "{'a': 1, 'b': 3, 'c': 4}");
    dicts_check_prints(left, "{'a': 1, 'b': 2}");
    mproc_dict_free(left);
    mproc_dict_free(right);
    mproc_dict_free(both);
}

/* What is wrong in the last pair keeps all others out. */
static void case_what_cannot_be_set_whole_is_not_set(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1));

    CHECK_SAYS(mproc_dict_update(dict, MPROC_LIST(MPROC_LIST("a", 2), MPROC_LIST(1.5, 2))), MPROC_INVALID,
               "a double");
    CHECK_SAYS(mproc_dict_update(dict, MPROC_LIST(MPROC_LIST("a", 2), MPROC_LIST("b"))), MPROC_INVALID, "pairs");
    CHECK_SAYS(mproc_dict_update(dict, MPROC_MAP("a", 2, "b", MPROC_LIST(dict))), MPROC_INVALID, "in itself");
    CHECK_SAYS(mproc_dict_update(dict, mproc_int(1)), MPROC_INVALID, "pairs");
    dicts_check_prints(dict, "{'a': 1}");
    mproc_dict_free(dict);
}

static void case_increments_count(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("n", 5, "text", "5", "most", INT64_MAX));
    int64_t result = 7;

    CHECK_OK(mproc_dict_increment(dict, KEY("n"), -6, &result));
    CHECK_EQ(result, -1);
    CHECK_OK(mproc_dict_increment(dict, KEY("new"), 3, NULL));
    CHECK_EQ(dicts_int(dict, KEY("new")), 3);
    CHECK_SAYS(mproc_dict_increment(dict, KEY("text"), 1, &result), MPROC_INVALID, "no int64");
    CHECK_STATUS(mproc_dict_increment(dict, KEY("most"), 1, &result), MPROC_INVALID);
    CHECK_EQ(result, -1);
    dicts_check_prints(dict, "{'n': -1, 'text': '5', 'most': 9223372036854775807, 'new': 3}");
    mproc_dict_free(dict);
}

static void check_refused(mproc_dict *dict, mproc_value key, mproc_value value, const char *says)
{
    CHECK_SAYS(mproc_dict_set(dict, key, value), MPROC_INVALID, says);
    CHECK_EQ(mproc_dict_count(dict), 1);
}

static void case_what_is_no_key_is_refused(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1)), *none = dict;
    char *large = calloc(1, MPROC_DICT_KEY_BYTES_MAX + 1);

    CHECK(large != NULL);
    check_refused(dict, mproc_nil(), mproc_int(1), "a key is nil");
    check_refused(dict, mproc_double(1), mproc_int(1), "a key is a double");
    check_refused(dict, MPROC_LIST(1, 2), mproc_int(1), "a key is a list");
    check_refused(dict, MPROC_VALUE("\xff"), mproc_int(1), "not UTF-8");
    check_refused(dict, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX + 1), mproc_int(1), "at most 65536");
    check_refused(dict, KEY("b"), MPROC_VALUE(dict), "a dict is no value in itself");
    check_refused(dict, KEY("b"), MPROC_LIST(1, MPROC_LIST(dict)), "a dict is no value in itself");
    check_refused(dict, KEY("b"), MPROC_VALUE("\xff\xff\xff\xff\xff\xff\xff\xff"), "not UTF-8");
    CHECK_SAYS(mproc_dict_create(MPROC_LIST(1), &none), MPROC_INVALID, "a list of pairs");
    CHECK_SAYS(mproc_dict_create(MPROC_LIST(MPROC_LIST(1, 2), MPROC_LIST(1)), &none), MPROC_INVALID,
               "a list of pairs");
    CHECK_SAYS(mproc_dict_create(mproc_int(1), &none), MPROC_INVALID, "a list of pairs");
    CHECK_SAYS(mproc_dict_create(mproc_nil(), NULL), MPROC_INVALID, "out is NULL");
    CHECK(none == dict);
    CHECK_OK(mproc_dict_set(dict, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX), mproc_int(2)));
    CHECK_EQ(dicts_int(dict, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX)), 2);
    CHECK(!mproc_dict_has(dict, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX - 1)));
    dicts_check_sound(dict);
    mproc_dict_free(dict);
    free(large);
}

/* ---- updates -------------------------------------------------------------------------------------------- */

static mproc_status withdraws(mproc_call *call)
{
    int64_t balance, amount;

    MPROC_TRY(mproc_unpack(call, &balance, &amount));
    if (amount > balance) return mproc_error(MPROC_BROKEN, "only %lld are left", (long long)balance);
    return mproc_call_return(call, mproc_int(balance - amount));
}

static mproc_status appends(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), list = mproc_value_at(args, 0), items[8];
    size_t count = mproc_value_count(list);

    for (size_t i = 0; i < count; i++) items[i] = mproc_value_at(list, i);
    items[count] = mproc_value_at(args, 1);
    return mproc_call_return(call, mproc_list_from(items, count + 1));
}

static void case_update_makes_a_value_of_a_value(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("balance", 100, "list", MPROC_LIST("a")));

    CHECK_OK(mproc_dict_update_with(dict, KEY("balance"), withdraws, MPROC_ARGS(30)));
    CHECK_EQ(dicts_int(dict, KEY("balance")), 70);
    CHECK_SAYS(mproc_dict_update_with(dict, KEY("balance"), withdraws, MPROC_ARGS(71)), MPROC_BROKEN, "only 70");
    CHECK_STATUS(mproc_dict_update_with(dict, KEY("gone"), withdraws, MPROC_ARGS(1)), MPROC_NOT_FOUND);
    CHECK_SAYS(mproc_dict_update_with(dict, KEY("balance"), NULL, MPROC_ARGS(1)), MPROC_INVALID, "no function");
    CHECK_SAYS(mproc_dict_update_with(dict, KEY("balance"), withdraws, MPROC_MAP("a", 1)), MPROC_INVALID,
               "MPROC_ARGS");
    CHECK_OK(mproc_dict_update_with(dict, KEY("list"), appends, MPROC_ARGS("a text that is long")));
    CHECK_OK(mproc_dict_update_with(dict, KEY("list"), appends, MPROC_ARGS(3)));
    dicts_check_prints(dict, "{'balance': 70, 'list': ['a', 'a text that is long', 3]}");
    mproc_dict_free(dict);
}

/* The function's own change of the key comes in between, once, and is not lost. */
static mproc_dict *between;

static mproc_status is_disturbed(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    if (number < 10) CHECK_OK(mproc_dict_increment(between, KEY("n"), 10, NULL));
    return mproc_call_return(call, mproc_int(number * 2));
}

static mproc_status sees_it_go(mproc_call *call)
{
    CHECK_OK(mproc_dict_delete(between, KEY("n")));
    return mproc_call_return(call, mproc_int(1));
}

static void case_update_is_one_step(void)
{
    between = dicts_create(MPROC_MAP("n", 1));
    CHECK_OK(mproc_dict_update_with(between, KEY("n"), is_disturbed, mproc_no_args()));
    CHECK_EQ(dicts_int(between, KEY("n")), 22);
    CHECK_STATUS(mproc_dict_update_with(between, KEY("n"), sees_it_go, mproc_no_args()), MPROC_NOT_FOUND);
    CHECK_EQ(mproc_dict_count(between), 0);
    mproc_dict_free(between);
}

CHECK_SUITE_SETUP(dict, peers_of_threads,
    CASE(keys_and_values_of_each_type_come_back),
    CASE(keys_keep_their_order),
    CASE(dicts_are_made_of_maps_and_of_pairs),
    CASE(missing_keys_are_told),
    CASE(pop_gives_the_value),
    CASE(pop_item_takes_the_last),
    CASE(default_is_set_once),
    CASE(copies_are_the_whole_at_one_moment),
    CASE(dict_changes_while_somebody_goes_through_it),
    CASE(clear_takes_all),
    CASE(many_keys_are_set_in_one_call),
    CASE(dicts_are_joined),
    CASE(what_cannot_be_set_whole_is_not_set),
    CASE(increments_count),
    CASE(what_is_no_key_is_refused),
    CASE(update_makes_a_value_of_a_value),
    CASE(update_is_one_step)
);

/* ---- in a manager ------------------------------------------------------------------------------------------ */

static void case_functions_do_not_go_there(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("n", 1));

    CHECK_SAYS(mproc_dict_update_with(dict, KEY("n"), withdraws, MPROC_ARGS(1)), MPROC_NOT_SUPPORTED,
               "mproc_dict_increment()");
    CHECK_EQ(dicts_int(dict, KEY("n")), 1);
    mproc_dict_free(dict);
}

/* All but the updates. */
CHECK_SUITE_SETUP(dict_served, containers_of_a_manager,
    CASE_SERVED(keys_and_values_of_each_type_come_back),
    CASE_SERVED(keys_keep_their_order),
    CASE_SERVED(dicts_are_made_of_maps_and_of_pairs),
    CASE_SERVED(missing_keys_are_told),
    CASE_SERVED(pop_gives_the_value),
    CASE_SERVED(pop_item_takes_the_last),
    CASE_SERVED(default_is_set_once),
    CASE_SERVED(copies_are_the_whole_at_one_moment),
    CASE_SERVED(dict_changes_while_somebody_goes_through_it),
    CASE_SERVED(clear_takes_all),
    CASE_SERVED(many_keys_are_set_in_one_call),
    CASE_SERVED(dicts_are_joined),
    CASE_SERVED(what_cannot_be_set_whole_is_not_set),
    CASE_SERVED(increments_count),
    CASE_SERVED(what_is_no_key_is_refused),
    CASE_SERVED(functions_do_not_go_there)
);
