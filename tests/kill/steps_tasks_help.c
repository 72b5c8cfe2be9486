/*
 * What the scenarios of a pool's tasks share.
 */
#include "steps_tasks.h"

#include "pool/run_tasks.h"
#include "pool/tasks.h"
#include "pool/workers.h"

#include <stdlib.h>
#include <string.h>

#define TEXT "a text that has no room in the slot of a task, nor in what a worker keeps for a value that is small"
#define END "worker 'Victim' was killed"

struct test_tasks *test_tasks;
mproc_pool *test_tasks_pool;
mproc_lock *test_tasks_lock;
mproc_result *test_tasks_results[TASKS];
bool test_tasks_late[TASKS];
int64_t test_tasks_retries;

static mproc_function *functions[TASKS]; /* of those that were submitted, or NULL */
static bool taken[TASKS];

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- tasks -------------------------------------------------------------------------------------- */

bool test_tasks_is_victim(void)
{
    return plat_process_id() == atomic_load(&test_tasks->family.victim.pid);
}

/* Whoever warms up has no state. */
static void note_begin(uint64_t number)
{
    if (!test_tasks) return;
    atomic_fetch_add(&test_tasks->begun[number], 1);
    if (atomic_load(&test_tasks->leaving) && test_tasks_is_victim()) atomic_store(&test_tasks->begun_late, 1);
}

