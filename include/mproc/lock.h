/*
 * Locks: one thread at a time, of all threads of all processes of the family (Python: Lock and RLock).
 *
 *     MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
 *     ...
 *     MPROC_TRY(mproc_lock_release(lock));
 *
 * A lock whose owner - the thread that acquired it - ends without releasing it, killed or not, is *abandoned*:
 * what it guards may be half done. Acquiring it answers MPROC_OWNER_DIED to everybody, and does not hold it, until
 * somebody calls mproc_lock_recover(), which does. Python's locks stay locked for ever then.
 *
 * Said once for all functions of objects that processes share:
 *   - Create makes an object and this process' first reference to it. References travel as arguments; a task gets its
 *     own, one of each object, which are dropped when it returns if it has not freed them before. The object lives
 *     until the last reference is dropped: by free, by the end of the task, or by the end of the process, killed or
 *     not.
 *   - Free drops a reference; NULL is fine. Threads of this process that wait by it get MPROC_CLOSED, and free
 *     returns when they have left. Other processes go on with theirs. Nobody uses a reference that was freed, nor
 *     frees it twice: that is a programming error, and what it does is undefined. Now and then it is noticed
 *     (MPROC_CLOSED, or an assertion); nothing promises that.
 *   - "Does not block" means: but for moments. A process of the family that is stopped (SIGSTOP, a debugger) in the
 *     middle of a call may hold others up until it goes on or ends: docs/pitfalls.md.
 *   - All functions may be called by any thread of any process, with a reference of its own process. The first call
 *     of any of them makes the process a member of its family, with the statuses that <mproc/process.h> names.
 *   - A wait ends early with MPROC_INTERRUPTED after mproc_interrupt().
 *   - Of an object in another program, which a manager serves, <mproc/manager.h> says what its calls return besides.
 *   - A time limit is a number of milliseconds, 0 to try without waiting, or MPROC_FOREVER. A negative one is
 *     MPROC_INVALID, and nothing is done (Python takes it for 0).
 */
#ifndef MPROC_LOCK_H
#define MPROC_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_lock mproc_lock;
typedef struct mproc_rlock mproc_rlock;

/* For both kinds of locks. Zero in a field is its default. */
typedef struct mproc_lock_options {
    /*
     * Acquire takes an abandoned lock as if it had been released, and nobody learns that an owner ended: what that
     * had half done stays half done, and is thrown away or built upon. Only for what can never be half done. Ours.
     */
    bool ignore_abandoned;
} mproc_lock_options;

/* ---- Lock ------------------------------------------------------------------------------------- */

/*
 * Creates a lock that nobody holds (Python: Lock()).
 *
 * Does not block. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_lock_create(const mproc_lock_options *options, mproc_lock **out);

/* Drops the reference. A lock that this thread holds stays locked for those who have others. */
MPROC_API void mproc_lock_free(mproc_lock *lock);

/*
 * Acquires the lock (Python: acquire()). A thread that holds it already waits for itself: see mproc_rlock.
 *
 * Blocks until it has it, at most `timeout_ms` milliseconds (MPROC_FOREVER: no limit; 0: only tries).
 *
 * Returns MPROC_OK, or, without holding it:
 *   MPROC_TIMEOUT      somebody else held it all the time
 *   MPROC_OWNER_DIED   it is abandoned
 *   MPROC_CLOSED       it was freed in this process meanwhile
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_INVALID      `timeout_ms` is negative
 *   MPROC_NO_MEMORY    this thread holds many locks, and there is no room to keep account of one more
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_lock_acquire(mproc_lock *lock, int64_t timeout_ms);

/*
 * Releases the lock, whoever holds it (Python: release()). Does not block.
 *
 * Returns MPROC_OK, or, with nothing changed:
 *   MPROC_BAD_STATE   nobody holds it
 *   MPROC_OWNER_DIED  it is abandoned
 */
MPROC_API mproc_status mproc_lock_release(mproc_lock *lock);

/* As mproc_lock_acquire(), also if it is abandoned, which it then is no longer. Ours. */
MPROC_NODISCARD MPROC_API mproc_status mproc_lock_recover(mproc_lock *lock, int64_t timeout_ms);

/* Returns whether somebody holds it, or did when it ended (Python: locked()). Does not block. */
MPROC_API bool mproc_lock_locked(const mproc_lock *lock);

/* ---- RLock ------------------------------------------------------------------------------------ */

/* As mproc_lock_create() (Python: RLock()). */
static inline mproc_status mproc_rlock_create(const mproc_lock_options *options, mproc_rlock **out);

/* Drops the reference, as mproc_lock_free(). */
MPROC_API void mproc_rlock_free(mproc_rlock *rlock);

/*
 * As mproc_lock_acquire(); a thread that holds it acquires it once more, and must release it as often.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_rlock_acquire(mproc_rlock *rlock, int64_t timeout_ms);

/*
 * Releases it once (Python: release()). Does not block.
 *
 * Returns MPROC_OK, or, with nothing changed:
 *   MPROC_NOT_OWNER   this thread does not hold it
 *   MPROC_OWNER_DIED  it is abandoned
 */
MPROC_API mproc_status mproc_rlock_release(mproc_rlock *rlock);

/* As mproc_lock_recover(). */
MPROC_NODISCARD MPROC_API mproc_status mproc_rlock_recover(mproc_rlock *rlock, int64_t timeout_ms);

/* As mproc_lock_locked(). */
MPROC_API bool mproc_rlock_locked(const mproc_rlock *rlock);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_lock_create_sized(const mproc_lock_options *options, size_t options_size,
                                               mproc_lock **out);
MPROC_API mproc_status mproc_rlock_create_sized(const mproc_lock_options *options, size_t options_size,
                                                mproc_rlock **out);

static inline mproc_status mproc_lock_create(const mproc_lock_options *options, mproc_lock **out)
{
    return mproc_lock_create_sized(options, sizeof(mproc_lock_options), out);
}

static inline mproc_status mproc_rlock_create(const mproc_lock_options *options, mproc_rlock **out)
{
    return mproc_rlock_create_sized(options, sizeof(mproc_lock_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_lock_create(const mproc_lock_options &options, mproc_lock **out)
{
    return mproc_lock_create_sized(&options, sizeof options, out);
}

static inline mproc_status mproc_rlock_create(const mproc_lock_options &options, mproc_rlock **out)
{
    return mproc_rlock_create_sized(&options, sizeof options, out);
}
#endif

#endif
