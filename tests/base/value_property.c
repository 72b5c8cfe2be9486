/* Values of any shape: what is encoded comes back, and damaged encodings are refused or are other sound ones. */
#include <stdio.h>
#include <stdlib.h>

#include <mproc/value.h>

#include "base/value_random.h"
#include "check.h"

enum { TREES = 3000, DAMAGED_TREES = 60 };

static struct value_tree tree;

/* Memory of exactly that size, so that a sanitizer sees one byte too many. */
static unsigned char *encode(mproc_value value, size_t *size)
{
    unsigned char *encoding;

    CHECK_OK(mproc_value_encoded_size(value, size));
    encoding = malloc(*size);
    CHECK(encoding != NULL);
    CHECK_OK(mproc_value_encode(value, encoding, *size, size));
    return encoding;
}

static mproc_value next_value(struct value_source *source)
{
    tree.items_used = tree.text_used = 0;
    return value_random(source, &tree, 0);
}

static void case_what_is_encoded_comes_back_equal(void)
{
    struct value_source source = {.state = 20260801};

    for (int i = 0; i < check_many(TREES, TREES / 4); i++) {
        mproc_value value = next_value(&source), decoded, copy;
        size_t size, again_size;
        unsigned char *encoding = encode(value, &size), *again;

        CHECK_OK(mproc_value_decode(encoding, size, &decoded));
        CHECK(mproc_value_equal(value, decoded));
        CHECK(mproc_value_equal(decoded, value));
        value_walk(decoded);
        again = encode(decoded, &again_size);
        CHECK_EQ(again_size, size);
        CHECK(memcmp(again, encoding, size) == 0);
        CHECK_OK(mproc_value_copy(decoded, &copy));
        free(again);
        memset(encoding, 0xAA, size);
        free(encoding);
        CHECK(mproc_value_equal(value, copy));
        mproc_value_clear(&copy);
    }
}

/* A value and its copy print alike, and a shorter buffer gets the beginning. */
static void case_printing_is_the_same_for_both_forms(void)
{
    struct value_source source = {.state = 7};
    static char whole[200000], other[200000];

    for (int i = 0; i < 200; i++) {
        mproc_value value = next_value(&source), copy;
        size_t size = mproc_value_print(value, whole, sizeof whole);

        CHECK_OK(mproc_value_copy(value, &copy));
        CHECK_EQ(mproc_value_print(copy, other, sizeof other), size);
        CHECK(size < sizeof whole && memcmp(whole, other, size + 1) == 0);
        CHECK_EQ(mproc_value_print(copy, NULL, 0), size);
        CHECK_EQ(mproc_value_print(copy, other, 4), size);
        CHECK(strlen(other) <= 3 && memcmp(whole, other, strlen(other)) == 0);
        mproc_value_clear(&copy);
    }
}

/* Refused, or sound: then it can be read, and its own encoding is these very bytes. */
static void check_damaged(const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1), *again;
    mproc_value value;
    size_t again_size;

    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    if (mproc_value_decode(copy, size, &value) == MPROC_OK) {
        value_walk(value);
        again = encode(value, &again_size);
        CHECK_EQ(again_size, size);
        CHECK(memcmp(again, copy, size) == 0);
        free(again);
    } else {
        CHECK_CONTAINS(mproc_last_error_text(), "at byte ");
    }
    free(copy);
}

static void case_each_flipped_bit_is_refused_or_another_sound_value(void)
{
    struct value_source source = {.state = 3};

    for (int i = 0; i < check_many(DAMAGED_TREES, DAMAGED_TREES / 4); i++) {
        size_t size;
        unsigned char *encoding = encode(next_value(&source), &size);

        for (size_t bit = 0; bit < 8 * size && bit < 8 * 4000; bit++) {
            encoding[bit / 8] ^= (unsigned char)(1u << bit % 8);
            check_damaged(encoding, size);
            encoding[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        free(encoding);
    }
}

/* With the size that the header gives made to fit, too. */
static void case_each_truncation_is_refused(void)
{
    struct value_source source = {.state = 5};

    for (int i = 0; i < check_many(DAMAGED_TREES, DAMAGED_TREES / 4); i++) {
        size_t size;
        unsigned char *encoding = encode(next_value(&source), &size), *copy = malloc(size);
        mproc_value value;

        CHECK(copy != NULL);
        for (size_t cut = 0; cut < size; cut++) {
            uint64_t said = cut;
            memcpy(copy, encoding, cut);
            CHECK_STATUS(mproc_value_decode(copy, cut, &value), MPROC_INVALID);
            if (cut >= 16) memcpy(copy + 8, &said, sizeof said);
            check_damaged(copy, cut);
            CHECK_STATUS(mproc_value_decode(copy, cut, &value), MPROC_INVALID);
        }
        free(copy);
        free(encoding);
    }
}

CHECK_SUITE(base_value_property,
    CASE_LIMIT(what_is_encoded_comes_back_equal, 60),
    CASE_LIMIT(printing_is_the_same_for_both_forms, 60),
    CASE_LIMIT(each_flipped_bit_is_refused_or_another_sound_value, 120),
    CASE_LIMIT(each_truncation_is_refused, 60),
);
