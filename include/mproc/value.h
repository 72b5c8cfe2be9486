/*
 * Values: what may be an argument of a task, an element of a shareable list, an item of a queue - nil, bool,
 * integers, doubles, strings, bytes, lists and maps of these, functions, and objects of this library.
 *
 *     mproc_value order = MPROC_MAP("name", "f1", "count", 2, "tags", MPROC_LIST("a", "b"));
 *     int count;
 *     MPROC_TRY(mproc_value_to(mproc_value_get(order, "count"), &count));
 *
 * A value is a small struct that is passed by value. It is one of:
 *   - borrowed: made by the functions and macros here. Strings, bytes and elements stay where they are, and must stay
 *     there as long as the value is used; nothing is allocated, and nothing is to be cleared.
 *   - a view into an encoding: the arguments of a task, an element of such a value, what mproc_value_decode() gives.
 *     It is valid as long as those bytes are.
 *   - owned: what mproc_value_copy() gives. mproc_value_clear() frees it; views into it end with that.
 * All can be read, encoded and copied alike, and contain each other.
 *
 * Said once for all functions below: none blocks; any thread may call them, at any time; a value that nobody changes
 * may be read by several threads at once. The functions that return a status set mproc_last_error_text() with it.
 *
 * Limits: an encoding, which is all that a value holds, has at most MPROC_VALUE_BYTES_MAX bytes; lists and maps lie
 * at most MPROC_VALUE_DEPTH_MAX deep in each other. docs/value-format.md describes the encoding.
 */
#ifndef MPROC_VALUE_H
#define MPROC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MPROC_VALUE_BYTES_MAX ((size_t)1 << 30)
#define MPROC_VALUE_DEPTH_MAX 64

/* Number, name and description of every type. The numbers stand in encodings and never change. */
#define MPROC_TYPE_TABLE(X)   \
    X(0, NIL, "nil")          \
    X(1, BOOL, "a bool")      \
    X(2, INT64, "an int64")   \
    X(3, UINT64, "a uint64")  \
    X(4, DOUBLE, "a double")  \
    X(5, STRING, "a string")  \
    X(6, BYTES, "bytes")      \
    X(7, LIST, "a list")      \
    X(8, MAP, "a map")        \
    X(9, HANDLE, "an object") \
    X(10, FUNCTION, "a function")

/* Integers up to INT64_MAX are int64, however they were made; only those above are uint64. */
typedef enum mproc_type {
#define MPROC_TYPE_ENUM(number, name, text) MPROC_TYPE_##name = (number),
    MPROC_TYPE_TABLE(MPROC_TYPE_ENUM)
#undef MPROC_TYPE_ENUM
    /* Made of what cannot be a value; whoever uses it is told why. */
    MPROC_TYPE_REFUSED = 255
} mproc_type;

/*
 * Kinds of objects that a value can refer to: number, name of the C type without "mproc_", constant, description.
 * The numbers stand in encodings and never change.
 */
#define MPROC_OBJECT_TABLE(X)                                 \
    X(1, lock, LOCK, "a lock")                                \
    X(2, rlock, RLOCK, "an rlock")                            \
    X(3, semaphore, SEMAPHORE, "a semaphore")                 \
    X(4, condition, CONDITION, "a condition")                 \
    X(5, event, EVENT, "an event")                            \
    X(6, barrier, BARRIER, "a barrier")                       \
    X(7, shared_value, SHARED_VALUE, "a shared value")        \
    X(8, shared_array, SHARED_ARRAY, "a shared array")        \
    X(9, shared_memory, SHARED_MEMORY, "shared memory")       \
    X(10, shareable_list, SHAREABLE_LIST, "a shareable list") \
    X(11, queue, QUEUE, "a queue")                            \
    X(12, connection, CONNECTION, "a connection")             \
    X(13, os_handle, OS_HANDLE, "a handle of the system")     \
    X(14, dict, DICT, "a dict")                               \
    X(15, list, LIST, "a shared list")                        \
    X(16, set, SET, "a set")                                  \
    X(17, namespace, NAMESPACE, "a namespace")                \
    X(18, object, OBJECT, "an object of a class")

