/* Handles of the program's own: an object of the arena stands for them; what this process has is a struct carried. */
#include "process/os_handle.h"

#include <mproc/os_handle.h>

#include <stdlib.h>

#include "process/carried.h"
#include "process/family.h"

struct mproc_os_handle {
    struct reference reference;
};

static void end(struct carried *carried)
{
    plat_handle_close(carried->handle);
    free(carried);
}

static mproc_status make(const struct reference *reference, plat_handle handle, struct carried **out)
{
    (void)reference;
    if (!(*out = calloc(1, sizeof **out))) {
        plat_handle_close(handle);
        return mproc_error(MPROC_NO_MEMORY, "no memory for a handle of the system");
    }
    (*out)->handle = handle;
    (*out)->end = end;
    return MPROC_OK;
}

static mproc_status opened(struct reference *reference, uint64_t by)
{
    return carried_open(reference, by, make);
}

const struct object_type os_handle_type = {.name = "a handle of the system",
                                           .links_at = offsetof(struct deposited, of),
                                           .links_count_at = offsetof(struct deposited, links),
                                           .last_dropped = deposit_last_dropped,
                                           .stand_in = carried_stand_in,
                                           .stands_for = deposit_stands_for,
                                           .opened = opened,
                                           .closing = carried_close};

mproc_status mproc_os_handle_create(intptr_t handle, mproc_os_handle **out)
{
    struct reference *reference = NULL;
    struct carried *carried;
    plat_handle copy;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "an object for a handle has nowhere to go: out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = plat_handle_import(handle, &copy)) != MPROC_OK) return status;
    if ((status = make(NULL, copy, &carried)) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_OS_HANDLE, sizeof(struct deposited), &reference)) != MPROC_OK) {
        end(carried);
        return status;
    }
    ((struct deposited *)reference->at)->links = 1;
    reference_publish(reference);
    carried->ref = reference->ref;
    carried_add(carried);
    atomic_store(&reference->own, (void *)carried);
    *out = (mproc_os_handle *)reference;
    return MPROC_OK;
}

void mproc_os_handle_free(mproc_os_handle *handle)
{
    assert(!handle || handle->reference.ref.kind == OBJECT_OS_HANDLE);
    if (handle) family_free(&handle->reference);
}

mproc_status mproc_os_handle_duplicate(const mproc_os_handle *handle, intptr_t *duplicate)
{
    const struct carried *carried;
    mproc_status status;

    assert(handle && handle->reference.ref.kind == OBJECT_OS_HANDLE);
    if (!duplicate) return mproc_error(MPROC_INVALID, "a duplicate of a handle has nowhere to go: duplicate is NULL");
    if ((status = family_enter_with(handle->reference.arena)) != MPROC_OK) return status;
    carried = atomic_load(&handle->reference.own);
    return plat_handle_export(carried->handle, duplicate);
}
