/*
 * A stress over the tasks of a pool: two threads give it tasks of all kinds, wait for some, cancel and forget others,
 * and map beside that, while workers are killed, or retire. Each task is begun at most once, and ends once, with one
 * status: what it has returned or failed with is right, or it is lost; no more are lost than workers were killed.
 */
#include "stress.h"

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
#define TASKS_MAX ((uint64_t)1 << 23)
#define SHORT_BYTES 100
#define LONG_BYTES 20480
#define ITEMS 64
#define MAP_EVERY 400
#define MAX_TASKS 1000
/* More than it uses at a time. */
#define SLOTS 1000
#define FAILED (MPROC_USER + 1)

enum kind { TINY, SHORT, LONG, SLEEPING, FAILING, WITH_EVENT, CALLED, CALLED_FAILING, CANCELLED, FORGOTTEN, KINDS };

/* Of each task how often it was begun, and how often one of its callbacks was called. */
struct board {
    struct stress_wrong wrong;
    _Atomic uint64_t number;
    _Atomic uint8_t begun[TASKS_MAX];
    _Atomic uint8_t called[TASKS_MAX];
};

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
    uint64_t lost, cancelled, maps;
};

static struct board *board;
static mproc_pool *pool;
static mproc_event *event;
static int64_t end_ms;
static _Atomic uint32_t killing;
static uint32_t kills, killer_seed;
static _Atomic uint64_t callbacks_due;
static char short_text[SHORT_BYTES + 1], long_text[LONG_BYTES + 1];

/* ---- tasks ---------------------------------------------------------------------------------------- */

static void note_begin(uint64_t number)
{
    EXPECT(atomic_fetch_add(&board->begun[number], 1) == 0);
}

static mproc_status unpack(mproc_call *call, uint64_t *number)
{
    uint64_t at;

    MPROC_TRY(mproc_unpack(call, &at, number));
    board = arena_at(at);
    note_begin(*number);
    return MPROC_OK;
}

static mproc_status square(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static mproc_status sleep_and_square(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    plat_clock_sleep_until(plat_clock_now_ns() + 1000000);
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static mproc_status fail(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(unpack(call, &number));
    MPROC_TRY(mproc_call_return(call, MPROC_VALUE(number)));
    return mproc_error(FAILED, "no stock of %llu", (unsigned long long)number);
}

static mproc_status send_back(mproc_call *call)
{
    const char *text;
    uint64_t at, number;

    MPROC_TRY(mproc_unpack(call, &at, &number, &text));
    board = arena_at(at);
    note_begin(number);
    return mproc_call_return(call, MPROC_LIST(number, text));
}

static mproc_status send_event_back(mproc_call *call)
{
    mproc_event *its;
    uint64_t at, number;

    MPROC_TRY(mproc_unpack(call, &at, &number, &its));
    board = arena_at(at);
    note_begin(number);
    EXPECT(mproc_event_is_set(its));
    return mproc_call_return(call, MPROC_LIST(number, its));
}

static mproc_status negate(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int64_t *)result = -*(const int64_t *)item;
    return MPROC_OK;
}

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
                                       : status == FAILED && strstr(text, "no stock of") != NULL);
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
    bool pair = task->kind == SHORT || task->kind == LONG || task->kind == WITH_EVENT;
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

