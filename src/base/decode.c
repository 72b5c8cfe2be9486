/*
 * Checks an encoding of which nothing is known. One pass, without recursion: each payload must begin where the one
 * before it ended, so every byte is looked at once, nothing overlaps, and nothing is left over.
 */
#include <assert.h>
#include <string.h>

#include "base/encoding.h"
#include "base/map_index.h"
#include "base/text.h"

/* A list or map that is being read: its cells from `next` on are still to come. */
struct frame {
    const struct cell *next;
    const struct cell *end;
    const struct cell *map; /* its first cell, or NULL for a list */
    uint32_t count;
};

struct reader {
    const unsigned char *bytes;
    uint64_t size;
    uint64_t cursor; /* all before it has been read */
    unsigned allows;
    int depth;
    struct frame frames[MPROC_VALUE_DEPTH_MAX];
};

static mproc_status refuse(const struct reader *reader, const void *at, const char *why)
{
    return mproc_error(MPROC_INVALID, "the encoding of a value is damaged at byte %llu of %llu: %s",
                       (unsigned long long)((const unsigned char *)at - reader->bytes),
                       (unsigned long long)reader->size, why);
}

/* Takes the bytes of a payload. They must be the next ones. */
static mproc_status take(struct reader *reader, const struct cell *cell, uint64_t bytes)
{
    uint64_t at = (uint64_t)((const unsigned char *)cell - reader->bytes);

    if (cell->word != reader->cursor - at) return refuse(reader, &cell->word, "a payload is not at its place");
    if (bytes > reader->size - reader->cursor) return refuse(reader, &cell->count, "a payload goes beyond the end");
    reader->cursor += bytes;
    return MPROC_OK;
}

static bool is_zero(const unsigned char *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i]) return false;
    return true;
}

static mproc_status read_bytes(struct reader *reader, const struct cell *cell)
{
    uint64_t padded = encoding_padded(cell->count);
    const unsigned char *bytes;
    mproc_status status;

    if (cell->count > SHORT_BYTES_MAX && (status = take(reader, cell, padded)) != MPROC_OK) return status;
    bytes = cell_bytes(cell); /* not before: an address is made of the cell's word */
    if (!is_zero(bytes + cell->count, padded - cell->count))
        return refuse(reader, bytes + cell->count, "what fills up behind text or bytes is not zero");
    return MPROC_OK;
}

static mproc_status read_string(struct reader *reader, const struct cell *cell)
{
    mproc_status status = read_bytes(reader, cell);
    size_t valid;

    if (status != MPROC_OK) return status;
    valid = text_utf8_bytes((const char *)cell_bytes(cell), cell->count);
    return valid == cell->count ? MPROC_OK : refuse(reader, cell_bytes(cell) + valid, "a string is not UTF-8");
}

/* Its cells are read from now on, before the rest of what it lies in. */
static mproc_status enter(struct reader *reader, const struct cell *cell, uint64_t elements, uint64_t index)
{
    const struct cell *cells = (const struct cell *)(reader->bytes + reader->cursor);
    mproc_status status;

    if (reader->depth == MPROC_VALUE_DEPTH_MAX) return refuse(reader, cell, "lists and maps lie too deep");
    if (elements == 0) return cell->word == 0 ? MPROC_OK : refuse(reader, &cell->word, "what is empty has a payload");
    if ((status = take(reader, cell, elements * sizeof *cell + index)) != MPROC_OK) return status;
    reader->frames[reader->depth++] =
        (struct frame){cells, cells + elements, cell->type == MPROC_TYPE_MAP ? cells : NULL, cell->count};
    return MPROC_OK;
}

static mproc_status read_handle(struct reader *reader, const struct cell *cell)
{
    const void *payload = reader->bytes + reader->cursor;
    struct handle_ref ref;
    mproc_status status;

    if (!(reader->allows & ENCODING_OBJECTS))
        return refuse(reader, cell, "an object means nothing outside its family");
    if (cell->count != sizeof ref) return refuse(reader, &cell->count, "an object's reference has 16 bytes");
    if ((status = take(reader, cell, sizeof ref)) != MPROC_OK) return status;
    memcpy(&ref, payload, sizeof ref);
    return handle_is_kind(ref.kind) ? MPROC_OK : refuse(reader, payload, "there are no objects of this kind");
}

static mproc_status read_function(struct reader *reader, const struct cell *cell)
{
    const unsigned char *payload = reader->bytes + reader->cursor;
    struct function_record record;
    mproc_status status;

    if (!(reader->allows & ENCODING_FUNCTIONS))
        return refuse(reader, cell, "a function means nothing outside its family");
    if (cell->count < sizeof record || cell->count - sizeof record >= FUNCTION_PATH_BYTES)
        return refuse(reader, &cell->count, "a function's reference has another size");
    if ((status = read_bytes(reader, cell)) != MPROC_OK) return status;
    memcpy(&record, payload, sizeof record);
    if (record.main > 1) return refuse(reader, payload + offsetof(struct function_record, main), "it is 0 or 1");
    if (memchr(payload + sizeof record, 0, cell->count - sizeof record))
        return refuse(reader, payload + sizeof record, "a path has a NUL in it");
    return MPROC_OK;
}

