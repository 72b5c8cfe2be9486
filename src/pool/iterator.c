/* Iterators over the results of tasks, and maps over values, which are made of them. */
#include <mproc/iterator.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/options.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/result.h"
#include "process/family.h"

#define IN_FLIGHT_DEFAULT 64
#define IN_FLIGHT_MAX ((size_t)1 << 20)
/* A map waits for all of them, and holds so many results at a time. */
#define MAP_IN_FLIGHT 1024
#define TEXT_BYTES 1024
#define MS_NS ((int64_t)1000000)
/* In the caller's array: nothing is known of the item yet. */
#define UNKNOWN ((mproc_status)-1)

/* An item in flight; one that was refused has no result, but the status and the text of that. */
struct flight {
    mproc_result *result;
    uint64_t number;
    mproc_status status;
    char *text;
};

/* `flights` is a ring: `first` is the one that was given to the pool first. */
struct mproc_iterator {
    mproc_pool *pool;
    mproc_function *function;
    mproc_source_function *source;
    void *context;
    mproc_iterator_options options;
    struct flight *flights;
    mproc_result **waited_for;
    size_t first;
    size_t count;
    uint64_t given;        /* numbers the items */
    uint64_t taken;        /* counts those that came out */
    bool admitted;         /* see pool_submit() */
    int64_t grace_ms;      /* for tasks that run when it is freed, or GRACE_OF_POOL */
    bool asks;             /* the source: it is called, and may not come back here */
    bool ended;            /* the source is not called again */
    struct flight failure; /* of the source: comes out when no item is left */
};

static mproc_status check(const mproc_pool *pool, mproc_function *function, mproc_source_function *source,
                          const mproc_iterator_options *options, mproc_iterator **out)
{
    mproc_status status;

    if (!function) return mproc_error(MPROC_INVALID, "an iterator over tasks needs a function, and was given NULL");
    if (!source) return mproc_error(MPROC_INVALID, "an iterator needs a source of items, and was given NULL");
    if (!out) return mproc_error(MPROC_INVALID, "mproc_pool_imap() has nowhere to write the iterator: out is NULL");
    if (options->in_flight > IN_FLIGHT_MAX)
        return mproc_error(MPROC_INVALID, "%zu items in flight: at most %zu are possible", options->in_flight,
                           IN_FLIGHT_MAX);
    if ((status = pool_check_retries(options->retries)) != MPROC_OK) return status;
    return family_enter_with(pool->arena);
}

static void release(mproc_iterator *iterator)
{
    if (!iterator) return;
    free(iterator->waited_for);
    free(iterator->flights);
    free(iterator);
}

/* So many items in flight, or four for each worker if that is more. */
static size_t enough_for(const mproc_pool *pool, size_t in_flight)
{
    size_t many = (size_t)4 * atomic_load(&pool->shared->limit);

    return many > in_flight ? many : in_flight;
}

mproc_status mproc_pool_imap_sized(mproc_pool *pool, mproc_function *function, mproc_source_function *source,
                                   void *context, const mproc_iterator_options *options, size_t options_size,
                                   mproc_iterator **out)
{
    mproc_iterator *iterator;
    mproc_iterator_options all;
    mproc_status status;

    assert(pool);
    options_read(&all, sizeof all, options, options_size);
    if ((status = check(pool, function, source, &all, out)) != MPROC_OK) return status;
    if (all.in_flight == 0) all.in_flight = enough_for(pool, IN_FLIGHT_DEFAULT);
    if (!(iterator = calloc(1, sizeof *iterator)) ||
        !(iterator->flights = calloc(all.in_flight, sizeof *iterator->flights)) ||
        !(iterator->waited_for = calloc(all.in_flight, sizeof(mproc_result *)))) {
        release(iterator);
        return mproc_error(MPROC_NO_MEMORY, "no memory for an iterator with %zu items in flight", all.in_flight);
    }
    iterator->pool = pool;
    iterator->function = function;
    iterator->source = source;
    iterator->context = context;
    iterator->options = all;
    iterator->grace_ms = GRACE_OF_POOL;
    *out = iterator;
    return MPROC_OK;
}

