/*
 * Listeners are no objects of the arena: no other process has one. Those who accept take turns to look, which
 * includes the handshakes of all who have connected, and sleep in the system's own wait, for the listener and for
 * their alarms.
 */
#include "connection/listener.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "connection/address.h"
#include "connection/connection.h"
#include "connection/pending.h"
#include "process/alarm.h"
#include "process/family.h"

#define BACKLOG 128
/* So many clients that are silent may be there besides those that come at once, of which there may be so many. */
#define PENDING_SILENT 64
#define PENDING_AT_ONCE_MAX 1024
#define MS_NS ((int64_t)1000000)
#define CLOSE_NS MS_NS
#define AUTHKEY_MS 10000
/* After a step of a handshake others run so often before one sleeps: the answer takes moments. */
#define TRIES 20
#define AUTHKEY_MS_MAX ((int64_t)1000000000) /* so that it can be added to any time */

/*
 * `os`, `pending` and `last_accepted` are guarded by `mutex`; `reference` is no object's, but what waits are counted
 * by and sent away from. `os` stays while one of them is counted.
 */
struct mproc_listener {
    struct reference reference;
    plat_mutex mutex;
    plat_listener *os;
    bool has_key;
    struct pending_clients pending;
    struct carried carried[PLAT_LISTENER_HANDLES];
    char address[MPROC_ADDRESS_BYTES];
    char last_accepted[MPROC_ADDRESS_BYTES];
    mproc_listener *next;
    unsigned char key[]; /* a copy */
};

/* Those of this process that are not closed. */
static struct {
    plat_mutex mutex;
    mproc_listener *first;
    bool registered;
} listeners;

/*
 * At the end of the process. Another thread may be closing one: then the file goes before its mutex is free. An
 * exit() in a signal handler that has interrupted the library leaves the files.
 */
static void leave_all(void)
{
    if (plat_mutex_held()) return;
    plat_mutex_lock(&listeners.mutex);
    for (mproc_listener *at = listeners.first; at; at = at->next) {
        plat_mutex_lock(&at->mutex);
        if (at->os) plat_listener_leave(at->os);
        plat_mutex_unlock(&at->mutex);
    }
    plat_mutex_unlock(&listeners.mutex);
}

static void enlist(mproc_listener *listener)
{
    plat_handle handles[PLAT_LISTENER_HANDLES];

    plat_listener_handles(listener->os, handles);
    for (int i = 0; i < PLAT_LISTENER_HANDLES; i++) {
        listener->carried[i].handle = handles[i];
        carried_add(&listener->carried[i]);
    }
    plat_mutex_lock(&listeners.mutex);
    if (!listeners.registered) listeners.registered = atexit(leave_all) == 0;
    listener->next = listeners.first;
    listeners.first = listener;
    plat_mutex_unlock(&listeners.mutex);
}

static void delist(mproc_listener *listener)
{
    mproc_listener **at;

    plat_mutex_lock(&listeners.mutex);
    for (at = &listeners.first; *at != listener; at = &(*at)->next) {
    }
    *at = listener->next;
    plat_mutex_unlock(&listeners.mutex);
}

void listeners_forked(void)
{
    memset(&listeners.mutex, 0, sizeof listeners.mutex);
    listeners.first = NULL;
}

/* With a copy of its key, unless that is nil. MPROC_INVALID, MPROC_NOT_SUPPORTED: of the key; MPROC_NO_MEMORY. */
static mproc_status make(const mproc_listener_options *options, mproc_listener **out)
{
    bool has_key = options->authkey.type != MPROC_TYPE_NIL;
    int at_once = options->backlog < PENDING_AT_ONCE_MAX ? options->backlog : PENDING_AT_ONCE_MAX;
    struct handshake_key key = {NULL, 0, false};
    mproc_listener *made;
    mproc_status status;

    if (has_key && (status = handshake_key_from(options->authkey, options->allow_md5, &key)) != MPROC_OK)
        return status;
    if (has_key && (status = handshake_check(&key)) != MPROC_OK) return status;
    if (!(made = calloc(1, sizeof *made + key.size))) return mproc_error(MPROC_NO_MEMORY, "no memory for a listener");
    if (key.size > 0) memcpy(made->key, key.data, key.size);
    made->has_key = has_key;
    made->pending.key = (struct handshake_key){made->key, key.size, key.allow_md5};
    made->pending.max = PENDING_SILENT + at_once;
    made->pending.limit_ns = (options->authkey_timeout_ms ? options->authkey_timeout_ms : AUTHKEY_MS) * MS_NS;
    made->reference.arena = thread_self.arena;
    *out = made;
    return MPROC_OK;
}

