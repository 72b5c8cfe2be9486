/* Sets: made, changed and asked, one element at a time. */
#include <stdlib.h>

#include "process/methods.h"
#include "container/set.h"

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type set_type = {.name = "a set",
                                     .links = 1,
                                     .links_at = offsetof(struct container, body),
                                     .call = call_served,
                                     .moments = MPROC_SET_CLEAR,
                                     .never_waits = true};

static const struct method methods[] = {{MPROC_SET_ADD, false, "v"},
                                        {MPROC_SET_DISCARD, false, "v"},
                                        {MPROC_SET_REMOVE, false, "v"},
                                        {MPROC_SET_HAS, false, "v"},
                                        {MPROC_SET_CLEAR, false, ""},
                                        {MPROC_SET_COPY, true, ""},
                                        {MPROC_SET_POP, true, ""},
                                        {MPROC_SET_COUNT, true, ""},
                                        {MPROC_SET_TEXT, true, ""},
                                        {MPROC_SET_UNION, true, "v"},
                                        {MPROC_SET_INTERSECTION, true, "v"},
                                        {MPROC_SET_DIFFERENCE, true, "v"},
                                        {MPROC_SET_SYMMETRIC_DIFFERENCE, true, "v"},
                                        {MPROC_SET_UPDATE, false, "v"},
                                        {MPROC_SET_INTERSECTION_UPDATE, false, "v"},
                                        {MPROC_SET_DIFFERENCE_UPDATE, false, "v"},
                                        {MPROC_SET_SYMMETRIC_DIFFERENCE_UPDATE, false, "v"},
                                        {MPROC_SET_IS_DISJOINT, true, "v"},
                                        {MPROC_SET_IS_SUBSET, true, "v"},
                                        {MPROC_SET_IS_SUPERSET, true, "v"},
                                        {MPROC_SET_EQUAL, true, "v"},
                                        {0, false, NULL}};

/* What all elements have for a value: nil. */
static const struct cell nothing = {MPROC_TYPE_NIL, 0, 0};

/* ---- one element ---------------------------------------------------------------------------------------- */

static mproc_status add(const mproc_dict *dict, const struct table_key *key, mproc_value *result)
{
    struct dict_change change = {.key = key, .to = &nothing, .fresh = true};
    enum table_outcome outcome = TABLE_CHANGED;
    mproc_status status = dict_change(dict, &change, &outcome);

    if (status == MPROC_OK && result) *result = mproc_bool(outcome == TABLE_DONE);
    return status;
}

static mproc_status discard(const mproc_dict *dict, const struct table_key *key, const mproc_value *element)
{
    struct cell cell;
    mproc_status status;

    if (!dict_look(dict, key, &cell, NULL)) return MPROC_OK;
    status = mproc_dict_call(dict, MPROC_DICT_DELETE, element, NULL, NULL, NULL);
    return status == MPROC_NOT_FOUND ? MPROC_OK : status;
}

/* A list's text in other brackets. */
static mproc_status print(const mproc_dict *dict, mproc_value *result)
{
    mproc_value copy = mproc_nil();
    size_t size;
    char *text;
    mproc_status status;

    if (!result) return mproc_error(MPROC_INVALID, "the text of a set is to go to NULL");
    if ((status = dict_copy(dict, MPROC_DICT_KEYS, &copy)) != MPROC_OK) return status;
    size = mproc_value_print(copy, NULL, 0);
    if ((text = malloc(size + 1)) != NULL) {
        mproc_value_print(copy, text, size + 1);
        text[0] = '{';
        text[size - 1] = '}';
        status = mproc_value_copy(copy.count > 0 ? mproc_string_from(text, size) : mproc_string("set()"), result);
    } else {
        status = mproc_error(MPROC_NO_MEMORY, "no memory to print a set of %lu elements", (unsigned long)copy.count);
    }
    free(text);
    mproc_value_clear(&copy);
    return status;
}

/* ---- another ---------------------------------------------------------------------------------------------- */

static mproc_status check_elements(const mproc_value *other)
{
    size_t size;
    mproc_status status;

    if (other->type == MPROC_TYPE_NIL ||
        (other->type == MPROC_TYPE_HANDLE && is_kind_of_dict(value_handle(other)->kind)))
        return MPROC_OK;
    if (other->type != MPROC_TYPE_LIST && other->type != MPROC_TYPE_MAP) {
        if ((status = encoding_measure(other, &size)) != MPROC_OK) return status;
        return mproc_error(MPROC_INVALID,
                           "elements of a set are in a list, a map, another set, a dict or nil, and not in %s",
                           other->type == MPROC_TYPE_HANDLE ? handle_name(value_handle(other)->kind)
                                                            : mproc_type_name((mproc_type)other->type));
    }
    if (other->count == 0 || other->as.data) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "%lu elements of a set are at no address", (unsigned long)other->count);
}

static bool is_object(const mproc_value *other)
{
    return other->type == MPROC_TYPE_HANDLE;
}

