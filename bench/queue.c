#include "meeting.h"
#include "mproc.h"

#include <mproc/mproc.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS = 2, AT_ONCE = 32, TRIP_BYTES = 64, PROCESSES_MAX = 8 };

/* A process' part: it only puts, or only gets. Items have `size` bytes; the first of them are the item's number. */
struct part {
    mproc_queue *queue;
    size_t size;
    unsigned char *memory;
};

static void put_bytes(void *context, size_t repeats)
{
    const struct part *part = context;

    for (uint64_t i = 0; i < repeats; i++) {
        memcpy(part->memory, &i, sizeof i);
        mproc_check(mproc_queue_put_bytes(part->queue, part->memory, part->size, MPROC_FOREVER));
    }
}

static void get_bytes(void *context, size_t repeats)
{
    const struct part *part = context;

    for (uint64_t i = 0; i < repeats; i++) {
        mproc_check(mproc_queue_get_bytes(part->queue, part->memory, part->size, NULL, MPROC_FOREVER));
        if (memcmp(part->memory, &i, sizeof i) != 0) abort();
    }
}

/* With several who put, an item's number says nothing. */
static void get_any_bytes(void *context, size_t repeats)
{
    const struct part *part = context;

    for (size_t i = 0; i < repeats; i++)
        mproc_check(mproc_queue_get_bytes(part->queue, part->memory, part->size, NULL, MPROC_FOREVER));
}

static void put_many(void *context, size_t repeats)
{
    const struct part *part = context;

    for (uint64_t i = 0, count; i < repeats; i += count) {
        count = repeats - i < AT_ONCE ? repeats - i : AT_ONCE;
        for (uint64_t n = i; n < i + count; n++) memcpy(part->memory + (n - i) * part->size, &n, sizeof n);
        mproc_check(mproc_queue_put_many(part->queue, part->memory, part->size, count, NULL, MPROC_FOREVER));
    }
}

static void get_many(void *context, size_t repeats)
{
    const struct part *part = context;
    size_t count;

    for (uint64_t i = 0; i < repeats; i += count) {
        size_t wanted = repeats - i < AT_ONCE ? repeats - i : AT_ONCE;
        mproc_check(mproc_queue_get_many(part->queue, part->memory, part->size, wanted, &count, MPROC_FOREVER));
        for (uint64_t n = i; n < i + count; n++)
            if (memcmp(part->memory + (n - i) * part->size, &n, sizeof n) != 0) abort();
    }
}

static void put_int(void *context, size_t repeats)
{
    const struct part *part = context;

    for (size_t i = 0; i < repeats; i++)
        mproc_check(mproc_queue_put(part->queue, MPROC_VALUE((int64_t)i), MPROC_FOREVER));
}

static void get_int(void *context, size_t repeats)
{
    const struct part *part = context;
    mproc_value value;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_queue_get(part->queue, &value, MPROC_FOREVER));
        if (mproc_value_int(value) != (int64_t)i) abort();
    }
}

static const char *volatile text = "twenty bytes of text";

static void put_string(void *context, size_t repeats)
{
    const struct part *part = context;

    for (size_t i = 0; i < repeats; i++) mproc_check(mproc_queue_put(part->queue, MPROC_VALUE(text), MPROC_FOREVER));
}

static void get_string(void *context, size_t repeats)
{
    const struct part *part = context;
    mproc_value value;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_queue_get(part->queue, &value, MPROC_FOREVER));
        if (mproc_value_size(value) != 20) abort();
        mproc_value_clear(&value);
    }
}

static void put_map(void *context, size_t repeats)
{
    const struct part *part = context;

    for (size_t i = 0; i < repeats; i++) value_put_message(part->queue);
}

static void get_map(void *context, size_t repeats)
{
    const struct part *part = context;

    for (size_t i = 0; i < repeats; i++) value_get_message(part->queue);
}

/* By number, as a process is started with numbers. */
static const struct way {
    measure_pass *put;
    measure_pass *get;
} ways[] = {{put_bytes, get_bytes}, {put_bytes, get_any_bytes}, {put_many, get_many},
            {put_int, get_int},     {put_string, get_string},   {put_map, get_map}};
