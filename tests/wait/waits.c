/* mproc_wait(): what is ready, limits, interrupts, what is refused. */
#include "wait/waiting.h"

/* What stays when a pool is gone. */
#define OF_A_POOL (CHECK_HANDLES | CHECK_THREADS)

static void check_ready(const mproc_waitable *things, size_t count, const bool *expected)
{
    for (size_t i = 0; i < count; i++) CHECK_EQ(things[i].ready, expected[i]);
}

/* ---- what is ready ------------------------------------------------------------------------------- */

static void case_only_what_is_ready_is_returned(void)
{
    one_of_each each;
    size_t ready = 99;

    for (int i = 0; i < KINDS; i++) {
        bool expected[KINDS] = {false};
        ready = 99;
        each_create(&each);
        CHECK_STATUS(mproc_wait(each.things, KINDS, 0, &ready), MPROC_TIMEOUT);
        CHECK_EQ(ready, 99);
        check_ready(each.things, KINDS, expected);
        each_make_ready(&each, i);
        CHECK_OK(mproc_wait(each.things, KINDS, check_limit_ms(), &ready));
        CHECK_EQ(ready, 1);
        expected[i] = true;
        check_ready(each.things, KINDS, expected);
        CHECK_OK(mproc_wait(each.things, KINDS, 0, NULL));
        check_ready(each.things, KINDS, expected);
        each_free(&each);
    }
}

/* The process and the task take their time. */
static bool all_are_ready(void *context)
{
    one_of_each *each = context;
    size_t ready = 0;

    CHECK_OK(mproc_wait(each->things, KINDS, MPROC_FOREVER, &ready));
    return ready == KINDS;
}

static void case_all_that_are_ready_are_returned(void)
{
    const bool expected[KINDS] = {true, true, true, true, true, true, true};
    one_of_each each;

    each_create(&each);
    for (int i = 0; i < KINDS; i++) each_make_ready(&each, i);
    CHECK_WAIT_UNTIL(all_are_ready, &each);
    check_ready(each.things, KINDS, expected);
    each_free(&each);
}

/* Alone, with things of its kind - of the system, of the arena -, and with all. */
static void check_woken(const one_of_each *each, int index, mproc_waitable *things, size_t count, size_t place)
{
    waiting_thread waiting = {.things = things, .count = count, .timeout_ms = MPROC_FOREVER};

    waiting_begin(&waiting);
    waiting_await_asleep(1);
    each_make_ready(each, index);
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_EQ(waiting.ready, 1);
    for (size_t i = 0; i < count; i++) CHECK_EQ(things[i].ready, i == place);
}

static void case_each_kind_wakes_who_sleeps(void)
{
    one_of_each each;

    for (int i = 0; i < KINDS; i++) {
        each_create(&each);
        check_woken(&each, i, &each.things[i], 1, 0);
        each_free(&each);
    }
}

static void case_each_kind_wakes_who_sleeps_for_all(void)
{
    one_of_each each;

    for (int i = 0; i < KINDS; i++) {
        each_create(&each);
        check_woken(&each, i, each.things, KINDS, (size_t)i);
        each_free(&each);
    }
}

static void case_things_of_the_arena_alone_wake_who_sleeps_for_them(void)
{
    one_of_each each;

    for (int i = 2; i < 6; i++) {
        each_create(&each);
        check_woken(&each, i, &each.things[2], 4, (size_t)i - 2);
        each_free(&each);
    }
}

/* What it had to wait for has gone to another, so it waits again, and misses nothing. */
static void case_what_another_takes_is_waited_for_again(void)
{
    enum { ROUNDS = 200 };
    mproc_queue *queue = NULL;
    mproc_waitable thing;
    int got = 0;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    thing = MPROC_WAITABLE(queue);
    for (int i = 0; i < ROUNDS; i++) {
        waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};
        mproc_value value;
        waiting_begin(&waiting);
        CHECK_OK(mproc_queue_put(queue, mproc_int(i), 0));
        if (mproc_queue_get(queue, &value, 0) == MPROC_OK) got++;
        CHECK_OK(mproc_queue_put(queue, mproc_int(i), 0));
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        CHECK_OK(mproc_queue_get(queue, &value, 0));
    }
    CHECK_EQ(got, ROUNDS);
    mproc_queue_free(queue);
}

static void case_same_thing_several_times_is_ready_each_time(void)
{
    one_of_each each;
    mproc_waitable things[6];
    size_t ready = 0;

    each_create(&each);
    for (int i = 0; i < 3; i++) {
        things[2 * i] = each.things[0];
        things[2 * i + 1] = each.things[2];
    }
    each_make_ready(&each, 0);
    CHECK_OK(mproc_wait(things, 6, check_limit_ms(), &ready));
    CHECK_EQ(ready, 3);
    each_make_ready(&each, 2);
    CHECK_OK(mproc_wait(things, 6, check_limit_ms(), &ready));
    CHECK_EQ(ready, 6);
    each_free(&each);
}

