#include "process/all_objects.h"

void all_objects_create(things *all)
{
    CHECK_OK(mproc_lock_create(NULL, &all->lock));
    CHECK_OK(mproc_rlock_create(NULL, &all->rlock));
    CHECK_OK(mproc_semaphore_create(0, NULL, &all->semaphore));
    CHECK_OK(mproc_condition_create(NULL, &all->condition));
    CHECK_OK(mproc_event_create(&all->event));
    CHECK_OK(mproc_barrier_create(1, NULL, &all->barrier));
    CHECK_OK(mproc_shared_value_create(sizeof(int64_t), NULL, NULL, &all->value));
    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), ALL_OBJECTS_ITEMS, NULL, NULL, &all->array));
}

void all_objects_free(const things *all)
{
    mproc_lock_free(all->lock);
    mproc_rlock_free(all->rlock);
    mproc_semaphore_free(all->semaphore);
    mproc_condition_free(all->condition);
    mproc_event_free(all->event);
    mproc_barrier_free(all->barrier);
    mproc_shared_value_free(all->value);
    mproc_shared_array_free(all->array);
}

/* ---- in tasks ----------------------------------------------------------------------------------- */

mproc_status all_objects_unpack(const mproc_call *call, things *all)
{
    return mproc_unpack(call, &all->lock, &all->rlock, &all->semaphore, &all->condition, &all->event, &all->barrier,
                        &all->value, &all->array);
}

mproc_status all_objects_from(mproc_value list, things *all)
{
    CHECK_EQ(mproc_value_count(list), 8);
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 0), &all->lock));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 1), &all->rlock));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 2), &all->semaphore));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 3), &all->condition));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 4), &all->event));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 5), &all->barrier));
    MPROC_TRY(mproc_value_to(mproc_value_at(list, 6), &all->value));
    return mproc_value_to(mproc_value_at(list, 7), &all->array);
}

/* ---- used --------------------------------------------------------------------------------------- */

static void use_locks(const things *all)
{
    CHECK_OK(mproc_lock_acquire(all->lock, check_limit_ms()));
    CHECK_OK(mproc_rlock_acquire(all->rlock, check_limit_ms()));
    CHECK_OK(mproc_rlock_acquire(all->rlock, 0));
    CHECK_OK(mproc_rlock_release(all->rlock));
    CHECK_OK(mproc_rlock_release(all->rlock));
    CHECK_OK(mproc_lock_release(all->lock));
    CHECK_OK(mproc_condition_acquire(all->condition, check_limit_ms()));
    CHECK_OK(mproc_condition_notify_all(all->condition));
    CHECK_OK(mproc_condition_release(all->condition));
}

static void use_memory(const things *all)
{
    int64_t *items = mproc_shared_array_data(all->array);
    int i;

    CHECK_OK(mproc_shared_value_acquire(all->value, check_limit_ms()));
    ++*(int64_t *)mproc_shared_value_data(all->value);
    CHECK_OK(mproc_shared_value_release(all->value));
    CHECK_OK(mproc_shared_array_acquire(all->array, check_limit_ms()));
    for (i = 0; i < ALL_OBJECTS_ITEMS; i++) items[i] += i;
    CHECK_OK(mproc_shared_array_release(all->array));
}

void all_objects_use(const things *all)
{
    use_locks(all);
    CHECK_OK(mproc_semaphore_release(all->semaphore));
    CHECK_OK(mproc_event_set(all->event));
    CHECK_OK(mproc_barrier_wait(all->barrier, check_limit_ms(), NULL));
    use_memory(all);
}

void all_objects_check(const things *all, int uses)
{
    int64_t value, items[ALL_OBJECTS_ITEMS];
    int i;

    CHECK(!mproc_lock_locked(all->lock) && !mproc_rlock_locked(all->rlock));
    CHECK_EQ(mproc_semaphore_value(all->semaphore), uses);
    CHECK_EQ(mproc_event_is_set(all->event), uses > 0);
    CHECK(!mproc_barrier_broken(all->barrier));
    CHECK_OK(mproc_shared_value_get(all->value, &value, sizeof value));
    CHECK_EQ(value, uses);
    CHECK_OK(mproc_shared_array_get(all->array, 0, ALL_OBJECTS_ITEMS, items));
    for (i = 0; i < ALL_OBJECTS_ITEMS; i++) CHECK_EQ(items[i], (int64_t)uses * i);
}
