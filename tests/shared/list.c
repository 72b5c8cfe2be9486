/* mproc/shareable_list.h. */
#include "shared/named_memory.h"
#include "memory_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static mproc_shareable_list *create(mproc_value items)
{
    mproc_shareable_list *list = NULL;

    CHECK_OK(mproc_shareable_list_create(items, NULL, &list));
    return list;
}

/* Whether the element is that value. */
static void check_element(const mproc_shareable_list *list, size_t index, mproc_value expected)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_shareable_list_get(list, index, &value));
    CHECK(mproc_value_equal(value, expected));
    mproc_value_clear(&value);
}

static void check_items(const mproc_shareable_list *list, mproc_value expected)
{
    mproc_value items = mproc_nil();

    CHECK_OK(mproc_shareable_list_items(list, &items));
    CHECK(mproc_value_equal(items, expected));
    mproc_value_clear(&items);
}

/* ---- elements ----------------------------------------------------------------------------------- */

static void case_elements_of_all_types_come_back(void)
{
    mproc_value items = MPROC_LIST("howdy", mproc_bytes("HoWdY", 5), -273.154, 100, mproc_nil(), mproc_bool(true), 42,
                                   mproc_uint(UINT64_MAX), INT64_MIN, mproc_bool(false));
    mproc_shareable_list *list = create(items);

    CHECK_EQ(mproc_shareable_list_count(list), 10);
    CHECK(mproc_shareable_list_name(list) == NULL);
    for (size_t i = 0; i < 10; i++) check_element(list, i, mproc_value_at(items, i));
    check_items(list, items);
    mproc_shareable_list_free(list);
}

static void case_texts_keep_their_exact_bytes(void)
{
    mproc_value items =
        MPROC_LIST("", mproc_bytes("", 0), mproc_bytes("\0\0\0", 3), mproc_string_from("a\0", 2),
                   "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", "12345678", mproc_bytes("12345678\0", 9));
    mproc_shareable_list *list = create(items);
    mproc_value value;

    check_items(list, items);
    CHECK_OK(mproc_shareable_list_get(list, 3, &value));
    CHECK_EQ(mproc_value_size(value), 2);
    mproc_value_clear(&value);
    mproc_shareable_list_free(list);
}

static void case_empty_list_is_one(void)
{
    mproc_shareable_list *list = create(mproc_list_from(NULL, 0));
    mproc_value value = mproc_int(5);
    size_t count = 1;

    CHECK_EQ(mproc_shareable_list_count(list), 0);
    CHECK_SAYS(mproc_shareable_list_get(list, 0, &value), MPROC_INVALID, "no element 0: the list has 0");
    CHECK_EQ(mproc_value_int(value), 5);
    CHECK_OK(mproc_shareable_list_count_of(list, mproc_int(1), &count));
    CHECK_EQ(count, 0);
    check_items(list, mproc_list_from(NULL, 0));
    mproc_shareable_list_free(list);
}

static void case_element_changes_its_value_and_type(void)
{
    mproc_shareable_list *list = create(MPROC_LIST(1, "two", 3.0));

    CHECK_OK(mproc_shareable_list_set(list, 0, mproc_string("one")));
    CHECK_OK(mproc_shareable_list_set(list, 1, mproc_nil()));
    CHECK_OK(mproc_shareable_list_set(list, 2, mproc_bytes("\0", 1)));
    check_items(list, MPROC_LIST("one", mproc_nil(), mproc_bytes("\0", 1)));
    CHECK_OK(mproc_shareable_list_set(list, 1, mproc_string("zwei")));
    CHECK_OK(mproc_shareable_list_set(list, 0, mproc_double(1.5)));
    check_items(list, MPROC_LIST(1.5, "zwei", mproc_bytes("\0", 1)));
    mproc_shareable_list_free(list);
}

