/* A task's view of its arguments. */
#include "process/call.h"

#include <assert.h>
#include <string.h>

const void *mproc_call_bytes(const mproc_call *call, size_t *size)
{
    assert(call);
    if (size) *size = call->args_size;
    return call->args;
}

mproc_status mproc_unpack_bytes(const mproc_call *call, void *out, size_t size)
{
    assert(call);
    if (!out) return mproc_error(MPROC_INVALID, "'%s' unpacks its arguments to NULL", call->name);
    if (call->args_size != size)
        return mproc_error(MPROC_INVALID, "'%s' was given %zu argument bytes, its function wants %zu", call->name,
                           call->args_size, size);
    if (size > 0) memcpy(out, call->args, size);
    return MPROC_OK;
}
