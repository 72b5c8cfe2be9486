/* Values into encodings: measured first, then written, so that nothing is allocated on the way. */
#include <assert.h>
#include <string.h>

#include "base/encoding.h"
#include "base/map_index.h"
#include "base/text.h"

/* ---- what both passes check ------------------------------------------------------------------- */

static mproc_status refuse_address(const mproc_value *value)
{
    return mproc_error(MPROC_INVALID, "%s of %lu elements or bytes at no address",
                       mproc_type_name((mproc_type)value->type), (unsigned long)value->count);
}

static mproc_status refuse_size(uint64_t bytes)
{
    return mproc_error(MPROC_INVALID, "a value of %llu bytes or more: at most 1 GiB fits", (unsigned long long)bytes);
}

/* Text and bytes. What comes from an encoding was checked on its way into it. */
static mproc_status check_bytes(const mproc_value *value)
{
    size_t valid;

    if (!value->as.data && value->count > 0) return refuse_address(value);
    if (value->count > MPROC_VALUE_BYTES_MAX) return refuse_size(value->count);
    if (value->type != MPROC_TYPE_STRING || value->form & VALUE_IS_VIEW) return MPROC_OK;
    valid = text_utf8_bytes(value->as.data, value->count);
    if (valid == value->count) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "a string is not UTF-8 at its byte %zu: such data are mproc_bytes()", valid);
}

static mproc_status refuse_key(const mproc_value *key)
{
    return mproc_error(MPROC_INVALID, "a map's key is %s: keys are strings, integers, bools or bytes",
                       key->type == MPROC_TYPE_REFUSED ? (const char *)key->as.data
                                                       : mproc_type_name((mproc_type)key->type));
}

static mproc_status check_container(const mproc_value *value, int depth)
{
    if (!value->as.data && value->count > 0) return refuse_address(value);
    if (depth < MPROC_VALUE_DEPTH_MAX) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "lists and maps lie more than %d deep in each other", MPROC_VALUE_DEPTH_MAX);
}

static mproc_status refuse_type(const mproc_value *value)
{
    if (value->type == MPROC_TYPE_REFUSED)
        return mproc_error(MPROC_INVALID, "a value is %s", (const char *)value->as.data);
    return mproc_error(MPROC_INVALID, "a value has the type %d, which is none: was it set?", (int)value->type);
}

static uint64_t elements_of(const mproc_value *container)
{
    return container->type == MPROC_TYPE_MAP ? 2 * (uint64_t)container->count : container->count;
}

/* What a program frees, it must not use: a pointer that means no such object any more is noticed if it can be. */
static mproc_status check_handle(const mproc_value *value)
{
    if ((value->form & VALUE_IS_VIEW) || value_handle(value)->kind == value->kind) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "%s was freed: its pointer is used no more from then on",
                       handle_name(value->kind));
}

/* ---- measuring -------------------------------------------------------------------------------- */

struct measure {
    uint64_t bytes;
    int depth;
};

static mproc_status measure_value(struct measure *measure, const mproc_value *value);

/* Each step is checked, so the sum never comes near an overflow, and a value that contains itself comes to an end. */
static mproc_status measure_add(struct measure *measure, uint64_t bytes)
{
    if (bytes > MPROC_VALUE_BYTES_MAX - measure->bytes) return refuse_size(measure->bytes + bytes);
    measure->bytes += bytes;
    return MPROC_OK;
}

static mproc_status measure_bytes(struct measure *measure, const mproc_value *value)
{
    mproc_status status = check_bytes(value);

    if (status != MPROC_OK || value->count <= SHORT_BYTES_MAX) return status;
    return measure_add(measure, encoding_padded(value->count));
}

static mproc_status measure_container(struct measure *measure, const mproc_value *value)
{
    bool map = value->type == MPROC_TYPE_MAP;
    uint64_t elements = elements_of(value);
    mproc_status status;

    if ((status = check_container(value, measure->depth)) != MPROC_OK) return status;
    status = measure_add(measure, elements * sizeof(struct cell) + (map ? encoding_index(value->count) : 0));
    measure->depth++;
    for (uint64_t i = 0; i < elements && status == MPROC_OK; i++) {
        mproc_value element = value_element(value, i);
        if (map && i % 2 == 0 && !key_is_allowed(element.type)) status = refuse_key(&element);
        else status = measure_value(measure, &element);
    }
    measure->depth--;
    return status;
}

/* The record of a function. */
static mproc_status measure_function(struct measure *measure, const mproc_value *value)
{
    function_ref ref;
    mproc_status status;

    if (value->form & VALUE_IS_VIEW) return measure_add(measure, encoding_padded(value->count));
    if ((status = function_encode((function_pointer)value->as.function, &ref)) != MPROC_OK) return status;
    return measure_add(measure, encoding_padded(sizeof(struct function_record) + strlen(ref.path)));
}

