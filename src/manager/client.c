/* Connections to managers, and the calls that go over them. */
#include "manager/client.h"

#include <stdlib.h>

#include <mproc/listener.h>
#include <mproc/lock.h>

#include "manager/answer.h"
#include "manager/connections.h"
#include "manager/kind.h"
#include "process/family.h"

#define MS_NS ((int64_t)1000000)
/* What a manager says first has no more bytes. */
#define GREETING_BYTES_MAX 4096

/* ---- the end -------------------------------------------------------------------------------------------- */

static void free_client(struct client *client)
{
    mproc_connection_free(client->connection);
    mproc_lock_free(client->turn);
    free(client->proxies.all);
    free(client);
}

void client_release(struct client *client)
{
    if (connections_release(client)) free_client(client);
}

/* ---- one call ------------------------------------------------------------------------------------------- */

/* The time for a call: the connection's, or the call's own, if that is shorter. */
struct limit {
    int64_t begun_ns;
    int64_t ms;
};

static struct limit limit_begin(const struct client *client, int64_t timeout_ms)
{
    int64_t call_ms = client->call_timeout_ms > 0 ? client->call_timeout_ms : MPROC_FOREVER;

    return (struct limit){plat_clock_now_ns(), timeout_ms < call_ms ? timeout_ms : call_ms};
}

/* What is left of it. */
static int64_t left_ms(const struct limit *limit)
{
    int64_t passed_ms = (plat_clock_now_ns() - limit->begun_ns) / MS_NS;

    if (limit->ms == MPROC_FOREVER) return MPROC_FOREVER;
    return passed_ms < limit->ms ? limit->ms - passed_ms : 0;
}

/* The connection is of no further use, or the call has ended before its answer came. */
static mproc_status not_answered(const struct client *client, const struct limit *limit, mproc_status status)
{
    if (status == MPROC_END || status == MPROC_BROKEN || status == MPROC_PEER_DIED)
        return mproc_error(MPROC_PEER_DIED, "the manager at %s has ended, or has closed the connection",
                           client->address);
    if (status == MPROC_TIMEOUT)
        return mproc_error(MPROC_TIMEOUT,
                           "the manager at %s did not answer within %lld ms: what it was to do may be done, or not",
                           client->address, (long long)limit->ms);
    return status;
}

/*
 * Receives until the answer comes. Others are to calls that did not wait for theirs. Of the manager's last word,
 * which is an answer to nothing, the text stays.
 */
static mproc_status receive(struct client *client, int64_t number, const struct limit *limit, mproc_value *bytes,
                            struct answer *answer)
{
    mproc_status status;

    for (;;) {
        status = mproc_connection_recv_bytes(client->connection, client->message_bytes_max, bytes, left_ms(limit));
        if (status != MPROC_OK) return not_answered(client, limit, status);
        if ((status = answer_read(bytes, answer)) == MPROC_OK && answer->number == number) return MPROC_OK;
        if (status == MPROC_OK && answer->number != MESSAGE_NO_CALL) answer_discard(client, answer);
        else break;
        mproc_value_clear(bytes);
    }
    if (status == MPROC_OK)
        status = mproc_error(MPROC_PEER_DIED, "the manager at %s has ended the connection: %s", client->address,
                             answer->text);
    else
        status = mproc_error(MPROC_PEER_DIED, "what came from %s is no answer of a manager: %s", client->address,
                             mproc_last_error_text());
    mproc_value_clear(bytes);
    mproc_connection_close(client->connection);
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

/* In its turn. */
static mproc_status exchange(struct client *client, const struct message *request, int64_t number,
                             const struct limit *limit, mproc_value *bytes, struct answer *answer)
{
    mproc_status status;

    send_owed(client);
    status = mproc_connection_send_bytes(client->connection, request->bytes, request->size, left_ms(limit));
    /* If it has ended, it may have said why. */
    if (status != MPROC_OK && status != MPROC_PEER_DIED) return not_answered(client, limit, status);
    return receive(client, number, limit, bytes, answer);
}

mproc_status client_call(struct client *client, uint32_t object, uint32_t method, const mproc_value *values,
                         size_t count, mproc_value *result, int64_t timeout_ms)
{
    mproc_value items[MESSAGE_HEAD_CALL + MESSAGE_VALUES_MAX], bytes = mproc_nil();
    int64_t number = atomic_fetch_add(&client->number, 1) + 1;
    const struct limit limit = limit_begin(client, timeout_ms);
    struct message request;
    struct answer answer;
    mproc_status status;

    assert(count <= MESSAGE_VALUES_MAX);
    items[0] = mproc_int(number);
    items[1] = mproc_int(object);
    items[2] = mproc_int(method);
    for (size_t i = 0; i < count; i++) items[MESSAGE_HEAD_CALL + i] = values[i];
    status = message_write(&request, items, MESSAGE_HEAD_CALL + count, client->message_bytes_max);
    if (status != MPROC_OK) return status;
    if ((status = connections_name_objects(client, &request)) != MPROC_OK) goto done;
    if ((status = mproc_lock_acquire(client->turn, left_ms(&limit))) != MPROC_OK) {
        status = not_answered(client, &limit, status);
        goto done;
    }
    status = exchange(client, &request, number, &limit, &bytes, &answer);
    (void)mproc_lock_release(client->turn);
    if (status == MPROC_OK) status = answer_take(client, &answer, result);
    mproc_value_clear(&bytes);
    settle(client);
done:
    message_clear(&request);
    return status;
}

/* ---- the row of proxies --------------------------------------------------------------------------------- */

static mproc_status call_within(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result, int64_t timeout_ms)
{
    return client_call(atomic_load(&reference->own), proxy_number(&reference->ref), method, values, count, result,
                       timeout_ms);
}

static mproc_status call_remote(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    return call_within(reference, method, values, count, result, MPROC_FOREVER);
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
                                        .forked = connections_forked};

/* ---- the beginning -------------------------------------------------------------------------------------- */

static mproc_status mismatch(const struct client *client)
{
    return mproc_error(MPROC_MISMATCH, "what is at %s is no manager, or of another version than %d: %s",
                       client->address, MESSAGE_VERSION, mproc_last_error_text());
}

/* What it says first: that it accepts, and what it allows; or why it does not. */
static mproc_status greet(struct client *client, int64_t timeout_ms)
{
    const struct limit limit = {0, timeout_ms};
    mproc_value bytes = mproc_nil();
    struct answer answer;
    mproc_status status;

    status = mproc_connection_recv_bytes(client->connection, GREETING_BYTES_MAX, &bytes, timeout_ms);
    if (status == MPROC_TOO_LONG || status == MPROC_BROKEN) return mismatch(client);
    if (status == MPROC_TIMEOUT)
        return mproc_error(MPROC_TIMEOUT, "the manager at %s has not accepted in time", client->address);
    if (status != MPROC_OK) return not_answered(client, &limit, status);
    if (answer_read(&bytes, &answer) != MPROC_OK || answer.number != MESSAGE_NO_CALL || answer.objects) {
        status = mismatch(client);
    } else if (answer.status != MPROC_OK) {
        status = mproc_error(answer.status, "the manager at %s does not accept: %s", client->address, answer.text);
    } else if (mproc_value_int(mproc_value_get(answer.result, "version")) != MESSAGE_VERSION) {
        status = mismatch(client);
    } else {
        uint64_t max = mproc_value_uint(mproc_value_get(answer.result, "message_bytes_max"));
        client->message_bytes_max = max < MPROC_VALUE_BYTES_MAX ? (size_t)max : MPROC_VALUE_BYTES_MAX;
    }
    mproc_value_clear(&bytes);
    return status;
}

mproc_status client_create(const char *address, const mproc_manager_connect_options *options, int64_t timeout_ms,
                           struct client **out)
{
    const mproc_client_options client_options = {.authkey = options->authkey};
    int64_t begun_ns = plat_clock_now_ns(), passed_ms;
    struct client *client;
    mproc_status status;

