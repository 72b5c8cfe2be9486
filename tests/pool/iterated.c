/* mproc/iterator.h: what comes out of iterators: values, failures; and their ends. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/numbers_fixture.h"

/* ---- values ----------------------------------------------------------------------------------- */

static const size_t sizes[] = {0, 1, 7, 8, 9, 23, 24, 25, 39, 40, 41, 48, 100, 255, 256, 4096, 5000, 100000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct texts {
    char *text;
    int at;
} texts;

static mproc_status next_text(void *context, mproc_value *item)
{
    texts *self = context;

    if (self->at == SIZES) return MPROC_END;
    *item = mproc_string_from(self->text, sizes[self->at++]);
    return MPROC_OK;
}

/* They are the caller's: the iterator and the pool are freed before. */
static void case_values_of_every_size_come_out_of_an_iterator(void)
{
    mproc_pool *pool = fixture_create(2);
    texts source = {.text = malloc(1 << 20)};
    mproc_value values[SIZES];
    mproc_iterator *iterator;

    CHECK(source.text != NULL);
    for (int i = 0; i < 1 << 20; i++) source.text[i] = (char)('a' + (i + (i >> 8)) % 26);
    CHECK_OK(mproc_pool_imap(pool, tasks_echo, next_text, &source, NULL, &iterator));
    for (int i = 0; i < SIZES; i++) CHECK_OK(mproc_iterator_next(iterator, &values[i], check_limit_ms()));
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    mproc_pool_free(pool);
    for (int i = 0; i < SIZES; i++) {
        mproc_value expected = mproc_string_from(source.text, sizes[i]);
        CHECK(mproc_value_equal(values[i], mproc_list_from(&expected, 1)));
        mproc_value_clear(&values[i]);
    }
    free(source.text);
}

/* What is no text comes back as that, in its place. */
static mproc_status next_that_may_be_no_text(void *context, mproc_value *item)
{
    int *at = context;

    if (*at == 9) return MPROC_END;
    *item = mproc_string_from(++*at % 3 == 0 ? "\xff" : "a", 1);
    return MPROC_OK;
}

static void case_an_item_that_cannot_be_fails_at_its_place(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int unordered = 0; unordered < 2; unordered++) {
        mproc_iterator *iterator;
        int at = 0, failed = 0;
        CHECK_OK(mproc_pool_imap(pool, tasks_echo, next_that_may_be_no_text, &at,
                                 &(mproc_iterator_options){.unordered = unordered, .in_flight = 4}, &iterator));
        for (int i = 1; i <= 9; i++) {
            mproc_value value = mproc_nil();
            mproc_status status = mproc_iterator_next(iterator, &value, check_limit_ms());
            if (status != MPROC_OK) CHECK_CONTAINS(mproc_last_error_text(), "UTF-8");
            if (!unordered) CHECK_STATUS(status, i % 3 == 0 ? MPROC_INVALID : MPROC_OK);
            failed += status == MPROC_INVALID;
            mproc_value_clear(&value);
        }
        CHECK_EQ(failed, 3);
        numbers_check_end(iterator);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

/* Nobody but the value has the object. */
static mproc_status makes_an_event(mproc_call *call)
{
    mproc_event *event;
    mproc_status status;

    MPROC_TRY(mproc_event_create(&event));
    status = mproc_call_return(call, MPROC_LIST(event, mproc_call_value(call)));
    mproc_event_free(event);
    return status;
}

static void case_objects_in_a_value_of_an_iterator_live_until_it_is_cleared(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(2);
    numbers_source source = {.count = 30};
    mproc_iterator *iterator = numbers_iterate(pool, makes_an_event, &source, false, 10);
    mproc_value values[10];

    for (int i = 0; i < 10; i++) CHECK_OK(mproc_iterator_next(iterator, &values[i], check_limit_ms()));
    for (int i = 10; i < 15; i++) CHECK_OK(mproc_iterator_next(iterator, NULL, check_limit_ms()));
    mproc_iterator_free(iterator); /* with others in flight */
    mproc_pool_free(pool);
    for (int i = 0; i < 10; i++) {
        mproc_event *event = NULL;
        CHECK_OK(mproc_value_to(mproc_value_at(values[i], 0), &event));
        CHECK_OK(mproc_event_set(event));
        CHECK(mproc_event_is_set(event));
        mproc_event_free(event);
        CHECK_EQ(mproc_value_int(mproc_value_at(mproc_value_at(values[i], 1), 0)), i);
        mproc_value_clear(&values[i]);
    }
    tasks_await_blocks(blocks);
}

static mproc_status joins(mproc_call *call)
{
    const char *first, *second;
    char both[32];

    MPROC_TRY(mproc_unpack(call, &first, &second));
    snprintf(both, sizeof both, "%s %s", first, second);
    return mproc_call_return(call, mproc_string(both));
}

static mproc_status next_pair(void *context, mproc_value *item)
{
    const mproc_value *pairs = *(const mproc_value **)context;

    if (mproc_value_is_nil(*pairs)) return MPROC_END;
    *item = *pairs;
    *(const mproc_value **)context = pairs + 1;
    return MPROC_OK;
}

/* Of what is none the task is no other than of the same arguments of one task. */
static void case_unpacked_items_are_the_arguments(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_value pairs[] = {MPROC_LIST("a", "b"), MPROC_LIST("c", "d"), mproc_int(3), MPROC_LIST("e"), mproc_nil()};
    const mproc_value *at = pairs;
    mproc_iterator *iterator;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_pool_imap(pool, joins, next_pair, &at, &(mproc_iterator_options){.unpack = true}, &iterator));
    CHECK_OK(mproc_iterator_next(iterator, &value, check_limit_ms()));
    CHECK_STRING(mproc_value_string(value), "a b");
    mproc_value_clear(&value);
    CHECK_OK(mproc_iterator_next(iterator, &value, check_limit_ms()));
    CHECK_STRING(mproc_value_string(value), "c d");
    mproc_value_clear(&value);
    CHECK_STATUS(mproc_iterator_next(iterator, &value, check_limit_ms()), MPROC_INVALID);
    CHECK_REFUSED(mproc_iterator_next(iterator, &value, check_limit_ms()), MPROC_INVALID, "was given 1 arguments");
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    mproc_pool_free(pool);
}

/* ---- failures --------------------------------------------------------------------------------- */

static mproc_status fails_at_three(mproc_call *call)
{
    int64_t number;

    tasks_arguments(call, &number);
    return number % 10 == 3 ? tasks_fail(call) : tasks_count(call);
}

static void case_a_failing_item_fails_at_its_place_and_the_others_come(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    numbers_source source = {.board = board, .count = 100};
    mproc_iterator *iterator = numbers_iterate(pool, fails_at_three, &source, false, 7);
    mproc_value value = mproc_int(-1);
    char part[40];

    for (int n = 0; n < 100; n++) {
        snprintf(part, sizeof part, "order %d has no stock", n);
        if (n % 10 != 3) CHECK_EQ(numbers_take(iterator), n);
        else CHECK_REFUSED(mproc_iterator_next(iterator, &value, check_limit_ms()), MPROC_USER + n, part);
    }
    CHECK_EQ(mproc_value_int(value), -1);
    numbers_check_end(iterator);
    CHECK_EQ(atomic_load(&board->count), 90);
    mproc_iterator_free(iterator);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_failing_items_come_once_each_out_of_an_unordered_iterator(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    numbers_source source = {.board = board, .count = 100};
    mproc_iterator *iterator = numbers_iterate(pool, fails_at_three, &source, true, 7);
    int64_t failed = 0, done = 0;
    mproc_status status;

    while ((status = mproc_iterator_next(iterator, NULL, check_limit_ms())) != MPROC_END) {
        if (status == MPROC_OK) done++;
        else failed += status - MPROC_USER;
    }
    CHECK_EQ(done, 90);
    CHECK_EQ(failed, 480);
    mproc_iterator_free(iterator);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* What is in flight is done; what is asked for later is refused, each for itself. */
static void case_a_pool_that_is_closed_takes_no_more_items(void)
{
    mproc_pool *pool = fixture_create(1);
    numbers_source source = {.count = 10};
    mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, false, 4);
    mproc_value value = mproc_int(-1);

    CHECK_EQ(numbers_take(iterator), 0);
    mproc_pool_close(pool);
    for (int n = 1; n < 4; n++) CHECK_EQ(numbers_take(iterator), n * n);
    CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
    for (int n = 4; n < 10; n++)
        CHECK_REFUSED(mproc_iterator_next(iterator, &value, 0), MPROC_CLOSED, "the pool was closed");
    CHECK_EQ(mproc_value_int(value), -1);
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    mproc_pool_free(pool);
}

/* Worker threads end their task before. */
static void case_a_pool_is_terminated_while_its_results_are_taken_out(void)
{
    for (int unordered = 0; unordered < 2; unordered++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        numbers_source source = {.board = board, .count = 10};
        mproc_iterator *iterator = numbers_iterate(pool, tasks_stay, &source, unordered, 4);
        int outcomes = 0, refused = 0;
        mproc_status status;
        CHECK_STATUS(mproc_iterator_next(iterator, NULL, 0), MPROC_TIMEOUT);
        CHECK_AWAIT(&board->started, 1);
        atomic_store(&board->go, fixture_is_threads());
        mproc_pool_terminate(pool);
        for (; (status = mproc_iterator_next(iterator, NULL, check_limit_ms())) != MPROC_END; outcomes++) {
            refused += status == MPROC_CLOSED;
            if (!unordered) CHECK_EQ(status == MPROC_CLOSED, outcomes >= 4);
            if (status != MPROC_CLOSED && (!fixture_is_threads() || status != MPROC_OK))
                CHECK_STATUS(status, MPROC_TERMINATED);
        }
        CHECK_EQ(outcomes, 10);
        CHECK_EQ(refused, 6);
        mproc_iterator_free(iterator);
        mproc_pool_free(pool);
        fixture_board_free(board);
    }
}

static void case_iterators_that_cannot_be_are_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    numbers_source source = {.count = 3};
    mproc_iterator *iterator = (mproc_iterator *)&source;
    mproc_iterator_options most = {.in_flight = (size_t)1 << 20}, more = {.in_flight = ((size_t)1 << 20) + 1};

    CHECK_REFUSED(mproc_pool_imap(pool, NULL, numbers_next, &source, NULL, &iterator), MPROC_INVALID, "a function");
    CHECK_REFUSED(mproc_pool_imap(pool, numbers_square, NULL, &source, NULL, &iterator), MPROC_INVALID, "a source");
    CHECK_REFUSED(mproc_pool_imap(pool, numbers_square, numbers_next, &source, NULL, NULL), MPROC_INVALID,
                  "out is NULL");
    CHECK_REFUSED(mproc_pool_imap(pool, numbers_square, numbers_next, &source, &more, &iterator), MPROC_INVALID,
                  "1048577");
    CHECK(iterator == (mproc_iterator *)&source);
    CHECK_OK(mproc_pool_imap(pool, numbers_square, numbers_next, &source, &most, &iterator));
    for (int n = 0; n < 3; n++) CHECK_EQ(numbers_take(iterator), n * n);
    mproc_iterator_free(iterator);
    mproc_pool_free(pool);
}

static mproc_status fails_to_begin(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 9, "no licence for a worker");
}

