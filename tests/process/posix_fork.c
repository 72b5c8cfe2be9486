/*
 * fork() copies of members, such as daemon() and servers with workers of their own make them: each may have a family
 * of its own, and what it has copied of its origin's stays that one's.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/all_objects.h"
#include "process/process_fixture_os.h"

static int in_a_copy(void (*function)(void *), void *context)
{
    return fixture_in_a_copy(function, context, exit);
}

/* ---- a family of its own ------------------------------------------------------------------------ */

static mproc_status uses_all(mproc_call *call)
{
    things all;

    MPROC_TRY(all_objects_unpack(call, &all));
    all_objects_use(&all);
    return MPROC_OK;
}

static mproc_status doubles(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int64_t *)result = 2 * *(const int64_t *)item;
    return MPROC_OK;
}

static void check_objects(void)
{
    mproc_process *process;
    things all;

    all_objects_create(&all);
    all_objects_use(&all);
    CHECK_OK(mproc_process_create(uses_all, ALL_OBJECTS_LIST(&all), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    all_objects_check(&all, 2);
    all_objects_free(&all);
}

static void check_pool(void)
{
    int64_t items[] = {1, 2, 3}, results[3] = {0};
    mproc_pool *pool;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    CHECK_OK(mproc_pool_map(pool, doubles, items, sizeof *items, results, sizeof *results, 3, NULL));
    CHECK_EQ(results[2], 6);
    mproc_pool_free(pool);
}

static void check_family(void)
{
    CHECK_STRING(mproc_process_name(mproc_current_process()), "MainProcess");
    CHECK_EQ(mproc_process_pid(mproc_current_process()), getpid());
    CHECK(mproc_parent_process() == NULL);
    CHECK_EQ(fixture_active_count(), 0);
    CHECK_OK(mproc_sleep_ms(1));
    check_objects();
    check_pool();
}

static void has_a_family(void *unused)
{
    (void)unused;
    check_family();
}

static void case_a_copy_has_a_family_of_its_own(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_EQ(in_a_copy(has_a_family, NULL), 5);
    CHECK(mproc_process_is_alive(process));
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    check_objects();
    fixture_board_free(board);
}

static void has_a_copy(void *unused)
{
    (void)unused;
    check_objects();
    CHECK_EQ(in_a_copy(has_a_family, NULL), 5);
    check_objects();
}

static void case_a_copy_of_a_copy_has_one_as_well(void)
{
    CHECK_EQ(in_a_copy(has_a_copy, NULL), 5);
}

static mproc_status has_a_copy_in_its_task(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    CHECK(mproc_parent_process() != NULL);
    CHECK_EQ(in_a_copy(has_a_family, NULL), 5);
    fixture_step(board);
    CHECK(mproc_parent_process() != NULL);
    check_objects();
    return MPROC_OK;
}

static void case_a_copy_of_a_child_has_one_as_well(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(has_a_copy_in_its_task, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->step), 1);
    fixture_board_free(board);
}

static mproc_status sleeps(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void has_a_daemon(void *pid)
{
    mproc_process *process = fixture_start(sleeps, NULL, 0, &(mproc_process_options){.daemon = MPROC_YES});

    *(int64_t *)pid = mproc_process_pid(process);
}

static void case_exit_of_a_copy_ends_its_own_daemons_alone(void)
{
    mproc_shared_memory *memory;
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_YES});
    int64_t *pid;

    fixture_await_step(board, 1);
    CHECK_OK(mproc_shared_memory_create(sizeof *pid, NULL, &memory));
    pid = mproc_shared_memory_data(memory);
    CHECK_EQ(in_a_copy(has_a_daemon, pid), 5);
    CHECK(*pid != 0 && fixture_is_gone(*pid));
    CHECK(mproc_process_is_alive(daemon));
    CHECK_OK(mproc_process_kill(daemon));
    CHECK_ENDED_BY(daemon, 9);
    mproc_shared_memory_free(memory);
    fixture_board_free(board);
}

/* ---- what it has copied ------------------------------------------------------------------------- */

