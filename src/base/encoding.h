/*
 * The one encoding of values: flat, little-endian, read in place. docs/value-format.md describes it for others.
 *
 *     header   16 bytes
 *     cell     16 bytes: the value itself
 *     payload of that cell; after it, in order, those of the cells in it
 *
 * A cell holds its type, a count, and a word: a number itself, up to 7 bytes of text themselves, or how far behind
 * the cell its payload lies. There is one place for each payload, so each value has one encoding, and no two payloads
 * overlap. A map of more than MAP_SCANNED_MAX pairs has an index of its keys behind its cells.
 */
#ifndef MPROC_BASE_ENCODING_H
#define MPROC_BASE_ENCODING_H

#include <assert.h>

#include <mproc/value.h>

#include "base/function.h"
#include "base/handle.h"

/* "MPV" and the version of the format. */
#define ENCODING_MAGIC 0x0156504Du
#define SHORT_BYTES_MAX 7
#define MAP_SCANNED_MAX 8

/* mproc_value.form */
enum value_form { VALUE_BORROWED = 0, VALUE_VIEW = 1, VALUE_OWNED = 3 };
#define VALUE_IS_VIEW 1

struct encoding_header {
    uint32_t magic;
    uint32_t before; /* 0, but in this process: so many bytes of the same memory lie before the encoding */
    uint64_t size;   /* of the whole */
};

struct cell {
    uint32_t type;
    uint32_t count;
    uint64_t word;
};

/* What stands for a function; its path, with a NUL, follows. */
struct function_record {
    uint64_t offset;
    uint8_t module[20];
    uint32_t main;
};

static_assert(sizeof(struct encoding_header) == 16 && sizeof(struct cell) == 16, "the format's sizes");
static_assert(sizeof(struct function_record) == 32, "the format's sizes");

#define ENCODING_ROOT sizeof(struct encoding_header)
#define ENCODING_PAYLOAD (sizeof(struct encoding_header) + sizeof(struct cell))

/* Bytes with the NUL behind them, and zeros up to a multiple of 8. */
static inline uint64_t encoding_padded(uint64_t count)
{
    return (count + 8) & ~(uint64_t)7;
}

/* The index of a map of `count` pairs: the pairs' numbers in the order of their keys, 4 bytes each. */
static inline uint64_t encoding_index(uint64_t count)
{
    return count > MAP_SCANNED_MAX ? (count * sizeof(uint32_t) + 7) & ~(uint64_t)7 : 0;
}

static inline const void *cell_payload(const struct cell *cell)
{
    return (const unsigned char *)cell + cell->word;
}

/* The bytes of a cell that is a string or bytes. */
static inline const unsigned char *cell_bytes(const struct cell *cell)
{
    return cell->count <= SHORT_BYTES_MAX ? (const unsigned char *)&cell->word : cell_payload(cell);
}

/* Up to 7 bytes as the word of a cell, zeros behind them. A memcpy() of so few bytes costs more than all the rest. */
static inline uint64_t short_word(const unsigned char *bytes, uint32_t count)
{
    uint32_t low, high;
    uint16_t first, last;

    if (count >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + count - 4, 4);
        return low | (uint64_t)high << (8 * (count - 4));
    }
    if (count >= 2) {
        memcpy(&first, bytes, 2);
        memcpy(&last, bytes + count - 2, 2);
        return first | (uint64_t)last << (8 * (count - 2));
    }
    return count > 0 ? bytes[0] : 0;
}

/* The type and the count of a cell in one word, as they lie in memory. */
static inline uint64_t cell_head(const struct cell *cell)
{
    uint64_t head;

    memcpy(&head, cell, sizeof head);
    return head;
}

static inline uint64_t cell_head_of(uint32_t type, uint32_t count)
{
    return type | (uint64_t)count << 32;
}

/* What a value has in common with the cell that stands for it: its type and its count, at the same places. */
static inline uint64_t value_head(const mproc_value *value)
{
    uint64_t head;

    memcpy(&head, value, sizeof head);
    return head & 0xFFFFFFFF000000FFu;
}

