/*
 * Tasks of a pool. Promised: each ends once, with one status, whoever is killed: what a dead worker had begun is
 * lost, and what it had only reserved is done by others; what travels as arguments and as results is given back once;
 * and no worker sleeps over a task.
 */
#include "steps_tasks.h"

#include "pool/tasks.h"
#include "object/wait.h"

#include <stdlib.h>

static struct pool_worker *part(uint32_t index)
{
    return pool_worker_at(test_tasks_pool->shared, index);
}

static void submit_all(mproc_function *function)
{
    for (int i = 0; i < TASKS; i++) test_tasks_submit(i, function);
}

/* ---- a worker alone ------------------------------------------------------------------------------- */

/* One of them was cancelled. */
static void begin_small(void *state)
{
    test_tasks_begin(state);
    submit_all(test_tasks_square);
    if (mproc_result_cancel(test_tasks_results[1]) != MPROC_OK) abort();
    test_tasks_close();
}

static void begin_parcels(void *state)
{
    test_tasks_begin(state);
    test_tasks_submit(0, test_tasks_pass);
    test_tasks_submit(1, test_tasks_pass);
    test_tasks_close();
}

static void begin_failing(void *state)
{
    test_tasks_begin(state);
    test_tasks_submit(0, test_tasks_fail);
    test_tasks_submit(1, test_tasks_square);
    test_tasks_close();
}

/* The last two of a segment, and the first two of the next. */
static void begin_at_end_of_segment(void *state)
{
    struct tasks *tasks;

    test_tasks_begin(state);
    tasks = test_tasks_pool->tasks;
    while (tasks->tail < TASK_SEGMENT - 2) {
        test_tasks_submit(0, test_tasks_square);
        if (mproc_result_cancel(test_tasks_results[0]) != MPROC_OK) abort();
        mproc_result_free(test_tasks_results[0]);
    }
    atomic_store(&tasks->stream->head, tasks->tail);
    submit_all(test_tasks_square);
    test_tasks_close();
    test_tasks_keep();
    test_tasks_watch();
}

/* ---- another worker has some ------------------------------------------------------------------ */

static mproc_result *begun; /* by the other worker */

static void set_range(uint32_t index, uint64_t from, uint64_t to)
{
    atomic_store(&part(index)->range_from, from);
    atomic_store(&part(index)->range_to, to);
    atomic_store(&part(index)->range_job, POOL_TASKS + 1);
}

static void let_other_begin(int number)
{
    begun = test_tasks_results[number];
    atomic_store(&part(OTHER)->request.at, (uint64_t)(POOL_TASKS + 1) << AT_JOB_SHIFT | begun->position);
    atomic_store(&begun->slot->word, task_word(begun->position, OTHER, TASK_TAKEN));
}

/* Another has reserved all, and begun none. */
static void begin_reserved(void *state)
{
    struct pool_stream *stream;
    uint64_t head;

    test_tasks_begin(state);
    stream = test_tasks_pool->tasks->stream;
    head = test_tasks_pool->tasks->tail;
    submit_all(test_tasks_square);
    set_range(OTHER, head, head + TASKS);
    atomic_store(&stream->head, head + TASKS);
    test_tasks_close();
}

/* The victim's predecessor has reserved them, of which it may run two itself. */
static void begin_retiring(void *state)
{
    uint64_t head;

    test_tasks_begin(state);
    head = test_tasks_pool->tasks->tail;
    submit_all(test_tasks_square);
    set_range(VICTIM, head, head + TASKS);
    atomic_store(&test_tasks_pool->tasks->stream->head, head + TASKS);
    test_tasks_pool->shared->max_tasks = 2;
    test_tasks_close();
}

/* In the middle of those that the victim reserves. */
static void begin_with_one_begun(void *state)
{
    test_tasks_begin(state);
    submit_all(test_tasks_square);
    let_other_begin(1);
    test_tasks_close();
}

/* It has reserved two more, and does not come to them. */
static void begin_behind_stuck(void *state)
{
    test_tasks_begin(state);
    submit_all(test_tasks_square);
    let_other_begin(0);
    set_range(OTHER, begun->position, begun->position + 3);
    atomic_store(&test_tasks_pool->tasks->stream->head, begun->position + 3);
    test_tasks_close();
}

