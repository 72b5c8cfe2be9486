/* Connections to managers, and the calls that go over them. */
#include "manager/client.h"

#include <stdlib.h>

#include <mproc/listener.h>
#include <mproc/lock.h>

#include "manager/answer.h"
#include "manager/client_line.h"
#include "manager/connections.h"
#include "manager/kind.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "process/family.h"

#define MS_NS ((int64_t)1000000)
/* So long is waited for the manager to say that a call has stopped. */
#define GIVE_UP_MS 1000
/* What a manager says first has no more bytes. */
#define GREETING_BYTES_MAX 4096

/* ---- the end -------------------------------------------------------------------------------------------- */

static void free_client(struct client *client)
{
    client_lines_free(client);
    mproc_connection_free(client->connection);
    mproc_lock_free(client->turn);
    mproc_value_clear(&client->authkey);
    free(client->proxies.all);
    free(client);
}

void client_release(struct client *client)
{
    if (connections_release(client)) free_client(client);
}

/* ---- one call ------------------------------------------------------------------------------------------- */

/*
 * A call, and by what it goes: `line` is NULL for the first connection, in its turn.
 */
struct exchange {
    struct client *client;
    mproc_connection *connection;
    struct client_line *line;
    enum line_need need;
    bool runs_on; /* it is to be done, whether somebody waits for its answer or not */
    bool takes;   /* what comes of it is taken out of the object */
    int64_t number;
    int64_t most_ms;
    int64_t deadline_ns;
    mproc_value bytes; /* the answer */
    struct answer answer;
    bool unsent; /* nothing of it was, and the connection is as it was before */
};

/*
 * So long is the answer waited for. A call that waits says itself that its time is over, so the manager has its own
 * behind that; one that runs on may not.
 */
static int64_t most_ms(const struct client *client, int64_t waits_ms, bool runs_on)
{
    int64_t call_ms = client->call_timeout_ms > 0 ? client->call_timeout_ms : MPROC_FOREVER;

    if (runs_on) return waits_ms < call_ms ? waits_ms : call_ms;
    return waits_ms < MPROC_FOREVER - call_ms ? waits_ms + call_ms : MPROC_FOREVER;
}

static int64_t left_ms(int64_t deadline_ns)
{
    int64_t now_ns = plat_clock_now_ns();

    if (deadline_ns == PLAT_FOREVER) return MPROC_FOREVER;
    return now_ns < deadline_ns ? (deadline_ns - now_ns + MS_NS - 1) / MS_NS : 0;
}

/* The connection is of no further use, or the call has ended before its answer came. */
static mproc_status not_answered(const struct exchange *exchange, mproc_status status)
{
    if (status == MPROC_END || status == MPROC_BROKEN || status == MPROC_PEER_DIED || status == MPROC_NOT_FOUND)
        return mproc_error(MPROC_PEER_DIED, "the manager at %s has ended, or has closed the connection",
                           exchange->client->address);
    if (status == MPROC_TIMEOUT)
        return mproc_error(MPROC_TIMEOUT,
                           "the manager at %s did not answer within %lld ms: what it was to do may be done, or not",
                           exchange->client->address, (long long)exchange->most_ms);
    return status;
}

/* Receives until the answer comes. Others are to calls that did not wait for theirs. */
static mproc_status receive(struct exchange *exchange)
{
    struct client *client = exchange->client;
    struct answer *answer = &exchange->answer;
    mproc_status status;

    for (;;) {
        status = mproc_connection_recv_bytes(exchange->connection, client->message_bytes_max, &exchange->bytes,
                                             left_ms(exchange->deadline_ns));
        if (status != MPROC_OK) return status;
        if ((status = answer_read(&exchange->bytes, answer)) == MPROC_OK && answer->number == exchange->number)
            return MPROC_OK;
        if (status == MPROC_OK && answer->number != MESSAGE_NO_CALL) answer_discard(client, answer);
        else break;
        mproc_value_clear(&exchange->bytes);
    }
    mproc_connection_close(exchange->connection);
    return MPROC_PEER_DIED;
}

/*
 * The same, and why there is none. Of the manager's last word, which is an answer to nothing, the text stays.
 */