/* The message is not with the system any more. */
static void case_message_that_was_taken_and_kept_is_ready(void)
{
    ends pipe = connections_create(false);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first);
    mproc_value value = mproc_nil();
    size_t ready = 0;

    connections_write_raw(pipe.second, "\0\0\0\3abc", 7);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_INVALID);
    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, &ready));
    connections_check_text(pipe.first, "abc");
    CHECK_STATUS(mproc_wait(&thing, 1, 0, &ready), MPROC_TIMEOUT);
    connections_write_raw(pipe.second, "\377\377\377\376", 4);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_BROKEN);
    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, &ready));
    connections_free(&pipe);
}

static void case_end_of_the_other_side_is_ready(void)
{
    ends pipe = connections_create(false);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first);

    mproc_connection_close(pipe.second);
    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
    CHECK(thing.ready);
    connections_free(&pipe);
}

static void case_semaphore_with_owners_is_waited_for(void)
{
    mproc_semaphore *semaphore = NULL;
    mproc_waitable thing;
    waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = true}, &semaphore));
    thing = MPROC_WAITABLE(semaphore);
    CHECK_OK(mproc_wait(&thing, 1, 0, NULL));
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    CHECK_OK(mproc_semaphore_release(semaphore));
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    mproc_semaphore_free(semaphore);
}

/* ---- limits and interrupts ----------------------------------------------------------------------- */

static void case_nothing_is_ready_within_the_limit(void)
{
    static const int64_t limits[] = {0, 1, 30};
    one_of_each each;

    each_create(&each);
    for (int i = 0; i < 3; i++) {
        int64_t begun = check_now_ms();
        CHECK_STATUS(mproc_wait(each.things, KINDS, limits[i], NULL), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_wait(each.things, 2, limits[i], NULL), MPROC_TIMEOUT);
        CHECK_STATUS(mproc_wait(each.things + 2, 4, limits[i], NULL), MPROC_TIMEOUT);
        CHECK(check_now_ms() - begun >= 3 * limits[i] - 1);
    }
    each_make_ready(&each, 0);
    CHECK_OK(mproc_wait(each.things, KINDS, 30, NULL));
    each_free(&each);
}

static void case_wait_for_nothing_lasts_for_its_limit(void)
{
    int64_t begun = check_now_ms();
    size_t ready = 99;

    CHECK_STATUS(mproc_wait(NULL, 0, 0, &ready), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_wait(NULL, 0, 30, &ready), MPROC_TIMEOUT, "30 ms");
    CHECK(check_now_ms() - begun >= 29);
    CHECK_EQ(ready, 99);
}

static void check_interrupted(mproc_waitable *things, size_t count)
{
    waiting_thread waiting = {.things = things, .count = count, .timeout_ms = MPROC_FOREVER};

    waiting_begin(&waiting);
    waiting_await_asleep(1);
    mproc_interrupt();
    waiting_end(&waiting);
    CHECK_EQ(waiting.status, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted()); /* this thread's own news */
}

static void case_interrupt_ends_each_wait(void)
{
    one_of_each each;

    each_create(&each);
    check_interrupted(NULL, 0);
    check_interrupted(each.things, 2);
    check_interrupted(each.things + 2, 4);
    check_interrupted(each.things, KINDS);
    each_free(&each);
}

/* ---- what is refused ----------------------------------------------------------------------------- */

static void case_bad_arguments_are_refused(void)
{
    ends pipe = connections_create(true);
    mproc_process *process = NULL;
    mproc_queue *queue = NULL;
    mproc_waitable things[2];

    CHECK_OK(mproc_queue_create(NULL, &queue));
    things[0] = MPROC_WAITABLE(queue);
    CHECK_STATUS(mproc_wait(NULL, 1, 0, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_wait(things, 1, -1, NULL), MPROC_INVALID);
    things[1] = MPROC_WAITABLE(pipe.second);
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_BAD_STATE, "thing 1");
    things[1] = mproc_waitable_connection(NULL);
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID, "NULL");
    things[1].kind = (mproc_waitable_kind)0;
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID, "kind");
    things[1].kind = (mproc_waitable_kind)77;
    CHECK_STATUS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID);
    things[1] = mproc_waitable_handle(-1);
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID, "handle");
    things[1] = mproc_waitable_handle(100004);
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID, "100004");
    things[1] = mproc_waitable_process((mproc_process *)mproc_current_process());
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_INVALID, "own end");
    CHECK_OK(mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, &process));
    things[1] = MPROC_WAITABLE(process);
    CHECK_SAYS(mproc_wait(things, 2, 0, NULL), MPROC_BAD_STATE, "not started");
    mproc_process_free(process);
    mproc_queue_free(queue);
    connections_free(&pipe);
}

