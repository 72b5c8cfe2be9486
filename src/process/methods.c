/* Methods of objects: read where they come from another program, and sent to one. */
#include "process/methods.h"

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
    case 'y':
        return value->type == MPROC_TYPE_BYTES;
    case 'b':
        return value->type == MPROC_TYPE_INT64 || value->type == MPROC_TYPE_NIL;
    case 'f':
        return value->type == MPROC_TYPE_BOOL;
    default:
        return value->type == MPROC_TYPE_INT64;
    }
}

static const char *what_can_be(char letter)
{
    switch (letter) {
    case 'y':
        return "bytes";
    case 'b':
        return "an int64 or nil";
    case 'f':
        return "a bool";
    default:
        return "an int64";
    }
}

/* Whether it stays a value. */
static bool is_value(char letter)
{
    return letter == 'v' || letter == 'i' || letter == 'y';
}

static int64_t number_of(char letter, const mproc_value *value)
{
    if (letter == 'f') return mproc_value_bool(*value);
    return mproc_value_is_nil(*value) ? METHOD_OPEN : mproc_value_int(*value);
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
                               what_can_be(letter));
        if (letter == 'k') {
            given->key = &values[i];
        } else if (is_value(letter)) {
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

    assert(letter == 'k' ? given->key != NULL : is_value(letter) ? given->value != NULL : *at != NULL);
    if (letter == 'k') return *given->key;
    if (is_value(letter)) return *given->value;
    number = *(*at)++;
    if (letter == 'f') return mproc_bool(number != 0);
    return letter == 'b' && number == METHOD_OPEN ? mproc_nil() : mproc_int(number);
}

mproc_status method_call(const struct reference *reference, const struct method *methods, uint32_t number,
                         const struct method_given *given, mproc_value *result)
{
    const struct method *method = find(methods, number);
    mproc_value values[VALUES_MAX];
    const int64_t *at = given->at;
    int64_t waits_ms = 0;
    mproc_status status;
    size_t count;

    if ((status = family_enter_with_slow(reference->arena)) != MPROC_OK) return status;
    if (!method) return no_method(reference, number);
    if (method->gives && !result)
        return mproc_error(MPROC_INVALID, "what %s gives is to go to NULL", handle_name(reference->ref.kind));
    count = strlen(method->takes);
    assert(count <= VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        values[i] = give(method->takes[i], given, &at);
        if (method->takes[i] == 't') waits_ms = mproc_value_int(values[i]);
    }
    return object_types[OBJECT_REMOTE]->call_within(reference, number, values, count, result, waits_ms);
}

static const struct method_given nothing = {.at = NULL};

mproc_status method_do(const struct reference *reference, const struct method *methods, uint32_t number)
{
    return method_call(reference, methods, number, &nothing, NULL);
}

mproc_status method_wait(const struct reference *reference, const struct method *methods, uint32_t number,
                         int64_t timeout_ms, mproc_value *result)
{
    const struct method_given given = {.at = &timeout_ms};

    return method_call(reference, methods, number, &given, result);
}

size_t method_count(const struct reference *reference, const struct method *methods, uint32_t number)
{
    mproc_value count = mproc_nil();
    size_t result = 0;

    if (method_call(reference, methods, number, &nothing, &count) == MPROC_OK)
        result = (size_t)mproc_value_uint(count);
    mproc_value_clear(&count);
    return result;
}

bool method_says(const struct reference *reference, const struct method *methods, uint32_t number)
{
    mproc_value says = mproc_nil();
    bool result = false;

    if (method_call(reference, methods, number, &nothing, &says) == MPROC_OK) result = mproc_value_bool(says);
    mproc_value_clear(&says);
    return result;
}

mproc_status method_refuse(const struct reference *reference, const char *what)
{
    mproc_status status = family_enter_with_slow(reference->arena);

    if (status != MPROC_OK) return status;
    return mproc_error(MPROC_NOT_SUPPORTED, "%s that is in another program cannot be %s from here",
                       handle_name(reference->ref.kind), what);
}
