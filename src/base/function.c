/* Function references: encode here, decode there. */
#include <string.h>

#include "base/function.h"
#include "platform.h"

mproc_status function_encode(function_pointer function, function_ref *ref)
{
    plat_module module;
    uintptr_t address = (uintptr_t)function;

    if (plat_module_find(address, &module) != MPROC_OK)
        return mproc_error(MPROC_BAD_FUNCTION,
                           "the function at %p lies in the code of no module of this process, so no other process "
                           "can find it: pass a function of the executable or of a shared library, not a nested "
                           "function, generated code or data",
                           (void *)address);
    ref->offset = address - module.base;
    memcpy(ref->module, module.id, sizeof ref->module);
    ref->main = module.main;
    memcpy(ref->path, module.path, sizeof ref->path);
    return MPROC_OK;
}

/* The module was not loaded yet: opens its file and makes sure that it is the same build. */
static mproc_status function_open_module(const function_ref *ref, plat_module *module)
{
    if (ref->main)
        return mproc_error(MPROC_BAD_FUNCTION,
                           "the function lies in the executable '%s', which is not the one that runs here: put it "
                           "into a shared library that both can open",
                           ref->path);
    if (plat_module_open(ref->path) != MPROC_OK)
        return mproc_error(MPROC_BAD_FUNCTION, "the module that holds the function cannot be opened here: %s",
                           mproc_last_error_text());
    if (plat_module_lookup(ref->module, module) != MPROC_OK)
        return mproc_error(MPROC_MISMATCH,
                           "the module '%s' that holds the function is another build here than where the function "
                           "was passed: rebuild or reinstall one of them",
                           ref->path);
    return MPROC_OK;
}

mproc_status function_decode(const function_ref *ref, function_pointer *function)
{
    plat_module module, holder;
    mproc_status status;

    if (plat_module_lookup(ref->module, &module) != MPROC_OK &&
        (status = function_open_module(ref, &module)) != MPROC_OK)
        return status;
    if (plat_module_find(module.base + (uintptr_t)ref->offset, &holder) != MPROC_OK || holder.base != module.base)
        return mproc_error(MPROC_BAD_FUNCTION, "the module '%s' has no code at offset %llu: the reference is damaged",
                           ref->path, (unsigned long long)ref->offset);
    *function = (function_pointer)(module.base + (uintptr_t)ref->offset);
    return MPROC_OK;
}

bool function_is_beside(function_pointer function, const function_ref *ref, function_pointer other)
{
    plat_module module;

    return plat_module_find((uintptr_t)other, &module) == MPROC_OK &&
           module.base == (uintptr_t)function - (uintptr_t)ref->offset;
}

bool function_same(const function_ref *left, const function_ref *right)
{
    return left->offset == right->offset && memcmp(left->module, right->module, sizeof left->module) == 0;
}
