/* Lists, by one process: slices, and what makes the whole another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/lists.h"

enum { MOST = 4, EDGE = 6 };

static const char long_text[] = "a text that is longer than a value itself has room for";

/* ---- slices --------------------------------------------------------------------------------------------- */

/* A number for every element, and for every second one text, so that there are parcels. */
static mproc_value element(int number, char text[64])
{
    if (number % 2 == 0) return mproc_int(number);
    snprintf(text, 64, "%03d is a text that is longer than a cell", number);
    return MPROC_VALUE((const char *)text);
}

static int number_of(mproc_value value)
{
    return mproc_value_string(value) ? atoi(mproc_value_string(value)) : (int)mproc_value_int(value);
}

static mproc_list *make(int count)
{
    mproc_list *list = lists_create(mproc_nil());
    char text[64];

    for (int i = 0; i < count; i++) CHECK_OK(mproc_list_append(list, element(i, text)));
    return list;
}

/* What Python says in its words: from `start`, as long as it is before `stop`, by `step`. Returns how many. */
static int python_slice(int count, int64_t start, int64_t stop, int64_t step, int *indexes)
{
    int64_t first = step > 0 ? 0 : count - 1, end = step > 0 ? count : -1;
    int found = 0;

    if (start != OPEN) first = start < 0 ? start + count : start;
    if (stop != OPEN) end = stop < 0 ? stop + count : stop;
    if (stop != OPEN && end < 0) end = step > 0 ? 0 : -1;
    if (step > 0 && first < 0) first = 0;
    if (step < 0 && first > count - 1) first = count - 1;
    for (int64_t i = first; step > 0 ? i < end && i < count : i > end && i >= 0; i += step) indexes[found++] = (int)i;
    return found;
}

static void check_numbers(const mproc_list *list, const int *numbers, int count)
{
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_list_copy(list, &copy));
    CHECK_EQ(mproc_value_count(copy), count);
    for (int i = 0; i < count; i++) CHECK_EQ(number_of(mproc_value_at(copy, (size_t)i)), numbers[i]);
    mproc_value_clear(&copy);
    lists_check_sound(list);
}

static void check_got(int count, int64_t start, int64_t stop, int64_t step, const int *indexes, int found)
{
    mproc_list *list = make(count);
    mproc_value items = mproc_nil();

    CHECK_OK(mproc_list_get_slice(list, start, stop, step, &items));
    CHECK_EQ(mproc_value_count(items), found);
    for (int i = 0; i < found; i++) CHECK_EQ(number_of(mproc_value_at(items, (size_t)i)), indexes[i]);
    mproc_value_clear(&items);
    mproc_list_free(list);
}

static void check_deleted(int count, int64_t start, int64_t stop, int64_t step, const int *indexes, int found)
{
    mproc_list *list = make(count);
    int left[MOST], most = 0;

    for (int i = 0; i < count; i++) {
        bool goes = false;
        for (int j = 0; j < found; j++) goes = goes || indexes[j] == i;
        if (!goes) left[most++] = i;
    }
    CHECK_OK(mproc_list_delete_slice(list, start, stop, step));
    check_numbers(list, left, most);
    mproc_list_free(list);
}

/* `more` elements than the slice has, which only a step of 1 takes. */
static void check_set(int count, int64_t start, int64_t stop, int64_t step, const int *indexes, int found, int more)
{
    mproc_list *list = make(count);
    mproc_value items[MOST + 2];
    char texts[MOST + 2][64];
    int all[2 * MOST + 2], most = 0, size = found + more;
    int64_t first = start == OPEN ? 0 : start < 0 ? start + count : start;

    if (first < 0) first = 0;
    if (first > count) first = count;
    for (int i = 0; i < size; i++) items[i] = element(100 + i, texts[i]);
    if (step == 1) {
        for (int i = 0; i < first; i++) all[most++] = i;
        for (int i = 0; i < size; i++) all[most++] = 100 + i;
        for (int i = (int)first + found; i < count; i++) all[most++] = i;
    } else {
        for (; most < count; most++) all[most] = most;
        for (int i = 0; i < found && more == 0; i++) all[indexes[i]] = 100 + i;
    }
    CHECK_STATUS(mproc_list_set_slice(list, start, stop, step, mproc_list_from(items, (size_t)size)),
                 step == 1 || more == 0 ? MPROC_OK : MPROC_INVALID);
    check_numbers(list, all, most);
    mproc_list_free(list);
}

static int64_t edge(int number)
{
    return number > EDGE ? OPEN : number;
}

