/*
 * Waits for many handles. WaitForMultipleObjects() takes 64 of them; more are watched by the system's own threads
 * (plat_watcher). A pipe is no object that one can wait for, nor is a socket: a read of 0 bytes is over when there is
 * something to read, and its event is.
 */
#include "platform_poll.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "handle.h"
#include "socket_channel.h"
#include "winsock.h"

/* Besides them there are two events. */
#define POLL_FEW 62

struct read_ahead {
    OVERLAPPED operation;
    HANDLE stream;
    bool pending;
};

/* What a thread needs that waits for `count` things. */
struct waits {
    plat_polled *polled;
    size_t count;
    HANDLE *objects; /* by the index in `polled`; two more places follow */
    struct read_ahead *reads;
    HANDLE wakes[2]; /* or NULL */
};

struct entry {
    plat_handle handle;
    enum plat_polled_kind kind;
    uint64_t token;
};

/*
 * Who waits has a copy of the entries, made under `mutex`; `busy` of them wait. Who changes the entries sends them
 * away, by `changed`, first, and has them wait for `mutex` until it is done. So nobody waits for what was removed.
 */
struct plat_poller {
    plat_mutex mutex;
    struct entry *entries;
    size_t count;
    size_t room;
    HANDLE changed;
    _Atomic uint32_t busy;
    _Atomic uint32_t turn; /* where those who are told begin, if there is not room for all */
};

/* ---- what is ready now ----------------------------------------------------------------------------- */

/* A stream that is broken has something to tell, too. What is no pipe is a socket. */
static bool stream_is_ready(plat_handle handle)
{
    const plat_channel channel = {.handle = handle, .socket = true};
    char byte;
    const plat_bytes parts[2] = {{&byte, 1}, {NULL, 0}};
    DWORD available = 0, code;
    size_t moved;

    if (PeekNamedPipe((HANDLE)handle, NULL, 0, NULL, &available, NULL)) return available > 0;
    code = GetLastError();
    if (code == ERROR_BROKEN_PIPE || code == ERROR_NO_DATA || code == ERROR_PIPE_NOT_CONNECTED) return true;
    return !winsock.WSARecv || socket_channel_peek(&channel, parts, PLAT_NO_HANDLE, 0, &moved) != MPROC_TIMEOUT;
}

static bool is_ready(const plat_polled *polled, bool *bad)
{
    DWORD answer;

    *bad = false;
    if (polled->kind == PLAT_POLLED_STREAM) return stream_is_ready(polled->handle);
    answer = WaitForSingleObject((HANDLE)polled->handle, 0);
    *bad = answer == WAIT_FAILED;
    return answer == WAIT_OBJECT_0;
}

/* MPROC_TIMEOUT: none is. */
static mproc_status look(const struct waits *waits, uint32_t *bad)
{
    mproc_status status = MPROC_TIMEOUT;

    for (size_t i = 0; i < waits->count; i++) {
        plat_polled *polled = &waits->polled[i];
        bool refused;
        polled->ready = is_ready(polled, &refused) || polled->ready;
        if (refused) {
            *bad = polled->index;
            status = win32_error(GetLastError(), "cannot wait for handle %lld", (long long)polled->handle);
            return status == MPROC_NO_MEMORY ? status : mproc_error(MPROC_INVALID, "%s", mproc_last_error_text());
        }
        if (polled->ready) status = MPROC_OK;
    }
    return status;
}

/* ---- reads of nothing ------------------------------------------------------------------------------ */

/* Whether it goes on by itself: then its event will be set. */
static bool read_nothing(HANDLE stream, OVERLAPPED *operation)
{
    static char nothing;
    WSABUF none = {0, NULL};
    DWORD flags = 0;

    if (GetNamedPipeInfo(stream, NULL, NULL, NULL, NULL) || !winsock.WSARecv)
        return ReadFile(stream, &nothing, 0, NULL, operation) || GetLastError() == ERROR_IO_PENDING;
    return winsock.WSARecv((SOCKET)stream, &none, 1, NULL, &flags, operation, NULL) == 0 ||
           winsock.WSAGetLastError() == WSA_IO_PENDING;
}

static mproc_status read_begin(struct waits *waits, size_t i)
{
    struct read_ahead *ahead = &waits->reads[i];

    if (!(ahead->operation.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)))
        return win32_error(GetLastError(), "cannot create an event to wait for a connection");
    ahead->stream = (HANDLE)waits->polled[i].handle;
    waits->objects[i] = ahead->operation.hEvent;
    ahead->pending = read_nothing(ahead->stream, &ahead->operation);
    if (!ahead->pending) SetEvent(ahead->operation.hEvent); /* it has ended: that is something to tell */
    return MPROC_OK;
}

