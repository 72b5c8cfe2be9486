/*
 * Tasks that take different times, and what they return as they are finished, the short ones first.
 * (Python: concurrent.futures.as_completed().)
 */
#include <mproc/mproc.h>

#include <stdio.h>

enum { TASKS = 4 };

/* Sleeps so many tenths of a second, and returns the number. */
static mproc_status rest(mproc_call *call)
{
    int tenths;

    MPROC_TRY(mproc_unpack(call, &tenths));
    MPROC_TRY(mproc_sleep_ms(tenths * 100));
    return mproc_call_return(call, MPROC_VALUE(tenths));
}

int main(void)
{
    static const int tenths[TASKS] = {4, 1, 3, 2};
    mproc_result *results[TASKS];
    mproc_completed *completed;
    mproc_pool *pool;
    mproc_value value;
    size_t i;

    mproc_main_guard();

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = TASKS}, &pool));
    for (i = 0; i < TASKS; i++)
        mproc_check(mproc_pool_apply_async(pool, rest, MPROC_ARGS(tenths[i]), NULL, &results[i]));
    mproc_check(mproc_completed_create(results, TASKS, &completed));
    while (mproc_completed_next(completed, &i, MPROC_FOREVER) == MPROC_OK) {
        mproc_check(mproc_result_get(results[i], &value, 0));
        printf("after %lld tenths of a second\n", (long long)mproc_value_int(value));
        mproc_result_free(results[i]);
    }
    mproc_completed_free(completed);
    mproc_pool_free(pool);
    return 0;
}
