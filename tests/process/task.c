/* What a task leaves behind when it returns: a lock that it has, what it and the tasks of its pools have printed. */
#include <stdio.h>
#include <string.h>

#include <mproc/mproc.h>

#include "process_fixture.h"

/* ---- locks ------------------------------------------------------------------------------------ */

static mproc_status finds_it_abandoned(mproc_call *call)
{
    mproc_lock *lock;

    MPROC_TRY(mproc_unpack(call, &lock));
    CHECK_STATUS(mproc_lock_acquire(lock, MPROC_FOREVER), MPROC_OWNER_DIED);
    return MPROC_OK;
}

/* Its child waits for the lock, and at its end it waits for the child. */
static mproc_status keeps_a_lock_from_its_child(mproc_call *call)
{
    mproc_process *child;
    mproc_lock *lock;

    MPROC_TRY(mproc_unpack(call, &lock));
    MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    MPROC_TRY(mproc_process_create(finds_it_abandoned, MPROC_ARGS(lock), NULL, &child));
    MPROC_TRY(mproc_process_start(child));
    mproc_process_free(child);
    return MPROC_OK;
}

static void case_a_lock_that_a_task_keeps_is_abandoned_before_its_process_waits(void)
{
    mproc_process *process;
    mproc_lock *lock;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_process_create(keeps_a_lock_from_its_child, MPROC_ARGS(lock), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    mproc_lock_free(lock);
}

/* ---- output ----------------------------------------------------------------------------------- */

enum { LINES = 40 };

static mproc_status prints(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    printf("<%d>\n", *(const int *)item);
    return MPROC_OK;
}

static int helper_prints_in_a_pool(const char *text)
{
    int items[LINES];
    mproc_pool *pool;

    (void)text;
    for (int i = 0; i < LINES; i++) items[i] = i;
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    CHECK_OK(mproc_pool_map(pool, prints, items, sizeof *items, NULL, 0, LINES, NULL));
    mproc_pool_free(pool);
    return 0;
}

/* Into a pipe or a file, where the C library keeps it in a buffer; free() kills the workers. */
static void case_what_tasks_of_a_pool_print_arrives(void)
{
    fixture_run run = {.helper = "process_task.prints_in_a_pool"};
    char line[16];

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "<%d>", i);
        CHECK_CONTAINS(run.output, line);
    }
}

CHECK_SUITE_SETUP(process_task, fixture_setup,
    CASE(a_lock_that_a_task_keeps_is_abandoned_before_its_process_waits),
    CASE(what_tasks_of_a_pool_print_arrives),
    HELPER(prints_in_a_pool),
);