/* Whether they are in flight then, or asked for later. */
static void case_a_failing_initializer_is_what_each_item_says(void)
{
    mproc_pool_options options = {
        .workers = 1, .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES, .initializer = fails_to_begin};
    mproc_pool *pool;
    numbers_source source = {.count = 20}, other = {.count = 20};
    mproc_iterator *iterator, *unordered;
    mproc_value value = mproc_int(1);

    CHECK_OK(mproc_pool_create(&options, &pool));
    iterator = numbers_iterate(pool, numbers_square, &source, false, 5);
    unordered = numbers_iterate(pool, numbers_square, &other, true, 5);
    for (int n = 0; n < 20; n++) {
        CHECK_REFUSED(mproc_iterator_next(iterator, &value, check_limit_ms()), MPROC_USER + 9, "no licence");
        CHECK_REFUSED(mproc_iterator_next(unordered, &value, check_limit_ms()), MPROC_USER + 9, "no licence");
    }
    CHECK_EQ(mproc_value_int(value), 1);
    numbers_check_end(iterator);
    numbers_check_end(unordered);
    mproc_iterator_free(iterator);
    mproc_iterator_free(unordered);
    CHECK_REFUSED(mproc_pool_map_values(pool, numbers_square, &value, 1, NULL, NULL), MPROC_USER + 9, "no licence");
    mproc_pool_free(pool);
}

