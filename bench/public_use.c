#include "host.h"
#include "public.h"

#include <mproc/mproc.h>
#include <stdlib.h>

/* Does so often what is measured. */
typedef void use(void *object, size_t repeats);

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

static bool measure(use *often, void *object, size_t repeats, double *values)
{
    int64_t begin;

    often(object, repeats / 10);
    begin = host_now_ns();
    often(object, repeats);
    values[0] = (double)(host_now_ns() - begin) / (double)repeats;
    return true;
}

bool public_semaphore(const bench_setting *setting, double *values)
{
    mproc_semaphore *semaphore;

    mproc_check(mproc_semaphore_create(1, NULL, &semaphore));
    return measure(take_and_give, semaphore, setting->repeats, values);
}

static mproc_event *create_event(void)
{
    mproc_event *event;

    mproc_check(mproc_event_create(&event));
    return event;
}

bool public_event_set(const bench_setting *setting, double *values)
{
    return measure(set_and_clear, create_event(), setting->repeats, values);
}

bool public_event_is_set(const bench_setting *setting, double *values)
{
    mproc_event *event = create_event();

    mproc_check(mproc_event_set(event));
    return measure(ask, event, setting->repeats, values);
}

bool public_event_wait(const bench_setting *setting, double *values)
{
    mproc_event *event = create_event();

    mproc_check(mproc_event_set(event));
    return measure(wait_for, event, setting->repeats, values);
}
