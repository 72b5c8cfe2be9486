#include "waiting_fixture.h"

/* Longer than any case. */
#define LONG_MS 600000

/* ---- each kind -------------------------------------------------------------------------------- */

static mproc_status in_sleep(mproc_value object)
{
    (void)object;
    return mproc_sleep_ms(LONG_MS);
}

static mproc_status in_lock(mproc_value object)
{
    mproc_lock *lock;

    CHECK_OK(mproc_value_to(object, &lock));
    return mproc_lock_acquire(lock, MPROC_FOREVER);
}

static mproc_status in_rlock(mproc_value object)
{
    mproc_rlock *rlock;

    CHECK_OK(mproc_value_to(object, &rlock));
    return mproc_rlock_acquire(rlock, MPROC_FOREVER);
}

static mproc_status in_semaphore(mproc_value object)
{
    mproc_semaphore *semaphore;

    CHECK_OK(mproc_value_to(object, &semaphore));
    return mproc_semaphore_acquire(semaphore, MPROC_FOREVER);
}

static mproc_status in_condition(mproc_value object)
{
    mproc_condition *condition;
    mproc_status status;

    CHECK_OK(mproc_value_to(object, &condition));
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    status = mproc_condition_wait(condition, MPROC_FOREVER);
    CHECK_OK(mproc_condition_release(condition));
    return status;
}

static mproc_status in_event(mproc_value object)
{
    mproc_event *event;

    CHECK_OK(mproc_value_to(object, &event));
    return mproc_event_wait(event, MPROC_FOREVER);
}

static mproc_status in_barrier(mproc_value object)
{
    mproc_barrier *barrier;

    CHECK_OK(mproc_value_to(object, &barrier));
    return mproc_barrier_wait(barrier, MPROC_FOREVER, NULL);
}

static mproc_status in_get(mproc_value object)
{
    mproc_queue *queue;
    mproc_value value;

    CHECK_OK(mproc_value_to(object, &queue));
    return mproc_queue_get(queue, &value, MPROC_FOREVER);
}

static mproc_status in_put(mproc_value object)
{
    mproc_queue *queue;

    CHECK_OK(mproc_value_to(object, &queue));
    return mproc_queue_put(queue, mproc_int(2), MPROC_FOREVER);
}

static mproc_status in_queue_join(mproc_value object)
{
    mproc_queue *queue;

    CHECK_OK(mproc_value_to(object, &queue));
    return mproc_queue_join(queue, MPROC_FOREVER);
}

static mproc_status sleeps(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(LONG_MS);
}

static mproc_status in_process_join(mproc_value object)
{
    mproc_process *process;
    mproc_status status;

    (void)object;
    CHECK_OK(mproc_process_create(sleeps, mproc_no_args(), &(mproc_process_options){.daemon = MPROC_YES}, &process));
    CHECK_OK(mproc_process_start(process));
    status = mproc_process_join(process, MPROC_FOREVER);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    return status;
}

/* ---- in a pool of the task's own ---------------------------------------------------------------- */

static mproc_pool *own_pool(mproc_worker_kind kind, mproc_result **result)
{
    mproc_pool *pool;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = kind, .grace_ms = 10}, &pool));
    if (result) CHECK_OK(mproc_pool_apply_async(pool, sleeps, mproc_no_args(), NULL, result));
    return pool;
}

static mproc_status in_result(mproc_value object)
{
    mproc_result *result = NULL;
    mproc_pool *pool = own_pool(MPROC_THREADS, &result);
    mproc_status status = mproc_result_wait(result, MPROC_FOREVER);

    (void)object;
    mproc_result_free(result);
    mproc_pool_free(pool);
    return status;
}

static mproc_status in_results(mproc_value object)
{
    mproc_result *result = NULL;
    mproc_pool *pool = own_pool(MPROC_PROCESSES, &result);
    mproc_status status = mproc_result_wait_many(&result, 1, MPROC_WAIT_ANY, MPROC_FOREVER);

    (void)object;
    mproc_result_free(result);
    mproc_pool_free(pool);
    return status;
}

static mproc_status in_apply(mproc_value object)
{
    mproc_pool *pool = own_pool(MPROC_THREADS, NULL);
    mproc_status status = mproc_pool_apply(pool, sleeps, mproc_no_args(), NULL);

    (void)object;
    mproc_pool_free(pool);
    return status;
}

