/* connection/pending.h: clients that have to prove that they have the key, look by look. */
#include "connection/pending.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static const struct handshake_key key = {"a key", 5, false};

/* A listener at an address of its own, and what it knows of its clients. */
typedef struct place {
    plat_address address;
    plat_listener *os;
    struct pending_clients clients;
} place;

static void place_open(place *at, int max, int64_t limit_ns)
{
    *at = (place){.clients = {.key = key, .limit_ns = limit_ns, .max = max}};
    CHECK_OK(plat_address_private(&at->address));
    CHECK_OK(plat_listener_create(&at->address, 16, &at->os));
}

static void place_close(place *at)
{
    pending_clear(&at->clients, at->os);
    plat_listener_free(at->os);
}

/* Until the one who accepts has looked so often that `count` clients have been there. */
static void await_clients(place *at, uint64_t count)
{
    plat_handle handle = plat_listener_handle(at->os);
    plat_channel channel;
    plat_address peer;
    int ready;

    while ((uint64_t)at->clients.count + at->clients.refused < count) {
        CHECK_OK(plat_handle_wait(&handle, 1, PLAT_FOREVER, &ready));
        CHECK_STATUS(pending_accept(&at->clients, at->os, &channel, &peer), MPROC_TIMEOUT);
    }
}

typedef struct client {
    plat_channel channel;
    struct handshake_stream stream;
} client;

static void connect_to(place *at, client *self)
{
    plat_attempt attempt = PLAT_NO_ATTEMPT;

    CHECK_OK(plat_channel_connect(&at->address, PLAT_NO_HANDLE, PLAT_FOREVER, &attempt, &self->channel));
    plat_attempt_end(&attempt);
    CHECK_OK(handshake_stream_begin(&self->stream, HANDSHAKE_CLIENT, &key));
}

/* Hears what is said to it, and says what is to be said to that. */
static void client_goes_on(client *self)
{
    char nothing = 0;
    size_t moved = 0;

    while (handshake_stream_to_write(&self->stream).size == 0) {
        const plat_bytes parts[2] = {handshake_stream_to_read(&self->stream), {&nothing, 0}};
        CHECK_OK(plat_channel_read(&self->channel, parts, PLAT_NO_HANDLE, PLAT_FOREVER, &moved));
        CHECK_OK(handshake_stream_read(&self->stream, moved));
    }
    while (handshake_stream_to_write(&self->stream).size > 0) {
        const plat_bytes parts[2] = {handshake_stream_to_write(&self->stream), {&nothing, 0}};
        CHECK_OK(plat_channel_write(&self->channel, parts, PLAT_NO_HANDLE, PLAT_FOREVER, &moved));
        handshake_stream_written(&self->stream, moved);
    }
}

/* Its time is over each time that somebody looks; but what it had to say is there. */
static void case_client_is_heard_though_nobody_has_accepted_for_long(void)
{
    plat_channel channel;
    plat_address peer;
    mproc_status status;
    client self;
    place at;

    place_open(&at, 8, 1);
    connect_to(&at, &self);
    await_clients(&at, 1);
    do {
        client_goes_on(&self);
        status = pending_accept(&at.clients, at.os, &channel, &peer);
    } while (status == MPROC_TIMEOUT && at.clients.refused == 0);
    CHECK_OK(status);
    CHECK(handshake_stream_done(&self.stream));
    CHECK_EQ(at.clients.count, 0);
    plat_channel_close(&channel);
    plat_channel_close(&self.channel);
    place_close(&at);
}

static void case_silent_client_is_dropped_when_its_time_is_over(void)
{
    plat_channel channel;
    plat_address peer;
    client self;
    place at;

    place_open(&at, 8, 1);
    connect_to(&at, &self);
    await_clients(&at, 1);
    while (at.clients.refused == 0) CHECK_STATUS(pending_accept(&at.clients, at.os, &channel, &peer), MPROC_TIMEOUT);
    CHECK_CONTAINS(at.clients.why, "time limit");
    CHECK_EQ(at.clients.count, 0);
    plat_channel_close(&self.channel);
    place_close(&at);
}

