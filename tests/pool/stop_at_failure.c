/* mproc/map.h: maps that stop at a failure. */
#include <stdlib.h>

#include "pool/waiting_fixture.h"

enum { COUNT = 1000 };

/* A map of items of the board, in chunks of one. Its arrays are in shared memory, or the program's own. */
typedef struct stopping {
    mproc_pool *pool;
    fixture_board *board;
    size_t count;
    mproc_shared_array *shared;
    fixture_item *items;
    int64_t *results;
    mproc_status *statuses;
} stopping;

static stopping create(int64_t workers, int64_t grace_ms, size_t count, bool in_place)
{
    stopping self = {.pool = waiting_pool((int)workers, grace_ms), .board = fixture_board_create(), .count = count};

    self.items = fixture_items(self.board, count);
    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), count, NULL, NULL, &self.shared));
    self.results = in_place ? mproc_shared_array_data(self.shared) : calloc(count, sizeof(int64_t));
    self.statuses = calloc(count, sizeof(mproc_status));
    CHECK(self.results != NULL && self.statuses != NULL);
    return self;
}

static void destroy(stopping *self)
{
    atomic_store(&self->board->go, 1);
    mproc_pool_free(self->pool);
    if (self->results != mproc_shared_array_data(self->shared)) free(self->results);
    mproc_shared_array_free(self->shared);
    fixture_board_free(self->board);
    free(self->items);
    free(self->statuses);
}

static mproc_status run(stopping *self, mproc_item_function *function)
{
    mproc_map_options options = {.chunk_size = 1, .statuses = self->statuses, .stop_at_failure = true};

    return mproc_pool_map(self->pool, function, self->items, sizeof *self->items, self->results, sizeof(int64_t),
                          self->count, &options);
}

/* ---- what is begun, and what is said -------------------------------------------------------------- */

/* Marks and squares its number; 5 fails. */
static mproc_status fail_at_5(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    atomic_fetch_add(&board->marks[own->value], 1);
    if (own->value == 5) return mproc_error(MPROC_USER + 5, "item 5 fails");
    if (own->value > 100) check_pause_ms(1);
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

static void check_stopped(const stopping *self)
{
    for (size_t i = 0; i < self->count; i++) {
        uint32_t begun = atomic_load(&self->board->marks[i]);
        mproc_status status = self->statuses[i];
        CHECK(begun <= 1);
        if (i == 5) CHECK_STATUS(status, MPROC_USER + 5);
        else if (status != MPROC_OK) CHECK_STATUS(status, MPROC_CANCELLED);
        if (status == MPROC_OK) CHECK(begun == 1 && self->results[i] == (int64_t)(i * i));
    }
    CHECK_STATUS(self->statuses[self->count - 1], MPROC_CANCELLED);
}

static void case_a_map_returns_the_failure_at_which_it_stops(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(2, WAITING_MINUTES, COUNT, in_place);
        CHECK_REFUSED(run(&self, fail_at_5), MPROC_USER + 5, "item 5 fails");
        check_stopped(&self);
        fixture_check_squares(self.pool, 1000, 1);
        tasks_check_pool(self.pool);
        destroy(&self);
    }
}

/* One worker for which the first item fails. */
static mproc_status fail_at_0(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)result;
    (void)call;
    atomic_fetch_add(&board->count, 1);
    return own->value == 0 ? mproc_error(MPROC_USER, "item 0 fails") : MPROC_OK;
}

static void case_no_item_is_begun_after_the_failure(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(1, WAITING_MINUTES, COUNT, in_place);
        CHECK_REFUSED(run(&self, fail_at_0), MPROC_USER, "item 0 fails");
        CHECK_EQ(atomic_load(&self.board->count), 1);
        CHECK_STATUS(self.statuses[0], MPROC_USER);
        for (size_t i = 1; i < COUNT; i++) CHECK_STATUS(self.statuses[i], MPROC_CANCELLED);
        fixture_check_squares(self.pool, 1000, 1);
        destroy(&self);
    }
}

