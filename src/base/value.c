/* Values as programs read, compare and copy them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/map_index.h"

const char *mproc_type_name(mproc_type type)
{
    static const char *const names[] = {
#define TYPE_NAME(number, name, text) [number] = (text),
        MPROC_TYPE_TABLE(TYPE_NAME)
#undef TYPE_NAME
    };

    return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : "no value";
}

mproc_value mproc_value_at(mproc_value container, size_t index)
{
    if (index >= mproc_value_count(container)) return mproc_nil();
    return value_element(&container, container.type == MPROC_TYPE_MAP ? 2 * index + 1 : index);
}

mproc_value mproc_value_key(mproc_value map, size_t index)
{
    return map.type == MPROC_TYPE_MAP && index < map.count ? value_element(&map, 2 * index) : mproc_nil();
}

static uint64_t key_word(mproc_value key)
{
    bool text = key.type == MPROC_TYPE_STRING || key.type == MPROC_TYPE_BYTES;

    return text ? short_word((const unsigned char *)key.as.data, key.count) : key.as.uint64;
}

bool mproc_value_find(mproc_value map, mproc_value key, mproc_value *value)
{
    const struct cell *found;

    if (!map_is_scanned(map) || key.count > SHORT_BYTES_MAX || (key.count > 0 && !key.as.data))
        return map_find(map, key, value);
    if (!key_is_allowed(key.type)) return false;
    found = pairs_scan(map.as.data, map.count, cell_head_of(key.type, key.count), key_word(key));
    if (found && value) *value = cell_view(found + 1);
    return found;
}

static mproc_value get_any(mproc_value map, mproc_value key)
{
    mproc_value value = mproc_nil();

    map_find(map, key, &value);
    return value;
}

mproc_value mproc_value_get_sized(mproc_value map, const char *key, size_t size)
{
    const struct cell *found;

    if (!key || size > SHORT_BYTES_MAX || !map_is_scanned(map))
        return get_any(map, key ? mproc_string_from(key, size) : mproc_nil());
    found = pairs_scan(map.as.data, map.count, cell_head_of(MPROC_TYPE_STRING, (uint32_t)size),
                       short_word((const unsigned char *)key, (uint32_t)size));
    return found ? cell_view(found + 1) : mproc_nil();
}

/* ---- objects and functions -------------------------------------------------------------------- */

const struct handle_ref *value_handle(const mproc_value *value)
{
    /* An object begins with its reference, as a payload does. */
    return value->as.data;
}

/* As deep as a value may be. */
void value_visit_objects(const mproc_value *value, value_visitor *visit, void *context)
{
    uint64_t count = value->type == MPROC_TYPE_MAP ? 2 * (uint64_t)value->count : value->count;

    if (value->type == MPROC_TYPE_HANDLE) visit(context, value_handle(value));
    if (value->type != MPROC_TYPE_LIST && value->type != MPROC_TYPE_MAP) return;
    for (uint64_t i = 0; i < count; i++) {
        mproc_value element = value_element(value, i);
        value_visit_objects(&element, visit, context);
    }
}

static void count_object(void *context, const struct handle_ref *ref)
{
    (void)ref;
    ++*(uint32_t *)context;
}

uint32_t value_count_objects(const mproc_value *value)
{
    uint32_t count = 0;

    value_visit_objects(value, count_object, &count);
    return count;
}

mproc_status value_function(const mproc_value *value, function_pointer *function)
{
    const unsigned char *payload = value->as.data;
    struct function_record record;
    function_ref ref;
    size_t path = value->count - sizeof record;

    if (!(value->form & VALUE_IS_VIEW)) {
        *function = (function_pointer)value->as.function;
        return MPROC_OK;
    }
    assert(value->count >= sizeof record && path < sizeof ref.path);
    memcpy(&record, payload, sizeof record);
    ref.offset = record.offset;
    ref.main = record.main != 0;
    memcpy(ref.module, record.module, sizeof ref.module);
    memcpy(ref.path, payload + sizeof record, path + 1);
    return function_decode(&ref, function);
}

/* ---- equality --------------------------------------------------------------------------------- */

static bool equal(const mproc_value *left, const mproc_value *right, int depth);

static bool equal_doubles(double left, double right)
{
    return left == right || (left != left && right != right);
}

static bool equal_lists(const mproc_value *left, const mproc_value *right, int depth)
{
    for (uint32_t i = 0; i < left->count; i++) {
        mproc_value one = value_element(left, i), other = value_element(right, i);
        if (!equal(&one, &other, depth)) return false;
    }
    return true;
}

/* As many keys on both sides, each side's different from each other: one direction is enough. */
static bool equal_maps(const mproc_value *left, const mproc_value *right, int depth)
{
    for (uint32_t i = 0; i < left->count; i++) {
        mproc_value key = mproc_value_key(*left, i), one = mproc_value_at(*left, i), other;
        if (!mproc_value_find(*right, key, &other) || !equal(&one, &other, depth)) return false;
    }
    return true;
}

