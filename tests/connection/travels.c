/* Connections in items of queues, to processes that run already. */
#include "connection/connections.h"

#include "logged.h"
#include "process/deposit.h"

/* Sends back what it receives by the connection in each item of the first queue, until there is a nil. */
static mproc_status serves(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_value item = mproc_nil(), message = mproc_nil();

    MPROC_TRY(mproc_unpack(call, &queue));
    for (;;) {
        mproc_connection *connection = NULL;
        MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
        if (mproc_value_type(item) == MPROC_TYPE_NIL) return MPROC_OK;
        MPROC_TRY(mproc_value_to(item, &connection));
        mproc_value_clear(&item);
        while (mproc_connection_recv(connection, &message, MPROC_FOREVER) == MPROC_OK) {
            MPROC_TRY(mproc_connection_send(connection, message, MPROC_FOREVER));
            mproc_value_clear(&message);
        }
        mproc_connection_free(connection);
    }
}

static void check_number_comes_back(mproc_connection *connection, int64_t number)
{
    connections_send_int(connection, number);
    CHECK_EQ(connections_recv_int(connection), number);
}

static mproc_status puts_an_end(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *first = NULL, *second = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_pipe(NULL, &first, &second));
    connections_send_int(first, 11);
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(second), MPROC_FOREVER));
    mproc_connection_free(second);
    CHECK_EQ(connections_recv_int(first), 12);
    connections_check_end(first);
    return MPROC_OK;
}

/* Of so many deposits, how many a first process knows of: on Windows others put and take them without it. */
static size_t kept(size_t count)
{
    return deposit_store() == PLAT_NO_HANDLE ? 0 : count;
}

/* ---- through queues -------------------------------------------------------------------------------- */

static void case_process_that_runs_gets_a_connection(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *server = connections_start(serves, MPROC_ARGS(queue));

    for (int i = 0; i < 3; i++) {
        ends pipe = connections_create(false);
        connections_put(queue, MPROC_VALUE(i % 2 ? pipe.first : pipe.second));
        mproc_connection_free(i % 2 ? pipe.first : pipe.second);
        check_number_comes_back(i % 2 ? pipe.second : pipe.first, i);
        mproc_connection_free(i % 2 ? pipe.second : pipe.first);
    }
    connections_put(queue, mproc_nil());
    CHECK_EXITED(server, 0);
    mproc_queue_free(queue);
    CHECK_EQ(deposit_count(), 0);
}