/* Each look takes in no more than may be there, and then hears them. */
static void case_many_who_come_do_not_keep_others_from_being_heard(void)
{
    enum { ALL = 6, MAX = 2 };
    plat_channel channel;
    plat_address peer;
    client all[ALL];
    place at;

    place_open(&at, MAX, PLAT_FOREVER / 2);
    for (int i = 0; i < ALL; i++) connect_to(&at, &all[i]);
    CHECK_STATUS(pending_accept(&at.clients, at.os, &channel, &peer), MPROC_TIMEOUT);
    CHECK(at.clients.count <= MAX && at.clients.refused == 0);
    await_clients(&at, ALL);
    CHECK_EQ(at.clients.count, MAX);
    CHECK_EQ(at.clients.refused, ALL - MAX);
    CHECK_CONTAINS(at.clients.why, "too many others");
    for (int i = 0; i < ALL; i++) plat_channel_close(&all[i].channel);
    place_close(&at);
}

/* ---- clients that one thread waits for, and another takes ----------------------------------------------- */

typedef struct watcher {
    plat_listener *os;
    plat_channel channel;
    void *watch;
    plat_handle begun, over;
} watcher;

static void await_event(plat_handle event)
{
    int ready;

    CHECK_OK(plat_handle_wait(&event, 1, PLAT_FOREVER, &ready));
}

/* It stays until all is over: what it has begun is not ended with it. */
static void watch_from_here(void *argument)
{
    watcher *self = argument;

    CHECK_OK(plat_listener_watch(self->os, &self->channel, &self->watch));
    plat_event_set(self->begun);
    await_event(self->over);
}

/* The system writes there how an operation ended, by way of the thread that has begun it. */
static void case_memory_of_a_watch_is_free_once_another_thread_has_taken_it_back(void)
{
    enum { ROUNDS = 30, BLOCKS = 64, BYTES = 40 /* of a watch on Windows */ };
    static const unsigned char zeros[BYTES];
    unsigned char *blocks[BLOCKS];
    watcher self = {.watch = NULL};
    plat_thread *thread;
    plat_address peer;
    client other;
    place at;

    place_open(&at, 8, PLAT_FOREVER / 2);
    self.os = at.os;
    connect_to(&at, &other);
    await_event(plat_listener_handle(at.os));
    CHECK_OK(plat_listener_accept(at.os, &self.channel, &peer));
    CHECK_OK(plat_event_create(&self.begun));
    CHECK_OK(plat_event_create(&self.over));
    for (int round = 0; round < ROUNDS; round++) {
        self.watch = NULL;
        plat_event_clear(self.begun);
        plat_event_clear(self.over);
        CHECK_OK(plat_thread_start(watch_from_here, &self, &thread));
        await_event(self.begun);
        plat_listener_unwatch(at.os, &self.channel, self.watch);
        for (int i = 0; i < BLOCKS; i++) CHECK((blocks[i] = calloc(1, BYTES)));
        plat_event_set(self.over);
        plat_thread_join(thread);
        for (int i = 0; i < BLOCKS; i++) {
            CHECK(blocks[i] && memcmp(blocks[i], zeros, BYTES) == 0);
            free(blocks[i]);
        }
    }
    plat_handle_close(self.begun);
    plat_handle_close(self.over);
    plat_channel_close(&self.channel);
    plat_channel_close(&other.channel);
    place_close(&at);
}

CHECK_SUITE(connection_pending,
    CASE(client_is_heard_though_nobody_has_accepted_for_long),
    CASE(silent_client_is_dropped_when_its_time_is_over),
    CASE(many_who_come_do_not_keep_others_from_being_heard),
    CASE(memory_of_a_watch_is_free_once_another_thread_has_taken_it_back),
);
