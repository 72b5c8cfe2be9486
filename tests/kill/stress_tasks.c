/*
 * A stress over the tasks of a pool: two threads give it tasks of all kinds, wait for some, cancel, stop and forget
 * others, and map and iterate beside that, while workers are killed, or retire, the pool changes its size, and waits
 * are interrupted. Of worker threads some end inside their tasks instead. Each task is begun at most once, or again
 * only if it was lost and is to be; it ends once, with one status: what it has returned or failed with is right, or
 * it was stopped or has overrun its time limit, or is lost; no more are lost than workers were.
 */
#include "stress_tasks.h"

#include "object/reference.h"
#include "object/resource_owner.h"
#include "check.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 3
#define SUBMITTERS 2
#define OUTSTANDING 150
#define SHORT_BYTES 100
#define LONG_BYTES 20480
#define ITEMS 64
#define MAP_EVERY 400
#define ITERATE_EVERY 600
#define WORKERS_MAX 5
/* Of the tasks that may cost a worker, one in so many is given to the pool. */
#define DEAR 16
#define MILLION 1000000
#define MAX_TASKS 1000
#define RETRIES 3
/* More than it uses at a time. */
#define SLOTS 1000

enum kind {
    TINY,
    SHORT,
    LONG,
    SLEEPING,
    FAILING,
    WITH_EVENT,
    CALLED,
    CALLED_FAILING,
    RETRIED,
    RETRIED_LONG,
    CANCELLED,
    FORGOTTEN,
    LIMITED,
    STOPPED,
    DYING, /* of worker threads alone */
    KINDS
};

/* What is counted: tasks that were lost, were never begun, did not stop or end in time; and other things. */
enum count { LOST, AGAIN, LEFT, KILLED, LATE, INTERRUPTED, MAPS, ITERATORS, COUNTS };

static const char *const counted[COUNTS] = {"lost", "begun again", "not begun", "killed",
                                            "late", "interrupted", "maps",      "iterators"};

struct task {
    mproc_result *result;
    uint64_t number;
    enum kind kind;
};

/* A thread that submits. */
struct submitter {
    plat_thread *thread;
    uint32_t seed;
    struct task tasks[OUTSTANDING];
    uint64_t counts[COUNTS];
};

static struct tasks_board *board;
static mproc_pool *pool;
static mproc_event *event;
static bool of_threads;
static int64_t end_ms; /* 0: after a number of tasks */
static uint64_t most;
static _Atomic uint32_t killing;
static uint32_t kills, interrupts, sizes, killer_seed;
static _Atomic uint64_t callbacks_due;
static char short_text[SHORT_BYTES + 1], long_text[LONG_BYTES + 1];

/* ---- their ends ----------------------------------------------------------------------------------- */

static void count_call(void *called)
{
    EXPECT(atomic_fetch_add((_Atomic uint8_t *)called, 1) == 0);
    atomic_fetch_sub(&callbacks_due, 1);
}

static void on_value(mproc_value value, void *called)
{
    uint64_t number = (uint64_t)((_Atomic uint8_t *)called - board->called), squared;

    EXPECT(mproc_value_to(value, &squared) == MPROC_OK && squared == number * number);
    count_call(called);
}

static void on_error(mproc_status status, const char *text, void *called)
{
    EXPECT(status == MPROC_WORKER_LOST ? strstr(text, "while it ran a task") != NULL
                                       : status == TASKS_FAILED && strstr(text, "no stock of") != NULL);
    count_call(called);
}

static bool is_event(mproc_value value)
{
    mproc_event *its;
    bool set = mproc_value_to(value, &its) == MPROC_OK && mproc_event_is_set(its);

    if (set) mproc_event_free(its);
    return set;
}

static bool is_returned(const struct task *task, mproc_value value)
{
    bool pair = task->kind == SHORT || task->kind == LONG || task->kind == RETRIED_LONG || task->kind == WITH_EVENT;
    mproc_value first = pair ? mproc_value_at(value, 0) : value;
    const char *text;
    uint64_t number;

    if (mproc_value_to(first, &number) != MPROC_OK) return false;
    if (!pair) return number == task->number * task->number;
    if (number != task->number) return false;
    if (task->kind == WITH_EVENT) return is_event(mproc_value_at(value, 1));
    return mproc_value_to(mproc_value_at(value, 1), &text) == MPROC_OK &&
           strcmp(text, task->kind == SHORT ? short_text : long_text) == 0;
}