static void check_sync_refused(const things *all)
{
    CHECK_SAYS(mproc_lock_acquire(all->lock, MPROC_FOREVER), MPROC_FORKED, "is a fork() copy");
    CHECK_STATUS(mproc_lock_release(all->lock), MPROC_FORKED);
    CHECK_STATUS(mproc_lock_recover(all->lock, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_rlock_acquire(all->rlock, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_rlock_release(all->rlock), MPROC_FORKED);
    CHECK_STATUS(mproc_semaphore_acquire(all->semaphore, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_semaphore_release(all->semaphore), MPROC_FORKED);
    CHECK_STATUS(mproc_condition_acquire(all->condition, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_condition_wait(all->condition, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_condition_notify(all->condition, 1), MPROC_FORKED);
    CHECK_STATUS(mproc_condition_release(all->condition), MPROC_FORKED);
    CHECK_STATUS(mproc_event_set(all->event), MPROC_FORKED);
    CHECK_STATUS(mproc_event_clear(all->event), MPROC_FORKED);
    CHECK_STATUS(mproc_event_wait(all->event, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_barrier_wait(all->barrier, 0, NULL), MPROC_FORKED);
    CHECK_STATUS(mproc_barrier_abort(all->barrier), MPROC_FORKED);
}

static void check_memory_refused(const things *all)
{
    int64_t value;

    CHECK_STATUS(mproc_shared_value_acquire(all->value, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_shared_value_release(all->value), MPROC_FORKED);
    CHECK_STATUS(mproc_shared_value_get(all->value, &value, sizeof value), MPROC_FORKED);
    CHECK_STATUS(mproc_shared_array_acquire(all->array, 0), MPROC_FORKED);
    CHECK_EQ(*(int64_t *)mproc_shared_value_data(all->value), 1); /* to look is possible, as it always was */
    CHECK(mproc_rlock_locked(all->rlock));
}

/* With a family of its own: what it gives to others may not be its origin's. */
static void check_giving_refused(const things *all)
{
    mproc_process *process = NULL;
    mproc_condition *condition = NULL;
    mproc_shared_value *value = NULL;

    CHECK_STATUS(mproc_process_create(fixture_does_nothing, MPROC_ARGS(all->lock), NULL, &process), MPROC_CLOSED);
    CHECK_STATUS(mproc_condition_create(&(mproc_condition_options){.lock = all->lock}, &condition), MPROC_FORKED);
    CHECK_STATUS(mproc_shared_value_create(8, NULL, &(mproc_shared_options){.rlock = all->rlock}, &value),
                 MPROC_FORKED);
    CHECK(process == NULL && condition == NULL && value == NULL);
}

static void uses_a_list_that_it_has_copied(void *context)
{
    mproc_shareable_list *list = context;
    mproc_value value = mproc_nil();
    size_t number = 7;

    for (int i = 0; i < 2; i++) {
        CHECK_SAYS(mproc_shareable_list_set(list, 0, mproc_int(2)), MPROC_FORKED, "is a fork() copy");
        CHECK_STATUS(mproc_shareable_list_get(list, 0, &value), MPROC_FORKED);
        CHECK_STATUS(mproc_shareable_list_index_of(list, mproc_int(1), &number), MPROC_FORKED);
        CHECK_STATUS(mproc_shareable_list_count_of(list, mproc_int(1), &number), MPROC_FORKED);
        CHECK_STATUS(mproc_shareable_list_items(list, &value), MPROC_FORKED);
        CHECK(number == 7 && mproc_value_type(value) == MPROC_TYPE_NIL);
        check_objects(); /* with a family of its own, the same */
    }
}

static void case_list_of_its_origin_is_refused(void)
{
    mproc_shareable_list *list;
    int64_t number = 0;
    mproc_value value;

    CHECK_OK(mproc_shareable_list_create(MPROC_LIST(1), NULL, &list));
    CHECK_EQ(in_a_copy(uses_a_list_that_it_has_copied, list), 5);
    CHECK_OK(mproc_shareable_list_get(list, 0, &value));
    CHECK_OK(mproc_value_to(value, &number));
    CHECK_EQ(number, 1);
    mproc_shareable_list_free(list);
}

static void uses_what_it_has_copied(void *context)
{
    things *all = context, own;

    check_sync_refused(all);
    check_memory_refused(all);
    all_objects_create(&own);
    check_sync_refused(all);
    check_memory_refused(all);
    check_giving_refused(all);
    all_objects_free(all);
    all_objects_use(&own);
    all_objects_check(&own, 1);
    all_objects_free(&own);
}

static void case_objects_of_its_origin_are_refused(void)
{
    things all;

    all_objects_create(&all);
    all_objects_use(&all);
    CHECK_OK(mproc_rlock_acquire(all.rlock, 0));
    CHECK_EQ(in_a_copy(uses_what_it_has_copied, &all), 5);
    CHECK_OK(mproc_rlock_release(all.rlock));
    all_objects_check(&all, 1);
    all_objects_free(&all);
}

static void uses_its_origins_pool(void *context)
{
    mproc_pool *pool = context;
    int64_t item = 1, result = 0, pid;

    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(mproc_pool_map(pool, doubles, &item, sizeof item, &result, sizeof result, 1, NULL),
                     MPROC_FORKED);
        CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), MPROC_FORKED);
        CHECK_EQ(mproc_pool_pids(pool, &pid, 1), 0);
        mproc_pool_close(pool);
        mproc_pool_terminate(pool);
        check_objects();
    }
    mproc_pool_free(pool);
    if (FIXTURE_SANITIZED) _exit(5); /* what the pool has of its workers stays, and looks like a leak */
}

static void case_pools_of_its_origin_are_refused(void)
{
    int64_t item = 4, result = 0;
    mproc_pool *pool;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = MPROC_PROCESSES}, &pool));
    CHECK_EQ(in_a_copy(uses_its_origins_pool, pool), 5);
    CHECK_OK(mproc_pool_map(pool, doubles, &item, sizeof item, &result, sizeof result, 1, NULL));
    CHECK_EQ(result, 8);
    mproc_pool_free(pool);
}

/* ---- locks that another thread of its origin had ------------------------------------------------- */

static _Atomic bool acquires_no_more;

static void acquire_first(void)
{
    mproc_semaphore *semaphore = NULL;

    CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = true}, &semaphore));
    CHECK_OK(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
    CHECK_OK(mproc_semaphore_release(semaphore));
    mproc_semaphore_free(semaphore);
}