static mproc_status await_answer(struct exchange *exchange)
{
    const struct client *client = exchange->client;
    mproc_status status = receive(exchange);

    if (status != MPROC_PEER_DIED || mproc_value_is_nil(exchange->bytes))
        return status == MPROC_OK ? status : not_answered(exchange, status);
    if (answer_read(&exchange->bytes, &exchange->answer) == MPROC_OK)
        status = mproc_error(MPROC_PEER_DIED, "the manager at %s has ended the connection: %s", client->address,
                             exchange->answer.text);
    else
        status = mproc_error(MPROC_PEER_DIED, "what came from %s is no answer of a manager: %s", client->address,
                             mproc_last_error_text());
    mproc_value_clear(&exchange->bytes);
    return status;
}

/* By whoever has the turn. False: there is no room now, and they go with a later call. */
static bool send_owed(struct client *client)
{
    enum { PAIRS_MAX = 16 };
    mproc_value items[MESSAGE_HEAD_CALL + 2 * PAIRS_MAX];
    struct message message;
    size_t count;
    mproc_status status;

    items[0] = mproc_int(MESSAGE_NO_CALL);
    items[1] = mproc_int(0);
    items[2] = mproc_int(MANAGER_GIVE_BACK);
    while ((count = proxies_take_owed(&client->proxies, items + MESSAGE_HEAD_CALL, (size_t)2 * PAIRS_MAX)) > 0) {
        if ((status = message_write(&message, items, MESSAGE_HEAD_CALL + count, SIZE_MAX)) == MPROC_OK) {
            status = mproc_connection_send_bytes(client->connection, message.bytes, message.size, 0);
            message_clear(&message);
        }
        if (status == MPROC_OK) continue;
        proxies_owe(&client->proxies, items + MESSAGE_HEAD_CALL, count);
        return false;
    }
    return true;
}

/*
 * The call has been ended by its time limit or an interrupt. The manager is told, stops what it is at, and says how
 * far it has come: so what it has done is known, and what this thread holds there by the same line stays held.
 */
static mproc_status give_up(struct exchange *exchange, mproc_status why)
{
    const mproc_value items[] = {mproc_int(MESSAGE_NO_CALL), mproc_int(0), mproc_int(MANAGER_GIVE_UP),
                                 mproc_int(exchange->number)};
    struct message message;
    mproc_status status;

    /* What the thread holds is known when the answer has come: a wait takes its lock back first. */
    exchange->deadline_ns = plat_clock_now_ns() + GIVE_UP_MS * MS_NS;
    if (why == MPROC_INTERRUPTED && exchange->line->owner) exchange->deadline_ns = PLAT_FOREVER;
    if (message_write(&message, items, MESSAGE_HEAD_CALL + 1, SIZE_MAX) != MPROC_OK) return why;
    status = mproc_connection_send_bytes(exchange->connection, message.bytes, message.size, 0);
    message_clear(&message);
    if (status != MPROC_OK || receive(exchange) != MPROC_OK) return why;
    if (exchange->answer.status == MPROC_INTERRUPTED) {
        if (why == MPROC_INTERRUPTED) return MPROC_OK;
        exchange->answer.status = MPROC_TIMEOUT;
        exchange->answer.text = "the call was given up, as the manager took longer than call_timeout_ms";
        return MPROC_OK;
    }
    if (why == MPROC_INTERRUPTED) interrupt_give_back();
    return MPROC_OK;
}

static mproc_status send_and_receive(struct exchange *exchange, const struct message *request)
{
    mproc_status status;

    if (!exchange->line) send_owed(exchange->client);
    status = mproc_connection_send_bytes(exchange->connection, request->bytes, request->size,
                                         left_ms(exchange->deadline_ns));
    exchange->unsent = status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED;
    /* If it has ended, it may have said why. */
    if (status != MPROC_OK && status != MPROC_PEER_DIED) return not_answered(exchange, status);
    status = await_answer(exchange);
    if (exchange->line && !exchange->runs_on && (status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED))
        status = give_up(exchange, status);
    return status;
}

