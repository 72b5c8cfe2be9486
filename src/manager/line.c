/* One connection of a client: its calls, one after the other. */
#include <stdlib.h>

#include "manager/server.h"
#include "object/robust_list.h"
#include "process/family.h"

/* An answer of so many bytes goes out at once, or its client does not take what it is sent. */
#define AT_ONCE_BYTES_MAX 8192
#define AT_ONCE_MS 1
/* Who is to stop is woken so often: it may miss that while it is about to sleep. */
#define ASKS_MAX 6

/* ---- answers -------------------------------------------------------------------------------------------- */

/* Text that is no UTF-8 is left out: nothing else of these values can be refused. */
static mproc_status write_answer(struct line *line, int64_t number, mproc_status status, const mproc_value *result)
{
    mproc_value items[MESSAGE_HEAD_ANSWER + 1];
    mproc_status written;

    items[0] = mproc_int(number);
    items[1] = mproc_int(status);
    items[2] = status == MPROC_OK ? mproc_nil() : mproc_string(mproc_error_text(status));
    items[3] = result ? *result : mproc_nil();
    items[4] = mproc_bool(true);
    written = message_write(&line->answer, items, MESSAGE_HEAD_ANSWER + (line->holds ? 1 : 0),
                            line->server->options.message_bytes_max);
    if (written != MPROC_OK || line->answer.objects == 0) return written;
    written = lent_write(&line->session->lent, &line->answer, line->server->options.objects_per_client_max);
    if (written != MPROC_OK) message_clear(&line->answer);
    return written;
}

/* MPROC_TIMEOUT: nothing was sent. */
static mproc_status send_answer(struct line *line, int64_t timeout_ms)
{
    mproc_status status =
        mproc_connection_send_bytes(line->connection, line->answer.bytes, line->answer.size, timeout_ms);

    if (status == MPROC_TIMEOUT) return status;
    message_clear(&line->answer);
    line->answering = false;
    return status;
}

/* The last word: why the connection ends. */
static enum line_step refuse(struct line *line, mproc_status status)
{
    if (write_answer(line, MESSAGE_NO_CALL, status, NULL) == MPROC_OK) (void)send_answer(line, AT_ONCE_MS);
    return LINE_ENDS;
}

/* ---- what was taken ------------------------------------------------------------------------------------- */

/* The call has taken something for its client: until it says that it has it, the line uses the object. */
static bool takes(struct line *line, const struct reference *reference, int64_t method, uint64_t object)
{
    const struct object_type *type = object_types[reference->ref.kind];

    if (type->takes == 0 || method < type->takes) return false;
    line->taken_from = object;
    return true;
}

