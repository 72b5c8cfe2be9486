/* Arguments: their way into the arena. */
#include "process/arguments.h"

#include "base/encoding.h"
#include "object/parcel.h"

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

static mproc_status measure(const mproc_args *args, const char *name, size_t *size)
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

mproc_status arguments_create(const mproc_args *args, const char *name, bool at_start, _Atomic uint64_t **owned)
{
    _Atomic uint64_t *taken = NULL;
    struct parcel *parcel;
    uint32_t objects;
    size_t size = 0;
    mproc_status status;

    if ((status = measure(args, name, &size)) != MPROC_OK) return status;
    *owned = NULL;
    if (args->count == 0) return MPROC_OK;
    objects = value_count_objects(args);
    if ((status = resource_slot_take(&taken)) != MPROC_OK) return status;
    if ((status = parcel_create(work_intent(), size, objects, taken)) != MPROC_OK) {
        resource_slot_put(taken);
        return status;
    }
    parcel = parcel_at(atomic_load(taken));
    status = encoding_write(args, parcel_data(parcel), size, &size, &objects);
    if (status == MPROC_OK && objects > 0) status = parcel_hold(work_intent(), parcel, at_start, NULL);
    if (status == MPROC_OK) *owned = taken;
    else resource_release(taken);
    return status == MPROC_OK ? MPROC_OK : blame(args, name, status);
}

mproc_value arguments_view(uint64_t arguments)
{
    const struct parcel *parcel;

    if (!arguments) return mproc_no_args();
    parcel = parcel_at(arguments);
    assert(encoding_check(parcel_data(parcel), (size_t)parcel->size, ENCODING_OBJECTS | ENCODING_FUNCTIONS) ==
           MPROC_OK);
    return encoding_view(parcel_data(parcel));
}

uint32_t arguments_count(uint64_t arguments, uint64_t object)
{
    return arguments ? parcel_count(parcel_at(arguments), object) : 0;
}
