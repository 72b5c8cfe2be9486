/* Queues as arguments of processes and tasks, and processes that put and end. */
#include "queue/queues.h"

#include <stdlib.h>

static mproc_process *start(mproc_function *function, mproc_args args)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, args, &(mproc_process_options){.daemon = MPROC_NO}, &process));
    CHECK_OK(mproc_process_start(process));
    return process;
}

/* ---- made by one, used by the others --------------------------------------------------------------- */

static mproc_status answers(mproc_call *call)
{
    mproc_queue *asked = NULL, *answered = NULL, *again = NULL;

    MPROC_TRY(mproc_unpack(call, &asked, &answered));
    CHECK_OK(mproc_value_to(mproc_value_at(mproc_call_value(call), 0), &again));
    CHECK(again == asked);
    queues_put_int(answered, 2 * queues_get_int(asked));
    return MPROC_OK;
}

static void case_queue_is_an_argument_of_a_process(void)
{
    mproc_queue *asked = queues_create(0, 0), *answered = queues_create(1, 0);
    mproc_process *first = start(answers, MPROC_ARGS(asked, answered)), *second;

    queues_put_int(asked, 21);
    CHECK_EQ(queues_get_int(answered), 42);
    second = start(answers, MPROC_ARGS(asked, answered));
    queues_put_int(asked, 5);
    CHECK_EQ(queues_get_int(answered), 10);
    CHECK_EXITED(first, 0);
    CHECK_EXITED(second, 0);
    mproc_queue_free(asked);
    mproc_queue_free(answered);
}

static mproc_status passes_it_on(mproc_call *call)
{
    mproc_queue *asked = NULL, *answered = NULL;

    MPROC_TRY(mproc_unpack(call, &asked, &answered));
    CHECK_EXITED(start(answers, MPROC_ARGS(asked, answered)), 0);
    return MPROC_OK;
}

static void case_queue_is_passed_on_to_a_grandchild(void)
{
    mproc_queue *asked = queues_create(0, 0), *answered = queues_create(0, 0);

    queues_put_int(asked, 21);
    CHECK_EXITED(start(passes_it_on, MPROC_ARGS(asked, answered)), 0);
    CHECK_EQ(queues_get_int(answered), 42);
    mproc_queue_free(asked);
    mproc_queue_free(answered);
}

/* What was put before there was a child at all is there for it; it may have been given back here since. */
static void case_items_from_before_its_start_are_there_for_a_child(void)
{
    mproc_queue *asked = queues_create(0, 0), *answered = queues_create(0, 0);
    mproc_process *process = NULL;

    queues_put_int(asked, 4);
    CHECK_OK(mproc_process_create(answers, MPROC_ARGS(asked, answered), NULL, &process));
    mproc_queue_free(asked);
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    CHECK_EQ(queues_get_int(answered), 8);
    mproc_queue_free(answered);
}

/* ---- put, and ended ------------------------------------------------------------------------------ */

static mproc_status puts_ten_and_ends(mproc_call *call)
{
    mproc_queue *queue = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (int i = 10; i < 20; i++) queues_put_int(queue, i);
    exit(0);
}

static void case_items_of_a_child_that_ends_at_once_are_all_there(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;

    for (int i = 0; i < 10; i++) queues_put_int(queue, i);
    CHECK_EXITED(start(puts_ten_and_ends, MPROC_ARGS(queue)), 0);
    for (int i = 0; i < 20; i++) CHECK_EQ(queues_get_int(queue), i);
    CHECK_STATUS(mproc_queue_get(queue, &value, 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

enum { MEGABYTE = 1 << 20 };

/* As bytes and as a value; then it ends, or waits to be killed. */
static mproc_status puts_a_megabyte(mproc_call *call)
{
    mproc_queue *queue = NULL;
    bool killed = false;
    unsigned char *bytes = malloc(MEGABYTE);

    MPROC_TRY(mproc_unpack(call, &queue, &killed));
    CHECK(bytes != NULL);
    queues_fill(bytes, MEGABYTE, 9);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, MEGABYTE, MPROC_FOREVER));
    CHECK_OK(mproc_queue_put(queue, mproc_bytes(bytes, MEGABYTE), MPROC_FOREVER));
    free(bytes);
    return killed ? mproc_sleep_ms(MPROC_FOREVER) : MPROC_OK;
}

static bool has_two(void *queue)
{
    return mproc_queue_size(queue) == 2;
}

static void check_megabyte(bool killed)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_process *child = start(puts_a_megabyte, MPROC_ARGS(queue, killed));
    unsigned char *bytes = malloc(MEGABYTE);
    mproc_value value = mproc_nil();
    size_t size = 0;

    CHECK(bytes != NULL);
    if (killed) {
        CHECK_WAIT_UNTIL(has_two, queue);
        CHECK_OK(mproc_process_kill(child));
        CHECK_ENDED_BY(child, 9);
    } else {
        CHECK_EXITED(child, 0);
    }
    CHECK_EQ(mproc_queue_size(queue), 2);
    CHECK_OK(mproc_queue_get_bytes(queue, bytes, MEGABYTE, &size, 0));
    CHECK_EQ(size, MEGABYTE);
    queues_check_bytes(bytes, MEGABYTE, 9);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK(mproc_value_equal(value, mproc_bytes(bytes, MEGABYTE)));
    mproc_value_clear(&value);
    mproc_queue_free(queue);
    free(bytes);
}

static void case_child_that_put_a_megabyte_is_joined_before_it_is_got(void)
{
    check_megabyte(false);
}

static void case_items_of_a_killed_child_stay(void)
{
    check_megabyte(true);
}

/* ---- as a simple queue ------------------------------------------------------------------------------ */

static mproc_status tells_whether_it_is_empty(mproc_call *call)
{
    mproc_queue *queue = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    CHECK_OK(mproc_queue_put(queue, mproc_bool(mproc_queue_empty(queue)), MPROC_FOREVER));
    CHECK_OK(mproc_queue_put(queue, mproc_bool(mproc_queue_empty(queue)), MPROC_FOREVER));
    return MPROC_OK;
}

static void case_child_sees_whether_a_queue_is_empty(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;

    CHECK(mproc_queue_empty(queue));
    CHECK_EXITED(start(tells_whether_it_is_empty, MPROC_ARGS(queue)), 0);
    CHECK(!mproc_queue_empty(queue));
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK(mproc_value_bool(value));
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK(mproc_value_type(value) == MPROC_TYPE_BOOL && !mproc_value_bool(value));
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_arguments, peers_of_processes,
    CASE(queue_is_an_argument_of_a_process),
    CASE(queue_is_passed_on_to_a_grandchild),
    CASE(items_from_before_its_start_are_there_for_a_child),
    CASE(items_of_a_child_that_ends_at_once_are_all_there),
    CASE(child_that_put_a_megabyte_is_joined_before_it_is_got),
    CASE(items_of_a_killed_child_stay),
    CASE(child_sees_whether_a_queue_is_empty),
);
