#include "host.h"
#include "square.h"
#include "subjects.h"

#include <mproc/mproc.h>
#include <stdlib.h>

enum { WORKERS = 2, WARM_UPS = 3 };

/* One job: the arrays, and how they are to be mapped. */
typedef struct job {
    int64_t *items;
    int64_t *results;
    size_t count;
    size_t chunk_size;
    bool range;
} job;

static bool init_job(const bench_setting *setting, bool range, job *out)
{
    *out = (job){.count = setting->items, .chunk_size = setting->chunk_size, .range = range};
    return square_arrays(out->count, &out->items, &out->results);
}

static void fini_job(job *finished)
{
    free(finished->items);
    free(finished->results);
}

static mproc_pool *create_pool(void)
{
    mproc_pool *pool = NULL;

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    return pool;
}

static void map(mproc_pool *pool, const job *work)
{
    mproc_map_options options = {.chunk_size = work->chunk_size};

    if (work->range) {
        mproc_check(mproc_pool_map_range(pool, square_range, work->items, sizeof work->items[0], work->results,
                                         sizeof work->results[0], work->count, &options));
    } else {
        mproc_check(mproc_pool_map(pool, square_item, work->items, sizeof work->items[0], work->results,
                                   sizeof work->results[0], work->count, &options));
    }
}

static bool measure_warm(const bench_setting *setting, bool range, double *values)
{
    double *times = calloc(setting->repeats, sizeof times[0]);
    mproc_pool *pool;
    bool right;
    job work;

    if (times == NULL || !init_job(setting, range, &work)) return false;
    pool = create_pool();
    for (int i = 0; i < WARM_UPS; i++) map(pool, &work);
    for (size_t i = 0; i < setting->repeats; i++) {
        int64_t begin = host_now_ns();

        map(pool, &work);
        times[i] = (double)(host_now_ns() - begin) / (double)work.count;
    }
    mproc_pool_free(pool);
    values[0] = bench_median(times, setting->repeats);
    right = square_check(work.items, work.results, work.count);
    fini_job(&work);
    free(times);
    return right;
}

/* Takes the two times of one new pool. */
static void map_cold(const job *work, double *first, double *both)
{
    int64_t begin = host_now_ns();
    mproc_pool *pool = create_pool();
    int64_t created = host_now_ns();
    int64_t end;

    map(pool, work);
    end = host_now_ns();
    *first = (double)(end - created);
    *both = (double)(end - begin);
    mproc_pool_free(pool);
}

static bool measure_cold(const bench_setting *setting, bool range, double *values)
{
    double *first = calloc(setting->repeats, sizeof first[0]);
    double *both = calloc(setting->repeats, sizeof both[0]);
    bool right = true;
    job work;

    if (first == NULL || both == NULL || !init_job(setting, range, &work)) return false;
    for (size_t i = 0; i < setting->repeats && right; i++) {
        map_cold(&work, &first[i], &both[i]);
        right = square_check(work.items, work.results, work.count);
    }
    values[0] = bench_median(first, setting->repeats);
    values[1] = bench_median(both, setting->repeats);
    fini_job(&work);
    free(first);
    free(both);
    return right;
}

static bool measure_item(const bench_setting *setting, double *values)
{
    return measure_warm(setting, false, values);
}

static bool measure_range(const bench_setting *setting, double *values)
{
    return measure_warm(setting, true, values);
}

static bool measure_cold_item(const bench_setting *setting, double *values)
{
    return measure_cold(setting, false, values);
}

static bool measure_cold_range(const bench_setting *setting, double *values)
{
    return measure_cold(setting, true, values);
}

const bench_subject map_mproc_item = {"mproc, item function", false, measure_item, NULL};
const bench_subject map_mproc_range = {"mproc, range function", false, measure_range, NULL};
const bench_subject cold_mproc_item = {"mproc, item function", false, measure_cold_item, NULL};
const bench_subject cold_mproc_range = {"mproc, range function", false, measure_cold_range, NULL};