#define MPROC_OBJECT_STRUCT(number, name, constant, text) typedef struct mproc_##name mproc_##name;
MPROC_OBJECT_TABLE(MPROC_OBJECT_STRUCT)
#undef MPROC_OBJECT_STRUCT

typedef enum mproc_object_kind {
#define MPROC_OBJECT_ENUM(number, name, constant, text) MPROC_KIND_##constant = (number),
    MPROC_OBJECT_TABLE(MPROC_OBJECT_ENUM)
#undef MPROC_OBJECT_ENUM
        MPROC_KIND_MAX = INT32_MAX
} mproc_object_kind;

struct mproc_call;

/* Read it with the functions below; its fields are the library's own. All zero is nil. */
typedef struct mproc_value {
    uint8_t type;  /* mproc_type */
    uint8_t form;  /* borrowed, view or owned */
    uint16_t kind; /* of an object of this process */
    uint32_t count;
    union {
        int64_t int64;
        uint64_t uint64;
        double number;
        const void *data;
        const struct mproc_value *items;
        mproc_status (*function)(struct mproc_call *call);
    } as;
} mproc_value;

/* ---- making values ---------------------------------------------------------------------------- */

/*
 * Makers bear the name of what they make: mproc_int(10). Those that take their content from elsewhere end with _from:
 * mproc_list_from(items, count). Readers bear the name of what they read: mproc_value_int(value). MPROC_VALUE(x) in
 * <mproc/value_generic.h> chooses a maker by the type of x.
 *
 * Makers never fail: a value that cannot be (too large, a string that is not UTF-8) is refused by the call that it is
 * given to.
 */

/* Written as one word, which is how the library reads it: what was written in parts is waited for. */
static inline mproc_value mproc_value_make_(mproc_type type, size_t count)
{
    uint64_t head = MPROC_CAST_(uint64_t, type) | MPROC_CAST_(uint64_t, count < UINT32_MAX ? count : UINT32_MAX)
                                                      << 32;
    mproc_value value;

    memcpy(&value, &head, sizeof head);
    value.as.int64 = 0;
    return value;
}

static inline mproc_value mproc_value_refused_(const char *why)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_REFUSED, 0);

    value.as.data = why;
    return value;
}

/* The value that is nothing (Python: None). */
static inline mproc_value mproc_nil(void)
{
    return mproc_value_make_(MPROC_TYPE_NIL, 0);
}

/* A bool. */
static inline mproc_value mproc_bool(bool boolean)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_BOOL, 0);

    value.as.int64 = boolean;
    return value;
}

/* An integer. */
static inline mproc_value mproc_int(int64_t number)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_INT64, 0);

    value.as.int64 = number;
    return value;
}

/* An integer that is not negative; above INT64_MAX its type is uint64. */
static inline mproc_value mproc_uint(uint64_t number)
{
    mproc_value value = mproc_value_make_(number <= INT64_MAX ? MPROC_TYPE_INT64 : MPROC_TYPE_UINT64, 0);

    value.as.uint64 = number;
    return value;
}

/* A floating-point number; NaN and infinities, too. */
static inline mproc_value mproc_double(double number)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_DOUBLE, 0);

    value.as.number = number;
    return value;
}

/* Text of `size` bytes, UTF-8; it may contain NULs. */
static inline mproc_value mproc_string_from(const char *text, size_t size)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_STRING, size);

    value.as.data = text;
    return value;
}

/* Text up to its NUL, UTF-8. NULL is nil. */
static inline mproc_value mproc_string(const char *text)
{
    return text ? mproc_string_from(text, strlen(text)) : mproc_nil();
}

/* Any `size` bytes. Given as the arguments of a task, they are all that it gets: mproc_unpack_bytes(). */
static inline mproc_value mproc_bytes(const void *data, size_t size)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_BYTES, size);

    value.as.data = data;
    return value;
}

/* A list of `count` values. */
static inline mproc_value mproc_list_from(const mproc_value *items, size_t count)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_LIST, count);

    value.as.items = items;
    return value;
}

/*
 * A map of `count` pairs: `items` are key, value, key, value and so on. It keeps their order. Keys are strings,
 * integers, bools or bytes, and no two are equal; a bool and an integer never are.
 */
