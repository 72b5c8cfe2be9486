/* Each class is a list: its create and destroy functions, whether it is concurrent, and its methods. */
#include "manager/classes.h"

#include <stdlib.h>

#include "manager/types.h"
#include "service/class.h"

enum { CLASS_CREATE, CLASS_DESTROY, CLASS_CONCURRENT, CLASS_METHODS };

/* ---- registered ----------------------------------------------------------------------------------------- */

static mproc_status check(const mproc_class *given)
{
    struct class_copy *copy = NULL;
    mproc_status status = class_copy_create(given, &copy);

    free(copy);
    if (status != MPROC_OK || !types_know(given->name)) return status;
    return mproc_error(MPROC_INVALID, "a class cannot be registered as '%s', which managers make without it",
                       given->name);
}

mproc_status classes_register(mproc_dict *classes, const mproc_class *given)
{
    mproc_value *items;
    size_t count = CLASS_METHODS;
    mproc_status status = check(given);

    if (status != MPROC_OK) return status;
    if (!(items = malloc((CLASS_METHODS + 2 * given->method_count) * sizeof *items)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for class '%s'", given->name);
    items[CLASS_CREATE] = mproc_function_from(given->create);
    items[CLASS_DESTROY] = mproc_function_from(given->destroy);
    items[CLASS_CONCURRENT] = mproc_bool(given->concurrent);
    for (size_t i = 0; i < given->method_count; i++) {
        items[count++] = mproc_string(given->methods[i].name);
        items[count++] = mproc_function_from(given->methods[i].function);
    }
    status = mproc_dict_set(classes, mproc_string(given->name), mproc_list_from(items, count));
    free(items);
    return status;
}

/* ---- made ----------------------------------------------------------------------------------------------- */

static mproc_status read_function(const mproc_value *list, size_t index, mproc_function **function)
{
    mproc_value value = mproc_value_at(*list, index);

    *function = NULL;
    return mproc_value_is_nil(value) ? MPROC_OK : mproc_value_to(value, function);
}

static mproc_status make(const mproc_value *list, const char *name, mproc_method *methods, const mproc_value *args,
                         mproc_value *value)
{
    mproc_class class_ = {.name = name,
                          .methods = methods,
                          .method_count = (mproc_value_count(*list) - CLASS_METHODS) / 2,
                          .concurrent = mproc_value_bool(mproc_value_at(*list, CLASS_CONCURRENT))};
    mproc_object *object = NULL;
    mproc_status status = read_function(list, CLASS_CREATE, &class_.create);

    if (status == MPROC_OK) status = read_function(list, CLASS_DESTROY, &class_.destroy);
    for (size_t i = 0; i < class_.method_count && status == MPROC_OK; i++) {
        methods[i].name = mproc_value_string(mproc_value_at(*list, CLASS_METHODS + 2 * i));
        status = read_function(list, CLASS_METHODS + 2 * i + 1, &methods[i].function);
    }
    if (status == MPROC_OK) status = mproc_object_create(&class_, *args, &object);
    return status == MPROC_OK ? types_hand_over(MPROC_KIND_OBJECT, object, value) : status;
}

mproc_status classes_make(const mproc_dict *classes, const char *name, const mproc_value *args, mproc_value *value)
{
    mproc_value list = mproc_nil();
    mproc_method *methods;
    mproc_status status = mproc_dict_get(classes, mproc_string(name), &list);

    if (status == MPROC_NOT_FOUND) return mproc_error(MPROC_NOT_FOUND, "a manager knows no type '%s'", name);
    if (status != MPROC_OK) return status;
    if ((methods = malloc((mproc_value_count(list) + 1) * sizeof *methods)))
        status = make(&list, name, methods, args, value);
    else status = mproc_error(MPROC_NO_MEMORY, "no memory for an object of class '%s'", name);
    free(methods);
    mproc_value_clear(&list);
    return status;
}
