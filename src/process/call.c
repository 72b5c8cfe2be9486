/* A task's arguments: their way into an encoding, and the task's view of them. */
#include "process/call.h"

#include <assert.h>
#include <string.h>

#include "base/encoding.h"
#include "base/store.h"

/* Which of the arguments cannot be encoded? Looked for only when one of them cannot. */
static mproc_status blame(const mproc_args *args, const char *name, mproc_status status)
{
    size_t size;

    for (uint32_t i = 0; args->type == MPROC_TYPE_LIST && args->as.items && i < args->count; i++) {
        mproc_value value = mproc_value_at(*args, i);
        if (encoding_measure(&value, &size) != MPROC_OK)
            return mproc_error(status, "argument %lu of '%s': %s", (unsigned long)i + 1, name,
                               mproc_last_error_text());
    }
    return mproc_error(status, "the arguments of '%s': %s", name, mproc_last_error_text());
}

static mproc_status check_bytes(const mproc_args *args)
{
    if (!args->as.data && args->count > 0)
        return mproc_error(MPROC_INVALID, "%lu argument bytes at no address", (unsigned long)args->count);
    if (args->count > MPROC_VALUE_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "%lu argument bytes or more: at most 1 GiB fits",
                           (unsigned long)args->count);
    return MPROC_OK;
}

mproc_status args_measure(const mproc_args *args, const char *name, size_t *size)
{
    mproc_status status;

    switch (args->type) {
    case MPROC_TYPE_NIL:
    case MPROC_TYPE_LIST:
    case MPROC_TYPE_MAP:
    case MPROC_TYPE_REFUSED:
        break;
    case MPROC_TYPE_BYTES:
        if ((status = check_bytes(args)) != MPROC_OK) return status;
        break;
    default:
        return mproc_error(MPROC_INVALID, "the arguments of '%s' are %s: a single one is written MPROC_ARGS(x)", name,
                           mproc_type_name((mproc_type)args->type));
    }
    status = encoding_measure(args, size);
    return status == MPROC_OK ? MPROC_OK : blame(args, name, status);
}

mproc_status args_write(const mproc_args *args, const char *name, void *encoding, size_t size)
{
    mproc_status status = encoding_write(args, encoding, size, &size);

    return status == MPROC_OK ? MPROC_OK : blame(args, name, status);
}

mproc_value args_view(const void *encoding, size_t size)
{
    if (!encoding) return mproc_no_args();
    assert(encoding_check(encoding, size, ENCODING_OBJECTS | ENCODING_FUNCTIONS) == MPROC_OK);
    (void)size;
    return encoding_view(encoding);
}

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

    if (given > 0 && call->args.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "'%s' was given %s", call->name, kind_of(&call->args));
    if (given != count)
        return mproc_error(MPROC_INVALID, "'%s' was given %zu arguments, its function wants %zu", call->name, given,
                           count);
    if (count > STORE_TARGETS_MAX)
        return mproc_error(MPROC_INVALID, "'%s' unpacks %zu arguments: at most %d at once", call->name, count,
                           STORE_TARGETS_MAX);
    return store_arguments(&call->args, targets, count, call->name);
}