/* Waits for it, and frees it. */
static void judge(struct submitter *own, struct task *task)
{
    bool fails = task->kind == FAILING || task->kind == CALLED_FAILING;
    uint32_t begun;
    mproc_value value;
    mproc_status status;

    if (!task->result) return;
    status = mproc_result_get(task->result, &value, check_limit_ms());
    begun = atomic_load(&board->begun[task->number]);
    if (status == MPROC_WORKER_LOST) {
        CHECK(strstr(mproc_last_error_text(), "while it ran a task") != NULL);
        CHECK(begun <= 1);
        own->lost++;
    } else if (status == MPROC_CANCELLED) {
        CHECK_EQ(task->kind, CANCELLED);
        CHECK_EQ(begun, 0);
        own->cancelled++;
    } else {
        CHECK_STATUS(status, fails ? FAILED : MPROC_OK);
        CHECK(fails ? strstr(mproc_last_error_text(), "no stock of") != NULL : is_returned(task, value));
        CHECK_EQ(begun, 1);
    }
    CHECK_STATUS(mproc_result_get(task->result, NULL, 0), status);
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

static mproc_status submit_text(const struct task *task, const char *text, mproc_result **result)
{
    return mproc_pool_apply_async(pool, send_back, MPROC_ARGS(arena_offset(board), task->number, text), NULL, result);
}

static mproc_status submit_event(const struct task *task, mproc_result **result)
{
    return mproc_pool_apply_async(pool, send_event_back, MPROC_ARGS(arena_offset(board), task->number, event), NULL,
                                  result);
}

static mproc_status submit(const struct task *task, mproc_result **result)
{
    switch (task->kind) {
    case SHORT:
        return submit_text(task, short_text, result);
    case LONG:
        return submit_text(task, long_text, result);
    case SLEEPING:
        return submit_plain(task, sleep_and_square, result);
    case FAILING:
        return submit_plain(task, fail, result);
    case WITH_EVENT:
        return submit_event(task, result);
    case CALLED:
        return submit_called(task, square, result);
    case CALLED_FAILING:
        return submit_called(task, fail, result);
    default:
        return submit_plain(task, square, result);
    }
}

static void begin_task(struct submitter *own, struct task *task)
{
    task->number = atomic_fetch_add(&board->number, 1);
    task->kind = (enum kind)(stress_random(&own->seed) % KINDS);
    CHECK_OK(submit(task, &task->result));
    /* It may have been begun. */
    if (task->kind == CANCELLED) (void)!mproc_result_cancel(task->result);
    if (task->kind != FORGOTTEN) return;
    mproc_result_free(task->result);
    task->result = NULL;
}

static void map(struct submitter *own)
{
    int64_t items[ITEMS], results[ITEMS];
    mproc_status statuses[ITEMS];
    mproc_map_options options = {.chunk_size = 4, .statuses = statuses};
    mproc_status status;

    for (int i = 0; i < ITEMS; i++) items[i] = i + 1;
    status = mproc_map(pool, negate, items, results, ITEMS, &options);
    if (status != MPROC_OK) CHECK_STATUS(status, MPROC_WORKER_LOST);
    for (int i = 0; i < ITEMS; i++) CHECK(statuses[i] == MPROC_OK ? results[i] == -items[i] : status != MPROC_OK);
    own->maps++;
}

static bool goes_on(void)
{
    return check_now_ms() < end_ms && atomic_load(&board->number) < TASKS_MAX - SUBMITTERS;
}

static void submit_all(void *context)
{
    struct submitter *own = context;

    for (uint32_t i = 0; goes_on(); i++) {
        struct task *task = &own->tasks[stress_random(&own->seed) % OUTSTANDING];
        judge(own, task);
        begin_task(own, task);
        if (stress_random(&own->seed) % MAP_EVERY == 0) map(own);
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
    }
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
    killer_seed = stress_seed("tasks");
    memset(short_text, 's', SHORT_BYTES);
    memset(long_text, 'l', LONG_BYTES);
    use_slots();
    stress_remember();
    CHECK_OK(resource_take(sizeof *board, sizeof *board, owned));
    board = arena_at(atomic_load(*owned));
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_event_set(event));
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS, .max_tasks = MAX_TASKS}, &pool));
}

static void blow(struct submitter *submitters, int seconds)
{
    plat_thread *killer;

    end_ms = check_now_ms() + seconds * 1000;
    atomic_store(&killing, 1);
    CHECK_OK(plat_thread_start(kill_workers, NULL, &killer));
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].seed = stress_random(&killer_seed) + (uint32_t)i;
        CHECK_OK(plat_thread_start(submit_all, &submitters[i], &submitters[i].thread));
    }
    for (int i = 0; i < SUBMITTERS; i++) plat_thread_join(submitters[i].thread);
    atomic_store(&killing, 0);
    plat_thread_join(killer);
}

static void judge_all(const struct submitter *submitters)
{
    uint64_t lost = 0, cancelled = 0, maps = 0, begun = 0;

    for (int i = 0; i < SUBMITTERS; i++) {
        lost += submitters[i].lost;
        cancelled += submitters[i].cancelled;
        maps += submitters[i].maps;
    }
    for (uint64_t i = 0; i < TASKS_MAX; i++) begun += atomic_load(&board->begun[i]);
    printf("%lu kills, %llu tasks, of which %llu were begun, %llu lost, %llu cancelled; %llu maps\n",
           (unsigned long)kills, (unsigned long long)atomic_load(&board->number), (unsigned long long)begun,
           (unsigned long long)lost, (unsigned long long)cancelled, (unsigned long long)maps);
    CHECK(lost <= kills);
    CHECK(begun + cancelled + kills >= atomic_load(&board->number));
    CHECK_EQ(atomic_load(&callbacks_due), 0);
    stress_check_nothing_wrong(&board->wrong);
}

void stress_tasks(int seconds)
{
    static struct submitter submitters[SUBMITTERS];
    _Atomic uint64_t *owned;

    begin(&owned);
    blow(submitters, seconds);
    CHECK_WAIT_UNTIL(has_its_size, NULL);
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
