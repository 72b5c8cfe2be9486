/*
 * The workers divide, and the main process has a function called with each number that comes back, and another one
 * when a task has failed. Nobody keeps the results. (Python: apply_async() with callback and error_callback.)
 */
#include <mproc/mproc.h>

#define DIVIDED_BY_ZERO (MPROC_USER + 1)

static mproc_status divide(mproc_call *call)
{
    int number, divisor;

    MPROC_TRY(mproc_unpack(call, &number, &divisor));
    if (divisor == 0) return mproc_error(DIVIDED_BY_ZERO, "%d is divided by 0", number);
    return mproc_call_return(call, MPROC_VALUE((double)number / divisor));
}

/* Both run in the main process, on one thread: one call after the other, so they need no lock. */
static void print_number(mproc_value value, void *context)
{
    int *done = context;

    printf("a task has returned %.1f\n", mproc_value_double(value));
    ++*done;
}

static void print_failure(mproc_status status, const char *text, void *context)
{
    int *done = context;

    if (status == DIVIDED_BY_ZERO) printf("a task has divided by 0\n");
    else fprintf(stderr, "%s\n", text); /* such as: its worker was killed */
    ++*done;
}

int main(void)
{
    int done = 0;
    const mproc_task_options options = {.callback = print_number, .error_callback = print_failure, .context = &done};
    mproc_pool *pool;

    mproc_main_guard();

    mproc_check(mproc_pool_create(NULL, &pool));
    for (int i = 0; i < 7; i++)
        mproc_check(mproc_pool_apply_async(pool, divide, MPROC_ARGS(i * i, 10), &options, NULL));
    for (int i = 0; i < 2; i++) mproc_check(mproc_pool_apply_async(pool, divide, MPROC_ARGS(i, 0), &options, NULL));
    mproc_pool_close(pool);
    mproc_check(mproc_pool_join(pool, MPROC_FOREVER)); /* when all callbacks have been called */
    mproc_pool_free(pool);

    printf("that was all: %d tasks\n", done);
    return 0;
}
