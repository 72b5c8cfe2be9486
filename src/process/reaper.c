/* The reaper thread. */
#include "process/reaper.h"

#include <assert.h>

#include "object/recovery.h"
#include "process/children.h"
#include "process/family.h"
#include "process/join.h"

/* How often the reaper looks again at a slot whose daemons are about to end: they take a millisecond or less. */
#define RETRY_NS ((int64_t)1000000)
/* How often it looks for the ends of orphans, if there are any. */
#define LOOK_NS ((int64_t)2000000000)

static _Atomic int retries;

static plat_watcher *watcher;
static _Atomic bool prepared;
enum { REAPER_BEGINS, REAPER_RUNS, REAPER_FAILED };
static _Atomic int reaper_state;
static plat_mutex reaper_mutex; /* guards the start of the reaper alone */

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
        mproc_process *process = token ? children_find(token) : NULL;
        if (process && !process_collect(process)) watch_again(process);
        children_release(process);
        if (pending) retry_all();
        if (recovery_orphans()) recovery_look();
    }
}

/* Waits until it is a thread of the family: one that could not become so would recover nobody. */
static mproc_status start_thread(void)
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

mproc_status reaper_start(void)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&reaper_mutex);
    if (!watcher && (status = plat_watcher_create(&watcher)) == MPROC_OK && (status = start_thread()) != MPROC_OK) {
        plat_watcher_free(watcher);
        watcher = NULL;
    }
    if (status == MPROC_OK) atomic_store(&prepared, true);
    plat_mutex_unlock(&reaper_mutex);
    return status;
}

bool reaper_started(void)
{
    return atomic_load(&prepared);
}

void reaper_unwatch(mproc_process *process)
{
    plat_watcher_remove(watcher, process->os.handle, process->token);
}

mproc_status reaper_watch(mproc_process *process)
{
    return plat_watcher_add(watcher, process->os.handle, process->token);
}

void reaper_retry(void)
{
    atomic_fetch_add(&retries, 1);
    plat_watcher_wake(watcher);
}

void reaper_look(void)
{
    plat_watcher_wake(watcher);
}