static void case_child_passes_on_what_it_has_made(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *child = connections_start(puts_an_end, MPROC_ARGS(queue));
    mproc_connection *got = connections_get(queue);

    CHECK_EQ(connections_recv_int(got), 11);
    connections_send_int(got, 12);
    mproc_connection_free(got);
    CHECK_EXITED(child, 0);
    mproc_queue_free(queue);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

/* Both are references to the one end of this process: what the one has peeked at, the other receives. */
static void case_end_that_comes_back_is_the_same(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_connection *again;
    intptr_t one, other;

    connections_put(queue, MPROC_VALUE(pipe.second));
    again = connections_get(queue);
    CHECK_OK(mproc_connection_handle(pipe.second, &one));
    CHECK_OK(mproc_connection_handle(again, &other));
    CHECK_EQ(one, other);
    mproc_connection_free(pipe.second);
    connections_send_int(pipe.first, 5);
    CHECK_EQ(connections_recv_int(again), 5);
    mproc_connection_free(again);
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
    CHECK_EQ(deposit_count(), 0);
}

/* The message alone has it: then whoever reads that. */
static void case_message_keeps_an_end_open(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_value item = mproc_nil();
    mproc_connection *got = NULL, *twice = NULL;

    connections_put(queue, MPROC_LIST(pipe.second, 7));
    mproc_connection_free(pipe.second);
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    connections_send_int(pipe.first, 6);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    CHECK_EQ(deposit_count(), kept(1));
    CHECK_OK(mproc_value_to(mproc_value_at(item, 0), &got));
    CHECK_EQ(connections_recv_int(got), 6);
    mproc_connection_free(got);
    CHECK_STATUS(mproc_connection_poll(pipe.first, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_value_to(mproc_value_at(item, 0), &twice));
    mproc_value_clear(&item);
    CHECK_EQ(deposit_count(), 0);
    connections_send_int(pipe.first, 8);
    CHECK_EQ(connections_recv_int(twice), 8);
    mproc_connection_free(twice);
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
}

static void case_message_that_nobody_reads_drops_it(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false), other = connections_create(false);
    mproc_value item = mproc_nil();

    connections_put(queue, MPROC_VALUE(pipe.second));
    connections_put(queue, MPROC_VALUE(other.second));
    mproc_connection_free(pipe.second);
    mproc_connection_free(other.second);
    CHECK_EQ(deposit_count(), kept(2));
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    mproc_value_clear(&item);
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    CHECK_STATUS(mproc_connection_poll(other.first, 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
    connections_check_end(other.first);
    mproc_connection_free(other.first);
    CHECK_EQ(deposit_count(), 0);
}

static void case_item_goes_on_to_others_unread(void)
{
    mproc_queue *from = connections_queue(), *queue = connections_queue();
    mproc_process *server = connections_start(serves, MPROC_ARGS(queue));
    ends pipe = connections_create(false);
    mproc_value item = mproc_nil();

    connections_put(from, MPROC_VALUE(pipe.second));
    mproc_connection_free(pipe.second);
    CHECK_OK(mproc_queue_get(from, &item, 0));
    connections_put(queue, item);
    CHECK_EQ(deposit_count(), kept(1));
    mproc_value_clear(&item);
    check_number_comes_back(pipe.first, 9);
    mproc_connection_free(pipe.first);
    connections_put(queue, mproc_nil());
    CHECK_EXITED(server, 0);
    mproc_queue_free(from);
    mproc_queue_free(queue);
    CHECK_EQ(deposit_count(), 0);
}

static mproc_status answers_one(mproc_call *call)
{
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    connections_send_int(connection, connections_recv_int(connection) + 1);
    return MPROC_OK;
}

/* A process is started with what came in a message: then it has the handle, and no message keeps it. */
static void case_item_is_an_argument_of_a_process(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_value item = mproc_nil();
    mproc_process *child;

    connections_put(queue, MPROC_VALUE(pipe.second));
    mproc_connection_free(pipe.second);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    child = connections_start(answers_one, mproc_list_from(&item, 1));
    mproc_value_clear(&item);
    CHECK_EQ(deposit_count(), 0);
    connections_send_int(pipe.first, 1);
    CHECK_EQ(connections_recv_int(pipe.first), 2);
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    CHECK_EXITED(child, 0);
    mproc_queue_free(queue);
}

/* Also one that it has not asked for: it has it as an argument, and keeps it. */
static mproc_status passes_on_its_argument(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *connection = NULL;
    mproc_value args = mproc_call_value(call);

    MPROC_TRY(mproc_value_to(mproc_value_at(args, 0), &queue));
    MPROC_TRY(mproc_queue_put(queue, mproc_value_at(args, 1), MPROC_FOREVER));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, 1), &connection));
    connections_send_int(connection, 3);
    return MPROC_OK;
}

static void case_argument_is_passed_on(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(passes_on_its_argument, MPROC_ARGS(queue, pipe.second));
    mproc_connection *got;

    mproc_connection_free(pipe.second);
    CHECK_EXITED(child, 0);
    CHECK_EQ(connections_recv_int(pipe.first), 3);
    got = connections_get(queue);
    connections_send_int(got, 4);
    CHECK_EQ(connections_recv_int(pipe.first), 4);
    mproc_connection_free(got);
    connections_check_end(pipe.first);
    mproc_connection_free(pipe.first);
    mproc_queue_free(queue);
}

