/*
 * Shareable lists. In the memory lie the number of elements, the elements, and the room for their texts.
 *
 * An element has two sides. Its state names the one that counts; a writer fills the other, and then changes the
 * state. So a reader that finds the state unchanged after it has copied has a whole element, and a writer that is
 * killed has changed nothing.
 */
#include <mproc/shareable_list.h>

#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/text.h"
#include "shared/named_memory.h"
#include "process/family.h"
#include "shared/types.h"

#define WORD sizeof(uint64_t)

/* The state: version << 40 | mproc_type << 32 | bytes of text. The version's lowest bit is the side. */
#define STATE_VERSION ((uint64_t)1 << 40)
#define STATE_TYPE_SHIFT 32

/* A side's text begins `at` words behind the memory's begin, the other's `room` words later. Both are set once. */
struct element {
    _Atomic uint64_t state;
    _Atomic uint64_t number[2];
    _Atomic uint64_t at;
    _Atomic uint64_t room;
};

struct elements {
    _Atomic uint64_t count;
    struct element all[];
};

/* An element, and where its text is: so much of the memory was looked at once, and found to be inside of it. */
struct spot {
    struct element *element;
    _Atomic uint64_t *text;
    uint64_t room;
};

struct mproc_shareable_list {
    struct reference reference;
};

const struct object_type shareable_list_type = {
    .name = "a shareable list", .opened = named_open, .closing = named_close, .holder_died = named_holder_died};

static struct reference *reference_of(const mproc_shareable_list *list)
{
    assert(list && list->reference.ref.kind == OBJECT_SHAREABLE_LIST);
    return (struct reference *)&list->reference;
}

static unsigned side_of(uint64_t state)
{
    return (unsigned)(state / STATE_VERSION) & 1;
}

static mproc_type type_of(uint64_t state)
{
    return (mproc_type)(state >> STATE_TYPE_SHIFT & 0xFF);
}

static bool is_text(mproc_type type)
{
    return type == MPROC_TYPE_STRING || type == MPROC_TYPE_BYTES;
}

static const void *text_of(mproc_value value)
{
    return value.type == MPROC_TYPE_STRING ? (const void *)mproc_value_string(value) : mproc_value_bytes(value);
}

/* ---- what may be an element --------------------------------------------------------------------- */

static mproc_status check_text(mproc_value value, size_t index)
{
    size_t size = mproc_value_size(value);
    const char *text = (const char *)text_of(value);

    if (size > 0 && !text) return mproc_error(MPROC_INVALID, "the text of element %zu is NULL", index);
    if (size > MPROC_VALUE_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "the text of element %zu has %zu bytes: %zu are possible", index, size,
                           MPROC_VALUE_BYTES_MAX);
    if (value.type == MPROC_TYPE_STRING && text_utf8_bytes(text, size) < size)
        return mproc_error(MPROC_INVALID, "the string that is to be element %zu is not UTF-8", index);
    return MPROC_OK;
}

static mproc_status check_value(mproc_value value, size_t index)
{
    if (value.type == MPROC_TYPE_REFUSED)
        return mproc_error(MPROC_INVALID, "element %zu cannot be: %s", index, (const char *)value.as.data);
    if (is_text(mproc_value_type(value))) return check_text(value, index);
    if (value.type <= MPROC_TYPE_DOUBLE) return MPROC_OK;
    return mproc_error(MPROC_INVALID,
                       "element %zu cannot be %s: nil, a bool, a number, a string or bytes are possible", index,
                       mproc_type_name(mproc_value_type(value)));
}

/* ---- one element -------------------------------------------------------------------------------- */

static mproc_status overwritten(void)
{
    return mproc_error(MPROC_MISMATCH, "an element of the list was overwritten");
}

