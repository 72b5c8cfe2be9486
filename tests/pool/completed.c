/* mproc/result.h: results one after the other, as their tasks are finished. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"

enum { SOME = 200, MANY = 20000 };

static mproc_completed *create(mproc_result **results, size_t count)
{
    mproc_completed *completed = NULL;

    CHECK_OK(mproc_completed_create(results, count, &completed));
    return completed;
}

/* The next one is that of this index. */
static void check_next(mproc_completed *completed, size_t expected)
{
    size_t index = SIZE_MAX;

    CHECK_OK(mproc_completed_next(completed, &index, MPROC_FOREVER));
    CHECK_EQ(index, expected);
}

static void check_none_now(mproc_completed *completed)
{
    size_t index = 12345;

    CHECK_REFUSED(mproc_completed_next(completed, &index, 0), MPROC_TIMEOUT, "none of the tasks that are left");
    CHECK_REFUSED(mproc_completed_next(completed, &index, 2), MPROC_TIMEOUT, "is finished within 2 ms");
    CHECK_EQ(index, 12345);
}

/* Takes out all that are left, each of which comes once. `seen` has a place for each. */
static void check_rest(mproc_completed *completed, bool *seen, size_t count)
{
    size_t index = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        CHECK_OK(mproc_completed_next(completed, &index, MPROC_FOREVER));
        CHECK(!seen[index]);
        seen[index] = true;
    }
    CHECK_STATUS(mproc_completed_next(completed, &index, MPROC_FOREVER), MPROC_END);
    CHECK_STATUS(mproc_completed_next(completed, &index, 0), MPROC_END);
}

static void free_all(mproc_result **results, size_t count)
{
    for (size_t i = 0; i < count; i++) mproc_result_free(results[i]);
}

