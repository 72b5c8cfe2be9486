/* Encodings: what cannot be encoded, what is refused when it is read, and with which words. */
#include <stdio.h>
#include <stdlib.h>

#include <mproc/value.h>

#include "base/encoding.h"
#include "check.h"

/* Copying it, as any way into an encoding, says why it cannot be. */
static void check_refused(mproc_value value, const char *text)
{
    mproc_value copy = mproc_int(77);

    CHECK_STATUS(mproc_value_copy(value, &copy), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), text);
    CHECK_EQ(mproc_value_int(copy), 77);
}

/* An encoding that can be spoiled word by word; the header's size follows. */
struct spoiled {
    uint64_t words[64];
    size_t size;
};

enum { ROOT = 2, PAYLOAD = 4 }; /* numbers of words */

static void encode(mproc_value value, struct spoiled *spoiled)
{
    memset(spoiled, 0x55, sizeof *spoiled);
    CHECK_OK(mproc_value_encode(value, spoiled->words, sizeof spoiled->words, &spoiled->size));
}

static void check_damaged(const struct spoiled *spoiled, size_t at, const char *why)
{
    mproc_value value = mproc_int(77);
    char place[64];

    CHECK_STATUS(mproc_value_decode(spoiled->words, spoiled->size, &value), MPROC_INVALID);
    snprintf(place, sizeof place, "at byte %zu of %zu: ", at, spoiled->size);
    CHECK_CONTAINS(mproc_last_error_text(), place);
    CHECK_CONTAINS(mproc_last_error_text(), why);
    CHECK_EQ(mproc_value_int(value), 77);
}

/* ---- what cannot be encoded ------------------------------------------------------------------- */

static void case_strings_must_be_utf8(void)
{
    check_refused(mproc_string("caf\xE9"), "not UTF-8 at its byte 3");
    check_refused(mproc_string("a long one before it \xC0\x80"), "not UTF-8 at its byte 21");
    check_refused(MPROC_LIST(1, MPROC_MAP("\xFF", 1)), "not UTF-8");
    check_refused(mproc_string_from("cut off: \xE2\x82", 11), "not UTF-8 at its byte 9");
}

static void case_keys_must_be_comparable_and_different(void)
{
    check_refused(MPROC_MAP(1.5, 1), "a map's key is a double");
    check_refused(MPROC_MAP(NULL, 1), "a map's key is nil");
    check_refused(MPROC_MAP(MPROC_LIST(1), 1), "a map's key is a list");
    check_refused(MPROC_MAP("a", 1, "b", 2, "a", 3), "the key 'a' twice");
    check_refused(MPROC_MAP("a long key", 1, "a long key", 3), "the key 'a long key' twice");
    check_refused(MPROC_MAP("a", 1, "a long key", 2, "b", 3, "a lone key", 4, "a long key", 5, "a", 6),
                  "the key 'a long key' twice");
    check_refused(MPROC_MAP(1, 1, mproc_uint(1), 3), "the key 1 twice");
    check_refused(MPROC_MAP("a", 1, "b"), "an odd number");
}

static void case_keys_of_large_maps_must_differ_too(void)
{
    mproc_value items[200];

    for (int i = 0; i < 200; i++) items[i] = mproc_int(i / 2);
    items[120] = mproc_int(17);
    check_refused(mproc_map_from(items, 100), "the key 17 twice");
}

static void case_pointers_mean_nothing_elsewhere(void)
{
    int local = 0;
    void *pointer = &local;

    check_refused(MPROC_VALUE(pointer), "a void pointer");
    check_refused(MPROC_LIST(1, pointer), "a void pointer");
    check_refused(MPROC_MAP(pointer, 1), "a void pointer");
    check_refused(mproc_bytes(NULL, 5), "bytes of 5 elements or bytes at no address");
    check_refused(mproc_string_from(NULL, 5), "at no address");
    check_refused(mproc_list_from(NULL, 5), "at no address");
}

/* The number of lists around nothing, innermost first. */
static mproc_value nested(mproc_value *lists, int depth)
{
    lists[0] = mproc_list_from(NULL, 0);
    for (int i = 1; i < depth; i++) lists[i] = mproc_list_from(&lists[i - 1], 1);
    return lists[depth - 1];
}

static void case_depth_is_limited(void)
{
    mproc_value lists[MPROC_VALUE_DEPTH_MAX + 1], copy;

    CHECK_OK(mproc_value_copy(nested(lists, MPROC_VALUE_DEPTH_MAX), &copy));
    CHECK(mproc_value_equal(copy, lists[MPROC_VALUE_DEPTH_MAX - 1]));
    mproc_value_clear(&copy);
    check_refused(nested(lists, MPROC_VALUE_DEPTH_MAX + 1), "more than 64 deep");
}

static void case_value_that_contains_itself_is_refused(void)
{
    mproc_value list[2];

    list[0] = mproc_int(1);
    list[1] = mproc_list_from(list, 2);
    check_refused(list[1], "more than 64 deep");
    list[0] = list[1];
    check_refused(list[1], "more than 64 deep");
}