static bool equal(const mproc_value *left, const mproc_value *right, int depth)
{
    function_pointer one, other;

    if (left->type != right->type || depth > MPROC_VALUE_DEPTH_MAX) return false;
    switch (left->type) {
    case MPROC_TYPE_DOUBLE:
        return equal_doubles(left->as.number, right->as.number);
    case MPROC_TYPE_STRING:
    case MPROC_TYPE_BYTES:
        return left->count == right->count &&
               (left->count == 0 || memcmp(left->as.data, right->as.data, left->count) == 0);
    case MPROC_TYPE_LIST:
        return left->count == right->count && equal_lists(left, right, depth + 1);
    case MPROC_TYPE_MAP:
        return left->count == right->count && equal_maps(left, right, depth + 1);
    case MPROC_TYPE_HANDLE:
        return memcmp(value_handle(left), value_handle(right), sizeof(struct handle_ref)) == 0;
    case MPROC_TYPE_FUNCTION:
        /* Those of both forms are the same if they are the same here. */
        if (left->form & right->form & VALUE_IS_VIEW)
            return left->count == right->count && memcmp(left->as.data, right->as.data, left->count) == 0;
        return value_function(left, &one) == MPROC_OK && value_function(right, &other) == MPROC_OK && one == other;
    default:
        return left->as.uint64 == right->as.uint64;
    }
}

bool mproc_value_equal(mproc_value left, mproc_value right)
{
    return equal(&left, &right, 0);
}

/* ---- copies and encodings --------------------------------------------------------------------- */

/* What has no payload and no text in its cell owns nothing. */
static bool is_plain(const mproc_value *value)
{
    return value->type < MPROC_TYPE_STRING;
}

mproc_status mproc_value_copy(mproc_value value, mproc_value *copy)
{
    void *encoding = NULL;
    uint32_t objects;
    size_t size;
    mproc_status status;

    if (!copy) return mproc_error(MPROC_INVALID, "a copy of a value has nowhere to go: it is NULL");
    if ((status = encoding_measure(&value, &size)) != MPROC_OK) goto done;
    if (is_plain(&value)) {
        *copy = value;
        goto done;
    }
    if (!(encoding = malloc(size))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for a value of %zu bytes", size);
        goto done;
    }
    if ((status = encoding_write(&value, encoding, size, &size, &objects)) != MPROC_OK) goto done;

    *copy = encoding_owned(encoding);
    encoding = NULL;
done:
    free(encoding);
    return status;
}

/* The encoding that an owned value is the root of: short text lies in its cell, all else behind it. */
static struct encoding_header *owned_encoding(const mproc_value *value)
{
    bool text = value->type == MPROC_TYPE_STRING || value->type == MPROC_TYPE_BYTES;
    bool empty = (value->type == MPROC_TYPE_LIST || value->type == MPROC_TYPE_MAP) && value->count == 0;
    size_t before = ENCODING_PAYLOAD;

    if (text && value->count <= SHORT_BYTES_MAX) before = ENCODING_ROOT + offsetof(struct cell, word);
    else if (empty) before = ENCODING_ROOT;
    return (struct encoding_header *)((uintptr_t)value->as.data - before);
}

static void free_owned(struct encoding_header *encoding)
{
    if (encoding->before) handle_release((unsigned char *)encoding - encoding->before);
    else free(encoding);
}

void mproc_value_clear(mproc_value *value)
{
    if (!value) return;
    if (value->form == VALUE_OWNED) free_owned(owned_encoding(value));
    *value = mproc_nil();
}

mproc_status mproc_value_encoded_size(mproc_value value, size_t *size)
{
    if (!size) return mproc_error(MPROC_INVALID, "the size of an encoding has nowhere to go: it is NULL");
    return encoding_measure(&value, size);
}

mproc_status mproc_value_encode(mproc_value value, void *buffer, size_t capacity, size_t *size)
{
    uint32_t objects;

    if (!buffer || !size)
        return mproc_error(MPROC_INVALID, "an encoding, or its size, has nowhere to go: it is NULL");
    if ((uintptr_t)buffer % sizeof(uint64_t) != 0)
        return mproc_error(MPROC_INVALID, "the buffer at %p for an encoding is not aligned: to 8 bytes", buffer);
    return encoding_write(&value, buffer, capacity, size, &objects);
}

mproc_status mproc_value_decode(const void *encoding, size_t size, mproc_value *value)
{
    mproc_status status;

    if (!encoding || !value) return mproc_error(MPROC_INVALID, "an encoding, or its value, is NULL");
    if ((uintptr_t)encoding % sizeof(uint64_t) != 0)
        return mproc_error(MPROC_INVALID, "the encoding at %p is not aligned: copy it to a multiple of 8",
                           (void *)(uintptr_t)encoding);
    if ((status = encoding_check(encoding, size, 0)) != MPROC_OK) return status;
    *value = encoding_view(encoding);
    return MPROC_OK;
}
