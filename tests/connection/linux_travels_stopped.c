/* Handles in messages while the first process is stopped: who waits for it waits no longer than he wants to. */
#include "connection/connections.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sync/linux_stopping.h"

enum { MOST = 4096 };

/* Until the first process, which serves nothing, has no room for more. */
static void ask_until_there_is_no_room(mproc_queue *queue, mproc_connection *connection)
{
    mproc_status status = MPROC_OK;

    for (int i = 0; i < MOST && status == MPROC_OK; i++) status = mproc_queue_put(queue, MPROC_VALUE(connection), 0);
    CHECK_STATUS(status, MPROC_TIMEOUT);
}

static void sends_an_end(one_call *call)
{
    mproc_connection *end = call->data;

    call->status = mproc_connection_send(call->connection, MPROC_VALUE(end), call->timeout_ms);
}

/* What is put then is put whole, or not at all; and who closes his connection sends away who waits by it. */
static mproc_status puts_within_its_limits(mproc_call *call)
{
    ends carrier = connections_create(false), pipe = connections_create(false);
    one_call sender = {.connection = carrier.first, .data = pipe.second, .timeout_ms = MPROC_FOREVER};
    mproc_queue *queue = connections_queue();
    int64_t size;

    (void)call;
    stop(mproc_getppid());
    ask_until_there_is_no_room(queue, pipe.second);
    size = mproc_queue_size(queue);
    CHECK_SAYS(mproc_queue_put(queue, MPROC_VALUE(pipe.second), 20), MPROC_TIMEOUT, "stopped");
    CHECK_SAYS(mproc_connection_send(carrier.first, MPROC_VALUE(pipe.second), 20), MPROC_TIMEOUT, "stopped");
    CHECK_STATUS(mproc_connection_send(carrier.first, MPROC_VALUE(pipe.second), 0), MPROC_TIMEOUT);
    CHECK_EQ(mproc_queue_size(queue), size);
    CHECK_STATUS(mproc_connection_poll(carrier.second, 0), MPROC_TIMEOUT);
    connections_begin(&sender, sends_an_end);
    check_pause_ms(20);
    mproc_connection_close(carrier.first);
    connections_end(&sender);
    CHECK_EQ(sender.status, MPROC_CLOSED);
    go_on(mproc_getppid());
    connections_free(&carrier);
    connections_free(&pipe);
    mproc_queue_free(queue);
    return MPROC_OK;
}

static void opens_an_item(one_call *call)
{
    const mproc_value *item = call->data;

    call->status = mproc_value_to(*item, &call->connection);
}

/* A thread waits for a handle; what the process has already, others get meanwhile. */
static mproc_status opens_while_another_waits(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_value item = mproc_nil();
    mproc_connection *given = NULL;
    one_call opener = {.data = &item};

    MPROC_TRY(mproc_value_to(mproc_value_at(mproc_call_value(call), 0), &queue));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    stop(mproc_getppid());
    connections_begin(&opener, opens_an_item);
    check_pause_ms(20);
    MPROC_TRY(mproc_value_to(mproc_value_at(mproc_call_value(call), 1), &given));
    CHECK_EQ(atomic_load(&opener.ended), 0);
    go_on(mproc_getppid());
    connections_end(&opener);
    CHECK_OK(opener.status);
    connections_send_int(given, 3);
    mproc_connection_free(opener.connection);
    mproc_value_clear(&item);
    return MPROC_OK;
}

static int be_stopped(mproc_function *function)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false), given = connections_create(false);
    mproc_process *child = connections_start(function, MPROC_ARGS(queue, given.second));

    connections_put(queue, MPROC_VALUE(pipe.second));
    CHECK_EXITED(child, 0);
    connections_free(&pipe);
    connections_free(&given);
    mproc_queue_free(queue);
    return 0;
}

static int helper_is_stopped_and_asked(const char *text)
{
    (void)text;
    return be_stopped(puts_within_its_limits);
}

static int helper_is_stopped_and_awaited(const char *text)
{
    (void)text;
    return be_stopped(opens_while_another_waits);
}

static void case_time_limits_hold(void)
{
    fixture_run first = {.helper = "linux_travels_stopped.is_stopped_and_asked"};

    fixture_run_to_end(&first);
    CHECK_EQ(first.code, 0);
}

static void case_threads_do_not_wait_for_the_handles_of_others(void)
{
    fixture_run first = {.helper = "linux_travels_stopped.is_stopped_and_awaited"};

    fixture_run_to_end(&first);
    CHECK_EQ(first.code, 0);
}

/* ---- it never goes on ------------------------------------------------------------------------------ */

static mproc_status waits_for_the_killed(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_shared_memory *told = NULL;
    mproc_value item = mproc_nil();
    one_call opener = {.data = &item};
    const char *name;

    MPROC_TRY(mproc_unpack(call, &queue, &name));
    MPROC_TRY(mproc_shared_memory_attach(name, &told));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    stop(mproc_getppid());
    connections_begin(&opener, opens_an_item);
    check_pause_ms(20);
    CHECK_EQ(kill((pid_t)mproc_getppid(), SIGKILL), 0);
    connections_end(&opener);
    atomic_store((_Atomic int32_t *)mproc_shared_memory_data(told), (int32_t)opener.status);
    mproc_value_clear(&item);
    mproc_shared_memory_free(told);
    return MPROC_OK;
}

/* A copy is the first process of a family of its own. */
static void be_killed(const char *name)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);

    connections_start(waits_for_the_killed, MPROC_ARGS(queue, name));
    connections_put(queue, MPROC_VALUE(pipe.second));
    for (;;) pause();
}

static bool is_told(void *status)
{
    return atomic_load((_Atomic int32_t *)status) != MPROC_OK;
}

static void case_who_waits_for_a_handle_learns_that_the_first_process_was_killed(void)
{
    mproc_shared_memory *told = NULL;
    _Atomic int32_t *status;
    char name[64];
    pid_t copy;
    int how = 0;

    snprintf(name, sizeof name, "mproc-stopped-%lld", (long long)mproc_getpid());
    CHECK_OK(mproc_shared_memory_create(sizeof *status, &(mproc_shared_memory_options){.name = name}, &told));
    status = mproc_shared_memory_data(told);
    if ((copy = fork()) == 0) be_killed(name);
    CHECK(copy > 0);
    CHECK_EQ(waitpid(copy, &how, 0), copy);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    CHECK_WAIT_UNTIL(is_told, (void *)status);
    CHECK_STATUS((mproc_status)atomic_load(status), MPROC_PEER_DIED);
    CHECK_OK(mproc_shared_memory_unlink(told));
    mproc_shared_memory_free(told);
}

CHECK_SUITE_SETUP(linux_travels_stopped, connections_setup_deposits,
    CASE(time_limits_hold),
    CASE(threads_do_not_wait_for_the_handles_of_others),
    CASE(who_waits_for_a_handle_learns_that_the_first_process_was_killed),
    HELPER(is_stopped_and_asked),
    HELPER(is_stopped_and_awaited),
);