/* Whatever interrupts it: its status does not say so, as none of the tasks waits for anything. */
static mproc_status get(struct submitter *own, mproc_result *result, mproc_value *value)
{
    mproc_status status;

    while ((status = mproc_result_get(result, value, check_limit_ms())) == MPROC_INTERRUPTED)
        own->counts[INTERRUPTED]++;
    return status;
}

static bool is_retried(const struct task *task)
{
    return task->kind == RETRIED || task->kind == RETRIED_LONG || (task->kind == DYING && task->number % 2);
}

/* Waits for it, and frees it. */
static void judge(struct submitter *own, struct task *task)
{
    bool fails = task->kind == FAILING || task->kind == CALLED_FAILING;
    uint32_t begun, attempts = 1;
    mproc_value value;
    mproc_status status;

    if (!task->result) return;
    if (task->kind == STOPPED) (void)!mproc_result_stop(task->result, (int64_t)(stress_random(&own->seed) % 3));
    status = get(own, task->result, &value);
    begun = atomic_load(&board->begun[task->number]);
    if (is_retried(task)) {
        attempts = (uint32_t)mproc_result_attempts(task->result);
        own->counts[LOST] += attempts - 1;
        own->counts[AGAIN] += attempts - 1;
        if (status == MPROC_WORKER_LOST) CHECK_EQ(attempts, 1 + RETRIES);
    }
    if (task->kind == DYING) CHECK_STATUS(status, is_retried(task) ? MPROC_OK : MPROC_WORKER_LOST);
    if (status == MPROC_WORKER_LOST) {
        CHECK(strstr(mproc_last_error_text(), "while it ran a task") != NULL);
        CHECK(begun <= attempts);
        own->counts[LOST]++;
    } else if (status == MPROC_CANCELLED) {
        CHECK(task->kind == STOPPED ? begun <= 1 : task->kind == CANCELLED && begun == 0);
        own->counts[LEFT] += begun == 0;
        own->counts[KILLED] += begun;
    } else if (status == MPROC_TIMEOUT) {
        CHECK_EQ(task->kind, LIMITED);
        CHECK(begun <= 1); /* its time runs when a worker has taken it, which may not come to the function */
        own->counts[LEFT] += begun == 0;
        own->counts[LATE]++;
    } else {
        CHECK_STATUS(status, fails ? TASKS_FAILED : MPROC_OK);
        CHECK(fails ? strstr(mproc_last_error_text(), "no stock of") != NULL : is_returned(task, value));
        CHECK(begun >= 1 && begun <= attempts);
    }
    CHECK_STATUS(get(own, task->result, NULL), status);
    mproc_result_free(task->result);
    task->result = NULL;
}

/* ---- who gives them ------------------------------------------------------------------------------- */

static mproc_status submit_called(const struct task *task, mproc_function *function, mproc_result **result)
{
    mproc_task_options options = {
        .callback = on_value, .error_callback = on_error, .context = (void *)&board->called[task->number]};

    atomic_fetch_add(&callbacks_due, 1);
    return mproc_pool_apply_async(pool, function, MPROC_ARGS(arena_offset(board), task->number), &options, result);
}

static mproc_status submit_plain(const struct task *task, mproc_function *function, mproc_result **result)
{
    return mproc_pool_apply_async(pool, function, MPROC_ARGS(arena_offset(board), task->number), NULL, result);
}

static mproc_status submit_limited(const struct task *task, mproc_result **result)
{
    int64_t limit_ms = 1 + (int64_t)(task->number % 3);
    mproc_task_options options = {.soft_limit_ms = task->number % 2 ? limit_ms : 0, .hard_limit_ms = limit_ms};

    return mproc_pool_apply_async(pool, tasks_stay_and_square, MPROC_ARGS(arena_offset(board), task->number),
                                  &options, result);
}

static mproc_status submit_text(const struct task *task, const char *text, const mproc_task_options *options,
                                mproc_result **result)
{
    return mproc_pool_apply_async(pool, tasks_send_back, MPROC_ARGS(arena_offset(board), task->number, text), options,
                                  result);
}

static mproc_status submit_event(const struct task *task, mproc_result **result)
{
    return mproc_pool_apply_async(pool, tasks_send_event_back, MPROC_ARGS(arena_offset(board), task->number, event),
                                  NULL, result);
}