static void case_results_come_out_as_they_are_finished(void)
{
    mproc_pool *pool = fixture_create(3);
    fixture_board *boards[3];
    mproc_result *results[3];
    mproc_completed *completed;

    for (int i = 0; i < 3; i++) boards[i] = fixture_board_create();
    for (int i = 0; i < 3; i++) results[i] = tasks_submit(pool, tasks_stay, boards[i], i);
    completed = create(results, 3);
    for (int i = 0; i < 3; i++) CHECK_AWAIT(&boards[i]->started, 1);
    check_none_now(completed);
    atomic_store(&boards[2]->go, 1);
    check_next(completed, 2);
    check_none_now(completed);
    atomic_store(&boards[0]->go, 1);
    check_next(completed, 0);
    check_none_now(completed);
    atomic_store(&boards[1]->go, 1);
    check_next(completed, 1);
    CHECK_STATUS(mproc_completed_next(completed, NULL, MPROC_FOREVER), MPROC_END);
    mproc_completed_free(completed);
    for (int i = 0; i < 3; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    for (int i = 0; i < 3; i++) fixture_board_free(boards[i]);
    mproc_pool_free(pool);
}

/* The array is not needed; the order of the results in it is not that of the tasks. */
static void case_each_of_many_comes_out_once(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result **results = calloc(MANY, sizeof(mproc_result *)), **copy = calloc(MANY, sizeof(mproc_result *));
    bool *seen = calloc(MANY, sizeof(bool));
    mproc_completed *completed;

    CHECK(results && copy && seen);
    for (size_t i = 0; i < MANY; i++) {
        size_t place = i * 7919 % MANY;
        results[place] = copy[place] = tasks_submit(pool, tasks_square, NULL, (int64_t)place);
    }
    completed = create(copy, MANY);
    free(copy);
    check_rest(completed, seen, MANY);
    mproc_completed_free(completed);
    for (size_t i = 0; i < MANY; i++) CHECK_EQ(tasks_take_int(results[i]), (int64_t)(i * i));
    free(results);
    free(seen);
    mproc_pool_free(pool);
}

/* Each may be freed when it came out, and the others go on. */
static void case_a_result_that_came_out_may_be_freed(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[SOME];
    mproc_completed *completed;
    size_t index;
    int64_t sum = 0;

    for (int i = 0; i < SOME; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    completed = create(results, SOME);
    while (mproc_completed_next(completed, &index, MPROC_FOREVER) == MPROC_OK) sum += tasks_take_int(results[index]);
    CHECK_EQ(sum, (int64_t)(SOME - 1) * SOME * (2 * SOME - 1) / 6);
    mproc_completed_free(completed);
    mproc_pool_free(pool);
}

/* Behind thousands that no worker comes to. */
static void case_one_that_is_cancelled_comes_out_at_once(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result **results = calloc(MANY, sizeof(mproc_result *));
    bool *seen = calloc(MANY, sizeof(bool));
    mproc_completed *completed;

    CHECK(results && seen);
    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    CHECK_AWAIT(&board->started, 1);
    for (size_t i = 1; i < MANY; i++) results[i] = tasks_submit(pool, tasks_square, NULL, (int64_t)i);
    completed = create(results, MANY);
    check_none_now(completed);
    CHECK_OK(mproc_result_cancel(results[MANY - 1]));
    check_next(completed, MANY - 1);
    CHECK_OK(mproc_result_cancel(results[MANY / 2]));
    check_next(completed, MANY / 2);
    seen[MANY - 1] = seen[MANY / 2] = true;
    check_none_now(completed);
    atomic_store(&board->go, 1);
    check_rest(completed, seen, MANY - 2);
    mproc_completed_free(completed);
    free_all(results, MANY);
    free(results);
    free(seen);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_failures_and_lost_workers_come_out_too(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[3];
    mproc_completed *completed;
    bool seen[3] = {false};

    results[0] = tasks_submit(pool, tasks_fail, NULL, 1);
    results[1] = tasks_submit(pool, tasks_end_thread, NULL, 1);
    results[2] = tasks_submit(pool, tasks_square, NULL, 3);
    completed = create(results, 3);
    check_rest(completed, seen, 3);
    mproc_completed_free(completed);
    CHECK_LOST(results[0], MPROC_USER + 1, "");
    CHECK_LOST(results[1], MPROC_WORKER_LOST, "");
    CHECK_EQ(tasks_take_int(results[2]), 9);
    mproc_pool_free(pool);
}

typedef struct taker {
    mproc_completed *completed;
    size_t index;
    mproc_status status;
    _Atomic uint32_t begun;
    plat_thread *thread;
} taker;

static void take_next(void *context)
{
    taker *self = context;

    CHECK(!mproc_interrupted()); /* from now on it hears of interrupts */
    atomic_store(&self->begun, 1);
    self->status = mproc_completed_next(self->completed, &self->index, MPROC_FOREVER);
}

static void start(taker *self)
{
    CHECK_OK(plat_thread_start(take_next, self, &self->thread));
    CHECK_AWAIT(&self->begun, 1);
    check_pause_ms(1);
}

/* Of those that are not begun all come out, in whatever order. */
static void case_who_waits_learns_that_the_pool_is_terminated(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[SOME];
    bool seen[SOME] = {false};
    taker next = {.index = SIZE_MAX};

    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    CHECK_AWAIT(&board->started, 1);
    for (int i = 1; i < SOME; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    next.completed = create(results, SOME);
    start(&next);
    atomic_store(&board->go, !fixture_is_threads() ? 0 : 1);
    mproc_pool_terminate(pool);
    plat_thread_join(next.thread);
    CHECK_OK(next.status);
    seen[next.index] = true;
    check_rest(next.completed, seen, SOME - 1);
    mproc_completed_free(next.completed);
    mproc_pool_free(pool);
    free_all(results, SOME);
    fixture_board_free(board);
}

/* It knows what had become of them. */
static void case_results_come_out_after_their_pool_was_freed(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[SOME];
    bool seen[SOME] = {false};
    mproc_completed *completed;

    for (int i = 0; i < SOME; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    completed = create(results, SOME);
    mproc_pool_close(pool);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_free(pool);
    check_rest(completed, seen, SOME);
    mproc_completed_free(completed);
    free_all(results, SOME);
}

/* What lies where their tasks were is another's. */
static void case_results_of_a_freed_pool_come_out_and_nothing_else_is_changed(void)
{
    enum { ARRAYS = 40, WORDS = 5000 };
    static const uint64_t like_a_task = (uint64_t)1 << 32 | 1;
    mproc_pool *pool = fixture_create(2);
    mproc_shared_array *arrays[ARRAYS];
    mproc_result *results[SOME];
    bool seen[SOME] = {false};
    mproc_completed *completed;

    for (int i = 0; i < SOME; i++) results[i] = tasks_submit(pool, tasks_square, NULL, i);
    mproc_pool_free(pool);
    for (int i = 0; i < ARRAYS; i++) {
        CHECK_OK(mproc_shared_array_create(sizeof(uint64_t), WORDS, NULL, NULL, &arrays[i]));
        for (int j = 0; j < WORDS; j++) ((uint64_t *)mproc_shared_array_data(arrays[i]))[j] = like_a_task;
    }
    completed = create(results, SOME);
    check_rest(completed, seen, SOME);
    for (int i = 0; i < ARRAYS; i++) {
        for (int j = 0; j < WORDS; j++) CHECK_EQ(((uint64_t *)mproc_shared_array_data(arrays[i]))[j], like_a_task);
        mproc_shared_array_free(arrays[i]);
    }
    mproc_completed_free(completed);
    free_all(results, SOME);
}

static mproc_status square_item(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int64_t *)result = *(const int64_t *)item * *(const int64_t *)item;
    return MPROC_OK;
}

static void case_maps_and_tasks_come_out_together(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t items[SOME], squares[SOME];
    mproc_result *results[4];
    bool seen[4] = {false};
    mproc_completed *completed;

    for (int i = 0; i < SOME; i++) items[i] = i;
    results[0] = tasks_submit(pool, tasks_square, NULL, 5);
    CHECK_OK(mproc_pool_map_async(pool, square_item, items, sizeof(int64_t), squares, sizeof(int64_t), SOME, NULL,
                                  &results[1]));
    results[2] = results[3] = tasks_submit(pool, tasks_square, NULL, 6); /* once for each index */
    completed = create(results, 4);
    check_rest(completed, seen, 4);
    CHECK_EQ(squares[SOME - 1], (int64_t)(SOME - 1) * (SOME - 1));
    mproc_completed_free(completed);
    free_all(results, 3);
    mproc_pool_free(pool);
}

static void case_a_wait_for_the_next_can_be_interrupted(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[1];
    taker next = {.index = SIZE_MAX};

    results[0] = tasks_submit(pool, tasks_stay, board, 0);
    CHECK_AWAIT(&board->started, 1);
    next.completed = create(results, 1);
    start(&next);
    mproc_interrupt();
    plat_thread_join(next.thread);
    CHECK_STATUS(next.status, MPROC_INTERRUPTED);
    CHECK_EQ(next.index, SIZE_MAX);
    CHECK(mproc_interrupted());
    atomic_store(&board->go, 1);
    check_next(next.completed, 0);
    mproc_completed_free(next.completed);
    free_all(results, 1);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status wait_in_a_worker(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static void case_wrong_calls_for_the_next_are_refused(void)
{
    mproc_pool *pool = fixture_create(1), *other = fixture_create(1);
    mproc_result *results[2];
    mproc_completed *completed = NULL;

    results[0] = tasks_submit(pool, wait_in_a_worker, NULL, 0);
    results[1] = tasks_submit(other, wait_in_a_worker, NULL, 0);
    CHECK_REFUSED(mproc_completed_create(results, 2, &completed), MPROC_INVALID, "another pool");
    CHECK_REFUSED(mproc_completed_create(NULL, 2, &completed), MPROC_INVALID, "no address");
    CHECK_REFUSED(mproc_completed_create(results, 1, NULL), MPROC_INVALID, "out is NULL");
    CHECK(completed == NULL);
    completed = create(NULL, 0);
    CHECK_STATUS(mproc_completed_next(completed, NULL, MPROC_FOREVER), MPROC_END);
    CHECK_REFUSED(mproc_completed_next(completed, NULL, -1), MPROC_INVALID, "-1");
    mproc_completed_free(completed);
    mproc_completed_free(NULL);
    free_all(results, 2);
    mproc_pool_free(pool);
    mproc_pool_free(other);
}

/* Only worker threads can have a pool that is theirs. */
static mproc_completed *own;

static mproc_status take_of_own_pool(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    CHECK_AWAIT(&board->step, 1);
    CHECK_REFUSED(mproc_completed_next(own, NULL, MPROC_FOREVER), MPROC_BAD_STATE, "about to wait");
    return MPROC_OK;
}

static void case_a_worker_that_waits_for_the_next_of_its_own_pool_is_refused(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *takes = tasks_submit(pool, take_of_own_pool, board, 0);
    mproc_result *stays = tasks_submit(pool, tasks_stay, board, 0);

    own = create(&stays, 1);
    atomic_store(&board->step, 1);
    CHECK_OK(mproc_result_get(takes, NULL, MPROC_FOREVER));
    atomic_store(&board->go, 1);
    check_next(own, 0);
    mproc_completed_free(own);
    mproc_result_free(takes);
    mproc_result_free(stays);
    mproc_pool_free(pool);
    fixture_board_free(board);
}

CHECK_TWINS(pool_completed, fixture_of_processes, pool_completed_threads, fixture_of_threads,
    CASE(results_come_out_as_they_are_finished),
    CASE(each_of_many_comes_out_once),
    CASE(a_result_that_came_out_may_be_freed),
    CASE(one_that_is_cancelled_comes_out_at_once),
    CASE(failures_and_lost_workers_come_out_too),
    CASE(who_waits_learns_that_the_pool_is_terminated),
    CASE(results_come_out_after_their_pool_was_freed),
    CASE(results_of_a_freed_pool_come_out_and_nothing_else_is_changed),
    CASE(maps_and_tasks_come_out_together),
    CASE(a_wait_for_the_next_can_be_interrupted),
    CASE(wrong_calls_for_the_next_are_refused),
);

CHECK_SUITE_SETUP(pool_own_completed, fixture_of_threads,
    CASE(a_worker_that_waits_for_the_next_of_its_own_pool_is_refused),
);
