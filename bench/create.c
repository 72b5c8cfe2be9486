#include "mproc.h"

#include <mproc/mproc.h>
#include <stdatomic.h>

enum { CPUS = 2 };

static void pass_lock(void)
{
    mproc_lock *lock;

    mproc_check(mproc_lock_create(NULL, &lock));
    mproc_lock_free(lock);
}

static void pass_event(void)
{
    mproc_event *event;

    mproc_check(mproc_event_create(&event));
    mproc_event_free(event);
}

static void pass_array(void)
{
    mproc_shared_array *array;

    mproc_check(mproc_shared_array_create(sizeof(int64_t), 16, NULL, NULL, &array));
    mproc_shared_array_free(array);
}

static void pass_100_bytes(void)
{
    mproc_shared_memory *memory;

    mproc_check(mproc_shared_memory_create(100, NULL, &memory));
    mproc_shared_memory_free(memory);
}

static void (*const passes[])(void) = {pass_lock, pass_event, pass_array, pass_100_bytes};
enum { LOCK, EVENT, ARRAY, BYTES };

/* What the processes share: all begin when all are there. */
struct words {
    _Atomic size_t ready;
    _Atomic size_t begun;
};

static void pass_often(size_t which, size_t repeats)
{
    for (size_t i = 0; i < repeats; i++) passes[which]();
}

static mproc_status pass_with_others(mproc_call *call)
{
    mproc_shared_value *value;
    size_t number, which, repeats;
    struct words *words;

    MPROC_TRY(mproc_unpack(call, &value, &number, &which, &repeats));
    words = mproc_shared_value_data(value);
    measure_bind((int)(number % CPUS));
    pass_often(which, repeats / 10 + 1);
    atomic_fetch_add(&words->ready, 1);
    while (!atomic_load(&words->begun)) measure_sleep_ns(10000);
    pass_often(which, repeats);
    return MPROC_OK;
}

/* Each of `count` processes does all repeats: the time of all by the number of all. */
static double measure_at_once(size_t which, size_t count, size_t repeats)
{
    mproc_process *processes[16];
    mproc_shared_value *value;
    struct words *words;
    int64_t begin;

    measure_require(count <= 16, "there are few processes");
    mproc_check(mproc_shared_value_create(sizeof(struct words), NULL, &(mproc_shared_options){.raw = true}, &value));
    words = mproc_shared_value_data(value);
    for (size_t i = 0; i < count; i++) {
        mproc_check(
            mproc_process_create(pass_with_others, MPROC_ARGS(value, i, which, repeats), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    while (atomic_load(&words->ready) < count) measure_sleep_ns(100000);
    begin = measure_now_ns();
    atomic_store(&words->begun, 1);
    for (size_t i = 0; i < count; i++) mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
    return (double)(measure_now_ns() - begin) / (double)(count * repeats);
}

static void pass_mean(void *which, size_t repeats)
{
    pass_often(*(const size_t *)which, repeats);
}

static void measure(size_t which, const struct order *order, double values[2])
{
    if (order->items > 0) values[0] = measure_at_once(which, order->items, order->repeats);
    else values[0] = measure_mean(pass_mean, &which, order->repeats);
}

void create_lock(const struct order *order, double values[2])
{
    measure(LOCK, order, values);
}

void create_event(const struct order *order, double values[2])
{
    measure(EVENT, order, values);
}

void create_array(const struct order *order, double values[2])
{
    measure(ARRAY, order, values);
}

void create_100_bytes(const struct order *order, double values[2])
{
    measure(BYTES, order, values);
}

/* ---- beside a large one --------------------------------------------------------------------------- */

static mproc_status create_large_ones(mproc_call *call)
{
    mproc_event *over;
    size_t size, repeats;

    MPROC_TRY(mproc_unpack(call, &over, &size, &repeats));
    measure_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        mproc_shared_memory *memory;
        MPROC_TRY(mproc_shared_memory_create(size, NULL, &memory));
        mproc_shared_memory_free(memory);
    }
    return mproc_event_set(over);
}

/* Hundreds are kept for a while, so that new memory is needed now and then. */
static double pass_and_keep(size_t round)
{
    enum { KEPT = 1000 };
    static mproc_shared_memory *kept[KEPT];
    mproc_shared_memory **place = &kept[round % KEPT];
    int64_t begin = measure_now_ns();

    mproc_shared_memory_free(*place);
    mproc_check(mproc_shared_memory_create(100 + round % 4000, NULL, place));
    return (double)(measure_now_ns() - begin);
}

/*
 * The large ones are created `repeats` times; the first of the small ones give the median. The longest is one during
 * which the thread was not preempted: who is, waits for a slice of the scheduler, whatever it does.
 */
void create_beside(const struct order *order, double values[2])
{
    enum { FIRST = 100000 };
    static double times[FIRST];
    mproc_process *other;
    mproc_event *over;
    size_t count = 0;

    mproc_check(mproc_event_create(&over));
    mproc_check(
        mproc_process_create(create_large_ones, MPROC_ARGS(over, order->items, order->repeats), NULL, &other));
    mproc_check(mproc_process_start(other));
    measure_bind(0);
    while (!mproc_event_is_set(over)) {
        int64_t preemptions = measure_preemptions();
        double time = pass_and_keep(count);
        if (time > values[1] && measure_preemptions() == preemptions) values[1] = time;
        if (count < FIRST) times[count] = time;
        count++;
    }
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    values[0] = median_of(times, count < FIRST ? count : FIRST);
}
