/* The reaper thread. */
#include "process/reaper.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "object/recovery.h"
#include "process/alarm.h"
#include "process/children.h"
#include "process/deposit.h"
#include "process/family.h"
#include "process/join.h"

/*
 * How soon the reaper looks again at what is about to happen: the daemons of a dead child end, which takes a
 * millisecond or less, the parent counts as dead, or the last thread of the program ends. It doubles each time, for
 * some take longer.
 */
#define RETRY_NS ((int64_t)1000000)
/* How often it looks at most, and how often for the ends of orphans, if there are any or may be given to it. */
#define POLL_NS ((int64_t)2000000000)
/* How often its start is looked for: it takes some tens of microseconds. */
#define BEGIN_NS ((int64_t)20000)
/* What the parent is watched by; those of children begin at 1. */
#define PARENT_TOKEN UINT64_MAX
/* What tells the first process of the family that others ask it for something. */
#define DEPOSIT_TOKEN (UINT64_MAX - 2)

static _Atomic int retries;
static _Atomic int64_t retry_ns = RETRY_NS;
static bool parent_ended; /* the reaper's own: its sentinel has told, and what it had is not recovered yet */

static _Atomic bool main_ended; /* the thread that has called the main guard */
static bool exits;              /* the reaper's own: it runs the exit handlers */

static plat_watcher *watcher;
static _Atomic bool prepared;
enum { REAPER_BEGINS, REAPER_RUNS, REAPER_FAILED };
static _Atomic int reaper_state;
static _Atomic bool ends;
static plat_thread *thread;
static plat_mutex reaper_mutex;    /* guards the start of the reaper, and `given_orphans` */
static _Atomic bool given_orphans; /* by the system, to this process; looked for with each start */

static void retry_all(void)
{
    mproc_process *process = NULL;

    while ((process = children_next(process))) {
        if (!process_recover(process)) continue;
        atomic_fetch_sub(&retries, 1);
        children_remove(process);
    }
}

/*
 * Ended, but not to be collected yet: on Linux that is so while somebody traces it (a debugger, a leak
 * checker). Its one report is used up. While it counts as started, its handle stays open, unless the program has
 * closed it: then whoever joins or asks collects it.
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
    } while (status == MPROC_LIMIT || status == MPROC_NO_MEMORY);
}

/*
 * Of its own parent's end nobody else may be left to be told: it adopts what that had, and so whoever waits for
 * something of a dead process has somebody who looks. The sentinel may tell before the system counts the parent as
 * dead, or when it has closed its end.
 */
static void adopt_siblings(void)
{
    if (!recovery_orphaned()) return;
    parent_ended = false;
    recovery_adopt();
}

/* In its handlers functions of the program run, which may wait, and signals may end that. */
static void end_process(void)
{
    exits = true;
    plat_thread_take_signals();
    exit(EXIT_SUCCESS);
}

/* An orphan that the system gives to this process may be recovered by another, which does not tell. */
static int64_t look_again_ns(bool pending)
{
    int64_t wait_ns = atomic_load(&retry_ns);
    bool polls = recovery_orphans() || given_orphans;

    if (!pending) return polls ? plat_clock_now_ns() + POLL_NS : PLAT_FOREVER;
    if (wait_ns < POLL_NS) atomic_compare_exchange_strong(&retry_ns, &wait_ns, 2 * wait_ns);
    return plat_clock_now_ns() + wait_ns;
}

static void collect(uint64_t token)
{
    mproc_process *process = children_find(token);

    if (process && !process_collect(process)) watch_again(process);
    children_release(process);
}

/* Where nothing tells which. */
static void collect_all(void)
{
    mproc_process *process = NULL;

    while ((process = children_next(process))) process_collect(process);
}

/* Until the first request, which begins a thread for all. */
static mproc_status watch_deposits(void)
{
    plat_handle door;
    mproc_status status = deposit_door(&door);

    if (status != MPROC_OK || deposit_store() == PLAT_NO_HANDLE) return status;
    return plat_watcher_add(watcher, deposit_store(), DEPOSIT_TOKEN);
}