/* ---- freed in the middle ---------------------------------------------------------------------- */

static void case_items_that_were_not_begun_never_are_when_their_iterator_is_freed(void)
{
    uint64_t blocks = tasks_blocks_without_pools();

    for (int unordered = 0; unordered < 2; unordered++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        numbers_source source = {.board = board, .count = 800};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_stay_at_three, &source, unordered, 600);
        for (int n = 0; n < 3; n++) CHECK_EQ(numbers_take(iterator), n);
        CHECK_AWAIT(&board->started, 1);
        mproc_iterator_free(iterator);
        atomic_store(&board->go, 1);
        tasks_check_pool(pool);
        CHECK_EQ(atomic_load(&board->count), 3);
        mproc_pool_free(pool);
        fixture_board_free(board);
    }
    tasks_await_blocks(blocks);
}

static void case_iterators_leave_nothing(void)
{
    mproc_pool *pool = fixture_create(1);
    uint64_t blocks = 0;

    for (int round = 0; round < 6; round++) {
        texts source = {.text = calloc(1, 1 << 20)};
        mproc_iterator *iterator;
        mproc_value value;
        mproc_iterator_options options = {.unordered = round % 2, .in_flight = 5};
        if (round == 2) blocks = tasks_blocks();
        CHECK_OK(mproc_pool_imap(pool, tasks_echo, next_text, &source, &options, &iterator));
        for (int i = 0; i < (round % 3 ? SIZES : 3); i++) {
            CHECK_OK(mproc_iterator_next(iterator, &value, check_limit_ms()));
            mproc_value_clear(&value);
        }
        mproc_iterator_free(iterator);
        free(source.text);
        tasks_check_pool(pool);
    }
    tasks_await_blocks(blocks + 1); /* a segment more or less */
    mproc_pool_free(pool);
}

