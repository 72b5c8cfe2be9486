/* The list of children, and the reaper thread. */
#include "process/children.h"

#include <assert.h>

#include "arena/recovery.h"
#include "process/family.h"

/* How often the reaper looks again at a slot whose daemons are about to end: they take a millisecond or less. */
#define RETRY_NS ((int64_t)1000000)
/* How often it looks for the ends of orphans, if there are any. */
#define LOOK_NS ((int64_t)2000000000)

/* Guarded by `mutex`, which is taken last of all. */
static plat_mutex mutex;
static mproc_process *first;
static uint64_t last_token;
static _Atomic int retries;

static plat_watcher *watcher;
static _Atomic bool prepared;
enum { REAPER_BEGINS, REAPER_RUNS, REAPER_FAILED };
static _Atomic int reaper_state;
static plat_mutex reaper_mutex; /* guards the start of the reaper alone */

void children_retain(mproc_process *process)
{
    plat_mutex_lock(&mutex);
    process->references++;
    plat_mutex_unlock(&mutex);
}

void children_release(mproc_process *process)
{
    bool unused;

    if (!process) return;
    plat_mutex_lock(&mutex);
    unused = --process->references == 0;
    plat_mutex_unlock(&mutex);
    if (unused) process_destroy(process);
}

mproc_process *children_next(mproc_process *previous)
{
    mproc_process *next = NULL;

    plat_mutex_lock(&mutex);
    /* `previous` may have left the list meanwhile; tokens only grow, and the list is sorted by them. */
    for (mproc_process *at = first; at; at = at->next)
        if ((!previous || at->token > previous->token) && (!next || at->token < next->token)) next = at;
    if (next) next->references++;
    plat_mutex_unlock(&mutex);
    children_release(previous);
    return next;
}

static mproc_process *find(uint64_t token)
{
    mproc_process *at;

    plat_mutex_lock(&mutex);
    for (at = first; at && at->token != token; at = at->next) {
    }
    if (at) at->references++;
    plat_mutex_unlock(&mutex);
    return at;
}

static void retry_all(void)
{
    mproc_process *process = NULL;

    while ((process = children_next(process)) != NULL) {
        if (!process_recover(process)) continue;
        atomic_fetch_sub(&retries, 1);
        children_remove(process);
    }
}

/*
 * Ended, but not to be collected yet: on Linux that is so while somebody traces it (a debugger, a leak
 * checker). Its one report is used up. While it counts as started, its handle stays open.
 */
static void watch_again(mproc_process *process)
{
    mproc_status status;

    do {
        plat_clock_sleep_until(plat_clock_now_ns() + RETRY_NS);
        status = MPROC_OK;
        plat_mutex_lock(&process->mutex);
        if (process->phase == PROCESS_STARTED) {
            plat_watcher_remove(watcher, process->os.handle, process->token);
            status = plat_watcher_add(watcher, process->os.handle, process->token);
        }
        plat_mutex_unlock(&process->mutex);
    } while (status != MPROC_OK);
}

static int64_t look_again_ns(bool pending)
{
    if (pending) return plat_clock_now_ns() + RETRY_NS;
    return recovery_orphans() ? plat_clock_now_ns() + LOOK_NS : PLAT_FOREVER;
}

static void reap(void *unused)
{
    (void)unused;
    if (family_enter() != MPROC_OK) {
        atomic_store(&reaper_state, REAPER_FAILED);
        return;
    }
    atomic_store(&reaper_state, REAPER_RUNS);
    for (;;) {
        bool pending = atomic_load(&retries) > 0;
        uint64_t token = plat_watcher_wait(watcher, look_again_ns(pending));
        mproc_process *process = token ? find(token) : NULL;
        if (process && !process_collect(process)) watch_again(process);
        children_release(process);
        if (pending) retry_all();
        if (recovery_orphans()) recovery_look();
    }
}

/* Waits until it is a thread of the family: one that could not become so would recover nobody. */
static mproc_status start_reaper(void)
{
    plat_thread *thread;
    mproc_status status;

    atomic_store(&reaper_state, REAPER_BEGINS);
    if ((status = plat_thread_start(reap, NULL, &thread)) != MPROC_OK) return status;
    while (atomic_load(&reaper_state) == REAPER_BEGINS) plat_thread_yield();
    if (atomic_load(&reaper_state) == REAPER_RUNS) return MPROC_OK;
    plat_thread_join(thread);
    return mproc_error(MPROC_LIMIT,
                       "the thread that looks after children cannot enter the family: there is no slot for "
                       "one more thread, or no memory");
}

mproc_status children_prepare(void)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&reaper_mutex);
    if (!watcher && (status = plat_watcher_create(&watcher)) == MPROC_OK && (status = start_reaper()) != MPROC_OK) {
        plat_watcher_free(watcher);
        watcher = NULL;
    }
    if (status == MPROC_OK) atomic_store(&prepared, true);
    plat_mutex_unlock(&reaper_mutex);
    return status;
}

bool children_prepared(void)
{
    return atomic_load(&prepared);
}

mproc_status children_add(mproc_process *process, plat_handle *watched)
{
    mproc_status status;

    plat_mutex_lock(&mutex);
    if ((status = plat_sentinel_create(&process->held, watched)) == MPROC_OK) {
        process->token = ++last_token;
        process->next = first;
        first = process;
        process->references++;
    }
    plat_mutex_unlock(&mutex);
    return status;
}

void children_unwatch(mproc_process *process)
{
    plat_watcher_remove(watcher, process->os.handle, process->token);
}

mproc_status children_watch(mproc_process *process)
{
    return plat_watcher_add(watcher, process->os.handle, process->token);
}

void children_remove(mproc_process *process)
{
    mproc_process **at;

    plat_mutex_lock(&mutex);
    for (at = &first; *at && *at != process; at = &(*at)->next) {
    }
    if (*at) *at = process->next;
    else process = NULL;
    plat_mutex_unlock(&mutex);
    children_release(process);
}

void children_retry(void)
{
    atomic_fetch_add(&retries, 1);
    plat_watcher_wake(watcher);
}

void children_look(void)
{
    plat_watcher_wake(watcher);
}

void children_fork_begins(void)
{
    plat_mutex_lock(&mutex);
}

void children_fork_ends(void)
{
    plat_mutex_unlock(&mutex);
}

/* A copy that keeps a sentinel open would keep daemons alive after their parent's death. */
void children_forked(void)
{
    for (mproc_process *at = first; at; at = at->next) {
        plat_handle_close(at->held);
        at->held = PLAT_NO_HANDLE;
    }
    first = NULL;
    plat_mutex_unlock(&mutex);
}
