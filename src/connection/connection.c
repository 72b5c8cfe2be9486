/* The type of connections; what can be asked of one; closing. */
#include "connection/connection.h"

#include "connection/listener.h"

#include <stdlib.h>

#include "process/alarm.h"
#include "process/family.h"

#define CLOSE_NS ((int64_t)1000000)

mproc_status connection_create(bool reads, bool writes, plat_channel *channel, mproc_connection **out)
{
    struct reference *reference = NULL;
    struct connection *connection;
    struct end *end;
    mproc_status status = end_create(&end);

    if (status == MPROC_OK) status = reference_create(OBJECT_CONNECTION, sizeof(struct connection), &reference);
    if (status != MPROC_OK) {
        plat_channel_close(channel);
        free(end);
        return status;
    }
    connection = (struct connection *)reference->at;
    connection->deposited.links = 2;
    connection->reads = reads;
    connection->writes = writes;
    reference_publish(reference);
    end->channel = *channel;
    end->carried.handle = channel->handle;
    end->reads = reads;
    end->carried.ref = reference->ref;
    carried_add(&end->carried);
    atomic_store(&reference->own, (void *)end);
    *out = (mproc_connection *)reference;
    return MPROC_OK;
}

static mproc_status make(const struct reference *reference, plat_handle handle, struct carried **out)
{
    struct end *end;
    mproc_status status = end_create(&end);

    if (status == MPROC_OK) status = plat_channel_open(handle, &end->channel);
    if (status != MPROC_OK) {
        plat_handle_close(handle);
        free(end);
        return status;
    }
    end->carried.handle = end->channel.handle;
    end->reads = ((const struct connection *)reference->at)->reads;
    *out = &end->carried;
    return MPROC_OK;
}

static mproc_status opened(struct reference *reference, uint64_t by)
{
    return carried_open(reference, by, make);
}

static void send_away(const struct reference *reference)
{
    const void *end = atomic_load(&reference->own);

    if (end) alarm_ring(end);
}

const struct object_type connection_type = {.name = "a connection",
                                            .links_at = offsetof(struct deposited, of),
                                            .links_count_at = offsetof(struct deposited, links),
                                            .last_dropped = deposit_last_dropped,
                                            .stand_in = carried_stand_in,
                                            .stands_for = deposit_stands_for,
                                            .opened = opened,
                                            .closing = carried_close,
                                            .send_away = send_away,
                                            .forked = listeners_forked};

/* Closing it waits until nobody looks. */
static mproc_status look(void *thing, plat_handle *handle)
{
    const struct reference *reference = &((const mproc_connection *)thing)->reference;
    const struct end *end;
    mproc_status status;

    assert(reference->ref.kind == OBJECT_CONNECTION);
    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    end = atomic_load(&reference->own);
    *handle = PLAT_NO_HANDLE;
    if (!end || atomic_load(&reference->closed)) return MPROC_OK;
    if (!end->reads) return mproc_error(MPROC_BAD_STATE, "this end of a pipe only sends");
    *handle = end->carried.handle;
    return atomic_load_explicit(&end->apart, memory_order_relaxed) ? MPROC_OK : MPROC_TIMEOUT;
}

const struct waitable connection_waitable = {
    .name = "a connection", .kind = PLAT_POLLED_STREAM, .look = look, .apart = &ends_apart};

void mproc_connection_free(mproc_connection *connection)
{
    assert(!connection || connection->reference.ref.kind == OBJECT_CONNECTION);
    if (connection) family_free(&connection->reference);
}

void mproc_connection_close(mproc_connection *connection)
{
    struct reference *reference = &connection->reference;

    if (family_enter_with(reference->arena) != MPROC_OK) return;
    atomic_store(&reference->closed, 1);
    waitable_ends(reference, false);
    while (atomic_load(&reference->sleepers) > 0) {
        send_away(reference);
        plat_clock_sleep_until(plat_clock_now_ns() + CLOSE_NS);
    }
    carried_close(reference);
}

bool mproc_connection_closed(const mproc_connection *connection)
{
    connection_of(connection);
    return atomic_load(&connection->reference.closed);
}

bool mproc_connection_readable(const mproc_connection *connection)
{
    return connection_of(connection)->reads;
}

bool mproc_connection_writable(const mproc_connection *connection)
{
    return connection_of(connection)->writes;
}

mproc_status mproc_connection_handle(mproc_connection *connection, intptr_t *handle)
{
    const struct end *end;
    struct wait wait;
    mproc_status status;

    connection_of(connection);
    if (!handle) return mproc_error(MPROC_INVALID, "the handle of a connection has nowhere to go: handle is NULL");
    if ((status = family_enter_with(connection->reference.arena)) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, &connection->reference, 0)) != MPROC_OK) return status;
    end = atomic_load(&connection->reference.own);
    if (!end || atomic_load(&connection->reference.closed))
        status = mproc_error(MPROC_CLOSED, "this process has closed the connection: it has no handle");
    else *handle = end->carried.handle;
    wait_end(&wait);
    return status;
}
