/*
 * Connections as items of queues. Promised: whoever is killed while an end is put, got, opened or dropped, the item
 * is there with its handle, or is not; and when nobody has it any more, the first process keeps no duplicate of the
 * handle, and the other end learns of it.
 */
#include "steps_queue.h"

#include "process/deposit.h"

#include <mproc/connection.h>

#include <stdlib.h>

static mproc_connection *first, *second;
static int handles_before;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* A fork that takes itself for another process than the first one. */
static void be_another(void)
{
    plat_handle door, copy;

    must(deposit_door(&door));
    must(plat_handle_copy(door, &copy));
    deposit_fork_begins();
    deposit_forked();
    deposit_join(copy);
}

static void enter(void *state)
{
    test_queue_enter(state);
    be_another();
}

static void enter_recoverer(void *state)
{
    test_family_enter_recoverer(state);
    be_another();
}

static void begin(void *state)
{
    plat_handle door;

    test_family_pass_objects();
    must(deposit_door(&door));
    handles_before = plat_handle_count();
    test_queue_begin(state, NULL);
    must(mproc_pipe(NULL, &first, &second));
}

static void begin_with_item(void *state)
{
    begin(state);
    must(mproc_queue_put(test_queue, MPROC_LIST(second, 7), MPROC_FOREVER));
    mproc_connection_free(second);
    second = NULL;
}

static void put(void *state)
{
    must(mproc_queue_put(test_queue_mine, MPROC_LIST(second, 7), MPROC_FOREVER));
    test_queue_say(state, 1);
}

static void get_and_open(void *state)
{
    mproc_connection *connection;
    mproc_value value;

    must(mproc_queue_get(test_queue_mine, &value, MPROC_FOREVER));
    test_queue_say(state, 1);
    must(mproc_value_to(mproc_value_at(value, 0), &connection));
    mproc_value_clear(&value);
    mproc_connection_free(connection);
}

static void get_and_clear(void *state)
{
    mproc_value value;

    must(mproc_queue_get(test_queue_mine, &value, MPROC_FOREVER));
    test_queue_say(state, 1);
    mproc_value_clear(&value);
}

static void serve(void *state)
{
    (void)state;
    deposit_serve();
}

/* By the duplicate alone: this process has freed its own. */
static const char *check_item(void)
{
    mproc_connection *connection;
    mproc_value value, message;

    must(mproc_queue_get(test_queue, &value, 0));
    if (deposit_count() != 1) return step_says("%zu deposits for one item", deposit_count());
    must(mproc_value_to(mproc_value_at(value, 0), &connection));
    mproc_value_clear(&value);
    must(mproc_connection_send(connection, mproc_int(5), 0));
    must(mproc_connection_recv(first, &message, 0));
    mproc_connection_free(connection);
    return NULL;
}

static const char *check(void *state, bool completed, uint32_t least, uint32_t most)
{
    uint32_t items = (uint32_t)mproc_queue_size(test_queue);
    mproc_value message;
    const char *wrong;
    mproc_status status;

    if (items < least || items > most) return step_says("%u items are there", items);
    mproc_connection_free(second);
    second = NULL;
    if (items > 0 && (wrong = check_item())) return wrong;
    if (deposit_count() != 0) return step_says("%zu deposits are left", deposit_count());
    status = mproc_connection_recv(first, &message, 0);
    if (status != MPROC_END) return step_says("the other end is not told: %s", mproc_status_name(status));
    mproc_connection_free(first);
    wrong = test_queue_check_end(state, completed);
    if (!wrong && plat_handle_count() != handles_before)
        return step_says("%d handles are open, before it were %d", plat_handle_count(), handles_before);
    return wrong;
}

/* ---- by a pipe ---------------------------------------------------------------------------------- */

static mproc_connection *near, *far;

static void begin_pipe(void *state)
{
    begin(state);
    must(mproc_pipe(NULL, &near, &far));
}

static void begin_with_message(void *state)
{
    begin_pipe(state);
    must(mproc_connection_send(near, MPROC_LIST(second, 7), 0));
    mproc_connection_free(second);
    second = NULL;
}

static void send(void *state)
{
    must(mproc_connection_send(near, MPROC_LIST(second, 7), MPROC_FOREVER));
    test_queue_say(state, 1);
}

static void receive_and_open(void *state)
{
    mproc_connection *connection;
    mproc_value value;

    must(mproc_connection_recv(far, &value, MPROC_FOREVER));
    test_queue_say(state, 1);
    must(mproc_value_to(mproc_value_at(value, 0), &connection));
    mproc_value_clear(&value);
    mproc_connection_free(connection);
}

/* What was not sent, or not received to its end, is dropped with the pipe at the latest. */
static const char *check_pipe(void *state, bool completed)
{
    bool sent = atomic_load(&((struct test_family *)state)->victim_said) && second;
    mproc_connection *connection;
    mproc_value value, message;
    const char *wrong = NULL;

    mproc_connection_free(second);
    second = NULL;
    if (mproc_connection_recv(far, &value, 0) == MPROC_OK) {
        must(mproc_value_to(mproc_value_at(value, 0), &connection));
        mproc_value_clear(&value);
        must(mproc_connection_send(connection, mproc_int(5), 0));
        must(mproc_connection_recv(first, &message, 0));
        mproc_connection_free(connection);
    } else if (sent) {
        wrong = step_says("what was sent has not come");
    }
    mproc_connection_free(near);
    mproc_connection_free(far);
    return wrong ? wrong : check(state, completed, 0, 0);
}

static const char *check_put(void *state, bool completed)
{
    return check(state, completed, atomic_load(&((struct test_family *)state)->victim_said), 1);
}

static const char *check_got(void *state, bool completed)
{
    return check(state, completed, 0, 1 - atomic_load(&((struct test_family *)state)->victim_said));
}

#define BY_ANOTHER                                                                                                 \
    .enter = enter, .recover_enter = enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .outside = true, .sparse = true

static const step_scenario scenarios[] = {
    {.name = "deposit.put", .setup = begin, .operation = put, .check = check_put, BY_ANOTHER},
    {.name = "deposit.taken",
     .setup = begin_with_item,
     .operation = get_and_open,
     .release = serve,
     .check = check_got,
     BY_ANOTHER},
    {.name = "deposit.sent", .setup = begin_pipe, .operation = send, .check = check_pipe, BY_ANOTHER},
    {.name = "deposit.received",
     .setup = begin_with_message,
     .operation = receive_and_open,
     .release = serve,
     .check = check_pipe,
     BY_ANOTHER},
    {.name = "deposit.dropped", .setup = begin_with_item, .operation = get_and_clear, .check = check_got, BY_ANOTHER},
};

const steps_table steps_deposit = STEPS_TABLE(scenarios);
