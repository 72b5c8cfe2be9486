#include "mproc.h"

#include <mproc/mproc.h>
#include <stdatomic.h>

/* What two processes share, as in peer_system.c, but for the lock, which the arguments name. */
struct guarded {
    _Atomic int ready;
    uint32_t unused;
    char line[64];
    uint64_t counter;
};

struct scene {
    mproc_lock *lock;
    mproc_shared_value *value;
    struct guarded *shared;
};

static struct scene create(void)
{
    struct scene scene;

    mproc_check(mproc_lock_create(NULL, &scene.lock));
    mproc_check(
        mproc_shared_value_create(sizeof(struct guarded), NULL, &(mproc_shared_options){.raw = true}, &scene.value));
    scene.shared = mproc_shared_value_data(scene.value);
    return scene;
}

static void lock_often(void *context, size_t repeats)
{
    const struct scene *scene = context;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_lock_acquire(scene->lock, MPROC_FOREVER));
        scene->shared->counter++;
        mproc_check(mproc_lock_release(scene->lock));
    }
}

void lock(const struct order *order, double values[2])
{
    struct scene scene = create();

    values[0] = measure_mean(lock_often, &scene, order->repeats);
}

static void meet_and_lock(struct scene *scene, int number, size_t repeats)
{
    measure_bind(number);
    atomic_fetch_add(&scene->shared->ready, 1);
    while (atomic_load(&scene->shared->ready) < 2) measure_sleep_ns(10000);
    lock_often(scene, repeats);
}

static mproc_status run_other(mproc_call *call)
{
    struct scene scene;
    size_t repeats;

    MPROC_TRY(mproc_unpack(call, &scene.lock, &scene.value, &repeats));
    scene.shared = mproc_shared_value_data(scene.value);
    meet_and_lock(&scene, 1, repeats);
    return MPROC_OK;
}

void lock_contended(const struct order *order, double values[2])
{
    struct scene scene = create();
    mproc_process *other;
    int64_t begin;

    mproc_check(mproc_process_create(run_other, MPROC_ARGS(scene.lock, scene.value, order->repeats), NULL, &other));
    mproc_check(mproc_process_start(other));
    while (atomic_load(&scene.shared->ready) < 1) measure_sleep_ns(100000);
    begin = measure_now_ns();
    meet_and_lock(&scene, 0, order->repeats);
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    values[0] = (double)(measure_now_ns() - begin) / (double)(2 * order->repeats);
    measure_require(scene.shared->counter == 2 * order->repeats, "each pair has counted");
}