/* ---- one of two kinds of workers alone -------------------------------------------------------- */

static void case_an_item_whose_worker_is_killed_fails_at_its_place(void)
{
    for (int unordered = 0; unordered < 2; unordered++) {
        mproc_pool *pool = fixture_create(2);
        fixture_board *board = fixture_board_create();
        numbers_source source = {.board = board, .count = 100};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_stay_at_three, &source, unordered, 10);
        int64_t sum = 0, lost = 0;
        for (int n = 0; n < 3; n++) sum += numbers_take(iterator);
        CHECK_AWAIT(&board->started, 1);
        os_kill(atomic_load(&board->pid));
        for (int n = 3; n < 100; n++) {
            mproc_value value = mproc_nil();
            mproc_status status = mproc_iterator_next(iterator, &value, check_limit_ms());
            if (!unordered) CHECK_STATUS(status, n == 3 ? MPROC_WORKER_LOST : MPROC_OK);
            if (status == MPROC_OK) sum += mproc_value_int(value);
            else lost += status == MPROC_WORKER_LOST;
        }
        CHECK_EQ(lost, 1);
        CHECK_EQ(sum, 4950 - 3);
        numbers_check_end(iterator);
        mproc_iterator_free(iterator);
        fixture_board_free(board);
        mproc_pool_free(pool);
    }
}

