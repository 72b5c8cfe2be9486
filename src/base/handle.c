/* The kinds of objects that values can refer to. */
#include "base/handle.h"

#define KINDS_MAX 64

static const char *const names[KINDS_MAX] = {
#define HANDLE_NAME(number, name, constant, text) [number] = (text),
    MPROC_OBJECT_TABLE(HANDLE_NAME)
#undef HANDLE_NAME
};

static handle_open *openers[KINDS_MAX];

bool handle_is_kind(uint32_t kind)
{
    return kind < KINDS_MAX && names[kind];
}

const char *handle_name(uint32_t kind)
{
    return handle_is_kind(kind) ? names[kind] : mproc_type_name(MPROC_TYPE_HANDLE);
}

void handle_register(mproc_object_kind kind, handle_open *open)
{
    assert(handle_is_kind((uint32_t)kind));
    openers[kind] = open;
}

mproc_status handle_find(const struct handle_ref *ref, void **object)
{
    if (!handle_is_kind(ref->kind) || !openers[ref->kind])
        return mproc_error(MPROC_NOT_SUPPORTED, "this process knows no objects of kind %lu (%s)",
                           (unsigned long)ref->kind, handle_name(ref->kind));
    return openers[ref->kind](ref, object);
}
