/* mproc/progress.h: what the callbacks of maps that tell how far they are may do, and when they are not called. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/waiting_fixture.h"

enum { SOME = 40, OFTEN = 1000 };

/* What a callback does when it is called first, and what came of it. */
typedef struct callback_notes {
    mproc_pool *pool;
    mproc_result *own; /* of the map */
    mproc_event *event;
    fixture_board *board;
    mproc_status status;
    char text[200];
    uint32_t calls;
    mproc_progress last;
} callback_notes;

static void keep(callback_notes *notes, mproc_status status)
{
    notes->status = status;
    snprintf(notes->text, sizeof notes->text, "%s", mproc_last_error_text());
    atomic_store(&notes->board->go, 1);
}

static void count(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    notes->calls++;
    notes->last = *progress;
}

static mproc_map_options array_options(mproc_progress_callback *callback, callback_notes *notes)
{
    return (mproc_map_options){.chunk_size = 1, .progress = callback, .progress_per_second = OFTEN, .context = notes};
}

static mproc_values_options values_options(mproc_progress_callback *callback, callback_notes *notes)
{
    return (mproc_values_options){.progress = callback, .progress_per_second = OFTEN, .context = notes};
}

/* ---- what ends its waits ---------------------------------------------------------------------- */

/* Until somebody ends that. */
static void wait_once(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    (void)progress;
    if (atomic_exchange(&notes->board->inside, 1)) return;
    notes->status = mproc_event_wait(notes->event, MPROC_FOREVER);
    atomic_store(&notes->board->step, 1);
}

/* Until it is told to stop. */
static mproc_status stay_until_asked(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    while (!mproc_call_stop_requested(call)) check_pause_ms(1);
    return MPROC_OK;
}

static mproc_status sleep_until_asked(mproc_call *call)
{
    (void)call;
    while (!mproc_call_stop_requested(call)) (void)!mproc_sleep_ms(1);
    return MPROC_OK;
}

static callback_notes create_notes(void)
{
    callback_notes notes = {.pool = fixture_create(2), .board = fixture_board_create()};

    CHECK_OK(mproc_event_create(&notes.event));
    return notes;
}

static void free_notes(callback_notes *notes)
{
    mproc_pool_free(notes->pool);
    mproc_event_free(notes->event);
    fixture_board_free(notes->board);
}

/* The map would go on for ever, if the callback had had the stop for itself. */
static void check_stopped(callback_notes *notes, mproc_result *result)
{
    CHECK_AWAIT(&notes->board->inside, 1);
    CHECK_OK(mproc_result_stop(result, MPROC_FOREVER));
    CHECK_LOST(result, MPROC_CANCELLED, "stopped");
    CHECK_STATUS(notes->status, MPROC_INTERRUPTED);
}

static void case_a_stop_that_ends_a_wait_of_the_callback_ends_its_map(void)
{
    callback_notes notes = create_notes();
    mproc_map_options options = array_options(wait_once, &notes);
    mproc_values_options over_values = values_options(wait_once, &notes);
    mproc_value items[2] = {mproc_int(0), mproc_int(1)};
    int64_t numbers[2] = {0, 1};
    mproc_result *result;

    CHECK_OK(
        mproc_pool_map_async(notes.pool, stay_until_asked, numbers, sizeof(int64_t), NULL, 0, 2, &options, &result));
    check_stopped(&notes, result);
    atomic_store(&notes.board->inside, 0);
    CHECK_OK(mproc_pool_map_values_async(notes.pool, sleep_until_asked, items, 2, &over_values, &result));
    check_stopped(&notes, result);
    free_notes(&notes);
}

