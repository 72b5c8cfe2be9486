/* Lists, by one process: what Python's ListProxy can do with elements. */
#include "container/lists.h"

static const char long_text[] = "a text that is longer than a value itself has room for";

static void case_elements_of_each_type_come_back(void)
{
    const mproc_value values[] = {mproc_nil(),
                                  mproc_bool(true),
                                  mproc_int(INT64_MIN),
                                  mproc_uint(UINT64_MAX),
                                  mproc_double(0.5),
                                  TEXT(""),
                                  TEXT("\xc3\xa4"),
                                  TEXT("sevenxx"),
                                  TEXT("eight_xx"),
                                  TEXT(long_text),
                                  mproc_bytes("\0\xff", 2),
                                  mproc_list_from(NULL, 0),
                                  MPROC_LIST(1, "two", MPROC_MAP("three", 3.0))};
    enum { VALUES = sizeof values / sizeof values[0] };
    mproc_list *list = lists_create(mproc_list_from(values, VALUES));

    for (int i = 0; i < VALUES; i++) CHECK(lists_has(list, i, values[i]));
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < VALUES; j++) CHECK_OK(mproc_list_set(list, j, values[(i + j) % VALUES]));
        for (int j = 0; j < VALUES; j++) CHECK(lists_has(list, j - VALUES, values[(i + j) % VALUES]));
        CHECK_OK(mproc_list_append(list, values[i]));
        CHECK(lists_has(list, -1, values[i]));
        CHECK_OK(mproc_list_delete(list, -1));
        lists_check_sound(list);
    }
    CHECK_EQ(mproc_list_count(list), VALUES);
    mproc_list_free(list);
}

static void case_missing_elements_are_told(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1, 2, 3));
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_list_get(list, 3, &value), MPROC_NOT_FOUND, "no element 3: it has 3");
    CHECK_SAYS(mproc_list_get(list, -4, &value), MPROC_NOT_FOUND, "no element -4: it has 3");
    CHECK_STATUS(mproc_list_pop(list, INT64_MAX, &value), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_list_delete(list, INT64_MIN), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_list_set(list, 3, TEXT(long_text)), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_list_increment(list, 3, 1, NULL), MPROC_NOT_FOUND);
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_OK(mproc_list_clear(list));
    CHECK_SAYS(mproc_list_pop(list, -1, &value), MPROC_NOT_FOUND, "no element -1: it has 0");
    lists_check_prints(list, "[]");
    mproc_list_free(list);
}

static void case_values_come_where_they_are_put(void)
{
    mproc_list *list = lists_create(mproc_nil());

    CHECK_OK(mproc_list_append(list, mproc_int(5)));
    CHECK_OK(mproc_list_insert(list, 0, TEXT("first")));
    CHECK_OK(mproc_list_insert(list, -1, TEXT("a text that is long")));
    CHECK_OK(mproc_list_insert(list, 100, mproc_bool(true)));
    CHECK_OK(mproc_list_insert(list, -100, mproc_nil()));
    lists_check_prints(list, "[None, 'first', 'a text that is long', 5, True]");
    CHECK_OK(mproc_list_insert(list, 0, TEXT("another text that is long")));
    CHECK_OK(mproc_list_insert(list, 3, MPROC_LIST(1)));
    lists_check_prints(list, "['another text that is long', None, 'first', [1], 'a text that is long', 5, True]");
    mproc_list_free(list);
}

static void case_elements_go_from_anywhere(void)
{
    mproc_list *list = lists_create(MPROC_LIST(0, TEXT(long_text), 2, "3", MPROC_LIST(4), 5, 6));
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_delete(list, 0));
    CHECK_OK(mproc_list_delete(list, -1));
    CHECK_OK(mproc_list_pop(list, 3, &value));
    CHECK(got_equals(value, MPROC_LIST(4)));
    CHECK_OK(mproc_list_delete(list, 1));
    CHECK_OK(mproc_list_pop(list, 0, &value));
    got_text(value, long_text);
    CHECK_OK(mproc_list_pop(list, -1, &value));
    CHECK_EQ(mproc_value_int(value), 5);
    lists_check_prints(list, "['3']");
    CHECK_OK(mproc_list_pop(list, 0, &value));
    mproc_value_clear(&value);
    lists_check_prints(list, "[]");
    mproc_list_free(list);
}