/* Only worker threads can have a pool that is theirs. */
static mproc_pool *own_pool;

static mproc_status iterates_over_its_own_pool(mproc_call *call)
{
    int64_t number;
    numbers_source source = {.board = tasks_arguments(call, &number), .count = 2};
    mproc_value items[2] = {mproc_nil(), mproc_nil()}, values[2];
    mproc_iterator *iterator = numbers_iterate(own_pool, tasks_square, &source, number == 1, 2);

    CHECK_REFUSED(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), MPROC_BAD_STATE,
                  "a worker of the pool is about to wait");
    mproc_iterator_free(iterator);
    CHECK_REFUSED(mproc_pool_map_values(own_pool, tasks_square, items, 2, values, NULL), MPROC_BAD_STATE,
                  "a worker of the pool is about to wait");
    return MPROC_OK;
}

static void case_a_worker_that_waits_for_an_iterator_over_its_own_pool_is_refused(void)
{
    fixture_board *board = fixture_board_create();

    own_pool = fixture_create(1);
    for (int i = 0; i < 2; i++) {
        mproc_result *result = tasks_submit(own_pool, iterates_over_its_own_pool, board, i);
        CHECK_OK(mproc_result_get(result, NULL, MPROC_FOREVER));
        mproc_result_free(result);
    }
    mproc_pool_free(own_pool);
    fixture_board_free(board);
}

/* The third one stays; the others say that something took them too long. */
static mproc_status times_out(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);

    if (number == 3) CHECK_AWAIT(&board->go, 1);
    return mproc_error(number == 2 ? MPROC_INTERRUPTED : MPROC_TIMEOUT, "the task's own");
}

static void case_a_tasks_own_timeout_is_told_from_that_of_the_wait(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    numbers_source source = {.board = board, .count = 4};
    mproc_iterator *iterator = numbers_iterate(pool, times_out, &source, false, 2);

    CHECK_EQ(mproc_iterator_taken(iterator), 0);
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_REFUSED(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), i == 2 ? MPROC_INTERRUPTED : MPROC_TIMEOUT,
                      "the task's own");
        CHECK_EQ(mproc_iterator_taken(iterator), i + 1);
    }
    CHECK_STATUS(mproc_iterator_next(iterator, NULL, 1), MPROC_TIMEOUT);
    CHECK_EQ(mproc_iterator_taken(iterator), 3);
    atomic_store(&board->go, 1);
    CHECK_REFUSED(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), MPROC_TIMEOUT, "the task's own");
    CHECK_EQ(mproc_iterator_taken(iterator), 4);
    numbers_check_end(iterator);
    CHECK_EQ(mproc_iterator_taken(iterator), 4);
    mproc_iterator_free(iterator);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_iterated, fixture_of_processes, pool_iterated_threads, fixture_of_threads,
    CASE(values_of_every_size_come_out_of_an_iterator),
    CASE(an_item_that_cannot_be_fails_at_its_place),
    CASE(objects_in_a_value_of_an_iterator_live_until_it_is_cleared),
    CASE(unpacked_items_are_the_arguments),
    CASE(a_failing_item_fails_at_its_place_and_the_others_come),
    CASE(failing_items_come_once_each_out_of_an_unordered_iterator),
    CASE(a_pool_that_is_closed_takes_no_more_items),
    CASE(a_pool_is_terminated_while_its_results_are_taken_out),
    CASE(a_failing_initializer_is_what_each_item_says),
    CASE(iterators_that_cannot_be_are_refused),
    CASE(items_that_were_not_begun_never_are_when_their_iterator_is_freed),
    CASE(a_tasks_own_timeout_is_told_from_that_of_the_wait),
    CASE(iterators_leave_nothing),
);

CHECK_SUITE_SETUP(pool_iterated_lost, fixture_of_processes,
    CASE(an_item_whose_worker_is_killed_fails_at_its_place),
);

CHECK_SUITE_SETUP(pool_own_iterators, fixture_of_threads,
    CASE(a_worker_that_waits_for_an_iterator_over_its_own_pool_is_refused),
);
