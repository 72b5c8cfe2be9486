/* The clients of a manager: what each has, by however many connections. */
#include <stdlib.h>

#include "manager/server.h"

mproc_status session_create(struct server *server, struct session **out)
{
    struct session *session;
    mproc_status status;

    if (atomic_load(&server->connections) >= server->options.clients_max)
        return mproc_error(MPROC_LIMIT, "it has %lu clients, and cannot have more (clients_max)",
                           (unsigned long)server->options.clients_max);
    if (!(session = calloc(1, sizeof *session))) return mproc_error(MPROC_NO_MEMORY, "no memory for a client");
    if ((status = plat_system_random(session->token, sizeof session->token)) != MPROC_OK) {
        free(session);
        return status;
    }
    session->server = server;
    session->lines = 1;
    plat_mutex_lock(&server->mutex);
    if ((session->next = server->sessions)) session->next->previous = session;
    server->sessions = session;
    plat_mutex_unlock(&server->mutex);
    atomic_fetch_add(&server->counts->clients, 1);
    atomic_fetch_add(&server->connections, 1);
    *out = session;
    return MPROC_OK;
}

/* Under the server's mutex. False: it has others. */
static bool drop_line(struct session *session)
{
    if (--session->lines > 0) return false;
    if (session->previous) session->previous->next = session->next;
    else session->server->sessions = session->next;
    if (session->next) session->next->previous = session->previous;
    return true;
}

static void session_free(struct session *session)
{
    atomic_fetch_sub(&session->server->counts->objects, session->counted);
    atomic_fetch_sub(&session->server->counts->clients, 1);
    lent_clear(&session->lent);
    free(session);
}

void session_release(struct session *session)
{
    struct server *server = session->server;
    bool last;

    plat_mutex_lock(&server->mutex);
    last = drop_line(session);
    plat_mutex_unlock(&server->mutex);
    atomic_fetch_sub(&server->connections, 1);
    if (last) session_free(session);
}

/* Under the server's mutex, or NULL. */
static struct session *find(const struct server *server, const mproc_value *token)
{
    struct session *session = server->sessions;

    if (token->type != MPROC_TYPE_BYTES || mproc_value_size(*token) != SESSION_TOKEN_BYTES) return NULL;
    while (session && memcmp(session->token, mproc_value_bytes(*token), SESSION_TOKEN_BYTES) != 0)
        session = session->next;
    return session;
}

/* What the connection has had until now is nothing, so that no number has two meanings. */
mproc_status session_join(struct line *line, const mproc_value *token)
{
    struct server *server = line->server;
    struct session *own = line->session, *joined;
    uint32_t max = server->options.connections_per_client_max;
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&server->mutex);
    joined = find(server, token);
    if (own->lent.count > 0 || own->lines > 1)
        status = mproc_error(MPROC_INVALID, "a connection of a manager joins a client by its first call");
    else if (!joined || joined == own)
        status = mproc_error(MPROC_INVALID, "there is no client with this token: it has ended");
    else if (joined->lines >= max)
        status = mproc_error(MPROC_LIMIT,
                             "a client of the manager has %lu connections, and cannot have more "
                             "(connections_per_client_max)",
                             (unsigned long)joined->lines);
    if (status == MPROC_OK && joined) {
        joined->lines++;
        (void)drop_line(own);
        line->session = joined;
    }
    plat_mutex_unlock(&server->mutex);
    if (status == MPROC_OK) session_free(own);
    return status;
}