static void case_elements_are_found_by_value(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1, "x", MPROC_LIST(1, "y"), "x", 1.0));
    int64_t index = 7, count = 7;

    CHECK_OK(mproc_list_index_of(list, TEXT("x"), OPEN, OPEN, &index));
    CHECK_EQ(index, 1);
    CHECK_OK(mproc_list_index_of(list, TEXT("x"), 2, OPEN, &index));
    CHECK_EQ(index, 3);
    CHECK_OK(mproc_list_index_of(list, MPROC_LIST(1, "y"), -4, -1, &index));
    CHECK_EQ(index, 2);
    CHECK_SAYS(mproc_list_index_of(list, TEXT("x"), 2, 3, &index), MPROC_NOT_FOUND, "no element that equals 'x'");
    CHECK_EQ(index, 2);
    CHECK(mproc_list_contains(list, mproc_double(1.0)));
    CHECK(!mproc_list_contains(list, mproc_int(2)));
    CHECK_OK(mproc_list_count_of(list, TEXT("x"), &count));
    CHECK_EQ(count, 2);
    CHECK_OK(mproc_list_count_of(list, TEXT("z"), &count));
    CHECK_EQ(count, 0);
    CHECK_STATUS(mproc_list_count_of(list, TEXT("z"), NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_list_index_of(list, TEXT("\xff\xff"), OPEN, OPEN, &index), MPROC_INVALID);
    CHECK_OK(mproc_list_remove(list, TEXT("x")));
    CHECK_OK(mproc_list_remove(list, MPROC_LIST(1, "y")));
    CHECK_SAYS(mproc_list_remove(list, mproc_int(7)), MPROC_NOT_FOUND, "equals 7");
    lists_check_prints(list, "[1, 'x', 1.0]");
    mproc_list_free(list);
}

static void case_copies_are_the_whole_at_one_moment(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1, MPROC_LIST("x", 2), "short", TEXT(long_text)));
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_list_copy(list, &copy));
    CHECK_OK(mproc_list_set(list, 1, mproc_nil()));
    CHECK_OK(mproc_list_delete(list, 0));
    CHECK(mproc_value_equal(copy, MPROC_LIST(1, MPROC_LIST("x", 2), "short", TEXT(long_text))));
    CHECK_OK(mproc_list_extend(list, copy));
    mproc_value_clear(&copy);
    CHECK_EQ(mproc_list_count(list), 7);
    CHECK(lists_has(list, 4, MPROC_LIST("x", 2)));
    CHECK_STATUS(mproc_list_copy(list, NULL), MPROC_INVALID);
    mproc_list_free(list);
}

/* By index: what comes meanwhile is seen, and the end stays the end. By a copy: nothing is. */
static void case_list_changes_while_somebody_goes_through_it(void)
{
    mproc_list *list = lists_create(MPROC_LIST(0, 1, 2));
    mproc_value value = mproc_nil(), copy = mproc_nil();
    int64_t seen = 0;

    for (; mproc_list_get(list, seen, &value) == MPROC_OK; seen++)
        if (seen < 3) CHECK_OK(mproc_list_append(list, mproc_int(10 + seen)));
    CHECK_EQ(seen, 6);
    CHECK_STATUS(mproc_list_get(list, seen, &value), MPROC_NOT_FOUND);
    CHECK_OK(mproc_list_copy(list, &copy));
    for (size_t i = 0; i < mproc_value_count(copy); i++) CHECK_OK(mproc_list_delete(list, 0));
    CHECK(got_equals(copy, MPROC_LIST(0, 1, 2, 10, 11, 12)));
    lists_check_prints(list, "[]");
    mproc_list_free(list);
}

static void case_clear_takes_all(void)
{
    mproc_list *list = lists_create(MPROC_LIST("a", MPROC_LIST(1, 2, 3), TEXT(long_text)));

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_list_clear(list));
        lists_check_prints(list, "[]");
        CHECK_OK(mproc_list_append(list, mproc_int(i)));
    }
    lists_check_prints(list, "[1]");
    mproc_list_free(list);
}

static void case_increments_count(void)
{
    mproc_list *list = lists_create(MPROC_LIST(5, "5", INT64_MAX));
    int64_t result = 7;

    CHECK_OK(mproc_list_increment(list, 0, -6, &result));
    CHECK_EQ(result, -1);
    CHECK_OK(mproc_list_increment(list, -3, 3, NULL));
    CHECK_SAYS(mproc_list_increment(list, 1, 1, &result), MPROC_INVALID, "element 1, which is no int64");
    CHECK_STATUS(mproc_list_increment(list, 2, 1, &result), MPROC_INVALID);
    CHECK_EQ(result, -1);
    lists_check_prints(list, "[2, '5', 9223372036854775807]");
    mproc_list_free(list);
}

