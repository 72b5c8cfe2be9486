/* Connections in messages, when the first process is stopped or has no descriptors left; and in fork() copies. */
#include "connection/connections.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/deposit.h"
#include "sync/linux_stopping.h"

enum { MOST = 4096 };

/* An interrupt is pending, and ends the first call that waits. Returns how many were put before. */
static int put_until_nobody_serves(mproc_queue *queue, mproc_connection *connection)
{
    for (int i = 0; i < MOST; i++) {
        mproc_status status;
        mproc_interrupt();
        if ((status = mproc_queue_put(queue, MPROC_VALUE(connection), MPROC_FOREVER)) == MPROC_OK) continue;
        CHECK_STATUS(status, MPROC_INTERRUPTED);
        return i;
    }
    return MOST;
}

/* Stops the first process, asks more of it than there is room for, takes all back, and lets it go on. */
static mproc_status stops_the_first(mproc_call *call)
{
    mproc_queue *queue = NULL, *own = connections_queue();
    mproc_connection *connection = NULL, *first = NULL, *second = NULL;
    mproc_value item = mproc_nil();
    int put;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    stop(mproc_getppid());
    mproc_interrupt();
    CHECK_STATUS(mproc_value_to(item, &connection), MPROC_INTERRUPTED);
    mproc_value_clear(&item);
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    put = put_until_nobody_serves(own, second);
    CHECK(put > 8 && put < MOST);
    CHECK_EQ(mproc_queue_size(own), put);
    for (int i = 0; i < put; i++) {
        MPROC_TRY(mproc_queue_get(own, &item, MPROC_FOREVER));
        mproc_value_clear(&item);
    }
    mproc_connection_free(second);
    go_on(mproc_getppid());
    CHECK_STATUS(mproc_connection_recv(first, &item, MPROC_FOREVER), MPROC_END);
    mproc_connection_free(first);
    mproc_queue_free(own);
    return MPROC_OK;
}

static int helper_is_stopped(const char *text)
{
    mproc_queue *queue = connections_queue();
    mproc_process *child = connections_start(stops_the_first, MPROC_ARGS(queue));
    ends pipe = connections_create(false);
    mproc_value value = mproc_nil();

    (void)text;
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(pipe.second), MPROC_FOREVER));
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_END);
    CHECK_EXITED(child, 0);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
    printf("all was dropped\n");
    return 0;
}

static void case_first_process_that_is_stopped_holds_up_nobody(void)
{
    fixture_run first = {.helper = "linux_travels.is_stopped"};

    fixture_run_to_end(&first);
    CHECK_EQ(first.code, 0);
    CHECK_CONTAINS(first.output, "all was dropped");
}

static mproc_status puts_and_opens(mproc_call *call)
{
    uint64_t offset;
    mproc_queue *queue = connections_queue();
    mproc_connection *first = NULL, *second = NULL, *got = NULL;
    mproc_value item = mproc_nil();
    fixture_board *shared;

    MPROC_TRY(mproc_unpack(call, &offset));
    shared = fixture_board_at(offset);
    fixture_step(shared);
    CHECK_AWAIT(&shared->go, 1);
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(second), MPROC_FOREVER));
    mproc_connection_free(second);
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    CHECK_SAYS(mproc_value_to(item, &got), MPROC_LIMIT, "open files");
    atomic_store(&shared->done, 1);
    CHECK_AWAIT(&shared->go, 2);
    CHECK_SAYS(mproc_value_to(item, &got), MPROC_LIMIT, "open files");
    mproc_value_clear(&item);
    CHECK_STATUS(mproc_connection_recv(first, &item, MPROC_FOREVER), MPROC_END);
    mproc_connection_free(first);
    mproc_queue_free(queue);
    return MPROC_OK;
}

/* First it can receive nothing, then it has not received what is asked for. */
static void case_first_process_without_descriptors_is_a_status(void)
{
    fixture_board *shared = fixture_board_create();
    mproc_process *child = connections_start(puts_and_opens, MPROC_ARGS(fixture_board_offset(shared)));
    struct rlimit limit, low;

    fixture_await_step(shared, 1);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 3;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    atomic_store(&shared->go, 1);
    CHECK_AWAIT(&shared->done, 1);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    atomic_store(&shared->go, 2);
    CHECK_EXITED(child, 0);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
    fixture_board_free(shared);
}

/* What it has itself, it keeps itself: no descriptor more is needed for a moment. */
static void case_first_process_passes_on_with_its_last_descriptor(void)
{
    enum { LOWEST = 16 };
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_connection *got;
    struct rlimit limit, low;
    int taken[LOWEST], count = 0, next;

    while ((next = fcntl(0, F_DUPFD, 3)) < LOWEST) taken[count++] = next;
    close(next);
    next = fcntl(0, F_DUPFD, LOWEST);
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)next + 1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(pipe.second), 0));
    CHECK_STATUS(mproc_queue_put(queue, MPROC_VALUE(pipe.second), 0), MPROC_LIMIT);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count > 0) close(taken[--count]);
    mproc_connection_free(pipe.second);
    got = connections_get(queue);
    connections_send_int(got, 5);
    CHECK_EQ(connections_recv_int(pipe.first), 5);
    mproc_connection_free(got);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
}

/* What is in messages is not the copy's, nor does it keep it open. */
static void case_fork_copy_keeps_no_handles_of_messages(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_value item = mproc_nil();
    pid_t copy;

    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(pipe.second), 0));
    mproc_connection_free(pipe.second);
    if ((copy = fork()) == 0) {
        for (;;) pause();
    }
    CHECK(copy > 0);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    mproc_value_clear(&item);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &item, check_limit_ms()), MPROC_END);
    kill(copy, SIGKILL);
    CHECK_EQ(waitpid(copy, NULL, 0), copy);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

/* The number: whether it puts. */
static mproc_status passes_one_on(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *first = NULL, *second = NULL;
    mproc_value item = mproc_nil();
    int64_t puts;

    MPROC_TRY(mproc_unpack(call, &queue, &puts));
    if (!puts) {
        MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
        MPROC_TRY(mproc_value_to(item, &first));
        mproc_value_clear(&item);
        connections_send_int(first, 3);
    } else {
        MPROC_TRY(mproc_pipe(NULL, &first, &second));
        MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(second), MPROC_FOREVER));
        mproc_connection_free(second);
        CHECK_EQ(connections_recv_int(first), 3);
        CHECK_STATUS(mproc_connection_recv(first, &item, MPROC_FOREVER), MPROC_END);
    }
    mproc_connection_free(first);
    return MPROC_OK;
}

/* Which does nothing itself meanwhile but wait for its children. */
static void case_first_request_begins_the_thread_that_serves(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *gets = connections_start(passes_one_on, MPROC_ARGS(queue, 0)), *puts;

    CHECK_EQ(deposit_threads(), 0);
    puts = connections_start(passes_one_on, MPROC_ARGS(queue, 1));
    CHECK_EXITED(gets, 0);
    CHECK_EXITED(puts, 0);
    CHECK_EQ(deposit_threads(), 1);
    CHECK_EQ(deposit_count(), 0);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(linux_travels, connections_setup_deposits,
    CASE(first_process_that_is_stopped_holds_up_nobody),
    CASE(first_process_without_descriptors_is_a_status),
    CASE(first_process_passes_on_with_its_last_descriptor),
    CASE(fork_copy_keeps_no_handles_of_messages),
    HELPER(is_stopped),
);

CHECK_SUITE_SETUP(linux_travels_first, connections_setup,
    CASE_WITH(first_request_begins_the_thread_that_serves, .leaves = CHECK_THREADS), /* that one */
);
