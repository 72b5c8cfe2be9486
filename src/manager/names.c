/* What a manager serves, under its names. */
#include "manager/kind.h"
#include "manager/message.h"
#include "object/object.h"

static void check_object(void *context, const struct handle_ref *ref)
{
    mproc_status *status = context;

    if (*status == MPROC_OK && !handle_is_remote(ref) && !object_types[ref->kind]->call)
        *status = mproc_error(MPROC_NOT_SUPPORTED, "%s cannot be served to other programs", handle_name(ref->kind));
}

mproc_status names_serve(mproc_dict *names, const char *name, const mproc_value *value)
{
    mproc_status status;
    size_t size;

    if ((status = encoding_measure(value, &size)) != MPROC_OK) return status;
    if ((status = message_check(value)) != MPROC_OK) return status;
    value_visit_objects(value, check_object, &status);
    return status == MPROC_OK ? mproc_dict_set(names, mproc_string(name), *value) : status;
}

static mproc_status not_found(const char *name)
{
    return mproc_error(MPROC_NOT_FOUND, "the manager serves nothing named '%s'", name);
}

mproc_status names_withdraw(mproc_dict *names, const char *name)
{
    mproc_status status = mproc_dict_delete(names, mproc_string(name));

    return status == MPROC_NOT_FOUND ? not_found(name) : status;
}

mproc_status names_get(const mproc_dict *names, const char *name, mproc_value *value)
{
    mproc_status status = mproc_dict_get(names, mproc_string(name), value);

    return status == MPROC_NOT_FOUND ? not_found(name) : status;
}
