#include "mproc.h"

#include <mproc/mproc.h>

/*
 * What the two processes wake each other by: one semaphore or event for each of them, or one condition and whose
 * turn it is, which the condition's lock guards.
 */
struct scene {
    mproc_semaphore *semaphores[2];
    mproc_event *events[2];
    mproc_condition *condition;
    mproc_shared_value *turn;
};

/* Gives the turn to one side, and waits until it is that side's. */
typedef void give_turn(const struct scene *scene, int to);
typedef void await_turn(const struct scene *scene, int mine);

static void give_permit(const struct scene *scene, int to)
{
    mproc_check(mproc_semaphore_release(scene->semaphores[to]));
}

static void await_permit(const struct scene *scene, int mine)
{
    mproc_check(mproc_semaphore_acquire(scene->semaphores[mine], MPROC_FOREVER));
}

static void give_event(const struct scene *scene, int to)
{
    mproc_check(mproc_event_set(scene->events[to]));
}

static void await_event(const struct scene *scene, int mine)
{
    mproc_check(mproc_event_wait(scene->events[mine], MPROC_FOREVER));
    mproc_check(mproc_event_clear(scene->events[mine]));
}

static void give_notice(const struct scene *scene, int to)
{
    mproc_check(mproc_condition_acquire(scene->condition, MPROC_FOREVER));
    *(int64_t *)mproc_shared_value_data(scene->turn) = to;
    mproc_check(mproc_condition_notify(scene->condition, 1));
    mproc_check(mproc_condition_release(scene->condition));
}

static void await_notice(const struct scene *scene, int mine)
{
    const int64_t *turn = mproc_shared_value_data(scene->turn);

    mproc_check(mproc_condition_acquire(scene->condition, MPROC_FOREVER));
    while (*turn != mine) mproc_check(mproc_condition_wait(scene->condition, MPROC_FOREVER));
    mproc_check(mproc_condition_release(scene->condition));
}

typedef struct way {
    give_turn *give;
    await_turn *await;
} way;

static const way ways[] = {{give_permit, await_permit}, {give_event, await_event}, {give_notice, await_notice}};

static mproc_status answer(mproc_call *call)
{
    struct scene scene;
    size_t number, repeats;

    MPROC_TRY(mproc_unpack(call, &number, &repeats, &scene.semaphores[0], &scene.semaphores[1], &scene.events[0],
                           &scene.events[1], &scene.condition, &scene.turn));
    measure_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        ways[number].await(&scene, 1);
        ways[number].give(&scene, 0);
    }
    return MPROC_OK;
}

static void create(struct scene *scene)
{
    for (int i = 0; i < 2; i++) {
        mproc_check(mproc_semaphore_create(0, NULL, &scene->semaphores[i]));
        mproc_check(mproc_event_create(&scene->events[i]));
    }
    mproc_check(mproc_condition_create(NULL, &scene->condition));
    mproc_check(mproc_shared_value_create(sizeof(int64_t), NULL, &(mproc_shared_options){.raw = true}, &scene->turn));
}

static mproc_process *start_answerer(const struct scene *scene, size_t number, size_t repeats)
{
    mproc_process *other;

    mproc_check(mproc_process_create(answer,
                                     MPROC_ARGS(number, repeats, scene->semaphores[0], scene->semaphores[1],
                                                scene->events[0], scene->events[1], scene->condition, scene->turn),
                                     NULL, &other));
    mproc_check(mproc_process_start(other));
    return other;
}

/* The scene, and which of the ways it is used by. */
struct route {
    struct scene scene;
    size_t number;
};

static void go_and_come(void *context)
{
    const struct route *route = context;

    ways[route->number].give(&route->scene, 1);
    ways[route->number].await(&route->scene, 0);
}

static void measure(size_t number, size_t repeats, double values[2])
{
    struct route route = {.number = number};
    mproc_process *other;

    create(&route.scene);
    other = start_answerer(&route.scene, number, repeats);
    measure_bind(0);
    values[0] = measure_median(go_and_come, &route, repeats);
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(other).code == 0, "the other process ends with 0");
}

void trip_semaphore(const struct order *order, double values[2])
{
    measure(0, order->repeats, values);
}

void trip_event(const struct order *order, double values[2])
{
    measure(1, order->repeats, values);
}

void trip_condition(const struct order *order, double values[2])
{
    measure(2, order->repeats, values);
}