mproc_status mproc_listener_create_sized(const char *address, const mproc_listener_options *options,
                                         size_t options_size, mproc_listener **listener)
{
    mproc_listener_options all;
    mproc_listener *made = NULL;
    plat_address at;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!listener) return mproc_error(MPROC_INVALID, "a listener was to be made, and listener is NULL");
    if (all.backlog < 0 || all.authkey_timeout_ms < 0)
        return mproc_error(MPROC_INVALID,
                           "a listener with a backlog of %d, and %lld ms to prove that one has the key", all.backlog,
                           (long long)all.authkey_timeout_ms);
    if (all.backlog == 0) all.backlog = BACKLOG;
    if (all.authkey_timeout_ms > AUTHKEY_MS_MAX) all.authkey_timeout_ms = AUTHKEY_MS_MAX;
    if (address && (status = address_read(address, true, &at)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK || (status = make(&all, &made)) != MPROC_OK) return status;
    assert(made);
    if (!address && (status = plat_address_private(&at)) != MPROC_OK) goto failed;
    if ((status = plat_listener_create(&at, all.backlog, &made->os)) != MPROC_OK) goto failed;
    address_write(&at, made->address);
    enlist(made);
    *listener = made;
    return MPROC_OK;
failed:
    free(made);
    return status;
}

/*
 * The next client, without waiting for one. `*until_ns`: when to look again at the latest; `*moved`: whether a
 * handshake went on, so that it may soon go on again.
 */
static mproc_status take(mproc_listener *listener, plat_channel *channel, int64_t *until_ns, bool *moved)
{
    plat_address peer;
    mproc_status status;

    plat_mutex_lock(&listener->mutex);
    if (listener->has_key) status = pending_accept(&listener->pending, listener->os, channel, &peer);
    else status = plat_listener_accept(listener->os, channel, &peer);
    *until_ns = pending_deadline(&listener->pending);
    *moved = listener->pending.moved;
    if (status == MPROC_OK) address_write(&peer, listener->last_accepted);
    plat_mutex_unlock(&listener->mutex);
    log_speak();
    return status;
}

static mproc_status wait_for_one(mproc_listener *listener, const struct wait *wait, plat_channel *channel)
{
    struct alarm *alarm;
    int64_t until_ns;
    int ready, tries = 0;
    bool moved;
    mproc_status status;

    if ((status = alarm_take(listener, &alarm)) != MPROC_OK) return status;
    while ((status = wait_why(wait)) == MPROC_OK &&
           (status = take(listener, channel, &until_ns, &moved)) == MPROC_TIMEOUT &&
           plat_clock_now_ns() < wait->deadline_ns) {
        const plat_handle handles[2] = {plat_listener_handle(listener->os), alarm->event};
        bool last = wait->deadline_ns <= until_ns;
        if (moved) tries = TRIES;
        if (tries > 0) {
            tries--;
            plat_thread_yield();
            continue;
        }
        status = plat_handle_wait(handles, 2, last ? wait->deadline_ns : until_ns, &ready);
        if (status == MPROC_OK && ready == 1) alarm_clear(alarm);
        if (status != MPROC_OK && (last || status != MPROC_TIMEOUT)) break;
    }
    alarm_give(alarm);
    return status == MPROC_TIMEOUT ? wait_timed_out(wait, "no client came") : status;
}

mproc_status mproc_listener_accept(mproc_listener *listener, mproc_connection **connection, int64_t timeout_ms)
{
    struct reference *reference = &listener->reference;
    plat_channel channel;
    struct wait wait;
    int64_t until_ns;
    bool moved;
    mproc_status status;

    if (!connection) return mproc_error(MPROC_INVALID, "a client was to be accepted, and connection is NULL");
    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, reference, timeout_ms)) != MPROC_OK) return status;
    if (atomic_load(&reference->closed)) status = mproc_error(MPROC_CLOSED, "this process has closed the listener");
    else status = take(listener, &channel, &until_ns, &moved);
    if (status == MPROC_TIMEOUT && timeout_ms == 0) wait_timed_out(&wait, "no client came");
    else if (status == MPROC_TIMEOUT) status = wait_for_one(listener, &wait, &channel);
    wait_end(&wait);
    return status == MPROC_OK ? connection_create(true, true, &channel, connection) : status;
}

