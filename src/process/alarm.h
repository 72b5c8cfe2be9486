/*
 * Waits for what the system tells, such as data of a connection, that interrupts and other threads of this process
 * end as well: whoever waits has an event of his own, his alarm, and they set it.
 *
 * Interrupts, and changes of what is watched, count up a word of the arena, also from other processes, and signal
 * handlers do. So one thread of this process sleeps on that word for all who wait for the system. It begins with the
 * first of them.
 */
#ifndef MPROC_PROCESS_ALARM_H
#define MPROC_PROCESS_ALARM_H

#include "platform.h"

/* Nobody reads `event` but its thread. `next` and `rung` are guarded by the mutex of alarm.c. */
struct alarm {
    plat_handle event;
    const void *of;
    bool rung;
    struct alarm *next;
};

/*
 * From here on, until alarm_give(), the event is set when somebody calls alarm_ring(of), and after each interrupt. So
 * the caller looks first at what he is told of, then waits. MPROC_LIMIT, MPROC_NO_MEMORY.
 */
mproc_status alarm_take(const void *of, struct alarm **out);
void alarm_give(struct alarm *alarm);

/* The event was set: clears it. The caller looks again. */
void alarm_clear(struct alarm *alarm);

/* Wakes all who wait with this `of`; NULL: all. */
void alarm_ring(const void *of);

/* The `of` of those who wait for changes of words that this process watches (park_watch()), besides. */
extern const char alarm_of_watchers;

/* How many alarms are taken. */
int alarm_waiting(void);

/* How many threads this needs: 0 or 1. */
int alarm_threads(void);

/* At the end of the process: ends that thread. */
void alarm_end(void);

void alarm_fork_begins(void);
void alarm_fork_ends(void);
void alarm_forked(void);

#endif
