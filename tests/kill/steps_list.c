/*
 * Lists. Promised: whoever is killed in the middle of a change has done all of it or nothing; a change that returned
 * is done; the list is whole and free, and what was in it or was on its way is given back; an object counts those who
 * have it and the values that refer to it, where elements that are the same copy are one.
 */
#include "items_sound.h"
#include "steps_container.h"

/* ---- what the list has ------------------------------------------------------------------------------------ */

static void append(void *list, mproc_value value)
{
    test_must(mproc_list_append(list, value));
}

static void append_numbers(void *list, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) append(list, mproc_int(i));
}

static void fill_nothing(void *list)
{
    (void)list;
}

static void fill_two(void *list)
{
    append_numbers(list, 0, 2);
}

/* Numbers, text, and a value that is a list. */
static void fill_values(void *list)
{
    test_must(mproc_list_extend(list, MPROC_LIST(5, test_text, MPROC_LIST(1, "two"), 7)));
}

/* As many as the first body has room for. */
static void fill_body(void *list)
{
    append_numbers(list, 0, (int64_t)word_get(&items_of(list_container(list))->room));
}

/* And as many as the first segment has, and the directory. */
static void fill_segment(void *list)
{
    fill_body(list);
    append_numbers(list, 1000, 1064);
}

/* There is room in front. */
static void fill_with_front(void *list)
{
    fill_values(list);
    test_must(mproc_list_delete(list, 0));
}

/* Numbers alone, in no order. */
static void fill_numbers(void *list)
{
    test_must(mproc_list_extend(list, MPROC_LIST(3, 1, 4, 1, 5, 9, 2, 6)));
}

/* Texts alone, in no order. */
static void fill_texts(void *list)
{
    test_must(mproc_list_extend(list, MPROC_LIST("b", test_other, test_text)));
}

/* Segments, and one element. */
static void fill_last_of_many(void *list)
{
    fill_body(list);
    append_numbers(list, 0, 30);
    while (mproc_list_count(list) > 1) test_must(mproc_list_delete(list, -1));
}

