/*
 * bench_openmp pointer|inline private|shared ITEMS CHUNK REPEATS
 *
 * The rival that shares out a loop among threads: prints the median time for one item in nanoseconds. Its arrays are
 * its own, or in a memory file as the library's arena is. A program of its own, because libgomp binds the first
 * thread of a program that links it.
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

static bool create_arrays(const char *memory, size_t count, int64_t **items, int64_t **results)
{
    if (strcmp(memory, "shared") != 0) return square_arrays(count, items, results);
    *items = host_shared(count * sizeof **items);
    *results = host_shared(count * sizeof **results);
    if (*items == NULL || *results == NULL) return false;
    square_fill(*items, *results, count);
    return true;
}

int main(int argument_count, char **arguments)
{
    bool complete = argument_count == 6;
    long count = complete ? atol(arguments[3]) : 0;
    int chunk = complete ? atoi(arguments[4]) : 0;
    size_t repeats = complete ? (size_t)atol(arguments[5]) : 0;
    double *times = calloc(repeats + 1, sizeof times[0]);
    int64_t *items;
    int64_t *results;

    if (count < 1 || chunk < 1 || repeats < 1 || times == NULL) return 2;
    if (!create_arrays(arguments[2], (size_t)count, &items, &results)) return 1;
    for (int i = 0; i < 3; i++) run(arguments[1], items, results, count, chunk);
    for (size_t i = 0; i < repeats; i++) {
        int64_t begin = host_now_ns();

        run(arguments[1], items, results, count, chunk);
        times[i] = (double)(host_now_ns() - begin) / (double)count;
    }
    if (!square_check(items, results, (size_t)count)) return 1;
    printf("%.17g\n", bench_median(times, repeats));
    free(times);
    return 0;
}
