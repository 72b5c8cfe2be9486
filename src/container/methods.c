/* Methods of containers: read where they come from another program, and sent to one. */
#include "container/methods.h"

#include <mproc/list.h>

#include "base/encoding.h"

enum { VALUES_MAX = 5 };

static const struct method *find(const struct method *methods, uint32_t number)
{
    while (methods->number && methods->number != number) methods++;
    return methods->number ? methods : NULL;
}

static mproc_status no_method(const struct reference *reference, uint32_t number)
{
    return mproc_error(MPROC_NOT_SUPPORTED, "%s in another program has no method %lu",
                       handle_name(reference->ref.kind), (unsigned long)number);
}

/* ---- from another program --------------------------------------------------------------------------------- */

static bool is_taken(char letter, const mproc_value *value)
{
    switch (letter) {
    case 'k':
    case 'v':
        return true;
    case 'b':
        return value->type == MPROC_TYPE_INT64 || value->type == MPROC_TYPE_NIL;
    case 'f':
        return value->type == MPROC_TYPE_BOOL;
    default:
        return value->type == MPROC_TYPE_INT64;
    }
}

static int64_t number_of(char letter, const mproc_value *value)
{
    if (letter == 'f') return mproc_value_bool(*value);
    return mproc_value_is_nil(*value) ? MPROC_LIST_OPEN : mproc_value_int(*value);
}

mproc_status method_read(const struct reference *reference, const struct method *methods, uint32_t number,
                         const mproc_value *values, size_t count, int64_t *numbers, struct method_given *given)
{
    const struct method *method = find(methods, number);
    const char *name = handle_name(reference->ref.kind);

    if (!method) return no_method(reference, number);
    if (count != strlen(method->takes))
        return mproc_error(MPROC_INVALID, "method %lu of %s was given %zu values, and takes %zu",
                           (unsigned long)number, name, count, strlen(method->takes));
    *given = (struct method_given){.at = NULL};
    for (size_t i = 0; i < count; i++) {
        char letter = method->takes[i];
        if (!is_taken(letter, &values[i]))
            return mproc_error(MPROC_INVALID, "value %zu of method %lu of %s is %s: only %s can be", i + 1,
                               (unsigned long)number, name, mproc_type_name((mproc_type)values[i].type),
                               letter == 'f'   ? "a bool"
                               : letter == 'b' ? "an int64 or nil"
                                               : "an int64");
        if (letter == 'k') {
            given->key = &values[i];
        } else if (letter == 'v' || letter == 'i') {
            given->value = &values[i];
        } else {
            if (!given->at) given->at = numbers;
            *numbers++ = number_of(letter, &values[i]);
        }
    }
    return MPROC_OK;
}

/* ---- to another program ----------------------------------------------------------------------------------- */

/* The next value of a method. `*at` is the next number. */
static mproc_value give(char letter, const struct method_given *given, const int64_t **at)
{
    int64_t number;

    if (letter == 'k') return *given->key;
    if (letter == 'v' || letter == 'i') return *given->value;
    number = *(*at)++;
    if (letter == 'f') return mproc_bool(number != 0);
    return letter == 'b' && number == MPROC_LIST_OPEN ? mproc_nil() : mproc_int(number);
}

mproc_status method_call(const struct reference *reference, const struct method *methods, uint32_t number,
                         const struct method_given *given, mproc_value *result)
{
    const struct method *method = find(methods, number);
    mproc_value values[VALUES_MAX];
    const int64_t *at = given->at;
    size_t count;

    if (!method) return no_method(reference, number);
    if (method->gives && !result)
        return mproc_error(MPROC_INVALID, "what %s gives is to go to NULL", handle_name(reference->ref.kind));
    count = strlen(method->takes);
    assert(count <= VALUES_MAX);
    for (size_t i = 0; i < count; i++) values[i] = give(method->takes[i], given, &at);
    return object_types[OBJECT_REMOTE]->call(reference, number, values, count, result);
}

size_t method_count(const struct reference *reference, const struct method *methods, uint32_t number)
{
    const struct method_given nothing = {.at = NULL};
    mproc_value count = mproc_nil();
    size_t result = 0;

    if (method_call(reference, methods, number, &nothing, &count) == MPROC_OK)
        result = (size_t)mproc_value_uint(count);
    mproc_value_clear(&count);
    return result;
}
