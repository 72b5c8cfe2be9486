/* Values into variables: what fits, what is said when it does not, and objects and functions on their way. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include <mproc/call.h>

#include "base/encoding.h"
#include "check.h"

#define CHECK_WANTS(value, variable, text)                                 \
    do {                                                                   \
        CHECK_STATUS(mproc_value_to((value), &(variable)), MPROC_INVALID); \
        CHECK_CONTAINS(mproc_last_error_text(), text);                     \
    } while (0)

static void case_integers_fit_what_can_hold_them(void)
{
    int8_t i8 = 1;
    uint8_t u8 = 1;
    int16_t i16 = 1;
    uint16_t u16 = 1;
    int i32 = 1;
    unsigned u32 = 1;
    int64_t i64 = 1;
    uint64_t u64 = 1;
    long l = 1;
    size_t size = 1;

    CHECK_OK(mproc_value_to(mproc_int(-128), &i8));
    CHECK_EQ(i8, -128);
    CHECK_WANTS(mproc_int(-129), i8, "the value is -129, which does not fit: the variable wants an int8_t");
    CHECK_WANTS(mproc_int(128), i8, "an int8_t");
    CHECK_OK(mproc_value_to(mproc_int(255), &u8));
    CHECK_WANTS(mproc_int(256), u8, "256, which does not fit: the variable wants a uint8_t");
    CHECK_WANTS(mproc_int(-1), u8, "a uint8_t");
    CHECK_OK(mproc_value_to(mproc_int(INT16_MIN), &i16));
    CHECK_WANTS(mproc_int(INT16_MIN - 1), i16, "an int16_t");
    CHECK_OK(mproc_value_to(mproc_int(UINT16_MAX), &u16));
    CHECK_WANTS(mproc_int(UINT16_MAX + 1), u16, "a uint16_t");
    CHECK_OK(mproc_value_to(mproc_int(INT32_MIN), &i32));
    CHECK_WANTS(mproc_int((int64_t)INT32_MAX + 1), i32, "an int32_t");
    CHECK_OK(mproc_value_to(mproc_int(UINT32_MAX), &u32));
    CHECK_WANTS(mproc_int((int64_t)UINT32_MAX + 1), u32, "a uint32_t");
    CHECK_OK(mproc_value_to(mproc_int(INT64_MIN), &i64));
    CHECK_WANTS(mproc_uint((uint64_t)INT64_MAX + 1), i64, "an int64_t");
    CHECK_OK(mproc_value_to(mproc_uint(UINT64_MAX), &u64));
    CHECK_WANTS(mproc_int(-1), u64, "a uint64_t");
    CHECK_OK(mproc_value_to(mproc_int(3), &l));
    CHECK_OK(mproc_value_to(mproc_int(4), &size));
    CHECK(l == 3 && size == 4 && u64 == UINT64_MAX && i64 == INT64_MIN && i8 == -128 && u8 == 255);
}

static void case_bools_and_doubles_fit_what_is_the_same_number(void)
{
    bool boolean = false;
    double number = 1;
    float shorter = 1;

    CHECK_OK(mproc_value_to(mproc_bool(true), &boolean));
    CHECK(boolean);
    CHECK_OK(mproc_value_to(mproc_int(0), &boolean));
    CHECK(!boolean);
    CHECK_WANTS(mproc_int(2), boolean, "2, which does not fit: the variable wants a bool");
    CHECK_WANTS(mproc_double(1), boolean, "is a double, the variable wants a bool");
    CHECK_OK(mproc_value_to(mproc_int((int64_t)1 << 53), &number));
    CHECK(number == 9007199254740992.0);
    CHECK_WANTS(mproc_int(((int64_t)1 << 53) + 1), number, "does not fit: the variable wants a double");
    CHECK_OK(mproc_value_to(mproc_int(INT64_MIN), &number));
    CHECK(number == -9223372036854775808.0);
    CHECK_WANTS(mproc_int(INT64_MAX), number, "does not fit: the variable wants a double");
    CHECK_OK(mproc_value_to(mproc_uint((uint64_t)1 << 63), &number));
    CHECK(number == 9223372036854775808.0);
    CHECK_WANTS(mproc_uint(UINT64_MAX), number, "does not fit: the variable wants a double");
    CHECK_WANTS(mproc_bool(true), number, "is a bool, the variable wants a double");
    CHECK_OK(mproc_value_to(mproc_double(0.1), &shorter));
    CHECK(shorter == 0.1f);
    CHECK_OK(mproc_value_to(mproc_double(INFINITY), &shorter));
    CHECK(isinf(shorter));
    CHECK_WANTS(mproc_double(DBL_MAX), shorter, "wants a float");
    CHECK_WANTS(mproc_int(((int64_t)1 << 24) + 1), shorter, "wants a float");
}

static void case_other_types_are_refused_by_name(void)
{
    const char *text = "unchanged";
    int number = 5;
    mproc_lock *lock = NULL;

    CHECK_WANTS(mproc_string("5"), number, "the value is a string, the variable wants an int32_t");
    CHECK_WANTS(mproc_double(5), number, "the value is a double, the variable wants an int32_t");
    CHECK_WANTS(mproc_bool(true), number, "is a bool");
    CHECK_WANTS(mproc_nil(), number, "is nil");
    CHECK_WANTS(mproc_int(5), text, "the value is an int64, the variable wants a string");
    CHECK_WANTS(mproc_bytes("a", 1), text, "is bytes, the variable wants a string");
    CHECK_WANTS(MPROC_LIST(1), text, "is a list");
    CHECK_WANTS(mproc_string_from("a\0b", 3), text, "has a NUL in it");
    CHECK_WANTS(mproc_int(1), lock, "is an int64, the variable wants a lock");
    CHECK_STATUS(mproc_value_to(mproc_int(1), (int *)NULL), MPROC_INVALID);
    CHECK_STRING(text, "unchanged");
    CHECK_EQ(number, 5);
}

static void case_nil_is_null(void)
{
    const char *text = "x";
    const unsigned char *bytes = (const unsigned char *)"x";
    mproc_function *function = (mproc_function *)case_nil_is_null;
    mproc_lock *lock = (mproc_lock *)&text;

    CHECK_OK(mproc_value_to(mproc_nil(), &text));
    CHECK_OK(mproc_value_to(mproc_nil(), &bytes));
    CHECK_OK(mproc_value_to(mproc_nil(), &function));
    CHECK_OK(mproc_value_to(mproc_nil(), &lock));
    CHECK(!text && !bytes && !function && !lock);
}

/* ---- functions -------------------------------------------------------------------------------- */

