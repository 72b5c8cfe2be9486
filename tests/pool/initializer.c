/* mproc/pool.h: what workers do before their first task and after their last. */
#include <stdlib.h>

#include "pool_fixture.h"

enum { COUNT = 40 };

/* What an initializer makes; its worker's tasks find it. */
struct state {
    fixture_board *board;
    mproc_lock *lock;
    int64_t factor;
    int64_t tasks;
};

static struct state *make_state(mproc_call *call)
{
    struct state *state = calloc(1, sizeof *state);
    uint64_t board = 0;

    CHECK(state != NULL);
    CHECK_OK(mproc_unpack(call, &board, &state->lock, &state->factor));
    state->board = fixture_board_at(board);
    return state;
}

static mproc_status initialize(mproc_call *call)
{
    struct state *state = make_state(call);

    CHECK(mproc_call_state(call) == NULL);
    atomic_fetch_add(&state->board->started, 1);
    mproc_call_set_state(call, state);
    return MPROC_OK;
}

static mproc_status finalize(mproc_call *call)
{
    struct state *state = mproc_call_state(call);

    CHECK_EQ(mproc_call_count(call), 0);
    CHECK_OK(mproc_lock_acquire(state->lock, MPROC_FOREVER));
    state->board->plain += state->tasks;
    CHECK_OK(mproc_lock_release(state->lock));
    atomic_fetch_add(&state->board->done, 1);
    free(state);
    return MPROC_OK;
}

static mproc_status multiply(const void *item, void *result, mproc_call *call)
{
    struct state *state = mproc_call_state(call);

    CHECK(state != NULL);
    CHECK_OK(mproc_lock_acquire(state->lock, MPROC_FOREVER));
    state->tasks++;
    CHECK_OK(mproc_lock_release(state->lock));
    *(int64_t *)result = *(const int64_t *)item * state->factor;
    return MPROC_OK;
}

/* The board and the lock of a case. */
struct setting {
    fixture_board *board;
    mproc_lock *lock;
    mproc_value args[3];
};

static void setting_make(struct setting *setting)
{
    setting->board = fixture_board_create();
    CHECK_OK(mproc_lock_create(NULL, &setting->lock));
    setting->args[0] = mproc_uint(fixture_board_offset(setting->board));
    setting->args[1] = MPROC_VALUE(setting->lock);
    setting->args[2] = mproc_int(3);
}

static void setting_drop(struct setting *setting)
{
    mproc_lock_free(setting->lock);
    fixture_board_free(setting->board);
}

static mproc_pool *create(struct setting *setting, mproc_function *initializer, int workers, int64_t max_tasks)
{
    mproc_pool_options options = {.workers = workers,
                                  .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES,
                                  .initializer = initializer,
                                  .initializer_args = mproc_list_from(setting->args, 3),
                                  .finalizer = finalize,
                                  .max_tasks = max_tasks};
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

static void check_products(mproc_pool *pool)
{
    mproc_map_options options = {.chunk_size = 1};
    int64_t items[COUNT], results[COUNT];

    for (int i = 0; i < COUNT; i++) items[i] = i;
    CHECK_OK(mproc_map(pool, multiply, items, results, COUNT, &options));
    for (int i = 0; i < COUNT; i++) CHECK_EQ(results[i], 3 * i);
}

static void end(mproc_pool *pool)
{
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
}

/* ---- it runs ------------------------------------------------------------------------------------- */

static void case_initializer_runs_once_in_each_worker_before_its_tasks(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, initialize, 3, 0);
    for (int i = 0; i < 5; i++) check_products(pool);
    CHECK_AWAIT(&setting.board->started, 3);
    end(pool);
    CHECK_EQ(atomic_load(&setting.board->started), 3);
    CHECK_EQ(atomic_load(&setting.board->done), 3);
    CHECK_EQ(setting.board->plain, 5 * COUNT);
    setting_drop(&setting);
}

static void case_what_it_unpacked_outlives_the_callers_references(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, initialize, 2, 7);
    mproc_lock_free(setting.lock);
    setting.lock = NULL;
    for (int i = 0; i < 3; i++) check_products(pool);
    end(pool);
    CHECK_EQ(setting.board->plain, 3 * COUNT);
    setting_drop(&setting);
}

static void case_workers_that_are_terminated_finish_nothing(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, initialize, 2, 0);
    check_products(pool);
    mproc_pool_terminate(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    if (!fixture_is_threads()) CHECK_EQ(atomic_load(&setting.board->done), 0);
    mproc_pool_free(pool);
    setting_drop(&setting);
}

/* ---- enough is enough ---------------------------------------------------------------------------- */

