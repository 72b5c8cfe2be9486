/*
 * Threads that are cancelled (pthread_cancel) inside calls of the library: nothing is cancelled in the middle, so
 * each call ends as ever, the thread ends after it, and all others go on.
 */
#include "process_fixture.h"

#include <mproc/mproc.h>
#include <pthread.h>
#include <signal.h>

enum { ROUNDS = 10 };

/* What the cancelled thread works with, and how often it has begun a call and come out of it. */
typedef struct cancel_scene {
    mproc_process *child;
    mproc_lock *lock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
    mproc_pool *pool;
    _Atomic uint32_t begun;
    _Atomic uint32_t ended;
    void (*body)(struct cancel_scene *scene);
} cancel_scene;

static void join_child(cancel_scene *scene)
{
    CHECK_OK(mproc_process_join(scene->child, MPROC_FOREVER));
}

static void wait_for_lock(cancel_scene *scene)
{
    CHECK_OK(mproc_lock_acquire(scene->lock, MPROC_FOREVER));
    CHECK_OK(mproc_lock_release(scene->lock));
}

static void wait_for_permit(cancel_scene *scene)
{
    CHECK_OK(mproc_semaphore_acquire(scene->semaphore, MPROC_FOREVER));
    CHECK_OK(mproc_semaphore_release(scene->semaphore));
}

static void wait_for_notification(cancel_scene *scene)
{
    CHECK_OK(mproc_condition_acquire(scene->condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_wait(scene->condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_release(scene->condition));
}

static void wait_for_event(cancel_scene *scene)
{
    CHECK_OK(mproc_event_wait(scene->event, MPROC_FOREVER));
}

static void stand_at_barrier(cancel_scene *scene)
{
    CHECK_OK(mproc_barrier_wait(scene->barrier, MPROC_FOREVER, NULL));
}

static void sleep_a_little(cancel_scene *scene)
{
    (void)scene;
    CHECK_OK(mproc_sleep_ms(1));
}

static void start_and_join(cancel_scene *scene)
{
    mproc_process *process = NULL;

    (void)scene;
    CHECK_OK(mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
}

static void take_memory(cancel_scene *scene)
{
    mproc_shared_memory *memory = NULL;

    (void)scene;
    CHECK_OK(mproc_shared_memory_create((size_t)5 << 20, NULL, &memory));
    mproc_shared_memory_free(memory);
}

static mproc_status add_one(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int *)result = *(const int *)item + 1;
    return MPROC_OK;
}

static void map(cancel_scene *scene)
{
    int items[100] = {0}, results[100];

    CHECK_OK(mproc_pool_map(scene->pool, add_one, items, sizeof *items, results, sizeof *results, 100, NULL));
}

/* ---- the thread ------------------------------------------------------------------------------- */

static void *repeat(void *argument)
{
    cancel_scene *scene = argument;
    void (*body)(struct cancel_scene * its) = scene->body;

    for (;;) {
        atomic_fetch_add(&scene->begun, 1);
        body(scene);
        atomic_fetch_add(&scene->ended, 1);
        pthread_testcancel();
    }
    return NULL;
}

static void start(cancel_scene *scene, void (*body)(struct cancel_scene *scene), pthread_t *thread)
{
    scene->body = body;
    atomic_store(&scene->begun, 0);
    CHECK_EQ(pthread_create(thread, NULL, repeat, scene), 0);
    CHECK_AWAIT(&scene->begun, 1);
}

static void end(pthread_t thread)
{
    void *result;

    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
}

/* What a call that was cut short might have left locked: the heap, the list of children, start and join. */
static void check_others_go_on(void)
{
    mproc_event *events[40];

    for (int i = 0; i < 40; i++) CHECK_OK(mproc_event_create(&events[i]));
    for (int i = 0; i < 40; i++) mproc_event_free(events[i]);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_EQ(fixture_active_count(), 0);
}

static void cancel_at_work(void (*body)(struct cancel_scene *scene), cancel_scene *scene)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        start(scene, body, &thread);
        CHECK_EQ(pthread_cancel(thread), 0);
        end(thread);
        check_others_go_on();
    }
}

/* ---- the cases -------------------------------------------------------------------------------- */

