/*
 * Namespaces: names with values that all processes of a family share (Python: Manager().Namespace()).
 *
 *     mproc_namespace *space;
 *     mproc_check(mproc_namespace_create(MPROC_MAP("x", 10, "y", "hello"), &space));
 *     mproc_check(mproc_process_create(work, MPROC_ARGS(space), NULL, &child));
 *     mproc_check(mproc_namespace_set(space, "x", MPROC_VALUE(11)));
 *
 * A namespace is a dict whose keys are names, and what <mproc/dict.h> says of dicts is true for it: each call is one
 * step, and whole if its caller is killed; what is got is a copy; names have the order in which they came.
 *
 * A name is text, not empty, without NUL, of at most MPROC_DICT_KEY_BYTES_MAX bytes. It does not begin with '_': in
 * Python such a name is one of the proxy alone, which nobody else sees, and what C keeps for itself is a variable.
 */
#ifndef MPROC_NAMESPACE_H
#define MPROC_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/call.h>
#include <mproc/dict.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_namespace mproc_namespace;

/*
 * Creates a namespace with copies of the values of a map, by its keys; mproc_nil(): an empty one. Does not block.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or `values` is something else
 *   other statuses   as mproc_namespace_set()
 */
MPROC_API mproc_status mproc_namespace_create(mproc_value values, mproc_namespace **out);

/* Drops this process' reference; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_namespace_free(mproc_namespace *space);

/* ---- one name -------------------------------------------------------------------------------------- */

/*
 * Gives the name a copy of the value, and adds it if it is not there (Python: space.name = value). Does not block.
 *
 * Returns as mproc_dict_set(), with the namespace unchanged. MPROC_INVALID: also if the name cannot be one.
 */
static inline mproc_status mproc_namespace_set(mproc_namespace *space, const char *name, mproc_value value);

/*
 * Copies the name's value to `*value`, which is the caller's: mproc_value_clear() (Python: space.name). Does not
 * block. Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_NOT_FOUND  the name is not there (Python: AttributeError)
 *   MPROC_INVALID    the name cannot be one, or `value` is NULL
 *   MPROC_NO_MEMORY  this process has no room for the copy
 *   MPROC_FORKED     as mproc_dict_set()
 */
MPROC_NODISCARD static inline mproc_status mproc_namespace_get(const mproc_namespace *space, const char *name,
                                                               mproc_value *value);

/* Returns whether the name is there (Python: hasattr()); false also for what cannot be one. Does not block. */
static inline bool mproc_namespace_has(const mproc_namespace *space, const char *name);

/*
 * Takes the name and its value out (Python: del space.name). Does not block. Returns as mproc_namespace_get(), with
 * the namespace unchanged.
 */
static inline mproc_status mproc_namespace_delete(mproc_namespace *space, const char *name);

/*
 * Adds to the name's integer, in one step (Python's space.name += by is two, of which others come in between); one
 * that is not there begins with 0. `*result` (unless it is NULL) is what it is then. Does not block. Returns as
 * mproc_dict_increment(). Ours.
 */
static inline mproc_status mproc_namespace_increment(mproc_namespace *space, const char *name, int64_t by,
                                                     int64_t *result);

/*
 * Gives the name the value that a function makes of the one that it has, in one step; see mproc_dict_update_with(),
 * as which it blocks and returns. Ours.
 */
static inline mproc_status mproc_namespace_update_with(mproc_namespace *space, const char *name,
                                                       mproc_function *function, mproc_args args);

/* ---- the whole ------------------------------------------------------------------------------------- */

/* Returns how many names there are. Does not block. */
static inline size_t mproc_namespace_count(const mproc_namespace *space);

/*
 * Copies the whole, as it is at one moment, to `*copy`: a map by names, in their order, which is the caller's:
 * mproc_value_clear() (Python: space.__dict__). Blocks and returns as mproc_dict_copy().
 */
MPROC_NODISCARD static inline mproc_status mproc_namespace_copy(const mproc_namespace *space, mproc_value *copy);

/* The same of the names alone, as a list (Python: dir()). Blocks and returns as mproc_dict_copy(). */
MPROC_NODISCARD static inline mproc_status mproc_namespace_names(const mproc_namespace *space, mproc_value *names);

/*
 * Writes what Python's print(space) would say to `*text`, a string, which is the caller's: mproc_value_clear(). That
 * is "Namespace(a=1, b='x')", sorted; values are printed as by mproc_value_print(). Blocks and returns as
 * mproc_dict_copy().
 */
MPROC_NODISCARD static inline mproc_status mproc_namespace_text(const mproc_namespace *space, mproc_value *text);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

