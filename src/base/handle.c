/* The kinds of objects that values can refer to. */
#include "base/handle.h"

#define KINDS_MAX 64

static const char *const names[KINDS_MAX] = {
#define HANDLE_NAME(number, name, constant, text) [number] = (text),
    MPROC_OBJECT_TABLE(HANDLE_NAME)
#undef HANDLE_NAME
};

static const struct handle_functions *installed;

bool handle_is_kind(uint32_t kind)
{
    return kind < KINDS_MAX && names[kind];
}

const char *handle_name(uint32_t kind)
{
    return handle_is_kind(kind) ? names[kind] : mproc_type_name(MPROC_TYPE_HANDLE);
}

void handle_install(const struct handle_functions *functions)
{
    installed = functions;
}

mproc_status handle_open(const struct handle_ref *ref, void **object)
{
    if (!handle_is_kind(ref->kind) || !installed)
        return mproc_error(MPROC_NOT_SUPPORTED, "this process knows no objects of kind %lu (%s)",
                           (unsigned long)ref->kind, handle_name(ref->kind));
    return installed->open(ref, object);
}

void handle_drop(void *object)
{
    installed->drop(object);
}

void handle_release(void *keeper)
{
    installed->release(keeper);
}
