/* Namespaces: what their names may be, and how they are printed. All else is a dict's. */
#include "container/namespace.h"

#include <stdlib.h>

#include "process/methods.h"

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type namespace_type = {.name = "a namespace",
                                           .links = 1,
                                           .links_at = offsetof(struct container, body),
                                           .call = call_served,
                                           .moments = MPROC_DICT_CLEAR,
                                           .never_waits = true};

static const struct method methods[] = {{MPROC_NAMESPACE_SET, false, "kv"},   {MPROC_NAMESPACE_GET, true, "k"},
                                        {MPROC_NAMESPACE_DELETE, false, "k"}, {MPROC_NAMESPACE_INCREMENT, true, "ki"},
                                        {MPROC_NAMESPACE_HAS, false, "k"},    {MPROC_NAMESPACE_COPY, true, ""},
                                        {MPROC_NAMESPACE_NAMES, true, ""},    {MPROC_NAMESPACE_TEXT, true, ""},
                                        {MPROC_NAMESPACE_COUNT, true, ""},    {0, false, NULL}};

/* ---- names ---------------------------------------------------------------------------------------------- */

static mproc_status check_name(const mproc_value *name)
{
    const char *text = mproc_value_string(*name);
    char printed[64];
    mproc_status status;
    size_t size;

    if (text && name->count > 0 && text[0] != '_' && !memchr(text, 0, name->count)) return MPROC_OK;
    if ((status = encoding_measure(name, &size)) != MPROC_OK) return status;
    mproc_value_print(*name, printed, sizeof printed);
    return mproc_error(MPROC_INVALID,
                       "a name of a namespace is %s: names are text that is not empty and does not begin with '_'",
                       printed);
}

/* ---- printing ------------------------------------------------------------------------------------------- */

/* "name=value", which is the caller's, or NULL. */
static char *print_pair(mproc_value name, mproc_value value)
{
    size_t room = name.count + 1 + mproc_value_print(value, NULL, 0) + 1;
    char *text = malloc(room);

    if (!text) return NULL;
    memcpy(text, name.as.data, name.count);
    text[name.count] = '=';
    mproc_value_print(value, text + name.count + 1, room - name.count - 1);
    return text;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Python sorts the pairs as they are printed. The text is the caller's; NULL: no memory. */
static char *join(char **pairs, size_t count)
{
    static const char begin[] = "Namespace(";
    size_t room = sizeof begin + sizeof ")", at = strlen(begin);
    char *text;

    for (size_t i = 0; i < count; i++) room += strlen(pairs[i]) + strlen(", ");
    if (!(text = malloc(room))) return NULL;
    qsort(pairs, count, sizeof *pairs, compare);
    memcpy(text, begin, at);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(pairs[i]);
        if (i > 0) text[at++] = ',', text[at++] = ' ';
        memcpy(text + at, pairs[i], size);
        at += size;
    }
    memcpy(text + at, ")", sizeof ")");
    return text;
}

static mproc_status print(const mproc_namespace *space, mproc_value *result)
{
    mproc_value copy = mproc_nil();
    char **pairs, *text = NULL;
    size_t count, made = 0;
    mproc_status status;

    if (!result) return mproc_error(MPROC_INVALID, "the text of a namespace is to go to NULL");
    if ((status = dict_copy(&space->dict, MPROC_DICT_COPY, &copy)) != MPROC_OK) return status;
    count = mproc_value_count(copy);
    if ((pairs = calloc(count + 1, sizeof *pairs)) != NULL) {
        while (made < count &&
               (pairs[made] = print_pair(mproc_value_key(copy, made), mproc_value_at(copy, made))) != NULL)
            made++;
        if (made == count) text = join(pairs, count);
        for (size_t i = 0; i < made; i++) free(pairs[i]);
        free(pairs);
    }
    if (text) status = mproc_value_copy(mproc_string(text), result);
    else status = mproc_error(MPROC_NO_MEMORY, "no memory to print a namespace of %zu names", count);
    free(text);
    mproc_value_clear(&copy);
    return status;
}

/* ---- all calls ------------------------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, NULL, &given);

    if (status != MPROC_OK) return status;
    return mproc_namespace_call((const mproc_namespace *)reference, (enum mproc_namespace_method)method, given.key,
                                given.value, NULL, result);
}

static mproc_status call_remote(const mproc_namespace *space, enum mproc_namespace_method method,
                                const mproc_value *name, const mproc_value *value, mproc_value *result)
{
    const struct method_given given = {.key = name, .value = value};

    if (method == MPROC_NAMESPACE_UPDATE)
        return mproc_error(MPROC_NOT_SUPPORTED,
                           "a namespace in another program has not the function that is to update it: "
                           "mproc_namespace_increment() is one step");
    return method_call(&space->dict.reference, methods, method, &given, result);
}

mproc_status mproc_namespace_call(const mproc_namespace *space, enum mproc_namespace_method method,
                                  const mproc_value *name, const mproc_value *value, mproc_function *function,
                                  mproc_value *result)
{
    const struct reference *reference = &space->dict.reference;
    mproc_status status = MPROC_OK;

    if (thread_self.arena != reference->arena) {
        status = family_enter_with_slow(reference->arena);
        if (status == MPROC_OK && reference->arena == REFERENCE_REMOTE)
            return call_remote(space, method, name, value, result);
    }
    if (status == MPROC_OK && (int)method < MPROC_DICT_CLEAR) status = check_name(name);
    if (status != MPROC_OK) return status;
    if (method == MPROC_NAMESPACE_TEXT) return print(space, result);
    if (method == MPROC_NAMESPACE_COUNT) {
        *result = mproc_uint(mproc_dict_count(&space->dict));
        return MPROC_OK;
    }
    return mproc_dict_call(&space->dict, (enum mproc_dict_method)method, name, value, function, result);
}

/* ---- made and freed ------------------------------------------------------------------------------------- */

mproc_status mproc_namespace_create(mproc_value values, mproc_namespace **out)
{
    size_t count = mproc_value_count(values);
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a namespace was to be created, and out is NULL");
    if (values.type != MPROC_TYPE_NIL && values.type != MPROC_TYPE_MAP)
        return mproc_error(MPROC_INVALID, "a namespace is made of a map or of nil, not of %s",
                           mproc_type_name((mproc_type)values.type));
    if (count > 0 && !values.as.data)
        return mproc_error(MPROC_INVALID, "a namespace of %zu names at no address", count);
    for (size_t i = 0; i < count; i++) {
        mproc_value name = mproc_value_key(values, i);
        if ((status = check_name(&name)) != MPROC_OK) return status;
    }
    if ((status = dict_make(OBJECT_NAMESPACE, &reference)) != MPROC_OK) return status;
    status = dict_fill((mproc_dict *)reference, reference, values);
    if (status == MPROC_OK) *out = (mproc_namespace *)reference;
    else reference_free(reference);
    return status;
}

void mproc_namespace_free(mproc_namespace *space)
{
    assert(!space || space->dict.reference.ref.kind == OBJECT_NAMESPACE);
    if (space) family_free(&space->dict.reference);
}
