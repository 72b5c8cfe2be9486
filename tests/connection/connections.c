#include "connection/connections.h"

#include "process/alarm.h"
#include "process/deposit.h"

enum { ALARMS = 8 };

void connections_setup(void)
{
    struct alarm *alarms[ALARMS];
    one_call warm = {.timeout_ms = MPROC_FOREVER};
    ends pipe;

    peers_of_processes();
    for (int i = 0; i < ALARMS; i++) CHECK_OK(alarm_take(NULL, &alarms[i]));
    for (int i = 0; i < ALARMS; i++) alarm_give(alarms[i]);
    pipe = connections_create(false);
    warm.connection = pipe.first;
    connections_begin(&warm, connections_polls);
    connections_await_sleepers(1);
    mproc_interrupt();
    connections_end(&warm);
    CHECK(mproc_interrupted());
    connections_free(&pipe);
}

void connections_setup_deposits(void)
{
    plat_handle door;

    connections_setup();
    CHECK_OK(deposit_door(&door));
    if (deposit_store() != PLAT_NO_HANDLE) CHECK(deposit_asked());
}

ends connections_create(bool one_way)
{
    ends pipe = {NULL, NULL};

    CHECK_OK(mproc_pipe(&(mproc_pipe_options){.one_way = one_way}, &pipe.first, &pipe.second));
    return pipe;
}

void connections_free(const ends *pipe)
{
    mproc_connection_free(pipe->first);
    mproc_connection_free(pipe->second);
}

void connections_send_int(mproc_connection *connection, int64_t number)
{
    CHECK_OK(mproc_connection_send(connection, mproc_int(number), check_limit_ms()));
}

int64_t connections_recv_int(mproc_connection *connection)
{
    mproc_value value = mproc_nil();
    int64_t number;

    CHECK_OK(mproc_connection_recv(connection, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    number = mproc_value_int(value);
    mproc_value_clear(&value);
    return number;
}

void connections_check_end(mproc_connection *connection)
{
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_connection_recv(connection, &value, check_limit_ms()), MPROC_END);
}

mproc_queue *connections_queue(void)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    return queue;
}

void connections_put(mproc_queue *queue, mproc_value item)
{
    CHECK_OK(mproc_queue_put(queue, item, check_limit_ms()));
}

mproc_connection *connections_get(mproc_queue *queue)
{
    mproc_connection *connection = NULL;
    mproc_value item = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &item, check_limit_ms()));
    CHECK_OK(mproc_value_to(item, &connection));
    mproc_value_clear(&item);
    return connection;
}

bool connections_none_is_kept(void *unused)
{
    (void)unused;
    return deposit_count() == 0;
}

void connections_check_text(mproc_connection *connection, const char *text)
{
    mproc_value bytes = mproc_nil();

    CHECK_OK(mproc_connection_recv_bytes(connection, SIZE_MAX, &bytes, check_limit_ms()));
    CHECK_EQ(mproc_value_size(bytes), strlen(text));
    CHECK_STRING((const char *)mproc_value_bytes(bytes), text);
    mproc_value_clear(&bytes);
}

void connections_fill(unsigned char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + seed);
}

bool connections_is_filled(const unsigned char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (unsigned char)(i * 31 + (i >> 8) * 7 + seed)) return false;
    return true;
}

/* The handle stays the connection's; what else the channel has goes. */
static void open_raw(mproc_connection *connection, plat_channel *channel)
{
    intptr_t handle;

    CHECK_OK(mproc_connection_handle(connection, &handle));
    CHECK_OK(plat_channel_open(handle, channel));
}

static void close_raw(const plat_channel *channel)
{
    plat_handle_close(channel->input);
    plat_handle_close(channel->output);
}

size_t connections_read_raw(mproc_connection *connection, void *bytes, size_t size)
{
    const plat_bytes parts[2] = {{bytes, size}, {bytes, 0}};
    plat_channel channel;
    size_t moved = 0;

    open_raw(connection, &channel);
    CHECK_OK(plat_channel_read(&channel, parts, PLAT_NO_HANDLE, PLAT_FOREVER, &moved));
    close_raw(&channel);
    return moved;
}

void connections_write_raw(mproc_connection *connection, const void *bytes, size_t size)
{
    unsigned char copy[256];
    plat_channel channel;
    size_t moved = 0;

    CHECK(size <= sizeof copy);
    memcpy(copy, bytes, size);
    open_raw(connection, &channel);
    CHECK_OK(plat_channel_write(&channel, (const plat_bytes[2]){{copy, size}, {copy, 0}}, PLAT_NO_HANDLE, 0, &moved));
    CHECK_EQ(moved, size);
    close_raw(&channel);
}

/* ---- threads ------------------------------------------------------------------------------------ */

void connections_sends(one_call *call)
{
    call->status = mproc_connection_send_bytes(call->connection, call->data, call->size, call->timeout_ms);
}

void connections_receives(one_call *call)
{
    call->status =
        mproc_connection_recv_bytes_into(call->connection, call->data, call->size, &call->size, call->timeout_ms);
}

void connections_polls(one_call *call)
{
    call->status = mproc_connection_poll(call->connection, call->timeout_ms);
}

static void run(void *argument)
{
    one_call *call = argument;

    atomic_store(&call->begun, 1);
    call->run(call);
    snprintf(call->text, sizeof call->text, "%s", mproc_error_text(call->status));
    atomic_store(&call->ended, 1);
}

void connections_begin(one_call *call, void (*what)(one_call *call))
{
    call->run = what;
    CHECK_OK(plat_thread_start(run, call, &call->thread));
    CHECK_AWAIT(&call->begun, 1);
}

void connections_end(one_call *call)
{
    CHECK_AWAIT(&call->ended, 1);
    plat_thread_join(call->thread);
}

static bool sleep_so_many(void *count)
{
    return alarm_waiting() >= *(const int *)count;
}

void connections_await_sleepers(int count)
{
    CHECK_WAIT_UNTIL(sleep_so_many, &count);
}

mproc_process *connections_start(mproc_function *function, mproc_args args)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, args, NULL, &process));
    CHECK_OK(mproc_process_start(process));
    return process;
}

mproc_status connections_echo(mproc_call *call)
{
    mproc_connection *connection = NULL;
    mproc_value value = mproc_nil();
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &connection));
    while ((status = mproc_connection_recv_bytes(connection, SIZE_MAX, &value, MPROC_FOREVER)) == MPROC_OK) {
        MPROC_TRY(mproc_connection_send_bytes(connection, mproc_value_bytes(value), mproc_value_size(value),
                                              MPROC_FOREVER));
        mproc_value_clear(&value);
    }
    CHECK_EQ(status, MPROC_END);
    return MPROC_OK;
}