static mproc_status submit(const struct task *task, mproc_result **result)
{
    static const mproc_task_options retried = {.retries = RETRIES};

    switch (task->kind) {
    case SHORT:
        return submit_text(task, short_text, NULL, result);
    case LONG:
        return submit_text(task, long_text, NULL, result);
    case SLEEPING:
        return submit_plain(task, tasks_sleep_and_square, result);
    case LIMITED:
        return submit_limited(task, result);
    case STOPPED:
        return submit_plain(task, tasks_stay_and_square, result);
    case RETRIED:
        return mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(arena_offset(board), task->number), &retried,
                                      result);
    case RETRIED_LONG:
        return submit_text(task, long_text, &retried, result);
    case DYING:
        return mproc_pool_apply_async(pool, tasks_die_at_first, MPROC_ARGS(arena_offset(board), task->number),
                                      is_retried(task) ? &retried : NULL, result);
    case FAILING:
        return submit_plain(task, tasks_fail, result);
    case WITH_EVENT:
        return submit_event(task, result);
    case CALLED:
        return submit_called(task, tasks_square, result);
    case CALLED_FAILING:
        return submit_called(task, tasks_fail, result);
    default:
        return submit_plain(task, tasks_square, result);
    }
}

static void begin_task(struct submitter *own, struct task *task)
{
    task->number = atomic_fetch_add(&board->number, 1);
    task->kind = (enum kind)(stress_random(&own->seed) % KINDS);
    if (task->kind >= LIMITED && stress_random(&own->seed) % DEAR != 0) task->kind = TINY;
    if (task->kind == DYING && !of_threads) task->kind = TINY;
    CHECK_OK(submit(task, &task->result));
    /* It may have been begun, or be finished. */
    if (task->kind == CANCELLED) (void)!mproc_result_cancel(task->result);
    if (task->kind == STOPPED && task->number % 4 == 0) (void)!mproc_result_stop(task->result, 0);
    if (task->kind != FORGOTTEN) return;
    mproc_result_free(task->result);
    task->result = NULL;
}

static void map(struct submitter *own)
{
    int64_t items[ITEMS], results[ITEMS];
    mproc_status statuses[ITEMS];
    mproc_map_options options = {.chunk_size = 4, .statuses = statuses, .retries = (int64_t)(own->counts[MAPS] % 2)};
    mproc_status status;

    for (int i = 0; i < ITEMS; i++) items[i] = i + 1;
    status = mproc_map(pool, tasks_negate, items, results, ITEMS, &options);
    if (status == MPROC_INTERRUPTED) own->counts[INTERRUPTED]++;
    else if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
    for (int i = 0; i < ITEMS; i++) CHECK(statuses[i] == MPROC_OK ? results[i] == -items[i] : status != MPROC_OK);
    own->counts[MAPS]++;
}

/* An item is a number with its board, which is the source's context. */
static mproc_status next_number(void *context, mproc_value *item)
{
    mproc_value *pair = context;

    pair[1] = MPROC_VALUE(atomic_fetch_add(&board->number, 1));
    *item = mproc_list_from(pair, 2);
    return MPROC_OK;
}

/* Takes some results out, and leaves the others: of these nobody learns, and most are not begun. */
static void iterate(struct submitter *own)
{
    mproc_value pair[2] = {MPROC_VALUE(arena_offset(board))}, value;
    mproc_iterator_options options = {.unordered = own->counts[ITERATORS] % 2, .unpack = true, .in_flight = ITEMS};
    mproc_iterator *iterator;
    uint64_t root;

    CHECK_OK(mproc_pool_imap(pool, tasks_square, next_number, pair, &options, &iterator));
    for (uint32_t left = stress_random(&own->seed) % (2 * ITEMS); left > 0; left--) {
        mproc_status status = mproc_iterator_next(iterator, &value, check_limit_ms());
        own->counts[LOST] += status == MPROC_WORKER_LOST;
        own->counts[INTERRUPTED] += status == MPROC_INTERRUPTED;
        if (status == MPROC_WORKER_LOST || status == MPROC_INTERRUPTED) continue;
        CHECK_OK(status);
        CHECK_OK(mproc_value_to(value, &root));
    }
    mproc_iterator_free(iterator);
    own->counts[LEFT] += ITEMS;
    own->counts[ITERATORS]++;
}

static bool goes_on(void)
{
    return (end_ms == 0 || check_now_ms() < end_ms) && atomic_load(&board->number) < most;
}

