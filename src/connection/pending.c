#include "connection/pending.h"

#include <stdio.h>
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

static void refuse(struct pending_clients *clients, plat_listener *os, struct pending_client **at, const char *why)
{
    struct pending_client *client = take_out(clients, os, at);
    char from[MPROC_ADDRESS_BYTES];

    address_write(&client->peer, from);
    snprintf(clients->why, sizeof clients->why, "%s%s%s", from, *from ? ": " : "", why);
    clients->refused++;
    if (log_on(MPROC_LOG_WARNING))
        log_owe(MPROC_LOG_WARNING, "a client%s%s was refused: %s", *from ? " at " : "", from, why);
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
        refuse(clients, os, &clients->first, "there are too many open files for one more");
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
    if (++clients->count > clients->max)
        refuse(clients, os, &clients->first, "too many others came before it had proved that it has the authkey");
    return MPROC_OK;
}

/* The client learns that it is refused, if that goes at once. Returns `status`, whose text says why. */
static mproc_status tell(struct pending_client *client, mproc_status status)
{
    const plat_bytes parts[2] = {handshake_stream_to_write(&client->stream), {(void *)(uintptr_t)nothing, 0}};
    size_t moved;

    if (parts[0].size > 0) plat_channel_write(&client->channel, parts, PLAT_NO_HANDLE, 0, &moved);
    return status;
}

/*
 * MPROC_OK: it has proved that it has the key; MPROC_TIMEOUT: it has to say more; else it has not, or has gone, as
 * the text says.
 */
static mproc_status go_on(struct pending_client *client, plat_listener *os, bool *any)
{
    struct handshake_stream *stream = &client->stream;
    mproc_status status = MPROC_OK;
    size_t moved;

    while (!handshake_stream_done(stream)) {
        plat_bytes parts[2] = {handshake_stream_to_write(stream), {(void *)(uintptr_t)nothing, 0}};
        bool writes = parts[0].size > 0;
        if (!writes) parts[0] = handshake_stream_to_read(stream);
        status =
            (writes ? plat_channel_write : plat_channel_read)(&client->channel, parts, PLAT_NO_HANDLE, 0, &moved);
        if (writes && status == MPROC_TIMEOUT)
            return mproc_error(MPROC_BROKEN, "the other side does not take even the first messages");
        if (status == MPROC_TIMEOUT &&
            (status = plat_listener_watch(os, &client->channel, &client->watch)) == MPROC_OK)
            return MPROC_TIMEOUT;
        if (status == MPROC_END || status == MPROC_PEER_DIED) return handshake_cut(&stream->handshake, MPROC_END);
        if (status != MPROC_OK) return status;
        *any = true;
        if (writes) handshake_stream_written(stream, moved);
        else if ((status = handshake_stream_read(stream, moved)) != MPROC_OK) return tell(client, status);
    }
    return status;
}

/* Whether one that has to say more is out of time, which begins anew with each state. */
static bool is_late(const struct pending_clients *clients, struct pending_client *client, enum handshake_state before,
                    int64_t now_ns)
{
    const struct handshake *handshake = &client->stream.handshake;

    if (client->until_ns > now_ns) return false;
    if (handshake->state == before) handshake_cut(handshake, MPROC_TIMEOUT);
    else client->until_ns = now_ns + clients->limit_ns;
    return handshake->state == before;
}

/* If one is done, others may be as well: the handle stays ready. */
mproc_status pending_accept(struct pending_clients *clients, plat_listener *os, plat_channel *channel,
                            plat_address *peer)
{
    struct pending_client **at = &clients->first;
    int64_t now_ns = plat_clock_now_ns();
    mproc_status status = MPROC_OK;

    clients->moved = false;
    for (int i = 0; i < clients->max && status == MPROC_OK; i++) status = take_in(clients, os);
    if (status == MPROC_OK) plat_listener_again(os);
    else if (status != MPROC_TIMEOUT) return status;
    while (*at) {
        enum handshake_state before = (*at)->stream.handshake.state;
        status = go_on(*at, os, &clients->moved);
        if (status == MPROC_TIMEOUT && is_late(clients, *at, before, now_ns)) status = MPROC_BROKEN;
        if (status == MPROC_OK) {
            struct pending_client *client = take_out(clients, os, at);
            *channel = client->channel;
            *peer = client->peer;
            free(client);
            plat_listener_again(os);
            return MPROC_OK;
        }
        if (status == MPROC_TIMEOUT) at = &(*at)->next;
        else refuse(clients, os, at, mproc_last_error_text());
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