/* What is a number, or nothing, by its word. */
static mproc_status read_number(struct reader *reader, const struct cell *cell)
{
    if (cell->count != 0) return refuse(reader, &cell->count, "this type has no count");
    if (cell->type == MPROC_TYPE_NIL && cell->word != 0) return refuse(reader, &cell->word, "nil is not 0");
    if (cell->type == MPROC_TYPE_BOOL && cell->word > 1) return refuse(reader, &cell->word, "a bool is 0 or 1");
    if (cell->type == MPROC_TYPE_UINT64 && cell->word <= INT64_MAX)
        return refuse(reader, &cell->word, "a uint64 that fits an int64 is one");
    return MPROC_OK;
}

static mproc_status read_cell(struct reader *reader, const struct cell *cell)
{
    switch (cell->type) {
    case MPROC_TYPE_NIL:
    case MPROC_TYPE_BOOL:
    case MPROC_TYPE_INT64:
    case MPROC_TYPE_UINT64:
    case MPROC_TYPE_DOUBLE:
        return read_number(reader, cell);
    case MPROC_TYPE_STRING:
        return read_string(reader, cell);
    case MPROC_TYPE_BYTES:
        return read_bytes(reader, cell);
    case MPROC_TYPE_LIST:
        return enter(reader, cell, cell->count, 0);
    case MPROC_TYPE_MAP:
        return enter(reader, cell, 2 * (uint64_t)cell->count, encoding_index(cell->count));
    case MPROC_TYPE_HANDLE:
        return read_handle(reader, cell);
    case MPROC_TYPE_FUNCTION:
        return read_function(reader, cell);
    default:
        return refuse(reader, cell, "there is no such type");
    }
}

/* Strictly rising keys are all different, and each number stands in the index once. */
static mproc_status check_index(const struct reader *reader, const struct frame *frame)
{
    const uint32_t *index = (const uint32_t *)frame->end;
    uint32_t count = frame->count;

    for (uint32_t i = 0; i < count; i++) {
        if (index[i] >= count) return refuse(reader, &index[i], "an index names a pair that is not there");
        if (i > 0 && key_compare(&frame->map[2 * (size_t)index[i - 1]], &frame->map[2 * (size_t)index[i]]) >= 0)
            return refuse(reader, &index[i], "an index is not in the order of its keys, or a key is there twice");
    }
    if (count % 2 == 1 && index[count] != 0) return refuse(reader, &index[count], "behind an index is not zero");
    return MPROC_OK;
}

static mproc_status check_keys(const struct reader *reader, const struct frame *frame)
{
    uint32_t twice;

    for (const struct cell *key = frame->map; key < frame->end; key += 2)
        if (!key_is_allowed(key->type)) return refuse(reader, key, "no key has this type");
    if (frame->count > MAP_SCANNED_MAX) return check_index(reader, frame);
    if ((twice = keys_twice(frame->map, frame->count)) == 0) return MPROC_OK;
    return refuse(reader, &frame->map[2 * (size_t)twice], "a key is there twice");
}

/* What most cells are: a bool, an integer, a double or short ASCII text, in order. False: look at it closely. */
static inline bool is_small(const struct cell *cell)
{
    uint64_t word = cell->word;

    if (cell->type == MPROC_TYPE_INT64 || cell->type == MPROC_TYPE_DOUBLE) return cell->count == 0;
    if (cell->type == MPROC_TYPE_BOOL) return cell->count == 0 && word <= 1;
    return cell->type == MPROC_TYPE_STRING && cell->count <= SHORT_BYTES_MAX && (word & 0x8080808080808080u) == 0 &&
           word >> (8 * cell->count) == 0;
}

static mproc_status read_all(struct reader *reader)
{
    mproc_status status = read_cell(reader, (const struct cell *)(reader->bytes + ENCODING_ROOT));

    while (status == MPROC_OK && reader->depth > 0) {
        struct frame *frame = &reader->frames[reader->depth - 1];
        const struct cell *next = frame->next, *end = frame->end;
        while (next < end && is_small(next)) next++;
        if (next < end) {
            frame->next = next + 1;
            status = read_cell(reader, next);
        } else {
            status = frame->map ? check_keys(reader, frame) : MPROC_OK;
            reader->depth--;
        }
    }
    return status;
}

mproc_status encoding_check(const void *encoding, size_t size, unsigned allows)
{
    struct reader reader;
    struct encoding_header header;
    mproc_status status;

    reader.bytes = encoding;
    reader.size = size;
    reader.cursor = ENCODING_PAYLOAD;
    reader.allows = allows;
    reader.depth = 0;
    if (size < ENCODING_PAYLOAD) return refuse(&reader, reader.bytes + size, "it ends before its first value does");
    if (size > MPROC_VALUE_BYTES_MAX) return refuse(&reader, reader.bytes, "it is larger than 1 GiB");
    memcpy(&header, encoding, sizeof header);
    if (header.magic != ENCODING_MAGIC)
        return refuse(&reader, reader.bytes, "it does not begin as version 1 of the format does");
    if (header.before != 0)
        return refuse(&reader, reader.bytes + offsetof(struct encoding_header, before),
                      "a reserved word is not zero");
    if (header.size != size)
        return refuse(&reader, reader.bytes + offsetof(struct encoding_header, size), "it gives itself another size");
    if ((status = read_all(&reader)) != MPROC_OK) return status;
    return reader.cursor == size ? MPROC_OK : refuse(&reader, reader.bytes + reader.cursor, "something is left over");
}