/* From afar it is the numbers alone that could go wrong, and each call costs a hundred of those here. */
static void check_slices_of(int count, int64_t step)
{
    int stride = containers_are_served() ? EDGE + 1 : 1;

    for (int start = -EDGE; start <= EDGE + 1; start += stride)
        for (int stop = -EDGE; stop <= EDGE + 1; stop += stride) {
            int indexes[MOST], found = python_slice(count, edge(start), edge(stop), step, indexes);
            check_got(count, edge(start), edge(stop), step, indexes, found);
            check_deleted(count, edge(start), edge(stop), step, indexes, found);
            check_set(count, edge(start), edge(stop), step, indexes, found, 0);
            check_set(count, edge(start), edge(stop), step, indexes, found, 2);
            if (found > 0) check_set(count, edge(start), edge(stop), step, indexes, found, -1);
        }
}

static void case_slices_are_those_of_python(void)
{
    for (int count = 0; count <= MOST; count += (int)check_many(1, 2))
        for (int64_t step = -3; step <= 3; step++)
            if (step != 0) check_slices_of(count, step);
}

static void case_slices_take_any_numbers(void)
{
    mproc_list *list = lists_create(MPROC_LIST(0, 1, 2, 3));
    mproc_value items = mproc_nil();

    CHECK_OK(mproc_list_get_slice(list, OPEN, OPEN, INT64_MIN, &items));
    CHECK(got_equals(items, MPROC_LIST(3)));
    CHECK_OK(mproc_list_get_slice(list, INT64_MIN + 1, INT64_MAX, INT64_MAX, &items));
    CHECK(got_equals(items, MPROC_LIST(0)));
    CHECK_OK(mproc_list_get_slice(list, INT64_MAX, INT64_MIN + 1, -1, &items));
    CHECK(got_equals(items, MPROC_LIST(3, 2, 1, 0)));
    CHECK_SAYS(mproc_list_set_slice(list, OPEN, OPEN, 2, MPROC_LIST(1)), MPROC_INVALID,
               "1 elements for a slice of 2");
    CHECK_SAYS(mproc_list_delete_slice(list, 0, 1, 0), MPROC_INVALID, "a step of 0");
    lists_check_prints(list, "[0, 1, 2, 3]");
    mproc_list_free(list);
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static void case_extend_and_repeat_make_it_longer(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1));

    CHECK_OK(mproc_list_extend(list, MPROC_LIST("two", TEXT(long_text))));
    CHECK_OK(mproc_list_extend(list, mproc_list_from(NULL, 0)));
    CHECK_OK(mproc_list_delete(list, 0));
    CHECK_OK(mproc_list_repeat(list, 3));
    CHECK_EQ(mproc_list_count(list), 6);
    for (int i = 0; i < 6; i++) CHECK(lists_has(list, i, i % 2 ? TEXT(long_text) : TEXT("two")));
    lists_check_sound(list);
    CHECK_OK(mproc_list_repeat(list, 1));
    CHECK_EQ(mproc_list_count(list), 6);
    CHECK_STATUS(mproc_list_repeat(list, INT64_MAX), MPROC_NO_MEMORY);
    CHECK_EQ(mproc_list_count(list), 6);
    CHECK_OK(mproc_list_repeat(list, -1));
    CHECK_OK(mproc_list_repeat(list, 5));
    lists_check_prints(list, "[]");
    mproc_list_free(list);
}

static void case_reverse_turns_the_order(void)
{
    mproc_list *list = lists_create(mproc_nil());

    CHECK_OK(mproc_list_reverse(list));
    CHECK_OK(mproc_list_extend(list, MPROC_LIST(1, "two", MPROC_LIST(3), 4)));
    CHECK_OK(mproc_list_reverse(list));
    lists_check_prints(list, "[4, [3], 'two', 1]");
    mproc_list_free(list);
}

/* ---- sorting -------------------------------------------------------------------------------------------- */

static void case_sort_knows_numbers_and_texts(void)
{
    mproc_list *list = lists_create(MPROC_LIST(3, -1.5, UINT64_MAX, 9007199254740993, 9007199254740992.0, -7,
                                               mproc_bool(true), 0, -INFINITY, 18446744073709551616.0, INT64_MIN));

    CHECK_OK(mproc_list_sort(list, NULL, false));
    lists_check_prints(list,
                       "[-inf, -9223372036854775808, -7, -1.5, 0, True, 3, 9007199254740992.0, 9007199254740993,"
                       " 18446744073709551615, 1.8446744073709552e+19]");
    CHECK_OK(mproc_list_clear(list));
    CHECK_OK(mproc_list_extend(list, MPROC_LIST("b", "", "a text that is long", "ab", "\xc3\xa4", "a", "B")));
    CHECK_OK(mproc_list_sort(list, NULL, false));
    lists_check_prints(list, "['', 'B', 'a', 'a text that is long', 'ab', 'b', '\xc3\xa4']");
    CHECK_OK(mproc_list_clear(list));
    CHECK_OK(mproc_list_extend(
        list, MPROC_LIST(MPROC_LIST(2, 1), MPROC_LIST(1, "b"), MPROC_LIST(1, "a", 3), MPROC_LIST(1.0, "a"))));
    CHECK_OK(mproc_list_sort(list, NULL, true));
    lists_check_prints(list, "[[2, 1], [1, 'b'], [1, 'a', 3], [1.0, 'a']]");
    mproc_list_free(list);
}

