#include "host.h"
#include "public.h"

#include <mproc/mproc.h>

/* Creates an object and frees it. */
typedef void create_and_free(void);

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

static bool measure(create_and_free *pass, size_t repeats, double *values)
{
    int64_t begin;

    for (size_t i = 0; i < repeats / 10 + 1; i++) pass();
    begin = host_now_ns();
    for (size_t i = 0; i < repeats; i++) pass();
    values[0] = (double)(host_now_ns() - begin) / (double)repeats;
    return true;
}

bool public_create_lock(const bench_setting *setting, double *values)
{
    return measure(pass_lock, setting->repeats, values);
}

bool public_create_event(const bench_setting *setting, double *values)
{
    return measure(pass_event, setting->repeats, values);
}

bool public_create_array(const bench_setting *setting, double *values)
{
    return measure(pass_array, setting->repeats, values);
}
