#include "host.h"
#include "public.h"

#include <mproc/mproc.h>
#include <stdatomic.h>

/* What the two processes share, as in lock_posix.c, but for the lock, which the arguments name. */
typedef struct scene {
    _Atomic int ready;
    uint32_t unused;
    uint64_t repeats;
    char line[64];
    uint64_t counter;
} scene;

static void lock_often(mproc_lock *lock, scene *shared, size_t repeats)
{
    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_lock_acquire(lock, MPROC_FOREVER));
        shared->counter++;
        mproc_check(mproc_lock_release(lock));
    }
}

static scene *create(mproc_lock **lock, mproc_shared_value **value)
{
    mproc_check(mproc_lock_create(NULL, lock));
    mproc_check(mproc_shared_value_create(sizeof(scene), NULL, &(mproc_shared_options){.raw = true}, value));
    return mproc_shared_value_data(*value);
}

bool public_lock(const bench_setting *setting, double *values)
{
    mproc_shared_value *value;
    mproc_lock *lock;
    scene *shared = create(&lock, &value);
    int64_t begin;

    lock_often(lock, shared, setting->repeats / 10);
    begin = host_now_ns();
    lock_often(lock, shared, setting->repeats);
    values[0] = (double)(host_now_ns() - begin) / (double)setting->repeats;
    return true;
}

static void meet_and_lock(mproc_lock *lock, scene *shared, int number, size_t repeats)
{
    host_bind(number);
    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->ready) < 2) host_sleep_ns(10000);
    lock_often(lock, shared, repeats);
}

static mproc_status run_other(mproc_call *call)
{
    mproc_shared_value *value;
    mproc_lock *lock;
    scene *shared;

    MPROC_TRY(mproc_unpack(call, &lock, &value));
    shared = mproc_shared_value_data(value);
    meet_and_lock(lock, shared, 1, shared->repeats);
    return MPROC_OK;
}

bool public_lock_contended(const bench_setting *setting, double *values)
{
    mproc_shared_value *value;
    mproc_lock *lock;
    scene *shared = create(&lock, &value);
    mproc_process *other;
    int64_t begin;

    shared->repeats = setting->repeats;
    mproc_check(mproc_process_create(run_other, MPROC_ARGS(lock, value), NULL, &other));
    mproc_check(mproc_process_start(other));
    while (atomic_load(&shared->ready) < 1) host_sleep_ns(100000);
    begin = host_now_ns();
    meet_and_lock(lock, shared, 0, setting->repeats);
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    values[0] = (double)(host_now_ns() - begin) / (double)(2 * setting->repeats);
    return mproc_process_exit_status(other).code == 0 && shared->counter == 2 * setting->repeats;
}
