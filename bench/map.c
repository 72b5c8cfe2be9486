#include "mproc.h"
#include "square.h"

#include <mproc/mproc.h>
#include <stdlib.h>

enum { WORKERS = 2, WARM_UPS = 3 };

/* One job: the arrays, of this process or of all, and how they are to be mapped. */
struct job {
    mproc_pool *pool;
    int64_t *items;
    int64_t *results;
    size_t count;
    size_t chunk_size;
    bool range;
    bool work; /* there are no results */
};

static int64_t *take(size_t count, bool shared)
{
    mproc_shared_array *array;
    int64_t *numbers;

    if (shared) {
        mproc_check(
            mproc_shared_array_create(sizeof(int64_t), count, NULL, &(mproc_shared_options){.raw = true}, &array));
        return mproc_shared_array_data(array);
    }
    numbers = malloc(count * sizeof numbers[0]);
    measure_require(numbers != NULL, "there is memory for the arrays");
    return numbers;
}

static struct job create_job(const struct order *order, bool range, bool shared)
{
    struct job job = {.count = order->items, .chunk_size = order->chunk, .range = range};

    job.items = take(job.count, shared);
    job.results = take(job.count, shared);
    square_fill(job.items, job.results, job.count);
    return job;
}

static void create_pool(struct job *job)
{
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &job->pool));
}

static void map(void *context)
{
    const struct job *job = context;
    mproc_map_options options = {.chunk_size = job->chunk_size};
    size_t size = sizeof job->items[0];

    if (job->work)
        mproc_check(mproc_pool_map(job->pool, square_work, job->items, size, NULL, 0, job->count, &options));
    else if (job->range)
        mproc_check(mproc_pool_map_range(job->pool, square_range, job->items, size, job->results, size, job->count,
                                         &options));
    else
        mproc_check(
            mproc_pool_map(job->pool, square_item, job->items, size, job->results, size, job->count, &options));
}

static void measure_warm(const struct order *order, bool range, bool shared, double values[2])
{
    struct job job = create_job(order, range, shared);

    create_pool(&job);
    for (int i = 0; i < WARM_UPS; i++) map(&job);
    values[0] = measure_median(map, &job, order->repeats) / (double)job.count;
    mproc_pool_free(job.pool);
    square_check(job.items, job.results, job.count);
}

void map_item(const struct order *order, double values[2])
{
    measure_warm(order, false, false, values);
}

void map_range(const struct order *order, double values[2])
{
    measure_warm(order, true, false, values);
}

void map_shared_item(const struct order *order, double values[2])
{
    measure_warm(order, false, true, values);
}

void map_shared_range(const struct order *order, double values[2])
{
    measure_warm(order, true, true, values);
}

/* The two times of each of so many new pools. */
static void measure_cold(const struct order *order, bool range, double values[2])
{
    double *first = calloc(order->repeats, sizeof first[0]), *both = calloc(order->repeats, sizeof both[0]);
    struct job job = create_job(order, range, false);

    measure_require(first && both, "there is memory for the times");
    for (size_t i = 0; i < order->repeats; i++) {
        int64_t begin = measure_now_ns(), created;
        create_pool(&job);
        created = measure_now_ns();
        map(&job);
        first[i] = (double)(measure_now_ns() - created);
        both[i] = (double)(measure_now_ns() - begin);
        mproc_pool_free(job.pool);
        square_check(job.items, job.results, job.count);
    }
    values[0] = median_of(first, order->repeats);
    values[1] = median_of(both, order->repeats);
    free(first);
    free(both);
}

void map_cold_item(const struct order *order, double values[2])
{
    measure_cold(order, false, values);
}

void map_cold_range(const struct order *order, double values[2])
{
    measure_cold(order, true, values);
}

/* ---- items that take their time ------------------------------------------------------------------ */

/* `chunk` is how long an item takes. */
static void measure_work_map(const struct order *order, size_t chunk_size, bool last_is_long, double values[2])
{
    struct job job = {
        .items = take(order->items, false), .count = order->items, .chunk_size = chunk_size, .work = true};

    measure_durations(job.items, job.count, (int64_t)order->chunk, last_is_long);
    create_pool(&job);
    for (int i = 0; i < WARM_UPS; i++) map(&job);
    values[0] = measure_median(map, &job, order->repeats);
    mproc_pool_free(job.pool);
    free(job.items);
}

void map_work(const struct order *order, double values[2])
{
    measure_work_map(order, 0, false, values);
}

void map_work_one(const struct order *order, double values[2])
{
    measure_work_map(order, 1, false, values);
}

void map_skewed(const struct order *order, double values[2])
{
    measure_work_map(order, 0, true, values);
}

void map_skewed_one(const struct order *order, double values[2])
{
    measure_work_map(order, 1, true, values);
}