/* It is that worker's until it has finished it: here it is begun again. */
static const char *check_begun(void *state, bool completed)
{
    if (atomic_load(&begun->slot->word) != task_word(begun->position, OTHER, TASK_TAKEN))
        return step_says("somebody has ended a task that another worker runs");
    for (int i = 0; completed && i < TASKS; i++)
        if (test_tasks_results[i] != begun && !mproc_result_ready(test_tasks_results[i]))
            return step_says("task %d waits for a worker that is stuck", i);
    atomic_store(&begun->slot->word, task_word(begun->position, 0, TASK_READY));
    set_range(OTHER, begun->position, begun->position + 3);
    return test_tasks_check(state, completed);
}

/* ---- the pool's owner ----------------------------------------------------------------------------- */

/* Two of its tasks are done, and a third is not begun. */
static void make_pool(void)
{
    test_tasks_create_pool();
    test_tasks_submit(0, test_tasks_pass);
    test_tasks_submit(1, test_tasks_fail);
    test_tasks_close();
    test_tasks_work(OTHER);
    atomic_store(&test_tasks_pool->shared->state, POOL_OPEN);
    test_tasks_submit(2, test_tasks_pass);
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
    test_tasks_free_pool(true);
    test_tasks_forget(of_root);
}

static void enter_owner(void *state)
{
    test_family_enter_victim(state);
    make_pool();
}

static void own(void *state)
{
    (void)state;
    test_tasks_submit(3, test_tasks_pass);
    if (mproc_result_get(test_tasks_results[0], NULL, 0) != MPROC_OK) abort();
    if (mproc_result_get(test_tasks_results[1], NULL, 0) != MPROC_USER + 1) abort();
    if (mproc_result_cancel(test_tasks_results[2]) != MPROC_OK) abort();
    for (int i = 0; i < TASKS; i++) mproc_result_free(test_tasks_results[i]);
}

/* ---- sleepers ------------------------------------------------------------------------------------- */

static uint32_t cpus;

/* Nobody spins: the path is the same each time. */
static void begin_awake(void *state)
{
    test_tasks_begin(state);
    cpus = arena_header->cpus;
    arena_header->cpus = 1;
}

static void end_awake(void *state)
{
    test_family_end(state);
    arena_header->cpus = cpus;
}

