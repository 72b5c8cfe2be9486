#include "connection/pending.h"

#include <stdlib.h>

#include "base/log.h"
#include "connection/address.h"

struct pending_client {
    plat_channel channel;
    struct carried carried;
    void *watch;
    struct handshake_stream stream;
    int64_t until_ns;
    plat_address peer;
    struct pending_client *next; /* one that came later */
};

static const unsigned char nothing[1];

/* Takes it out. Its channel stays. */
static struct pending_client *take_out(struct pending_clients *clients, plat_listener *os, struct pending_client **at)
{
    struct pending_client *client = *at;

    *at = client->next;
    clients->count--;
    plat_listener_unwatch(os, &client->channel, client->watch);
    carried_drop(&client->carried);
    return client;
}

static void say_refused(const plat_address *peer, const char *why)
{
    char address[MPROC_ADDRESS_BYTES];

    address_write(peer, address);
    log_owe(MPROC_LOG_WARNING, "a client%s%s was refused: %s", *address ? " at " : "", address, why);
}

static void refuse(struct pending_clients *clients, plat_listener *os, struct pending_client **at, const char *why)
{
    struct pending_client *client = take_out(clients, os, at);

    clients->refused++;
    if (log_on(MPROC_LOG_WARNING)) say_refused(&client->peer, why);
    plat_channel_close(&client->channel);
    free(client);
}

/* Whoever has connected. MPROC_TIMEOUT: nobody. */
static mproc_status take_in(struct pending_clients *clients, plat_listener *os)
{
    struct pending_client *client = calloc(1, sizeof *client), **at = &clients->first;
    mproc_status status;

    if (!client) return mproc_error(MPROC_NO_MEMORY, "no memory for a client that is to prove that it has the key");
    status = plat_listener_accept(os, &client->channel, &client->peer);
    while (status == MPROC_LIMIT && clients->first) { /* for want of a descriptor, which others have in vain */
        refuse(clients, os, &clients->first, "too many files are open, and others come");
        status = plat_listener_accept(os, &client->channel, &client->peer);
    }
    if (status != MPROC_OK) {
        free(client);
        return status;
    }
    if ((status = handshake_stream_begin(&client->stream, HANDSHAKE_LISTENER, &clients->key)) != MPROC_OK ||
        (status = plat_listener_watch(os, &client->channel, &client->watch)) != MPROC_OK) {
        plat_channel_close(&client->channel);
        free(client);
        return status;
    }
    client->carried.handle = client->channel.handle;
    carried_add(&client->carried);
    client->until_ns = plat_clock_now_ns() + clients->limit_ns;
    while (*at) at = &(*at)->next;
    *at = client;
    if (++clients->count > PENDING_MAX)
        refuse(clients, os, &clients->first, "too many others came before it had proved that it has the key");
    return MPROC_OK;
}

/* MPROC_OK: it has proved that it has the key; MPROC_TIMEOUT: it has to say more; else it has not, or has gone. */
static mproc_status go_on(struct pending_client *client, plat_listener *os, bool *any)
{
    struct handshake_stream *stream = &client->stream;
    mproc_status status = MPROC_OK;
    bool refused = false;
    size_t moved;

    while (!handshake_stream_done(stream)) {
        plat_bytes parts[2] = {handshake_stream_to_write(stream), {(void *)(uintptr_t)nothing, 0}};
        bool writes = parts[0].size > 0;
        if (!writes) parts[0] = handshake_stream_to_read(stream);
        status =
            (writes ? plat_channel_write : plat_channel_read)(&client->channel, parts, PLAT_NO_HANDLE, 0, &moved);
        if (writes && status == MPROC_TIMEOUT) return MPROC_BROKEN; /* it takes nothing, not even so little */
        if (status == MPROC_TIMEOUT &&
            (status = plat_listener_watch(os, &client->channel, &client->watch)) == MPROC_OK)
            return MPROC_TIMEOUT;
        if (status != MPROC_OK || refused) return status == MPROC_OK ? MPROC_BROKEN : status;
        *any = true;
        if (writes) handshake_stream_written(stream, moved);
        else refused = handshake_stream_read(stream, moved) != MPROC_OK;
        if (refused && handshake_stream_to_write(stream).size == 0) return MPROC_BROKEN;
    }
    return status;
}

/* Why it is refused, of which go_on() has just returned `status`. */
static const char *reason(const struct pending_client *client, int64_t now_ns, mproc_status status)
{
    if (client->until_ns <= now_ns) return "it has not proved in time that it has the key";
    if (client->stream.handshake.state == HANDSHAKE_REFUSED) return mproc_error_text(MPROC_AUTHENTICATION);
    return status == MPROC_BROKEN ? "it has gone, or does not read, before it has proved that it has the key"
                                  : mproc_error_text(status);
}

/* If one is done, others may be as well: the handle stays ready. */
mproc_status pending_accept(struct pending_clients *clients, plat_listener *os, plat_channel *channel,
                            plat_address *peer)
{
    struct pending_client **at = &clients->first;
    int64_t now_ns = plat_clock_now_ns();
    mproc_status status;

    clients->moved = false;
    do status = take_in(clients, os);
    while (status == MPROC_OK);
    if (status != MPROC_TIMEOUT) return status;
    while (*at) {
        status = (*at)->until_ns > now_ns ? go_on(*at, os, &clients->moved) : MPROC_BROKEN;
        if (status == MPROC_OK) {
            struct pending_client *client = take_out(clients, os, at);
            *channel = client->channel;
            *peer = client->peer;
            free(client);
            plat_listener_again(os);
            return MPROC_OK;
        }
        if (status == MPROC_TIMEOUT) at = &(*at)->next;
        else refuse(clients, os, at, reason(*at, now_ns, status));
    }
    return MPROC_TIMEOUT;
}

int64_t pending_deadline(const struct pending_clients *clients)
{
    return clients->first ? clients->first->until_ns : PLAT_FOREVER;
}

void pending_clear(struct pending_clients *clients, plat_listener *os)
{
    while (clients->first) refuse(clients, os, &clients->first, "the listener was closed");
}
