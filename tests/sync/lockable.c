#include "sync/lockable.h"

#include "base/handle.h"
#include "process/process_fixture.h"

const mproc_object_kind lockables[LOCKABLES] = {MPROC_KIND_LOCK, MPROC_KIND_RLOCK, MPROC_KIND_SHARED_VALUE,
                                                MPROC_KIND_SHARED_ARRAY};

/* What a program has of an object begins with what refers to it. */
static mproc_object_kind kind_of(const void *object)
{
    return (mproc_object_kind)((const struct handle_ref *)object)->kind;
}

/* ---- making ------------------------------------------------------------------------------------- */

/* The items' lock is their own, or, with the option, one that lives with them alone. */
static void *create_items(mproc_object_kind kind, bool recover)
{
    mproc_shared_options options = {.rlock = recover ? lockable_create(MPROC_KIND_RLOCK, true) : NULL};
    mproc_shared_value *value = NULL;
    mproc_shared_array *array = NULL;

    if (kind == MPROC_KIND_SHARED_VALUE) CHECK_OK(mproc_shared_value_create(8, NULL, &options, &value));
    else CHECK_OK(mproc_shared_array_create(8, 3, NULL, &options, &array));
    mproc_rlock_free(options.rlock);
    return value != NULL ? (void *)value : (void *)array;
}

void *lockable_create(mproc_object_kind kind, bool recover)
{
    mproc_lock_options options = {.ignore_abandoned = recover};
    mproc_rlock *rlock = NULL;
    mproc_lock *lock = NULL;

    if (kind != MPROC_KIND_LOCK && kind != MPROC_KIND_RLOCK) return create_items(kind, recover);
    if (kind == MPROC_KIND_LOCK) CHECK_OK(mproc_lock_create(&options, &lock));
    else CHECK_OK(mproc_rlock_create(&options, &rlock));
    return lock != NULL ? (void *)lock : (void *)rlock;
}

void lockable_free(void *object)
{
    if (kind_of(object) == MPROC_KIND_LOCK) mproc_lock_free(object);
    else if (kind_of(object) == MPROC_KIND_RLOCK) mproc_rlock_free(object);
    else if (kind_of(object) == MPROC_KIND_SHARED_VALUE) mproc_shared_value_free(object);
    else mproc_shared_array_free(object);
}

/* ---- using -------------------------------------------------------------------------------------- */

mproc_status lockable_acquire(void *object, int64_t timeout_ms)
{
    if (kind_of(object) == MPROC_KIND_LOCK) return mproc_lock_acquire(object, timeout_ms);
    if (kind_of(object) == MPROC_KIND_RLOCK) return mproc_rlock_acquire(object, timeout_ms);
    if (kind_of(object) == MPROC_KIND_SHARED_VALUE) return mproc_shared_value_acquire(object, timeout_ms);
    return mproc_shared_array_acquire(object, timeout_ms);
}

mproc_status lockable_release(void *object)
{
    if (kind_of(object) == MPROC_KIND_LOCK) return mproc_lock_release(object);
    if (kind_of(object) == MPROC_KIND_RLOCK) return mproc_rlock_release(object);
    if (kind_of(object) == MPROC_KIND_SHARED_VALUE) return mproc_shared_value_release(object);
    return mproc_shared_array_release(object);
}

mproc_status lockable_recover(void *object, int64_t timeout_ms)
{
    if (kind_of(object) == MPROC_KIND_LOCK) return mproc_lock_recover(object, timeout_ms);
    if (kind_of(object) == MPROC_KIND_RLOCK) return mproc_rlock_recover(object, timeout_ms);
    if (kind_of(object) == MPROC_KIND_SHARED_VALUE) return mproc_shared_value_recover(object, timeout_ms);
    return mproc_shared_array_recover(object, timeout_ms);
}

bool lockable_nests(const void *object)
{
    return kind_of(object) != MPROC_KIND_LOCK;
}

/* ---- judging ------------------------------------------------------------------------------------ */

/* Of those that can be asked. */
static void check_locked(const void *object, bool locked)
{
    if (kind_of(object) == MPROC_KIND_LOCK) CHECK_EQ(mproc_lock_locked(object), locked);
    if (kind_of(object) == MPROC_KIND_RLOCK) CHECK_EQ(mproc_rlock_locked(object), locked);
}

void lockable_check_free(void *object)
{
    bool nests = lockable_nests(object);

    check_locked(object, false);
    CHECK_OK(lockable_acquire(object, 0));
    check_locked(object, true);
    CHECK_STATUS(lockable_acquire(object, 1), nests ? MPROC_OK : MPROC_TIMEOUT);
    if (nests) CHECK_OK(lockable_release(object));
    CHECK_OK(lockable_release(object));
    CHECK_STATUS(lockable_release(object), nests ? MPROC_NOT_OWNER : MPROC_BAD_STATE);
    check_locked(object, false);
}

void lockable_check_abandoned(void *object)
{
    int i;

    CHECK_SAYS(lockable_acquire(object, MPROC_FOREVER), MPROC_OWNER_DIED, "abandoned");
    for (i = 0; i < 2; i++) CHECK_STATUS(lockable_acquire(object, i), MPROC_OWNER_DIED);
    CHECK_STATUS(lockable_release(object), MPROC_OWNER_DIED);
    check_locked(object, true);
}

void lockable_check_recovers(void *object)
{
    CHECK_OK(lockable_recover(object, 0));
    CHECK_OK(lockable_release(object));
    lockable_check_free(object);
}
