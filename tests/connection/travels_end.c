/*
 * Connections in what tasks are given and return; and when whoever passed one on, or has got it, or keeps it, ends.
 */
#include "connection/connections.h"

#include <stdio.h>
#include <stdlib.h>

#include "process/deposit.h"

/* ---- tasks of pools -------------------------------------------------------------------------------- */

/* Answers by what it is given, and returns the other end of what it has made. */
static mproc_status answers_and_makes(mproc_call *call)
{
    mproc_connection *connection = NULL, *first = NULL, *second = NULL;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &connection));
    connections_send_int(connection, connections_recv_int(connection) + 1);
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    connections_send_int(first, 99);
    status = mproc_call_return(call, MPROC_VALUE(second));
    mproc_connection_free(first);
    mproc_connection_free(second);
    return status;
}

static void check_pool(int kind)
{
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2, .kind = kind}, &pool));
    for (int i = 0; i < 4; i++) {
        ends pipe = connections_create(false);
        mproc_connection *made = NULL;
        mproc_value value = mproc_nil();
        connections_send_int(pipe.first, i);
        CHECK_OK(mproc_pool_apply(pool, answers_and_makes, MPROC_ARGS(pipe.second), &value));
        CHECK_EQ(connections_recv_int(pipe.first), i + 1);
        CHECK_OK(mproc_value_to(value, &made));
        mproc_value_clear(&value);
        CHECK_EQ(connections_recv_int(made), 99);
        connections_check_end(made);
        mproc_connection_free(made);
        mproc_connection_free(pipe.second);
        connections_check_end(pipe.first);
        mproc_connection_free(pipe.first);
    }
    mproc_pool_free(pool);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

static void case_task_is_given_one_and_returns_one(void)
{
    check_pool(MPROC_PROCESSES);
}

static void case_task_of_a_thread_is_given_one_and_returns_one(void)
{
    check_pool(MPROC_THREADS);
}

/* The first attempt ends with an end of its own that it was about to return. */
static mproc_status ends_its_worker_at_first(mproc_call *call)
{
    mproc_connection *connection = NULL, *first = NULL, *second = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    connections_send_int(connection, mproc_call_attempt(call));
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    connections_send_int(first, 10 * mproc_call_attempt(call));
    MPROC_TRY(mproc_call_return(call, MPROC_VALUE(second)));
    if (mproc_call_attempt(call) == 1) _Exit(3);
    mproc_connection_free(first);
    mproc_connection_free(second);
    return MPROC_OK;
}

static void case_task_that_is_begun_again_is_given_it_again(void)
{
    ends pipe = connections_create(false);
    mproc_task_options options = {.retries = 1};
    mproc_connection *made = NULL;
    mproc_pool *pool = NULL;
    mproc_result *result = NULL;
    mproc_value value;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    CHECK_OK(mproc_pool_apply_async(pool, ends_its_worker_at_first, MPROC_ARGS(pipe.second), &options, &result));
    mproc_connection_free(pipe.second);
    CHECK_OK(mproc_result_get(result, &value, check_limit_ms()));
    CHECK_OK(mproc_value_to(value, &made));
    mproc_result_free(result);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    CHECK_EQ(connections_recv_int(pipe.first), 2);
    connections_check_end(pipe.first);
    CHECK_EQ(connections_recv_int(made), 20);
    connections_check_end(made);
    mproc_connection_free(made);
    mproc_connection_free(pipe.first);
    mproc_pool_free(pool);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

/* ---- in a dict ------------------------------------------------------------------------------------- */

static mproc_status answers_by_the_end_in_a_dict(mproc_call *call)
{
    mproc_dict *dict = NULL;
    mproc_value value = mproc_nil();
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &dict));
    MPROC_TRY(mproc_dict_get(dict, MPROC_VALUE("end"), &value));
    MPROC_TRY(mproc_value_to(value, &connection));
    mproc_value_clear(&value);
    connections_send_int(connection, connections_recv_int(connection) + 1);
    return MPROC_OK;
}

/* As often as it is read, until the key has another value. */
static void case_dict_keeps_an_end_open(void)
{
    ends pipe = connections_create(false);
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(mproc_nil(), &dict));
    CHECK_OK(mproc_dict_set(dict, MPROC_VALUE("end"), MPROC_VALUE(pipe.second)));
    mproc_connection_free(pipe.second);
    for (int i = 0; i < 2; i++) {
        mproc_process *child = connections_start(answers_by_the_end_in_a_dict, MPROC_ARGS(dict));
        connections_send_int(pipe.first, i);
        CHECK_EQ(connections_recv_int(pipe.first), i + 1);
        CHECK_EXITED(child, 0);
    }
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_dict_set(dict, MPROC_VALUE("end"), mproc_nil()));
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    mproc_dict_free(dict);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

/* ---- deaths ---------------------------------------------------------------------------------------- */

