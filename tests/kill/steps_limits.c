/*
 * Tasks whose time is up, and maps that were given up. Promised: whoever is killed in such a task, or finishes it all
 * the same, the task has ended once, with what its owner has said; who is to be killed for one thing begins nothing
 * else; and all that it had in hand is given back.
 */
#include "steps_tasks.h"

#include "pool/buffer.h"
#include "pool/job.h"
#include "pool/limits.h"
#include "pool/map.h"
#include "pool/segments.h"
#include "pool/tasks.h"

#include <stdlib.h>
#include <string.h>

static void leave(int number)
{
    struct tasks *tasks = test_tasks_pool->tasks;
    const mproc_result *result = test_tasks_results[number];

    test_tasks_late[number] = tasks_leave(tasks, segment_at(tasks, result->position / TASK_SEGMENT), result->position,
                                          MPROC_TIMEOUT, "its time is up");
}

/* ---- who is in a task whose time is up ------------------------------------------------------------- */

static void begin_overrun(void *state)
{
    test_tasks_begin(state);
    test_tasks_submit(0, test_tasks_overrun);
    for (int i = 1; i < TASKS; i++) test_tasks_submit(i, test_tasks_square);
    test_tasks_close();
}

static void begin_overrun_passing(void *state)
{
    test_tasks_begin(state);
    test_tasks_submit(0, test_tasks_overrun_passing);
    test_tasks_submit(1, test_tasks_pass);
    test_tasks_close();
}

/* The owner's part, before it knows of the death; the word is as the victim has left it. */
static void follow(void)
{
    mproc_result *result = test_tasks_results[0];
    uint64_t seen = atomic_load(&result->slot->word);
    enum task_state state = task_state_of(seen, result->position);

    if (!atomic_load(&test_tasks->leaving)) return;
    if (state == TASK_DONE) abort();
    if (state != TASK_TAKEN) atomic_store(&result->slot->word, task_word(result->position, VICTIM, TASK_TAKEN));
    leave(0);
    if (state == TASK_FAILED) atomic_store(&result->slot->word, seen);
}

static void recover_overrun(void *state)
{
    test_family_recover(state);
    if (thread_self.process != test_family_root) return;
    follow();
    test_tasks_bury();
}

/* ---- the begin of a task that has a limit ----------------------------------------------------------- */

static bool no_begin;

static void begin_timed(void *state)
{
    no_begin = false;
    test_tasks_begin(state);
    for (int i = 0; i < TASKS; i++) {
        mproc_result *result;
        test_tasks_submit(i, test_tasks_square);
        result = test_tasks_results[i];
        if (limits_create(result) != MPROC_OK) abort();
        result->limits->hard_ns = 1;
        limits_begin(result, &(struct submission){.form = TASK_NOTHING});
        atomic_fetch_or(&result->slot->word, TASK_TIMED);
    }
    test_tasks_close();
}

/* As the keeper does, who comes before or after the death is known. */
static void look(int number)
{
    const struct pool_worker *part = pool_worker_at(test_tasks_pool->shared, VICTIM);
    uint64_t at = atomic_load(&part->request.at);
    struct running_task task;
    struct task_verdict verdict;

    if (at != at_work(POOL_TASKS, test_tasks_results[number]->position)) return;
    if (!limits_find(test_tasks_pool->tasks, VICTIM, at_number(at), &task)) return;
    if (atomic_load(&part->since_ns) == 0) no_begin = true;
    verdict = limits_judge(&task, atomic_load(&part->since_ns), plat_clock_now_ns());
    if (verdict.end && step_turn() % 2) leave(number);
}

static void recover_timed(void *state)
{
    test_family_recover(state);
    if (thread_self.process != test_family_root) return;
    for (int i = 0; i < TASKS; i++) look(i);
    test_tasks_bury();
}

static const char *check_timed(void *state, bool completed)
{
    if (no_begin) return step_says("a task with a limit was begun, and nobody knows when");
    return test_tasks_check(state, completed);
}

/* ---- who is to be killed for a map ------------------------------------------------------------------ */

#define ITEMS 4

static struct job *job;
static struct window_view *view;

static void set_active(uint32_t place)
{
    atomic_fetch_or(&test_tasks_pool->shared->active, (uint64_t)1 << place);
}

/*
 * In the victim the keeper finds meanwhile that its time is up. There is a task, too, of which it learns by then, and
 * which it would begin next.
 */
