/*
 * Workers that come and go. Promised: whoever is killed while it decides to leave, as it has nothing to do, a task
 * that comes before, at that moment or after it has a worker: one that is there, or one that is started for it.
 */
#include "steps_tasks.h"

#include "pool/tasks.h"
#include "pool/workers.h"

#include <stdlib.h>

static int started; /* workers, for the task */
static char somebody;

static mproc_status start(struct worker_record *record)
{
    record->process = (void *)&somebody;
    started++;
    return MPROC_OK;
}

static void kill_nobody(struct worker_record *record)
{
    (void)record;
}

static const struct worker_kind counted = {start, kill_nobody};

static uint32_t cpus;

/* The victim is the only one that is there. Nobody spins, and it leaves as soon as it finds nothing. */
static void begin(void *state)
{
    struct pool_shared *shared;

    test_tasks_begin(state);
    shared = test_tasks_pool->shared;
    test_tasks_pool->kind = &counted;
    test_tasks_pool->records[VICTIM].process = (void *)&somebody;
    shared->kept = 0;
    shared->idle_ns = 1;
    started = 0;
    cpus = arena_header->cpus;
    arena_header->cpus = 1;
}

/* No more than the victim may run: submissions do not look who is there, unless they are told. */
static void begin_complete(void *state)
{
    begin(state);
    atomic_store(&test_tasks_pool->shared->limit, 1);
    atomic_store(&test_tasks_pool->complete, true);
}

static void end(void *state)
{
    test_family_end(state);
    arena_header->cpus = cpus;
}

/* The task comes before its pool's owner knows of the death, or after. */
static void recover(void *state)
{
    test_family_recover(state);
    if (thread_self.process != test_family_root) return;
    if (step_turn() % 2) test_tasks_submit(0, test_tasks_square);
    test_tasks_bury();
}

static const char *check(void *state, bool completed)
{
    if (!test_tasks_results[0]) test_tasks_submit(0, test_tasks_square);
    if (atomic_load(&pool_worker_at(test_tasks_pool->shared, VICTIM)->leaves))
        return step_says("a worker that is dead leaves for ever");
    if (started != 1) return step_says("%d workers were started for a task", started);
    atomic_store(&test_tasks_pool->shared->limit, WORKERS);
    test_tasks_close();
    return test_tasks_check(state, completed);
}

/* ---- the pool has become smaller ------------------------------------------------------------------- */

/* The victim is above the number, and in the middle of what it has reserved. */
static void begin_surplus(void *state)
{
    begin_complete(state);
    test_tasks_pool->shared->kept = UINT32_MAX;
    for (int i = 0; i < TASKS; i++) test_tasks_submit(i, test_tasks_square);
    atomic_store(&test_tasks_pool->shared->limit, 0);
}

static bool waits_in_range(const mproc_result *result)
{
    const struct pool_worker *part = pool_worker_at(test_tasks_pool->shared, VICTIM);

    return atomic_load(&part->range_job) && result->position >= atomic_load(&part->range_from) &&
           result->position < atomic_load(&part->range_to) &&
           task_state_of(atomic_load(&result->slot->word), result->position) == TASK_READY;
}

static const char *check_surplus(void *state, bool completed)
{
    int expected = 0;

    for (int i = 0; i < TASKS; i++)
        if (atomic_load(&test_tasks_results[i]->state) == RESULT_PENDING && waits_in_range(test_tasks_results[i]))
            expected = 1;
    if (started != expected) return step_says("%d workers were started for what a dead one had reserved", started);
    atomic_store(&test_tasks_pool->shared->limit, WORKERS);
    test_tasks_close();
    return test_tasks_check(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "workers.leaving",
     .setup = begin,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover,
     .check = check,
     .teardown = end,
     .sparse = true},
    {.name = "workers.surplus",
     .setup = begin_surplus,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_tasks_recover,
     .check = check_surplus,
     .teardown = end,
     .sparse = true},
    {.name = "workers.leaving_all",
     .setup = begin_complete,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover,
     .check = check,
     .teardown = end,
     .sparse = true},
};

const steps_table steps_workers = STEPS_TABLE(scenarios);
