/*
 * Conditions: wait, with a lock given up meanwhile, until somebody notifies (Python: Condition). What <mproc/lock.h>
 * says once for all objects is said for these, too.
 *
 *     mproc_status status = MPROC_OK;
 *
 *     MPROC_TRY(mproc_condition_acquire(condition, MPROC_FOREVER));
 *     while (!ready && status == MPROC_OK) status = mproc_condition_wait(condition, MPROC_FOREVER);
 *     if (status == MPROC_OK) ...
 *     if (status != MPROC_CLOSED && status != MPROC_OWNER_DIED) MPROC_TRY(mproc_condition_release(condition));
 *     return status;
 *
 * There is no MPROC_TRY around the wait: one that ends early, by a time limit or an interrupt, has the lock again,
 * and must release it.
 */
#ifndef MPROC_CONDITION_H
#define MPROC_CONDITION_H

#include <mproc/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_condition mproc_condition;

/* Zero in a field is its default. */
typedef struct mproc_condition_options {
    /* The condition's lock, one of these at most; it lives at least as long. Default: an rlock of its own. */
    mproc_lock *lock;
    mproc_rlock *rlock;
} mproc_condition_options;

/*
 * Returns whether what is waited for has come about; called with the lock held, in the middle of a wait. So no
 * exception of C++ may leave it: in C++ it is declared noexcept. A fork() copy that returns from it goes on with
 * MPROC_FORKED from its wait.
 */
typedef bool mproc_predicate(void *context) MPROC_NOEXCEPT_;

/*
 * Creates a condition (Python: Condition()). Does not block. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or both locks were given
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_condition_create(const mproc_condition_options *options, mproc_condition **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_condition_free(mproc_condition *condition);

/* Acquires the condition's lock. Blocks and returns as mproc_lock_acquire(), or mproc_rlock_acquire() of an rlock. */
MPROC_NODISCARD MPROC_API mproc_status mproc_condition_acquire(mproc_condition *condition, int64_t timeout_ms);

/* Releases the condition's lock. Does not block. Returns as mproc_lock_release() or mproc_rlock_release(). */
MPROC_API mproc_status mproc_condition_release(mproc_condition *condition);

/* Takes the condition's lock over from an owner that ended. Blocks and returns as mproc_lock_recover(). */
MPROC_NODISCARD MPROC_API mproc_status mproc_condition_recover(mproc_condition *condition, int64_t timeout_ms);

/*
 * Lets the lock go, however often this thread has acquired it, waits until it is notified, and takes the lock back
 * (Python: wait()). It is notified once for each notification; without one it returns only when processes that
 * wait for the same condition are killed.
 *
 * Blocks at most `timeout_ms` milliseconds (MPROC_FOREVER: no limit; 0: it lets the lock go and takes it back), and
 * then until the lock is free.
 *
 * Returns with the lock held as before, or, where it says so, not held:
 *   MPROC_OK           it was notified
 *   MPROC_TIMEOUT      it was not, in time
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_CLOSED       the condition was freed in this process meanwhile: the lock is NOT held
 *   MPROC_NOT_OWNER    this thread does not hold the lock: nothing was done
 *   MPROC_INVALID      `timeout_ms` is negative: nothing was done
 *   MPROC_OWNER_DIED   the lock was abandoned meanwhile: it is NOT held, see mproc_condition_recover()
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_condition_wait(mproc_condition *condition, int64_t timeout_ms);

/*
 * Waits until `predicate(context)` is true (Python: wait_for()); looks at once, and after each notification. Returns
 * as mproc_condition_wait(): MPROC_OK with a true predicate, MPROC_TIMEOUT with one that is still false; and
 * MPROC_INVALID, with nothing done, if `predicate` is NULL.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_condition_wait_for(mproc_condition *condition,
                                                                mproc_predicate *predicate, void *context,
                                                                int64_t timeout_ms);

/*
 * Lets up to `count` of those who wait go on, those who have waited longest first (Python: notify()). They need the
 * lock for that, which this thread holds. Never waits for them (Python's waits for each to wake, and hangs if one was
 * killed). Whoever is killed after it was notified and before it has the lock passes its notification on.
 *
 * Does not block. Returns MPROC_OK, also when nobody waits, or, with nothing changed:
 *   MPROC_NOT_OWNER  this thread does not hold the lock
 *   MPROC_INVALID    `count` is negative
 */
MPROC_API mproc_status mproc_condition_notify(mproc_condition *condition, int count);

/* As mproc_condition_notify(), of all who wait now (Python: notify_all()). */
MPROC_API mproc_status mproc_condition_notify_all(mproc_condition *condition);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_condition_create_sized(const mproc_condition_options *options, size_t options_size,
                                                    mproc_condition **out);

static inline mproc_status mproc_condition_create(const mproc_condition_options *options, mproc_condition **out)
{
    return mproc_condition_create_sized(options, sizeof(mproc_condition_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_condition_create(const mproc_condition_options &options, mproc_condition **out)
{
    return mproc_condition_create_sized(&options, sizeof options, out);
}
#endif

#endif
