/* Objects of classes, as the program sees them. */
#include <stdlib.h>
#include <string.h>

#include "object/wait.h"
#include "process/family.h"
#include "service/call.h"
#include "service/requests.h"

/* The method of the row. */
enum { OBJECT_CALL = 1 };

struct mproc_object {
    struct reference reference;
};

/* ---- made ----------------------------------------------------------------------------------------------- */

/* Without a state, and nobody knows it. */
static mproc_status create_local(const mproc_class *class_, struct local_object **out)
{
    static const mproc_lock_options of_turns = {.ignore_abandoned = true}; /* a thread ends inside a method */
    struct local_object *object = NULL;
    struct class_copy *copy = NULL;
    mproc_status status;

    if ((status = class_copy_create(class_, &copy)) != MPROC_OK) return status;
    if (!(object = calloc(1, sizeof *object)))
        status = mproc_error(MPROC_NO_MEMORY, "no memory for an object of class '%s'", copy->name);
    if (status == MPROC_OK && !copy->concurrent) status = mproc_lock_create(&of_turns, &object->turn);
    if (status == MPROC_OK && (status = service_add(object)) != MPROC_OK) mproc_lock_free(object->turn);
    if (status != MPROC_OK) {
        free(object);
        free(copy);
        return status;
    }
    object->class_ = copy;
    object->holds = 1;
    *out = object;
    return MPROC_OK;
}

static void free_local(struct local_object *object)
{
    service_remove(object);
    mproc_lock_free(object->turn);
    free(object->class_);
    free(object);
}

static mproc_status create_shared(struct local_object *object, struct reference **out)
{
    struct reference *reference;
    struct service_object *shared;
    mproc_status status;

    if ((status = reference_create(OBJECT_OBJECT, sizeof *shared, &reference)) != MPROC_OK) return status;
    shared = reference->at;
    shared->index = object->index;
    memcpy(shared->class_name, object->class_->name, strlen(object->class_->name) + 1);
    object->ref = reference->ref;
    atomic_store(&reference->own, object);
    *out = reference;
    return MPROC_OK;
}

/* From here on others can refer to it. */
static void publish(struct local_object *object, const struct reference *reference)
{
    struct service_object *shared = reference->at;

    reference_publish(reference);
    object_refer(work_intent(), service_offset(), &shared->service, 0);
    atomic_store(&object->known, true);
}

mproc_status object_create(const mproc_class *class_, const mproc_args *args, mproc_object **out)
{
    struct local_object *object = NULL;
    struct reference *reference = NULL;
    mproc_status status;

    if ((status = create_local(class_, &object)) != MPROC_OK) return status;
    if ((status = create_shared(object, &reference)) == MPROC_OK) status = object_begin(object, args);
    if (status == MPROC_OK) {
        publish(object, reference);
        *out = (mproc_object *)reference;
        return MPROC_OK;
    }
    reference_free(reference);
    free_local(object);
    return status;
}

mproc_status mproc_object_create(const mproc_class *class_, mproc_args args, mproc_object **object)
{
    mproc_status status;

    if (!object) return mproc_error(MPROC_INVALID, "an object was to be created, and object is NULL");
    if ((status = family_enter()) != MPROC_OK || (status = service_begin()) != MPROC_OK) return status;
    return object_create(class_, &args, object);
}

/* Opened from a value, the reference does not know it yet. */
static struct local_object *local_of(const struct reference *reference)
{
    struct local_object *local = atomic_load(&reference->own);

    if (local || !(local = service_find(reference->at))) return local;
    atomic_store(&((struct reference *)(uintptr_t)reference)->own, local);
    return local;
}

/* The reference may be the last one, and its method the one that calls this. */
void mproc_object_free(mproc_object *object)
{
    const struct local_object *local;
    uint32_t index = 0;

    if (!object || family_enter_with(object->reference.arena) != MPROC_OK) return;
    if ((local = object->reference.at ? local_of(&object->reference) : NULL)) index = local->index;
    reference_free(&object->reference);
    if (local) service_collect(index);
}

/* ---- called --------------------------------------------------------------------------------------------- */

static mproc_status call(const struct reference *reference, const char *method, const mproc_args *args,
                         mproc_value *result, int64_t timeout_ms)
{
    const struct service_object *shared = reference->at;
    struct local_object *local = local_of(reference);

    if (local) return object_call_here(local, method, args, result, timeout_ms);
    return requests_call(shared, reference, method, args, result, timeout_ms);
}

mproc_status object_call_local(const mproc_object *object, const char *method, const mproc_args *args,
                               mproc_value *result, int64_t timeout_ms)
{
    struct local_object *local = local_of(&object->reference);

    if (local) return object_call_here(local, method, args, result, timeout_ms);
    return mproc_error(MPROC_PEER_DIED, "the process that has an object of class '%s' is at its end",
                       mproc_object_class(object));
}

static mproc_status call_remote(const struct reference *reference, const char *method, const mproc_args *args,
                                mproc_value *result, int64_t timeout_ms)
{
    const mproc_value values[] = {mproc_string(method), *args, mproc_int(timeout_ms)};

    return object_types[OBJECT_REMOTE]->call_within(reference, OBJECT_CALL, values,
                                                    timeout_ms == MPROC_FOREVER ? 2 : 3, result, timeout_ms);
}

mproc_status mproc_object_call(mproc_object *object, const char *method, mproc_args args, mproc_value *result,
                               int64_t timeout_ms)
{
    const struct reference *reference = &object->reference;
    mproc_status status;

    assert(object && reference->ref.kind == OBJECT_OBJECT);
    if (!method) return mproc_error(MPROC_INVALID, "a method of an object was to be called, and method is NULL");
    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if (thread_self.arena != reference->arena) {
        if ((status = family_enter_with_slow(reference->arena)) != MPROC_OK) return status;
        if (reference->arena == REFERENCE_REMOTE) return call_remote(reference, method, &args, result, timeout_ms);
    }
    return call(reference, method, &args, result, timeout_ms);
}

/* From another program: anything can be among the values. */
mproc_status object_call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    bool limited = count == 3 && values[2].type != MPROC_TYPE_NIL;

    if (method != OBJECT_CALL)
        return mproc_error(MPROC_NOT_SUPPORTED, "an object of a class in another program has no method %lu",
                           (unsigned long)method);
    if (count < 2 || count > 3 || values[0].type != MPROC_TYPE_STRING ||
        (limited && (values[2].type != MPROC_TYPE_INT64 || values[2].as.int64 < 0)))
        return mproc_error(MPROC_INVALID,
                           "a method of an object is called by its name, its arguments and a time limit "
                           "in milliseconds, or nil");
    return call(reference, mproc_value_string(values[0]), &values[1], result,
                limited ? values[2].as.int64 : MPROC_FOREVER);
}

const char *mproc_object_class(const mproc_object *object)
{
    const struct service_object *shared;

    assert(object && object->reference.ref.kind == OBJECT_OBJECT);
    if (family_enter_with(object->reference.arena) != MPROC_OK) return NULL;
    shared = object->reference.at;
    return shared ? shared->class_name : NULL;
}
