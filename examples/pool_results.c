/*
 * What a result says: the value of its task, why the task failed, that a time limit has passed, and what became of a
 * task whose pool is gone. (Python: AsyncResult.get(timeout), ready(), successful().)
 */
#include <mproc/mproc.h>

/* A task returns one value; a list has room for several. */
static mproc_status divide(mproc_call *call)
{
    int number, divisor;

    MPROC_TRY(mproc_unpack(call, &number, &divisor));
    if (divisor == 0) return mproc_error(MPROC_USER + 1, "%d cannot be divided by 0", number);
    return mproc_call_return(call, MPROC_LIST(number / divisor, number % divisor));
}

static mproc_status sleep_long(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(600000);
}

static void print_result(const char *name, mproc_result *result, int64_t timeout_ms)
{
    mproc_value value;
    mproc_status status = mproc_result_get(result, &value, timeout_ms);
    char text[64];

    if (status == MPROC_OK) mproc_value_print(value, text, sizeof text);
    else snprintf(text, sizeof text, "%s", mproc_status_name(status));
    printf("%s: %s, ready: %s, successful: %s\n", name, text, mproc_result_ready(result) ? "yes" : "no",
           mproc_result_successful(result) ? "yes" : "no");
}

int main(void)
{
    mproc_result *results[4], *failed, *slow;
    mproc_pool *pool;

    mproc_main_guard();

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 4}, &pool));
    mproc_check(mproc_pool_apply_async(pool, sleep_long, mproc_no_args(), NULL, &slow));
    mproc_check(mproc_pool_apply_async(pool, divide, MPROC_ARGS(17, 0), NULL, &failed));
    for (int i = 0; i < 4; i++)
        mproc_check(mproc_pool_apply_async(pool, divide, MPROC_ARGS(17, i + 2), NULL, &results[i]));

    for (int i = 0; i < 4; i++) print_result("divide", results[i], MPROC_FOREVER);
    print_result("divide by 0", failed, MPROC_FOREVER);
    print_result("sleep", slow, 100);
    mproc_pool_free(pool); /* ends the worker that sleeps */
    print_result("sleep", slow, MPROC_FOREVER);

    for (int i = 0; i < 4; i++) mproc_result_free(results[i]);
    mproc_result_free(failed);
    mproc_result_free(slow);
    return 0;
}