static mproc_status waits_for_a_task_of_its_own_pool(mproc_call *call)
{
    mproc_event *gate = NULL;
    mproc_waitable thing;
    int64_t address;

    MPROC_TRY(mproc_unpack(call, &gate, &address));
    MPROC_TRY(mproc_event_wait(gate, MPROC_FOREVER));
    thing = mproc_waitable_result(*(mproc_result **)(intptr_t)address);
    return mproc_wait(&thing, 1, MPROC_FOREVER, NULL);
}

/* Others may have put it into their set. */
static mproc_status waits_in_a_set_for_a_task_of_its_own_pool(mproc_call *call)
{
    mproc_event *gate = NULL;
    mproc_waitable ready;
    int64_t set;
    size_t count;

    MPROC_TRY(mproc_unpack(call, &gate, &set));
    MPROC_TRY(mproc_event_wait(gate, MPROC_FOREVER));
    return mproc_wait_set_wait((mproc_wait_set *)(intptr_t)set, &ready, 1, MPROC_FOREVER, &count);
}

static void case_worker_waits_for_no_task_of_its_own_pool(void)
{
    mproc_pool *pool = NULL;
    mproc_event *gate = NULL;
    mproc_result *first = NULL, *second = NULL;
    int64_t address = (intptr_t)&second;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = MPROC_THREADS}, &pool));
    CHECK_OK(mproc_event_create(&gate));
    CHECK_OK(mproc_pool_apply_async(pool, waits_for_a_task_of_its_own_pool, MPROC_ARGS(gate, address), NULL, &first));
    CHECK_OK(mproc_pool_apply_async(pool, fixture_does_nothing, mproc_no_args(), NULL, &second));
    CHECK_OK(mproc_event_set(gate));
    CHECK_STATUS(mproc_result_get(first, NULL, check_limit_ms()), MPROC_BAD_STATE);
    mproc_result_free(first);
    mproc_result_free(second);
    mproc_event_free(gate);
    mproc_pool_free(pool);
}

static void case_worker_waits_in_no_set_for_a_task_of_its_own_pool(void)
{
    mproc_pool *pool = NULL;
    mproc_event *gate = NULL;
    mproc_wait_set *set = NULL;
    mproc_result *first = NULL, *second = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = MPROC_THREADS}, &pool));
    CHECK_OK(mproc_event_create(&gate));
    CHECK_OK(mproc_wait_set_create(&set));
    CHECK_OK(mproc_pool_apply_async(pool, waits_in_a_set_for_a_task_of_its_own_pool,
                                    MPROC_ARGS(gate, (int64_t)(intptr_t)set), NULL, &first));
    CHECK_OK(mproc_pool_apply_async(pool, fixture_does_nothing, mproc_no_args(), NULL, &second));
    CHECK_OK(mproc_wait_set_add(set, MPROC_WAITABLE(second)));
    CHECK_OK(mproc_event_set(gate));
    CHECK_SAYS(mproc_result_get(first, NULL, check_limit_ms()), MPROC_BAD_STATE, "a result in the set: ");
    mproc_result_free(first);
    mproc_result_free(second);
    mproc_wait_set_free(set);
    mproc_event_free(gate);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(wait_waits, waiting_setup,
    CASE_WITH(only_what_is_ready_is_returned, .limit_s = 60, .leaves = OF_A_POOL),
    CASE_WITH(all_that_are_ready_are_returned, .leaves = OF_A_POOL),
    CASE_WITH(each_kind_wakes_who_sleeps, .limit_s = 60, .leaves = OF_A_POOL),
    CASE_WITH(each_kind_wakes_who_sleeps_for_all, .limit_s = 60, .leaves = OF_A_POOL),
    CASE_WITH(things_of_the_arena_alone_wake_who_sleeps_for_them, .limit_s = 60, .leaves = OF_A_POOL),
    CASE(what_another_takes_is_waited_for_again),
    CASE_WITH(same_thing_several_times_is_ready_each_time, .leaves = OF_A_POOL),
    CASE(message_that_was_taken_and_kept_is_ready),
    CASE(end_of_the_other_side_is_ready),
    CASE(semaphore_with_owners_is_waited_for),
    CASE_WITH(nothing_is_ready_within_the_limit, .leaves = OF_A_POOL),
    CASE(wait_for_nothing_lasts_for_its_limit),
    CASE_WITH(interrupt_ends_each_wait, .leaves = OF_A_POOL),
    CASE(bad_arguments_are_refused),
    CASE_WITH(worker_waits_for_no_task_of_its_own_pool, .leaves = OF_A_POOL),
    CASE_WITH(worker_waits_in_no_set_for_a_task_of_its_own_pool, .leaves = OF_A_POOL),
);
