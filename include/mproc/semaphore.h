/*
 * Semaphores: a number of permits (Python: Semaphore and BoundedSemaphore). What <mproc/lock.h> says once for all
 * objects is said for these, too.
 */
#ifndef MPROC_SEMAPHORE_H
#define MPROC_SEMAPHORE_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_semaphore mproc_semaphore;

/* The largest number of permits. */
#define MPROC_SEMAPHORE_MAX 0x7FFFFFFF

/* Zero in a field is its default. */
typedef struct mproc_semaphore_options {
    /* Never more permits than at the beginning (Python: BoundedSemaphore). Exact, however many release at once. */
    bool bounded;
    /*
     * Permits belong to the reference by which a process acquired them: only by that are they released, and when
     * the process ends, killed or not, or frees the reference, they come back. Ours; by default permits have no
     * owner, and those of a dead process are gone.
     */
    bool owned;
} mproc_semaphore_options;

/*
 * Creates a semaphore with `value` permits. Does not block. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or `value` is negative or above MPROC_SEMAPHORE_MAX
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_semaphore_create(int64_t value, const mproc_semaphore_options *options,
                                                  mproc_semaphore **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_semaphore_free(mproc_semaphore *semaphore);

/*
 * Takes one permit (Python: acquire()). Blocks until there is one, at most `timeout_ms` milliseconds (MPROC_FOREVER:
 * no limit; 0: only tries).
 *
 * Returns MPROC_OK, or, with nothing taken:
 *   MPROC_TIMEOUT      there was none in time
 *   MPROC_CLOSED       it was freed in this process meanwhile
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_INVALID      `timeout_ms` is negative
 *   MPROC_NO_MEMORY    `owned`: there is no room to keep account of this process' permits
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_semaphore_acquire(mproc_semaphore *semaphore, int64_t timeout_ms);

/*
 * Gives one permit back (Python: release()). Does not block.
 *
 * Returns MPROC_OK, or, with nothing changed:
 *   MPROC_BAD_STATE  `bounded`: there are as many as at the beginning; or there are MPROC_SEMAPHORE_MAX
 *   MPROC_NOT_OWNER  `owned`: this reference has acquired none that it has not released
 *   MPROC_NO_MEMORY  `owned`: there is no room to keep account of this process' permits
 */
MPROC_API mproc_status mproc_semaphore_release(mproc_semaphore *semaphore);

/* Returns how many permits there are now (Python: get_value()). Does not block. */
MPROC_API int64_t mproc_semaphore_value(const mproc_semaphore *semaphore);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_semaphore_create_sized(int64_t value, const mproc_semaphore_options *options,
                                                    size_t options_size, mproc_semaphore **out);

static inline mproc_status mproc_semaphore_create(int64_t value, const mproc_semaphore_options *options,
                                                  mproc_semaphore **out)
{
    return mproc_semaphore_create_sized(value, options, sizeof(mproc_semaphore_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_semaphore_create(int64_t value, const mproc_semaphore_options &options,
                                                  mproc_semaphore **out)
{
    return mproc_semaphore_create_sized(value, &options, sizeof options, out);
}
#endif

#endif
