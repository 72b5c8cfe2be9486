#define _GNU_SOURCE
#include "mproc.h"
#include "square.h"

#include <mproc/mproc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WORKERS = 2, WARM_UPS = 2, MAP_ITEMS = 20 };

static mproc_pool *create_pool(mproc_worker_kind kind)
{
    mproc_pool *pool;

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS, .kind = kind}, &pool));
    return pool;
}

static mproc_result **create_results(size_t count)
{
    mproc_result **results = calloc(count, sizeof(mproc_result *));

    measure_require(results != NULL, "there is memory for the results");
    return results;
}

/* ---- tasks of a size ----------------------------------------------------------------------------- */

struct sized {
    mproc_pool *pool;
    mproc_result **results;
    size_t count;
    int64_t duration_ns;
};

static mproc_status work(mproc_call *call)
{
    int64_t duration_ns;

    MPROC_TRY(mproc_unpack(call, &duration_ns));
    measure_work(duration_ns);
    return MPROC_OK;
}

static void run_sized(void *context)
{
    const struct sized *sized = context;

    for (size_t i = 0; i < sized->count; i++)
        mproc_check(
            mproc_pool_apply_async(sized->pool, work, MPROC_ARGS(sized->duration_ns), NULL, &sized->results[i]));
    for (size_t i = 0; i < sized->count; i++) {
        mproc_check(mproc_result_get(sized->results[i], NULL, MPROC_FOREVER));
        mproc_result_free(sized->results[i]);
    }
}

static void measure_sized(const struct order *order, mproc_worker_kind kind, double values[2])
{
    struct sized sized = {create_pool(kind), create_results(order->items), order->items, (int64_t)order->chunk};

    for (int i = 0; i < WARM_UPS; i++) run_sized(&sized);
    values[0] = measure_median(run_sized, &sized, order->repeats) / (double)order->items;
    mproc_pool_free(sized.pool);
    free(sized.results);
}

void tasks_sized(const struct order *order, double values[2])
{
    measure_sized(order, MPROC_PROCESSES, values);
}

void tasks_sized_threads(const struct order *order, double values[2])
{
    measure_sized(order, MPROC_THREADS, values);
}

/* ---- tasks that are cancelled -------------------------------------------------------------------- */

static mproc_status wait_for(mproc_call *call)
{
    mproc_event *event;

    MPROC_TRY(mproc_unpack(call, &event));
    return mproc_event_wait(event, MPROC_FOREVER);
}

/* Behind one task for each worker that waits for an event. */
static double cancel_all(mproc_result **results, size_t count)
{
    mproc_pool *pool = create_pool(MPROC_PROCESSES);
    mproc_event *event;
    int64_t begin;
    double time;

    mproc_check(mproc_event_create(&event));
    for (int i = 0; i < WORKERS; i++)
        mproc_check(mproc_pool_apply_async(pool, wait_for, MPROC_ARGS(event), NULL, &results[i]));
    for (int i = 0; i < WORKERS; i++)
        while (!mproc_result_running(results[i])) measure_sleep_ns(100000);
    for (int i = 0; i < WORKERS; i++) mproc_result_free(results[i]);
    for (size_t i = 0; i < count; i++)
        mproc_check(mproc_pool_apply_async(pool, work, MPROC_ARGS(0), NULL, &results[i]));
    begin = measure_now_ns();
    for (size_t i = 0; i < count; i++) mproc_check(mproc_result_cancel(results[i]));
    time = (double)(measure_now_ns() - begin);
    for (size_t i = 0; i < count; i++) mproc_result_free(results[i]);
    mproc_check(mproc_event_set(event));
    mproc_pool_free(pool);
    mproc_event_free(event);
    return time;
}

void tasks_cancel(const struct order *order, double values[2])
{
    mproc_result **results = create_results(order->items + WORKERS);
    double *times = calloc(order->repeats, sizeof times[0]);

    measure_require(times != NULL, "there is memory for the times");
    for (size_t i = 0; i < order->repeats; i++) times[i] = cancel_all(results, order->items);
    values[0] = median_of(times, order->repeats);
    free(times);
    free(results);
}

/* ---- tasks beside a map -------------------------------------------------------------------------- */

struct beside {
    mproc_pool *pool;
    int64_t durations_ns[MAP_ITEMS];
    _Atomic int ended;
    uint32_t random;
};

static void *map_on(void *context)
{
    struct beside *beside = context;

    while (!atomic_load(&beside->ended))
        mproc_check(mproc_pool_map(beside->pool, square_work, beside->durations_ns, sizeof(int64_t), NULL, 0,
                                   MAP_ITEMS, &(mproc_map_options){.chunk_size = 1}));
    return NULL;
}

/* At any time within a chunk: after a rest of up to two of them. */
static double apply_after_rest(struct beside *beside)
{
    int64_t begin;

    beside->random = beside->random * 1664525 + 1013904223;
    measure_sleep_ns(beside->durations_ns[0] * (beside->random >> 16) / 32768);
    begin = measure_now_ns();
    mproc_check(mproc_pool_apply(beside->pool, work, MPROC_ARGS(0), NULL));
    return (double)(measure_now_ns() - begin);
}

void tasks_beside(const struct order *order, double values[2])
{
    struct beside beside = {.pool = create_pool(MPROC_PROCESSES), .random = 4711};
    double *times = calloc(order->repeats, sizeof times[0]);
    pthread_t mapper;

    measure_require(times != NULL, "there is memory for the times");
    measure_durations(beside.durations_ns, MAP_ITEMS, (int64_t)order->items, 0);
    measure_require(pthread_create(&mapper, NULL, map_on, &beside) == 0, "a thread can be started");
    for (size_t i = 0; i < order->repeats / 10 + 1; i++) apply_after_rest(&beside);
    for (size_t i = 0; i < order->repeats; i++) times[i] = apply_after_rest(&beside);
    atomic_store(&beside.ended, 1);
    pthread_join(mapper, NULL);
    mproc_pool_free(beside.pool);
    values[0] = median_of(times, order->repeats);
    values[1] = times[order->repeats * 99 / 100];
    free(times);
}
