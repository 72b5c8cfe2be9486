#define _GNU_SOURCE
#include "mproc.h"

#include <mproc/mproc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * A job has an item for the survivor, which keeps it until the successor has come, one for the successor, and
 * one more, in case the victim still took one before it died.
 */
enum { WORKERS = 2, ITEMS = 3, LOOKS_MAX = 5000 };

/* `old` is written before each kill; the successor, whose pid is in neither place, writes when it came. */
struct words {
    _Atomic int64_t old[WORKERS];
    _Atomic int64_t came_ns;
};

static bool is_old(const struct words *words)
{
    int64_t pid = mproc_getpid();

    return pid == atomic_load(&words->old[0]) || pid == atomic_load(&words->old[1]);
}

static mproc_status appear(const void *item, void *result, mproc_call *call)
{
    mproc_shared_value *value;
    struct words *words;
    int64_t nobody = 0;

    (void)item;
    (void)result;
    MPROC_TRY(mproc_unpack(call, &value));
    words = mproc_shared_value_data(value);
    if (!is_old(words)) atomic_compare_exchange_strong(&words->came_ns, &nobody, measure_now_ns());
    while (atomic_load(&words->came_ns) == 0) measure_sleep_ns(50000);
    return MPROC_OK;
}

/* Gives the pids of the workers, when all of them are there. */
static void wait_for_workers(const mproc_pool *pool, int64_t *pids)
{
    int looks = 0;

    while (mproc_pool_pids(pool, pids, WORKERS) != WORKERS && looks++ < LOOKS_MAX) measure_sleep_ns(1000000);
    measure_require(looks < LOOKS_MAX, "the pool replaces its worker within 5 s");
}

/* Kills one worker and gives the time until its successor has appeared. */
static double kill_one(mproc_pool *pool, mproc_shared_value *value, size_t victim)
{
    struct words *words = mproc_shared_value_data(value);
    int items[ITEMS] = {0};
    int64_t pids[WORKERS], begin;
    mproc_status status;

    wait_for_workers(pool, pids);
    for (int i = 0; i < WORKERS; i++) atomic_store(&words->old[i], pids[i]);
    atomic_store(&words->came_ns, 0);
    begin = measure_now_ns();
    kill((pid_t)pids[victim], SIGKILL);
    status = mproc_pool_map(pool, appear, items, sizeof items[0], NULL, 0, ITEMS,
                            &(mproc_map_options){.chunk_size = 1, .args = MPROC_ARGS(value)});
    /* The victim may have taken an item with its last breath. */
    if (status != MPROC_WORKER_LOST) mproc_check(status);
    return (double)(atomic_load(&words->came_ns) - begin);
}

void worker_death(const struct order *order, double values[2])
{
    double *times = calloc(order->repeats, sizeof times[0]);
    mproc_shared_value *value;
    mproc_pool *pool;

    measure_require(times != NULL, "there is memory for the times");
    mproc_check(mproc_shared_value_create(sizeof(struct words), NULL, &(mproc_shared_options){.raw = true}, &value));
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    for (size_t i = 0; i < order->repeats; i++) {
        times[i] = kill_one(pool, value, i % WORKERS);
        measure_sleep_ns(2000000); /* the pool is idle when its worker is killed */
    }
    mproc_pool_free(pool);
    values[0] = median_of(times, order->repeats);
    values[1] = times[order->repeats - 1];
    free(times);
}

/* ---- in a task ----------------------------------------------------------------------------------- */

static mproc_status do_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

/* The victim's task: says who it is, and never ends. */
static mproc_status stay(mproc_call *call)
{
    mproc_shared_value *value;
    struct words *words;

    MPROC_TRY(mproc_unpack(call, &value));
    words = mproc_shared_value_data(value);
    atomic_store(&words->old[0], mproc_getpid());
    for (;;) measure_sleep_ns(1000000000);
}

static mproc_status come(mproc_call *call)
{
    int64_t now_ns = measure_now_ns();
    mproc_shared_value *value;

    MPROC_TRY(mproc_unpack(call, &value));
    atomic_store(&((struct words *)mproc_shared_value_data(value))->came_ns, now_ns);
    return MPROC_OK;
}

/* The one worker is killed in its task; the next task waits already. */
static double kill_in_task(mproc_pool *pool, mproc_shared_value *value)
{
    struct words *words = mproc_shared_value_data(value);
    mproc_result *lost, *next;
    int64_t begin;

    atomic_store(&words->old[0], 0);
    mproc_check(mproc_pool_apply_async(pool, stay, MPROC_ARGS(value), NULL, &lost));
    mproc_check(mproc_pool_apply_async(pool, come, MPROC_ARGS(value), NULL, &next));
    while (atomic_load(&words->old[0]) == 0) measure_sleep_ns(50000);
    measure_sleep_ns(2000000); /* all else sleeps when it is killed */
    begin = measure_now_ns();
    kill((pid_t)atomic_load(&words->old[0]), SIGKILL);
    mproc_check(mproc_result_get(next, NULL, MPROC_FOREVER));
    measure_require(mproc_result_get(lost, NULL, MPROC_FOREVER) == MPROC_WORKER_LOST, "the killed worker is lost");
    mproc_result_free(lost);
    mproc_result_free(next);
    return (double)(atomic_load(&words->came_ns) - begin);
}

void task_death(const struct order *order, double values[2])
{
    double *times = calloc(order->repeats, sizeof times[0]);
    mproc_result **kept = calloc(order->items + 1, sizeof(mproc_result *));
    mproc_shared_value *value;
    mproc_pool *pool;

    measure_require(times && kept, "there is memory for the times and the results");
    mproc_check(mproc_shared_value_create(sizeof(struct words), NULL, &(mproc_shared_options){.raw = true}, &value));
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    for (size_t i = 0; i < order->items; i++)
        mproc_check(mproc_pool_apply_async(pool, do_nothing, mproc_no_args(), NULL, &kept[i]));
    for (size_t i = 0; i < order->repeats; i++) times[i] = kill_in_task(pool, value);
    for (size_t i = 0; i < order->items; i++) mproc_result_free(kept[i]);
    mproc_pool_free(pool);
    values[0] = median_of(times, order->repeats);
    values[1] = times[order->repeats - 1];
    free(kept);
    free(times);
}
