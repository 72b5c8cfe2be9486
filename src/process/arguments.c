/* Arguments: their way into the arena. */
#include "process/arguments.h"

#include <string.h>

#include "base/encoding.h"

/* The owned slots with the objects that are referred to follow, `objects` of them; then the encoding. */
struct arguments {
    struct object object;
    uint64_t size; /* of the encoding */
    uint32_t objects;
    uint32_t unused;
};

static_assert(sizeof(struct arguments) % sizeof(uint64_t) == 0, "owned slots follow");

const struct object_type arguments_type = {
    .name = "arguments", .links_at = sizeof(struct arguments), .links_count_at = offsetof(struct arguments, objects)};

static _Atomic uint64_t *slots_of(struct arguments *arguments)
{
    return (_Atomic uint64_t *)(void *)(arguments + 1);
}

/* Aligned for every type. */
static size_t encoding_at(uint32_t objects)
{
    size_t end = sizeof(struct arguments) + objects * sizeof(uint64_t);
    return (end + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1);
}

static void *encoding_of(struct arguments *arguments)
{
    return (unsigned char *)arguments + encoding_at(arguments->objects);
}

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

/* ---- objects in arguments ----------------------------------------------------------------------- */

static void count_object(void *context, const struct handle_ref *ref)
{
    (void)ref;
    ++*(uint32_t *)context;
}

/* One walk through the objects: the next owned slot, and whether all were still there. */
struct holding {
    _Atomic uint64_t *next;
    mproc_status status;
};

/* Whoever gave the arguments has references of his own, so that what is there stays. */
static void hold_object(void *context, const struct handle_ref *ref)
{
    struct holding *holding = context;

    if (object_there(ref)) object_refer(work_intent(), ref->offset, holding->next++);
    else holding->status = mproc_error(MPROC_CLOSED, "%s among the arguments has been freed", handle_name(ref->kind));
}

/* From the moment that it is an object, what it holds is dropped with it. */
static mproc_status fill(struct arguments *arguments, const mproc_args *args, const char *name, size_t size,
                         uint32_t objects, const _Atomic uint64_t *owned)
{
    struct holding holding = {slots_of(arguments), MPROC_OK};
    mproc_status status;

    arguments->objects = objects;
    arguments->size = size;
    object_publish(owned, OBJECT_ARGUMENTS);
    status = encoding_write(args, encoding_of(arguments), size, &size);
    if (status != MPROC_OK) return blame(args, name, status);
    if (objects > 0) value_visit_objects(args, hold_object, &holding);
    return holding.status;
}

mproc_status arguments_create(const mproc_args *args, const char *name, _Atomic uint64_t **owned)
{
    _Atomic uint64_t *taken = NULL;
    uint32_t objects = 0;
    size_t size = 0;
    mproc_status status;

    if ((status = measure(args, name, &size)) != MPROC_OK) return status;
    *owned = NULL;
    if (args->count == 0) return MPROC_OK;
    value_visit_objects(args, count_object, &objects);
    status = resource_take(encoding_at(objects) + size, encoding_at(objects), &taken);
    if (status != MPROC_OK) return status;
    status = fill((struct arguments *)arena_at(atomic_load(taken)), args, name, size, objects, taken);
    if (status == MPROC_OK) *owned = taken;
    else resource_release(taken);
    return status;
}

mproc_value arguments_view(uint64_t arguments)
{
    struct arguments *at;

    if (!arguments) return mproc_no_args();
    at = (struct arguments *)arena_at(arguments);
    assert(encoding_check(encoding_of(at), (size_t)at->size, ENCODING_OBJECTS | ENCODING_FUNCTIONS) == MPROC_OK);
    return encoding_view(encoding_of(at));
}

uint32_t arguments_count(uint64_t arguments, uint64_t object)
{
    struct arguments *at;
    uint32_t count = 0;

    if (!arguments) return 0;
    at = (struct arguments *)arena_at(arguments);
    for (uint32_t i = 0; i < at->objects; i++) count += atomic_load(&slots_of(at)[i]) == object;
    return count;
}
