#include "mproc.h"

#include <mproc/mproc.h>
#include <stdlib.h>

static void take_and_give(void *object, size_t repeats)
{
    mproc_semaphore *semaphore = object;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
        mproc_check(mproc_semaphore_release(semaphore));
    }
}

static void set_and_clear(void *object, size_t repeats)
{
    mproc_event *event = object;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_event_set(event));
        mproc_check(mproc_event_clear(event));
    }
}

static void ask(void *object, size_t repeats)
{
    const mproc_event *event = object;

    for (size_t i = 0; i < repeats; i++) {
        if (!mproc_event_is_set(event)) abort();
    }
}

static void wait_for(void *object, size_t repeats)
{
    mproc_event *event = object;

    for (size_t i = 0; i < repeats; i++) mproc_check(mproc_event_wait(event, MPROC_FOREVER));
}

void semaphore_alone(const struct order *order, double values[2])
{
    mproc_semaphore *semaphore;

    mproc_check(mproc_semaphore_create(1, NULL, &semaphore));
    values[0] = measure_mean(take_and_give, semaphore, order->repeats);
}

static mproc_event *create(bool set)
{
    mproc_event *event;

    mproc_check(mproc_event_create(&event));
    if (set) mproc_check(mproc_event_set(event));
    return event;
}

void event_set(const struct order *order, double values[2])
{
    values[0] = measure_mean(set_and_clear, create(false), order->repeats);
}

void event_is_set(const struct order *order, double values[2])
{
    values[0] = measure_mean(ask, create(true), order->repeats);
}

void event_wait(const struct order *order, double values[2])
{
    values[0] = measure_mean(wait_for, create(true), order->repeats);
}