/* Written as one word: a processor that reads as one what was written as two waits until both are in its cache. */
static inline void cell_set(struct cell *cell, uint64_t head, uint64_t word)
{
    memcpy(cell, &head, sizeof head);
    cell->word = word;
}

/* What is a number or short ASCII text, as most values are. False: it is something else, or wrong. */
static inline bool cell_write_small(struct cell *cell, const mproc_value *value)
{
    uint64_t word = value->as.uint64;

    if (value->type >= MPROC_TYPE_STRING) {
        if (value->type != MPROC_TYPE_STRING || value->count > SHORT_BYTES_MAX || !value->as.data) return false;
        word = short_word(value->as.data, value->count);
        if (word & 0x8080808080808080u) return false;
    }
    cell_set(cell, value_head(value), word);
    return true;
}

/* The value in a cell of a sound encoding. Its fields up to `count` are one word, see above. */
static inline mproc_value cell_view(const struct cell *cell)
{
    uint64_t head = cell_head(cell) | (uint64_t)VALUE_VIEW << 8;
    mproc_value value;

    memcpy(&value, &head, sizeof head);
    if (cell->type < MPROC_TYPE_STRING) value.as.uint64 = cell->word;
    else if (cell->type < MPROC_TYPE_LIST) value.as.data = cell_bytes(cell);
    else value.as.data = cell_payload(cell);
    return value;
}

static_assert(offsetof(mproc_value, form) == 1 && offsetof(mproc_value, count) == 4, "a value's head is a cell's");

/* The element of a list or map in the row of all that are in it, where a map has keys and values in turn. */
static inline mproc_value value_element(const mproc_value *container, uint64_t index)
{
    if (container->form & VALUE_IS_VIEW) return cell_view((const struct cell *)container->as.data + index);
    return container->as.items[index];
}

/* The value of a sound encoding. */
static inline mproc_value encoding_view(const void *encoding)
{
    return cell_view((const struct cell *)((const unsigned char *)encoding + ENCODING_ROOT));
}

/*
 * The value of a sound encoding that was allocated for it: mproc_value_clear() frees it. If its header says that
 * something lies `before` it, the memory begins there, with what keeps the objects of the value: handle_release().
 */
static inline mproc_value encoding_owned(const void *encoding)
{
    mproc_value value = encoding_view(encoding);

    value.form = VALUE_OWNED;
    return value;
}

/* Makes an encoding of `size` bytes that stand at its payload's place, with room for encoding_padded(). */
void encoding_write_bytes(void *encoding, uint64_t size);

/* The size of a value's encoding, or why it has none. */
mproc_status encoding_measure(const mproc_value *value, size_t *size);

/*
 * Writes the encoding to memory that is aligned for 8-byte types, if it fits, its size, and how many objects are in
 * it. MPROC_INVALID: it does not, or has none, or a key is twice in a map; then what is there is undefined.
 */
mproc_status encoding_write(const mproc_value *value, void *encoding, size_t capacity, size_t *size,
                            uint32_t *objects);

/* What an encoding may contain, besides what means the same everywhere. */
enum encoding_allows { ENCODING_OBJECTS = 1, ENCODING_FUNCTIONS = 2 };

/* Whether the bytes are a sound encoding: they may be anything. MPROC_INVALID, with the offset in the text. */
mproc_status encoding_check(const void *encoding, size_t size, unsigned allows);

/* What a value that is an object of either form refers to. */
const struct handle_ref *value_handle(const mproc_value *value);

/* Calls `visit` for each object that a value of either form refers to, also in its elements. It was measured. */
typedef void value_visitor(void *context, const struct handle_ref *ref);
void value_visit_objects(const mproc_value *value, value_visitor *visit, void *context);

/* How many there are. */
uint32_t value_count_objects(const mproc_value *value);

/* What a value that is a function of either form refers to. */
mproc_status value_function(const mproc_value *value, function_pointer *function);

#endif
