/* Further connections of clients: kept, lent to calls, and closed. */
#include "manager/client_line.h"

#include <stdlib.h>

/* So many wait for the next call. */
#define IDLE_MAX 4

/* Under the mutex. */
static struct client_line *find(const struct client *client, uint32_t owner)
{
    struct client_line *line = client->lines;

    while (line && (owner ? line->owner != owner : !line->idle)) line = line->next;
    return line;
}

struct client_line *client_line_find(struct client *client, enum line_need need)
{
    struct client_line *found = NULL;

    plat_mutex_lock(&client->mutex);
    if (need != NEED_OWN) found = find(client, thread_self.owner_id);
    if (!found && need != NEED_HELD && (found = find(client, 0))) {
        found->idle = false;
        client->idle--;
    }
    plat_mutex_unlock(&client->mutex);
    return found;
}

mproc_status client_line_add(struct client *client, mproc_connection *connection, struct client_line **out)
{
    struct client_line *line = calloc(1, sizeof *line);
    bool closed;

    if (!line) return mproc_error(MPROC_NO_MEMORY, "no memory for one more connection to a manager");
    line->connection = connection;
    plat_mutex_lock(&client->mutex);
    if (!(closed = client->closed)) {
        line->next = client->lines;
        client->lines = line;
    }
    plat_mutex_unlock(&client->mutex);
    *out = line;
    if (!closed) return MPROC_OK;
    free(line);
    return mproc_error(MPROC_CLOSED, "the connection to the manager at %s was shut down", client->address);
}

/* Under the mutex. */
static void take_out(struct client *client, const struct client_line *line)
{
    struct client_line **at = &client->lines;

    while (*at != line) at = &(*at)->next;
    *at = line->next;
}

static void line_free(struct client_line *line)
{
    mproc_connection_free(line->connection);
    free(line);
}

void client_line_put(struct client *client, struct client_line *line, bool holds)
{
    plat_mutex_lock(&client->mutex);
    line->owner = holds ? thread_self.owner_id : 0;
    line->idle = !holds && client->idle < IDLE_MAX;
    if (line->idle) client->idle++;
    if (line->idle || holds) line = NULL;
    else take_out(client, line);
    plat_mutex_unlock(&client->mutex);
    if (line) line_free(line);
}

void client_line_drop(struct client *client, struct client_line *line)
{
    plat_mutex_lock(&client->mutex);
    take_out(client, line);
    plat_mutex_unlock(&client->mutex);
    line_free(line);
}

void client_lines_close(struct client *client)
{
    plat_mutex_lock(&client->mutex);
    client->closed = true;
    for (struct client_line *line = client->lines; line; line = line->next) mproc_connection_close(line->connection);
    plat_mutex_unlock(&client->mutex);
}

void client_lines_free(struct client *client)
{
    struct client_line *line;

    while ((line = client->lines)) {
        client->lines = line->next;
        line_free(line);
    }
}

static void thread_leaves(struct client *client)
{
    struct client_line *line;

    plat_mutex_lock(&client->mutex);
    if ((line = find(client, thread_self.owner_id))) take_out(client, line);
    plat_mutex_unlock(&client->mutex);
    if (line) line_free(line);
}

void client_lines_thread_ends(void)
{
    connections_visit(thread_leaves);
}
