/* See value_random.h. */
#include "base/value_random.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 6 };

static uint64_t next_word(struct value_source *source)
{
    uint64_t word = 0;

    if (!source->bytes) {
        source->state ^= source->state << 13;
        source->state ^= source->state >> 7;
        return source->state ^= source->state << 17;
    }
    for (int i = 0; i < 8 && source->size > 0; i++, source->size--) word = word << 8 | *source->bytes++;
    return word;
}

uint64_t value_choose(struct value_source *source, uint64_t choices)
{
    if (!source->bytes) return next_word(source) % choices;
    if (source->size == 0) return 0;
    source->size--;
    return *source->bytes++ % choices;
}

/* Lengths around those at which the encoding changes. */
static size_t choose_size(struct value_source *source)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 15, 16, 17, 40, 70};

    return sizes[value_choose(source, sizeof sizes / sizeof sizes[0])];
}

static char *take_text(struct value_tree *tree, size_t size)
{
    char *text = tree->text + tree->text_used;

    if (size > sizeof tree->text - tree->text_used) return NULL;
    tree->text_used += size;
    return text;
}

static mproc_value random_bytes(struct value_source *source, struct value_tree *tree)
{
    size_t size = choose_size(source);
    char *bytes = take_text(tree, size);

    if (!bytes) return mproc_bytes(NULL, 0);
    for (size_t i = 0; i < size; i++) bytes[i] = (char)value_choose(source, 256);
    return mproc_bytes(bytes, size);
}

/* ASCII, NULs included, with two-byte characters in between. */
static mproc_value random_string(struct value_source *source, struct value_tree *tree)
{
    size_t size = choose_size(source);
    char *text = take_text(tree, size);

    if (!text) return mproc_string("");
    for (size_t i = 0; i < size; i++) {
        uint64_t choice = value_choose(source, 160);
        text[i] = (char)choice;
        if (choice >= 128 && i + 1 < size) {
            text[i] = (char)0xC3;
            text[++i] = (char)choice;
        } else if (choice >= 128) {
            text[i] = '.';
        }
    }
    return mproc_string_from(text, size);
}

static mproc_value *take_items(struct value_tree *tree, size_t count)
{
    mproc_value *items = tree->items + tree->items_used;

    if (count > sizeof tree->items / sizeof tree->items[0] - tree->items_used) return NULL;
    tree->items_used += count;
    return items;
}

static size_t choose_count(struct value_source *source)
{
    static const size_t counts[] = {0, 1, 2, 3, 5, 8, 9, 10, 33};

    return counts[value_choose(source, sizeof counts / sizeof counts[0])];
}

static mproc_value random_list(struct value_source *source, struct value_tree *tree, int depth)
{
    size_t count = choose_count(source);
    mproc_value *items = take_items(tree, count);

    if (!items) return mproc_nil();
    for (size_t i = 0; i < count; i++) items[i] = value_random(source, tree, depth + 1);
    return mproc_list_from(items, count);
}

/* The number in it makes each key of a map another one. */
static mproc_value random_key(struct value_source *source, struct value_tree *tree, size_t number)
{
    char *text = take_text(tree, 32);
    int size;

    if (number < 2 && value_choose(source, 8) == 0) return mproc_bool(number == 1);
    if (!text || value_choose(source, 3) == 0) return mproc_int((int64_t)number * (value_choose(source, 2) ? 1 : -1));
    size = snprintf(text, 32, value_choose(source, 2) ? "%zu" : "the key of number %zu", number);
    return value_choose(source, 4) ? mproc_string(text) : mproc_bytes(text, (size_t)size);
}

static mproc_value random_map(struct value_source *source, struct value_tree *tree, int depth)
{
    size_t count = choose_count(source);
    mproc_value *items = take_items(tree, 2 * count);

    if (!items) return mproc_nil();
    for (size_t i = 0; i < count; i++) {
        items[2 * i] = random_key(source, tree, i);
        items[2 * i + 1] = value_random(source, tree, depth + 1);
    }
    return mproc_map_from(items, count);
}

static mproc_value random_double(struct value_source *source)
{
    uint64_t word = next_word(source);
    double number;

    memcpy(&number, &word, sizeof number);
    return mproc_double(value_choose(source, 4) ? number : -0.0);
}

mproc_value value_random(struct value_source *source, struct value_tree *tree, int depth)
{
    switch (value_choose(source, depth < DEPTH_MAX ? 9 : 7)) {
    case 0:
        return mproc_nil();
    case 1:
        return mproc_bool(value_choose(source, 2) == 1);
    case 2:
        return mproc_int((int64_t)next_word(source));
    case 3:
        return mproc_uint(next_word(source));
    case 4:
        return random_double(source);
    case 5:
        return random_bytes(source, tree);
    case 6:
        return random_string(source, tree);
    case 7:
        return random_list(source, tree, depth);
    default:
        return random_map(source, tree, depth);
    }
}

static uint64_t walk_bytes(const void *bytes, size_t size)
{
    uint64_t sum = 0;

    /* With the NUL behind them. */
    for (size_t i = 0; i <= size; i++) sum = sum * 31 + ((const unsigned char *)bytes)[i];
    return sum;
}

uint64_t value_walk(mproc_value value)
{
    uint64_t sum = (uint64_t)mproc_value_type(value) + mproc_value_uint(value) + mproc_value_bool(value);

    if (mproc_value_string(value)) sum += walk_bytes(mproc_value_string(value), mproc_value_size(value));
    if (mproc_value_bytes(value)) sum += walk_bytes(mproc_value_bytes(value), mproc_value_size(value));
    for (size_t i = 0; i < mproc_value_count(value); i++) {
        mproc_value key = mproc_value_key(value, i), found = mproc_nil();
        if (mproc_value_type(value) == MPROC_TYPE_MAP && !mproc_value_find(value, key, &found)) abort();
        sum = sum * 31 + value_walk(mproc_value_at(value, i)) + value_walk(key);
    }
    return sum;
}
