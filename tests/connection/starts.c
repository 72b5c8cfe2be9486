/* Connections as arguments of processes. */
#include "connection/connections.h"

#include <stdlib.h>

static void check_echo(mproc_connection *connection, const char *text)
{
    CHECK_OK(mproc_connection_send_bytes(connection, text, strlen(text), check_limit_ms()));
    connections_check_text(connection, text);
}

/* Either end, as a named pipe has two different ones; the parent closes his, and so the child sees the end. */
static void case_child_has_an_end_as_its_argument(void)
{
    for (int i = 0; i < 2; i++) {
        ends pipe = connections_create(false);
        mproc_connection *here = i ? pipe.second : pipe.first, *there = i ? pipe.first : pipe.second;
        mproc_process *child = connections_start(connections_echo, MPROC_ARGS(there));
        mproc_connection_free(there);
        check_echo(here, "hello");
        check_echo(here, "");
        mproc_connection_close(here);
        CHECK_EXITED(child, 0);
        mproc_connection_free(here);
    }
}

static void case_large_messages_go_to_a_child_and_back(void)
{
    enum { LARGE = 16 << 20 };
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(connections_echo, MPROC_ARGS(pipe.second));
    unsigned char *bytes = malloc(LARGE);
    size_t size = 0;

    CHECK(bytes != NULL);
    connections_fill(bytes, LARGE, 1);
    CHECK_OK(mproc_connection_send_bytes(pipe.first, bytes, LARGE, check_limit_ms()));
    memset(bytes, 0, LARGE);
    CHECK_OK(mproc_connection_recv_bytes_into(pipe.first, bytes, LARGE, &size, check_limit_ms()));
    CHECK(size == LARGE && connections_is_filled(bytes, size, 1));
    connections_free(&pipe);
    CHECK_EXITED(child, 0);
    free(bytes);
}

/* The process object keeps it, and no longer than the start. */
static void case_end_may_be_freed_before_the_start(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = NULL;

    CHECK_OK(mproc_process_create(connections_echo, MPROC_ARGS(pipe.second), NULL, &child));
    mproc_connection_free(pipe.second);
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "early", 5, 0));
    CHECK_OK(mproc_process_start(child));
    connections_check_text(pipe.first, "early");
    mproc_connection_free(pipe.first);
    CHECK_EXITED(child, 0);
}

static void case_process_that_is_not_started_gives_it_up(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_process_create(connections_echo, MPROC_ARGS(pipe.second), NULL, &child));
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    mproc_process_free(child);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_END);
    mproc_connection_free(pipe.first);
}

static void case_start_that_fails_can_be_repeated(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = NULL;

    CHECK_OK(mproc_process_create(connections_echo, MPROC_ARGS(pipe.second),
                                  &(mproc_process_options){.working_directory = "/is/not/there"}, &child));
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_process_start(child), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_process_start(child), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    mproc_process_free(child);
    CHECK_OK(mproc_connection_poll(pipe.first, MPROC_FOREVER));
    mproc_connection_free(pipe.first);
}

static void case_closed_connection_is_no_argument(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = NULL;

    mproc_connection_close(pipe.second);
    CHECK_SAYS(mproc_process_create(connections_echo, MPROC_ARGS(pipe.second), NULL, &child), MPROC_CLOSED, "closed");
    connections_free(&pipe);
}

static mproc_status passes_it_on(mproc_call *call)
{
    CHECK_EXITED(connections_start(connections_echo, mproc_call_value(call)), 0);
    return MPROC_OK;
}

/* Once without having asked for it itself, once after. */
static mproc_status passes_on_what_it_has(mproc_call *call)
{
    mproc_connection *connection = NULL;
    mproc_process *child;

    MPROC_TRY(mproc_unpack(call, &connection));
    CHECK_OK(mproc_connection_send_bytes(connection, "mine", 4, 0));
    child = connections_start(connections_echo, MPROC_ARGS(connection));
    mproc_connection_free(connection);
    CHECK_STATUS(mproc_unpack(call, &connection), MPROC_CLOSED);
    CHECK_EXITED(child, 0);
    return MPROC_OK;
}

static void case_connection_is_passed_on_to_a_grandchild(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(passes_it_on, MPROC_ARGS(pipe.second));

    mproc_connection_free(pipe.second);
    check_echo(pipe.first, "far");
    mproc_connection_free(pipe.first);
    CHECK_EXITED(child, 0);
    pipe = connections_create(false);
    child = connections_start(passes_on_what_it_has, MPROC_ARGS(pipe.second));
    mproc_connection_free(pipe.second);
    connections_check_text(pipe.first, "mine");
    check_echo(pipe.first, "farther");
    mproc_connection_free(pipe.first);
    CHECK_EXITED(child, 0);
}

/* ---- directions and numbers --------------------------------------------------------------------- */

static mproc_status doubles(mproc_call *call)
{
    mproc_connection *reads = NULL, *writes = NULL, *again = NULL;

    MPROC_TRY(mproc_unpack(call, &reads, &writes, &again));
    CHECK(again == reads);
    CHECK(mproc_connection_readable(reads) && !mproc_connection_writable(reads));
    CHECK(!mproc_connection_readable(writes) && mproc_connection_writable(writes));
    CHECK_STATUS(mproc_connection_send(reads, mproc_int(1), 0), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_connection_poll(writes, 0), MPROC_BAD_STATE);
    connections_send_int(writes, 2 * connections_recv_int(reads));
    return MPROC_OK;
}

