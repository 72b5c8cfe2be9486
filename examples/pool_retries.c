/*
 * A task that is lost with its worker is begun again: on request, as it may have had effects, and told that it is.
 * (Python: none; a task that ends its worker ends a ProcessPoolExecutor, and hangs a Pool.)
 */
#include <mproc/mproc.h>

#include <stdlib.h>

/* Some numbers end the process, as a bug or the system might: 3 once, and 5 each time. */
static mproc_status square(mproc_call *call)
{
    int number;

    MPROC_TRY(mproc_unpack(call, &number));
    if (number == 5 || (number == 3 && mproc_call_attempt(call) == 1)) exit(1);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static void print_square(int number, mproc_result *result)
{
    mproc_value value;
    mproc_status status = mproc_result_get(result, &value, MPROC_FOREVER);

    if (status == MPROC_OK) printf("%d: %d", number, (int)mproc_value_int(value));
    else printf("%d: %s", number, mproc_status_name(status));
    printf(", begun %d times\n", mproc_result_attempts(result));
    mproc_result_free(result);
}

int main(void)
{
    mproc_result *results[6];
    mproc_pool *pool;

    mproc_main_guard();

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    for (int i = 0; i < 6; i++)
        mproc_check(
            mproc_pool_apply_async(pool, square, MPROC_ARGS(i), &(mproc_task_options){.retries = 2}, &results[i]));
    for (int i = 0; i < 6; i++) print_square(i, results[i]);
    mproc_pool_free(pool);
    return 0;
}