const char *mproc_listener_address(const mproc_listener *listener)
{
    return listener->address;
}

void mproc_listener_last_accepted(mproc_listener *listener, char address[MPROC_ADDRESS_BYTES])
{
    address[0] = '\0';
    if (family_enter_with(listener->reference.arena) != MPROC_OK) return;
    plat_mutex_lock(&listener->mutex);
    memcpy(address, listener->last_accepted, sizeof listener->last_accepted);
    plat_mutex_unlock(&listener->mutex);
}

mproc_status mproc_listener_handle(mproc_listener *listener, intptr_t *handle)
{
    mproc_status status;

    if (!handle) return mproc_error(MPROC_INVALID, "the handle of a listener has nowhere to go: handle is NULL");
    if ((status = family_enter_with(listener->reference.arena)) != MPROC_OK) return status;
    plat_mutex_lock(&listener->mutex);
    if (listener->os) *handle = plat_listener_handle(listener->os);
    else status = mproc_error(MPROC_CLOSED, "this process has closed the listener: it has no handle");
    plat_mutex_unlock(&listener->mutex);
    return status;
}

void mproc_listener_last_refused(mproc_listener *listener, char why[MPROC_REFUSED_BYTES])
{
    why[0] = '\0';
    if (family_enter_with(listener->reference.arena) != MPROC_OK) return;
    plat_mutex_lock(&listener->mutex);
    memcpy(why, listener->pending.why, sizeof listener->pending.why);
    plat_mutex_unlock(&listener->mutex);
}

uint64_t mproc_listener_refused(mproc_listener *listener)
{
    uint64_t refused;

    if (family_enter_with(listener->reference.arena) != MPROC_OK) return 0;
    plat_mutex_lock(&listener->mutex);
    refused = listener->pending.refused;
    plat_mutex_unlock(&listener->mutex);
    return refused;
}

bool mproc_listener_closed(const mproc_listener *listener)
{
    return atomic_load(&listener->reference.closed);
}

void mproc_listener_close(mproc_listener *listener)
{
    uint32_t own = wait_own(&listener->reference);
    bool closes;

    if (family_enter_with(listener->reference.arena) != MPROC_OK) return;
    atomic_store(&listener->reference.closed, 1);
    waitable_ends(listener, false);
    while (atomic_load(&listener->reference.sleepers) > own) {
        alarm_ring(listener);
        plat_clock_sleep_until(plat_clock_now_ns() + CLOSE_NS);
    }
    if (own > 0) { /* by a handler of the log, in an accept: that is to see it, and mproc_listener_free() goes on */
        alarm_ring(listener);
        return;
    }
    plat_mutex_lock(&listener->mutex);
    if ((closes = listener->os != NULL)) {
        pending_clear(&listener->pending, listener->os);
        for (int i = 0; i < PLAT_LISTENER_HANDLES; i++) carried_drop(&listener->carried[i]);
        plat_listener_free(listener->os);
        listener->os = NULL;
    }
    plat_mutex_unlock(&listener->mutex);
    if (closes) delist(listener);
}

void mproc_listener_free(mproc_listener *listener)
{
    if (!listener) return;
    mproc_listener_close(listener);
    waitable_ends(listener, true);
    free(listener);
}

/* Somebody may be there to be accepted. */
static mproc_status look(void *thing, plat_handle *handle)
{
    mproc_listener *listener = thing;
    mproc_status status;

    if ((status = family_enter_with(listener->reference.arena)) != MPROC_OK) return status;
    plat_mutex_lock(&listener->mutex);
    *handle = listener->os ? plat_listener_handle(listener->os) : PLAT_NO_HANDLE;
    plat_mutex_unlock(&listener->mutex);
    return mproc_listener_closed(listener) ? MPROC_OK : MPROC_TIMEOUT;
}

const struct waitable listener_waitable = {.name = "a listener", .kind = PLAT_POLLED_OBJECT, .look = look};