static void case_a_map_without_the_option_runs_all_items(void)
{
    stopping self = create(2, 1, COUNT, false);
    mproc_map_options options = {.chunk_size = 1, .statuses = self.statuses};

    CHECK_REFUSED(mproc_pool_map(self.pool, fail_at_5, self.items, sizeof *self.items, self.results, sizeof(int64_t),
                                 100, &options),
                  MPROC_USER + 5, "item 5 fails");
    fixture_check_marks(self.board, 100, 1);
    for (size_t i = 0; i < 100; i++) CHECK_STATUS(self.statuses[i], i == 5 ? MPROC_USER + 5 : MPROC_OK);
    destroy(&self);
}

static void case_a_map_that_has_no_failure_does_not_stop(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(2, 1, COUNT, in_place);
        for (size_t i = 0; i < COUNT; i++) self.items[i].value = (int64_t)i % 5;
        for (int round = 0; round < 5; round++) CHECK_OK(run(&self, fail_at_5));
        for (size_t i = 0; i < COUNT; i++) CHECK_STATUS(self.statuses[i], MPROC_OK);
        for (size_t i = 0; i < COUNT; i++) CHECK_EQ(self.results[i], self.items[i].value * self.items[i].value);
        destroy(&self);
    }
}

/* ---- those that run ------------------------------------------------------------------------------- */

/* The first item waits for ever, and the others until it does so; then 5 fails. */
static mproc_status first_waits(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)call;
    atomic_fetch_add(&board->marks[own->value], 1);
    if (own->value == 0) {
        mproc_status status;
        atomic_fetch_add(&board->started, 1);
        status = mproc_sleep_ms(WAITING_MINUTES);
        atomic_fetch_add(&board->done, 1);
        return status;
    }
    CHECK_AWAIT(&board->started, 1);
    if (own->value == 5) return mproc_error(MPROC_USER + 5, "item 5 fails");
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

/* That is an item which was stopped, and none that has failed. */
static void case_items_that_run_are_told_to_stop_and_hide_no_failure(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(2, WAITING_MINUTES, COUNT, in_place);
        CHECK_REFUSED(run(&self, first_waits), MPROC_USER + 5, "item 5 fails");
        CHECK_AWAIT(&self.board->done, 1);
        CHECK_STATUS(self.statuses[0], MPROC_CANCELLED);
        fixture_check_squares(self.pool, 1000, 1);
        destroy(&self);
    }
}

/* The first item stays, and the others wait until it does so; then 5 fails. */
static mproc_status first_stays(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    if (own->value != 0) return first_waits(item, result, call);
    atomic_store(&board->pid, mproc_getpid());
    atomic_fetch_add(&board->started, 1);
    while (!atomic_load(&board->go)) check_pause_ms(1);
    atomic_fetch_add(&board->done, 1);
    return MPROC_OK;
}

static void case_items_that_do_not_stop_are_ended_and_hide_no_failure(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(2, 1, COUNT, in_place);
        CHECK_REFUSED(run(&self, first_stays), MPROC_USER + 5, "item 5 fails");
        waiting_await_successor(self.pool, atomic_load(&self.board->pid));
        CHECK_STATUS(self.statuses[0], MPROC_CANCELLED);
        CHECK_STATUS(self.statuses[5], MPROC_USER + 5);
        CHECK_EQ(atomic_load(&self.board->done), 0);
        fixture_check_squares(self.pool, 1000, 1);
        destroy(&self);
    }
}

/* ---- lost workers --------------------------------------------------------------------------------- */

/* The first item loses its worker. */
static mproc_status end_at_0(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);

    (void)result;
    (void)call;
    atomic_fetch_add(&board->count, 1);
    if (own->value == 0) os_end_thread();
    return MPROC_OK;
}

static void case_a_map_stops_when_a_worker_is_lost(void)
{
    for (int in_place = 0; in_place < 2; in_place++) {
        stopping self = create(1, WAITING_MINUTES, COUNT, in_place);
        CHECK_REFUSED(run(&self, end_at_0), MPROC_WORKER_LOST, "while it computed the chunk of item 0");
        CHECK_EQ(atomic_load(&self.board->count), 1);
        CHECK_STATUS(self.statuses[0], MPROC_WORKER_LOST);
        for (size_t i = 1; i < COUNT; i++) CHECK_STATUS(self.statuses[i], MPROC_CANCELLED);
        fixture_check_squares(self.pool, 1000, 1);
        destroy(&self);
    }
}