static void reads_end(const struct waits *waits)
{
    DWORD none;

    for (size_t i = 0; i < waits->count; i++)
        if (waits->reads[i].pending) CancelIoEx(waits->reads[i].stream, &waits->reads[i].operation);
    for (size_t i = 0; i < waits->count; i++) {
        struct read_ahead *ahead = &waits->reads[i];
        if (ahead->pending) GetOverlappedResult(ahead->stream, &ahead->operation, &none, TRUE);
        if (ahead->operation.hEvent) CloseHandle(ahead->operation.hEvent);
    }
}

/* ---- waiting --------------------------------------------------------------------------------------- */

/* The first of what ends it, from `objects` and, behind them, `wakes`. */
static mproc_status wait_for_few(const struct waits *waits, int64_t deadline_ns, size_t *first)
{
    HANDLE all[POLL_FEW + 2];
    size_t places[POLL_FEW + 2];
    DWORD count = 0, answer;

    for (size_t i = 0; i < waits->count; i++) {
        places[count] = i;
        all[count++] = waits->objects[i];
    }
    for (size_t i = 0; i < 2; i++) {
        if (!waits->wakes[i]) continue;
        places[count] = waits->count + i;
        all[count++] = waits->wakes[i];
    }
    if (count == 0) {
        plat_clock_sleep_until(deadline_ns);
        return MPROC_TIMEOUT;
    }
    answer = win32_wait(all, count, deadline_ns);
    if (answer == WAIT_TIMEOUT) return MPROC_TIMEOUT;
    if (answer >= WAIT_OBJECT_0 + count) return win32_error(GetLastError(), "cannot wait for %lu handles", count);
    *first = places[answer - WAIT_OBJECT_0];
    return MPROC_OK;
}

static mproc_status wait_for_many(const struct waits *waits, int64_t deadline_ns, size_t *first)
{
    plat_watcher *watcher = NULL;
    uint64_t token = 0;
    mproc_status status;

    if ((status = plat_watcher_create(&watcher)) != MPROC_OK) return status;
    for (size_t i = 0; i < waits->count && status == MPROC_OK; i++)
        status = plat_watcher_add(watcher, (plat_handle)waits->objects[i], i + 1);
    for (size_t i = 0; i < 2 && status == MPROC_OK; i++)
        if (waits->wakes[i]) status = plat_watcher_add(watcher, (plat_handle)waits->wakes[i], waits->count + i + 1);
    if (status == MPROC_OK && (token = plat_watcher_wait(watcher, deadline_ns)) == 0) status = MPROC_TIMEOUT;
    plat_watcher_free(watcher);
    if (status == MPROC_OK) *first = (size_t)token - 1;
    return status;
}

/* None was ready when it was looked for that. The one that ended the wait counts, whatever it is by now. */
static mproc_status wait_until(struct waits *waits, int64_t deadline_ns, uint32_t *bad)
{
    size_t first = waits->count;
    mproc_status status = MPROC_OK;

    for (size_t i = 0; i < waits->count && status == MPROC_OK; i++) {
        if (waits->polled[i].kind == PLAT_POLLED_STREAM) status = read_begin(waits, i);
        else waits->objects[i] = (HANDLE)waits->polled[i].handle;
    }
    if (status == MPROC_OK)
        status = (waits->count <= POLL_FEW ? wait_for_few : wait_for_many)(waits, deadline_ns, &first);
    reads_end(waits);
    if (status != MPROC_OK) return status;
    if (first < waits->count) waits->polled[first].ready = true;
    status = look(waits, bad);
    return status == MPROC_TIMEOUT ? MPROC_INTERRUPTED : status;
}

/* MPROC_INTERRUPTED: one of the two events is set. */
static mproc_status poll_with(plat_polled *polled, size_t count, plat_handle wake, HANDLE changed,
                              int64_t deadline_ns, uint32_t *bad)
{
    struct waits waits = {.polled = polled, .count = count};
    mproc_status status;

    for (size_t i = 0; i < count; i++) polled[i].ready = false;
    status = look(&waits, bad);
    if (status != MPROC_TIMEOUT || deadline_ns <= 0) return status;
    waits.wakes[0] = wake == PLAT_NO_HANDLE ? NULL : (HANDLE)wake;
    waits.wakes[1] = changed;
    waits.objects = calloc(count + 1, sizeof *waits.objects);
    waits.reads = calloc(count + 1, sizeof *waits.reads);
    if (waits.objects && waits.reads) status = wait_until(&waits, deadline_ns, bad);
    else status = mproc_error(MPROC_NO_MEMORY, "there is no memory to wait for %zu handles", count);
    free(waits.objects);
    free(waits.reads);
    return status;
}

mproc_status plat_poll(plat_polled *polled, size_t count, plat_handle wake, int64_t deadline_ns, uint32_t *bad)
{
    return poll_with(polled, count, wake, NULL, deadline_ns, bad);
}

/* ---- kept ------------------------------------------------------------------------------------------ */