static void case_a_worker_that_has_run_its_tasks_is_replaced(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, initialize, 1, 3);
    check_products(pool);
    end(pool);
    CHECK(atomic_load(&setting.board->started) >= COUNT / 3 + 1);
    CHECK_EQ(setting.board->plain, COUNT);
    setting_drop(&setting);
}

static void case_no_item_is_lost_when_all_workers_are_replaced_again_and_again(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, initialize, 3, 1);
    for (int i = 0; i < 2; i++) check_products(pool);
    end(pool);
    CHECK(atomic_load(&setting.board->started) >= 2 * COUNT);
    CHECK_EQ(setting.board->plain, 2 * COUNT);
    setting_drop(&setting);
}

/* ---- it fails ------------------------------------------------------------------------------------ */

/* Tasks and a finalizer never see the state of a worker that could not begin. */
static mproc_status fail(mproc_call *call, struct state *state, mproc_status status)
{
    free(state);
    mproc_call_set_state(call, NULL);
    return mproc_error(status, "no licence for %d", 3);
}

static mproc_status fail_until_go(mproc_call *call)
{
    struct state *state = make_state(call);

    atomic_fetch_add(&state->board->started, 1);
    mproc_call_set_state(call, state);
    return atomic_load(&state->board->go) ? MPROC_OK : fail(call, state, MPROC_USER + 7);
}

static mproc_status map_ones(mproc_pool *pool)
{
    int64_t items[COUNT] = {0}, results[COUNT];

    return mproc_map(pool, multiply, items, results, COUNT, NULL);
}

static void case_a_failing_initializer_is_what_maps_say(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, fail_until_go, 2, 0);
    for (uint32_t i = 1; i < 4; i++) {
        CHECK_REFUSED(map_ones(pool), MPROC_USER + 7, "its initializer failed: no licence for 3");
        CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-");
    }
    CHECK(atomic_load(&setting.board->started) <= 2 * 4); /* none was started again and again */
    atomic_store(&setting.board->go, 1);
    /* Those that began before may still be on their way to fail. */
    while (map_ones(pool) == MPROC_USER + 7) check_pause_ms(1);
    check_products(pool);
    mproc_pool_free(pool);
    setting_drop(&setting);
}

static mproc_status fail_first(mproc_call *call)
{
    struct state *state = make_state(call);

    mproc_call_set_state(call, state);
    return atomic_fetch_add(&state->board->started, 1) > 0 ? MPROC_OK : fail(call, state, MPROC_USER + 8);
}

static void case_workers_that_could_begin_go_on_without_the_others(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, fail_first, 2, 0);
    CHECK_AWAIT(&setting.board->started, 2);
    check_products(pool);
    check_products(pool);
    mproc_pool_free(pool);
    setting_drop(&setting);
}

static mproc_status end_at_once(mproc_call *call)
{
    (void)call;
    if (fixture_is_threads()) os_end_thread();
    _Exit(4);
}

static mproc_status end_thread_at_once(mproc_call *call)
{
    (void)call;
    os_end_thread();
    return MPROC_OK;
}

static void case_a_loop_of_initializers_that_end_their_worker_comes_to_an_end(void)
{
    struct setting setting;
    mproc_pool *pool;

    setting_make(&setting);
    pool = create(&setting, fixture_is_threads() ? end_thread_at_once : end_at_once, 2, 0);
    CHECK_REFUSED(map_ones(pool), MPROC_WORKER_LOST, "in a row ended before they were ready");
    mproc_pool_free(pool);
    setting_drop(&setting);
}

/* ---- refused ------------------------------------------------------------------------------------- */

static void case_options_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = NULL;
    mproc_value bad = mproc_string("\xff");

    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 1, .max_tasks = -1}, &pool), MPROC_INVALID,
                  "at most -1 tasks");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 1, .initializer_args = MPROC_ARGS(1)}, &pool),
                  MPROC_INVALID, "no initializer");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.workers = 1,
                                                          .initializer = initialize,
                                                          .initializer_args = mproc_list_from(&bad, 1)},
                                    &pool),
                  MPROC_INVALID, "argument 1 of 'initializer'");
    CHECK(pool == NULL);
}

CHECK_TWINS(pool_initializer, fixture_of_processes, pool_initializer_threads, fixture_of_threads,
    CASE(initializer_runs_once_in_each_worker_before_its_tasks),
    CASE(what_it_unpacked_outlives_the_callers_references),
    CASE(workers_that_are_terminated_finish_nothing),
    CASE(a_worker_that_has_run_its_tasks_is_replaced),
    CASE(no_item_is_lost_when_all_workers_are_replaced_again_and_again),
    CASE(a_failing_initializer_is_what_maps_say),
    CASE(workers_that_could_begin_go_on_without_the_others),
    CASE(a_loop_of_initializers_that_end_their_worker_comes_to_an_end),
    CASE(options_that_cannot_be_are_refused),
);
