/* mproc/pool.h: how many functions the tasks of a pool call. */
#include <stdlib.h>

#include "pool/layout.h"
#include "pool/numbers_fixture.h"

/* ---- functions by the thousand ------------------------------------------------------------------ */

/* X(name, number) for four numbers, and for 4 x 4 and so on, with a digit more in each name. */
#define F_4(X, name, n) X(name##0, 4 * (n)) X(name##1, 4 * (n) + 1) X(name##2, 4 * (n) + 2) X(name##3, 4 * (n) + 3)
#define F_16(X, name, n) \
    F_4(X, name##0, 4 * (n)) F_4(X, name##1, 4 * (n) + 1) F_4(X, name##2, 4 * (n) + 2) F_4(X, name##3, 4 * (n) + 3)
#define F_64(X, name, n)      \
    F_16(X, name##0, 4 * (n)) \
    F_16(X, name##1, 4 * (n) + 1) F_16(X, name##2, 4 * (n) + 2) F_16(X, name##3, 4 * (n) + 3)
#define F_256(X, name, n)     \
    F_64(X, name##0, 4 * (n)) \
    F_64(X, name##1, 4 * (n) + 1) F_64(X, name##2, 4 * (n) + 2) F_64(X, name##3, 4 * (n) + 3)
#define F_1024(X, name) F_256(X, name##0, 0) F_256(X, name##1, 1) F_256(X, name##2, 2) F_256(X, name##3, 3)

#define DEFINE(name, number)                               \
    static mproc_status name(mproc_call *call)             \
    {                                                      \
        return mproc_call_return(call, mproc_int(number)); \
    }
#define LIST(name, number) name,

F_1024(DEFINE, number_)

static mproc_function *const functions[] = {F_1024(LIST, number_)};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static_assert(FUNCTIONS == POOL_FUNCTIONS, "as many as a pool knows");

/* Each is called, and says its number. */
static void call_all(mproc_pool *pool)
{
    static mproc_result *results[FUNCTIONS];

    for (int i = 0; i < FUNCTIONS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, functions[i], mproc_no_args(), NULL, &results[i]));
    for (int i = FUNCTIONS - 1; i >= 0; i--) CHECK_EQ(tasks_take_int(results[i]), i);
}

/* ---- no more ------------------------------------------------------------------------------------ */

static void refuse_one_more(mproc_pool *pool)
{
    static const char text[] = "the tasks of one pool call at most 1024 functions: let one of them choose";
    mproc_value items[2] = {mproc_int(1), mproc_int(2)}, values[2] = {mproc_int(5), mproc_int(5)};
    mproc_status statuses[2] = {MPROC_OK, MPROC_OK};
    mproc_result *result = NULL;

    CHECK_REFUSED(mproc_pool_apply_async(pool, tasks_square, mproc_no_args(), NULL, &result), MPROC_LIMIT, text);
    CHECK(result == NULL);
    CHECK_REFUSED(mproc_pool_apply(pool, tasks_square, mproc_no_args(), &values[0]), MPROC_LIMIT, text);
    CHECK_REFUSED(
        mproc_pool_map_values(pool, numbers_square, items, 2, values, &(mproc_values_options){.statuses = statuses}),
        MPROC_LIMIT, text);
    CHECK(statuses[0] == MPROC_LIMIT && statuses[1] == MPROC_LIMIT);
    CHECK(mproc_value_type(values[0]) == MPROC_TYPE_NIL && mproc_value_type(values[1]) == MPROC_TYPE_NIL);
}

/* Maps have functions of their own, and each pool has its own thousand. */
static void case_tasks_of_a_pool_call_1024_functions_and_no_more(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_pool *other = fixture_create(1);

    call_all(pool);
    for (int i = 0; i < 2; i++) {
        refuse_one_more(pool);
        call_all(pool);
        fixture_check_squares(pool, 100, 1);
        tasks_check_pool(other);
    }
    mproc_pool_free(other);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_limits, fixture_of_processes, pool_limits_threads, fixture_of_threads,
    CASE(tasks_of_a_pool_call_1024_functions_and_no_more),
);
