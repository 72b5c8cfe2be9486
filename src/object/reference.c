/* References: made, opened, and freed while others may wait. */
#include "object/reference.h"

#include <stdlib.h>

#include "object/interrupt.h"
#include "base/encoding.h"
#include "object/waitable.h"

/* How often a freer wakes those who are on their way to sleep. */
#define POLL_NS ((int64_t)1000000)

static mproc_status make(struct reference **out)
{
    struct reference *reference = calloc(1, sizeof *reference);

    *out = reference;
    if (reference) return MPROC_OK;
    return mproc_error(MPROC_NO_MEMORY, "no memory for a reference to a shared object");
}

/* The block is found in the owned slot; where it lies does not change, nor its generation while it is held. */
static void fill(struct reference *reference, uint32_t kind, _Atomic uint64_t *owned)
{
    uint64_t object = atomic_load(owned);

    reference->ref = object_ref(object);
    reference->ref.kind = kind; /* it may not be published yet */
    reference->arena = arena_generation;
    reference->owned = owned;
    reference->at = arena_at(object);
}

mproc_status reference_create(enum object_kind kind, size_t size, struct reference **out)
{
    struct reference *reference;
    _Atomic uint64_t *owned;
    mproc_status status;

    if ((status = make(&reference)) != MPROC_OK) return status;
    if ((status = resource_slot_take(&owned)) != MPROC_OK) goto failed;
    if ((status = block_take(work_intent(), size, size, owned)) != MPROC_OK) {
        resource_slot_put(owned);
        goto failed;
    }
    fill(reference, (uint32_t)kind, owned);
    *out = reference;
    return MPROC_OK;
failed:
    free(reference);
    return status;
}

void reference_publish(const struct reference *reference)
{
    object_publish(reference->owned, (enum object_kind)reference->ref.kind);
}

/* What a value refers to, or what that stands for in it. */
static struct handle_ref meant(const struct handle_ref *ref)
{
    const struct object_type *type = object_types[ref->kind];
    uint64_t original = type && type->stands_for && object_there(ref) ? type->stands_for(ref->offset) : 0;

    return original ? object_ref(original) : *ref;
}

static mproc_status open_remote(const struct handle_ref *ref, struct reference **out)
{
    struct reference *reference;
    mproc_status status;

    if ((status = make(&reference)) != MPROC_OK) return status;
    reference->ref = *ref;
    reference->arena = REFERENCE_REMOTE;
    if ((status = object_types[OBJECT_REMOTE]->opened(reference, 0)) == MPROC_OK) *out = reference;
    else free(reference);
    return status;
}

mproc_status reference_open(const struct handle_ref *ref, struct reference **out)
{
    const struct object_type *type;
    const struct handle_ref object = meant(ref);
    struct reference *reference = NULL;
    _Atomic uint64_t *owned;
    mproc_status status;

    if (handle_is_remote(ref)) return open_remote(ref, out);
    if (!object_there(ref))
        return mproc_error(MPROC_CLOSED, "%s that a value refers to has been freed", object_types[ref->kind]->name);
    if ((status = make(&reference)) != MPROC_OK) return status;
    if ((status = resource_slot_take(&owned)) != MPROC_OK) {
        free(reference);
        return status;
    }
    object_refer(work_intent(), object.offset, owned, OBJECT_GIVEN);
    fill(reference, ref->kind, owned);
    type = object_types[ref->kind];
    if (!type->opened || (status = type->opened(reference, ref->offset)) == MPROC_OK) *out = reference;
    else reference_free(reference);
    return status;
}

/* ---- scopes ----------------------------------------------------------------------------------- */

static THREAD_LOCAL struct reference_scope *scope_entered;

struct reference_scope *reference_scope_enter(struct reference_scope *scope)
{
    struct reference_scope *before = scope_entered;

    scope_entered = scope;
    return before;
}

static struct reference *reference_of(struct keyed *keyed)
{
    return keyed ? (struct reference *)(void *)((unsigned char *)keyed - offsetof(struct reference, keyed)) : NULL;
}

struct reference *reference_scope_next(const struct reference_scope *scope, const struct reference *reference)
{
    return reference_of(key_table_next(&scope->references, reference ? &reference->keyed : NULL));
}

/* Under the mutex. What is in other programs may have a key that something else has. */
static struct reference *find(const struct reference_scope *scope, const struct handle_ref *ref)
{
    struct keyed *at = key_table_find(&scope->references, handle_key(ref));