static void case_text_fits_exactly_or_is_refused(void)
{
    mproc_shareable_list *list = create(MPROC_LIST("left", "1234567", "right", 5));

    CHECK_OK(mproc_shareable_list_set(list, 1,
                                      mproc_string("\xE2\x82\xAC\xE2\x82\xAC"
                                                   "ab")));
    CHECK_SAYS(mproc_shareable_list_set(list, 1,
                                        mproc_string("\xE2\x82\xAC\xE2\x82\xAC"
                                                     "abc")),
               MPROC_INVALID, "element 1 has room for 8 bytes of text, not for 9");
    CHECK_SAYS(mproc_shareable_list_set(list, 3, mproc_bytes("123456789", 9)), MPROC_INVALID, "8 bytes");
    CHECK_OK(mproc_shareable_list_set(list, 3, mproc_bytes("12345678", 8)));
    check_items(list, MPROC_LIST("left",
                                 "\xE2\x82\xAC\xE2\x82\xAC"
                                 "ab",
                                 "right", mproc_bytes("12345678", 8)));
    mproc_shareable_list_free(list);
}

static void case_option_makes_room_for_text(void)
{
    mproc_shareable_list *list = NULL;

    CHECK_OK(
        mproc_shareable_list_create(MPROC_LIST(1, "x"), &(mproc_shareable_list_options){.text_bytes = 20}, &list));
    CHECK_OK(mproc_shareable_list_set(list, 0, mproc_string("twenty bytes or more")));
    CHECK_OK(mproc_shareable_list_set(list, 1, mproc_string("twenty bytes, or 24 ...")));
    CHECK_SAYS(mproc_shareable_list_set(list, 0, mproc_string("twenty-five bytes or more")), MPROC_INVALID, "24");
    check_items(list, MPROC_LIST("twenty bytes or more", "twenty bytes, or 24 ..."));
    mproc_shareable_list_free(list);
}

static void case_elements_are_found_and_counted(void)
{
    mproc_shareable_list *list = create(MPROC_LIST(1, "b", 1, 1.0, mproc_bytes("b", 1), 1));
    size_t index = 77, count = 77;

    CHECK_OK(mproc_shareable_list_index_of(list, mproc_int(1), &index));
    CHECK_EQ(index, 0);
    CHECK_OK(mproc_shareable_list_index_of(list, mproc_bytes("b", 1), &index));
    CHECK_EQ(index, 4);
    CHECK_SAYS(mproc_shareable_list_index_of(list, mproc_string("c"), &index), MPROC_NOT_FOUND, "6 elements");
    CHECK_EQ(index, 4);
    CHECK_OK(mproc_shareable_list_count_of(list, mproc_int(1), &count));
    CHECK_EQ(count, 3);
    CHECK_OK(mproc_shareable_list_count_of(list, mproc_string("c"), &count));
    CHECK_EQ(count, 0);
    mproc_shareable_list_free(list);
}

static void case_what_cannot_be_an_element_is_refused(void)
{
    mproc_shareable_list *list = NULL, *good = create(MPROC_LIST(1));
    mproc_shared_memory *memory = memory_create(8, NULL);

    CHECK_SAYS(mproc_shareable_list_create(mproc_int(1), NULL, &list), MPROC_INVALID, "not of an int64");
    CHECK_SAYS(mproc_shareable_list_create(MPROC_LIST(1, MPROC_LIST(2)), NULL, &list), MPROC_INVALID,
               "element 1 cannot be a list");
    CHECK_SAYS(mproc_shareable_list_create(MPROC_LIST(memory), NULL, &list), MPROC_INVALID, "an object");
    CHECK_SAYS(mproc_shareable_list_create(MPROC_LIST("\xFF"), NULL, &list), MPROC_INVALID, "UTF-8");
    CHECK_SAYS(mproc_shareable_list_create(MPROC_LIST(1), NULL, NULL), MPROC_INVALID, "NULL");
    CHECK(list == NULL);
    CHECK_SAYS(mproc_shareable_list_set(good, 0, MPROC_LIST(2)), MPROC_INVALID, "a list");
    CHECK_SAYS(mproc_shareable_list_set(good, 0, mproc_string("\xC0\x80")), MPROC_INVALID, "UTF-8");
    CHECK_SAYS(mproc_shareable_list_set(good, 0, mproc_bytes(NULL, 3)), MPROC_INVALID, "NULL");
    CHECK_SAYS(mproc_shareable_list_set(good, 1, mproc_int(2)), MPROC_INVALID, "no element 1");
    check_items(good, MPROC_LIST(1));
    mproc_shared_memory_free(memory);
    mproc_shareable_list_free(good);
    mproc_shareable_list_free(NULL);
}

