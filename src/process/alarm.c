/* Alarms, and the thread that hears interrupts. */
#include "process/alarm.h"

#include <stdlib.h>

#include "object/wait.h"
#include "process/deposit.h"
#include "process/family.h"
#include "process/reaper.h"

/*
 * How late an interrupt is heard if no slot is left for the thread, and how often one looks whether that has ended.
 */
#define LATE_NS ((int64_t)50000000)
#define END_NS ((int64_t)1000000)

const char alarm_of_watchers = 0;

/* Guards all below but the atomics. Nothing is locked under it. */
static plat_mutex mutex;
static struct alarm *taken;
static struct alarm *stock;
static plat_thread *listener;
static _Atomic int listening;
static _Atomic bool ends;

void alarm_ring(const void *of)
{
    plat_mutex_lock(&mutex);
    for (struct alarm *at = taken; at; at = at->next) {
        if (at->rung || (of && at->of != of)) continue;
        at->rung = true;
        plat_event_set(at->event);
    }
    plat_mutex_unlock(&mutex);
}

/* Only the library's own threads are left: then this one keeps no process alive that has ended. */
static bool has_ended(void)
{
    return alarm_waiting() == 0 && plat_thread_program_ended(reaper_started() + deposit_threads());
}

/*
 * Whoever counts the word up wakes this thread: as there is an interrupt, or as a word has changed that is watched,
 * which concerns none but those. Who asks a task to stop wakes it without that. A thread that is just about to sleep
 * misses that, as the word does not change; no sleep is longer than some seconds, so it is late then, but not lost.
 */
static void listen(void *unused)
{
    bool entered = family_enter() == MPROC_OK;
    struct process_slot *slot = family_slot();
    uint32_t alarms = 0, interrupts = 0;
    const void *of = NULL;

    (void)unused;
    while (!atomic_load(&ends) && !has_ended()) {
        uint32_t now = atomic_load(&slot->alarms), interrupts_now = atomic_load(&slot->interrupts);
        of = now != alarms && interrupts_now == interrupts ? &alarm_of_watchers : NULL;
        alarms = now;
        interrupts = interrupts_now;
        alarm_ring(of);
        if (entered) wait_on(&slot->alarms, alarms, PLAT_FOREVER);
        else plat_clock_sleep_until(plat_clock_now_ns() + LATE_NS);
    }
    plat_thread_take_signals(); /* the C library runs the program's exit handlers in the last thread */
    atomic_store(&listening, 0);
}

mproc_status alarm_take(const void *of, struct alarm **out)
{
    struct alarm *alarm = NULL;
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (!listener && (status = plat_thread_start(listen, NULL, &listener)) == MPROC_OK) atomic_store(&listening, 1);
    if (status == MPROC_OK && (alarm = stock)) {
        stock = alarm->next;
    } else if (status == MPROC_OK && !(alarm = calloc(1, sizeof *alarm))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory to wait for the system");
    } else if (status == MPROC_OK && (status = plat_event_create(&alarm->event)) != MPROC_OK) {
        free(alarm);
        alarm = NULL;
    }
    if (alarm) {
        alarm->of = of;
        alarm->next = taken;
        taken = alarm;
    }
    plat_mutex_unlock(&mutex);
    *out = alarm;
    return status;
}

static void clear_locked(struct alarm *alarm)
{
    if (alarm->rung) plat_event_clear(alarm->event);
    alarm->rung = false;
}

void alarm_clear(struct alarm *alarm)
{
    plat_mutex_lock(&mutex);
    clear_locked(alarm);
    plat_mutex_unlock(&mutex);
}

void alarm_give(struct alarm *alarm)
{
    struct alarm **at;

    plat_mutex_lock(&mutex);
    clear_locked(alarm);
    for (at = &taken; *at != alarm; at = &(*at)->next) {
    }
    *at = alarm->next;
    alarm->next = stock;
    stock = alarm;
    plat_mutex_unlock(&mutex);
}

int alarm_waiting(void)
{
    int count = 0;

    plat_mutex_lock(&mutex);
    for (const struct alarm *at = taken; at; at = at->next) count++;
    plat_mutex_unlock(&mutex);
    return count;
}

int alarm_threads(void)
{
    return atomic_load(&listening);
}

void alarm_end(void)
{
    if (!listener) return;
    atomic_store(&ends, true);
    while (alarm_threads() > 0) {
        park_alarm(family.process);
        plat_clock_sleep_until(plat_clock_now_ns() + END_NS);
    }
    plat_thread_join(listener);
    listener = NULL;
}

void alarm_fork_begins(void)
{
    plat_mutex_lock(&mutex);
}

void alarm_fork_ends(void)
{
    plat_mutex_unlock(&mutex);
}

/* Who waited is not in the copy. */
void alarm_forked(void)
{
    for (struct alarm *at = taken; at; at = at->next) plat_handle_close(at->event);
    for (struct alarm *at = stock; at; at = at->next) plat_handle_close(at->event);
    taken = stock = NULL;
    listener = NULL;
    atomic_store(&listening, 0);
    plat_mutex_unlock(&mutex);
}
