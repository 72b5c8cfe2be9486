/*
 * The rival that shares out a loop among threads: the median time for one item. Its arrays are its own, or in a
 * memory file as the library's arena is. A program of its own, because libgomp binds the first thread of a program.
 */
#include "measure.h"
#include "square.h"

#include <stdlib.h>

/* Volatile, so that the compiler does not see which function is called. */
static mproc_item_function *volatile called = square_item;

struct job {
    int64_t *items;
    int64_t *results;
    long count;
    int chunk;
};

static void map_pointer(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;
    int chunk = job->chunk;

#pragma omp parallel for schedule(dynamic, chunk)
    for (long i = 0; i < job->count; i++) function(&job->items[i], &job->results[i], NULL);
}

static void map_inline(void *context)
{
    const struct job *job = context;
    const int64_t *items = job->items;
    int64_t *results = job->results;
    int chunk = job->chunk;

#pragma omp parallel for schedule(dynamic, chunk)
    for (long i = 0; i < job->count; i++) results[i] = items[i] * items[i];
}

static void measure(const struct order *order, void (*map)(void *), void *(*take)(size_t), double values[2])
{
    struct job job = {.count = (long)order->items, .chunk = (int)order->chunk};

    job.items = take(order->items * sizeof(int64_t));
    job.results = take(order->items * sizeof(int64_t));
    measure_require(job.items && job.results, "there is memory for the arrays");
    square_fill(job.items, job.results, order->items);
    for (int i = 0; i < 3; i++) map(&job);
    values[0] = measure_median(map, &job, order->repeats) / (double)order->items;
    square_check(job.items, job.results, order->items);
}

static void private_pointer(const struct order *order, double values[2])
{
    measure(order, map_pointer, malloc, values);
}

static void private_inline(const struct order *order, double values[2])
{
    measure(order, map_inline, malloc, values);
}

static void shared_pointer(const struct order *order, double values[2])
{
    measure(order, map_pointer, measure_shared, values);
}

static void shared_inline(const struct order *order, double values[2])
{
    measure(order, map_inline, measure_shared, values);
}

static const struct task tasks[] = {
    {"private-pointer", private_pointer},
    {"private-inline", private_inline},
    {"shared-pointer", shared_pointer},
    {"shared-inline", shared_inline},
    {NULL, NULL},
};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