static void case_sort_refuses_what_has_no_order(void)
{
    mproc_list *list = lists_create(MPROC_LIST(2, "1", 0));

    CHECK_SAYS(mproc_list_sort(list, NULL, false), MPROC_INVALID, "no order: an int64 and a string");
    lists_check_prints(list, "[2, '1', 0]");
    CHECK_OK(mproc_list_clear(list));
    CHECK_OK(mproc_list_append(list, mproc_nil()));
    CHECK_OK(mproc_list_sort(list, NULL, false));
    lists_check_prints(list, "[None]");
    mproc_list_free(list);
}

static int by_tens(mproc_value left, mproc_value right)
{
    return (int)(mproc_value_int(left) / 10 - mproc_value_int(right) / 10);
}

static void case_what_is_the_same_in_order_stays_in_order(void)
{
    mproc_list *list = lists_create(MPROC_LIST(31, 12, 35, 11, 24, 13, 20));

    CHECK_OK(mproc_list_sort(list, by_tens, false));
    lists_check_prints(list, "[12, 11, 13, 24, 20, 31, 35]");
    CHECK_OK(mproc_list_sort(list, by_tens, true));
    lists_check_prints(list, "[31, 35, 24, 20, 12, 11, 13]");
    mproc_list_free(list);
}

static void case_lists_of_any_length_are_sorted(void)
{
    mproc_list *list = lists_create(mproc_nil());
    uint32_t seed = 1;
    char text[64];

    for (int count = 0; count < check_many(200, 40); count++) {
        mproc_value copy = mproc_nil();
        for (int i = 0; i < count; i++) {
            snprintf(text, sizeof text, "%06lu is a text that is long", (unsigned long)(any_number(&seed) % 50));
            CHECK_OK(mproc_list_append(list, MPROC_VALUE((const char *)text)));
        }
        CHECK_OK(mproc_list_sort(list, NULL, count % 2 == 1));
        CHECK_OK(mproc_list_copy(list, &copy));
        CHECK_EQ(mproc_value_count(copy), count);
        for (int i = 1; i < count; i++) {
            int order = strcmp(mproc_value_string(mproc_value_at(copy, (size_t)i - 1)),
                               mproc_value_string(mproc_value_at(copy, (size_t)i)));
            CHECK(count % 2 == 1 ? order >= 0 : order <= 0);
        }
        mproc_value_clear(&copy);
        CHECK_OK(mproc_list_clear(list));
    }
    mproc_list_free(list);
}

/* What comes while a comparison runs is sorted, too. */
static mproc_list *between;
static int disturbed;

static int disturbs(mproc_value left, mproc_value right)
{
    if (disturbed++ < 2) CHECK_OK(mproc_list_insert(between, 0, mproc_int(50 + disturbed)));
    return (int)(mproc_value_int(left) - mproc_value_int(right));
}

static void case_sort_loses_nothing_that_comes_meanwhile(void)
{
    between = lists_create(MPROC_LIST(60, 30, 40));
    CHECK_OK(mproc_list_sort(between, disturbs, false));
    lists_check_prints(between, "[30, 40, 51, 52, 60]");
    mproc_list_free(between);
}

CHECK_SUITE_SETUP(list_order, peers_of_threads,
    CASE_LIMIT(slices_are_those_of_python, 60),
    CASE(slices_take_any_numbers),
    CASE(extend_and_repeat_make_it_longer),
    CASE(reverse_turns_the_order),
    CASE(sort_knows_numbers_and_texts),
    CASE(sort_refuses_what_has_no_order),
    CASE(what_is_the_same_in_order_stays_in_order),
    CASE(lists_of_any_length_are_sorted),
    CASE(sort_loses_nothing_that_comes_meanwhile)
);

/* ---- in a manager ------------------------------------------------------------------------------------------ */

static void case_comparisons_do_not_go_there(void)
{
    mproc_list *list = lists_create(MPROC_LIST(31, 12));

    CHECK_SAYS(mproc_list_sort(list, by_tens, false), MPROC_NOT_SUPPORTED, "without one, NULL, it is sorted there");
    lists_check_prints(list, "[31, 12]");
    mproc_list_free(list);
}

/* All but what a comparison sorts. */
CHECK_SUITE_SETUP(list_order_served, containers_of_a_manager,
    CASE_WITH(slices_are_those_of_python, .limit_s = 60, .leaves = CHECK_HANDLES),
    CASE_SERVED(slices_take_any_numbers),
    CASE_SERVED(extend_and_repeat_make_it_longer),
    CASE_SERVED(reverse_turns_the_order),
    CASE_SERVED(sort_knows_numbers_and_texts),
    CASE_SERVED(sort_refuses_what_has_no_order),
    CASE_SERVED(comparisons_do_not_go_there)
);