static mproc_status sleeps_over_item(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    return mproc_sleep_ms(LONG_MS);
}

static mproc_status in_map(mproc_value object)
{
    mproc_pool *pool = own_pool(MPROC_THREADS, NULL);
    int64_t number = 0;
    mproc_status status = mproc_map(pool, sleeps_over_item, &number, NULL, 1, NULL);

    (void)object;
    mproc_pool_free(pool);
    return status;
}

static mproc_status in_pool_join(mproc_value object)
{
    mproc_result *result = NULL;
    mproc_pool *pool = own_pool(MPROC_THREADS, &result);
    mproc_status status;

    (void)object;
    mproc_pool_close(pool);
    status = mproc_pool_join(pool, MPROC_FOREVER);
    mproc_result_free(result);
    mproc_pool_free(pool);
    return status;
}

static mproc_status (*const kinds[WAITING_KINDS])(mproc_value object) = {
    in_sleep, in_lock,       in_rlock,        in_semaphore, in_condition, in_event, in_barrier, in_get,
    in_put,   in_queue_join, in_process_join, in_result,    in_results,   in_apply, in_map,     in_pool_join,
};

/* ---- their tasks -------------------------------------------------------------------------------- */

static mproc_status wait_for_ever(mproc_call *call)
{
    uint64_t at;
    int64_t kind;
    mproc_value object;
    fixture_board *board;

    CHECK_OK(mproc_unpack(call, &at, &kind, &object));
    board = fixture_board_at(at);
    CHECK(!mproc_interrupted());
    atomic_fetch_add(&board->started, 1);
    atomic_store(&board->statuses[kind], (int32_t)kinds[kind](object));
    atomic_store(&board->values[kind], mproc_call_stop_requested(call) + 2 * mproc_interrupted());
    return mproc_call_return(call, mproc_int(kind));
}

void waiting_create(waiting_objects *objects)
{
    *objects = (waiting_objects){.lock = NULL};
    CHECK_OK(mproc_lock_create(NULL, &objects->lock));
    CHECK_OK(mproc_rlock_create(NULL, &objects->rlock));
    CHECK_OK(mproc_semaphore_create(0, NULL, &objects->semaphore));
    CHECK_OK(mproc_condition_create(NULL, &objects->condition));
    CHECK_OK(mproc_event_create(&objects->event));
    CHECK_OK(mproc_barrier_create(2, NULL, &objects->barrier));
    CHECK_OK(mproc_queue_create(NULL, &objects->empty));
    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.maxsize = 1}, &objects->full));
    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.joinable = true}, &objects->joined));
    CHECK_OK(mproc_lock_acquire(objects->lock, MPROC_FOREVER));
    CHECK_OK(mproc_rlock_acquire(objects->rlock, MPROC_FOREVER));
    CHECK_OK(mproc_queue_put(objects->full, mproc_int(1), MPROC_FOREVER));
    CHECK_OK(mproc_queue_put(objects->joined, mproc_int(1), MPROC_FOREVER));
    for (int i = 0; i < WAITING_KINDS; i++) objects->values[i] = mproc_nil();
    objects->values[1] = MPROC_VALUE(objects->lock);
    objects->values[2] = MPROC_VALUE(objects->rlock);
    objects->values[3] = MPROC_VALUE(objects->semaphore);
    objects->values[4] = MPROC_VALUE(objects->condition);
    objects->values[5] = MPROC_VALUE(objects->event);
    objects->values[6] = MPROC_VALUE(objects->barrier);
    objects->values[7] = MPROC_VALUE(objects->empty);
    objects->values[8] = MPROC_VALUE(objects->full);
    objects->values[9] = MPROC_VALUE(objects->joined);
}

void waiting_free(waiting_objects *objects)
{
    CHECK_OK(mproc_lock_release(objects->lock));
    CHECK_OK(mproc_rlock_release(objects->rlock));
    mproc_lock_free(objects->lock);
    mproc_rlock_free(objects->rlock);
    mproc_semaphore_free(objects->semaphore);
    mproc_condition_free(objects->condition);
    mproc_event_free(objects->event);
    mproc_barrier_free(objects->barrier);
    mproc_queue_free(objects->empty);
    mproc_queue_free(objects->full);
    mproc_queue_free(objects->joined);
}

