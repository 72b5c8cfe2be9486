/* Managers that are processes of their own: who starts them. */
#include "manager/serving.h"
#include "process/process_fixture.h"

/* Leaves it running, and exits; or waits to be killed. */
static mproc_status starts(mproc_call *call)
{
    static mproc_manager *manager; /* whoever exits has it to the end */
    mproc_queue *queue;
    bool stays;

    MPROC_TRY(mproc_unpack(call, &queue, &stays));
    manager = serving_started(&(mproc_manager_options){0});
    MPROC_TRY(mproc_manager_serve(manager, "n", mproc_int(4)));
    MPROC_TRY(mproc_queue_put(queue, mproc_int(mproc_process_pid(mproc_manager_process(manager))), 0));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(mproc_manager_address(manager)), 0));
    while (stays) MPROC_TRY(mproc_sleep_ms(1000));
    return MPROC_OK;
}

static void case_ends_with_a_killed_starter(void)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_queue *queue = connections_queue();
    mproc_process *process = connections_start(starts, MPROC_ARGS(queue, true));
    mproc_value pid = mproc_nil(), address = mproc_nil(), value = mproc_nil();
    mproc_manager *client = NULL;

    CHECK_OK(mproc_queue_get(queue, &pid, check_limit_ms()));
    CHECK_OK(mproc_queue_get(queue, &address, check_limit_ms()));
    CHECK_OK(mproc_manager_connect(mproc_value_string(address), &options, &client, check_limit_ms()));
    CHECK_OK(mproc_manager_get(client, "n", &value));
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_await_gone(mproc_value_int(pid));
    CHECK_STATUS(mproc_manager_get(client, "n", &value), MPROC_PEER_DIED);
    mproc_manager_free(client);
    mproc_value_clear(&address);
    mproc_queue_free(queue);
}

static void case_ends_with_a_starter_that_exits(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *process = connections_start(starts, MPROC_ARGS(queue, false));
    mproc_value pid = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &pid, check_limit_ms()));
    CHECK_EXITED(process, 0);
    fixture_await_gone(mproc_value_int(pid));
    mproc_queue_free(queue);
}

static mproc_status starts_for_a_pool(mproc_call *call)
{
    mproc_manager *manager = serving_started(&(mproc_manager_options){0}), *client = serving_connect(manager);
    mproc_value value = mproc_nil();

    MPROC_TRY(mproc_manager_serve(manager, "n", mproc_int(4)));
    MPROC_TRY(mproc_manager_get(client, "n", &value));
    mproc_manager_free(client);
    mproc_manager_free(manager);
    return mproc_call_return(call, value);
}

static void case_starts_in_a_task(void)
{
    mproc_pool *pool = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    CHECK_OK(mproc_pool_apply(pool, starts_for_a_pool, mproc_no_args(), &value));
    CHECK_EQ(mproc_value_int(value), 4);
    mproc_pool_free(pool);
}

/* An initializer starts another manager, which stays as long as this one. */
static mproc_status starts_inside(mproc_call *call)
{
    static mproc_manager *manager;
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    manager = serving_started(&(mproc_manager_options){0});
    MPROC_TRY(mproc_manager_serve(manager, "n", mproc_int(5)));
    MPROC_TRY(mproc_queue_put(queue, mproc_int(mproc_process_pid(mproc_manager_process(manager))), 0));
    return mproc_queue_put(queue, MPROC_VALUE(mproc_manager_address(manager)), 0);
}

static void case_starts_in_a_manager(void)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_queue *queue = connections_queue();
    mproc_manager *outer = serving_started(
                      &(mproc_manager_options){.initializer = starts_inside, .initializer_args = MPROC_ARGS(queue)}),
                  *inner = NULL;
    mproc_value pid = mproc_nil(), address = mproc_nil(), value = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &pid, check_limit_ms()));
    CHECK_OK(mproc_queue_get(queue, &address, check_limit_ms()));
    CHECK_OK(mproc_manager_connect(mproc_value_string(address), &options, &inner, check_limit_ms()));
    CHECK_OK(mproc_manager_get(inner, "n", &value));
    CHECK_EQ(mproc_value_int(value), 5);
    mproc_manager_shutdown(outer);
    serving_check_ended(outer, MPROC_EXIT_EXITED, 0);
    fixture_await_gone(mproc_value_int(pid));
    CHECK_STATUS(mproc_manager_get(inner, "n", &value), MPROC_PEER_DIED);
    mproc_manager_free(inner);
    mproc_manager_free(outer);
    mproc_value_clear(&address);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(manager_starters, serving_setup,
    CASE(ends_with_a_killed_starter),
    CASE(ends_with_a_starter_that_exits),
    CASE(starts_in_a_task),
    CASE(starts_in_a_manager)
);