/* ---- what a manager says first -------------------------------------------------------------------------- */

static mproc_status mismatch(const struct client *client)
{
    return mproc_error(MPROC_MISMATCH, "what is at %s is no manager, or of another version than %d: %s",
                       client->address, MESSAGE_VERSION, mproc_last_error_text());
}

/* What it has said: that it accepts, and what it allows; or why it does not. */
static mproc_status read_greeting(struct client *client, const mproc_value *bytes)
{
    struct answer answer;
    mproc_value token;
    uint64_t max;

    if (answer_read(bytes, &answer) != MPROC_OK || answer.number != MESSAGE_NO_CALL || answer.objects)
        return mismatch(client);
    if (answer.status != MPROC_OK)
        return mproc_error(answer.status, "the manager at %s does not accept: %s", client->address, answer.text);
    if (mproc_value_int(mproc_value_get(answer.result, "version")) != MESSAGE_VERSION) return mismatch(client);
    if (client->message_bytes_max > 0) return MPROC_OK; /* of a further connection */
    max = mproc_value_uint(mproc_value_get(answer.result, "message_bytes_max"));
    client->message_bytes_max = max < MPROC_VALUE_BYTES_MAX ? (size_t)max : MPROC_VALUE_BYTES_MAX;
    token = mproc_value_get(answer.result, "token");
    if (mproc_value_size(token) > CLIENT_TOKEN_BYTES_MAX || token.type != MPROC_TYPE_BYTES) return MPROC_OK;
    client->token_bytes = mproc_value_size(token);
    memcpy(client->token, mproc_value_bytes(token), client->token_bytes);
    return MPROC_OK;
}

static mproc_status greet(const struct exchange *exchange)
{
    struct client *client = exchange->client;
    mproc_value bytes = mproc_nil();
    mproc_status status =
        mproc_connection_recv_bytes(exchange->connection, GREETING_BYTES_MAX, &bytes, left_ms(exchange->deadline_ns));

    if (status == MPROC_TOO_LONG || status == MPROC_BROKEN) return mismatch(client);
    if (status == MPROC_TIMEOUT)
        return mproc_error(MPROC_TIMEOUT, "the manager at %s has not accepted in time", client->address);
    if (status != MPROC_OK) return not_answered(exchange, status);
    status = read_greeting(client, &bytes);
    mproc_value_clear(&bytes);
    return status;
}

/* ---- by which connection -------------------------------------------------------------------------------- */

static int64_t next_number(struct client *client)
{
    return atomic_fetch_add(&client->number, 1) + 1;
}

/* The connection says whose it is, and is answered. */
static mproc_status join(struct exchange *exchange)
{
    struct client *client = exchange->client;
    struct exchange joining = {.client = client,
                               .connection = exchange->connection,
                               .number = next_number(client),
                               .most_ms = exchange->most_ms,
                               .deadline_ns = exchange->deadline_ns};
    const mproc_value items[] = {mproc_int(joining.number), mproc_int(0), mproc_int(MANAGER_JOIN),
                                 mproc_bytes(client->token, client->token_bytes)};
    struct message message;
    mproc_status status = message_write(&message, items, MESSAGE_HEAD_CALL + 1, SIZE_MAX);

    if (status != MPROC_OK) return status;
    status =
        mproc_connection_send_bytes(joining.connection, message.bytes, message.size, left_ms(joining.deadline_ns));
    message_clear(&message);
    if (status != MPROC_OK && status != MPROC_PEER_DIED) return not_answered(&joining, status);
    if ((status = await_answer(&joining)) == MPROC_OK && joining.answer.status != MPROC_OK)
        status = mproc_error(joining.answer.status, "%s", joining.answer.text);
    mproc_value_clear(&joining.bytes);
    return status;
}

static mproc_status open_line(struct exchange *exchange)
{
    struct client *client = exchange->client;
    const mproc_client_options options = {.authkey = client->authkey};
    mproc_status status =
        mproc_client(client->address, &options, &exchange->connection, left_ms(exchange->deadline_ns));

    if (status != MPROC_OK) return not_answered(exchange, status);
    /* From here on whoever shuts the client down closes it, before the first one: then there is none to join. */
    if ((status = client_line_add(client, exchange->connection, &exchange->line)) != MPROC_OK) {
        mproc_connection_free(exchange->connection);
        return status;
    }
    status = greet(exchange);
    if (status == MPROC_OK) status = join(exchange);
    if (status != MPROC_OK) client_line_drop(client, exchange->line);
    return status;
}