static mproc_status answers(mproc_call *call)
{
    (void)call;
    return (mproc_status)(MPROC_USER + 42);
}

static mproc_status answers_otherwise(mproc_call *call)
{
    (void)call;
    return (mproc_status)(MPROC_USER + 43);
}

static void case_functions_travel_as_references(void)
{
    mproc_function *function = NULL;
    mproc_value copy, again, nothing = mproc_int(1);
    uint64_t words[256];
    size_t size;
    int number;

    CHECK_OK(mproc_value_copy(MPROC_LIST(answers), &copy));
    CHECK_OK(mproc_value_copy(mproc_value_at(copy, 0), &again));
    mproc_value_clear(&copy);
    CHECK_OK(mproc_value_to(again, &function));
    CHECK(function == answers);
    CHECK(mproc_value_equal(again, MPROC_VALUE(answers)));
    CHECK(!mproc_value_equal(again, MPROC_VALUE(answers_otherwise)));
    CHECK_WANTS(again, number, "is a function, the variable wants an int32_t");
    CHECK_OK(mproc_value_encode(again, words, sizeof words, &size));
    CHECK_STATUS(mproc_value_decode(words, size, &nothing), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "outside its family");
    CHECK_EQ(mproc_value_int(nothing), 1);
    mproc_value_clear(&again);
}

static void case_function_of_no_module_is_refused(void)
{
    mproc_function *function;
    void *address = &function;
    mproc_value copy;

    memcpy(&function, &address, sizeof function);
    CHECK_STATUS(mproc_value_copy(mproc_function_from(function), &copy), MPROC_BAD_FUNCTION);
}

/* ---- objects ---------------------------------------------------------------------------------- */

/* As an object's room would have it. */
struct mproc_lock {
    struct handle_ref ref;
};

static struct mproc_lock opened;

static int references;

static mproc_status open_lock(const struct handle_ref *ref, void **object)
{
    if (ref->generation == 0) return mproc_error(MPROC_CLOSED, "the lock is gone");
    opened.ref = *ref;
    *object = &opened;
    references++;
    return MPROC_OK;
}

static void drop_lock(void *object)
{
    CHECK(object == &opened);
    references--;
}

static const struct handle_functions lock_functions = {open_lock, drop_lock, NULL};

static void case_objects_travel_as_references(void)
{
    struct mproc_lock original = {{MPROC_KIND_LOCK, 3, 4096}};
    const mproc_lock *constant = &original;
    mproc_lock *lock = NULL;
    mproc_event *event = NULL;
    mproc_value copy, nothing = mproc_int(1);
    uint64_t words[32];
    size_t size;

    CHECK_OK(mproc_value_copy(MPROC_LIST(constant, (mproc_lock *)constant), &copy));
    CHECK(mproc_value_equal(mproc_value_at(copy, 0), MPROC_VALUE(constant)));
    CHECK_STATUS(mproc_value_to(mproc_value_at(copy, 0), &lock), MPROC_NOT_SUPPORTED);
    handle_install(&lock_functions);
    CHECK_OK(mproc_value_to(mproc_value_at(copy, 0), &lock));
    CHECK(lock == &opened && opened.ref.offset == 4096 && opened.ref.generation == 3);
    CHECK_WANTS(mproc_value_at(copy, 0), event, "is a lock, the variable wants an event");
    CHECK_OK(mproc_value_encode(copy, words, sizeof words, &size));
    CHECK_STATUS(mproc_value_decode(words, size, &nothing), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "an object means nothing outside its family");
    CHECK_OK(encoding_check(words, size, ENCODING_OBJECTS));
    mproc_value_clear(&copy);
    original.ref.generation = 0;
    CHECK_STATUS(mproc_value_to(MPROC_VALUE(constant), &lock), MPROC_CLOSED);
    CHECK_CONTAINS(mproc_last_error_text(), "the lock is gone");
}