static void case_ends_that_go_one_way_are_given_so(void)
{
    ends asked = connections_create(true), answered = connections_create(true);
    mproc_process *child = connections_start(doubles, MPROC_ARGS(asked.first, answered.second, asked.first));

    connections_send_int(asked.second, 21);
    CHECK_EQ(connections_recv_int(answered.first), 42);
    CHECK_EXITED(child, 0);
    connections_free(&asked);
    connections_free(&answered);
}

enum { MANY = 40 };

static mproc_status answers_all(mproc_call *call)
{
    mproc_value list = mproc_call_value(call);
    mproc_connection *connection = NULL;

    CHECK_EQ(mproc_value_count(list), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        MPROC_TRY(mproc_value_to(mproc_value_at(list, i), &connection));
        connections_send_int(connection, connections_recv_int(connection) + i);
    }
    return MPROC_OK;
}

static void case_child_is_given_many(void)
{
    ends pipes[MANY];
    mproc_value items[MANY];
    mproc_process *child;

    for (int i = 0; i < MANY; i++) {
        pipes[i] = connections_create(false);
        items[i] = MPROC_VALUE(pipes[i].second);
        connections_send_int(pipes[i].first, i);
    }
    child = connections_start(answers_all, mproc_list_from(items, MANY));
    for (int i = 0; i < MANY; i++) {
        mproc_connection_free(pipes[i].second);
        CHECK_EQ(connections_recv_int(pipes[i].first), 2 * i);
        mproc_connection_free(pipes[i].first);
    }
    CHECK_EXITED(child, 0);
}

/* ---- who else has it ------------------------------------------------------------------------------ */

static mproc_status waits_on_the_board(mproc_call *call)
{
    return fixture_waits(call);
}

/* A child that was started meanwhile has none of the ends that are not its own. */
static void case_other_children_do_not_have_it(void)
{
    fixture_board *shared = fixture_board_create();
    ends pipe = connections_create(false);
    mproc_process *other = fixture_start(waits_on_the_board, shared, 0, NULL);
    mproc_value value = mproc_nil();

    fixture_await_step(shared, 1);
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_END);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, 9);
    mproc_connection_free(pipe.first);
    fixture_board_free(shared);
}

static mproc_status never_asks(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static void case_child_that_never_asks_for_it_ends_with_it(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(never_asks, MPROC_ARGS(pipe.second));
    mproc_value value = mproc_nil();

    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_END);
    CHECK_EXITED(child, 0);
    mproc_connection_free(pipe.first);
}

/* A process that polls takes nothing of a message that another receives. */
static mproc_status only_polls(mproc_call *call)
{
    mproc_connection *connection = NULL, *tells = NULL;

    MPROC_TRY(mproc_unpack(call, &connection, &tells));
    for (int i = 0; i < 100; i++) CHECK_OK(mproc_connection_poll(connection, MPROC_FOREVER));
    connections_send_int(tells, 1);
    return MPROC_OK;
}

static void case_process_that_only_polls_takes_nothing(void)
{
    ends pipe = connections_create(false), told = connections_create(true);
    mproc_process *child = connections_start(only_polls, MPROC_ARGS(pipe.second, told.second));

    CHECK_OK(mproc_connection_send_bytes(pipe.first, "abc", 3, 0));
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "defg", 4, 0));
    CHECK_EQ(connections_recv_int(told.first), 1);
    connections_check_text(pipe.second, "abc");
    connections_check_text(pipe.second, "defg");
    CHECK_EXITED(child, 0);
    connections_free(&pipe);
    connections_free(&told);
}

/* ---- in this process ------------------------------------------------------------------------------ */

static mproc_status sends_seven(mproc_call *call)
{
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    connections_send_int(connection, 7);
    return MPROC_OK;
}

static void case_function_that_runs_here_has_it_too(void)
{
    ends pipe = connections_create(false);
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(sends_seven, MPROC_ARGS(pipe.second), NULL, &process));
    CHECK_OK(mproc_process_run(process));
    CHECK_EQ(connections_recv_int(pipe.first), 7);
    mproc_connection_free(pipe.second);
    CHECK_OK(mproc_process_run(process));
    CHECK_EQ(connections_recv_int(pipe.first), 7);
    mproc_process_free(process);
    CHECK_OK(mproc_connection_poll(pipe.first, MPROC_FOREVER)); /* the end */
    mproc_connection_free(pipe.first);
}

CHECK_SUITE_SETUP(connection_starts, connections_setup,
    CASE(child_has_an_end_as_its_argument),
    CASE(large_messages_go_to_a_child_and_back),
    CASE(end_may_be_freed_before_the_start),
    CASE(process_that_is_not_started_gives_it_up),
    CASE(start_that_fails_can_be_repeated),
    CASE(closed_connection_is_no_argument),
    CASE(connection_is_passed_on_to_a_grandchild),
    CASE(ends_that_go_one_way_are_given_so),
    CASE(child_is_given_many),
    CASE(other_children_do_not_have_it),
    CASE(child_that_never_asks_for_it_ends_with_it),
    CASE(process_that_only_polls_takes_nothing),
    CASE(function_that_runs_here_has_it_too),
);
