/* Classes: checked and copied. */
#include "service/class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LIST_BYTES 600

/* ---- checked -------------------------------------------------------------------------------------------- */

static mproc_status check_name(const char *name, const char *what, const char *of)
{
    if (!name) return mproc_error(MPROC_INVALID, "%s%s has no name, but NULL", what, of);
    if (*name && strlen(name) <= MPROC_CLASS_NAME_BYTES_MAX && text_is_utf8(name)) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "the name '%.80s' of %s%s cannot be one: it is UTF-8 of 1 to %d bytes", name,
                       what, of, MPROC_CLASS_NAME_BYTES_MAX);
}

static mproc_status check_method(const mproc_class *given, size_t index)
{
    const mproc_method *method = &given->methods[index];
    mproc_status status = check_name(method->name, "a method of class ", given->name);

    if (status != MPROC_OK) return status;
    if (!method->function)
        return mproc_error(MPROC_INVALID, "method '%s' of class '%s' has no function, but NULL", method->name,
                           given->name);
    for (size_t i = 0; i < index; i++)
        if (strcmp(given->methods[i].name, method->name) == 0)
            return mproc_error(MPROC_INVALID, "class '%s' has two methods '%s'", given->name, method->name);
    return MPROC_OK;
}

static mproc_status check(const mproc_class *given)
{
    mproc_status status;

    if (!given) return mproc_error(MPROC_INVALID, "an object was to be made of the class NULL");
    if ((status = check_name(given->name, "a class", "")) != MPROC_OK) return status;
    if (!given->methods && given->method_count > 0)
        return mproc_error(MPROC_INVALID, "%zu methods of class '%s' are at no address", given->method_count,
                           given->name);
    for (size_t i = 0; i < given->method_count && status == MPROC_OK; i++) status = check_method(given, i);
    return status;
}

/* ---- copied --------------------------------------------------------------------------------------------- */

/* Writes "Class.method" to `*end`, which is behind it then. */
static struct class_method method_copy(char **end, const char *class_name, const char *name, mproc_function *function)
{
    size_t prefix = strlen(class_name) + 1, size = prefix + strlen(name) + 1;
    struct class_method method = {function, *end + prefix, *end};

    snprintf(*end, size, "%s.%s", class_name, name);
    *end += size;
    return method;
}

mproc_status class_copy_create(const mproc_class *given, struct class_copy **out)
{
    struct class_copy *copy;
    size_t name_size, size;
    char *end;
    mproc_status status;

    if ((status = check(given)) != MPROC_OK) return status;
    name_size = strlen(given->name) + 1;
    size = sizeof *copy + given->method_count * sizeof(struct class_method) + name_size +
           2 * (name_size + sizeof "destroy");
    for (size_t i = 0; i < given->method_count; i++) size += name_size + strlen(given->methods[i].name) + 1;
    if (!(copy = calloc(1, size)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for an object of class '%s'", given->name);
    copy->methods = (struct class_method *)(copy + 1);
    copy->count = given->method_count;
    copy->concurrent = given->concurrent;
    end = (char *)(copy->methods + copy->count);
    copy->name = memcpy(end, given->name, name_size);
    end += name_size;
    copy->create = method_copy(&end, copy->name, "create", given->create);
    copy->destroy = method_copy(&end, copy->name, "destroy", given->destroy);
    for (size_t i = 0; i < copy->count; i++)
        copy->methods[i] = method_copy(&end, copy->name, given->methods[i].name, given->methods[i].function);
    *out = copy;
    return MPROC_OK;
}

/* ---- searched ------------------------------------------------------------------------------------------- */

static mproc_status not_found(const struct class_copy *copy, const char *name)
{
    char list[LIST_BYTES];
    size_t size = 0;

    list[0] = '\0';
    for (size_t i = 0; i < copy->count && size < sizeof list; i++)
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", i > 0 ? ", " : "", copy->methods[i].name);
    text_trim(list);
    if (copy->count == 0) return mproc_error(MPROC_NOT_SUPPORTED, "class '%s' has no methods", copy->name);
    return mproc_error(MPROC_NOT_SUPPORTED, "class '%s' has no method '%.80s', but %s%s", copy->name, name, list,
                       size < sizeof list ? "" : " ...");
}

mproc_status class_copy_find(const struct class_copy *copy, const char *name, const struct class_method **method)
{
    for (size_t i = 0; i < copy->count; i++) {
        if (strcmp(copy->methods[i].name, name) != 0) continue;
        *method = &copy->methods[i];
        return MPROC_OK;
    }
    return not_found(copy, name);
}