    while (at && (reference_of(at)->ref.offset != ref->offset || reference_of(at)->ref.generation != ref->generation))
        at = at->next;
    return reference_of(at);
}

/* Opened without the mutex, as that may take long: what another thread has opened meanwhile, is taken. */
static mproc_status open_in_scope(struct reference_scope *scope, const struct handle_ref *ref, struct reference **out)
{
    const struct handle_ref object = meant(ref);
    struct reference *made = NULL;
    mproc_status status;

    plat_mutex_lock(&scope->mutex);
    *out = find(scope, &object);
    plat_mutex_unlock(&scope->mutex);
    if (*out) return MPROC_OK;
    if ((status = reference_open(ref, &made)) != MPROC_OK || !made) return status;
    plat_mutex_lock(&scope->mutex);
    if (!(*out = find(scope, &object))) {
        made->scope = scope;
        made->keyed.key = handle_key(&object);
        key_table_add(&scope->references, &made->keyed);
        *out = made;
    }
    plat_mutex_unlock(&scope->mutex);
    if (*out != made) reference_free(made);
    return MPROC_OK;
}

struct keeping {
    struct reference_scope *scope;
    mproc_status status;
};

static void keep(void *context, const struct handle_ref *ref)
{
    struct keeping *keeping = context;
    struct reference *reference;

    if (keeping->status == MPROC_OK && (handle_is_remote(ref) || object_types[ref->kind]->opened))
        keeping->status = open_in_scope(keeping->scope, ref, &reference);
}

mproc_status reference_scope_keep(struct reference_scope *scope, const mproc_args *args)
{
    struct keeping keeping = {scope, MPROC_OK};

    value_visit_objects(args, keep, &keeping);
    return keeping.status;
}

mproc_status reference_open_here(const struct handle_ref *ref, struct reference **out)
{
    return scope_entered ? open_in_scope(scope_entered, ref, out) : reference_open(ref, out);
}

/* Of a reference that the task frees before it ends. */
static void leave_scope(struct reference *reference)
{
    struct reference_scope *scope = reference->scope;

    if (!scope) return;
    plat_mutex_lock(&scope->mutex);
    key_table_take(&scope->references, &reference->keyed);
    plat_mutex_unlock(&scope->mutex);
}

void reference_scope_clear(struct reference_scope *scope)
{
    struct reference *at = reference_scope_next(scope, NULL), *next;

    for (; at; at = next) {
        next = reference_scope_next(scope, at);
        at->scope = NULL;
        reference_free(at);
    }
    key_table_clear(&scope->references);
}

/* ---- accounts ---------------------------------------------------------------------------------- */

/* Of two threads that make one, the second releases its own. */
mproc_status reference_account(struct reference *reference, enum object_kind kind, size_t size, void **account)
{
    _Atomic uint64_t *owned = atomic_load(&reference->own);
    void *none = NULL;
    mproc_status status;

    if (!owned) {
        if ((status = resource_take(size, size, &owned)) != MPROC_OK) return status;
        /* An object before it holds anything: if we end in between, what it holds is dropped with it. */
        object_publish(owned, kind);
        object_refer(work_intent(), reference->ref.offset,
                     (_Atomic uint64_t *)arena_at(atomic_load(owned) + sizeof(struct object)), 0);
        if (!atomic_compare_exchange_strong(&reference->own, &none, (void *)owned)) {
            object_drop(work_intent(), owned);
            resource_slot_put(owned);
            owned = none;
        }
    }
    *account = arena_at(atomic_load(owned));
    return MPROC_OK;
}

/* ---- the end ---------------------------------------------------------------------------------- */

/* What a fork() copy has from another process is not its own to drop. */
void reference_free(struct reference *reference)
{
    const struct object_type *type;

    if (!reference) return;
    if (reference->arena == REFERENCE_REMOTE) {
        leave_scope(reference);
        object_types[OBJECT_REMOTE]->closing(reference);
    }
    if (reference->arena != thread_self.arena) {
        free(reference);
        return;
    }
    type = object_types[reference->ref.kind];
    leave_scope(reference);
    atomic_store(&reference->closed, 1);
    waitable_ends(reference, true);
    while (atomic_load(&reference->sleepers) > 0) {
        interrupt_wake(thread_self.process);
        if (type->send_away) type->send_away(reference);
        plat_clock_sleep_until(plat_clock_now_ns() + POLL_NS);
    }
    if (type->closing) type->closing(reference);
    object_drop(work_intent(), reference->owned);
    resource_slot_put(reference->owned);
    free(reference);
}
