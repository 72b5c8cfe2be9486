/* mproc/value.h: making values by the type of what is written, and reading them. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <mproc/call.h>

#include "check.h"

#define CHECK_TYPE(value, type) CHECK_EQ(mproc_value_type(value), MPROC_TYPE_##type)

enum color { RED = 7 };

static void check_prints(mproc_value value, const char *expected)
{
    char text[400];

    CHECK_EQ(mproc_value_print(value, text, sizeof text), strlen(expected));
    CHECK_STRING(text, expected);
}

static void case_integers_of_every_type_are_int64(void)
{
    const volatile long changes = -5;
    enum color color = RED;
    char letter = 'x';

    CHECK_EQ(mproc_value_int(MPROC_VALUE((signed char)-128)), -128);
    CHECK_EQ(mproc_value_int(MPROC_VALUE((unsigned char)255)), 255);
    CHECK_EQ(mproc_value_int(MPROC_VALUE((short)-32768)), -32768);
    CHECK_EQ(mproc_value_int(MPROC_VALUE((unsigned short)65535)), 65535);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(INT32_MIN)), INT32_MIN);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(UINT32_MAX)), UINT32_MAX);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(INT64_MIN)), INT64_MIN);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(changes)), -5);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(sizeof changes)), sizeof changes);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(color)), 7);
    CHECK_EQ(mproc_value_int(MPROC_VALUE(letter)), 'x');
    CHECK_EQ(mproc_value_int(MPROC_VALUE(7ull)), 7);
}

static void case_only_what_no_int64_holds_is_uint64(void)
{
    CHECK_TYPE(mproc_uint(INT64_MAX), INT64);
    CHECK_TYPE(mproc_uint((uint64_t)INT64_MAX + 1), UINT64);
    CHECK(mproc_value_uint(MPROC_VALUE(UINT64_MAX)) == UINT64_MAX);
    CHECK_EQ(mproc_value_int(mproc_uint(UINT64_MAX)), 0);
    CHECK_EQ(mproc_value_uint(mproc_int(-1)), 0);
    CHECK(mproc_value_equal(mproc_int(5), mproc_uint(5)));
    CHECK(!mproc_value_equal(mproc_int(-1), mproc_uint(UINT64_MAX)));
}

static void case_bools_doubles_and_null_have_their_types(void)
{
    bool yes = true;

    CHECK(mproc_value_bool(MPROC_VALUE(yes)));
    CHECK(mproc_value_bool(mproc_bool(true)));
    CHECK(!mproc_value_bool(mproc_int(1)));
    CHECK(mproc_value_double(MPROC_VALUE(0.5f)) == 0.5);
    CHECK(mproc_value_double(MPROC_VALUE(DBL_MAX)) == DBL_MAX);
    CHECK(mproc_value_double(mproc_int(-3)) == -3.0);
    CHECK(mproc_value_double(mproc_uint(UINT64_MAX)) == 18446744073709551615.0);
    CHECK(mproc_value_is_nil(MPROC_VALUE(NULL)));
    CHECK(mproc_value_is_nil(MPROC_VALUE((const char *)NULL)));
    CHECK(mproc_value_is_nil(MPROC_VALUE((mproc_lock *)NULL)));
    CHECK(mproc_value_is_nil(MPROC_VALUE((mproc_function *)NULL)));
}

static void case_text_of_every_pointer_type_is_a_string(void)
{
    char writable[] = "abc";
    const char *constant = "abc";
    unsigned char bytes[] = "abc";
    const unsigned char *constant_bytes = bytes;
    signed char signed_bytes[] = "abc";

    CHECK_STRING(mproc_value_string(MPROC_VALUE("abc")), "abc");
    CHECK_STRING(mproc_value_string(MPROC_VALUE(writable)), "abc");
    CHECK_STRING(mproc_value_string(MPROC_VALUE(constant)), "abc");
    CHECK_STRING(mproc_value_string(MPROC_VALUE(bytes)), "abc");
    CHECK_STRING(mproc_value_string(MPROC_VALUE(constant_bytes)), "abc");
    CHECK_STRING(mproc_value_string(MPROC_VALUE(signed_bytes)), "abc");
    CHECK_EQ(mproc_value_size(MPROC_VALUE(writable)), 3);
    CHECK_EQ(mproc_value_size(mproc_string_from("a\0b", 3)), 3);
}

static void case_values_contain_values(void)
{
    mproc_value inner = MPROC_LIST(1, "two", 3.0);
    mproc_value outer = MPROC_MAP("list", inner, "map", MPROC_MAP(1, MPROC_LIST(MPROC_LIST("deep"))), "nil", NULL);

    CHECK_TYPE(outer, MAP);
    CHECK_EQ(mproc_value_count(outer), 3);
    CHECK_EQ(mproc_value_count(mproc_value_get(outer, "list")), 3);
    CHECK_STRING(mproc_value_string(mproc_value_key(outer, 1)), "map");
    CHECK_TYPE(mproc_value_at(outer, 1), MAP);
    check_prints(outer, "{'list': [1, 'two', 3.0], 'map': {1: [['deep']]}, 'nil': None}");
}

static void case_macros_take_32_things(void)
{
    mproc_value list = MPROC_LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                  24, 25, 26, 27, 28, 29, 30, 31, 32);

    CHECK_EQ(mproc_value_count(list), 32);
    for (int i = 0; i < 32; i++) CHECK_EQ(mproc_value_int(mproc_value_at(list, (size_t)i)), i + 1);
}

/* Asked for what they are not, values answer nothing. */
static void case_reading_another_type_gives_nothing(void)
{
    mproc_value text = mproc_string("12"), list = MPROC_LIST(1);

    CHECK_EQ(mproc_value_int(text), 0);
    CHECK_EQ(mproc_value_uint(text), 0);
    CHECK(mproc_value_double(text) == 0.0);
    CHECK(!mproc_value_bool(text));
    CHECK(mproc_value_bytes(text) == NULL);
    CHECK_EQ(mproc_value_count(text), 0);
    CHECK(mproc_value_is_nil(mproc_value_at(text, 0)));
    CHECK(mproc_value_string(list) == NULL);
    CHECK_EQ(mproc_value_size(list), 0);
    CHECK(mproc_value_is_nil(mproc_value_at(list, 1)));
    CHECK(mproc_value_is_nil(mproc_value_key(list, 0)));
    CHECK(mproc_value_is_nil(mproc_value_get(list, "a")));
}

