/* Handles of the program's own: an object of the arena stands for them; what this process has is a struct carried. */
#include "process/os_handle.h"

#include <mproc/os_handle.h>

#include <stdlib.h>
#include <string.h>

#include "process/carried.h"
#include "process/family.h"

struct mproc_os_handle {
    struct reference reference;
};

static plat_mutex opening; /* of two threads that open the same, one takes what was given */

/* The handle is the reference's then. */
static mproc_status have(struct reference *reference, plat_handle handle)
{
    struct carried *carried = calloc(1, sizeof *carried);

    if (!carried) return mproc_error(MPROC_NO_MEMORY, "no memory for a handle of the system");
    carried->handle = handle;
    carried->ref = reference->ref;
    carried_add(carried);
    atomic_store(&reference->own, (void *)carried);
    return MPROC_OK;
}

static mproc_status opened(struct reference *reference, uint64_t by)
{
    plat_handle handle;
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&opening);
    atomic_store(&reference->own, (void *)carried_find(&reference->ref));
    if (!atomic_load(&reference->own) && (status = carried_obtain(&reference->ref, by, &handle)) == MPROC_OK &&
        (status = have(reference, handle)) != MPROC_OK)
        plat_handle_close(handle);
    plat_mutex_unlock(&opening);
    return status;
}

static void closing(struct reference *reference)
{
    struct carried *carried = atomic_exchange(&reference->own, NULL);

    if (!carried_drop(carried)) return;
    plat_handle_close(carried->handle);
    free(carried);
}

static void forked(void)
{
    memset(&opening, 0, sizeof opening);
}

const struct object_type os_handle_type = {.name = "a handle of the system",
                                           .links_at = offsetof(struct deposited, of),
                                           .links_count_at = offsetof(struct deposited, links),
                                           .last_dropped = deposit_last_dropped,
                                           .stand_in = carried_stand_in,
                                           .stands_for = deposit_stands_for,
                                           .opened = opened,
                                           .closing = closing,
                                           .forked = forked};

mproc_status mproc_os_handle_create(intptr_t handle, mproc_os_handle **out)
{
    struct reference *reference = NULL;
    plat_handle copy;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "an object for a handle has nowhere to go: out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = plat_handle_import(handle, &copy)) != MPROC_OK) return status;
    status = reference_create(OBJECT_OS_HANDLE, sizeof(struct deposited), &reference);
    if (status == MPROC_OK) {
        ((struct deposited *)reference->at)->links = 1;
        reference_publish(reference);
        status = have(reference, copy);
    }
    if (status == MPROC_OK) {
        *out = (mproc_os_handle *)reference;
        return MPROC_OK;
    }
    reference_free(reference);
    plat_handle_close(copy);
    return status;
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
