/*
 * Values and variables by the static type of what is written: MPROC_VALUE(x), MPROC_LIST(...), MPROC_MAP(...),
 * MPROC_ARGS(...), mproc_value_to(), mproc_value_unpack() and, in <mproc/call.h>, mproc_unpack().
 *
 * Each takes up to 32 things (a map 16 pairs); longer lists and maps are arrays for mproc_list_from() and
 * mproc_map_from(). A compiler without _Generic has mproc_int(), mproc_string() and the like.
 *
 * What cannot be a value, or take one, is refused when the program is compiled. In C what a macro makes lives until
 * the block ends in which it stands. For C++ see <mproc/value_cplusplus.h>.
 */
#ifndef MPROC_VALUE_GENERIC_H
#define MPROC_VALUE_GENERIC_H

#include <mproc/export.h>
#include <mproc/value.h>

/* ---- which types can be a value, and which variables take one ---------------------------------- */

static inline mproc_value mproc_value_same_(mproc_value value)
{
    return value;
}

/* Text as programs have it that take char for a signed type. */
static inline mproc_value mproc_value_text_(const void *text)
{
    return mproc_string(MPROC_CAST_(const char *, text));
}

#define MPROC_OBJECT_MAKE(number, name, constant, text)                         \
    static inline mproc_value mproc_value_##name##_(const mproc_##name *object) \
    {                                                                           \
        return mproc_object_from(MPROC_KIND_##constant, object);                \
    }
MPROC_OBJECT_TABLE(MPROC_OBJECT_MAKE)
#undef MPROC_OBJECT_MAKE

/*
 * C type and constructor of all that can be a value, but objects. `true` is an int in C11: use a bool variable or
 * mproc_bool(true); a bool variable takes 0 and 1 as well. An enum is its integer type.
 */
#define MPROC_VALUE_TABLE(X)                    \
    X(bool, mproc_bool)                         \
    X(char, mproc_int)                          \
    X(signed char, mproc_int)                   \
    X(short, mproc_int)                         \
    X(int, mproc_int)                           \
    X(long, mproc_int)                          \
    X(long long, mproc_int)                     \
    X(unsigned char, mproc_uint)                \
    X(unsigned short, mproc_uint)               \
    X(unsigned int, mproc_uint)                 \
    X(unsigned long, mproc_uint)                \
    X(unsigned long long, mproc_uint)           \
    X(float, mproc_double)                      \
    X(double, mproc_double)                     \
    X(char *, mproc_string)                     \
    X(const char *, mproc_string)               \
    X(signed char *, mproc_value_text_)         \
    X(const signed char *, mproc_value_text_)   \
    X(unsigned char *, mproc_value_text_)       \
    X(const unsigned char *, mproc_value_text_) \
    X(mproc_value_function_, mproc_function_from)

typedef mproc_status (*mproc_value_function_)(struct mproc_call *call);

/* What a variable takes; of integers the variable's size is known besides. */
typedef enum mproc_target_type {
    MPROC_TARGET_NONE_ = -1, /* nothing: refused when the program is compiled */
    MPROC_TARGET_VALUE = 0,  /* any value: a view of it */
    MPROC_TARGET_BOOL = 1,   /* also the integers 0 and 1 */
    MPROC_TARGET_INT = 2,
    MPROC_TARGET_UINT = 3,
    MPROC_TARGET_FLOAT = 4,    /* also an integer, if it is the same number then */
    MPROC_TARGET_STRING = 5,   /* a string without a NUL in it; nil is NULL */
    MPROC_TARGET_FUNCTION = 6, /* nil is NULL */
    MPROC_TARGET_OBJECT = 16   /* + its kind; nil is NULL */
} mproc_target_type;

/* A variable that a value is put into. */
typedef struct mproc_target {
    uint32_t type; /* mproc_target_type */
    uint32_t size;
    void *variable;
} mproc_target;

/* C type of the variable and what it takes, but objects. */
#define MPROC_TARGET_TABLE(X)                     \
    X(bool, MPROC_TARGET_BOOL)                    \
    X(signed char, MPROC_TARGET_INT)              \
    X(short, MPROC_TARGET_INT)                    \
    X(int, MPROC_TARGET_INT)                      \
    X(long, MPROC_TARGET_INT)                     \
    X(long long, MPROC_TARGET_INT)                \
    X(unsigned char, MPROC_TARGET_UINT)           \
    X(unsigned short, MPROC_TARGET_UINT)          \
    X(unsigned int, MPROC_TARGET_UINT)            \
    X(unsigned long, MPROC_TARGET_UINT)           \
    X(unsigned long long, MPROC_TARGET_UINT)      \
    X(float, MPROC_TARGET_FLOAT)                  \
    X(double, MPROC_TARGET_FLOAT)                 \
    X(const char *, MPROC_TARGET_STRING)          \
    X(const unsigned char *, MPROC_TARGET_STRING) \
    X(mproc_value_function_, MPROC_TARGET_FUNCTION)

static inline mproc_target mproc_target_make_(int type, size_t size, void *variable)
{
    mproc_target target;

    target.type = MPROC_CAST_(uint32_t, type);
    target.size = MPROC_CAST_(uint32_t, size);
    target.variable = variable;
    return target;
}

#ifdef __cplusplus
extern "C" {
#endif

/* What mproc_value_to() and mproc_value_unpack() call. */
MPROC_NODISCARD MPROC_API mproc_status mproc_value_store(mproc_value value, mproc_target target);
MPROC_NODISCARD MPROC_API mproc_status mproc_value_unpack_targets(mproc_value list, const mproc_target *targets,
                                                                  size_t count);

#ifdef __cplusplus
}
#endif

#ifndef __cplusplus

/* ---- C ---------------------------------------------------------------------------------------- */

/* Each argument through M, with commas between. MPROC_EXPAND: an older preprocessor takes a list for one word. */
#define MPROC_EXPAND(...) __VA_ARGS__
#define MPROC_JOIN(a, b) MPROC_JOIN_(a, b)
#define MPROC_JOIN_(a, b) a##b
#define MPROC_COUNT(...)                                                                                           \
    MPROC_EXPAND(MPROC_COUNT_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, \
                              14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
#define MPROC_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, \
                     a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, n, ...)                                  \
    n
#define MPROC_EACH(M, ...) MPROC_EXPAND(MPROC_JOIN(MPROC_EACH_, MPROC_COUNT(__VA_ARGS__))(M, __VA_ARGS__))
#define MPROC_EACH_1(M, x) M(x)
#define MPROC_EACH_2(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_1(M, __VA_ARGS__))
#define MPROC_EACH_3(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_2(M, __VA_ARGS__))
#define MPROC_EACH_4(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_3(M, __VA_ARGS__))
#define MPROC_EACH_5(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_4(M, __VA_ARGS__))
#define MPROC_EACH_6(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_5(M, __VA_ARGS__))
#define MPROC_EACH_7(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_6(M, __VA_ARGS__))
#define MPROC_EACH_8(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_7(M, __VA_ARGS__))
#define MPROC_EACH_9(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_8(M, __VA_ARGS__))
#define MPROC_EACH_10(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_9(M, __VA_ARGS__))
#define MPROC_EACH_11(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_10(M, __VA_ARGS__))
#define MPROC_EACH_12(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_11(M, __VA_ARGS__))
#define MPROC_EACH_13(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_12(M, __VA_ARGS__))
#define MPROC_EACH_14(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_13(M, __VA_ARGS__))
#define MPROC_EACH_15(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_14(M, __VA_ARGS__))
#define MPROC_EACH_16(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_15(M, __VA_ARGS__))
#define MPROC_EACH_17(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_16(M, __VA_ARGS__))
#define MPROC_EACH_18(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_17(M, __VA_ARGS__))
#define MPROC_EACH_19(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_18(M, __VA_ARGS__))
#define MPROC_EACH_20(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_19(M, __VA_ARGS__))
#define MPROC_EACH_21(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_20(M, __VA_ARGS__))
#define MPROC_EACH_22(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_21(M, __VA_ARGS__))
#define MPROC_EACH_23(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_22(M, __VA_ARGS__))
#define MPROC_EACH_24(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_23(M, __VA_ARGS__))
#define MPROC_EACH_25(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_24(M, __VA_ARGS__))
#define MPROC_EACH_26(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_25(M, __VA_ARGS__))
#define MPROC_EACH_27(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_26(M, __VA_ARGS__))
#define MPROC_EACH_28(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_27(M, __VA_ARGS__))
#define MPROC_EACH_29(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_28(M, __VA_ARGS__))
#define MPROC_EACH_30(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_29(M, __VA_ARGS__))
#define MPROC_EACH_31(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_30(M, __VA_ARGS__))
#define MPROC_EACH_32(M, x, ...) M(x), MPROC_EXPAND(MPROC_EACH_31(M, __VA_ARGS__))

/* NULL is nil; where else a pointer points says nothing to another process. */
static inline mproc_value mproc_value_pointer_(const void *pointer)
{
    return pointer ? mproc_value_refused_("a void pointer, which means nothing elsewhere: use mproc_bytes()")
                   : mproc_nil();
}

/* What no row has. The compiler says that it cannot pass the argument, and names this function. */
typedef struct mproc_value_unknown_ {
    char nothing;
} mproc_value_unknown_;

/* What MPROC_VALUE() chooses for a type that no value can be of. */
static inline mproc_value mproc_no_value_can_be_of_this_type(mproc_value_unknown_ unknown)
{
    (void)unknown;
    return mproc_nil();
}

#define MPROC_VALUE_ROW(type, make) \
    type:                           \
    (make),
#define MPROC_VALUE_OBJECT_ROW(number, name, constant, text) \
    mproc_##name * : mproc_value_##name##_, const mproc_##name * : mproc_value_##name##_,
#define MPROC_TARGET_ROW(type, target) type * : (target),
#define MPROC_TARGET_OBJECT_ROW(number, name, constant, text) mproc_##name ** : MPROC_TARGET_OBJECT + (number),

/*
 * The value of anything that can be one. Of other types no value can be; where a pointer points means nothing to
 * another process, but what is there can travel as mproc_bytes().
 */
#define MPROC_VALUE(x) \
    _Generic((x), MPROC_VALUE_TABLE(MPROC_VALUE_ROW) MPROC_OBJECT_TABLE(MPROC_VALUE_OBJECT_ROW) mproc_value \
             : mproc_value_same_, void *                                                                    \
             : mproc_value_pointer_, const void *                                                           \
             : mproc_value_pointer_, default                                                                \
             : mproc_no_value_can_be_of_this_type)(x)

/* clang shows the condition of an assertion that fails, so this one is short. */
#define MPROC_TARGET_IS_TEXT_(address) \
    _Generic((address), char ** : 1, signed char ** : 1, unsigned char ** : 1, default : 0)

/* What the variable at that address takes, or MPROC_TARGET_NONE_. */
#define MPROC_TARGET_TYPE_(address)                                                                         \
    _Generic((address),                                                                                     \
             MPROC_TARGET_TABLE(MPROC_TARGET_ROW) MPROC_OBJECT_TABLE(MPROC_TARGET_OBJECT_ROW) mproc_value * \
             : MPROC_TARGET_VALUE, default                                                                  \
             : MPROC_TARGET_NONE_)

/* The address of a variable that takes a value. */
#define MPROC_TARGET(address)                                                                           \
    (MPROC_REFUSE_UNLESS_(!MPROC_TARGET_IS_TEXT_(address),                                              \
                          "mproc: text is taken into a variable of the type const char *, not char *"), \
     MPROC_REFUSE_UNLESS_(                                                                              \
         MPROC_TARGET_TYPE_(address) != MPROC_TARGET_NONE_ || MPROC_TARGET_IS_TEXT_(address),           \
         "mproc: give the address of a variable that can take a value: an integer, bool, float, "       \
         "double, const char *, mproc_value, mproc_function *, or a pointer to an object of mproc"),    \
     mproc_target_make_(MPROC_TARGET_TYPE_(address), sizeof *(address), (void *)(address)))

#define MPROC_VALUES_(...) ((const mproc_value[]){MPROC_EACH(MPROC_VALUE, __VA_ARGS__)})

/* A list of its arguments. */
#define MPROC_LIST(...) mproc_list_from(MPROC_VALUES_(__VA_ARGS__), MPROC_COUNT(__VA_ARGS__))

/* A map of its arguments: MPROC_MAP("name", "f1", "count", 2). */
#define MPROC_MAP(...) mproc_value_pairs_(MPROC_VALUES_(__VA_ARGS__), MPROC_COUNT(__VA_ARGS__))

/* The arguments of a task, in their order. None: mproc_no_args(). */
#define MPROC_ARGS(...) MPROC_LIST(__VA_ARGS__)

/*
 * Puts the value into the variable at `address`, if it has the variable's type and fits. Of an object it is a new
 * reference, the caller's to free; in the thread that runs a task it is the task's, see <mproc/lock.h>. Of a string
 * it is the value's own text, which ends with a NUL unless the value was made of bytes that do not.
 *
 * Returns MPROC_OK, or, with the variable unchanged:
 *   MPROC_INVALID   another type, or out of range; mproc_last_error_text() names both types
 *   MPROC_BAD_FUNCTION  a function lies in no module that this process has or can open
 *   MPROC_MISMATCH      its module is another one here than where the value was made
 *   MPROC_CLOSED        the last reference to the object has been freed, or the process that had it has ended
 *   MPROC_NOT_FOUND, MPROC_LIMIT  named memory: its name was taken away, or too many files are open
 *   MPROC_NO_MEMORY, and what every function of this library may return, see <mproc/process.h>
 */
#define mproc_value_to(value, address) mproc_value_store((value), MPROC_TARGET(address))

#define MPROC_TARGETS_(...) ((const mproc_target[]){MPROC_EACH(MPROC_TARGET, __VA_ARGS__)})

/*
 * Puts the elements of a list into variables, whose addresses are given, by the type of each; as many as the list has
 * elements, up to 32:
 *
 *     struct account { int64_t coins; mproc_lock *lock; } account;
 *     MPROC_TRY(mproc_value_unpack(value, &account.coins, &account.lock));
 *
 * Each is put there as by mproc_value_to(). Returns as it does, and with all variables unchanged if one does not fit:
 * mproc_last_error_text() names the element by its index. MPROC_INVALID also if the value is no list or has another
 * number of elements.
 */
#define mproc_value_unpack(value, ...) \
    mproc_value_unpack_targets((value), MPROC_TARGETS_(__VA_ARGS__), MPROC_COUNT(__VA_ARGS__))

#endif

static inline mproc_value mproc_value_pairs_(const mproc_value *items, size_t count)
{
    return count % 2 == 0 ? mproc_map_from(items, count / 2)
                          : mproc_value_refused_("a map of an odd number of things: it is made of keys and values");
}

#ifdef __cplusplus
#include <mproc/value_cplusplus.h>
#endif

#endif