static void reap(void *unused)
{
    (void)unused;
    if (family_enter() != MPROC_OK) {
        atomic_store(&reaper_state, REAPER_FAILED);
        return;
    }
    atomic_store(&reaper_state, REAPER_RUNS);
    while (!atomic_load(&ends)) {
        bool pending = atomic_load(&retries) > 0;
        uint64_t token = plat_watcher_wait(watcher, look_again_ns(pending || parent_ended || main_ended));
        if (token == PARENT_TOKEN) {
            parent_ended = true;
            atomic_store(&retry_ns, RETRY_NS);
        } else if (token == DEPOSIT_TOKEN) {
            if (!deposit_asked()) watch_deposits();
        } else if (token == PLAT_WATCHER_LOST) {
            collect_all();
        } else if (token) {
            collect(token);
        }
        if (pending) retry_all();
        if (parent_ended) adopt_siblings();
        if (main_ended && plat_thread_program_ended(alarm_threads() + deposit_threads())) end_process();
        if (recovery_orphans()) recovery_poll();
        log_speak();
    }
}

/* Waits until it is a thread of the family: one that could not become so would recover nobody. */
static mproc_status start_thread(void)
{
    mproc_status status;

    atomic_store(&reaper_state, REAPER_BEGINS);
    if ((status = plat_thread_start(reap, NULL, &thread)) != MPROC_OK) return status;
    /* By sleeping, not by yielding: a thread of real-time priority would keep it from running for ever. */
    while (atomic_load(&reaper_state) == REAPER_BEGINS) plat_clock_sleep_until(plat_clock_now_ns() + BEGIN_NS);
    if (atomic_load(&reaper_state) == REAPER_RUNS) return MPROC_OK;
    plat_thread_join(thread);
    return mproc_error(MPROC_LIMIT,
                       "the thread that looks after children cannot enter the family: there is no slot for "
                       "one more thread, or no memory");
}

static mproc_status watch_parent(void)
{
    return family.child ? plat_watcher_add(watcher, family.child_end, PARENT_TOKEN) : MPROC_OK;
}

static mproc_status prepare(void)
{
    mproc_status status;

    if ((status = plat_watcher_create(&watcher)) != MPROC_OK) return status;
    if ((status = watch_parent()) == MPROC_OK && (status = watch_deposits()) == MPROC_OK &&
        (status = start_thread()) == MPROC_OK)
        return MPROC_OK;
    plat_watcher_free(watcher);
    watcher = NULL;
    return status;
}

mproc_status reaper_start(void)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&reaper_mutex);
    if (!watcher && (status = prepare()) == MPROC_OK) atomic_store(&prepared, true);
    if (status == MPROC_OK && !given_orphans && plat_process_is_given_orphans()) {
        given_orphans = true;
        plat_watcher_wake(watcher);
    }
    plat_mutex_unlock(&reaper_mutex);
    return status;
}

void reaper_forked(void)
{
    plat_watcher_free(watcher);
    watcher = NULL;
    atomic_store(&prepared, false);
    atomic_store(&retries, 0);
    atomic_store(&ends, false);
    parent_ended = false;
    main_ended = false;
    exits = false;
    given_orphans = false;
    memset(&reaper_mutex, 0, sizeof reaper_mutex);
}

void reaper_main_thread_ends(void)
{
    atomic_store(&main_ended, true);
    atomic_store(&retry_ns, RETRY_NS);
    if (atomic_load(&prepared)) plat_watcher_wake(watcher);
}

void reaper_end(void)
{
    if (exits) return;
    atomic_store(&ends, true);
    plat_watcher_wake(watcher);
    plat_thread_join(thread);
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
    atomic_store(&retry_ns, RETRY_NS);
    plat_watcher_wake(watcher);
}

void reaper_poll(void)
{
    plat_watcher_wake(watcher);
}
