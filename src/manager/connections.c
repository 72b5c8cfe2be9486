/* The table of connections to managers. */
#include "manager/connections.h"

#include <stdlib.h>

#define ROOM_FIRST 8

/* `mutex` guards all, and the references of the clients. */
static struct {
    plat_mutex mutex;
    struct client **all;
    uint32_t room;
} connections;

/* Under the mutex: a free place, or `room`, if there is none. */
static uint32_t free_slot(void)
{
    uint32_t slot = 0;

    while (slot < connections.room && connections.all[slot]) slot++;
    return slot;
}

static mproc_status make_room(void)
{
    uint32_t room = connections.room ? 2 * connections.room : ROOM_FIRST;
    struct client **all, **old = connections.all;

    if (room > CLIENT_SLOTS_MAX)
        return mproc_error(MPROC_LIMIT, "this process has %d connections to managers: that is all it can have",
                           CLIENT_SLOTS_MAX);
    if (!(all = calloc(room, sizeof(struct client *))))
        return mproc_error(MPROC_NO_MEMORY, "no memory for one more connection to a manager");
    for (uint32_t i = 0; i < connections.room; i++) all[i] = old[i];
    connections.all = all; /* a fork() copy may find any state, but none with a table that is gone */
    connections.room = room;
    free(old);
    return MPROC_OK;
}

mproc_status connections_add(struct client *client)
{
    mproc_status status = MPROC_OK;
    uint32_t slot;

    plat_mutex_lock(&connections.mutex);
    if ((slot = free_slot()) == connections.room) status = make_room();
    if (status == MPROC_OK) {
        client->slot = slot;
        client->references = 1;
        connections.all[slot] = client;
    }
    plat_mutex_unlock(&connections.mutex);
    return status;
}

/* One that a fork() copy frees is its origin's, and in no table. */
bool connections_release(struct client *client)
{
    uint32_t slot = client->slot;
    bool last;

    plat_mutex_lock(&connections.mutex);
    if ((last = --client->references == 0) && slot < connections.room && connections.all[slot] == client)
        connections.all[slot] = NULL;
    plat_mutex_unlock(&connections.mutex);
    return last;
}

mproc_status connections_find(const struct handle_ref *ref, struct client **client)
{
    uint32_t slot = proxy_slot(ref);
    struct client *found = NULL;

    plat_mutex_lock(&connections.mutex);
    if (slot < connections.room) found = connections.all[slot];
    if (found) found->references++;
    plat_mutex_unlock(&connections.mutex);
    *client = found;
    if (found) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "the connection to the manager of %s that a value refers to is gone",
                       handle_name(ref->kind));
}

struct naming {
    struct client *client;
    mproc_status status;
};

/* The message's own bytes are changed: nobody else has them. */
static void name_object(void *context, const struct handle_ref *ref)
{
    struct naming *naming = context;
    struct client *client = naming->client;
    uint32_t number = proxy_number(ref);

    if (naming->status != MPROC_OK) return;
    if (!handle_is_remote(ref) || proxy_slot(ref) != client->slot) {
        naming->status = mproc_error(MPROC_NOT_SUPPORTED,
                                     "%s that is not of the manager at %s cannot be given to it: only what was got "
                                     "from it by this connection",
                                     handle_name(ref->kind), client->address);
    } else if (!proxies_there(&client->proxies, number, ref->generation)) {
        naming->status =
            mproc_error(MPROC_CLOSED, "%s in a value was given back to its manager", handle_name(ref->kind));
    } else {
        *(struct handle_ref *)(uintptr_t)ref = (struct handle_ref){ref->kind, 0, number};
    }
}

mproc_status connections_name_objects(struct client *client, const struct message *message)
{
    struct naming naming = {client, MPROC_OK};

    message_visit(message, name_object, &naming);
    return naming.status;
}

void connections_visit(void (*visit)(struct client *client))
{
    plat_mutex_lock(&connections.mutex);
    for (uint32_t i = 0; i < connections.room; i++)
        if (connections.all[i]) visit(connections.all[i]);
    plat_mutex_unlock(&connections.mutex);
}

static void forget_mutexes(struct client *client)
{
    memset(&client->proxies.mutex, 0, sizeof client->proxies.mutex);
    memset(&client->mutex, 0, sizeof client->mutex);
}

/* The copy has no connections; what was there is not its own, but can be freed, whoever was at it in its origin. */
void connections_forked(void)
{
    memset(&connections.mutex, 0, sizeof connections.mutex);
    for (uint32_t i = 0; i < connections.room; i++)
        if (connections.all[i]) forget_mutexes(connections.all[i]);
    connections.all = NULL;
    connections.room = 0;
}