static struct flight *flight_at(const mproc_iterator *iterator, size_t index)
{
    return &iterator->flights[(iterator->first + index) % iterator->options.in_flight];
}

/* What cannot be given to the pool is what becomes of it. */
static void refuse(struct flight *flight, mproc_status status)
{
    const char *text = mproc_error_text(status);
    size_t size = strlen(text) + 1;

    flight->status = status;
    if ((flight->text = malloc(size))) memcpy(flight->text, text, size);
}

static void give(mproc_iterator *iterator, const mproc_value *item)
{
    mproc_task_options options = {.retries = iterator->options.retries};
    struct flight *flight = flight_at(iterator, iterator->count);
    mproc_args args = iterator->options.unpack ? *item : mproc_list_from(item, 1);
    mproc_status status;

    *flight = (struct flight){.number = iterator->given++};
    status = pool_submit(iterator->pool, iterator->function, args, &options, iterator->admitted, &flight->result);
    if (status != MPROC_OK) refuse(flight, status);
    iterator->count++;
}

static void fill(mproc_iterator *iterator)
{
    while (!iterator->ended && iterator->count < iterator->options.in_flight) {
        mproc_value item = mproc_nil();
        mproc_status status;
        iterator->asks = true;
        status = iterator->source(iterator->context, &item);
        iterator->asks = false;
        if (status == MPROC_OK) {
            give(iterator, &item);
            continue;
        }
        iterator->ended = true;
        if (status == MPROC_END) return;
        refuse(&iterator->failure, status);
    }
}

/* What is over is made known here, while that is so: where workers come back, tasks that were given up may be run. */
static bool is_ready(const struct flight *flight)
{
    mproc_result *result = flight->result;

    if (!result) return true;
    if (mproc_result_ready(result) && atomic_load(&result->state) == RESULT_PENDING) tasks_collect(result);
    return atomic_load(&result->state) != RESULT_PENDING;
}

/* The one that comes out next: the first, or the first of those that are ready. NULL: none is. */
static struct flight *find(const mproc_iterator *iterator)
{
    size_t looked_at = iterator->options.unordered ? iterator->count : 1;

    for (size_t i = 0; i < looked_at; i++) {
        struct flight *flight = flight_at(iterator, i);
        if (is_ready(flight)) return flight;
    }
    return NULL;
}

static mproc_status wait_for_next(const mproc_iterator *iterator, int64_t timeout_ms)
{
    if (!iterator->options.unordered) return mproc_result_wait(flight_at(iterator, 0)->result, timeout_ms);
    for (size_t i = 0; i < iterator->count; i++) iterator->waited_for[i] = flight_at(iterator, i)->result;
    return mproc_result_wait_many(iterator->waited_for, iterator->count, MPROC_WAIT_ANY, timeout_ms);
}

/* Its place is the first one's then. */
static struct flight take(mproc_iterator *iterator, struct flight *flight)
{
    struct flight taken = *flight;

    *flight = *flight_at(iterator, 0);
    iterator->first = (iterator->first + 1) % iterator->options.in_flight;
    iterator->count--;
    return taken;
}

/* What became of it, as the caller's; the flight is over. */
static mproc_status land(struct flight *flight, mproc_value *value)
{
    mproc_status status = flight->status;

    if (flight->result) {
        status = mproc_result_get(flight->result, NULL, 0);
        if (status == MPROC_OK && value) status = result_take_value(flight->result, value);
        mproc_result_free(flight->result);
    } else {
        status = mproc_error(status, "%s", flight->text ? flight->text : mproc_status_text(status));
        free(flight->text);
    }
    return status;
}