/* ---- other processes ---------------------------------------------------------------------------- */

static mproc_status changes_all(mproc_call *call)
{
    mproc_shareable_list *list;
    const char *name;

    MPROC_TRY(mproc_unpack(call, &list, &name));
    CHECK_EQ(mproc_shareable_list_count(list), 3);
    check_element(list, 0, mproc_int(1));
    CHECK_OK(mproc_shareable_list_set(list, 0, mproc_string("set")));
    if (name) {
        mproc_shareable_list *other = NULL;
        CHECK_OK(mproc_shareable_list_attach(name, &other));
        CHECK_OK(mproc_shareable_list_set(other, 1, mproc_string("there")));
        mproc_shareable_list_free(other);
    }
    return MPROC_OK;
}

static void case_child_sees_and_changes_elements(void)
{
    mproc_shareable_list *list = create(MPROC_LIST(1, 2, 3));

    memory_run(changes_all, MPROC_ARGS(list, mproc_nil()));
    check_items(list, MPROC_LIST("set", 2, 3));
    mproc_shareable_list_free(list);
}

static void case_list_is_found_by_its_name(void)
{
    const mproc_shareable_list_options options = {.name = memory_name("list")};
    mproc_shareable_list *list = NULL, *copy = NULL;
    mproc_shared_memory *memory = NULL;
    mproc_value items;

    CHECK_OK(mproc_shareable_list_create(MPROC_LIST(1, 2, 3), &options, &list));
    CHECK_STRING(mproc_shareable_list_name(list), options.name);
    memory_run(changes_all, MPROC_ARGS(list, options.name));
    check_items(list, MPROC_LIST("set", "there", 3));
    CHECK_SAYS(mproc_shared_memory_attach(options.name, &memory), MPROC_MISMATCH, "is a shareable list, not");
    CHECK_STATUS(mproc_shareable_list_create(MPROC_LIST(1), &options, &copy), MPROC_EXISTS);
    CHECK_OK(mproc_shareable_list_items(list, &items));
    CHECK_OK(mproc_shareable_list_create(items, &(mproc_shareable_list_options){.name = memory_name("copy")}, &copy));
    mproc_value_clear(&items);
    CHECK_OK(mproc_shareable_list_set(list, 2, mproc_nil()));
    check_items(copy, MPROC_LIST("set", "there", 3));
    mproc_shareable_list_free(copy);
    CHECK_OK(mproc_shareable_list_unlink(list));
    CHECK_STATUS(mproc_shareable_list_unlink(list), MPROC_NOT_FOUND);
    CHECK(memory_is_free(options.name));
    mproc_shareable_list_free(list);
}

static mproc_status is_given_no_list(mproc_call *call)
{
    mproc_shareable_list *list;

    CHECK_SAYS(mproc_unpack(call, &list), MPROC_NOT_FOUND, "unlinked");
    return MPROC_OK;
}

static void case_list_without_a_name_cannot_be_unlinked(void)
{
    mproc_shareable_list *list;

    CHECK_OK(mproc_shareable_list_create(MPROC_LIST(1), NULL, &list));
    CHECK_SAYS(mproc_shareable_list_unlink(list), MPROC_NOT_SUPPORTED, "a shareable list, has no name");
    mproc_shareable_list_free(list);
}

static void case_unlinked_list_cannot_be_passed_on(void)
{
    mproc_shareable_list *list = NULL;
    mproc_process *process = NULL;

    CHECK_OK(mproc_shareable_list_create(MPROC_LIST(1), &(mproc_shareable_list_options){.name = memory_name("gone")},
                                         &list));
    CHECK_OK(mproc_process_create(is_given_no_list, MPROC_ARGS(list), NULL, &process));
    CHECK_OK(mproc_shareable_list_unlink(list));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    CHECK_STATUS(mproc_process_create(is_given_no_list, MPROC_ARGS(list), NULL, &process), MPROC_NOT_FOUND);
    mproc_shareable_list_free(list);
}