static void submit_all(void *context)
{
    struct submitter *own = context;

    for (uint32_t i = 0; goes_on(); i++) {
        struct task *task = &own->tasks[stress_random(&own->seed) % OUTSTANDING];
        judge(own, task);
        begin_task(own, task);
        if (stress_random(&own->seed) % MAP_EVERY == 0) map(own);
        if (stress_random(&own->seed) % ITERATE_EVERY == 0) iterate(own);
    }
    for (int i = 0; i < OUTSTANDING; i++) judge(own, &own->tasks[i]);
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void kill_workers(void *unused)
{
    (void)unused;
    while (atomic_load(&killing)) {
        stress_pause(&killer_seed, 500, 4000);
        kills += stress_kill_worker(pool, &killer_seed);
        if (stress_random(&killer_seed) % 20 == 0) {
            mproc_interrupt();
            interrupts++;
        }
        if (stress_random(&killer_seed) % 20 == 0) {
            CHECK_OK(mproc_pool_resize(pool, 1 + (int)(stress_random(&killer_seed) % WORKERS_MAX)));
            sizes++;
        }
    }
    CHECK_OK(mproc_pool_resize(pool, WORKERS));
}

static bool has_its_size(void *unused)
{
    (void)unused;
    return mproc_pool_pids(pool, NULL, 0) == WORKERS;
}

/* Tables of owned slots stay: after it there is room for as many as before. */
static void use_slots(void)
{
    static _Atomic uint64_t *slots[SLOTS];

    for (int i = 0; i < SLOTS; i++) CHECK_OK(resource_slot_take(&slots[i]));
    for (int i = 0; i < SLOTS; i++) resource_slot_put(slots[i]);
}

static void begin(_Atomic uint64_t **owned)
{
    CHECK(mproc_current_process() != NULL);
    killer_seed = stress_seed(of_threads ? "tasks of threads" : "tasks");
    memset(short_text, 's', SHORT_BYTES);
    memset(long_text, 'l', LONG_BYTES);
    use_slots();
    stress_remember();
    CHECK_OK(resource_take(sizeof *board, sizeof *board, owned));
    board = arena_at(atomic_load(*owned));
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_event_set(event));
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS,
                                                     .workers_max = WORKERS_MAX,
                                                     .max_tasks = MAX_TASKS,
                                                     .kind = of_threads ? MPROC_THREADS : MPROC_PROCESSES},
                               &pool));
}

static void blow(struct submitter *submitters, int seconds)
{
    plat_thread *killer;

    end_ms = seconds ? check_now_ms() + seconds * 1000 : 0;
    most = seconds ? TASKS_MAX - (uint64_t)SUBMITTERS * 3 * ITEMS : MILLION;
    atomic_store(&killing, 1);
    for (int i = 0; i < SUBMITTERS; i++) submitters[i].seed = stress_random(&killer_seed) + (uint32_t)i;
    CHECK_OK(plat_thread_start(kill_workers, NULL, &killer));
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK_OK(plat_thread_start(submit_all, &submitters[i], &submitters[i].thread));
    for (int i = 0; i < SUBMITTERS; i++) plat_thread_join(submitters[i].thread);
    atomic_store(&killing, 0);
    plat_thread_join(killer);
}

static void judge_all(const struct submitter *submitters)
{
    uint64_t counts[COUNTS] = {0}, begun = 0;

    kills += atomic_load(&board->died);
    for (uint64_t i = 0; i < TASKS_MAX; i++) begun += atomic_load(&board->begun[i]);
    printf("%lu kills, %lu interrupts, %lu sizes, %llu tasks, of which %llu were begun", (unsigned long)kills,
           (unsigned long)interrupts, (unsigned long)sizes, (unsigned long long)atomic_load(&board->number),
           (unsigned long long)begun);
    for (int i = 0; i < COUNTS; i++) {
        for (int j = 0; j < SUBMITTERS; j++) counts[i] += submitters[j].counts[i];
        printf(", %llu %s", (unsigned long long)counts[i], counted[i]);
    }
    printf("\n");
    CHECK(of_threads ? counts[LOST] == kills : counts[LOST] <= kills);
    CHECK(begun + counts[LEFT] + kills >= atomic_load(&board->number));
    CHECK_EQ(atomic_load(&callbacks_due), 0);
    stress_check_nothing_wrong(&board->wrong);
}

void stress_tasks(int seconds, bool threads)
{
    static struct submitter submitters[SUBMITTERS];
    _Atomic uint64_t *owned;

    of_threads = threads;
    begin(&owned);
    blow(submitters, seconds);
    CHECK_WAIT_UNTIL(has_its_size, NULL);
    while (mproc_interrupted()) continue;
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, check_limit_ms()));
    judge_all(submitters);
    mproc_pool_free(pool);
    CHECK_EQ(object_handles(((const struct reference *)(const void *)event)->at), 1);
    mproc_event_free(event);
    resource_release(owned);
    use_slots();
    stress_check_as_before();
}