/* The address is never looked at. */
static void case_size_is_limited(void)
{
    mproc_value big[2];

    check_refused(mproc_bytes("x", MPROC_VALUE_BYTES_MAX), "at most 1 GiB");
    check_refused(mproc_bytes("x", SIZE_MAX), "at most 1 GiB");
    check_refused(mproc_string_from("x", SIZE_MAX), "at most 1 GiB");
    check_refused(mproc_list_from(big, SIZE_MAX), "at most 1 GiB");
    check_refused(mproc_map_from(big, MPROC_VALUE_BYTES_MAX / 16), "at most 1 GiB");
    big[0] = big[1] = mproc_bytes("x", MPROC_VALUE_BYTES_MAX / 2);
    check_refused(mproc_list_from(big, 2), "at most 1 GiB");
}

static void case_buffer_must_be_aligned_and_large_enough(void)
{
    uint64_t words[8];
    size_t size = 1;

    CHECK_OK(mproc_value_encoded_size(MPROC_LIST(1), &size));
    CHECK_EQ(size, 48);
    size = 1;
    CHECK_STATUS(mproc_value_encode(MPROC_LIST(1), words, 47, &size), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "48 bytes does not fit the buffer of 47");
    CHECK_STATUS(mproc_value_encode(mproc_nil(), words, 0, &size), MPROC_INVALID);
    CHECK_STATUS(mproc_value_encode(mproc_nil(), (char *)words + 4, 48, &size), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "not aligned");
    CHECK_STATUS(mproc_value_encode(mproc_nil(), NULL, 48, &size), MPROC_INVALID);
    CHECK_EQ(size, 1);
    CHECK_OK(mproc_value_encode(MPROC_LIST(1), words, 48, &size));
    CHECK_EQ(size, 48);
}

/* ---- the bytes themselves --------------------------------------------------------------------- */

/* The format as docs/value-format.md has it. */
static void case_bytes_are_those_of_the_format(void)
{
    static const uint64_t expected[] = {
        0x0156504D,
        144, /* "MPV", 1; size */
        8 | (uint64_t)2 << 32,
        16, /* a map of 2 pairs, 16 bytes behind this cell */
        5 | (uint64_t)4 << 32,
        0x656D616E, /* "name" */
        5 | (uint64_t)8 << 32,
        48, /* a string of 8 bytes, behind the map's cells */
        5 | (uint64_t)1 << 32,
        0x6C, /* "l" */
        7 | (uint64_t)2 << 32,
        32, /* a list of 2, behind that string */
        0x6867666564636261,
        0, /* "abcdefgh", NUL */
        2,
        (uint64_t)-1,
        3,
        UINT64_MAX, /* -1, 18446744073709551615 */
    };
    struct spoiled encoding;

    encode(MPROC_MAP("name", "abcdefgh", "l", MPROC_LIST(-1, UINT64_MAX)), &encoding);
    CHECK_EQ(encoding.size, sizeof expected);
    CHECK(memcmp(encoding.words, expected, sizeof expected) == 0);
}

static void case_equal_values_have_equal_encodings(void)
{
    struct spoiled left, right;

    encode(MPROC_LIST("abc", 5u, (unsigned char)200, 0.5f), &left);
    encode(MPROC_LIST("abc", 5ll, 200, 0.5), &right);
    CHECK(memcmp(&left, &right, sizeof left) == 0);
}

/* ---- what is refused -------------------------------------------------------------------------- */

static void case_damaged_headers_are_refused(void)
{
    struct spoiled spoiled;
    mproc_value value;

    encode(mproc_int(1), &spoiled);
    CHECK_OK(mproc_value_decode(spoiled.words, spoiled.size, &value));
    CHECK_STATUS(mproc_value_decode((char *)spoiled.words + 4, spoiled.size, &value), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "not aligned");
    CHECK_STATUS(mproc_value_decode(NULL, 32, &value), MPROC_INVALID);
    spoiled.words[0] ^= 1;
    check_damaged(&spoiled, 0, "version 1");
    spoiled.words[0] ^= 1 | (uint64_t)1 << 40;
    check_damaged(&spoiled, 4, "not zero");
    encode(mproc_int(1), &spoiled);
    spoiled.words[1] = 40;
    check_damaged(&spoiled, 8, "another size");
    spoiled.size = 40;
    check_damaged(&spoiled, 32, "left over");
    spoiled.size = 31;
    check_damaged(&spoiled, 31, "ends before");
}

static void case_damaged_numbers_are_refused(void)
{
    struct spoiled spoiled;

    encode(mproc_int(1), &spoiled);
    spoiled.words[ROOT] = 11;
    check_damaged(&spoiled, 16, "no such type");
    spoiled.words[ROOT] = 2 | (uint64_t)1 << 32;
    check_damaged(&spoiled, 20, "no count");
    spoiled.words[ROOT] = MPROC_TYPE_NIL;
    check_damaged(&spoiled, 24, "nil");
    spoiled.words[ROOT] = MPROC_TYPE_UINT64;
    check_damaged(&spoiled, 24, "fits an int64");
    spoiled.words[ROOT] = MPROC_TYPE_BOOL;
    spoiled.words[ROOT + 1] = 2;
    check_damaged(&spoiled, 24, "0 or 1");
}

