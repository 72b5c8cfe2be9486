/* A task's view of its arguments. */
#include "process/call.h"

#include <assert.h>
#include <string.h>

#include "base/encoding.h"
#include "base/store.h"
#include "object/interrupt.h"
#include "object/parcel.h"
#include "process/family.h"

size_t mproc_call_count(const mproc_call *call)
{
    assert(call);
    return call->args.type == MPROC_TYPE_BYTES ? call->args.count > 0 : mproc_value_count(call->args);
}

mproc_value mproc_call_value(const mproc_call *call)
{
    assert(call);
    return call->args;
}

const void *mproc_call_bytes(const mproc_call *call, size_t *size)
{
    assert(call);
    if (size) *size = mproc_value_size(call->args);
    return mproc_value_size(call->args) > 0 ? mproc_value_bytes(call->args) : NULL;
}

/* As a message about the wrong kind of arguments names them. */
static const char *kind_of(const mproc_value *args)
{
    if (args->type == MPROC_TYPE_MAP) return "arguments by name, which are read with mproc_call_value()";
    if (args->type == MPROC_TYPE_BYTES) return "bytes, which are read with mproc_unpack_bytes()";
    return "values, which are read with mproc_unpack()";
}

mproc_status mproc_unpack_bytes(const mproc_call *call, void *out, size_t size)
{
    size_t given;
    const void *bytes = mproc_call_bytes(call, &given);

    if (!out) return mproc_error(MPROC_INVALID, "'%s' unpacks its arguments to NULL", call->name);
    if (call->args.type != MPROC_TYPE_BYTES && mproc_call_count(call) > 0)
        return mproc_error(MPROC_INVALID, "'%s' was given %s", call->name, kind_of(&call->args));
    if (given != size)
        return mproc_error(MPROC_INVALID, "'%s' was given %zu argument bytes, its function wants %zu", call->name,
                           given, size);
    if (size > 0) memcpy(out, bytes, size);
    return MPROC_OK;
}

mproc_status mproc_unpack_targets(const mproc_call *call, const mproc_target *targets, size_t count)
{
    size_t given = mproc_call_count(call);
    struct reference_scope *before;
    mproc_status status;

    if (given > 0 && call->args.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "'%s' was given %s", call->name, kind_of(&call->args));
    if (given != count)
        return mproc_error(MPROC_INVALID, "'%s' was given %zu arguments, its function wants %zu", call->name, given,
                           count);
    if (count > STORE_TARGETS_MAX)
        return mproc_error(MPROC_INVALID, "'%s' unpacks %zu arguments: at most %d at once", call->name, count,
                           STORE_TARGETS_MAX);
    before = reference_scope_enter(call->scope); /* objects are the task's */
    status = store_elements(&call->args, targets, count, call->name);
    reference_scope_enter(before);
    return status;
}

/* A value that is large, or has objects. */
static mproc_status return_parcel(struct call_result *result, const mproc_value *value)
{
    uint32_t objects = value_count_objects(value);
    struct parcel *parcel;
    size_t size;
    mproc_status status;

    if ((status = encoding_measure(value, &size)) != MPROC_OK) return status;
    if ((status = parcel_create(work_intent(), size, objects, result->owned)) != MPROC_OK) return status;
    parcel = parcel_at(atomic_load(result->owned));
    status = encoding_write(value, parcel_data(parcel), size, &size, &objects);
    if (status == MPROC_OK && objects > 0) status = parcel_hold(work_intent(), parcel, false, NULL);
    if (status != MPROC_OK) object_drop(work_intent(), result->owned);
    return status;
}

mproc_status mproc_call_return(mproc_call *call, mproc_value value)
{
    struct call_result *result;
    uint32_t objects;
    mproc_status status;

    assert(call);
    if (!(result = call->result))
        return mproc_error(MPROC_BAD_STATE, "'%s' returns a value that nobody gets: tasks of a pool return one",
                           call->name);
    if ((status = family_enter_with(result->arena)) != MPROC_OK) return status;
    object_drop(work_intent(), result->owned);
    if (encoding_write(&value, result->bytes, sizeof result->bytes, &result->size, &objects) == MPROC_OK &&
        objects == 0)
        return MPROC_OK;
    result->size = 0;
    return return_parcel(result, &value);
}

void mproc_call_set_state(mproc_call *call, void *state)
{
    assert(call);
    call->state = state;
}

void *mproc_call_state(const mproc_call *call)
{
    assert(call);
    return call->state;
}

bool mproc_call_stop_requested(const mproc_call *call)
{
    return call && interrupt_is_requested();
}

int mproc_call_attempt(const mproc_call *call)
{
    assert(call);
    return (int)call->lost + 1;
}