/* ---- maps ------------------------------------------------------------------------------------- */

/* As many pairs as are scanned, and one more, which are searched; both forms. */
static void check_finds(int pairs)
{
    mproc_value items[80], copy, found;
    char names[40][32];

    for (int i = 0; i < pairs; i++) {
        snprintf(names[i], sizeof names[i], i % 2 ? "%d" : "a longer name, number %d", i);
        items[2 * i] = i % 5 == 4 ? mproc_int(i) : mproc_string(names[i]);
        items[2 * i + 1] = mproc_int(i);
    }
    CHECK_OK(mproc_value_copy(mproc_map_from(items, (size_t)pairs), &copy));
    for (int i = 0; i < pairs; i++) {
        CHECK(mproc_value_find(copy, items[2 * i], &found) && mproc_value_int(found) == i);
        CHECK(mproc_value_find(mproc_map_from(items, (size_t)pairs), items[2 * i], &found));
        CHECK_EQ(mproc_value_int(found), i);
        CHECK(mproc_value_equal(mproc_value_key(copy, (size_t)i), items[2 * i]));
    }
    found = mproc_int(-7);
    CHECK(!mproc_value_find(copy, mproc_string("a longer name, number 77"), &found));
    CHECK(!mproc_value_find(copy, mproc_string(""), &found));
    CHECK(!mproc_value_find(copy, mproc_nil(), &found));
    CHECK(!mproc_value_find(copy, mproc_double(4), &found));
    CHECK(!mproc_value_find(copy, MPROC_LIST(1), &found));
    CHECK(!mproc_value_find(copy, mproc_string_from(NULL, 3), &found));
    CHECK_EQ(mproc_value_int(found), -7);
    CHECK(mproc_value_find(copy, items[0], NULL));
    mproc_value_clear(&copy);
}

static void case_keys_are_found_in_small_and_large_maps(void)
{
    for (int pairs = 1; pairs <= 40; pairs++) check_finds(pairs);
}

