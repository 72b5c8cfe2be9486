/*
 * Ten tasks, one after the other: apply waits until a worker has done its task, and gives what that returns. The pool
 * keeps its two workers for all of them. (Python: Pool.apply().)
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
    mproc_pool *pool;
    mproc_value value;

    mproc_main_guard();

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_pool_apply(pool, square, MPROC_ARGS(i), &value));
        printf("%lld\n", (long long)mproc_value_int(value));
        fflush(stdout); /* before the next worker prints */
        mproc_value_clear(&value);
    }
    mproc_pool_close(pool);
    mproc_check(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);

    printf("this is the main process\n");
    return 0;
}