/* Another program may write whatever it likes: what it wrote is told, and not followed. */
static void case_overwritten_list_is_told(void)
{
    mproc_shareable_list *list = create(MPROC_LIST("text", 5));
    uint64_t *words = named_memory((const struct reference *)(const void *)list), at = words[4], room = words[5];
    mproc_value value = mproc_nil();

    memset(&words[at + (words[1] >> 40 & 1) * room], 0xFF, 4);
    CHECK_SAYS(mproc_shareable_list_get(list, 0, &value), MPROC_MISMATCH, "overwritten");
    CHECK_STATUS(mproc_shareable_list_items(list, &value), MPROC_MISMATCH);
    words[4] = UINT64_MAX;
    CHECK_STATUS(mproc_shareable_list_get(list, 0, &value), MPROC_MISMATCH);
    CHECK_STATUS(mproc_shareable_list_set(list, 0, mproc_int(1)), MPROC_MISMATCH);
    words[4] = at;
    words[5] = UINT64_MAX;
    CHECK_STATUS(mproc_shareable_list_get(list, 0, &value), MPROC_MISMATCH);
    words[0] = UINT64_MAX;
    CHECK(mproc_shareable_list_count(list) < 1000);
    mproc_shareable_list_free(list);
}

/* The element is one of these, at any time, as a whole. */
static const char *const words[] = {"", "x", "a text of some length, that is not copied in one step .......",
                                    "another one, which is at least as long as the one before it, it seems"};

enum { WORDS = 4 };

static mproc_status writes_for_ever(mproc_call *call)
{
    mproc_shareable_list *list;
    uint32_t i;

    MPROC_TRY(mproc_unpack(call, &list));
    for (i = 0;; i++) {
        CHECK_OK(mproc_shareable_list_set(list, 1, i % 8 == 0 ? mproc_int(i) : mproc_string(words[i % WORDS])));
        if (i == 100) CHECK_OK(mproc_shareable_list_set(list, 0, mproc_bool(true)));
    }
}

static void check_whole(const mproc_shareable_list *list)
{
    mproc_value value;
    bool whole = false;

    CHECK_OK(mproc_shareable_list_get(list, 1, &value));
    whole = mproc_value_type(value) == MPROC_TYPE_INT64 && mproc_value_int(value) % 8 == 0;
    for (int i = 0; i < WORDS; i++) whole = whole || mproc_value_equal(value, mproc_string(words[i]));
    CHECK(whole);
    mproc_value_clear(&value);
}

static bool has_begun(void *list)
{
    mproc_value value = mproc_nil();
    bool begun;

    check_whole(list);
    CHECK_OK(mproc_shareable_list_get(list, 0, &value));
    begun = mproc_value_bool(value);
    mproc_value_clear(&value);
    return begun;
}

static void case_killed_writer_leaves_a_whole_element(void)
{
    for (int round = 0; round < 10; round++) {
        mproc_shareable_list *list = create(MPROC_LIST(mproc_bool(false), words[3]));
        mproc_process *process = memory_start(writes_for_ever, MPROC_ARGS(list));
        CHECK_WAIT_UNTIL(has_begun, list);
        for (int i = 0; i < 2000; i++) check_whole(list);
        CHECK_OK(mproc_process_kill(process));
        CHECK_ENDED_BY(process, 9);
        check_whole(list);
        CHECK_OK(mproc_shareable_list_set(list, 1, mproc_string("of use")));
        check_items(list, MPROC_LIST(mproc_bool(true), "of use"));
        mproc_shareable_list_free(list);
    }
}

CHECK_SUITE_SETUP(shareable_list, fixture_setup,
    CASE(elements_of_all_types_come_back),
    CASE(texts_keep_their_exact_bytes),
    CASE(empty_list_is_one),
    CASE(element_changes_its_value_and_type),
    CASE(text_fits_exactly_or_is_refused),
    CASE(option_makes_room_for_text),
    CASE(elements_are_found_and_counted),
    CASE(what_cannot_be_an_element_is_refused),
    CASE(child_sees_and_changes_elements),
    CASE(list_is_found_by_its_name),
    CASE(unlinked_list_cannot_be_passed_on),
    CASE(list_without_a_name_cannot_be_unlinked),
    CASE(overwritten_list_is_told),
    CASE(killed_writer_leaves_a_whole_element),
);