static inline mproc_value mproc_map_from(const mproc_value *items, size_t count)
{
    mproc_value value = mproc_value_make_(MPROC_TYPE_MAP, count);

    value.as.items = items;
    return value;
}

/* A function that another process may call, see mproc_function. NULL is nil. */
static inline mproc_value mproc_function_from(mproc_status (*function)(struct mproc_call *call))
{
    mproc_value value = mproc_value_make_(function ? MPROC_TYPE_FUNCTION : MPROC_TYPE_NIL, 0);

    value.as.function = function;
    return value;
}

/*
 * An object of this library, such as a lock. NULL is nil. The value borrows the program's reference: it is used no
 * more once that is freed. A copy of it, and what a task is given, refer to the object itself: mproc_value_to() says
 * MPROC_CLOSED when the object is gone.
 */
static inline mproc_value mproc_object_from(mproc_object_kind kind, const void *object)
{
    mproc_value value = mproc_value_make_(object ? MPROC_TYPE_HANDLE : MPROC_TYPE_NIL, 0);

    value.kind = MPROC_CAST_(uint16_t, kind);
    value.as.data = object;
    return value;
}

/* ---- reading values --------------------------------------------------------------------------- */

/*
 * These never fail: asked for what a value is not, they return nothing (0, false, NULL, nil). Where that would hide a
 * mistake, mproc_value_to(value, &variable) checks type and range; see <mproc/value_generic.h>.
 */

/* Returns the value's type. */
static inline mproc_type mproc_value_type(mproc_value value)
{
    return MPROC_CAST_(mproc_type, value.type);
}

/* Returns a description, such as "a string". */
MPROC_API const char *mproc_type_name(mproc_type type);

/* Returns whether the value is nil. */
static inline bool mproc_value_is_nil(mproc_value value)
{
    return value.type == MPROC_TYPE_NIL;
}

/* Returns the bool; false of another type, also of an integer. */
static inline bool mproc_value_bool(mproc_value value)
{
    return value.type == MPROC_TYPE_BOOL && value.as.int64 != 0;
}

/* Returns the integer; 0 of another type, and of integers above INT64_MAX. */
static inline int64_t mproc_value_int(mproc_value value)
{
    return value.type == MPROC_TYPE_INT64 ? value.as.int64 : 0;
}

/* Returns the integer; 0 of another type, and of negative integers. */
static inline uint64_t mproc_value_uint(mproc_value value)
{
    bool fits = value.type == MPROC_TYPE_UINT64 || (value.type == MPROC_TYPE_INT64 && value.as.int64 >= 0);

    return fits ? value.as.uint64 : 0;
}

/* Returns the number, of an integer the nearest double; 0.0 of another type. */
static inline double mproc_value_double(mproc_value value)
{
    if (value.type == MPROC_TYPE_DOUBLE) return value.as.number;
    if (value.type == MPROC_TYPE_UINT64) return MPROC_CAST_(double, value.as.uint64);
    return value.type == MPROC_TYPE_INT64 ? MPROC_CAST_(double, value.as.int64) : 0.0;
}

/*
 * Returns the text. A NUL follows it, unless the value was made by mproc_string_from() of text that has none; one
 * may also be in it, see mproc_value_size().
 */
static inline const char *mproc_value_string(mproc_value value)
{
    return value.type == MPROC_TYPE_STRING ? MPROC_CAST_(const char *, value.as.data) : NULL;
}

/* Returns the bytes; those in an encoding are aligned for 8-byte types. */
static inline const void *mproc_value_bytes(mproc_value value)
{
    return value.type == MPROC_TYPE_BYTES ? value.as.data : NULL;
}

/* Returns the number of bytes of a string, without the NUL behind it, or of bytes. */
static inline size_t mproc_value_size(mproc_value value)
{
    return value.type == MPROC_TYPE_STRING || value.type == MPROC_TYPE_BYTES ? value.count : 0;
}

/* Returns the number of elements of a list, or of pairs of a map. */
static inline size_t mproc_value_count(mproc_value value)
{
    return value.type == MPROC_TYPE_LIST || value.type == MPROC_TYPE_MAP ? value.count : 0;
}

