/* Values into variables: type and range are checked, and a message names both sides. */
#include "base/store.h"

#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"

#define TEXT_BYTES 96
#define WHAT_BYTES 192

/* What came of a try. FAILED: the error text is set already. */
enum outcome { STORED, WRONG_TYPE, OUT_OF_RANGE, HAS_NUL, FAILED };

/* The variable's type, as a programmer would write it. */
static const char *target_name(const mproc_target *target, char *text, size_t size)
{
    switch (target->type) {
    case MPROC_TARGET_BOOL:
        return "a bool";
    case MPROC_TARGET_INT:
        snprintf(text, size, "an int%u_t", 8 * target->size);
        return text;
    case MPROC_TARGET_UINT:
        snprintf(text, size, "a uint%u_t", 8 * target->size);
        return text;
    case MPROC_TARGET_FLOAT:
        return target->size == sizeof(float) ? "a float" : "a double";
    case MPROC_TARGET_STRING:
        return "a string";
    case MPROC_TARGET_FUNCTION:
        return "a function";
    default:
        return target->type >= MPROC_TARGET_OBJECT ? handle_name(target->type - MPROC_TARGET_OBJECT) : "a value";
    }
}

/* What the value is: a number that is out of range, by itself. */
static const char *value_name(const mproc_value *value, bool number, char *text, size_t size)
{
    if (number) {
        mproc_value_print(*value, text, size);
        return text;
    }
    if (value->type == MPROC_TYPE_REFUSED) return value->as.data;
    if (value->type == MPROC_TYPE_HANDLE) return handle_name(value_handle(value)->kind);
    return mproc_type_name((mproc_type)value->type);
}

/* Values are little-endian where they lie, and so is this machine: a small integer is the first bytes of a large. */
static enum outcome store_integer(const mproc_value *value, const mproc_target *target, void *to)
{
    bool is_signed = target->type == MPROC_TARGET_INT;
    bool negative = value->type == MPROC_TYPE_INT64 && value->as.int64 < 0;
    uint64_t most = (is_signed ? UINT64_MAX >> 1 : UINT64_MAX) >> (64 - 8 * target->size);
    /* -1 is as far from the end of its range as 0 is. */
    uint64_t distance = negative ? ~value->as.uint64 : value->as.uint64;

    if (value->type != MPROC_TYPE_INT64 && value->type != MPROC_TYPE_UINT64) return WRONG_TYPE;
    if (distance > most || (negative && !is_signed)) return OUT_OF_RANGE;
    memcpy(to, &value->as.uint64, target->size);
    return STORED;
}

/* `true` is an int in C11, so 0 and 1 are bools where one is wanted. */
static enum outcome store_bool(const mproc_value *value, void *to)
{
    bool boolean = value->as.int64 != 0;

    if (value->type != MPROC_TYPE_BOOL && value->type != MPROC_TYPE_INT64) return WRONG_TYPE;
    if (value->as.int64 != 0 && value->as.int64 != 1) return OUT_OF_RANGE;
    memcpy(to, &boolean, sizeof boolean);
    return STORED;
}

/* Whether an integer is the same number as a double: all are up to 2 to the power of 53, and some beyond. */
static bool is_exact(const mproc_value *value, double number)
{
    const double int64_end = 9223372036854775808.0;

    if (value->type == MPROC_TYPE_DOUBLE) return true;
    if (value->type == MPROC_TYPE_INT64) return number < int64_end && (int64_t)number == value->as.int64;
    return number < 2 * int64_end && (uint64_t)number == value->as.uint64;
}

static enum outcome store_double(const mproc_value *value, const mproc_target *target, void *to)
{
    double number = mproc_value_double(*value);
    bool infinite = number > DBL_MAX || number < -DBL_MAX;
    float shorter;

    if (value->type < MPROC_TYPE_INT64 || value->type > MPROC_TYPE_DOUBLE) return WRONG_TYPE;
    if (!is_exact(value, number)) return OUT_OF_RANGE;
    if (target->size == sizeof number) {
        memcpy(to, &number, sizeof number);
        return STORED;
    }
    if (!infinite && (number > FLT_MAX || number < -FLT_MAX)) return OUT_OF_RANGE;
    shorter = (float)number;
    if (value->type != MPROC_TYPE_DOUBLE && (double)shorter != number) return OUT_OF_RANGE;
    memcpy(to, &shorter, sizeof shorter);
    return STORED;
}

static enum outcome store_string(const mproc_value *value, void *to)
{
    const char *text = mproc_value_string(*value);

    if (value->type != MPROC_TYPE_STRING && value->type != MPROC_TYPE_NIL) return WRONG_TYPE;
    if (text && memchr(text, 0, value->count)) return HAS_NUL;
    memcpy(to, &text, sizeof text);
    return STORED;
}

static enum outcome store_function(const mproc_value *value, void *to, mproc_status *status)
{
    function_pointer found = NULL;
    mproc_value_function_ function;

    if (value->type != MPROC_TYPE_FUNCTION && value->type != MPROC_TYPE_NIL) return WRONG_TYPE;
    if (value->type == MPROC_TYPE_FUNCTION && (*status = value_function(value, &found)) != MPROC_OK) return FAILED;
    function = (mproc_value_function_)found;
    memcpy(to, &function, sizeof function);
    return STORED;
}

static enum outcome store_object(const mproc_value *value, const mproc_target *target, void *to, mproc_status *status)
{
    void *object = NULL;

