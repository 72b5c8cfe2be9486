/* mproc/progress.h: maps that tell how far they are. */
#include <stdlib.h>

#include "pool/waiting_fixture.h"

enum { SOME = 100, OFTEN = 1000 };

/* What a callback was told. With a board it says go when all but one item are done. */
typedef struct progress_notes {
    fixture_board *board;
    _Atomic uint32_t calls;
    mproc_progress last;
    bool interrupts;
} progress_notes;

static void note(const mproc_progress *progress, void *context)
{
    progress_notes *notes = context;

    CHECK(progress->done <= progress->total && progress->done >= notes->last.done);
    CHECK(progress->elapsed_ms >= notes->last.elapsed_ms && progress->rate >= 0);
    CHECK_EQ(progress->left_ms == -1, progress->done == 0);
    if (progress->done > 0) CHECK(progress->rate > 0 && progress->left_ms >= 0);
    notes->last = *progress;
    (void)mproc_error(MPROC_USER, "what a callback leaves is not the map's");
    if (notes->board && progress->done == progress->total - 1) atomic_store(&notes->board->go, 1);
    if (notes->board && notes->interrupts && progress->done == progress->total - 1) mproc_interrupt();
    atomic_fetch_add(&notes->calls, 1);
}

/* It was told that all of them are done, and before that some, not more often than it was to be. */
static void check_notes(const progress_notes *notes, uint64_t total, uint32_t least)
{
    CHECK_EQ(notes->last.done, total);
    CHECK_EQ(notes->last.total, total);
    if (total > 0) CHECK_EQ(notes->last.left_ms, 0);
    CHECK(atomic_load(&notes->calls) >= least);
    CHECK(atomic_load(&notes->calls) <= 2 + (uint64_t)notes->last.elapsed_ms * OFTEN / 1000);
}

/* Squares its number; the last one when the board says go. */
static mproc_status wait_at_last(const void *item, void *result, mproc_call *call)
{
    const fixture_item *self = item;
    int64_t last;

    MPROC_TRY(mproc_unpack(call, &last));
    if (self->value == last) CHECK_AWAIT(&fixture_board_at(self->board)->go, 1);
    *(int64_t *)result = self->value * self->value;
    return MPROC_OK;
}

/* The map would never end, if nobody was told. */
static void check_map(bool in_place, bool waits)
{
    mproc_pool *pool = fixture_create(2);
    progress_notes notes = {.board = fixture_board_create()};
    fixture_item *items = fixture_items(notes.board, SOME);
    mproc_shared_array *shared = NULL;
    int64_t *results;
    mproc_map_options options = {.chunk_size = 1,
                                 .args = MPROC_ARGS((int64_t)SOME - 1),
                                 .progress = note,
                                 .progress_per_second = OFTEN,
                                 .context = &notes};
    mproc_result *result = NULL;

    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), SOME, NULL, NULL, &shared));
    results = in_place ? mproc_shared_array_data(shared) : calloc(SOME, sizeof(int64_t));
    if (waits) {
        CHECK_OK(mproc_map(pool, wait_at_last, items, results, SOME, &options));
    } else {
        CHECK_OK(mproc_map_async(pool, wait_at_last, items, results, SOME, &options, &result));
        CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
        mproc_result_free(result);
    }
    for (int i = 0; i < SOME; i++) CHECK_EQ(results[i], (int64_t)i * i);
    check_notes(&notes, SOME, 2);
    mproc_pool_free(pool);
    if (!in_place) free(results);
    mproc_shared_array_free(shared);
    free(items);
    fixture_board_free(notes.board);
}

static void case_a_map_tells_how_far_it_is(void)
{
    check_map(false, true);
}

static void case_a_map_in_place_tells_how_far_it_is(void)
{
    check_map(true, true);
}

static void case_a_map_that_nobody_waits_for_tells_how_far_it_is(void)
{
    check_map(false, false);
}

static mproc_status value_waits_at_last(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (number == SOME - 1) CHECK_AWAIT(&board->go, 1);
    return mproc_call_return(call, mproc_int(number));
}

static void case_a_map_over_values_tells_how_far_it_is(void)
{
    mproc_pool *pool = fixture_create(2);
    progress_notes notes = {.board = fixture_board_create()};
    mproc_values_options options = {
        .unpack = true, .progress = note, .progress_per_second = OFTEN, .context = &notes};
    mproc_value pairs[SOME][2], items[SOME], values[SOME];
    mproc_result *result;

    for (int i = 0; i < SOME; i++) {
        pairs[i][0] = mproc_int((int64_t)fixture_board_offset(notes.board));
        pairs[i][1] = mproc_int(i);
        items[i] = mproc_list_from(pairs[i], 2);
    }
    CHECK_OK(mproc_pool_map_values(pool, value_waits_at_last, items, SOME, values, &options));
    for (int i = 0; i < SOME; i++) CHECK_EQ(mproc_value_int(values[i]), i);
    check_notes(&notes, SOME, 2);
    atomic_store(&notes.board->go, 0);
    notes.last = (mproc_progress){.done = 0};
    CHECK_OK(mproc_pool_map_values_async(pool, value_waits_at_last, items, SOME, &options, &result));
    CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
    CHECK_EQ(notes.last.done, SOME);
    mproc_result_free(result);
    mproc_pool_free(pool);
    fixture_board_free(notes.board);
}