/* The number: whether it reads what it has got. */
static mproc_status gets_and_waits(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *tells = NULL, *connection = NULL;
    mproc_value item = mproc_nil();
    int64_t reads;

    MPROC_TRY(mproc_unpack(call, &queue, &tells, &reads));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    if (reads) MPROC_TRY(mproc_value_to(item, &connection));
    connections_send_int(tells, 1);
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_whoever_got_it_is_killed(void)
{
    for (int reads = 0; reads < 2; reads++) {
        mproc_queue *queue = connections_queue();
        ends pipe = connections_create(false), told = connections_create(true);
        mproc_process *child = connections_start(gets_and_waits, MPROC_ARGS(queue, told.second, reads));
        connections_put(queue, MPROC_VALUE(pipe.second));
        mproc_connection_free(pipe.second);
        CHECK_EQ(connections_recv_int(told.first), 1);
        CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
        CHECK_OK(mproc_process_kill(child));
        CHECK_ENDED_BY(child, 9);
        connections_check_end(pipe.first);
        mproc_connection_free(pipe.first);
        connections_free(&told);
        mproc_queue_free(queue);
        CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
    }
}

static mproc_status puts_and_waits(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *connection = NULL, *first = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_pipe(NULL, &first, &connection));
    connections_send_int(first, 13);
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(connection), MPROC_FOREVER));
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_whoever_put_it_is_killed(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *child = connections_start(puts_and_waits, MPROC_ARGS(queue));
    mproc_value item = mproc_nil();
    mproc_connection *got = NULL;

    CHECK_OK(mproc_queue_get(queue, &item, check_limit_ms()));
    CHECK_OK(mproc_process_kill(child));
    CHECK_ENDED_BY(child, 9);
    CHECK_OK(mproc_value_to(item, &got));
    mproc_value_clear(&item);
    CHECK_EQ(connections_recv_int(got), 13);
    connections_check_end(got);
    mproc_connection_free(got);
    mproc_queue_free(queue);
    CHECK_EQ(deposit_count(), 0);
}

/* ---- the end of the first process ------------------------------------------------------------------- */

/* Outlives the first process, and then reads what it has got from that, and puts an end of its own. */
static mproc_status outlives_the_first(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_shared_memory *told = NULL;
    mproc_connection *connection = NULL, *first = NULL, *second = NULL;
    mproc_value item = mproc_nil();
    const char *name;
    _Atomic int32_t *statuses;

    MPROC_TRY(mproc_unpack(call, &queue, &name));
    MPROC_TRY(mproc_shared_memory_attach(name, &told));
    statuses = mproc_shared_memory_data(told);
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    atomic_store(&statuses[2], 1);
    MPROC_TRY(mproc_process_join(mproc_parent_process(), MPROC_FOREVER));
    atomic_store(&statuses[0], (int32_t)mproc_value_to(item, &connection));
    mproc_value_clear(&item);
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    atomic_store(&statuses[1], (int32_t)mproc_queue_put(queue, MPROC_VALUE(second), 0));
    mproc_connection_free(first);
    mproc_connection_free(second);
    atomic_store(&statuses[2], 2);
    mproc_shared_memory_free(told);
    return MPROC_OK;
}

static int helper_ends_at_once(const char *name)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_shared_memory *told = NULL;
    _Atomic int32_t *statuses;

    CHECK_OK(mproc_shared_memory_attach(name, &told));
    statuses = mproc_shared_memory_data(told);
    connections_start(outlives_the_first, MPROC_ARGS(queue, name));
    connections_put(queue, MPROC_VALUE(pipe.second));
    while (atomic_load(&statuses[2]) == 0) check_pause_ms(1);
    _Exit(3);
}

static bool both_are_told(void *statuses)
{
    return atomic_load(&((_Atomic int32_t *)statuses)[2]) == 2;
}

static void case_end_of_the_first_process_is_a_status(void)
{
    mproc_shared_memory *told = NULL;
    fixture_run first = {.helper = "connection_travels_end.ends_at_once"};
    _Atomic int32_t *statuses;
    char name[64];

    snprintf(name, sizeof name, "mproc-travels-%lld", (long long)mproc_getpid());
    CHECK_OK(mproc_shared_memory_create(3 * sizeof *statuses, &(mproc_shared_memory_options){.name = name}, &told));
    statuses = mproc_shared_memory_data(told);
    first.text = name;
    fixture_run_to_end(&first);
    CHECK_EQ(first.code, 3);
    CHECK_WAIT_UNTIL(both_are_told, (void *)statuses);
    CHECK_STATUS((mproc_status)atomic_load(&statuses[0]), MPROC_PEER_DIED);
    CHECK_STATUS((mproc_status)atomic_load(&statuses[1]), MPROC_PEER_DIED);
    CHECK_OK(mproc_shared_memory_unlink(told));
    mproc_shared_memory_free(told);
}

CHECK_SUITE_SETUP(connection_travels_end, connections_setup_deposits,
    CASE_WITH(task_is_given_one_and_returns_one, .leaves = CHECK_HANDLES | CHECK_THREADS), /* a pool's own */
    CASE_WITH(task_of_a_thread_is_given_one_and_returns_one, .leaves = CHECK_HANDLES | CHECK_THREADS), /* likewise */
    CASE_WITH(task_that_is_begun_again_is_given_it_again, .leaves = CHECK_HANDLES | CHECK_THREADS), /* likewise */
    CASE(dict_keeps_an_end_open),
    CASE(whoever_got_it_is_killed),
    CASE(whoever_put_it_is_killed),
    CASE(end_of_the_first_process_is_a_status),
    HELPER(ends_at_once),
);