static void case_damaged_text_is_refused(void)
{
    struct spoiled spoiled;

    encode(mproc_string("abc"), &spoiled);
    spoiled.words[ROOT + 1] |= (uint64_t)1 << 56;
    check_damaged(&spoiled, 27, "not zero");
    spoiled.words[ROOT + 1] = 0x80;
    check_damaged(&spoiled, 24, "not UTF-8");
    encode(mproc_string("abcdefgh"), &spoiled);
    spoiled.words[PAYLOAD + 1] = 1;
    check_damaged(&spoiled, 40, "not zero");
    encode(mproc_bytes("abcdefgh", 8), &spoiled);
    spoiled.words[ROOT] += (uint64_t)8 << 32;
    check_damaged(&spoiled, 20, "beyond the end");
    spoiled.words[ROOT] |= (uint64_t)UINT32_MAX << 32;
    check_damaged(&spoiled, 20, "beyond the end");
}

/* Not where it belongs: before, behind, at another's, or outside. */
static void case_payloads_are_only_where_they_belong(void)
{
    static const uint64_t places[] = {0, 8, 24, 40, (uint64_t)-16, UINT64_MAX, (uint64_t)1 << 40};
    struct spoiled spoiled;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        encode(MPROC_LIST("abcdefgh", "ijklmnop"), &spoiled);
        spoiled.words[ROOT + 1] = places[i];
        check_damaged(&spoiled, 24, "not at its place");
    }
    encode(MPROC_LIST("abcdefgh", "abcdefgh"), &spoiled);
    spoiled.words[PAYLOAD + 3] -= 16; /* the first one's */
    check_damaged(&spoiled, 56, "not at its place");
    encode(mproc_list_from(NULL, 0), &spoiled);
    spoiled.words[ROOT + 1] = 16;
    check_damaged(&spoiled, 24, "empty");
}

static void case_damaged_maps_are_refused(void)
{
    struct spoiled spoiled;

    encode(MPROC_MAP("a", 1, "b", 2), &spoiled);
    spoiled.words[PAYLOAD + 5] = 'a';
    check_damaged(&spoiled, 64, "twice");
    spoiled.words[PAYLOAD + 4] = MPROC_TYPE_DOUBLE;
    check_damaged(&spoiled, 64, "no key has this type");
    encode(MPROC_MAP(9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0), &spoiled);
    spoiled.words[PAYLOAD + 36] = 7 | (uint64_t)8 << 32; /* the first two changed places */
    check_damaged(&spoiled, 32 + 288 + 4, "not in the order");
    spoiled.words[PAYLOAD + 36] |= (uint64_t)9 << 32;
    check_damaged(&spoiled, 32 + 288 + 4, "not there");
    encode(MPROC_MAP(9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0), &spoiled);
    spoiled.words[PAYLOAD + 40] |= (uint64_t)1 << 32;
    check_damaged(&spoiled, 32 + 288 + 36, "behind an index");
}

/* 65 lists in each other, as no writer of ours would make them. */
static void case_depth_is_limited_in_what_is_read(void)
{
    uint64_t words[200] = {ENCODING_MAGIC};
    mproc_value value;
    size_t lists = MPROC_VALUE_DEPTH_MAX, at = ROOT;

    for (size_t i = 0; i < lists; i++, at += 2) {
        words[at] = MPROC_TYPE_LIST | (uint64_t)1 << 32;
        words[at + 1] = 16;
    }
    words[at] = MPROC_TYPE_INT64;
    words[1] = 8 * (at + 2);
    CHECK_OK(mproc_value_decode(words, (size_t)words[1], &value));
    words[at] = MPROC_TYPE_LIST;
    CHECK_STATUS(mproc_value_decode(words, (size_t)words[1], &value), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "too deep");
}

CHECK_SUITE(base_value_encoding,
    CASE(strings_must_be_utf8),
    CASE(keys_must_be_comparable_and_different),
    CASE(keys_of_large_maps_must_differ_too),
    CASE(pointers_mean_nothing_elsewhere),
    CASE(depth_is_limited),
    CASE(value_that_contains_itself_is_refused),
    CASE(size_is_limited),
    CASE(buffer_must_be_aligned_and_large_enough),
    CASE(bytes_are_those_of_the_format),
    CASE(equal_values_have_equal_encodings),
    CASE(damaged_headers_are_refused),
    CASE(damaged_numbers_are_refused),
    CASE(damaged_text_is_refused),
    CASE(payloads_are_only_where_they_belong),
    CASE(damaged_maps_are_refused),
    CASE(depth_is_limited_in_what_is_read),
);