/* Text of up to 7 bytes lies in a cell, longer text behind the cells; keys of as many bytes that are others. */
static void check_gets(int pairs)
{
    static const char *const names[] = {"",       "a",       "ab",       "abc",       "abcd",   "abcde",
                                        "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdXf", "abcdefgX"};
    mproc_value items[24], map = mproc_map_from(items, (size_t)pairs), copy;

    for (int i = 0; i < pairs; i++) {
        items[2 * i] = mproc_string(names[i]);
        items[2 * i + 1] = mproc_int(i);
    }
    CHECK_OK(mproc_value_copy(map, &copy));
    for (int i = 0; i < 12; i++) {
        CHECK_EQ(mproc_value_is_nil(mproc_value_get(copy, names[i])), i >= pairs);
        CHECK(mproc_value_equal(mproc_value_get(copy, names[i]), mproc_value_get(map, names[i])));
        CHECK(i >= pairs || mproc_value_int(mproc_value_get(copy, names[i])) == i);
    }
    CHECK(mproc_value_is_nil(mproc_value_get(copy, NULL)));
    CHECK(mproc_value_is_nil(mproc_value_get(map, NULL)));
    mproc_value_clear(&copy);
}

static void case_names_of_all_lengths_are_found(void)
{
    for (int pairs = 0; pairs <= 12; pairs++) check_gets(pairs);
}

static void case_keys_of_different_types_are_different(void)
{
    mproc_value map = MPROC_MAP(1, "int", mproc_bool(true), "bool", "1", "string", mproc_bytes("1", 1), "bytes"),
                copy;

    CHECK_OK(mproc_value_copy(map, &copy));
    CHECK_STRING(mproc_value_string(mproc_value_get(copy, "1")), "string");
    check_prints(copy, "{1: 'int', True: 'bool', '1': 'string', b'1': 'bytes'}");
    mproc_value_clear(&copy);
}

/* Of such a length that both are equally far behind their cells. */
static void case_long_keys_are_told_apart_by_their_text(void)
{
    mproc_value copy;

    CHECK_OK(mproc_value_copy(MPROC_MAP("a key of 25 characters: a", 1, "a key of 25 characters: b", 2), &copy));
    CHECK_EQ(mproc_value_int(mproc_value_get(copy, "a key of 25 characters: a")), 1);
    CHECK_EQ(mproc_value_int(mproc_value_get(copy, "a key of 25 characters: b")), 2);
    mproc_value_clear(&copy);
}

/* ---- equality, printing, copies ---------------------------------------------------------------- */

static void case_equality_is_by_type_and_content(void)
{
    CHECK(mproc_value_equal(mproc_double(NAN), mproc_double(-NAN)));
    CHECK(mproc_value_equal(mproc_double(0.0), mproc_double(-0.0)));
    CHECK(!mproc_value_equal(mproc_int(1), mproc_double(1)));
    CHECK(!mproc_value_equal(mproc_int(1), mproc_bool(true)));
    CHECK(!mproc_value_equal(mproc_nil(), mproc_int(0)));
    CHECK(!mproc_value_equal(mproc_string("a"), mproc_bytes("a", 1)));
    CHECK(!mproc_value_equal(mproc_string("a"), mproc_string_from("a\0", 2)));
    CHECK(mproc_value_equal(MPROC_LIST(1, "a"), MPROC_LIST(1, "a")));
    CHECK(!mproc_value_equal(MPROC_LIST(1, "a"), MPROC_LIST("a", 1)));
    CHECK(!mproc_value_equal(MPROC_LIST(1), MPROC_LIST(1, 2)));
    CHECK(mproc_value_equal(MPROC_MAP("a", 1, "b", 2), MPROC_MAP("b", 2, "a", 1)));
    CHECK(!mproc_value_equal(MPROC_MAP("a", 1, "b", 2), MPROC_MAP("a", 1, "c", 2)));
    CHECK(!mproc_value_equal(MPROC_MAP("a", 1), MPROC_MAP("a", 2)));
}