/* Nothing is told but the end of what is over soon. */
static void case_a_short_map_tells_its_end(void)
{
    mproc_pool *pool = fixture_create(2);
    progress_notes notes = {.board = NULL};
    mproc_map_options options = {.progress = note, .progress_per_second = 1, .context = &notes};
    mproc_values_options over_values = {.progress = note, .context = &notes};
    int64_t numbers[3] = {1, 2, 3}, squares[3];

    CHECK_OK(mproc_map(pool, fixture_square, numbers, squares, 3, &options));
    CHECK_EQ(notes.last.done, 3);
    notes = (progress_notes){.board = NULL};
    CHECK_OK(mproc_map(pool, fixture_square, numbers, squares, 0, &options));
    check_notes(&notes, 0, 1);
    CHECK_EQ(atomic_load(&notes.calls), 1);
    notes = (progress_notes){.board = NULL};
    CHECK_OK(mproc_pool_map_values(pool, tasks_echo, NULL, 0, NULL, &over_values));
    CHECK_EQ(atomic_load(&notes.calls), 1);
    mproc_pool_free(pool);
}

/* Item 5 fails; the others wait for the board's word. */
static mproc_status fail_at_5(const void *item, void *result, mproc_call *call)
{
    (void)call;
    if (((const fixture_item *)item)->value == 5) return mproc_error(MPROC_USER + 5, "item 5 fails");
    *(int64_t *)result = 1;
    return MPROC_OK;
}

/* What a map says stays, whatever its callback leaves. */
static void case_a_map_that_fails_tells_what_is_done_and_says_why(void)
{
    mproc_pool *pool = fixture_create(2);
    progress_notes notes = {.board = NULL};
    fixture_item *items = fixture_items(NULL, SOME);
    mproc_status statuses[SOME];
    int64_t results[SOME];
    mproc_map_options options = {
        .chunk_size = 1, .progress = note, .context = &notes, .statuses = statuses, .stop_at_failure = true};
    uint64_t known = 0;

    CHECK_REFUSED(mproc_map(pool, fail_at_5, items, results, SOME, &options), MPROC_USER + 5, "item 5 fails");
    for (int i = 0; i < SOME; i++) known += statuses[i] != MPROC_CANCELLED;
    CHECK_EQ(notes.last.done, known);
    notes = (progress_notes){.board = NULL};
    options.stop_at_failure = false;
    CHECK_REFUSED(mproc_map(pool, fail_at_5, items, results, SOME, &options), MPROC_USER + 5, "item 5 fails");
    CHECK_EQ(notes.last.done, SOME);
    free(items);
    mproc_pool_free(pool);
}

/* The callback itself interrupts its map when all but the last item are done. */
static void case_a_map_that_is_interrupted_tells_what_is_done(void)
{
    mproc_pool *pool = waiting_pool(2, 1);
    progress_notes notes = {.board = fixture_board_create(), .interrupts = true};
    fixture_board *never = fixture_board_create();
    fixture_item *items = fixture_items(never, SOME);
    int64_t results[SOME];
    mproc_map_options options = {.chunk_size = 1,
                                 .args = MPROC_ARGS((int64_t)SOME - 1),
                                 .progress = note,
                                 .progress_per_second = OFTEN,
                                 .context = &notes};
    fixture_board *board = never;

    if (fixture_is_threads()) notes.board = never; /* nothing ends a thread but its function */
    CHECK_REFUSED(mproc_map(pool, wait_at_last, items, results, SOME, &options), MPROC_INTERRUPTED, "interrupted");
    CHECK(notes.last.done >= SOME - 1);
    atomic_store(&board->go, 1);
    mproc_pool_free(pool);
    fixture_board_free(notes.board);
    if (notes.board != never) fixture_board_free(never);
    free(items);
}

static void case_a_callback_that_would_be_called_too_often_is_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    progress_notes notes = {.board = NULL};
    mproc_map_options options = {.progress = note, .progress_per_second = 1001, .context = &notes};
    mproc_values_options over_values = {.progress = note, .progress_per_second = 1001, .context = &notes};
    int64_t number = 3, square;
    mproc_value item = mproc_int(3);
    mproc_result *result = NULL;

    CHECK_REFUSED(mproc_map(pool, fixture_square, &number, &square, 1, &options), MPROC_INVALID, "1001 times");
    CHECK_REFUSED(mproc_map_async(pool, fixture_square, &number, &square, 1, &options, &result), MPROC_INVALID,
                  "1001 times");
    CHECK_REFUSED(mproc_pool_map_values(pool, tasks_echo, &item, 1, NULL, &over_values), MPROC_INVALID, "1001 times");
    CHECK_REFUSED(mproc_pool_map_values_async(pool, tasks_echo, &item, 1, &over_values, &result), MPROC_INVALID,
                  "1001 times");
    options.progress_per_second = -1;
    CHECK_REFUSED(mproc_map(pool, fixture_square, &number, &square, 1, &options), MPROC_INVALID, "-1 times");
    CHECK(result == NULL && atomic_load(&notes.calls) == 0);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_progress, fixture_of_processes, pool_progress_threads, fixture_of_threads,
    CASE(a_map_tells_how_far_it_is),
    CASE(a_map_in_place_tells_how_far_it_is),
    CASE(a_map_that_nobody_waits_for_tells_how_far_it_is),
    CASE(a_map_over_values_tells_how_far_it_is),
    CASE(a_short_map_tells_its_end),
    CASE(a_map_that_fails_tells_what_is_done_and_says_why),
    CASE(a_map_that_is_interrupted_tells_what_is_done),
    CASE(a_callback_that_would_be_called_too_often_is_refused),
);
