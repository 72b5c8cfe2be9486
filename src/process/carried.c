/* What this process has of objects with a handle, and what it was given. */
#include "process/carried.h"

#include <stdlib.h>
#include <string.h>

/* Guards all below. Nothing is locked under it. */
static plat_mutex mutex;
static struct key_table all;
static struct spawn_given *given; /* a copy: who has taken one writes PLAT_NO_HANDLE in its place */
static size_t given_count;

static bool same(const struct handle_ref *one, const struct handle_ref *other)
{
    return one->offset == other->offset && one->generation == other->generation;
}

static struct carried *find_locked(const struct handle_ref *ref)
{
    return (struct carried *)key_table_find(&all, handle_key(ref));
}

static void add_locked(struct carried *carried)
{
    carried->references = 1;
    carried->keyed.key = handle_key(&carried->ref);
    key_table_add(&all, &carried->keyed);
}

void carried_add(struct carried *carried)
{
    plat_mutex_lock(&mutex);
    add_locked(carried);
    plat_mutex_unlock(&mutex);
}

void carried_drop(struct carried *carried)
{
    bool last;

    if (!carried) return;
    plat_mutex_lock(&mutex);
    if ((last = --carried->references == 0)) key_table_take(&all, &carried->keyed);
    plat_mutex_unlock(&mutex);
    if (last && carried->end) carried->end(carried);
}

void carried_close(struct reference *reference)
{
    carried_drop(atomic_exchange(&reference->own, NULL));
}

/* Without the mutex it could be closed meanwhile. MPROC_CLOSED: this process has none. */
static mproc_status copy_handle(const struct handle_ref *ref, plat_handle *copy)
{
    const struct carried *carried;
    plat_handle handle = PLAT_NO_HANDLE;
    mproc_status status;

    plat_mutex_lock(&mutex);
    if ((carried = find_locked(ref))) handle = carried->handle;
    for (size_t i = 0; i < given_count && !carried; i++)
        if (same(&given[i].ref, ref)) handle = (plat_handle)given[i].number;
    if (handle != PLAT_NO_HANDLE) status = plat_handle_copy(handle, copy);
    else status = mproc_error(MPROC_CLOSED, "%s that is passed on was closed", handle_name(ref->kind));
    plat_mutex_unlock(&mutex);
    return status;
}

mproc_status carried_stand_in(struct intent *intent, const struct handle_ref *ref, _Atomic uint64_t *owned,
                              const struct wait *wait)
{
    plat_handle copy = PLAT_NO_HANDLE;
    mproc_status status = copy_handle(ref, &copy);

    return status == MPROC_OK ? deposit_put(intent, ref, copy, owned, wait) : status;
}

/* ---- opening ------------------------------------------------------------------------------------ */

static bool take_given(const struct handle_ref *ref, plat_handle *handle)
{
    for (size_t i = 0; i < given_count; i++) {
        if (given[i].number == PLAT_NO_HANDLE || !same(&given[i].ref, ref)) continue;
        *handle = (plat_handle)given[i].number;
        given[i].number = PLAT_NO_HANDLE;
        return true;
    }
    return false;
}

/*
 * Under the mutex: what is there already, or what is made of the handle that was given with the start: of two threads
 * that open the same, one takes that. MPROC_NOT_FOUND: neither.
 */
static mproc_status open_locked(const struct reference *reference, carried_make *make, struct carried **out)
{
    plat_handle handle;
    mproc_status status;

    if ((*out = find_locked(&reference->ref))) {
        (*out)->references++;
        return MPROC_OK;
    }
    if (!take_given(&reference->ref, &handle)) return MPROC_NOT_FOUND;
    if ((status = make(reference, handle, out)) != MPROC_OK) return status;
    (*out)->ref = reference->ref;
    add_locked(*out);
    return MPROC_OK;
}

/* What was made meanwhile, if there is one, or this. */
static struct carried *settle(const struct handle_ref *ref, struct carried *made)
{
    struct carried *there;

    plat_mutex_lock(&mutex);
    if ((there = find_locked(ref))) {
        there->references++;
    } else {
        made->ref = *ref;
        add_locked(made);
    }
    plat_mutex_unlock(&mutex);
    if (there) made->end(made);
    return there ? there : made;
}

/* Nothing is locked while the first process is asked: it may be stopped. */
mproc_status carried_open(struct reference *reference, uint64_t by, carried_make *make)
{
    struct carried *carried = NULL;
    plat_handle handle;
    mproc_status status;

    plat_mutex_lock(&mutex);
    status = open_locked(reference, make, &carried);
    plat_mutex_unlock(&mutex);
    if (status == MPROC_NOT_FOUND) {
        if (by == reference->ref.offset)
            return mproc_error(MPROC_CLOSED,
                               "this process has closed %s to which a value refers, or was not started with it",
                               handle_name(reference->ref.kind));
        if ((status = deposit_take(by, &handle)) != MPROC_OK) return status;
        if ((status = make(reference, handle, &carried)) == MPROC_OK) carried = settle(&reference->ref, carried);
    }
    if (status == MPROC_OK) atomic_store(&reference->own, (void *)carried);
    return status;
}

/* ---- at a start --------------------------------------------------------------------------------- */

static struct carried *carried_of(const struct reference *reference)
{
    return object_types[reference->ref.kind]->stand_in ? atomic_load(&reference->own) : NULL;
}

size_t carried_count(const struct reference_scope *kept)
{
    size_t count = 0;

    for (const struct reference *at = NULL; (at = reference_scope_next(kept, at));) count += carried_of(at) != NULL;
    return count;
}

void carried_list(const struct reference_scope *kept, struct spawn_given *into)
{
    for (const struct reference *at = NULL; (at = reference_scope_next(kept, at));) {
        const struct carried *carried = carried_of(at);
        if (carried) *into++ = (struct spawn_given){carried->ref, carried->handle};
    }
}

/* To free a reference takes it out of the scope. */
void carried_gave(const struct reference_scope *kept)
{
    struct reference *at = reference_scope_next(kept, NULL), *next;

    for (; at; at = next) {
        next = reference_scope_next(kept, at);
        if (carried_of(at)) reference_free(at);
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
    for (struct keyed *at = NULL; (at = key_table_next(&all, at));) plat_handle_close(((struct carried *)at)->handle);
    key_table_clear(&all);
    for (size_t i = 0; i < given_count; i++) plat_handle_close((plat_handle)given[i].number);
    given_count = 0;
    plat_mutex_unlock(&mutex);
}
