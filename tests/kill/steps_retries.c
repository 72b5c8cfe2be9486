/*
 * Tasks that are begun again when they were lost with their worker. Promised: whoever is killed, each is done in the
 * end, by one at a time, with what it was given at first; the result says how often it was begun; and what it was
 * given, and what a dead worker was about to say, is given back once.
 */
#include "steps_tasks.h"

#include "object/parcel.h"
#include "pool/segments.h"
#include "pool/tasks.h"
#include "pool/workers.h"

#include <stdlib.h>

static void begin(void *state, mproc_function *function, int tasks)
{
    test_tasks_begin(state);
    test_tasks_retries = 1;
    for (int i = 0; i < tasks; i++) test_tasks_submit(i, function);
}

static void begin_small(void *state)
{
    begin(state, test_tasks_square, TASKS);
    test_tasks_close();
}

static void begin_parcels(void *state)
{
    begin(state, test_tasks_pass, 2);
    test_tasks_close();
}

static void begin_failing(void *state)
{
    begin(state, test_tasks_fail, 2);
    test_tasks_close();
}

/* None is lost: the second attempt is another worker's, or the victim's successor's. */
static const char *check(void *state, bool completed)
{
    for (int i = 0; i < TASKS; i++) {
        const mproc_result *result = test_tasks_results[i];
        if (!result || !test_tasks_was_taken(i)) continue;
        if (task_state_of(atomic_load(&result->slot->word), result->position) != TASK_READY)
            return step_says("task %d does not wait to be begun again", i);
    }
    return test_tasks_check(state, completed);
}

/* ---- taken from another --------------------------------------------------------------------------- */

static struct pool_worker *part(uint32_t index)
{
    return pool_worker_at(test_tasks_pool->shared, index);
}

static void begin_reserved(void *state)
{
    struct pool_stream *stream;
    uint64_t head;

    begin(state, test_tasks_square, 1);
    stream = test_tasks_pool->tasks->stream;
    head = test_tasks_results[0]->position;
    atomic_store(&part(OTHER)->range_from, head);
    atomic_store(&part(OTHER)->range_to, head + 1);
    atomic_store(&part(OTHER)->range_job, POOL_TASKS + 1);
    atomic_store(&stream->head, head + 1);
    test_tasks_close();
}

/* Who had reserved it has found it begun, and has gone on. */
static void recover_reserved(void *state)
{
    const mproc_result *result = test_tasks_results[0];

    test_family_recover(state);
    if (thread_self.process != test_family_root) return;
    if (task_state_of(atomic_load(&result->slot->word), result->position) != TASK_READY)
        atomic_store(&part(OTHER)->range_job, 0);
    test_tasks_bury();
}

/* ---- the pool's owner ----------------------------------------------------------------------------- */

/* Another worker is in the first task, and about to say what it returns. */
static void be_taken(void)
{
    const mproc_result *result = test_tasks_results[0];
    struct owned_segment *segment = segment_at(test_tasks_pool->tasks, result->position / TASK_SEGMENT);
    _Atomic uint64_t *link = &segment->shared->results[result->position % TASK_SEGMENT], *owned = NULL;

    if (resource_slot_take(&owned) != MPROC_OK || parcel_create(work_intent(), 8, 0, owned) != MPROC_OK) abort();
    object_refer(work_intent(), atomic_load(owned), link, OBJECT_GIVEN);
    resource_release(owned);
    result->slot->form = TASK_PARCEL;
    atomic_store(&part(OTHER)->request.at, at_work(POOL_TASKS, result->position));
    atomic_store(&result->slot->word, task_word(result->position, OTHER, TASK_TAKEN));
}

/* It is queued again, as if nobody had taken it. */
static void be_given_back(void)
{
    const mproc_result *result = test_tasks_results[0];

    atomic_store(&part(OTHER)->request.at, 0);
    atomic_store(&result->slot->word, task_word(result->position, 0, TASK_READY));
}

static void make_pool(void)
{
    test_tasks_create_pool();
    test_tasks_retries = 1;
    test_tasks_submit(0, test_tasks_pass);
    test_tasks_submit(1, test_tasks_square);
    be_taken();
}

/* The victim has a pool of its own; the root shows once how much memory that takes. */
static void begin_owner(void *state)
{
    mproc_pool *of_root;

    test_tasks_begin(state);
    test_tasks_close();
    of_root = test_tasks_pool;
    make_pool();
    test_tasks_keep();
    test_tasks_watch();
    be_given_back();
    test_tasks_free_pool(true);
    test_tasks_forget(of_root);
    test_tasks_retries = 0;
}

static void enter_owner(void *state)
{
    test_family_enter_victim(state);
    make_pool();
}

/* Its worker dies, and the task is begun again, and lost for good with another. */
static void own(void *state)
{
    mproc_pool *pool = test_tasks_pool;

    (void)state;
    for (int i = 0; i < 2; i++) {
        plat_mutex_lock(&pool->mutex);
        workers_lost(&pool->records[OTHER], "worker 'Other' was killed");
        plat_mutex_unlock(&pool->mutex);
        if (i == 0) be_taken();
    }
    if (mproc_result_get(test_tasks_results[0], NULL, 0) != MPROC_WORKER_LOST) abort();
    for (int i = 0; i < 2; i++) mproc_result_free(test_tasks_results[i]);
}

static const step_scenario scenarios[] = {
    {.name = "retries.small",
     .setup = begin_small,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .check = check,
     RECOVERED},
    {.name = "retries.parcels",
     .setup = begin_parcels,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = check,
     RECOVERED},
    {.name = "retries.failing",
     .setup = begin_failing,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = check,
     RECOVERED},
    {.name = "retries.reserved",
     .setup = begin_reserved,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_reserved,
     .check = check,
     .teardown = test_family_end,
     .sparse = true},
    {.name = "retries.owner",
     .setup = begin_owner,
     .enter = enter_owner,
     .operation = own,
     .recover = test_tasks_recover, /* how what it had ends if that is killed, too, is shown by object.* */
     .check = test_tasks_check,
     .teardown = test_family_end},
};

const steps_table steps_retries = STEPS_TABLE(scenarios);