/* What the memory says may come from another program: nothing outside of it is touched. */
static mproc_status find(const struct reference *reference, size_t index, struct spot *spot)
{
    uint64_t words = named_object(reference)->size / WORD, at;
    struct elements *elements = named_memory(reference);
    size_t length = mproc_shareable_list_count((const mproc_shareable_list *)reference);

    if (index >= length)
        return mproc_error(MPROC_INVALID, "there is no element %zu: the list has %zu", index, length);
    spot->element = &elements->all[index];
    at = atomic_load_explicit(&spot->element->at, memory_order_relaxed);
    spot->room = atomic_load_explicit(&spot->element->room, memory_order_relaxed);
    if (at > words || spot->room > (words - at) / 2) return overwritten();
    spot->text = (_Atomic uint64_t *)(void *)elements + at;
    return MPROC_OK;
}

static void write_text(_Atomic uint64_t *words, const void *text, size_t size)
{
    const unsigned char *from = (const unsigned char *)text;

    for (size_t done = 0; done < size; done += WORD, words++) {
        uint64_t word = 0;
        memcpy(&word, from + done, size - done < WORD ? size - done : WORD);
        atomic_store_explicit(words, word, memory_order_release);
    }
}

/* The order of release and acquire: who reads what a later writer wrote also sees that the state has changed. */
static void replace(const struct spot *spot, mproc_value value)
{
    struct element *element = spot->element;
    uint64_t state = atomic_load(&element->state);
    uint64_t next = (state / STATE_VERSION + 1) * STATE_VERSION | (uint64_t)value.type << STATE_TYPE_SHIFT;
    size_t size = mproc_value_size(value);
    unsigned side = side_of(next);

    if (is_text(mproc_value_type(value))) write_text(spot->text + side * spot->room, text_of(value), size);
    else atomic_store_explicit(&element->number[side], value.as.uint64, memory_order_release);
    atomic_store(&element->state, next | size);
}

static void read_text(const _Atomic uint64_t *words, void *text, size_t size)
{
    unsigned char *to = (unsigned char *)text;

    for (size_t done = 0; done < size; done += WORD, words++) {
        uint64_t word = atomic_load_explicit(words, memory_order_acquire);
        memcpy(to + done, &word, size - done < WORD ? size - done : WORD);
    }
}

static mproc_value number_value(mproc_type type, uint64_t number)
{
    mproc_value value = mproc_value_make_(type, 0);

    value.as.uint64 = type == MPROC_TYPE_NIL ? 0 : number;
    return value;
}

/* A view of the element, whose text, if it has one, is in `*text`, to be freed. */
static mproc_status snapshot(const struct spot *spot, void **text, mproc_value *value)
{
    struct element *element = spot->element;
    size_t room = (size_t)spot->room * WORD;
    uint64_t state, again = atomic_load(&element->state);

    do {
        size_t size = (uint32_t)(state = again);
        mproc_type type = type_of(state);
        if (type > MPROC_TYPE_BYTES || (is_text(type) && size > room)) return overwritten();
        if (is_text(type)) {
            if (!*text && !(*text = malloc(room + 1))) return mproc_error(MPROC_NO_MEMORY, "no memory for a text");
            read_text(spot->text + side_of(state) * spot->room, *text, size);
            *value = type == MPROC_TYPE_STRING ? mproc_string_from(*text, size) : mproc_bytes(*text, size);
        } else {
            *value = number_value(type, atomic_load_explicit(&element->number[side_of(state)], memory_order_acquire));
        }
        again = atomic_load(&element->state);
    } while (again != state);
    if (type_of(state) == MPROC_TYPE_STRING && text_utf8_bytes(*text, (uint32_t)state) < (uint32_t)state)
        return overwritten();
    return MPROC_OK;
}

/* ---- creation ----------------------------------------------------------------------------------- */

static uint64_t room_of(mproc_value value, size_t text_bytes)
{
    uint64_t least = (text_bytes + WORD - 1) / WORD;
    uint64_t room = mproc_value_size(value) / WORD + 1;

    return room > least ? room : least;
}