    if (!address || strlen(address) >= sizeof client->address)
        return mproc_error(MPROC_INVALID, "a manager is at %s", address ? "an address that is too long" : "NULL");
    if (!(client = calloc(1, sizeof *client))) return mproc_error(MPROC_NO_MEMORY, "no memory for a connection");
    memcpy(client->address, address, strlen(address) + 1);
    client->call_timeout_ms = options->call_timeout_ms;
    status = mproc_lock_create(&(mproc_lock_options){.ignore_abandoned = true}, &client->turn);
    if (status == MPROC_OK) status = mproc_client(address, &client_options, &client->connection, timeout_ms);
    passed_ms = (plat_clock_now_ns() - begun_ns) / MS_NS;
    if (status == MPROC_OK) {
        if (timeout_ms != MPROC_FOREVER) timeout_ms = passed_ms < timeout_ms ? timeout_ms - passed_ms : 0;
        status = greet(client, timeout_ms);
    }
    if (status == MPROC_OK) status = connections_add(client);
    if (status == MPROC_OK) *out = client;
    else free_client(client);
    return status;
}

/* ---- as a manager --------------------------------------------------------------------------------------- */

static mproc_status refuse_to_serve(const struct client *client)
{
    return mproc_error(MPROC_BAD_STATE, "a connection to the manager at %s serves nothing: its own program does",
                       client->address);
}

static mproc_status serve(void *self, const char *name, const mproc_value *value)
{
    (void)name;
    (void)value;
    return refuse_to_serve(self);
}

static mproc_status withdraw(void *self, const char *name)
{
    (void)name;
    return refuse_to_serve(self);
}

static mproc_status get(void *self, const char *name, mproc_value *value)
{
    const mproc_value text = mproc_string(name);

    return client_call(self, 0, MANAGER_GET, &text, 1, value, MPROC_FOREVER);
}

static mproc_status make(void *self, const char *type, const mproc_value *args, mproc_value *value)
{
    const mproc_value values[] = {mproc_string(type), *args};

    return client_call(self, 0, MANAGER_MAKE, values, sizeof values / sizeof values[0], value, MPROC_FOREVER);
}

static const char *address(const void *self)
{
    const struct client *client = self;

    return client->address;
}

static size_t no_clients(const void *self)
{
    (void)self;
    return 0;
}

static size_t objects(void *self)
{
    struct client *client = self;
    size_t count;

    plat_mutex_lock(&client->proxies.mutex);
    count = client->proxies.count;
    plat_mutex_unlock(&client->proxies.mutex);
    return count;
}

static void shut_down(void *self)
{
    struct client *client = self;

    mproc_connection_close(client->connection);
}

static void release(void *self)
{
    client_release(self);
}

const struct manager_kind client_kind = {.serve = serve,
                                         .withdraw = withdraw,
                                         .get = get,
                                         .make = make,
                                         .address = address,
                                         .clients = no_clients,
                                         .objects = objects,
                                         .shutdown = shut_down,
                                         .free = release};
