/* Sets, by one process: what Python's SetProxy can do with one of them. */
#include "container/sets.h"

#include <stdlib.h>

static void case_elements_of_each_type_come_back(void)
{
    static const char text[] = "a text that is longer than a value itself has room for";
    const mproc_value elements[] = {mproc_bool(true),
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
    enum { ELEMENTS = sizeof elements / sizeof elements[0] };
    mproc_set *set = sets_create(mproc_nil());
    mproc_value copy = mproc_nil();

    for (int i = 0; i < ELEMENTS; i++) {
        CHECK(!mproc_set_has(set, elements[i]));
        CHECK(sets_add(set, elements[i]));
        CHECK(mproc_set_has(set, elements[i]));
    }
    CHECK_OK(mproc_set_copy(set, &copy));
    CHECK(got_equals(copy, mproc_list_from(elements, ELEMENTS)));
    dicts_check_sound(&set->dict);
    mproc_set_free(set);
}

static void case_element_is_new_once(void)
{
    mproc_set *set = sets_create(mproc_nil());

    CHECK(sets_add(set, KEY("a")));
    CHECK(!sets_add(set, KEY("a")));
    CHECK_OK(mproc_set_add(set, KEY("a"), NULL));
    CHECK_EQ(mproc_set_count(set), 1);
    CHECK_OK(mproc_set_remove(set, KEY("a")));
    CHECK(sets_add(set, KEY("a")));
    sets_check(set, "['a']");
    mproc_set_free(set);
}

static void case_elements_that_are_not_there_are_told(void)
{
    mproc_set *set = sets_create(MPROC_LIST(1, "a"));
    mproc_value element = mproc_int(7);

    CHECK_SAYS(mproc_set_remove(set, KEY("gone")), MPROC_NOT_FOUND, "the set has no element 'gone'");
    CHECK_OK(mproc_set_discard(set, KEY("gone")));
    CHECK_OK(mproc_set_discard(set, KEY("a")));
    CHECK_OK(mproc_set_remove(set, KEY(1)));
    CHECK_SAYS(mproc_set_pop(set, &element), MPROC_NOT_FOUND, "the set is empty");
    CHECK_EQ(mproc_value_int(element), 7);
    sets_check(set, "[]");
    mproc_set_free(set);
}

static void case_pop_takes_the_element_that_came_last(void)
{
    mproc_set *set = sets_create(MPROC_LIST("a text that is long", 5, "b"));
    mproc_value element = mproc_nil();

    CHECK_OK(mproc_set_pop(set, &element));
    got_text(element, "b");
    CHECK_OK(mproc_set_pop(set, &element));
    CHECK_EQ(mproc_value_int(element), 5);
    mproc_value_clear(&element);
    sets_check(set, "['a text that is long']");
    CHECK_OK(mproc_set_pop(set, &element));
    got_text(element, "a text that is long");
    CHECK_SAYS(mproc_set_pop(set, NULL), MPROC_INVALID, "NULL");
    mproc_set_free(set);
}

static void case_clear_takes_all_elements(void)
{
    mproc_set *set = sets_create(MPROC_LIST("a", 1, "a text that is long"));

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_set_clear(set));
        sets_check(set, "[]");
        CHECK(sets_add(set, KEY("c")));
    }
    sets_check(set, "['c']");
    mproc_set_free(set);
}

static void check_made_of(mproc_value other, const char *expected)
{
    mproc_set *set = sets_create(other);

    sets_check(set, expected);
    mproc_set_free(set);
}

static void case_sets_are_made_of_lists_maps_sets_and_dicts(void)
{
    mproc_set *set = sets_create(MPROC_LIST("b", 1, "b", 1, "a"));
    mproc_dict *dict = dicts_create(MPROC_MAP("x", 1, 2, "y"));

    sets_check(set, "['b', 1, 'a']");
    check_made_of(MPROC_MAP("key", "value", 3, 4), "['key', 3]");
    check_made_of(mproc_list_from(NULL, 0), "[]");
    check_made_of(MPROC_VALUE(set), "['b', 1, 'a']");
    check_made_of(MPROC_VALUE(dict), "['x', 2]");
    mproc_dict_free(dict);
    mproc_set_free(set);
}