/* A manager that knows no lines has one connection for all. */
static mproc_status begin(struct exchange *exchange)
{
    struct client *client = exchange->client;

    if (exchange->need != NEED_NONE && client->token_bytes > 0) {
        exchange->line = client_line_find(client, exchange->need);
        if (!exchange->line && exchange->need != NEED_HELD) return open_line(exchange);
        if (exchange->line) exchange->connection = exchange->line->connection;
        if (exchange->line) return MPROC_OK;
    }
    exchange->connection = client->connection;
    return not_answered(exchange, mproc_lock_acquire(client->turn, left_ms(exchange->deadline_ns)));
}

static void end(struct exchange *exchange, mproc_status status)
{
    struct client *client = exchange->client;

    if (!exchange->line) (void)mproc_lock_release(client->turn);
    else if (exchange->unsent) client_line_put(client, exchange->line, exchange->line->owner != 0);
    else if (status == MPROC_OK) client_line_put(client, exchange->line, exchange->answer.holds);
    else client_line_drop(client, exchange->line);
}

/*
 * Gives back what is owed if nobody has the turn; whoever has it looks here when it has let go of it. It is not
 * waited for: who gives up a proxy does not block.
 */
static void settle(struct client *client)
{
    bool sent = true;

    while (sent && atomic_load(&client->proxies.owed_first) && mproc_lock_acquire(client->turn, 0) == MPROC_OK) {
        sent = send_owed(client);
        (void)mproc_lock_release(client->turn);
    }
}

/*
 * What was taken is the client's when it has said that it has it: until then it can still come back. If it cannot
 * say so, the connection ends, and nothing was taken.
 */
static mproc_status confirm(struct exchange *exchange)
{
    const mproc_value items[] = {mproc_int(MESSAGE_NO_CALL), mproc_int(0), mproc_int(MANAGER_RECEIVED)};
    struct message message;
    mproc_status status = message_write(&message, items, MESSAGE_HEAD_CALL, SIZE_MAX);

    if (status != MPROC_OK) return status;
    status = mproc_connection_send_bytes(exchange->connection, message.bytes, message.size,
                                         left_ms(exchange->deadline_ns));
    message_clear(&message);
    return status == MPROC_OK ? status : not_answered(exchange, status);
}

/* The call, and what comes of it. */
static mproc_status carry_out(struct exchange *exchange, const struct message *request, mproc_value *result)
{
    mproc_status answered = send_and_receive(exchange, request), status = answered;
    mproc_value taken = mproc_nil();

    if (answered == MPROC_OK) status = answer_take(exchange->client, &exchange->answer, result ? &taken : NULL);
    if (answered == MPROC_OK && exchange->takes && exchange->answer.status == MPROC_OK) {
        if (status == MPROC_OK) status = confirm(exchange);
        answered = status;
    }
    end(exchange, answered);
    if (status == MPROC_OK && result) *result = taken;
    else mproc_value_clear(&taken);
    return status;
}

static mproc_status call(struct exchange *exchange, uint32_t object, uint32_t method, const mproc_value *values,
                         size_t count, mproc_value *result)
{
    struct client *client = exchange->client;
    mproc_value items[MESSAGE_HEAD_CALL + MESSAGE_VALUES_MAX];
    struct message request;
    mproc_status status;

    assert(count <= MESSAGE_VALUES_MAX);
    if ((status = deadline_from_timeout(exchange->most_ms, &exchange->deadline_ns)) != MPROC_OK) return status;
    exchange->number = next_number(client);
    items[0] = mproc_int(exchange->number);
    items[1] = mproc_int(object);
    items[2] = mproc_int(method);
    for (size_t i = 0; i < count; i++) items[MESSAGE_HEAD_CALL + i] = values[i];
    status = message_write(&request, items, MESSAGE_HEAD_CALL + count, client->message_bytes_max);
    if (status != MPROC_OK) return status;
    if ((status = connections_name_objects(client, &request)) == MPROC_OK && (status = begin(exchange)) == MPROC_OK) {
        status = carry_out(exchange, &request, result);
        mproc_value_clear(&exchange->bytes);
        settle(client);
    }
    message_clear(&request);
    return status;
}