static void case_cancelled_joiner_leaves_the_child_to_others(void)
{
    fixture_board *board = fixture_board_create();
    cancel_scene scene = {.child = fixture_start(fixture_waits, board, 0, NULL)};
    mproc_process *other = fixture_start(fixture_waits, board, 0, NULL);
    pthread_t thread;

    fixture_await_step(board, 2);
    start(&scene, join_child, &thread);
    check_pause_ms(20); /* so that it most likely waits: the promise holds in either case */
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, SIGKILL);
    CHECK_OK(mproc_process_kill(scene.child));
    end(thread);
    CHECK_ENDED_BY(scene.child, SIGKILL);
    check_others_go_on();
    fixture_board_free(board);
}

static void case_cancelled_waiters_end_when_they_have_what_they_waited_for(void)
{
    cancel_scene scene = {.begun = 0};
    pthread_t threads[4];

    CHECK_OK(mproc_lock_create(NULL, &scene.lock));
    CHECK_OK(mproc_semaphore_create(0, NULL, &scene.semaphore));
    CHECK_OK(mproc_event_create(&scene.event));
    CHECK_OK(mproc_barrier_create(2, NULL, &scene.barrier));
    CHECK_OK(mproc_lock_acquire(scene.lock, 0));
    start(&scene, wait_for_lock, &threads[0]);
    start(&scene, wait_for_permit, &threads[1]);
    start(&scene, wait_for_event, &threads[2]);
    start(&scene, stand_at_barrier, &threads[3]);
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_cancel(threads[i]), 0);
    CHECK_OK(mproc_lock_release(scene.lock));
    CHECK_OK(mproc_semaphore_release(scene.semaphore));
    CHECK_OK(mproc_event_set(scene.event));
    CHECK_OK(mproc_barrier_wait(scene.barrier, check_limit_ms(), NULL));
    for (int i = 0; i < 4; i++) end(threads[i]);
    check_others_go_on();
    mproc_lock_free(scene.lock);
    mproc_semaphore_free(scene.semaphore);
    mproc_event_free(scene.event);
    mproc_barrier_free(scene.barrier);
}

static void case_cancelled_waiter_of_a_condition_ends_when_it_is_notified(void)
{
    cancel_scene scene = {.begun = 0};
    pthread_t thread;

    CHECK_OK(mproc_condition_create(NULL, &scene.condition));
    CHECK_OK(mproc_condition_acquire(scene.condition, 0));
    start(&scene, wait_for_notification, &thread);
    CHECK_EQ(pthread_cancel(thread), 0);
    /* It waits for the lock, or for the notification; each pass gives it a chance of both. */
    while (atomic_load(&scene.ended) == 0) {
        CHECK_OK(mproc_condition_notify(scene.condition, 1));
        CHECK_OK(mproc_condition_release(scene.condition));
        CHECK_OK(mproc_condition_acquire(scene.condition, check_limit_ms()));
    }
    CHECK_OK(mproc_condition_release(scene.condition));
    end(thread);
    check_others_go_on();
    mproc_condition_free(scene.condition);
}

static void case_thread_cancelled_while_it_starts_processes_hinders_nobody(void)
{
    cancel_scene scene = {.begun = 0};

    cancel_at_work(start_and_join, &scene);
}

static void case_thread_cancelled_while_it_takes_memory_hinders_nobody(void)
{
    cancel_scene scene = {.begun = 0};

    cancel_at_work(take_memory, &scene);
}

static void case_thread_cancelled_while_it_sleeps_hinders_nobody(void)
{
    cancel_scene scene = {.begun = 0};

    cancel_at_work(sleep_a_little, &scene);
}

static void case_thread_cancelled_while_it_maps_hinders_nobody(void)
{
    cancel_scene scene = {.begun = 0};

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &scene.pool));
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        start(&scene, map, &thread);
        CHECK_EQ(pthread_cancel(thread), 0);
        end(thread);
        map(&scene);
    }
    mproc_pool_free(scene.pool);
    check_others_go_on();
}

CHECK_SUITE_SETUP(process_cancel, fixture_setup,
    CASE(cancelled_joiner_leaves_the_child_to_others),
    CASE(cancelled_waiters_end_when_they_have_what_they_waited_for),
    CASE(cancelled_waiter_of_a_condition_ends_when_it_is_notified),
    CASE(thread_cancelled_while_it_starts_processes_hinders_nobody),
    CASE(thread_cancelled_while_it_takes_memory_hinders_nobody),
    CASE(thread_cancelled_while_it_sleeps_hinders_nobody),
    CASE(thread_cancelled_while_it_maps_hinders_nobody),
);