static void check_text(const mproc_set *set, const char *expected)
{
    mproc_value text = mproc_nil();

    CHECK_OK(mproc_set_text(set, &text));
    got_text(text, expected);
}

static void case_sets_are_printed_as_python_does(void)
{
    mproc_set *set = sets_create(mproc_nil());

    check_text(set, "set()");
    CHECK(sets_add(set, KEY("it's")));
    CHECK(sets_add(set, mproc_bool(true)));
    CHECK(sets_add(set, mproc_int(-1)));
    check_text(set, "{\"it's\", True, -1}");
    CHECK_SAYS(mproc_set_text(set, NULL), MPROC_INVALID, "NULL");
    mproc_set_free(set);
}

static void check_refused(mproc_set *set, mproc_value element, const char *says)
{
    CHECK_SAYS(mproc_set_add(set, element, NULL), MPROC_INVALID, says);
    CHECK_STATUS(mproc_set_discard(set, element), MPROC_INVALID);
    CHECK_STATUS(mproc_set_remove(set, element), MPROC_INVALID);
    CHECK(!mproc_set_has(set, element));
    CHECK_EQ(mproc_set_count(set), 1);
}

static void case_what_is_no_element_is_refused(void)
{
    mproc_set *set = sets_create(MPROC_LIST("a")), *none = set;
    char *large = calloc(1, MPROC_DICT_KEY_BYTES_MAX + 1);
    mproc_lock *lock = NULL;

    CHECK(large != NULL);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    check_refused(set, mproc_nil(), "a key is nil");
    check_refused(set, mproc_double(1), "a key is a double");
    check_refused(set, MPROC_LIST(1, 2), "a key is a list");
    check_refused(set, MPROC_VALUE(set), "a key is an object");
    check_refused(set, MPROC_VALUE("\xff\xff\xff\xff\xff\xff\xff\xff"), "not UTF-8");
    check_refused(set, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX + 1), "at most 65536");
    CHECK_SAYS(mproc_set_create(MPROC_VALUE("abc"), &none), MPROC_INVALID, "and not in a string");
    CHECK_SAYS(mproc_set_create(MPROC_VALUE(lock), &none), MPROC_INVALID, "and not in a lock");
    CHECK_SAYS(mproc_set_create(MPROC_LIST(1, 2.5), &none), MPROC_INVALID, "a key is a double");
    CHECK_SAYS(mproc_set_create(mproc_list_from(NULL, 2), &none), MPROC_INVALID, "at no address");
    CHECK_SAYS(mproc_set_create(mproc_nil(), NULL), MPROC_INVALID, "out is NULL");
    CHECK(none == set);
    CHECK(sets_add(set, mproc_bytes(large, MPROC_DICT_KEY_BYTES_MAX)));
    dicts_check_sound(&set->dict);
    mproc_lock_free(lock);
    mproc_set_free(set);
    free(large);
}

CHECK_SUITE_SETUP(set, peers_of_threads,
    CASE(elements_of_each_type_come_back),
    CASE(element_is_new_once),
    CASE(elements_that_are_not_there_are_told),
    CASE(pop_takes_the_element_that_came_last),
    CASE(clear_takes_all_elements),
    CASE(sets_are_made_of_lists_maps_sets_and_dicts),
    CASE(sets_are_printed_as_python_does),
    CASE(what_is_no_element_is_refused)
);

/* The same, of sets in a manager. */
CHECK_SUITE_SETUP(set_served, containers_of_a_manager,
    CASE_SERVED(elements_of_each_type_come_back),
    CASE_SERVED(element_is_new_once),
    CASE_SERVED(elements_that_are_not_there_are_told),
    CASE_SERVED(pop_takes_the_element_that_came_last),
    CASE_SERVED(clear_takes_all_elements),
    CASE_SERVED(sets_are_made_of_lists_maps_sets_and_dicts),
    CASE_SERVED(sets_are_printed_as_python_does),
    CASE_SERVED(what_is_no_element_is_refused)
);