static mproc_status measure(mproc_value items, size_t text_bytes, uint64_t *size)
{
    size_t i, count = mproc_value_count(items);
    mproc_status status;

    *size = sizeof(struct elements) + count * sizeof(struct element);
    for (i = 0; i < count; i++) {
        if ((status = check_value(mproc_value_at(items, i), i)) != MPROC_OK) return status;
        *size += 2 * WORD * room_of(mproc_value_at(items, i), text_bytes);
        if (*size > SIZE_MAX / 4) return mproc_error(MPROC_NO_MEMORY, "a shareable list of that size cannot be");
    }
    return MPROC_OK;
}

static void fill(const struct reference *reference, mproc_value items, size_t text_bytes)
{
    struct elements *elements = named_memory(reference);
    size_t i, count = mproc_value_count(items);
    uint64_t at = (sizeof *elements + count * sizeof(struct element)) / WORD;

    for (i = 0; i < count; i++) {
        mproc_value value = mproc_value_at(items, i);
        struct spot spot = {&elements->all[i], (_Atomic uint64_t *)(void *)elements + at, room_of(value, text_bytes)};
        atomic_store_explicit(&spot.element->at, at, memory_order_relaxed);
        atomic_store_explicit(&spot.element->room, spot.room, memory_order_relaxed);
        at += 2 * spot.room;
        replace(&spot, value);
    }
    atomic_store(&elements->count, count);
}

mproc_status mproc_shareable_list_create_sized(mproc_value items, const mproc_shareable_list_options *options,
                                               size_t options_size, mproc_shareable_list **out)
{
    mproc_shareable_list_options all;
    struct reference *reference;
    mproc_status status;
    uint64_t size;

    if (!out) return mproc_error(MPROC_INVALID, "a shareable list was to be created, and out is NULL");
    if (items.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "a shareable list is made of a list, not of %s",
                           mproc_type_name(mproc_value_type(items)));
    options_read(&all, sizeof all, options, options_size);
    if (all.text_bytes > MPROC_VALUE_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "elements with room for %zu bytes of text: %zu are possible",
                           all.text_bytes, MPROC_VALUE_BYTES_MAX);
    if ((status = measure(items, all.text_bytes, &size)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = named_create(OBJECT_SHAREABLE_LIST, size, all.name, &reference)) != MPROC_OK) return status;
    fill(reference, items, all.text_bytes);
    named_publish(reference);
    *out = (mproc_shareable_list *)reference;
    return MPROC_OK;
}

mproc_status mproc_shareable_list_attach(const char *name, mproc_shareable_list **out)
{
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a shareable list was to be attached, and out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    status = named_attach(OBJECT_SHAREABLE_LIST, sizeof(struct elements), name, &reference);
    if (status != MPROC_OK) return status;
    *out = (mproc_shareable_list *)reference;
    return MPROC_OK;
}

void mproc_shareable_list_free(mproc_shareable_list *list)
{
    assert(!list || list->reference.ref.kind == OBJECT_SHAREABLE_LIST);
    if (list) family_free(&list->reference);
}

/* ---- use -------------------------------------------------------------------------------------- */

/* What another program wrote there counts only as far as the memory goes. */
size_t mproc_shareable_list_count(const mproc_shareable_list *list)
{
    const struct reference *reference = reference_of(list);
    uint64_t most = (named_object(reference)->size - sizeof(struct elements)) / sizeof(struct element);
    const struct elements *elements = named_memory(reference);
    uint64_t count = atomic_load_explicit(&elements->count, memory_order_relaxed);

    return (size_t)(count < most ? count : most);
}

static mproc_status get(const struct reference *reference, size_t index, void **text, mproc_value *value)
{
    struct spot spot = {NULL, NULL, 0};
    mproc_status status = find(reference, index, &spot);

    return status == MPROC_OK ? snapshot(&spot, text, value) : status;
}

mproc_status mproc_shareable_list_get(const mproc_shareable_list *list, size_t index, mproc_value *value)
{
    mproc_value view = mproc_nil();
    void *text = NULL;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "element %zu was asked for, and value is NULL", index);
    if ((status = family_enter_with(reference_of(list)->arena)) != MPROC_OK) return status;
    status = get(reference_of(list), index, &text, &view);
    if (status == MPROC_OK) status = mproc_value_copy(view, value);
    free(text);
    return status;
}