/* The first acquire of each takes a lock of all semaphores of the process. */
static void acquires(void *unused)
{
    (void)unused;
    while (!atomic_load(&acquires_no_more)) acquire_first();
}

static void acquires_once(void *unused)
{
    (void)unused;
    acquire_first();
}

static void case_copy_has_semaphores_whatever_other_threads_did(void)
{
    plat_thread *thread;

    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer's own malloc() is locked for ever in a copy of one who was in it");
    CHECK_OK(plat_thread_start(acquires, NULL, &thread));
    for (int i = 0; i < 60; i++) CHECK_EQ(fixture_in_a_copy(acquires_once, NULL, _exit), 5);
    atomic_store(&acquires_no_more, true);
    plat_thread_join(thread);
}

/* ---- values that name its origin's objects -------------------------------------------------------- */

static void finds_no_event(void *value)
{
    mproc_event *own = NULL, *found = NULL;

    CHECK_OK(mproc_event_create(&own)); /* at the place where its origin has that one, perhaps */
    CHECK_STATUS(mproc_value_to(*(mproc_value *)value, &found), MPROC_CLOSED);
    mproc_event_free(own);
}

static mproc_status has_an_event_and_a_copy(mproc_call *call)
{
    mproc_event *event = NULL;
    mproc_value value;

    (void)call;
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_value_copy(MPROC_VALUE(event), &value));
    CHECK_EQ(in_a_copy(finds_no_event, &value), 5);
    mproc_value_clear(&value);
    mproc_event_free(event);
    return MPROC_OK;
}

static void starts_one_that_has_a_copy(void *unused)
{
    mproc_process *process = NULL;

    (void)unused;
    CHECK_OK(mproc_process_create(has_an_event_and_a_copy, mproc_nil(), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    CHECK(mproc_exit_ok(mproc_process_exit_status(process)));
    mproc_process_free(process);
}

/* The copy's child is a process' first family, and so is the copy of that: whatever the count, no two look alike. */
static void case_copy_of_a_copys_child_finds_no_object_by_an_old_value(void)
{
    CHECK_EQ(in_a_copy(starts_one_that_has_a_copy, NULL), 5);
}

static void finds_no_array(void *value)
{
    mproc_shared_array *found = NULL;
    mproc_event *own = NULL;

    CHECK_OK(mproc_event_create(&own));
    CHECK_STATUS(mproc_value_to(*(mproc_value *)value, &found), MPROC_CLOSED);
    mproc_event_free(own);
}

/* Where that lies, the copy's own shared memory has not been committed. */
static void case_large_object_of_its_origin_is_not_looked_for(void)
{
    mproc_shared_array *array = NULL;
    mproc_value value;

    CHECK_OK(mproc_shared_array_create(1, 100000, NULL, NULL, &array));
    CHECK_OK(mproc_value_copy(MPROC_VALUE(array), &value));
    CHECK_EQ(in_a_copy(finds_no_array, &value), 5);
    mproc_value_clear(&value);
    mproc_shared_array_free(array);
}

CHECK_SUITE_SETUP(posix_fork, fixture_setup,
    CASE(a_copy_has_a_family_of_its_own),
    CASE(a_copy_of_a_copy_has_one_as_well),
    CASE(a_copy_of_a_child_has_one_as_well),
    CASE(exit_of_a_copy_ends_its_own_daemons_alone),
    CASE(objects_of_its_origin_are_refused),
    CASE(list_of_its_origin_is_refused),
    CASE(pools_of_its_origin_are_refused),
    CASE(copy_has_semaphores_whatever_other_threads_did),
    CASE(copy_of_a_copys_child_finds_no_object_by_an_old_value),
    CASE(large_object_of_its_origin_is_not_looked_for),
);