static mproc_status compute(const void *item, void *result, mproc_call *call)
{
    struct stop_request *request = &pool_worker_at(test_tasks_pool->shared, VICTIM)->request;

    (void)item;
    (void)call;
    *(uint64_t *)result = 7;
    if (!test_tasks_is_victim()) return MPROC_OK;
    atomic_store(&request->asked, atomic_load(&request->at));
    atomic_fetch_or(&request->at, REQUEST_CONDEMNED);
    atomic_store(&test_tasks->leaving, 1);
    set_active(POOL_TASKS);
    return MPROC_OK;
}

/* All but the first item are the caller's, who has given them up. */
static void give_up_others(void)
{
    for (uint64_t i = 1; i < ITEMS; i++) {
        if (!window_claim(view, i, CHUNK_OWNER_CALLER)) abort();
        atomic_store(&view->outcomes[i].status, (int32_t)MPROC_INTERRUPTED);
        window_finish(view, i, CHUNK_OWNER_CALLER, CHUNK_FAILED);
    }
    atomic_store(&view->job->map.given_up[view->number % 2], tagged(view->number, ITEMS - 1));
}

static void open_map(void)
{
    static const uint64_t items[ITEMS];
    static uint64_t results[ITEMS];
    struct map map = {.pool = test_tasks_pool,
                      .item_size = 8,
                      .result_size = 8,
                      .count = ITEMS,
                      .items = (const unsigned char *)items,
                      .results = (unsigned char *)results,
                      .copies_items = true,
                      .copies_results = true,
                      .chunk = 1,
                      .window_items = ITEMS,
                      .windows = 1};
    struct pool_map *shared;

    if (job_take(test_tasks_pool, false, &job) != MPROC_OK) abort();
    map.job = job;
    shared = &job->shared->map;
    if (buffer_prepare(&map) != MPROC_OK) abort();
    if (function_encode((function_pointer)compute, &shared->function.ref) != MPROC_OK) abort();
    atomic_store(&shared->item_size, 8);
    atomic_store(&shared->result_size, 8);
    atomic_store(&shared->number, 1);
    buffer_open(&map, 0, 1);
    view = &job->buffers[1].view;
}

static void begin_condemned(void *state)
{
    test_tasks_begin(state);
    open_map();
    give_up_others();
    for (int i = 0; i < TASKS; i++) test_tasks_submit(i, test_tasks_square);
    atomic_store(&test_tasks_pool->shared->active, (uint64_t)1 << job->index);
    test_tasks_close();
    test_tasks_keep();
    test_tasks_watch();
    step_watch(STEP_WATCHED - 1, &job->shared->map, sizeof job->shared->map);
}

static void recover_condemned(void *state)
{
    struct worker_record *record = &test_tasks_pool->records[VICTIM];

    test_family_recover(state);
    if (thread_self.process != test_family_root) return;
    if (atomic_load(&pool_worker_at(test_tasks_pool->shared, VICTIM)->request.at) & REQUEST_CONDEMNED)
        record->removed = true;
    test_tasks_bury();
}

/* Somebody does the item if the victim never had it. */
static const char *check_condemned(void *state, bool completed)
{
    enum chunk_state was = chunk_state(atomic_load(&view->words[0]));

    if (was == CHUNK_CLAIMED) return step_says("the item of a worker that is buried is still its own");
    if (atomic_load(&test_tasks->leaving) && was != CHUNK_DONE && was != CHUNK_FAILED)
        return step_says("an item that was begun is nobody's");
    job_put(test_tasks_pool, job);
    set_active(job->index);
    set_active(POOL_TASKS);
    test_tasks_work(THIRD);
    if (!window_complete(view)) return step_says("a window is not complete when all have left it");
    if (was != 0 && chunk_state(atomic_load(&view->words[0])) != was) return step_says("an item ends twice");
    return test_tasks_check(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "limits.overrun",
     .setup = begin_overrun,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_overrun,
     .check = test_tasks_check,
     .teardown = test_family_end,
     .sparse = true},
    /* It cuts blocks from memory that is committed for the first time, which a walk cannot put back. */
    {.name = "limits.overrun_passing",
     .setup = begin_overrun_passing,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_overrun,
     .check = test_tasks_check,
     .teardown = test_family_end,
     .outside = true,
     .slow = true,
     .sparse = true},
    {.name = "limits.timed",
     .setup = begin_timed,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_timed,
     .check = check_timed,
     .teardown = test_family_end,
     .sparse = true},
    {.name = "limits.condemned",
     .setup = begin_condemned,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = recover_condemned,
     .check = check_condemned,
     .teardown = test_family_end,
     .sparse = true},
};

const steps_table steps_limits = STEPS_TABLE(scenarios);