static void case_values_print_as_in_python(void)
{
    check_prints(mproc_nil(), "None");
    check_prints(mproc_bool(false), "False");
    check_prints(mproc_int(INT64_MIN), "-9223372036854775808");
    check_prints(mproc_uint(UINT64_MAX), "18446744073709551615");
    check_prints(mproc_double(1), "1.0");
    check_prints(mproc_double(-0.0), "-0.0");
    check_prints(mproc_double(0.1), "0.1");
    check_prints(mproc_double(1.0 / 3), "0.3333333333333333");
    check_prints(mproc_double(1e300), "1e+300");
    check_prints(mproc_double(123.456), "123.456");
    check_prints(mproc_double(0.0001), "0.0001");
    check_prints(mproc_double(-0.00001), "-1e-05");
    check_prints(mproc_double(1e15), "1000000000000000.0");
    check_prints(mproc_double(1e16), "1e+16");
    check_prints(mproc_double(12345678901234568.0), "1.2345678901234568e+16");
    check_prints(mproc_double(5e-324), "5e-324");
    check_prints(mproc_double(1.7976931348623157e308), "1.7976931348623157e+308");
    check_prints(mproc_double(NAN), "nan");
    check_prints(mproc_double(-INFINITY), "-inf");
    check_prints(mproc_string("it's \xC3\xA9"), "\"it's \xC3\xA9\"");
    check_prints(mproc_string("\"'\\\n\r\t\x01\x7F"), "'\"\\'\\\\\\n\\r\\t\\x01\\x7f'");
    check_prints(mproc_string_from("a\0b", 3), "'a\\x00b'");
    check_prints(mproc_bytes("\x80"
                             "a'",
                             3),
                 "b\"\\x80a'\"");
    check_prints(mproc_list_from(NULL, 0), "[]");
    check_prints(mproc_map_from(NULL, 0), "{}");
    check_prints(mproc_function_from(NULL), "None");
}

static void check_copies(mproc_value value)
{
    mproc_value copy = mproc_int(1);

    CHECK_OK(mproc_value_copy(value, &copy));
    CHECK(mproc_value_equal(value, copy));
    mproc_value_clear(&copy);
    CHECK(mproc_value_is_nil(copy));
    mproc_value_clear(&copy);
}

/* Each has its content elsewhere in its memory, which clear() must find. */
static void case_printed_text_is_cut_at_a_character(void)
{
    mproc_value value = mproc_string("a\xE2\x82\xAC\xE2\x82\xAC");
    char text[16];

    CHECK_EQ(mproc_value_print(value, text, 8), 9);
    CHECK_STRING(text, "'a\xE2\x82\xAC");
    CHECK_EQ(mproc_value_print(value, text, 9), 9);
    CHECK_STRING(text, "'a\xE2\x82\xAC\xE2\x82\xAC");
    CHECK_EQ(mproc_value_print(value, text, 5), 9);
    CHECK_STRING(text, "'a");
    CHECK_EQ(mproc_value_print(value, text, 1), 9);
    CHECK_STRING(text, "");
}

static void case_owned_values_of_every_shape_can_be_cleared(void)
{
    check_copies(mproc_nil());
    check_copies(mproc_int(5));
    check_copies(mproc_double(NAN));
    check_copies(mproc_string(""));
    check_copies(mproc_string("1234567"));
    check_copies(mproc_string("12345678"));
    check_copies(mproc_bytes(NULL, 0));
    check_copies(mproc_bytes("12345678\0", 9));
    check_copies(mproc_list_from(NULL, 0));
    check_copies(mproc_map_from(NULL, 0));
    check_copies(MPROC_LIST(mproc_list_from(NULL, 0), ""));
    check_copies(MPROC_MAP("a", 1));
    mproc_value_clear(NULL);
}

static void case_copy_of_a_part_outlives_the_whole(void)
{
    mproc_value whole, part, view;

    CHECK_OK(mproc_value_copy(MPROC_MAP("list", MPROC_LIST("a", "something longer", 3)), &whole));
    CHECK_OK(mproc_value_copy(mproc_value_get(whole, "list"), &part));
    mproc_value_clear(&whole);
    check_prints(part, "['a', 'something longer', 3]");
    CHECK_OK(mproc_value_to(part, &view));
    mproc_value_clear(&view); /* a view owns nothing */
    check_prints(part, "['a', 'something longer', 3]");
    mproc_value_clear(&part);
}

CHECK_SUITE(base_value,
    CASE(integers_of_every_type_are_int64),
    CASE(only_what_no_int64_holds_is_uint64),
    CASE(bools_doubles_and_null_have_their_types),
    CASE(text_of_every_pointer_type_is_a_string),
    CASE(values_contain_values),
    CASE(macros_take_32_things),
    CASE(reading_another_type_gives_nothing),
    CASE(keys_are_found_in_small_and_large_maps),
    CASE(names_of_all_lengths_are_found),
    CASE(keys_of_different_types_are_different),
    CASE(long_keys_are_told_apart_by_their_text),
    CASE(equality_is_by_type_and_content),
    CASE(values_print_as_in_python),
    CASE(printed_text_is_cut_at_a_character),
    CASE(owned_values_of_every_shape_can_be_cleared),
    CASE(copy_of_a_part_outlives_the_whole),
);
