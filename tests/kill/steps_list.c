/*
 * Lists. Promised: whoever is killed in the middle of a change has done all of it or nothing; a change that returned
 * is done; the list is whole and free, and what was in it or was on its way is given back.
 */
#include "steps_list.h"

#include <stdlib.h>

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- what the list has ----------------------------------------------------------------------------------- */

static void make_nothing(void)
{
}

/* Numbers, text, and a value that is a list. */
static void make_values(void)
{
    test_list_append(mproc_int(5));
    test_list_append(TEXT(test_list_text));
    test_list_append(MPROC_LIST(1, "two"));
    test_list_append(mproc_int(7));
}

/* As many as the first body has room for. */
static void make_full(void)
{
    const struct items *items = items_of(list_container(test_list));

    test_list_append_numbers(0, (int64_t)word_get(&items->room));
}

/* And as many as the first segment has, and the directory. */
static void make_full_segment(void)
{
    make_full();
    test_list_append_numbers(1000, 1064);
}

/* There is room in front. */
static void make_with_front(void)
{
    make_values();
    must(mproc_list_delete(test_list, 0));
}

/* Numbers alone, in no order. */
static void make_numbers(void)
{
    const int64_t numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};

    for (int i = 0; i < 8; i++) test_list_append(mproc_int(numbers[i]));
}

/* Texts alone, in no order. */
static void make_texts(void)
{
    test_list_append(TEXT("b"));
    test_list_append(TEXT(test_list_other));
    test_list_append(TEXT(test_list_text));
}

/* Segments, and one element. */
static void make_last_of_many(void)
{
    make_full();
    test_list_append_numbers(0, 30);
    while (mproc_list_count(test_list) > 1) must(mproc_list_delete(test_list, -1));
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

/* The victim's, which says when it is done. */
#define CHANGE(name, call)        \
    static void name(void *state) \
    {                             \
        must(call);               \
        test_list_say(state);     \
    }

static mproc_status pops(int64_t index)
{
    mproc_value value = mproc_nil();
    mproc_status status = mproc_list_pop(test_list_mine, index, &value);

    mproc_value_clear(&value);
    return status;
}

static mproc_status adds(void)
{
    int64_t result = 0;
    mproc_status status = mproc_list_increment(test_list_mine, 0, 3, &result);

    return status == MPROC_OK && result != 8 ? MPROC_BROKEN : status;
}

static mproc_status is_doubled(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), value = mproc_value_at(args, 0);

    return mproc_call_return(call, MPROC_LIST(value, value, test_list_text));
}

static int by_number(mproc_value left, mproc_value right)
{
    return (int)(mproc_value_int(left) - mproc_value_int(right));
}

static mproc_status looks(void)
{
    mproc_value value = mproc_nil();
    int64_t count = 0;

    must(mproc_list_get(test_list_mine, 1, &value));
    mproc_value_clear(&value);
    must(mproc_list_get_slice(test_list_mine, MPROC_LIST_OPEN, MPROC_LIST_OPEN, -1, &value));
    mproc_value_clear(&value);
    must(mproc_list_count_of(test_list_mine, TEXT(test_list_text), &count));
    return count == 1 && mproc_list_count(test_list_mine) == 4 ? MPROC_OK : MPROC_BROKEN;
}

CHANGE(append_number, mproc_list_append(test_list_mine, mproc_int(10)))
CHANGE(append_text, mproc_list_append(test_list_mine, TEXT(test_list_other)))
CHANGE(set_number, mproc_list_set(test_list_mine, 0, mproc_int(6)))
CHANGE(set_number_to_text, mproc_list_set(test_list_mine, 0, TEXT(test_list_other)))
CHANGE(set_text_to_list, mproc_list_set(test_list_mine, 1, MPROC_LIST(1, 2)))
CHANGE(insert_front, mproc_list_insert(test_list_mine, 0, TEXT(test_list_other)))
CHANGE(insert_middle, mproc_list_insert(test_list_mine, 2, TEXT(test_list_other)))
CHANGE(delete_middle, mproc_list_delete(test_list_mine, 1))
CHANGE(delete_last, mproc_list_delete(test_list_mine, -1))
CHANGE(pop_first, pops(0))
CHANGE(pop_middle, pops(2))
CHANGE(pop_last, pops(-1))
CHANGE(remove_value, mproc_list_remove(test_list_mine, MPROC_LIST(1, "two")))
CHANGE(extend, mproc_list_extend(test_list_mine, MPROC_LIST(1, test_list_other, 2)))
CHANGE(set_slice_longer, mproc_list_set_slice(test_list_mine, 1, 3, 1, MPROC_LIST(test_list_other, 2, "three")))
CHANGE(set_slice_stepped,
       mproc_list_set_slice(test_list_mine, 2, MPROC_LIST_OPEN, -2, MPROC_LIST(test_list_other, 2)))