/* ---- beside others -------------------------------------------------------------------------------- */

static mproc_status innocent_item(const void *item, void *result, mproc_call *call)
{
    if (mproc_call_stop_requested(call)) return mproc_error(MPROC_USER, "it was asked to stop");
    if (mproc_interrupted()) return mproc_error(MPROC_USER, "it was interrupted");
    return fixture_square(item, result, call);
}

typedef struct innocent {
    mproc_pool *pool;
    _Atomic uint32_t ends;
    _Atomic uint32_t rounds;
    plat_thread *thread;
} innocent;

/* Maps and tasks, of which each must be done wholly. */
static void do_no_harm(void *context)
{
    innocent *self = context;
    int64_t numbers[200], squares[200];

    for (int i = 0; i < 200; i++) numbers[i] = i;
    while (!atomic_load(&self->ends)) {
        mproc_result *result = tasks_submit(self->pool, waiting_innocent, NULL, 3);
        CHECK_OK(mproc_map(self->pool, innocent_item, numbers, squares, 200, &(mproc_map_options){.chunk_size = 1}));
        for (int i = 0; i < 200; i++) CHECK_EQ(squares[i], i * i);
        CHECK_EQ(tasks_take_int(result), 3);
        atomic_fetch_add(&self->rounds, 1);
    }
}

static void case_maps_that_stop_harm_no_others(void)
{
    stopping self = create(3, 1, 100, false);
    innocent other = {.pool = self.pool};
    int rounds = check_many(30, 6);

    CHECK_OK(plat_thread_start(do_no_harm, &other, &other.thread));
    for (int i = 0; i < rounds; i++) {
        bool stays = i % 3 == 0 && !fixture_is_threads();
        atomic_store(&self.board->started, 0);
        CHECK(run(&self, stays ? first_stays : i % 3 == 1 ? first_waits : fail_at_0) != MPROC_OK);
    }
    CHECK_AWAIT(&other.rounds, atomic_load(&other.rounds) + 2);
    atomic_store(&other.ends, 1);
    plat_thread_join(other.thread);
    destroy(&self);
}

/* Item 0 ends its worker, and item 1 fails when another is there: which has begun item 2, and stays in that. */
static mproc_status lose_and_fail(const void *item, void *result, mproc_call *call)
{
    const fixture_item *self = item;
    fixture_board *board = fixture_board_at(self->board);

    (void)result;
    if (self->value == 0) {
        atomic_store(&board->started, 1);
        tasks_end_worker();
    }
    CHECK_AWAIT(&board->started, 1);
    if (self->value == 2) atomic_store(&board->step, 1);
    while (self->value == 2 && !mproc_call_stop_requested(call)) check_pause_ms(1);
    if (self->value == 2) return MPROC_OK;
    CHECK_AWAIT(&board->step, 1);
    return mproc_error(MPROC_USER + 1, "item 1 fails");
}

static void case_a_lost_item_that_would_be_begun_again_hides_no_failure(void)
{
    stopping self = create(2, 1000, 3, false);
    mproc_map_options options = {.chunk_size = 1, .statuses = self.statuses, .stop_at_failure = true, .retries = 100};

    CHECK_REFUSED(mproc_map(self.pool, lose_and_fail, self.items, self.results, 3, &options), MPROC_USER + 1,
                  "item 1 fails");
    CHECK_EQ(self.statuses[0], MPROC_WORKER_LOST);
    destroy(&self);
}

CHECK_TWINS(pool_stop_at_failure, fixture_of_processes, pool_stop_at_failure_threads, fixture_of_threads,
    CASE(a_map_returns_the_failure_at_which_it_stops),
    CASE(no_item_is_begun_after_the_failure),
    CASE(a_map_without_the_option_runs_all_items),
    CASE(a_map_that_has_no_failure_does_not_stop),
    CASE(items_that_run_are_told_to_stop_and_hide_no_failure),
    CASE(a_map_stops_when_a_worker_is_lost),
    CASE(a_lost_item_that_would_be_begun_again_hides_no_failure),
    CASE(maps_that_stop_harm_no_others),
);

CHECK_SUITE_SETUP(pool_stop_at_failure_processes, fixture_of_processes,
    CASE(items_that_do_not_stop_are_ended_and_hide_no_failure),
);