/* Those before MPROC_NAMESPACE_COPY have a name. The numbers are those of messages, too, and never change. */
enum mproc_namespace_method {
    MPROC_NAMESPACE_SET = MPROC_DICT_SET,
    MPROC_NAMESPACE_GET = MPROC_DICT_GET,
    MPROC_NAMESPACE_DELETE = MPROC_DICT_DELETE,
    MPROC_NAMESPACE_INCREMENT = MPROC_DICT_INCREMENT,
    MPROC_NAMESPACE_UPDATE = MPROC_DICT_UPDATE,
    MPROC_NAMESPACE_HAS = MPROC_DICT_HAS,
    MPROC_NAMESPACE_COPY = MPROC_DICT_COPY,
    MPROC_NAMESPACE_NAMES = MPROC_DICT_KEYS,
    MPROC_NAMESPACE_TEXT = 64,
    MPROC_NAMESPACE_COUNT = 65
};

/* One call, wherever the namespace is. */
MPROC_NODISCARD MPROC_API mproc_status mproc_namespace_call(const mproc_namespace *space,
                                                            enum mproc_namespace_method method,
                                                            const mproc_value *name, const mproc_value *value,
                                                            mproc_function *function, mproc_value *result);

static inline mproc_status mproc_namespace_set(mproc_namespace *space, const char *name, mproc_value value)
{
    mproc_value key = mproc_string(name);

    return mproc_namespace_call(space, MPROC_NAMESPACE_SET, &key, &value, NULL, NULL);
}

static inline mproc_status mproc_namespace_get(const mproc_namespace *space, const char *name, mproc_value *value)
{
    mproc_value key = mproc_string(name);

    return mproc_namespace_call(space, MPROC_NAMESPACE_GET, &key, NULL, NULL, value);
}

static inline bool mproc_namespace_has(const mproc_namespace *space, const char *name)
{
    mproc_value key = mproc_string(name);

    return mproc_namespace_call(space, MPROC_NAMESPACE_HAS, &key, NULL, NULL, NULL) == MPROC_OK;
}

static inline mproc_status mproc_namespace_delete(mproc_namespace *space, const char *name)
{
    mproc_value key = mproc_string(name);

    return mproc_namespace_call(space, MPROC_NAMESPACE_DELETE, &key, NULL, NULL, NULL);
}

static inline mproc_status mproc_namespace_increment(mproc_namespace *space, const char *name, int64_t by,
                                                     int64_t *result)
{
    mproc_value key = mproc_string(name), number = mproc_int(by), sum = mproc_nil();
    mproc_status status = mproc_namespace_call(space, MPROC_NAMESPACE_INCREMENT, &key, &number, NULL, &sum);

    if (status == MPROC_OK && result) *result = mproc_value_int(sum);
    return status;
}

static inline mproc_status mproc_namespace_update_with(mproc_namespace *space, const char *name,
                                                       mproc_function *function, mproc_args args)
{
    mproc_value key = mproc_string(name);

    return mproc_namespace_call(space, MPROC_NAMESPACE_UPDATE, &key, &args, function, NULL);
}

static inline size_t mproc_namespace_count(const mproc_namespace *space)
{
    mproc_value result = mproc_nil();

    return mproc_namespace_call(space, MPROC_NAMESPACE_COUNT, NULL, NULL, NULL, &result) == MPROC_OK
               ? MPROC_CAST_(size_t, mproc_value_uint(result))
               : 0;
}

static inline mproc_status mproc_namespace_copy(const mproc_namespace *space, mproc_value *copy)
{
    return mproc_namespace_call(space, MPROC_NAMESPACE_COPY, NULL, NULL, NULL, copy);
}

static inline mproc_status mproc_namespace_names(const mproc_namespace *space, mproc_value *names)
{
    return mproc_namespace_call(space, MPROC_NAMESPACE_NAMES, NULL, NULL, NULL, names);
}

static inline mproc_status mproc_namespace_text(const mproc_namespace *space, mproc_value *text)
{
    return mproc_namespace_call(space, MPROC_NAMESPACE_TEXT, NULL, NULL, NULL, text);
}

#ifdef __cplusplus
}

/* Lists and maps where they are made. */
template <bool map, class... Kept>
mproc_status mproc_namespace_create(const mproc_values<map, Kept...> &values, mproc_namespace **out)
{
    return mproc_namespace_create(values.borrow(), out);
}

template <bool map, class... Kept>
mproc_status mproc_namespace_set(mproc_namespace *space, const char *name, const mproc_values<map, Kept...> &value)
{
    return mproc_namespace_set(space, name, value.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_namespace_update_with(mproc_namespace *space, const char *name, mproc_function *function,
                                         const mproc_values<map, Kept...> &args)
{
    return mproc_namespace_update_with(space, name, function, args.borrow());
}
#endif

#endif