static void case_pointer_of_no_object_is_not_encoded(void)
{
    struct mproc_lock freed = {{0x5555, 0, (uint64_t)-1}};
    uint64_t words[32];
    size_t size = 7;
    mproc_value copy = mproc_int(1);

    CHECK_STATUS(mproc_value_copy(MPROC_LIST(&freed), &copy), MPROC_CLOSED);
    CHECK_CONTAINS(mproc_last_error_text(), "a lock was freed");
    CHECK_STATUS(mproc_value_encode(MPROC_VALUE(&freed), words, sizeof words, &size), MPROC_CLOSED);
    CHECK(mproc_value_int(copy) == 1 && size == 7);
}

/* ---- lists into several variables --------------------------------------------------------------- */

static void case_lists_are_unpacked_into_a_variable_each(void)
{
    struct mproc_lock original = {{MPROC_KIND_LOCK, 3, 4096}};
    struct {
        int64_t coins;
        const char *name;
        mproc_lock *lock;
    } account = {0, NULL, NULL};
    mproc_value copy;

    handle_install(&lock_functions);
    CHECK_OK(mproc_value_copy(MPROC_LIST(7, "savings", &original), &copy));
    CHECK_OK(mproc_value_unpack(copy, &account.coins, &account.name, &account.lock));
    CHECK(account.coins == 7 && account.lock == &opened);
    CHECK_STRING(account.name, "savings");
    mproc_value_clear(&copy);
}

/* `CHECK_STATUS` shows what was written: the macros of the call are too long for it. */
#define CHECK_UNPACKS_NOT(text, ...)                             \
    do {                                                         \
        mproc_status unpacked = mproc_value_unpack(__VA_ARGS__); \
        CHECK_EQ(unpacked, MPROC_INVALID);                       \
        CHECK_CONTAINS(mproc_last_error_text(), text);           \
    } while (0)

static void case_unpacking_says_which_element_does_not_fit(void)
{
    const char *text = "unchanged";
    int number = 5;
    int8_t small = 5;
    mproc_value list = MPROC_LIST("text", 200);

    CHECK_UNPACKS_NOT("element [1] of the list is 200, which does not fit: the variable wants an int8_t", list, &text,
                      &small);
    CHECK_UNPACKS_NOT("element [0] of the list is a string, the variable wants an int32_t", list, &number, &number);
    CHECK_UNPACKS_NOT("element [1] of the list is to be put into a variable at NULL", list, &text, (int *)NULL);
    CHECK_UNPACKS_NOT("the list has 2 elements, and 1 variables are given", list, &text);
    CHECK_UNPACKS_NOT("2 variables are to be unpacked from a list, and the value is a map", MPROC_MAP("a", 1), &text,
                      &number);
    CHECK_UNPACKS_NOT("the value is nil", mproc_nil(), &text);
    CHECK_STRING(text, "unchanged");
    CHECK(number == 5 && small == 5);
}

static void case_unpacking_in_vain_leaves_no_reference(void)
{
    struct mproc_lock original = {{MPROC_KIND_LOCK, 3, 4096}};
    mproc_lock *lock = NULL, *other = NULL;
    int number = 5;

    handle_install(&lock_functions);
    CHECK_UNPACKS_NOT("element [2] of the list is a string", MPROC_LIST(&original, NULL, "text"), &lock, &other,
                      &number);
    CHECK_EQ(references, 0);
    CHECK(!lock && !other);
    CHECK_OK(mproc_value_unpack(MPROC_LIST(&original, NULL, 6), &lock, &other, &number));
    CHECK_EQ(references, 1);
    CHECK(lock == &opened && !other && number == 6);
}

CHECK_SUITE(base_value_store,
    CASE(integers_fit_what_can_hold_them),
    CASE(bools_and_doubles_fit_what_is_the_same_number),
    CASE(other_types_are_refused_by_name),
    CASE(nil_is_null),
    CASE(functions_travel_as_references),
    CASE(function_of_no_module_is_refused),
    CASE(objects_travel_as_references),
    CASE(pointer_of_no_object_is_not_encoded),
    CASE(lists_are_unpacked_into_a_variable_each),
    CASE(unpacking_says_which_element_does_not_fit),
    CASE(unpacking_in_vain_leaves_no_reference),
);