mproc_status plat_poller_create(plat_poller **poller)
{
    plat_poller *made = calloc(1, sizeof *made);
    mproc_status status;

    if (!made) return mproc_error(MPROC_NO_MEMORY, "there is no memory for a set of handles");
    made->changed = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!made->changed) {
        status = win32_error(GetLastError(), "cannot create the event of a set of handles");
        free(made);
        return status;
    }
    *poller = made;
    return MPROC_OK;
}

void plat_poller_free(plat_poller *poller)
{
    if (!poller) return;
    CloseHandle(poller->changed);
    free(poller->entries);
    free(poller);
}

/* Afterwards nobody waits, and `mutex` is the caller's. */
static void change_begin(plat_poller *poller)
{
    plat_mutex_lock(&poller->mutex);
    SetEvent(poller->changed);
    while (atomic_load(&poller->busy) > 0) Sleep(1);
}

static void change_end(plat_poller *poller)
{
    ResetEvent(poller->changed);
    plat_mutex_unlock(&poller->mutex);
}

static mproc_status append(plat_poller *poller, struct entry entry)
{
    if (poller->count == poller->room) {
        size_t room = poller->room ? 2 * poller->room : 16;
        struct entry *entries = realloc(poller->entries, room * sizeof *entries);
        if (!entries) return mproc_error(MPROC_NO_MEMORY, "there is no memory for a set of %zu handles", room);
        poller->entries = entries;
        poller->room = room;
    }
    poller->entries[poller->count++] = entry;
    return MPROC_OK;
}

mproc_status plat_poller_add(plat_poller *poller, plat_handle handle, enum plat_polled_kind kind, uint64_t token)
{
    const plat_polled polled = {.handle = handle, .kind = (uint16_t)kind};
    bool refused;
    mproc_status status;

    is_ready(&polled, &refused);
    if (refused) return mproc_error(MPROC_INVALID, "handle %lld is none that can be waited for", (long long)handle);
    change_begin(poller);
    status = append(poller, (struct entry){handle, kind, token});
    change_end(poller);
    return status;
}

void plat_poller_remove(plat_poller *poller, plat_handle handle, uint64_t token)
{
    size_t i = 0;

    change_begin(poller);
    while (i < poller->count && (poller->entries[i].handle != handle || poller->entries[i].token != token)) i++;
    if (i < poller->count) poller->entries[i] = poller->entries[--poller->count];
    change_end(poller);
}

/* A copy, which stays true until `busy` is counted down. */
static mproc_status copy(plat_poller *poller, plat_polled **polled, uint64_t **tokens, size_t *count)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&poller->mutex);
    *count = poller->count;
    *polled = calloc(poller->count + 1, sizeof **polled);
    *tokens = calloc(poller->count + 1, sizeof **tokens);
    if (*polled && *tokens) atomic_fetch_add(&poller->busy, 1);
    else status = mproc_error(MPROC_NO_MEMORY, "there is no memory to wait for %zu handles", poller->count);
    for (size_t i = 0; i < poller->count && status == MPROC_OK; i++) {
        const struct entry *entry = &poller->entries[i];
        (*polled)[i] = (plat_polled){.handle = entry->handle, .index = (uint32_t)i, .kind = (uint16_t)entry->kind};
        (*tokens)[i] = entry->token;
    }
    plat_mutex_unlock(&poller->mutex);
    return status;
}

static mproc_status wait_once(plat_poller *poller, plat_handle wake, int64_t deadline_ns, uint64_t *tokens,
                              size_t room, size_t *count)
{
    plat_polled *polled = NULL;
    uint64_t *all = NULL;
    size_t polled_count, first, found = 0;
    uint32_t bad = 0;
    mproc_status status = copy(poller, &polled, &all, &polled_count);

    if (status == MPROC_OK) {
        status = poll_with(polled, polled_count, wake, poller->changed, deadline_ns, &bad);
        atomic_fetch_sub(&poller->busy, 1);
    }
    first = atomic_fetch_add(&poller->turn, 1);
    for (size_t i = 0; i < polled_count && status == MPROC_OK && found < room; i++) {
        size_t at = (first + i) % polled_count;
        if (polled[at].ready) tokens[found++] = all[at];
    }
    if (status == MPROC_OK) *count = found;
    free(polled);
    free(all);
    return status;
}

mproc_status plat_poller_wait(plat_poller *poller, plat_handle wake, int64_t deadline_ns, uint64_t *tokens,
                              size_t room, size_t *count)
{
    mproc_status status;

    do {
        status = wait_once(poller, wake, deadline_ns, tokens, room, count);
    } while (status == MPROC_INTERRUPTED &&
             (wake == PLAT_NO_HANDLE || WaitForSingleObject((HANDLE)wake, 0) != WAIT_OBJECT_0));
    return status;
}