static mproc_status measure_value(struct measure *measure, const mproc_value *value)
{
    mproc_status status;

    switch (value->type) {
    case MPROC_TYPE_NIL:
    case MPROC_TYPE_BOOL:
    case MPROC_TYPE_INT64:
    case MPROC_TYPE_UINT64:
    case MPROC_TYPE_DOUBLE:
        return MPROC_OK;
    case MPROC_TYPE_STRING:
    case MPROC_TYPE_BYTES:
        return measure_bytes(measure, value);
    case MPROC_TYPE_LIST:
    case MPROC_TYPE_MAP:
        return measure_container(measure, value);
    case MPROC_TYPE_HANDLE:
        if ((status = check_handle(value)) != MPROC_OK) return status;
        return measure_add(measure, sizeof(struct handle_ref));
    case MPROC_TYPE_FUNCTION:
        return measure_function(measure, value);
    default:
        return refuse_type(value);
    }
}

mproc_status encoding_measure(const mproc_value *value, size_t *size)
{
    struct measure measure = {ENCODING_PAYLOAD, 0};
    mproc_status status = measure_value(&measure, value);

    if (status == MPROC_OK) *size = (size_t)measure.bytes;
    return status;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* `at` is where the next payload begins. */
struct writer {
    unsigned char *at;
    int depth;
    bool full; /* it has failed because there was no room */
    uint32_t objects;
    unsigned char *end;
    const struct cell *twice; /* it has failed because of this key of a map */
};

static mproc_status write_other(struct writer *writer, struct cell *cell, const mproc_value *value);

/* Takes room for the payload of a cell. NULL: there is not enough. */
static unsigned char *write_payload(struct writer *writer, struct cell *cell, uint64_t bytes)
{
    unsigned char *payload = writer->at;

    if (bytes > (uint64_t)(writer->end - payload)) {
        writer->full = true;
        return NULL;
    }
    cell->word = (uint64_t)(payload - (unsigned char *)cell);
    writer->at += bytes;
    return payload;
}

static mproc_status write_bytes(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    uint64_t padded = encoding_padded(value->count), zero = 0;
    unsigned char *payload;
    mproc_status status;

    if ((status = check_bytes(value)) != MPROC_OK) return status;
    if (value->count <= SHORT_BYTES_MAX) {
        cell->word = short_word(value->as.data, value->count);
        return MPROC_OK;
    }
    if (!(payload = write_payload(writer, cell, padded))) return MPROC_INVALID;
    memcpy(payload + padded - sizeof zero, &zero, sizeof zero);
    memcpy(payload, value->as.data, value->count);
    return MPROC_OK;
}

static inline mproc_status write_value(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    return cell_write_small(cell, value) ? MPROC_OK : write_other(writer, cell, value);
}

static mproc_status write_views(struct writer *writer, struct cell *cell, const mproc_value *value, uint64_t elements)
{
    mproc_status status;

    for (uint64_t i = 0; i < elements; i++) {
        mproc_value view = value_element(value, i);
        if ((status = write_value(writer, &cell[i], &view)) != MPROC_OK) return status;
    }
    return MPROC_OK;
}

static mproc_status write_items(struct writer *writer, struct cell *cell, const mproc_value *item, uint64_t elements)
{
    mproc_status status;

    for (const mproc_value *end = item + elements; item < end; item++, cell++)
        if ((status = write_value(writer, cell, item)) != MPROC_OK) return status;
    return MPROC_OK;
}

static mproc_status write_keys(struct writer *writer, const mproc_value *map, struct cell *cells)
{
    uint32_t twice;

    for (uint64_t i = 0; i < 2 * (uint64_t)map->count; i += 2)
        if (!key_is_allowed(cells[i].type)) {
            mproc_value key = value_element(map, i);
            return refuse_key(&key);
        }
    if (map->count <= MAP_SCANNED_MAX) twice = keys_twice(cells, map->count);
    else twice = index_write(cells, map->count, (uint32_t *)(cells + 2 * (size_t)map->count));
    if (twice == 0) return MPROC_OK;
    writer->twice = &cells[2 * (size_t)twice];
    return MPROC_INVALID;
}

static mproc_status write_container(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    bool map = value->type == MPROC_TYPE_MAP;
    uint64_t elements = elements_of(value),
             bytes = elements * sizeof *cell + (map ? encoding_index(value->count) : 0);
    struct cell *cells;
    mproc_status status;

    if ((status = check_container(value, writer->depth)) != MPROC_OK) return status;
    if (value->count == 0) return MPROC_OK;
    if (!(cells = (struct cell *)write_payload(writer, cell, bytes))) return MPROC_INVALID;
    writer->depth++;
    if (value->form & VALUE_IS_VIEW) status = write_views(writer, cells, value, elements);
    else status = write_items(writer, cells, value->as.items, elements);
    writer->depth--;
    return status == MPROC_OK && map ? write_keys(writer, value, cells) : status;
}

static mproc_status write_handle(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    unsigned char *payload;
    mproc_status status;

    if ((status = check_handle(value)) != MPROC_OK) return status;
    if (!(payload = write_payload(writer, cell, sizeof(struct handle_ref)))) return MPROC_INVALID;
    cell->count = sizeof(struct handle_ref);
    memcpy(payload, value_handle(value), sizeof(struct handle_ref));
    writer->objects++;
    return MPROC_OK;
}

static mproc_status write_function(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    struct function_record record = {0};
    function_ref ref;
    unsigned char *payload;
    mproc_status status;

    if (value->form & VALUE_IS_VIEW) return write_bytes(writer, cell, value);
    if ((status = function_encode((function_pointer)value->as.function, &ref)) != MPROC_OK) return status;
    record.offset = ref.offset;
    record.main = ref.main;
    memcpy(record.module, ref.module, sizeof record.module);
    cell->count = (uint32_t)(sizeof record + strlen(ref.path));
    if (!(payload = write_payload(writer, cell, encoding_padded(cell->count)))) return MPROC_INVALID;
    memset(payload, 0, (size_t)encoding_padded(cell->count));
    memcpy(payload, &record, sizeof record);
    memcpy(payload + sizeof record, ref.path, strlen(ref.path));
    return MPROC_OK;
}

static mproc_status write_other(struct writer *writer, struct cell *cell, const mproc_value *value)
{
    cell_set(cell, value_head(value), 0);
    switch (value->type) {
    case MPROC_TYPE_STRING:
    case MPROC_TYPE_BYTES:
        return write_bytes(writer, cell, value);
    case MPROC_TYPE_LIST:
    case MPROC_TYPE_MAP:
        return write_container(writer, cell, value);
    case MPROC_TYPE_HANDLE:
        return write_handle(writer, cell, value);
    case MPROC_TYPE_FUNCTION:
        return write_function(writer, cell, value);
    default:
        return refuse_type(value);
    }
}

mproc_status encoding_write(const mproc_value *value, void *encoding, size_t capacity, size_t *size,
                            uint32_t *objects)
{
    size_t room = capacity < MPROC_VALUE_BYTES_MAX ? capacity : MPROC_VALUE_BYTES_MAX;
    struct encoding_header header = {ENCODING_MAGIC, 0, 0};
    unsigned char *bytes = encoding;
    struct writer writer = {.at = bytes + ENCODING_PAYLOAD, .end = bytes + room};
    struct cell *root = (struct cell *)(bytes + ENCODING_ROOT);
    mproc_status status = MPROC_OK;
    char text[64];

    assert((uintptr_t)encoding % sizeof(uint64_t) == 0);
    if (room < ENCODING_PAYLOAD) writer.full = true;
    else status = write_value(&writer, root, value);
    if (writer.full) {
        if ((status = encoding_measure(value, &room)) != MPROC_OK) return status;
        return mproc_error(MPROC_INVALID, "an encoding of %zu bytes does not fit the buffer of %zu", room, capacity);
    }
    if (writer.twice) {
        mproc_value_print(cell_view(writer.twice), text, sizeof text);
        return mproc_error(MPROC_INVALID, "a map has the key %s twice", text);
    }
    if (status != MPROC_OK) return status;
    header.size = (uint64_t)(writer.at - bytes);
    memcpy(bytes, &header, sizeof header);
    *size = (size_t)header.size;
    *objects = writer.objects;
    return MPROC_OK;
}

void encoding_write_bytes(void *encoding, uint64_t size)
{
    struct encoding_header header = {ENCODING_MAGIC, 0, ENCODING_PAYLOAD};
    struct cell *cell = (struct cell *)((unsigned char *)encoding + ENCODING_ROOT);
    unsigned char *payload = (unsigned char *)encoding + ENCODING_PAYLOAD;
    bool is_short = size <= SHORT_BYTES_MAX;

    if (!is_short) {
        memset(payload + size, 0, (size_t)(encoding_padded(size) - size));
        header.size += encoding_padded(size);
    }
    cell_set(cell, cell_head_of(MPROC_TYPE_BYTES, (uint32_t)size),
             is_short ? short_word(payload, (uint32_t)size) : ENCODING_PAYLOAD - ENCODING_ROOT);
    memcpy(encoding, &header, sizeof header);
}