mproc_status test_tasks_square(mproc_call *call)
{
    uint64_t number;

    must(mproc_unpack(call, &number));
    note_begin(number);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

/* Others wait until the victim has begun the first task, or is dead. */
static bool wait_for_victim(void)
{
    const struct test_family_member *victim = &test_tasks->family.victim;
    int64_t until_ns = plat_clock_now_ns() + (int64_t)20000000000;

    while (plat_clock_now_ns() < until_ns) {
        if (atomic_load(&test_tasks->begun[0]) || atomic_load(&victim->pid) == 0) return true;
        plat_clock_sleep_until(plat_clock_now_ns() + 50000);
    }
    return false;
}

/* Until then the other, if it was woken, is in one of its tasks, or about to begin one. */
mproc_status test_tasks_meet(mproc_call *call)
{
    bool victim = test_tasks_is_victim(), met = true;
    uint64_t number;

    must(mproc_unpack(call, &number));
    if (number == 0 && victim) met = !atomic_load(&pool_worker_at(test_tasks_pool->shared, OTHER)->asleep);
    note_begin(number);
    if (number > 0 && !victim) met = wait_for_victim();
    if (!met) atomic_store(&test_tasks->wrong, 1);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static bool is_small(mproc_function *function)
{
    return function == test_tasks_square || function == test_tasks_meet || function == test_tasks_overrun;
}

static mproc_status pass(mproc_call *call, uint64_t *number)
{
    const char *text;
    mproc_lock *lock;

    must(mproc_unpack(call, number, &lock, &text));
    note_begin(*number);
    if (strcmp(text, TEXT) != 0) abort();
    return mproc_call_return(call, MPROC_LIST(lock, text));
}

mproc_status test_tasks_pass(mproc_call *call)
{
    uint64_t number;

    return pass(call, &number);
}

mproc_status test_tasks_fail(mproc_call *call)
{
    uint64_t number;

    must(pass(call, &number));
    return mproc_error(MPROC_USER + 1, "no stock of %lu", (unsigned long)number);
}

/* As the keeper does in the pool's owner, whose own memory follows when the victim is dead. */
static void be_left(uint64_t number)
{
    const mproc_result *result = test_tasks_results[number];

    if (!test_tasks || !test_tasks_is_victim()) return;
    atomic_store(&test_tasks->leaving, 1);
    atomic_store(&result->slot->word, task_word(result->position, VICTIM, TASK_LEFT));
}

mproc_status test_tasks_overrun(mproc_call *call)
{
    mproc_status status = test_tasks_square(call);

    be_left(0);
    return status;
}

mproc_status test_tasks_overrun_passing(mproc_call *call)
{
    uint64_t number;
    mproc_status status = pass(call, &number);

    be_left(number);
    return status;
}

/* ---- the pool ----------------------------------------------------------------------------------- */

static mproc_status start_nobody(struct worker_record *record)
{
    (void)record;
    return MPROC_OK;
}

static void kill_nobody(struct worker_record *record)
{
    (void)record;
}

static const struct worker_kind nobody = {start_nobody, kill_nobody};

void test_tasks_create_pool(void)
{
    uint64_t size = sizeof(struct pool_shared) + 2 * ARENA_LINE + WORKERS * sizeof(struct pool_worker);
    mproc_pool *pool = test_tasks_pool = calloc(1, sizeof *pool);

    if (!pool || !(pool->records = calloc(WORKERS, sizeof *pool->records))) abort();
    must(resource_take(size, size, &pool->owned));
    pool->arena = arena_generation;
    pool->count = WORKERS;
    pool->kind = &nobody;
    pool->shared = (struct pool_shared *)line_after((uintptr_t)arena_at(atomic_load(pool->owned)));
    pool->shared->workers = WORKERS;
    atomic_store(&pool->shared->limit, WORKERS);
    pool->shared->kept = UINT32_MAX;
    pool->shared->max_tasks = UINT64_MAX;
    atomic_store(&pool->shared->running, WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        pool->records[i].pool = pool;
        pool->records[i].index = i;
    }
    memset(test_tasks_results, 0, sizeof test_tasks_results);
    memset(functions, 0, sizeof functions);
    memset(test_tasks_late, 0, sizeof test_tasks_late);
}

void test_tasks_forget(mproc_pool *pool)
{
    test_tasks_pool = pool;
    memset(test_tasks_results, 0, sizeof test_tasks_results);
}

static void free_results(void)
{
    for (int i = 0; i < TASKS; i++) mproc_result_free(test_tasks_results[i]);
}

void test_tasks_free_pool(bool results_first)
{
    if (results_first) free_results();
    atomic_store(&test_tasks_pool->shared->running, 0);
    mproc_pool_free(test_tasks_pool);
    if (!results_first) free_results();
}

void test_tasks_submit(int number, mproc_function *function)
{
    mproc_task_options options = {.retries = test_tasks_retries};
    mproc_result **result = &test_tasks_results[number];

    functions[number] = function;
    if (is_small(function))
        must(mproc_pool_apply_async(test_tasks_pool, function, MPROC_ARGS(number), &options, result));
    else
        must(mproc_pool_apply_async(test_tasks_pool, function, MPROC_ARGS(number, test_tasks_lock, TEXT), &options,
                                    result));
}

void test_tasks_close(void)
{
    mproc_pool_close(test_tasks_pool);
}

void test_tasks_work(uint32_t index)
{
    static struct worker_holdings holdings;

    while (worker_run(test_tasks_pool->shared, index, "Worker", &holdings) == WORKER_RETIRES) continue;
}

void test_tasks_keep(void)
{
    static uint64_t lowest = UINT64_MAX;
    uint64_t bottom = atomic_load(&arena_header->heap.bottom), end = arena_header->ranges[ARENA_HEAP].limit;

    if (bottom < lowest) lowest = bottom;
    test_family_watch();
    step_keep(ARENA_PARTS + 1, arena_at(lowest), (size_t)(end - lowest));
}

/* What the pool changes lies where it lies: it is looked at, beside the begin of each part of the arena. */
void test_tasks_watch(void)
{
    struct pool_shared *shared = test_tasks_pool->shared;
    struct tasks *tasks = test_tasks_pool->tasks;
    int place = ARENA_PARTS + 1;

    step_watch(place++, shared, offsetof(struct pool_shared, functions));
    step_watch(place++, shared->bells, sizeof shared->bells);
    step_watch(place++, pool_worker_at(shared, 0), WORKERS * sizeof(struct pool_worker));
    step_watch(place++, test_tasks_pool->jobs[POOL_TASKS]->shared, sizeof(struct pool_job));
    step_watch(place++, tasks->segments[0]->shared, sizeof(struct task_segment));
}

/* Memory that is used for the first time is committed, and tables of owned slots are made: both stay. */
static void warm_up(void)
{
    static bool warm;

    if (warm) return;
    warm = true;
    test_tasks_create_pool();
    must(mproc_lock_create(NULL, &test_tasks_lock));
    test_tasks_submit(0, test_tasks_square);
    test_tasks_submit(1, test_tasks_pass);
    test_tasks_submit(2, test_tasks_fail);
    test_tasks_close();
    test_tasks_work(VICTIM);
    test_tasks_free_pool(true);
    mproc_lock_free(test_tasks_lock);
}

/* The first task makes the stream, and is done with. */
static void make_stream(void)
{
    mproc_result *result;

    must(mproc_pool_apply_async(test_tasks_pool, test_tasks_square, MPROC_ARGS(0), NULL, &result));
    must(mproc_result_cancel(result));
    mproc_result_free(result);
}

void test_tasks_begin(void *state)
{
    test_tasks = NULL;
    test_tasks_retries = 0;
    test_family_pass_objects();
    warm_up();
    test_family_begin(state);
    test_tasks = state;
    test_tasks_create_pool();
    must(mproc_lock_create(NULL, &test_tasks_lock));
    make_stream();
    test_tasks_keep();
    test_tasks_watch();
}

/* ---- deaths ------------------------------------------------------------------------------------- */

void test_tasks_work_as_victim(void *state)
{
    static struct worker_holdings holdings;

    (void)state;
    worker_run(test_tasks_pool->shared, VICTIM, "Worker", &holdings);
}

/* The tool is too slow for a worker to reserve many at a time by itself. */
void test_tasks_work_in_ranges(void *state)
{
    struct pool_shared *shared = test_tasks_pool->shared;
    struct reference_scope scope = {.references = {.mask = 0}};
    struct worker worker = {.shared = shared,
                            .part = pool_worker_at(shared, VICTIM),
                            .index = VICTIM,
                            .tasks_left = UINT64_MAX,
                            .call = {mproc_no_args(), "Worker", &scope, NULL, NULL, 0}};
    struct task_runner runner = {.worker = &worker, .most = TASKS};

    (void)state;
    must(resource_slot_take(&runner.result.owned));
    runner.result.arena = thread_self.arena;
    task_enter(&worker.task);
    while (run_tasks(&runner, POOL_TASKS, pool_job_at(shared, POOL_TASKS))) runner.most = TASKS;
    task_leave();
    resource_release(runner.result.owned);
}

/* Which of them the victim had begun, and not finished. */
static void note_taken(void)
{
    for (int i = 0; i < TASKS; i++) {
        const mproc_result *result = test_tasks_results[i];
        uint64_t word =
            result && atomic_load(&result->state) == RESULT_PENDING ? atomic_load(&result->slot->word) : 0;
        taken[i] = word && task_state_of(word, result->position) == TASK_TAKEN && task_worker(word) == VICTIM;
    }
}

bool test_tasks_was_taken(int number)
{
    return taken[number];
}

/* As the pool's owner does when it has collected a worker. */
void test_tasks_bury(void)
{
    mproc_pool *pool = test_tasks_pool;

    note_taken();
    plat_mutex_lock(&pool->mutex);
    workers_lost(&pool->records[VICTIM], END);
    pool->records[VICTIM].process = NULL;
    workers_replace(pool);
    plat_mutex_unlock(&pool->mutex);
    workers_count_out(pool->shared);
}

void test_tasks_recover(void *state)
{
    test_family_recover(state);
    if (thread_self.process == test_family_root) test_tasks_bury();
}

/* ---- judging ------------------------------------------------------------------------------------ */

static const char *check_value(int number, mproc_value value)
{
    const char *text;
    mproc_lock *lock;
    uint64_t square;

    if (is_small(functions[number])) {
        if (mproc_value_to(value, &square) == MPROC_OK && square == (uint64_t)number * (uint64_t)number) return NULL;
        return "it returned something else";
    }
    must(mproc_value_to(mproc_value_at(value, 0), &lock));
    must(mproc_value_to(mproc_value_at(value, 1), &text));
    must(mproc_lock_acquire(lock, 0));
    must(mproc_lock_release(lock));
    mproc_lock_free(lock);
    return strcmp(text, TEXT) == 0 ? NULL : "it returned another text";
}

static bool says(const char *part)
{
    return strstr(mproc_last_error_text(), part) != NULL;
}

/* What became of a task that is finished. */
static const char *check_task(int number, uint32_t *lost)
{
    uint32_t begun = atomic_load(&test_tasks->begun[number]), times = 1, most = 1;
    uint32_t attempts = (uint32_t)mproc_result_attempts(test_tasks_results[number]);
    const char *wrong = NULL;
    mproc_value value;
    mproc_status status;

    if (!mproc_result_ready(test_tasks_results[number])) return step_says("task %d is not finished", number);
    status = mproc_result_get(test_tasks_results[number], &value, 0);
    if (test_tasks_late[number] && status != MPROC_TIMEOUT) return step_says("task %d is not late any more", number);
    if (status == MPROC_OK && functions[number] != test_tasks_fail) {
        wrong = check_value(number, value);
    } else if (status == MPROC_USER + 1 && functions[number] == test_tasks_fail) {
        if (!says("no stock of") || !says("Worker (pid ")) wrong = mproc_last_error_text();
    } else if (status == MPROC_WORKER_LOST) {
        if (!says(END " while it ran a task")) wrong = mproc_last_error_text();
        if (!taken[number]) wrong = "it is lost, and the victim did not have it";
        ++*lost;
        times = begun; /* or it was killed before */
    } else if (status == MPROC_CANCELLED) {
        times = 0;
    } else if (status == MPROC_TIMEOUT) {
        if (!test_tasks_late[number]) wrong = "it is late, and nobody has found it so";
        times = begun; /* or its worker was killed before */
    } else {
        return step_says("task %d: %s, %s", number, mproc_status_name(status), mproc_last_error_text());
    }
    if (wrong) return step_says("task %d: %.500s", number, wrong);
    if (test_tasks_retries > 0 && status == (functions[number] == test_tasks_fail ? MPROC_USER + 1 : MPROC_OK)) {
        most = 1 + taken[number];
        if (attempts != most) return step_says("task %d was begun %u times, as its result says", number, attempts);
        if (begun == most) times = begun; /* or the victim was killed before */
    }
    return begun == times && times <= most ? NULL : step_says("task %d was begun %u times", number, begun);
}

/* Now and later each has one status. */
static void note_known(mproc_status known[TASKS])
{
    for (int i = 0; i < TASKS; i++) {
        known[i] = -1;
        if (test_tasks_results[i] && mproc_result_ready(test_tasks_results[i]))
            known[i] = test_tasks_results[i]->status;
    }
}

static const char *check_tasks(const mproc_status known[TASKS], uint32_t most)
{
    uint32_t lost = 0;
    const char *wrong;

    for (int i = 0; i < TASKS; i++) {
        if (!test_tasks_results[i]) continue;
        if ((wrong = check_task(i, &lost)) != NULL) return wrong;
        if ((int)known[i] != -1 && known[i] != test_tasks_results[i]->status)
            return step_says("task %d ended twice: %s", i, mproc_status_name(known[i]));
    }
    return lost <= most ? NULL : step_says("%u tasks are lost", lost);
}

const char *test_tasks_check(void *state, bool completed)
{
    mproc_status known[TASKS];
    const char *wrong;
    uint32_t handles;

    if (atomic_load(&test_tasks->wrong)) return step_says("the others sleep while a worker has more than it begins");
    if (atomic_load(&test_tasks->begun_late)) return step_says("who is to be killed for one thing begins another");
    note_known(known);
    test_tasks_work(step_turn() % 4 < 2 ? VICTIM : THIRD);
    if ((wrong = check_tasks(known, !completed)) != NULL) return wrong;
    test_family_disband(state);
    test_tasks_free_pool(step_turn() % 3 == 0);
    handles = object_handles(((const struct reference *)(const void *)test_tasks_lock)->at);
    if (handles != 1) return step_says("the lock counts %u handles", handles);
    mproc_lock_free(test_tasks_lock);
    return test_family_check(state, completed);
}