mproc_status mproc_shareable_list_set(mproc_shareable_list *list, size_t index, mproc_value value)
{
    struct spot spot = {NULL, NULL, 0};
    mproc_status status;

    if ((status = family_enter_with(reference_of(list)->arena)) != MPROC_OK) return status;
    if ((status = find(reference_of(list), index, &spot)) != MPROC_OK) return status;
    if ((status = check_value(value, index)) != MPROC_OK) return status;
    if (mproc_value_size(value) > spot.room * WORD)
        return mproc_error(MPROC_INVALID, "element %zu has room for %llu bytes of text, not for %zu", index,
                           (unsigned long long)spot.room * WORD, mproc_value_size(value));
    replace(&spot, value);
    return MPROC_OK;
}

/* From `*index` on; at the end of the list if there is none. */
static mproc_status look_for(const struct reference *reference, mproc_value value, size_t *index)
{
    size_t count = mproc_shareable_list_count((const mproc_shareable_list *)reference);
    bool found = false;
    mproc_value view = mproc_nil();

    while (*index < count) {
        void *text = NULL;
        mproc_status status = get(reference, *index, &text, &view);
        if (status == MPROC_OK) found = mproc_value_equal(view, value);
        free(text);
        if (status != MPROC_OK || found) return status;
        ++*index;
    }
    return MPROC_OK;
}

mproc_status mproc_shareable_list_index_of(const mproc_shareable_list *list, mproc_value value, size_t *index)
{
    size_t at = 0;
    mproc_status status;

    if (!index) return mproc_error(MPROC_INVALID, "the index of an element was asked for, and index is NULL");
    if ((status = family_enter_with(reference_of(list)->arena)) != MPROC_OK) return status;
    if ((status = look_for(reference_of(list), value, &at)) != MPROC_OK) return status;
    if (at == mproc_shareable_list_count(list))
        return mproc_error(MPROC_NOT_FOUND, "none of the list's %zu elements is equal", at);
    *index = at;
    return MPROC_OK;
}

mproc_status mproc_shareable_list_count_of(const mproc_shareable_list *list, mproc_value value, size_t *count)
{
    size_t at = 0, found = 0;
    mproc_status status;

    if (!count) return mproc_error(MPROC_INVALID, "equal elements were to be counted, and count is NULL");
    if ((status = family_enter_with(reference_of(list)->arena)) != MPROC_OK) return status;
    for (;; at++, found++) {
        if ((status = look_for(reference_of(list), value, &at)) != MPROC_OK) return status;
        if (at == mproc_shareable_list_count(list)) break;
    }
    *count = found;
    return MPROC_OK;
}

mproc_status mproc_shareable_list_items(const mproc_shareable_list *list, mproc_value *items)
{
    size_t count = mproc_shareable_list_count(list), got = 0;
    mproc_status status = family_enter_with(reference_of(list)->arena);
    mproc_value *values = NULL;

    if (status != MPROC_OK) return status;
    if (items) values = malloc(count * sizeof *values + 1);
    if (!items || !values) {
        free(values);
        return mproc_error(items ? MPROC_NO_MEMORY : MPROC_INVALID, "there is no place for the list's %zu elements",
                           count);
    }
    for (; got < count && status == MPROC_OK; got++) {
        values[got] = mproc_nil();
        status = mproc_shareable_list_get(list, got, &values[got]);
    }
    if (status == MPROC_OK) status = mproc_value_copy(mproc_list_from(values, count), items);
    while (got-- > 0) mproc_value_clear(&values[got]);
    free(values);
    return status;
}

const char *mproc_shareable_list_name(const mproc_shareable_list *list)
{
    return reference_of(list)->own ? named_object(reference_of(list))->name : NULL;
}

mproc_status mproc_shareable_list_unlink(mproc_shareable_list *list)
{
    mproc_status status = family_enter_with(list->reference.arena);

    return status == MPROC_OK ? named_unlink(reference_of(list)) : status;
}
