/* Functions of classes: run in the calling thread. */
#include "service/call.h"

#include <stdio.h>

#include <mproc/process.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/text.h"
#include "object/wait.h"
#include "process/call.h"
#include "process/task.h"

/* What is shorter is copied to the stack. */
#define SMALL_WORDS 64

/* ---- what goes in --------------------------------------------------------------------------------------- */

/* `view` is of `small` or of `copy`. */
struct arguments {
    mproc_value view;
    mproc_value copy;
    uint64_t small[SMALL_WORDS];
};

/* A method has its own copy: what the caller gives may be anything that values can be made of. */
static mproc_status arguments_copy(struct arguments *arguments, const mproc_args *args, const char *name)
{
    uint32_t objects;
    size_t size;
    mproc_status status;

    arguments->copy = mproc_nil();
    arguments->view = mproc_no_args();
    if (args->type == MPROC_TYPE_NIL) return MPROC_OK;
    if (args->type != MPROC_TYPE_LIST && args->type != MPROC_TYPE_MAP && args->type != MPROC_TYPE_BYTES &&
        args->type != MPROC_TYPE_REFUSED)
        return mproc_error(MPROC_INVALID, "the arguments of '%s' are %s: a single one is written MPROC_ARGS(x)", name,
                           mproc_type_name((mproc_type)args->type));
    if (encoding_write(args, arguments->small, sizeof arguments->small, &size, &objects) == MPROC_OK) {
        arguments->view = encoding_view(arguments->small);
        return MPROC_OK;
    }
    if ((status = mproc_value_copy(*args, &arguments->copy)) != MPROC_OK)
        return mproc_error(status, "the arguments of '%s': %s", name, mproc_last_error_text());
    arguments->view = arguments->copy;
    return MPROC_OK;
}

/* ---- what comes out ------------------------------------------------------------------------------------- */

/* Of a parcel that has objects, `result` loses its owned slot to the value. */
static mproc_status take_parcel(struct call_result *result, mproc_value *value)
{
    const struct parcel *parcel = parcel_at(atomic_load(result->owned));
    struct encoding_header *encoding;
    bool objects = parcel->links > 1;
    mproc_status status = objects ? parcel_keep(result->owned, &encoding) : parcel_copy(parcel, &encoding);

    if (status != MPROC_OK) return status;
    if (objects) result->owned = NULL;
    *value = encoding_owned(encoding);
    return MPROC_OK;
}

static mproc_status take_result(struct call_result *result, mproc_value *value)
{
    mproc_value view = mproc_nil();

    if (!value) return MPROC_OK;
    if (atomic_load_explicit(result->owned, memory_order_relaxed)) return take_parcel(result, value);
    if (result->size > 0) view = encoding_view(result->bytes);
    if (view.type >= MPROC_TYPE_STRING) return mproc_value_copy(view, value);
    view.form = VALUE_BORROWED;
    *value = view;
    return MPROC_OK;
}

static mproc_status failed(const char *name, mproc_status status)
{
    char text[ERROR_TEXT_BYTES_MAX + 1];

    snprintf(text, sizeof text, "%s", mproc_error_text(status));
    return mproc_error(status, "%s in process '%s' (pid %lld): %s", name, mproc_process_name(mproc_current_process()),
                       (long long)plat_process_id(), text);
}

/* ---- one function --------------------------------------------------------------------------------------- */

/* The thread goes on with the locks that it holds, as in any call of a function. */
static mproc_status run(struct local_object *object, const struct class_method *method, const mproc_args *args,
                        struct call_result *result, bool keeps_state)
{
    struct reference_scope scope = {.references = {0}};
    mproc_call call = {
        .args = *args, .name = method->full, .scope = &scope, .result = result, .state = object->state};
    struct task task;
    mproc_status status;

    error_text_clear();
    task_enter(&task);
    status = method->function(&call);
    task_end_copy(&task, status);
    task_leave();
    if (status != MPROC_OK) status = failed(method->full, status);
    else if (keeps_state) object->state = call.state;
    reference_scope_clear(&scope);
    return status;
}

mproc_status object_begin(struct local_object *object, const mproc_args *args)
{
    const struct class_method *create = &object->class_->create;
    struct arguments arguments;
    mproc_status status;

    if (!create->function) {
        if (mproc_value_count(*args) == 0 && mproc_value_size(*args) == 0) return MPROC_OK;
        return mproc_error(MPROC_INVALID, "class '%s' has no function that makes its objects of arguments",
                           object->class_->name);
    }
    if ((status = arguments_copy(&arguments, args, create->full)) != MPROC_OK) return status;
    status = run(object, create, &arguments.view, NULL, true);
    mproc_value_clear(&arguments.copy);
    return status;
}

void object_end(struct local_object *object)
{
    const struct class_method *destroy = &object->class_->destroy;
    const mproc_args none = mproc_no_args();

    if (!destroy->function || run(object, destroy, &none, NULL, false) == MPROC_OK) return;
    if (log_on(MPROC_LOG_WARNING)) log_owe(MPROC_LOG_WARNING, "%s", mproc_last_error_text());
    log_speak();
}

/* ---- turns ---------------------------------------------------------------------------------------------- */

static mproc_status wait_for_turn(struct local_object *object, const char *method, int64_t timeout_ms)
{
    const char *other;
    mproc_status status;

    if (!object->turn) return timeout_check(timeout_ms);
    if (atomic_load_explicit(&object->inside, memory_order_relaxed) == thread_self.owner_id)
        return mproc_error(MPROC_BAD_STATE,
                           "%s is called by a method of the same object, in the same thread, and would wait for "
                           "itself: the class is not concurrent",
                           method);
    if ((status = mproc_lock_acquire(object->turn, timeout_ms)) == MPROC_OK) {
        atomic_store_explicit(&object->inside, thread_self.owner_id, memory_order_relaxed);
        atomic_store_explicit(&object->method, method, memory_order_relaxed);
        return MPROC_OK;
    }
    if (status != MPROC_TIMEOUT) return status;
    other = atomic_load_explicit(&object->method, memory_order_relaxed);
    return mproc_error(MPROC_TIMEOUT, "%s did not get its turn within %lld ms: the object was last in %s", method,
                       (long long)timeout_ms, other ? other : "no method");
}

static void end_turn(struct local_object *object)
{
    if (!object->turn) return;
    atomic_store_explicit(&object->inside, 0, memory_order_relaxed);
    (void)mproc_lock_release(object->turn);
}

static mproc_status call_method(struct local_object *object, const struct class_method *method,
                                const mproc_args *args, mproc_value *value)
{
    struct call_result result = {.arena = thread_self.arena};
    _Atomic uint64_t *owned;
    mproc_status status;

    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    result.owned = owned;
    status = run(object, method, args, &result, object->turn != NULL);
    if (status == MPROC_OK) status = take_result(&result, value);
    if (result.owned) resource_release(result.owned);
    return status;
}

mproc_status object_call_here(struct local_object *object, const char *name, const mproc_args *args,
                              mproc_value *result, int64_t timeout_ms)
{
    const struct class_method *method;
    struct arguments arguments;
    mproc_status status;

    if ((status = class_copy_find(object->class_, name, &method)) != MPROC_OK) return status;
    if ((status = arguments_copy(&arguments, args, method->full)) != MPROC_OK) return status;
    service_hold(object);
    if ((status = wait_for_turn(object, method->full, timeout_ms)) == MPROC_OK) {
        status = call_method(object, method, &arguments.view, result);
        end_turn(object);
    }
    service_drop(object);
    mproc_value_clear(&arguments.copy);
    return status;
}