    if (value->type != MPROC_TYPE_HANDLE && value->type != MPROC_TYPE_NIL) return WRONG_TYPE;
    if (value->type == MPROC_TYPE_HANDLE) {
        const struct handle_ref *ref = value_handle(value);
        if (ref->kind != target->type - MPROC_TARGET_OBJECT) return WRONG_TYPE;
        if ((*status = handle_open(ref, &object)) != MPROC_OK) return FAILED;
    }
    memcpy(to, &object, sizeof object);
    return STORED;
}

static enum outcome store(const mproc_value *value, const mproc_target *target, mproc_value *to, mproc_status *status)
{
    if (value->type == MPROC_TYPE_REFUSED) return WRONG_TYPE;
    switch (target->type) {
    case MPROC_TARGET_VALUE:
        *to = *value;
        to->form &= VALUE_IS_VIEW; /* what the value owns stays its own */
        return STORED;
    case MPROC_TARGET_BOOL:
        return store_bool(value, to);
    case MPROC_TARGET_INT:
    case MPROC_TARGET_UINT:
        return store_integer(value, target, to);
    case MPROC_TARGET_FLOAT:
        return store_double(value, target, to);
    case MPROC_TARGET_STRING:
        return store_string(value, to);
    case MPROC_TARGET_FUNCTION:
        return store_function(value, to, status);
    default:
        return store_object(value, target, to, status);
    }
}

/* A value that is stored: as an argument of a task, an element of a list, or by itself. */
struct subject {
    const mproc_value *value;
    const mproc_target *target;
    const char *task; /* NULL: no argument */
    size_t index;     /* of an argument or element */
    bool alone;
};

/* Arguments are counted, as a function's are; elements have the index that mproc_value_at() takes. */
static void subject_name(const struct subject *subject, char *text, size_t size)
{
    if (subject->alone) snprintf(text, size, "the value");
    else if (subject->task) snprintf(text, size, "argument %zu of '%.127s'", subject->index + 1, subject->task);
    else snprintf(text, size, "element [%zu] of the list", subject->index);
}

/* Says what does not fit. */
static mproc_status refuse(const struct subject *subject, enum outcome outcome, mproc_status status)
{
    char what[WHAT_BYTES], value_text[TEXT_BYTES], target_text[TEXT_BYTES];
    const char *whose = subject->task ? "the function" : "the variable";
    const char *wants = target_name(subject->target, target_text, sizeof target_text);
    const char *is = value_name(subject->value, outcome == OUT_OF_RANGE, value_text, sizeof value_text);

    subject_name(subject, what, sizeof what);
    switch (outcome) {
    case WRONG_TYPE:
        return mproc_error(MPROC_INVALID, "%s is %s, %s wants %s", what, is, whose, wants);
    case OUT_OF_RANGE:
        return mproc_error(MPROC_INVALID, "%s is %s, which does not fit: %s wants %s", what, is, whose, wants);
    case HAS_NUL:
        return mproc_error(MPROC_INVALID, "%s has a NUL in it, where a C string would end: take it as an mproc_value",
                           what);
    default:
        return mproc_error(status, "%s: %s", what, mproc_last_error_text());
    }
}

/* `to` has room for any variable. */
static mproc_status store_checked(const struct subject *subject, mproc_value *to)
{
    mproc_status status = MPROC_INVALID;
    enum outcome outcome;

    if (!subject->target->variable) {
        char what[WHAT_BYTES];
        subject_name(subject, what, sizeof what);
        return mproc_error(MPROC_INVALID, "%s is to be put into a variable at NULL", what);
    }
    outcome = store(subject->value, subject->target, to, &status);
    return outcome == STORED ? MPROC_OK : refuse(subject, outcome, status);
}

/* Gives back what was opened for variables that are not written. */
static void drop_objects(const mproc_target *targets, const mproc_value *taken, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *object;
        if (targets[i].type < MPROC_TARGET_OBJECT) continue;
        memcpy(&object, &taken[i], sizeof object);
        if (object) handle_drop(object);
    }
}

mproc_status store_elements(const mproc_value *list, const mproc_target *targets, size_t count, const char *task)
{
    mproc_value taken[STORE_TARGETS_MAX];
    mproc_status status;

    assert(count <= STORE_TARGETS_MAX);
    for (size_t i = 0; i < count; i++) {
        mproc_value value = mproc_value_at(*list, i);
        if ((status = store_checked(&(struct subject){&value, &targets[i], task, i, false}, &taken[i])) != MPROC_OK) {
            drop_objects(targets, taken, i);
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) memcpy(targets[i].variable, &taken[i], targets[i].size);
    return MPROC_OK;
}

mproc_status mproc_value_store(mproc_value value, mproc_target target)
{
    mproc_value taken;
    mproc_status status;

    if ((status = store_checked(&(struct subject){&value, &target, NULL, 0, true}, &taken)) != MPROC_OK)
        return status;
    memcpy(target.variable, &taken, target.size);
    return MPROC_OK;
}

mproc_status mproc_value_unpack_targets(mproc_value list, const mproc_target *targets, size_t count)
{
    if (list.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "%zu variables are to be unpacked from a list, and the value is %s", count,
                           value_name(&list, false, NULL, 0));
    if (list.count != count)
        return mproc_error(MPROC_INVALID, "the list has %lu elements, and %zu variables are given",
                           (unsigned long)list.count, count);
    if (count > STORE_TARGETS_MAX)
        return mproc_error(MPROC_INVALID, "%zu variables are given: at most %d at once", count, STORE_TARGETS_MAX);
    return store_elements(&list, targets, count, NULL);
}
