/* Ends, and how a call waits for its turn and for the system: looks, lets others run, sleeps. */
#include "connection/connection.h"

#include <stdlib.h>

#include "process/alarm.h"
#include "process/family.h"

/* At most so many looks before one lets others run, each after some pauses; and so many times others run. */
#define TRIES_MAX 40u
#define TRIES_MIN 2u
#define PAUSES 8
#define YIELDS 4
/* Where what came last came when others had run, so often one lets them run first. */
#define LATE 8

_Atomic uint32_t ends_apart;

static void close_end(struct carried *carried)
{
    struct end *end = (struct end *)carried;

    if (atomic_load(&end->apart)) atomic_fetch_sub(&ends_apart, 1);
    plat_channel_close(&end->channel);
    free(end->in.part);
    free(end);
}

mproc_status end_create(struct end **out)
{
    struct end *end = calloc(1, sizeof *end);

    *out = end;
    if (!end) return mproc_error(MPROC_NO_MEMORY, "no memory for a connection");
    end->carried.end = close_end;
    end->channel.handle = PLAT_NO_HANDLE;
    end->tries = TRIES_MAX;
    return MPROC_OK;
}

/* ---- the turn ----------------------------------------------------------------------------------- */

static bool turn_try(struct turn *turn)
{
    uint32_t none = 0;

    return atomic_compare_exchange_strong(&turn->taken, &none, 1);
}

/*
 * Whoever gives the turn back either finds it counted that this thread waits, or has given it back before the look.
 */
mproc_status passage_begin(struct passage *passage, mproc_connection *connection, bool reads, int64_t timeout_ms)
{
    const struct connection *object = connection_of(connection);
    struct reference *reference = &connection->reference;
    struct alarm *alarm = NULL;
    struct turn *turn;
    int ready;
    mproc_status status;

    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    if (!(reads ? object->reads : object->writes))
        return mproc_error(MPROC_BAD_STATE, "this end of a pipe only %s", reads ? "sends" : "receives");
    if ((status = wait_begin(&passage->wait, reference, timeout_ms)) != MPROC_OK) return status;
    if (atomic_load(&reference->closed)) {
        wait_end(&passage->wait);
        return mproc_error(MPROC_CLOSED, "this process has closed the connection");
    }
    passage->end = atomic_load(&reference->own);
    passage->turn = turn = reads ? &passage->end->reading : &passage->end->writing;
    if (turn_try(turn)) return MPROC_OK;
    atomic_fetch_add(&turn->waiting, 1);
    if (timeout_ms == 0) status = MPROC_TIMEOUT;
    else status = alarm_take(passage->end, &alarm);
    while (status == MPROC_OK && !turn_try(turn) && (status = wait_why(&passage->wait)) == MPROC_OK) {
        status = plat_handle_wait(&alarm->event, 1, passage->wait.deadline_ns, &ready);
        if (status == MPROC_OK) alarm_clear(alarm);
    }
    atomic_fetch_sub(&turn->waiting, 1);
    if (alarm) alarm_give(alarm);
    if (status != MPROC_OK) wait_end(&passage->wait);
    if (status != MPROC_TIMEOUT) return status;
    return wait_timed_out(&passage->wait, "another thread used the connection all the time, and was not done");
}

/* By the reader, in his turn. Who waits for the connection together with others looks again. */
static void note_apart(struct end *end)
{
    bool apart = end->broken_in || (end->in.sized && end->in.got == end->in.size);

    if (apart == atomic_load_explicit(&end->apart, memory_order_relaxed)) return;
    if (apart) atomic_fetch_add(&ends_apart, 1);
    else atomic_fetch_sub(&ends_apart, 1);
    atomic_store(&end->apart, apart);
    if (apart) alarm_ring(&alarm_of_watchers);
}

void passage_end(struct passage *passage)
{
    if (passage->turn == &passage->end->reading) note_apart(passage->end);
    atomic_store(&passage->turn->taken, 0);
    if (atomic_load(&passage->turn->waiting) > 0) alarm_ring(passage->end);
    wait_end(&passage->wait);
}

/* ---- moving bytes ------------------------------------------------------------------------------- */

/* Tries that help become more, and those that do not fewer: two on one CPU only lose time by them. */
static mproc_status try_again(struct passage *passage, plat_channel_move *move, const plat_bytes parts[2],
                              size_t *moved)
{
    struct end *end = passage->end;
    uint32_t tries = arena_header->cpus > 1 ? atomic_load_explicit(&end->tries, memory_order_relaxed) : 0;
    mproc_status status = MPROC_TIMEOUT;

    for (uint32_t i = 0; i < tries && status == MPROC_TIMEOUT; i++) {
        for (int pauses = 0; pauses < PAUSES; pauses++) plat_thread_pause();
        status = move(&end->channel, parts, PLAT_NO_HANDLE, 0, moved);
    }
    if (status != MPROC_TIMEOUT && tries < TRIES_MAX) tries += (TRIES_MAX - tries) / 8 + 1;
    else if (status == MPROC_TIMEOUT && tries > TRIES_MIN) tries -= tries / 8 + 1;
    if (arena_header->cpus > 1) atomic_store_explicit(&end->tries, tries, memory_order_relaxed);
    for (int i = 0; i < YIELDS && status == MPROC_TIMEOUT; i++) {
        plat_thread_yield();
        status = move(&end->channel, parts, PLAT_NO_HANDLE, 0, moved);
        if (status == MPROC_OK) end->late = LATE;
    }
    return status;
}

mproc_status passage_move(struct passage *passage, plat_channel_move *move, const plat_bytes parts[2], size_t *moved)
{
    struct end *end = passage->end;
    struct alarm *alarm;
    mproc_status status;

    if (move == plat_channel_peek && end->late > 0 && passage->wait.timeout_ms > 0) {
        end->late--;
        plat_thread_yield();
    }
    status = move(&end->channel, parts, PLAT_NO_HANDLE, 0, moved);
    if (status != MPROC_TIMEOUT || passage->wait.timeout_ms == 0) return status;
    if (move != plat_channel_write) status = try_again(passage, move, parts, moved);
    if (status != MPROC_TIMEOUT) return status;
    if ((status = alarm_take(end, &alarm)) != MPROC_OK) return status;
    while ((status = wait_why(&passage->wait)) == MPROC_OK) {
        status = move(&end->channel, parts, alarm->event, passage->wait.deadline_ns, moved);
        if (status != MPROC_INTERRUPTED) break;
        alarm_clear(alarm);
    }
    alarm_give(alarm);
    return status;
}