static void case_an_interrupt_that_ends_a_wait_of_the_callback_ends_its_map(void)
{
    callback_notes notes = create_notes();
    fixture_map map = {.pool = notes.pool,
                       .function = stay_until_asked,
                       .items = fixture_items(notes.board, 2),
                       .count = 2,
                       .options = array_options(wait_once, &notes)};

    fixture_map_start(&map);
    CHECK_AWAIT(&notes.board->inside, 1);
    mproc_interrupt();
    fixture_map_join(&map);
    CHECK_STATUS(notes.status, MPROC_INTERRUPTED);
    CHECK_STATUS(map.status, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
    free(map.items);
    fixture_map_free(&map);
    free_notes(&notes);
}

/* ---- what would wait for itself --------------------------------------------------------------- */

static void close_and_join(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    (void)progress;
    if (notes->calls++ > 0) return;
    mproc_pool_close(notes->pool);
    keep(notes, mproc_pool_join(notes->pool, MPROC_FOREVER));
}

/* Goes on when the callback has done its part. */
static mproc_status stay_until_kept(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;

    (void)call;
    CHECK_AWAIT(&fixture_board_at(own->board)->go, 1);
    *(int64_t *)result = own->value * own->value;
    return MPROC_OK;
}

static void case_a_callback_that_joins_the_pool_of_its_map_is_refused(void)
{
    for (int round = 0; round < 2; round++) {
        callback_notes notes = create_notes();
        fixture_item *items = fixture_items(notes.board, SOME);
        int64_t results[SOME];
        mproc_map_options options = array_options(close_and_join, &notes);
        mproc_result *result = NULL;

        if (round == 0) {
            CHECK_OK(mproc_map(notes.pool, stay_until_kept, items, results, SOME, &options));
        } else {
            CHECK_OK(mproc_map_async(notes.pool, stay_until_kept, items, results, SOME, &options, &result));
            CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
            mproc_result_free(result);
        }
        CHECK_STATUS(notes.status, MPROC_BAD_STATE);
        CHECK_CONTAINS(notes.text, "a progress callback is about to wait");
        CHECK_EQ(results[SOME - 1], (SOME - 1) * (SOME - 1));
        CHECK_OK(mproc_pool_join(notes.pool, MPROC_FOREVER));
        free(items);
        free_notes(&notes);
    }
}

static void wait_for_own_map(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    (void)progress;
    if (notes->calls++ > 0) return;
    keep(notes, mproc_result_wait(notes->own, MPROC_FOREVER));
}

static void case_a_callback_that_waits_for_its_own_map_is_refused(void)
{
    callback_notes notes = create_notes();
    fixture_item *items = fixture_items(notes.board, SOME);
    int64_t results[SOME];
    mproc_map_options options = array_options(wait_for_own_map, &notes);

    CHECK_OK(mproc_map_async(notes.pool, stay_until_kept, items, results, SOME, &options, &notes.own));
    CHECK_OK(mproc_result_get(notes.own, NULL, MPROC_FOREVER));
    CHECK_STATUS(notes.status, MPROC_BAD_STATE);
    CHECK_CONTAINS(notes.text, "wait for its own map");
    mproc_result_free(notes.own);
    free(items);
    free_notes(&notes);
}

/* ---- what it may do --------------------------------------------------------------------------- */

static void map_once(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;
    mproc_map_options options = array_options(count, &(callback_notes){.calls = 0});

    (void)progress;
    if (notes->calls++ > 0) return;
    atomic_store(&notes->board->go, 1); /* the workers are in its own map */
    for (int i = 0; i < 3; i++) {
        int64_t numbers[SOME], squares[SOME];
        for (int j = 0; j < SOME; j++) numbers[j] = j;
        CHECK_OK(mproc_map(notes->pool, fixture_square, numbers, squares, SOME, &options));
        CHECK_EQ(squares[SOME - 1], (SOME - 1) * (SOME - 1));
    }
    tasks_check_pool(notes->pool);
    keep(notes, MPROC_OK);
}

static void case_a_callback_may_give_work_to_the_pool_of_its_map(void)
{
    callback_notes notes = create_notes();
    fixture_item *items = fixture_items(notes.board, SOME);
    int64_t results[SOME];
    mproc_map_options options = array_options(map_once, &notes);
    mproc_result *result;

    CHECK_OK(mproc_map(notes.pool, stay_until_kept, items, results, SOME, &options));
    CHECK_EQ(results[SOME - 1], (SOME - 1) * (SOME - 1));
    notes.calls = 0;
    CHECK_OK(mproc_map_async(notes.pool, stay_until_kept, items, results, SOME, &options, &result));
    CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
    mproc_result_free(result);
    free(items);
    free_notes(&notes);
}

/* ---- interrupts of maps whose results are always there ---------------------------------------- */

/* So many that all are given to the pool at once. */
enum { MANY = 500 };

static mproc_status count_when_told(mproc_call *call)
{
    uint64_t at;
    fixture_board *board;

    CHECK_OK(mproc_unpack(call, &at));
    board = fixture_board_at(at);
    CHECK_AWAIT(&board->go, 1);
    atomic_fetch_add(&board->count, 1);
    return MPROC_OK;
}

/* When all are finished. */
static void interrupt_once(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    notes->last = *progress;
    if (notes->calls++ > 0) return;
    atomic_store(&notes->board->go, 1);
    CHECK_AWAIT(&notes->board->count, MANY);
    mproc_interrupt();
}

static void case_a_map_over_values_that_never_waits_is_interrupted_all_the_same(void)
{
    callback_notes notes = create_notes();
    mproc_values_options options = values_options(interrupt_once, &notes);
    mproc_value items[MANY];

    for (int i = 0; i < MANY; i++) items[i] = mproc_int((int64_t)fixture_board_offset(notes.board));
    CHECK_REFUSED(mproc_pool_map_values(notes.pool, count_when_told, items, MANY, NULL, &options), MPROC_INTERRUPTED,
                  "interrupted");
    CHECK(notes.last.done < MANY);
    free_notes(&notes);
}

/* ---- what is told ----------------------------------------------------------------------------- */

static mproc_status take_a_moment(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    check_pause_ms(5);
    return MPROC_OK;
}

static void interrupt_when_some_are_done(const mproc_progress *progress, void *context)
{
    callback_notes *notes = context;

    notes->last = *progress;
    CHECK_EQ(progress->left_ms == -1, progress->done == 0);
    CHECK(progress->left_ms >= -1);
    if (progress->done > 0 && notes->calls++ == 0) mproc_interrupt();
}

static void case_the_time_that_is_left_may_be_longer_than_can_be_said(void)
{
    callback_notes notes = create_notes();
    mproc_map_options options = array_options(interrupt_when_some_are_done, &notes);

    CHECK_STATUS(mproc_pool_map(notes.pool, take_a_moment, NULL, 0, NULL, 0, (size_t)PTRDIFF_MAX, &options),
                 MPROC_INTERRUPTED);
    CHECK_EQ(notes.last.left_ms, INT64_MAX);
    free_notes(&notes);
}

static void case_the_item_whose_failure_stops_a_map_is_done(void)
{
    callback_notes notes = create_notes();
    mproc_values_options options = values_options(count, &notes);
    mproc_value args[2] = {mproc_int(0), mproc_int(7)}, item = mproc_list_from(args, 2);

    options.unpack = options.stop_at_failure = true;
    CHECK_STATUS(mproc_pool_map_values(notes.pool, tasks_fail, &item, 1, NULL, &options), MPROC_USER + 7);
    CHECK_EQ(notes.last.done, 1);
    free_notes(&notes);
}

static void case_a_map_that_is_refused_tells_nothing(void)
{
    callback_notes notes = create_notes();
    mproc_map_options options = array_options(count, &notes);
    mproc_values_options over_values = values_options(count, &notes);
    mproc_value item = mproc_int(1), gone;
    mproc_lock *lock;
    int64_t number = 1;

    over_values.retries = 101;
    CHECK_STATUS(mproc_pool_map_values(notes.pool, tasks_echo, &item, 1, NULL, &over_values), MPROC_INVALID);
    over_values.retries = 0;
    CHECK_STATUS(mproc_pool_map_values(notes.pool, NULL, &item, 1, NULL, &over_values), MPROC_INVALID);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_value_copy(MPROC_LIST(lock), &gone));
    mproc_lock_free(lock);
    options.args = gone;
    CHECK_STATUS(mproc_pool_map(notes.pool, take_a_moment, &number, sizeof number, NULL, 0, 1, &options),
                 MPROC_CLOSED);
    mproc_value_clear(&gone);
    options.args = mproc_no_args();
    mproc_pool_close(notes.pool);
    CHECK_STATUS(mproc_pool_map(notes.pool, take_a_moment, &number, sizeof number, NULL, 0, 1, &options),
                 MPROC_CLOSED);
    CHECK_STATUS(mproc_pool_map_values(notes.pool, tasks_echo, &item, 1, NULL, &over_values), MPROC_CLOSED);
    CHECK_EQ(notes.calls, 0);
    free_notes(&notes);
}

CHECK_TWINS(pool_progress_callbacks, fixture_of_processes, pool_progress_callbacks_threads, fixture_of_threads,
    CASE(a_stop_that_ends_a_wait_of_the_callback_ends_its_map),
    CASE(an_interrupt_that_ends_a_wait_of_the_callback_ends_its_map),
    CASE(a_callback_that_joins_the_pool_of_its_map_is_refused),
    CASE(a_callback_that_waits_for_its_own_map_is_refused),
    CASE(a_callback_may_give_work_to_the_pool_of_its_map),
    CASE(a_map_over_values_that_never_waits_is_interrupted_all_the_same),
    CASE(the_time_that_is_left_may_be_longer_than_can_be_said),
    CASE(the_item_whose_failure_stops_a_map_is_done),
    CASE(a_map_that_is_refused_tells_nothing),
);
