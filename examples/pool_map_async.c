/*
 * Two maps that the main process does not wait for: it has a function called with the list of all results, and
 * another one if an item has failed. (Python: map_async() with callback and error_callback, and starmap_async().)
 */
#include <mproc/mproc.h>

#define DIVIDED_BY_ZERO (MPROC_USER + 1)

static mproc_status same(mproc_call *call)
{
    int number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, MPROC_VALUE(number));
}

static mproc_status divide(mproc_call *call)
{
    int number, divisor;

    MPROC_TRY(mproc_unpack(call, &number, &divisor));
    if (divisor == 0) return mproc_error(DIVIDED_BY_ZERO, "%d is divided by 0", number);
    return mproc_call_return(call, MPROC_VALUE(number / divisor));
}

static void print_list(mproc_value list, void *context)
{
    char text[200];

    (void)context;
    mproc_value_print(list, text, sizeof text);
    printf("callback: %s\n", text);
}

static void print_failure(mproc_status status, const char *text, void *context)
{
    (void)context;
    if (status == DIVIDED_BY_ZERO) printf("error callback: an item was divided by 0\n");
    else fprintf(stderr, "%s\n", text); /* such as: a worker was killed */
}

int main(void)
{
    const mproc_values_options one = {.callback = print_list, .error_callback = print_failure};
    const mproc_values_options pairs = {.unpack = true, .callback = print_list, .error_callback = print_failure};
    mproc_value numbers[20], divisions[5][2], items[5], list;
    int64_t sum = 0;
    mproc_result *result;
    mproc_pool *pool;

    mproc_main_guard();

    for (int i = 0; i < 20; i++) numbers[i] = mproc_int(i);
    for (int i = 0; i < 5; i++) {
        divisions[i][0] = mproc_int(i);
        divisions[i][1] = mproc_int(0);
        items[i] = mproc_list_from(divisions[i], 2);
    }
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 5}, &pool));
    mproc_check(mproc_pool_map_values_async(pool, same, numbers, 20, &one, &result));
    mproc_check(mproc_pool_map_values_async(pool, divide, items, 5, &pairs, NULL));

    mproc_check(mproc_result_get(result, &list, MPROC_FOREVER));
    for (size_t i = 0; i < mproc_value_count(list); i++) sum += mproc_value_int(mproc_value_at(list, i));
    printf("the sum is %lld\n", (long long)sum);
    mproc_result_free(result);

    mproc_pool_close(pool);
    mproc_check(mproc_pool_join(pool, MPROC_FOREVER)); /* when both callbacks have been called */
    mproc_pool_free(pool);
    return 0;
}