CHANGE(delete_slice, mproc_list_delete_slice(test_list_mine, 0, 4, 2))
CHANGE(clear, mproc_list_clear(test_list_mine))
CHANGE(repeat, mproc_list_repeat(test_list_mine, 3))
CHANGE(reverse, mproc_list_reverse(test_list_mine))
CHANGE(sort, mproc_list_sort(test_list_mine, NULL, false))
CHANGE(sort_by, mproc_list_sort(test_list_mine, by_number, true))
CHANGE(increment, adds())
CHANGE(update, mproc_list_update_with(test_list_mine, 1, is_doubled, mproc_no_args()))
CHANGE(look, looks())

#define BEGIN(name, make, change)         \
    static void begin_##name(void *state) \
    {                                     \
        test_list_begin(state);           \
        test_list_expect(make, change);   \
    }

BEGIN(append_first, make_nothing, append_text)
BEGIN(append_number, make_values, append_number)
BEGIN(append_segments, make_full, append_text)
BEGIN(append_segment, make_full_segment, append_number)
BEGIN(set_number, make_values, set_number)
BEGIN(set_number_to_text, make_values, set_number_to_text)
BEGIN(set_text_to_list, make_values, set_text_to_list)
BEGIN(insert_front, make_values, insert_front)
BEGIN(insert_in_place, make_with_front, insert_front)
BEGIN(insert_middle, make_values, insert_middle)
BEGIN(delete_middle, make_values, delete_middle)
BEGIN(delete_last, make_last_of_many, delete_last)
BEGIN(pop_first, make_with_front, pop_first)
BEGIN(pop_middle, make_values, pop_middle)
BEGIN(pop_last, make_texts, pop_last)
BEGIN(remove_value, make_values, remove_value)
BEGIN(extend, make_values, extend)
BEGIN(extend_segments, make_full, extend)
BEGIN(set_slice_longer, make_values, set_slice_longer)
BEGIN(set_slice_stepped, make_values, set_slice_stepped)
BEGIN(delete_slice, make_values, delete_slice)
BEGIN(clear, make_values, clear)
BEGIN(repeat, make_values, repeat)
BEGIN(reverse, make_values, reverse)
BEGIN(sort, make_texts, sort)
BEGIN(sort_by, make_numbers, sort_by)
BEGIN(increment, make_values, increment)
BEGIN(update, make_values, update)
BEGIN(look, make_values, look)

#define CHANGES(setup_, operation_) \
    .setup = setup_, .enter = test_list_enter, .operation = operation_, .check = test_list_check, RECOVERED

static const step_scenario scenarios[] = {
    {.name = "list.append_first", CHANGES(begin_append_first, append_text)},
    {.name = "list.append_number", CHANGES(begin_append_number, append_number)},
    {.name = "list.append_adds_a_directory", CHANGES(begin_append_segments, append_text)},
    {.name = "list.append_adds_a_segment", CHANGES(begin_append_segment, append_number)},
    {.name = "list.set_number", CHANGES(begin_set_number, set_number)},
    {.name = "list.set_number_to_text", CHANGES(begin_set_number_to_text, set_number_to_text)},
    {.name = "list.set_text_to_list", CHANGES(begin_set_text_to_list, set_text_to_list)},
    {.name = "list.insert_front", CHANGES(begin_insert_front, insert_front)},
    {.name = "list.insert_front_in_place", CHANGES(begin_insert_in_place, insert_front)},
    {.name = "list.insert_middle", CHANGES(begin_insert_middle, insert_middle)},
    {.name = "list.delete_middle", CHANGES(begin_delete_middle, delete_middle)},
    {.name = "list.delete_last_of_many", .slow = true, CHANGES(begin_delete_last, delete_last)},
    {.name = "list.pop_first", CHANGES(begin_pop_first, pop_first)},
    {.name = "list.pop_middle", CHANGES(begin_pop_middle, pop_middle)},
    {.name = "list.pop_last", CHANGES(begin_pop_last, pop_last)},
    {.name = "list.remove", CHANGES(begin_remove_value, remove_value)},
    {.name = "list.extend", .slow = true, CHANGES(begin_extend, extend)},
    {.name = "list.extend_adds_segments", .slow = true, CHANGES(begin_extend_segments, extend)},
    {.name = "list.set_slice_longer", .slow = true, CHANGES(begin_set_slice_longer, set_slice_longer)},
    {.name = "list.set_slice_stepped", .slow = true, CHANGES(begin_set_slice_stepped, set_slice_stepped)},
    {.name = "list.delete_slice", CHANGES(begin_delete_slice, delete_slice)},
    {.name = "list.clear", .slow = true, CHANGES(begin_clear, clear)},
    {.name = "list.repeat", .slow = true, CHANGES(begin_repeat, repeat)},
    {.name = "list.reverse", CHANGES(begin_reverse, reverse)},
    {.name = "list.sort", .slow = true, CHANGES(begin_sort, sort)},
    {.name = "list.sort_by_a_function", CHANGES(begin_sort_by, sort_by)},
    {.name = "list.increment", CHANGES(begin_increment, increment)},
    {.name = "list.update", .slow = true, CHANGES(begin_update, update)},
    {.name = "list.look", .slow = true, CHANGES(begin_look, look)},
};

const steps_table steps_list = STEPS_TABLE(scenarios);