static void peer_works(struct test_family *tested, int number)
{
    atomic_store(&tested->begun[number], 1);
    test_tasks_work(OTHER);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_peer(void *state)
{
    begin_awake(state);
    test_family_peer(state, peer_works);
}

static void enter_with_peer_asleep(void *state)
{
    test_family_enter_victim(state);
    test_family_peer_asleep(state, 0);
}

/* At most for 20 seconds; and nobody who has said that he sleeps does so over it. */
static bool comes_to_end(const struct test_family *tested, int number)
{
    int64_t until_ns = plat_clock_now_ns() + (int64_t)20000000000;

    while (plat_clock_now_ns() < until_ns) {
        bool asleep = atomic_load(&part(OTHER)->asleep) && step_wait_asleep(atomic_load(&tested->peers[0].pid)) &&
                      atomic_load(&part(OTHER)->asleep);
        if (mproc_result_ready(test_tasks_results[number])) return true;
        if (asleep) return false;
        plat_clock_sleep_until(plat_clock_now_ns() + 50000);
    }
    return false;
}

/* When the victim sleeps it gets a task; then the pool is closed. */
static void give_task(void *state)
{
    (void)state;
    if (!atomic_load(&part(VICTIM)->asleep)) return;
    if (test_tasks_results[0]) test_tasks_close();
    else test_tasks_submit(0, test_tasks_square);
}

/* Nobody is woken, as somebody spins. */
static void submit_silently(int number, mproc_function *function)
{
    _Atomic uint32_t *spinner = &test_tasks_pool->shared->spinners[0];

    atomic_store(spinner, THIRD + 1);
    test_tasks_submit(number, function);
    atomic_store(spinner, 0);
}

/* What was given was not said to the peer: only the victim can tell it that there is more than it begins now. */
static void give_tasks(void *state)
{
    (void)state;
    if (!atomic_load(&part(VICTIM)->asleep)) return;
    if (test_tasks_results[0]) {
        test_tasks_close();
        return;
    }
    test_tasks_submit(0, test_tasks_meet);
    for (int i = 1; i < TASKS; i++) submit_silently(i, test_tasks_meet);
}

static void begin_given_silently(void *state)
{
    begin_with_peer(state);
    if (!test_family_peer_asleep(state, 0)) abort();
    submit_silently(0, test_tasks_square);
}

/* As a worker for which this came too early to be found, when it says that there is nothing, and looks once more. */
static void clear_active(void *state)
{
    (void)state;
    atomic_fetch_and(&test_tasks_pool->shared->active, ~((uint64_t)1 << POOL_TASKS));
}

static const char *check_awake(void *state, bool completed)
{
    bool open = atomic_load(&test_tasks_pool->shared->state) == POOL_OPEN;

    for (int i = 0; open && i < TASKS; i++) {
        if (!test_tasks_results[i]) test_tasks_submit(i, test_tasks_square);
        if (!comes_to_end(state, i)) return step_says("a worker sleeps over task %d", i);
    }
    test_tasks_close();
    if (test_family_left_asleep(state) >= 0) return step_says("a worker sleeps in a pool that has ended");
    return test_tasks_check(state, completed);
}

/* ---- who waits for a task ------------------------------------------------------------------------- */

#define BELL 5

static bool is_over(const mproc_result *result)
{
    return task_state_of(atomic_load(&result->slot->word), result->position) > TASK_TAKEN;
}

/* As another thread of the owner. */
static void peer_waits(struct test_family *tested, int number)
{
    _Atomic uint32_t *bell = &test_tasks_pool->shared->bells[BELL];

    atomic_fetch_or(&test_tasks_results[0]->slot->word, (uint64_t)BELL << TASK_BELL_SHIFT);
    atomic_store(&tested->begun[number], 1);
    for (;;) {
        uint32_t seen = atomic_load(bell);
        if (is_over(test_tasks_results[0])) break;
        wait_on(bell, seen, PLAT_FOREVER);
    }
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_waiter(void *state)
{
    begin_awake(state);
    test_tasks_submit(0, test_tasks_square);
    test_tasks_close();
    test_family_peer(state, peer_waits);
}

static const char *check_waiter(void *state, bool completed)
{
    if (!is_over(test_tasks_results[0])) test_tasks_work(THIRD);
    if (test_family_left_asleep(state) >= 0) return step_says("somebody sleeps over a task that has ended");
    return test_tasks_check(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "tasks.small",
     .setup = begin_small,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.parcels",
     .setup = begin_parcels,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.failing",
     .setup = begin_failing,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.range",
     .setup = begin_small,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.begun_by_another",
     .setup = begin_with_one_begun,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .check = check_begun,
     RECOVERED},
    {.name = "tasks.retiring",
     .setup = begin_retiring,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.behind_stuck",
     .setup = begin_behind_stuck,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = check_begun,
     RECOVERED},
    {.name = "tasks.reserved",
     .setup = begin_reserved,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_as_victim,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.at_end_of_segment",
     .setup = begin_at_end_of_segment,
     .enter = test_family_enter_victim,
     .operation = test_tasks_work_in_ranges,
     .check = test_tasks_check,
     RECOVERED},
    {.name = "tasks.owner",
     .setup = begin_owner,
     .enter = enter_owner,
     .operation = own,
     .recover = test_tasks_recover, /* how what it had ends if that is killed, too, is shown by object.* */
     .check = test_tasks_check,
     .teardown = test_family_end},
    {.name = "tasks.asleep",
     .setup = begin_with_peer,
     .enter = enter_with_peer_asleep,
     .operation = test_tasks_work_as_victim,
     .release = give_task,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_tasks_recover,
     .check = check_awake,
     .teardown = end_awake,
     .slow = true,
     .sparse = true},
    {.name = "tasks.more_than_one_asleep",
     .setup = begin_with_peer,
     .enter = enter_with_peer_asleep,
     .operation = test_tasks_work_as_victim,
     .release = give_tasks,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_tasks_recover,
     .check = check_awake,
     .teardown = end_awake,
     .unsteady = true,
     .slow = true,
     .sparse = true},
    {.name = "tasks.not_said_asleep",
     .setup = begin_given_silently,
     .enter = test_family_enter_victim,
     .operation = clear_active,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_tasks_recover,
     .check = check_awake,
     .teardown = end_awake,
     .sparse = true},
    {.name = "tasks.waited_for",
     .setup = begin_with_waiter,
     .enter = enter_with_peer_asleep,
     .operation = test_tasks_work_as_victim,
     .recover_enter = test_family_enter_recoverer,
     .recover = test_tasks_recover,
     .check = check_waiter,
     .teardown = end_awake,
     .sparse = true},
};

const steps_table steps_tasks = STEPS_TABLE(scenarios);
