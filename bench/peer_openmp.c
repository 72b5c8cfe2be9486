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

/* ---- items that take their time ------------------------------------------------------------------ */

static void work_dynamic(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;

#pragma omp parallel for schedule(dynamic)
    for (long i = 0; i < job->count; i++) function(&job->items[i], NULL, NULL);
}

static void work_guided(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;

#pragma omp parallel for schedule(guided)
    for (long i = 0; i < job->count; i++) function(&job->items[i], NULL, NULL);
}

/* CPython's rule. */
static void work_eighth(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;
    int chunk = (int)((job->count + 7) / 8);

#pragma omp parallel for schedule(dynamic, chunk)
    for (long i = 0; i < job->count; i++) function(&job->items[i], NULL, NULL);
}

/* One thread makes a task of each item. */
static void work_tasks(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;

#pragma omp parallel
#pragma omp single
    for (long i = 0; i < job->count; i++) {
#pragma omp task firstprivate(i)
        function(&job->items[i], NULL, NULL);
    }
}

static double time_work(const struct order *order, void (*run)(void *), int last_is_long)
{
    struct job job = {.items = malloc(order->items * sizeof(int64_t)), .count = (long)order->items};
    double time;

    measure_require(job.items != NULL, "there is memory for the durations");
    measure_durations(job.items, order->items, (int64_t)order->chunk, last_is_long);
    called = square_work;
    for (int i = 0; i < 3; i++) run(&job);
    time = measure_median(run, &job, order->repeats);
    free(job.items);
    return time;
}

#define WORK(name, run, last_is_long)                             \
    static void name(const struct order *order, double values[2]) \
    {                                                             \
        values[0] = time_work(order, run, last_is_long);          \
    }
WORK(dynamic, work_dynamic, 0)
WORK(guided, work_guided, 0)
WORK(eighth, work_eighth, 0)
WORK(skewed_dynamic, work_dynamic, 1)
WORK(skewed_guided, work_guided, 1)
WORK(skewed_eighth, work_eighth, 1)

static void tasks_sized(const struct order *order, double values[2])
{
    values[0] = time_work(order, work_tasks, 0) / (double)order->items;
}

/* Squares, each a task. */
static void square_tasks(void *context)
{
    const struct job *job = context;
    mproc_item_function *function = called;

#pragma omp parallel
#pragma omp single
    for (long i = 0; i < job->count; i++) {
#pragma omp task firstprivate(i)
        function(&job->items[i], &job->results[i], NULL);
    }
}

static void tasks_async(const struct order *order, double values[2])
{
    measure(order, square_tasks, malloc, values);
}

static const struct task tasks[] = {
    {"private-pointer", private_pointer},
    {"private-inline", private_inline},
    {"shared-pointer", shared_pointer},
    {"shared-inline", shared_inline},
    {"work-dynamic", dynamic},
    {"work-guided", guided},
    {"work-eighth", eighth},
    {"skewed-dynamic", skewed_dynamic},
    {"skewed-guided", skewed_guided},
    {"skewed-eighth", skewed_eighth},
    {"tasks-sized", tasks_sized},
    {"tasks-async", tasks_async},
    {NULL, NULL},
};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