/* It has arrived, or never will: something else came than the client's word. */
static void settle(struct line *line, bool received)
{
    uint64_t object = line->taken_from;
    const struct reference *reference = object ? lent_use(&line->session->lent, object) : NULL;

    line->taken_from = 0;
    if (!reference) return;
    object_types[reference->ref.kind]->delivered(reference, received);
    lent_use_done(&line->session->lent, object); /* of here */
    lent_use_done(&line->session->lent, object); /* of the call */
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

/* Objects among what it is made of are those that the client has. */
static mproc_status make(struct line *line, const mproc_value *values, mproc_value *result)
{
    mproc_status status = lent_read(&line->session->lent, &line->call);

    if (status != MPROC_OK) return status;
    status = server_make(line->server, mproc_value_string(values[0]), &values[1], true, result);
    lent_read_done(&line->session->lent, &line->call);
    return status;
}

/* What the manager itself can do. */
static mproc_status call_manager(struct line *line, int64_t method, const mproc_value *values, size_t count,
                                 mproc_value *result)
{
    char text[64];
    mproc_status status;

    if (method == MANAGER_GET && count == 1 && values[0].type == MPROC_TYPE_STRING) {
        status = mproc_dict_get(line->server->names, values[0], result);
        if (status != MPROC_NOT_FOUND) return status;
        mproc_value_print(values[0], text, sizeof text);
        return mproc_error(MPROC_NOT_FOUND, "the manager serves nothing named %s", text);
    }
    if (method == MANAGER_MAKE && count == 2 && values[0].type == MPROC_TYPE_STRING)
        return make(line, values, result);
    if (method == MANAGER_DEBUG_INFO && count == 0) return server_debug_info(line->server, result);
    if (method == MANAGER_JOIN && count == 1) return session_join(line, &values[0]);
    if (method == MANAGER_GIVE_UP && count == 1) return MPROC_OK; /* what was to stop is over */
    if (method == MANAGER_RECEIVED && count == 0) return MPROC_OK;
    if (method != MANAGER_GIVE_BACK || count % 2 != 0)
        return mproc_error(MPROC_INVALID, "a manager has no method %lld for %zu values", (long long)method, count);
    for (size_t i = 0; i < count; i += 2)
        if (!lent_back(&line->session->lent, mproc_value_uint(values[i]), mproc_value_uint(values[i + 1])))
            return mproc_error(MPROC_INVALID, "a client of a manager gives back what it has not");
    return MPROC_OK;
}

static mproc_status call_used(struct line *line, const struct reference *reference, int64_t method,
                              const mproc_value *values, size_t count, mproc_value *result)
{
    mproc_status status;

    if (method < 0 || method > UINT32_MAX || count > MESSAGE_VALUES_MAX)
        return mproc_error(MPROC_INVALID, "an object has no method %lld for %zu values", (long long)method, count);
    if ((status = lent_read(&line->session->lent, &line->call)) != MPROC_OK) return status;
    status = object_types[reference->ref.kind]->call(reference, (uint32_t)method, values, count, result);
    lent_read_done(&line->session->lent, &line->call);
    return status;
}

static mproc_status call_object(struct line *line, uint64_t object, int64_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    const struct reference *reference = lent_use(&line->session->lent, object);
    mproc_status status;

    if (!reference) return mproc_error(MPROC_INVALID, "the client has not the object that it calls");
    status = call_used(line, reference, method, values, count, result);
    if (status != MPROC_OK || !takes(line, reference, method, object)) lent_use_done(&line->session->lent, object);
    return status;
}

/* Carries out the call, and makes the answer. What has no number gets none. */
static mproc_status carry_out(struct line *line)
{
    enum { VALUES_MAX = 64 };
    mproc_value values[VALUES_MAX], result = mproc_nil();
    size_t count = mproc_value_count(line->call) - MESSAGE_HEAD_CALL;
    int64_t number = mproc_value_int(mproc_value_at(line->call, 0)),
            object = mproc_value_int(mproc_value_at(line->call, 1)),
            method = mproc_value_int(mproc_value_at(line->call, 2));
    mproc_status status;

    if (object != 0 || method != MANAGER_GIVE_UP) settle(line, object == 0 && method == MANAGER_RECEIVED);
    for (size_t i = 0; i < count && i < VALUES_MAX; i++)
        values[i] = mproc_value_at(line->call, MESSAGE_HEAD_CALL + i);
    if (count > VALUES_MAX) status = mproc_error(MPROC_INVALID, "a call of %zu values: no method has so many", count);
    else if (object == 0) status = call_manager(line, method, values, count, &result);
    else status = call_object(line, (uint64_t)object, method, values, count, &result);

    line->holds = robust_list_owns();
    if (number != MESSAGE_NO_CALL) {
        mproc_status written = write_answer(line, number, status, &result);
        if (written != MPROC_OK) {
            settle(line, false);
            written = write_answer(line, number, written, NULL);
        }
        line->answering = written == MPROC_OK;
        status = written;
    }
    mproc_value_clear(&result);
    mproc_value_clear(&line->request);
    atomic_fetch_add(&line->server->counts->objects, lent_count_more(&line->session->lent, &line->session->counted));
    return status;
}

/* Whether the call takes no longer than moments. What is made or given back may be large. */
static bool takes_moments(struct line *line)
{
    uint64_t object = mproc_value_uint(mproc_value_at(line->call, 1)),
             method = mproc_value_uint(mproc_value_at(line->call, 2));
    uint32_t kind = lent_kind(&line->session->lent, object);

    if (kind == OBJECT_NONE)
        return method != MANAGER_GIVE_BACK && method != MANAGER_MAKE && method != MANAGER_DEBUG_INFO;
    return method < object_types[kind]->moments;
}

/* ---- steps of the server's thread ------------------------------------------------------------------------ */

/* It was carried out; its answer, if there is one, was not sent yet. */
static enum line_step answer_at_once(struct line *line, mproc_status status)
{
    if (!line->answering) return status == MPROC_OK ? LINE_WAITS : refuse(line, status);
    if (line->answer.size > AT_ONCE_BYTES_MAX) return LINE_WORKS;
    status = send_answer(line, AT_ONCE_MS);
    if (status == MPROC_TIMEOUT) return LINE_WORKS;
    return status == MPROC_OK ? LINE_WAITS : LINE_ENDS;
}

/* Makes a call of the request. */
static mproc_status read_call(struct line *line)
{
    mproc_status status = message_read(&line->request, MESSAGE_HEAD_CALL, &line->call);

    if (status != MPROC_OK) return status;
    if (mproc_value_at(line->call, 1).type == MPROC_TYPE_INT64 &&
        mproc_value_at(line->call, 2).type == MPROC_TYPE_INT64)
        return MPROC_OK;
    return mproc_error(MPROC_INVALID, "a call of a manager names an object and a method by numbers");
}

/* Under the line's mutex: its worker is to stop what it is at. */
static void ask_to_stop(struct line *line)
{
    struct worker *worker = line->worker;
    uint64_t at = worker ? atomic_load(&worker->request.at) : 0;

    if (at == 0) return;
    atomic_store(&worker->request.asked, at);
    line->server->asks = ASKS_MAX;
    interrupt_wake(family.process);
}

/* Under the line's mutex: it ends, so nobody goes on with what its worker is at. */
static void desert(struct line *line)
{
    line->ends = true;
    if (line->worker) atomic_store(&line->worker->deserted, true);
    ask_to_stop(line);
}

/* Whether the message is the wish that a call stops. */
static bool gives_up(struct line *line, const mproc_value *bytes)
{
    mproc_value call, number;

    if (message_read(bytes, MESSAGE_HEAD_CALL + 1, &call) != MPROC_OK) return false;
    number = mproc_value_at(call, MESSAGE_HEAD_CALL);
    if (mproc_value_int(mproc_value_at(call, 0)) != MESSAGE_NO_CALL ||
        !mproc_value_equal(mproc_value_at(call, 1), mproc_int(0)) ||
        !mproc_value_equal(mproc_value_at(call, 2), mproc_int(MANAGER_GIVE_UP)) || number.type != MPROC_TYPE_INT64)
        return false;
    line->given_up = mproc_value_int(number);
    if (line->given_up == line->number) ask_to_stop(line);
    return true;
}

/*
 * Under the line's mutex: a worker has the line. The next call waits, and nothing is received behind it. Of what is
 * too long the worker is rid before it is refused.
 */
static void receive_meanwhile(struct line *line, mproc_status status, mproc_value *bytes)
{
    if (status == MPROC_OK && gives_up(line, bytes)) {
        mproc_value_clear(bytes);
        return;
    }
    (void)mproc_wait_set_remove(line->server->set, line_waitable(line));
    line->watched = false;
    line->waiting = *bytes;
    if (status != MPROC_OK && (!line->busy || (status != MPROC_TOO_LONG && status != MPROC_NO_MEMORY))) desert(line);
    if (!line->busy) {
        line->busy = true;
        (void)mproc_semaphore_release(line->worker->call);
    }
}

enum line_step line_receive(struct line *line)
{
    mproc_value bytes = mproc_nil();
    mproc_status status =
        mproc_connection_recv_bytes(line->connection, line->server->options.message_bytes_max, &bytes, 0);
    enum line_step step;
    bool elsewhere;

    if (status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED) return LINE_WAITS;
    plat_mutex_lock(&line->mutex);
    if ((elsewhere = line->busy || line->worker)) receive_meanwhile(line, status, &bytes);
    plat_mutex_unlock(&line->mutex);
    if (elsewhere) return LINE_WAITS;
    if (status == MPROC_TOO_LONG || status == MPROC_NO_MEMORY) return refuse(line, status);
    if (status != MPROC_OK) return LINE_ENDS;
    line->request = bytes;
    if ((status = read_call(line)) != MPROC_OK) return refuse(line, status);
    step = takes_moments(line) ? answer_at_once(line, carry_out(line)) : LINE_WORKS;
    line->busy = step == LINE_WORKS; /* nobody else has it yet */
    return step;
}

/* An answer that was made already is not sent: whoever waits for it is told that it never comes. */
enum line_step line_fail(struct line *line, mproc_status status)
{
    int64_t number = line->answering ? MESSAGE_NO_CALL : mproc_value_int(mproc_value_at(line->call, 0));

    line->busy = false;
    message_clear(&line->answer);
    mproc_value_clear(&line->request);
    if (number == MESSAGE_NO_CALL || write_answer(line, number, status, NULL) != MPROC_OK)
        return refuse(line, status);
    return send_answer(line, AT_ONCE_MS) == MPROC_OK ? LINE_WAITS : LINE_ENDS;
}

/* ---- steps of a worker ----------------------------------------------------------------------------------- */

/* The call can be stopped from here on, unless it runs on; it may have been given up already. */
static void call_begins(struct line *line, struct worker *worker)
{
    uint32_t kind = lent_kind(&line->session->lent, mproc_value_uint(mproc_value_at(line->call, 1)));
    uint64_t at = kind != OBJECT_NONE && object_types[kind]->runs_on ? 0 : ++worker->requests;

    plat_mutex_lock(&line->mutex);
    line->worker = worker;
    line->number = mproc_value_int(mproc_value_at(line->call, 0));
    atomic_store(&worker->request.at, at);
    atomic_store(&worker->deserted, line->ends);
    if (at && (line->ends || (line->given_up == line->number && line->number != MESSAGE_NO_CALL)))
        atomic_store(&worker->request.asked, at);
    plat_mutex_unlock(&line->mutex);
}

static void call_ends(struct line *line, struct worker *worker)
{
    plat_mutex_lock(&line->mutex);
    atomic_store(&worker->request.at, 0);
    line->number = MESSAGE_NO_CALL;
    plat_mutex_unlock(&line->mutex);
}

enum line_step line_work(struct line *line, struct worker *worker)
{
    mproc_status status = MPROC_OK;

    if (!line->answering) {
        call_begins(line, worker);
        status = carry_out(line);
        call_ends(line, worker);
    }
    if (line->answering) status = send_answer(line, line->server->options.answer_timeout_ms);
    else if (status != MPROC_OK) return refuse(line, status);
    return status == MPROC_OK ? LINE_WAITS : LINE_ENDS;
}

/* Under the line's mutex: what has come meanwhile is the next call. */
static bool take_waiting(struct line *line)
{
    if (mproc_value_is_nil(line->waiting)) return false;
    line->request = line->waiting;
    line->waiting = mproc_nil();
    return true;
}

enum line_step line_next(struct line *line, struct worker *worker, void (*rest)(struct worker *worker))
{
    enum line_step step;
    mproc_status status;
    bool watch;

    plat_mutex_lock(&line->mutex);
    if (line->ends) step = LINE_ENDS;
    else if (take_waiting(line)) step = LINE_WORKS;
    else step = line->holds ? LINE_HELD : LINE_WAITS;
    if (step == LINE_HELD || step == LINE_WAITS) {
        line->busy = false;
        line->worker = step == LINE_HELD ? worker : NULL;
    }
    if (step == LINE_WAITS) rest(worker);
    watch = step != LINE_ENDS && !line->watched;
    line->watched = line->watched || watch;
    plat_mutex_unlock(&line->mutex);

    if (watch && mproc_wait_set_add(line->server->set, line_waitable(line)) != MPROC_OK) {
        line->watched = false;
        step = LINE_ENDS;
    }
    if (step != LINE_WORKS) return step;
    if ((status = read_call(line)) == MPROC_OK) return step;
    return refuse(line, status);
}

/* What is closed is ready, so that the server's thread finds it. */
void line_give_up(struct line *line)
{
    bool watched;

    if (robust_list_owns()) robust_list_abandon_own();
    plat_mutex_lock(&line->mutex);
    line->worker = NULL;
    line->busy = false;
    if ((watched = line->watched)) mproc_connection_close(line->connection);
    plat_mutex_unlock(&line->mutex);
    if (!watched) line_end(line);
}

/* ---- beginning and end ----------------------------------------------------------------------------------- */

mproc_waitable line_waitable(struct line *line)
{
    mproc_waitable thing = mproc_waitable_connection(line->connection);

    thing.context = line;
    return thing;
}

static mproc_status greet(struct line *line)
{
    const struct mproc_manager_options *options = &line->server->options;
    const mproc_value pairs[] = {mproc_string("version"),
                                 mproc_int(MESSAGE_VERSION),
                                 mproc_string("message_bytes_max"),
                                 mproc_uint(options->message_bytes_max),
                                 mproc_string("objects_max"),
                                 mproc_uint(options->objects_per_client_max),
                                 mproc_string("token"),
                                 mproc_bytes(line->session->token, SESSION_TOKEN_BYTES)};
    mproc_value map = mproc_map_from(pairs, sizeof pairs / sizeof pairs[0] / 2);
    mproc_status status = write_answer(line, MESSAGE_NO_CALL, MPROC_OK, &map);

    return status == MPROC_OK ? send_answer(line, AT_ONCE_MS) : status;
}

struct line *line_begin(struct server *server, mproc_connection *connection)
{
    struct line *line = calloc(1, sizeof *line);
    mproc_status status;

    if (!line) {
        mproc_connection_free(connection);
        return NULL;
    }
    line->server = server;
    line->connection = connection;
    line->answer.bytes = (unsigned char *)line->answer.small;
    line->watched = true;
    if ((status = session_create(server, &line->session)) != MPROC_OK) (void)refuse(line, status);
    else status = greet(line);
    plat_mutex_lock(&server->mutex);
    if ((line->next = server->lines)) line->next->previous = line;
    server->lines = line;
    plat_mutex_unlock(&server->mutex);
    if (status == MPROC_OK) return line;
    line_end(line);
    return NULL;
}

void line_end(struct line *line)
{
    struct server *server = line->server;

    plat_mutex_lock(&server->mutex);
    if (line->previous) line->previous->next = line->next;
    else server->lines = line->next;
    if (line->next) line->next->previous = line->previous;
    plat_mutex_unlock(&server->mutex);
    settle(line, false);
    mproc_connection_free(line->connection);
    mproc_value_clear(&line->request);
    mproc_value_clear(&line->waiting);
    message_clear(&line->answer);
    if (line->session) session_release(line->session);
    free(line);
}

void lines_close(struct server *server)
{
    plat_mutex_lock(&server->mutex);
    for (struct line *line = server->lines; line; line = line->next) {
        plat_mutex_lock(&line->mutex);
        mproc_connection_close(line->connection);
        desert(line);
        if (line->worker && !line->busy) {
            line->busy = true;
            (void)mproc_semaphore_release(line->worker->call);
        }
        plat_mutex_unlock(&line->mutex);
    }
    plat_mutex_unlock(&server->mutex);
}
