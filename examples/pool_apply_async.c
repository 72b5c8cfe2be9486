/*
 * Ten tasks for two workers: apply_async waits for none of them. The program keeps their results, and asks them when
 * all tasks are done. (Python: Pool.apply_async(), AsyncResult.get().)
 */
#include <mproc/mproc.h>

static mproc_status square(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    printf("process %lld begins task %lld\n", (long long)mproc_getpid(), (long long)number);
    MPROC_TRY(mproc_sleep_ms(5));
    printf("process %lld has done task %lld\n", (long long)mproc_getpid(), (long long)number);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

int main(void)
{
    mproc_result *results[10];
    mproc_pool *pool;
    mproc_value value;

    mproc_main_guard();

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    for (int i = 0; i < 10; i++) mproc_check(mproc_pool_apply_async(pool, square, MPROC_ARGS(i), NULL, &results[i]));
    mproc_pool_close(pool);
    mproc_check(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);

    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_result_get(results[i], &value, MPROC_FOREVER));
        printf("the square of %d is %lld\n", i, (long long)mproc_value_int(value));
        mproc_result_free(results[i]); /* and with it the value, which is its own */
    }
    return 0;
}
