/*
 * Shared memory with a lock: one item (Python: Value), or an array of items (Python: Array). Their memory is ordinary
 * memory of each process that has a reference - at another address in each - and belongs to who holds the lock.
 *
 *     mproc_shared_value *counter;
 *     mproc_check(mproc_shared_value_create(sizeof(int64_t), NULL, NULL, &counter));
 *     ...
 *     MPROC_TRY(mproc_shared_value_acquire(counter, MPROC_FOREVER));
 *     ++*(int64_t *)mproc_shared_value_data(counter);
 *     MPROC_TRY(mproc_shared_value_release(counter));
 *
 * What <mproc/lock.h> says once for all objects is said for these, too. Items are plain data, of any type that has no
 * pointers in it; an item's size stands for Python's typecode.
 */
#ifndef MPROC_SHARED_H
#define MPROC_SHARED_H

#include <mproc/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_shared_value mproc_shared_value;
typedef struct mproc_shared_array mproc_shared_array;

/* For both. Zero in a field is its default. */
typedef struct mproc_shared_options {
    /* No lock at all (Python: RawValue, RawArray, lock=False). */
    bool raw;
    /* The lock, one of these at most; it lives at least as long. Default: an rlock of its own. */
    mproc_lock *lock;
    mproc_rlock *rlock;
} mproc_shared_options;

/* ---- one item --------------------------------------------------------------------------------- */

/*
 * Creates an item of `size` bytes: a copy of `*initial`, or zeros if that is NULL (Python: Value()).
 *
 * Does not block, but for moments (see <mproc/lock.h>). All memory that it has is there when it returns: using it
 * never fails for want of memory.
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, `size` is 0, or more than one of the options is given
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_shared_value_create(size_t size, const void *initial,
                                                     const mproc_shared_options *options, mproc_shared_value **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_shared_value_free(mproc_shared_value *value);

/* Returns the item, aligned for every type; it is there until this reference is freed. Never blocks. */
MPROC_API void *mproc_shared_value_data(const mproc_shared_value *value);

/* Returns the item's size in bytes. Never blocks. */
MPROC_API size_t mproc_shared_value_size(const mproc_shared_value *value);

/*
 * Acquires the value's lock. Blocks and returns as mproc_lock_acquire(), or, of an rlock, mproc_rlock_acquire();
 * MPROC_NOT_SUPPORTED if it has none.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_value_acquire(mproc_shared_value *value, int64_t timeout_ms);

/* Releases the lock. Does not block. Returns as mproc_lock_release() or mproc_rlock_release(), or as acquire. */
MPROC_API mproc_status mproc_shared_value_release(mproc_shared_value *value);

/* Takes the value's lock over from an owner that ended. Blocks and returns as mproc_lock_recover(), or as acquire. */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_value_recover(mproc_shared_value *value, int64_t timeout_ms);

/*
 * Copies the item to `out`, under the lock, if there is one (Python: .value). `size` is the item's. Blocks until the
 * lock is free. Returns as acquire, or MPROC_INVALID: `size` is another, or `out` is NULL; `out` is unchanged then.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_value_get(mproc_shared_value *value, void *out, size_t size);

/*
 * Copies `item` to the item, under the lock, if there is one. Blocks and returns as get; the item is unchanged unless
 * it is MPROC_OK.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_value_set(mproc_shared_value *value, const void *item,
                                                              size_t size);

/* ---- an array --------------------------------------------------------------------------------- */

/*
 * Creates an array of `count` items of `item_size` bytes: a copy of the array `initial`, or zeros if that is NULL
 * (Python: Array()). An array of no items is one. Maps of pools use its memory in place. Returns and blocks as
 * mproc_shared_value_create(); MPROC_NO_MEMORY also for more than memory can be.
 */
static inline mproc_status mproc_shared_array_create(size_t item_size, size_t count, const void *initial,
                                                     const mproc_shared_options *options, mproc_shared_array **out);

/* Drops this process' reference, which nobody uses from then on; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_shared_array_free(mproc_shared_array *array);

/* Returns the first item, at the start of a cache line; it is there until this reference is freed. Never blocks. */
MPROC_API void *mproc_shared_array_data(const mproc_shared_array *array);

/* Returns the number of items. Never blocks. */
MPROC_API size_t mproc_shared_array_count(const mproc_shared_array *array);

/* Returns the size of each item in bytes. Never blocks. */
MPROC_API size_t mproc_shared_array_item_size(const mproc_shared_array *array);

/* Acquires the array's lock. Blocks and returns as mproc_shared_value_acquire(). */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_array_acquire(mproc_shared_array *array, int64_t timeout_ms);

/* Releases the array's lock. Does not block. Returns as mproc_shared_value_release(). */
MPROC_API mproc_status mproc_shared_array_release(mproc_shared_array *array);

/* Takes the array's lock over from an owner that ended. Blocks and returns as mproc_shared_value_recover(). */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_array_recover(mproc_shared_array *array, int64_t timeout_ms);

/*
 * Copies `count` items from the item `first` on to `out`, under the lock, if there is one (Python: slices). Blocks
 * until the lock is free. Returns as acquire, or, with `out` unchanged, MPROC_INVALID: they are not all in the array,
 * or `out` is NULL.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_array_get(mproc_shared_array *array, size_t first, size_t count,
                                                              void *out);

/*
 * Copies `count` items from `items` to those from the item `first` on, under the lock, if there is one. Blocks and
 * returns as get; the array is unchanged unless it is MPROC_OK.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_shared_array_set(mproc_shared_array *array, size_t first, size_t count,
                                                              const void *items);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_shared_value_create_sized(size_t size, const void *initial,
                                                       const mproc_shared_options *options, size_t options_size,
                                                       mproc_shared_value **out);
MPROC_API mproc_status mproc_shared_array_create_sized(size_t item_size, size_t count, const void *initial,
                                                       const mproc_shared_options *options, size_t options_size,
                                                       mproc_shared_array **out);

static inline mproc_status mproc_shared_value_create(size_t size, const void *initial,
                                                     const mproc_shared_options *options, mproc_shared_value **out)
{
    return mproc_shared_value_create_sized(size, initial, options, sizeof(mproc_shared_options), out);
}

static inline mproc_status mproc_shared_array_create(size_t item_size, size_t count, const void *initial,
                                                     const mproc_shared_options *options, mproc_shared_array **out)
{
    return mproc_shared_array_create_sized(item_size, count, initial, options, sizeof(mproc_shared_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_shared_value_create(size_t size, const void *initial,
                                                     const mproc_shared_options &options, mproc_shared_value **out)
{
    return mproc_shared_value_create_sized(size, initial, &options, sizeof options, out);
}

static inline mproc_status mproc_shared_array_create(size_t item_size, size_t count, const void *initial,
                                                     const mproc_shared_options &options, mproc_shared_array **out)
{
    return mproc_shared_array_create_sized(item_size, count, initial, &options, sizeof options, out);
}
#endif

#endif