static mproc_status checks_directions(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_connection *reads, *writes;

    MPROC_TRY(mproc_unpack(call, &queue));
    reads = connections_get(queue);
    writes = connections_get(queue);
    CHECK(mproc_connection_readable(reads) && !mproc_connection_writable(reads));
    CHECK(!mproc_connection_readable(writes) && mproc_connection_writable(writes));
    CHECK_STATUS(mproc_connection_send(reads, mproc_int(1), 0), MPROC_BAD_STATE);
    connections_send_int(writes, 2 * connections_recv_int(reads));
    return MPROC_OK;
}

static void case_ends_that_go_one_way_go_so_elsewhere(void)
{
    mproc_queue *queue = connections_queue();
    ends asked = connections_create(true), answered = connections_create(true);
    mproc_process *child = connections_start(checks_directions, MPROC_ARGS(queue));

    connections_put(queue, MPROC_VALUE(asked.first));
    connections_put(queue, MPROC_VALUE(answered.second));
    connections_send_int(asked.second, 21);
    CHECK_EQ(connections_recv_int(answered.first), 42);
    CHECK_EXITED(child, 0);
    connections_free(&asked);
    connections_free(&answered);
    mproc_queue_free(queue);
}

enum { MANY = 100 };

static mproc_status answers_all(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_value item = mproc_nil();

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    CHECK_EQ(mproc_value_count(item), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        mproc_connection *connection = NULL;
        MPROC_TRY(mproc_value_to(mproc_value_at(item, i), &connection));
        connections_send_int(connection, connections_recv_int(connection) + i);
        mproc_connection_free(connection);
    }
    mproc_value_clear(&item);
    return MPROC_OK;
}

static void case_many_go_together(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *child = connections_start(answers_all, MPROC_ARGS(queue));
    ends pipes[MANY];
    mproc_value items[MANY];

    for (int i = 0; i < MANY; i++) {
        pipes[i] = connections_create(false);
        items[i] = MPROC_VALUE(pipes[i].second);
        connections_send_int(pipes[i].first, i);
    }
    connections_put(queue, mproc_list_from(items, MANY));
    for (int i = 0; i < MANY; i++) {
        mproc_connection_free(pipes[i].second);
        CHECK_EQ(connections_recv_int(pipes[i].first), 2 * i);
    }
    CHECK_EXITED(child, 0);
    for (int i = 0; i < MANY; i++) {
        connections_check_end(pipes[i].first);
        mproc_connection_free(pipes[i].first);
    }
    mproc_queue_free(queue);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

static void case_closed_connection_is_no_item(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);

    mproc_connection_close(pipe.second);
    CHECK_SAYS(mproc_queue_put(queue, MPROC_VALUE(pipe.second), 0), MPROC_CLOSED, "closed");
    CHECK_EQ(mproc_queue_size(queue), 0);
    mproc_queue_free(queue);
    connections_free(&pipe);
    CHECK_EQ(deposit_count(), 0);
}

static void case_handle_that_no_message_has_any_more_is_said(void)
{
    mproc_queue *queue = connections_queue();
    ends pipe = connections_create(false);

    logged_begin(MPROC_LOG_DEBUG);
    connections_put(queue, MPROC_LIST(pipe.second, 7));
    mproc_queue_free(queue);
    mproc_log(MPROC_LOG_DEBUG, "what is owed comes first");
    CHECK_LOGGED("[DEBUG/MainProcess] a handle that was kept for a message is given up\n[DEBUG/MainProcess] what is");
    logged_end();
    mproc_connection_free(pipe.first);
    mproc_connection_free(pipe.second);
}

CHECK_SUITE_SETUP(connection_travels, connections_setup_deposits,
    CASE(process_that_runs_gets_a_connection),
    CASE(child_passes_on_what_it_has_made),
    CASE(end_that_comes_back_is_the_same),
    CASE(message_keeps_an_end_open),
    CASE(message_that_nobody_reads_drops_it),
    CASE(handle_that_no_message_has_any_more_is_said),
    CASE(item_goes_on_to_others_unread),
    CASE(item_is_an_argument_of_a_process),
    CASE(argument_is_passed_on),
    CASE(ends_that_go_one_way_go_so_elsewhere),
    CASE(many_go_together),
    CASE(closed_connection_is_no_item),
);