/* The elements of another set, or the keys of a dict, wherever it is. */
static mproc_status copy_keys(const mproc_value *other, mproc_value *keys)
{
    const struct method_given none = {.at = NULL};
    const mproc_dict *dict;
    void *object;
    mproc_status status;

    if ((status = handle_open(value_handle(other), &object)) != MPROC_OK) return status;
    dict = object;
    if (dict->reference.arena != REFERENCE_REMOTE) status = dict_copy(dict, MPROC_DICT_KEYS, keys);
    else if (dict->reference.ref.kind != OBJECT_SET)
        status = mproc_dict_call(dict, MPROC_DICT_KEYS, NULL, NULL, NULL, keys);
    else status = method_call(&dict->reference, methods, MPROC_SET_COPY, &none, keys);
    handle_drop(object);
    return status;
}

/* ---- all calls ------------------------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, NULL, &given);

    if (status != MPROC_OK) return status;
    return mproc_set_call((const mproc_set *)reference, (enum mproc_set_method)method, given.value, result);
}

/* Of another that is not there, too, goes what it has. */
static mproc_status call_remote(const mproc_set *set, enum mproc_set_method method, const mproc_value *value,
                                mproc_value *result)
{
    const struct reference *reference = &set->dict.reference;
    struct method_given given = {.value = value};
    mproc_value keys = mproc_nil();
    mproc_status status = method >= MPROC_SET_UNION ? check_elements(value) : MPROC_OK;

    if (status == MPROC_OK && method >= MPROC_SET_UNION && is_object(value) &&
        !handle_came_together(value_handle(value), &reference->ref)) {
        status = copy_keys(value, &keys);
        given.value = &keys;
    }
    if (status == MPROC_OK) status = method_call(reference, methods, method, &given, result);
    mproc_value_clear(&keys);
    return status;
}

mproc_status mproc_set_call(const mproc_set *set, enum mproc_set_method method, const mproc_value *value,
                            mproc_value *result)
{
    const mproc_dict *dict = &set->dict;
    mproc_status status = MPROC_OK;
    struct table_key key;
    struct cell cell;

    if (thread_self.arena != dict->reference.arena) {
        status = family_enter_with_slow(dict->reference.arena);
        if (status == MPROC_OK && dict->reference.arena == REFERENCE_REMOTE)
            return call_remote(set, method, value, result);
    }
    if (status == MPROC_OK && method < MPROC_SET_CLEAR) status = table_key_set(&key, value);
    if (status != MPROC_OK) return status;
    switch (method) {
    case MPROC_SET_ADD:
        return add(dict, &key, result);
    case MPROC_SET_HAS:
        return dict_look(dict, &key, &cell, NULL) ? MPROC_OK : MPROC_NOT_FOUND;
    case MPROC_SET_DISCARD:
        return discard(dict, &key, value);
    case MPROC_SET_REMOVE:
        return mproc_dict_call(dict, MPROC_DICT_DELETE, value, NULL, NULL, NULL);
    case MPROC_SET_CLEAR:
        return mproc_dict_call(dict, MPROC_DICT_CLEAR, NULL, NULL, NULL, NULL);
    case MPROC_SET_COPY:
        return dict_copy(dict, MPROC_DICT_KEYS, result);
    case MPROC_SET_POP:
        return mproc_dict_call(dict, MPROC_DICT_POP_ITEM, NULL, NULL, NULL, result);
    case MPROC_SET_COUNT:
        *result = mproc_uint(mproc_dict_count(dict));
        return MPROC_OK;
    case MPROC_SET_TEXT:
        return print(dict, result);
    case MPROC_SET_UPDATE:
        return set_merge(set, TABLE_MERGE, value);
    case MPROC_SET_DIFFERENCE_UPDATE:
        return set_merge(set, TABLE_SUBTRACT, value);
    case MPROC_SET_SYMMETRIC_DIFFERENCE_UPDATE:
        return set_merge(set, TABLE_TOGGLE, value);
    default:
        return set_combine(set, method, value, result);
    }
}

/* ---- made and freed ------------------------------------------------------------------------------------- */

/* What an object has is copied first. */
mproc_status mproc_set_create(mproc_value other, mproc_set **out)
{
    mproc_value copy = mproc_nil();
    struct reference *reference;
    enum table_outcome outcome;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a set was to be created, and out is NULL");
    if ((status = check_elements(&other)) != MPROC_OK) return status;
    if ((status = dict_make(OBJECT_SET, &reference)) != MPROC_OK) return status;
    if (is_object(&other)) {
        status = copy_keys(&other, &copy);
        other = copy;
    }
    for (size_t i = 0; i < mproc_value_count(other) && status == MPROC_OK; i++) {
        bool map = other.type == MPROC_TYPE_MAP;
        mproc_value element = map ? mproc_value_key(other, i) : mproc_value_at(other, i);
        struct table_key key;
        struct dict_change change = {.key = &key, .to = &nothing, .fresh = true};
        if ((status = table_key_set(&key, &element)) == MPROC_OK)
            status = dict_change((mproc_dict *)reference, &change, &outcome);
    }
    mproc_value_clear(&copy);
    if (status == MPROC_OK) *out = (mproc_set *)reference;
    else reference_free(reference);
    return status;
}

void mproc_set_free(mproc_set *set)
{
    assert(!set || set->dict.reference.ref.kind == OBJECT_SET);
    if (set) family_free(&set->dict.reference);
}
