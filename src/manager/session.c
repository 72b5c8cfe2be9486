/* One client of a manager: its calls, one after the other. */
#include "manager/server.h"

#include <stdlib.h>

#include "manager/types.h"

/* An answer of so many bytes goes out at once, or its client does not take what it is sent. */
#define AT_ONCE_BYTES_MAX 8192
#define AT_ONCE_MS 1

/* ---- answers -------------------------------------------------------------------------------------------- */

/* Text that is no UTF-8 is left out: nothing else of these values can be refused. */
static mproc_status write_answer(struct session *session, int64_t number, mproc_status status,
                                 const mproc_value *result)
{
    mproc_value items[MESSAGE_HEAD_ANSWER];
    mproc_status written;

    items[0] = mproc_int(number);
    items[1] = mproc_int(status);
    items[2] = status == MPROC_OK ? mproc_nil() : mproc_string(mproc_error_text(status));
    items[3] = result ? *result : mproc_nil();
    written = message_write(&session->answer, items, MESSAGE_HEAD_ANSWER, session->server->options.message_bytes_max);
    if (written != MPROC_OK || session->answer.objects == 0) return written;
    written = lent_write(&session->lent, &session->answer, session->server->options.objects_per_client_max);
    if (written != MPROC_OK) message_clear(&session->answer);
    return written;
}

/* MPROC_TIMEOUT: nothing was sent. */
static mproc_status send_answer(struct session *session, int64_t timeout_ms)
{
    mproc_status status =
        mproc_connection_send_bytes(session->connection, session->answer.bytes, session->answer.size, timeout_ms);

    if (status == MPROC_TIMEOUT) return status;
    message_clear(&session->answer);
    session->answering = false;
    return status;
}

/* The last word: why the connection ends. */
static enum session_step refuse(struct session *session, mproc_status status)
{
    if (write_answer(session, MESSAGE_NO_CALL, status, NULL) == MPROC_OK) (void)send_answer(session, AT_ONCE_MS);
    return SESSION_ENDS;
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

/* Objects among what it is made of are those that the client has. */
static mproc_status make(struct session *session, const mproc_value *values, mproc_value *result)
{
    mproc_status status = lent_read(&session->lent, &session->call);

    return status == MPROC_OK ? types_make(mproc_value_string(values[0]), &values[1], true, result) : status;
}

/* What the manager itself can do. */
static mproc_status call_manager(struct session *session, int64_t method, const mproc_value *values, size_t count,
                                 mproc_value *result)
{
    char text[64];
    mproc_status status;

    if (method == MANAGER_GET && count == 1 && values[0].type == MPROC_TYPE_STRING) {
        status = mproc_dict_get(session->server->names, values[0], result);
        if (status != MPROC_NOT_FOUND) return status;
        mproc_value_print(values[0], text, sizeof text);
        return mproc_error(MPROC_NOT_FOUND, "the manager serves nothing named %s", text);
    }
    if (method == MANAGER_MAKE && count == 2 && values[0].type == MPROC_TYPE_STRING)
        return make(session, values, result);
    if (method != MANAGER_GIVE_BACK || count % 2 != 0)
        return mproc_error(MPROC_INVALID, "a manager has no method %lld for %zu values", (long long)method, count);
    for (size_t i = 0; i < count; i += 2)
        if (!lent_back(&session->lent, mproc_value_uint(values[i]), mproc_value_uint(values[i + 1])))
            return mproc_error(MPROC_INVALID, "a client of a manager gives back what it has not");
    return MPROC_OK;
}

static mproc_status call_object(struct session *session, const struct reference *reference, int64_t method,
                                const mproc_value *values, size_t count, mproc_value *result)
{
    mproc_status status;

    if (!reference) return mproc_error(MPROC_INVALID, "the client has not the object that it calls");
    if (method < 0 || method > UINT32_MAX || count > MESSAGE_VALUES_MAX)
        return mproc_error(MPROC_INVALID, "an object has no method %lld for %zu values", (long long)method, count);
    if ((status = lent_read(&session->lent, &session->call)) != MPROC_OK) return status;
    return object_types[reference->ref.kind]->call(reference, (uint32_t)method, values, count, result);
}

/* Carries out the call, and makes the answer. What has no number gets none. */
static mproc_status carry_out(struct session *session)
{
    enum { VALUES_MAX = 64 };
    mproc_value values[VALUES_MAX], result = mproc_nil();
    size_t count = mproc_value_count(session->call) - MESSAGE_HEAD_CALL;
    int64_t number = mproc_value_int(mproc_value_at(session->call, 0)),
            object = mproc_value_int(mproc_value_at(session->call, 1)),
            method = mproc_value_int(mproc_value_at(session->call, 2));
    mproc_status status;

    for (size_t i = 0; i < count && i < VALUES_MAX; i++)
        values[i] = mproc_value_at(session->call, MESSAGE_HEAD_CALL + i);
    if (count > VALUES_MAX) status = mproc_error(MPROC_INVALID, "a call of %zu values: no method has so many", count);
    else if (object == 0) status = call_manager(session, method, values, count, &result);
    else status = call_object(session, lent_find(&session->lent, (uint64_t)object), method, values, count, &result);

    if (number != MESSAGE_NO_CALL) {
        mproc_status written = write_answer(session, number, status, &result);
        if (written != MPROC_OK) written = write_answer(session, number, written, NULL);
        session->answering = written == MPROC_OK;
        status = written;
    }
    mproc_value_clear(&result);
    mproc_value_clear(&session->request);
    atomic_fetch_add(&session->server->counts->objects, (uint64_t)session->lent.count - session->counted);
    session->counted = session->lent.count;
    return status;
}

/* Whether the call takes no longer than moments. What is made or given back may be large. */
static bool takes_moments(const struct session *session)
{
    uint64_t object = mproc_value_uint(mproc_value_at(session->call, 1)),
             method = mproc_value_uint(mproc_value_at(session->call, 2));
    const struct reference *reference = lent_find(&session->lent, object);

    if (!reference) return method != MANAGER_GIVE_BACK && method != MANAGER_MAKE;
    return method < object_types[reference->ref.kind]->moments;
}

/* ---- steps ---------------------------------------------------------------------------------------------- */

/* It was carried out; its answer, if there is one, was not sent yet. */
static enum session_step answer_at_once(struct session *session, mproc_status status)
{
    if (!session->answering) return status == MPROC_OK ? SESSION_WAITS : refuse(session, status);
    if (session->answer.size > AT_ONCE_BYTES_MAX) return SESSION_WORKS;
    status = send_answer(session, AT_ONCE_MS);
    if (status == MPROC_TIMEOUT) return SESSION_WORKS;
    return status == MPROC_OK ? SESSION_WAITS : SESSION_ENDS;
}

enum session_step session_receive(struct session *session)
{
    mproc_status status = mproc_connection_recv_bytes(session->connection, session->server->options.message_bytes_max,
                                                      &session->request, 0);
    mproc_value object, method;

