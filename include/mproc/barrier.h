/*
 * Barriers: a number of parties wait for each other (Python: Barrier). What <mproc/lock.h> says once for all objects
 * is said for these, too.
 */
#ifndef MPROC_BARRIER_H
#define MPROC_BARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_barrier mproc_barrier;

#define MPROC_BARRIER_PARTIES_MAX 65535

/*
 * What a barrier does when all have come: as mproc_function, without arguments, but for exceptions of C++. It is
 * called in the middle of a wait, so none may leave it: in C++ it is declared noexcept. A fork() copy that returns
 * from it goes on with MPROC_FORKED from its wait.
 */
typedef mproc_status mproc_barrier_action(mproc_call *call) MPROC_NOEXCEPT_;

/* Zero in a field is its default. */
typedef struct mproc_barrier_options {
    /*
     * Called by the party that comes last, before any goes on. If it does not return MPROC_OK, the barrier breaks. It
     * may lie where functions of processes may. Default: none.
     */
    mproc_barrier_action *action;
    /* The time limit of all waits that have none of their own, in milliseconds. Default: none. */
    int64_t timeout_ms;
} mproc_barrier_options;

/*
 * Creates a barrier for `parties` (Python: Barrier()). Does not block. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID       `out` is NULL, `parties` is not 1 to MPROC_BARRIER_PARTIES_MAX, or the time limit is negative
 *   MPROC_BAD_FUNCTION  the action lies in no module that another process could open
 *   MPROC_NO_MEMORY     the family's shared memory or this process has no room
 */
static inline mproc_status mproc_barrier_create(int parties, const mproc_barrier_options *options,
                                                mproc_barrier **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_barrier_free(mproc_barrier *barrier);

/*
 * Waits until all parties have come (Python: wait()). Writes to `*index`, if it is not NULL, a number from 0 to
 * parties - 1, another one to each.
 *
 * Blocks at most `timeout_ms` milliseconds; MPROC_FOREVER: the barrier's own limit, if it has one. Whoever gives up,
 * for whatever reason, or is killed while it waits, breaks the barrier at once (with Python's the others wait for
 * ever for the dead).
 *
 * Returns MPROC_OK, or:
 *   MPROC_BROKEN       the barrier is broken or was reset: the text says if this wait did it
 *   MPROC_TIMEOUT      there was no place in time: all parties had come before, and their action still runs. The
 *                      barrier is not broken by that
 *   MPROC_CLOSED       it was freed in this process meanwhile
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_INVALID      `timeout_ms` is negative
 *   MPROC_FORKED       in a fork() copy that the action has made
 *   what the action returned, where it was run by this party
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_barrier_wait(mproc_barrier *barrier, int64_t timeout_ms, int *index);

/* Sends away those who wait, with MPROC_BROKEN, and mends a broken barrier (Python: reset()). Does not block. */
MPROC_API mproc_status mproc_barrier_reset(mproc_barrier *barrier);

/* Breaks the barrier until it is reset (Python: abort()). Does not block. Returns MPROC_OK. */
MPROC_API mproc_status mproc_barrier_abort(mproc_barrier *barrier);

/* Returns how many parties it needs (Python: parties). Does not block. */
MPROC_API int mproc_barrier_parties(const mproc_barrier *barrier);

/* Returns how many parties wait now (Python: n_waiting). Does not block. */
MPROC_API int mproc_barrier_waiting(const mproc_barrier *barrier);

/* Returns whether it is broken (Python: broken). Does not block. */
MPROC_API bool mproc_barrier_broken(const mproc_barrier *barrier);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_barrier_create_sized(int parties, const mproc_barrier_options *options,
                                                  size_t options_size, mproc_barrier **out);

static inline mproc_status mproc_barrier_create(int parties, const mproc_barrier_options *options,
                                                mproc_barrier **out)
{
    return mproc_barrier_create_sized(parties, options, sizeof(mproc_barrier_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_barrier_create(int parties, const mproc_barrier_options &options,
                                                mproc_barrier **out)
{
    return mproc_barrier_create_sized(parties, &options, sizeof options, out);
}
#endif

#endif