static void fill_with_lock(void *list)
{
    test_must(mproc_list_extend(list, MPROC_LIST(0, MPROC_LIST(test_lock, 7), 1)));
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

#define CHANGE(name, call) CONTAINER_CHANGE(list, name, call)

static mproc_status pops(void *list, int64_t index)
{
    mproc_value value;

    return test_cleared(mproc_list_pop(list, index, &value), &value);
}

static mproc_status increments(void *list)
{
    int64_t result = 0;

    MPROC_TRY(mproc_list_increment(list, 0, 3, &result));
    return result == 8 ? MPROC_OK : MPROC_BROKEN;
}

static int by_number(mproc_value left, mproc_value right)
{
    return (int)(mproc_value_int(left) - mproc_value_int(right));
}

/* Of all that are no numbers: those behind the numbers. */
static int by_type(mproc_value left, mproc_value right)
{
    return (mproc_value_type(left) != MPROC_TYPE_INT64) - (mproc_value_type(right) != MPROC_TYPE_INT64);
}

static mproc_status looks(void *list)
{
    mproc_value value;
    int64_t count = 0;

    MPROC_TRY(test_cleared(mproc_list_get(list, 1, &value), &value));
    MPROC_TRY(test_cleared(mproc_list_get_slice(list, MPROC_LIST_OPEN, MPROC_LIST_OPEN, -1, &value), &value));
    MPROC_TRY(mproc_list_count_of(list, TEXT(test_text), &count));
    return count == 1 && mproc_list_count(list) == 4 ? MPROC_OK : MPROC_BROKEN;
}

static mproc_status gets_lock(void *list)
{
    mproc_value value;

    MPROC_TRY(test_cleared(mproc_list_get(list, 1, &value), &value));
    return test_cleared(mproc_list_copy(list, &value), &value);
}

#define LOCKED MPROC_LIST(test_lock, 7)

CHANGE(append_number, mproc_list_append(list, mproc_int(test_number)))
CHANGE(append_text, mproc_list_append(list, TEXT(test_other)))
CHANGE(append_lock, mproc_list_append(list, LOCKED))
CHANGE(set_number, mproc_list_set(list, 0, mproc_int(test_number)))
CHANGE(set_number_to_text, mproc_list_set(list, 0, TEXT(test_other)))
CHANGE(set_text_to_list, mproc_list_set(list, 1, MPROC_LIST(1, 2)))
CHANGE(set_lock_to_number, mproc_list_set(list, 1, mproc_int(2)))
CHANGE(insert_front, mproc_list_insert(list, 0, TEXT(test_other)))
CHANGE(insert_middle, mproc_list_insert(list, 2, TEXT(test_other)))
CHANGE(insert_end, mproc_list_insert(list, 100, TEXT(test_other)))
CHANGE(insert_lock, mproc_list_insert(list, 1, LOCKED))
CHANGE(delete_first, mproc_list_delete(list, 0))
CHANGE(delete_middle, mproc_list_delete(list, 1))
CHANGE(delete_last, mproc_list_delete(list, -1))
CHANGE(pop_first, pops(list, 0))
CHANGE(pop_middle, pops(list, 2))
CHANGE(pop_last, pops(list, -1))
CHANGE(pop_lock, pops(list, 1))
CHANGE(remove_value, mproc_list_remove(list, MPROC_LIST(1, "two")))
CHANGE(remove_lock, mproc_list_remove(list, LOCKED))
CHANGE(extend, mproc_list_extend(list, MPROC_LIST(1, test_other, 2)))
CHANGE(extend_by_lock, mproc_list_extend(list, LOCKED))
CHANGE(set_slice_longer, mproc_list_set_slice(list, 1, 3, 1, MPROC_LIST(test_other, 2, "three")))
CHANGE(set_slice_shorter, mproc_list_set_slice(list, 0, 3, 1, MPROC_LIST(test_other)))
CHANGE(set_slice_same, mproc_list_set_slice(list, 1, 3, 1, MPROC_LIST(2, test_other)))
CHANGE(set_slice_stepped, mproc_list_set_slice(list, 2, MPROC_LIST_OPEN, -2, MPROC_LIST(test_other, 2)))
CHANGE(set_slice_to_lock, mproc_list_set_slice(list, 0, 2, 1, LOCKED))
CHANGE(delete_slice, mproc_list_delete_slice(list, 1, 3, 1))
CHANGE(delete_slice_stepped, mproc_list_delete_slice(list, 0, 4, 2))
CHANGE(delete_slice_end, mproc_list_delete_slice(list, 2, MPROC_LIST_OPEN, 1))
CHANGE(clear, mproc_list_clear(list))
CHANGE(repeat, mproc_list_repeat(list, 3))
CHANGE(repeat_never, mproc_list_repeat(list, 0))
CHANGE(reverse, mproc_list_reverse(list))
CHANGE(sort, mproc_list_sort(list, NULL, false))
CHANGE(sort_by, mproc_list_sort(list, by_number, true))
CHANGE(sort_lock, mproc_list_sort(list, by_type, false))
CHANGE(increment, increments(list))
CHANGE(update, mproc_list_update_with(list, 1, test_doubles, mproc_no_args()))

/* ---- made, filled and freed by the victim ----------------------------------------------------------------- */

static void create_and_free(void *state)
{
    mproc_list *made;

    (void)state;
    test_must(mproc_list_create(MPROC_LIST(1, test_text, 2), &made));
    mproc_list_free(made);
}

/* One list in another, twice, with values of all kinds. */
static void enter_with_nested(void *state)
{
    mproc_list *inner, *outer;

    test_family_enter_victim(state);
    test_must(mproc_list_create(MPROC_LIST(1, test_text), &inner));
    test_must(mproc_list_create(MPROC_LIST(inner, test_other, MPROC_LIST(inner, 2)), &outer));
    mproc_list_free(inner);
    test_container_mine = outer;
}

/* ---- the kind --------------------------------------------------------------------------------------------- */

static mproc_status make(enum object_kind object, struct reference **it)
{
    mproc_list *list;

    (void)object;
    MPROC_TRY(mproc_list_create(mproc_nil(), &list));
    *it = &list->reference;
    return MPROC_OK;
}

static mproc_status copy(const void *list, mproc_value *into)
{
    return mproc_list_copy(list, into);
}

static const char *sound(const void *list)
{
    return items_sound(list);
}

/* Everywhere. */
static mproc_status use(void *list)
{
    for (int64_t i = 0; i < 24; i++) append(list, i % 2 ? TEXT(test_text) : mproc_int(i));
    MPROC_TRY(mproc_list_insert(list, 0, TEXT(test_other)));
    return mproc_list_insert(list, 5, TEXT(test_other));
}

static mproc_status use_less(void *list)
{
    MPROC_TRY(mproc_list_delete(list, 5));
    MPROC_TRY(mproc_list_delete(list, 0));
    MPROC_TRY(mproc_list_delete_slice(list, -23, MPROC_LIST_OPEN, 1));
    return mproc_list_delete(list, -1);
}

static const struct container_kind kind = {OBJECT_LIST, make, copy, sound, use, use_less};

#define CHANGES(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = false)
#define OBJECTS(fill_, change_) CONTAINER_SCENARIO(&kind, fill_, change_, .objects = true)

static const step_scenario scenarios[] = {
    {.name = "list.append_first", CHANGES(fill_nothing, append_text)},
    {.name = "list.append_number", CHANGES(fill_values, append_number)},
    {.name = "list.append_adds_a_directory", CHANGES(fill_body, append_text)},
    {.name = "list.append_adds_a_segment", CHANGES(fill_segment, append_number)},
    {.name = "list.set_number", CHANGES(fill_values, set_number)},
    {.name = "list.set_number_to_text", CHANGES(fill_values, set_number_to_text)},
    {.name = "list.set_text_to_list", CHANGES(fill_values, set_text_to_list)},
    {.name = "list.insert_front", CHANGES(fill_values, insert_front)},
    {.name = "list.insert_front_in_place", CHANGES(fill_with_front, insert_front)},
    {.name = "list.insert_middle", CHANGES(fill_values, insert_middle)},
    {.name = "list.insert_end", CHANGES(fill_values, insert_end)},
    {.name = "list.delete_first", CHANGES(fill_values, delete_first)},
    {.name = "list.delete_middle", CHANGES(fill_values, delete_middle)},
    {.name = "list.delete_last_of_many", CHANGES(fill_last_of_many, delete_last)},
    {.name = "list.pop_first", CHANGES(fill_with_front, pop_first)},
    {.name = "list.pop_middle", CHANGES(fill_values, pop_middle)},
    {.name = "list.pop_last", CHANGES(fill_texts, pop_last)},
    {.name = "list.remove", CHANGES(fill_values, remove_value)},
    {.name = "list.extend", CHANGES(fill_values, extend)},
    {.name = "list.extend_adds_segments", CHANGES(fill_body, extend)},
    {.name = "list.set_slice_longer", CHANGES(fill_values, set_slice_longer)},
    {.name = "list.set_slice_shorter", CHANGES(fill_values, set_slice_shorter)},
    {.name = "list.set_slice_same", CHANGES(fill_values, set_slice_same)},
    {.name = "list.set_slice_stepped", CHANGES(fill_values, set_slice_stepped)},
    {.name = "list.delete_slice", CHANGES(fill_values, delete_slice)},
    {.name = "list.delete_slice_stepped", CHANGES(fill_values, delete_slice_stepped)},
    {.name = "list.delete_slice_end", CHANGES(fill_values, delete_slice_end)},
    {.name = "list.clear", CHANGES(fill_values, clear)},
    {.name = "list.repeat", CHANGES(fill_values, repeat)},
    {.name = "list.repeat_never", CHANGES(fill_values, repeat_never)},
    {.name = "list.reverse", CHANGES(fill_values, reverse)},
    {.name = "list.sort", CHANGES(fill_texts, sort)},
    {.name = "list.sort_by_a_function", CHANGES(fill_numbers, sort_by)},
    {.name = "list.increment", CHANGES(fill_values, increment)},
    {.name = "list.update", CHANGES(fill_values, update)},
    {.name = "list.look", CHANGES(fill_values, looks)},
    {.name = "list.object_appended", OBJECTS(fill_two, append_lock)},
    {.name = "list.object_inserted", OBJECTS(fill_two, insert_lock)},
    {.name = "list.object_extended", OBJECTS(fill_two, extend_by_lock)},
    {.name = "list.object_replaced", OBJECTS(fill_with_lock, set_lock_to_number)},
    {.name = "list.object_got", OBJECTS(fill_with_lock, gets_lock)},
    {.name = "list.object_popped", OBJECTS(fill_with_lock, pop_lock)},
    {.name = "list.object_removed", OBJECTS(fill_with_lock, remove_lock)},
    {.name = "list.object_in_a_slice", OBJECTS(fill_with_lock, set_slice_to_lock)},
    {.name = "list.object_in_a_slice_deleted", OBJECTS(fill_with_lock, delete_slice)},
    {.name = "list.object_repeated", OBJECTS(fill_with_lock, repeat)},
    {.name = "list.object_reversed", OBJECTS(fill_with_lock, reverse)},
    {.name = "list.object_sorted", OBJECTS(fill_with_lock, sort_lock)},
    {.name = "list.object_updated", OBJECTS(fill_with_lock, update)},
    {.name = "list.object_cleared", OBJECTS(fill_with_lock, clear)},
    {.name = "list.create_and_free", CONTAINER_ALONE(test_container_enter_alone, create_and_free)},
    {.name = "list.free_nested", CONTAINER_ALONE(enter_with_nested, test_container_free_mine)},
};

const steps_table steps_list = STEPS_TABLE(scenarios);