/* The next that is there, with its number. */
static mproc_status next(mproc_iterator *iterator, int64_t timeout_ms, struct flight *taken)
{
    struct flight *flight;
    mproc_status status;

    fill(iterator);
    if (iterator->count == 0) {
        *taken = iterator->failure;
        iterator->failure = (struct flight){.status = MPROC_OK};
        return taken->status == MPROC_OK ? mproc_error(MPROC_END, "the iterator is at its end") : MPROC_OK;
    }
    /* Once more, where workers have come back after all. */
    while (!(flight = find(iterator)))
        if ((status = wait_for_next(iterator, timeout_ms)) != MPROC_OK) return status;
    *taken = take(iterator, flight);
    return MPROC_OK;
}

mproc_status mproc_iterator_next(mproc_iterator *iterator, mproc_value *value, int64_t timeout_ms)
{
    struct flight taken = {.result = NULL};
    char text[TEXT_BYTES];
    mproc_status status;

    assert(iterator);
    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if ((status = family_enter_with(iterator->pool->arena)) != MPROC_OK) return status;
    if (iterator->asks)
        return mproc_error(MPROC_BAD_STATE,
                           "the source of an iterator asks that for its next result: it is to give an "
                           "item first");
    if ((status = next(iterator, timeout_ms, &taken)) != MPROC_OK) return status;
    status = land(&taken, value);
    iterator->taken++;
    if (status != MPROC_END) return status;
    snprintf(text, sizeof text, "%s", mproc_last_error_text());
    return mproc_error(MPROC_BAD_STATE, "%s (a task has returned MPROC_END)", text);
}

uint64_t mproc_iterator_taken(const mproc_iterator *iterator)
{
    assert(iterator);
    return iterator->taken;
}

void mproc_iterator_free(mproc_iterator *iterator)
{
    if (!iterator) return;
    /* In a fork() copy they are the original's. */
    if (family_enter_with(iterator->pool->arena) != MPROC_OK) iterator->count = 0;
    /* First of all: who is told to stop, and does, is to find none of them. */
    for (size_t i = 0; i < iterator->count; i++) {
        mproc_result *result = flight_at(iterator, i)->result;
        if (result) (void)!mproc_result_cancel(result);
    }
    for (size_t i = 0; i < iterator->count; i++) {
        struct flight *flight = flight_at(iterator, i);
        if (flight->result && !mproc_result_ready(flight->result))
            (void)!mproc_result_stop(flight->result, iterator->grace_ms == GRACE_OF_POOL ? pool_grace(iterator->pool)
                                                                                         : iterator->grace_ms);
        mproc_result_free(flight->result);
        free(flight->text);
    }
    free(iterator->failure.text);
    release(iterator);
}

/* ---- maps over values --------------------------------------------------------------------------- */

/* The items, one after the other. */
struct array {
    mproc_value items;
    size_t at;
};

static mproc_status next_of_array(void *context, mproc_value *item)
{
    struct array *array = context;

    if (array->at == array->items.count) return MPROC_END;
    *item = mproc_value_at(array->items, array->at++);
    return MPROC_OK;
}

/* The first failure in the array's order. */
struct failure {
    uint64_t item;
    mproc_status status;
    char text[TEXT_BYTES];
};

static void note(struct failure *failure, uint64_t item, mproc_status status)
{
    if (failure->status != MPROC_OK && failure->item < item) return;
    failure->item = item;
    failure->status = status;
    snprintf(failure->text, sizeof failure->text, "%s", mproc_error_text(status));
}

/* The next one of a map, which tells meanwhile how far it is. It may never come to waiting for one. */
static mproc_status next_of_map(struct values_map *map, mproc_iterator *iterator, struct flight *taken)
{
    int64_t timeout_ms = map->progress.callback ? map->progress.interval_ns / MS_NS : MPROC_FOREVER;
    mproc_status status;

    do {
        if (interrupt_take()) {
            (void)interrupt_status();
            return MPROC_INTERRUPTED;
        }
        status = next(iterator, timeout_ms, taken);
        if (status != MPROC_OK && status != MPROC_TIMEOUT) return status; /* its text is not to be lost */
        if (progress_is_due(&map->progress)) progress_tell(&map->progress, map->done);
    } while (status == MPROC_TIMEOUT);
    return status;
}

