#include <stdlib.h>

#include "error.h"
#include "handle.h"
#include "platform.h"
#include "windows_api.h"

mproc_status plat_event_create(plat_handle *event)
{
    HANDLE handle = CreateEventW(NULL, TRUE, FALSE, NULL);

    if (!handle) return win32_error(GetLastError(), "cannot create an event");
    *event = (plat_handle)handle;
    return MPROC_OK;
}

void plat_event_set(plat_handle event)
{
    SetEvent((HANDLE)event);
}

void plat_event_clear(plat_handle event)
{
    ResetEvent((HANDLE)event);
}

#define AWAIT_MS_MAX 1000

/*
 * One process that is watched. It is in its watcher's list while it waits for its end or for its report.
 *
 * `ended` is set by the system's thread, `listed` by plat_watcher_add(), both under the watcher's mutex; the rest
 * does not change.
 */
typedef struct watch {
    struct watch *next;
    plat_watcher *watcher;
    plat_handle process; /* the caller's name for it, nothing is done with it */
    uint64_t token;
    HANDLE object; /* our own handle of it: the caller may close his at any time */
    HANDLE registration;
    bool ended;
    bool listed;
} watch;

/*
 * WaitForMultipleObjects() takes 64 handles at most; the system's thread pool takes any number. Its callback marks
 * the watch and sets `event`, which cannot fail; the waiting thread looks for marked ones.
 *
 * All fields are changed under `mutex` alone.
 */
struct plat_watcher {
    plat_mutex mutex;
    HANDLE event; /* auto-reset: look again */
    watch *first;
    bool woken;
};

mproc_status plat_watcher_create(plat_watcher **watcher)
{
    plat_watcher *created = calloc(1, sizeof *created);

    if (!created) return mproc_error(MPROC_NO_MEMORY, "there is no memory to watch processes");
    created->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!created->event) {
        mproc_status status = win32_error(GetLastError(), "cannot create a watcher's event");
        free(created);
        return status;
    }
    *watcher = created;
    return MPROC_OK;
}

/*
 * A watch whose process has ended is about to be called back. To take it back at just this moment crashes in Wine 8,
 * so it is awaited; but not for long, as the system's threads may be gone when this process ends.
 */
static void watch_await(watch *entry)
{
    bool ended = false;

    for (int i = 0; i < AWAIT_MS_MAX && WaitForSingleObject(entry->object, 0) == WAIT_OBJECT_0; i++) {
        plat_mutex_lock(&entry->watcher->mutex);
        ended = entry->ended;
        plat_mutex_unlock(&entry->watcher->mutex);
        if (ended) return;
        Sleep(1);
    }
}

/* Waits for a callback that is running; afterwards the system does not know of the watch any more. */
static void watch_free(watch *entry)
{
    if (!entry) return;
    if (entry->registration) watch_await(entry);
    if (entry->registration) UnregisterWaitEx(entry->registration, INVALID_HANDLE_VALUE);
    if (entry->object) CloseHandle(entry->object);
    free(entry);
}

void plat_watcher_free(plat_watcher *watcher)
{
    if (!watcher) return;
    while (watcher->first) {
        watch *first = watcher->first;
        watcher->first = first->next;
        watch_free(first);
    }
    CloseHandle(watcher->event);
    free(watcher);
}

static void CALLBACK watch_ended(void *context, BOOLEAN timed_out)
{
    watch *entry = context;
    plat_watcher *watcher = entry->watcher;

    (void)timed_out;
    plat_mutex_lock(&watcher->mutex);
    entry->ended = true;
    if (entry->listed) SetEvent(watcher->event);
    plat_mutex_unlock(&watcher->mutex);
}

/* The process may have ended already, and the callback have run before the registration's handle is known. */
static void watch_list(plat_watcher *watcher, watch *entry)
{
    plat_mutex_lock(&watcher->mutex);
    entry->next = watcher->first;
    watcher->first = entry;
    entry->listed = true;
    if (entry->ended) SetEvent(watcher->event);
    plat_mutex_unlock(&watcher->mutex);
}

mproc_status plat_watcher_add(plat_watcher *watcher, plat_handle process, uint64_t token)
{
    HANDLE self = GetCurrentProcess();
    watch *created = calloc(1, sizeof *created);

    if (!created) return mproc_error(MPROC_NO_MEMORY, "there is no memory to watch a process");
    created->watcher = watcher;
    created->process = process;
    created->token = token;
    if (!DuplicateHandle(self, (HANDLE)process, self, &created->object, SYNCHRONIZE, FALSE, 0) ||
        !RegisterWaitForSingleObject(&created->registration, created->object, watch_ended, created, INFINITE,
                                     WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD)) {
        mproc_status status =
            win32_error(GetLastError(), "cannot watch the process of handle %lld", (long long)process);
        watch_free(created);
        return status;
    }
    watch_list(watcher, created);
    return MPROC_OK;
}

void plat_watcher_remove(plat_watcher *watcher, plat_handle process, uint64_t token)
{
    watch **link;
    watch *found;

    plat_mutex_lock(&watcher->mutex);
    link = &watcher->first;
    while (*link && ((*link)->process != process || (*link)->token != token)) link = &(*link)->next;
    found = *link;
    if (found) *link = found->next;
    plat_mutex_unlock(&watcher->mutex);
    watch_free(found); /* without the mutex: it may wait for a callback that wants it */
}

void plat_watcher_wake(plat_watcher *watcher)
{
    plat_mutex_lock(&watcher->mutex);
    watcher->woken = true;
    plat_mutex_unlock(&watcher->mutex);
    SetEvent(watcher->event);
}

/* Takes a watch whose process has ended out of the list; without one, takes the wake. */
static watch *watcher_take(plat_watcher *watcher, bool *woken)
{
    watch **link;
    watch *found;

    plat_mutex_lock(&watcher->mutex);
    link = &watcher->first;
    while (*link && !(*link)->ended) link = &(*link)->next;
    found = *link;
    if (found) {
        *link = found->next;
    } else {
        *woken = watcher->woken;
        watcher->woken = false;
    }
    plat_mutex_unlock(&watcher->mutex);
    return found;
}

uint64_t plat_watcher_wait(plat_watcher *watcher, int64_t deadline_ns)
{
    bool woken = false;

    for (;;) {
        watch *ended = watcher_take(watcher, &woken);

        if (ended) {
            uint64_t token = ended->token;
            watch_free(ended);
            return token;
        }
        if (woken || win32_wait(&watcher->event, 1, deadline_ns) != WAIT_OBJECT_0) return 0;
    }
}
