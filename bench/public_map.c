#include "host.h"
#include "public.h"
#include "square.h"

#include <mproc/mproc.h>
#include <stdlib.h>

enum { WORKERS = 2, WARM_UPS = 3 };

/* One job, whose arrays the workers use where they lie. */
typedef struct job {
    mproc_pool *pool;
    int64_t *items;
    int64_t *results;
    size_t count;
    bool range;
} job;

static int64_t *create_array(size_t count)
{
    mproc_shared_array *array;

    mproc_check(
        mproc_shared_array_create(sizeof(int64_t), count, NULL, &(mproc_shared_options){.raw = true}, &array));
    return mproc_shared_array_data(array);
}

static void init_job(size_t count, bool range, job *out)
{
    *out = (job){.count = count, .range = range, .items = create_array(count), .results = create_array(count)};
    square_fill(out->items, out->results, count);
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &out->pool));
}

static void map(const job *todo)
{
    if (todo->range) {
        mproc_check(mproc_pool_map_range(todo->pool, square_range, todo->items, sizeof todo->items[0], todo->results,
                                         sizeof todo->results[0], todo->count, NULL));
    } else {
        mproc_check(mproc_pool_map(todo->pool, square_item, todo->items, sizeof todo->items[0], todo->results,
                                   sizeof todo->results[0], todo->count, NULL));
    }
}

static bool measure(const bench_setting *setting, bool range, double *values)
{
    double *times = calloc(setting->repeats, sizeof times[0]);
    job todo;

    if (times == NULL) return false;
    init_job(setting->items, range, &todo);
    for (int i = 0; i < WARM_UPS; i++) map(&todo);
    for (size_t i = 0; i < setting->repeats; i++) {
        int64_t begin = host_now_ns();

        map(&todo);
        times[i] = (double)(host_now_ns() - begin) / (double)todo.count;
    }
    mproc_pool_free(todo.pool);
    values[0] = bench_median(times, setting->repeats);
    free(times);
    return square_check(todo.items, todo.results, todo.count);
}

bool public_map_item(const bench_setting *setting, double *values)
{
    return measure(setting, false, values);
}

bool public_map_range(const bench_setting *setting, double *values)
{
    return measure(setting, true, values);
}