mproc_status client_call(struct client *client, uint32_t object, uint32_t method, const mproc_value *values,
                         size_t count, mproc_value *result, int64_t waits_ms)
{
    struct exchange exchange = {.client = client, .need = NEED_NONE, .most_ms = most_ms(client, waits_ms, false)};

    return call(&exchange, object, method, values, count, result);
}

/* ---- the row of proxies --------------------------------------------------------------------------------- */

static enum line_need need_of(const struct object_type *type, uint32_t method)
{
    if (type->threads_own) return method < type->moments ? NEED_HELD : NEED_THREAD;
    return method < type->moments || type->never_waits ? NEED_NONE : NEED_OWN;
}

static mproc_status call_within(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result, int64_t waits_ms)
{
    const struct object_type *type = object_types[reference->ref.kind];
    struct client *client = atomic_load(&reference->own);
    struct exchange exchange = {.client = client,
                                .need = need_of(type, method),
                                .runs_on = type->runs_on,
                                .takes = type->takes > 0 && method >= type->takes,
                                .most_ms = most_ms(client, waits_ms, type->runs_on)};

    return call(&exchange, proxy_number(&reference->ref), method, values, count, result);
}

static mproc_status call_remote(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    return call_within(reference, method, values, count, result, 0);
}

static mproc_status opened(struct reference *reference, uint64_t by)
{
    struct client *client;
    mproc_status status;

    (void)by;
    if ((status = connections_find(&reference->ref, &client)) != MPROC_OK) return status;
    status = proxies_hold(&client->proxies, proxy_number(&reference->ref), reference->ref.generation);
    if (status == MPROC_OK) atomic_store(&reference->own, client);
    else client_release(client);
    return status;
}

static void closing(struct reference *reference)
{
    struct client *client = atomic_load(&reference->own);

    proxies_drop(&client->proxies, proxy_number(&reference->ref));
    settle(client);
    client_release(client);
}

const struct object_type remote_type = {.name = "an object of a manager in another program",
                                        .call = call_remote,
                                        .call_within = call_within,
                                        .opened = opened,
                                        .closing = closing,
                                        .thread_ends = client_lines_thread_ends,
                                        .forked = connections_forked};

/* ---- the beginning -------------------------------------------------------------------------------------- */

mproc_status client_create(const char *address, const mproc_manager_connect_options *options, int64_t timeout_ms,
                           struct client **out)
{
    const mproc_client_options client_options = {.authkey = options->authkey};
    struct exchange greeting = {.most_ms = timeout_ms};
    struct client *client;
    mproc_status status;

    if (!address || strlen(address) >= sizeof client->address)
        return mproc_error(MPROC_INVALID, "a manager is at %s", address ? "an address that is too long" : "NULL");
    if ((status = deadline_from_timeout(timeout_ms, &greeting.deadline_ns)) != MPROC_OK) return status;
    if (!(client = calloc(1, sizeof *client))) return mproc_error(MPROC_NO_MEMORY, "no memory for a connection");
    memcpy(client->address, address, strlen(address) + 1);
    client->call_timeout_ms = options->call_timeout_ms;
    status = mproc_lock_create(&(mproc_lock_options){.ignore_abandoned = true}, &client->turn);
    if (status == MPROC_OK) status = mproc_client(address, &client_options, &client->connection, timeout_ms);
    if (status == MPROC_OK) status = mproc_value_copy(options->authkey, &client->authkey);
    greeting.client = client;
    greeting.connection = client->connection;
    if (status == MPROC_OK) status = greet(&greeting);
    if (status == MPROC_OK) status = connections_add(client);
    if (status == MPROC_OK) *out = client;
    else free_client(client);
    return status;
}