/* Returns the element of a list at `index` (from 0), or the value of a map's pair there. At once, however long. */
MPROC_API mproc_value mproc_value_at(mproc_value container, size_t index);

/* Returns the key of a map's pair at `index`. */
MPROC_API mproc_value mproc_value_key(mproc_value map, size_t index);

/*
 * Looks for a key in a map. Returns whether it is there; if so, writes its value to `value` (unless that is NULL).
 * In an encoding the time grows with the logarithm of the number of pairs, in a borrowed map with the number.
 */
MPROC_API bool mproc_value_find(mproc_value map, mproc_value key, mproc_value *value);

/* Returns the value of a key of a map, nil if it is not there (Python: dict.get()). */
static inline mproc_value mproc_value_get(mproc_value map, const char *key);

/*
 * Returns whether both are the same: type by type (1 is not 1.0), maps in any order. Doubles are compared by ==, but
 * NaN is the same as NaN, so that a copy always equals its original. Lists and maps that lie deeper in each other
 * than MPROC_VALUE_DEPTH_MAX, of which there are no copies, equal nothing.
 */
MPROC_API bool mproc_value_equal(mproc_value left, mproc_value right);

/*
 * Writes what Python's repr() would say of the value, with a NUL, to `text` - but characters beyond ASCII, also those
 * that cannot be seen, stay what they are; what does not fit into `capacity` bytes is cut, at the end of a character.
 * Returns the number of bytes of the whole, without the NUL, as snprintf() does. `text` may be NULL if `capacity` is
 * 0.
 */
MPROC_API size_t mproc_value_print(mproc_value value, char *text, size_t capacity);

/* ---- copies and encodings --------------------------------------------------------------------- */

/*
 * Makes a copy that owns all that it consists of, as one block of memory; but it does not keep alive the objects that
 * it refers to: once all references to one are freed, mproc_value_to() says MPROC_CLOSED.
 *
 * `*copy` is the caller's: mproc_value_clear(). Returns MPROC_OK, or, with `*copy` unchanged:
 *   MPROC_INVALID       the value, or what is in it, cannot be: a string that is not UTF-8, a pointer that means
 *                       nothing elsewhere, a key of a type that none can have, a key twice, more than the limits
 *                       allow
 *   MPROC_BAD_FUNCTION  a function lies in no module of this process
 *   MPROC_NO_MEMORY
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_value_copy(mproc_value value, mproc_value *copy);

/* Frees what an owned value owns, and makes any value nil. NULL is fine. */
MPROC_API void mproc_value_clear(mproc_value *value);

/* Writes the size of the value's encoding to `*size`. Returns as mproc_value_copy(), but does not see a key twice. */
MPROC_NODISCARD MPROC_API mproc_status mproc_value_encoded_size(mproc_value value, size_t *size);

/*
 * Writes the value's encoding to the `capacity` bytes at `buffer`, which is aligned for 8-byte types, and its size to
 * `*size`.
 *
 * Returns as mproc_value_copy(), and MPROC_INVALID for a buffer that is too small, not aligned or NULL; then `*size`
 * is unchanged and what is in the buffer is undefined.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_value_encode(mproc_value value, void *buffer, size_t capacity,
                                                          size_t *size);

/*
 * Checks the `size` bytes at `encoding`, which may come from anywhere, and gives a view of the value in them.
 * Nothing is copied: the bytes must stay, unchanged, while the view is used. They are aligned for 8-byte types.
 *
 * Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_INVALID   NULL, not aligned, or no encoding of a value; mproc_last_error_text() names the byte. Objects and
 *                   functions mean nothing outside the family and are refused as well
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_value_decode(const void *encoding, size_t size, mproc_value *value);

/* ---- what the inline function above calls; not for direct use --------------------------------- */

MPROC_API mproc_value mproc_value_get_sized(mproc_value map, const char *key, size_t size);

static inline mproc_value mproc_value_get(mproc_value map, const char *key)
{
    return mproc_value_get_sized(map, key, key ? strlen(key) : 0);
}

#ifdef __cplusplus
}
#endif

#include <mproc/value_generic.h>

#endif
