#include "mproc.h"

#include <mproc/mproc.h>
#include <stdlib.h>

enum { WORKERS = 2, WARM_UPS = 3 };

static mproc_status square(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static mproc_pool *create_pool(size_t kind, mproc_function *initializer)
{
    mproc_pool *pool;

    mproc_check(mproc_pool_create(
        &(mproc_pool_options){.workers = WORKERS, .kind = (mproc_worker_kind)kind, .initializer = initializer},
        &pool));
    return pool;
}

/* ---- many results that are kept ------------------------------------------------------------------- */

struct round {
    mproc_pool *pool;
    mproc_result **results;
    size_t count;
};

static struct round create_round(const struct order *order)
{
    struct round round = {.results = calloc(order->items, sizeof round.results[0]), .count = order->items};

    measure_require(round.results != NULL, "there is memory for the results");
    return round;
}

/* Submits all tasks before it reads the first result. */
static void run_round(void *context)
{
    const struct round *round = context;
    mproc_value value;

    for (size_t i = 0; i < round->count; i++)
        mproc_check(mproc_pool_apply_async(round->pool, square, MPROC_ARGS((int64_t)i), NULL, &round->results[i]));
    for (size_t i = 0; i < round->count; i++) {
        mproc_check(mproc_result_get(round->results[i], &value, MPROC_FOREVER));
        if (mproc_value_int(value) != (int64_t)(i * i)) abort();
        mproc_result_free(round->results[i]);
    }
}

void tasks_async(const struct order *order, double values[2])
{
    struct round round = create_round(order);

    round.pool = create_pool(order->chunk, NULL);
    for (int i = 0; i < WARM_UPS; i++) run_round(&round);
    values[0] = measure_median(run_round, &round, order->repeats) / (double)round.count;
    mproc_pool_free(round.pool);
    free(round.results);
}

void tasks_cold(const struct order *order, double values[2])
{
    struct round round = create_round(order);
    double *times = calloc(order->repeats, sizeof times[0]);

    measure_require(times != NULL, "there is memory for the times");
    for (size_t i = 0; i < order->repeats; i++) {
        int64_t begin = measure_now_ns();
        round.pool = create_pool(order->chunk, NULL);
        run_round(&round);
        times[i] = (double)(measure_now_ns() - begin) / (double)round.count;
        mproc_pool_free(round.pool);
    }
    values[0] = median_of(times, order->repeats);
    free(times);
    free(round.results);
}

/* ---- one after the other ------------------------------------------------------------------------- */

static mproc_status bind_worker(mproc_call *call)
{
    (void)call;
    measure_bind(1);
    return MPROC_OK;
}

static void apply(void *pool)
{
    mproc_value value;

    mproc_check(mproc_pool_apply(pool, square, MPROC_ARGS(7), &value));
    if (mproc_value_int(value) != 49) abort();
    mproc_value_clear(&value);
}

void tasks_trip(const struct order *order, double values[2])
{
    mproc_pool *pool = create_pool(order->chunk, bind_worker);

    /* Both workers are started by then: they have the CPUs of whoever starts them. */
    for (size_t i = 0; i < order->repeats / 10 + 1; i++) apply(pool);
    measure_bind(0);
    measure_rested(apply, pool, order->repeats, order->items, values);
    mproc_pool_free(pool);
}

/* ---- an iterator --------------------------------------------------------------------------------- */

struct numbers {
    int64_t next;
    int64_t end;
};

static mproc_status next_number(void *context, mproc_value *item)
{
    struct numbers *numbers = context;

    if (numbers->next == numbers->end) return MPROC_END;
    *item = MPROC_VALUE(numbers->next++);
    return MPROC_OK;
}

struct iteration {
    mproc_pool *pool;
    size_t in_flight;
};

static void iterate(void *context, size_t repeats)
{
    const struct iteration *iteration = context;
    mproc_iterator_options options = {.in_flight = iteration->in_flight};
    struct numbers numbers = {.end = (int64_t)repeats};
    mproc_iterator *iterator;
    mproc_value value;

    mproc_check(mproc_pool_imap(iteration->pool, square, next_number, &numbers, &options, &iterator));
    for (int64_t i = 0; i < numbers.end; i++) {
        mproc_check(mproc_iterator_next(iterator, &value, MPROC_FOREVER));
        if (mproc_value_int(value) != i * i) abort();
        mproc_value_clear(&value);
    }
    measure_require(mproc_iterator_next(iterator, &value, MPROC_FOREVER) == MPROC_END, "an iterator ends");
    mproc_iterator_free(iterator);
}

void tasks_imap(const struct order *order, double values[2])
{
    struct iteration iteration = {.pool = create_pool(order->chunk, NULL), .in_flight = order->items};

    values[0] = measure_mean(iterate, &iteration, order->repeats);
    mproc_pool_free(iteration.pool);
}

/* ---- tasks that sleep ---------------------------------------------------------------------------- */

static mproc_status sleep_so_long(mproc_call *call)
{
    int64_t duration_ns;

    MPROC_TRY(mproc_unpack(call, &duration_ns));
    measure_sleep_ns(duration_ns);
    return MPROC_OK;
}

struct sleepers {
    struct round round;
    int64_t duration_ns;
};

static void sleep_all(void *context)
{
    const struct sleepers *sleepers = context;
    const struct round *round = &sleepers->round;

    for (size_t i = 0; i < round->count; i++)
        mproc_check(mproc_pool_apply_async(round->pool, sleep_so_long, MPROC_ARGS(sleepers->duration_ns), NULL,
                                           &round->results[i]));
    mproc_check(mproc_result_wait_many(round->results, round->count, MPROC_WAIT_ALL, MPROC_FOREVER));
    for (size_t i = 0; i < round->count; i++) mproc_result_free(round->results[i]);
}

void tasks_sleep(const struct order *order, double values[2])
{
    struct sleepers sleepers = {create_round(order), (int64_t)order->chunk};

    sleepers.round.pool = create_pool(MPROC_PROCESSES, NULL);
    for (int i = 0; i < WARM_UPS; i++) sleep_all(&sleepers);
    values[0] = measure_median(sleep_all, &sleepers, order->repeats);
    mproc_pool_free(sleepers.round.pool);
    free(sleepers.round.results);
}
