/*
 * bench_openmp pointer|inline ITEMS CHUNK REPEATS
 *
 * The rival that shares out a loop among threads: prints the median time for one item in nanoseconds. A program
 * of its own, because libgomp binds the first thread of a program that links it.
 */
#include "bench.h"
#include "host.h"
#include "square.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Volatile, so that the compiler does not see which function is called. */
static mproc_item_function *volatile called = square_item;

static void map_pointer(const int64_t *items, int64_t *results, long count, int chunk)
{
    mproc_item_function *function = called;

#pragma omp parallel for schedule(dynamic, chunk)
    for (long i = 0; i < count; i++) function(&items[i], &results[i], NULL);
}

static void map_inline(const int64_t *items, int64_t *results, long count, int chunk)
{
#pragma omp parallel for schedule(dynamic, chunk)
    for (long i = 0; i < count; i++) results[i] = items[i] * items[i];
}

static void run(const char *shape, const int64_t *items, int64_t *results, long count, int chunk)
{
    if (strcmp(shape, "pointer") == 0) {
        map_pointer(items, results, count, chunk);
    } else {
        map_inline(items, results, count, chunk);
    }
}

int main(int argument_count, char **arguments)
{
    long count = argument_count == 5 ? atol(arguments[2]) : 0;
    int chunk = argument_count == 5 ? atoi(arguments[3]) : 0;
    size_t repeats = argument_count == 5 ? (size_t)atol(arguments[4]) : 0;
    double *times = calloc(repeats + 1, sizeof times[0]);
    int64_t *items;
    int64_t *results;

    if (count < 1 || chunk < 1 || repeats < 1 || times == NULL) return 2;
    if (!square_arrays((size_t)count, &items, &results)) return 1;
    for (int i = 0; i < 3; i++) run(arguments[1], items, results, count, chunk);
    for (size_t i = 0; i < repeats; i++) {
        int64_t begin = host_now_ns();

        run(arguments[1], items, results, count, chunk);
        times[i] = (double)(host_now_ns() - begin) / (double)count;
    }
    if (!square_check(items, results, (size_t)count)) return 1;
    printf("%.17g\n", bench_median(times, repeats));
    free(items);
    free(results);
    free(times);
    return 0;
}