/* Takes all out. Otherwise: why those that are not are given up. */
static mproc_status take_all(struct values_map *map, mproc_iterator *iterator, struct failure *failure)
{
    struct flight taken = {.result = NULL};
    mproc_status status;

    while ((status = next_of_map(map, iterator, &taken)) == MPROC_OK) {
        mproc_status became = land(&taken, map->values ? &map->values[taken.number] : NULL);
        map->done++;
        if (map->options.statuses) map->options.statuses[taken.number] = became;
        if (became == MPROC_OK) continue;
        note(failure, taken.number, became);
        if (map->options.stop_at_failure) return MPROC_CANCELLED;
    }
    if (status == MPROC_INTERRUPTED && map->admitted) return async_map_stopped();
    return status == MPROC_END ? MPROC_OK : status;
}

mproc_status values_map_run(struct values_map *map)
{
    struct array array = {map->items, 0};
    struct failure failure = {.status = MPROC_OK};
    mproc_iterator_options each = {.unordered = true, .unpack = map->options.unpack, .retries = map->options.retries};
    mproc_status *statuses = map->options.statuses;
    size_t count = map->items.count;
    mproc_iterator *iterator = NULL;
    mproc_status status;

    progress_begin(&map->progress, map->pool, map->options.progress, map->options.progress_per_second,
                   map->options.context, count);
    each.in_flight = enough_for(map->pool, count < MAP_IN_FLIGHT ? count : MAP_IN_FLIGHT);
    for (size_t i = 0; map->values && i < count; i++) map->values[i] = mproc_nil();
    for (size_t i = 0; statuses && i < count; i++) statuses[i] = UNKNOWN;
    status = mproc_pool_imap(map->pool, map->function, next_of_array, &array, &each, &iterator);
    if (iterator) {
        iterator->admitted = map->admitted;
        status = take_all(map, iterator, &failure);
        iterator->grace_ms = atomic_load(&map->grace_ms);
    }
    for (size_t i = 0; statuses && i < count; i++)
        if (statuses[i] == UNKNOWN) statuses[i] = status;
    /* The text, too: what ends those that run has others. */
    if (status != MPROC_OK && (failure.status == MPROC_OK || !map->options.stop_at_failure))
        note(&failure, 0, status);
    mproc_iterator_free(iterator);
    if (iterator) progress_end(&map->progress, map->done);
    if (failure.status == MPROC_OK) return MPROC_OK;
    return mproc_error(failure.status, "%s", failure.text);
}

/* What is to be said of a map before it begins. */
static mproc_status check_map(mproc_pool *pool, const mproc_value *items, size_t count,
                              const mproc_values_options *options)
{
    mproc_status status;

    if (!items && count > 0) return mproc_error(MPROC_INVALID, "%zu values to map over at no address", count);
    if (options->callback || options->error_callback) return async_map_refuse_callbacks();
    if ((status = family_enter_with(pool->arena)) != MPROC_OK) return status;
    if ((status = progress_check(options->progress_per_second)) != MPROC_OK) return status;
    if ((status = worker_check_waiter(pool->shared)) != MPROC_OK) return status;
    return pool_check_open(pool);
}

mproc_status mproc_pool_map_values_sized(mproc_pool *pool, mproc_function *function, const mproc_value *items,
                                         size_t count, mproc_value *values, const mproc_values_options *options,
                                         size_t options_size)
{
    struct values_map map = {.pool = pool,
                             .function = function,
                             .items = mproc_list_from(items, count),
                             .values = values,
                             .grace_ms = GRACE_OF_POOL};
    mproc_status status;

    assert(pool);
    options_read(&map.options, sizeof map.options, options, options_size);
    if ((status = check_map(pool, items, count, &map.options)) == MPROC_OK) return values_map_run(&map);
    for (size_t i = 0; values && i < count; i++) values[i] = mproc_nil();
    for (size_t i = 0; map.options.statuses && i < count; i++) map.options.statuses[i] = status;
    return status;
}
