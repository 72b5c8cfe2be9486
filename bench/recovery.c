#include "mproc.h"

#include <mproc/mproc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Longer than it takes the waiter to fall asleep, and than anything here lasts if all goes well. */
enum { SETTLE_NS = 2000000, LIMIT_MS = 60000 };

/*
 * Who kills, who waits for the lock and who is killed with it. `goes` sends the waiter to the lock, `told` says that
 * it was told what has become of the owner, `held` that the next one to be killed has the lock.
 */
struct scene {
    mproc_lock *lock;
    mproc_semaphore *goes;
    mproc_semaphore *told;
    mproc_semaphore *held;
    mproc_shared_value *words;
};

/* What the three share. `told_ns` is written by the waiter before it says that it was told. */
struct words {
    _Atomic int64_t told_ns;
    _Atomic int over;
};

static struct words *words_of(const struct scene *scene)
{
    return mproc_shared_value_data(scene->words);
}

static void create(struct scene *scene)
{
    mproc_check(mproc_lock_create(NULL, &scene->lock));
    mproc_check(mproc_semaphore_create(0, NULL, &scene->goes));
    mproc_check(mproc_semaphore_create(0, NULL, &scene->told));
    mproc_check(mproc_semaphore_create(0, NULL, &scene->held));
    mproc_check(
        mproc_shared_value_create(sizeof(struct words), NULL, &(mproc_shared_options){.raw = true}, &scene->words));
}

static mproc_status unpack(mproc_call *call, struct scene *scene, size_t *objects)
{
    return mproc_unpack(call, &scene->lock, &scene->goes, &scene->told, &scene->held, &scene->words, objects);
}

static mproc_process *start_one(mproc_function *function, const struct scene *scene, size_t objects)
{
    mproc_process *process;

    mproc_check(mproc_process_create(
        function, MPROC_ARGS(scene->lock, scene->goes, scene->told, scene->held, scene->words, objects), NULL,
        &process));
    mproc_check(mproc_process_start(process));
    return process;
}

/* Events that live until the process ends. */
static void make_objects(size_t count)
{
    mproc_event *event;

    for (size_t i = 0; i < count; i++) mproc_check(mproc_event_create(&event));
}

static mproc_status own(mproc_call *call)
{
    struct scene scene;
    size_t objects;

    MPROC_TRY(unpack(call, &scene, &objects));
    make_objects(objects);
    MPROC_TRY(mproc_lock_acquire(scene.lock, MPROC_FOREVER));
    MPROC_TRY(mproc_semaphore_release(scene.held));
    for (;;) MPROC_TRY(mproc_sleep_ms(1000));
}

static mproc_status wait_for_lock(mproc_call *call)
{
    struct scene scene;
    size_t objects;

    MPROC_TRY(unpack(call, &scene, &objects));
    for (;;) {
        MPROC_TRY(mproc_semaphore_acquire(scene.goes, MPROC_FOREVER));
        if (atomic_load(&words_of(&scene)->over)) return MPROC_OK;
        if (mproc_lock_acquire(scene.lock, MPROC_FOREVER) != MPROC_OWNER_DIED)
            return mproc_error(MPROC_BAD_STATE, "the lock is not abandoned");
        atomic_store(&words_of(&scene)->told_ns, measure_now_ns());
        MPROC_TRY(mproc_lock_recover(scene.lock, MPROC_FOREVER));
        MPROC_TRY(mproc_lock_release(scene.lock));
        MPROC_TRY(mproc_semaphore_release(scene.told));
    }
}

/* Has a process take the lock, and kills it. */
static void kill_one(const struct scene *scene, size_t objects, double *told, double *joined)
{
    mproc_process *owner = start_one(own, scene, objects);
    int64_t begin;

    mproc_check(mproc_semaphore_acquire(scene->held, LIMIT_MS));
    mproc_check(mproc_semaphore_release(scene->goes));
    measure_sleep_ns(SETTLE_NS);
    begin = measure_now_ns();
    mproc_check(mproc_process_kill(owner));
    mproc_check(mproc_process_join(owner, MPROC_FOREVER));
    *joined = (double)(measure_now_ns() - begin);
    mproc_process_free(owner);
    mproc_check(mproc_semaphore_acquire(scene->told, LIMIT_MS));
    *told = (double)(atomic_load(&words_of(scene)->told_ns) - begin);
}

static void measure(size_t repeats, size_t objects, double values[2])
{
    double *told = calloc(repeats, sizeof told[0]), *joined = calloc(repeats, sizeof joined[0]);
    mproc_process *waiter;
    struct scene scene;

    measure_require(told && joined, "there is memory for the times");
    create(&scene);
    waiter = start_one(wait_for_lock, &scene, 0);
    for (size_t i = 0; i < repeats; i++) kill_one(&scene, objects, &told[i], &joined[i]);
    atomic_store(&words_of(&scene)->over, 1);
    mproc_check(mproc_semaphore_release(scene.goes));
    mproc_check(mproc_process_join(waiter, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(waiter).code == 0, "the waiter ends with 0");
    values[0] = median_of(told, repeats);
    values[1] = median_of(joined, repeats);
    free(told);
    free(joined);
}

void recovery(const struct order *order, double values[2])
{
    make_objects(order->items);
    measure(order->repeats, 0, values);
}

void recovery_owner(const struct order *order, double values[2])
{
    measure(order->repeats, order->items, values);
}