enum { BYTES, ANY_BYTES, MANY, INT, STRING, MAP };

/* Of two that follow one another one puts and one gets, on two CPUs; the next two have the CPUs the other way. */
static mproc_status take_part(mproc_call *call)
{
    struct part part;
    mproc_shared_value *value;
    size_t which, number, count, repeats;
    measure_pass *pass;

    MPROC_TRY(mproc_unpack(call, &part.queue, &part.size, &value, &which, &number, &count, &repeats));
    pass = number % 2 ? ways[which].put : ways[which].get;
    part.memory = calloc(AT_ONCE, part.size);
    measure_require(part.memory != NULL, "there is memory for items");
    meeting_pass(mproc_shared_value_data(value), count, (number + number / 2) % CPUS, pass, &part, repeats);
    return MPROC_OK;
}

/* The time of all items by their number: `pairs` processes put, and as many get, all repeats each. */
static double measure(size_t which, size_t pairs, const struct order *order)
{
    mproc_process *processes[PROCESSES_MAX];
    mproc_queue_options options = {.maxsize = (int64_t)order->chunk};
    mproc_queue *queue;
    mproc_shared_value *value;
    double time;

    mproc_check(mproc_queue_create(&options, &queue));
    mproc_check(
        mproc_shared_value_create(sizeof(struct meeting), NULL, &(mproc_shared_options){.raw = true}, &value));
    for (size_t i = 0; i < 2 * pairs; i++) {
        mproc_check(mproc_process_create(take_part,
                                         MPROC_ARGS(queue, order->items, value, which, i, 2 * pairs, order->repeats),
                                         NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    time = meeting_time(mproc_shared_value_data(value), 2 * pairs);
    for (size_t i = 0; i < 2 * pairs; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        measure_require(mproc_process_exit_status(processes[i]).code == 0, "each process ends with 0");
    }
    return time / (double)(pairs * order->repeats);
}

void queue_bytes(const struct order *order, double values[2])
{
    values[0] = measure(BYTES, 1, order);
}

void queue_2x2(const struct order *order, double values[2])
{
    values[0] = measure(ANY_BYTES, 2, order);
}

void queue_4x4(const struct order *order, double values[2])
{
    values[0] = measure(ANY_BYTES, 4, order);
}

void queue_many(const struct order *order, double values[2])
{
    values[0] = measure(MANY, 1, order);
}

void queue_int(const struct order *order, double values[2])
{
    values[0] = measure(INT, 1, order);
}

void queue_string(const struct order *order, double values[2])
{
    values[0] = measure(STRING, 1, order);
}

void queue_map(const struct order *order, double values[2])
{
    values[0] = measure(MAP, 1, order);
}

/* ---- there and back ------------------------------------------------------------------------------- */

static mproc_status answer(mproc_call *call)
{
    mproc_queue *there, *back;
    size_t repeats, size;
    char item[TRIP_BYTES];

    MPROC_TRY(mproc_unpack(call, &there, &back, &repeats));
    measure_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        MPROC_TRY(mproc_queue_get_bytes(there, item, sizeof item, &size, MPROC_FOREVER));
        MPROC_TRY(mproc_queue_put_bytes(back, item, size, MPROC_FOREVER));
    }
    return MPROC_OK;
}

struct route {
    mproc_queue *there;
    mproc_queue *back;
};

static void go_and_come(void *context)
{
    const struct route *route = context;
    char item[TRIP_BYTES] = "";

    mproc_check(mproc_queue_put_bytes(route->there, item, sizeof item, MPROC_FOREVER));
    mproc_check(mproc_queue_get_bytes(route->back, item, sizeof item, NULL, MPROC_FOREVER));
}

void queue_trip(const struct order *order, double values[2])
{
    struct route route;
    mproc_process *other;

    mproc_check(mproc_queue_create(NULL, &route.there));
    mproc_check(mproc_queue_create(NULL, &route.back));
    mproc_check(mproc_process_create(answer, MPROC_ARGS(route.there, route.back, order->repeats), NULL, &other));
    mproc_check(mproc_process_start(other));
    measure_bind(0);
    measure_rested(go_and_come, &route, order->repeats, order->items, values);
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(other).code == 0, "the other process ends with 0");
}