static void case_what_cannot_be_is_refused(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1)), *none = list;
    mproc_value value = mproc_nil();

    CHECK_SAYS(mproc_list_append(list, TEXT("\xff")), MPROC_INVALID, "not UTF-8");
    CHECK_SAYS(mproc_list_append(list, TEXT(list)), MPROC_INVALID, "a shared list is no value in itself");
    CHECK_SAYS(mproc_list_insert(list, 0, MPROC_LIST(1, MPROC_LIST(list))), MPROC_INVALID, "no value in itself");
    CHECK_SAYS(mproc_list_set(list, 0, MPROC_MAP("a", list)), MPROC_INVALID, "no value in itself");
    CHECK_STATUS(mproc_list_extend(list, MPROC_LIST(2, TEXT(long_text), list)), MPROC_INVALID);
    CHECK_STATUS(mproc_list_set_slice(list, 0, 0, 1, MPROC_LIST(2, "\xff")), MPROC_INVALID);
    CHECK_SAYS(mproc_list_extend(list, mproc_int(1)), MPROC_INVALID, "an int64");
    CHECK_SAYS(mproc_list_create(mproc_int(1), &none), MPROC_INVALID, "an int64");
    CHECK_SAYS(mproc_list_create(MPROC_LIST(1, "\xff"), &none), MPROC_INVALID, "not UTF-8");
    CHECK_SAYS(mproc_list_create(mproc_nil(), NULL), MPROC_INVALID, "out is NULL");
    CHECK_STATUS(mproc_list_get(list, 0, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_list_pop(list, 0, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_list_get_slice(list, 0, 1, 0, &value), MPROC_INVALID);
    CHECK(none == list);
    lists_check_prints(list, "[1]");
    mproc_list_free(list);
}

/* ---- updates -------------------------------------------------------------------------------------------- */

static mproc_status appends(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), list = mproc_value_at(args, 0), items[8];
    size_t count = mproc_value_count(list);

    for (size_t i = 0; i < count; i++) items[i] = mproc_value_at(list, i);
    items[count] = mproc_value_at(args, 1);
    return mproc_call_return(call, mproc_list_from(items, count + 1));
}

static mproc_status refuses(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_BROKEN, "it is refused");
}

static void case_update_makes_a_value_of_a_value(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1, MPROC_LIST("a")));

    CHECK_OK(mproc_list_update_with(list, 1, appends, MPROC_ARGS("a text that is long")));
    CHECK_OK(mproc_list_update_with(list, -1, appends, MPROC_ARGS(3)));
    CHECK_SAYS(mproc_list_update_with(list, 0, refuses, mproc_no_args()), MPROC_BROKEN, "it is refused");
    CHECK_SAYS(mproc_list_update_with(list, 2, appends, MPROC_ARGS(1)), MPROC_NOT_FOUND, "no element 2: it has 2");
    CHECK_SAYS(mproc_list_update_with(list, 0, NULL, MPROC_ARGS(1)), MPROC_INVALID, "no function");
    CHECK_SAYS(mproc_list_update_with(list, 0, appends, MPROC_MAP("a", 1)), MPROC_INVALID, "MPROC_ARGS");
    lists_check_prints(list, "[1, ['a', 'a text that is long', 3]]");
    mproc_list_free(list);
}

/* The function's own change of the element comes in between, once, and is not lost. */
static mproc_list *between;

static mproc_status is_disturbed(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    if (number < 10) CHECK_OK(mproc_list_increment(between, 0, 10, NULL));
    return mproc_call_return(call, mproc_int(number * 2));
}

static mproc_status sees_it_go(mproc_call *call)
{
    CHECK_OK(mproc_list_delete(between, 0));
    return mproc_call_return(call, mproc_int(1));
}

static void case_update_is_one_step(void)
{
    between = lists_create(MPROC_LIST(1));
    CHECK_OK(mproc_list_update_with(between, 0, is_disturbed, mproc_no_args()));
    CHECK_EQ(lists_int(between, 0), 22);
    CHECK_STATUS(mproc_list_update_with(between, 0, sees_it_go, mproc_no_args()), MPROC_NOT_FOUND);
    CHECK_EQ(mproc_list_count(between), 0);
    mproc_list_free(between);
}

CHECK_SUITE_SETUP(list, peers_of_threads,
    CASE(elements_of_each_type_come_back),
    CASE(missing_elements_are_told),
    CASE(values_come_where_they_are_put),
    CASE(elements_go_from_anywhere),
    CASE(elements_are_found_by_value),
    CASE(copies_are_the_whole_at_one_moment),
    CASE(list_changes_while_somebody_goes_through_it),
    CASE(clear_takes_all),
    CASE(increments_count),
    CASE(what_cannot_be_is_refused),
    CASE(update_makes_a_value_of_a_value),
    CASE(update_is_one_step)
);

/* ---- in a manager ------------------------------------------------------------------------------------------ */

static void case_functions_do_not_go_there(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1));

    CHECK_SAYS(mproc_list_update_with(list, 0, adds, MPROC_ARGS(1)), MPROC_NOT_SUPPORTED, "mproc_list_increment()");
    CHECK_EQ(lists_int(list, 0), 1);
    mproc_list_free(list);
}

/* All but the updates. */
CHECK_SUITE_SETUP(list_served, containers_of_a_manager,
    CASE_SERVED(elements_of_each_type_come_back),
    CASE_SERVED(missing_elements_are_told),
    CASE_SERVED(values_come_where_they_are_put),
    CASE_SERVED(elements_go_from_anywhere),
    CASE_SERVED(elements_are_found_by_value),
    CASE_SERVED(copies_are_the_whole_at_one_moment),
    CASE_SERVED(list_changes_while_somebody_goes_through_it),
    CASE_SERVED(clear_takes_all),
    CASE_SERVED(increments_count),
    CASE_SERVED(what_cannot_be_is_refused),
    CASE_SERVED(functions_do_not_go_there)
);
