/*
 * The first program: four processes square the numbers from 0 to 99.
 *
 * In Python:
 *     pool = multiprocessing.Pool(processes=4)
 *     pool_outputs = pool.map(function_square, range(100))
 *     print('Pool    :', pool_outputs)
 */
#include <stdint.h>
#include <stdio.h>

#include <mproc/mproc.h>

enum { COUNT = 100 };

/* Runs in the workers, once for each number. */
static mproc_status square(const void *item, void *result, mproc_call *call)
{
    const int64_t *number = item;
    int64_t *squared = result;

    (void)call;
    *squared = *number * *number;
    return MPROC_OK;
}

/* Prints the numbers as Python prints a list in a tuple. */
static void print_numbers(const int64_t *numbers, int count)
{
    printf("('Pool    :', [");
    for (int i = 0; i < count; i++) printf("%s%lld", i > 0 ? ", " : "", (long long)numbers[i]);
    printf("])\n");
}

int main(void)
{
    int64_t inputs[COUNT], squares[COUNT];
    mproc_pool *pool;

    mproc_main_guard(); /* in a worker: does its work and never returns */

    for (int i = 0; i < COUNT; i++) inputs[i] = i;

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 4}, &pool));
    mproc_check(mproc_map(pool, square, inputs, squares, COUNT, NULL));
    mproc_pool_close(pool);
    mproc_check(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);

    print_numbers(squares, COUNT);
    return 0;
}
