/* What this process has of objects with a handle, and what it was given. */
#include "process/carried.h"

#include <stdlib.h>
#include <string.h>

/* Guards all below. Nothing is locked under it. */
static plat_mutex mutex;
static struct carried *first;
static struct spawn_given *given; /* a copy: who has taken one writes PLAT_NO_HANDLE in its place */
static size_t given_count;

static bool same(const struct handle_ref *one, const struct handle_ref *other)
{
    return one->offset == other->offset && one->generation == other->generation;
}

void carried_add(struct carried *carried)
{
    plat_mutex_lock(&mutex);
    carried->references = 1;
    carried->next = first;
    first = carried;
    plat_mutex_unlock(&mutex);
}

struct carried *carried_find(const struct handle_ref *ref)
{
    struct carried *at;

    plat_mutex_lock(&mutex);
    for (at = first; at && !same(&at->ref, ref); at = at->next) {
    }
    if (at) at->references++;
    plat_mutex_unlock(&mutex);
    return at;
}

bool carried_drop(struct carried *carried)
{
    struct carried **at;
    bool last;

    if (!carried) return false;
    plat_mutex_lock(&mutex);
    if ((last = --carried->references == 0)) {
        for (at = &first; *at != carried; at = &(*at)->next) {
        }
        *at = carried->next;
    }
    plat_mutex_unlock(&mutex);
    return last;
}

/* Without the mutex it could be closed meanwhile. */
mproc_status carried_copy(const struct handle_ref *ref, plat_handle *copy)
{
    const struct carried *at;
    plat_handle handle = PLAT_NO_HANDLE;
    mproc_status status;

    plat_mutex_lock(&mutex);
    for (at = first; at && !same(&at->ref, ref); at = at->next) {
    }
    if (at) handle = at->handle;
    for (size_t i = 0; i < given_count && !at; i++)
        if (same(&given[i].ref, ref)) handle = (plat_handle)given[i].number;
    if (handle != PLAT_NO_HANDLE) status = plat_handle_copy(handle, copy);
    else status = mproc_error(MPROC_CLOSED, "%s that is passed on was closed", handle_name(ref->kind));
    plat_mutex_unlock(&mutex);
    return status;
}

mproc_status carried_stand_in(struct intent *intent, const struct handle_ref *ref, _Atomic uint64_t *owned)
{
    plat_handle copy = PLAT_NO_HANDLE;
    mproc_status status = carried_copy(ref, &copy);

    if (status != MPROC_OK) return status;
    status = deposit_put(intent, ref, copy, owned);
    plat_handle_close(copy);
    return status;
}

static bool take_given(const struct handle_ref *ref, plat_handle *handle)
{
    bool found = false;

    plat_mutex_lock(&mutex);
    for (size_t i = 0; i < given_count && !found; i++) {
        if (given[i].number == PLAT_NO_HANDLE || !same(&given[i].ref, ref)) continue;
        *handle = (plat_handle)given[i].number;
        given[i].number = PLAT_NO_HANDLE;
        found = true;
    }
    plat_mutex_unlock(&mutex);
    return found;
}

mproc_status carried_obtain(const struct handle_ref *ref, uint64_t by, plat_handle *handle)
{
    if (take_given(ref, handle)) return MPROC_OK;
    if (by != ref->offset) return deposit_take(by, handle);
    return mproc_error(MPROC_CLOSED, "this process has closed %s to which a value refers, or was not started with it",
                       handle_name(ref->kind));
}

/* ---- at a start --------------------------------------------------------------------------------- */

static struct carried *carried_of(const struct reference *reference)
{
    return object_types[reference->ref.kind]->stand_in ? atomic_load(&reference->own) : NULL;
}

size_t carried_count(const struct reference_scope *kept)
{
    size_t count = 0;

    for (const struct reference *at = kept->first; at; at = at->next) count += carried_of(at) != NULL;
    return count;
}

void carried_list(const struct reference_scope *kept, struct spawn_given *into)
{
    for (const struct reference *at = kept->first; at; at = at->next) {
        const struct carried *carried = carried_of(at);
        if (carried) *into++ = (struct spawn_given){carried->ref, carried->handle};
    }
}

/* To free a reference takes it out of the scope. */
void carried_gave(const struct reference_scope *kept)
{
    struct reference *at = kept->first;

    while (at) {
        struct reference *next = at->next;
        if (carried_of(at)) reference_free(at);
        at = next;
    }
}

mproc_status carried_adopt(const struct spawn_data *spawn_data)
{
    size_t count = spawn_data->given_count;
    mproc_status status;

    if (count == 0) return MPROC_OK;
    if (!(given = malloc(count * sizeof *given)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for the %zu connections that this process was given", count);
    memcpy(given, spawn_data->given, count * sizeof *given);
    given_count = count;
    for (size_t i = 0; i < count; i++)
        if ((status = plat_handle_adopt((plat_handle)given[i].number)) != MPROC_OK) return status;
    return MPROC_OK;
}

/* ---- fork() copies ------------------------------------------------------------------------------ */

void carried_fork_begins(void)
{
    plat_mutex_lock(&mutex);
}

void carried_fork_ends(void)
{
    plat_mutex_unlock(&mutex);
}

/* A copy that kept them open would keep the other ends from learning that the process has ended. */
void carried_forked(void)
{
    for (struct carried *at = first; at; at = at->next) plat_handle_close(at->handle);
    for (size_t i = 0; i < given_count; i++) plat_handle_close((plat_handle)given[i].number);
    first = NULL;
    given_count = 0;
    plat_mutex_unlock(&mutex);
}
