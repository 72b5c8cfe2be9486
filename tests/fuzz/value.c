/*
 * Feeds libFuzzer's bytes to values, in three ways: as an encoding as they are; as one whose header is right, so that
 * what comes behind it is reached; and as the choices of which a value is made that must survive its encoding.
 *
 * Whatever is accepted must be readable, and be the only encoding of what it says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/value_random.h"

/* Choices make larger values than their number says: more of them are slow and show nothing new. */
enum { CHOICES_MAX = 96 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: %s: %s\n", what, mproc_last_error_text());
    abort();
}

/* Memory of exactly that size: one byte too many is seen. */
static unsigned char *exact(size_t size)
{
    unsigned char *memory = malloc(size ? size : 1);

    must(memory != NULL, "no memory");
    return memory;
}

static void read_whole(mproc_value value)
{
    char text[64];

    value_walk(value);
    mproc_value_print(value, text, sizeof text);
    must(mproc_value_equal(value, value), "a value is not equal to itself");
}

static void is_the_only_encoding(mproc_value value, const unsigned char *encoding, size_t size)
{
    unsigned char *again;
    size_t again_size;

    must(mproc_value_encoded_size(value, &again_size) == MPROC_OK && again_size == size, "it has another size");
    again = exact(size);
    must(mproc_value_encode(value, again, size, &again_size) == MPROC_OK && again_size == size, "it is not encoded");
    must(memcmp(again, encoding, size) == 0, "it has two encodings");
    free(again);
}

static void feed_encoding(const unsigned char *data, size_t size, unsigned allows)
{
    unsigned char *encoding = exact(size);

    memcpy(encoding, data, size);
    if (encoding_check(encoding, size, allows) == MPROC_OK) {
        mproc_value value = encoding_view(encoding);
        read_whole(value);
        is_the_only_encoding(value, encoding, size);
    }
    free(encoding);
}

/* The same with a header that is right. */
static void feed_payload(const unsigned char *data, size_t size)
{
    struct encoding_header header = {ENCODING_MAGIC, 0, sizeof header + size};
    unsigned char *encoding = exact(sizeof header + size);

    memcpy(encoding, &header, sizeof header);
    memcpy(encoding + sizeof header, data, size);
    feed_encoding(encoding, sizeof header + size, ENCODING_OBJECTS | ENCODING_FUNCTIONS);
    free(encoding);
}

static void feed_choices(const unsigned char *data, size_t size)
{
    static struct value_tree tree;
    struct value_source source = {.bytes = data, .size = size};
    mproc_value value, decoded, copy;
    unsigned char *encoding;
    size_t bytes;

    tree.items_used = tree.text_used = 0;
    value = value_random(&source, &tree, 0);
    must(mproc_value_copy(value, &copy) == MPROC_OK, "a sound value is not copied");
    must(mproc_value_equal(value, copy) && mproc_value_equal(copy, value), "a copy is not equal");
    must(mproc_value_encoded_size(copy, &bytes) == MPROC_OK, "a copy has no size");
    encoding = exact(bytes);
    must(mproc_value_encode(value, encoding, bytes, &bytes) == MPROC_OK, "a sound value is not encoded");
    must(mproc_value_decode(encoding, bytes, &decoded) == MPROC_OK, "what was encoded is refused");
    must(mproc_value_equal(copy, decoded), "what was decoded is not equal");
    is_the_only_encoding(copy, encoding, bytes);
    read_whole(decoded);
    mproc_value_clear(&copy);
    free(encoding);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size > 0 && size <= CHOICES_MAX && data[0] == 'c') {
        feed_choices(data + 1, size - 1);
        return 0;
    }
    feed_encoding(data, size, 0);
    feed_payload(data, size);
    return 0;
}