mproc_result *waiting_submit(mproc_pool *pool, const waiting_objects *objects, const fixture_board *board,
                             int64_t kind, const mproc_task_options *options)
{
    mproc_result *result = NULL;

    CHECK_OK(mproc_pool_apply_async(
        pool, wait_for_ever, MPROC_ARGS(fixture_board_offset(board), kind, objects->values[kind]), options, &result));
    return result;
}

void waiting_check(const fixture_board *board, int64_t kind)
{
    if (atomic_load(&board->statuses[kind]) == MPROC_INTERRUPTED && atomic_load(&board->values[kind]) == 1) return;
    check_fail(__FILE__, __LINE__, "the wait of kind %d ended with %s, and then the task was told %d", (int)kind,
               mproc_status_name((mproc_status)atomic_load(&board->statuses[kind])),
               (int)atomic_load(&board->values[kind]));
}

/* ---- other tasks -------------------------------------------------------------------------------- */

mproc_pool *waiting_pool(int workers, int64_t grace_ms)
{
    mproc_pool_options options = {
        .workers = workers, .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES, .grace_ms = grace_ms};
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

mproc_status waiting_stay(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    while (!atomic_load(&board->go)) check_pause_ms(1);
    atomic_fetch_add(&board->done, 1);
    return mproc_call_return(call, mproc_int(number));
}

mproc_status waiting_sleep(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    CHECK_STATUS(mproc_sleep_ms(LONG_MS), MPROC_INTERRUPTED);
    CHECK(mproc_call_stop_requested(call));
    atomic_fetch_add(&board->done, 1);
    return mproc_call_return(call, mproc_int(number));
}

mproc_status waiting_innocent(mproc_call *call)
{
    int64_t number;

    tasks_arguments(call, &number);
    for (int i = 0; i < 20; i++) {
        if (mproc_call_stop_requested(call)) return mproc_error(MPROC_USER, "it was asked to stop");
        if (mproc_interrupted()) return mproc_error(MPROC_USER, "it was interrupted");
    }
    return mproc_call_return(call, mproc_int(number));
}

struct successor {
    mproc_pool *pool;
    int64_t pid;
};

static bool is_replaced(void *context)
{
    const struct successor *own = context;
    int64_t pids[64];
    size_t count = mproc_pool_pids(own->pool, pids, 64);

    for (size_t i = 0; i < count; i++)
        if (pids[i] == own->pid) return false;
    return count == (size_t)mproc_pool_workers(own->pool) && !os_is_alive(own->pid);
}

void waiting_await_successor(mproc_pool *pool, int64_t pid)
{
    if (!fixture_is_threads()) CHECK_WAIT_UNTIL(is_replaced, &((struct successor){pool, pid}));
}

mproc_status waiting_take_time(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    atomic_fetch_add(&board->marks[number], 1);
    for (int64_t until_ms = check_now_ms() + number % 4; check_now_ms() < until_ms;) continue;
    return mproc_call_return(call, mproc_int(number));
}

static void note_value(mproc_value value, void *context)
{
    (void)value;
    atomic_fetch_add(&((waiting_notes *)context)->values, 1);
}

static void note_error(mproc_status status, const char *text, void *context)
{
    waiting_notes *notes = context;

    (void)text;
    if (status == MPROC_CANCELLED) atomic_fetch_add(&notes->cancelled, 1);
    if (status == MPROC_TIMEOUT) atomic_fetch_add(&notes->timeouts, 1);
    atomic_fetch_add(&notes->errors, 1);
}

mproc_result *waiting_submit_noted(mproc_pool *pool, mproc_function *function, const fixture_board *board,
                                   int64_t number, int64_t hard_ms, waiting_notes *notes)
{
    mproc_task_options options = {
        .hard_limit_ms = hard_ms, .callback = note_value, .error_callback = note_error, .context = notes};
    mproc_result *result = NULL;

    CHECK_OK(
        mproc_pool_apply_async(pool, function, MPROC_ARGS(fixture_board_offset(board), number), &options, &result));
    return result;
}

void waiting_end(mproc_pool *pool, fixture_board *board)
{
    atomic_store(&board->go, 1);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

void waiting_of_threads(void)
{
    fixture_of_processes();
    fixture_of_threads();
}