    if (status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED) return SESSION_WAITS;
    if (status == MPROC_TOO_LONG || status == MPROC_NO_MEMORY) return refuse(session, status);
    if (status != MPROC_OK) return SESSION_ENDS;
    if ((status = message_read(&session->request, MESSAGE_HEAD_CALL, &session->call)) != MPROC_OK)
        return refuse(session, status);
    object = mproc_value_at(session->call, 1);
    method = mproc_value_at(session->call, 2);
    if (object.type != MPROC_TYPE_INT64 || method.type != MPROC_TYPE_INT64)
        return refuse(session, mproc_error(MPROC_INVALID, "a call of a manager names an object and a method by "
                                                          "numbers"));
    if (!takes_moments(session)) return SESSION_WORKS;
    return answer_at_once(session, carry_out(session));
}

enum session_step session_work(struct session *session)
{
    mproc_status status = MPROC_OK;

    if (!session->answering) status = carry_out(session);
    if (session->answering) status = send_answer(session, session->server->options.answer_timeout_ms);
    else if (status != MPROC_OK) return refuse(session, status);
    return status == MPROC_OK ? SESSION_WAITS : SESSION_ENDS;
}

/* ---- beginning and end ---------------------------------------------------------------------------------- */

static mproc_status greet(struct session *session)
{
    const struct mproc_manager_options *options = &session->server->options;
    const mproc_value pairs[] = {mproc_string("version"),           mproc_int(MESSAGE_VERSION),
                                 mproc_string("message_bytes_max"), mproc_uint(options->message_bytes_max),
                                 mproc_string("objects_max"),       mproc_uint(options->objects_per_client_max)};
    mproc_value map = mproc_map_from(pairs, sizeof pairs / sizeof pairs[0] / 2);
    mproc_status status;

    if (atomic_load(&session->server->counts->clients) >= options->clients_max) {
        (void)refuse(session, mproc_error(MPROC_LIMIT, "it has %lu clients, and cannot have more (clients_max)",
                                          (unsigned long)options->clients_max));
        return MPROC_LIMIT;
    }
    if ((status = write_answer(session, MESSAGE_NO_CALL, MPROC_OK, &map)) != MPROC_OK) return status;
    return send_answer(session, AT_ONCE_MS);
}

struct session *session_begin(struct server *server, mproc_connection *connection)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session) {
        mproc_connection_free(connection);
        return NULL;
    }
    session->server = server;
    session->connection = connection;
    session->answer.bytes = (unsigned char *)session->answer.small;
    if (greet(session) != MPROC_OK) {
        message_clear(&session->answer);
        mproc_connection_free(connection);
        free(session);
        return NULL;
    }
    plat_mutex_lock(&server->mutex);
    if ((session->next = server->sessions)) session->next->previous = session;
    server->sessions = session;
    plat_mutex_unlock(&server->mutex);
    atomic_fetch_add(&server->counts->clients, 1);
    return session;
}

void session_end(struct session *session)
{
    struct server *server = session->server;

    plat_mutex_lock(&server->mutex);
    if (session->previous) session->previous->next = session->next;
    else server->sessions = session->next;
    if (session->next) session->next->previous = session->previous;
    plat_mutex_unlock(&server->mutex);
    mproc_connection_free(session->connection);
    mproc_value_clear(&session->request);
    message_clear(&session->answer);
    lent_clear(&session->lent);
    atomic_fetch_sub(&server->counts->objects, session->counted);
    atomic_fetch_sub(&server->counts->clients, 1);
    free(session);
}
