/*
 * Events: a flag that can be waited for (Python: Event). What <mproc/lock.h> says once for all objects is said for
 * these, too.
 */
#ifndef MPROC_EVENT_H
#define MPROC_EVENT_H

#include <stdbool.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_event mproc_event;

/*
 * Creates an event that is not set (Python: Event()). Does not block. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
MPROC_API mproc_status mproc_event_create(mproc_event **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_event_free(mproc_event *event);

/*
 * Sets the event: all who wait for it go on, also if it is cleared before they have looked (Python: set()). Setting
 * it again changes nothing.
 *
 * Does not block, nor wait for anybody. May be called from a signal handler, in a thread that has called any function
 * of the library before. Returns MPROC_OK.
 */
MPROC_API mproc_status mproc_event_set(mproc_event *event);

/* Clears the event (Python: clear()). Does not block. Returns MPROC_OK. */
MPROC_API mproc_status mproc_event_clear(mproc_event *event);

/* Returns whether it is set (Python: is_set()). Does not block; may be called from a signal handler. */
MPROC_API bool mproc_event_is_set(const mproc_event *event);

/*
 * Waits until the event is set (Python: wait()). Blocks at most `timeout_ms` milliseconds (MPROC_FOREVER: no limit;
 * 0: only looks).
 *
 * Returns MPROC_OK when it is, or has been meanwhile, or:
 *   MPROC_TIMEOUT      it was not set in time
 *   MPROC_CLOSED       it was freed in this process meanwhile
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_INVALID      `timeout_ms` is negative
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_event_wait(mproc_event *event, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
