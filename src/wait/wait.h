/*
 * Waits for several things: what mproc_wait() and the sets share.
 *
 * Things are looked at first. What the system tells of, one waits for in the system, and with it for an alarm, by
 * which others end that wait (process/alarm.h). What lies in the arena, this process watches (park_watch()): changes
 * there ring the alarm. Without things of the system one sleeps on the count of this process' alarms itself.
 *
 * Things may be closed and freed meanwhile, by other threads: see struct waiter.
 */
#ifndef MPROC_WAIT_WAIT_H
#define MPROC_WAIT_WAIT_H

#include <mproc/wait.h>

#include "object/wait.h"
#include "object/waitable.h"
#include "process/alarm.h"

/* The row of a thing's kind. MPROC_INVALID, with a text: there is none, or the thing has no object. */
mproc_status wait_kind_of(const mproc_waitable *thing, const struct waitable **row);

/* What an object or a handle is told from others by. */
static inline void *wait_key(const mproc_waitable *thing)
{
    return thing->kind == MPROC_WAITABLE_HANDLE ? (void *)thing->handle : thing->object;
}

/* Who waits for several things in this process looks again. */
void wait_look_again(void);

/* Before MPROC_TIMEOUT is returned. */
mproc_status wait_none_ready(const struct wait *wait);

#endif
